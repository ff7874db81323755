//! Cursors that skip, forget or start over.

use std::cell::Cell;
use std::rc::Rc;

use certify::{Kind, Misfortune};
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};
use simulation::{MORNING, Stage, TICK, Went, Worker, days, hours, minutes, seconds};

/// The time up to which a stage's flow has seen every opportunity.
fn watermark(stage: &Stage) -> Timestamp {
    let complete = &stage.status()["cursor"]["streams"]["Opportunity"]["complete"];
    complete.as_str().unwrap().parse().unwrap()
}

/// A source kept its cursor as a day in the account's time zone; what changed later on the day that another
/// zone had already ended was never read again. airbytehq/airbyte#79653
///
/// NetSuite is no source here yet: this is the cursor that every source shares.
#[test]
fn a_cursor_is_cut_to_a_day_of_the_accounts_time_zone() {
    for zone in ["Pacific/Auckland", "America/Los_Angeles"] {
        // Over midnight in both zones and at Greenwich.
        let mut stage = Stage::fresh("2026-06-02T05:30:00Z");
        stage.map("America/New_York", zone);
        stage.tick();
        for _ in 0..26 {
            stage.wait(minutes(55));
            stage.won();
            stage.wait(minutes(5));
            let at = stage.now();
            stage.tick();
            let off = watermark(&stage).duration_since(at).abs();
            assert!(off.as_secs() < 60, "{zone}: {off}");
        }
        assert_eq!(stage.orders().len(), 26);
        stage.in_step();
    }
}

/// Dates came in the form that the account's user preferred, and were read or written in another: not at
/// all, or with day and month swapped. airbytehq/airbyte#21871, airbytehq/airbyte#55206
#[test]
fn a_day_and_a_month_are_swapped() {
    let mut stage = Stage::new();
    let buyer = stage.buyer.clone();
    for (close, lines) in [
        ("2026-04-03", [0]),
        ("2026-12-01", [1]),
        ("2028-02-29", [2]),
    ] {
        let fields = json!({ "StageName": "Closed Won", "CloseDate": close });
        let deal = stage.deal_with(&buyer, &lines, fields);
        stage.sync(&deal);
        assert_eq!(stage.order(&deal).unwrap()["tranDate"], close);
    }
    stage.in_step();
}

/// Many records bore one change time: a cursor of the time alone lost the rest of them at a page's end, asked
/// for the same page for ever, or took them all again. airbytehq/airbyte#27146, airbytehq/airbyte#17148,
/// airbytehq/airbyte#20471
#[test]
fn records_of_one_change_time_are_lost_doubled_or_listed_for_ever() {
    let mut stage = Stage::new();
    let buyer = stage.buyer.clone();
    for _ in 0..229 {
        stage.deal_with(&buyer, &[], json!({}));
    }
    let last = stage.won();
    let before = stage.asked("salesforce", "GET", "/queryAll");
    let report = stage.tick();
    let read = ["read", "skipped", "created"].map(|name| report[name].as_u64().unwrap());
    // And the last one's line.
    assert_eq!(read, [231, 229, 1], "{report}");
    let asked = stage.asked("salesforce", "GET", "/queryAll") - before;
    assert!(
        asked < 10,
        "three pages, the lines, and the last one's own: {asked}"
    );
    assert!(stage.order(&last).is_some());
    // Once more within the overlap, and never again.
    stage.wait(TICK);
    stage.tick();
    stage.wait(TICK);
    assert_eq!(stage.tick()["read"], 0);
    stage.in_step();
}

/// A record became visible after its change time had been passed, and was never read. airbytehq/airbyte#42537
#[test]
fn a_record_that_shows_late_is_lost() {
    let stage = Stage::new();
    stage.rest();
    let at = stage.now();
    stage.wait(minutes(4));
    stage.tick();
    // Committed now, by a transaction that began four minutes ago.
    let buyer = stage.buyer.clone();
    let fields = json!({
        "Name": "Late", "AccountId": buyer, "CurrencyIsoCode": "USD", "StageName": "Closed Lost",
        "CloseDate": "2026-06-30",
    });
    let late = stage
        .org(|org, _| org.user_create("Opportunity", fields, at))
        .unwrap();
    stage.wait(seconds(20));
    let report = stage.tick();
    assert_eq!(
        (&report["read"], &report["skipped"]),
        (&json!(1), &json!(1)),
        "{late}: {report}"
    );
}

/// A first load left out, without a word, all that was older than two years. airbytehq/airbyte#37528
#[test]
fn a_first_load_leaves_out_what_is_old() {
    let mut stage = Stage::fresh("2020-03-02T10:00:00Z");
    let deal = stage.won();
    stage.wait_until("2026-06-02T10:00:00Z");
    stage.map(
        r#"# start_at = "2026-01-01T00:00:00Z""#,
        r#"start_at = "2020-01-01T00:00:00Z""#,
    );
    stage.rest();
    assert!(stage.order(&deal).is_some());
    stage.in_step();
}

/// A source told of changes by a log of events that goes back thirty days; who was away for longer, or missed
/// one, never heard of them. airbytehq/airbyte#31917, airbytehq/airbyte#32976, airbytehq/airbyte#65911
///
/// Stripe is no source here yet: shown is that events only hint, and that the source itself is asked what
/// changed since.
#[test]
fn an_outage_is_longer_than_the_vendors_memory_of_events() {
    let mut stage = Stage::new();
    let (changed, lost, open) = (stage.won(), stage.won(), stage.deal());
    stage.rest();
    stage.wait(days(2));
    stage.change(&changed, json!({ "PO_Number__c": "during the outage" }));
    stage.change(&lost, json!({ "StageName": "Negotiation/Review" }));
    stage.win(&open);
    let missed = stage.won();
    // Every webhook was given up long ago.
    for _ in 0..40 {
        stage.wait(days(1));
        for webhook in stage.posted() {
            stage.report(&webhook, None);
        }
    }
    assert_eq!(stage.posted().len(), 0);
    stage.rest();
    assert_eq!(
        stage.order(&changed).unwrap()["otherRefNum"],
        "during the outage"
    );
    assert!(stage.is_closed(&lost));
    assert!(stage.order(&open).is_some() && stage.order(&missed).is_some());
    assert_eq!(stage.orders().len(), 4);
}

/// After an outage a backfill ran everything again, what had not been missed, too. kestra-io/kestra#13873
#[test]
fn a_backfill_runs_what_was_not_missed() {
    let mut stage = Stage::new();
    for _ in 0..3 {
        stage.won();
    }
    stage.rest();
    stage.rest();
    stage.won();
    stage.wait(days(3));
    let report = stage.tick();
    assert_eq!(
        (&report["read"], &report["created"]),
        (&json!(2), &json!(1)),
        "{report}"
    );
    stage.wait(TICK);
    // And where somebody sets the cursor back on purpose, all is read and nothing is written.
    let before = stage.asked("netsuite", "PUT", "");
    stage.map(
        r#"# start_at = "2026-01-01T00:00:00Z""#,
        r#"start_at = "2026-06-02T00:00:00Z""#,
    );
    for stream in ["Opportunity", "OpportunityLineItem"] {
        let key = format!("cursor:opportunity-to-sales-order:{stream}");
        stage.ground.forget(&key);
    }
    let report = stage.tick();
    assert_eq!(report["read"], 8, "four, and their lines: {report}");
    assert_eq!(stage.asked("netsuite", "PUT", ""), before);
    stage.in_step();
}

/// After an outage every missed run started at once. kestra-io/kestra#3000
#[test]
fn missed_runs_stampede() {
    let mut stage = Stage::new();
    stage.map("concurrency_max = 10", "concurrency_max = 3");
    for _ in 0..12 {
        stage.won();
    }
    stage.wait(days(1));
    let mut ticks: Vec<Worker> = (0..8).map(|_| stage.ticking()).collect();
    let mut chance = Rng::with_seed(1);
    let mut most = 0;
    while !ticks.is_empty() {
        let at = chance.usize(0..ticks.len());
        if ticks[at].step() == Went::Ended {
            ticks.swap_remove(at);
        }
        let in_work = "SELECT 1 FROM queue WHERE lease IS NOT NULL";
        let in_work = stage.ground.look(in_work).unwrap().rows.len();
        most = most.max(in_work);
    }
    assert_eq!(most, 3, "records in work at once");
    stage.rest();
    let listings = stage.asked("salesforce", "GET", "FROM+Opportunity+WHERE+SystemModstamp");
    assert!(
        listings < 12,
        "eight runs have not listed eight times each: {listings}"
    );
    assert_eq!(stage.asked("netsuite", "PUT", "/salesOrder/"), 12);
    stage.in_step();
}

/// A first load kept no place until it had ended, and so began anew with every interruption.
/// redpanda-data/connect#4257
#[test]
fn a_first_load_begins_anew_with_every_interruption() {
    let mut stage = Stage::fresh(MORNING);
    let buyer = stage.buyer.clone();
    for _ in 0..310 {
        stage.deal_with(&buyer, &[], json!({}));
    }
    let last = stage.won();
    stage.map(
        r#"# start_at = "2026-01-01T00:00:00Z""#,
        r#"start_at = "2026-06-01T00:00:00Z""#,
    );
    stage.wait(hours(1));
    let asked = Rc::new(Cell::new(0));
    let counted = asked.clone();
    stage.tamper(move |request, response| {
        let listing = request.uri().to_string().contains("SystemModstamp+%3E%3D");
        counted.set(counted.get() + usize::from(listing));
        response
    });
    // Each run is killed as soon as it has read one page; the first gives both streams a place before that.
    for nth in [2, 0, 0, 0] {
        let mut killed =
            stage
                .ticking()
                .befall(Kind::KeyValueWrite, "cursor:", nth, Misfortune::CrashAfter);
        killed.go();
        stage.wait(TICK);
    }
    let report = stage.tick();
    assert!(stage.order(&last).is_some());
    assert_eq!(asked.get(), 7, "four pages, and the lines three times");
    assert_eq!(report["fault"], Value::Null);
}
