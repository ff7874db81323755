use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::*;
use crate::{
    salesforce::{Callout, OutboundMessage, Trigger},
    vendor::Delivery,
};

const HOOK: &str = "http://flows.test/hooks/secret";

fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.org
        .set_outbound_messages(vec![OutboundMessage::closed_won(HOOK)])
        .unwrap();
    desk
}

fn win(desk: &mut Desk, sale: &Sale) {
    let path = format!("/sobjects/Opportunity/{}", sale.opportunity);
    let (status, _) = desk.ask(
        Method::PATCH,
        &path,
        Some(&json!({"StageName": "Closed Won"})),
    );
    assert_eq!(status, StatusCode::NO_CONTENT);
}

fn due(desk: &mut Desk) -> Vec<Delivery> {
    desk.org.due(desk.now)
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8(delivery.request.body().to_vec()).unwrap()
}

fn ack(answer: &'static str) -> Response<Bytes> {
    Response::new(Bytes::from(format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>{answer}</Ack>\
         </notificationsResponse></soapenv:Body></soapenv:Envelope>"
    )))
}

#[test]
fn a_won_sale_is_announced() {
    let mut desk = desk();
    let sale = desk.sale();
    assert!(due(&mut desk).is_empty(), "not won yet");
    win(&mut desk, &sale);
    let sent = due(&mut desk);
    assert_eq!(sent.len(), 1);
    let request = &sent[0].request;
    assert_eq!(request.uri(), HOOK);
    assert_eq!(request.headers()["SOAPAction"], "\"\"");
    let body = text(&sent[0]);
    assert!(body.contains(&format!(
        "<OrganizationId>{}</OrganizationId>",
        desk.org.organization()
    )));
    assert!(body.contains("<sObject xsi:type=\"sf:Opportunity\""));
    assert!(body.contains(&format!("<sf:Id>{}</sf:Id>", sale.opportunity)));
    assert!(body.contains("<sf:SystemModstamp>2026-05-01T08:00:00.000Z</sf:SystemModstamp>"));
    assert!(due(&mut desk).is_empty(), "on its way");
    let now = desk.now;
    desk.org.delivered(sent[0].id, Some(&ack("true")), now);
    assert_eq!(desk.org.next_due(), None);
}

#[test]
fn the_session_it_carries_works() {
    let mut desk = desk();
    let sale = desk.sale();
    win(&mut desk, &sale);
    let body = text(&due(&mut desk)[0]);
    let token = body
        .split("<SessionId>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    desk.token = token;
    assert_eq!(desk.get("/limits").0, StatusCode::OK);
}

#[test]
fn unacknowledged_is_tried_again_ever_later_for_a_day() {
    let mut desk = desk();
    let sale = desk.sale();
    win(&mut desk, &sale);
    let start = desk.now;
    let answers = [
        None,
        Some(ack("false")),
        Some(
            Response::builder()
                .status(500)
                .body(ack("true").into_body())
                .unwrap(),
        ),
        Some(Response::new(Bytes::from_static(b"ok"))),
        Some(Response::new(Bytes::from_static(&[0xff, 0xfe]))),
    ];
    let mut times = Vec::new();
    while let Some(next) = desk.org.next_due() {
        desk.now = next;
        let sent = due(&mut desk);
        assert_eq!(sent.len(), 1);
        let answer = &answers[times.len() % answers.len()];
        times.push(next.duration_since(start).as_secs());
        let now = desk.now;
        desk.org.delivered(sent[0].id, answer.as_ref(), now);
        assert!(times.len() < 100);
    }
    assert_eq!(&times[..6], [0, 15, 45, 105, 225, 465]);
    let waits: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(
        waits.iter().max(),
        Some(&7200),
        "never longer than two hours"
    );
    let last = *times.last().unwrap();
    assert!(
        (22 * 3600..=24 * 3600).contains(&last),
        "dropped after a day, last tried at {last}"
    );
}

#[test]
fn it_tells_what_is_true_when_it_is_sent() {
    let mut desk = desk();
    let sale = desk.sale();
    win(&mut desk, &sale);
    let first = due(&mut desk);
    let now = desk.now;
    desk.org.delivered(first[0].id, None, now);
    desk.wait(16);
    let path = format!("/sobjects/Opportunity/{}", sale.opportunity);
    desk.ask(
        Method::PATCH,
        &path,
        Some(&json!({"StageName": "Closed Lost"})),
    );
    let again = due(&mut desk);
    assert!(text(&again[0]).contains("<sf:StageName>Closed Lost</sf:StageName>"));
    let name = |delivery: &Delivery| {
        text(delivery)
            .split("<Notification>\n    <Id>")
            .nth(1)
            .unwrap()[..18]
            .to_owned()
    };
    assert_eq!(name(&first[0]), name(&again[0]), "the same notification");
    let now = desk.now;
    desk.org.delivered(again[0].id, None, now);
    desk.ask(Method::DELETE, &path, None);
    desk.wait(60);
    assert!(
        due(&mut desk).is_empty(),
        "nothing to tell of a deleted record"
    );
}

#[test]
fn at_most_a_hundred_in_one_message() {
    let mut desk = desk();
    let deal = json!({
        "attributes": {"type": "Opportunity"}, "Name": "<&\u{1}\"'>", "StageName": "Closed Won",
        "CloseDate": "2026-05-20",
    });
    let rule = OutboundMessage {
        fields: vec!["Name".to_owned()],
        ..OutboundMessage::closed_won(HOOK)
    };
    desk.org.set_outbound_messages(vec![rule]).unwrap();
    let records: Vec<Json> = (0..150).map(|_| deal.clone()).collect();
    desk.ask(
        Method::POST,
        "/composite/sobjects",
        Some(&json!({"records": records})),
    );
    let sent = due(&mut desk);
    let sizes: Vec<usize> = sent
        .iter()
        .map(|one| text(one).matches("<Notification>").count())
        .collect();
    assert_eq!(sizes, [100, 50]);
    assert!(
        text(&sent[0]).contains("<sf:Name>&lt;&amp;&quot;&apos;&gt;</sf:Name>"),
        "{}",
        text(&sent[0])
    );
}

#[test]
fn a_rule_may_fire_only_when_a_record_starts_to_match() {
    let mut desk = Desk::new();
    let rule = OutboundMessage {
        trigger: Trigger::StartsToMatch,
        ..OutboundMessage::closed_won(HOOK)
    };
    desk.org.set_outbound_messages(vec![rule]).unwrap();
    let sale = desk.sale();
    let path = format!("/sobjects/Opportunity/{}", sale.opportunity);
    let mut counts = Vec::new();
    for fields in [
        json!({"StageName": "Closed Won"}),
        json!({"Name": "Renamed"}),
        json!({"StageName": "Prospecting"}),
        json!({"StageName": "Closed Won"}),
    ] {
        desk.ask(Method::PATCH, &path, Some(&fields));
        counts.push(due(&mut desk).len());
    }
    assert_eq!(counts, [1, 0, 0, 1]);
}

#[test]
fn a_line_that_changes_the_amount_announces_its_sale() {
    let mut desk = desk();
    let sale = desk.sale();
    let line = desk.make("OpportunityLineItem", sale.line("1", "5"));
    win(&mut desk, &sale);
    assert_eq!(due(&mut desk).len(), 1);
    let path = format!("/sobjects/OpportunityLineItem/{line}");
    desk.ask(Method::PATCH, &path, Some(&json!({"Quantity": 2})));
    assert_eq!(due(&mut desk).len(), 1);
    desk.ask(
        Method::PATCH,
        &path,
        Some(&json!({"Description": "same money"})),
    );
    assert_eq!(due(&mut desk).len(), 0);
}

#[test]
fn a_refused_or_quiet_save_is_not_announced() {
    let mut desk = desk();
    let sale = desk.sale();
    let bad = json!({"allOrNone": true, "records": [
        {"attributes": {"type": "Opportunity"}, "Id": sale.opportunity, "StageName": "Closed Won"},
        {"attributes": {"type": "Opportunity"}, "Id": "006000000000000AAA", "StageName": "Closed Won"},
    ]});
    desk.ask(Method::PATCH, "/composite/sobjects", Some(&bad));
    assert!(due(&mut desk).is_empty());
    let now = desk.now;
    let id = super::super::Id::parse(&sale.opportunity).unwrap();
    desk.org
        .quietly(|org| org.user_change("Opportunity", id, json!({"StageName": "Closed Won"}), now))
        .unwrap();
    assert!(due(&mut desk).is_empty());
}

#[test]
fn callouts_are_signed_and_tried_once() {
    let mut desk = Desk::new();
    desk.org
        .set_callouts(vec![Callout::closed_won(HOOK, "s3cret")])
        .unwrap();
    let sale = desk.sale();
    win(&mut desk, &sale);
    let sent = due(&mut desk);
    let request = &sent[0].request;
    let timestamp = request.headers()["X-Sluice-Timestamp"].to_str().unwrap();
    assert_eq!(timestamp, desk.now.as_second().to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(format!("{timestamp}.{}", text(&sent[0])).as_bytes());
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(request.headers()["X-Sluice-Signature"], expected.as_str());
    let body: Json = serde_json::from_str(&text(&sent[0])).unwrap();
    assert_eq!(
        body,
        json!({
            "object": "Opportunity", "ids": [sale.opportunity],
            "changes": [{"id": sale.opportunity, "systemModstamp": "2026-05-01T08:00:00.000+0000"}],
        })
    );
    let now = desk.now;
    desk.org.delivered(sent[0].id, None, now);
    assert_eq!(desk.org.next_due(), None);
}

#[test]
fn settings_come_as_json() {
    let mut desk = Desk::new();
    let now = desk.now;
    let org = &mut desk.org;
    org.configure(
        "outbound-message",
        json!({"url": HOOK, "trigger": "starts_to_match"}),
        now,
    )
    .unwrap();
    org.configure(
        "callout",
        json!([{"url": HOOK, "secret": "x", "criteria": "Amount > 5"}]),
        now,
    )
    .unwrap();
    for (setting, bad) in [
        ("outbound-message", json!({"url": "ftp://x"})),
        (
            "outbound-message",
            json!({"url": HOOK, "criteria": "Nope = 1"}),
        ),
        ("outbound-message", json!({"url": HOOK, "color": "red"})),
        ("outbound-message", json!({"url": HOOK, "fields": ["Nope"]})),
        ("callout", json!({"url": HOOK})),
        ("weather", json!({})),
    ] {
        assert!(
            org.configure(setting, bad.clone(), now).is_err(),
            "{setting} {bad}"
        );
    }
    org.configure("outbound-message", Json::Null, now).unwrap();
    org.configure("sessions", json!({"end_all": true}), now)
        .unwrap();
    assert_eq!(desk.get("/limits").0, StatusCode::UNAUTHORIZED);
}
