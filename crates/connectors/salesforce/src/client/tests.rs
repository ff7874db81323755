use serde_json::json;
use sluice_core::ports::SendError;
use sluice_core::{Action, WriteOutcome, code};

use super::*;
use crate::errors::{AMBIGUOUS, INVALID, LOCKED, LOGIN, REQUEST};
use crate::script::{ORIGIN, answer, answering, logged_in, refused, run, shared, token};

const ID: &str = "006e0000004lnFFAAY";

fn settings(ports: &Ports) -> Settings {
    Settings::read(&*ports.variables).unwrap()
}

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn an_expired_session_costs_one_login_and_one_repetition() {
    let script = logged_in(vec![
        refused(401, "INVALID_SESSION_ID"),
        token("second"),
        answer(204, ""),
    ]);
    let ports = script.ports();
    let id = Id::parse(ID).unwrap();
    let set = fields(json!({"Amount": 1}));
    run(update(&ports, &settings(&ports), "Opportunity", id, &set)).unwrap();
    let patch =
        format!("PATCH {ORIGIN}/services/data/v66.0/sobjects/Opportunity/{ID} {{\"Amount\":1}}");
    let lines = script.lines();
    assert_eq!([&lines[1], &lines[3]], [&patch, &patch]);
    assert_eq!(script.header(1, "authorization"), "Bearer 00D!first");
    assert_eq!(script.header(3, "authorization"), "Bearer 00D!second");
    assert_eq!(script.header(3, "content-type"), "application/json");
    assert!(script.sent.borrow()[3].headers()[AUTHORIZATION].is_sensitive());
}

#[test]
fn a_session_refused_twice_is_a_fault() {
    let script = logged_in(vec![
        refused(401, "INVALID_SESSION_ID"),
        token("second"),
        refused(401, "INVALID_SESSION_ID"),
    ]);
    let ports = script.ports();
    let call = Call::get("/services/data".to_owned());
    let fault = run(send(&ports, &settings(&ports), &call)).unwrap_err();
    assert_eq!(fault.code, LOGIN);
    assert_eq!(fault.action, Action::RefreshCredentials);
    assert!(!fault.to_string().contains("00D!"));
    assert!(script.is_done());
}

#[test]
fn a_lost_answer_to_a_write_leaves_it_in_doubt() {
    for (error, effect, outcome) in [
        (
            SendError::NotSent("x".into()),
            Effect::Write,
            WriteOutcome::Nothing,
        ),
        (
            SendError::Lost("x".into()),
            Effect::Write,
            WriteOutcome::Unknown,
        ),
        (SendError::TooLarge, Effect::Write, WriteOutcome::Unknown),
        (
            SendError::Lost("x".into()),
            Effect::Read,
            WriteOutcome::Nothing,
        ),
    ] {
        let script = answering(vec![Ok(token("t")), Err(error.clone())]);
        let ports = script.ports();
        let call = Call {
            effect,
            ..Call::get("/services/data".to_owned())
        };
        let fault = run(send(&ports, &settings(&ports), &call)).unwrap_err();
        assert_eq!(fault.write, outcome, "{error:?}");
    }
}

#[test]
fn a_lost_login_writes_nothing() {
    let script = answering(vec![Err(SendError::Lost("x".into()))]);
    let ports = script.ports();
    let id = Id::parse(ID).unwrap();
    let set = Map::new();
    let fault = run(update(&ports, &settings(&ports), "Account", id, &set)).unwrap_err();
    assert_eq!(
        (fault.code, fault.write),
        (code::ANSWER_LOST, WriteOutcome::Nothing)
    );
}

#[test]
fn a_record_is_retrieved_or_absent() {
    let found = json!({"attributes": {"type": "Account"}, "Name": "A", "Owner": {"attributes": {}, "Name": "B"}});
    let script = logged_in(vec![
        answer(200, &found.to_string()),
        refused(404, "NOT_FOUND"),
    ]);
    let ports = script.ports();
    let settings = settings(&ports);
    let id = Id::parse("001e0000004lnFF").unwrap();
    let got = run(retrieve(
        &ports,
        &settings,
        "Account",
        id,
        &["Name", "Owner.Name"],
    ))
    .unwrap();
    assert_eq!(got, Some(json!({"Name": "A", "Owner": {"Name": "B"}})));
    assert_eq!(
        script.lines()[1],
        format!("GET {ORIGIN}/services/data/v66.0/sobjects/Account/{id}?fields=Name,Owner.Name")
    );
    let got = run(retrieve(&ports, &settings, "Account", id, &["Name"])).unwrap();
    assert_eq!(got, None);
    let fault = run(retrieve(&ports, &settings, "Account", id, &["Name&x"])).unwrap_err();
    assert_eq!(fault.code, REQUEST);
}

fn upserted(value: &str, response: Response<Bytes>) -> (Result<Upserted>, Vec<String>) {
    let script = logged_in(vec![response]);
    let ports = script.ports();
    let set = fields(json!({"Name": "N"}));
    let settings = settings(&ports);
    let got = run(upsert(&ports, &settings, "Account", "Key__c", value, &set));
    (got, script.lines())
}

#[test]
fn upserts_tell_new_from_old() {
    let body = |created: bool| {
        json!({"id": "001e0000004lnFF", "success": true, "errors": [], "created": created})
            .to_string()
    };
    let id = Id::parse("001e0000004lnFF").unwrap();
    for (status, created) in [(201, true), (200, false)] {
        let (got, lines) = upserted("a/b c?#é", answer(status, &body(created)));
        assert_eq!(got.unwrap(), Upserted { id, created });
        assert_eq!(
            lines[1],
            format!(
                "PATCH {ORIGIN}/services/data/v66.0/sobjects/Account/Key__c/a%2Fb%20c%3F%23%C3%A9 \
                 {{\"Name\":\"N\"}}"
            )
        );
    }
}

#[test]
fn upserts_that_fail_say_why() {
    let several =
        r#"["/services/data/v66.0/sobjects/Account/1","/services/data/v66.0/sobjects/Account/2"]"#;
    for (response, code, action) in [
        (answer(300, several), AMBIGUOUS, Action::DeadLetter),
        (refused(404, "NOT_FOUND"), REQUEST, Action::StopFlow),
        (refused(400, "UNABLE_TO_LOCK_ROW"), LOCKED, Action::Retry),
        (refused(400, "STRING_TOO_LONG"), INVALID, Action::DeadLetter),
    ] {
        let fault = upserted("k", response).0.unwrap_err();
        assert_eq!((fault.code, &fault.action), (code, &action));
        assert_eq!(fault.write, WriteOutcome::Nothing);
    }
    for body in ["", "{}", r#"{"id":"nonsense"}"#] {
        let fault = upserted("k", answer(201, body)).0.unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID, "{body}");
        assert_eq!(fault.write, WriteOutcome::Unknown, "{body}");
    }
    let Some(body) = shared("samples/salesforce/restforce-fixtures/upsert_error_response.json")
    else {
        return;
    };
    let fault = upserted("k", answer(404, &body)).0.unwrap_err();
    assert_eq!(fault.code, REQUEST);
}

#[test]
fn an_empty_external_id_is_not_sent() {
    let script = answering(vec![]);
    let ports = script.ports();
    let none = Map::new();
    let settings = settings(&ports);
    let got = run(upsert(&ports, &settings, "Account", "Key__c", "", &none));
    assert_eq!(got.unwrap_err().code, INVALID);
    assert!(script.lines().is_empty());
}
