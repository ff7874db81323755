//! Reports that fail, get lost or come in part. That the built component reads one again that is cut off is tried
//! with the whole system, too (`a_report_that_is_cut_off_is_read_again_and_loses_nothing`).

use sandbox::misfortune::{Garble, Misfortune as Mishap, What};
use serde_json::json;
use simulation::{Market, days, hours, minutes};

const SOLD: usize = 25;

/// A seller who lists old orders by report.
fn market() -> Market {
    let mut market = Market::new(&["US"]);
    market.set("amazon_backfill", "reports");
    let now = market.now();
    for at in 0..SOLD {
        market.sell(at, now - days(9) - hours(u64::try_from(at).unwrap()));
    }
    assert_eq!(market.post("/run").1["ended"], "done");
    assert_eq!(market.booked(), 0, "they are older than the flow");
    market
}

fn suffer(market: &Market, path: &str, what: What) {
    let mishap = Mishap {
        vendor: Some("amazon".to_owned()),
        path: Some(path.to_owned()),
        times: Some(1),
        ..Mishap::new(what)
    };
    market
        .ground
        .world(|world, _| world.misfortunes().add(mishap).unwrap());
}

/// Ticks of a minute until the old orders are listed and booked; how many those were.
fn backfilled(market: &Market) -> usize {
    let now = market.now();
    let (from, to) = (now - days(20), now - days(2));
    market.post(&format!("/run?from={from}&to={to}"));
    for tick in 1..240 {
        market.wait(minutes(1));
        market.post("/run");
        let is_done = market.get("").1["backfill"]["state"] == json!("done");
        if is_done && market.booked() == SOLD {
            return tick;
        }
    }
    let (_, status) = market.get("");
    panic!("{} of {SOLD} are booked: {status}", market.booked());
}

fn asked(market: &Market, method: &str, path: &str) -> usize {
    market.ground.world(|world, _| {
        let log = world.requests("amazon").unwrap();
        let entries = log.entries().filter(|entry| entry.method == method);
        entries.filter(|entry| entry.path.starts_with(path)).count()
    })
}

fn requested(market: &Market) -> usize {
    asked(market, "POST", "/reports/2021-06-30/reports")
}

/// FATAL is what Amazon answers to too many reports in short time; it was taken for the end of the matter.
/// airbytehq/airbyte#42052
#[test]
fn a_report_that_fails_for_a_limit_is_asked_for_again_later() {
    let market = market();
    market.configure("reports_fatal", json!(2));
    let minutes = backfilled(&market);
    assert!(minutes >= 60, "each after half an hour: {minutes}");
    assert_eq!(requested(&market), 3);
}

/// The answer to "make this report" was lost with its id, and a second one was made. airbytehq/airbyte#15415
///
/// A second one is made here, too, and no third; no order is booked twice for that.
#[test]
fn a_report_whose_id_is_lost_is_made_once_more_and_no_more() {
    let market = market();
    suffer(&market, "/reports/2021-06-30/reports", What::CommitThenDrop);
    backfilled(&market);
    assert_eq!(requested(&market), 2);
}

/// Half a document was taken for a whole one, and its other half was never missed.
#[test]
fn a_report_that_is_cut_off_is_read_again() {
    for garble in [Garble::Truncate, Garble::Empty, Garble::Html] {
        let market = market();
        suffer(&market, "/documents/*", What::Garble(garble));
        backfilled(&market);
        assert_eq!(requested(&market), 1);
        assert_eq!(asked(&market, "GET", "/documents/"), 2, "{garble:?}");
    }
}
