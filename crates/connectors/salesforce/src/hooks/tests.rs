use serde_json::json;

use super::*;
use crate::script::{NOW_S, answering, run};

pub const OPPORTUNITY: Kind = Kind::new("salesforce", "Opportunity");
pub const ID: &str = "006e0000004lnFFAAY";

pub fn announced(
    hook: &dyn Hook,
    rest: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Vec<Hint>, Refused> {
    let mut request = Request::new(Bytes::copy_from_slice(body));
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let script = answering(vec![]);
    run(hook.verify(&script.ports(), rest, &request))
}

pub fn status(result: Result<Vec<Hint>, Refused>) -> u16 {
    result.map_or_else(|refused| refused.status, |_| 200)
}

fn signature(timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"an hmac secret").unwrap();
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn json_signed(timestamp: &str, body: &[u8]) -> Result<Vec<Hint>, Refused> {
    let signature = signature(timestamp, body);
    json_sent(
        &[
            ("content-type", "application/json"),
            (TIMESTAMP_HEADER, timestamp),
            (SIGNATURE_HEADER, &signature),
        ],
        body,
    )
}

fn json_sent(headers: &[(&str, &str)], body: &[u8]) -> Result<Vec<Hint>, Refused> {
    announced(&Json { kind: OPPORTUNITY }, "", headers, body)
}

fn json(body: &str) -> Result<Vec<Hint>, Refused> {
    json_signed(&NOW_S.to_string(), body.as_bytes())
}

#[test]
fn a_signed_list_becomes_hints() {
    let hints = json(
        r#"{"object":"Opportunity","ids":["006e0000004lnFF","006e0000004lnFG"],
            "changes":[{"id":"006e0000004lnFFAAY","systemModstamp":"2026-11-22T19:53:21.123+0000"},
                       {"id":"006e0000004lnFF","systemModstamp":"2026-11-22T19:53:20Z"},
                       {"id":"006e0000004lnFF"}]}"#,
    )
    .unwrap();
    let other = Id::parse("006e0000004lnFG").unwrap();
    let wanted = [
        Hint {
            id: OPPORTUNITY.id(ID),
            version: Some(Version(1_795_377_201_123)),
        },
        Hint {
            id: OPPORTUNITY.id(other.as_str()),
            version: None,
        },
    ];
    assert_eq!(hints, wanted);
    let response = Json { kind: OPPORTUNITY }.acknowledge();
    assert_eq!(response.status(), 202);
}

#[test]
fn unsigned_wrongly_signed_and_stale_lists_are_refused_alike() {
    let body = format!(r#"{{"object":"Opportunity","ids":["{ID}"]}}"#);
    let body = body.as_bytes();
    let now = NOW_S.to_string();
    let good = signature(&now, body);
    let kind = ("content-type", "application/json");
    let time = (TIMESTAMP_HEADER, &*now);
    let signed = (SIGNATURE_HEADER, &*good);
    assert_eq!(status(json_sent(&[kind, time, signed], body)), 200);
    let upper = format!("sha256={}", good["sha256=".len()..].to_uppercase());
    assert_eq!(
        status(json_sent(&[kind, time, (SIGNATURE_HEADER, &upper)], body)),
        200
    );

    let later = (NOW_S + 1).to_string();
    let padded = format!("+{now}");
    for headers in [
        vec![kind],
        vec![kind, time],
        vec![kind, signed],
        vec![kind, (TIMESTAMP_HEADER, &*later), signed],
        vec![kind, (TIMESTAMP_HEADER, &*padded), signed],
        vec![kind, time, signed, signed],
        vec![kind, time, time, signed],
        vec![kind, time, (SIGNATURE_HEADER, &good[7..])],
        vec![kind, time, (SIGNATURE_HEADER, &good[..good.len() - 2])],
        vec![kind, time, (SIGNATURE_HEADER, "sha256=")],
        vec![kind, time, (SIGNATURE_HEADER, "sha256=zz")],
        vec![kind, time, (SIGNATURE_HEADER, "sha1=00")],
    ] {
        assert_eq!(json_sent(&headers, body), Err(UNSIGNED), "{headers:?}");
    }
    assert_eq!(json_sent(&[kind, time, signed], b"{}"), Err(UNSIGNED));
    for (timestamp, wanted) in [
        ((NOW_S - 300).to_string(), 200),
        ((NOW_S + 300).to_string(), 200),
        ((NOW_S - 301).to_string(), 401),
        ((NOW_S + 301).to_string(), 401),
        ("99999999999999999999".to_owned(), 401),
        ("-1".to_owned(), 401),
        (String::new(), 401),
    ] {
        assert_eq!(status(json_signed(&timestamp, body)), wanted, "{timestamp}");
    }
}

#[test]
fn hostile_lists_are_refused() {
    let ids = |count: usize| {
        let ids = vec![ID; count];
        serde_json::json!({"object": "Opportunity", "ids": ids}).to_string()
    };
    let deep = format!("{{\"object\":{}", "[".repeat(30_000));
    for (body, wanted) in [
        (ids(200), 200),
        (ids(201), 400),
        (ids(0), 400),
        (json!({"object": "Account", "ids": [ID]}).to_string(), 400),
        (json!({"ids": [ID]}).to_string(), 400),
        (
            json!({"object": "Opportunity", "ids": [ID], "extra": 1}).to_string(),
            400,
        ),
        (
            json!({"object": "Opportunity", "changes": [{"id": ID, "extra": 1}]}).to_string(),
            400,
        ),
        (
            json!({"object": "Opportunity", "changes": [{"id": ID, "systemModstamp": "now"}]})
                .to_string(),
            400,
        ),
        (
            json!({"object": "Opportunity", "ids": ["006'"]}).to_string(),
            400,
        ),
        (
            json!({"object": "Opportunity", "ids": "006"}).to_string(),
            400,
        ),
        (
            r#"{"object":"Opportunity","ids":[1e999999999]}"#.to_owned(),
            400,
        ),
        (
            format!(
                r#"{{"object":"Opportunity","ids":[{}]}}"#,
                "9".repeat(50_000)
            ),
            400,
        ),
        (
            r#"{"object":"Opportunity","object":"Opportunity","ids":["006e0000004lnFF"]}"#
                .to_owned(),
            400,
        ),
        (
            "{\"object\":\"Opportunity\",\"ids\":[\"006e\u{0}000004lnFF\"]}".to_owned(),
            400,
        ),
        (format!("\u{feff}{}", ids(1)), 400),
        (format!("{}x", ids(1)), 400),
        (ids(1)[..20].to_owned(), 400),
        (deep, 400),
        ("null".to_owned(), 400),
        (String::new(), 400),
        (" ".repeat((64 << 10) + 1), 413),
    ] {
        let shown: String = body.chars().take(80).collect();
        assert_eq!(status(json(&body)), wanted, "{shown}");
    }
    let now = NOW_S.to_string();
    assert_eq!(status(json_signed(&now, b"{\"object\":\"\xff\"}")), 400);
    let body = ids(1);
    let good = signature(&now, body.as_bytes());
    for kind in [
        "text/plain",
        "application/json; charset=utf-16",
        "application/jsonx",
    ] {
        let headers = [
            ("content-type", kind),
            (TIMESTAMP_HEADER, &now),
            (SIGNATURE_HEADER, &good),
        ];
        assert_eq!(
            json_sent(&headers, body.as_bytes()),
            Err(NOT_JSON),
            "{kind}"
        );
    }
}

#[test]
fn every_reason_is_one_line_that_names_nothing() {
    for refused in [
        NOT_FOUND,
        FORBIDDEN,
        UNSIGNED,
        TOO_LARGE,
        NOT_XML,
        NOT_JSON,
        BAD_JSON,
        BAD_COUNT,
        WRONG_OBJECT,
        NOT_CONFIGURED,
    ] {
        assert!(refused.reason.len() < 80 && !refused.reason.contains('\n'));
    }
}
