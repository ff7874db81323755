//! What Amazon's answers mean: each refusal becomes a fault that says what to do. Pure.
//!
//! Refusals are `{"errors": [{"code", "message", "details"?}]}`
//! (<https://developer-docs.amazon.com/sp-api/docs/errors>). The table is in the crate's documentation.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;
use sluice_core::answer::{self, cut, retry_after};
use sluice_core::{Action, Answer, Body, Code, Fault, Result, code};

/// The limit of this operation is reached.
pub const THROTTLED: Code = Code("AMAZON_THROTTLED");
/// The login was refused, or the token, also a fresh one.
pub const LOGIN: Code = Code("AMAZON_LOGIN");
/// The application, or the seller, may not do this.
pub const PERMISSION: Code = Code("AMAZON_PERMISSION");
/// The request itself is wrong.
pub const REQUEST: Code = Code("AMAZON_REQUEST");
/// Amazon failed or is down.
pub const UNAVAILABLE: Code = Code("AMAZON_UNAVAILABLE");
/// An order is not what an order must be.
pub const ORDER_INVALID: Code = Code("AMAZON_ORDER_INVALID");
/// Nothing is written to Amazon.
pub const READ_ONLY: Code = Code("AMAZON_READ_ONLY");
/// A report is not ready yet.
pub const REPORT_PENDING: Code = Code("AMAZON_REPORT_PENDING");
/// Amazon gave a report up.
pub const REPORT_FAILED: Code = Code("AMAZON_REPORT_FAILED");
/// A report's document is cut off, or not in the form it should have.
pub const REPORT_INVALID: Code = Code("AMAZON_REPORT_INVALID");
/// A report's document is larger than we take.
pub const REPORT_TOO_LARGE: Code = Code("AMAZON_REPORT_TOO_LARGE");

/// Where neither our bucket nor an answer says how long.
const THROTTLED_WAIT: Duration = Duration::from_secs(60);
const DETAIL_COUNT_MAX: usize = 20;

/// Passes successes on; everything else is a fault. `wait` is the time to the next slot, where the limit was
/// reached.
///
/// Faults: the table in the crate's documentation.
pub fn accept(response: Response<Bytes>, wait: Option<Duration>) -> Result<Response<Bytes>> {
    match response.status() {
        status if status.is_success() => Ok(response),
        _ => Err(refusal(&response, wait)),
    }
}

/// The fault for an answer that is not a success.
pub fn refusal(response: &Response<Bytes>, wait: Option<Duration>) -> Fault {
    let status = response.status();
    let details = details(response.body());
    let has = |code: &str| details.iter().any(|detail| detail.code == code);
    // `The access token you provided has expired.`, or is revoked, malformed or invalid.
    let about_token = details
        .iter()
        .any(|detail| detail.words.to_ascii_lowercase().contains("token"));
    let answer = answer(status, &details);
    let said = |what: &str| answer.meaning(what);

    let fault = if status == 429 || has("QuotaExceeded") {
        let wait = retry_after(response).max(wait).unwrap_or(THROTTLED_WAIT);
        Fault::retry_after(wait, THROTTLED, said("a limit is reached"))
    } else if status == 401 || (status == 403 && about_token) {
        Fault::refresh_credentials(LOGIN, said("Amazon refused the access token"))
    } else if status == 403 {
        let message = said("the application or the seller lacks a permission");
        Fault::stop_flow(PERMISSION, message)
    } else if status.is_server_error() || status == 408 {
        let message = said("Amazon failed to serve the request");
        Fault::retry_in(retry_after(response), UNAVAILABLE, message)
    } else {
        Fault::stop_flow(REQUEST, said("Amazon does not accept the request"))
    };
    fault.with_answer(answer)
}

/// The fault for a request that is not sent: it would only be refused.
pub fn would_be_throttled(operation: &str, wait: Duration) -> Fault {
    let seconds = wait.as_millis().div_ceil(1000);
    let message = format!("the limit of {operation} is used up for the next {seconds} s");
    Fault::retry_after(wait, THROTTLED, message)
}

/// The fault for a refused login: `{"error", "error_description"}`.
pub fn login_refused(response: &Response<Bytes>) -> Fault {
    let Some(answer) = Answer::of_login(response) else {
        return match refusal(response, None) {
            // The token endpoint has no permissions or operations of ours to be wrong about.
            fault if matches!(fault.action, Action::Retry | Action::RetryAfter(_)) => fault,
            fault => {
                let refused = Fault::stop_flow(LOGIN, &fault.message);
                match &fault.answer {
                    Some(answer) => refused.with_answer(answer.clone()),
                    None => refused,
                }
            }
        };
    };
    Fault::stop_flow(LOGIN, answer.meaning("Amazon refused the login")).with_answer(answer)
}

/// Whether a fresh login may help.
pub(crate) fn is_about_the_token(fault: &Fault) -> bool {
    fault.code == LOGIN && fault.action == Action::RefreshCredentials
}

/// The JSON object in an answer.
///
/// Fault: `ANSWER_INVALID` (retry: it may be a gateway's page).
pub fn json(response: &Response<Bytes>) -> Result<Value> {
    answer::object(response)
        .ok_or_else(|| Fault::retry(code::ANSWER_INVALID, "Amazon's answer is not a JSON object"))
}

/// The answer does not hold what it must, or not in this form.
pub fn answer_lacks(field: &str) -> Fault {
    let message = format!("Amazon's answer lacks a usable {field}");
    Fault::retry(code::ANSWER_INVALID, message)
}

/// The answer contradicts what was asked for.
pub fn paging(why: impl std::fmt::Display) -> Fault {
    Fault::retry(code::SOURCE_PAGING, format!("Amazon pages wrongly: {why}"))
}

/// Something we made can't be put into a request.
pub fn not_a_request(why: impl std::error::Error) -> Fault {
    Fault::dead_letter(REQUEST, format!("no request can be made of this: {why}"))
}

struct Detail {
    code: String,
    words: String,
}

fn details(body: &[u8]) -> Vec<Detail> {
    let body = sluice_core::json::read(body).unwrap_or_default();
    let details = body.at("errors").and_then(Value::as_array);
    let read = |detail: &Value| {
        let text = |name: &str| detail.at(name).and_then(Value::as_str);
        let words = [text("message"), text("details")];
        let words = words.into_iter().flatten().filter(|text| !text.is_empty());
        let words: Vec<&str> = words.collect();
        Detail {
            code: text("code").map(cut).unwrap_or_default(),
            words: cut(&words.join(" ")),
        }
    };
    let details = details.into_iter().flatten();
    details.take(DETAIL_COUNT_MAX).map(read).collect()
}

fn answer(status: StatusCode, details: &[Detail]) -> Answer {
    let pairs = details.iter().map(|detail| (&*detail.code, &*detail.words));
    Answer::of(status, &pairs.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
