//! What an order shows, and when.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{Desk, ORDERS, ids};

/// What was bought in the last day, in every detail.
const ALL: &str = "lastUpdatedAfter=2026-04-30T08:00:00Z&includedData=BUYER,RECIPIENT,PROCEEDS,EXPENSE,\
                   PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT,FULFILLMENT_ORDERS";

fn gift() -> Json {
    json!({
        "marketplace": "US", "fulfilledBy": "MERCHANT", "paid": true, "sellerOrderId": "S-1",
        "items": [{
            "sku": "BX-1", "title": "Box", "quantity": 2, "unitPrice": "12.50", "shipping": "4.99",
            "giftWrap": "3.98", "giftMessage": "For you", "itemDiscount": "2.50",
            "shippingDiscount": "4.99", "promotionId": "SPRING",
        }],
    })
}

#[test]
fn only_the_parts_asked_for_are_shown() {
    let mut desk = Desk::new();
    desk.place(gift());
    desk.wait(120);
    let bare = &desk.search("createdAfter=2026-04-30T08:00:00Z")["orders"][0];
    for part in [
        "buyer",
        "recipient",
        "proceeds",
        "fulfillment",
        "payment",
        "packages",
    ] {
        assert!(bare.get(part).is_none(), "{part}");
        assert!(bare["orderItems"][0].get(part).is_none(), "{part}");
    }
    assert_eq!(bare["orderItems"][0]["product"]["sellerSku"], "BX-1");
    let full = &desk.search(ALL)["orders"][0];
    for part in ["buyer", "recipient", "proceeds", "fulfillment", "payment"] {
        assert!(full.get(part).is_some(), "{part}");
    }
    let option = &full["orderItems"][0]["fulfillment"]["packing"]["giftOption"];
    assert_eq!(option["giftMessage"], "For you");
    let plain = desk.search("createdAfter=2026-04-30T08:00:00Z&includedData=FULFILLMENT");
    let option = &plain["orders"][0]["orderItems"][0]["fulfillment"]["packing"]["giftOption"];
    assert!(option["giftMessage"] == "For you" && option["giftWrapLevel"].is_string());
}

#[test]
fn breakdowns_add_up_to_the_cent() {
    let mut desk = Desk::new();
    let id = desk.place(gift());
    let path = format!("{ORDERS}/{id}?includedData=PROCEEDS,PROMOTION");
    let order = desk.get(&path).1["order"].clone();
    let usd = |amount: &str| json!({"amount": amount, "currencyCode": "USD"});
    // 8.2 percent of 22.50, of nothing, and of 3.98.
    assert_eq!(
        order["orderItems"][0]["proceeds"],
        json!({
            "proceedsTotal": usd("28.66"),
            "breakdowns": [
                {"type": "ITEM", "subtotal": usd("25.00")},
                {"type": "SHIPPING", "subtotal": usd("4.99")},
                {"type": "GIFT_WRAP", "subtotal": usd("3.98")},
                {"type": "DISCOUNT", "subtotal": usd("-7.49"), "detailedBreakdowns": [
                    {"subtype": "ITEM", "value": usd("-2.50")},
                    {"subtype": "SHIPPING", "value": usd("-4.99")},
                ]},
                {"type": "TAX", "subtotal": usd("2.18"), "detailedBreakdowns": [
                    {"subtype": "ITEM", "value": usd("1.85")},
                    {"subtype": "GIFT_WRAP", "value": usd("0.33")},
                ]},
            ],
        })
    );
    assert_eq!(order["proceeds"]["grandTotal"], usd("28.66"));
    desk.set("discounts_positive", json!(true));
    let order = &desk.get(&path).1["order"];
    assert_eq!(order["proceeds"]["breakdowns"][3]["subtotal"], usd("7.49"));
}

#[test]
fn yen_have_no_cents() {
    let mut desk = Desk::new();
    let order = json!({
        "marketplace": "JP", "fulfilledBy": "AMAZON", "paid": true,
        "items": [{"sku": "BX-1", "quantity": 3, "unitPrice": "1980"}],
    });
    desk.place(order.clone());
    let held = crate::Vendor::records(&desk.amazon, "Order").unwrap();
    assert_eq!(
        held[0]["proceeds"]["grandTotal"],
        json!({"amount": "5940", "currencyCode": "JPY"})
    );
    assert_eq!(held[0]["buyer"].get("buyerEmail"), None);
    let mut odd = order;
    odd["items"][0]["unitPrice"] = "19.80".into();
    assert!(crate::Vendor::create(&mut desk.amazon, "Order", odd, desk.now).is_err());
}

#[test]
fn an_order_is_shown_otherwise_than_it_is() {
    let mut desk = Desk::new();
    let id = desk.place(gift());
    let path = format!("{ORDERS}/{id}?includedData=PROCEEDS");
    let order = desk.get(&path).1["order"].clone();
    desk.wait(5);
    let patch = json!({"orderItems": [], "proceeds": {"grandTotal": {"currencyCode": "XXX"}}});
    desk.set("distort", json!({"orderId": id, "shown": patch}));
    let shown = desk.get(&path).1["order"].clone();
    assert_eq!(shown["orderItems"], json!([]));
    let total = &shown["proceeds"]["grandTotal"];
    let amount = &order["proceeds"]["grandTotal"]["amount"];
    assert_eq!(*total, json!({"amount": amount, "currencyCode": "XXX"}));
    assert_ne!(
        shown["lastUpdatedTime"], order["lastUpdatedTime"],
        "it is news"
    );
    desk.set("distort", json!({"orderId": id, "shown": null}));
    assert_eq!(
        desk.get(&path).1["order"]["orderItems"],
        order["orderItems"]
    );
}

#[test]
fn an_order_goes_its_way() {
    let mut desk = Desk::new();
    let id = desk.sell();
    let show = |desk: &mut Desk| {
        desk.get(&format!("{ORDERS}/{id}?includedData=FULFILLMENT,PACKAGES"))
            .1
    };
    let before = show(&mut desk)["order"].clone();
    assert_eq!(before["fulfillment"]["fulfillmentStatus"], "UNSHIPPED");
    let item = before["orderItems"][0]["orderItemId"]
        .as_str()
        .unwrap()
        .to_owned();
    desk.wait(60);
    desk.do_to(
        &id,
        json!({"do": "ship", "quantities": {item.as_str(): 1}, "trackingNumber": "T-1"}),
    );
    let partly = show(&mut desk)["order"].clone();
    assert_eq!(
        partly["fulfillment"]["fulfillmentStatus"],
        "PARTIALLY_SHIPPED"
    );
    assert_eq!(partly["packages"][0]["trackingNumber"], "T-1");
    assert_eq!(
        partly["orderItems"][0]["fulfillment"]["quantityUnfulfilled"],
        1
    );
    assert!(partly["lastUpdatedTime"].as_str() > before["lastUpdatedTime"].as_str());
    desk.do_to(&id, json!({"do": "ship"}));
    let sent = show(&mut desk)["order"].clone();
    assert_eq!(sent["fulfillment"]["fulfillmentStatus"], "SHIPPED");
    assert_eq!(sent["packages"].as_array().unwrap().len(), 2);
    for deed in [
        json!({"do": "ship"}),
        json!({"do": "cancel"}),
        json!({"do": "pay"}),
    ] {
        assert!(crate::Vendor::edit(&mut desk.amazon, "Order", &id, deed, desk.now).is_err());
    }
}

#[test]
fn a_cancelled_order_brings_in_nothing() {
    let mut desk = Desk::new();
    let id = desk.sell();
    desk.do_to(&id, json!({"do": "request_cancel"}));
    let asked = desk
        .get(&format!("{ORDERS}/{id}?includedData=CANCELLATION"))
        .1;
    let request = &asked["order"]["orderItems"][0]["cancellation"]["cancellationRequest"];
    assert_eq!(request["requester"], "BUYER");
    let held = desk.do_to(&id, json!({"do": "cancel", "by": "MERCHANT"}));
    assert_eq!(held["fulfillment"]["fulfillmentStatus"], "CANCELLED");
    assert!(held.get("proceeds").is_none());
    let done = &held["orderItems"][0]["cancellation"]["cancellationExecution"];
    assert_eq!(done["cancelledBy"], "MERCHANT");
}

#[test]
fn searches_filter() {
    let mut desk = Desk::stocked(80);
    let all = ids(&desk.search("createdAfter=2026-04-01"));
    let mut sum = 0;
    for (filter, part, member, value) in [
        (
            "fulfilledBy=MERCHANT",
            "fulfillment",
            "fulfilledBy",
            "MERCHANT",
        ),
        ("fulfilledBy=AMAZON", "fulfillment", "fulfilledBy", "AMAZON"),
        (
            "fulfillmentStatuses=SHIPPED",
            "fulfillment",
            "fulfillmentStatus",
            "SHIPPED",
        ),
        (
            "marketplaceIds=A2EUQ1WTGCTBG2",
            "salesChannel",
            "marketplaceName",
            "Amazon.ca",
        ),
    ] {
        let query = format!("createdAfter=2026-04-01&includedData=FULFILLMENT&{filter}");
        let found = desk.search(&query);
        let orders = found["orders"].as_array().unwrap();
        assert!(!orders.is_empty() && orders.len() < all.len(), "{filter}");
        assert!(
            orders.iter().all(|order| order[part][member] == value),
            "{filter}"
        );
        if filter.starts_with("fulfilledBy") {
            sum += orders.len();
        }
    }
    assert_eq!(sum, all.len());
}

#[test]
fn parameters_are_checked() {
    let mut desk = Desk::new();
    for (query, part) in [
        ("", "must be given"),
        ("createdBefore=2026-04-01", "must be given"),
        (
            "createdAfter=2026-04-01&lastUpdatedAfter=2026-04-01",
            "together",
        ),
        (
            "createdAfter=2026-04-01&lastUpdatedBefore=2026-04-02",
            "together",
        ),
        ("createdAfter=yesterday", "ISO 8601"),
        (
            "createdAfter=2026-04-02&createdBefore=2026-04-01",
            "earlier",
        ),
        (
            "lastUpdatedAfter=2026-04-01&lastUpdatedBefore=2026-05-01T07:58:01Z",
            "two minutes",
        ),
        (
            "createdAfter=2026-04-01&maxResultsPerPage=0",
            "from 1 to 100",
        ),
        (
            "createdAfter=2026-04-01&maxResultsPerPage=101",
            "from 1 to 100",
        ),
        (
            "createdAfter=2026-04-01&includedData=EVERYTHING",
            "includedData",
        ),
        (
            "createdAfter=2026-04-01&fulfillmentStatuses=Shipped",
            "fulfillmentStatuses",
        ),
        ("createdAfter=2026-04-01&fulfilledBy=MFN", "fulfilledBy"),
        ("createdAfter=2026-04-01&marketplaceIds=US", "marketplace"),
        (
            "createdAfter=2026-04-01&paginationToken=made-up",
            "not valid",
        ),
    ] {
        let details = desk.refused(query);
        assert!(details.contains(part), "{query}: {details}");
    }
    desk.search("lastUpdatedAfter=2026-04-01&lastUpdatedBefore=2026-05-01T07:58:00Z");
    assert_eq!(
        desk.get(&format!("{ORDERS}/1-2-3")).0,
        StatusCode::BAD_REQUEST
    );
}

#[test]
fn a_search_reaches_to_two_minutes_ago_and_lags_where_told_so() {
    let mut desk = Desk::new();
    desk.set("search_lag_s", json!(300));
    let id = desk.sell();
    let since = "lastUpdatedAfter=2026-05-01T08:00:00Z&includedData=FULFILLMENT";
    desk.wait(299);
    let found = desk.search(since);
    assert_eq!(ids(&found).len(), 0);
    assert_eq!(found["lastUpdatedBefore"], "2026-05-01T08:02:59Z");
    assert_eq!(desk.get(&format!("{ORDERS}/{id}")).0, StatusCode::OK);
    desk.wait(1);
    assert_eq!(ids(&desk.search(since)), [id.as_str()]);
    // A later change hides nothing: the search shows how the order was.
    desk.do_to(&id, json!({"do": "ship"}));
    desk.wait(299);
    let found = desk.search(since);
    assert_eq!(
        found["orders"][0]["fulfillment"]["fulfillmentStatus"],
        "UNSHIPPED"
    );
    desk.wait(1);
    let found = desk.search(since);
    assert_eq!(
        found["orders"][0]["fulfillment"]["fulfillmentStatus"],
        "SHIPPED"
    );
}

#[test]
fn one_order_may_lag_behind_its_notification() {
    let mut desk = Desk::new();
    desk.set("read_lag_s", json!(30));
    let id = desk.sell();
    let path = format!("{ORDERS}/{id}?includedData=FULFILLMENT");
    assert_eq!(desk.get(&path).0, StatusCode::NOT_FOUND);
    desk.wait(30);
    desk.do_to(&id, json!({"do": "ship"}));
    let status =
        |desk: &mut Desk| desk.get(&path).1["order"]["fulfillment"]["fulfillmentStatus"].clone();
    assert_eq!(status(&mut desk), "UNSHIPPED");
    desk.wait(30);
    assert_eq!(status(&mut desk), "SHIPPED");
}
