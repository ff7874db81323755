//! Listings that change while they are read, and records that show late.

use std::cell::RefCell;

use certify::{Kind, Misfortune};
use serde_json::json;
use simulation::{Stage, TICK, id, minutes, seconds};

/// More than one page of a listing.
const MANY: usize = 130;

#[test]
fn a_change_becomes_visible_after_the_cursor_has_passed_its_time() {
    let mut stage = Stage::new();
    let deal = stage.deal();
    stage.rest();
    // A long transaction: the change bears the time of its statement, and shows when all is committed.
    let at = stage.now();
    stage.wait(minutes(3));
    stage.tick();
    let won = json!({ "StageName": "Closed Won" });
    stage
        .org(|org, _| org.user_change("Opportunity", id(&deal), won, at))
        .unwrap();
    stage.wait(seconds(30));
    stage.tick();
    assert!(stage.order(&deal).is_some());
    stage.in_step();
}

#[test]
fn a_line_becomes_visible_after_the_cursor_has_passed_its_time() {
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.rest();
    let at = stage.now();
    stage.wait(minutes(3));
    stage.tick();
    // Its opportunity's amount, and so its change time, stays as it is: only the line tells.
    let line = stage.records("salesforce", "OpportunityLineItem")[0]["Id"].clone();
    let described = json!({ "Description": "late" });
    let line = id(line.as_str().unwrap());
    stage
        .org(|org, _| org.user_change("OpportunityLineItem", line, described, at))
        .unwrap();
    stage.wait(seconds(30));
    stage.tick();
    assert_eq!(
        stage.order(&deal).unwrap()["item"]["items"][0]["description"],
        "late"
    );
    stage.in_step();
}

#[test]
fn more_than_a_page_of_records_changed_in_the_same_second() {
    let mut stage = Stage::new();
    for _ in 0..MANY {
        stage.won();
    }
    stage.rest();
    assert_eq!(stage.orders().len(), MANY);
    assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), MANY);
    stage.in_step();
}

#[test]
fn pages_shift_while_they_are_read() {
    let mut stage = Stage::new();
    let mut deals = Vec::new();
    for _ in 0..MANY {
        deals.push(stage.won());
        stage.wait(seconds(1));
    }
    let mut walking = stage
        .ticking()
        .befall(Kind::Request, "/queryAll", 1, Misfortune::Stall);
    walking.go();
    // What was read moves behind what is to be read, what is to be read leaves the window or goes.
    for deal in [&deals[0], &deals[50], &deals[101], &deals[120]] {
        stage.change(deal, json!({ "PO_Number__c": "moved" }));
    }
    stage.delete("Opportunity", &deals[110]);
    stage.change(&deals[111], json!({ "StageName": "Closed Lost" }));
    let before = stage.won();
    walking.go();
    stage.wait(TICK);
    stage.rest();
    assert_eq!(stage.orders().len(), MANY - 1);
    assert!(stage.order(&before).is_some());
    assert_eq!(stage.order(&deals[120]).unwrap()["otherRefNum"], "moved");
    stage.in_step();
}

#[test]
fn a_replica_answers_with_an_older_state_than_was_announced() {
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.rest();
    stage.posted();
    // The replica is at what it answered first, until it has caught up.
    let old = RefCell::new(None);
    let of = format!("Id+%3D+%27{deal}%27");
    stage.tamper(move |request, response| {
        if !request.uri().to_string().contains(&of) {
            return response;
        }
        old.borrow_mut().get_or_insert(response).clone()
    });
    stage.sync(&deal);
    stage.wait(seconds(5));
    stage.change(&deal, json!({ "PO_Number__c": "newer" }));
    let webhook = stage.posted().pop().unwrap();
    assert_eq!(stage.deliver(&webhook), 200);
    assert_eq!(
        stage.status()["retrying"][0]["fault"]["code"],
        "SOURCE_STALE"
    );
    stage.untamper();
    stage.wait(minutes(1));
    stage.tick();
    assert_eq!(stage.order(&deal).unwrap()["otherRefNum"], "newer");
    stage.in_step();
}
