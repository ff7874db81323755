//! Destinations, subscriptions, and what arrives at receivers.

use std::sync::OnceLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use rsa::Pkcs1v15Sign;
use serde_json::{Value as Json, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{Desk, read};
use crate::{
    Delivery,
    amazon::{Authority, Region},
    vendor::Vendor,
};

const DESTINATIONS: &str = "/notifications/v1/destinations";
const SUBSCRIPTIONS: &str = "/notifications/v1/subscriptions/ORDER_CHANGE";

fn authority() -> Authority {
    static MADE: OnceLock<Authority> = OnceLock::new();
    let now = "2026-05-01T00:00:00Z".parse().unwrap();
    MADE.get_or_init(|| Authority::sized(1, 1024, now).unwrap())
        .clone()
}

impl Desk {
    fn with_authority() -> Self {
        Self::with(|settings| {
            settings.rate_factor = None;
            settings.authority = Some(authority());
        })
    }

    pub(super) fn log_in_grantless(&mut self) {
        let known = self.amazon.settings().credentials.clone();
        let (_, body) = self.login(&[
            ("grant_type", "client_credentials"),
            ("scope", "sellingpartnerapi::notifications"),
            ("client_id", &known.client_id),
            ("client_secret", &known.client_secret),
        ]);
        assert_eq!(body["scope"], "sellingpartnerapi::notifications");
        self.token = body["access_token"].as_str().unwrap().to_owned();
    }

    fn due(&mut self) -> Vec<Delivery> {
        self.amazon.due(self.now)
    }

    fn settle(&mut self, delivery: &Delivery, status: u16) {
        let answer = Response::builder()
            .status(status)
            .body(Bytes::new())
            .unwrap();
        self.amazon.delivered(delivery.id, Some(&answer), self.now);
    }
}

fn body(delivery: &Delivery) -> Json {
    serde_json::from_slice(delivery.request.body()).unwrap()
}

#[test]
fn the_api_keeps_destinations_and_subscriptions() {
    let mut desk = Desk::new();
    let queue = json!({
        "name": "queue",
        "resourceSpecification": {"sqs": {"arn": "arn:aws:sqs:us-east-1:123456789012:orders"}},
    });
    let (status, _) = read(&desk.ask(Method::POST, DESTINATIONS, &queue));
    assert_eq!(status, StatusCode::FORBIDDEN, "a seller's token");
    desk.log_in_grantless();
    let (status, made) = read(&desk.ask(Method::POST, DESTINATIONS, &queue));
    assert_eq!(status, StatusCode::OK, "{made}");
    let id = made["payload"]["destinationId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(made["payload"]["resource"], queue["resourceSpecification"]);
    let (status, _) = read(&desk.ask(Method::POST, DESTINATIONS, &queue));
    assert_eq!(status, StatusCode::CONFLICT);
    for (bad, part) in [
        (json!({"name": "x"}), "resourceSpecification"),
        (json!({"name": "x", "resourceSpecification": {}}), "either"),
        (
            json!({"name": "x", "resourceSpecification": {"sqs": {"arn": "orders"}}}),
            "ARN",
        ),
    ] {
        let (status, body) = read(&desk.ask(Method::POST, DESTINATIONS, &bad));
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            body["errors"][0]["details"]
                .as_str()
                .unwrap()
                .contains(part),
            "{body}"
        );
    }
    assert_eq!(
        desk.get(DESTINATIONS).1["payload"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    desk.log_in(Region::Na);
    let new = json!({"payloadVersion": "1.0", "destinationId": id});
    let (status, made) = read(&desk.ask(Method::POST, SUBSCRIPTIONS, &new));
    assert_eq!(status, StatusCode::OK, "{made}");
    let (status, _) = read(&desk.ask(Method::POST, SUBSCRIPTIONS, &new));
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(desk.get(SUBSCRIPTIONS).1, made);
    let subscription = made["payload"]["subscriptionId"]
        .as_str()
        .unwrap()
        .to_owned();
    // Another account has none.
    desk.log_in(Region::Eu);
    assert_eq!(desk.get(SUBSCRIPTIONS).0, StatusCode::NOT_FOUND);

    desk.log_in_grantless();
    let used = desk.ask(Method::DELETE, &format!("{DESTINATIONS}/{id}"), &Json::Null);
    assert_eq!(used.status(), StatusCode::CONFLICT);
    for path in [
        format!("{SUBSCRIPTIONS}/{subscription}"),
        format!("{DESTINATIONS}/{id}"),
    ] {
        assert_eq!(desk.get(&path).0, StatusCode::OK);
        let gone = desk.ask(Method::DELETE, &path, &Json::Null);
        assert_eq!(gone.status(), StatusCode::OK);
        assert_eq!(desk.get(&path).0, StatusCode::NOT_FOUND);
    }
}

#[test]
fn a_topic_is_confirmed_then_told() {
    let mut desk = Desk::with_authority();
    desk.set("topic", json!({"url": "http://127.0.0.1:1/hooks/sns"}));
    let asked = desk.due().remove(0);
    assert_eq!(
        asked.request.headers()["x-amz-sns-message-type"],
        "SubscriptionConfirmation"
    );
    assert!(
        !asked
            .request
            .headers()
            .contains_key("x-amz-sns-subscription-arn")
    );
    let confirmation = body(&asked);
    verify(&confirmation);
    // Before that, nothing is sent.
    let id = desk.sell();
    assert_eq!(desk.due().len(), 0);
    let page = confirmation["SubscribeURL"].as_str().unwrap();
    let page = page.strip_prefix("http://amazon.sandbox").unwrap();
    let request = |path: &str| Request::get(path).body(Bytes::new()).unwrap();
    let answer = desk.send(&request(&page.replace("Token=", "Token=0")));
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let answer = desk.send(&request(page));
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.body().starts_with(b"<ConfirmSubscriptionResponse"));

    desk.do_to(&id, json!({"do": "ship"}));
    let told = desk.due().remove(0);
    let headers = told.request.headers();
    assert_eq!(headers["x-amz-sns-message-type"], "Notification");
    assert_eq!(headers["content-type"], "text/plain; charset=UTF-8");
    let envelope = body(&told);
    assert_eq!(
        headers["x-amz-sns-message-id"],
        envelope["MessageId"].as_str().unwrap()
    );
    assert_eq!(
        envelope["TopicArn"],
        desk.amazon.settings().credentials.topic_arn
    );
    verify(&envelope);
    let message: Json = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
    let change = &message["Payload"]["OrderChangeNotification"];
    assert_eq!(change["AmazonOrderId"], id.as_str());
    assert_eq!(change["Summary"]["OrderStatus"], "Shipped");
    assert_eq!(
        change["SellerId"],
        desk.amazon.settings().credentials.seller_id
    );
    // The certificate is where the message says.
    let file = envelope["SigningCertURL"].as_str().unwrap();
    let answer = desk.send(&request(
        file.strip_prefix("http://amazon.sandbox").unwrap(),
    ));
    assert_eq!(answer.body(), &authority().certificate_pem(false));
    let answer = desk.send(&request("/sandbox/root-ca.pem"));
    assert_eq!(answer.body(), authority().root_pem());
}

#[test]
fn either_signature_version_verifies() {
    let mut desk = Desk::with_authority();
    for version in [1, 2] {
        let sns = "https://sns.us-east-1.amazonaws.com";
        desk.set(
            "topic",
            json!({"url": "http://127.0.0.1:1/", "signature_version": version,
                   "confirmed": true, "sns_url": sns}),
        );
        desk.sell();
        let deliveries = desk.due();
        assert_eq!(deliveries.len(), 2, "placed, and paid for");
        let envelope = body(&deliveries[0]);
        assert_eq!(envelope["SignatureVersion"], version.to_string());
        assert!(
            envelope["SigningCertURL"]
                .as_str()
                .unwrap()
                .starts_with(sns)
        );
        verify(&envelope);
    }
}

/// By the manual's recipe, not by the sender's code.
fn verify(envelope: &Json) {
    let members: &[&str] = match envelope["Type"].as_str().unwrap() {
        "Notification" => &["Message", "MessageId", "Timestamp", "TopicArn", "Type"],
        _ => &[
            "Message",
            "MessageId",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        ],
    };
    let mut text = String::new();
    for name in members {
        text += &format!("{name}\n{}\n", envelope[*name].as_str().unwrap());
    }
    let signature = STANDARD
        .decode(envelope["Signature"].as_str().unwrap())
        .unwrap();
    let key = authority().public_key();
    match envelope["SignatureVersion"].as_str().unwrap() {
        "1" => key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(text), &signature),
        _ => key.verify(
            Pkcs1v15Sign::new::<Sha256>(),
            &Sha256::digest(text),
            &signature,
        ),
    }
    .unwrap();
}

#[test]
fn sns_tries_three_times_more_and_only_what_may_pass() {
    let mut desk = Desk::with_authority();
    desk.set(
        "topic",
        json!({"url": "http://127.0.0.1:1/", "confirmed": true}),
    );
    let id = desk.sell();
    let deliveries = desk.due();
    // One is refused for good, the other fails.
    desk.settle(&deliveries[0], 400);
    desk.settle(&deliveries[1], 503);
    let mut last = deliveries[1].request.body().clone();
    for _ in 0..3 {
        desk.wait(19);
        assert_eq!(desk.due().len(), 0);
        desk.wait(1);
        let again = desk.due();
        assert_eq!(again.len(), 1);
        assert_eq!(*again[0].request.body(), last, "the same message");
        last = again[0].request.body().clone();
        desk.amazon.delivered(again[0].id, None, desk.now);
    }
    desk.wait(3600);
    assert_eq!(desk.due().len(), 0);
    desk.do_to(&id, json!({"do": "ship"}));
    let delivery = desk.due().remove(0);
    desk.settle(&delivery, 200);
    assert_eq!(desk.amazon.next_due(), None);
}

#[test]
fn an_api_destination_gets_events_with_its_key() {
    let mut desk = Desk::new();
    desk.set(
        "api_destination",
        json!({"url": "http://127.0.0.1:1/hooks", "header": "X-Key"}),
    );
    desk.set("notifications_camel_case", json!(true));
    let id = desk.sell();
    let deliveries = desk.due();
    let headers = deliveries[1].request.headers();
    let key = desk.amazon.settings().credentials.notification_key.clone();
    assert_eq!(headers["x-key"], key.as_str());
    let event = body(&deliveries[1]);
    assert_eq!(
        (&event["detail-type"], &event["version"]),
        (&json!("ORDER_CHANGE"), &json!("0"))
    );
    let change = &event["detail"]["payload"]["orderChangeNotification"];
    assert_eq!(
        (&change["amazonOrderId"], &change["summary"]["orderStatus"]),
        (&json!(id), &json!("Unshipped"))
    );
    // For a day, with growing waits; a wish of the receiver's counts.
    desk.settle(&deliveries[0], 400);
    let answer = Response::builder()
        .status(429)
        .header("retry-after", "30")
        .body(Bytes::new())
        .unwrap();
    desk.amazon
        .delivered(deliveries[1].id, Some(&answer), desk.now);
    desk.wait(29);
    assert_eq!(desk.due().len(), 0);
    desk.wait(1);
    let mut again = desk.due();
    let mut count = 0;
    while let Some(delivery) = again.pop() {
        count += 1;
        desk.settle(&delivery, 500);
        let Some(next) = desk.amazon.next_due() else {
            break;
        };
        desk.now = next;
        again = desk.due();
    }
    assert!((100..=185).contains(&count), "{count}");
}

#[test]
fn nobody_is_told_what_was_not_asked_for() {
    let mut desk = Desk::new();
    desk.set("api_destination", json!({"url": "http://127.0.0.1:1/"}));
    desk.log_in_grantless();
    let listed = desk.amazon.records("Subscription").unwrap();
    assert_eq!(listed.len(), 3, "one a region");
    let american = listed.iter().find(|known| known["region"] == "na").unwrap();
    let id = american["subscriptionId"].as_str().unwrap();
    desk.ask(
        Method::DELETE,
        &format!("{SUBSCRIPTIONS}/{id}"),
        &Json::Null,
    );
    let order = desk.sell();
    assert_eq!(desk.due().len(), 0);
    // Anew, and only what buyers ask for.
    desk.log_in(Region::Na);
    let destination = american["destinationId"].clone();
    let new = json!({
        "payloadVersion": "1.0", "destinationId": destination,
        "processingDirective": {"eventFilter": {
            "eventFilterType": "ORDER_CHANGE", "orderChangeTypes": ["BuyerRequestedChange"],
        }},
    });
    let (status, body) = read(&desk.ask(Method::POST, SUBSCRIPTIONS, &new));
    assert_eq!(status, StatusCode::OK, "{body}");
    desk.do_to(&order, json!({"do": "request_cancel"}));
    assert_eq!(desk.due().len(), 1);
    desk.do_to(&order, json!({"do": "cancel"}));
    assert_eq!(desk.due().len(), 0);
}
