//! What a mapping reads, refers to and writes back.

use mapping::{Links, Reference};
use serde_json::json;

use crate::check::section;

const ORDER: &str = r#"
version = 1
[order]
when = { from = "Stage", equals = "Won" }
[order.fields]
"entity.id" = { from = "AccountId", link = "customer" }
"partner.id" = { from = "PartnerId", link = "customer", optional = true }
memo = { concat = ["Name", "Account.Name"], when = { from = "HasMemo", equals = true } }
[order.lists."item.items"]
from = "Lines"
when = { from = "Skip", not_equals = true }
[order.lists."item.items".fields]
"item.id" = { from = "ProductId", link = "item", key = "Product.Code" }
currency = { from = "^.Currency" }
[order.write_back]
Order_Id__c = { from = "id" }
Order_Status__c = { from = "status.refName", optional = true }
"#;

fn reference(link: &str, id: &str, key: Option<&str>) -> Reference {
    Reference {
        link: link.to_owned(),
        id: id.to_owned(),
        key: key.map(str::to_owned),
    }
}

#[test]
fn the_selection_names_every_path() {
    let section = section(ORDER);
    let selection = section.selection();
    let fields: Vec<&str> = selection.fields.iter().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "Account.Name",
            "AccountId",
            "Currency",
            "HasMemo",
            "Name",
            "Order_Id__c",
            "Order_Status__c",
            "PartnerId",
            "Stage",
        ]
    );
    let lists: Vec<(&str, Vec<&str>)> = selection
        .lists
        .iter()
        .map(|(list, fields)| (list.as_str(), fields.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        lists,
        [("Lines", vec!["Product.Code", "ProductId", "Skip"])]
    );
    assert_eq!(section.links(), ["customer", "item"]);
}

#[test]
fn references_are_met_once_in_order() {
    let body = json!({
        "AccountId": "a2", "PartnerId": "a1", "Currency": "EUR",
        "Lines": [
            { "ProductId": "p2", "Product": { "Code": "X-2" } },
            { "ProductId": 17, "Product": { "Code": 1042 } },
            { "ProductId": "p9", "Skip": true },
            { "ProductId": "p2", "Product": { "Code": "X-2" } },
            { "ProductId": "p3", "Product": null },
        ],
    });
    assert_eq!(
        section(ORDER).references(&body).unwrap(),
        [
            reference("customer", "a2", None),
            reference("customer", "a1", None),
            reference("item", "p2", Some("X-2")),
            reference("item", "17", Some("1042")),
            reference("item", "p3", None),
        ]
    );
}

#[test]
fn all_that_is_bad_is_found_before_anything_is_looked_up() {
    let body = json!({ "AccountId": null, "HasMemo": true, "Lines": [{ "ProductId": [] }] });
    let fault = section(ORDER).references(&body).unwrap_err();
    let paths: Vec<&str> = fault
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "entity.id",
            "memo",
            "item.items[0].item.id",
            "item.items[0].currency"
        ]
    );
}

#[test]
fn every_missing_link_is_named_at_once() {
    let body = json!({ "AccountId": "a1", "Currency": "EUR", "Lines": [{ "ProductId": "p1" }] });
    let section = section(ORDER);
    let fault = section.apply(&body, &Links::new()).unwrap_err();
    assert_eq!(fault.fields.len(), 2, "{fault}");
    let mut links = Links::new();
    links.insert("customer", "a1", "7");
    links.insert("item", "p1", "8");
    let mapped = section.apply(&body, &links).unwrap();
    let lines = json!([{ "item": { "id": "8" }, "currency": "EUR" }]);
    assert_eq!(
        mapped,
        json!({ "entity": { "id": "7" }, "item": { "items": lines } })
    );
}

#[test]
fn written_back_is_what_the_target_holds() {
    let section = section(ORDER);
    let held = json!({ "id": "55", "status": { "id": "A", "refName": "Pending Approval" } });
    let fields = section.write_back(&held).unwrap();
    let wanted = json!({ "Order_Id__c": "55", "Order_Status__c": "Pending Approval" });
    assert_eq!(serde_json::Value::Object(fields), wanted);
    let fault = section.write_back(&json!({ "status": null })).unwrap_err();
    assert_eq!(fault.fields[0].path, "Order_Id__c");
    assert_eq!(fault.fields[0].reason, "id is missing");
    let none = crate::check::section("x = { constant = 1 }");
    assert!(none.write_back(&held).unwrap().is_empty());
}

#[test]
fn an_alias_stands_for_the_id_and_the_key_that_the_table_lists() {
    let section = section(
        r#"
version = 1
[tables.sku]
"OLD 1" = "NEW-1"
[order]
[order.fields]
"item.id" = { from = "Sku", link = "item", key = "Sku", alias = "sku" }
"#,
    );
    for (sku, known) in [("OLD 1", "NEW-1"), ("OTHER", "OTHER")] {
        let body = json!({ "Sku": sku });
        let met = section.references(&body).unwrap();
        assert_eq!(met, [reference("item", known, Some(known))]);
        let mut links = Links::new();
        links.insert("item", known, "7");
        let mapped = section.apply(&body, &links).unwrap();
        assert_eq!(mapped, json!({ "item": { "id": "7" } }));
    }
}
