//! Workers that end in the middle, or come back too late.

use certify::{Kind, Misfortune};
use serde_json::json;
use simulation::{Stage, TICK, minutes};

/// A worker was slow, its job was given to another one, and both finished it. windmill-labs/windmill#9214
#[test]
fn a_slow_worker_finishes_what_was_given_to_another() {
    let mut stage = Stage::new();
    let deal = stage.won();
    let put = "PUT /services/rest/record/v1/salesOrder";
    let mut slow = stage
        .syncing(&deal)
        .stopping_at(Kind::Request, "GET /services/rest/record/v1/salesOrder");
    assert!(slow.go());
    stage.wait(minutes(3));
    stage.change(&deal, json!({ "PO_Number__c": "newer" }));
    assert_eq!(stage.sync(&deal)["state"], "created");
    let puts = |stage: &Stage| {
        let steps = stage.ground.steps();
        steps
            .iter()
            .filter(|step| step.label.starts_with(put))
            .count()
    };
    assert_eq!(puts(&stage), 1);
    let said = slow.done();
    assert_eq!(said["taken_over"], true, "{said}");
    assert_eq!(puts(&stage), 1, "it sent nothing any more");
    assert_eq!(stage.order(&deal).unwrap()["otherRefNum"], "newer");
    stage.rest();
    stage.in_step();
}

/// A restart dropped the messages that were in work. node-red/node-red#2864, node-red/node-red#1259
#[test]
fn a_restart_drops_what_was_in_work() {
    for step in (0..120).step_by(9) {
        let mut stage = Stage::new();
        for _ in 0..3 {
            stage.won();
        }
        let mut stopped = stage.ticking();
        for _ in 0..step {
            stopped.step();
        }
        drop(stopped);
        // Nothing is left of it but the stores; leases run out.
        stage.wait(minutes(6));
        stage.rest();
        assert_eq!(stage.orders().len(), 3, "stopped after step {step}");
        stage.in_step();
    }
}

/// The same in the narrowest place: the cursor has passed the page, and nobody has begun to work on it.
#[test]
fn a_restart_drops_what_the_cursor_has_passed() {
    let mut stage = Stage::new();
    let deals: Vec<String> = (0..3).map(|_| stage.won()).collect();
    stage.rest();
    stage.rest();
    // Of this only the opportunities themselves tell, not their lines.
    for deal in &deals {
        stage.change(deal, json!({ "PO_Number__c": "newer" }));
    }
    // Longer than any overlap.
    stage.wait(TICK);
    let mut stopped =
        stage
            .ticking()
            .befall(Kind::KeyValueWrite, "cursor:", 0, Misfortune::CrashAfter);
    assert!(!stopped.go());
    stage.wait(TICK);
    stage.rest();
    stage.in_step();
}
