//! Sales orders: defaults, sums, lines and statuses.

use rust_decimal::Decimal;

use super::*;

/// The customer and the body of an order of three lines.
fn order(desk: &mut Desk) -> Value {
    let customer = desk.customer("buyer");
    let items = desk.items();
    json!({
        "entity": {"id": customer},
        "memo": "First order",
        "otherRefNum": "PO-77",
        "item": {"items": [
            {"item": {"id": items[0]}, "quantity": 3, "rate": 19.99},
            {"item": {"id": items[1]}, "quantity": 0.5, "rate": 0.01},
            {"item": {"id": items[2]}, "amount": 100},
        ]},
    })
}

const PATH: &str = "/record/v1/salesOrder/eid:salesforce:Opportunity:006A:salesOrder";

fn lines(desk: &mut Desk) -> Vec<Value> {
    let reply = desk.get(&format!("{PATH}?expandSubResources=true"));
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["item"]["items"].as_array().unwrap().clone()
}

#[test]
fn an_order_takes_its_defaults_from_the_customer() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    let id = desk.put(PATH, &body).id();
    let reply = desk.get(&format!("/record/v1/salesOrder/{id}"));
    let order = reply.body;
    assert_eq!(order["tranId"], "SO1001");
    assert_eq!(order["tranDate"], "2026-03-02");
    assert_eq!(
        order["status"],
        json!({"id": "A", "refName": "Pending Approval"})
    );
    assert_eq!(order["orderStatus"]["id"], "A");
    assert_eq!(order["currency"]["refName"], "US Dollar");
    assert_eq!(order["subsidiary"]["refName"], "Brightwater Inc.");
    // 59.97 + 0.01 (half a cent up) + 100
    assert_eq!(order["total"].to_string(), "159.98");
    assert_eq!(order["refName"], "Sales Order #SO1001");
    let lines = lines(&mut desk);
    assert_eq!(lines[0]["amount"].to_string(), "59.97");
    assert_eq!(lines[0]["quantity"].to_string(), "3.0");
    assert_eq!(lines[1]["amount"].to_string(), "0.01");
    assert_eq!(lines[2]["rate"].to_string(), "100.0");
    assert_eq!(lines[2]["line"], 3);
}

#[test]
fn totals_are_exact_to_the_cent() {
    let mut desk = Desk::new();
    let mut body = order(&mut desk);
    let item = body["item"]["items"][0]["item"].clone();
    let lines: Vec<Value> = (0..100)
        .map(|_| json!({"item": item, "quantity": 1, "rate": 0.1}))
        .chain([json!({"item": item, "quantity": "1000000", "rate": "12345678.90"})])
        .collect();
    body["item"]["items"] = Value::Array(lines);
    let id = desk.put(PATH, &body).id();
    let reply = desk.get(&format!("/record/v1/salesOrder/{id}?fields=total"));
    assert_eq!(reply.body["total"].to_string(), "12345678900010.0");
}

#[test]
fn without_replace_lines_are_added_and_with_it_replaced() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    let first = desk.put(PATH, &body).id();
    let replaced = format!("{PATH}?replace=item");
    assert_eq!(desk.put(&replaced, &body).id(), first);
    assert_eq!(lines(&mut desk).len(), 3);
    assert_eq!(desk.put(PATH, &body).id(), first);
    assert_eq!(lines(&mut desk).len(), 6, "a PUT adds lines");
    assert_eq!(desk.patch(PATH, &body).id(), first);
    assert_eq!(lines(&mut desk).len(), 9);
    assert_eq!(desk.put(&replaced, &body).id(), first);
    let after = lines(&mut desk);
    assert_eq!(after.len(), 3);
    assert!(
        after[0]["line"].as_u64().unwrap() > 9,
        "line numbers are never used again"
    );
    assert_eq!(desk.account.records("salesOrder").unwrap().len(), 1);
}

#[test]
fn a_keyed_line_is_updated_in_place() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    desk.put(PATH, &body).id();
    let change = json!({"item": {"items": [{"line": 1, "quantity": 5}]}});
    desk.patch(PATH, &change).id();
    let after = lines(&mut desk);
    assert_eq!(after.len(), 3);
    assert_eq!(after[0]["quantity"].to_string(), "5.0");
    assert_eq!(after[0]["amount"].to_string(), "99.95");
    let key = after[0]["lineUniqueKey"].clone();
    let keep = json!({"item": {"items": [{"line": 1, "description": "kept"}]}});
    desk.patch(&format!("{PATH}?replace=item"), &keep).id();
    let after = lines(&mut desk);
    assert_eq!(after.len(), 1);
    assert_eq!(after[0]["lineUniqueKey"], key);
    assert_eq!(after[0]["amount"].to_string(), "99.95");
    let reply = desk.get(&format!("{PATH}/item"));
    assert_eq!(reply.body["totalResults"], 1);
    let reply = desk.get(&format!("{PATH}/item/1"));
    assert_eq!(reply.body["description"], "kept");
    assert_eq!(desk.get(&format!("{PATH}/item/2")).status, 404);
    assert_eq!(desk.get(&format!("{PATH}/nothing")).status, 404);
}

#[test]
fn the_accounts_rules_refuse() {
    let mut desk = Desk::new();
    let good = order(&mut desk);
    let eur = desk.id_of("currency", "symbol", "EUR");
    let eu = desk.id_of("subsidiary", "externalId", "EU");
    let item = good["item"]["items"][0]["item"].clone();
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let line = |value: Value| with("item", json!({"items": [value]}));
    let cases = [
        (with("entity", Value::Null), "USER_ERROR", ""),
        (
            with("entity", json!({"id": "1"})),
            "INVALID_CONTENT",
            "entity",
        ),
        (
            with("currency", json!({"id": eur})),
            "INVALID_CONTENT",
            "currency",
        ),
        (
            with("subsidiary", json!({"id": eu})),
            "INVALID_CONTENT",
            "subsidiary",
        ),
        (
            with("tranDate", json!("03/02/2026")),
            "INVALID_VALUE",
            "tranDate",
        ),
        (with("memo", json!("m".repeat(1000))), "USER_ERROR", "memo"),
        (
            with("orderStatus", json!({"id": "G"})),
            "INVALID_CONTENT",
            "orderStatus",
        ),
        (
            with("orderStatus", json!({"id": "Z"})),
            "INVALID_CONTENT",
            "orderStatus",
        ),
        (with("item", json!({"items": []})), "USER_ERROR", ""),
        (with("item", json!([1])), "INVALID_VALUE", "item"),
        (
            line(json!({"quantity": 1, "rate": 1})),
            "USER_ERROR",
            "item.items[0]",
        ),
        (
            line(json!({"item": item, "quantity": 1})),
            "USER_ERROR",
            "item.items[0]",
        ),
        (
            line(json!({"item": item, "rate": "x"})),
            "INVALID_VALUE",
            "item.items[0].rate",
        ),
        (
            line(json!({"item": {"id": "4"}, "rate": 1})),
            "INVALID_CONTENT",
            "item.items[0].item",
        ),
        (
            line(json!({"item": item, "rate": 1e20, "quantity": 1e20})),
            "INVALID_VALUE",
            "item.items[0].amount",
        ),
    ];
    for (body, code, path) in cases {
        let reply = desk.put(PATH, &body);
        assert_eq!(
            (reply.status, reply.code(), reply.path()),
            (400, code, path),
            "{body}"
        );
    }
    assert!(desk.account.records("salesOrder").unwrap().is_empty());
    assert_eq!(desk.put(PATH, &good).status, 204);
}

#[test]
fn inactive_and_foreign_items_are_refused() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    desk.put(PATH, &body).id();
    let item = body["item"]["items"][0]["item"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let eu = desk.id_of("subsidiary", "externalId", "EU");
    let now = desk.now;
    desk.account
        .edit("inventoryItem", &item, json!({"isInactive": true}), now)
        .unwrap();
    let reply = desk.put(&format!("{PATH}?replace=item"), &body);
    assert_eq!(
        (reply.code(), reply.path()),
        ("INVALID_CONTENT", "item.items[0].item")
    );
    let foreign = json!({"isInactive": false, "subsidiary": {"items": [{"id": eu}]}});
    desk.account
        .edit("inventoryItem", &item, foreign, now)
        .unwrap();
    let reply = desk.put(&format!("{PATH}?replace=item"), &body);
    assert!(
        reply.detail().contains("Invalid item reference key"),
        "{}",
        reply.detail()
    );
    assert_eq!(lines(&mut desk).len(), 3, "a refused write changes nothing");
    let reply = desk.delete(&format!("/record/v1/inventoryItem/{item}"));
    assert_eq!(reply.code(), "USER_ERROR", "an order has it");
}

#[test]
fn a_customer_with_orders_keeps_its_subsidiary() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    desk.put(PATH, &body).id();
    let eu = desk.id_of("subsidiary", "externalId", "EU");
    let reply = desk.patch(
        "/record/v1/customer/eid:buyer",
        &json!({"subsidiary": {"id": eu}}),
    );
    assert_eq!(reply.code(), "USER_ERROR");
    assert_eq!(
        desk.delete("/record/v1/customer/eid:buyer").code(),
        "USER_ERROR"
    );
    let eur = desk.id_of("currency", "symbol", "EUR");
    let add = json!({"currencyList": {"items": [{"currency": {"id": eur}}]}});
    assert_eq!(
        desk.patch("/record/v1/customer/eid:buyer", &add).status,
        204
    );
    assert_eq!(
        desk.patch("/record/v1/customer/eid:buyer", &add).status,
        204
    );
    let reply = desk.get("/record/v1/customer/eid:buyer?expandSubResources=true");
    assert_eq!(
        reply.body["currencyList"]["totalResults"], 2,
        "keyed by currency"
    );
    let mut body = body;
    body["currency"] = json!({"id": eur});
    assert_eq!(desk.put(&format!("{PATH}?replace=item"), &body).status, 204);
    let reply = desk.get(PATH);
    assert_eq!(reply.body["currency"]["refName"], "Euro");
}

#[test]
fn closing_every_line_closes_the_order() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    let id = desk.put(PATH, &body).id();
    let now = desk.now;
    let approved = desk.account.approve(&id, now).unwrap();
    assert_eq!(approved["status"]["refName"], "Pending Fulfillment");
    assert_eq!(approved["item"]["items"].as_array().unwrap().len(), 3);
    let close = |line: u64| json!({"item": {"items": [{"line": line, "isClosed": true}]}});
    for line in 1..=3 {
        desk.patch(PATH, &close(line)).id();
        let status = desk.get(PATH).body["status"]["id"].clone();
        assert_eq!(status, if line < 3 { "B" } else { "H" });
    }
}

#[test]
fn fulfilled_and_billed_lines_stay() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    let id = desk.put(PATH, &body).id();
    let now = desk.now;
    let one = Decimal::ONE;
    let early = desk.account.process(&id, 1, one, Decimal::ZERO, now);
    assert!(early.is_err(), "not approved");
    desk.account.approve(&id, now).unwrap();
    let shipped = desk
        .account
        .process(&id, 1, one, Decimal::ZERO, now)
        .unwrap();
    assert_eq!(shipped["status"]["refName"], "Partially Fulfilled");
    let reply = desk.put(&format!("{PATH}?replace=item"), &body);
    assert_eq!(reply.code(), "USER_ERROR");
    assert!(
        reply.detail().contains("Line 1 cannot be removed"),
        "{}",
        reply.detail()
    );
    let less = json!({"item": {"items": [{"line": 1, "quantity": 0.5}]}});
    assert_eq!(desk.patch(PATH, &less).code(), "USER_ERROR");
    let back = desk.patch(PATH, &json!({"orderStatus": {"id": "A"}}));
    assert_eq!(
        (back.code(), back.path()),
        ("INVALID_CONTENT", "orderStatus")
    );
    assert_eq!(desk.delete(PATH).code(), "USER_ERROR");
    let three = Decimal::from(3);
    assert!(
        desk.account
            .process(&id, 1, Decimal::from(4), one, now)
            .is_err()
    );
    for (line, quantity) in [(1, three), (2, Decimal::new(5, 1)), (3, one)] {
        desk.account
            .process(&id, line, quantity, quantity, now)
            .unwrap();
    }
    assert_eq!(desk.get(PATH).body["status"]["refName"], "Billed");
}

#[test]
fn preferences_and_periods() {
    let options = Options {
        orders_start_approved: true,
        closed_before: Some(jiff::civil::date(2026, 3, 1)),
        ..Options::default()
    };
    let mut desk = Desk::with(options);
    let mut body = order(&mut desk);
    desk.put(PATH, &body).id();
    assert_eq!(desk.get(PATH).body["status"]["id"], "B");
    body["tranDate"] = json!("2026-02-28");
    let reply = desk.put(&format!("{PATH}?replace=item"), &body);
    assert!(
        reply.detail().contains("closed period"),
        "{}",
        reply.detail()
    );
}

#[test]
fn two_upserts_race_when_the_switch_is_on() {
    let mut desk = Desk::new();
    let body = order(&mut desk);
    desk.account
        .configure("upsert_race_ms", json!(500), desk.now)
        .unwrap();
    desk.put(PATH, &body).id();
    let reply = desk.put(&format!("{PATH}?replace=item"), &body);
    assert_eq!((reply.status, reply.code()), (400, "DUP_RCRD"));
    desk.wait(SignedDuration::from_secs(1));
    assert_eq!(desk.put(&format!("{PATH}?replace=item"), &body).status, 204);
    let reply = desk.put(&format!("{PATH}?replace=item"), &body);
    assert_eq!((reply.status, reply.code()), (400, "RCRD_HAS_BEEN_CHANGED"));
}
