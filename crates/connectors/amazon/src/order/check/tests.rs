use serde_json::json;

use super::*;
use crate::script::order;

fn told(order: &Value) -> Vec<String> {
    let bad = bad_fields(order);
    bad.iter()
        .map(|field| format!("{} {}", field.path, field.reason))
        .collect()
}

fn good() -> Value {
    order("902-3159896-1390916", "2026-11-20T10:00:00Z")
}

#[test]
fn a_good_order_is_good() {
    assert!(told(&good()).is_empty());
    let mut order = good();
    order["orderItems"][0]["quantityOrdered"] = json!(0);
    order["proceeds"] = json!({"grandTotal": {"amount": "-3.10", "currencyCode": "USD"}});
    assert!(told(&order).is_empty(), "cancelled, and a refund");
}

#[test]
fn each_fault_is_named_with_its_place() {
    let mut order = good();
    order["orderItems"] = json!([]);
    assert_eq!(told(&order), ["orderItems holds no line"]);
    let mut order = good();
    let item = &mut order["orderItems"][0];
    item["quantityOrdered"] = json!(-2);
    item["product"]["price"]["unitPrice"] = json!({"amount": "1,50", "currencyCode": "XXZ"});
    item["fulfillment"] = json!({"quantityFulfilled": 1.5, "quantityUnfulfilled": "1"});
    item["orderItemId"] = json!("");
    order["salesChannel"] = json!({});
    order["createdTime"] = json!("yesterday");
    let mut got = told(&order);
    got.sort();
    assert_eq!(
        got,
        [
            "createdTime is missing or no time",
            "orderItems[0].fulfillment.quantityFulfilled is no whole number",
            "orderItems[0].fulfillment.quantityUnfulfilled is no whole number",
            "orderItems[0].orderItemId is missing or no text",
            "orderItems[0].product.price.unitPrice.amount is no exact number",
            "orderItems[0].product.price.unitPrice.currencyCode is no currency of a marketplace",
            "orderItems[0].quantityOrdered is negative",
            "salesChannel.channelName is missing or no text",
        ]
    );
    let all = told(&json!({}));
    assert_eq!(all.len(), 5, "{all:?}");
}

#[test]
fn an_order_has_one_currency() {
    let price = "orderItems[0].product.price.unitPrice.currencyCode";
    let mut order = good();
    order["proceeds"] = json!({"grandTotal": {"amount": "25.00", "currencyCode": "EUR"}});
    let strange = format!("{price} is another currency than the order's, EUR");
    assert_eq!(told(&order), [strange]);

    // Without a grand total they agree among themselves.
    let mut order = good();
    let item = &mut order["orderItems"][0];
    item["proceeds"] = json!({"proceedsTotal": {"amount": "25.00", "currencyCode": "EUR"}});
    let bad = told(&order);
    assert_eq!(bad.len(), 1, "{bad:?}");
    assert!(bad[0].contains("is another currency than the order's"));
    order["orderItems"][0]["proceeds"]["proceedsTotal"]["currencyCode"] = json!("USD");
    assert!(told(&order).is_empty());

    // One that is none is told as such, and once.
    order["proceeds"] = json!({"grandTotal": {"amount": "25.00", "currencyCode": "XXZ"}});
    let path = "proceeds.grandTotal.currencyCode";
    assert_eq!(
        told(&order),
        [format!("{path} is no currency of a marketplace")]
    );
}
