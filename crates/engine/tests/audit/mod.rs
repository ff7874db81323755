//! What an audit finds, each way in which two systems can differ.

use engine::{AuditPage, Days, Side};
use futures::executor::block_on;
use serde_json::{Value, json};
use sluice_core::Kind;

use crate::fake::{House, ORDER, external, fault};

fn deal(total: &str) -> Value {
    json!({ "stage": "won", "total": total, "currency": "EUR", "day": "2026-11-30" })
}

/// Every page of a side.
fn walk(house: &House, side: Side, days: Days) -> Vec<AuditPage> {
    let (mut pages, mut after) = (Vec::new(), None::<String>);
    for _ in 0..100 {
        let page = block_on(house.worker().audit_page(side, after.as_deref(), days));
        let page = page.unwrap().unwrap();
        after.clone_from(&page.next);
        pages.push(page);
        if after.is_none() {
            return pages;
        }
    }
    panic!("the pages do not end");
}

/// What both walks say: side, source or target id, state, reason.
fn audit_of(house: &House, days: Days) -> Vec<Value> {
    let mut said = Vec::new();
    for side in [Side::Source, Side::Target] {
        for page in walk(house, side, days) {
            for entry in page.entries {
                let mut entry = json!(entry);
                entry["side"] = json!(side);
                said.push(entry);
            }
        }
    }
    said
}

fn audit(house: &House) -> Vec<Value> {
    audit_of(house, Days::default())
}

/// Checks the only entry about a record, by its id on either side.
#[track_caller]
fn check(house: &House, side: &str, id: &str, state: &str, why: &str) -> Value {
    let said = audit(house);
    let about: Vec<&Value> = said
        .iter()
        .filter(|entry| entry["side"] == side && entry[side] == id)
        .collect();
    assert_eq!(about.len(), 1, "{side} {id}: {said:#?}");
    assert_eq!(about[0]["state"], state, "{:#}", about[0]);
    let reason = about[0]["why"].as_str().unwrap_or_default();
    assert!(reason.contains(why), "{reason}");
    about[0].clone()
}

/// A house in which some deals are synced.
fn synced(count: usize) -> House {
    let house = House::new();
    house.run();
    for number in 1..=count {
        house
            .systems
            .edit("Deal", &format!("D{number}"), deal("10.50"));
    }
    house.run();
    house.wait(60);
    house.run();
    house
}

#[test]
fn what_is_in_step_is_unchanged_with_its_money_on_both_sides() {
    let house = synced(45);
    house
        .systems
        .edit("Deal", "D99", json!({ "stage": "open", "total": "1" }));
    let before = house.systems.log.borrow().len();
    let said = audit(&house);
    let log = house.systems.log.borrow()[before..].to_vec();
    assert!(
        log.iter()
            .all(|line| line.starts_with("fetch") || line.starts_with("find")),
        "{log:?}"
    );
    let unchanged = said.iter().filter(|entry| entry["state"] == "unchanged");
    assert_eq!(unchanged.count(), 45, "{said:#?}");
    assert_eq!(said.len(), 46);
    let entry = check(&house, "source", "D7", "unchanged", "");
    let money = json!({ "amount": "10.50", "currency": "EUR", "day": "2026-11-30" });
    assert_eq!(entry["source_says"], money);
    assert_eq!(entry["target_says"]["amount"], "10.50");
    check(&house, "source", "D99", "out_of_scope", "scope");
    assert!(walk(&house, Side::Source, Days::default()).len() > 2);
}

#[test]
fn a_target_changed_behind_our_back_is_found_with_what_differs() {
    let house = synced(2);
    house.systems.tamper("T1", "total", json!(99));
    let entry = check(
        &house,
        "source",
        "D1",
        "unaccounted",
        "changed in the target",
    );
    let change = json!([{ "path": "total", "held": 99, "wanted": 10.50 }]);
    assert_eq!(
        entry["changes"].to_string(),
        change.to_string().replace("10.5}", "10.50}")
    );
    // What the target adds of its own is no difference.
    house.systems.tamper("T1", "total", json!(10.5));
    house.systems.tamper("T1", "subtotal", json!(10.5));
    check(&house, "source", "D1", "unchanged", "");
}

#[test]
fn a_target_deleted_behind_our_back_is_found() {
    let house = synced(2);
    house.systems.target.borrow_mut().remove(&external("D1"));
    check(&house, "source", "D1", "unaccounted", "deleted");
}

#[test]
fn a_source_changed_without_being_queued_is_found_and_one_that_is_queued_is_not_lost() {
    let house = synced(2);
    house.systems.edit("Deal", "D1", deal("11"));
    let entry = check(&house, "source", "D1", "unaccounted", "not queued");
    assert_eq!(entry["changes"][0]["path"], "total");
    block_on(house.worker().receive(&[house.hint("D1")])).unwrap();
    check(&house, "source", "D1", "queued", "");
    house.wait(121);
    house
        .systems
        .edit("Deal", "D1", json!({ "stage": "won", "total": "x" }));
    house.run();
    check(&house, "source", "D1", "dead", "bad field");
}

#[test]
fn a_source_that_nobody_brought_over_is_found() {
    let house = synced(0);
    house.systems.edit("Deal", "D1", deal("1"));
    check(&house, "source", "D1", "unaccounted", "no target");
    // A crash between write and link: what stands is what should.
    *house.systems.next_upsert.borrow_mut() = Some(fault("LOST").with_unknown_write());
    house.sync("D1");
    check(&house, "source", "D1", "queued", "");
    house.wait(1000);
    house.run();
    house.forget_links();
    check(&house, "source", "D1", "applied", "no link");
    house.systems.tamper("T1", "total", json!(2));
    check(&house, "source", "D1", "unaccounted", "no link");
}

#[test]
fn a_record_that_left_is_closed_or_unaccounted_for() {
    let house = synced(3);
    house
        .systems
        .edit("Deal", "D1", json!({ "stage": "lost", "total": "10.50" }));
    check(
        &house,
        "source",
        "D1",
        "unaccounted",
        "scope of the flow, but",
    );
    house.run();
    check(&house, "source", "D1", "out_of_scope", "closed");
    house.systems.tamper("T1", "closed", json!(false));
    check(&house, "source", "D1", "unaccounted", "open again");
}

#[test]
fn targets_whose_source_does_not_exist_or_never_counted_are_found() {
    let house = synced(2);
    // Purged: no list of the source has it any more.
    house
        .systems
        .source
        .borrow_mut()
        .remove(&("Deal", "D1".to_owned()));
    check(&house, "target", "T1", "unaccounted", "D1 is not known");
    house.systems.tamper("T1", "closed", json!(true));
    let said = audit(&house);
    assert!(
        said.iter().all(|entry| entry["state"] != "unaccounted"),
        "{said:#?}"
    );

    house
        .systems
        .edit("Deal", "D5", json!({ "stage": "open", "total": "1" }));
    let order = (
        "T50".to_owned(),
        json!({ "id": "T50", "total": 5, "currency": "EUR" }),
    );
    house
        .systems
        .target
        .borrow_mut()
        .insert(external("D5"), order);
    let entry = check(&house, "target", "T50", "unaccounted", "not in the scope");
    assert_eq!(entry["target_says"]["amount"], "5");
}

#[test]
fn a_second_target_of_one_source_is_found() {
    let house = synced(1);
    let twin = house.systems.target(&external("D1")).unwrap();
    // Somebody moved our external id to a copy.
    house.systems.target.borrow_mut().remove(&external("D1"));
    house.systems.enter(ORDER, "T1", twin.clone());
    let mut copy = twin;
    copy["id"] = json!("T77");
    house
        .systems
        .target
        .borrow_mut()
        .insert(external("D1"), ("T77".into(), copy));
    check(
        &house,
        "target",
        "T77",
        "unaccounted",
        "a second record of D1; the first is T1",
    );
}

#[test]
fn a_record_of_unknown_origin_counts_only_where_the_mapping_says_so() {
    let house = synced(1);
    house
        .systems
        .enter(ORDER, "T60", json!({ "total": 3, "channel": "shop" }));
    house
        .systems
        .enter(ORDER, "T61", json!({ "total": 3, "channel": "fair" }));
    house
        .systems
        .enter(Kind::new("books", "customer"), "T62", json!({}));
    check(&house, "target", "T60", "unaccounted", "no source record");
    let said = audit(&house);
    assert_eq!(said.len(), 2, "{said:#?}");
}

#[test]
fn an_approved_order_that_its_source_left_behind_is_told_apart_from_one_changed_by_hand() {
    let house = synced(2);
    house.systems.tamper("T1", "approved", json!(true));
    house.systems.edit("Deal", "D1", deal("20"));
    house.run();
    let entry = check(&house, "source", "D1", "locked", "approved");
    assert_eq!(entry["changes"][0]["path"], "total");
    house.systems.tamper("T2", "approved", json!(true));
    house.systems.tamper("T2", "total", json!(1));
    check(
        &house,
        "source",
        "D2",
        "unaccounted",
        "changed in the target",
    );
}

#[test]
fn days_say_what_is_looked_at() {
    let house = synced(1);
    let mut december = deal("7");
    december["day"] = json!("2026-12-01");
    house.systems.edit("Deal", "D9", december);
    house.run();
    let day = |text: &str| Some(text.parse().unwrap());
    let november = Days {
        from: day("2026-11-01"),
        to: day("2026-11-30"),
    };
    let said = audit_of(&house, november);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_eq!(said[0]["source"], "D1");
    // One that was moved into the month in the target only is seen.
    house.systems.tamper("T2", "day", json!("2026-11-02"));
    let said = audit_of(&house, november);
    assert_eq!(
        (said.len(), &said[1]["state"]),
        (2, &json!("unaccounted")),
        "{said:#?}"
    );
}

#[test]
fn places_that_are_none_are_refused() {
    let house = synced(0);
    for after in ["x", "~", "2026-11-22~D1"] {
        let page = block_on(
            house
                .worker()
                .audit_page(Side::Source, Some(after), Days::default()),
        );
        assert!(page.unwrap().is_err(), "{after}");
    }
}
