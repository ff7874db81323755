//! The marketplace's part of a day, and the books of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{now, world};
use crate::{
    Vendor, World,
    amazon::{self, Deed, FulfilledBy},
    company,
    day::{Act, Books, Day, LENGTH, Performance},
    netsuite::NetSuite,
};

fn selling(seed: u64) -> World {
    let settings = amazon::Settings::new(seed);
    company::with_amazon(world(seed), seed, settings, now()).unwrap()
}

/// Only the marketplace's events, so that nothing else differs.
fn plan(seed: u64, world: &World) -> Day {
    Day { events: Vec::new() }.with_amazon(seed, world).unwrap()
}

fn lines(order: &Json) -> Vec<(String, Json)> {
    let mut lines = Vec::new();
    for item in order["orderItems"].as_array().unwrap() {
        for row in item["proceeds"]["breakdowns"].as_array().unwrap() {
            let sku = match row["type"].as_str().unwrap() {
                "ITEM" => item["product"]["sellerSku"].as_str().unwrap(),
                "SHIPPING" => "AMAZON-SHIPPING",
                "GIFT_WRAP" => "AMAZON-GIFT-WRAP",
                "DISCOUNT" => "AMAZON-PROMOTION",
                "TAX" => "AMAZON-TAX",
                other => panic!("{other}"),
            };
            let quantity = match row["type"].as_str() {
                Some("ITEM") => item["quantityOrdered"].clone(),
                _ => json!(1),
            };
            let amount = row["subtotal"]["amount"].as_str().unwrap();
            let amount: Json = serde_json::from_str(amount).unwrap();
            lines.push((
                sku.to_owned(),
                json!({"quantity": quantity, "amount": amount}),
            ));
        }
    }
    lines
}

/// Books by hand what is to be booked, as a flow would; closes what was cancelled.
fn book(world: &mut World) -> usize {
    let orders = world.named("amazon").unwrap().records("Order").unwrap();
    let netsuite = world.vendor_mut::<NetSuite>().unwrap();
    let list = |netsuite: &NetSuite, kind: &str, field: &str| -> BTreeMap<String, Json> {
        let records = netsuite.records(kind).unwrap().into_iter();
        let named = records.map(|record| {
            let name = record[field].as_str().unwrap_or_default().to_owned();
            (name, json!({"id": record["id"]}))
        });
        named.collect()
    };
    let customers = list(netsuite, "customer", "companyName");
    let mut items = BTreeMap::new();
    for kind in ["inventoryItem", "nonInventorySaleItem", "serviceSaleItem"] {
        items.extend(list(netsuite, kind, "itemId"));
    }
    let booked = list(netsuite, "salesOrder", "externalId");
    let mut count = 0;
    for order in orders {
        let status = order["fulfillment"]["fulfillmentStatus"].as_str().unwrap();
        let by_merchant = order["fulfillment"]["fulfilledBy"] == "MERCHANT";
        let key = format!(
            "amazon:Order:{}:transaction",
            order["orderId"].as_str().unwrap()
        );
        if status == "CANCELLED" && booked.contains_key(&key) {
            let id = format!("eid:{key}");
            let record = netsuite.records("salesOrder").unwrap();
            let record = record
                .iter()
                .find(|one| one["externalId"] == key.as_str())
                .unwrap();
            let closed = record["item"]["items"].as_array().unwrap().iter();
            let closed: Vec<Json> = closed
                .map(|line| json!({"line": line["line"], "item": line["item"], "quantity": line["quantity"], "amount": line["amount"], "isClosed": true}))
                .collect();
            let fields = json!({"item": {"items": closed}});
            netsuite.edit("salesOrder", &id, fields, now()).unwrap();
            continue;
        }
        let is_due = status == "SHIPPED" || by_merchant && status.ends_with("SHIPPED");
        let lines = if is_due { lines(&order) } else { continue };
        if booked.contains_key(&key) || lines.iter().any(|(sku, _)| !items.contains_key(sku)) {
            continue;
        }
        let lines = lines.into_iter().map(|(sku, mut line)| {
            line["item"] = items[&sku].clone();
            line
        });
        let fields = json!({
            "externalId": key,
            "entity": customers[order["salesChannel"]["marketplaceName"].as_str().unwrap()],
            "item": {"items": lines.collect::<Vec<_>>()},
        });
        netsuite.create("salesOrder", fields, now()).unwrap();
        count += 1;
    }
    count
}

#[test]
fn five_hundred_orders_of_both_kinds() {
    for seed in 0..3 {
        let world = selling(seed);
        let day = plan(seed, &world);
        let orders = day.events.iter().filter_map(|event| match &event.act {
            Act::Order {
                order, announced, ..
            } => Some((order, announced)),
            _ => None,
        });
        let orders: Vec<_> = orders.collect();
        assert_eq!(orders.len(), 500);
        let count = |is: &dyn Fn(&amazon::NewOrder) -> bool| {
            orders.iter().filter(|(order, _)| is(order)).count()
        };
        assert_eq!(
            count(&|order| order.fulfilled_by == FulfilledBy::Amazon),
            200
        );
        for country in ["US", "CA", "UK", "JP"] {
            assert_eq!(
                count(&|order| order.marketplace.country == country),
                125,
                "{country}"
            );
        }
        assert_eq!(
            orders.iter().filter(|(_, announced)| **announced).count(),
            167
        );
        assert!(count(&|order| order.items.iter().any(|item| item.gift_wrap.is_some())) > 20);
        assert!(count(&|order| order.items.iter().any(|item| item.promotion_id.is_some())) > 50);
        let unknown = orders
            .iter()
            .filter(|(order, _)| order.items.iter().any(|item| item.sku == "NEW-7001"));
        let told: Vec<bool> = unknown.map(|(_, announced)| **announced).collect();
        assert_eq!(told, [true]);
        let cancels = day.events.iter().filter(|event| {
            matches!(
                &event.act,
                Act::Handle {
                    deed: Deed::Cancel { .. },
                    ..
                }
            )
        });
        assert_eq!(cancels.count(), 36);
        assert!(day.events.is_sorted_by_key(|event| event.at));
        assert_eq!(format!("{:?}", day), format!("{:?}", plan(seed, &world)));
    }
}

#[test]
fn the_days_first_part_stays_as_it_is() {
    let plain = Day::plan(3, &world(3), now()).unwrap();
    let both = Day::plan(3, &selling(3), now()).unwrap();
    assert_eq!(format!("{plain:?}"), format!("{both:?}"));
    let mut longer = both.with_amazon(3, &selling(3)).unwrap();
    longer.events.retain(|event| match &event.act {
        Act::Order { .. } | Act::Handle { .. } => false,
        Act::EnterItem(item) => item.sku != "NEW-7001",
        Act::Suffer { misfortune, .. } => misfortune.vendor.as_deref() != Some("amazon"),
        _ => true,
    });
    assert_eq!(format!("{plain:?}"), format!("{longer:?}"));
}

#[test]
fn books_agree_to_the_cent_once_everything_is_booked() {
    let mut world = selling(4);
    let mut performance = Performance::new(plan(4, &world));
    let mut booked = 0;
    let mut quiet = 0;
    // A quarter of an hour at a time, twice at the end: what waits for its order is done then.
    for step in 0..=36 {
        let elapsed = LENGTH * step / 34;
        quiet += performance.step(&mut world, elapsed, now()).unwrap().len();
        booked += book(&mut world);
    }
    assert!(performance.is_over(), "{:?}", performance.remaining());
    assert!(quiet > 1000 && booked > 400, "{quiet} {booked}");
    let books = Books::of(&world);
    assert_eq!(books.differences(performance.ledger()), []);
    let sums = books.amazon_sums(performance.ledger());
    assert_eq!(
        sums.keys().collect::<Vec<_>>(),
        ["CAD", "GBP", "JPY", "USD"]
    );
    for sum in sums.values() {
        assert!(sum.expected_count > 90);
        assert_eq!(
            (sum.expected_count, sum.expected_total),
            (sum.found_count, sum.found_total)
        );
    }
    assert_eq!(performance.ledger().cancelled_booked.len(), 10);
    assert!(books.sums(performance.ledger()).is_empty());
}

#[test]
fn each_thing_gone_wrong_is_named() {
    let mut world = selling(5);
    let mut performance = Performance::new(plan(5, &world));
    performance.step(&mut world, LENGTH, now()).unwrap();
    let books = Books::of(&world);
    let missing = books.differences(performance.ledger());
    assert!(missing.len() > 400);
    assert!(
        missing
            .iter()
            .all(|found| found.field == "order" && found.found == "none")
    );
    book(&mut world);
    performance.step(&mut world, LENGTH, now()).unwrap();
    book(&mut world);
    assert_eq!(Books::of(&world).differences(performance.ledger()), []);
    // One cent, one order nobody placed, one reopened.
    let netsuite = world.vendor_mut::<NetSuite>().unwrap();
    let orders = netsuite.records("salesOrder").unwrap();
    let order = orders
        .iter()
        .find(|order| order["status"]["refName"] != "Closed")
        .unwrap();
    let id = order["id"].as_str().unwrap();
    let lines = &order["item"]["items"];
    let line = &lines[0];
    let fields = json!({"item": {"items": [
        {"line": line["line"], "item": line["item"], "quantity": line["quantity"], "amount": 0.01},
    ]}});
    netsuite.edit("salesOrder", id, fields, now()).unwrap();
    let stray = json!({
        "externalId": "amazon:Order:111-1111111-1111111:transaction", "entity": order["entity"],
        "item": {"items": [{"item": line["item"], "quantity": 1, "amount": 1}]},
    });
    netsuite.create("salesOrder", stray, now()).unwrap();
    let found = Books::of(&world).differences(performance.ledger());
    let fields: BTreeSet<&str> = found.iter().map(|found| found.field.as_str()).collect();
    assert!(
        fields.contains("total") && fields.contains("order"),
        "{found:?}"
    );
}
