//! The mapping that ships with the flow `opportunity-to-sales-order`.

use mapping::{Links, MappingFile, diff, fingerprint};
use serde_json::{Value, json};

const MAPPING: &str = include_str!("../../../../functions/opportunity-to-sales-order/mapping.toml");
const OPPORTUNITY: &str = include_str!("../../examples/opportunity.json");

fn links() -> Links {
    let mut links = Links::new();
    links.insert("customer", "0015g00000AbC12AAB", "1502");
    links.insert("item", "01t5g000003bbb1AAA", "851");
    links.insert("item", "01t5g000003bbb2AAA", "853");
    links.insert("item", "01t5g000003bbb3AAA", "858");
    links
}

#[test]
fn a_won_opportunity_becomes_an_order() {
    let file = MappingFile::parse("mapping.toml", MAPPING).unwrap();
    let order = file.section("order").unwrap();
    let body: Value = serde_json::from_str(OPPORTUNITY).unwrap();
    assert!(order.in_scope(&body).unwrap());
    let mapped = order.apply(&body, &links()).unwrap();
    let wanted: Value = serde_json::from_str(
        r#"{
        "entity": {"id": "1502"}, "subsidiary": {"id": "3"}, "currency": {"id": "4"}, "terms": {"id": "11"},
        "tranDate": "2026-11-22", "otherRefNum": "PO-2026-1183", "memo": "Harbour retrofit, phase 2",
        "item": {"items": [
            {"item": {"id": "851"}, "quantity": 3.0, "rate": 1999.95, "amount": 5999.85,
             "description": "Copper Pump 1042", "expectedShipDate": "2026-12-01"},
            {"item": {"id": "853"}, "quantity": 12.0, "rate": 310.25, "amount": 3723.00,
             "description": "Steel Valve 1007", "expectedShipDate": "2026-12-01"},
            {"item": {"id": "858"}, "quantity": 1.5, "rate": 1791.80, "amount": 2687.70,
             "description": "Installation", "expectedShipDate": "2026-12-15"}
        ]}}"#,
    )
    .unwrap();
    assert_eq!(mapped.to_string(), wanted.to_string());
    let reread: Value = serde_json::from_str(&mapped.to_string()).unwrap();
    assert_eq!(fingerprint(&mapped), fingerprint(&reread));
    assert_eq!(diff(&mapped, &reread), []);
}

#[test]
fn an_account_becomes_a_customer_under_its_parent() {
    let file = MappingFile::parse("mapping.toml", MAPPING).unwrap();
    let customer = file.section("customer").unwrap();
    let mut links = Links::new();
    links.insert("customer", "001P", "77");
    let body = json!({
        "Name": "Acme", "ParentId": "001P", "Subsidiary__c": "EU", "CurrencyIsoCode": "EUR",
        "Payment_Terms__c": null, "Phone": null, "AccountNumber": "A-1",
    });
    let mapped = customer.apply(&body, &links).unwrap();
    assert_eq!(mapped["parent"], json!({ "id": "77" }));
    assert_eq!(mapped["subsidiary"], json!({ "id": "4" }));
    assert_eq!(mapped["isPerson"], json!(false));
    assert_eq!(mapped.get("terms"), None);
    assert_eq!(mapped.get("phone"), None);
}

#[test]
fn what_is_wrong_with_an_opportunity_is_named_at_once() {
    let file = MappingFile::parse("mapping.toml", MAPPING).unwrap();
    let body = json!({
        "IsWon": true, "Name": "x", "CloseDate": "someday", "CurrencyIsoCode": "JPY", "Account": {},
        "OpportunityLineItems": [],
    });
    let fault = file
        .section("order")
        .unwrap()
        .references(&body)
        .unwrap_err();
    let paths: Vec<&str> = fault
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "entity.id",
            "subsidiary.id",
            "currency.id",
            "tranDate",
            "item.items"
        ]
    );
}

#[test]
fn inputs_are_what_the_order_depends_on() {
    let file = MappingFile::parse("mapping.toml", MAPPING).unwrap();
    let order = file.section("order").unwrap();
    let body: Value = serde_json::from_str(OPPORTUNITY).unwrap();
    let inputs = order.inputs(&body);
    // Our own echo, and what the vendor sends along, are none.
    let mut echo = body.clone();
    echo["NetSuite_Order_Id__c"] = json!("123");
    echo["SystemModstamp"] = json!("2027-01-01T00:00:00.000+0000");
    assert_eq!(order.inputs(&echo), inputs);
    for (place, value) in [
        ("/IsWon", json!(false)),
        ("/OpportunityLineItems/1/Quantity", json!(13)),
        ("/OpportunityLineItems", json!([])),
        ("/OpportunityLineItems", Value::Null),
    ] {
        let mut changed = body.clone();
        *changed.pointer_mut(place).unwrap() = value;
        assert_ne!(order.inputs(&changed), inputs, "{place}");
    }
}
