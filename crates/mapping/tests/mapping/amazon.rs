//! An Amazon order, by the orders model of 2026-01-01: each kind of an item's money becomes a line, and the
//! lines must add up to what Amazon says.

use mapping::{Links, MappingFile, Section, diff, fingerprint};
use serde_json::{Value, json};
use sluice_core::{Action, code};

const MAPPING: &str = include_str!("amazon/mapping.toml");
const ORDER: &str = include_str!("amazon/order.json");

/// The section `order` with this choice for `tax`.
fn section(tax: &str) -> Section {
    let text = MAPPING.replace("is = \"amazon\"", &format!("is = \"{tax}\""));
    let file = MappingFile::parse("mapping.toml", &text).unwrap();
    file.section("order").unwrap().clone()
}

fn order() -> Value {
    serde_json::from_str(ORDER).unwrap()
}

fn links() -> Links {
    let mut links = Links::new();
    links.insert("item", "PM-1042", "851");
    links.insert("item", "VL-1007", "853");
    links.insert("customer", "q7x2v9@marketplace.example", "77");
    links
}

fn lines(mapped: &Value) -> Vec<(&str, String)> {
    let lines = mapped["item"]["items"].as_array().unwrap().iter();
    lines
        .map(|line| {
            (
                line["item"]["id"].as_str().unwrap(),
                line["amount"].to_string(),
            )
        })
        .collect()
}

#[test]
fn tax_as_amazon_took_it_is_a_line() {
    let mapped = section("amazon").apply(&order(), &links()).unwrap();
    let wanted: Value = serde_json::from_str(
        r#"{
        "entity": {"id": "410"}, "currency": {"id": "1"}, "location": {"id": "2"},
        "otherRefNum": "701-5550123-9012345", "tranDate": "2026-11-20",
        "item": {"items": [
            {"item": {"id": "851"}, "quantity": 2, "amount": 49.80, "description": "Copper Pump 1042"},
            {"item": {"id": "853"}, "quantity": 1, "amount": 12.00, "description": "Steel Valve 1007"},
            {"item": {"id": "900"}, "amount": 5.99, "description": "STANDARD 60231187745501"},
            {"item": {"id": "900"}, "amount": 2.99, "description": "STANDARD 60231187745502"},
            {"item": {"id": "901"}, "amount": 3.50},
            {"item": {"id": "902"}, "amount": -5.00},
            {"item": {"id": "902"}, "amount": -2.99},
            {"item": {"id": "903"}, "amount": 4.74},
            {"item": {"id": "903"}, "amount": 1.20}
        ]}}"#,
    )
    .unwrap();
    assert_eq!(mapped.to_string(), wanted.to_string());
    assert_eq!(fingerprint(&mapped), fingerprint(&wanted));
    assert_eq!(diff(&mapped, &wanted), []);
}

#[test]
fn tax_that_netsuite_reckons_is_no_line_and_no_part_of_the_total() {
    let mapped = section("netsuite").apply(&order(), &links()).unwrap();
    assert_eq!(
        lines(&mapped),
        [
            ("851", "49.80".to_owned()),
            ("853", "12.00".to_owned()),
            ("900", "5.99".to_owned()),
            ("900", "2.99".to_owned()),
            ("901", "3.50".to_owned()),
            ("902", "-5.00".to_owned()),
            ("902", "-2.99".to_owned()),
        ]
    );
}

#[test]
fn a_cent_off_is_off() {
    for (tax, given, wanted) in [
        ("amazon", "72.23", "proceeds.grandTotal.amount is 72.24"),
        (
            "netsuite",
            "66.29",
            "proceeds.grandTotal.amount + proceeds.breakdowns[type=TAX].subtotal.amount is 66.30",
        ),
    ] {
        let mut body = order();
        body["proceeds"]["grandTotal"]["amount"] = json!("72.24");
        let section = section(tax);
        let fault = section.apply(&body, &links()).unwrap_err();
        assert_eq!(fault.code, code::TOTAL_DIFFERS);
        assert_eq!(fault.action, Action::DeadLetter);
        let words = format!("adds up to {given}, but {wanted}; the difference is -0.01");
        assert_eq!(
            fault.message,
            format!("section `order`: item.items.amount {words}")
        );
        assert_eq!(fault.fields[0].path, "item.items.amount");
        assert_eq!(fault.fields[0].reason, words);
        // Told before anything is looked up.
        assert_eq!(section.references(&body).unwrap_err(), fault);
    }
}

#[test]
fn money_without_a_line_is_found_out() {
    let mut body = order();
    let tip = json!({ "type": "COD_FEE", "subtotal": { "amount": "4.00", "currencyCode": "USD" } });
    let item = &mut body["orderItems"][0]["proceeds"]["breakdowns"];
    item.as_array_mut().unwrap().push(tip);
    body["proceeds"]["grandTotal"]["amount"] = json!("76.23");
    let fault = section("amazon").apply(&body, &links()).unwrap_err();
    assert_eq!(fault.code, code::TOTAL_DIFFERS);
    assert!(
        fault.message.ends_with("the difference is -4.00"),
        "{fault}"
    );
}

#[test]
fn the_same_kind_twice_is_never_the_first_of_both() {
    let mut body = order();
    let more =
        json!({ "type": "SHIPPING", "subtotal": { "amount": "1.00", "currencyCode": "USD" } });
    let item = &mut body["orderItems"][1]["proceeds"]["breakdowns"];
    item.as_array_mut().unwrap().push(more);
    let fault = section("amazon").apply(&body, &links()).unwrap_err();
    assert_eq!(fault.code, code::MAPPING_FIELDS);
    assert_eq!(fault.fields.len(), 1);
    assert_eq!(fault.fields[0].path, "item.items[1]");
    assert_eq!(
        fault.fields[0].reason,
        "orderItems[1].proceeds.breakdowns[type=SHIPPING] can't be told: \
         [type=SHIPPING] picks several objects, not one"
    );
}

#[test]
fn what_is_missing_is_named_with_its_place() {
    let mut body = order();
    body["orderItems"][1]["proceeds"]["breakdowns"][0]["subtotal"]["amount"] = json!("1e1");
    body["orderItems"][0]["proceeds"] = Value::Null;
    body["proceeds"] = json!({});
    let fault = section("amazon").references(&body).unwrap_err();
    let said: Vec<String> = fault
        .fields
        .iter()
        .map(|field| format!("{}: {}", field.path, field.reason))
        .collect();
    assert_eq!(
        said,
        [
            "currency.id: proceeds.grandTotal.currencyCode is missing",
            "item.items[0].amount: orderItems[0].proceeds.breakdowns[type=ITEM].subtotal.amount is missing",
            "item.items[1].amount: orderItems[1].proceeds.breakdowns[type=ITEM].subtotal.amount is not a number",
            "total: proceeds.grandTotal.amount is missing",
        ]
    );
}

#[test]
fn a_company_is_a_customer_of_its_own() {
    let mut body = order();
    body["buyer"]["buyerCompanyName"] = json!("Okafor Plumbing");
    let section = section("amazon");
    let mapped = section.apply(&body, &links()).unwrap();
    assert_eq!(mapped["entity"], json!({ "id": "77" }));
    let references = section.references(&body).unwrap();
    let names: Vec<_> = references
        .iter()
        .map(|reference| (reference.link.as_str(), reference.id.as_str()))
        .collect();
    let customer = ("customer", "q7x2v9@marketplace.example");
    assert_eq!(names, [customer, ("item", "PM-1042"), ("item", "VL-1007")]);
    assert_eq!(section.links(), ["customer", "item"]);
}

#[test]
fn which_orders() {
    let section = section("amazon");
    for (by, status, wanted) in [
        (json!("MERCHANT"), "UNSHIPPED", true),
        (json!("AMAZON"), "SHIPPED", true),
        (json!("MERCHANT"), "SHIPPED", false),
        (json!("AMAZON"), "UNSHIPPED", false),
        (Value::Null, "SHIPPED", false),
    ] {
        let body = json!({ "fulfillment": { "fulfilledBy": by, "fulfillmentStatus": status } });
        assert_eq!(section.in_scope(&body), Ok(wanted), "{by} {status}");
    }
}

#[test]
fn the_selection_says_which_data_is_read() {
    let section = section("netsuite");
    let selection = section.selection();
    let fields: Vec<&str> = selection.fields.iter().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "buyer.buyerCompanyName",
            "buyer.buyerEmail",
            "createdTime",
            "fulfillment.fulfilledBy",
            "fulfillment.fulfillmentServiceLevel",
            "fulfillment.fulfillmentStatus",
            "orderId",
            "proceeds.grandTotal.amount",
            "proceeds.grandTotal.currencyCode",
            "salesChannel.marketplaceId",
        ]
    );
    let lists: Vec<(&str, Vec<&str>)> = selection
        .lists
        .iter()
        .map(|(list, fields)| (list.as_str(), fields.iter().map(String::as_str).collect()))
        .collect();
    let items = vec![
        "orderItemId",
        "proceeds.breakdowns",
        "product.sellerSku",
        "product.title",
        "quantityOrdered",
    ];
    let kinds = vec!["subtotal.amount", "type"];
    assert_eq!(
        lists,
        [("orderItems", items), ("proceeds.breakdowns", kinds)]
    );
    let inputs = section.inputs(&order());
    for (place, value) in [
        (
            "/orderItems/0/proceeds/breakdowns/4/subtotal/amount",
            json!("5.01"),
        ),
        ("/proceeds/breakdowns/3/subtotal/amount", json!("5.95")),
        ("/proceeds/breakdowns/3/type", json!("OTHER")),
        ("/proceeds/breakdowns", Value::Null),
    ] {
        let mut changed = order();
        *changed.pointer_mut(place).unwrap() = value;
        assert_ne!(section.inputs(&changed), inputs, "{place}");
    }
    let mut changed = order();
    changed["lastUpdatedTime"] = json!("2026-11-22T00:00:00Z");
    changed["orderItems"][0]["product"]["asin"] = json!("B0SLUICE09");
    assert_eq!(section.inputs(&changed), inputs);
}
