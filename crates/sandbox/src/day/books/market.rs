//! Orders of a marketplace: one for each order at Amazon that is to be booked, as Amazon says, and nothing
//! else.
//!
//! What the seller sends is booked once it is paid for; what Amazon sends, once all of it is sent. Lines may
//! be laid out in any way: what counts is how much of each item an order holds, and what it comes to.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::{
    Books, Difference, Fields, Ledger, Sum, compare, decimal, difference, is_closed, text,
};
use crate::{company::Charge, netsuite::NetSuite};

/// The list a comparison needs besides [`Books::lists`].
pub const AMAZON_LIST: (&str, &str) = ("amazon", "Order");

/// Whether an order at Amazon is to be in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// One that stands.
    Standing,
    /// One that was closed.
    Closed,
    /// One that was closed, or none: it was cancelled too early to say.
    ClosedOrNone,
    None,
}

impl Ledger {
    /// An order at Amazon was cancelled; `before` is how it was.
    pub(in super::super) fn cancelled(&mut self, id: &str, before: &Json) {
        let fulfillment = &before["fulfillment"];
        let could_be_booked = fulfillment["fulfilledBy"] == "MERCHANT"
            && fulfillment["fulfillmentStatus"] != "PENDING";
        if could_be_booked {
            self.cancelled_paid.insert(id.to_owned());
        }
    }
}

impl Books {
    /// Everything about orders of Amazon that is not as it should be; empty where there is no Amazon.
    pub fn amazon_differences(&self, ledger: &Ledger) -> Vec<Difference> {
        let mut booked: BTreeMap<String, Vec<&Json>> = BTreeMap::new();
        for order in self
            .list("netsuite", "salesOrder")
            .iter()
            .filter(|order| is_amazons(order))
        {
            booked.entry(external_id(order)).or_default().push(order);
        }
        let mut differences = Vec::new();
        for order in self.amazon_orders() {
            let id = text(order, "orderId");
            let record = format!("order {id} of {}", place(order));
            let found = booked.remove(&key(&id)).unwrap_or_default();
            let due = due(order, ledger);
            match (due, found.as_slice()) {
                (Due::None | Due::ClosedOrNone, []) => {}
                (Due::Standing | Due::Closed, []) => {
                    differences.push(difference(&record, "order", "one", "none"));
                }
                (Due::None, [_]) => {
                    differences.push(difference(&record, "order", "none", "one too early"));
                }
                (Due::Closed | Due::ClosedOrNone, [one]) => {
                    let status = text(&one["status"], "refName");
                    if !is_closed(one) {
                        differences.push(difference(&record, "status", "Closed", &status));
                    }
                }
                (Due::Standing, [one]) => {
                    let (expected, held) = (content(order), self.held(one));
                    differences.extend(compare(&record, &expected, &held));
                }
                (_, several) => {
                    let count = several.len().to_string();
                    differences.push(difference(&record, "order", "one", &count));
                }
            }
        }
        for order in booked.into_values().flatten() {
            let record = format!("order {} ({})", text(order, "tranId"), text(order, "id"));
            differences.push(difference(&record, "order", "none", "one nobody ordered"));
        }
        differences
    }

    /// Sums by currency of Amazon's orders that should stand and of those that do.
    pub fn amazon_sums(&self, ledger: &Ledger) -> BTreeMap<String, Sum> {
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        for order in self.amazon_orders() {
            if due(order, ledger) == Due::Standing {
                let total = &order["proceeds"]["grandTotal"];
                let sum = sums.entry(text(total, "currencyCode")).or_default();
                sum.expected_count += 1;
                sum.expected_total += decimal(&total["amount"]).unwrap_or_default();
            }
        }
        let booked = self.list("netsuite", "salesOrder").iter();
        for order in booked.filter(|order| is_amazons(order) && !is_closed(order)) {
            let currency = self.named("currency", &order["currency"], "symbol");
            let sum = sums.entry(currency).or_default();
            sum.found_count += 1;
            sum.found_total += decimal(&order["total"]).unwrap_or_default();
        }
        sums
    }

    /// Whether an account has an order for this one of Amazon's. Asked while a day goes on, time and again:
    /// reading all books for it would hold up the world.
    pub(in super::super) fn hold(account: &NetSuite, id: &str) -> bool {
        account.has_transaction(&key(id))
    }

    fn amazon_orders(&self) -> &[Json] {
        self.list(AMAZON_LIST.0, AMAZON_LIST.1)
    }

    /// What an order in the books says.
    fn held(&self, order: &Json) -> Fields {
        let mut fields = Fields::from([
            (
                "customer".to_owned(),
                self.named("customer", &order["entity"], "companyName"),
            ),
            (
                "currency".to_owned(),
                self.named("currency", &order["currency"], "symbol"),
            ),
        ]);
        let mut sums = Sums::default();
        for line in order["item"]["items"].as_array().into_iter().flatten() {
            let sku = self.item(&line["item"]);
            let quantity = decimal(&line["quantity"]).unwrap_or_default();
            sums.add(&sku, quantity, decimal(&line["amount"]).unwrap_or_default());
        }
        sums.write(&mut fields);
        let total = decimal(&order["total"]).unwrap_or_default();
        fields.insert("total".to_owned(), plain(total));
        fields
    }
}

/// How much of each item, and what it comes to.
#[derive(Default)]
struct Sums(BTreeMap<String, (Decimal, Decimal)>);

impl Sums {
    fn add(&mut self, sku: &str, quantity: Decimal, amount: Decimal) {
        let sum = self.0.entry(sku.to_owned()).or_default();
        sum.0 += quantity;
        sum.1 += amount;
    }

    fn write(self, fields: &mut Fields) {
        let is_charge = |sku: &str| Charge::ALL.iter().any(|charge| charge.sku() == sku);
        for (sku, (quantity, amount)) in self.0 {
            if amount.is_zero() && is_charge(&sku) {
                continue;
            }
            if !is_charge(&sku) {
                fields.insert(format!("{sku} quantity"), plain(quantity));
            }
            fields.insert(format!("{sku} amount"), plain(amount));
        }
    }
}

/// What the books must say of an order.
fn content(order: &Json) -> Fields {
    let total = &order["proceeds"]["grandTotal"];
    let mut fields = Fields::from([
        ("customer".to_owned(), place(order)),
        ("currency".to_owned(), text(total, "currencyCode")),
    ]);
    let mut sums = Sums::default();
    for item in order["orderItems"].as_array().into_iter().flatten() {
        let quantity = decimal(&item["quantityOrdered"]).unwrap_or_default();
        let sku = text(&item["product"], "sellerSku");
        let breakdowns = item["proceeds"]["breakdowns"].as_array();
        for breakdown in breakdowns.into_iter().flatten() {
            let amount = decimal(&breakdown["subtotal"]["amount"]).unwrap_or_default();
            let one = Decimal::ONE;
            match breakdown["type"].as_str() {
                Some("ITEM") => sums.add(&sku, quantity, amount),
                Some("SHIPPING") => sums.add(Charge::Shipping.sku(), one, amount),
                Some("GIFT_WRAP") => sums.add(Charge::GiftWrap.sku(), one, amount),
                // Taken off, whichever sign it comes with.
                Some("DISCOUNT") => sums.add(Charge::Promotion.sku(), one, -amount.abs()),
                Some("TAX") => sums.add(Charge::Tax.sku(), one, amount),
                _ => {}
            }
        }
    }
    sums.write(&mut fields);
    let total = decimal(&total["amount"]).unwrap_or_default();
    fields.insert("total".to_owned(), plain(total));
    fields
}

fn due(order: &Json, ledger: &Ledger) -> Due {
    let fulfillment = &order["fulfillment"];
    let by_merchant = fulfillment["fulfilledBy"] == "MERCHANT";
    let id = text(order, "orderId");
    match text(fulfillment, "fulfillmentStatus").as_str() {
        "SHIPPED" => Due::Standing,
        "UNSHIPPED" | "PARTIALLY_SHIPPED" if by_merchant => Due::Standing,
        "CANCELLED" if ledger.cancelled_booked.contains(&id) => Due::Closed,
        "CANCELLED" if ledger.cancelled_paid.contains(&id) => Due::ClosedOrNone,
        _ => Due::None,
    }
}

/// Whether a record of the books is about a marketplace: an order, or the customer of its orders.
pub(super) fn is_amazons(record: &Json) -> bool {
    external_id(record).starts_with("amazon")
}

fn external_id(record: &Json) -> String {
    text(record, "externalId").to_lowercase()
}

fn key(id: &str) -> String {
    format!("amazon:order:{id}:transaction")
}

fn place(order: &Json) -> String {
    text(&order["salesChannel"], "marketplaceName")
}

fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}
