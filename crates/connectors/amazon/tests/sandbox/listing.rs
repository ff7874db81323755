//! What changed, page by page.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::json;
use sluice_core::{
    Action, Change, LastWindow, Page, Ports, Position, Result, Source, Timestamp, Window, code,
};

use super::wire::{Wire, patience, run, select};

const US: &str = "ATVPDKIKX0DER";
const UK: &str = "A1F83G8C2ARO7P";

fn page(ports: &Ports, stream: &str, window: &Window, at: &Position, count: usize) -> Result<Page> {
    let window = Window {
        after: at.clone(),
        until: window.until,
    };
    run(amazon::orders().changed(ports, stream, &window, count, &select()))
}

fn walked(wire: &Wire, ports: &Ports, stream: &str, window: &Window, count: usize) -> Vec<Change> {
    wire.listed(|at| page(ports, stream, window, at, count), window)
}

fn ids(changes: &[Change]) -> BTreeSet<String> {
    changes.iter().map(|change| change.id.id.clone()).collect()
}

fn days_ago(wire: &Wire, days: i64) -> Timestamp {
    wire.now() - SignedDuration::from_hours(24 * days)
}

#[test]
fn everything_of_a_marketplace_is_listed_once_whatever_the_page() {
    let wire = Wire::stocked(160);
    let ports = wire.ports();
    for (stream, marketplace) in [("US", US), ("UK", UK)] {
        let all: BTreeSet<String> = wire.orders_in(marketplace).into_iter().collect();
        assert_eq!(all.len(), 40);
        for count in [7, 100] {
            let window = wire.window(&ports, days_ago(&wire, 30));
            let listed = walked(&wire, &ports, stream, &window, count);
            assert_eq!(listed.len(), all.len(), "{stream} {count}");
            assert_eq!(ids(&listed), all, "{stream} {count}");
            let whole = |change: &Change| change.record.is_some() && change.version.is_some();
            assert!(listed.iter().all(whole));
        }
    }
    assert_eq!(
        wire.answered(429),
        0,
        "nothing is asked that would be refused"
    );
}

#[test]
fn a_window_ends_where_amazon_has_settled() {
    let wire = Wire::new();
    let ports = wire.ports();
    let start = wire.now();
    let id = wire.sell("US");
    let window = wire.window(&ports, days_ago(&wire, 1));
    let behind = wire.now().duration_since(window.until);
    assert!((120..=122).contains(&behind.as_secs()), "{behind:?}");
    assert!(walked(&wire, &ports, "US", &window, 100).is_empty());
    wire.wait_s(121);
    let window = wire.window(&ports, start - SignedDuration::from_secs(1));
    assert_eq!(ids(&walked(&wire, &ports, "US", &window, 100)), [id].into());
    assert_eq!(wire.answered(400), 0);
}

#[test]
fn a_page_that_leads_to_itself_is_asked_for_again() {
    let wire = Wire::stocked(160);
    let ports = wire.ports();
    wire.set("pages_repeated", json!(2));
    let window = wire.window(&ports, days_ago(&wire, 30));
    let first = page(&ports, "US", &window, &window.after, 9).unwrap();
    let second = first.next.unwrap();
    for _ in 0..2 {
        let fault = page(&ports, "US", &window, &second, 9).unwrap_err();
        let what = (fault.code, &fault.action);
        assert_eq!(what, (code::SOURCE_PAGING, &Action::Retry));
    }
    let rest = Window {
        after: second,
        until: window.until,
    };
    let mut listed = first.changes;
    listed.extend(walked(&wire, &ports, "US", &rest, 9));
    assert_eq!((listed.len(), ids(&listed).len()), (40, 40));
}

#[test]
fn orders_on_no_page_are_on_one_of_the_next_window() {
    let wire = Wire::stocked(160);
    let ports = wire.ports();
    wire.set("orders_missing_percent", json!(30));
    let after = days_ago(&wire, 30);
    let mut seen = BTreeSet::new();
    let mut counts = Vec::new();
    // As often as it takes: no order has bad luck forever.
    for _ in 0..12 {
        let window = wire.window(&ports, after);
        let listed = walked(&wire, &ports, "US", &window, 100);
        counts.push(listed.len());
        seen.extend(ids(&listed));
    }
    assert!(counts.iter().any(|count| *count < 40), "{counts:?}");
    assert_eq!(seen.len(), 40, "{counts:?}");
}

#[test]
fn a_change_that_shows_late_is_in_the_overlap_of_the_next_window() {
    let wire = Wire::new();
    let ports = wire.ports();
    wire.set("search_lag_s", json!(8 * 60));
    let id = wire.sell("US");
    wire.wait_s(5 * 60);
    let window = wire.window(&ports, days_ago(&wire, 1));
    assert!(walked(&wire, &ports, "US", &window, 100).is_empty());
    wire.wait_s(4 * 60);
    let overlap: SignedDuration = amazon::orders()
        .overlap(&LastWindow::default())
        .try_into()
        .unwrap();
    let window = wire.window(&ports, window.until - overlap);
    assert_eq!(ids(&walked(&wire, &ports, "US", &window, 100)), [id].into());
}

#[test]
fn a_page_token_that_expires_costs_the_beginning_of_the_window() {
    let wire = Wire::stocked(160);
    let ports = wire.ports();
    let window = wire.window(&ports, days_ago(&wire, 30));
    let first = page(&ports, "US", &window, &window.after, 15).unwrap();
    let second = first.next.unwrap();
    wire.wait(SignedDuration::from_hours(25));
    // What changes meanwhile is the next window's.
    let late = wire.sell("US");
    let rest = Window {
        after: second,
        until: window.until,
    };
    let listed = walked(&wire, &ports, "US", &rest, 15);
    assert_eq!(ids(&listed).len(), 40, "it begins anew");
    assert!(!ids(&listed).contains(&late));
    assert_eq!(wire.answered(400), 1, "the token, once");
}

#[test]
fn tokens_that_are_refused_again_and_again_are_told_and_hold_up_nothing_for_ever() {
    let wire = Wire::stocked(160);
    let ports = wire.ports();
    let window = wire.window(&ports, days_ago(&wire, 30));
    wire.set("page_token_life_s", json!(1));
    // As an engine does it: a page moves the place, a fault leaves it.
    let mut at = window.after.clone();
    let mut waits = Vec::new();
    for _ in 0..20 {
        wire.wait_s(200);
        let asked = wire.asked().len();
        match page(&ports, "US", &window, &at, 5) {
            Ok(page) => at = page.next.unwrap(),
            Err(fault) => {
                assert_eq!(fault.code, code::SOURCE_PAGING, "{fault}");
                assert!(!fault.is_held_back(), "it is a fault, and seen as one");
                let wait = patience(&fault);
                assert!(wait >= SignedDuration::from_mins(11), "{wait:?}");
                wire.wait(wait);
                waits.push(wait);
            }
        }
        assert!(wire.asked().len() - asked <= 3, "a call has its end");
    }
    assert!(waits.len() > 2 && waits.is_sorted(), "{waits:?}");

    wire.set("page_token_life_s", json!(24 * 3600));
    let rest = Window {
        after: at,
        until: window.until,
    };
    let listed = walked(&wire, &ports, "US", &rest, 5);
    assert_eq!(ids(&listed), wire.orders_in(US).into_iter().collect());
}

#[test]
fn an_order_that_changes_while_its_window_is_read_leaves_it_for_the_next() {
    let wire = Wire::stocked(160);
    let ports = wire.ports();
    let window = wire.window(&ports, days_ago(&wire, 30));
    let first = page(&ports, "US", &window, &window.after, 5).unwrap();
    let all = wire.orders_in(US);
    let seen = ids(&first.changes);
    let listable = |id: &&String| {
        let order = wire.amazon(|amazon| amazon.order(id).unwrap());
        !seen.contains(*id) && order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    };
    let changed = all.iter().find(listable).unwrap().clone();
    wire.alter(&changed, json!({"do": "ship"}));
    let rest = Window {
        after: first.next.unwrap(),
        until: window.until,
    };
    let mut seen = seen;
    seen.extend(ids(&walked(&wire, &ports, "US", &rest, 5)));
    wire.wait_s(121);
    let next = wire.window(&ports, window.until);
    seen.extend(ids(&walked(&wire, &ports, "US", &next, 5)));
    assert_eq!(seen, all.into_iter().collect());
}

#[test]
fn an_order_that_can_be_none_holds_up_no_other() {
    let wire = Wire::new();
    let ports = wire.ports();
    let bad = wire.sell("US");
    let good = wire.sell("US");
    wire.set(
        "distort",
        json!({"orderId": bad, "shown": {"orderItems": []}}),
    );
    wire.wait_s(130);
    let window = wire.window(&ports, days_ago(&wire, 1));
    let listed = walked(&wire, &ports, "US", &window, 100);
    assert_eq!(ids(&listed), [bad.clone(), good].into());
    for change in listed {
        assert_eq!(
            change.record.is_none(),
            change.id.id == bad,
            "fetched by itself"
        );
    }
}

#[test]
fn old_orders_are_listed_by_the_day_they_were_placed() {
    let wire = Wire::stocked(160);
    let ports = wire.ports();
    let moved = wire.orders_in(US);
    let window = wire.window(&ports, days_ago(&wire, 3));
    let past = |at: &Position| {
        let window = Window {
            after: at.clone(),
            until: window.until,
        };
        run(amazon::orders().past(&ports, "US", &window, 100, &select()))
    };
    let listed = wire.listed(past, &window);
    assert_eq!(ids(&listed), moved.into_iter().collect());
    let asked = wire.asked();
    let search = asked
        .iter()
        .find(|entry| entry.path.contains("createdAfter"));
    assert!(search.is_some());
}
