//! Starting with what is there already.

use engine::{Link, store::By};
use futures::executor::block_on;
use serde_json::{Value, json};
use sluice_core::Kind;

use crate::fake::{DEAL, House, ORDER, external};

const CUSTOMER: Kind = Kind::new("books", "customer");

fn by() -> By {
    By::named(Some("rosa"), None)
}

fn deal(number: &str, total: &str) -> Value {
    json!({ "stage": "won", "total": total, "po": number, "account": "A1" })
}

/// Deals and orders of the years before, in both systems, and a flow that is paused.
fn house() -> House {
    let house = House::new();
    house.run();
    let systems = &house.systems;
    systems.edit("Account", "A1", json!({ "name": "Acme" }));
    systems.enter(CUSTOMER, "T10", json!({ "name": "Acme" }));
    let order =
        |total: i64, number: &str| json!({ "total": total, "po": number, "customer": "T10" });
    for (deal_id, number) in [
        ("D1", "PO-1"),
        ("D2", "PO-2"),
        ("D3", "PO-3"),
        ("D4", "PO-4"),
    ] {
        systems.edit("Deal", deal_id, deal(number, "5"));
    }
    systems.edit(
        "Deal",
        "D5",
        json!({ "stage": "lost", "total": "1", "po": "PO-1" }),
    );
    systems.edit("Deal", "D6", json!({ "stage": "won", "total": "1" }));
    systems.enter(ORDER, "T11", order(5, "PO-1"));
    systems.enter(ORDER, "T12", order(6, "PO-2"));
    systems.enter(ORDER, "T13", order(5, "PO-3"));
    systems.enter(ORDER, "T14", order(5, "PO-3"));
    systems.log.borrow_mut().clear();
    house
}

fn adopt(house: &House, by: Option<&By>) -> Vec<Value> {
    let (mut entries, mut after) = (Vec::new(), None::<String>);
    for _ in 0..100 {
        let page = block_on(house.worker().adopt_page(after.as_deref(), by));
        let page = page.unwrap().unwrap();
        entries.extend(page["entries"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return entries,
        }
    }
    panic!("the pages do not end");
}

fn pause(house: &House) {
    block_on(house.worker().pause(&by())).unwrap();
}

fn states(entries: &[Value]) -> Vec<(&str, &str)> {
    let of = |entry: &Value, name: &str| -> String { entry[name].as_str().unwrap().to_owned() };
    let mut states: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                of(entry, "id").leak() as &str,
                of(entry, "state").leak() as &str,
            )
        })
        .collect();
    states.sort_unstable();
    states
}

fn writes(house: &House) -> usize {
    ["upsert", "update", "close", "write back"]
        .iter()
        .map(|what| house.systems.logged(what))
        .sum()
}

#[test]
fn what_would_be_adopted_is_shown_first() {
    let house = house();
    let entries = adopt(&house, None);
    let want = [
        ("A1", "matched"),
        ("D1", "matched"),
        ("D2", "matched"),
        ("D3", "ambiguous"),
        ("D4", "missing"),
        ("D6", "missing"),
    ];
    assert_eq!(states(&entries), want, "{entries:#?}");
    let of = |id: &str| entries.iter().find(|entry| entry["id"] == id).unwrap();
    assert_eq!(of("D1")["agrees"], true, "{}", of("D1"));
    assert_eq!(of("D2")["agrees"], false);
    assert_eq!(of("D2")["changes"][0]["path"], "total");
    assert_eq!(of("D3")["targets"], json!(["T13", "T14"]));
    assert_eq!(writes(&house), 0);
    assert_eq!(
        block_on(Link::load(&house.ports, &DEAL.id("D1"), ORDER)).unwrap(),
        None
    );
    // To write, the flow must rest.
    assert!(
        block_on(house.worker().adopt_page(None, Some(&by())))
            .unwrap()
            .is_err()
    );
}

#[test]
fn adopted_records_stay_as_they_are_until_their_source_changes_and_then_have_no_twin() {
    let house = house();
    pause(&house);
    let entries = adopt(&house, Some(&by()));
    assert!(
        states(&entries).contains(&("D1", "adopted")),
        "{entries:#?}"
    );
    assert_eq!(writes(&house), 0);
    let trail = block_on(house.worker().trail_before(None)).unwrap();
    assert_eq!(trail["lines"][0]["action"], "adopt", "{trail}");
    block_on(house.worker().resume(&by())).unwrap();

    // Everything is listed again, from the beginning.
    let start = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    block_on(house.worker().set_cursor(start, false, &by()))
        .unwrap()
        .unwrap();
    for id in ["D3", "D4", "D6"] {
        house
            .systems
            .source
            .borrow_mut()
            .remove(&("Deal", id.to_owned()));
    }
    house.wait(60);
    house.run();
    // Told again, too.
    let worker = house.worker();
    let items = block_on(worker.receive(&[house.hint("D1"), house.hint("D2")])).unwrap();
    let work = items.into_iter().map(engine::Work::from).collect();
    block_on(worker.work(work, "hook", &mut engine::Tally::default())).unwrap();
    house.wait(121);
    house.run();
    assert_eq!(writes(&house), 0, "{:?}", house.systems.log.borrow());

    for (id, target) in [("D1", "T11"), ("D2", "T12")] {
        house.systems.edit("Deal", id, deal("PO-9", "8"));
        house.run();
        let order = house.systems.target(&external(id)).unwrap();
        assert_eq!(
            (order["id"].as_str(), order["total"].to_string()),
            (Some(target), "8".into())
        );
        house.systems.edit("Deal", id, deal("PO-9", "9"));
        house.run();
    }
    assert_eq!(
        house.systems.logged("update T1"),
        2,
        "under its external id from then on"
    );
    assert_eq!(
        house.systems.target.borrow().len(),
        5,
        "no twin, and no second customer"
    );
}

#[test]
fn a_person_can_bring_what_differed_in_line() {
    let house = house();
    pause(&house);
    adopt(&house, Some(&by()));
    block_on(house.worker().resume(&by())).unwrap();
    assert_eq!(house.sync("D1")["state"], "unchanged");
    assert_eq!(house.sync("D2")["state"], "updated");
    assert_eq!(house.systems.logged("update T12"), 1);
}

#[test]
fn nothing_is_adopted_twice_or_from_under_somebody() {
    let house = house();
    pause(&house);
    adopt(&house, Some(&by()));
    let again = adopt(&house, Some(&by()));
    assert!(states(&again).contains(&("D1", "linked")), "{again:#?}");
    // Another deal with the number of an order that has its deal; and two new ones with one number.
    house
        .systems
        .source
        .borrow_mut()
        .remove(&("Deal", "D5".to_owned()));
    for (id, number) in [("D20", "PO-1"), ("D21", "PO-7"), ("D22", "PO-7")] {
        house.systems.edit("Deal", id, deal(number, "5"));
    }
    house
        .systems
        .enter(ORDER, "T17", json!({ "po": "PO-7", "total": 5 }));
    house.systems.edit("Deal", "D1", deal("PO-other", "5"));
    let entries = adopt(&house, Some(&by()));
    let of = |id: &str| entries.iter().find(|entry| entry["id"] == id).unwrap();
    assert_eq!(of("D20")["state"], "ambiguous");
    assert!(
        of("D20")["why"].as_str().unwrap().contains("target of D1"),
        "{}",
        of("D20")
    );
    for (id, other) in [("D21", "D22"), ("D22", "D21")] {
        assert_eq!(of(id)["state"], "ambiguous", "{}", of(id));
        assert!(
            of(id)["why"].as_str().unwrap().contains(other),
            "{}",
            of(id)
        );
    }
}

#[test]
fn one_under_our_external_id_without_a_link_is_taken_by_it() {
    let house = house();
    let order = (
        "T30".to_owned(),
        json!({ "id": "T30", "total": 1, "customer": "T10" }),
    );
    house
        .systems
        .target
        .borrow_mut()
        .insert(external("D6"), order);
    let ours = (
        "T31".to_owned(),
        json!({ "id": "T31", "total": 5, "customer": "T10" }),
    );
    house
        .systems
        .target
        .borrow_mut()
        .insert(external("D1"), ours);
    let entries = adopt(&house, None);
    let of = |id: &str| entries.iter().find(|entry| entry["id"] == id).unwrap();
    assert_eq!(
        (&of("D6")["state"], &of("D6")["target"]),
        (&json!("matched"), &json!("T30"))
    );
    assert_eq!(of("D1")["targets"], json!(["T31", "T11"]), "{}", of("D1"));
}

#[test]
fn a_record_in_work_is_left_to_its_worker() {
    let house = house();
    let items = block_on(house.worker().receive(&[house.hint("D1")])).unwrap();
    assert_eq!(items.len(), 1);
    pause(&house);
    let entries = adopt(&house, Some(&by()));
    assert!(
        states(&entries).contains(&("D1", "in_work")),
        "{entries:#?}"
    );
    assert_eq!(
        block_on(Link::load(&house.ports, &DEAL.id("D1"), ORDER)).unwrap(),
        None
    );
}

#[test]
fn what_was_adopted_is_audited_like_everything_else() {
    let house = house();
    pause(&house);
    adopt(&house, Some(&by()));
    let page = |side| {
        let page = block_on(house.worker().audit_page(side, None, Default::default()));
        page.unwrap().unwrap().entries
    };
    let source = page(engine::Side::Source);
    let of = |id: &str| {
        source
            .iter()
            .find(|entry| entry.source.as_deref() == Some(id))
            .unwrap()
    };
    assert_eq!(of("D1").state, engine::State::Unchanged);
    assert_eq!(of("D2").state, engine::State::Unaccounted);
    assert!(of("D2").why.as_ref().unwrap().contains("adopted"));
    // The link leads back, though nothing in the order says whose it is.
    let target = page(engine::Side::Target);
    let known = |id: &str| {
        target
            .iter()
            .any(|entry| entry.target.as_deref() == Some(id))
    };
    assert!(!known("T11") && !known("T12"), "{target:#?}");
}
