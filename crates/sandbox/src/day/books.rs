//! What the booking side must hold after a day, worked out from the selling side's records alone.
//!
//! Both sides are read as their admin lists show them; nothing of a flow, its mapping or its stores is
//! asked. Every difference is named.

mod customers;
mod market;
mod orders;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::{amazon::Amazon, seed::SUBSIDIARIES, world::World};

pub use market::AMAZON_LIST;

/// Everything both systems hold, by vendor and type as the admin port lists it.
#[derive(Clone, Debug, Default)]
pub struct Books {
    lists: BTreeMap<(&'static str, &'static str), Vec<Json>>,
}

/// What happened besides what the records show.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By opportunity: how it was when its order was approved. Later changes must not reach the order.
    pub approved: BTreeMap<String, Json>,
    /// Every opportunity that was won at any time, with its account.
    pub won: BTreeMap<String, String>,
    /// Opportunities lost or deleted again once their orders stood.
    pub left: BTreeSet<String>,
    /// Opportunities lost in the moment they were won: an order may or may not have been made meanwhile.
    pub fleeting: BTreeSet<String>,
    /// Opportunities a person has to decide about: lost after their orders were approved.
    pub undecided: BTreeSet<String>,
    /// Orders at Amazon that were cancelled when they could be in the books already.
    pub cancelled_paid: BTreeSet<String>,
    /// Of these, the ones that were in the books.
    pub cancelled_booked: BTreeSet<String>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The record, as people and both systems name it.
    pub record: String,
    /// What of it.
    pub field: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// Sums of one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Orders that should stand.
    pub expected_count: usize,
    /// What they should come to.
    pub expected_total: Decimal,
    /// Orders that stand.
    pub found_count: usize,
    /// What they come to.
    pub found_total: Decimal,
}

/// The lists a comparison needs: vendor and type, as in the admin port's paths.
pub const LISTS: [(&str, &str); 9] = [
    ("salesforce", "Account"),
    ("salesforce", "Opportunity"),
    ("netsuite", "customer"),
    ("netsuite", "salesOrder"),
    ("netsuite", "inventoryItem"),
    ("netsuite", "nonInventorySaleItem"),
    ("netsuite", "serviceSaleItem"),
    ("netsuite", "currency"),
    ("netsuite", "term"),
];
const SUBSIDIARY_LIST: (&str, &str) = ("netsuite", "subsidiary");

impl Books {
    /// Books of lists got elsewhere, each under its vendor and type; see [`Books::lists`].
    pub fn new(lists: impl IntoIterator<Item = ((&'static str, &'static str), Vec<Json>)>) -> Self {
        let lists = lists.into_iter().collect();
        Self { lists }
    }

    /// Vendor and type of every list needed; where orders come from Amazon, [`AMAZON_LIST`] besides.
    pub fn lists() -> impl Iterator<Item = (&'static str, &'static str)> {
        LISTS.into_iter().chain([SUBSIDIARY_LIST])
    }

    /// Books of a world at hand.
    pub fn of(world: &World) -> Self {
        let has_amazon = world.vendor::<Amazon>().is_some();
        let amazon = has_amazon.then_some(AMAZON_LIST);
        Self::new(Self::lists().chain(amazon).map(|(vendor, kind)| {
            let records = world.named(vendor).and_then(|vendor| vendor.records(kind));
            ((vendor, kind), records.unwrap_or_default())
        }))
    }

    /// Everything that is not as it should be; empty when both systems agree.
    pub fn differences(&self, ledger: &Ledger) -> Vec<Difference> {
        let mut differences = self.order_differences(ledger);
        differences.extend(self.customer_differences(ledger));
        differences.extend(self.amazon_differences(ledger));
        differences
    }

    /// Sums by currency of the orders that should stand and of those that do. Closed orders do not stand,
    /// and Amazon's are counted apart: [`Books::amazon_sums`].
    pub fn sums(&self, ledger: &Ledger) -> BTreeMap<String, Sum> {
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        for opportunity in self.standing(ledger) {
            let sum = sums
                .entry(text(opportunity, "CurrencyIsoCode"))
                .or_default();
            sum.expected_count += 1;
            sum.expected_total += orders::total(opportunity);
        }
        let orders = self.list("netsuite", "salesOrder").iter();
        for order in orders.filter(|order| !is_closed(order) && !self.is_elsewhere(order)) {
            let currency = self.named("currency", &order["currency"], "symbol");
            let sum = sums.entry(currency).or_default();
            sum.found_count += 1;
            sum.found_total += decimal(&order["total"]).unwrap_or_default();
        }
        sums
    }

    /// The opportunities whose orders should stand, each as its order should show it.
    fn standing<'a>(&'a self, ledger: &'a Ledger) -> impl Iterator<Item = &'a Json> {
        let live = self.list("salesforce", "Opportunity").iter();
        let won = live
            .filter(|opportunity| opportunity["IsWon"] == true)
            .map(|opportunity| {
                let id = opportunity["Id"].as_str().unwrap_or_default();
                ledger.approved.get(id).unwrap_or(opportunity)
            });
        // Lost when it was too late: the order stands as approved.
        let undecided = ledger
            .undecided
            .iter()
            .filter_map(|id| ledger.approved.get(id));
        won.chain(undecided)
    }

    /// Whether a record came from a marketplace, and is compared with what was ordered there.
    fn is_elsewhere(&self, record: &Json) -> bool {
        self.lists.contains_key(&AMAZON_LIST) && market::is_amazons(record)
    }

    fn list(&self, vendor: &'static str, kind: &'static str) -> &[Json] {
        self.lists.get(&(vendor, kind)).map_or(&[], Vec::as_slice)
    }

    /// A field of the record a reference names; empty if there is no such record.
    fn named(&self, kind: &'static str, reference: &Json, field: &str) -> String {
        let id = text(reference, "id");
        let found = self
            .list("netsuite", kind)
            .iter()
            .find(|record| text(record, "id") == id);
        found.map(|record| text(record, field)).unwrap_or_default()
    }
}

/// Field by field, in one order on both sides.
type Fields = BTreeMap<String, String>;

/// What differs between two sets of fields; an absent field counts as an empty one.
fn compare(record: &str, expected: &Fields, found: &Fields) -> Vec<Difference> {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let value = |fields: &Fields, name: &str| fields.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .filter(|name| value(expected, name) != value(found, name))
        .map(|name| difference(record, name, &value(expected, name), &value(found, name)))
        .collect()
}

fn difference(record: &str, field: &str, expected: &str, found: &str) -> Difference {
    Difference {
        record: record.to_owned(),
        field: field.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// Text or number as text; empty for null and for nothing.
fn text(record: &Json, field: &str) -> String {
    match &record[field] {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// Exactly as written, whatever its notation.
fn decimal(value: &Json) -> Option<Decimal> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let parsed = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
    parsed.ok().map(|number| number.normalize())
}

/// A number in its shortest form, so that 12.50 and 12.5 are the same.
fn plain(value: &Json) -> String {
    decimal(value)
        .map(|number| number.to_string())
        .unwrap_or_default()
}

fn is_closed(order: &Json) -> bool {
    order["status"]["refName"] == "Closed"
}

/// The legal entity's name by its code in the selling system's pick list.
fn subsidiary_name(code: &str) -> String {
    let found = SUBSIDIARIES
        .iter()
        .find(|subsidiary| subsidiary.code == code);
    found
        .map(|subsidiary| subsidiary.name.to_owned())
        .unwrap_or_default()
}

/// External ids are compared without regard to case, as the booking system does.
fn external_id(kind: &str, id: &str, target: &str) -> String {
    format!("salesforce:{kind}:{id}:{target}").to_lowercase()
}
