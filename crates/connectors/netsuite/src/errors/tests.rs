use std::time::Duration;

use http::header::RETRY_AFTER;
use sluice_core::{Action, WriteOutcome};

use super::*;
use crate::script::{answer, refused, shared};

fn detail(members: &str) -> String {
    format!(r#"{{"o:errorDetails":[{{"detail":"words",{members}}}]}}"#)
}

fn coded(code: &str) -> String {
    detail(&format!(r#""o:errorCode":"{code}""#))
}

#[test]
fn every_refusal_has_its_fault() {
    use Effect::{Read, Write};
    let at_query = detail(r#""o:errorCode":"INVALID_PARAMETER","o:errorQueryParam":"replace""#);
    let words = r#"{"o:errorDetails":[{"detail":"SuiteTalk Concurrent request limit exceeded."}]}"#;
    let restlet =
        r#"{"error":{"code":"SSS_REQUEST_LIMIT_EXCEEDED","message":"Request Limit Exceeded"}}"#;
    let retry = Action::Retry;
    let stop = Action::StopFlow;
    let dead = Action::DeadLetter;
    let table = [
        (Write, 429, String::new(), CONCURRENCY, &retry),
        (
            Write,
            400,
            coded("CONCURRENCY_LIMIT_EXCEEDED"),
            CONCURRENCY,
            &retry,
        ),
        (
            Write,
            400,
            coded("SSS_REQUEST_LIMIT_EXCEEDED"),
            CONCURRENCY,
            &retry,
        ),
        (Write, 400, restlet.to_owned(), CONCURRENCY, &retry),
        (Write, 403, coded("WS_REQUEST_BLOCKED"), CONCURRENCY, &retry),
        (
            Write,
            500,
            coded("WS_CONCUR_SESSION_DISALLWD"),
            CONCURRENCY,
            &retry,
        ),
        (Write, 400, words.to_owned(), CONCURRENCY, &retry),
        (
            Read,
            401,
            coded("INVALID_LOGIN"),
            LOGIN,
            &Action::RefreshCredentials,
        ),
        (
            Read,
            401,
            "<html>".to_owned(),
            LOGIN,
            &Action::RefreshCredentials,
        ),
        (
            Write,
            400,
            coded("RCRD_HAS_BEEN_CHANGED"),
            RECORD_CHANGED,
            &retry,
        ),
        (Write, 409, coded("RCRD_LOCKED"), RECORD_CHANGED, &retry),
        (Write, 412, String::new(), RECORD_CHANGED, &retry),
        (Read, 500, coded("UNEXPECTED_ERROR"), UNAVAILABLE, &retry),
        (Read, 502, "<html>".to_owned(), UNAVAILABLE, &retry),
        (Read, 503, String::new(), UNAVAILABLE, &retry),
        (Read, 408, String::new(), UNAVAILABLE, &retry),
        (Read, 403, String::new(), PERMISSION, &stop),
        (
            Write,
            400,
            coded("INSUFFICIENT_PERMISSION"),
            PERMISSION,
            &stop,
        ),
        (Write, 400, coded("DUP_RCRD"), DUPLICATE, &retry),
        (Read, 404, coded("NONEXISTENT_ID"), NOT_FOUND, &dead),
        (Write, 404, coded("NONEXISTENT_ID"), NOT_FOUND, &dead),
        (Read, 404, String::new(), REQUEST, &stop),
        (Write, 404, coded("INVALID_REQUEST"), REQUEST, &stop),
        (Write, 400, coded("INVALID_CONTENT"), INVALID, &dead),
        (Write, 400, coded("USER_ERROR"), INVALID, &dead),
        (Write, 400, "not json".to_owned(), INVALID, &dead),
        (Write, 413, String::new(), INVALID, &dead),
        (Write, 400, at_query, REQUEST, &stop),
        (Read, 400, coded("INVALID_PARAMETER"), REQUEST, &stop),
        (Read, 302, String::new(), REQUEST, &stop),
        (Write, 405, String::new(), REQUEST, &stop),
    ];
    for (effect, status, body, code, action) in table {
        let fault = refusal(effect, &answer(status, &body));
        let case = format!("{effect:?} {status} {body}");
        assert_eq!((fault.code, &fault.action), (code, action), "{case}");
        assert_eq!(fault.write, WriteOutcome::Nothing, "{case}");
        assert_eq!(
            fault.answer.as_ref().map(|answer| answer.status),
            Some(status),
            "{case}"
        );
    }
}

#[test]
fn a_write_that_failed_at_the_server_may_have_happened() {
    for status in [408, 500, 502, 503, 504] {
        let fault = refusal(Effect::Write, &refused(status, "UNEXPECTED_ERROR"));
        assert_eq!(fault.write, WriteOutcome::Unknown, "{status}");
    }
    let fault = accept(Effect::Write, answer(202, "")).unwrap_err();
    assert_eq!(
        (fault.code, fault.write),
        (code::ANSWER_INVALID, WriteOutcome::Unknown)
    );
    assert!(accept(Effect::Write, answer(204, "")).is_ok());
}

#[test]
fn every_refused_field_is_named() {
    let body = r#"{"title":"Bad Request","status":400,"o:errorDetails":[
        {"detail":"Invalid value.","o:errorCode":"INVALID_CONTENT","o:errorPath":"item.items[0].item"},
        {"detail":"Please enter value(s).","o:errorCode":"USER_ERROR","o:errorPath":"$.entity"},
        {"detail":"Error. Please enter value(s) for: Customer, Date.","o:errorCode":"USER_ERROR"},
        {"detail":"Something else.","o:errorCode":"USER_ERROR"}]}"#;
    let fault = refusal(Effect::Write, &answer(400, body));
    assert_eq!(
        fault.fields,
        [
            BadField::new("item.items[0].item", "Invalid value."),
            BadField::new("entity", "Please enter value(s)."),
            BadField::new(
                "Customer",
                "Error. Please enter value(s) for: Customer, Date."
            ),
            BadField::new("Date", "Error. Please enter value(s) for: Customer, Date."),
        ]
    );
    assert_eq!(
        fault.message,
        "NetSuite refused the record (400 INVALID_CONTENT): \
         Invalid value.; Please enter value(s).; Error. Please enter value(s) for: Customer, Date.; \
         Something else."
    );
}

#[test]
fn published_refusals_are_understood() {
    for (file, status, code, field) in [
        (
            "error-400-invalid-content.json",
            400,
            INVALID,
            Some("item.items[0].item"),
        ),
        ("error-400-idempotency-conflict.json", 400, INVALID, None),
        ("error-401-invalid-login.json", 401, LOGIN, None),
        ("error-concurrency-limit.json", 400, CONCURRENCY, None),
    ] {
        let Some(body) = shared(&format!("samples/netsuite/{file}")) else {
            return;
        };
        let fault = refusal(Effect::Write, &answer(status, &body));
        assert_eq!(fault.code, code, "{file}");
        let named = fault.fields.first().map(|field| field.path.as_str());
        assert_eq!(named, field, "{file}");
    }
}

#[test]
fn a_wait_the_vendor_asks_for_is_kept_within_reason() {
    for (header, action) in [
        ("7", Action::RetryAfter(Duration::from_secs(7))),
        ("999999999", Action::RetryAfter(Duration::from_secs(3600))),
        ("Wed, 21 Oct 2026 07:28:00 GMT", Action::Retry),
        ("-1", Action::Retry),
    ] {
        for status in [429, 503] {
            let mut response = answer(status, "");
            response
                .headers_mut()
                .insert(RETRY_AFTER, header.parse().unwrap());
            assert_eq!(refusal(Effect::Read, &response).action, action, "{header}");
        }
    }
}

#[test]
fn hostile_answers_stay_small_and_harmless() {
    let long = "x".repeat(100_000);
    let many = format!(
        r#"{{"o:errorDetails":[{}{{}}]}}"#,
        r#"{"detail":"a\nb\u0000c","o:errorPath":"p"},"#.repeat(1000)
    );
    for body in [
        detail(&format!(r#""o:errorCode":"{long}","o:errorPath":"{long}""#)),
        many,
        r#"{"o:errorDetails":"none"}"#.to_owned(),
        r#"{"o:errorDetails":[1,null,[],{"detail":7,"o:errorCode":{}}]}"#.to_owned(),
        "[".repeat(100_000),
        "\u{0}\u{1}".to_owned(),
    ] {
        let fault = refusal(Effect::Write, &answer(400, &body));
        assert!(fault.fields.len() <= 50);
        let shown = fault.to_string();
        assert!(shown.len() < 50 * 700, "{}", shown.len());
        assert!(!shown.contains(char::is_control));
    }
}

#[test]
fn every_fault_has_its_page() {
    for code in [
        CONCURRENCY,
        LOGIN,
        PERMISSION,
        RECORD_CHANGED,
        DUPLICATE,
        NOT_FOUND,
        INVALID,
        REQUEST,
        UNAVAILABLE,
    ] {
        let page = format!(
            "{}/../../../docs/faults/{code}.md",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.starts_with(&format!("# {code}\n")), "{page}");
    }
}
