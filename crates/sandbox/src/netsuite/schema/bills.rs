//! What is billed: invoices and cash sales. Names and types of the invoice follow the published REST
//! contract (2025-09), those of the cash sale the REST API Browser 2026.1.

use super::{ADDRESS_FIELDS, EXTERNAL_ID_MAX, Family, Field, Kind, Sublist, Type, computed, field};

pub(in super::super) static INVOICE: Kind = Kind {
    name: "invoice",
    family: Family::Transaction,
    fields: INVOICE_FIELDS,
    sublists: LINES,
};

pub(in super::super) static CASH_SALE: Kind = Kind {
    name: "cashSale",
    family: Family::Transaction,
    fields: CASH_SALE_FIELDS,
    sublists: LINES,
};

/// An invoice's statuses.
static INVOICE_STATUSES: &[(&str, &str)] = &[
    ("A", "Open"),
    ("B", "Paid In Full"),
    ("D", "Pending Approval"),
    ("E", "Rejected"),
    ("V", "Voided"),
];

/// A cash sale's statuses.
static CASH_SALE_STATUSES: &[(&str, &str)] = &[
    ("A", "Unapproved Payment"),
    ("B", "Not Deposited"),
    ("C", "Deposited"),
    ("V", "Voided"),
];

static INVOICE_FIELDS: &[Field] = &[
    field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
    field("tranId", "Invoice #", Type::Text(45)),
    field("tranDate", "Date", Type::Date),
    field("dueDate", "Due Date", Type::Date),
    field("entity", "Customer", Type::Ref(Family::Entity)),
    field("subsidiary", "Subsidiary", Type::Ref(Family::Subsidiary)),
    field("currency", "Currency", Type::Ref(Family::Currency)),
    field("terms", "Terms", Type::Ref(Family::Term)),
    field("account", "Account", Type::Ref(Family::Account)),
    field("memo", "Memo", Type::Text(999)),
    field("otherRefNum", "PO/Check Number", Type::Text(45)),
    field("email", "Email", Type::Text(254)),
    field("startDate", "Start Date", Type::Date),
    field("endDate", "End Date", Type::Date),
    field("shipDate", "Ship Date", Type::Date),
    field(
        "billingAddress",
        "Billing Address",
        Type::Subrecord(ADDRESS_FIELDS),
    ),
    field(
        "shippingAddress",
        "Shipping Address",
        Type::Subrecord(ADDRESS_FIELDS),
    ),
    computed("status", "Status", Type::Choice(INVOICE_STATUSES)),
    computed("subtotal", "Subtotal", Type::Number),
    computed("total", "Total", Type::Number),
    computed("amountPaid", "Amount Paid", Type::Number),
    computed("amountRemaining", "Amount Remaining", Type::Number),
    computed("exchangeRate", "Exchange Rate", Type::Number),
    computed("createdDate", "Date Created", Type::Moment),
    computed("lastModifiedDate", "Date Last Modified", Type::Moment),
];

static CASH_SALE_FIELDS: &[Field] = &[
    field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
    field("tranId", "Sale #", Type::Text(45)),
    field("tranDate", "Date", Type::Date),
    field("entity", "Customer", Type::Ref(Family::Entity)),
    field("subsidiary", "Subsidiary", Type::Ref(Family::Subsidiary)),
    field("currency", "Currency", Type::Ref(Family::Currency)),
    field("account", "Account", Type::Ref(Family::Account)),
    field("memo", "Memo", Type::Text(999)),
    field("otherRefNum", "PO/Check Number", Type::Text(45)),
    field("email", "Email", Type::Text(254)),
    field("startDate", "Start Date", Type::Date),
    field("endDate", "End Date", Type::Date),
    field("shipDate", "Ship Date", Type::Date),
    field(
        "billingAddress",
        "Billing Address",
        Type::Subrecord(ADDRESS_FIELDS),
    ),
    field(
        "shippingAddress",
        "Shipping Address",
        Type::Subrecord(ADDRESS_FIELDS),
    ),
    field("undepFunds", "Undeposited Funds", Type::Flag),
    computed("status", "Status", Type::Choice(CASH_SALE_STATUSES)),
    computed("subtotal", "Subtotal", Type::Number),
    computed("total", "Total", Type::Number),
    computed("exchangeRate", "Exchange Rate", Type::Number),
    computed("createdDate", "Date Created", Type::Moment),
    computed("lastModifiedDate", "Date Last Modified", Type::Moment),
];

static LINES: &[Sublist] = &[Sublist {
    name: "item",
    key: "line",
    fields: &[
        computed("line", "Transaction Line", Type::Integer),
        computed("lineUniqueKey", "Line Unique Key", Type::Text(20)),
        field("item", "Item", Type::Ref(Family::Item)),
        field("quantity", "Quantity", Type::Number),
        field("rate", "Rate", Type::Number),
        field("amount", "Amount", Type::Number),
        field("description", "Description", Type::Text(4000)),
    ],
}];
