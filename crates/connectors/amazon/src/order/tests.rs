use http::HeaderValue;
use http::header::DATE;
use serde_json::json;
use sluice_core::ports::SendError;
use sluice_core::{Action, code};

use super::*;
use crate::errors::{READ_ONLY, REQUEST};
use crate::script::{NA, NOW_S, Script, answer, answering, logged_in, order, refused, run};

pub const ID: &str = "902-3159896-1390916";
pub const OTHER: &str = "902-3159896-1390917";
pub const UPDATED: &str = "2026-11-20T10:00:00Z";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn window(id: &str) -> Window {
    Window {
        after: Position {
            watermark: at(NOW_S - 3600),
            id: id.to_owned(),
        },
        until: at(NOW_S - 120),
    }
}

fn page(orders: &[Value], next: Option<&str>) -> http::Response<bytes::Bytes> {
    let body = json!({"orders": orders, "pagination": {"nextToken": next}});
    answer(200, &body.to_string())
}

pub fn one(order: &Value) -> http::Response<bytes::Bytes> {
    answer(200, &json!({"order": order}).to_string())
}

fn changed(script: &std::rc::Rc<Script>, id: &str) -> Result<Page> {
    let select = Selection::default();
    run(orders().changed(&script.ports(), "US", &window(id), 100, &select))
}

#[test]
fn a_window_is_closed_and_its_place_is_a_page_token() {
    let script = logged_in(vec![
        page(&[order(ID, UPDATED)], Some("t~1")),
        page(&[order(ID, UPDATED), order(OTHER, UPDATED)], None),
    ]);
    let first = changed(&script, "").unwrap();
    let search = format!(
        "GET {NA}/orders/2026-01-01/orders?lastUpdatedAfter=2027-01-15T07:00:00.000Z\
         &lastUpdatedBefore=2027-01-15T07:58:00.000Z&marketplaceIds=ATVPDKIKX0DER\
         &maxResultsPerPage=100"
    );
    assert_eq!(script.lines()[1], search);
    let change = &first.changes[0];
    let record = change.record.as_ref().unwrap();
    assert_eq!(change.id, KIND.id(ID));
    assert_eq!(change.version, Some(record.version));
    assert_eq!(record.body, order(ID, UPDATED));
    let next = first.next.unwrap();
    assert_eq!(next.watermark, window("").after.watermark);

    // Whatever the caller's bound is by then, the token goes with its own.
    let later = Window {
        after: next,
        until: at(NOW_S),
    };
    let select = Selection::default();
    let second = run(orders().changed(&script.ports(), "US", &later, 100, &select)).unwrap();
    assert_eq!(script.lines()[2], format!("{search}&paginationToken=t~1"));
    // An order on two pages is listed twice: the queue makes one item of it.
    assert_eq!((second.changes.len(), second.next), (2, None));
}

#[test]
fn a_refused_page_token_begins_the_window_anew_and_not_for_ever() {
    let mut place = format!("{}~0~old", at(NOW_S - 120).as_millisecond());
    for restarts in 1..=4 {
        let script = logged_in(vec![
            refused(
                400,
                "InvalidInput",
                "The paginationToken you have submitted is not valid.",
            ),
            page(&[order(ID, UPDATED)], Some("new")),
        ]);
        let got = changed(&script, &place);
        let page = got.unwrap();
        place = page.next.unwrap().id;
        if restarts == 4 {
            assert!(page.changes.is_empty());
            assert_eq!(script.lines().len(), 2, "not at once");
            break;
        }
        assert_eq!(
            place,
            format!("{}~{restarts}~new", at(NOW_S - 120).as_millisecond())
        );
        let lines = script.lines();
        assert!(lines[1].ends_with(if restarts == 1 {
            "Token=old"
        } else {
            "Token=new"
        }));
        assert!(!lines[2].contains("paginationToken"), "{}", lines[2]);
    }
    // The token is gone from the place, so that the window can begin anew, but not before some time has passed.
    for minutes in [15, 30, 60, 120, 240, 360, 360] {
        let quarter = at(NOW_S + minutes * 60);
        assert!(place.ends_with(&format!("@{}~", quarter.as_millisecond())));
        let script = answering(vec![]);
        let fault = changed(&script, &place).unwrap_err();
        let wait = Duration::from_secs(60 * minutes.unsigned_abs());
        let told = (fault.code, &fault.action);
        assert_eq!(told, (code::SOURCE_PAGING, &Action::RetryAfter(wait)));
        assert!(!fault.is_held_back(), "somebody should see it");
        let script = logged_in(vec![
            page(&[order(ID, UPDATED)], Some("dead")),
            refused(400, "InvalidInput", ""),
        ]);
        script.clock.set(quarter);
        let first = changed(&script, &place).unwrap();
        assert_eq!(first.changes.len(), 1);
        assert!(!script.lines()[1].contains("paginationToken"));
        script.clock.set(at(NOW_S));
        place = changed(&script, &first.next.unwrap().id)
            .unwrap()
            .next
            .unwrap()
            .id;
        assert!(script.is_done());
    }
}

#[test]
fn a_refusal_of_the_window_itself_is_no_restart() {
    let script = logged_in(vec![refused(400, "InvalidInput", "")]);
    let fault = changed(&script, "").unwrap_err();
    assert_eq!((fault.code, &fault.action), (REQUEST, &Action::StopFlow));
    let script = logged_in(vec![refused(400, "I", ""), refused(400, "I", "")]);
    let fault = changed(&script, &format!("{}~0~t", NOW_S * 1000)).unwrap_err();
    assert_eq!((fault.code, &fault.action), (REQUEST, &Action::StopFlow));
    // A bound before its window: nothing of it is believed.
    let script = logged_in(vec![page(&[order(ID, UPDATED)], None)]);
    assert_eq!(changed(&script, "1~0~t").unwrap().changes.len(), 1);
    assert!(!script.lines()[1].contains("paginationToken"));
}

#[test]
fn a_bad_order_is_announced_by_itself_and_does_not_hold_up_the_page() {
    let mut empty = order(OTHER, UPDATED);
    empty["orderItems"] = json!([]);
    let strange = order("x-1", UPDATED);
    let mut timeless = order("902-3159896-1390918", "never");
    timeless["buyer"] = json!({"buyerName": "N"});
    let script = logged_in(vec![page(
        &[order(ID, UPDATED), empty, strange, timeless],
        None,
    )]);
    let got = changed(&script, "").unwrap();
    let told: Vec<_> = got
        .changes
        .iter()
        .map(|change| (change.record.is_some(), change.version.is_some()))
        .collect();
    assert_eq!(
        told,
        [(true, true), (false, true), (false, true), (false, false)]
    );
    // What has no name can't be announced: then the page is not passed.
    for id in [Value::Null, json!(""), json!(7), json!("a b")] {
        let mut nameless = order(ID, UPDATED);
        nameless["orderId"] = id;
        let script = logged_in(vec![page(&[nameless], None)]);
        assert_eq!(changed(&script, "").unwrap_err().code, code::ANSWER_INVALID);
    }
}

#[test]
fn pages_that_contradict_themselves_are_faults() {
    let script = logged_in(vec![page(&[], Some("t"))]);
    let fault = changed(&script, &format!("{}~0~t", NOW_S * 1000)).unwrap_err();
    assert_eq!(fault.code, code::SOURCE_PAGING, "{fault}");
    let script = logged_in(vec![page(
        &[order(ID, UPDATED), order(OTHER, UPDATED)],
        None,
    )]);
    let select = Selection::default();
    let got = run(orders().changed(&script.ports(), "US", &window(""), 1, &select));
    assert_eq!(got.unwrap_err().code, code::SOURCE_PAGING);
}

#[test]
fn a_window_that_ends_before_it_begins_holds_nothing() {
    let script = answering(vec![]);
    let backwards = Window {
        until: at(NOW_S - 7200),
        ..window("")
    };
    let select = Selection::default();
    let got = run(orders().changed(&script.ports(), "US", &backwards, 100, &select)).unwrap();
    assert_eq!((got.changes.len(), got.next), (0, None));
    let fault = run(orders().changed(&script.ports(), "FE", &window(""), 1, &select)).unwrap_err();
    assert_eq!((fault.code, &fault.action), (REQUEST, &Action::StopFlow));
}

#[test]
fn a_window_that_ends_before_amazons_first_order_holds_nothing() {
    const FIRST_S: i64 = 1_451_606_400;
    let between = |from: i64, to: i64| Window {
        after: Position {
            watermark: at(from),
            id: String::new(),
        },
        until: at(to),
    };
    let select = Selection::default();
    for by in ["orders", "reports"] {
        let script = answering(vec![]);
        let ports = script.ports_with(&[("amazon_backfill", by)]);
        let old = between(FIRST_S - 60 * 86_400, FIRST_S - 30 * 86_400);
        let got = run(orders().past(&ports, "US", &old, 100, &select)).unwrap();
        assert_eq!((got.changes.len(), got.next), (0, None), "{by}");
    }
    // One that holds it begins with it.
    let script = logged_in(vec![page(&[], None)]);
    let over = between(FIRST_S - 86_400, FIRST_S);
    run(orders().past(&script.ports(), "US", &over, 100, &select)).unwrap();
    let bounds = "createdAfter=2016-01-01T00:00:00.000Z&createdBefore=2016-01-01T00:00:00.000Z";
    assert!(script.lines()[1].contains(bounds), "{}", script.lines()[1]);
}

#[test]
fn old_orders_are_searched_by_their_creation() {
    let script = logged_in(vec![page(&[order(ID, UPDATED)], Some("t"))]);
    let select = Selection::default();
    let got = run(orders().past(&script.ports(), "US", &window(""), 100, &select)).unwrap();
    assert!(script.lines()[1].contains("?createdAfter=2027-01-15T07:00:00.000Z&createdBefore="));
    assert!(got.next.is_some() && got.changes[0].record.is_some());
    let slots = script.sql.log.borrow();
    assert_eq!(*slots, ["take searchOrders, leaving 10"]);
}

#[test]
fn marketplaces_of_an_account_take_turns_once_few_slots_are_left() {
    let script = answering(vec![]);
    let pace = |countries: &str, backfill: &str, stream: &str, beside: bool| {
        let variables = [
            ("amazon_marketplaces", countries),
            ("amazon_backfill", backfill),
        ];
        let ports = script.ports_with(&variables);
        run(orders().pace(&ports, stream, beside)).unwrap()
    };
    let slot = Duration::from_millis(SEARCH_ORDERS.interval_ms);
    // Nothing was asked yet.
    assert_eq!(pace("US,CA,DE", "orders", "US", true), Duration::ZERO);
    for (countries, backfill, stream, beside, turns) in [
        ("US", "orders", "US", false, 1),
        ("US", "orders", "US", true, 2),
        ("US", "reports", "US", true, 1),
        ("US,CA,DE", "orders", "CA", false, 2),
        ("US,CA,DE", "orders", "CA", true, 3),
        ("US,CA,DE", "orders", "DE", false, 1),
    ] {
        // Below nought: so much is there besides the one.
        for (wait_ms, turns) in [(1_000, turns), (-13 * 178_572, turns), (-14 * 178_572, 0)] {
            script.sql.dry_ms.set(Some(wait_ms));
            let pace = pace(countries, backfill, stream, beside);
            assert_eq!(pace, slot * turns, "{countries} {stream} {wait_ms}");
        }
        script.sql.dry_ms.set(None);
    }
}

#[test]
fn a_short_range_is_searched_in_smaller_steps_than_a_long_one() {
    let script = answering(vec![]);
    let slice = |backfill, days: u32| {
        let ports = script.ports_with(&[("amazon_backfill", backfill)]);
        orders().slice(&ports, days * DAY).unwrap() / DAY.as_secs() as u32
    };
    let steps = [1, 60, 700].map(|days| slice("orders", days).as_secs());
    assert_eq!(steps, [1, 12, 30]);
    assert_eq!(slice("reports", 60).as_secs(), 30);
}

#[test]
fn orders_are_found_by_id_only() {
    let script = logged_in(vec![one(&order(ID, UPDATED))]);
    let keys = [ID.to_owned(), "none".to_owned()];
    let found = run(orders().find_all(&script.ports(), "orderId", &keys)).unwrap();
    assert_eq!(
        found,
        BTreeMap::from([(ID.to_owned(), Found::One(ID.to_owned()))])
    );
    let fault = run(orders().find_all(&script.ports(), "aliasId", &keys)).unwrap_err();
    assert_eq!(fault.code, REQUEST);
}

#[test]
fn nothing_is_written_to_amazon() {
    let script = answering(vec![]);
    let ports = script.ports();
    run(orders().write_back(&ports, ID, &Map::new())).unwrap();
    let fields = Map::from_iter([("x".to_owned(), json!(1))]);
    let fault = run(orders().write_back(&ports, ID, &fields)).unwrap_err();
    assert_eq!((fault.code, &fault.action), (READ_ONLY, &Action::StopFlow));
}

#[test]
fn the_time_is_amazons_less_two_minutes() {
    // Any answer bears it, also a refusal.
    let mut response = refused(403, "Unauthorized", "Access token is missing");
    let date = http::HeaderValue::from_static("Fri, 15 Jan 2027 08:00:01 GMT");
    response.headers_mut().insert(DATE, date);
    let script = answering(vec![Ok(response)]);
    let now = run(orders().now(&script.ports())).unwrap();
    assert_eq!(now, at(NOW_S + 1 - 120));
    assert_eq!(script.lines(), [format!("GET {NA}/")]);
    assert!(script.sql.log.borrow().is_empty());
    let script = answering(vec![Ok(answer(200, ""))]);
    assert_eq!(
        run(orders().now(&script.ports())).unwrap_err().code,
        code::ANSWER_INVALID
    );
}

#[test]
fn each_marketplace_is_a_stream() {
    let script = answering(vec![]);
    let ports = script.ports_with(&[("amazon_marketplaces", "DE,US,FR")]);
    assert_eq!(orders().streams(&ports).unwrap(), ["US", "DE", "FR"]);
    assert_eq!(orders().own_streams(&ports).unwrap(), ["US", "DE", "FR"]);
}

#[test]
fn a_region_that_is_down_does_not_stop_the_clock_of_the_others() {
    let down = || Err(SendError::NotSent("down".into()));
    let mut dated = answer(404, "");
    let date = HeaderValue::from_static("Tue, 02 Jun 2026 10:00:07 GMT");
    dated.headers_mut().insert(DATE, date);
    let now = |answers| {
        let script = answering(answers);
        let ports = script.ports_with(&[("amazon_marketplaces", "US,DE")]);
        run(orders().now(&ports))
    };
    let minutes_before: Timestamp = "2026-06-02T09:58:07Z".parse().unwrap();
    assert_eq!(now(vec![down(), Ok(dated)]).unwrap(), minutes_before);
    assert_eq!(now(vec![down(), down()]).unwrap_err().code, code::NOT_SENT);
}
