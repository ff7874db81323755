//! Tells what the flows do, from the outside: what appears in NetSuite, and what their status shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::screen::{Colour, Line};
use crate::commands::sandbox::{AMAZON_ORDERS, OPPORTUNITIES};

/// What was seen last.
#[derive(Default)]
pub(super) struct Watch {
    /// ISO codes by NetSuite's ids.
    currencies: BTreeMap<String, String>,
    /// By id: version and status.
    orders: BTreeMap<String, (String, String)>,
    customers: BTreeSet<String>,
    /// List, record and fault of what was told.
    told: BTreeSet<(&'static str, String, String)>,
    /// By flow.
    pub counts: BTreeMap<&'static str, Counts>,
}

/// What one flow did in NetSuite so far.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(super) struct Counts {
    pub customers_created: usize,
    pub orders_created: usize,
    /// Times an order was seen changed.
    pub orders_updated: usize,
    pub orders_closed: usize,
    pub orders_approved: usize,
    /// Records that waited for something in NetSuite.
    pub waited: usize,
    /// Records given up at some time, also those revived since.
    pub dead_letters: usize,
}

impl Watch {
    /// Nothing was seen yet. `currencies` has the ISO codes by NetSuite's ids.
    pub(super) fn new(currencies: BTreeMap<String, String>) -> Self {
        Self {
            currencies,
            ..Self::default()
        }
    }

    /// What is new among the orders.
    pub(super) fn orders(&mut self, orders: &[Json]) -> Vec<Line> {
        let mut lines = Vec::new();
        for order in orders {
            let id = text(order, "id");
            let status = text(&order["status"], "refName");
            let seen = (
                text(order, "lastModifiedDate") + &text(order, "total"),
                status.clone(),
            );
            let what = match self.orders.get(&id) {
                Some(before) if *before == seen => continue,
                None => "order",
                Some((_, before)) if *before == status => "updated",
                Some(_) if status == "Closed" => "closed",
                Some(_) => "approved",
            };
            let counts = self.counts.entry(flow_of(order)).or_default();
            match what {
                "order" => counts.orders_created += 1,
                "closed" => counts.orders_closed += 1,
                "approved" => counts.orders_approved += 1,
                _ => counts.orders_updated += 1,
            }
            self.orders.insert(id, seen);
            // The day itself tells of approvals.
            if what == "approved" {
                continue;
            }
            let count = order["item"]["items"].as_array().map_or(0, Vec::len);
            let currency = self.currencies.get(&text(&order["currency"], "id"));
            let currency = currency.map_or("", String::as_str);
            let lines_text = if count == 1 { "line" } else { "lines" };
            lines.push(Line {
                what,
                subject: match flow_of(order) {
                    AMAZON_ORDERS => text(order, "otherRefNum"),
                    _ => text(order, "memo"),
                },
                detail: format!(
                    "{}, {count} {lines_text}, {currency} {}",
                    text(order, "tranId"),
                    money(&order["total"])
                ),
                colour: Colour::Target,
            });
        }
        lines
    }

    /// Counts the customers; there are too many to tell of each.
    pub(super) fn customers(&mut self, customers: &[Json]) {
        let made = customers.iter().filter(|customer| is_made(customer));
        self.customers
            .extend(made.map(|customer| text(customer, "id")));
        let counts = self.counts.entry(OPPORTUNITIES).or_default();
        counts.customers_created = self.customers.len();
    }

    /// Orders made so far, by all flows.
    pub(super) fn orders_created(&self) -> usize {
        self.orders.len()
    }

    /// What is new among what waits, what was given up, and what stops a flow. `names` has the
    /// opportunities' names by id.
    pub(super) fn status(
        &mut self,
        flow: &'static str,
        status: &Json,
        names: &BTreeMap<String, String>,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        let counts = self.counts.entry(flow).or_default();
        for (list, what, colour) in [
            ("waiting", "waits", Colour::Attention),
            ("dead", "dead letter", Colour::Bad),
            ("retrying", "stopped", Colour::Bad),
        ] {
            let items = status[list].as_array().into_iter().flatten();
            let items = items.filter(|item| is_told(list, &item["fault"]));
            for item in items {
                let (id, code) = (text(item, "id"), text(&item["fault"], "code"));
                // Once: the schedule may look at it again and come to the same end.
                if !self.told.insert((list, id.clone(), code)) {
                    continue;
                }
                match list {
                    "waiting" => counts.waited += 1,
                    "dead" => counts.dead_letters += 1,
                    _ => {}
                }
                let detail = about(&id, &fault(&item["fault"]));
                let subject = names.get(&id).cloned().unwrap_or(id);
                lines.push(Line {
                    what,
                    subject,
                    detail,
                    colour,
                });
            }
        }
        lines
    }
}

/// Which flow an order is of.
pub(super) fn flow_of(order: &Json) -> &'static str {
    match text(order, "externalId").starts_with("amazon:") {
        true => AMAZON_ORDERS,
        false => OPPORTUNITIES,
    }
}

/// Whether a customer was made by a flow. Those of the marketplaces were there before.
pub(super) fn is_made(customer: &Json) -> bool {
    !text(customer, "externalId").starts_with("amazon-customer-")
}

/// Whether it is worth a line. What is tried again soon is not.
fn is_told(list: &str, fault: &Json) -> bool {
    let stops = fault["action"] == "stop_flow" || fault["action"] == "refresh_credentials";
    match list {
        "waiting" => fault["code"] != "PARENT_BUSY",
        "retrying" => stops,
        _ => true,
    }
}

/// A fault in one line: what it says, and the fields it names.
pub(super) fn fault(fault: &Json) -> String {
    let fields = fault["fields"].as_array().into_iter().flatten();
    let named: Vec<String> = fields
        .map(|field| format!("{} {}", text(field, "path"), text(field, "reason")))
        .collect();
    let code = text(fault, "code");
    match named.is_empty() {
        true => format!("{code}: {}", plain(&text(fault, "message"))),
        false => format!("{code}: {}", named.join("; ")),
    }
}

/// A fault's text without the record it is about, where that is named anyway.
pub(super) fn about(id: &str, text: &str) -> String {
    ["salesforce:Opportunity", "amazon:Order"]
        .iter()
        .fold(text.to_owned(), |text, kind| {
            text.replace(&format!("{kind}:{id} is "), "")
        })
}

/// In one line, whatever the vendor said.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// With two decimals, and thousands apart.
pub(super) fn money(value: &Json) -> String {
    let number: rust_decimal::Decimal = match value {
        Json::Number(number) => number.to_string().parse().unwrap_or_default(),
        Json::String(text) => text.parse().unwrap_or_default(),
        _ => return String::new(),
    };
    grouped(number)
}

/// 1234567.5 as 1,234,567.50.
pub(super) fn grouped(number: rust_decimal::Decimal) -> String {
    let text = format!("{number:.2}");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}.{cents}")
}

fn text(record: &Json, field: &str) -> String {
    match &record[field] {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn money_is_grouped_and_exact() {
        for (value, expected) in [
            (json!(0), "0.00"),
            (json!(999.5), "999.50"),
            (json!("1234567.89"), "1,234,567.89"),
            (json!(-1000), "-1,000.00"),
            (
                json!("12345678901234567890.01"),
                "12,345,678,901,234,567,890.01",
            ),
        ] {
            assert_eq!(money(&value), expected, "{value}");
        }
    }

    #[test]
    fn each_change_of_an_order_is_told_once() {
        let order = |version: &str, total: &str, status: &str| {
            json!({"id": "7", "tranId": "SO1", "memo": "Deal", "lastModifiedDate": version,
                "total": total, "status": {"refName": status}, "item": {"items": [{}]}})
        };
        let mut watch = Watch::default();
        let mut told = |order: Json| -> Vec<&'static str> {
            watch
                .orders(&[order])
                .into_iter()
                .map(|line| line.what)
                .collect()
        };
        assert_eq!(told(order("1", "2.5", "Pending Approval")), ["order"]);
        assert_eq!(told(order("1", "2.5", "Pending Approval")), [""; 0]);
        assert_eq!(told(order("1", "3.5", "Pending Approval")), ["updated"]);
        assert_eq!(told(order("2", "3.5", "Pending Fulfillment")), [""; 0]);
        assert_eq!(told(order("3", "3.5", "Closed")), ["closed"]);
        assert_eq!(watch.counts[OPPORTUNITIES].orders_approved, 1);
    }
}
