//! Sources in several streams, and limits that hold work back.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use engine::store::By;
use engine::{Days, Engine, Side, flow};
use futures::executor::block_on;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sluice_core::{
    Code, Fault, Found, Hook, Kind, Observed, Page, Ports, Result, Selection, Source, Window,
    async_trait,
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

    fn overlap(&self) -> Duration {
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
        if stream == "first" && self.dry.get() {
            return Err(held_back());
        }
        let mut page = self
            .all
            .changed(ports, "Deal", window, count, select)
            .await?;
        page.changes
            .retain(|change| change.id.id.starts_with('E') == (stream == "second"));
        Ok(page)
    }

    async fn write_back(&self, _: &Ports, _: &str, _: &Map<String, Value>) -> Result<()> {
        Ok(())
    }
}

fn held_back() -> Fault {
    Fault::retry_after(Duration::from_secs(2), Code("LIMIT"), "used up for now")
}

fn worker(house: &House, dry: &Rc<Cell<bool>>) -> Engine {
    let source = TwoShops {
        all: FakeSource(house.systems.clone(), DEAL),
        dry: dry.clone(),
    };
    let target = FakeTarget(house.systems.clone(), ORDER);
    let flow = flow("deal-to-order", MAPPING).sync(source, "order", target);
    Engine::new(flow, None, house.ports.clone()).unwrap()
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
        (&json!(1), &json!("stopped"))
    );
    assert_eq!(report["fault"]["code"], "LIMIT");
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
    let begun = block_on(begun.backfill(from, to, &By::default(), nothing)).unwrap();
    assert_eq!(begun.unwrap()["backfill"]["state"], "open");
    let report = run(&house, &dry);
    assert_eq!(report["fault"]["code"], "LIMIT", "{report}");
    assert!(house.systems.target(&external("E1")).is_some());
}
