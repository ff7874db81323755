//! The routes that walk through all records, page by page: audit and adopt.
//!
//! A page is small, so that it fits into the shortest time a host gives a request; the answer's `next` is the
//! `after` of the one that follows, and null after the last.

use std::collections::BTreeMap;

use bytes::Bytes;
use engine::{Days, Engine, Side};
use http::{Request, Response, StatusCode};
use jiff::civil::Date;
use serde_json::{Value, json};
use sluice_core::Moment;

use crate::answer::json as answer;
use crate::manage::{Answered, Reason, by, invalid};

/// `GET /audit?side=source&after=<place>&from=2026-11-01&to=2026-11-30`
pub(crate) async fn audit(engine: &Engine, request: &Request<Bytes>) -> Answered<Response<Bytes>> {
    let query = query(request, &["side", "after", "from", "to"])?;
    let side = match query.get("side").map(String::as_str) {
        Some("source") => Side::Source,
        Some("target") => Side::Target,
        _ => return Err(invalid("`side` is source or target")),
    };
    let days = Days {
        from: day(&query, "from")?,
        to: day(&query, "to")?,
    };
    let after = query.get("after").map(String::as_str);
    let page = engine.audit_page(side, after, days).await??;
    let body = serde_json::to_value(&page).unwrap_or_else(unreadable);
    Ok(answer(StatusCode::OK, &body))
}

/// `POST /adopt?dry_run=1&after=<place>`
pub(crate) async fn adopt(engine: &Engine, request: &Request<Bytes>) -> Answered<Response<Bytes>> {
    let query = query(request, &["dry_run", "after"])?;
    let by = match query.get("dry_run").map(String::as_str) {
        Some("1" | "true") => None,
        None | Some("0" | "false") => Some(by(request, None, Reason::Welcome)?),
        Some(_) => return Err(invalid("dry_run is 0 or 1")),
    };
    let after = query.get("after").map(String::as_str);
    let page = engine.adopt_page(after, by.as_ref()).await??;
    Ok(answer(StatusCode::OK, &page))
}

/// The query's parameters; an unknown or repeated one is refused.
fn query(request: &Request<Bytes>, known: &[&str]) -> Answered<BTreeMap<String, String>> {
    let text = request.uri().query().unwrap_or_default();
    let mut query = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let new = known.contains(&&*name)
            && query
                .insert(name.into_owned(), value.into_owned())
                .is_none();
        if !new {
            return Err(invalid(
                "the query holds an unknown parameter, or one twice",
            ));
        }
    }
    Ok(query)
}

fn day(query: &BTreeMap<String, String>, name: &str) -> Answered<Option<Date>> {
    match query.get(name).map(|text| Moment::parse(text)) {
        None => Ok(None),
        Some(Some(Moment::Day(day))) => Ok(Some(day)),
        Some(_) => Err(invalid(&format!("`{name}` is no day as in 2026-11-30"))),
    }
}

fn unreadable(error: serde_json::Error) -> Value {
    json!({ "error": error.to_string() })
}
