//! One order, and who may ask for it.

use amazon::errors;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_core::{Action, Body, Found, Gone, Observed, Ports, Record, Source};

use super::wire::{Wire, run, select, selection};

fn fetch(ports: &Ports, id: &str) -> sluice_core::Result<Observed> {
    run(amazon::orders().fetch(ports, id, &select()))
}

fn present(ports: &Ports, id: &str) -> Record {
    match fetch(ports, id).unwrap() {
        Observed::Present(record) => record,
        Observed::Gone(how) => panic!("{id} is {how:?}"),
    }
}

#[test]
fn an_order_is_found_in_whichever_region_it_is() {
    let wire = Wire::new();
    let ports = wire.ports();
    let ids = ["US", "UK", "JP"].map(|country| wire.sell(country));
    for id in &ids {
        let record = present(&ports, id);
        assert_eq!(record.id.to_string(), format!("amazon:Order:{id}"));
        assert_eq!(record.body.text("orderId").unwrap(), id);
        let lines = record.body.list("orderItems").unwrap();
        assert_eq!(lines[0]["product"]["sellerSku"], "PM-1042");
    }
    assert_eq!(
        wire.answered(404),
        1 + 2,
        "asked of one region after the other"
    );
    let logins = wire.asked();
    let logins = logins.iter().filter(|entry| entry.path.contains("/o2/"));
    assert_eq!(logins.count(), 3, "a login for each region");

    let unknown = "902-3159896-1390916";
    let seen = fetch(&ports, unknown).unwrap();
    assert_eq!(seen, Observed::Gone(Gone::Unknown));
    let fault = fetch(&ports, "'; DROP TABLE orders").unwrap_err();
    assert_eq!(fault.action, Action::DeadLetter);

    let keys = [ids[1].clone(), unknown.to_owned(), "nonsense".to_owned()];
    let found = run(amazon::orders().find_all(&ports, "orderId", &keys)).unwrap();
    assert_eq!(found, [(ids[1].clone(), Found::One(ids[1].clone()))].into());
}

#[test]
fn an_order_of_a_marketplace_that_is_not_ours_is_nobodys() {
    let wire = Wire::new();
    let ports = wire.ports_with(&[("amazon_marketplaces", "US")]);
    let ours = wire.sell("US");
    let other = wire.sell("CA");
    present(&ports, &ours);
    assert_eq!(fetch(&ports, &other), Ok(Observed::Gone(Gone::Unknown)));
    present(&wire.ports(), &other);
}

#[test]
fn a_token_that_ends_is_replaced_before_and_one_that_was_ended_after() {
    let wire = Wire::new();
    let ports = wire.ports();
    let id = wire.sell("US");
    present(&ports, &id);
    assert_eq!(wire.asked().len(), 2, "a login and a read");
    wire.wait(SignedDuration::from_mins(58));
    present(&ports, &id);
    assert_eq!(wire.asked().len(), 3);
    wire.wait(SignedDuration::from_mins(1));
    present(&ports, &id);
    assert_eq!(wire.asked().len(), 5, "a login and a read");
    assert_eq!(wire.answered(403), 0);
    wire.set("expire_tokens", json!(true));
    present(&ports, &id);
    assert_eq!(wire.asked().len(), 8, "a refusal, a login and a read");
    wire.suffer(json!({"path": "/orders*", "times": 2, "what": {"refuse": "token_expired"}}));
    let fault = fetch(&ports, &id).unwrap_err();
    let what = (fault.code, &fault.action);
    assert_eq!(what, (errors::LOGIN, &Action::RefreshCredentials));
}

#[test]
fn wrong_credentials_stop_the_flow_and_are_not_told() {
    let wire = Wire::new();
    let id = wire.sell("US");
    for variable in ["amazon_client_secret", "amazon_refresh_token_na"] {
        let ports = wire.ports_with(&[(variable, "Atzr|wr0ng")]);
        let fault = fetch(&ports, &id).unwrap_err();
        let what = (fault.code, &fault.action);
        assert_eq!(what, (errors::LOGIN, &Action::StopFlow), "{variable}");
        assert!(!format!("{fault} {fault:?}").contains("wr0ng"), "{fault:?}");
    }
}

#[test]
fn personal_data_is_asked_for_only_where_it_is_read() {
    let wire = Wire::new();
    let ports = wire.ports();
    let id = wire.sell("US");
    let record = present(&ports, &id);
    assert!(record.body.get("buyer").is_none() && record.body.get("recipient").is_none());
    let last = wire.asked().pop().unwrap().path;
    assert!(
        last.ends_with("includedData=FULFILLMENT%2CPROCEEDS"),
        "{last}"
    );

    let select = selection(&["buyer.buyerEmail"], &[]);
    let seen = run(amazon::orders().fetch(&ports, &id, &select)).unwrap();
    let Observed::Present(record) = seen else {
        panic!("{seen:?}")
    };
    assert!(
        wire.asked()
            .pop()
            .unwrap()
            .path
            .ends_with("includedData=BUYER")
    );
    let address = record.body.text("buyer.buyerEmail").unwrap();
    let known_by = record.body.text("buyer.id").unwrap();
    assert!(
        address.contains('@') && !known_by.contains('@'),
        "{known_by}"
    );
}

#[test]
fn a_change_is_another_version_and_a_cancelled_order_is_one_still() {
    let wire = Wire::new();
    let ports = wire.ports();
    let id = wire.sell("US");
    let before = present(&ports, &id);
    wire.wait_s(2);
    wire.alter(&id, json!({"do": "cancel"}));
    let after = present(&ports, &id);
    assert!(after.version > before.version);
    let status = after.body.text("fulfillment.fulfillmentStatus").unwrap();
    assert_eq!(status, "CANCELLED");
    assert!(after.body.get("proceeds").is_none());
}

#[test]
fn what_can_be_no_order_is_a_dead_letter_that_says_why() {
    let wire = Wire::new();
    let ports = wire.ports();
    let id = wire.sell("US");
    let lines = present(&ports, &id).body["orderItems"].clone();
    let mut negative = lines.clone();
    negative[0]["quantityOrdered"] = json!(-2);
    let mut nameless = lines;
    nameless[0]["orderItemId"] = Value::Null;
    for (shown, path, why) in [
        (json!({"orderItems": []}), "orderItems", "no line"),
        (
            json!({"orderItems": negative}),
            "orderItems[0].quantityOrdered",
            "negative",
        ),
        (
            json!({"orderItems": nameless}),
            "orderItems[0].orderItemId",
            "missing",
        ),
        (
            json!({"proceeds": {"grandTotal": {"currencyCode": "XXX"}}}),
            "proceeds.grandTotal.currencyCode",
            "no currency",
        ),
        (
            json!({"proceeds": {"grandTotal": {"amount": "12,50"}}}),
            "proceeds.grandTotal.amount",
            "no exact number",
        ),
        (
            json!({"lastUpdatedTime": "yesterday"}),
            "lastUpdatedTime",
            "no time",
        ),
    ] {
        wire.set("distort", json!({"orderId": id, "shown": shown}));
        let fault = fetch(&ports, &id).unwrap_err();
        assert_eq!(fault.code, errors::ORDER_INVALID, "{shown}");
        assert_eq!(fault.action, Action::DeadLetter, "{shown}");
        let bad = &fault.fields[0];
        assert_eq!(bad.path, path, "{shown}");
        assert!(bad.reason.contains(why), "{shown}: {}", bad.reason);
        wire.wait_s(2);
    }
}

#[test]
fn every_refusal_is_understood() {
    for (refusal, code, action) in [
        ("server_error", errors::UNAVAILABLE, Action::Retry),
        ("unavailable", errors::UNAVAILABLE, Action::Retry),
        ("locked", errors::REQUEST, Action::StopFlow),
    ] {
        let wire = Wire::new();
        let ports = wire.ports();
        let id = wire.sell("US");
        present(&ports, &id);
        wire.suffer(json!({"times": 1, "what": {"refuse": refusal}}));
        let fault = fetch(&ports, &id).unwrap_err();
        assert_eq!((fault.code, &fault.action), (code, &action), "{refusal}");
        present(&ports, &id);
    }
    for garble in ["truncate", "html", "empty", "encoding"] {
        let wire = Wire::new();
        let ports = wire.ports();
        let id = wire.sell("US");
        present(&ports, &id);
        wire.suffer(json!({"times": 1, "what": {"garble": garble}}));
        let fault = fetch(&ports, &id).unwrap_err();
        assert_eq!(fault.action, Action::Retry, "{garble}: {fault}");
        present(&ports, &id);
    }
}

#[test]
fn what_a_buyer_wrote_to_another_stays_out_unless_it_is_read() {
    let wire = Wire::new();
    let ports = wire.ports();
    let id = wire.place(json!({
        "marketplace": "US", "fulfilledBy": "MERCHANT", "paid": true,
        "items": [{
            "sku": "PM-1042", "title": "Pump", "quantity": 1, "unitPrice": "12",
            "giftWrap": "3.98", "giftMessage": "For you",
        }],
    }));
    let message = |of_items: &[&str]| {
        let select = selection(&["orderId"], of_items);
        let observed = run(amazon::orders().fetch(&ports, &id, &select)).unwrap();
        let Observed::Present(record) = observed else {
            panic!("it is there");
        };
        let option = &record.body["orderItems"][0]["fulfillment"]["packing"]["giftOption"];
        assert!(option["giftWrapLevel"].is_string());
        option.get("giftMessage").cloned()
    };
    assert_eq!(message(&["fulfillment.quantityFulfilled"]), None);
    let read = message(&["fulfillment.packing.giftOption.giftMessage"]);
    assert_eq!(read, Some("For you".into()));
}
