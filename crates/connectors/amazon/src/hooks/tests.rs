use serde_json::{Value, json};
use sluice_core::{Hint, Hook};

use super::*;
use crate::order::KIND;
use crate::script::{SELLER, answering, run, shared};

pub const ID: &str = "903-8868176-2219830";

/// A notification as it is published.
pub fn notification() -> Value {
    json!({
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": "2027-01-15T08:00:00Z",
        "Payload": {"OrderChangeNotification": {
            "NotificationLevel": "OrderLevel",
            "SellerId": SELLER,
            "AmazonOrderId": ID,
            "OrderChangeTrigger": {"TimeOfOrderChange": "2027-01-15T07:59:59Z", "ChangeReason": "x"},
            "Summary": {"OrderStatus": "Unshipped"},
        }},
        "NotificationMetadata": {"NotificationId": "n"},
    })
}

/// The same with keys that begin with small letters.
pub fn small(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| {
                let (first, rest) = name.split_at(1);
                (format!("{}{rest}", first.to_lowercase()), small(field))
            })
            .collect(),
        other => other.clone(),
    }
}

pub fn hint() -> Hint {
    Hint {
        id: KIND.id(ID),
        version: None,
    }
}

fn deliver(body: &[u8], headers: &[(&str, &str)], rest: &str) -> Result<Vec<Hint>, u16> {
    let script = answering(vec![]);
    let mut request = http::Request::post("/hooks/f/eventbridge");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body)).unwrap();
    let ports = script.ports();
    EventBridge.check(&ports).unwrap();
    run(EventBridge.verify(&ports, rest, &request)).map_err(|refused| refused.status)
}

const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
const KEY: (&str, &str) = ("x-api-key", "an api key");

fn post(body: &Value) -> Result<Vec<Hint>, u16> {
    deliver(body.to_string().as_bytes(), &[JSON, KEY], "")
}

#[test]
fn an_event_or_its_detail_hints_at_an_order_in_either_case_of_keys() {
    for body in [notification(), small(&notification())] {
        assert_eq!(post(&body), Ok(vec![hint()]));
        let event = json!({"version": "0", "detail-type": "ORDER_CHANGE", "detail": body});
        assert_eq!(post(&event), Ok(vec![hint()]));
    }
    assert_eq!(EventBridge.acknowledge().status(), 202);
}

#[test]
fn without_the_key_nothing_is_told() {
    let good = notification().to_string();
    for headers in [
        &[JSON][..],
        &[JSON, ("x-api-key", "another")],
        &[JSON, ("x-api-key", "")],
        &[JSON, KEY, KEY],
        &[JSON, ("authorization", "an api key")],
    ] {
        assert_eq!(
            deliver(good.as_bytes(), headers, ""),
            Err(401),
            "{headers:?}"
        );
        assert_eq!(deliver(b"{", headers, ""), Err(401), "{headers:?}");
    }
    assert_eq!(deliver(good.as_bytes(), &[JSON, KEY], "/x"), Err(404));
}

#[test]
fn what_is_no_orders_notification_is_refused() {
    let good = notification().to_string();
    assert_eq!(deliver(good.as_bytes(), &[KEY], ""), Err(415));
    assert_eq!(
        deliver(good.as_bytes(), &[KEY, ("content-type", "text/plain")], ""),
        Err(415)
    );
    assert_eq!(
        deliver(&vec![b' '; (256 << 10) + 1], &[JSON, KEY], ""),
        Err(413)
    );
    for body in [&b""[..], b"{", b"[]", b"null", b"{\"detail\":1}", b"\xff"] {
        assert_eq!(deliver(body, &[JSON, KEY], ""), Err(400));
    }
    let with = |path: &str, value: Value| {
        let mut body = notification();
        *body.pointer_mut(path).unwrap() = value;
        post(&body)
    };
    assert_eq!(with("/NotificationType", json!("FEE_PROMOTION")), Err(400));
    assert_eq!(with("/Payload", json!({})), Err(400));
    let change = "/Payload/OrderChangeNotification";
    assert_eq!(
        with(&format!("{change}/SellerId"), json!("A0OTHER")),
        Err(403)
    );
    assert_eq!(with(&format!("{change}/SellerId"), json!(null)), Err(400));
    assert_eq!(
        with(&format!("{change}/AmazonOrderId"), json!("903")),
        Err(400)
    );
}

#[test]
fn the_published_example_is_read() {
    let Some(text) = shared("samples/amazon-sp-api/notifications/OrderChangeNotification.json")
    else {
        return;
    };
    assert_eq!(deliver(text.as_bytes(), &[JSON, KEY], ""), Ok(vec![hint()]));
    let body = small(&serde_json::from_str(&text).unwrap());
    assert_eq!(post(&body), Ok(vec![hint()]));
}

#[test]
fn other_published_notifications_are_refused_without_harm() {
    for name in [
        "FeePromotionNotification",
        "ReportProcessingFinishedNotification",
    ] {
        let path = format!("samples/amazon-sp-api/notifications/{name}.json");
        let Some(text) = shared(&path) else { return };
        assert_eq!(
            deliver(text.as_bytes(), &[JSON, KEY], ""),
            Err(400),
            "{name}"
        );
    }
}
