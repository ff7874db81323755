use sluice_core::ports::SendError;
use sluice_core::{Action, WriteOutcome, code};

use super::*;
use crate::script::{Script, answer, answering, refused, run};

const ORIGIN: &str = "https://1234567.suitetalk.api.netsuite.com";

fn sent(script: &std::rc::Rc<Script>, auth: &str, call: &Call) -> Result<Response<Bytes>> {
    let ports = script.ports_with(&[("netsuite_auth", auth)]);
    let settings = Settings::read(&*ports.variables)?;
    run(send(&ports, &settings, call))
}

fn read() -> Call {
    Call::get("/services/rest/record/v1/salesOrder/7".into())
}

fn write() -> Call {
    let body = serde_json::from_str(r#"{"total": 10.10}"#).unwrap();
    Call::write(Method::PUT, external_path("salesOrder", "a:b"), &body)
}

#[test]
fn a_write_is_sent_as_it_should_be() {
    let script = answering(vec![Ok(answer(204, ""))]);
    sent(&script, "token", &write()).unwrap();
    assert_eq!(
        script.lines(),
        [format!(
            r#"PUT {ORIGIN}/services/rest/record/v1/salesOrder/eid:a:b {{"total":10.10}}"#
        )]
    );
    assert_eq!(script.header(0, "content-type"), "application/json");
    assert_eq!(script.header(0, "accept"), "application/json");
    assert_eq!(
        script.header(0, "x-netsuite-propertynamevalidation"),
        "Error"
    );
    assert!(
        script
            .header(0, "authorization")
            .starts_with("OAuth realm=")
    );
    let shown = format!("{:?}", script.sent.borrow()[0]);
    assert!(!shown.contains("oauth_signature"), "{shown}");
}

#[test]
fn a_read_has_no_body() {
    let script = answering(vec![Ok(answer(200, "{}"))]);
    sent(&script, "token", &read()).unwrap();
    assert_eq!(script.header(0, "content-type"), "");
    assert_eq!(
        script.lines(),
        [format!("GET {ORIGIN}/services/rest/record/v1/salesOrder/7")]
    );
}

#[test]
fn a_refused_login_is_tried_once_more_and_no_more() {
    let script = answering(vec![
        Ok(refused(401, "INVALID_LOGIN")),
        Ok(answer(204, "")),
        Ok(refused(401, "INVALID_LOGIN")),
        Ok(refused(401, "INVALID_LOGIN")),
    ]);
    sent(&script, "token", &write()).unwrap();
    assert_ne!(
        script.header(0, "authorization"),
        script.header(1, "authorization"),
        "a nonce is never used twice"
    );
    let fault = sent(&script, "token", &write()).unwrap_err();
    assert_eq!(fault.action, Action::RefreshCredentials);
    assert_eq!(fault.write, WriteOutcome::Nothing);
    assert_eq!(script.lines().len(), 4);
}

#[test]
fn an_expired_token_is_replaced() {
    let token = |name| {
        let body = format!(r#"{{"access_token":"{name}","expires_in":"3600"}}"#);
        Ok(answer(200, &body))
    };
    let script = answering(vec![
        token("one"),
        Ok(refused(401, "INVALID_LOGIN")),
        token("two"),
        Ok(answer(200, "{}")),
        Ok(answer(200, "{}")),
    ]);
    sent(&script, "client_credentials", &read()).unwrap();
    assert_eq!(script.header(1, "authorization"), "Bearer one");
    assert_eq!(script.header(3, "authorization"), "Bearer two");
    sent(&script, "client_credentials", &read()).unwrap();
    assert_eq!(script.header(4, "authorization"), "Bearer two");
}

#[test]
fn a_lost_answer_leaves_a_write_open() {
    let lost = || SendError::Lost("the connection broke".into());
    let refused = || SendError::NotSent("no route".into());
    for (call, error, code, write) in [
        (read(), lost(), code::ANSWER_LOST, WriteOutcome::Nothing),
        (write(), lost(), code::ANSWER_LOST, WriteOutcome::Unknown),
        (write(), refused(), code::NOT_SENT, WriteOutcome::Nothing),
        (
            write(),
            SendError::TooLarge,
            code::ANSWER_TOO_LARGE,
            WriteOutcome::Unknown,
        ),
    ] {
        let script = answering(vec![Err(error)]);
        let fault = sent(&script, "token", &call).unwrap_err();
        assert_eq!((fault.code, fault.write), (code, write));
    }
}

#[test]
fn ids_can_not_leave_their_place_in_the_address() {
    assert_eq!(
        external_path("salesOrder", "salesforce:Opportunity:006A/../x?y=1#z é|"),
        "/services/rest/record/v1/salesOrder/eid:salesforce:Opportunity:006A%2F..%2Fx%3Fy%3D1%23z%20%C3%A9%7C"
    );
    assert_eq!(
        internal_path("customer", "eid:1/2"),
        "/services/rest/record/v1/customer/eid%3A1%2F2"
    );
}
