//! A vendor that may be asked a few times an hour: what happened lately and what is old share that.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use simulation::{Market, days, hours, minutes, seconds};

/// How often a slot of `searchOrders` comes back.
const SLOT_S: i64 = 179;
/// What may be asked at once, after a rest.
const BURST: usize = 20;

/// A seller and a schedule that ticks each minute.
struct Watch {
    market: Market,
    start: Timestamp,
    /// What the schedule posts.
    route: &'static str,
    /// Orders an hour.
    per_hour: usize,
    sold: usize,
    /// Of them those that are to be booked.
    to_book: usize,
    /// The farthest that any stream stood behind, in seconds.
    behind_s: i64,
    ended: Vec<String>,
}

impl Watch {
    /// A flow that has just begun.
    fn new(countries: &[&'static str], route: &'static str, per_hour: usize) -> Self {
        let market = Market::new(countries);
        let start = market.now();
        assert_eq!(market.post("/run").1["ended"], "done");
        Self {
            market,
            start,
            route,
            per_hour,
            sold: 0,
            to_book: 0,
            behind_s: 0,
            ended: Vec::new(),
        }
    }

    /// So much time goes by, a tick each minute.
    fn go(&mut self, time: Duration) {
        let market = &self.market;
        let minutes = time.as_secs() / 60;
        for _ in 0..minutes {
            let elapsed_s = market.now().duration_since(self.start).as_secs();
            let due = usize::try_from(elapsed_s).unwrap() * self.per_hour / 3600;
            for _ in self.sold..due {
                // Booking takes longer than listing: most are not to be booked.
                match self.sold % 10 {
                    0 => market.sell(self.sold / 10, market.now()),
                    _ => market.sell_from_amazon(self.sold, market.now()),
                };
                self.to_book += usize::from(self.sold.is_multiple_of(10));
                self.sold += 1;
            }
            let (status, report) = market.post(self.route);
            assert_eq!(status, 200, "{report}");
            self.ended
                .push(report["ended"].as_str().unwrap().to_owned());
            let behind_s = behind_s(market.now(), &market.get("").1);
            self.behind_s = self.behind_s.max(behind_s);
            let spent_s = market.now().duration_since(self.start).as_secs() % 60;
            market.wait(seconds(60 - spent_s.unsigned_abs()));
        }
    }

    /// Begins a backfill of two years, without an order in them: a search for each of its steps.
    fn begin_backfill(&self) {
        let (from, to) = (self.start - days(720), self.start - hours(1));
        let (status, report) = self.market.post(&format!("/run?from={from}&to={to}"));
        assert_eq!(status, 200, "{report}");
    }

    /// Searches for old orders so far.
    fn searched(&self) -> usize {
        self.market.asked("createdAfter=")
    }

    /// Nothing was refused, nothing failed or waited, and no stream fell behind by more than this.
    fn was_calm(&self, behind_s: i64) {
        assert_eq!(self.market.answered(429), 0);
        let ended_well = self.ended.iter().all(|ended| ended == "done");
        assert!(ended_well, "{:?}", self.ended);
        assert!(self.behind_s <= behind_s, "{}", self.behind_s);
    }
}

/// What a stream stands behind by right before its turn: a turn for each of the account's streams and one for the
/// backfill, the two minutes that Amazon wants, and a tick.
fn turns_s(countries: &[&str]) -> i64 {
    (i64::try_from(countries.len()).unwrap() + 1) * SLOT_S + 120 + 60
}

fn behind_s(now: Timestamp, status: &Value) -> i64 {
    let places = status["cursor"]["streams"].as_object().unwrap().values();
    let complete = |place: &Value| place["complete"].as_str().unwrap().parse::<Timestamp>();
    let oldest = places.map(|place| complete(place).unwrap()).min();
    now.duration_since(oldest.unwrap()).as_secs()
}

/// Searches for old orders that one of so many who share a limit gets in these hours.
fn share(hours: usize, turns: usize) -> usize {
    hours * 3600 / usize::try_from(SLOT_S).unwrap() / turns
}

#[test]
fn old_orders_get_their_turn_at_the_published_rate_and_the_live_flow_all_others() {
    for (countries, route) in [
        (&["US"][..], "/run"),
        // A schedule of its own is no way around the limit.
        (&["US"], "/run?stream=US"),
        (&["UK", "FR", "IT", "ES", "DE"], "/run"),
    ] {
        let mut watch = Watch::new(countries, route, 6);
        // The burst is spent first.
        watch.go(hours(1));
        watch.begin_backfill();
        watch.go(hours(1));
        let before = watch.searched();
        assert!(before <= BURST, "{before}: the live flow's are left");
        watch.go(hours(4));
        let searched = watch.searched() - before;
        let turns = countries.len() + 1;
        let fair = share(4, turns).min(24 * countries.len() - before);
        assert!(
            searched + 2 >= fair,
            "{countries:?} {route}: {searched} of {fair}"
        );
        watch.was_calm(turns_s(countries));
    }
}

#[test]
fn whoever_asks_for_old_orders_again_and_again_gets_no_more_than_their_share() {
    let countries = ["UK", "FR", "IT", "ES", "DE"];
    let mut watch = Watch::new(&countries, "/run", 6);
    for _ in 0..4 * 60 {
        watch.begin_backfill();
        watch.go(minutes(1));
    }
    watch.was_calm(turns_s(&countries));
    let most = BURST + share(4, countries.len() + 1) + 2;
    let searched = watch.searched();
    assert!(
        (most / 2..=most).contains(&searched),
        "{searched} of {most}"
    );
}

#[test]
fn a_busy_market_keeps_up_and_old_orders_get_on() {
    // A window of one turn holds more than a page.
    let mut watch = Watch::new(&["US"], "/run", 8 * 60);
    watch.go(hours(1));
    watch.begin_backfill();
    watch.go(hours(1));
    let before = watch.searched();
    watch.go(hours(4));
    let searched = watch.searched() - before;
    assert!(searched >= 5, "{searched} in four hours");
    // As long as four pages take.
    watch.was_calm(4 * 2 * SLOT_S + 120 + 60);
    let to_book = watch.to_book;
    watch.go(minutes(40));
    assert!(
        watch.market.booked() >= to_book,
        "{} of {to_book}",
        watch.market.booked()
    );
}

#[test]
fn what_a_page_leaves_out_is_found_by_the_next_window_however_long_it_was() {
    let market = Market::new(&["US"]);
    market.post("/run");
    let mut sold = 0;
    for round in 0..12 {
        for _ in 0..6 {
            market.wait(minutes(5));
            market.sell(0, market.now());
            sold += 1;
        }
        let missing = if round % 2 == 0 { 40 } else { 0 };
        market.configure("orders_missing_percent", json!(missing));
        assert_eq!(market.post("/run").1["ended"], "done");
    }
    market.wait(minutes(30));
    market.post("/run");
    assert_eq!(market.booked(), sold);
}

#[test]
fn a_backfill_that_the_schedule_ended_is_not_begun_anew_by_whoever_asks_how_far_it_is() {
    let mut watch = Watch::new(&["US"], "/run", 0);
    let (from, to) = (watch.start - days(20), watch.start - hours(1));
    let ask = |market: &Market| market.post(&format!("/run?from={from}&to={to}")).1;
    assert_eq!(ask(&watch.market)["backfill"]["state"], "done");
    let searched = watch.searched();
    for _ in 0..20 {
        watch.go(minutes(1));
        let job = &ask(&watch.market)["backfill"];
        assert_eq!(
            (&job["state"], &job["percent"]),
            (&json!("done"), &json!("100.0"))
        );
    }
    assert_eq!(watch.searched(), searched);
}
