//! Old records are brought in line beside the live flow.

use engine::{Budget, Decided, PastRange, Refusal};
use futures::FutureExt;
use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_core::ports::Clock;

use crate::fake::{House, external};
use engine::store::By;

fn won(total: &str) -> Value {
    json!({ "stage": "won", "total": total })
}

/// A house with so many deals, three hours apart, all older than its first run.
fn with_past(count: usize) -> (House, Timestamp, Timestamp) {
    let house = House::new();
    let from = house.clock_now();
    for number in 0..count {
        house
            .systems
            .edit("Deal", &format!("D{number:03}"), won("1"));
        house.wait(3 * 3600);
    }
    let to = house.clock_now();
    house.wait(3600);
    house.run();
    assert_eq!(
        house.systems.target.borrow().len(),
        0,
        "the live flow begins now"
    );
    (house, from, to)
}

fn backfill(house: &House, from: Timestamp, to: Timestamp, records: usize) -> Decided {
    let budget = Budget {
        until: house.clock.now() + SignedDuration::from_secs(20),
        records,
    };
    let range = PastRange {
        from,
        to,
        anew: false,
    };
    asked(house, &range, budget)
}

fn asked(house: &House, range: &PastRange, budget: Budget) -> Decided {
    let by = By::named(Some("rosa"), None);
    block_on(house.worker().backfill(range, &by, budget)).unwrap()
}

#[test]
fn a_past_range_is_brought_in_line_and_the_live_cursor_stays() {
    let (house, from, to) = with_past(30);
    let before = house.status()["cursor"].clone();
    let report = backfill(&house, from, to, 1000).unwrap();
    assert_eq!(
        (&report["created"], &report["ended"]),
        (&json!(30), &json!("done")),
        "{report}"
    );
    let job = &report["backfill"];
    assert_eq!(
        (&job["state"], &job["percent"]),
        (&json!("done"), &json!("100.0")),
        "{job}"
    );
    assert_eq!(job["listed"], 30);
    assert_eq!(house.status()["cursor"], before);
    assert!(house.systems.target(&external("D000")).is_some());
    // Whoever asks once more, not knowing that it is done, begins nothing.
    let asked_again = backfill(&house, from, to, 1000).unwrap();
    assert_eq!(asked_again["backfill"], *job);
    // Anew: every record is known, nothing is sent.
    let sent = house.systems.logged("upsert");
    let anew = PastRange {
        from,
        to,
        anew: true,
    };
    let again = asked(&house, &anew, house.budget()).unwrap();
    assert_eq!(again["backfill"]["state"], "done");
    assert_eq!(house.systems.logged("upsert"), sent);
    let trail = block_on(house.worker().trail_before(None)).unwrap();
    let begun = trail["lines"].as_array().unwrap().iter();
    let begun = begun.filter(|line| line["action"] == "backfill");
    assert_eq!(begun.count(), 2, "{trail}");
}

#[test]
fn it_goes_on_where_it_stopped_and_the_schedule_goes_on_with_it() {
    let (house, from, to) = with_past(40);
    let report = backfill(&house, from, to, 10).unwrap();
    assert_eq!(report["ended"], "records", "{report}");
    let job = &report["backfill"];
    assert_eq!(job["state"], "open");
    assert!(job["left_s"].is_number(), "{job}");
    let percent: f64 = job["percent"].as_str().unwrap().parse().unwrap();
    assert!(percent > 10.0 && percent < 60.0, "{percent}");
    let listed = job["listed"].as_u64().unwrap();
    assert!(
        (10..20).contains(&listed),
        "what is listed is not listed again: {listed}"
    );
    // A change that nobody but the live flow is to find goes first.
    house.wait(60);
    house.systems.edit("Deal", "LIVE", won("7"));
    house.wait(60);
    house.run();
    let log = house.systems.log.borrow().clone();
    let at = |id: &str| {
        let upsert = format!("upsert {}", external(id));
        log.iter().position(|line| *line == upsert).unwrap()
    };
    assert!(at("LIVE") < at("D039"));
    assert_eq!(house.status()["backfill"]["state"], "done");
    assert_eq!(house.systems.target.borrow().len(), 41);
}

#[test]
fn a_crash_before_the_place_is_kept_repeats_a_page_and_doubles_nothing() {
    let (house, from, to) = with_past(20);
    backfill(&house, from, to, 5).unwrap();
    let place = house.key_value.0.borrow()["backfill:deal-to-order"].clone();
    backfill(&house, from, to, 5).unwrap();
    house
        .key_value
        .0
        .borrow_mut()
        .insert("backfill:deal-to-order".into(), place);
    while backfill(&house, from, to, 5).unwrap()["backfill"]["state"] == "open" {}
    assert_eq!(house.systems.target.borrow().len(), 20);
    assert_eq!(house.systems.logged("upsert"), 20);
}

#[test]
fn one_at_a_time_and_a_person_may_stop_it() {
    let (house, from, to) = with_past(20);
    backfill(&house, from, to, 5).unwrap();
    let other = backfill(&house, from, from + SignedDuration::from_hours(5), 5);
    assert!(matches!(other, Err(Refusal::Busy(_))), "{other:?}");
    let by = By::named(Some("rosa"), None);
    let stopped = block_on(house.worker().stop_backfill(&by))
        .unwrap()
        .unwrap();
    assert_eq!(stopped["state"], "stopped");
    // Whoever goes on asking does not begin it anew.
    let asked_again = backfill(&house, from, to, 5).unwrap();
    assert_eq!(asked_again["backfill"]["state"], "stopped");
    let count = house.systems.target.borrow().len();
    house.run();
    assert_eq!(house.systems.target.borrow().len(), count);
    let again = block_on(house.worker().stop_backfill(&by)).unwrap();
    assert!(matches!(again, Err(Refusal::Invalid(_))));
    let trail = block_on(house.worker().trail_before(None)).unwrap();
    let said = trail["lines"].as_array().unwrap().iter();
    let said: Vec<_> = said.map(|line| (&line["action"], &line["who"])).collect();
    assert_eq!(said, [(&json!("backfill"), &json!("rosa")); 2], "{trail}");
}

#[test]
fn a_worker_that_lost_its_lease_undoes_no_persons_word() {
    let (house, from, to) = with_past(5);
    let (worker, clock) = (house.worker(), house.clock.clone());
    let meanwhile = move || {
        // The worker stands still for longer than its lease.
        clock.advance(SignedDuration::from_secs(400));
        let by = By::named(Some("rosa"), None);
        let stopped = worker.stop_backfill(&by).now_or_never().unwrap();
        assert!(stopped.unwrap().is_ok());
    };
    house.systems.meanwhile.replace(Some(Box::new(meanwhile)));
    backfill(&house, from, to, 1000).unwrap();
    assert_eq!(house.status()["backfill"]["state"], "stopped");
}

#[test]
fn a_range_that_is_none_is_refused() {
    let (house, from, to) = with_past(2);
    for (from, to) in [
        (to, from),
        (from, from),
        (from, to + SignedDuration::from_hours(99)),
    ] {
        let said = backfill(&house, from, to, 5);
        assert!(matches!(said, Err(Refusal::Invalid(_))), "{said:?}");
    }
    assert_eq!(house.status()["backfill"], Value::Null);
}
