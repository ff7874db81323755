//! Clocks that are wrong, and days that are not as long as others.

use certify::{Kind, Misfortune};
use jiff::SignedDuration;
use serde_json::json;
use simulation::{Stage, TICK, hours, minutes};

#[test]
fn a_workers_clock_jumps_ahead_of_another_workers_lease() {
    // Fast by more than a lease: it takes over from a worker that rightly thinks it has time left.
    for touching in [
        "PUT /services/rest/record/v1/salesOrder",
        "PATCH /services/data",
    ] {
        let mut stage = Stage::new();
        let deal = stage.won();
        let mut rightful = stage.syncing(&deal).stopping_at(Kind::Request, touching);
        assert!(rightful.go());
        stage.change(&deal, json!({ "PO_Number__c": "newer" }));
        let mut fast = stage.syncing(&deal);
        stage
            .ground
            .drift(fast.number, SignedDuration::from_mins(4));
        assert_ne!(fast.done()["state"], "in_work");
        // The rightful one writes what it had read before the change.
        rightful.done();
        stage.rest();
        stage.in_step();
    }
}

#[test]
fn a_workers_clock_jumps_forward_and_backward() {
    let jumps = [
        SignedDuration::from_mins(4),
        SignedDuration::from_mins(-4),
        SignedDuration::from_hours(1),
        SignedDuration::from_hours(-1),
        SignedDuration::from_hours(24),
        SignedDuration::from_hours(-24),
        SignedDuration::from_hours(24 * 365),
        SignedDuration::from_hours(-24 * 365),
    ];
    for jump in jumps {
        let mut stage = Stage::new();
        stage.won();
        let mut wrong = stage.ticking();
        stage.ground.drift(wrong.number, jump);
        wrong.done();
        // The watermark is the source's time, whatever the worker thinks it is.
        let cursor = stage.status()["cursor"]["streams"]["Opportunity"].clone();
        let complete = cursor["complete"].as_str().unwrap().parse().unwrap();
        let off: SignedDuration = stage.now().duration_since(complete);
        assert!(
            (0..=TICK.as_secs() as i64).contains(&off.as_secs()),
            "{jump}: {cursor}"
        );
        stage.wait(TICK);
        stage.won();
        stage.rest();
        stage.in_step();
    }
}

#[test]
fn a_worker_dies_whose_clock_was_years_ahead() {
    let mut stage = Stage::new();
    let deal = stage.won();
    let mut dying = stage.syncing(&deal).befall(
        Kind::Request,
        "GET /services/rest/record/v1/customer",
        0,
        Misfortune::CrashBefore,
    );
    let years = SignedDuration::from_hours(10 * 365 * 24);
    stage.ground.drift(dying.number, years);
    dying.go();
    stage.rest();
    stage.in_step();
}

#[test]
fn a_clock_jumps_in_the_middle_of_a_run() {
    for minutes_ahead in [-600, -4, 4, 600] {
        let mut stage = Stage::new();
        for _ in 0..3 {
            stage.won();
        }
        let mut jumping = stage
            .ticking()
            .stopping_at(Kind::Request, "PUT /services/rest/record/v1/salesOrder");
        assert!(jumping.go());
        let jump = SignedDuration::from_mins(minutes_ahead);
        stage.ground.drift(jumping.number, jump);
        jumping.go();
        stage.wait(hours(1));
        stage.rest();
        stage.in_step();
    }
}

#[test]
fn a_moments_day_is_the_accounts_over_changes_of_clocks_and_ends_of_months() {
    // In New York the clocks go forward on 8 March 2026 at 7:00Z and back on 1 November 2026 at 6:00Z.
    for (moment, day) in [
        ("2026-02-01T04:59:00Z", "2026-01-31"),
        ("2026-02-01T05:01:00Z", "2026-02-01"),
        ("2026-03-01T04:30:00Z", "2026-02-28"),
        ("2026-03-08T04:59:00Z", "2026-03-07"),
        ("2026-03-08T05:01:00Z", "2026-03-08"),
        ("2026-03-09T03:59:00Z", "2026-03-08"),
        ("2026-03-09T04:01:00Z", "2026-03-09"),
        ("2026-04-01T03:59:00Z", "2026-03-31"),
        ("2026-11-01T03:59:00Z", "2026-10-31"),
        ("2026-11-02T04:59:00Z", "2026-11-01"),
        ("2026-11-02T05:01:00Z", "2026-11-02"),
        ("2027-01-01T04:59:00Z", "2026-12-31"),
    ] {
        let mut stage = Stage::fresh(moment);
        stage.map(
            r#"{ from = "CloseDate", as = "date" }"#,
            r#"{ from = "CreatedDate", as = "date" }"#,
        );
        let deal = stage.won();
        stage.sync(&deal);
        assert_eq!(stage.order(&deal).unwrap()["tranDate"], day, "{moment}");
    }
}

#[test]
fn a_day_without_a_time_stays_that_day_in_every_zone() {
    for zone in [
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "America/New_York",
    ] {
        let mut stage = Stage::fresh("2026-03-31T23:30:00Z");
        stage.map("America/New_York", zone);
        let buyer = stage.buyer.clone();
        let closed = json!({ "StageName": "Closed Won", "CloseDate": "2026-03-31" });
        let deal = stage.deal_with(&buyer, &[0], closed);
        stage.sync(&deal);
        assert_eq!(
            stage.order(&deal).unwrap()["tranDate"],
            "2026-03-31",
            "{zone}"
        );
    }
}

#[test]
fn ticks_go_on_over_changes_of_clocks() {
    // What comes in the hour that there is twice, and around the one that is left out.
    for (begins, zone) in [
        ("2026-11-01T04:00:00Z", "America/New_York"),
        ("2026-03-08T05:30:00Z", "America/New_York"),
        ("2026-10-25T00:00:00Z", "Europe/Berlin"),
    ] {
        let mut stage = Stage::fresh(begins);
        stage.map("America/New_York", zone);
        stage.tick();
        for _ in 0..15 {
            stage.wait(minutes(7));
            stage.won();
            stage.wait(minutes(7));
            stage.tick();
        }
        stage.rest();
        assert_eq!(stage.orders().len(), 15);
        stage.in_step();
    }
}
