//! What the account holds before anything flows: subsidiaries, currencies, terms, accounts and items.

use jiff::Timestamp;

use crate::seed::{Catalogue, Item, ItemKind};

use super::schema::{
    ACCOUNT, COUNTRIES, CURRENCY, Family, INVENTORY_ITEM, Kind, NON_INVENTORY_SALE_ITEM,
    SERVICE_SALE_ITEM, SUBSIDIARY, TERM,
};
use super::store::{Cell, Record, Store};

/// Fills the store from the catalogue. Late items are left out: somebody enters them later.
pub(super) fn stock(store: &mut Store, catalogue: &Catalogue, now: Timestamp) {
    for (index, code) in catalogue.currencies.iter().enumerate() {
        put(
            store,
            &CURRENCY,
            now,
            [
                ("name", Cell::Text(currency_name(code))),
                ("symbol", Cell::Text((*code).to_owned())),
                ("currencyPrecision", Cell::Integer(2)),
                ("isBaseCurrency", Cell::Flag(index == 0)),
            ],
        );
    }
    for name in catalogue.terms {
        let days = name.rsplit(' ').next().and_then(|days| days.parse().ok());
        put(
            store,
            &TERM,
            now,
            [
                ("name", Cell::Text((*name).to_owned())),
                ("daysUntilNetDue", Cell::Integer(days.unwrap_or(0))),
            ],
        );
    }
    for subsidiary in catalogue.subsidiaries {
        let currency = store.by_name(Family::Currency, subsidiary.currency);
        let country = COUNTRIES.iter().find(|(id, _)| *id == subsidiary.country);
        let mut fields = vec![
            ("name", Cell::Text(subsidiary.name.to_owned())),
            ("externalId", Cell::Text(subsidiary.code.to_owned())),
        ];
        fields.extend(currency.map(|id| ("currency", Cell::Ref(id))));
        fields.extend(country.map(|(id, _)| ("country", Cell::Choice(id))));
        put(store, &SUBSIDIARY, now, fields);
    }
    for (number, name, sort) in [
        ("1100", "Accounts Receivable", "AcctRec"),
        ("2400", "Customer Deposits", "OthCurrLiab"),
        ("4000", "Sales", "Income"),
    ] {
        put(
            store,
            &ACCOUNT,
            now,
            [
                ("acctNumber", Cell::Text(number.to_owned())),
                ("acctName", Cell::Text(name.to_owned())),
                ("acctType", Cell::Text(sort.to_owned())),
            ],
        );
    }
    for item in &catalogue.items {
        let kind = item_kind(item);
        put(
            store,
            kind,
            now,
            [
                ("itemId", Cell::Text(item.sku.clone())),
                ("displayName", Cell::Text(item.name.clone())),
                ("isInactive", Cell::Flag(false)),
            ],
        );
    }
}

/// The record type an item of the catalogue is kept as.
pub(super) fn item_kind(item: &Item) -> &'static Kind {
    match item.kind {
        ItemKind::Inventory => &INVENTORY_ITEM,
        ItemKind::NonInventory => &NON_INVENTORY_SALE_ITEM,
        ItemKind::Service => &SERVICE_SALE_ITEM,
    }
}

fn currency_name(code: &str) -> String {
    match code {
        "USD" => "US Dollar",
        "EUR" => "Euro",
        "GBP" => "British Pound",
        other => other,
    }
    .to_owned()
}

fn put(
    store: &mut Store,
    kind: &'static Kind,
    now: Timestamp,
    fields: impl IntoIterator<Item = (&'static str, Cell)>,
) {
    let mut record = Record::new(kind, now);
    record.fields.extend(fields);
    store.put(record);
}
