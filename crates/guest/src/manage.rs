//! The routes through which people see and decide what is stuck.

use bytes::Bytes;
use engine::store::{By, Which};
use engine::{Engine, Refusal};
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sluice_core::{Action, Fault, Moment, Result};

use crate::answer::{json as answer, refuse};
use crate::route::plain_id;
use crate::walk;

/// Bodies: ids of a thousand records, or an edit of one.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;
const RETRY_COUNT_MAX: usize = 1_000;
/// Each may have to be looked at in the source.
const SKIP_COUNT_MAX: usize = 100;
const REASON_LENGTH_MAX: usize = 500;

/// A route under `/flows/<flow>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Dead,
    Show { id: String },
    Record { id: String },
    Retry,
    Skip,
    Pause,
    Resume,
    Cursor,
    Trace { id: String },
    Trail,
    Audit,
    Adopt,
}

impl Route {
    /// The route of what follows `/flows/<flow>`, and the methods it has.
    pub fn at(method: &Method, rest: &str) -> Option<(Self, &'static str)> {
        Some(match rest {
            "/dead" => (Self::Dead, "GET"),
            "/retry" => (Self::Retry, "POST"),
            "/skip" => (Self::Skip, "POST"),
            "/pause" => (Self::Pause, "POST"),
            "/resume" => (Self::Resume, "POST"),
            "/cursor" => (Self::Cursor, "POST"),
            "/trail" => (Self::Trail, "GET"),
            "/audit" => (Self::Audit, "GET"),
            "/adopt" => (Self::Adopt, "POST"),
            rest => {
                if let Some(id) = rest.strip_prefix("/trace/") {
                    return Some((Self::Trace { id: plain_id(id)? }, "GET"));
                }
                let id = plain_id(rest.strip_prefix("/records/")?)?;
                let route = match *method {
                    Method::GET => Self::Show { id },
                    _ => Self::Record { id },
                };
                (route, "GET, POST")
            }
        })
    }

    /// Whether work became due that should begin at once.
    pub fn makes_due(&self) -> bool {
        matches!(self, Self::Retry | Self::Resume)
    }
}

/// Answers a route. What a person wishes and does not get is one line, with its status.
pub(crate) async fn manage(
    engine: &Engine,
    route: &Route,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>> {
    told(answered(engine, route, request).await)
}

/// An answer, or why there is none of its own.
pub(crate) fn told(answered: Answered<Response<Bytes>>) -> Result<Response<Bytes>> {
    match answered {
        Ok(response) => Ok(response),
        Err(Unanswered::Refused(status, reason)) => Ok(refuse(status, &reason)),
        // It is this record, or this wish, that can't be served.
        Err(Unanswered::Failed(fault)) if fault.action == Action::DeadLetter => {
            Ok(refuse(StatusCode::UNPROCESSABLE_ENTITY, &fault.to_string()))
        }
        Err(Unanswered::Failed(fault)) => Err(fault),
    }
}

/// Why a route has no answer of its own.
pub(crate) enum Unanswered {
    Refused(StatusCode, String),
    Failed(Fault),
}

pub(crate) type Answered<T> = std::result::Result<T, Unanswered>;

async fn answered(
    engine: &Engine,
    route: &Route,
    request: &Request<Bytes>,
) -> Answered<Response<Bytes>> {
    let before = before(route, request)?;
    let body = match route {
        Route::Dead => engine.dead().await?,
        Route::Show { id } => engine.show(id).await?,
        Route::Trace { id } => engine.trace(id).await??,
        Route::Trail => engine.trail_before(before).await?,
        Route::Audit => return walk::audit(engine, request).await,
        Route::Adopt => return walk::adopt(engine, request).await,
        Route::Record { id } => return record(engine, id, request).await,
        Route::Retry => {
            let wish: Retry = wish(request)?;
            let by = by(request, wish.reason.clone(), Reason::Welcome)?;
            engine.retry(&wish.which()?, &by).await?
        }
        Route::Skip => {
            let Skip { ids, reason } = wish(request)?;
            let by = by(request, reason, Reason::Needed)?;
            check_ids(&ids, SKIP_COUNT_MAX)?;
            engine.skip(&ids, &by).await?
        }
        Route::Pause => {
            let Why { reason } = wish(request)?;
            engine.pause(&by(request, reason, Reason::Needed)?).await?
        }
        Route::Resume => {
            let Why { reason } = wish(request)?;
            engine.resume(&by(request, reason, Reason::Needed)?).await?
        }
        Route::Cursor => {
            let Cursor { to, skip, reason } = wish(request)?;
            let Some(to) = Moment::instant(&to) else {
                return Err(invalid("`to` is no time as in 2026-11-22T19:53:21Z"));
            };
            let reason_is = match skip {
                true => Reason::Needed,
                false => Reason::Welcome,
            };
            let by = by(request, reason, reason_is)?;
            engine.set_cursor(to, skip, &by).await??
        }
    };
    Ok(answer(StatusCode::OK, &body))
}

/// Syncs a record now, with the source's data as it is or as a person edited it.
async fn record(engine: &Engine, id: &str, request: &Request<Bytes>) -> Answered<Response<Bytes>> {
    let Edit { edit, reason } = match request.body().is_empty() {
        true => Edit::default(),
        false => wish(request)?,
    };
    let by = by(request, reason, Reason::Welcome)?;
    let said = match edit {
        Some(patch) => engine.edit(id, patch, &by).await??,
        None => engine.sync(id, &by).await??,
    };
    let status = match said["state"].as_str() {
        Some("in_work") => StatusCode::CONFLICT,
        Some("queued") => StatusCode::ACCEPTED,
        Some("dead") => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    Ok(answer(status, &said))
}

/// `{"ids": […]}`, `{"code": "…"}` or `{"all": true}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    ids: Option<Vec<String>>,
    code: Option<String>,
    all: Option<bool>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    ids: Vec<String>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    to: String,
    #[serde(default)]
    skip: bool,
    reason: Option<String>,
}

/// `edit` is a JSON merge patch over the source's data.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    edit: Option<Map<String, Value>>,
    reason: Option<String>,
}

impl Retry {
    fn which(self) -> Answered<Which> {
        match (self.ids, self.code, self.all) {
            (Some(ids), None, None) => {
                check_ids(&ids, RETRY_COUNT_MAX)?;
                Ok(Which::Ids(ids))
            }
            (None, Some(code), None) => Ok(Which::Code(code)),
            (None, None, Some(true)) => Ok(Which::All),
            _ => Err(invalid("say one of `ids`, `code` and `\"all\": true`")),
        }
    }
}

/// The body, strictly: an object of known keys, each once. (A list would do for the library, too.)
fn wish<T: DeserializeOwned>(request: &Request<Bytes>) -> Answered<T> {
    if !request.body().trim_ascii_start().starts_with(b"{") {
        return Err(invalid("the body is no JSON object"));
    }
    serde_json::from_slice(request.body()).map_err(|error| invalid(&format!("the body: {error}")))
}

/// Whether an action needs a reason.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Needed,
    Welcome,
}

/// Who asks, by what the request says, and why.
pub(crate) fn by(request: &Request<Bytes>, reason: Option<String>, is: Reason) -> Answered<By> {
    let who = request.headers().get("x-sluice-user");
    let who = who.map(|who| String::from_utf8_lossy(who.as_bytes()));
    let reason = reason.map(|reason| reason.trim().to_owned());
    match reason.as_deref() {
        None | Some("") if is == Reason::Needed => Err(invalid("a `reason` is needed")),
        Some(reason) if reason.chars().count() > REASON_LENGTH_MAX => {
            let why = format!("a `reason` has {REASON_LENGTH_MAX} letters at most");
            Err(invalid(&why))
        }
        _ => {
            let reason = reason.filter(|reason| !reason.is_empty());
            Ok(By::named(who.as_deref(), reason))
        }
    }
}

fn check_ids(ids: &[String], count_max: usize) -> Answered<()> {
    if ids.is_empty() || ids.len() > count_max {
        return Err(invalid(&format!("`ids` names 1 to {count_max} records")));
    }
    match ids.iter().find(|id| plain_id(id).as_ref() != Some(*id)) {
        Some(_) => Err(invalid("`ids` holds what is no id")),
        None => Ok(()),
    }
}

/// `?before=<seq>` of the trail; walks read their query themselves, and no other route has one.
fn before(route: &Route, request: &Request<Bytes>) -> Answered<Option<i64>> {
    let query = request.uri().query().unwrap_or_default();
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    match (parameters.next(), parameters.next()) {
        (None, _) => Ok(None),
        _ if matches!(route, Route::Audit | Route::Adopt) => Ok(None),
        (Some((name, value)), None) if name == "before" && *route == Route::Trail => {
            let before = value.parse().ok();
            let wrong = || invalid("`before` is the number of a line");
            before.ok_or_else(wrong).map(Some)
        }
        _ => Err(invalid("the query holds an unknown parameter")),
    }
}

pub(crate) fn invalid(reason: &str) -> Unanswered {
    Unanswered::Refused(StatusCode::BAD_REQUEST, reason.to_owned())
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        let (status, reason) = match refusal {
            Refusal::Busy(reason) => (StatusCode::CONFLICT, reason),
            Refusal::Invalid(reason) => (StatusCode::UNPROCESSABLE_ENTITY, reason),
            Refusal::Unknown(reason) => (StatusCode::NOT_FOUND, reason),
        };
        Self::Refused(status, reason)
    }
}

impl From<Fault> for Unanswered {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}
