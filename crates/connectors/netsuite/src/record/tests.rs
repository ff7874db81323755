use sluice_core::{Action, WriteOutcome, code};

use super::*;
use crate::script::{BY_LOGIN, answer, answering, refused, run};

const ORIGIN: &str = "https://1234567.suitetalk.api.netsuite.com/services/rest/record/v1";

fn orders() -> Record {
    record("salesOrder")
        .replacing("item")
        .open_while(PENDING_APPROVAL)
        .closing_by(Closing::Lines("item"))
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn held(body: &str) -> Held {
    read_held(parse(body)).unwrap()
}

#[test]
fn an_order_is_found_with_its_lines_and_digits() {
    let body = r#"{"id":"77","externalId":"SALESFORCE:opportunity:006A:salesOrder","total":1234567890123456.10,
        "item":{"items":[{"line":1,"quantity":2.50}],"hasMore":false,"totalResults":1}}"#;
    let script = answering(vec![Ok(answer(200, body))]);
    let ports = script.ports();
    let found = run(orders().find(&ports, "salesforce:Opportunity:006A:salesOrder"));
    let found = found.unwrap().unwrap();
    assert_eq!(found.id, "77");
    assert_eq!(
        found.body.decimal("total").unwrap().to_string(),
        "1234567890123456.10"
    );
    assert_eq!(
        found.body["item"]["items"][0]["quantity"].to_string(),
        "2.50"
    );
    assert_eq!(
        script.lines(),
        [format!(
            "GET {ORIGIN}/salesOrder/eid:salesforce:Opportunity:006A:salesOrder?expandSubResources=true"
        )]
    );
}

#[test]
fn a_record_that_does_not_exist_is_none_and_nothing_else_is() {
    let script = answering(vec![
        Ok(refused(404, "NONEXISTENT_ID")),
        Ok(refused(404, "NONEXISTENT_ID")),
        Ok(answer(404, "<html>")),
    ]);
    let ports = script.ports();
    assert_eq!(run(orders().find(&ports, "x")).unwrap(), None);
    assert_eq!(run(orders().read(&ports, "77")).unwrap(), None);
    let fault = run(orders().find(&ports, "x")).unwrap_err();
    assert_eq!(fault.action, Action::StopFlow);
    assert!(script.lines()[1].ends_with("/salesOrder/77?expandSubResources=true"));
}

#[test]
fn a_record_that_is_not_whole_is_not_taken() {
    for (body, words) in [
        ("no", "JSON"),
        ("{}", "id"),
        (r#"{"id":""}"#, "id"),
        (r#"{"id":"1","externalId":"other"}"#, "externalId"),
        (r#"{"id":"1","item":{"items":[],"hasMore":true}}"#, "item"),
    ] {
        let script = answering(vec![Ok(answer(200, body))]);
        let fault = run(orders().find(&script.ports(), "x")).unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID, "{body}");
        assert!(fault.message.contains(words), "{body}: {fault}");
    }
}

#[test]
fn an_upsert_replaces_the_lines_it_brings() {
    let script = answering(vec![Ok(answer(204, "")), Ok(answer(204, ""))]);
    let ports = script.ports();
    let body = parse(r#"{"memo":"m","item":{"items":[{"rate":0.10}]}}"#);
    run(orders().upsert(&ports, "a:b", &body)).unwrap();
    run(orders().upsert(&ports, "a:b", &parse(r#"{"memo":"m"}"#))).unwrap();
    assert_eq!(
        script.lines(),
        [
            format!(
                r#"PUT {ORIGIN}/salesOrder/eid:a:b?replace=item {{"item":{{"items":[{{"rate":0.10}}]}},"memo":"m"}}"#
            ),
            format!(r#"PUT {ORIGIN}/salesOrder/eid:a:b {{"memo":"m"}}"#),
        ]
    );
    assert_eq!(
        replace(
            &["item", "partners"],
            &parse(r#"{"item":{},"partners":{}}"#)
        ),
        "?replace=item,partners"
    );
}

#[test]
fn an_upsert_without_an_answer_stays_open() {
    let script = answering(vec![Ok(refused(500, "UNEXPECTED_ERROR"))]);
    let upsert = orders();
    let upsert = run(upsert.upsert(&script.ports(), "a", &json!({})));
    assert_eq!(upsert.unwrap_err().write, WriteOutcome::Unknown);
}

#[test]
fn closing_closes_every_open_line_once() {
    let script = answering(vec![Ok(answer(204, ""))]);
    let ports = script.ports();
    let open = held(
        r#"{"id":"77","item":{"items":[{"line":1,"isClosed":true},{"line":4,"isClosed":false},{"line":9}]}}"#,
    );
    run(orders().close(&ports, &open)).unwrap();
    assert_eq!(
        script.lines(),
        [format!(
            r#"PATCH {ORIGIN}/salesOrder/77 {{"item":{{"items":[{{"isClosed":true,"line":4}},{{"isClosed":true,"line":9}}]}}}}"#
        )]
    );
    let closed = held(r#"{"id":"77","item":{"items":[{"line":1,"isClosed":true}]}}"#);
    run(orders().close(&ports, &closed)).unwrap();
    assert_eq!(script.lines().len(), 1);

    for lacking in [r#"{"id":"77"}"#, r#"{"id":"77","item":{"items":[{}]}}"#] {
        let fault = run(orders().close(&ports, &held(lacking))).unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID);
    }
}

#[test]
fn other_records_are_closed_in_their_own_way_or_not_at_all() {
    let script = answering(vec![Ok(answer(204, ""))]);
    let ports = script.ports();
    let customers = record("customer").closing_by(Closing::Inactive);
    run(customers.close(&ports, &held(r#"{"id":"5","isInactive":false}"#))).unwrap();
    run(customers.close(&ports, &held(r#"{"id":"5","isInactive":true}"#))).unwrap();
    assert_eq!(
        script.lines(),
        [format!(
            r#"PATCH {ORIGIN}/customer/5 {{"isInactive":true}}"#
        )]
    );
    let fault = run(record("term").close(&ports, &held(r#"{"id":"5"}"#))).unwrap_err();
    assert_eq!(fault.action, Action::StopFlow);
}

#[test]
fn an_order_is_locked_once_it_left_pending_approval() {
    for (body, locked) in [
        (
            r#"{"id":"1","status":{"id":"A","refName":"Pending Approval"}}"#,
            None,
        ),
        (
            r#"{"id":"1","status":{"id":"A","refName":"Ausstehend"}}"#,
            None,
        ),
        (r#"{"id":"1","status":{"id":"Pending Approval"}}"#, None),
        (r#"{"id":"1","status":"Pending Approval"}"#, None),
        (r#"{"id":"1","orderStatus":{"id":"A"}}"#, None),
        (
            r#"{"id":"1","status":{"id":"B","refName":"Pending Fulfillment"},"orderStatus":{"id":"A"}}"#,
            Some("its status is Pending Fulfillment"),
        ),
        (
            r#"{"id":"1","status":{}}"#,
            Some("its status is unreadable"),
        ),
        (r#"{"id":"1"}"#, Some("its status is not given")),
    ] {
        assert_eq!(orders().locked(&held(body)).as_deref(), locked, "{body}");
    }
    assert_eq!(record("customer").locked(&held(r#"{"id":"1"}"#)), None);
}

#[test]
fn what_is_missing_is_said_at_the_first_call() {
    let script = answering(vec![]);
    assert!(orders().check(&script.ports()).is_ok());
    assert!(orders().check(&script.ports_with(&BY_LOGIN)).is_ok());
    let fault = orders()
        .check(&script.ports_with(&[("netsuite_auth", "")]))
        .unwrap_err();
    assert_eq!(fault.code, code::VARIABLE_MISSING);
    assert!(fault.to_string().contains("netsuite_auth"));
}

fn sales() -> Record {
    transaction(&["salesOrder", "invoice"])
        .replacing("item")
        .closing_by(Closing::Lines("item"))
}

#[test]
fn a_transaction_is_looked_for_among_its_types_and_says_which_it_is() {
    let script = answering(vec![
        Ok(refused(404, "NONEXISTENT_ID")),
        Ok(answer(200, r#"{"id":"77","externalId":"x"}"#)),
    ]);
    let found = run(sales().find(&script.ports(), "x"));
    let found = found.unwrap().unwrap();
    assert_eq!(found.body["recordType"], "invoice");
    assert_eq!(
        script.lines(),
        ["salesOrder", "invoice"]
            .map(|kind| format!("GET {ORIGIN}/{kind}/eid:x?expandSubResources=true"))
    );
}

#[test]
fn a_transaction_is_made_as_the_type_its_body_names_and_keeps_it() {
    let script = answering(vec![Ok(answer(204, "")), Ok(answer(204, ""))]);
    let ports = script.ports();
    let body = parse(r#"{"recordType":"invoice","memo":"m"}"#);
    run(sales().upsert(&ports, "x", &body)).unwrap();
    let order = held(r#"{"id":"5","recordType":"salesOrder","externalId":"x"}"#);
    assert!(!sales().reaches(&order, &body));
    run(sales().update(&ports, &order, "x", &body)).unwrap();
    assert_eq!(
        script.lines(),
        [
            format!("PUT {ORIGIN}/invoice/eid:x {{\"memo\":\"m\"}}"),
            format!("PATCH {ORIGIN}/salesOrder/5 {{\"memo\":\"m\"}}"),
        ]
    );
}

#[test]
fn a_transaction_of_no_known_type_is_not_sent() {
    let script = answering(vec![]);
    for body in [json!({}), json!({"recordType": "estimate"})] {
        let fault = run(sales().upsert(&script.ports(), "x", &body)).unwrap_err();
        assert_eq!(fault.action, Action::DeadLetter, "{fault}");
        assert!(fault.message.contains("salesOrder, invoice"), "{fault}");
    }
}

#[test]
fn an_invoice_has_no_closing() {
    let script = answering(vec![]);
    let invoice = held(r#"{"id":"5","recordType":"invoice","item":{"items":[{"line":1}]}}"#);
    let fault = run(sales().close(&script.ports(), &invoice)).unwrap_err();
    assert_eq!(
        (fault.code, fault.action.clone()),
        (errors::NOT_CLOSABLE, Action::DeadLetter)
    );
    assert!(!sales().is_closed(&invoice));
}

#[test]
fn an_account_may_lack_a_type_but_not_all_of_them() {
    let none = || Ok(refused(404, "NONEXISTENT_ID"));
    let lacking = || Ok(refused(404, "NONEXISTENT_RECORD_TYPE"));
    let script = answering(vec![none(), lacking()]);
    assert_eq!(run(sales().find(&script.ports(), "x")).unwrap(), None);
    let script = answering(vec![lacking(), lacking()]);
    let fault = run(sales().find(&script.ports(), "x")).unwrap_err();
    assert_eq!(fault.action, Action::StopFlow);
}
