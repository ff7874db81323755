//! What salespeople do at the simulated organization.

use jiff::Timestamp;
use sandbox::salesforce::{Id, Salesforce};
use serde_json::{Value, json};

use super::Stage;

/// An opportunity to enter, already won unless said otherwise.
pub struct Sale {
    pub account: String,
    pub currency: String,
    pub won: bool,
    pub name: String,
    /// SKU, quantity and unit price of each line.
    pub lines: Vec<(String, &'static str, &'static str)>,
}

/// An id as the organization writes it.
pub fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

impl Stage {
    /// Looks into the organization with SOQL.
    pub fn select(&self, query: &str) -> Vec<Value> {
        self.salesforce(|org, now| org.select(query, now).unwrap())
    }

    /// Acts as the organization's people.
    pub fn salesforce<T>(&self, act: impl FnOnce(&mut Salesforce, Timestamp) -> T) -> T {
        self.sandbox
            .handle()
            .with(|world, now| act(world.vendor_mut::<Salesforce>().unwrap(), now))
    }

    /// A sale to an account under a parent, of three things both sides know.
    pub fn sale(&self) -> Sale {
        let accounts = self.select(
            "SELECT Id, CurrencyIsoCode FROM Account WHERE ParentId != null ORDER BY Name LIMIT 1",
        );
        let sku = |index: usize| self.catalogue.items[index].sku.clone();
        Sale {
            account: accounts[0]["Id"].as_str().unwrap().to_owned(),
            currency: accounts[0]["CurrencyIsoCode"].as_str().unwrap().to_owned(),
            won: true,
            name: "Harbour retrofit, \"phase 2\" & Söhne".to_owned(),
            lines: vec![
                (sku(0), "3", "1999.95"),
                (sku(1), "12", "310.25"),
                (sku(9), "1.5", "0.10"),
            ],
        }
    }

    /// Enters it, announced if the organization's rules say so; the id.
    pub fn enter(&self, sale: &Sale) -> String {
        let fields = self.fields(sale);
        self.salesforce(|org, now| org.user_create("Opportunity", fields, now).unwrap())
            .to_string()
    }

    /// Enters it while automation is off: nothing is announced.
    pub fn enter_quietly(&self, sale: &Sale) -> String {
        let fields = self.fields(sale);
        let create = |org: &mut Salesforce, now| org.user_create("Opportunity", fields, now);
        self.salesforce(|org, now| org.quietly(|org| create(org, now)).unwrap())
            .to_string()
    }

    fn fields(&self, sale: &Sale) -> Value {
        let lines: Vec<Value> = sale
            .lines
            .iter()
            .enumerate()
            .map(|(position, (sku, quantity, price))| {
                json!({
                    "Product2Id": self.product(sku), "Quantity": quantity, "UnitPrice": price,
                    "SortOrder": position + 1,
                })
            })
            .collect();
        json!({
            "Name": sale.name, "AccountId": sale.account, "CurrencyIsoCode": sale.currency,
            "StageName": if sale.won { "Closed Won" } else { "Prospecting" },
            "CloseDate": "2026-11-20", "OpportunityLineItems": lines,
        })
    }

    /// Changes fields of an opportunity as its owner would.
    pub fn change(&self, id: &str, fields: Value) {
        let id = self::id(id);
        self.salesforce(|org, now| org.user_change("Opportunity", id, fields, now).unwrap());
    }

    fn product(&self, sku: &str) -> String {
        let found = self.select(&format!(
            "SELECT Id FROM Product2 WHERE ProductCode = '{sku}'"
        ));
        found[0]["Id"].as_str().unwrap().to_owned()
    }
}
