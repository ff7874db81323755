use std::time::Duration;

use sluice_core::ports::SendError;
use sluice_core::{Action, code};

use super::*;
use crate::errors::{LOGIN, PERMISSION, REQUEST, THROTTLED, UNAVAILABLE};
use crate::limits::GET_ORDER;
use crate::script::{NA, Script, answer, answering, logged_in, refused, run, token};

fn call() -> Call {
    Call::get(GET_ORDER, "/orders/2026-01-01/orders/1".to_owned())
}

fn sent(script: &std::rc::Rc<Script>) -> Result<Response<Bytes>> {
    let ports = script.ports();
    let settings = Settings::read(&*ports.variables).unwrap();
    run(send(&ports, &settings, &settings.accounts[0], &call()))
}

const EXPIRED: &str = "The access token you provided has expired.";

#[test]
fn an_expired_token_costs_one_login_and_one_repetition() {
    let script = logged_in(vec![
        refused(403, "Unauthorized", EXPIRED),
        token("second"),
        answer(200, "{}"),
    ]);
    sent(&script).unwrap();
    let get = format!("GET {NA}/orders/2026-01-01/orders/1");
    let lines = script.lines();
    assert_eq!([&lines[1], &lines[3]], [&get, &get]);
    assert_eq!(script.header(1, "x-amz-access-token"), "Atza|first");
    assert_eq!(script.header(3, "x-amz-access-token"), "Atza|second");
    assert_eq!(script.header(3, "x-amz-date"), "20270115T080000Z");
    assert!(script.header(3, "user-agent").ends_with("(Language=Rust)"));
    assert!(script.sent.borrow()[3].headers()["x-amz-access-token"].is_sensitive());
    // Each took its slot.
    assert_eq!(*script.sql.log.borrow(), ["take getOrder", "take getOrder"]);
}

#[test]
fn a_token_refused_twice_is_a_fault() {
    let script = logged_in(vec![
        refused(403, "Unauthorized", EXPIRED),
        token("second"),
        refused(403, "Unauthorized", EXPIRED),
    ]);
    let fault = sent(&script).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (LOGIN, &Action::RefreshCredentials)
    );
    assert!(!fault.to_string().contains("Atza"));
    assert!(script.is_done());
}

#[test]
fn without_a_slot_nothing_is_sent() {
    let script = logged_in(vec![]);
    script.sql.dry_ms.set(Some(1_234));
    let fault = sent(&script).unwrap_err();
    let wait = Duration::from_millis(1_234);
    assert_eq!(
        (fault.code, &fault.action),
        (THROTTLED, &Action::RetryAfter(wait))
    );
    assert_eq!(script.lines().len(), 1, "the login only");
}

#[test]
fn a_refusal_for_too_many_requests_empties_the_bucket() {
    let script = logged_in(vec![refused(429, "QuotaExceeded", "")]);
    let fault = sent(&script).unwrap_err();
    // By the published rate a slot comes back in two seconds.
    let wait = Duration::from_secs(2);
    assert_eq!(
        (fault.code, &fault.action),
        (THROTTLED, &Action::RetryAfter(wait))
    );
    assert_eq!(
        *script.sql.log.borrow(),
        ["take getOrder", "empty getOrder"]
    );
}

#[test]
fn an_answer_that_names_another_rate_corrects_ours() {
    for (header, corrected) in [
        ("0.5", None),
        ("2.0", Some(500)),
        ("0.0056", Some(178_572)),
        ("0", None),
        ("-1", None),
        ("fast", None),
        ("0.0000000001", Some(86_400_000)),
    ] {
        let mut response = answer(200, "{}");
        let value = HeaderValue::from_str(header).unwrap();
        response
            .headers_mut()
            .insert("x-amzn-RateLimit-Limit", value);
        let script = logged_in(vec![response]);
        sent(&script).unwrap();
        let mut expected = vec!["take getOrder".to_owned()];
        expected.extend(corrected.map(|ms| format!("correct getOrder {ms}")));
        assert_eq!(*script.sql.log.borrow(), expected, "{header}");
    }
}

#[test]
fn refusals_say_what_to_do() {
    for (response, code, action) in [
        (refused(400, "InvalidInput", ""), REQUEST, Action::StopFlow),
        (
            refused(403, "Unauthorized", ""),
            PERMISSION,
            Action::StopFlow,
        ),
        (refused(404, "NotFound", ""), REQUEST, Action::StopFlow),
        (refused(415, "x", ""), REQUEST, Action::StopFlow),
        (answer(302, ""), REQUEST, Action::StopFlow),
        (answer(408, ""), UNAVAILABLE, Action::Retry),
        (
            refused(500, "InternalFailure", ""),
            UNAVAILABLE,
            Action::Retry,
        ),
        (answer(503, "<html>"), UNAVAILABLE, Action::Retry),
    ] {
        let script = logged_in(vec![response]);
        let fault = sent(&script).unwrap_err();
        assert_eq!((fault.code, &fault.action), (code, &action));
        assert!(fault.answer.is_some());
    }
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    for (error, code) in [
        (SendError::NotSent("x".into()), code::NOT_SENT),
        (SendError::Lost("x".into()), code::ANSWER_LOST),
        (SendError::TooLarge, code::ANSWER_TOO_LARGE),
    ] {
        let script = answering(vec![Ok(token("t")), Err(error)]);
        assert_eq!(sent(&script).unwrap_err().code, code);
    }
}
