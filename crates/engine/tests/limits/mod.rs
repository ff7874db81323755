//! Sources in several streams, and limits that hold work back.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use engine::store::By;
use engine::{Days, Engine, PastRange, Side, flow};
use futures::executor::block_on;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sluice_core::{
    Answer, Code, Fault, Found, Hook, Kind, LastWindow, Observed, Page, Ports, Result, Selection,
    Source, Window, async_trait,
};

use crate::fake::{DEAL, FakeSource, FakeTarget, House, ORDER, external};

const MAPPING: &str = r#"
version = 1
[settings]
time_zone = "UTC"
[order.fields]
total = { from = "total", as = "decimal" }
"#;

/// Deals of two shops, each its own stream: those whose ids begin with `E` are in the second.
struct TwoShops {
    all: FakeSource,
    /// Whether the first shop's limit is used up.
    dry: Rc<Cell<bool>>,
    /// Whether pages hold no more than ids.
    bare: bool,
    /// What a stream ends with, whatever is asked of it.
    ails: Option<Fault>,
    ails_in: &'static str,
    /// What the source wants between two windows of its first stream.
    pace: Duration,
}

#[async_trait(?Send)]
impl Source for TwoShops {
    fn kind(&self) -> Kind {
        DEAL
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        self.all.check(ports)
    }

    fn hooks(&self) -> Vec<Box<dyn Hook>> {
        Vec::new()
    }

    async fn fetch(&self, ports: &Ports, id: &str, select: &Selection) -> Result<Observed> {
        if self.dry.get() {
            return Err(held_back());
        }
        self.all.fetch(ports, id, select).await
    }

    async fn fetch_all(
        &self,
        ports: &Ports,
        ids: &[String],
        select: &Selection,
    ) -> Result<BTreeMap<String, Observed>> {
        self.all.fetch_all(ports, ids, select).await
    }

    async fn find_all(
        &self,
        ports: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>> {
        self.all.find_all(ports, field, keys).await
    }

    async fn now(&self, ports: &Ports) -> Result<Timestamp> {
        self.all.now(ports).await
    }

    fn streams(&self, _: &Ports) -> Result<Vec<&'static str>> {
        Ok(vec!["first", "second"])
    }

    fn own_streams(&self, ports: &Ports) -> Result<Vec<&'static str>> {
        self.streams(ports)
    }

    fn overlap(&self, _: &LastWindow) -> Duration {
        Duration::from_secs(1)
    }

    async fn changed(
        &self,
        ports: &Ports,
        stream: &str,
        window: &Window,
        count: usize,
        select: &Selection,
    ) -> Result<Page> {
        if let Some(fault) = self.ails.clone().filter(|_| self.ails_in == stream) {
            return Err(fault);
        }
        if self.dry.get() && (stream == "first" || self.ails.is_some()) {
            return Err(held_back());
        }
        let mut page = self
            .all
            .changed(ports, "Deal", window, count, select)
            .await?;
        page.changes
            .retain(|change| change.id.id.starts_with('E') == (stream == "second"));
        for change in page.changes.iter_mut().filter(|_| self.bare) {
            change.record = None;
        }
        Ok(page)
    }

    async fn pace(&self, _: &Ports, stream: &str, beside_backfill: bool) -> Result<Duration> {
        Ok(match (stream, beside_backfill) {
            ("first", false) => self.pace,
            ("first", true) => 2 * self.pace,
            _ => Duration::ZERO,
        })
    }

    async fn write_back(&self, _: &Ports, _: &str, _: &Map<String, Value>) -> Result<()> {
        Ok(())
    }
}

fn held_back() -> Fault {
    Fault::retry_after(Duration::from_secs(2), Code("LIMIT"), "used up for now")
}

fn two_shops(house: &House, dry: &Rc<Cell<bool>>) -> TwoShops {
    TwoShops {
        all: FakeSource(house.systems.clone(), DEAL),
        dry: dry.clone(),
        bare: false,
        ails: None,
        ails_in: "first",
        pace: Duration::ZERO,
    }
}

fn worker(house: &House, dry: &Rc<Cell<bool>>) -> Engine {
    worker_on(house, two_shops(house, dry))
}

fn worker_on(house: &House, source: TwoShops) -> Engine {
    let target = FakeTarget(house.systems.clone(), ORDER);
    let flow = flow("deal-to-order", MAPPING).sync(source, "order", target);
    Engine::new(flow, None, house.ports.clone()).unwrap()
}

fn range(from: Timestamp, to: Timestamp) -> PastRange {
    let anew = false;
    PastRange { from, to, anew }
}

fn run(house: &House, dry: &Rc<Cell<bool>>) -> Value {
    json!(block_on(worker(house, dry).run(house.budget(), None)).unwrap())
}

#[test]
fn a_stream_that_waits_does_not_hold_up_another_and_loses_nothing() {
    let (house, dry) = (House::new(), Rc::default());
    run(&house, &dry);
    for id in ["D1", "E1"] {
        house.systems.edit("Deal", id, json!({ "total": "1" }));
    }
    dry.set(true);
    let report = run(&house, &dry);
    assert_eq!(
        (&report["created"], &report["ended"]),
        (&json!(1), &json!("waits"))
    );
    // Nothing failed.
    assert_eq!(report["fault"], Value::Null);
    assert_eq!(report["waits"], held_back().to_string());
    assert!(house.systems.target(&external("E1")).is_some());
    dry.set(false);
    house.wait(3_600);
    assert_eq!(run(&house, &dry)["created"], 1);
    assert!(house.systems.target(&external("D1")).is_some());
}

#[test]
fn an_audit_walks_every_stream_of_the_records_themselves() {
    let (house, dry) = (House::new(), Rc::default());
    run(&house, &dry);
    let ids = ["D1", "E1", "D2", "E2"];
    for id in ids {
        house.systems.edit("Deal", id, json!({ "total": "1" }));
    }
    run(&house, &dry);
    let mut after = None;
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let worker = worker(&house, &dry);
        let page = worker.audit_page(Side::Source, after.as_deref(), Days::default());
        let page = block_on(page).unwrap().unwrap();
        seen.extend(page.entries.into_iter().filter_map(|entry| entry.source));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids.map(str::to_owned).into());
    let strange = worker(&house, &dry);
    let page = strange.audit_page(Side::Source, Some("third~"), Days::default());
    assert!(block_on(page).unwrap().is_err());
}

#[test]
fn a_record_does_not_die_of_a_limit_that_is_kept_count_of() {
    let house = House::new();
    house.run();
    let won = json!({ "stage": "won", "total": "1" });
    house.systems.edit("Deal", "D1", won);
    for _ in 0..40 {
        *house.systems.next_upsert.borrow_mut() = Some(held_back());
        house.run();
        assert!(house.systems.target(&external("D1")).is_none());
        // Due again after the wait, and not much later.
        house.wait(4);
    }
    house.systems.next_upsert.take();
    assert_eq!(house.run()["created"], 1);
}

#[test]
fn a_drain_that_is_held_back_leaves_the_rest_for_later() {
    let (house, dry) = (House::new(), Rc::new(Cell::new(true)));
    let hints: Vec<_> = (0..40).map(|at| house.hint(&format!("D{at}"))).collect();
    for hint in &hints {
        let deal = json!({ "total": "1" });
        house.systems.edit("Deal", &hint.id.id, deal);
    }
    block_on(house.worker().receive(&hints)).unwrap();
    // Whoever received them is gone.
    house.wait(3_600);
    let report = run(&house, &dry);
    assert!(report["queued"].as_u64().unwrap() <= 8, "{report}");
    dry.set(false);
    house.wait(60);
    assert_eq!(run(&house, &dry)["created"], 40);
}

#[test]
fn a_backfill_goes_on_while_a_live_stream_waits() {
    let (house, dry) = (House::new(), Rc::default());
    let from = house.clock_now();
    house.systems.edit("Deal", "E1", json!({ "total": "1" }));
    house.wait(3_600);
    let to = house.clock_now();
    house.wait(3_600);
    run(&house, &dry);
    assert!(house.systems.target(&external("E1")).is_none());
    dry.set(true);
    let mut nothing = house.budget();
    nothing.records = 0;
    let begun = worker(&house, &dry);
    let begun = block_on(begun.backfill(&range(from, to), &By::default(), nothing)).unwrap();
    assert_eq!(begun.unwrap()["backfill"]["state"], "open");
    let report = run(&house, &dry);
    assert_eq!(report["ended"], "waits", "{report}");
    assert!(house.systems.target(&external("E1")).is_some());
}

#[test]
fn a_backfill_lists_no_more_while_what_it_listed_waits() {
    let (house, dry) = (House::new(), Rc::default());
    let from = house.clock_now();
    for at in 0..250 {
        let deal = json!({ "total": "1" });
        house.systems.edit("Deal", &format!("E{at:03}"), deal);
    }
    house.wait(3_600);
    let to = house.clock_now();
    house.wait(3_600);
    run(&house, &dry);
    dry.set(true);
    let go_on = || {
        let source = TwoShops {
            bare: true,
            ..two_shops(&house, &dry)
        };
        let worker = worker_on(&house, source);
        house.wait(10);
        let report = block_on(worker.backfill(&range(from, to), &By::default(), house.budget()));
        report.unwrap().unwrap()
    };
    for _ in 0..5 {
        let report = go_on();
        assert_eq!(report["ended"], "waits", "{report}");
        assert_eq!(report["backfill"]["listed"], 200, "{report}");
    }
    assert!(go_on()["backfill"]["waits"].is_string());
    dry.set(false);
    while go_on()["backfill"]["state"] == "open" {}
    assert_eq!(house.systems.target.borrow().len(), 250);
}

#[test]
fn a_stream_with_a_pace_is_listed_in_its_turn_whoever_asks() {
    let (house, dry) = (House::new(), Rc::default());
    let paced = || TwoShops {
        pace: Duration::from_secs(300),
        ..two_shops(&house, &dry)
    };
    let run = |only| json!(block_on(worker_on(&house, paced()).run(house.budget(), only)).unwrap());
    run(None);
    for id in ["D1", "E1"] {
        house.systems.edit("Deal", id, json!({ "total": "1" }));
    }
    house.wait(299 - 2);
    let report = run(None);
    assert_eq!(
        (&report["created"], &report["ended"], &report["postponed"]),
        (&json!(1), &json!("done"), &json!(["first"])),
    );
    assert!(house.systems.target(&external("D1")).is_none());
    house.wait(1);
    let report = run(None);
    assert_eq!(report["created"], 1, "{report}");
    assert_eq!(report["postponed"], Value::Null);
    house.systems.edit("Deal", "D2", json!({ "total": "1" }));
    house.wait(1);
    for only in [None, Some("first")] {
        let report = run(only);
        assert_eq!(
            (&report["created"], &report["postponed"]),
            (&json!(0), &json!(["first"]))
        );
    }
    house.wait(299);
    assert_eq!(run(Some("first"))["created"], 1);
}

#[test]
fn a_window_of_many_pages_has_its_streams_next_turn_later() {
    let (house, dry) = (House::new(), Rc::default());
    let run = || {
        let source = TwoShops {
            pace: Duration::from_secs(300),
            ..two_shops(&house, &dry)
        };
        json!(block_on(worker_on(&house, source).run(house.budget(), None)).unwrap())
    };
    run();
    for at in 0..250 {
        let deal = json!({ "total": "1" });
        house.systems.edit("Deal", &format!("D{at:03}"), deal);
    }
    house.wait(300);
    assert_eq!(run()["created"], 250);
    house.wait(899);
    assert_eq!(run()["postponed"], json!(["first"]));
    house.wait(1);
    assert_eq!(run()["postponed"], Value::Null);
    // Its window had one page.
    house.wait(300);
    assert_eq!(run()["postponed"], Value::Null);
}

#[test]
fn a_sources_clock_that_goes_back_postpones_nothing_where_there_is_no_pace() {
    let (house, dry) = (House::new(), Rc::default());
    run(&house, &dry);
    house.systems.edit("Deal", "D1", json!({ "total": "1" }));
    run(&house, &dry);
    house.systems.now.set(house.systems.now.get() - 1_000);
    let report = run(&house, &dry);
    assert_eq!(report["postponed"], Value::Null, "{report}");
}

#[test]
fn a_stream_that_fails_does_not_keep_the_others_and_is_told_of() {
    for (fault, ended) in [
        (Fault::retry(Code("DOWN"), "down"), "stopped"),
        (Fault::stop_flow(Code("REVOKED"), "revoked"), "stopped"),
        (held_back(), "waits"),
    ] {
        let (house, dry) = (House::new(), Rc::default());
        run(&house, &dry);
        for id in ["D1", "E1"] {
            house.systems.edit("Deal", id, json!({ "total": "1" }));
        }
        let ailing = || TwoShops {
            ails: Some(fault.clone()),
            ..two_shops(&house, &dry)
        };
        let report =
            json!(block_on(worker_on(&house, ailing()).run(house.budget(), None)).unwrap());
        assert_eq!(
            (&report["created"], &report["ended"]),
            (&json!(1), &json!(ended)),
            "{report}"
        );
        let told = match ended {
            "waits" => report["waits"].as_str(),
            _ => report["fault"]["code"].as_str(),
        };
        assert!(told.is_some_and(|told| fault.to_string().starts_with(told)));
        house.wait(60);
        assert_eq!(run(&house, &dry)["created"], 1);
    }
}

#[test]
fn a_refusal_is_told_of_before_a_wait_nobody_was_asked_for() {
    let (house, dry) = (House::new(), Rc::default());
    run(&house, &dry);
    for refused in ["first", "second"] {
        let ails = Fault::retry_after(Duration::from_secs(1), Code("REFUSED"), "too many");
        let answer = Answer {
            status: 429,
            code: None,
            message: String::new(),
        };
        let source = TwoShops {
            ails: Some(ails.with_answer(answer)),
            ails_in: refused,
            dry: Rc::new(Cell::new(true)),
            ..two_shops(&house, &dry)
        };
        let report = json!(block_on(worker_on(&house, source).run(house.budget(), None)).unwrap());
        assert_eq!(report["fault"]["code"], "REFUSED", "{report}");
    }
}

#[test]
fn a_stream_with_much_to_do_leaves_the_others_their_runs() {
    let (house, dry) = (House::new(), Rc::default());
    run(&house, &dry);
    for id in (0..50).map(|at| format!("D{at:02}")).chain(["E1".into()]) {
        house.systems.edit("Deal", &id, json!({ "total": "1" }));
    }
    for _ in 0..3 {
        // Another flow, whose schedule ticks as often: numbers are of all flows.
        let other = "INSERT INTO run (flow, started) VALUES ('other', 0)";
        block_on(house.ports.sql.execute(other, &[])).unwrap();
        let mut few = house.budget();
        few.records = 4;
        block_on(worker(&house, &dry).run(few, None)).unwrap();
    }
    assert!(house.systems.target(&external("E1")).is_some());
}

#[test]
fn a_backfill_goes_on_with_other_streams_while_one_fails() {
    let (house, dry) = (House::new(), Rc::default());
    let from = house.clock_now();
    for id in ["D1", "E1"] {
        house.systems.edit("Deal", id, json!({ "total": "1" }));
    }
    house.wait(3_600);
    let to = house.clock_now();
    house.wait(3_600);
    run(&house, &dry);
    let ails = Fault::stop_flow(Code("REVOKED"), "revoked");
    let source = TwoShops {
        ails: Some(ails),
        ..two_shops(&house, &dry)
    };
    let worker = worker_on(&house, source);
    let report = block_on(worker.backfill(&range(from, to), &By::default(), house.budget()));
    let report = report.unwrap().unwrap();
    assert_eq!(report["fault"]["code"], "REVOKED", "{report}");
    let job = &report["backfill"];
    assert_eq!((&job["state"], &job["listed"]), (&json!("open"), &json!(1)));
    assert!(job["waits"].as_str().unwrap().contains("revoked"));
    assert!(house.systems.target(&external("E1")).is_some());
    run(&house, &dry);
    assert_eq!(house.status()["backfill"]["state"], "done");
    assert!(house.systems.target(&external("D1")).is_some());
}

#[test]
fn a_window_that_was_begun_goes_on_whatever_the_pace() {
    let (house, dry) = (House::new(), Rc::default());
    let run = |pace, records| {
        let source = TwoShops {
            pace: Duration::from_secs(pace),
            ..two_shops(&house, &dry)
        };
        let mut budget = house.budget();
        budget.records = records;
        json!(block_on(worker_on(&house, source).run(budget, None)).unwrap())
    };
    run(0, 10);
    for at in 0..5 {
        let deal = json!({ "total": "1" });
        house.systems.edit("Deal", &format!("D{at}"), deal);
    }
    house.wait(60);
    assert_eq!(run(0, 2)["ended"], "records");
    assert_eq!(run(3_600, 100)["created"], 3);
}

#[test]
fn an_open_backfill_has_its_turn_in_the_pace() {
    let (house, dry) = (House::new(), Rc::default());
    let from = house.clock_now();
    house.wait(3_600);
    let to = house.clock_now();
    house.wait(3_600);
    let paced = || TwoShops {
        pace: Duration::from_secs(60),
        ..two_shops(&house, &dry)
    };
    let run = || json!(block_on(worker_on(&house, paced()).run(house.budget(), None)).unwrap());
    run();
    let mut nothing = house.budget();
    nothing.records = 0;
    let worker = worker_on(&house, paced());
    let begun = block_on(worker.backfill(&range(from, to), &By::default(), nothing)).unwrap();
    assert_eq!(begun.unwrap()["backfill"]["state"], "open");
    house.wait(90);
    assert_eq!(run()["postponed"], json!(["first"]));
    // That run went through the backfill.
    assert_eq!(house.status()["backfill"]["state"], "done");
    assert_eq!(run()["postponed"], Value::Null);
}
