//! `POST /flows/<flow>/run?from=&to=`: begins a backfill or goes on with it, `&again=1` begins one that has
//! ended anew; `?backfill=stop` ends it.

use std::collections::HashMap;

use bytes::Bytes;
use engine::{Budget, Engine, PastRange};
use http::{Request, Response, StatusCode};
use sluice_core::{Moment, Result};

use crate::answer::json as answer;
use crate::manage::{Answered, Reason, by, invalid, told};

/// Works on the backfill for one run's budget.
pub(crate) async fn run(
    engine: &Engine,
    query: &HashMap<String, String>,
    request: &Request<Bytes>,
    budget: Budget,
) -> Result<Response<Bytes>> {
    told(answered(engine, query, request, budget).await)
}

async fn answered(
    engine: &Engine,
    query: &HashMap<String, String>,
    request: &Request<Bytes>,
    budget: Budget,
) -> Answered<Response<Bytes>> {
    let by = by(request, None, Reason::Welcome)?;
    if let Some(word) = query.get("backfill") {
        if word != "stop" || query.len() > 1 {
            return Err(invalid("`backfill` is `stop`, and alone"));
        }
        let said = engine.stop_backfill(&by).await??;
        return Ok(answer(StatusCode::OK, &said));
    }
    let anew = match query.get("again").map(String::as_str) {
        None | Some("0" | "false") => false,
        Some("1" | "true") => true,
        Some(_) => return Err(invalid("`again` is 0 or 1")),
    };
    if query.len() != 2 + usize::from(query.contains_key("again")) {
        return Err(invalid(
            "a backfill wants `from` and `to`, perhaps `again`, and nothing else",
        ));
    }
    let instant = |name: &str| {
        let wrong = || invalid(&format!("`{name}` is no time as in 2026-11-22T00:00:00Z"));
        let text = query.get(name).ok_or_else(wrong)?;
        Moment::instant(text).ok_or_else(wrong)
    };
    let (from, to) = (instant("from")?, instant("to")?);
    let range = PastRange { from, to, anew };
    let report = engine.backfill(&range, &by, budget).await??;
    let status = match report["fault"].is_null() {
        true => StatusCode::OK,
        // As of any run: whoever asks should see that this one did not come to its end.
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok(answer(status, &report))
}
