//! Amazon's orders in NetSuite: every way they come, and everything that must not come.

mod backfill;
mod forged;

use std::collections::BTreeSet;

use http::Method;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use sandbox::Vendor;
use sandbox::amazon::{EventReceiver, TopicReceiver};
use sandbox::day::books::{Books, Ledger};
use serde_json::{Value, json};

use crate::support::Market;
use crate::support::market::FLOW;
use crate::support::stage::{self, eventually};

/// Long enough ago to be listed: Amazon's searches reach to two minutes ago.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);
const JUST_NOW: SignedDuration = SignedDuration::ZERO;

#[tokio::test(flavor = "multi_thread")]
async fn orders_come_by_the_schedule_and_by_both_kinds_of_notification() {
    let market = Market::start(60, &[]).await;
    market.host.tick(&format!("{FLOW}-schedule")).await.unwrap();
    market.idle().await;
    let mut ledger = Ledger::default();
    in_step(&market, &ledger);
    let booked = stage::records(&market.sandbox.admin_url, "netsuite", "salesOrder").await;
    assert!(booked.len() > 25, "{}", booked.len());

    let topic = topic(&market);
    market.amazon(|amazon, now| amazon.set_topic(Some(topic), now).unwrap());
    eventually("the subscription to be confirmed", async || {
        let confirmed = market.asked();
        let mut confirmed = confirmed.iter().filter(|path| path.contains("Confirm"));
        confirmed.next().map(drop)
    })
    .await;
    let by_topic = market.sell("US", "MERCHANT", JUST_NOW);
    is_booked(&market, "salesOrder", &by_topic).await;

    let events = events(&market);
    market.amazon(|amazon, now| {
        amazon.set_topic(None, now).unwrap();
        amazon.set_api_destination(Some(events)).unwrap();
    });
    let by_event = market.sell("JP", "MERCHANT", JUST_NOW);
    is_booked(&market, "salesOrder", &by_event).await;
    // What Amazon sends is booked once it is sent.
    let theirs = market.sell("UK", "AMAZON", JUST_NOW);
    market.idle().await;
    assert!(market.booked("salesOrder", &theirs).await.is_empty());
    market.alter(&theirs, json!({"do": "ship"}));
    is_booked(&market, "salesOrder", &theirs).await;

    // A notification may be quicker than what it is about: the next window brings it.
    market.amazon(|amazon, now| amazon.configure("read_lag_s", json!(900), now).unwrap());
    let early = market.sell("CA", "MERCHANT", SETTLED);
    eventually("the look at the early one", async || {
        let asked = market.asked();
        asked.iter().any(|path| path.contains(&early)).then_some(())
    })
    .await;
    market.idle().await;
    assert!(market.booked("salesOrder", &early).await.is_empty());
    market.amazon(|amazon, now| amazon.configure("read_lag_s", json!(0), now).unwrap());
    market.run("?stream=CA").await;
    assert_eq!(market.booked("salesOrder", &early).await.len(), 1);

    market.alter(&by_topic, json!({"do": "cancel"}));
    eventually("the closed order", async || {
        let order = market.booked("salesOrder", &by_topic).await.remove(0);
        (order["status"]["refName"] == "Closed").then_some(())
    })
    .await;
    ledger.cancelled_paid.insert(by_topic.clone());
    ledger.cancelled_booked.insert(by_topic);
    market.idle().await;
    in_step(&market, &ledger);
    let asked = market.asked();
    let personal = |path: &&String| path.contains("BUYER") || path.contains("RECIPIENT");
    assert_eq!(asked.iter().find(personal), None);
}

fn topic(market: &Market) -> TopicReceiver {
    TopicReceiver {
        url: market.hook("sns"),
        signature_version: Some(2),
        sns_url: None,
        confirmed: false,
    }
}

fn events(market: &Market) -> EventReceiver {
    EventReceiver {
        url: market.hook("eventbridge"),
        header: None,
        key: None,
    }
}

fn in_step(market: &Market, ledger: &Ledger) {
    let books = market.sandbox.handle().with(|world, _| Books::of(world));
    let differences = books.amazon_differences(ledger);
    assert!(differences.is_empty(), "{differences:#?}");
}

async fn is_booked(market: &Market, kind: &str, id: &str) -> Value {
    let what = format!("a {kind} of {id}");
    eventually(&what, async || market.booked(kind, id).await.pop()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_order_is_a_dead_letter_and_holds_up_no_other() {
    let market = Market::start(0, &[]).await;
    let sold = |country| market.sell(country, "MERCHANT", SETTLED);
    let good: Vec<String> = ["US", "CA", "UK", "JP"].map(sold).into();
    let lines =
        |id: &str| market.amazon(|amazon, _| amazon.order(id).unwrap()["orderItems"].take());
    let (empty, strange, negative) = (sold("US"), sold("UK"), sold("JP"));
    let mut fewer = lines(&negative);
    fewer[0]["quantityOrdered"] = json!(-2);
    let unsound = sold("CA");
    let currency = json!({"proceeds": {"grandTotal": {"currencyCode": "XXX"}}});
    let total = json!({"proceeds": {"grandTotal": {"amount": "0.01"}}});
    let bad = [
        (&empty, json!({"orderItems": []}), "orderItems"),
        (&strange, currency, "currencyCode"),
        (&negative, json!({"orderItems": fewer}), "quantityOrdered"),
        (&unsound, total, "item.items.amount"),
    ];
    for (id, shown, _) in &bad {
        market.amazon(|amazon, now| amazon.distort(id, shown.clone(), now - SETTLED).unwrap());
    }
    let report = market.run("").await;
    assert_eq!(
        (&report["created"], &report["dead"]),
        (&json!(4), &json!(4)),
        "{report}"
    );
    for id in &good {
        assert_eq!(market.booked("salesOrder", id).await.len(), 1);
    }
    for (id, _, field) in &bad {
        let told = market.flow(Method::GET, &format!("/records/{id}")).await;
        assert!(told.text().contains(field), "{field}: {}", told.text());
        assert!(market.booked("salesOrder", id).await.is_empty());
    }

    // Amazon sets it right: what comes next is told by the next window, or by a person.
    for (id, _, _) in &bad {
        market.amazon(|amazon, now| amazon.distort(id, Value::Null, now).unwrap());
        let said = market.flow(Method::POST, &format!("/records/{id}")).await;
        assert_eq!(said.json()["state"], "created", "{}", said.text());
    }
    market.idle().await;
    in_step(&market, &Ledger::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_marketplace_has_settings_and_runs_of_its_own() {
    let changes = [
        (
            "\"ATVPDKIKX0DER AMAZON\"    = \"salesOrder\"",
            "\"ATVPDKIKX0DER AMAZON\" = \"invoice\"",
        ),
        (
            "\"A1F83G8C2ARO7P MERCHANT\" = \"salesOrder\"",
            "\"A1F83G8C2ARO7P MERCHANT\" = \"cashSale\"",
        ),
        (
            "customer = { is = \"marketplace\"",
            "customer = { is = \"buyer\"",
        ),
        ("tax = { is = \"amazon\"", "tax = { is = \"netsuite\""),
    ];
    let market = Market::start(0, &changes).await;
    let ours = market.sell("US", "MERCHANT", SETTLED);
    let theirs = market.sell("US", "AMAZON", SETTLED);
    market.amazon(|amazon, now| {
        let sent = json!({"do": "ship"});
        amazon.edit("Order", &theirs, sent, now - SETTLED).unwrap();
    });
    let british = market.sell("UK", "MERCHANT", SETTLED);

    let unknown = market.flow(Method::POST, "/run?stream=DE").await;
    assert_eq!(unknown.status, 400, "{}", unknown.text());
    let report = market.run("?stream=US").await;
    assert_eq!(report["created"], 2, "{report}");
    assert!(
        transactions(&market, &british).await.is_empty(),
        "of another marketplace"
    );
    let report = market.run("?stream=UK").await;
    assert_eq!(report["created"], 1, "{report}");

    for (id, kind, by) in [
        (&ours, "salesOrder", "amazon:buyer:"),
        // Amazon gives no address of those it sends to.
        (&theirs, "invoice", "amazon-customer-us"),
        (&british, "cashSale", "amazon:buyer:"),
    ] {
        let held = transactions(&market, id).await;
        assert_eq!(held.len(), 1, "{id}");
        assert_eq!(held[0].0, kind);
        let customer = customer(&market, &held[0].1).await;
        assert!(customer.starts_with(by), "{customer}");
        // The price and the shipping: the tax is NetSuite's to work out.
        let lines = held[0].1["item"]["items"].as_array().unwrap();
        assert_eq!(lines.len(), 2, "{id}");
    }
    // What NetSuite makes of the tax is a difference that is shown, to the cent.
    let audited = market.flow(Method::GET, "/audit?side=source").await.json();
    let entries = audited["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["source"] == *ours);
    let entry = entry.unwrap_or_else(|| panic!("{audited}"));
    let amount =
        |side: &str| -> Decimal { entry[side]["amount"].as_str().unwrap().parse().unwrap() };
    let tax = charge(&market, &ours, "TAX");
    assert!(tax > Decimal::ZERO);
    assert_eq!(
        amount("source_says") - amount("target_says"),
        tax,
        "{entry}"
    );

    // An order is closed; what is billed, a person decides.
    for (id, said, why) in [
        (&ours, "updated", "closed"),
        (&british, "dead", "NETSUITE_NOT_CLOSABLE"),
    ] {
        market.alter(id, json!({"do": "cancel"}));
        let answer = market.flow(Method::POST, &format!("/records/{id}")).await;
        assert_eq!(answer.json()["state"], said, "{}", answer.text());
        assert!(answer.text().contains(why), "{}", answer.text());
    }

    let asked = market.asked();
    let orders = asked.iter().filter(|path| path.contains("/orders/"));
    let sets: BTreeSet<&str> = orders
        .filter_map(|path| path.split("includedData=").nth(1)?.split('&').next())
        .collect();
    assert_eq!(sets, ["BUYER%2CFULFILLMENT%2CPROCEEDS"].into());
}

/// What Amazon took for one kind of charge of an order's only line.
fn charge(market: &Market, id: &str, kind: &str) -> Decimal {
    let order = market.amazon(|amazon, _| amazon.order(id).unwrap());
    let charges = order["orderItems"][0]["proceeds"]["breakdowns"].as_array();
    let charge = charges.unwrap().iter().find(|one| one["type"] == kind);
    let amount = &charge.unwrap()["subtotal"]["amount"];
    amount.as_str().unwrap().parse().unwrap()
}

/// What an order became, whatever that is, with its type.
async fn transactions(market: &Market, id: &str) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for kind in ["salesOrder", "invoice", "cashSale"] {
        let held = market.booked(kind, id).await.into_iter();
        all.extend(held.map(|held| (kind, held)));
    }
    all
}

/// The external id of a transaction's customer.
async fn customer(market: &Market, transaction: &Value) -> String {
    let customers = stage::records(&market.sandbox.admin_url, "netsuite", "customer").await;
    let mut customers = customers.iter();
    let found = customers.find(|customer| customer["id"] == transaction["entity"]["id"]);
    found.unwrap()["externalId"]
        .as_str()
        .unwrap()
        .to_lowercase()
}
