//! Which record types, fields and sublists the account has, and what each field takes.
//!
//! Names and types follow the published REST contract (2025-09) and the REST API Browser 2026.1; lengths
//! are those the account's forms enforce.

mod bills;

pub(super) use bills::{CASH_SALE, INVOICE};

/// Record types that share internal ids and the uniqueness of external ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Family {
    Transaction,
    Entity,
    Item,
    Subsidiary,
    Currency,
    Term,
    Account,
}

/// What a field takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    /// At most so many characters.
    Text(usize),
    Integer,
    /// An exact decimal.
    Number,
    Flag,
    Date,
    Moment,
    Ref(Family),
    /// Several references, `{"items":[…]}`.
    Refs(Family),
    /// One of fixed ids, each with its label.
    Choice(&'static [(&'static str, &'static str)]),
    /// A record inside the record.
    Subrecord(&'static [Field]),
}

/// One field of a record, line or subrecord.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    /// What the account's forms call it, as in "Please enter value(s) for: …".
    pub label: &'static str,
    pub kind: Type,
    pub read_only: bool,
}

/// A list of lines inside a record, each with a key that stays.
#[derive(Debug)]
pub(super) struct Sublist {
    pub name: &'static str,
    /// The field that names a line.
    pub key: &'static str,
    pub fields: &'static [Field],
}

/// One record type.
#[derive(Debug)]
pub(super) struct Kind {
    pub name: &'static str,
    pub family: Family,
    pub fields: &'static [Field],
    pub sublists: &'static [Sublist],
}

impl Kind {
    pub fn named(name: &str) -> Option<&'static Kind> {
        KINDS.iter().copied().find(|kind| kind.name == name)
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub fn sublist(&self, name: &str) -> Option<&'static Sublist> {
        self.sublists.iter().find(|sublist| sublist.name == name)
    }
}

pub(super) static KINDS: &[&Kind] = &[
    &CUSTOMER,
    &SALES_ORDER,
    &INVOICE,
    &CASH_SALE,
    &INVENTORY_ITEM,
    &NON_INVENTORY_SALE_ITEM,
    &SERVICE_SALE_ITEM,
    &SUBSIDIARY,
    &CURRENCY,
    &TERM,
    &ACCOUNT,
];

const fn field(name: &'static str, label: &'static str, kind: Type) -> Field {
    Field {
        name,
        label,
        kind,
        read_only: false,
    }
}

const fn computed(name: &'static str, label: &'static str, kind: Type) -> Field {
    Field {
        name,
        label,
        kind,
        read_only: true,
    }
}

pub(super) static CUSTOMER: Kind = Kind {
    name: "customer",
    family: Family::Entity,
    fields: CUSTOMER_FIELDS,
    sublists: &[
        Sublist {
            name: "addressBook",
            key: "internalId",
            fields: ADDRESS_BOOK_FIELDS,
        },
        Sublist {
            name: "currencyList",
            key: "currency",
            fields: CURRENCY_LIST_FIELDS,
        },
    ],
};

static CUSTOMER_FIELDS: &[Field] = &[
    field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
    field("entityId", "Customer ID", Type::Text(83)),
    field("companyName", "Company Name", Type::Text(83)),
    field("isPerson", "Individual", Type::Flag),
    field("firstName", "First Name", Type::Text(32)),
    field("lastName", "Last Name", Type::Text(32)),
    field(
        "subsidiary",
        "Primary Subsidiary",
        Type::Ref(Family::Subsidiary),
    ),
    field("currency", "Primary Currency", Type::Ref(Family::Currency)),
    field("terms", "Terms", Type::Ref(Family::Term)),
    field("parent", "Parent Company", Type::Ref(Family::Entity)),
    field("email", "Email", Type::Text(254)),
    field("phone", "Phone", Type::Text(32)),
    field("fax", "Fax", Type::Text(32)),
    field("url", "Web Address", Type::Text(100)),
    field("accountNumber", "Account", Type::Text(99)),
    field("comments", "Comments", Type::Text(4000)),
    field("creditLimit", "Credit Limit", Type::Number),
    field("isInactive", "Inactive", Type::Flag),
    field(
        "custentity_sf_account_id",
        "Salesforce Account Id",
        Type::Text(300),
    ),
    computed("dateCreated", "Date Created", Type::Moment),
    computed("lastModifiedDate", "Last Modified", Type::Moment),
];

static ADDRESS_BOOK_FIELDS: &[Field] = &[
    computed("internalId", "ID", Type::Integer),
    field("label", "Label", Type::Text(150)),
    field("defaultBilling", "Default Billing", Type::Flag),
    field("defaultShipping", "Default Shipping", Type::Flag),
    field("isResidential", "Residential", Type::Flag),
    field(
        "addressBookAddress",
        "Address",
        Type::Subrecord(ADDRESS_FIELDS),
    ),
];

static ADDRESS_FIELDS: &[Field] = &[
    field("addressee", "Addressee", Type::Text(83)),
    field("attention", "Attention", Type::Text(83)),
    field("addr1", "Address 1", Type::Text(150)),
    field("addr2", "Address 2", Type::Text(150)),
    field("addr3", "Address 3", Type::Text(150)),
    field("city", "City", Type::Text(50)),
    field("state", "State/Province", Type::Text(30)),
    field("zip", "Zip", Type::Text(36)),
    field("addrPhone", "Phone", Type::Text(32)),
    field("country", "Country", Type::Choice(COUNTRIES)),
    field("addrText", "Address", Type::Text(999)),
    field("override", "Override", Type::Flag),
];

static CURRENCY_LIST_FIELDS: &[Field] =
    &[field("currency", "Currency", Type::Ref(Family::Currency))];

pub(super) static SALES_ORDER: Kind = Kind {
    name: "salesOrder",
    family: Family::Transaction,
    fields: SALES_ORDER_FIELDS,
    sublists: &[Sublist {
        name: "item",
        key: "line",
        fields: ITEM_LINE_FIELDS,
    }],
};

static SALES_ORDER_FIELDS: &[Field] = &[
    field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
    field("tranId", "Order #", Type::Text(45)),
    field("tranDate", "Date", Type::Date),
    field("entity", "Customer", Type::Ref(Family::Entity)),
    field("subsidiary", "Subsidiary", Type::Ref(Family::Subsidiary)),
    field("currency", "Currency", Type::Ref(Family::Currency)),
    field("terms", "Terms", Type::Ref(Family::Term)),
    field("memo", "Memo", Type::Text(999)),
    field("otherRefNum", "PO/Check Number", Type::Text(45)),
    field("orderStatus", "Order Status", Type::Choice(ORDER_STATUSES)),
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
    field(
        "custbody_sf_opportunity_id",
        "Salesforce Opportunity Id",
        Type::Text(300),
    ),
    computed("status", "Status", Type::Choice(ORDER_STATUSES)),
    computed("subtotal", "Subtotal", Type::Number),
    computed("total", "Total", Type::Number),
    computed("exchangeRate", "Exchange Rate", Type::Number),
    computed("createdDate", "Date Created", Type::Moment),
    computed("lastModifiedDate", "Date Last Modified", Type::Moment),
];

static ITEM_LINE_FIELDS: &[Field] = &[
    computed("line", "Transaction Line", Type::Integer),
    computed("lineUniqueKey", "Line Unique Key", Type::Text(20)),
    field("item", "Item", Type::Ref(Family::Item)),
    field("quantity", "Quantity", Type::Number),
    field("rate", "Rate", Type::Number),
    field("amount", "Amount", Type::Number),
    field("description", "Description", Type::Text(4000)),
    field("isClosed", "Closed", Type::Flag),
    field("expectedShipDate", "Expected Ship Date", Type::Date),
    field("custcol_sf_line_id", "Salesforce Line Id", Type::Text(300)),
    computed("quantityFulfilled", "Quantity Fulfilled", Type::Number),
    computed("quantityBilled", "Invoiced", Type::Number),
];

/// A sales order's statuses; `orderStatus` takes only the first two from outside.
pub(super) static ORDER_STATUSES: &[(&str, &str)] = &[
    ("A", "Pending Approval"),
    ("B", "Pending Fulfillment"),
    ("C", "Cancelled"),
    ("D", "Partially Fulfilled"),
    ("E", "Pending Billing/Partially Fulfilled"),
    ("F", "Pending Billing"),
    ("G", "Billed"),
    ("H", "Closed"),
];

macro_rules! item_kind {
    ($static:ident, $name:literal) => {
        pub(super) static $static: Kind = Kind {
            name: $name,
            family: Family::Item,
            fields: ITEM_FIELDS,
            sublists: &[],
        };
    };
}

item_kind!(INVENTORY_ITEM, "inventoryItem");
item_kind!(NON_INVENTORY_SALE_ITEM, "nonInventorySaleItem");
item_kind!(SERVICE_SALE_ITEM, "serviceSaleItem");

static ITEM_FIELDS: &[Field] = &[
    field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
    field("itemId", "Item Name/Number", Type::Text(60)),
    field("displayName", "Display Name/Code", Type::Text(60)),
    field("salesDescription", "Sales Description", Type::Text(999)),
    field("upcCode", "UPC Code", Type::Text(20)),
    field("subsidiary", "Subsidiary", Type::Refs(Family::Subsidiary)),
    field("isInactive", "Inactive", Type::Flag),
    computed("createdDate", "Date Created", Type::Moment),
    computed("lastModifiedDate", "Last Modified", Type::Moment),
];

pub(super) static SUBSIDIARY: Kind = Kind {
    name: "subsidiary",
    family: Family::Subsidiary,
    fields: &[
        field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
        field("name", "Name", Type::Text(83)),
        field("legalName", "Legal Name", Type::Text(83)),
        field("currency", "Currency", Type::Ref(Family::Currency)),
        field("country", "Country", Type::Choice(COUNTRIES)),
        field("isInactive", "Inactive", Type::Flag),
        computed("lastModifiedDate", "Last Modified", Type::Moment),
    ],
    sublists: &[],
};

pub(super) static CURRENCY: Kind = Kind {
    name: "currency",
    family: Family::Currency,
    fields: &[
        field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
        field("name", "Name", Type::Text(36)),
        field("symbol", "ISO Code", Type::Text(3)),
        field("currencyPrecision", "Currency Precision", Type::Integer),
        field("isBaseCurrency", "Base Currency", Type::Flag),
        field("isInactive", "Inactive", Type::Flag),
        computed("lastModifiedDate", "Last Modified", Type::Moment),
    ],
    sublists: &[],
};

pub(super) static TERM: Kind = Kind {
    name: "term",
    family: Family::Term,
    fields: &[
        field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
        field("name", "Terms", Type::Text(30)),
        field("daysUntilNetDue", "Days Till Net Due", Type::Integer),
        field("isInactive", "Inactive", Type::Flag),
        computed("lastModifiedDate", "Last Modified", Type::Moment),
    ],
    sublists: &[],
};

pub(super) static ACCOUNT: Kind = Kind {
    name: "account",
    family: Family::Account,
    fields: &[
        field("externalId", "External ID", Type::Text(EXTERNAL_ID_MAX)),
        field("acctNumber", "Number", Type::Text(60)),
        field("acctName", "Name", Type::Text(60)),
        field("acctType", "Type", Type::Text(30)),
        field("isInactive", "Inactive", Type::Flag),
        computed("lastModifiedDate", "Last Modified", Type::Moment),
    ],
    sublists: &[],
};

/// Longest external id the account takes.
pub(super) const EXTERNAL_ID_MAX: usize = 255;

/// ISO 3166 codes with the labels the account shows; those the sandbox's companies live in.
pub(super) static COUNTRIES: &[(&str, &str)] = &[
    ("AT", "Austria"),
    ("AU", "Australia"),
    ("BE", "Belgium"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("CH", "Switzerland"),
    ("CN", "China"),
    ("CZ", "Czech Republic"),
    ("DE", "Germany"),
    ("DK", "Denmark"),
    ("ES", "Spain"),
    ("FI", "Finland"),
    ("FR", "France"),
    ("GB", "United Kingdom"),
    ("GR", "Greece"),
    ("HU", "Hungary"),
    ("IE", "Ireland"),
    ("IN", "India"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("LU", "Luxembourg"),
    ("MX", "Mexico"),
    ("NL", "Netherlands"),
    ("NO", "Norway"),
    ("NZ", "New Zealand"),
    ("PL", "Poland"),
    ("PT", "Portugal"),
    ("SE", "Sweden"),
    ("SG", "Singapore"),
    ("US", "United States"),
    ("ZA", "South Africa"),
];
