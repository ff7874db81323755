//! What the booking side holds before anything is sold at a marketplace.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::{
    EditError, Vendor,
    amazon::{Marketplace, Region},
    netsuite::NetSuite,
    seed::{Item, ItemKind},
};

/// A sort of charge that is booked as an item of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Charge {
    /// For sending.
    Shipping,
    /// For wrapping.
    GiftWrap,
    /// Taken off; booked as a negative amount.
    Promotion,
    /// For the state.
    Tax,
}

impl Charge {
    /// Every sort.
    pub const ALL: [Self; 4] = [Self::Shipping, Self::GiftWrap, Self::Promotion, Self::Tax];

    /// The item's name in the booking system.
    pub fn sku(self) -> &'static str {
        match self {
            Self::Shipping => "AMAZON-SHIPPING",
            Self::GiftWrap => "AMAZON-GIFT-WRAP",
            Self::Promotion => "AMAZON-PROMOTION",
            Self::Tax => "AMAZON-TAX",
        }
    }
}

/// The external id of the customer all orders of a marketplace are booked under: `amazon-customer-us`.
pub fn customer_external_id(marketplace: &Marketplace) -> String {
    format!("amazon-customer-{}", marketplace.country.to_lowercase())
}

pub(super) fn prepare(
    account: &mut NetSuite,
    countries: &[&str],
    now: Timestamp,
) -> Result<(), EditError> {
    for charge in Charge::ALL {
        let item = Item {
            sku: charge.sku().to_owned(),
            name: format!("Amazon {charge:?}"),
            kind: ItemKind::Service,
            price_cents: 0,
        };
        account.enter_item(&item, now)?;
    }
    for place in countries
        .iter()
        .filter_map(|country| Marketplace::by_country(country))
    {
        let currency = currency(account, place, now)?;
        // Europe and the Far East are the European company's.
        let company = match place.region {
            Region::Na => "US",
            Region::Eu | Region::Fe => "EU",
        };
        let subsidiary = id_of(account, "subsidiary", "externalId", company);
        let customer = json!({
            "companyName": place.name,
            "externalId": customer_external_id(place),
            "subsidiary": {"id": subsidiary},
            "currency": {"id": currency},
        });
        account.create("customer", customer, now)?;
    }
    Ok(())
}

/// The id of the marketplace's currency, entered if the account does not know it.
fn currency(
    account: &mut NetSuite,
    place: &Marketplace,
    now: Timestamp,
) -> Result<String, EditError> {
    let known = id_of(account, "currency", "symbol", place.currency);
    if !known.is_empty() {
        return Ok(known);
    }
    let currency = json!({
        "name": place.currency, "symbol": place.currency, "currencyPrecision": place.places,
    });
    let made = account.create("currency", currency, now)?;
    Ok(text(&made, "id"))
}

fn id_of(account: &NetSuite, kind: &str, field: &str, value: &str) -> String {
    let records = account.records(kind).unwrap_or_default();
    let found = records.iter().find(|record| text(record, field) == value);
    found.map(|record| text(record, "id")).unwrap_or_default()
}

fn text(record: &Json, field: &str) -> String {
    record[field].as_str().unwrap_or_default().to_owned()
}
