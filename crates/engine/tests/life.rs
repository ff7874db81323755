//! One record's life, each turn of it.

mod adopt;
mod audit;
mod backfill;
mod fake;
mod limits;
mod people;
mod rate;
mod schema;

use engine::store::Queue;
use fake::{House, external, fault};
use futures::FutureExt;
use futures::executor::block_on;
use serde_json::json;
use sluice_core::Fault;
use sluice_core::ports::Clock;

fn won(total: &str) -> serde_json::Value {
    json!({ "stage": "won", "total": total })
}

#[test]
fn a_won_deal_becomes_one_order_and_its_echo_ends() {
    let house = House::new();
    house.run();
    house.systems.edit("Deal", "D1", won("12.50"));
    let report = house.run();
    assert_eq!(
        (&report["created"], &report["ended"]),
        (&json!(1), &json!("done")),
        "{report}"
    );
    let order = house.systems.target(&external("D1")).unwrap();
    assert_eq!(
        (order["total"].to_string(), &order["id"]),
        ("12.50".into(), &json!("T1"))
    );
    assert_eq!(
        house.systems.source.borrow()[&("Deal", "D1".into())].1["order_id"],
        "T1"
    );

    // The write-back shows up as a change; it is looked at once and nothing is written.
    house.wait(60);
    assert_eq!(house.run()["unchanged"], 1);
    house.wait(60);
    house.run();
    assert_eq!(house.systems.logged("upsert"), 1);
    assert_eq!(house.systems.logged("write back"), 1);
}

#[test]
fn a_change_within_the_same_tick_of_the_sources_clock_is_not_lost() {
    let house = House::new();
    house.run();
    house.systems.edit("Deal", "D1", won("1"));
    house.run();
    house.wait(1);
    assert_eq!(house.run()["unchanged"], 1, "the echo");
    // The source counts whole seconds: a second change within one bears the version already seen.
    let key = ("Deal", "D1".to_owned());
    house.systems.source.borrow_mut().get_mut(&key).unwrap().1["total"] = json!("2");
    assert_eq!(house.run()["updated"], 1);
    let order = house.systems.target(&external("D1")).unwrap();
    assert_eq!(order["total"].to_string(), "2");
    assert_eq!(house.run()["updated"], 0);
    // The same for the end of a deal.
    house.systems.source.borrow_mut().get_mut(&key).unwrap().1["stage"] = json!("lost");
    assert_eq!(house.run()["updated"], 1);
    assert_eq!(house.systems.logged("close"), 1);
}

#[test]
fn a_hint_during_the_work_is_not_lost() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    let worker = house.worker();
    let items = block_on(worker.receive(&[house.hint("D1")])).unwrap();
    // Somebody edits, and announces it, while the first worker is at it.
    assert!(
        block_on(worker.receive(&[house.hint("D1")]))
            .unwrap()
            .is_empty()
    );
    let work = items.into_iter().map(engine::Work::from).collect();
    block_on(worker.work(work, "test", &mut Default::default())).unwrap();
    assert_eq!(
        house.status()["queue"]["ready"],
        1,
        "the newer hint keeps the item"
    );
    assert_eq!(
        house.status()["outcomes"]["created"],
        1,
        "what was done is logged all the same"
    );
    house.systems.edit("Deal", "D1", won("2"));
    house.run();
    assert_eq!(
        house.systems.target(&external("D1")).unwrap()["total"].to_string(),
        "2"
    );
    assert_eq!(house.status()["queue"]["ready"], 0);
}

#[test]
fn a_slow_worker_finishes_nothing_after_its_lease_was_taken_over() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    let slow = house.worker();
    let items = block_on(slow.receive(&[house.hint("D1")])).unwrap();
    house.wait(121);
    let second = house.worker();
    let mut run = engine::Run::new("second");
    block_on(second.drain(&mut house.budget(), &mut run)).unwrap();
    assert_eq!(run.tally.created, 1);
    // The hint comes anew, so there is an item again; the slow worker must not finish that one.
    block_on(house.worker().receive(&[house.hint("D1")])).unwrap();
    let work = items.into_iter().map(engine::Work::from).collect();
    block_on(slow.work(work, "slow", &mut Default::default())).unwrap();
    assert_eq!(house.status()["queue"]["ready"], 1);
}

#[test]
fn a_slow_worker_does_not_end_the_lease_of_whoever_took_over() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    let slow = house.worker();
    let items = block_on(slow.receive(&[house.hint("D1")])).unwrap();
    house.wait(121);
    // Nothing new was announced: only the lease tells the two workers apart.
    let queue = engine::store::Queue {
        flow: "deal-to-order",
        ports: &house.ports,
        concurrency_max: 10,
        settles_within: std::time::Duration::from_secs(900),
    };
    assert_eq!(block_on(queue.lease_due(1, &[])).unwrap().len(), 1);
    let work = items.into_iter().map(engine::Work::from).collect();
    block_on(slow.work(work, "slow", &mut Default::default())).unwrap();
    let status = house.status();
    assert_eq!(status["queue"]["in_work"], 1, "{status}");
}

#[test]
fn an_unknown_outcome_is_looked_up_and_confirmed_with_the_hash_check_off() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    *house.systems.next_upsert.borrow_mut() = Some(fault("LOST").with_unknown_write());
    assert_eq!(house.sync("D1")["state"], "queued");
    house.wait(5);
    house.run();
    assert_eq!(house.systems.target.borrow().len(), 1, "one order, not two");
    let status = house.status();
    assert_eq!(
        (
            &status["queue"]["to_confirm"],
            &status["outcomes"]["updated"]
        ),
        (&json!(1), &json!(1)),
        "{status}"
    );
    // The lost request takes effect late, with an older body.
    house
        .systems
        .target
        .borrow_mut()
        .get_mut(&external("D1"))
        .unwrap()
        .1["total"] = json!(99);
    house.wait(901);
    house.run();
    assert_eq!(
        house.systems.target(&external("D1")).unwrap()["total"].to_string(),
        "1"
    );
    assert_eq!(house.status()["queue"]["ready"], 0);
}

#[test]
fn a_change_does_not_wait_for_a_confirmation_and_does_not_replace_it() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    *house.systems.next_upsert.borrow_mut() = Some(fault("LOST").with_unknown_write());
    house.sync("D1");
    house.wait(5);
    house.run();
    assert_eq!(house.status()["queue"]["to_confirm"], 1);
    house.systems.edit("Deal", "D1", won("2"));
    let worker = house.worker();
    let items = block_on(worker.receive(&[house.hint("D1")])).unwrap();
    let work = items.into_iter().map(engine::Work::from).collect();
    block_on(worker.work(work, "test", &mut Default::default())).unwrap();
    assert_eq!(
        house.systems.target(&external("D1")).unwrap()["total"].to_string(),
        "2"
    );
    assert_eq!(house.status()["queue"]["to_confirm"], 1, "still to confirm");
    house.wait(901);
    house.run();
    assert_eq!(house.status()["queue"]["ready"], 0);
}

#[test]
fn a_missing_key_waits_without_costing_attempts_and_goes_through_by_itself() {
    let house = House::new();
    house.systems.edit(
        "Deal",
        "D1",
        json!({ "stage": "won", "total": "1", "product": "P1", "sku": "A-1" }),
    );
    let said = house.sync("D1");
    assert_eq!(
        said["fault"]["fields"],
        json!([{ "path": "A-1", "reason": "is no books:item yet" }]),
        "{said}"
    );
    for _ in 0..50 {
        house.wait(700);
        house.run();
    }
    let waiting = house.status()["waiting"].clone();
    assert_eq!(
        (&waiting[0]["attempts"], &waiting[0]["waits_on"]),
        (&json!(0), &json!("A-1")),
        "{waiting}"
    );
    house
        .systems
        .items
        .borrow_mut()
        .insert("A-1".into(), "77".into());
    house.wait(700);
    house.run();
    assert_eq!(house.systems.target(&external("D1")).unwrap()["item"], "77");
}

#[test]
fn parents_come_first_and_a_circle_is_found() {
    let house = House::new();
    house
        .systems
        .edit("Account", "A3", json!({ "name": "top" }));
    house
        .systems
        .edit("Account", "A2", json!({ "name": "middle", "parent": "A3" }));
    house
        .systems
        .edit("Account", "A1", json!({ "name": "leaf", "parent": "A2" }));
    house.systems.edit(
        "Deal",
        "D1",
        json!({ "stage": "won", "total": "1", "account": "A1" }),
    );
    assert_eq!(house.sync("D1")["state"], "created");
    let upserts: Vec<_> = house
        .systems
        .log
        .borrow()
        .iter()
        .filter(|line| line.starts_with("upsert"))
        .cloned()
        .collect();
    let want =
        ["A3:customer", "A2:customer", "A1:customer"].map(|id| format!("upsert shop:Account:{id}"));
    assert_eq!(upserts[..3], want);

    house
        .systems
        .edit("Account", "B1", json!({ "name": "b1", "parent": "B2" }));
    house
        .systems
        .edit("Account", "B2", json!({ "name": "b2", "parent": "B1" }));
    house.systems.edit(
        "Deal",
        "D2",
        json!({ "stage": "won", "total": "1", "account": "B1" }),
    );
    let said = house.sync("D2");
    assert_eq!(
        (&said["state"], &said["fault"]["code"]),
        (&json!("dead"), &json!("PARENT_CIRCLE")),
        "{said}"
    );
}

#[test]
fn leaving_the_scope_or_being_deleted_closes_the_order_once() {
    let house = House::new();
    for id in ["D1", "D2", "D3"] {
        house.systems.edit("Deal", id, won("1"));
        house.sync(id);
    }
    house
        .systems
        .edit("Deal", "D1", json!({ "stage": "lost", "total": "1" }));
    house
        .systems
        .source
        .borrow_mut()
        .remove(&("Deal", "D2".into()));
    house
        .systems
        .edit("Deal", "D3", json!({ "stage": "lost", "total": "1" }));
    house
        .systems
        .target
        .borrow_mut()
        .get_mut(&external("D3"))
        .unwrap()
        .1["approved"] = json!(true);
    for id in ["D1", "D2"] {
        assert_eq!(house.sync(id)["state"], "updated");
        assert_eq!(house.sync(id)["state"], "skipped");
        assert_eq!(house.systems.target(&external(id)).unwrap()["closed"], true);
    }
    assert_eq!(house.systems.logged("close"), 2);
    let said = house.sync("D3");
    assert_eq!(
        said["fault"]["code"], "TARGET_LOCKED",
        "an approved order is for a person to close: {said}"
    );
}

#[test]
fn an_approved_order_is_left_alone_and_a_deleted_one_is_not_made_again() {
    let house = House::new();
    for id in ["D1", "D2"] {
        house.systems.edit("Deal", id, won("1"));
        house.sync(id);
        house.systems.edit("Deal", id, won("2"));
    }
    house
        .systems
        .target
        .borrow_mut()
        .get_mut(&external("D1"))
        .unwrap()
        .1["approved"] = json!(true);
    let said = house.sync("D1");
    assert_eq!(said["state"], "skipped", "{said}");
    assert_eq!(
        house.systems.target(&external("D1")).unwrap()["total"].to_string(),
        "1"
    );
    house.systems.target.borrow_mut().remove(&external("D2"));
    assert_eq!(house.sync("D2")["fault"]["code"], "TARGET_DELETED");
    assert!(house.systems.target(&external("D2")).is_none());
}

#[test]
fn a_crash_between_write_and_link_makes_no_second_order() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    // As if the first worker died right after its upsert: the order stands, no link does.
    house.systems.target.borrow_mut().insert(
        external("D1"),
        ("T9".into(), json!({ "id": "T9", "total": 1 })),
    );
    let said = house.sync("D1");
    assert_eq!(
        (&said["state"], &said["target"]),
        (&json!("updated"), &json!("T9")),
        "{said}"
    );
}

#[test]
fn an_observation_older_than_the_hint_is_retried_not_applied() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    let version = Some(sluice_core::Version(house.systems.now.get() + 5_000));
    let hint = sluice_core::Hint {
        version,
        ..house.hint("D1")
    };
    let worker = house.worker();
    let items = block_on(worker.receive(&[hint])).unwrap();
    let work = items.into_iter().map(engine::Work::from).collect();
    let mut tally = engine::Tally::default();
    block_on(worker.work(work, "test", &mut tally)).unwrap();
    assert_eq!(
        (tally.queued, &tally.faults[0]["code"]),
        (1, &json!("SOURCE_STALE"))
    );
    assert!(house.systems.target.borrow().is_empty());
}

#[test]
fn a_refusal_that_lasts_ends_as_a_dead_letter_and_a_new_hint_revives_it() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    for _ in 0..engine_attempts() {
        *house.systems.next_upsert.borrow_mut() = Some(fault("DOWN"));
        house.wait(2_000);
        house.sync("D1");
    }
    let status = house.status();
    assert_eq!(
        status["dead"][0]["fault"]["code"], "ATTEMPTS_EXHAUSTED",
        "{status}"
    );
    *house.systems.next_upsert.borrow_mut() = None;
    block_on(house.worker().receive(&[house.hint("D1")])).unwrap();
    house.wait(121);
    house.run();
    assert_eq!(house.status()["queue"]["dead"], 0);
    assert!(house.systems.target(&external("D1")).is_some());
}

fn engine_attempts() -> u32 {
    25
}

#[test]
fn every_bad_field_is_named_and_nothing_is_written() {
    let house = House::new();
    house
        .systems
        .edit("Deal", "D1", json!({ "stage": "won", "total": "twelve" }));
    let said = house.sync("D1");
    assert_eq!(
        (&said["state"], &said["fault"]["code"]),
        (&json!("dead"), &json!("MAPPING_FIELDS")),
        "{said}"
    );
    assert_eq!(house.systems.logged("upsert"), 0);
}

#[test]
fn the_cursor_resumes_a_page_and_passes_nothing_by() {
    let house = House::new();
    house.run();
    // Many records with one and the same change time, more than a page of them.
    let at = house.systems.now.get() + 1;
    for index in 0..450 {
        let key = ("Deal", format!("D{index:03}"));
        house
            .systems
            .source
            .borrow_mut()
            .insert(key, (at, won("1")));
    }
    house.wait(60);
    let mut budget = house.budget();
    budget.records = 130;
    let report = block_on(house.worker().run(budget, None)).unwrap();
    assert_eq!(report.ended, "records");
    for _ in 0..20 {
        house.wait(60);
        house.run();
    }
    assert_eq!(house.systems.target.borrow().len(), 450);
    assert_eq!(house.systems.logged("upsert"), 450);
    assert_eq!(house.status()["queue"]["ready"], 0);
}

#[test]
fn a_page_is_the_observation_of_all_its_records_but_not_of_one_announced_anew() {
    let house = House::new();
    house.run();
    for index in 0..40 {
        house
            .systems
            .edit("Deal", &format!("D{index:03}"), won("1"));
    }
    house.wait(60);
    let (systems, ports) = (house.systems.clone(), house.ports.clone());
    let hint = house.hint("D039");
    let meanwhile = move || {
        // A webhook that says no version, for a record the run has in its hands as the page held it.
        systems.edit("Deal", "D039", won("2"));
        let queue = Queue {
            flow: "deal-to-order",
            ports: &ports,
            concurrency_max: 10,
            settles_within: std::time::Duration::ZERO,
        };
        queue.put(&[hint], 0).now_or_never().unwrap().unwrap();
    };
    house.systems.meanwhile.replace(Some(Box::new(meanwhile)));
    house.run();
    house.run();
    let total = |id: &str| house.systems.target(&external(id)).unwrap()["total"].to_string();
    assert_eq!((total("D000"), total("D039")), ("1".into(), "2".into()));
    let fetched = house.systems.log.borrow().clone().into_iter();
    let fetched: Vec<_> = fetched.filter(|line| line.starts_with("fetch")).collect();
    assert_eq!(fetched, ["fetch D039"]);
}

#[test]
fn two_ticks_at_once_do_not_extract_twice() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    let until = house.clock.now().as_millisecond() + 60_000;
    let take =
        "INSERT INTO lease (name, token, until) VALUES ('extract:deal-to-order:Deal', 1, ?1)";
    block_on(house.ports.sql.execute(take, &[until.into()])).unwrap();
    assert_eq!(house.run()["ended"], "busy");
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    house.sync("D1");
    house.run();
    house.systems.edit(
        "Deal",
        "D1",
        json!({ "stage": "won", "total": "3.10", "order_id": "T1" }),
    );
    house.systems.edit("Deal", "D2", won("5"));
    let before = house.systems.log.borrow().len();
    let preview = block_on(house.worker().preview(house.budget())).unwrap();
    let records = preview["records"].as_array().unwrap();
    let of = |id: &str| {
        records
            .iter()
            .find(|record| record["id"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(of("D1")["would"], "update");
    let change = of("D1")["changes"][0].clone();
    assert_eq!(
        (change["path"].as_str(), change["wanted"].to_string()),
        (Some("total"), "3.10".into())
    );
    assert_eq!(of("D2")["would"], "create");
    assert!(
        house.systems.log.borrow()[before..]
            .iter()
            .all(|line| !line.starts_with("upsert"))
    );
    assert_eq!(house.status()["queue"]["ready"], 0);
}

#[test]
fn a_flow_that_cannot_work_keeps_everything_and_kills_nothing() {
    let house = House::new();
    house.systems.edit("Deal", "D1", won("1"));
    for _ in 0..40 {
        let stop = Fault::stop_flow(sluice_core::Code("NO_PERMISSION"), "for this test");
        *house.systems.next_upsert.borrow_mut() = Some(stop);
        house.wait(600);
        house.sync("D1");
    }
    let status = house.status();
    assert_eq!(
        (&status["queue"]["ready"], &status["queue"]["dead"]),
        (&json!(1), &json!(0)),
        "{status}"
    );
}
