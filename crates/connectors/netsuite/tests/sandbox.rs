//! The connector against the simulated account: real signatures, real refusals, real records.

mod wire;

use jiff::SignedDuration;
use sandbox::Refusal;
use sandbox::netsuite::ConcurrencyForm;
use serde_json::{Value, json};
use sluice_core::{Action, Body, Directory, Found, Target, WriteOutcome, code};

use netsuite::query::{self, Query};
use netsuite::settings::Settings;
use netsuite::{Closing, PENDING_APPROVAL, Record, errors};
use wire::{Wire, run};

const CUSTOMER: &str = "salesforce:Account:001000000000001AAA:customer";
const ORDER: &str = "salesforce:Opportunity:006000000000001AAA:salesOrder";

fn orders() -> Record {
    netsuite::record("salesOrder")
        .replacing("item")
        .open_while(PENDING_APPROVAL)
        .closing_by(Closing::Lines("item"))
}

fn customers() -> Record {
    netsuite::record("customer").closing_by(Closing::Inactive)
}

fn customer(wire: &Wire) -> Value {
    json!({
        "companyName": "O'Brien & Sons",
        "isPerson": false,
        "subsidiary": {"id": wire.id_of("subsidiary", "name", "Brightwater Inc.")},
        "currency": {"id": wire.id_of("currency", "symbol", "USD")},
    })
}

fn order(wire: &Wire, lines: &[(&str, &str)]) -> Value {
    let number = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let lines: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(index, (quantity, rate))| {
            json!({"item": {"id": wire.item(index)}, "quantity": number(quantity), "rate": number(rate)})
        })
        .collect();
    json!({"entity": {"externalId": CUSTOMER}, "tranDate": "2026-11-22", "item": {"items": lines}})
}

#[test]
fn orders_are_kept_in_step_by_both_ways_to_log_in() {
    for auth in ["token", "client_credentials"] {
        let wire = Wire::new();
        let ports = wire.ports(auth);
        assert!(orders().check(&ports).is_ok());
        assert_eq!(run(orders().find(&ports, ORDER)).unwrap(), None);
        run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();

        let three = order(
            &wire,
            &[("3", "0.10"), ("1.5", "19.99"), ("2", "1000000.01")],
        );
        for _ in 0..2 {
            run(orders().upsert(&ports, ORDER, &three)).unwrap();
        }
        let held = run(orders().find(&ports, ORDER)).unwrap().unwrap();
        assert_eq!(held.body.list("item.items").unwrap().len(), 3, "{auth}");
        // 0.30 + 29.99 (29.985, to the cent) + 2000000.02
        let total = held.body.decimal("total").unwrap();
        assert_eq!(total.to_string(), "2000030.31", "{auth}");
        assert_eq!(orders().locked(&held), None);

        let one = order(&wire, &[("4", "2.50")]);
        run(orders().upsert(&ports, ORDER, &one)).unwrap();
        let again = run(orders().read(&ports, &held.id)).unwrap().unwrap();
        assert_eq!(again.body.list("item.items").unwrap().len(), 1);
        assert_eq!(again.body.decimal("total").unwrap(), "10".parse().unwrap());
        assert_eq!(wire.count("salesOrder"), 1);
    }
}

#[test]
fn without_replacing_lines_are_added() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();
    let adding = netsuite::record("salesOrder");
    for _ in 0..2 {
        run(adding.upsert(&ports, ORDER, &order(&wire, &[("1", "1")]))).unwrap();
    }
    let held = run(adding.find(&ports, ORDER)).unwrap().unwrap();
    assert_eq!(held.body.list("item.items").unwrap().len(), 2);
}

#[test]
fn closing_an_order_closes_it_once_and_for_all() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();
    run(orders().upsert(&ports, ORDER, &order(&wire, &[("1", "1"), ("2", "2")]))).unwrap();
    let held = run(orders().find(&ports, ORDER)).unwrap().unwrap();
    wire.approve(&held.id);
    let held = run(orders().read(&ports, &held.id)).unwrap().unwrap();
    assert!(orders().locked(&held).is_some());
    run(orders().close(&ports, &held)).unwrap();
    let closed = run(orders().read(&ports, &held.id)).unwrap().unwrap();
    assert_eq!(closed.body.text("status.id").unwrap(), "H");
    let before = wire.asked();
    run(orders().close(&ports, &closed)).unwrap();
    assert_eq!(wire.asked(), before);

    let held = run(customers().find(&ports, CUSTOMER)).unwrap().unwrap();
    run(customers().close(&ports, &held)).unwrap();
    let held = run(customers().find(&ports, CUSTOMER)).unwrap().unwrap();
    assert!(held.body.boolean("isInactive").unwrap());
}

#[test]
fn an_expired_token_is_replaced_unnoticed() {
    let wire = Wire::new();
    let ports = wire.ports("client_credentials");
    run(orders().find(&ports, ORDER)).unwrap();
    assert_eq!(wire.asked(), 2, "a login and a read");
    run(orders().find(&ports, ORDER)).unwrap();
    assert_eq!(wire.asked(), 3);
    wire.expire_tokens();
    run(orders().find(&ports, ORDER)).unwrap();
    assert_eq!(wire.asked(), 6, "a refusal, a login and a read");
}

#[test]
fn every_refusal_of_the_vendor_is_understood() {
    for (refusal, times, code, action, write) in [
        (
            Refusal::RateLimit,
            1,
            errors::CONCURRENCY,
            Action::Retry,
            WriteOutcome::Nothing,
        ),
        (
            Refusal::Concurrency,
            1,
            errors::CONCURRENCY,
            Action::Retry,
            WriteOutcome::Nothing,
        ),
        (
            Refusal::ConcurrencyAsLogin,
            2,
            errors::LOGIN,
            Action::RefreshCredentials,
            WriteOutcome::Nothing,
        ),
        (
            Refusal::TokenExpired,
            2,
            errors::LOGIN,
            Action::RefreshCredentials,
            WriteOutcome::Nothing,
        ),
        (
            Refusal::Locked,
            1,
            errors::RECORD_CHANGED,
            Action::Retry,
            WriteOutcome::Nothing,
        ),
        (
            Refusal::ServerError,
            1,
            errors::UNAVAILABLE,
            Action::Retry,
            WriteOutcome::Unknown,
        ),
        (
            Refusal::Unavailable,
            1,
            errors::UNAVAILABLE,
            Action::Retry,
            WriteOutcome::Unknown,
        ),
    ] {
        let wire = Wire::new();
        let ports = wire.ports("token");
        wire.refuse(refusal, times);
        let upsert = customers();
        let upsert = run(upsert.upsert(&ports, CUSTOMER, &customer(&wire)));
        let fault = upsert.unwrap_err();
        assert_eq!(
            (fault.code, fault.write),
            (code, write),
            "{refusal:?}: {fault}"
        );
        let waits = matches!(fault.action, Action::RetryAfter(_)) && action == Action::Retry;
        assert!(
            fault.action == action || waits,
            "{refusal:?}: {:?}",
            fault.action
        );
        assert_eq!(wire.count("customer"), 0);
    }
    let wire = Wire::new();
    wire.refuse(Refusal::ConcurrencyAsLogin, 1);
    let ports = wire.ports("token");
    run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();
}

#[test]
fn too_many_requests_at_once_are_understood_however_they_are_worded() {
    for (form, as_login, code) in [
        (ConcurrencyForm::BadRequest, false, errors::CONCURRENCY),
        (ConcurrencyForm::TooManyRequests, false, errors::CONCURRENCY),
        (ConcurrencyForm::RequestLimit, false, errors::CONCURRENCY),
        (ConcurrencyForm::BadRequest, true, errors::LOGIN),
    ] {
        let wire = Wire::new();
        wire.set_options(|options| {
            options.limits.concurrency = Some(1);
            options.limits.form = form;
            options.limits.as_login = as_login;
        });
        let ports = wire.ports("token");
        run(customers().find(&ports, CUSTOMER)).unwrap();
        let fault = run(customers().find(&ports, CUSTOMER)).unwrap_err();
        assert_eq!(fault.code, code, "{form:?} {as_login}: {fault}");
        wire.wait(SignedDuration::from_secs(1));
        run(customers().find(&ports, CUSTOMER)).unwrap();
    }
}

#[test]
fn the_slower_of_two_upserts_tries_again() {
    let wire = Wire::new();
    wire.set_options(|options| options.upsert_race = Some(SignedDuration::from_secs(1)));
    let ports = wire.ports("token");
    let body = customer(&wire);
    run(customers().upsert(&ports, CUSTOMER, &body)).unwrap();
    let fault = run(customers().upsert(&ports, CUSTOMER, &body)).unwrap_err();
    assert_eq!(fault.action, Action::Retry, "{fault}");
    assert_eq!(fault.write, WriteOutcome::Nothing);
    wire.wait(SignedDuration::from_secs(2));
    run(customers().upsert(&ports, CUSTOMER, &body)).unwrap();
    assert_eq!(wire.count("customer"), 1);
}

#[test]
fn what_is_wrong_with_a_record_is_named() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();
    let mut unknown_item = order(&wire, &[("1", "1")]);
    unknown_item["item"]["items"][0]["item"] = json!({"id": "999999999"});
    let mut unknown_field = order(&wire, &[("1", "1")]);
    unknown_field["memmo"] = json!("x");
    for (body, path) in [
        (unknown_item, "item.items[0].item"),
        (unknown_field, "memmo"),
        (json!({"item": {"items": []}}), "Customer"),
    ] {
        let fault = run(orders().upsert(&ports, ORDER, &body)).unwrap_err();
        assert_eq!(fault.code, errors::INVALID, "{path}: {fault}");
        let named: Vec<&str> = fault
            .fields
            .iter()
            .map(|field| field.path.as_str())
            .collect();
        assert!(named.contains(&path), "{path}: {fault}");
    }
    let typo = netsuite::record("salesOrdr");
    let fault = run(typo.upsert(&ports, ORDER, &json!({}))).unwrap_err();
    assert_eq!(
        (fault.code, fault.action.clone()),
        (errors::REQUEST, Action::StopFlow)
    );
}

#[test]
fn items_are_found_by_sku() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    wire.make(
        "nonInventorySaleItem",
        json!({"itemId": "O'Brien's 5% \\ \"q\""}),
    );
    let mut keys = wire.skus();
    assert_eq!(keys.len(), 60);
    keys.push("O'Brien's 5% \\ \"q\"".to_owned());
    keys.push("' OR '1'='1".to_owned());
    keys.push(keys[0].to_lowercase());
    let found = run(netsuite::items().find_all(&ports, &keys)).unwrap();
    assert_eq!(found.len(), 61);
    assert!(found.values().all(|found| matches!(found, Found::One(_))));
}

#[test]
fn a_query_runs_over_a_page_boundary() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    for number in 0..1003 {
        let mut fields = customer(&wire);
        fields["companyName"] = json!(format!("Customer {number:04}"));
        wire.make("customer", fields);
    }
    let settings = Settings::read(&*ports.variables).unwrap();
    let query = Query::select(&["companyname"], "customer").unwrap();
    let rows = run(query::rows(&ports, &settings, &query)).unwrap();
    assert_eq!(rows.len(), 1003);
    assert_eq!(wire.asked(), 2);

    let wrong = Query::select(&["nosuchcolumn"], "customer").unwrap();
    let fault = run(query::rows(&ports, &settings, &wrong)).unwrap_err();
    assert_eq!(fault.code, errors::REQUEST, "{fault}");
}

#[test]
fn an_answer_lost_after_the_commit_leaves_one_record() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    wire.lose_answers(1);
    let body = customer(&wire);
    let fault = run(customers().upsert(&ports, CUSTOMER, &body)).unwrap_err();
    assert_eq!(
        (fault.code, fault.write),
        (code::ANSWER_LOST, WriteOutcome::Unknown)
    );
    assert!(run(customers().find(&ports, CUSTOMER)).unwrap().is_some());
    run(customers().upsert(&ports, CUSTOMER, &body)).unwrap();
    assert_eq!(wire.count("customer"), 1);
    // External ids know no upper and lower case.
    let upper = CUSTOMER.to_uppercase();
    assert!(run(customers().find(&ports, &upper)).unwrap().is_some());
}

#[test]
fn wrong_secrets_are_refused() {
    for (auth, variable, value, code) in [
        ("token", "netsuite_token_secret", "wrong", errors::LOGIN),
        ("token", "netsuite_account", "7654321", errors::LOGIN),
        (
            "client_credentials",
            "netsuite_certificate_id",
            "wrong",
            errors::LOGIN,
        ),
        (
            "client_credentials",
            "netsuite_client_id",
            "wrong",
            errors::LOGIN,
        ),
    ] {
        let wire = Wire::new();
        let ports = wire.ports_with(auth, variable, value);
        let fault = run(orders().find(&ports, ORDER)).unwrap_err();
        assert_eq!(fault.code, code, "{variable}: {fault}");
    }
}

#[test]
fn a_record_that_was_there_before_is_changed_by_its_id_and_not_added_again() {
    for foreign in [None, Some("another-integration-7")] {
        let wire = Wire::new();
        let ports = wire.ports("token");
        run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();
        let mut fields = order(&wire, &[("1", "1"), ("2", "2")]);
        fields["entity"] = json!({"id": wire.id_of("customer", "companyName", "O'Brien & Sons")});
        fields["otherRefNum"] = json!("PO-1");
        if let Some(foreign) = foreign {
            fields["externalId"] = json!(foreign);
        }
        wire.make("salesOrder", fields);
        let keys = ["PO-1".to_owned(), "PO-2".to_owned(), "po-1".to_owned()];
        let found = run(orders().find_all(&ports, "otherRefNum", &keys)).unwrap();
        let id = wire.id_of("salesOrder", "otherRefNum", "PO-1");
        assert_eq!(found, [("PO-1".to_owned(), Found::One(id.clone()))].into());
        let held = run(orders().read(&ports, &id)).unwrap().unwrap();
        assert_eq!(orders().external_id(&held).as_deref(), foreign);

        let one = order(&wire, &[("4", "2.50")]);
        for _ in 0..2 {
            run(orders().update(&ports, &held, ORDER, &one)).unwrap();
        }
        let held = run(orders().read(&ports, &id)).unwrap().unwrap();
        assert_eq!(held.body.list("item.items").unwrap().len(), 1);
        assert_eq!(
            orders().external_id(&held).as_deref(),
            Some(foreign.unwrap_or(ORDER))
        );
        assert_eq!(wire.count("salesOrder"), 1);
        let under_ours = run(orders().find(&ports, ORDER)).unwrap();
        assert_eq!(under_ours.is_some(), foreign.is_none());
    }
}

#[test]
fn an_external_id_that_another_record_has_is_not_given_twice() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();
    run(orders().upsert(&ports, ORDER, &order(&wire, &[("1", "1")]))).unwrap();
    let mut fields = order(&wire, &[("1", "1")]);
    fields["memo"] = json!("there before");
    wire.make("salesOrder", fields);
    let id = wire.id_of("salesOrder", "memo", "there before");
    let held = run(orders().read(&ports, &id)).unwrap().unwrap();
    let fault = run(orders().update(&ports, &held, ORDER, &json!({}))).unwrap_err();
    assert_eq!(fault.code, errors::DUPLICATE, "{fault}");
}

#[test]
fn all_records_of_a_type_are_walked_in_the_order_of_their_ids() {
    let wire = Wire::new();
    let ports = wire.ports("token");
    run(customers().upsert(&ports, CUSTOMER, &customer(&wire))).unwrap();
    for _ in 0..5 {
        wire.make("salesOrder", order(&wire, &[("1", "1")]));
    }
    let (mut ids, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = run(orders().list(&ports, after.as_deref(), 2)).unwrap();
        for held in &page.records {
            assert_eq!(held.body.list("item.items").unwrap().len(), 1);
            assert!(!orders().is_closed(held));
            ids.push(held.id.parse::<i64>().unwrap());
        }
        pages += 1;
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!((ids.len(), pages), (5, 3));
    assert!(ids.is_sorted());
    let all = run(customers().list(&ports, None, 10)).unwrap();
    assert_eq!((all.records.len(), all.next), (1, None));
    let fault = run(orders().list(&ports, Some("1 OR 1=1"), 2)).unwrap_err();
    assert_eq!(fault.action, Action::StopFlow);

    let held = run(orders().read(&ports, &ids[0].to_string()))
        .unwrap()
        .unwrap();
    run(orders().close(&ports, &held)).unwrap();
    let held = run(orders().read(&ports, &held.id)).unwrap().unwrap();
    assert!(orders().is_closed(&held));
}
