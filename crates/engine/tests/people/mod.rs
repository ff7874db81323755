//! What people do about what is stuck.

use std::cell::Cell;
use std::rc::Rc;

use engine::store::{By, Queue, Trail, Which};
use engine::{Decided, Engine, Refusal};
use futures::executor::block_on;
use serde_json::{Map, Value, json};
use sluice_core::Fault;

use crate::fake::{FailingSql, House, external, fault};

const KEY: &str = "Deal";

fn won(total: &str) -> Value {
    json!({ "stage": "won", "total": total })
}

fn rosa(reason: &str) -> By {
    By::named(Some("rosa"), Some(reason.to_owned()))
}

fn patch(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A house where these deals died of a total that is no number.
fn with_dead(ids: &[&str]) -> House {
    let house = House::new();
    house.run();
    for id in ids {
        house.systems.edit(KEY, id, won("twelve"));
        assert_eq!(house.sync(id)["state"], "dead");
    }
    house
}

fn lines(house: &House) -> Vec<Value> {
    let trail = block_on(house.worker().trail_before(None)).unwrap();
    trail["lines"].as_array().unwrap().clone()
}

fn state(house: &House, id: &str) -> Value {
    block_on(house.worker().show(id)).unwrap()["queue"]["state"].clone()
}

fn receive(house: &House, id: &str) {
    let worker = house.worker();
    let items = block_on(worker.receive(&[house.hint(id)])).unwrap();
    let work = items.into_iter().map(engine::Work::from).collect();
    block_on(worker.work(work, "hook", &mut Default::default())).unwrap();
}

fn refused(decided: Decided) -> String {
    match decided {
        Err(Refusal::Busy(why) | Refusal::Invalid(why) | Refusal::Unknown(why)) => why,
        Ok(done) => panic!("{done}"),
    }
}

#[test]
fn dead_letters_are_grouped_by_cause() {
    let house = with_dead(&["D1", "D2"]);
    house.systems.edit(KEY, "D3", won("3"));
    *house.systems.next_upsert.borrow_mut() = Some(Fault::dead_letter(
        sluice_core::Code("BOOKS_CLOSED"),
        "March is closed",
    ));
    house.wait(60);
    house.sync("D3");
    let dead = block_on(house.worker().dead()).unwrap();
    assert_eq!(
        (&dead["dead"], &dead["complete"]),
        (&json!(3), &json!(true))
    );
    let first = &dead["causes"][0];
    assert_eq!(
        (
            &first["code"],
            &first["count"],
            &first["fields"],
            &first["ids"]
        ),
        (
            &json!("MAPPING_FIELDS"),
            &json!(2),
            &json!(["total"]),
            &json!(["D1", "D2"])
        ),
        "{dead}"
    );
    assert_eq!(dead["causes"][1]["message"], "March is closed");
}

#[test]
fn one_record_is_shown_whole() {
    let house = with_dead(&["D1"]);
    let shown = block_on(house.worker().show("D1")).unwrap();
    assert_eq!(shown["source"]["body"]["total"], "twelve");
    assert_eq!(shown["mapping"]["fault"]["fields"][0]["path"], "total");
    assert_eq!(
        (&shown["target"]["state"], &shown["link"]),
        (&json!("absent"), &Value::Null)
    );
    assert_eq!(shown["queue"]["fault"]["code"], "MAPPING_FIELDS");
    assert_eq!(shown["outcomes"][0]["outcome"], "dead");

    house.systems.edit(KEY, "D2", won("2"));
    house.sync("D2");
    house.systems.edit(KEY, "D2", won("2.5"));
    let shown = block_on(house.worker().show("D2")).unwrap();
    assert_eq!(
        shown["changes"].to_string(),
        r#"[{"held":2,"path":"total","wanted":2.5}]"#
    );
    assert_eq!(house.systems.logged("upsert"), 1, "to show is not to write");
}

#[test]
fn retrying_one_many_or_all_of_a_cause() {
    let house = with_dead(&["D1", "D2", "D3"]);
    // Nothing is left to the next window's look back.
    house.wait(600);
    house.run();
    for id in ["D1", "D2"] {
        house
            .systems
            .source
            .borrow_mut()
            .get_mut(&(KEY, id.into()))
            .unwrap()
            .1 = won("1");
    }
    let worker = house.worker();
    let ids = Which::Ids(vec!["D1".into(), "D9".into()]);
    let said = block_on(worker.retry(&ids, &rosa("fixed by hand"))).unwrap();
    assert_eq!(
        (&said["ids"], &said["not_retried"]),
        (
            &json!(["D1"]),
            &json!([{ "id": "D9", "why": "is not in the queue" }])
        )
    );
    house.run();
    assert!(house.systems.target(&external("D1")).is_some());
    let none = block_on(worker.retry(&Which::Code("OTHER".into()), &By::default())).unwrap();
    assert_eq!(none["retried"], 0);
    let code = Which::Code("MAPPING_FIELDS".into());
    let said = block_on(worker.retry(&code, &By::default())).unwrap();
    assert_eq!(said["ids"], json!(["D2", "D3"]));
    house.run();
    assert!(house.systems.target(&external("D2")).is_some());
    assert_eq!(state(&house, "D3"), "dead", "still no number");
    let said = block_on(worker.retry(&Which::All, &By::default())).unwrap();
    assert_eq!(said["retried"], 1);
    let trail = lines(&house);
    assert_eq!(trail.len(), 4);
    assert_eq!(
        (
            &trail[3]["who"],
            &trail[3]["action"],
            &trail[3]["subject"],
            &trail[3]["reason"]
        ),
        (
            &json!("rosa"),
            &json!("retry"),
            &json!("D1"),
            &json!("fixed by hand")
        )
    );
    assert_eq!(trail[0]["who"], "token");
}

#[test]
fn what_is_in_work_is_neither_retried_nor_skipped_nor_edited() {
    let house = House::new();
    house.systems.edit(KEY, "D1", won("1"));
    let worker = house.worker();
    let items = block_on(worker.receive(&[house.hint("D1")])).unwrap();
    assert_eq!(items.len(), 1);
    let ids = vec!["D1".to_owned()];
    let other = house.worker();
    let said = block_on(other.retry(&Which::Ids(ids.clone()), &By::default())).unwrap();
    assert_eq!(
        said["not_retried"][0]["why"],
        "is in work, or was announced anew just now"
    );
    let said = block_on(other.skip(&ids, &rosa("no"))).unwrap();
    assert_eq!(
        said["not_skipped"][0]["why"],
        "is in work, or was announced anew just now"
    );
    let edit = patch(json!({ "total": "2" }));
    let said = block_on(other.edit("D1", edit, &rosa("no"))).unwrap();
    assert_eq!(said.unwrap()["state"], "in_work");
    let said = block_on(other.sync("D1", &rosa("no"))).unwrap();
    assert_eq!(said.unwrap()["state"], "in_work");
    assert_eq!(lines(&house).len(), 0, "nothing was done, nothing is told");
}

#[test]
fn a_skipped_record_is_off_the_queue_until_its_source_changes() {
    let house = with_dead(&["D1"]);
    let ids = vec!["D1".to_owned()];
    let said = block_on(house.worker().skip(&ids, &rosa("a test deal"))).unwrap();
    assert_eq!(
        (&said["skipped"], &said["ids"]),
        (&json!(1), &json!(["D1"]))
    );
    let shown = block_on(house.worker().show("D1")).unwrap();
    assert_eq!(shown["queue"], Value::Null);
    let last = &shown["outcomes"][0];
    assert_eq!(
        (&last["outcome"], &last["why"], &last["cause"]),
        (&json!("skipped"), &json!("a test deal"), &json!("skip"))
    );
    // The next window reaches back over it.
    house.wait(60);
    let report = house.run();
    assert_eq!(
        (&report["read"], &report["skipped"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    assert_eq!(state(&house, "D1"), Value::Null);
    house.systems.edit(KEY, "D1", won("1"));
    house.wait(60);
    assert_eq!(house.run()["created"], 1);
    // What was given up once is not held against it later.
    house.wait(60);
    house.systems.edit(KEY, "D1", won("2"));
    assert_eq!(house.run()["updated"], 1);
}

#[test]
fn what_is_announced_while_somebody_decides_is_not_skipped() {
    let house = with_dead(&["D1"]);
    let queue = Queue {
        flow: "deal-to-order",
        ports: &house.ports,
        concurrency_max: 10,
        settles_within: std::time::Duration::from_secs(900),
    };
    let trail = Trail {
        flow: "deal-to-order",
        ports: &house.ports,
    };
    let standing = block_on(queue.standing("D1")).unwrap().unwrap();
    block_on(queue.put(&[house.hint("D1")], 0)).unwrap();
    let skip = |standing| block_on(trail.skip("D1", standing, None, &rosa("no"))).unwrap();
    assert!(!skip(standing));
    assert_eq!(state(&house, "D1"), "ready");
    assert!(skip(block_on(queue.standing("D1")).unwrap().unwrap()));
    assert_eq!(lines(&house).len(), 1);
}

#[test]
fn what_waits_is_skipped_as_it_is_now() {
    let house = House::new();
    house.run();
    let deal = json!({ "stage": "won", "total": "1", "product": "P1", "sku": "A-1" });
    house.systems.edit(KEY, "D1", deal);
    assert_eq!(house.sync("D1")["state"], "queued");
    let ids = vec!["D1".to_owned()];
    block_on(house.worker().skip(&ids, &rosa("never sold"))).unwrap();
    house.wait(60);
    assert_eq!(house.run()["skipped"], 1);
    assert_eq!(state(&house, "D1"), Value::Null);
    // Webhooks say: look again.
    receive(&house, "D1");
    assert_eq!(state(&house, "D1"), "waiting");
}

#[test]
fn an_extraction_does_not_revive_what_died_in_the_state_it_lists() {
    let house = House::new();
    house.run();
    house.systems.edit(KEY, "D1", won("twelve"));
    house.wait(10);
    assert_eq!(house.run()["dead"], 1);
    let fetched = house.systems.logged("fetch");
    for _ in 0..3 {
        house.wait(60);
        let report = house.run();
        assert_eq!((&report["read"], &report["dead"]), (&json!(1), &json!(1)));
    }
    let shown = block_on(house.worker().show("D1")).unwrap();
    assert_eq!(
        shown["outcomes"].as_array().unwrap().len(),
        1,
        "it died once"
    );
    assert_eq!(
        house.systems.logged("fetch"),
        fetched + 1,
        "only to show it"
    );
    // A hint is another matter: who sends one wants it looked at.
    receive(&house, "D1");
    let shown = block_on(house.worker().show("D1")).unwrap();
    assert_eq!(shown["outcomes"].as_array().unwrap().len(), 2);
    // A second change within one tick of the source's clock is a change.
    house
        .systems
        .source
        .borrow_mut()
        .get_mut(&(KEY, "D1".into()))
        .unwrap()
        .1 = won("12");
    house.wait(10);
    assert_eq!(house.run()["created"], 1);
}

#[test]
fn an_edit_is_applied_and_stands_until_the_source_really_changes() {
    let house = with_dead(&["D1"]);
    let edit = patch(json!({ "total": "12.00" }));
    let said = block_on(house.worker().edit("D1", edit, &rosa("typo"))).unwrap();
    assert_eq!(said.unwrap()["state"], "created");
    let total = || house.systems.target(&external("D1")).unwrap()["total"].to_string();
    assert_eq!(total(), "12.00");
    assert_eq!(
        house.systems.source.borrow()[&(KEY, "D1".into())].1["total"],
        "twelve",
        "the source is not touched"
    );
    let line = &lines(&house)[0];
    assert_eq!(
        (&line["action"], &line["subject"], &line["details"]),
        (&json!("edit"), &json!("D1"), &json!({ "total": "12.00" }))
    );
    // Our own echo, an extraction, a late webhook: the source says what it said.
    house.wait(60);
    assert_eq!(house.run()["unchanged"], 1);
    receive(&house, "D1");
    let said = house.sync("D1");
    assert_eq!(
        (&said["state"], total()),
        (&json!("unchanged"), "12.00".into()),
        "{said}"
    );
    assert_eq!(house.status()["queue"]["dead"], 0);
    let link = block_on(house.worker().show("D1")).unwrap()["link"].clone();
    assert_eq!(
        (&link["version"], &link["seen"]),
        (&Value::Null, &Value::Null)
    );

    house.systems.edit(KEY, "D1", won("13"));
    house.wait(60);
    assert_eq!(house.run()["updated"], 1);
    assert_eq!(total(), "13");
    let link = block_on(house.worker().show("D1")).unwrap()["link"].clone();
    assert_eq!(link.get("edited"), None);
}

#[test]
fn a_change_between_the_edit_and_its_attempt_wins() {
    let house = with_dead(&["D1"]);
    *house.systems.next_upsert.borrow_mut() = Some(fault("DOWN"));
    let edit = patch(json!({ "total": "12" }));
    let said = block_on(house.worker().edit("D1", edit, &rosa("typo"))).unwrap();
    assert_eq!(said.unwrap()["state"], "queued");
    house.systems.edit(KEY, "D1", won("14"));
    house.wait(60);
    house.run();
    let total = house.systems.target(&external("D1")).unwrap()["total"].to_string();
    assert_eq!(total, "14");
}

#[test]
fn an_edit_lasts_through_retries_and_confirmation() {
    let house = with_dead(&["D1"]);
    *house.systems.next_upsert.borrow_mut() = Some(fault("LOST").with_unknown_write());
    let edit = patch(json!({ "total": "12" }));
    block_on(house.worker().edit("D1", edit, &rosa("typo")))
        .unwrap()
        .unwrap();
    house.wait(5);
    house.run();
    house.wait(901);
    house.run();
    let status = house.status();
    assert_eq!(
        (&status["queue"]["ready"], &status["queue"]["dead"]),
        (&json!(0), &json!(0)),
        "{status}"
    );
    let total = house.systems.target(&external("D1")).unwrap()["total"].to_string();
    assert_eq!(total, "12");
}

#[test]
fn an_edit_that_is_no_good_ends_with_its_attempt_and_an_empty_one_takes_it_back() {
    let house = with_dead(&["D1"]);
    let edit = patch(json!({ "total": "a dozen" }));
    let said = block_on(house.worker().edit("D1", edit, &rosa("typo"))).unwrap();
    assert_eq!(said.unwrap()["state"], "dead");
    let shown = block_on(house.worker().show("D1")).unwrap();
    assert_eq!(shown["queue"]["edit"], Value::Null);

    house.systems.edit(KEY, "D2", won("2"));
    house.sync("D2");
    let edit = |value| block_on(house.worker().edit("D2", patch(value), &rosa("so"))).unwrap();
    let total = || house.systems.target(&external("D2")).unwrap()["total"].to_string();
    edit(json!({ "total": "3" })).unwrap();
    assert_eq!(total(), "3");
    edit(json!({})).unwrap();
    assert_eq!(total(), "2");
    assert_eq!(house.sync("D2")["state"], "unchanged");
    assert_eq!(total(), "2");
    let unknown = block_on(house.worker().edit("D9", Map::new(), &rosa("so"))).unwrap();
    assert!(refused(unknown).contains("unknown in the source"));
}

#[test]
fn a_paused_flow_takes_hints_and_works_on_nothing() {
    let house = House::new();
    house.run();
    let said = block_on(house.worker().pause(&rosa("an upgrade"))).unwrap();
    assert_eq!(
        (&said["state"], &said["changed"]),
        (&json!("paused"), &json!(true))
    );
    let again = block_on(house.worker().pause(&rosa("again"))).unwrap();
    assert_eq!(
        (&again["changed"], &again["paused"]["reason"]),
        (&json!(false), &json!("an upgrade"))
    );
    house.systems.edit(KEY, "D1", won("1"));
    receive(&house, "D1");
    house.wait(60);
    let report = house.run();
    assert_eq!(
        (&report["ended"], &report["run"], &report["read"]),
        (&json!("paused"), &Value::Null, &json!(0))
    );
    // A worker that was at it when the pause began takes nothing more.
    let mut run = engine::Run::new("test");
    block_on(house.worker().drain(&mut house.budget(), &mut run)).unwrap();
    assert_eq!(run.tally, engine::Tally::default());
    assert_eq!(house.sync("D1")["state"], "in_work");
    let said = block_on(house.worker().sync("D1", &By::default())).unwrap();
    assert!(refused(said).contains("paused since"));
    let edit = block_on(house.worker().edit("D1", Map::new(), &By::default())).unwrap();
    assert!(refused(edit).contains("paused"));
    assert!(
        house.systems.log.borrow().is_empty(),
        "neither system is asked"
    );
    let status = house.status();
    assert_eq!(
        (&status["paused"]["who"], &status["queue"]["ready"]),
        (&json!("rosa"), &json!(1))
    );
    let said = block_on(house.worker().resume(&rosa("done"))).unwrap();
    assert_eq!(said["changed"], true);
    assert_eq!(
        block_on(house.worker().resume(&rosa("done"))).unwrap()["changed"],
        false
    );
    assert_eq!(house.run()["created"], 1);
    let trail = lines(&house);
    let actions: Vec<_> = trail
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["resume", "pause"]);
}

#[test]
fn a_cursor_goes_back_and_forward_only_when_that_is_meant() {
    let house = House::new();
    house.run();
    let start = house.clock_now();
    house.systems.edit(KEY, "D1", won("1"));
    house.wait(3_600);
    house.run();
    house.wait(600);
    house.run();
    // As if it had been lost, long before the overlap.
    house.systems.target.borrow_mut().clear();
    house.forget_links();
    house.wait(3_600);
    assert_eq!(house.run()["read"], 0);
    let worker = house.worker();
    let set = |to, skip| block_on(worker.set_cursor(to, skip, &rosa("lost orders"))).unwrap();
    set(start, false).unwrap();
    house.wait(60);
    assert_eq!(house.run()["created"], 1);
    house.wait(600);
    house.run();

    let ahead = house.clock_now() + jiff::SignedDuration::from_secs(60);
    assert!(refused(set(ahead, true)).contains("lies ahead"));
    set(start, false).unwrap();
    let why = refused(set(house.clock_now(), false));
    assert!(why.contains("may not be applied"), "{why}");
    house.wait(60);
    house.systems.edit(KEY, "D2", won("2"));
    house.wait(3_600);
    set(house.clock_now(), true).unwrap();
    assert_eq!(house.run()["read"], 0, "passed by, as was said");
    let trail = lines(&house);
    assert_eq!(trail.len(), 3, "refusals are no actions: {trail:?}");
    assert_eq!(trail[0]["details"]["skip"], true);
    assert!(trail[0]["details"]["from"]["streams"]["Deal"]["complete"].is_string());
}

#[test]
fn a_cursor_is_not_set_while_a_run_lists_and_an_open_window_is_given_up() {
    let house = House::new();
    house.run();
    let start = house.clock_now();
    let at = house.systems.now.get() + 1;
    for index in 0..250 {
        let key = (KEY, format!("D{index:03}"));
        house
            .systems
            .source
            .borrow_mut()
            .insert(key, (at, won("1")));
    }
    house.wait(60);
    let mut budget = house.budget();
    budget.records = 130;
    block_on(house.worker().run(budget, None)).unwrap();
    assert!(!house.status()["cursor"]["streams"]["Deal"]["open"].is_null());
    let until = house.clock_now().as_millisecond() + 300_000;
    let take = format!(
        "INSERT INTO lease (name, token, until) VALUES ('extract:deal-to-order:Deal', 1, {until})"
    );
    block_on(house.ports.sql.execute(&take, &[])).unwrap();
    let worker = house.worker();
    let said = block_on(worker.set_cursor(start, false, &rosa("again"))).unwrap();
    assert!(matches!(said, Err(Refusal::Busy(_))));
    block_on(house.ports.sql.execute("DELETE FROM lease", &[])).unwrap();
    block_on(worker.set_cursor(start, false, &rosa("again")))
        .unwrap()
        .unwrap();
    assert!(house.status()["cursor"]["streams"]["Deal"]["open"].is_null());
    for _ in 0..3 {
        house.wait(60);
        house.run();
    }
    assert_eq!(house.systems.target.borrow().len(), 250);
    assert_eq!(house.systems.logged("upsert"), 250, "none twice");
}

#[test]
fn a_record_is_traced_by_either_id() {
    let house = House::new();
    house.systems.edit(KEY, "D1", won("1"));
    house.run();
    house.sync("D1");
    let rewound = "2027-01-15T07:00:00Z".parse().unwrap();
    block_on(house.worker().set_cursor(rewound, false, &rosa("look")))
        .unwrap()
        .unwrap();
    house.systems.edit(KEY, "D1", won("2"));
    house.wait(1);
    house.run();
    block_on(house.worker().sync("D1", &rosa("to be sure")))
        .unwrap()
        .unwrap();
    for (asked, found_by) in [("D1", "source"), ("T1", "target")] {
        let trace = block_on(house.worker().trace(asked)).unwrap().unwrap();
        assert_eq!(
            (&trace["found_by"], &trace["id"], &trace["target"]),
            (&json!(found_by), &json!("D1"), &json!("books:order:T1")),
            "{trace}"
        );
        assert_eq!(trace["writes"].as_array().unwrap().len(), 2);
        assert_eq!(trace["runs"][0]["run"], 2);
        assert_eq!(trace["trail"][0]["action"], "sync");
    }
    let unknown = block_on(house.worker().trace("X1")).unwrap();
    assert!(matches!(unknown, Err(Refusal::Unknown(_))));
}

#[test]
fn the_trail_can_only_grow() {
    let house = House::new();
    block_on(house.worker().pause(&rosa("an upgrade"))).unwrap();
    let before = lines(&house);
    for statement in [
        "UPDATE trail SET who = 'nobody'",
        "DELETE FROM trail",
        "INSERT OR REPLACE INTO trail (seq, flow, at, who, action, subject)
         VALUES (1, 'deal-to-order', 0, 'nobody', 'sync', 'D1')",
    ] {
        let fault = block_on(house.ports.sql.execute(statement, &[])).unwrap_err();
        assert!(fault.message.contains("append-only"), "{fault}");
    }
    assert_eq!(lines(&house), before);
}

#[test]
fn names_are_cut_and_cleaned() {
    let house = House::new();
    let long = format!(" rosa\u{1b}[31m\n{} ", "x".repeat(100));
    block_on(house.worker().pause(&By::named(Some(&long), None))).unwrap();
    let who = lines(&house)[0]["who"].as_str().unwrap().to_owned();
    assert!(who.starts_with("rosa[31mxx") && who.len() == 64, "{who}");
    block_on(house.worker().resume(&By::named(Some(" \u{7} "), None))).unwrap();
    assert_eq!(lines(&house)[0]["who"], "token");
}

/// One action, and whether it took effect.
type Action = (
    &'static str,
    fn(&Engine) -> sluice_core::Result<()>,
    fn(&House) -> bool,
);

const ACTIONS: [Action; 6] = [
    (
        "retry",
        |engine| block_on(engine.retry(&Which::All, &By::default())).map(|_| ()),
        |house| state(house, "D1") == "ready",
    ),
    (
        "skip",
        |engine| block_on(engine.skip(&["D1".to_owned()], &rosa("no"))).map(|_| ()),
        |house| state(house, "D1").is_null(),
    ),
    (
        "edit",
        |engine| {
            let edit = patch(json!({ "total": "12" }));
            block_on(engine.edit("D1", edit, &rosa("typo"))).map(|_| ())
        },
        // Worked on, or on its way.
        |house| state(house, "D1") != "dead",
    ),
    (
        "pause",
        |engine| block_on(engine.pause(&rosa("so"))).map(|_| ()),
        |house| !house.status()["paused"].is_null(),
    ),
    (
        "sync",
        |engine| block_on(engine.sync("D1", &By::default())).map(|_| ()),
        // Looking again leaves no trace of its own but the line.
        |house| lines(house).len() == 1,
    ),
    (
        "cursor",
        |engine| {
            let to = "2027-01-15T07:00:00Z".parse().unwrap();
            block_on(engine.set_cursor(to, false, &rosa("so"))).map(|_| ())
        },
        |house| {
            let complete = &house.status()["cursor"]["streams"]["Deal"]["complete"];
            complete == "2027-01-15T07:00:00Z"
        },
    ),
];

#[test]
fn whatever_statement_fails_no_action_goes_without_its_line() {
    for (name, act, took_effect) in ACTIONS {
        for takes_effect in [false, true] {
            let mut ended = false;
            for good in 0..40 {
                let house = with_dead(&["D1"]);
                let failing = FailingSql {
                    inner: house.ports.sql.clone(),
                    good: Cell::new(good),
                    takes_effect,
                };
                ended = act(&house.worker_through(Rc::new(failing))).is_ok();
                let lines = lines(&house);
                let told = lines.iter().any(|line| line["action"] == name);
                let did = took_effect(&house);
                // The cursor is kept elsewhere: there the line comes first.
                let fits = did == told || (name == "cursor" && told);
                assert!(fits, "{name}, statement {good}: did {did}, told {told}");
                assert!(lines.len() <= 1, "{name}: told twice");
                if ended {
                    assert!(did && told, "{name}");
                    break;
                }
                // What was cut off goes through when it is asked for again; once a lease has ended.
                house.wait(301);
                let _ = act(&house.worker());
                assert!(
                    took_effect(&house) || name == "sync",
                    "{name}, statement {good}"
                );
            }
            assert!(ended, "{name} has no end");
        }
    }
}
