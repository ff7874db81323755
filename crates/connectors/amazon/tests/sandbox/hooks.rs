//! What Amazon announces, by both ways.

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_core::{Hint, Hook, Ports, Source};

use super::wire::{URL, Wire, run};

const SNS_HOOK: &str = "http://sluice/hooks/f/sns";
const EVENT_HOOK: &str = "http://sluice/hooks/f/eventbridge";

fn verify(ports: &Ports, request: &Request<Bytes>) -> Result<Vec<Hint>, u16> {
    let path = request.uri().path().strip_prefix("/hooks/f/").unwrap();
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let hooks = amazon::orders().hooks();
    let hook: &dyn Hook = &**hooks.iter().find(|hook| hook.name() == name).unwrap();
    run(hook.verify(ports, rest, request)).map_err(|refused| refused.status)
}

fn order_of(hints: &[Hint]) -> &str {
    assert_eq!(hints.len(), 1);
    assert_eq!(hints[0].version, None);
    &hints[0].id.id
}

fn topic(wire: &Wire, confirmed: bool, version: u8) {
    let receiver = json!({"url": SNS_HOOK, "confirmed": confirmed, "signature_version": version});
    wire.set("topic", receiver);
}

/// The one request that Amazon sends now.
fn delivery(wire: &Wire) -> Request<Bytes> {
    let mut all = wire.deliveries();
    assert_eq!(all.len(), 1);
    all.remove(0).delivery.request
}

fn with_body(request: &Request<Bytes>, change: impl FnOnce(&mut Value)) -> Request<Bytes> {
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    change(&mut body);
    request.clone().map(|_| Bytes::from(body.to_string()))
}

#[test]
fn a_subscription_is_confirmed_and_its_messages_are_believed() {
    for version in [1, 2] {
        for camel_case in [false, true] {
            let wire = Wire::new();
            let ports = wire.ports();
            wire.set("notifications_camel_case", json!(camel_case));
            topic(&wire, false, version);
            wire.sell("US");
            let request = delivery(&wire);
            assert_eq!(
                request.headers()["x-amz-sns-message-type"],
                "SubscriptionConfirmation"
            );
            assert_eq!(verify(&ports, &request), Ok(Vec::new()));
            let id = wire.place(json!({
                "marketplace": "UK", "fulfilledBy": "AMAZON",
                "items": [{"sku": "PM-1042", "quantity": 1, "unitPrice": "9.99"}],
            }));
            let request = delivery(&wire);
            assert_eq!(order_of(&verify(&ports, &request).unwrap()), id);
            // Once more is once more the same.
            assert_eq!(order_of(&verify(&ports, &request).unwrap()), id);
            let asked = wire.asked();
            let certificates = asked.iter().filter(|entry| entry.path.ends_with(".pem"));
            assert_eq!(certificates.count(), 1, "it is kept");
        }
    }
}

#[test]
fn forged_messages_are_refused_and_nothing_is_fetched_for_those_of_others() {
    let wire = Wire::new();
    let ports = wire.ports();
    topic(&wire, true, 2);
    wire.sell("US");
    let good = wire.deliveries().pop().unwrap().delivery.request;
    type Forge = fn(&mut Value);
    let forgeries: [(&str, u16, Forge); 8] = [
        ("another topic", 403, |body| {
            body["TopicArn"] = json!("arn:aws:sns:us-east-1:999999999999:orders");
        }),
        ("a certificate from elsewhere", 401, |body| {
            body["SigningCertURL"] =
                json!("https://sns.evil.example/SimpleNotificationService-1.pem");
        }),
        ("a page of SNS that is no certificate", 401, |body| {
            body["SigningCertURL"] = json!(format!("{URL}/?Action=ConfirmSubscription&x=.pem"));
        }),
        ("another text", 401, |body| {
            let text = body["Message"]
                .as_str()
                .unwrap()
                .replace("ORDER_CHANGE", "ORDER_CHANGe");
            body["Message"] = json!(text);
        }),
        ("another time", 401, |body| {
            body["Timestamp"] = json!("2026-11-22T12:00:01.000Z");
        }),
        ("another kind of signature", 401, |body| {
            body["SignatureVersion"] = json!("1");
        }),
        ("no signature", 401, |body| body["Signature"] = json!("")),
        ("another certificate", 503, |body| {
            body["SigningCertURL"] = json!(format!("{URL}/SimpleNotificationService-0.pem"));
        }),
    ];
    for (what, status, forge) in forgeries {
        let before = wire.asked().len();
        let forged = with_body(&good, forge);
        let refused = verify(&ports, &forged);
        let fetched = wire.asked().len() - before;
        // Malformed and unsigned are the same to a forger.
        assert!(
            refused == Err(status) || (what == "no signature" && refused == Err(400)),
            "{what}: {refused:?}"
        );
        assert!(fetched <= 1 && (status != 403 || fetched == 0), "{what}");
    }
    assert!(verify(&ports, &good).is_ok());
}

#[test]
fn a_message_that_is_replayed_an_hour_later_is_too_old() {
    let wire = Wire::new();
    let ports = wire.ports();
    topic(&wire, true, 1);
    wire.sell("US");
    let request = wire.deliveries().pop().unwrap().delivery.request;
    wire.wait(SignedDuration::from_mins(59));
    assert!(verify(&ports, &request).is_ok());
    wire.wait(SignedDuration::from_mins(2));
    assert_eq!(verify(&ports, &request), Err(401));
}

#[test]
fn the_issuer_of_a_certificate_that_lies_alone_is_fetched_from_its_authority_once() {
    let fetched = |wire: &Wire| {
        let asked = wire.asked();
        let paths = asked.iter().map(|entry| entry.path.clone());
        let certificates = paths.filter(|path| path.ends_with(".pem") || path.ends_with(".cer"));
        certificates.count()
    };
    for (alone, count) in [(false, 1), (true, 2)] {
        let wire = Wire::new();
        let ports = wire.ports();
        wire.set("certificate_alone", json!(alone));
        topic(&wire, true, 2);
        let id = wire.sell("US");
        let request = wire.deliveries().pop().unwrap().delivery.request;
        for _ in 0..2 {
            assert_eq!(order_of(&verify(&ports, &request).unwrap()), id);
            assert_eq!(fetched(&wire), count, "alone: {alone}");
        }
    }
    // Out of reach is no forgery: SNS sends the message again.
    let wire = Wire::new();
    wire.set("certificate_alone", json!(true));
    wire.suffer(
        json!({"path": "/sandbox.cer", "times": 1, "what": {"refuse_with": {"status": 503}}}),
    );
    topic(&wire, true, 2);
    wire.sell("US");
    let request = wire.deliveries().pop().unwrap().delivery.request;
    let ports = wire.ports();
    assert_eq!(verify(&ports, &request), Err(503));
    assert!(verify(&ports, &request).is_ok());
}

#[test]
fn a_confirmation_that_leads_elsewhere_is_not_followed() {
    let wire = Wire::new();
    topic(&wire, false, 1);
    let request = delivery(&wire);
    // Signed by SNS, but of a topic that is not ours.
    let other = wire.ports_with(&[(
        "amazon_sns_topic",
        "arn:aws:sns:us-east-1:999999999999:orders",
    )]);
    assert_eq!(verify(&other, &request), Err(403));
    let forged = with_body(&request, |body| {
        body["SubscribeURL"] = json!("http://169.254.169.254/latest/meta-data");
    });
    assert_eq!(verify(&wire.ports(), &forged), Err(401));
    let confirmed = wire.asked();
    let mut confirmed = confirmed
        .iter()
        .filter(|entry| entry.path.contains("Confirm"));
    assert!(confirmed.next().is_none());
    assert_eq!(verify(&wire.ports(), &request), Ok(Vec::new()));
}

#[test]
fn messages_of_another_seller_or_by_nobody_we_trust_are_refused() {
    let wire = Wire::new();
    topic(&wire, true, 1);
    wire.sell("US");
    let request = wire.deliveries().pop().unwrap().delivery.request;
    let other = wire.ports_with(&[("amazon_seller_id", "A1OTHERSELLER")]);
    assert_eq!(verify(&other, &request), Err(403));
    let public = wire.ports_with(&[("amazon_sns_root_ca", "")]);
    assert_eq!(verify(&public, &request), Err(401));
    let unset = wire.ports_with(&[("amazon_sns_topic", "")]);
    assert_eq!(verify(&unset, &request), Err(503));
}

#[test]
fn events_come_with_the_key_in_either_case() {
    for camel_case in [false, true] {
        let wire = Wire::new();
        let ports = wire.ports();
        wire.set("notifications_camel_case", json!(camel_case));
        wire.set("api_destination", json!({"url": EVENT_HOOK}));
        let id = wire.place(json!({
            "marketplace": "JP", "fulfilledBy": "MERCHANT",
            "items": [{"sku": "PM-1042", "quantity": 1, "unitPrice": "980"}],
        }));
        let request = delivery(&wire);
        assert_eq!(order_of(&verify(&ports, &request).unwrap()), id);
        let detail = with_body(&request, |body| *body = body["detail"].take());
        assert_eq!(order_of(&verify(&ports, &detail).unwrap()), id);

        for (variable, value, status) in [
            ("amazon_notification_key", "another key", 401),
            ("amazon_notification_header", "x-other", 401),
            ("amazon_seller_id", "A1OTHERSELLER", 403),
            ("amazon_notification_key", "", 503),
        ] {
            let other = wire.ports_with(&[(variable, value)]);
            assert_eq!(verify(&other, &request), Err(status), "{variable}");
        }
        let mut keyless = request.clone();
        keyless.headers_mut().remove("x-api-key");
        assert_eq!(verify(&ports, &keyless), Err(401));
        let kind = with_body(&request, |body| {
            body["detail"] = json!({"NotificationType": "X"})
        });
        assert_eq!(verify(&ports, &kind), Err(400));
    }
}

#[test]
fn answers_are_those_that_end_a_delivery() {
    for hook in amazon::orders().hooks() {
        let status = hook.acknowledge().status();
        assert!([StatusCode::OK, StatusCode::ACCEPTED].contains(&status));
    }
}
