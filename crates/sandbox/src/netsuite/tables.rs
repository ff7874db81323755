//! The tables SuiteQL sees, and the rows each record has in them.
//!
//! Names follow the Records Catalog: a sales order is one row of `transaction` and one of
//! `transactionline` per line, plus its main line; a sales line's quantity and amounts are negative there.

use rusqlite::types::Value;

use super::row::{Row, flag_value, id_value, moment_value, number_value};
use super::schema::{Family, ORDER_STATUSES};
use super::store::{Cell, Fields, Record, Store};

pub(super) const SCHEMA: &str = r#"
CREATE TABLE "transaction" (id INTEGER PRIMARY KEY, tranid, tranidnum, transactionnumber, type, recordtype,
    abbrevtype, trandate, entity INTEGER, externalid, status, currency INTEGER, exchangerate NUMERIC,
    foreigntotal NUMERIC, terms INTEGER, memo, otherrefnum, email, createddate, lastmodifieddate,
    posting, voided, startdate, enddate, shipdate, duedate, foreignamountpaid NUMERIC,
    foreignamountunpaid NUMERIC, custbody_sf_opportunity_id);
CREATE INDEX transaction_by_external ON "transaction" (externalid);
CREATE INDEX transaction_by_entity ON "transaction" (entity);
CREATE TABLE transactionline (uniquekey INTEGER, "transaction" INTEGER, id INTEGER,
    linesequencenumber INTEGER, mainline, taxline, item INTEGER, itemtype, quantity NUMERIC, rate NUMERIC,
    foreignamount NUMERIC, netamount NUMERIC, memo, isclosed, subsidiary INTEGER, entity INTEGER,
    quantityshiprecv NUMERIC, quantitybilled NUMERIC, expectedshipdate, custcol_sf_line_id);
CREATE INDEX line_by_transaction ON transactionline ("transaction");
CREATE TABLE customer (id INTEGER PRIMARY KEY, entityid, entitytitle, altname, fullname, companyname,
    isperson, firstname, lastname, email, phone, fax, url, accountnumber, externalid, parent INTEGER,
    terms INTEGER, currency INTEGER, subsidiary INTEGER, isinactive, comments, creditlimit NUMERIC,
    datecreated, lastmodifieddate, custentity_sf_account_id);
CREATE INDEX customer_by_external ON customer (externalid);
CREATE TABLE entity (id INTEGER PRIMARY KEY, entityid, entitytitle, altname, fullname, type, externalid,
    email, phone, parent INTEGER, isperson, isinactive, datecreated, lastmodifieddate);
CREATE TABLE customersubsidiaryrelationship (id INTEGER PRIMARY KEY, entity INTEGER, subsidiary INTEGER,
    isprimarysub, primarycurrency INTEGER);
CREATE TABLE item (id INTEGER PRIMARY KEY, itemid, displayname, fullname, itemtype, subtype, description,
    upccode, externalid, isinactive, createddate, lastmodifieddate);
CREATE INDEX item_by_itemid ON item (itemid);
CREATE TABLE subsidiary (id INTEGER PRIMARY KEY, name, fullname, legalname, country, currency INTEGER,
    externalid, isinactive, iselimination, lastmodifieddate);
CREATE TABLE currency (id INTEGER PRIMARY KEY, name, symbol, currencyprecision INTEGER, isbasecurrency,
    externalid, isinactive, lastmodifieddate);
CREATE TABLE term (id INTEGER PRIMARY KEY, name, daysuntilnetdue INTEGER, externalid, isinactive,
    lastmodifieddate);
CREATE TABLE account (id INTEGER PRIMARY KEY, acctnumber, fullname, accountsearchdisplayname, accttype,
    externalid, isinactive, lastmodifieddate);
CREATE TABLE builtin_labels (sort, id, label, PRIMARY KEY (sort, id));
"#;

/// What a statement may read. The dialect lets `BUILTIN.DF` alone reach the labels.
pub(super) fn is_readable(table: &str) -> bool {
    matches!(
        table,
        "transaction"
            | "transactionline"
            | "customer"
            | "entity"
            | "customersubsidiaryrelationship"
            | "item"
            | "subsidiary"
            | "currency"
            | "term"
            | "account"
            | "builtin_labels"
    )
}

/// The tables with rows of records of this family, and the column with the record's id.
pub(super) fn of_family(family: Family) -> &'static [(&'static str, &'static str)] {
    match family {
        Family::Transaction => &[("transaction", "id"), ("transactionline", "transaction")],
        Family::Entity => &[
            ("customer", "id"),
            ("entity", "id"),
            ("customersubsidiaryrelationship", "entity"),
        ],
        Family::Item => &[("item", "id")],
        Family::Subsidiary => &[("subsidiary", "id")],
        Family::Currency => &[("currency", "id")],
        Family::Term => &[("term", "id")],
        Family::Account => &[("account", "id")],
    }
}

/// Under which sort `BUILTIN.DF` finds a record's label.
pub(super) fn label_sort(family: Family) -> &'static str {
    match family {
        Family::Transaction => "transaction",
        Family::Entity => "entity",
        Family::Item => "item",
        Family::Subsidiary => "subsidiary",
        Family::Currency => "currency",
        Family::Term => "term",
        Family::Account => "account",
    }
}

/// Every row of a record.
pub(super) fn rows(store: &Store, record: &Record) -> Vec<Row> {
    let mut rows = match record.kind.family {
        Family::Transaction => order_rows(store, record),
        Family::Entity => customer_rows(record),
        Family::Item => vec![item_row(record)],
        Family::Subsidiary => vec![plain(
            record,
            "subsidiary",
            &[
                ("name", "name"),
                ("fullname", "name"),
                ("legalname", "legalName"),
                ("country", "country"),
                ("currency", "currency"),
            ],
        )],
        Family::Currency => vec![plain(
            record,
            "currency",
            &[
                ("name", "name"),
                ("symbol", "symbol"),
                ("currencyprecision", "currencyPrecision"),
                ("isbasecurrency", "isBaseCurrency"),
            ],
        )],
        Family::Term => vec![plain(
            record,
            "term",
            &[("name", "name"), ("daysuntilnetdue", "daysUntilNetDue")],
        )],
        Family::Account => vec![plain(
            record,
            "account",
            &[
                ("acctnumber", "acctNumber"),
                ("fullname", "acctName"),
                ("accountsearchdisplayname", "acctName"),
                ("accttype", "acctType"),
            ],
        )],
    };
    let mut label = Row::new("builtin_labels");
    label
        .text("sort", label_sort(record.kind.family))
        .set("id", id_value(record.id))
        .text("label", &record.label());
    rows.push(label);
    rows
}

/// What every list record has.
fn plain(record: &Record, table: &'static str, columns: &[(&'static str, &str)]) -> Row {
    let mut row = Row::new(table);
    row.set("id", id_value(record.id))
        .copy(&record.fields, &[("externalid", "externalId")])
        .copy(&record.fields, columns)
        .set("isinactive", flag_value(record.flag("isInactive")))
        .set("lastmodifieddate", moment_value(record.modified));
    row
}

fn item_row(record: &Record) -> Row {
    let mut row = plain(
        record,
        "item",
        &[
            ("itemid", "itemId"),
            ("fullname", "itemId"),
            ("displayname", "displayName"),
            ("description", "salesDescription"),
            ("upccode", "upcCode"),
        ],
    );
    row.text("itemtype", item_type(record))
        .set("createddate", moment_value(record.created));
    row
}

fn item_type(record: &Record) -> &'static str {
    match record.kind.name {
        "inventoryItem" => "InvtPart",
        "serviceSaleItem" => "Service",
        _ => "NonInvtPart",
    }
}

fn customer_rows(record: &Record) -> Vec<Row> {
    let mut customer = plain(
        record,
        "customer",
        &[
            ("entityid", "entityId"),
            ("entitytitle", "entityId"),
            ("fullname", "entityId"),
            ("altname", "companyName"),
            ("companyname", "companyName"),
            ("isperson", "isPerson"),
            ("firstname", "firstName"),
            ("lastname", "lastName"),
            ("email", "email"),
            ("phone", "phone"),
            ("fax", "fax"),
            ("url", "url"),
            ("accountnumber", "accountNumber"),
            ("parent", "parent"),
            ("terms", "terms"),
            ("currency", "currency"),
            ("subsidiary", "subsidiary"),
            ("comments", "comments"),
            ("creditlimit", "creditLimit"),
            ("custentity_sf_account_id", "custentity_sf_account_id"),
        ],
    );
    customer.set("datecreated", moment_value(record.created));
    let mut entity = plain(
        record,
        "entity",
        &[
            ("entityid", "entityId"),
            ("entitytitle", "entityId"),
            ("fullname", "entityId"),
            ("altname", "companyName"),
            ("email", "email"),
            ("phone", "phone"),
            ("parent", "parent"),
            ("isperson", "isPerson"),
        ],
    );
    entity
        .text("type", "CustJob")
        .set("datecreated", moment_value(record.created));
    let mut relationship = Row::new("customersubsidiaryrelationship");
    relationship
        .set("id", id_value(record.id))
        .set("entity", id_value(record.id))
        .text("isprimarysub", "T")
        .copy(
            &record.fields,
            &[
                ("subsidiary", "subsidiary"),
                ("primarycurrency", "currency"),
            ],
        );
    vec![customer, entity, relationship]
}

fn order_rows(store: &Store, record: &Record) -> Vec<Row> {
    let (sort, name, short, posts) = transaction_sort(record);
    let mut order = Row::new("transaction");
    order
        .set("id", id_value(record.id))
        .text("type", sort)
        .text("recordtype", name)
        .text("abbrevtype", short)
        .text("posting", posts)
        .text("voided", "F")
        .copy(
            &record.fields,
            &[
                ("tranid", "tranId"),
                ("transactionnumber", "tranId"),
                ("trandate", "tranDate"),
                ("entity", "entity"),
                ("externalid", "externalId"),
                ("status", "status"),
                ("currency", "currency"),
                ("exchangerate", "exchangeRate"),
                ("foreigntotal", "total"),
                ("terms", "terms"),
                ("memo", "memo"),
                ("otherrefnum", "otherRefNum"),
                ("email", "email"),
                ("duedate", "dueDate"),
                ("foreignamountpaid", "amountPaid"),
                ("foreignamountunpaid", "amountRemaining"),
                ("startdate", "startDate"),
                ("enddate", "endDate"),
                ("shipdate", "shipDate"),
                ("custbody_sf_opportunity_id", "custbody_sf_opportunity_id"),
            ],
        )
        .set("createddate", moment_value(record.created))
        .set("lastmodifieddate", moment_value(record.modified));
    let mut main = Row::new("transactionline");
    main.set("uniquekey", id_value(record.id))
        .set("transaction", id_value(record.id))
        .set("id", 0)
        .set("linesequencenumber", 0)
        .text("mainline", "T")
        .text("taxline", "F")
        .text("isclosed", "F")
        .copy(
            &record.fields,
            &[
                ("foreignamount", "total"),
                ("netamount", "total"),
                ("memo", "memo"),
                ("subsidiary", "subsidiary"),
                ("entity", "entity"),
            ],
        );
    let mut rows = vec![order, main];
    for (index, line) in record.lines("item").iter().enumerate() {
        rows.push(line_row(store, record, &line.fields, line.key, index));
    }
    rows
}

/// Type, record type and abbreviation of a transaction, and whether it reaches the ledger.
fn transaction_sort(record: &Record) -> (&'static str, &'static str, &'static str, &'static str) {
    match record.kind.name {
        "invoice" => ("CustInvc", "invoice", "INV", "T"),
        "cashSale" => ("CashSale", "cashsale", "CASHSALE", "T"),
        _ => ("SalesOrd", "salesorder", "SALESORD", "F"),
    }
}

fn line_row(store: &Store, record: &Record, fields: &Fields, key: u64, index: usize) -> Row {
    let negative = |name: &str| match fields.get(name) {
        Some(Cell::Number(number)) => number_value(-*number),
        _ => Value::Null,
    };
    let item = match fields.get("item") {
        Some(Cell::Ref(id)) => store.get(Family::Item, *id),
        _ => None,
    };
    let unique = match fields.get("lineUniqueKey") {
        Some(Cell::Text(text)) => text.parse().map_or(Value::Null, Value::Integer),
        _ => Value::Null,
    };
    let mut row = Row::new("transactionline");
    row.set("uniquekey", unique)
        .set("transaction", id_value(record.id))
        .set("id", id_value(key))
        .set("linesequencenumber", id_value(index as u64 + 1))
        .text("mainline", "F")
        .text("taxline", "F")
        .set("quantity", negative("quantity"))
        .set("foreignamount", negative("amount"))
        .set("netamount", negative("amount"))
        .set("quantityshiprecv", negative("quantityFulfilled"))
        .set("quantitybilled", negative("quantityBilled"))
        .copy(
            fields,
            &[
                ("item", "item"),
                ("rate", "rate"),
                ("memo", "description"),
                ("isclosed", "isClosed"),
                ("expectedshipdate", "expectedShipDate"),
                ("custcol_sf_line_id", "custcol_sf_line_id"),
            ],
        )
        .copy(
            &record.fields,
            &[("subsidiary", "subsidiary"), ("entity", "entity")],
        );
    if let Some(item) = item {
        row.text("itemtype", item_type(item));
    }
    row
}

/// The display texts of statuses: `Sales Order : Pending Approval`.
pub(super) fn status_labels() -> Vec<Row> {
    ORDER_STATUSES
        .iter()
        .map(|(id, label)| {
            let mut row = Row::new("builtin_labels");
            row.text("sort", "status")
                .text("id", id)
                .text("label", &format!("Sales Order : {label}"));
            row
        })
        .collect()
}
