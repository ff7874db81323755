//! Bad webhooks over the wire: the right status, a reason of one line that helps no attacker, and nothing
//! queued.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::http::{send, send_raw};
use crate::support::webhooks::{envelope, json_body, message, notification, signed};
use crate::support::{Answer, FLOW, Stage};

const ID: &str = "0065g00000XyZ01AAF";

impl Stage {
    fn signed(&self, body: impl Into<Bytes>) -> Request<Bytes> {
        signed(
            &self.json_hook(),
            &self.secrets.webhook_hmac_secret,
            Timestamp::now(),
            body,
        )
    }

    fn message(&self, body: impl Into<Bytes>) -> Request<Bytes> {
        message(&self.message_hook(), body)
    }

    fn organization(&self) -> String {
        self.salesforce(|org, _| org.organization().to_string())
    }

    fn envelope(&self, notifications: &str) -> String {
        envelope(&self.organization(), notifications)
    }

    /// The request is refused as it should be, and leaves nothing behind.
    async fn refuses(&self, what: &str, request: Request<Bytes>, status: u16) {
        let start = Instant::now();
        let answer = send(request).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        self.is_discreet(what, &answer);
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{what}: took too long"
        );
        self.holds_nothing(what).await;
    }

    fn is_discreet(&self, what: &str, answer: &Answer) {
        let text = answer.text();
        assert_eq!(text.trim_end().lines().count(), 1, "{what}: {text}");
        assert!(text.len() <= 120, "{what}: {text}");
        for secret in [
            &self.secrets.webhook_hmac_secret,
            &self.secrets.webhook_path_secret,
            &self.organization(),
        ] {
            assert!(!text.contains(secret.as_str()), "{what}: {text}");
        }
        for detail in [
            "panicked", "src/", ".rs", "line ", "column", "sqlite", "wasm", ID,
        ] {
            assert!(!text.contains(detail), "{what}: {text}");
        }
    }

    async fn holds_nothing(&self, what: &str) {
        let status = self.status().await;
        assert!(crate::support::stage::is_idle(&status), "{what}: {status}");
        assert_eq!(status["outcomes"], json!({}), "{what}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_webhook_is_taken() {
    // Or every refusal below would prove nothing.
    let stage = Stage::start().await;
    let answer = send(stage.signed(json_body(&[ID]))).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let answer = send(stage.message(stage.envelope(&notification(ID)))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer.text().contains("<Ack>true</Ack>"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned() {
    let stage = Stage::start().await;
    for header in ["x-sluice-signature", "x-sluice-timestamp"] {
        let mut request = stage.signed(json_body(&[ID]));
        request.headers_mut().remove(header);
        stage.refuses(header, request, 401).await;
    }
    let url = stage.url(&format!("/hooks/{FLOW}/outbound-message"));
    for url in [url.clone(), format!("{url}/")] {
        stage
            .refuses(
                "no secret",
                message(&url, stage.envelope(&notification(ID))),
                404,
            )
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrongly_signed() {
    let stage = Stage::start().await;
    let now = Timestamp::now();
    let guess = signed(&stage.json_hook(), "guess", now, json_body(&[ID]));
    stage.refuses("another secret", guess, 401).await;
    let mut tampered = stage.signed(json_body(&[ID]));
    *tampered.body_mut() = Bytes::from(json_body(&["006000000000001AAA"]));
    stage.refuses("another body", tampered, 401).await;
    let mut moved = stage.signed(json_body(&[ID]));
    let later = HeaderValue::from(now.as_second() + 30);
    moved.headers_mut().insert("x-sluice-timestamp", later);
    stage.refuses("another time", moved, 401).await;
    for signature in ["", "sha256=", "sha256=zz", "sha1=00", "00"] {
        let mut request = stage.signed(json_body(&[ID]));
        let value = HeaderValue::from_static(signature);
        request.headers_mut().insert("x-sluice-signature", value);
        stage.refuses(signature, request, 401).await;
    }
    let mut twice = stage.signed(json_body(&[ID]));
    let value = twice.headers()["x-sluice-signature"].clone();
    twice.headers_mut().append("x-sluice-signature", value);
    stage.refuses("two signatures", twice, 401).await;

    let url = stage.url(&format!("/hooks/{FLOW}/outbound-message/guess"));
    stage
        .refuses(
            "another secret",
            message(&url, stage.envelope(&notification(ID))),
            404,
        )
        .await;
    let other = envelope("00D000000000001EAA", &notification(ID));
    stage
        .refuses("another organization", stage.message(other), 403)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stale() {
    let stage = Stage::start().await;
    for minutes in [-60, -6, 6] {
        let at = Timestamp::now() + SignedDuration::from_mins(minutes);
        let secret = &stage.secrets.webhook_hmac_secret;
        let request = signed(&stage.json_hook(), secret, at, json_body(&[ID]));
        stage
            .refuses(&format!("{minutes} minutes"), request, 401)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized() {
    let stage = Stage::start().await;
    let long = format!("{}{}", json_body(&[ID]), " ".repeat(64 << 10));
    stage.refuses("json", stage.signed(long), 413).await;
    let long = stage.envelope(&notification(ID)) + &" ".repeat(4 << 20);
    stage.refuses("message", stage.message(long), 413).await;
    let long = vec![b' '; (16 << 20) + 1];
    stage
        .refuses("beyond the host's own limit", stage.message(long), 413)
        .await;
    let many: String = (0..101).map(|_| notification(ID)).collect();
    stage
        .refuses(
            "101 notifications",
            stage.message(stage.envelope(&many)),
            400,
        )
        .await;
    let ids: Vec<String> = (0..201).map(|n| format!("006{n:012}AAA")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    stage
        .refuses("201 ids", stage.signed(json_body(&ids)), 400)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated() {
    let stage = Stage::start().await;
    let body = json_body(&[ID]);
    for length in [0, 1, body.len() / 2, body.len() - 1] {
        let what = format!("{length} bytes of json");
        stage
            .refuses(&what, stage.signed(body[..length].to_owned()), 400)
            .await;
    }
    let body = stage.envelope(&notification(ID));
    for length in [0, 1, 200, body.len() / 2, body.len() - 3] {
        let what = format!("{length} bytes of xml");
        stage
            .refuses(&what, stage.message(body[..length].to_owned()), 400)
            .await;
    }
    // The connection ends before the body does.
    let request = stage.message(body);
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
        request.uri().path(),
        request.body().len() + 1000
    );
    let address = stage.host.address();
    let bytes = [head.as_bytes(), request.body()].concat();
    let answer = tokio::task::spawn_blocking(move || send_raw(address, &bytes))
        .await
        .unwrap();
    assert!(
        !answer.contains(" 200 ") && !answer.contains("Ack"),
        "{answer}"
    );
    stage.holds_nothing("a cut connection").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrongly_encoded() {
    let stage = Stage::start().await;
    let latin = b"{\"object\":\"Opportunity\",\"ids\":[\"006\xe9\"]}".to_vec();
    stage
        .refuses("json in latin-1", stage.signed(latin), 400)
        .await;
    let sixteen =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    stage
        .refuses(
            "json in utf-16",
            stage.signed(sixteen(&json_body(&[ID]))),
            400,
        )
        .await;
    let xml = stage.envelope(&notification(ID));
    stage
        .refuses("xml in utf-16", stage.message(sixteen(&xml)), 400)
        .await;
    let mut bad = xml.clone().into_bytes();
    let at = bad.len() / 2;
    bad.splice(at..at, [0xff, 0xfe, 0xc3]);
    stage.refuses("no utf-8", stage.message(bad), 400).await;
    let declared = xml.replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"");
    stage
        .refuses("declared latin-1", stage.message(declared), 415)
        .await;
    for (kind, request) in [
        ("text/plain", stage.message(xml.clone())),
        ("text/xml; charset=iso-8859-1", stage.message(xml)),
        ("text/plain", stage.signed(json_body(&[ID]))),
        (
            "application/json; charset=utf-16",
            stage.signed(json_body(&[ID])),
        ),
    ] {
        let mut request = request;
        request
            .headers_mut()
            .insert("content-type", HeaderValue::from_static(kind));
        stage.refuses(kind, request, 415).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entity_expansion() {
    let stage = Stage::start().await;
    let xml = stage.envelope(&notification(ID));
    let mut laughs = "<!DOCTYPE lolz [<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..30 {
        laughs += &format!("<!ENTITY a{level} \"&a{0};&a{0};&a{0};&a{0};\">", level - 1);
    }
    laughs += "]>";
    let outside = "<!DOCTYPE x [<!ENTITY a29 SYSTEM \"file:///etc/passwd\">]>";
    for (what, doctype) in [
        ("billion laughs", laughs.as_str()),
        ("external entity", outside),
    ] {
        let hostile = xml
            .replace("<soapenv:Envelope", &format!("{doctype}<soapenv:Envelope"))
            .replace(ID, "&a29;");
        stage.refuses(what, stage.message(hostile), 400).await;
    }
    let undeclared = xml.replace(ID, "&a29;");
    stage
        .refuses("undeclared entity", stage.message(undeclared), 400)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting() {
    let stage = Stage::start().await;
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    stage.refuses("json", stage.signed(deep), 400).await;
    let inside = format!(
        "{{\"object\":\"Opportunity\",\"ids\":{}1{}}}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    stage
        .refuses("json inside", stage.signed(inside), 400)
        .await;
    let deep = "<a>".repeat(200_000) + &"</a>".repeat(200_000);
    stage.refuses("xml", stage.message(deep.clone()), 400).await;
    stage
        .refuses("xml inside", stage.message(stage.envelope(&deep)), 400)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_numbers() {
    let stage = Stage::start().await;
    let nines = "9".repeat(50_000);
    for id in [nines.as_str(), "1e999999999", "-1e-999999999", "1"] {
        let body = format!("{{\"object\":\"Opportunity\",\"ids\":[{id}]}}");
        stage.refuses("an id", stage.signed(body), 400).await;
    }
    let body = format!(
        "{{\"object\":\"Opportunity\",\"changes\":[{{\"id\":\"{ID}\",\"systemModstamp\":\"{nines}-01-01T00:00:00.000Z\"}}]}}"
    );
    stage.refuses("a time", stage.signed(body), 400).await;
    for time in [
        "99999999999999999999999999",
        "-1",
        "1e9",
        "0x10",
        "18446744073709551616",
    ] {
        let mut request = stage.signed(json_body(&[ID]));
        request
            .headers_mut()
            .insert("x-sluice-timestamp", HeaderValue::from_static(time));
        stage.refuses(time, request, 401).await;
    }
    let reference = stage
        .envelope(&notification(ID))
        .replace(ID, "&#99999999999999999999;");
    stage
        .refuses("a character's number", stage.message(reference), 400)
        .await;
    let long = stage.envelope(&notification(&nines));
    stage
        .refuses("an id in xml", stage.message(long), 400)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters() {
    let stage = Stage::start().await;
    for escape in ["\\u0000", "\\u001b[31m", "\\u202e", "\\ud800", "\u{1}"] {
        let body = format!("{{\"object\":\"Opportunity\",\"ids\":[\"006{escape}\"]}}");
        stage.refuses(escape, stage.signed(body), 400).await;
    }
    let xml = stage.envelope(&notification(ID));
    for character in [
        "\u{0}", "\u{1}", "\u{1b}", "\u{b}", "&#0;", "&#x1;", "\u{ffff}",
    ] {
        let anywhere = xml.replace("04k5g", character);
        stage
            .refuses(&format!("{character:?}"), stage.message(anywhere), 400)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_asked_for_nor_known() {
    let stage = Stage::start().await;
    for body in [
        "{}",
        "null",
        "[]",
        "{\"object\":\"Opportunity\"}",
        "{\"object\":\"Opportunity\",\"ids\":[]}",
        "{\"object\":\"Opportunity\",\"ids\":[\"\"]}",
        "{\"object\":\"Opportunity\",\"ids\":[\"006'; --\"]}",
        "{\"object\":\"Account\",\"ids\":[\"0015g00000AbC12AAB\"]}",
        "{\"object\":\"Opportunity\",\"ids\":[\"0065g00000XyZ01AAF\"],\"more\":1}",
        "{\"object\":\"Opportunity\",\"object\":\"Account\",\"ids\":[\"0065g00000XyZ01AAF\"]}",
    ] {
        stage.refuses(body, stage.signed(body), 400).await;
    }
    stage
        .refuses("no notification", stage.message(stage.envelope("")), 400)
        .await;
    let account = stage
        .envelope(&notification(ID))
        .replace("sf:Opportunity", "sf:Account");
    stage
        .refuses("another object", stage.message(account), 400)
        .await;
    for (method, path, status) in [
        ("GET", format!("/hooks/{FLOW}/json"), 405),
        ("PUT", format!("/flows/{FLOW}/run"), 405),
        ("POST", format!("/hooks/{FLOW}/other"), 404),
        ("POST", format!("/hooks/{FLOW}/json/more"), 404),
        ("POST", format!("/hooks/{FLOW}/json/../../flows"), 404),
        ("POST", "/hooks/another-flow/json".to_owned(), 404),
    ] {
        let request = Request::builder().method(method).uri(stage.url(&path));
        let request = request.body(Bytes::new()).unwrap();
        stage
            .refuses(&format!("{method} {path}"), request, status)
            .await;
    }
}
