use sluice_core::{Action, code};

use super::*;
use crate::errors::{LOGIN, THROTTLED, UNAVAILABLE};
use crate::script::{answer, answering, refused, run, token};

fn settings(ports: &Ports) -> Settings {
    Settings::read(&*ports.variables).unwrap()
}

#[test]
fn a_seller_logs_in_with_the_regions_refresh_token_and_the_token_is_kept() {
    let script = answering(vec![Ok(token("one")), Ok(token("two"))]);
    let ports = script.ports_with(&[("amazon_marketplaces", "DE")]);
    let settings = settings(&ports);
    let grant = Grant::Seller(&settings.accounts[0]);
    let first = run(credential(&ports, &settings, grant, None)).unwrap();
    assert_eq!(first.token().expose(), "Atza|one");
    assert_eq!(
        script.lines(),
        [
            "POST https://api.amazon.com/auth/o2/token grant_type=refresh_token&refresh_token=refresh+eu&client_id=client&client_secret=client+secret"
        ]
    );
    let again = run(credential(&ports, &settings, grant, None)).unwrap();
    assert_eq!(again.token().expose(), "Atza|one");
    // Refused: not used again; but what another worker fetched is.
    let fresh = run(credential(&ports, &settings, grant, Some(&first))).unwrap();
    assert_eq!(fresh.token().expose(), "Atza|two");
    let known = run(credential(&ports, &settings, grant, Some(&first))).unwrap();
    assert_eq!(known.token().expose(), "Atza|two");
    assert!(script.is_done());
    let stored = script.key_value.0.borrow();
    let (key, _) = stored.iter().next().unwrap();
    assert!(
        key.starts_with("token:amazon:") && !key.contains("refresh"),
        "{key}"
    );
}

#[test]
fn a_token_near_its_end_is_renewed() {
    let script = answering(vec![Ok(token("one")), Ok(token("two"))]);
    let ports = script.ports();
    let settings = settings(&ports);
    let grant = Grant::Seller(&settings.accounts[0]);
    run(credential(&ports, &settings, grant, None)).unwrap();
    script.clock.advance(jiff::SignedDuration::from_secs(3539));
    let kept = run(credential(&ports, &settings, grant, None)).unwrap();
    assert_eq!(kept.token().expose(), "Atza|one");
    script.clock.advance(jiff::SignedDuration::from_secs(1));
    let fresh = run(credential(&ports, &settings, grant, None)).unwrap();
    assert_eq!(fresh.token().expose(), "Atza|two");
}

#[test]
fn the_applications_own_token_is_another() {
    let script = answering(vec![Ok(token("own")), Ok(token("sellers"))]);
    let ports = script.ports();
    let settings = settings(&ports);
    run(credential(&ports, &settings, Grant::Notifications, None)).unwrap();
    assert!(script.lines()[0].ends_with(
        "grant_type=client_credentials&scope=sellingpartnerapi%3A%3Anotifications&client_id=client&client_secret=client+secret"
    ));
    let seller = Grant::Seller(&settings.accounts[0]);
    let seller = run(credential(&ports, &settings, seller, None)).unwrap();
    assert_eq!(seller.token().expose(), "Atza|sellers");
}

#[test]
fn logins_that_fail_say_why() {
    let error = |name: &str| format!(r#"{{"error":"{name}","error_description":"words"}}"#);
    let minute = Action::RetryAfter(Duration::from_secs(60));
    for (response, code, action) in [
        (
            answer(400, &error("invalid_grant")),
            LOGIN,
            Action::StopFlow,
        ),
        (
            answer(401, &error("invalid_client")),
            LOGIN,
            Action::StopFlow,
        ),
        (answer(403, ""), LOGIN, Action::StopFlow),
        (answer(404, "x"), LOGIN, Action::StopFlow),
        (answer(429, &error("slow_down")), THROTTLED, minute),
        (answer(503, ""), UNAVAILABLE, Action::Retry),
        (
            refused(500, "InternalFailure", ""),
            UNAVAILABLE,
            Action::Retry,
        ),
        (answer(200, ""), code::ANSWER_INVALID, Action::Retry),
        (
            answer(200, r#"{"access_token":""}"#),
            code::ANSWER_INVALID,
            Action::Retry,
        ),
        (
            answer(200, r#"{"access_token":"a b","expires_in":1}"#),
            code::ANSWER_INVALID,
            Action::Retry,
        ),
        (
            answer(200, r#"{"access_token":"a"}"#),
            code::ANSWER_INVALID,
            Action::Retry,
        ),
    ] {
        let shown = format!("{response:?}");
        let fault = read_login(&response, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!((fault.code, &fault.action), (code, &action), "{shown}");
    }
}

#[test]
fn what_is_kept_and_can_not_be_read_is_fetched_anew() {
    for stored in [
        "",
        "{}",
        r#"{"format":9,"access_token":"x","expires":"2999-01-01T00:00:00Z"}"#,
    ] {
        let script = answering(vec![Ok(token("one"))]);
        let ports = script.ports();
        let settings = settings(&ports);
        let grant = Grant::Seller(&settings.accounts[0]);
        let key = format!("token:amazon:{}", grant.hash(&settings));
        run(ports.key_value.set(&key, stored.as_bytes())).unwrap();
        let fresh = run(credential(&ports, &settings, grant, None)).unwrap();
        assert_eq!(fresh.token().expose(), "Atza|one", "{stored}");
    }
}
