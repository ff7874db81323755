//! Customers: one for each account that bought, and for the companies above it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{
    Books, Difference, Fields, Ledger, compare, difference, external_id, subsidiary_name, text,
};

/// Companies above one another: more would be a circle.
const PARENT_COUNT_MAX: usize = 100;

impl Books {
    pub(super) fn customer_differences(&self, ledger: &Ledger) -> Vec<Difference> {
        let accounts: BTreeMap<String, &Json> = self
            .list("salesforce", "Account")
            .iter()
            .map(|account| (text(account, "Id"), account))
            .collect();
        let mut customers: BTreeMap<String, Vec<&Json>> = BTreeMap::new();
        let held = self.list("netsuite", "customer").iter();
        for customer in held.filter(|customer| !self.is_elsewhere(customer)) {
            let key = text(customer, "externalId").to_lowercase();
            customers.entry(key).or_default().push(customer);
        }
        // Those that bought for good must be there; those that only tried may be.
        let mut needed = BTreeSet::new();
        for opportunity in self.standing(ledger) {
            with_parents(&text(opportunity, "AccountId"), &accounts, &mut needed);
        }
        let mut allowed = needed.clone();
        for account in ledger.won.values() {
            with_parents(account, &accounts, &mut allowed);
        }
        let mut differences = Vec::new();
        for id in &allowed {
            let Some(account) = accounts.get(id) else {
                continue;
            };
            let record = format!("customer of {} ({id})", text(account, "Name"));
            let found = customers.remove(&external_id("Account", id, "customer"));
            match found.as_deref() {
                None if needed.contains(id) => {
                    differences.push(difference(&record, "customer", "one", "none"));
                }
                None => {}
                Some([customer]) => {
                    let (expected, held) = (expected(account), self.held_customer(customer));
                    differences.extend(compare(&record, &expected, &held));
                }
                Some(several) => {
                    let count = several.len().to_string();
                    differences.push(difference(&record, "customer", "one", &count));
                }
            }
        }
        for customer in customers.into_values().flatten() {
            let record = format!(
                "customer {} ({})",
                text(customer, "entityId"),
                text(customer, "id")
            );
            differences.push(difference(
                &record,
                "customer",
                "none",
                "one nobody asked for",
            ));
        }
        differences
    }

    fn held_customer(&self, customer: &Json) -> Fields {
        let above = self.named("customer", &customer["parent"], "externalId");
        Fields::from([
            ("name".to_owned(), text(customer, "companyName")),
            ("number".to_owned(), text(customer, "entityId")),
            ("phone".to_owned(), text(customer, "phone")),
            ("parent".to_owned(), above.to_lowercase()),
            (
                "subsidiary".to_owned(),
                self.named("subsidiary", &customer["subsidiary"], "name"),
            ),
            (
                "currency".to_owned(),
                self.named("currency", &customer["currency"], "symbol"),
            ),
            (
                "terms".to_owned(),
                self.named("term", &customer["terms"], "name"),
            ),
        ])
    }
}

fn expected(account: &Json) -> Fields {
    let parent = text(account, "ParentId");
    let above = match parent.as_str() {
        "" => String::new(),
        id => external_id("Account", id, "customer"),
    };
    Fields::from([
        ("name".to_owned(), text(account, "Name")),
        ("number".to_owned(), text(account, "AccountNumber")),
        ("phone".to_owned(), text(account, "Phone")),
        ("parent".to_owned(), above),
        (
            "subsidiary".to_owned(),
            subsidiary_name(&text(account, "Subsidiary__c")),
        ),
        ("currency".to_owned(), text(account, "CurrencyIsoCode")),
        ("terms".to_owned(), text(account, "Payment_Terms__c")),
    ])
}

fn with_parents(id: &str, accounts: &BTreeMap<String, &Json>, all: &mut BTreeSet<String>) {
    let mut next = id.to_owned();
    for _ in 0..PARENT_COUNT_MAX {
        if next.is_empty() || !all.insert(next.clone()) {
            return;
        }
        next = accounts
            .get(&next)
            .map(|account| text(account, "ParentId"))
            .unwrap_or_default();
    }
}
