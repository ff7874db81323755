//! Listings over pages, and how they go wrong.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Desk, US, ids};

/// Every page of a listing, by the ids on it.
fn list(desk: &mut Desk, query: &str, seconds: i64) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token = String::new();
    for _ in 0..100 {
        let page = desk.search(&format!("{query}{token}"));
        pages.push(ids(&page));
        match &page["pagination"]["nextToken"] {
            Json::String(next) => token = format!("&paginationToken={next}"),
            _ => return pages,
        }
        desk.wait(seconds);
    }
    panic!("it never ends");
}

const QUERY: &str = "createdAfter=2026-04-01&maxResultsPerPage=7";

#[test]
fn pages_hold_every_order_once_and_in_no_order() {
    let mut desk = Desk::stocked(80);
    let pages = list(&mut desk, QUERY, 1);
    assert_eq!(pages.len(), 6);
    let all: Vec<String> = pages.concat();
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (40, 40));
    let found = desk.search("createdAfter=2026-04-01");
    let times = found["orders"].as_array().unwrap().iter();
    let times: Vec<&Json> = times.map(|order| &order["createdTime"]).collect();
    assert!(!times.is_sorted_by_key(|time| time.as_str()));
}

#[test]
fn a_token_is_bound_to_its_search_and_to_its_day() {
    let mut desk = Desk::stocked(80);
    let first = desk.search(QUERY);
    let token = first["pagination"]["nextToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let next = format!("{QUERY}&paginationToken={token}");
    let second = desk.search(&next);
    // A lost answer is asked for again.
    assert_eq!(ids(&desk.search(&next)), ids(&second));
    let other = format!("{next}&marketplaceIds={US}");
    assert!(desk.refused(&other).contains("other parameters"));
    let finer = format!(
        "createdAfter=2026-04-01&maxResultsPerPage=3&includedData=BUYER&paginationToken={token}"
    );
    assert_eq!(ids(&desk.search(&finer))[..], ids(&second)[..3]);
    desk.log_in(crate::amazon::Region::Eu);
    assert!(desk.refused(&next).contains("other parameters"));
    desk.wait(24 * 60 * 60);
    desk.log_in(crate::amazon::Region::Na);
    assert!(desk.refused(&next).contains("expired"));
}

#[test]
fn what_changes_meanwhile_leaves_the_listing() {
    let mut desk = Desk::new();
    let sold: Vec<String> = (0..4).map(|_| desk.sell()).collect();
    desk.wait(300);
    let query = "lastUpdatedAfter=2026-04-01&maxResultsPerPage=2";
    let first = desk.search(query);
    for id in &sold {
        desk.do_to(id, json!({"do": "ship"}));
    }
    let token = first["pagination"]["nextToken"].as_str().unwrap();
    let second = desk.search(&format!("{query}&paginationToken={token}"));
    assert_eq!(ids(&second).len(), 0);
    // It is in the next window.
    desk.wait(120);
    assert_eq!(
        ids(&desk.search("lastUpdatedAfter=2026-05-01T08:01:00Z")).len(),
        4
    );
}

#[test]
fn orders_go_missing_from_one_listing_and_not_from_the_next() {
    let mut desk = Desk::stocked(80);
    desk.set("orders_missing_percent", json!(20));
    let once: BTreeSet<String> = list(&mut desk, QUERY, 1).concat().into_iter().collect();
    let again: BTreeSet<String> = list(&mut desk, QUERY, 1).concat().into_iter().collect();
    assert!(
        once.len() < 40 && again.len() < 40,
        "{} {}",
        once.len(),
        again.len()
    );
    assert_ne!(once, again);
}

#[test]
fn pages_come_twice() {
    let mut desk = Desk::stocked(80);
    desk.set("pages_repeated", json!(2));
    let pages = list(&mut desk, QUERY, 1);
    assert_eq!(pages.len(), 8);
    assert_eq!(pages[0], pages[1]);
    let distinct: BTreeSet<String> = pages.concat().into_iter().collect();
    assert_eq!(distinct.len(), 40);
}
