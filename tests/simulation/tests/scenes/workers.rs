//! Workers that are slow, die, race each other, or come first.

use certify::{Kind, Misfortune};
use serde_json::json;
use simulation::{MORNING, Stage, TICK, Worker, minutes, race};

/// Longer than a worker may hold a record.
const PAST_LEASE: u64 = 3;

/// Where a worker can stand still between its look at the record and its end.
const STANDSTILLS: [(Kind, &str); 6] = [
    (Kind::Request, "GET /services/rest/record/v1/salesOrder/eid"),
    (Kind::Request, "PUT /services/rest/record/v1/salesOrder"),
    (Kind::Request, "GET /services/rest/record/v1/salesOrder/"),
    (Kind::KeyValueWrite, "link:salesforce:Opportunity"),
    (Kind::Request, "PATCH /services/data"),
    (Kind::SqlWrite, "UPDATE queue SET due"),
];

#[test]
fn a_slow_worker_finishes_after_its_lease_was_taken_over() {
    for (kind, touching) in STANDSTILLS {
        let mut stage = Stage::new();
        let deal = stage.won();
        let mut slow = stage.syncing(&deal).stopping_at(kind, touching);
        assert!(slow.go(), "{touching}");
        stage.wait(minutes(PAST_LEASE));
        stage.change(&deal, json!({ "PO_Number__c": "newer" }));
        let taken_over = stage.sync(&deal);
        assert_eq!(taken_over["taken_over"], false, "{touching}: {taken_over}");
        assert_eq!(slow.done()["taken_over"], true, "{touching}");
        stage.rest();
        stage.in_step();
    }
}

#[test]
fn a_slow_worker_leaves_word_of_what_it_wrote_after_it_was_taken_over() {
    // Its link says that the first state was applied, when the second one was: unless it is doubted, the
    // first state is never applied again.
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.change(&deal, json!({ "PO_Number__c": "first" }));
    let mut slow = stage
        .syncing(&deal)
        .stopping_at(Kind::KeyValueWrite, "link:salesforce:Opportunity");
    assert!(slow.go());
    stage.change(&deal, json!({ "PO_Number__c": "second" }));
    stage.wait(TICK);
    stage.rest();
    // So long that nothing is listed any more that would show it.
    stage.rest();
    stage.in_step();
    assert!(!slow.go());
    stage.rest();
    stage.in_step();
    stage.change(&deal, json!({ "PO_Number__c": "first" }));
    stage.rest();
    stage.in_step();
}

#[test]
fn a_slow_worker_finishes_after_the_item_was_deleted_and_hinted_anew() {
    let mut stage = Stage::new();
    let deal = stage.won();
    let mut slow = stage
        .syncing(&deal)
        .stopping_at(Kind::SqlWrite, "UPDATE queue SET due");
    assert!(slow.go());
    stage.wait(minutes(PAST_LEASE));
    stage.sync(&deal);
    // Nothing comes in between but the newer hint itself: its worker dies with the item in hand.
    stage.posted();
    stage.change(&deal, json!({ "PO_Number__c": "newer" }));
    let webhook = stage.posted().pop().unwrap();
    let mut dying =
        stage
            .receiving(&webhook)
            .befall(Kind::KeyValueRead, "link:", 0, Misfortune::CrashBefore);
    assert!(!dying.go());
    assert_eq!(slow.done()["taken_over"], true);
    let queued = stage.ground.look("SELECT id FROM queue").unwrap().rows;
    assert_eq!(queued.len(), 1, "the newer hint is still to be worked on");
    stage.wait(minutes(PAST_LEASE));
    stage.rest();
    stage.in_step();
}

#[test]
fn a_change_taken_back_after_a_crash_is_taken_back_in_the_order_too() {
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.change(&deal, json!({ "PO_Number__c": "right" }));
    stage.rest();
    stage.change(&deal, json!({ "PO_Number__c": "a mistake" }));
    // The order has the mistake, and nobody remembers having written it.
    let mut dying = stage.syncing(&deal).befall(
        Kind::Request,
        "PUT /services/rest/record/v1/salesOrder",
        0,
        Misfortune::CrashAfter,
    );
    assert!(!dying.go());
    assert_eq!(stage.order(&deal).unwrap()["otherRefNum"], "a mistake");
    stage.change(&deal, json!({ "PO_Number__c": "right" }));
    stage.wait(minutes(PAST_LEASE));
    stage.rest();
    stage.in_step();
}

#[test]
fn a_dead_workers_request_takes_effect_late() {
    let mut stage = Stage::new();
    let deal = stage.won();
    stage.rest();
    stage.change(&deal, json!({ "PO_Number__c": "old" }));
    // The vendor works on the request for four minutes; its sender is killed meanwhile.
    let mut dying = stage
        .syncing(&deal)
        .befall(
            Kind::Request,
            "PUT /services/rest/record/v1/salesOrder",
            0,
            Misfortune::TakesEffectLate,
        )
        .befall(
            Kind::SqlWrite,
            "UPDATE queue SET due",
            0,
            Misfortune::CrashBefore,
        );
    assert!(!dying.go());
    stage.wait(minutes(PAST_LEASE));
    stage.change(&deal, json!({ "PO_Number__c": "new" }));
    stage.sync(&deal);
    stage.rest();
    stage.in_step();
}

#[test]
fn two_first_callers_migrate_at_once() {
    // One stands still before each of its first steps in turn, the other runs from beginning to end.
    for spared in 0..16 {
        let stage = Stage::fresh(MORNING);
        let mut first = stage.ticking();
        for _ in 0..spared {
            first.step();
        }
        assert_eq!(stage.tick()["fault"], json!(null), "after {spared}");
        let report = first.done();
        assert_eq!(report["fault"], json!(null), "after {spared}: {report}");
    }
    // Or chance decides whose step is next.
    for seed in 0..12 {
        let mut stage = Stage::fresh(MORNING);
        let (mut one, mut other) = (stage.ticking(), stage.ticking());
        race(vec![&mut one, &mut other], seed);
        for worker in [&mut one, &mut other] {
            let report = worker.done();
            assert_eq!(report["fault"], json!(null), "seed {seed}: {report}");
        }
        stage.wait(TICK);
        stage.won();
        stage.rest();
        stage.in_step();
    }
}

#[test]
fn ticks_overlap() {
    for seed in 0..6 {
        let mut stage = Stage::new();
        for _ in 0..5 {
            stage.won();
        }
        let mut ticks: Vec<Worker> = (0..3).map(|_| stage.ticking()).collect();
        race(ticks.iter_mut().collect(), seed);
        let reports: Vec<_> = ticks.iter_mut().map(Worker::done).collect();
        let created = reports
            .iter()
            .map(|report| report["created"].as_u64().unwrap());
        let orders = created.sum::<u64>();
        assert_eq!(orders, 5, "seed {seed}: {reports:#?}");
        assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), 5);
        stage.rest();
        stage.in_step();
    }
}

#[test]
fn tokens_expire_in_the_middle_of_a_page_walk() {
    let mut stage = Stage::new();
    let bearer = "client_credentials".to_owned();
    stage.variables.insert("netsuite_auth".to_owned(), bearer);
    for _ in 0..120 {
        stage.deal();
    }
    let last = stage.won();
    let mut walking = stage
        .ticking()
        .befall(Kind::Request, "/queryAll", 1, Misfortune::Stall);
    assert!(walking.go(), "there is a second page");
    stage.org(|org, _| org.end_sessions());
    stage.books(|books, _| books.expire_tokens());
    let report = walking.done();
    assert_eq!(
        (&report["ended"], &report["fault"]),
        (&json!("done"), &json!(null))
    );
    assert!(stage.order(&last).is_some());
    stage.in_step();
}
