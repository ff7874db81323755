//! Orders: one for each opportunity that is won, as the opportunity says, and nothing else.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value as Json;

use super::{
    Books, Difference, Fields, Ledger, compare, decimal, difference, external_id, is_closed, plain,
    subsidiary_name, text,
};

const PENDING: &str = "Pending Approval";

impl Books {
    pub(super) fn order_differences(&self, ledger: &Ledger) -> Vec<Difference> {
        let mut orders: BTreeMap<String, Vec<&Json>> = BTreeMap::new();
        let booked = self.list("netsuite", "salesOrder").iter();
        for order in booked.filter(|order| !self.is_elsewhere(order)) {
            let key = text(order, "externalId").to_lowercase();
            orders.entry(key).or_default().push(order);
        }
        let mut differences = Vec::new();
        for opportunity in self.list("salesforce", "Opportunity") {
            let id = text(opportunity, "Id");
            let found = orders.remove(&key(&id)).unwrap_or_default();
            let found = self.judge(opportunity, &id, &found, ledger);
            differences.extend(found);
        }
        for id in ledger.left.iter().chain(&ledger.undecided) {
            // What is still there was judged above; this is what was deleted.
            let Some(found) = orders.remove(&key(id)) else {
                continue;
            };
            let record = format!("order of the deleted opportunity {id}");
            differences.extend(judge_closed(&record, &found));
        }
        for order in orders.into_values().flatten() {
            let record = format!("order {} ({})", text(order, "tranId"), text(order, "id"));
            differences.push(difference(&record, "order", "none", "one nobody asked for"));
        }
        differences
    }

    /// Whether there is an order that says what the opportunity says.
    pub(in super::super) fn agrees(&self, opportunity: &Json) -> bool {
        let key = key(&text(opportunity, "Id"));
        let orders = self.list("netsuite", "salesOrder").iter();
        let mut found = orders.filter(|order| text(order, "externalId").to_lowercase() == key);
        found.any(|order| self.content(opportunity) == self.held_content(order))
    }

    fn judge(
        &self,
        opportunity: &Json,
        id: &str,
        found: &[&Json],
        ledger: &Ledger,
    ) -> Vec<Difference> {
        let record = format!("order of {} ({id})", text(opportunity, "Name"));
        let is_approved = ledger.approved.contains_key(id);
        let stands = opportunity["IsWon"] == true || ledger.undecided.contains(id);
        let order = match found {
            [] if stands || ledger.left.contains(id) => {
                return vec![difference(&record, "order", "one", "none")];
            }
            [] => return not_written_back(&record, opportunity),
            [order] => *order,
            several => {
                let count = several.len().to_string();
                return vec![difference(&record, "order", "one", &count)];
            }
        };
        let mut differences = Vec::new();
        if !ledger.fleeting.contains(id) {
            differences.extend(written_back(&record, opportunity, order));
        }
        if !stands {
            if !ledger.won.contains_key(id) {
                differences.push(difference(
                    &record,
                    "order",
                    "none",
                    "one of a deal never won",
                ));
            }
            differences.extend(judge_closed(&record, found));
            return differences;
        }
        let status = if is_approved {
            "Pending Fulfillment"
        } else {
            PENDING
        };
        let shown = text(&order["status"], "refName");
        if shown != status {
            differences.push(difference(&record, "status", status, &shown));
        }
        let asked = ledger.approved.get(id).unwrap_or(opportunity);
        differences.extend(compare(
            &record,
            &self.content(asked),
            &self.held_content(order),
        ));
        differences
    }

    /// What the order of this opportunity must say.
    fn content(&self, opportunity: &Json) -> Fields {
        let account_id = text(opportunity, "AccountId");
        let accounts = self.list("salesforce", "Account").iter();
        let account = accounts
            .clone()
            .find(|account| text(account, "Id") == account_id);
        let account = account.unwrap_or(&Json::Null);
        let mut fields = Fields::from([
            (
                "customer".to_owned(),
                external_id("Account", &account_id, "customer"),
            ),
            (
                "subsidiary".to_owned(),
                subsidiary_name(&text(account, "Subsidiary__c")),
            ),
            ("terms".to_owned(), text(account, "Payment_Terms__c")),
            ("currency".to_owned(), text(opportunity, "CurrencyIsoCode")),
            ("date".to_owned(), text(opportunity, "CloseDate")),
            (
                "purchase order".to_owned(),
                text(opportunity, "PO_Number__c"),
            ),
            ("memo".to_owned(), text(opportunity, "Name")),
            (
                "total".to_owned(),
                total(opportunity).normalize().to_string(),
            ),
        ]);
        for (number, line) in (1..).zip(sold(opportunity)) {
            let amount = amount(line).map(|amount| amount.normalize().to_string());
            for (name, value) in [
                ("item", text(line, "ProductCode")),
                ("quantity", plain(&line["Quantity"])),
                ("rate", plain(&line["UnitPrice"])),
                ("amount", amount.unwrap_or_default()),
                ("description", text(line, "Description")),
                ("ship date", text(line, "ServiceDate")),
            ] {
                fields.insert(format!("line {number:02} {name}"), value);
            }
        }
        fields
    }

    /// What an order says, in the same words.
    fn held_content(&self, order: &Json) -> Fields {
        let customer = self.named("customer", &order["entity"], "externalId");
        let mut fields = Fields::from([
            ("customer".to_owned(), customer.to_lowercase()),
            (
                "subsidiary".to_owned(),
                self.named("subsidiary", &order["subsidiary"], "name"),
            ),
            (
                "terms".to_owned(),
                self.named("term", &order["terms"], "name"),
            ),
            (
                "currency".to_owned(),
                self.named("currency", &order["currency"], "symbol"),
            ),
            ("date".to_owned(), text(order, "tranDate")),
            ("purchase order".to_owned(), text(order, "otherRefNum")),
            ("memo".to_owned(), text(order, "memo")),
            ("total".to_owned(), plain(&order["total"])),
        ]);
        for (number, line) in (1..).zip(lines(order)) {
            for (name, value) in [
                ("item", self.item(&line["item"])),
                ("quantity", plain(&line["quantity"])),
                ("rate", plain(&line["rate"])),
                ("amount", plain(&line["amount"])),
                ("description", text(line, "description")),
                ("ship date", text(line, "expectedShipDate")),
            ] {
                fields.insert(format!("line {number:02} {name}"), value);
            }
        }
        fields
    }

    pub(super) fn item(&self, reference: &Json) -> String {
        ["inventoryItem", "nonInventorySaleItem", "serviceSaleItem"]
            .into_iter()
            .map(|kind| self.named(kind, reference, "itemId"))
            .find(|sku| !sku.is_empty())
            .unwrap_or_default()
    }
}

/// What the lines of an opportunity come to, each rounded to the cent.
pub(super) fn total(opportunity: &Json) -> Decimal {
    sold(opportunity).into_iter().filter_map(amount).sum()
}

fn amount(line: &Json) -> Option<Decimal> {
    let exact = decimal(&line["Quantity"])?.checked_mul(decimal(&line["UnitPrice"])?)?;
    Some(exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
}

/// The lines in the order people gave them.
fn sold(opportunity: &Json) -> Vec<&Json> {
    let lines = opportunity["OpportunityLineItems"]["records"].as_array();
    let mut lines: Vec<&Json> = lines.into_iter().flatten().collect();
    let place = |line: &&Json| (line["SortOrder"].as_i64(), text(line, "Id"));
    lines.sort_by_key(place);
    lines
}

fn lines(order: &Json) -> impl Iterator<Item = &Json> {
    order["item"]["items"].as_array().into_iter().flatten()
}

fn judge_closed(record: &str, found: &[&Json]) -> Vec<Difference> {
    match found {
        [order] if is_closed(order) => Vec::new(),
        [order] => {
            let status = text(&order["status"], "refName");
            vec![difference(record, "status", "Closed", &status)]
        }
        several => vec![difference(
            record,
            "order",
            "one",
            &several.len().to_string(),
        )],
    }
}

/// The selling side's copy of the order's id, number and status. What people of the booking side did to
/// the status last, it need not know yet.
fn written_back(record: &str, opportunity: &Json, order: &Json) -> Vec<Difference> {
    let status = text(&order["status"], "refName");
    let shown = text(opportunity, "NetSuite_Order_Status__c");
    let mut differences = Vec::new();
    for (field, expected) in [
        ("NetSuite_Order_Id__c", text(order, "id")),
        ("NetSuite_Order_Number__c", text(order, "tranId")),
    ] {
        let found = text(opportunity, field);
        if found != expected {
            differences.push(difference(record, field, &expected, &found));
        }
    }
    if shown != status && shown != PENDING {
        differences.push(difference(
            record,
            "NetSuite_Order_Status__c",
            &status,
            &shown,
        ));
    }
    differences
}

fn not_written_back(record: &str, opportunity: &Json) -> Vec<Difference> {
    let number = text(opportunity, "NetSuite_Order_Number__c");
    match number.as_str() {
        "" => Vec::new(),
        number => vec![difference(
            record,
            "NetSuite_Order_Number__c",
            "nothing",
            number,
        )],
    }
}

fn key(id: &str) -> String {
    external_id("Opportunity", id, "salesOrder")
}
