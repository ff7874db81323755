mod market;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{EditError, Vendor, World, company, netsuite, salesforce};

fn now() -> Timestamp {
    Timestamp::from_second(1_780_000_000).unwrap()
}

fn world(seed: u64) -> World {
    let settings = salesforce::Settings::new(seed);
    company::world(seed, settings, netsuite::Options::default(), now()).unwrap()
}

/// Plays what waits for nobody.
fn played(seed: u64) -> (World, Performance) {
    let mut world = world(seed);
    let day = Day::plan(seed, &world, now()).unwrap();
    let mut performance = Performance::new(day);
    performance.step(&mut world, LENGTH, now()).unwrap();
    (world, performance)
}

#[test]
fn one_seed_one_script() {
    let script = |seed| format!("{:?}", Day::plan(seed, &world(seed), now()).unwrap());
    assert_eq!(script(3), script(3));
    assert_ne!(script(3), script(4));
}

#[test]
fn a_day_is_as_busy_as_it_says() {
    for seed in 0..5 {
        let day = Day::plan(seed, &world(seed), now()).unwrap();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for event in &day.events {
            let name = match &event.act {
                Act::Win {
                    announced: true, ..
                } => "win",
                Act::Win { .. } => "quiet win",
                Act::WinWithoutLines { .. } => "forgetful",
                Act::WinAndLose { .. } => "fleeting",
                Act::Change { .. } => "change",
                Act::Lose { .. } => "lose",
                Act::Delete { .. } => "delete",
                Act::Approve { .. } => "approve",
                Act::EnterItem(_) => "item",
                Act::EndSessions => "sessions",
                _ => "other",
            };
            *counts.entry(name).or_default() += 1;
            assert!(event.at <= LENGTH);
        }
        let count = |name: &str| counts.get(name).copied().unwrap_or_default();
        assert_eq!(
            count("win") + count("quiet win") + count("fleeting"),
            150,
            "seed {seed}"
        );
        assert_eq!(count("quiet win"), 12);
        assert_eq!(count("change"), 44);
        assert_eq!(
            (count("approve"), count("lose"), count("delete")),
            (20, 8, 5)
        );
        assert_eq!(
            (count("item"), count("sessions"), count("forgetful")),
            (3, 2, 2)
        );
        assert!(day.events.is_sorted_by_key(|event| event.at));
    }
}

#[test]
fn what_needs_an_order_waits_for_it() {
    let (_, performance) = played(1);
    let waiting = performance.remaining();
    assert!(!performance.is_over());
    let first = |act: &Act| {
        matches!(
            act,
            Act::Approve { .. } | Act::Lose { .. } | Act::Delete { .. }
        )
    };
    assert_eq!(
        waiting.iter().filter(|event| first(&event.act)).count(),
        20 + 8 + 5
    );
    assert!(performance.ledger().approved.is_empty());
}

#[test]
fn without_any_flow_every_order_is_missing() {
    let (world, performance) = played(2);
    let books = Books::of(&world);
    let found = books.differences(performance.ledger());
    let missing = found
        .iter()
        .filter(|found| found.record.starts_with("order of"));
    // 150 and two without lines, less two that were lost at once.
    assert_eq!(missing.count(), 150);
    assert!(
        found
            .iter()
            .any(|found| found.record.starts_with("customer of"))
    );
    let sums = books.sums(performance.ledger());
    assert_eq!(
        sums.values().map(|sum| sum.expected_count).sum::<usize>(),
        150
    );
    assert_eq!(sums.values().map(|sum| sum.found_count).sum::<usize>(), 0);
}

/// A customer and an order typed in by hand, as the opportunity says; then each detail spoilt.
#[test]
fn an_order_is_right_to_the_cent_or_named() {
    let mut world = world(5);
    let deal = won_alone(&mut world);
    let order = type_in(&mut world, &deal);
    let mut ledger = Ledger::default();
    let id = deal["Id"].as_str().unwrap().to_owned();
    ledger
        .won
        .insert(id.clone(), deal["AccountId"].as_str().unwrap().to_owned());
    let about = |world: &World, ledger: &Ledger| -> Vec<String> {
        let found = Books::of(world).differences(ledger);
        found.into_iter().map(|found| found.field).collect()
    };
    assert_eq!(about(&world, &ledger), Vec::<String>::new());

    let edit = |world: &mut World, fields: serde_json::Value| {
        let account = world.vendor_mut::<netsuite::NetSuite>().unwrap();
        account.edit("salesOrder", &order, fields, now()).unwrap();
    };
    edit(&mut world, json!({"memo": "something else"}));
    assert_eq!(about(&world, &ledger), ["memo"]);
    edit(
        &mut world,
        json!({"memo": deal["Name"], "otherRefNum": "PO-0"}),
    );
    assert_eq!(about(&world, &ledger), ["purchase order"]);
    edit(&mut world, json!({"otherRefNum": deal["PO_Number__c"]}));
    assert_eq!(about(&world, &ledger), Vec::<String>::new());

    // One cent on one line.
    let mut lines = lines_of(&world, &deal);
    lines[0]["amount"] = json!("0.01");
    edit(&mut world, json!({"item": {"items": lines}}));
    assert_eq!(about(&world, &ledger), ["line 01 amount", "total"]);
    let lines = lines_of(&world, &deal);
    edit(&mut world, json!({"item": {"items": lines}}));
    assert_eq!(about(&world, &ledger), Vec::<String>::new());

    // Approved behind the script's back; then lost without being closed.
    edit(&mut world, json!({"orderStatus": {"id": "B"}}));
    assert_eq!(about(&world, &ledger), ["status"]);
    ledger.approved.insert(id.clone(), deal.clone());
    assert_eq!(about(&world, &ledger), Vec::<String>::new());
    ledger.approved.clear();
    let org = world.vendor_mut::<salesforce::Salesforce>().unwrap();
    org.edit(
        "Opportunity",
        &id,
        json!({"StageName": "Closed Lost"}),
        now(),
    )
    .unwrap();
    assert_eq!(about(&world, &ledger), ["status"]);
}

/// The only won opportunity, of a company without parents.
fn won_alone(world: &mut World) -> serde_json::Value {
    let org = world.vendor_mut::<salesforce::Salesforce>().unwrap();
    let query = "SELECT Id FROM Opportunity WHERE Account.ParentId = null AND PO_Number__c != null \
                 AND Account.Payment_Terms__c != null ORDER BY Id LIMIT 1";
    let id = org.select(query, now()).unwrap()[0]["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    org.edit(
        "Opportunity",
        &id,
        json!({"StageName": "Closed Won"}),
        now(),
    )
    .unwrap()
}

fn type_in(world: &mut World, deal: &serde_json::Value) -> String {
    let lists = |vendor: &str, kind: &str| world.named(vendor).unwrap().records(kind).unwrap();
    let account_id = deal["AccountId"].as_str().unwrap();
    let accounts = lists("salesforce", "Account");
    let account = accounts
        .iter()
        .find(|account| account["Id"] == account_id)
        .unwrap()
        .clone();
    let id = |kind: &str, field: &str, value: &serde_json::Value| {
        let records = lists("netsuite", kind);
        let found = records
            .iter()
            .find(|record| &record[field] == value)
            .unwrap();
        json!({"id": found["id"]})
    };
    let subsidiary = id("subsidiary", "externalId", &account["Subsidiary__c"]);
    let currency = id("currency", "symbol", &deal["CurrencyIsoCode"]);
    let terms = id("term", "name", &account["Payment_Terms__c"]);
    let lines = lines_of(world, deal);
    let books = world.vendor_mut::<netsuite::NetSuite>().unwrap();
    let customer = json!({
        "externalId": format!("salesforce:Account:{account_id}:customer"),
        "companyName": account["Name"], "entityId": account["AccountNumber"],
        "phone": account["Phone"], "subsidiary": subsidiary, "currency": currency, "terms": terms,
    });
    let customer = books.create("customer", customer, now()).unwrap();
    let opportunity = deal["Id"].as_str().unwrap();
    let order = json!({
        "externalId": format!("salesforce:Opportunity:{opportunity}:salesOrder"),
        "entity": {"id": customer["id"]}, "subsidiary": subsidiary, "currency": currency,
        "terms": terms, "tranDate": deal["CloseDate"], "otherRefNum": deal["PO_Number__c"],
        "memo": deal["Name"], "item": {"items": lines},
    });
    let order = books.create("salesOrder", order, now()).unwrap();
    let written = json!({
        "NetSuite_Order_Id__c": order["id"], "NetSuite_Order_Number__c": order["tranId"],
        "NetSuite_Order_Status__c": order["status"]["refName"],
    });
    let org = world.vendor_mut::<salesforce::Salesforce>().unwrap();
    org.edit("Opportunity", opportunity, written, now())
        .unwrap();
    order["id"].as_str().unwrap().to_owned()
}

fn lines_of(world: &World, deal: &serde_json::Value) -> Vec<serde_json::Value> {
    let mut lines = deal["OpportunityLineItems"]["records"]
        .as_array()
        .unwrap()
        .clone();
    lines.sort_by_key(|line| line["SortOrder"].as_i64());
    let kinds = ["inventoryItem", "nonInventorySaleItem", "serviceSaleItem"];
    let items: Vec<_> = kinds
        .iter()
        .flat_map(|kind| world.named("netsuite").unwrap().records(kind).unwrap())
        .collect();
    let line = |line: &serde_json::Value| {
        let item = items
            .iter()
            .find(|item| item["itemId"] == line["ProductCode"])
            .unwrap();
        json!({
            "item": {"id": item["id"]}, "quantity": line["Quantity"], "rate": line["UnitPrice"],
            "amount": line["TotalPrice"], "description": line["Description"],
            "expectedShipDate": line["ServiceDate"],
        })
    };
    lines.iter().map(line).collect()
}

#[test]
fn what_the_script_asks_of_nobody_is_an_error() {
    let mut world = World::new(1);
    assert!(matches!(
        Day::plan(1, &world, now()),
        Err(EditError::Unsupported)
    ));
    let lose = Act::Lose {
        id: "006000000000001AAA".to_owned(),
    };
    let pay = Act::Handle {
        name: "order 001".to_owned(),
        deed: crate::amazon::Deed::Pay,
        announced: true,
        once_booked: false,
    };
    for act in [lose, pay] {
        let at = std::time::Duration::ZERO;
        let mut performance = Performance::new(Day {
            events: vec![Event { at, act }],
        });
        assert!(performance.step(&mut world, LENGTH, now()).is_err());
    }
}
