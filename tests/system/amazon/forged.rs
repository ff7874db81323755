//! Forged, replayed and misdirected notifications.

use bytes::Bytes;
use http::Request;
use jiff::SignedDuration;
use sandbox::amazon::{Amazon, EventReceiver, TopicReceiver};
use sandbox::{Delivery, Vendor};
use serde_json::{Value, json};

use super::{JUST_NOW, events, topic};
use crate::support::http::send;
use crate::support::stage::{self, eventually, is_idle};
use crate::support::{Market, market};

#[tokio::test(flavor = "multi_thread")]
async fn forged_replayed_and_misdirected_notifications_queue_nothing() {
    let market = Market::start(0, &[]).await;
    market.run("").await;
    let before = market.status().await;
    let other_seller = Some("A1OTHERSELLER");
    let good = by_topic(&market, JUST_NOW, None);
    let event = by_event(&market, None, None);
    let mut refused: Vec<(&str, u16, Request<Bytes>)> = forgeries()
        .into_iter()
        .map(|(what, status, forge)| (what, status, with_body(&good, forge)))
        .collect();
    let old = by_topic(&market, SignedDuration::from_mins(61), None);
    refused.push(("a replay, an hour later", 401, old));
    let others = by_topic(&market, JUST_NOW, other_seller);
    refused.push(("signed, but of another seller", 403, others));
    let others = by_event(&market, None, other_seller);
    refused.push(("an event of another seller", 403, others));
    let keyless = by_event(&market, Some("another key"), None);
    refused.push(("another key", 401, keyless));
    let mut text = event.clone();
    let plain = "text/plain".parse().unwrap();
    text.headers_mut().insert("content-type", plain);
    refused.push(("no JSON, by its type", 415, text));
    let half = event.clone().map(|body| body.slice(..body.len() / 2));
    refused.push(("half an event", 400, half));
    let large = event.clone().map(|_| Bytes::from(vec![b' '; 300 << 10]));
    refused.push(("more than an event may have", 413, large));
    let kind = with_body(&event, |body| {
        body["detail"]["NotificationType"] = json!("REPORT_PROCESSING_FINISHED");
    });
    refused.push(("another kind of notification", 400, kind));
    for (what, status, request) in refused {
        let answer = send(request).await;
        let said = answer.text();
        assert_eq!(answer.status, status, "{what}: {said}");
        assert_eq!(said.lines().count(), 1, "{what}: {said}");
    }
    let status = market.status().await;
    assert!(is_idle(&status), "{status}");
    assert_eq!(status["outcomes"], before["outcomes"], "{status}");

    // Or all that would prove nothing.
    assert_eq!(send(good).await.status, 200);
    assert_eq!(send(event).await.status, 202);
    eventually("the orders of the good ones", async || {
        let orders = stage::records(&market.sandbox.admin_url, "netsuite", "salesOrder").await;
        (orders.len() == 2).then_some(())
    })
    .await;
}

/// What was done to a message, how it must be refused, and how to do it.
type Forgery = (&'static str, u16, fn(&mut Value));

/// Messages of SNS that were changed on their way.
fn forgeries() -> [Forgery; 5] {
    [
        ("another topic", 403, |body| {
            body["TopicArn"] = json!("arn:aws:sns:us-east-1:999999999999:orders");
        }),
        ("another order", 401, |body| {
            let text = body["Message"].as_str().unwrap();
            body["Message"] = json!(text.replace("AmazonOrderId\":\"", "AmazonOrderId\":\"9"));
        }),
        ("another time", 401, |body| {
            body["Timestamp"] = json!(jiff::Timestamp::now().to_string());
        }),
        ("a certificate from elsewhere", 401, |body| {
            body["SigningCertURL"] = json!("https://sns.evil.example/1.pem");
        }),
        ("no message at all", 400, |body| {
            *body = json!({"Type": "Notification"})
        }),
    ]
}

fn with_body(request: &Request<Bytes>, change: impl FnOnce(&mut Value)) -> Request<Bytes> {
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    change(&mut body);
    request.clone().map(|_| Bytes::from(body.to_string()))
}

/// A message about an order, really signed so long ago, caught on its way.
fn by_topic(market: &Market, ago: SignedDuration, seller: Option<&str>) -> Request<Bytes> {
    let topic = TopicReceiver {
        confirmed: true,
        ..topic(market)
    };
    announced(market, ago, seller, |amazon, receives| {
        let topic = receives.then_some(topic.clone());
        amazon.set_topic(topic, jiff::Timestamp::now()).unwrap();
    })
}

/// An event about an order, caught on its way.
fn by_event(market: &Market, key: Option<&str>, seller: Option<&str>) -> Request<Bytes> {
    let events = EventReceiver {
        key: key.map(str::to_owned),
        ..events(market)
    };
    announced(market, JUST_NOW, seller, |amazon, receives| {
        let events = receives.then_some(events.clone());
        amazon.set_api_destination(events).unwrap();
    })
}

/// What is sent of an order that was placed so long ago, to a receiver that is there only for it.
fn announced(
    market: &Market,
    ago: SignedDuration,
    seller: Option<&str>,
    receive: impl Fn(&mut Amazon, bool),
) -> Request<Bytes> {
    let mut caught: Vec<Delivery> = market.caught(|amazon, now| {
        receive(amazon, true);
        let known = amazon.settings().credentials.seller_id.clone();
        if let Some(seller) = seller {
            amazon.settings_mut().credentials.seller_id = seller.to_owned();
        }
        let order = market::order("US", "MERCHANT");
        amazon.create("Order", order, now - ago).unwrap();
        amazon.settings_mut().credentials.seller_id = known;
        receive(amazon, false);
    });
    caught.pop().unwrap().request
}
