//! Webhooks that were accepted and lost, or ran several times.

use certify::{Kind, Misfortune};
use serde_json::json;
use simulation::{Stage, minutes, race};

/// A webhook was answered with 200, and its execution was lost when the process ended. n8n-io/n8n#6867
#[test]
fn an_acknowledged_webhook_is_lost_with_its_worker() {
    let mut acknowledged = 0;
    for step in (0..60).step_by(4) {
        let mut stage = Stage::new();
        let deal = stage.won();
        let webhook = stage.posted().pop().unwrap();
        let mut killed = stage.receiving(&webhook);
        for _ in 0..step {
            killed.step();
        }
        let number = killed.number;
        drop(killed);
        if stage.ground.answer(number).is_none() {
            continue;
        }
        acknowledged += 1;
        // Nobody but the queue may know of it: the schedule finds nothing new.
        let hold = "INSERT OR REPLACE INTO lease SELECT 'extract:opportunity-to-sales-order:' || stream, 1, \
            (SELECT max(hinted) + 3600000 FROM (SELECT hinted FROM queue UNION SELECT at FROM outcome)) \
            FROM (SELECT 'Opportunity' AS stream UNION SELECT 'OpportunityLineItem')";
        stage.ground.look(hold).unwrap();
        stage.wait(minutes(3));
        stage.tick();
        assert!(stage.order(&deal).is_some(), "killed after step {step}");
        stage.wait(minutes(60));
        stage.rest();
        stage.in_step();
    }
    assert!(acknowledged > 8);
}

/// A webhook was acknowledged that could not be kept.
#[test]
fn a_webhook_is_acknowledged_and_not_kept() {
    for misfortune in [Misfortune::Busy, Misfortune::AnswerLost] {
        let mut stage = Stage::new();
        let deal = stage.won();
        let webhook = stage.posted().pop().unwrap();
        let mut failing =
            stage
                .receiving(&webhook)
                .befall(Kind::SqlWrite, "INSERT INTO queue", 0, misfortune);
        let answer = failing.answered().unwrap();
        assert_eq!(answer.status(), 503, "{misfortune}");
        // Its sender tries again.
        stage.report(&webhook, Some(&answer));
        stage.wait(minutes(3));
        stage.deliver_all();
        assert!(stage.order(&deal).is_some());
        stage.rest();
        stage.in_step();
    }
}

/// One webhook set off several executions, each of which did everything. n8n-io/n8n#31837, n8n-io/n8n#23807
#[test]
fn one_webhook_runs_several_times() {
    for seed in 0..6 {
        let mut stage = Stage::new();
        let deal = stage.won();
        stage.change(&deal, json!({ "PO_Number__c": "same" }));
        let webhooks = stage.posted();
        let sent = webhooks.iter().flat_map(|webhook| [webhook; 3]);
        let mut workers: Vec<_> = sent.map(|webhook| stage.receiving(webhook)).collect();
        race(workers.iter_mut().collect(), seed);
        assert_eq!(
            stage.asked("netsuite", "PUT", "/salesOrder/"),
            1,
            "seed {seed}"
        );
        assert_eq!(stage.asked("salesforce", "PATCH", "/Opportunity/"), 1);
        stage.rest();
        stage.in_step();
    }
}
