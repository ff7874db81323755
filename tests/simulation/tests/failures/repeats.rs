//! What was taken for a repeat and was none, and the reverse.

use jiff::SignedDuration;
use serde_json::json;
use simulation::{Stage, minutes, race, seconds};

/// Records seen before were told by their id: every later change of one was dropped. n8n-io/n8n#21028
#[test]
fn an_update_is_dropped_as_seen_before() {
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.deliver_all();
    for change in ["first", "second", "third"] {
        stage.wait(minutes(1));
        stage.change(&deal, json!({ "PO_Number__c": change }));
        stage.deliver_all();
        assert_eq!(stage.order(&deal).unwrap()["otherRefNum"], change);
    }
    // And back to what it was once.
    stage.change(&deal, json!({ "PO_Number__c": "first" }));
    stage.rest();
    assert_eq!(stage.order(&deal).unwrap()["otherRefNum"], "first");
    stage.in_step();
}

/// Then they were told by id and change time: whatever touched a record made it fire again.
/// n8n-io/n8n#29107
#[test]
fn what_did_not_change_fires_again() {
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.rest();
    for round in 0..10 {
        // Touched, and nothing of it that an order knows.
        stage.change(&deal, json!({ "Description": format!("note {round}") }));
        stage.deliver_all();
        stage.wait(minutes(1));
        stage.tick();
    }
    assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), 1);
    assert_eq!(stage.asked("salesforce", "PATCH", "/Opportunity/"), 1);
    stage.in_step();
}

/// And two changes of one change time were one. n8n-io/n8n#30809
#[test]
fn the_second_of_two_changes_within_one_second_is_dropped() {
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.rest();
    // So long ago that nothing but the second change tells.
    stage.rest();
    let part = stage.now().subsec_nanosecond().unsigned_abs();
    stage.wait(seconds(1) - std::time::Duration::from_nanos(part.into()));
    stage.change(&deal, json!({ "PO_Number__c": "first" }));
    stage.sync(&deal);
    let first = stage.held("Opportunity", &deal);
    stage.change(&deal, json!({ "PO_Number__c": "second" }));
    let second = stage.held("Opportunity", &deal);
    assert_eq!(first["SystemModstamp"], second["SystemModstamp"]);
    stage.wait(minutes(1));
    stage.tick();
    assert_eq!(stage.order(&deal).unwrap()["otherRefNum"], "second");
    stage.in_step();
}

/// Jobs that ran at the same time each found no contact and each made one. getlago/lago-api#3801
#[test]
fn jobs_at_once_make_twin_customers() {
    for seed in 0..8 {
        let mut stage = Stage::new();
        // NetSuite refuses a second upsert that comes while the first one is being worked on.
        let window = Some(SignedDuration::from_millis(300));
        stage.books(|books, _| books.set_options(|options| options.upsert_race = window));
        let webhooks: Vec<_> = (0..3)
            .flat_map(|_| {
                stage.won();
                stage.posted()
            })
            .collect();
        let mut workers: Vec<_> = webhooks.iter().map(|one| stage.receiving(one)).collect();
        race(workers.iter_mut().collect(), seed);
        stage.wait(minutes(1));
        stage.rest();
        assert_eq!(stage.customers().len(), 1, "seed {seed}");
        assert_eq!(stage.asked("netsuite", "POST", "/customer"), 0);
        stage.in_step();
    }
}
