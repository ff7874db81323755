//! A vendor that may be asked a few times an hour: what happened lately and what is old share that.

use jiff::Timestamp;
use serde_json::{Value, json};
use simulation::{Market, days, hours, minutes, seconds};

/// How often a slot of `searchOrders` comes back.
const SLOT_S: i64 = 179;
const OLD_COUNT: usize = 200;
const HOURS: usize = 14;

/// What some hours of ticks, one a minute, came to.
#[derive(Debug, Default)]
struct Watched {
    /// The farthest that any stream stood behind, in seconds.
    behind_s: i64,
    /// When the backfill was through.
    through: Option<Timestamp>,
    ended: Vec<String>,
}

/// A seller with old orders, and new ones every ten minutes, while the schedule ticks each minute; a person asks
/// for the old ones and, if impatient, asks again twice a minute.
fn watch(market: &Market, impatient: bool) -> Watched {
    let start = market.now();
    for at in 0..OLD_COUNT {
        market.sell(
            at,
            start - hours(12) - hours(23) * u32::try_from(at % 240).unwrap(),
        );
    }
    market.wait(hours(1));
    assert_eq!(market.post("/run").1["ended"], "done");
    market.wait(minutes(1));
    let (from, to) = (start - days(240), start);
    let ask = || market.post(&format!("/run?from={from}&to={to}"));
    assert_eq!(ask().0, 200);
    let mut watched = Watched::default();
    for tick in 0..HOURS * 60 {
        if tick % 10 == 0 {
            market.sell(tick, market.now());
        }
        let (status, report) = market.post("/run");
        assert_eq!(status, 200, "{report}");
        watched
            .ended
            .push(report["ended"].as_str().unwrap().to_owned());
        let (_, status) = market.get("");
        watched.behind_s = watched.behind_s.max(behind_s(market.now(), &status));
        if status["backfill"]["state"] == json!("done") {
            watched.through.get_or_insert(market.now());
        } else if impatient {
            market.wait(seconds(30));
            assert_eq!(ask().0, 200);
        }
        let spent = market.now().duration_since(start).as_secs() % 60;
        market.wait(seconds(60 - spent.unsigned_abs()));
    }
    assert_eq!(market.answered(429), 0);
    watched
}

fn behind_s(now: Timestamp, status: &Value) -> i64 {
    let places = status["cursor"]["streams"].as_object().unwrap().values();
    let complete = |place: &Value| place["complete"].as_str().unwrap().parse::<Timestamp>();
    let oldest = places.map(|place| complete(place).unwrap()).min();
    now.duration_since(oldest.unwrap()).as_secs()
}

fn shared(countries: &[&'static str], impatient: bool) -> Market {
    let market = Market::new(countries);
    let watched = watch(&market, impatient);
    let ended_well = watched.ended.iter().all(|ended| ended == "done");
    assert!(ended_well, "{:?}", watched.ended);
    // A turn for each stream and one for the backfill, the two minutes that Amazon wants, and a tick.
    let turns = i64::try_from(countries.len()).unwrap() + 1;
    assert!(
        watched.behind_s <= turns * SLOT_S + 120 + 60,
        "{}",
        watched.behind_s
    );
    assert!(watched.through.is_some(), "the backfill starved");
    market
}

#[test]
fn old_orders_are_searched_for_beside_the_live_flow_at_the_published_rate() {
    let market = shared(&["US"], false);
    assert_eq!(market.booked(), OLD_COUNT + HOURS * 6);
}

#[test]
fn whoever_asks_for_old_orders_again_and_again_gets_no_more_than_their_share() {
    let market = shared(&["US"], true);
    assert_eq!(market.booked(), OLD_COUNT + HOURS * 6);
}

#[test]
fn marketplaces_of_one_account_take_turns_and_leave_the_backfill_one() {
    // Those that the mapping lists no customer for are dead letters; they were listed all the same.
    shared(&["UK", "FR", "IT", "ES", "DE"], true);
}
