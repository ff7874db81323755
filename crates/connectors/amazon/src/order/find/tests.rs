use std::time::Duration;

use serde_json::json;
use sluice_core::{Action, Source, code};

use super::*;
use crate::errors::{ORDER_INVALID, REQUEST, THROTTLED, UNAVAILABLE};
use crate::id::ID_INVALID;
use crate::order::orders;
use crate::order::tests::{ID, OTHER, UPDATED, one};
use crate::script::{EU, NA, Script, answer, answering, logged_in, order, refused, run, token};

fn fetched(script: &std::rc::Rc<Script>, fields: &[&str]) -> Result<Observed> {
    let select = Selection {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        ..Selection::default()
    };
    let ports = script.ports_with(&[("amazon_marketplaces", "US,DE")]);
    run(orders().fetch(&ports, ID, &select))
}

#[test]
fn only_orders_of_our_marketplaces_and_from_elsewhere_are_ours() {
    for (channel, marketplace, is_ours) in [
        ("AMAZON", json!("ATVPDKIKX0DER"), true),
        ("AMAZON", json!("A2EUQ1WTGCTBG2"), false),
        ("AMAZON", Value::Null, true),
        ("NON_AMAZON", json!("A2EUQ1WTGCTBG2"), true),
    ] {
        let mut told = order(ID, UPDATED);
        told["salesChannel"] = json!({"channelName": channel, "marketplaceId": marketplace});
        let elsewhere = refused(404, "NotFound", "");
        let script = logged_in(vec![one(&told), token("eu"), elsewhere]);
        let got = fetched(&script, &[]).unwrap();
        assert_eq!(matches!(got, Observed::Present(_)), is_ours, "{told}");
    }
}

#[test]
fn an_order_is_looked_for_in_every_account() {
    let mut german = order(ID, UPDATED);
    german["salesChannel"]["marketplaceId"] = "A1PA6795UKMFR9".into();
    let script = logged_in(vec![
        refused(404, "NotFound", ""),
        token("eu"),
        one(&german),
    ]);
    let got = fetched(&script, &["buyer.buyerEmail", "proceeds.grandTotal"]).unwrap();
    assert!(matches!(got, Observed::Present(record) if record.id.id == ID));
    let lines = script.lines();
    let path = format!("/orders/2026-01-01/orders/{ID}?includedData=BUYER,PROCEEDS");
    assert_eq!(
        [&lines[1], &lines[3]],
        [&format!("GET {NA}{path}"), &format!("GET {EU}{path}")]
    );

    let script = logged_in(vec![
        refused(404, "N", ""),
        token("eu"),
        refused(404, "N", ""),
    ]);
    assert_eq!(
        fetched(&script, &[]).unwrap(),
        Observed::Gone(Gone::Unknown)
    );
    let script = logged_in(vec![
        refused(400, "I", ""),
        token("eu"),
        refused(404, "N", ""),
    ]);
    let fault = fetched(&script, &[]).unwrap_err();
    assert_eq!((fault.code, &fault.action), (REQUEST, &Action::DeadLetter));
}

#[test]
fn personal_data_that_came_unasked_stays_out() {
    let mut whole = order(ID, UPDATED);
    whole["buyer"] = json!({"buyerName": "N"});
    whole["recipient"] = json!({"deliveryAddress": {"city": "C"}});
    for (fields, buyer, recipient) in [
        (&["orderId"][..], false, false),
        (&["buyer.buyerName"], true, false),
        (
            &["buyer.buyerName", "recipient.deliveryAddress.city"],
            true,
            true,
        ),
    ] {
        let script = logged_in(vec![one(&whole)]);
        let Observed::Present(record) = fetched(&script, fields).unwrap() else {
            panic!("it is there");
        };
        let has = |field: &str| record.body.get(field).is_some();
        assert_eq!(
            (has("buyer"), has("recipient")),
            (buyer, recipient),
            "{fields:?}"
        );
    }
}

#[test]
fn a_bad_order_is_a_dead_letter_that_names_its_fields() {
    let mut bad = order(ID, UPDATED);
    bad["orderItems"][0]["quantityOrdered"] = json!(-1);
    let fault = fetched(&logged_in(vec![one(&bad)]), &[]).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (ORDER_INVALID, &Action::DeadLetter)
    );
    assert_eq!(fault.fields[0].path, "orderItems[0].quantityOrdered");
    let fault = fetched(&logged_in(vec![one(&order(OTHER, UPDATED))]), &[]).unwrap_err();
    assert_eq!(fault.code, code::ANSWER_INVALID);
    let script = answering(vec![]);
    let select = Selection::default();
    let fault = run(orders().fetch(&script.ports(), "902", &select)).unwrap_err();
    assert_eq!(fault.code, ID_INVALID);
}

fn german() -> Value {
    let mut german = order(ID, UPDATED);
    german["salesChannel"]["marketplaceId"] = "A1PA6795UKMFR9".into();
    german
}

#[test]
fn an_account_that_fails_holds_up_no_order_of_another() {
    for failure in [
        refused(429, "QuotaExceeded", ""),
        refused(503, "ServiceUnavailable", ""),
        refused(403, "Unauthorized", ""),
        answer(200, "<html>"),
    ] {
        let script = logged_in(vec![failure, token("eu"), one(&german())]);
        let got = fetched(&script, &[]).unwrap();
        assert!(matches!(got, Observed::Present(record) if record.id.id == ID));
    }
}

#[test]
fn an_order_that_no_other_account_has_may_be_with_the_one_that_failed() {
    for (status, elsewhere) in [(429, 404), (503, 404), (429, 400), (503, 503)] {
        let script = logged_in(vec![
            refused(status, "Failure", ""),
            token("eu"),
            refused(elsewhere, "N", ""),
        ]);
        let fault = fetched(&script, &[]).unwrap_err();
        let code = if status == 429 {
            THROTTLED
        } else {
            UNAVAILABLE
        };
        assert_eq!(fault.code, code, "{status} {elsewhere}");
        assert!(script.is_done());
    }
    // Also where it was not even asked.
    let script = answering(vec![Ok(token("na")), Ok(token("eu"))]);
    script.sql.dry_ms.set(Some(700));
    let fault = fetched(&script, &[]).unwrap_err();
    let wait = Action::RetryAfter(Duration::from_millis(700));
    assert_eq!((fault.code, &fault.action), (THROTTLED, &wait));
}
