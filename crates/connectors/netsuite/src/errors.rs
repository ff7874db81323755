//! What NetSuite's answers mean: each refusal becomes a fault that says what to do. Pure.
//!
//! Refusals are `{"title", "status", "o:errorDetails": [{"detail", "o:errorCode", "o:errorPath" | …}]}`
//! (vendor page "Error Handling in REST Web Services", section_156570709583). The table is in the crate's
//! documentation.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;
use sluice_core::answer::{self, cut, retry_after};
use sluice_core::{Answer, BadField, Body, Code, Fault, Result, code};

/// The account's limit of concurrent requests is reached.
pub const CONCURRENCY: Code = Code("NETSUITE_CONCURRENCY");
/// The login was refused, twice if a fresh one could be tried.
pub const LOGIN: Code = Code("NETSUITE_LOGIN");
/// The role may not do this.
pub const PERMISSION: Code = Code("NETSUITE_PERMISSION");
/// Someone else changed the record meanwhile.
pub const RECORD_CHANGED: Code = Code("NETSUITE_RECORD_CHANGED");
/// A record with this key exists already.
pub const DUPLICATE: Code = Code("NETSUITE_DUPLICATE");
/// There is no record of this id.
pub const NOT_FOUND: Code = Code("NETSUITE_NOT_FOUND");
/// The record was refused for what it holds.
pub const INVALID: Code = Code("NETSUITE_INVALID");
/// A transaction of a type that NetSuite knows no closing of.
pub const NOT_CLOSABLE: Code = Code("NETSUITE_NOT_CLOSABLE");
/// The request itself is wrong: address, record type, parameter or query.
pub const REQUEST: Code = Code("NETSUITE_REQUEST");
/// NetSuite failed or is down.
pub const UNAVAILABLE: Code = Code("NETSUITE_UNAVAILABLE");

/// What the vendor calls too many requests at once, in REST, RESTlets and SOAP.
const CONCURRENCY_CODES: [&str; 7] = [
    "CONCURRENCY_LIMIT_EXCEEDED",
    "REQUEST_LIMIT_EXCEEDED",
    "SSS_REQUEST_LIMIT_EXCEEDED",
    "WS_REQUEST_BLOCKED",
    "WS_CONCUR_SESSION_DISALLWD",
    "ExceededConcurrentRequestLimitFault",
    "ExceededRequestLimitFault",
];
const CONCURRENCY_WORDS: &str = "concurrent request limit exceeded";

const PERMISSION_CODES: [&str; 4] = [
    "INSUFFICIENT_PERMISSION",
    "FEATURE_DISABLED",
    "PERMISSION_VIOLATION",
    "RECORD_TYPE_NOT_ALLOWED",
];
const CHANGED_CODES: [&str; 2] = ["RCRD_HAS_BEEN_CHANGED", "RCRD_LOCKED"];
const DUPLICATE_CODES: [&str; 2] = ["DUP_RCRD", "DUP_ITEM"];

const DETAIL_COUNT_MAX: usize = 50;

/// The account has no such type of record, or its feature is off.
pub(crate) fn is_unknown_type(fault: &Fault) -> bool {
    let code = fault
        .answer
        .as_ref()
        .and_then(|answer| answer.code.as_deref());
    code == Some("NONEXISTENT_RECORD_TYPE")
}

/// Whether a request can change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Read,
    Write,
}

/// Passes 200 and 204 on; everything else is a fault.
///
/// Faults: the table in the crate's documentation.
pub fn accept(effect: Effect, response: Response<Bytes>) -> Result<Response<Bytes>> {
    match response.status() {
        StatusCode::OK | StatusCode::NO_CONTENT => Ok(response),
        status if status.is_success() => {
            let message = format!("NetSuite answered {status}, which was not asked for");
            let fault = Fault::retry(code::ANSWER_INVALID, message);
            Err(unknown_if_written(effect, fault))
        }
        _ => Err(refusal(effect, &response)),
    }
}

/// The fault for an answer that is not a success.
pub fn refusal(effect: Effect, response: &Response<Bytes>) -> Fault {
    let status = response.status();
    let details = details(response.body());
    let has = |codes: &[&str]| {
        let known = |detail: &Detail| codes.contains(&detail.code.as_str());
        details.iter().any(known)
    };
    let answer = answer(status, &details);
    let said = |what: &str| answer.meaning(what);

    let fault = if status == 429 || has(&CONCURRENCY_CODES) || words_of_concurrency(&details) {
        let message = said("NetSuite refuses more requests at once");
        Fault::retry_in(retry_after(response), CONCURRENCY, message)
    } else if status == 401 {
        Fault::refresh_credentials(LOGIN, said("NetSuite refused the login"))
    } else if has(&CHANGED_CODES) || status == 412 {
        Fault::retry(RECORD_CHANGED, said("another writer was faster"))
    } else if status.is_server_error() || status == 408 || status == 425 {
        let message = said("NetSuite failed to serve the request");
        let fault = Fault::retry_in(retry_after(response), UNAVAILABLE, message);
        unknown_if_written(effect, fault)
    } else if status == 403 || has(&PERMISSION_CODES) {
        Fault::stop_flow(PERMISSION, said("the role lacks a permission"))
    } else if has(&DUPLICATE_CODES) {
        Fault::retry(DUPLICATE, said("a record with this key exists already"))
            .with_fields(bad_fields(&details))
    } else if status == 404 && has(&["NONEXISTENT_ID"]) {
        Fault::dead_letter(NOT_FOUND, said("NetSuite has no such record"))
    } else if effect == Effect::Write && (status == 400 || status == 409 || status == 413) {
        written_wrong(&details, said("NetSuite refused the record"), &said)
    } else {
        Fault::stop_flow(REQUEST, said("NetSuite does not understand the request"))
    };
    fault.with_answer(answer)
}

/// A refused write: the record is to blame, unless the vendor points at the request around it.
fn written_wrong(details: &[Detail], message: String, said: &dyn Fn(&str) -> String) -> Fault {
    let blames_request = |detail: &Detail| detail.path.is_none() && detail.outside_body;
    if !details.is_empty() && details.iter().all(blames_request) {
        return Fault::stop_flow(REQUEST, said("NetSuite does not understand the request"));
    }
    Fault::dead_letter(INVALID, message).with_fields(bad_fields(details))
}

/// The fault for a refused login by client credentials: `{"error", "error_description"}`.
pub fn login_refused(response: &Response<Bytes>) -> Fault {
    let Some(answer) = Answer::of_login(response) else {
        return refusal(Effect::Read, response);
    };
    let message = answer.meaning("NetSuite refused the client credentials");
    Fault::stop_flow(LOGIN, message).with_answer(answer)
}

/// The JSON object in an answer.
///
/// Fault: `ANSWER_INVALID` (retry: it may be a gateway's page).
pub fn json(response: &Response<Bytes>) -> Result<Value> {
    answer::object(response).ok_or_else(|| {
        Fault::retry(
            code::ANSWER_INVALID,
            "NetSuite's answer is not a JSON object",
        )
    })
}

/// The answer does not hold what it must, or not in this form.
pub fn answer_lacks(field: &str) -> Fault {
    let message = format!("NetSuite's answer lacks a usable {field}");
    Fault::retry(code::ANSWER_INVALID, message)
}

/// The answer contradicts the order or the count of what was asked for.
pub fn paging(why: impl std::fmt::Display) -> Fault {
    Fault::retry(
        code::SOURCE_PAGING,
        format!("NetSuite pages wrongly: {why}"),
    )
}

/// Something we made can't be put into a request.
pub fn not_a_request(why: impl std::error::Error) -> Fault {
    Fault::dead_letter(REQUEST, format!("no request can be made of this: {why}"))
}

struct Detail {
    code: String,
    words: String,
    /// Where in the body we sent, as a dotted path.
    path: Option<String>,
    /// It points at the address, a query parameter or a header.
    outside_body: bool,
}

fn details(body: &[u8]) -> Vec<Detail> {
    let Ok(body) = sluice_core::json::read(body) else {
        return Vec::new();
    };
    let details = body.get("o:errorDetails").and_then(Value::as_array);
    if let (None, Some(error)) = (details, body.at("error.code").and_then(Value::as_str)) {
        // RESTlets' form, which limits are sometimes reported in.
        return vec![Detail {
            code: cut(error),
            words: body
                .at("error.message")
                .and_then(Value::as_str)
                .map(cut)
                .unwrap_or_default(),
            path: None,
            outside_body: false,
        }];
    }
    details
        .into_iter()
        .flatten()
        .take(DETAIL_COUNT_MAX)
        .map(|detail| {
            let text = |name: &str| detail.get(name).and_then(Value::as_str);
            Detail {
                code: text("o:errorCode").map(cut).unwrap_or_default(),
                words: text("detail").map(cut).unwrap_or_default(),
                path: text("o:errorPath")
                    .map(|path| cut(path.strip_prefix("$.").unwrap_or(path)))
                    .filter(|path| !path.is_empty()),
                outside_body: ["o:errorUrl", "o:errorQueryParam", "o:errorHeader"]
                    .iter()
                    .any(|name| detail.get(name).is_some()),
            }
        })
        .collect()
}

/// Every field NetSuite names: by its place in what we sent, else by its label in the vendor's words.
fn bad_fields(details: &[Detail]) -> Vec<BadField> {
    let mut fields = Vec::new();
    for detail in details {
        match &detail.path {
            Some(path) => fields.push(BadField::new(path, &detail.words)),
            None => fields.extend(
                labels(&detail.words)
                    .take(DETAIL_COUNT_MAX)
                    .map(|label| BadField::new(label, &detail.words)),
            ),
        }
    }
    fields.truncate(DETAIL_COUNT_MAX);
    fields
}

/// The labels at the end of a sentence like `Please enter value(s) for: Customer, Date.`
fn labels(words: &str) -> impl Iterator<Item = &str> {
    let named = LABELS_FOLLOW
        .iter()
        .find_map(|introduction| words.split_once(introduction));
    let list = named.map_or("", |(_, list)| list);
    list.split(',')
        .map(|label| label.trim().trim_end_matches('.'))
        .filter(|label| !label.is_empty())
}

const LABELS_FOLLOW: [&str; 2] = ["Please enter value(s) for: ", "for the following field: "];

fn answer(status: StatusCode, details: &[Detail]) -> Answer {
    let pairs = details.iter().map(|detail| (&*detail.code, &*detail.words));
    Answer::of(status, &pairs.collect::<Vec<_>>())
}

fn words_of_concurrency(details: &[Detail]) -> bool {
    details.iter().any(|detail| {
        detail
            .words
            .to_ascii_lowercase()
            .contains(CONCURRENCY_WORDS)
    })
}

fn unknown_if_written(effect: Effect, fault: Fault) -> Fault {
    match effect {
        Effect::Read => fault,
        Effect::Write => fault.with_unknown_write(),
    }
}

#[cfg(test)]
mod tests;
