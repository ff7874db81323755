use http::header::RETRY_AFTER;
use sluice_core::{Action, WriteOutcome};

use super::*;
use crate::script::{answer, refused, shared};

const RETRY: Action = Action::Retry;
const DEAD: Action = Action::DeadLetter;
const STOP: Action = Action::StopFlow;

#[test]
fn each_refusal_says_what_to_do() {
    let wait = |seconds| Action::RetryAfter(Duration::from_secs(seconds));
    for (status, vendor, code, action) in [
        (400, "UNABLE_TO_LOCK_ROW", LOCKED, RETRY),
        (403, "REQUEST_LIMIT_EXCEEDED", LIMIT, wait(900)),
        (400, "STORAGE_LIMIT_EXCEEDED", LIMIT, wait(900)),
        (429, "", LIMIT, wait(900)),
        (401, "INVALID_SESSION_ID", LOGIN, Action::RefreshCredentials),
        (503, "SERVER_UNAVAILABLE", UNAVAILABLE, RETRY),
        (500, "UNKNOWN_EXCEPTION", UNAVAILABLE, RETRY),
        (400, "QUERY_TIMEOUT", UNAVAILABLE, RETRY),
        (400, "INVALID_FIELD", REQUEST, STOP),
        (400, "MALFORMED_QUERY", REQUEST, STOP),
        (404, "INVALID_TYPE", REQUEST, STOP),
        (405, "METHOD_NOT_ALLOWED", REQUEST, STOP),
        (403, "API_DISABLED_FOR_ORG", PERMISSION, STOP),
        (403, "SOMETHING_NEW", PERMISSION, STOP),
        (400, "INVALID_FIELD_FOR_INSERT_UPDATE", PERMISSION, STOP),
        (403, "INSUFFICIENT_ACCESS_OR_READONLY", INVALID, DEAD),
        (400, "REQUIRED_FIELD_MISSING", INVALID, DEAD),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", INVALID, DEAD),
        (400, "STRING_TOO_LONG", INVALID, DEAD),
        (
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            INVALID,
            DEAD,
        ),
        (400, "INVALID_CROSS_REFERENCE_KEY", INVALID, DEAD),
        (400, "SOMETHING_NEW", INVALID, DEAD),
        (400, "DUPLICATE_VALUE", DUPLICATE, RETRY),
        (404, "ENTITY_IS_DELETED", NOT_FOUND, RETRY),
        (404, "NOT_FOUND", NOT_FOUND, RETRY),
        (300, "", AMBIGUOUS, DEAD),
        (302, "", REQUEST, STOP),
    ] {
        let fault = refusal(Effect::Write, &refused(status, vendor));
        assert_eq!((fault.code, &fault.action), (code, &action), "{vendor}");
        let kept = fault.answer.clone().unwrap();
        assert_eq!(kept.status, status);
        assert_eq!(kept.code.unwrap_or_default(), vendor);
    }
}

#[test]
fn reading_is_refused_for_the_request_not_for_the_record() {
    for (status, vendor, code, action) in [
        (400, "SOMETHING_NEW", REQUEST, STOP),
        (404, "NOT_FOUND", REQUEST, STOP),
        (400, "INVALID_QUERY_LOCATOR", QUERY_EXPIRED, RETRY),
        (414, "", REQUEST, STOP),
    ] {
        let fault = refusal(Effect::Read, &refused(status, vendor));
        assert_eq!((fault.code, &fault.action), (code, &action), "{vendor}");
    }
}

#[test]
fn only_a_failed_server_leaves_a_write_in_doubt() {
    for (status, vendor, outcome) in [
        (500, "", WriteOutcome::Unknown),
        (502, "", WriteOutcome::Unknown),
        (503, "SERVER_UNAVAILABLE", WriteOutcome::Unknown),
        (400, "REQUEST_RUNNING_TOO_LONG", WriteOutcome::Unknown),
        (400, "UNABLE_TO_LOCK_ROW", WriteOutcome::Nothing),
        (403, "REQUEST_LIMIT_EXCEEDED", WriteOutcome::Nothing),
        (429, "", WriteOutcome::Nothing),
        (401, "INVALID_SESSION_ID", WriteOutcome::Nothing),
        (400, "REQUIRED_FIELD_MISSING", WriteOutcome::Nothing),
    ] {
        let response = refused(status, vendor);
        assert_eq!(refusal(Effect::Write, &response).write, outcome, "{vendor}");
        let read = refusal(Effect::Read, &response);
        assert_eq!(read.write, WriteOutcome::Nothing, "{vendor}");
    }
    let strange = accept(Effect::Write, answer(202, "")).unwrap_err();
    assert_eq!(strange.write, WriteOutcome::Unknown);
}

#[test]
fn every_bad_field_is_named() {
    let body = r#"[
        {"message": "Required fields are missing: [Name]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]},
        {"message": "too long", "errorCode": "STRING_TOO_LONG", "fields": ["Phone", "Fax"]}
    ]"#;
    let fault = refusal(Effect::Write, &answer(400, body));
    let fields: Vec<&str> = fault.fields.iter().map(|field| &*field.path).collect();
    assert_eq!(fields, ["Name", "Phone", "Fax"]);
    assert_eq!(fault.fields[2].reason, "too long");
}

#[test]
fn locks_and_limits_are_found_in_the_words() {
    let body = r#"[{"errorCode": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "message": "OppTrigger: execution of AfterUpdate caused by: UNABLE_TO_LOCK_ROW"}]"#;
    assert_eq!(refusal(Effect::Write, &answer(400, body)).code, LOCKED);
    let body = r#"[{"errorCode": "REQUEST_LIMIT_EXCEEDED",
        "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]"#;
    let fault = refusal(Effect::Read, &answer(403, body));
    assert_eq!(fault.action, Action::RetryAfter(Duration::from_secs(20)));
}

#[test]
fn a_gateways_wait_is_heeded_within_reason() {
    for (value, seconds) in [("7", 7), ("99999999", 3600), ("soon", 900)] {
        let mut response = refused(403, "REQUEST_LIMIT_EXCEEDED");
        let header = value.parse().unwrap();
        response.headers_mut().insert(RETRY_AFTER, header);
        let fault = refusal(Effect::Read, &response);
        let wait = Duration::from_secs(seconds);
        assert_eq!(fault.action, Action::RetryAfter(wait), "{value}");
    }
}

#[test]
fn hostile_words_stay_short_and_on_one_line() {
    let words = format!("a\r\nb\u{0}{}", "x".repeat(100_000));
    let body =
        serde_json::json!([{"message": words, "errorCode": words, "fields": [words, 1, null]}]);
    let fault = refusal(Effect::Write, &answer(400, &body.to_string()));
    assert!(fault.to_string().len() < 2000);
    assert!(!fault.to_string().contains(char::is_control));
    for body in [
        "",
        "null",
        "[]",
        "[1,[],{}]",
        "{\"x\":1}",
        "<html>",
        "\u{feff}",
    ] {
        let fault = refusal(Effect::Write, &answer(418, body));
        assert_eq!(fault.code, REQUEST, "{body}");
    }
}

#[test]
fn published_refusals_are_read() {
    for (file, status, effect, code) in [
        ("query_error_response.json", 400, Effect::Read, REQUEST),
        ("write_error_response.json", 400, Effect::Write, REQUEST),
        ("expired_session_response.json", 401, Effect::Read, LOGIN),
        ("delete_error_response.json", 404, Effect::Write, NOT_FOUND),
        (
            "upsert_multiple_error_response.json",
            300,
            Effect::Write,
            AMBIGUOUS,
        ),
    ] {
        let Some(body) = shared(&format!("samples/salesforce/restforce-fixtures/{file}")) else {
            return;
        };
        let fault = refusal(effect, &answer(status, &body));
        assert_eq!(fault.code, code, "{file}");
    }
}
