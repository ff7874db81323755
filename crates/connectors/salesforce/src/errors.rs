//! What Salesforce's answers mean: each refusal becomes a fault that says what to do. Pure.
//!
//! Refusals are `[{"message", "errorCode", "fields"?}]`
//! (<https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm>). The table
//! is in the crate's documentation.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;
use sluice_core::answer::{self, cut, retry_after};
use sluice_core::{Answer, BadField, Body, Code, Fault, Result, code};

/// The org's limit of API requests, logins or storage is reached.
pub const LIMIT: Code = Code("SALESFORCE_LIMIT");
/// The login was refused, or the session, also a fresh one.
pub const LOGIN: Code = Code("SALESFORCE_LOGIN");
/// The user may not do this.
pub const PERMISSION: Code = Code("SALESFORCE_PERMISSION");
/// Another writer holds the record, or its parent.
pub const LOCKED: Code = Code("SALESFORCE_LOCKED");
/// A record with this value exists already.
pub const DUPLICATE: Code = Code("SALESFORCE_DUPLICATE");
/// Several records have this external id.
pub const AMBIGUOUS: Code = Code("SALESFORCE_AMBIGUOUS");
/// There is no record of this id any more.
pub const NOT_FOUND: Code = Code("SALESFORCE_NOT_FOUND");
/// The record was refused for what it holds.
pub const INVALID: Code = Code("SALESFORCE_INVALID");
/// The request itself is wrong: address, object, field or query.
pub const REQUEST: Code = Code("SALESFORCE_REQUEST");
/// The place in a long answer was forgotten before it was read to its end.
pub const QUERY_EXPIRED: Code = Code("SALESFORCE_QUERY_EXPIRED");
/// Salesforce failed or is down.
pub const UNAVAILABLE: Code = Code("SALESFORCE_UNAVAILABLE");

const LIMIT_CODES: [&str; 2] = ["REQUEST_LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED"];
/// Words in the message that tell the limit of requests at once from that of a day.
const CONCURRENCY_WORDS: &str = "Concurrent";
const LOCK_CODE: &str = "UNABLE_TO_LOCK_ROW";
const UNAVAILABLE_CODES: [&str; 4] = [
    "SERVER_UNAVAILABLE",
    "UNKNOWN_EXCEPTION",
    "QUERY_TIMEOUT",
    "REQUEST_RUNNING_TOO_LONG",
];
/// About the user, not about one record: `INSUFFICIENT_ACCESS_OR_READONLY` is about one record.
const PERMISSION_CODES: [&str; 5] = [
    "API_CURRENTLY_DISABLED",
    "API_DISABLED_FOR_ORG",
    "FUNCTIONALITY_NOT_ENABLED",
    "INSUFFICIENT_ACCESS",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
];
const RECORD_ACCESS_CODES: [&str; 2] = [
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
];
const REQUEST_CODES: [&str; 6] = [
    "INVALID_FIELD",
    "INVALID_TYPE",
    "MALFORMED_QUERY",
    "INVALID_QUERY_FILTER_OPERATOR",
    "INVALID_QUERY_SCOPE",
    "JSON_PARSER_ERROR",
];
/// A day's limit frees itself bit by bit: it is a sliding window of 24 hours.
const DAY_LIMIT_WAIT: Duration = Duration::from_secs(15 * 60);
const CONCURRENCY_WAIT: Duration = Duration::from_secs(20);
const DETAIL_COUNT_MAX: usize = 50;

/// Whether a request can change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Read,
    Write,
}

/// Passes 200, 201 and 204 on; everything else is a fault.
///
/// Faults: the table in the crate's documentation.
pub fn accept(effect: Effect, response: Response<Bytes>) -> Result<Response<Bytes>> {
    match response.status() {
        StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(response),
        status if status.is_success() => {
            let message = format!("Salesforce answered {status}, which was not asked for");
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
    let words = |part: &str| details.iter().any(|detail| detail.words.contains(part));
    let answer = answer(status, &details);
    let said = |what: &str| answer.meaning(what);

    let fault = if status == 429 || has(&LIMIT_CODES) {
        let usual = if words(CONCURRENCY_WORDS) {
            CONCURRENCY_WAIT
        } else {
            DAY_LIMIT_WAIT
        };
        let wait = retry_after(response).unwrap_or(usual);
        Fault::retry_after(wait, LIMIT, said("a limit of the org is reached"))
    } else if has(&[LOCK_CODE]) || words(LOCK_CODE) {
        // Triggers wrap it in a code of their own.
        Fault::retry(LOCKED, said("another writer holds the record"))
    } else if status == 401 {
        Fault::refresh_credentials(LOGIN, said("Salesforce refused the session"))
    } else if status.is_server_error() || status == 408 || has(&UNAVAILABLE_CODES) {
        let message = said("Salesforce failed to serve the request");
        let fault = Fault::retry_in(retry_after(response), UNAVAILABLE, message);
        unknown_if_written(effect, fault)
    } else if status == StatusCode::MULTIPLE_CHOICES {
        Fault::dead_letter(AMBIGUOUS, said("several records have this external id"))
    } else if has(&["INVALID_QUERY_LOCATOR"]) {
        Fault::retry(QUERY_EXPIRED, said("a long answer must be asked for anew"))
    } else if has(&REQUEST_CODES) {
        Fault::stop_flow(REQUEST, said("Salesforce does not understand the request"))
    } else if has(&PERMISSION_CODES) || (status == 403 && !has(&RECORD_ACCESS_CODES)) {
        Fault::stop_flow(PERMISSION, said("the user lacks a permission"))
    } else if has(&["ENTITY_IS_DELETED"]) || (effect == Effect::Write && status == 404) {
        // Looking again tells how it went, and the flow's policy what follows.
        Fault::retry(NOT_FOUND, said("the record is gone"))
    } else if has(&["DUPLICATE_VALUE"]) {
        Fault::retry(DUPLICATE, said("a record with this value exists already"))
            .with_fields(bad_fields(&details))
    } else if effect == Effect::Write && !details.is_empty() && is_about_a_record(status) {
        Fault::dead_letter(INVALID, said("Salesforce refused the record"))
            .with_fields(bad_fields(&details))
    } else {
        Fault::stop_flow(REQUEST, said("Salesforce does not understand the request"))
    };
    fault.with_answer(answer)
}

/// The fault for a refused login: `{"error", "error_description"}`.
pub fn login_refused(response: &Response<Bytes>) -> Fault {
    let Some(answer) = Answer::of_login(response) else {
        return refusal(Effect::Read, response);
    };
    // The vendor names it in either place; asking again at once would make it worse.
    let too_often = answer.code.as_deref() == Some("rate_limit_exceeded")
        || answer
            .message
            .to_ascii_lowercase()
            .contains("rate exceeded");
    let fault = if too_often {
        let message = answer.meaning("Salesforce refuses more logins");
        Fault::retry_after(
            retry_after(response).unwrap_or(DAY_LIMIT_WAIT),
            LIMIT,
            message,
        )
    } else {
        Fault::stop_flow(LOGIN, answer.meaning("Salesforce refused the login"))
    };
    fault.with_answer(answer)
}

/// The JSON object in an answer.
///
/// Fault: `ANSWER_INVALID` (retry: it may be a gateway's page).
pub fn json(response: &Response<Bytes>) -> Result<Value> {
    answer::object(response).ok_or_else(|| {
        Fault::retry(
            code::ANSWER_INVALID,
            "Salesforce's answer is not a JSON object",
        )
    })
}

/// The answer does not hold what it must, or not in this form.
pub fn answer_lacks(field: &str) -> Fault {
    let message = format!("Salesforce's answer lacks a usable {field}");
    Fault::retry(code::ANSWER_INVALID, message)
}

/// The answer contradicts the order, the bounds or the count of what was asked for.
pub fn paging(why: impl std::fmt::Display) -> Fault {
    Fault::retry(
        code::SOURCE_PAGING,
        format!("Salesforce pages wrongly: {why}"),
    )
}

/// Something we made can't be put into a request.
pub fn not_a_request(why: impl std::error::Error) -> Fault {
    Fault::dead_letter(REQUEST, format!("no request can be made of this: {why}"))
}

struct Detail {
    code: String,
    words: String,
    fields: Vec<String>,
}

fn details(body: &[u8]) -> Vec<Detail> {
    let Ok(Value::Array(details)) = sluice_core::json::read(body) else {
        return Vec::new();
    };
    details
        .iter()
        .filter(|detail| detail.is_object())
        .take(DETAIL_COUNT_MAX)
        .map(|detail| {
            let text = |name: &str| detail.at(name).and_then(Value::as_str).map(cut);
            let fields = detail.at("fields").and_then(Value::as_array);
            Detail {
                code: text("errorCode").unwrap_or_default(),
                words: text("message").unwrap_or_default(),
                fields: fields
                    .into_iter()
                    .flatten()
                    .filter_map(|field| field.as_str().map(cut))
                    .take(DETAIL_COUNT_MAX)
                    .collect(),
            }
        })
        .collect()
}

fn bad_fields(details: &[Detail]) -> Vec<BadField> {
    let of = |detail: &Detail| -> Vec<BadField> {
        let named = detail.fields.iter();
        named
            .map(|field| BadField::new(field, &detail.words))
            .collect()
    };
    details.iter().flat_map(of).collect()
}

fn answer(status: StatusCode, details: &[Detail]) -> Answer {
    let pairs = details.iter().map(|detail| (&*detail.code, &*detail.words));
    Answer::of(status, &pairs.collect::<Vec<_>>())
}

fn is_about_a_record(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 403 | 409 | 413)
}

fn unknown_if_written(effect: Effect, fault: Fault) -> Fault {
    match effect {
        Effect::Read => fault,
        Effect::Write => fault.with_unknown_write(),
    }
}

#[cfg(test)]
mod tests;
