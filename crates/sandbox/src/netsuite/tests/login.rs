//! Who gets in, and what everyone else is told.

use jiff::SignedDuration;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;

use crate::Refusal;

use super::super::ConcurrencyForm;
use super::*;

const PATH: &str = "/services/rest/record/v1/term";

#[test]
fn a_signed_request_is_let_in() {
    let mut desk = Desk::new();
    assert_eq!(desk.get("/record/v1/term").status, 200);
    assert_eq!(
        desk.get("/record/v1/term?q=name%20IS%20%22Net%2030%22&limit=5")
            .status,
        200
    );
    assert_eq!(desk.send("OPTIONS", "/*", &[], b"").status, 204);
}

#[test]
fn any_flaw_in_the_signature_is_the_same_401() {
    let mut desk = Desk::new();
    let right = desk.sign("GET", PATH);
    let flawed = [
        String::new(),
        "OAuth".to_owned(),
        "OAuth realm=\"1234567_SB1\"".to_owned(),
        "Basic dXNlcjpwYXNz".to_owned(),
        "Bearer nonsense".to_owned(),
        right.replace("1234567_SB1", "1234567-sb1"),
        right.replace("HMAC-SHA256", "HMAC-SHA1"),
        right.replace("oauth_version=\"1.0\"", "oauth_version=\"2.0\""),
        right.replace("oauth_signature=\"", "oauth_signature=\"A"),
        desk.sign("GET", "/services/rest/record/v1/customer"),
        desk.sign("POST", PATH),
        desk.sign("GET", &format!("{PATH}?limit=1")),
        desk.sign_as("GET", PATH, "short", &desk.now.as_second().to_string()),
        desk.sign_as(
            "GET",
            PATH,
            "with-dashes",
            &desk.now.as_second().to_string(),
        ),
        desk.sign_as("GET", PATH, "noncenonce", "soon"),
        desk.sign_as("GET", PATH, "noncenonce", "-9223372036854775808"),
    ];
    for header in flawed {
        let reply = desk.send_as(&header, "GET", PATH, &[], b"");
        assert_eq!(reply.status, 401, "{header}");
        assert_eq!(reply.code(), "INVALID_LOGIN");
        assert_eq!(reply.body["title"], "Unauthorized");
    }
    assert_eq!(desk.send_as(&right, "GET", PATH, &[], b"").status, 200);
}

#[test]
fn a_nonce_serves_once_and_time_must_agree() {
    let mut desk = Desk::new();
    let header = desk.sign("GET", PATH);
    assert_eq!(desk.send_as(&header, "GET", PATH, &[], b"").status, 200);
    assert_eq!(desk.send_as(&header, "GET", PATH, &[], b"").status, 401);
    for (offset, status) in [(-300, 200), (-301, 401), (300, 200), (301, 401)] {
        let timestamp = (desk.now.as_second() + offset).to_string();
        let nonce = format!("nonceAt{}", offset + 1000);
        let header = desk.sign_as("GET", PATH, &nonce, &timestamp);
        assert_eq!(
            desk.send_as(&header, "GET", PATH, &[], b"").status,
            status,
            "{offset}"
        );
    }
    // A used nonce is still known right before its timestamp leaves the window.
    let header = desk.sign("GET", PATH);
    assert_eq!(desk.send_as(&header, "GET", PATH, &[], b"").status, 200);
    desk.wait(SignedDuration::from_secs(300));
    assert_eq!(desk.get("/record/v1/term").status, 200);
    assert_eq!(desk.send_as(&header, "GET", PATH, &[], b"").status, 401);
}

#[test]
fn absolute_targets_and_default_ports_are_signed_alike() {
    let mut desk = Desk::new();
    let header = desk.sign("GET", PATH);
    let absolute = format!("http://{HOST}{PATH}");
    assert_eq!(
        desk.send_as(&header, "GET", &absolute, &[], b"").status,
        200
    );
}

fn assertion(desk: &Desk, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let c = desk.account.credentials();
    let now = desk.now.as_second();
    let mut head = json!({"typ": "JWT", "alg": "ES256", "kid": c.certificate_id});
    let mut claims = json!({
        "iss": c.client_id,
        "scope": ["rest_webservices"],
        "aud": format!("http://{HOST}/services/rest/auth/oauth2/v1/token"),
        "iat": now,
        "exp": now + 3600,
    });
    change(&mut head, &mut claims);
    let part = |value: &Value| general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let key = SigningKey::from_pkcs8_pem(&c.private_key_pem).unwrap();
    let signature: Signature = key.sign(signed.as_bytes());
    format!(
        "{signed}.{}",
        general_purpose::URL_SAFE_NO_PAD.encode(signature.to_bytes())
    )
}

fn ask_token(desk: &mut Desk, assertion: &str) -> Reply {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("client_assertion", assertion)
        .finish();
    let request = Request::post("/services/rest/auth/oauth2/v1/token")
        .header("host", HOST)
        .body(Bytes::from(form))
        .unwrap();
    desk.account.handle(&request, desk.now).into()
}

#[test]
fn an_assertion_buys_a_token_for_an_hour() {
    let mut desk = Desk::new();
    let signed = assertion(&desk, |_, _| {});
    let reply = ask_token(&mut desk, &signed);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["token_type"], "bearer");
    assert_eq!(reply.body["expires_in"], "3600");
    let bearer = format!("Bearer {}", reply.body["access_token"].as_str().unwrap());
    assert_eq!(desk.send_as(&bearer, "GET", PATH, &[], b"").status, 200);
    desk.wait(SignedDuration::from_secs(3599));
    assert_eq!(desk.send_as(&bearer, "GET", PATH, &[], b"").status, 200);
    desk.wait(SignedDuration::from_secs(1));
    let reply = desk.send_as(&bearer, "GET", PATH, &[], b"");
    assert_eq!((reply.status, reply.code()), (401, "INVALID_LOGIN"));
    let real_host = assertion(&desk, |_, claims| {
        claims["aud"] =
            "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token"
                .into();
        claims["scope"] = "restlets,rest_webservices".into();
    });
    let reply = ask_token(&mut desk, &real_host);
    let bearer = format!("Bearer {}", reply.body["access_token"].as_str().unwrap());
    assert_eq!(desk.send_as(&bearer, "GET", PATH, &[], b"").status, 200);
    desk.account.expire_tokens();
    assert_eq!(desk.send_as(&bearer, "GET", PATH, &[], b"").status, 401);
}

#[test]
fn a_flawed_assertion_buys_nothing() {
    let mut desk = Desk::new();
    type Change = fn(&mut Value, &mut Value);
    let changes: [Change; 9] = [
        |head, _| head["alg"] = "RS256".into(),
        |head, _| head["alg"] = "none".into(),
        |head, _| head["kid"] = "another".into(),
        |_, claims| claims["iss"] = "another".into(),
        |_, claims| claims["aud"] = "https://example.com/token".into(),
        |_, claims| claims["scope"] = json!(["restlets"]),
        |_, claims| claims["exp"] = claims["iat"].clone(),
        |_, claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() + 3601),
        |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 900),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let signed = assertion(&desk, change);
        let reply = ask_token(&mut desk, &signed);
        assert_eq!(reply.status, 401, "change {index}: {}", reply.body);
        assert_eq!(reply.body["error"], "invalid_client");
    }
    let mut forged = assertion(&desk, |_, _| {});
    forged.replace_range(forged.len() - 4.., "AAAA");
    for text in [forged.as_str(), "", "a", "a.b", "a.b.c", "...", "é.é.é"] {
        assert_eq!(ask_token(&mut desk, text).status, 401, "{text}");
    }
}

#[test]
fn credentials_show_nothing_secret() {
    let desk = Desk::new();
    let credentials = desk.account.credentials();
    let shown = format!("{credentials:?}");
    assert!(shown.contains("1234567_SB1"));
    assert!(!shown.contains(&credentials.consumer_secret));
    assert!(!shown.contains(&credentials.token_id));
    assert!(
        credentials
            .private_key_pem
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
}

#[test]
fn limits_refuse_in_every_form_users_report() {
    let mut desk = Desk::new();
    desk.account
        .configure("requests_per_minute_max", json!(2), desk.now)
        .unwrap();
    assert_eq!(desk.get("/record/v1/term").status, 200);
    assert_eq!(desk.get("/record/v1/term").status, 200);
    let reply = desk.get("/record/v1/term");
    assert_eq!(
        (reply.status, reply.code()),
        (429, "CONCURRENCY_LIMIT_EXCEEDED")
    );
    desk.wait(SignedDuration::from_secs(60));
    assert_eq!(desk.get("/record/v1/term").status, 200);
    desk.account
        .configure("requests_per_minute_max", Value::Null, desk.now)
        .unwrap();
    desk.account
        .configure("concurrency_max", json!(1), desk.now)
        .unwrap();
    for (form, status, code) in [
        ("bad_request", 400, "CONCURRENCY_LIMIT_EXCEEDED"),
        ("too_many_requests", 429, "CONCURRENCY_LIMIT_EXCEEDED"),
        ("request_limit", 400, ""),
        ("invalid_login", 401, "INVALID_LOGIN"),
    ] {
        desk.account
            .configure("concurrency_form", json!(form), desk.now)
            .unwrap();
        desk.wait(SignedDuration::from_secs(1));
        assert_eq!(desk.get("/record/v1/term").status, 200);
        let reply = desk.get("/record/v1/term");
        assert_eq!((reply.status, reply.code()), (status, code), "{form}");
        if form == "request_limit" {
            assert_eq!(reply.body["error"]["code"], "SSS_REQUEST_LIMIT_EXCEEDED");
        }
    }
    assert!(
        desk.account
            .configure("no_such", json!(1), desk.now)
            .is_err()
    );
    assert!(
        desk.account
            .configure("concurrency_form", json!("odd"), desk.now)
            .is_err()
    );
}

#[test]
fn refusals_speak_the_vendors_words() {
    let mut desk = Desk::new();
    let status = |refusal| {
        let reply = Reply::from(desk.account.refusal(refusal));
        (reply.status, reply.code().to_owned())
    };
    let expect = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        status(Refusal::RateLimit),
        expect(429, "CONCURRENCY_LIMIT_EXCEEDED")
    );
    assert_eq!(
        status(Refusal::Concurrency),
        expect(400, "CONCURRENCY_LIMIT_EXCEEDED")
    );
    assert_eq!(
        status(Refusal::ConcurrencyAsLogin),
        expect(401, "INVALID_LOGIN")
    );
    assert_eq!(status(Refusal::TokenExpired), expect(401, "INVALID_LOGIN"));
    assert_eq!(
        status(Refusal::Locked),
        expect(400, "RCRD_HAS_BEEN_CHANGED")
    );
    assert_eq!(
        status(Refusal::ServerError),
        expect(500, "UNEXPECTED_ERROR")
    );
    assert_eq!(status(Refusal::Unavailable), expect(503, ""));
    desk.account
        .set_options(|options| options.limits.form = ConcurrencyForm::TooManyRequests);
    let reply = Reply::from(desk.account.refusal(Refusal::Concurrency));
    assert_eq!(reply.status, 429);
}

/// The published samples, where they can be read.
#[test]
fn error_bodies_equal_the_samples() {
    let root = std::env::var("SLUICE_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let read = |name: &str| -> Option<Value> {
        let text = std::fs::read_to_string(format!("{root}/samples/netsuite/{name}")).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    };
    let (Some(login), Some(limit), Some(content)) = (
        read("error-401-invalid-login.json"),
        read("error-concurrency-limit.json"),
        read("error-400-invalid-content.json"),
    ) else {
        println!("skipped: no samples at SLUICE_SHARED");
        return;
    };
    let mut desk = Desk::new();
    assert_eq!(desk.send_as("", "GET", PATH, &[], b"").body, login);
    let reply = Reply::from(desk.account.refusal(Refusal::Concurrency));
    assert_eq!(reply.body, limit);
    let customer = desk.customer("sample");
    let order = json!({
        "entity": {"id": customer},
        "item": {"items": [{"item": {"id": 9999}, "amount": 1}]},
    });
    assert_eq!(desk.post("/record/v1/salesOrder", &order).body, content);
}
