//! Webhooks as networks bring them.

use serde_json::json;
use simulation::{Stage, days, hours, minutes, race, seconds};

#[test]
fn a_webhook_comes_twice() {
    let mut stage = Stage::new();
    let deal = stage.won();
    let webhook = stage.posted().pop().unwrap();
    assert_eq!(stage.deliver(&webhook), 200);
    assert_eq!(stage.deliver(&webhook), 200);
    assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), 1);
    assert!(stage.order(&deal).is_some());
    stage.rest();
    stage.in_step();
}

#[test]
fn a_webhook_comes_twice_at_once() {
    for seed in 0..8 {
        let mut stage = Stage::new();
        let deal = stage.won();
        let webhook = stage.posted().pop().unwrap();
        let (mut one, mut other) = (stage.receiving(&webhook), stage.receiving(&webhook));
        race(vec![&mut one, &mut other], seed);
        assert_eq!(
            stage.asked("netsuite", "PUT", "/salesOrder/"),
            1,
            "seed {seed}"
        );
        assert!(stage.order(&deal).is_some());
        stage.rest();
        stage.in_step();
    }
}

#[test]
fn webhooks_overtake_each_other() {
    let mut stage = Stage::new();
    let deal = stage.won();
    let mut webhooks = stage.posted();
    for change in ["first", "second", "third"] {
        stage.wait(seconds(2));
        stage.change(&deal, json!({ "PO_Number__c": change }));
        webhooks.extend(stage.posted());
    }
    assert_eq!(webhooks.len(), 4);
    for webhook in webhooks.iter().rev() {
        assert_eq!(stage.deliver(webhook), 200);
    }
    assert_eq!(stage.order(&deal).unwrap()["otherRefNum"], "third");
    assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), 1);
    stage.rest();
    stage.in_step();
}

#[test]
fn a_webhook_comes_a_day_late() {
    let mut stage = Stage::new();
    let deal = stage.won();
    let late = stage.posted().pop().unwrap();
    stage.rest();
    stage.wait(hours(10));
    stage.change(&deal, json!({ "PO_Number__c": "of the evening" }));
    stage.rest();
    stage.wait(hours(14));
    let before = stage.asked("netsuite", "PUT", "/salesOrder/");
    assert_eq!(stage.deliver(&late), 200);
    assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), before);
    stage.in_step();
}

#[test]
fn a_webhook_of_a_deal_lost_since_comes_a_day_late() {
    let mut stage = Stage::new();
    let deal = stage.won();
    let late = stage.posted().pop().unwrap();
    stage.wait(minutes(5));
    stage.change(&deal, json!({ "StageName": "Closed Lost" }));
    stage.wait(days(1));
    assert_eq!(stage.deliver(&late), 200);
    assert!(
        stage.order(&deal).is_none(),
        "nothing is made of it any more"
    );
    stage.rest();
    stage.in_step();
}

#[test]
fn webhooks_are_lost_and_the_schedule_finds_what_they_told() {
    let mut stage = Stage::new();
    let (one, other) = (stage.won(), stage.won());
    drop(stage.posted());
    stage.wait(days(3));
    stage.change(&one, json!({ "PO_Number__c": "newer" }));
    stage.change(&other, json!({ "StageName": "Closed Lost" }));
    drop(stage.posted());
    stage.rest();
    assert_eq!(stage.order(&one).unwrap()["otherRefNum"], "newer");
    stage.in_step();
}

#[test]
fn the_echo_of_our_own_write_back_ends() {
    let mut stage = Stage::new();
    let deal = stage.won();
    // Webhooks tell of our own write-back, and the schedule finds it.
    for _ in 0..6 {
        stage.deliver_all();
        stage.tick();
        stage.wait(minutes(1));
    }
    assert_eq!(
        stage.held("Opportunity", &deal)["NetSuite_Order_Number__c"],
        "SO1001"
    );
    assert_eq!(stage.asked("salesforce", "PATCH", "/Opportunity/"), 1);
    assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), 1);
    assert_eq!(stage.posted().len(), 0);
    stage.in_step();
}
