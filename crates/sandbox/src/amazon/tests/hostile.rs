//! Whatever comes in, something sensible goes out.

use bytes::Bytes;
use fastrand::Rng;
use http::{Method, Request};
use serde_json::{Value as Json, json};

use super::{Desk, read};
use crate::{
    amazon::{Amazon, Settings},
    vendor::Vendor,
};

const PATHS: &[&str] = &[
    "/",
    "/auth/o2/token",
    "/na/orders/2026-01-01/orders",
    "/orders/2026-01-01/orders",
    "/orders/2026-01-01/orders/",
    "/orders/2026-01-01/orders/111-1111111-1111111",
    "/orders/2026-01-01/orders/%00/x",
    "/orders/v0/orders",
    "/reports/2021-06-30/reports",
    "/reports/2021-06-30/reports/1",
    "/reports/2021-06-30/documents/x",
    "/documents/x",
    "/notifications/v1/destinations",
    "/notifications/v1/destinations/x",
    "/notifications/v1/subscriptions/ORDER_CHANGE",
    "/notifications/v1/subscriptions/ANY/x",
    "/sandbox/root-ca.pem",
];
const QUERIES: &[&str] = &[
    "",
    "?",
    "?&&=&",
    "?createdAfter=9999-12-31T23:59:59Z&createdBefore=-009999-01-01T00:00:00Z",
    "?createdAfter=2026-01-01&maxResultsPerPage=99999999999999999999",
    "?lastUpdatedAfter=%ff%fe&paginationToken=%00",
    "?createdAfter=2026-01-01&paginationToken=MTowOjA6MDAwMDAwMDAwMDAwMDAwMA",
    "?reportTypes=A,B,C&nextToken=00",
    "?nextToken=zz",
    "?Action=ConfirmSubscription&Token=&TopicArn=",
    "?X-Amz-Signature=&X-Amz-Date=99999999T999999Z&X-Amz-Expires=-1",
];
const BODIES: &[&str] = &[
    "",
    "null",
    "{}",
    "[[[[[[",
    "grant_type=refresh_token&client_id=%ff",
    "{\"grant_type\": 7}",
    "{\"reportType\": \"GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL\", \"marketplaceIds\": []}",
    "{\"payloadVersion\": \"1.0\", \"destinationId\": \"x\", \"processingDirective\": 3}",
    "{\"name\": \"\", \"resourceSpecification\": {\"sqs\": {\"arn\": \"\"}}}",
];

#[test]
fn nothing_makes_it_panic_or_speak_in_tongues() {
    let mut rng = Rng::with_seed(1);
    let mut desk = Desk::stocked(10);
    let seller = desk.token.clone();
    desk.log_in_grantless();
    let tokens = [
        seller,
        desk.token.clone(),
        String::new(),
        "\u{7f}".to_owned(),
    ];
    let methods = [
        Method::GET,
        Method::POST,
        Method::DELETE,
        Method::PUT,
        Method::OPTIONS,
    ];
    for path in PATHS {
        for query in QUERIES {
            for method in &methods {
                let body = BODIES[rng.usize(0..BODIES.len())];
                let kind = ["application/json", "application/x-www-form-urlencoded", "%"];
                let request = Request::builder()
                    .method(method)
                    .uri(format!("{path}{query}"))
                    .header("x-amz-access-token", tokens[rng.usize(0..3)].as_str())
                    .header("content-type", kind[rng.usize(0..3)])
                    .body(Bytes::from_static(body.as_bytes()))
                    .unwrap();
                let response = desk.send(&request);
                let (status, answer) = read(&response);
                assert!(
                    !status.is_server_error(),
                    "{method} {path}{query}: {status}"
                );
                let is_error =
                    answer["errors"][0]["code"].is_string() || answer["error"].is_string();
                let is_page = response.body().starts_with(b"<");
                assert!(
                    status.is_success() || is_error || is_page,
                    "{method} {path}{query}"
                );
            }
        }
    }
}

#[test]
fn what_admins_ask_in_error_is_refused() {
    let mut desk = Desk::new();
    let id = desk.sell();
    let item = |change: Json| {
        let mut item = json!({"sku": "A", "quantity": 1, "unitPrice": "1.00"});
        for (name, value) in change.as_object().unwrap() {
            item[name] = value.clone();
        }
        json!({"marketplace": "US", "fulfilledBy": "MERCHANT", "items": [item]})
    };
    for order in [
        json!({}),
        json!({"marketplace": "CN", "fulfilledBy": "MERCHANT", "items": []}),
        json!({"marketplace": "US", "fulfilledBy": "NOBODY", "items": []}),
        json!({"marketplace": "US", "fulfilledBy": "AMAZON", "items": []}),
        item(json!({"quantity": 0})),
        item(json!({"quantity": 4_000_000_000_u32})),
        item(json!({"unitPrice": "1.001"})),
        item(json!({"unitPrice": "-1"})),
        item(json!({"unitPrice": "92233720368547758.07"})),
        item(json!({"unitPrice": "79228162514264337593543950335"})),
        item(json!({"itemDiscount": "1.01"})),
        item(json!({"colour": "red"})),
    ] {
        assert!(
            desk.amazon
                .create("Order", order.clone(), desk.now)
                .is_err(),
            "{order}"
        );
    }
    for deed in [
        json!({}),
        json!({"do": "burn"}),
        json!({"do": "ship", "quantities": {"none": 1}}),
        json!({"do": "ship", "units": 0}),
        json!({"do": "cancel", "by": "GHOST"}),
        json!({"do": "pay"}),
        json!({"do": "pay", "announced": "loudly"}),
    ] {
        assert!(
            desk.amazon
                .edit("Order", &id, deed.clone(), desk.now)
                .is_err(),
            "{deed}"
        );
    }
    for (setting, value) in [
        ("rate_factor", json!("fast")),
        ("orders_missing_percent", json!(101)),
        ("topic", json!({"url": "http://127.0.0.1:1/"})),
        ("topic", json!({"url": "nowhere"})),
        ("api_destination", json!({"url": "ftp://127.0.0.1/"})),
        (
            "api_destination",
            json!({"url": "http://127.0.0.1:1/", "header": "two words"}),
        ),
        ("weather", json!("fine")),
    ] {
        assert!(
            desk.amazon
                .configure(setting, value.clone(), desk.now)
                .is_err(),
            "{setting} {value}"
        );
    }
    assert!(desk.amazon.records("Nothing").is_none());
    assert!(
        desk.amazon
            .edit("Order", "none", json!({"do": "pay"}), desk.now)
            .is_err()
    );
    assert!(desk.amazon.remove("Order", &id, desk.now).is_err());
}

#[test]
fn one_seed_one_amazon() {
    let told = |seed| {
        let mut amazon = Amazon::new(seed, Settings::new(seed));
        let now = "2026-05-01T08:00:00Z".parse().unwrap();
        amazon
            .stock(&crate::seed::Catalogue::new(seed), 50, now)
            .unwrap();
        format!("{:?}", amazon.records("Order").unwrap())
    };
    assert_eq!(told(3), told(3));
    assert_ne!(told(3), told(4));
}
