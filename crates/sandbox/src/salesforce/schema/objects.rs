//! The types themselves, field by field.

use std::sync::LazyLock;

use super::{Access, Child, Field, Kind, Object};
use crate::seed;

/// Every type.
pub(in crate::salesforce) static OBJECTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
    vec![
        build(
            "Account",
            "Account",
            "001",
            true,
            ACCOUNT_CHILDREN,
            account(),
        ),
        build("Product2", "Product", "01t", true, &[], product()),
        build(
            "Opportunity",
            "Opportunity",
            "006",
            true,
            OPPORTUNITY_CHILDREN,
            opportunity(),
        ),
        build(
            "OpportunityLineItem",
            "Opportunity Product",
            "00k",
            true,
            &[],
            line(),
        ),
        build("User", "User", "005", false, &[], user()),
        build(
            "Organization",
            "Organization",
            "00D",
            false,
            &[],
            organization(),
        ),
    ]
});

const ACCOUNT_CHILDREN: &[Child] = &[
    Child {
        relationship: "Opportunities",
        object: "Opportunity",
        field: "AccountId",
        cascades: true,
    },
    Child {
        relationship: "ChildAccounts",
        object: "Account",
        field: "ParentId",
        cascades: false,
    },
];
const OPPORTUNITY_CHILDREN: &[Child] = &[Child {
    relationship: "OpportunityLineItems",
    object: "OpportunityLineItem",
    field: "OpportunityId",
    cascades: true,
}];

/// Stages of a sale; the last two close it.
pub(in crate::salesforce) const STAGES: &[&str] = &[
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
];
const SUBSIDIARY_CODES: &[&str] = &["US", "EU"];

fn account() -> Vec<Field> {
    vec![
        required("Name", "Account Name", Kind::Text(255)),
        field("AccountNumber", "Account Number", Kind::Text(40)),
        field(
            "Type",
            "Account Type",
            open_picklist(&["Customer", "Partner", "Prospect"]),
        ),
        field(
            "Industry",
            "Industry",
            open_picklist(&["Construction", "Retail", "Manufacturing"]),
        ),
        field(
            "ParentId",
            "Parent Account ID",
            reference("Account", "Parent"),
        ),
        // Set when accounts are merged, to the one that stays.
        read_only(
            "MasterRecordId",
            "Master Record ID",
            reference("Account", "MasterRecord"),
        ),
        field("OwnerId", "Owner ID", reference("User", "Owner")),
        field("BillingStreet", "Billing Street", Kind::Text(255)),
        field("BillingCity", "Billing City", Kind::Text(40)),
        field("BillingState", "Billing State/Province", Kind::Text(80)),
        field(
            "BillingPostalCode",
            "Billing Zip/Postal Code",
            Kind::Text(20),
        ),
        field("BillingCountry", "Billing Country", Kind::Text(80)),
        field("Phone", "Account Phone", Kind::Text(40)),
        field("Website", "Website", Kind::Text(255)),
        field("AnnualRevenue", "Annual Revenue", Kind::Currency(18, 0)),
        field("NumberOfEmployees", "Employees", Kind::Int),
        field(
            "CurrencyIsoCode",
            "Currency ISO Code",
            picklist(seed::CURRENCIES),
        ),
        field("Payment_Terms__c", "Payment Terms", picklist(seed::TERMS)),
        field("Subsidiary__c", "Subsidiary", picklist(SUBSIDIARY_CODES)),
        key("External_Id__c", "External Id", true),
    ]
}

fn product() -> Vec<Field> {
    vec![
        required("Name", "Product Name", Kind::Text(255)),
        field("ProductCode", "Product Code", Kind::Text(255)),
        field("IsActive", "Active", Kind::Boolean),
        field(
            "Family",
            "Product Family",
            open_picklist(&["Goods", "Services"]),
        ),
        field("Description", "Product Description", Kind::LongText(4000)),
        field(
            "CurrencyIsoCode",
            "Currency ISO Code",
            picklist(seed::CURRENCIES),
        ),
        key("External_Id__c", "External Id", true),
    ]
}

fn opportunity() -> Vec<Field> {
    vec![
        required("Name", "Name", Kind::Text(120)),
        field("AccountId", "Account ID", reference("Account", "Account")),
        required("StageName", "Stage", open_picklist(STAGES)),
        required("CloseDate", "Close Date", Kind::Date),
        field("Amount", "Amount", Kind::Currency(18, 2)),
        field(
            "CurrencyIsoCode",
            "Opportunity Currency",
            picklist(seed::CURRENCIES),
        ),
        read_only("IsWon", "Won", Kind::Boolean),
        read_only("IsClosed", "Closed", Kind::Boolean),
        read_only("HasOpportunityLineItem", "Has Line Item", Kind::Boolean),
        field(
            "Type",
            "Opportunity Type",
            open_picklist(&["New Customer", "Existing Customer"]),
        ),
        field("Description", "Description", Kind::LongText(32_000)),
        field("OwnerId", "Owner ID", reference("User", "Owner")),
        field("PO_Number__c", "PO Number", Kind::Text(45)),
        key("NetSuite_Order_Id__c", "NetSuite Order Id", false),
        field(
            "NetSuite_Order_Number__c",
            "NetSuite Order Number",
            Kind::Text(45),
        ),
        field(
            "NetSuite_Order_Status__c",
            "NetSuite Order Status",
            Kind::Text(80),
        ),
        key("External_Id__c", "External Id", true),
    ]
}

fn line() -> Vec<Field> {
    let once = |field: Field| Field {
        access: Access::CreateOnly,
        ..field
    };
    vec![
        once(required(
            "OpportunityId",
            "Opportunity ID",
            reference("Opportunity", "Opportunity"),
        )),
        once(required(
            "Product2Id",
            "Product ID",
            reference("Product2", "Product2"),
        )),
        read_only("ProductCode", "Product Code", Kind::Text(255)),
        read_only("Name", "Opportunity Product Name", Kind::Text(376)),
        required("Quantity", "Quantity", Kind::Double(12, 2)),
        field("UnitPrice", "Sales Price", Kind::Currency(18, 2)),
        field("TotalPrice", "Total Price", Kind::Currency(18, 2)),
        field("Description", "Line Description", Kind::Text(255)),
        field("ServiceDate", "Date", Kind::Date),
        field("SortOrder", "Sort Order", Kind::Int),
        read_only(
            "CurrencyIsoCode",
            "Currency ISO Code",
            picklist(seed::CURRENCIES),
        ),
    ]
}

fn user() -> Vec<Field> {
    vec![
        field("Username", "Username", Kind::Text(80)),
        field("Name", "Full Name", Kind::Text(121)),
        field("Email", "Email", Kind::Text(128)),
        field("IsActive", "Active", Kind::Boolean),
        field("TimeZoneSidKey", "Time Zone", Kind::Text(40)),
        field("LanguageLocaleKey", "Language", Kind::Text(40)),
        field(
            "CurrencyIsoCode",
            "Currency ISO Code",
            picklist(seed::CURRENCIES),
        ),
    ]
}

fn organization() -> Vec<Field> {
    vec![
        field("Name", "Name", Kind::Text(80)),
        field("TimeZoneSidKey", "Time Zone", Kind::Text(40)),
        field("LanguageLocaleKey", "Language", Kind::Text(40)),
        field("DefaultLocaleSidKey", "Locale", Kind::Text(40)),
        field("OrganizationType", "Edition", Kind::Text(40)),
        field("InstanceName", "Instance Name", Kind::Text(5)),
        field("IsSandbox", "Is Sandbox", Kind::Boolean),
    ]
}

fn build(
    name: &'static str,
    label: &'static str,
    prefix: &'static str,
    writable: bool,
    children: &'static [Child],
    own: Vec<Field>,
) -> Object {
    let mut fields = vec![
        read_only("Id", "Record ID", Kind::Id),
        read_only("IsDeleted", "Deleted", Kind::Boolean),
        read_only("CreatedDate", "Created Date", Kind::DateTime),
        read_only(
            "CreatedById",
            "Created By ID",
            reference("User", "CreatedBy"),
        ),
        read_only("LastModifiedDate", "Last Modified Date", Kind::DateTime),
        read_only(
            "LastModifiedById",
            "Last Modified By ID",
            reference("User", "LastModifiedBy"),
        ),
        read_only("SystemModstamp", "System Modstamp", Kind::DateTime),
    ];
    fields.extend(own);
    let by_name = fields
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name.to_ascii_lowercase(), index))
        .collect();
    Object {
        name,
        label,
        prefix,
        fields,
        children,
        writable,
        by_name,
    }
}

fn field(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field {
        name,
        label,
        kind,
        access: Access::Writable,
        required: false,
        external_id: false,
        unique: false,
    }
}

fn required(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field {
        required: true,
        ..field(name, label, kind)
    }
}

fn read_only(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field {
        access: Access::ReadOnly,
        ..field(name, label, kind)
    }
}

fn key(name: &'static str, label: &'static str, unique: bool) -> Field {
    Field {
        external_id: true,
        unique,
        ..field(name, label, Kind::Text(80))
    }
}

fn reference(object: &'static str, relationship: &'static str) -> Kind {
    Kind::Reference {
        object,
        relationship,
    }
}

fn picklist(values: &'static [&'static str]) -> Kind {
    Kind::Picklist {
        values,
        restricted: true,
    }
}

fn open_picklist(values: &'static [&'static str]) -> Kind {
    Kind::Picklist {
        values,
        restricted: false,
    }
}
