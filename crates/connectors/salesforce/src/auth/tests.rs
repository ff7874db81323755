use rsa::BigUint;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use sluice_core::ports::KeyValue;
use sluice_core::{Action, code};

use super::*;
use crate::errors::{LIMIT, LOGIN, UNAVAILABLE};
use crate::script::{NOW_S, ORIGIN, answer, answering, run, shared, token};

/// A key for these tests, by its two primes.
fn key() -> RsaPrivateKey {
    let prime = |digits: &[u8]| BigUint::parse_bytes(digits, 16).unwrap();
    let p = prime(
        b"ec6149517113928d50ff10a62b46d75fa5bd275c77b6bb7e0ff3d295ef55b64a\
          bb559d28e80c1ab242aab73845eaf600e706e9d7146694ad09b8b30b255f2c0b",
    );
    let q = prime(
        b"cf096aa230db719ad23ae074bfb560d0875f869e615f8e7355f6d021a7be1220\
          7336d789ea9931c7a8ba83a571b1c4319ce8ee93da6323b1398fe5acad98f95b",
    );
    RsaPrivateKey::from_p_q(p, q, BigUint::from(65537u32)).unwrap()
}

/// What `openssl dgst -sha256 -sign` makes of the same key, header and claims.
const BY_OPENSSL: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJodHRwczovL2xvZ2luLnNhbGVzZm9yY2UuY29tIiwiZXhwIjox",
    "ODAwMDAwMTIwLCJpc3MiOiJjbGllbnQiLCJzdWIiOiJzeW5jQGV4YW1wbGUuY29tIn0.e0Vvd89S1L31h1A1U9b48mYNjAJi2",
    "W-QhNNnZt5PymJgI01R-jj8yyKHBTEcFPkK6ECBJqKR5ZigviP_e0ZJnH0EigU6ay6RyCyOaf2Kow1fhCTWuZbr0Ki8GttJPT",
    "WOJvYAGnobKqRnjmnZj3MS5P2hiJ5EGrj-3OwfZ2GO6Qk",
);

fn settings() -> Settings {
    Settings::read(&*answering(vec![]).ports().variables).unwrap()
}

#[test]
fn the_assertion_is_signed_as_openssl_signs_it_whatever_the_keys_form() {
    let pkcs8 = key().to_pkcs8_pem(LineEnding::LF).unwrap().to_string();
    let pkcs1 = key().to_pkcs1_pem(LineEnding::LF).unwrap().to_string();
    let one_line = pkcs8.replace('\n', "\\n");
    for pem in [pkcs8, pkcs1, one_line] {
        assert!(is_key(&Secret::new(pem.as_str())));
        assert!(!is_key(&Secret::new(pem.replacen("M", "N", 1))));
        let jwt = JwtCredentials {
            client_id: "client".into(),
            username: "sync@example.com".into(),
            private_key: Secret::new(pem),
            audience: "https://login.salesforce.com".into(),
        };
        let now = Timestamp::from_second(NOW_S).unwrap();
        assert_eq!(assertion(&jwt, now).unwrap().expose(), BY_OPENSSL);
    }
}

#[test]
fn both_ways_to_log_in_ask_for_a_token() {
    let pem = key().to_pkcs8_pem(LineEnding::LF).unwrap();
    for (variables, body) in [
        (
            vec![
                ("salesforce_auth", "jwt_bearer"),
                ("salesforce_private_key", pem.as_str()),
            ],
            format!(
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={BY_OPENSSL}"
            ),
        ),
        (
            vec![],
            "grant_type=client_credentials&client_id=client&client_secret=client+secret".to_owned(),
        ),
    ] {
        let script = answering(vec![Ok(token("a"))]);
        let ports = script.ports_with(&variables);
        let settings = Settings::read(&*ports.variables).unwrap();
        let got = run(credential(&ports, &settings, None)).unwrap();
        assert_eq!(got.authorization().expose(), "Bearer 00D!a");
        assert_eq!(got.origin, ORIGIN);
        assert_eq!(
            script.lines(),
            [format!("POST {ORIGIN}/services/oauth2/token {body}")]
        );
        assert_eq!(
            script.header(0, "content-type"),
            "application/x-www-form-urlencoded"
        );
    }
}

#[test]
fn a_token_is_used_until_it_is_refused_and_never_shown() {
    let script = answering(vec![Ok(token("a")), Ok(token("b"))]);
    let ports = script.ports();
    let settings = settings();
    let a = run(credential(&ports, &settings, None)).unwrap();
    let again = run(credential(&ports, &settings, None)).unwrap();
    assert_eq!(again.authorization().expose(), "Bearer 00D!a");
    let b = run(credential(&ports, &settings, Some(&a))).unwrap();
    assert_eq!(b.authorization().expose(), "Bearer 00D!b");
    // Another worker, refused the first token, finds the second one in the store.
    let found = run(credential(&ports, &settings, Some(&a))).unwrap();
    assert_eq!(found.authorization().expose(), "Bearer 00D!b");
    assert_eq!(script.sent.borrow().len(), 2);
    assert!(!format!("{a:?} {settings:?}").contains("00D!"));
    let keys: Vec<String> = script.key_value.0.borrow().keys().cloned().collect();
    assert_eq!(keys.len(), 1);
    assert!(keys[0].starts_with("token:salesforce:") && !keys[0].contains("client"));
}

#[test]
fn what_lies_in_the_store_is_not_trusted() {
    let settings = settings();
    for stored in [
        "not json",
        r#"{"format":2,"access_token":"x","instance_url":"https://acme.my.salesforce.com"}"#,
        r#"{"format":1,"access_token":"x","instance_url":"https://example.com"}"#,
    ] {
        let script = answering(vec![Ok(token("fresh"))]);
        let ports = script.ports();
        run(script
            .key_value
            .set(&cache_key(&settings), stored.as_bytes()))
        .unwrap();
        let got = run(credential(&ports, &settings, None)).unwrap();
        assert_eq!(got.authorization().expose(), "Bearer 00D!fresh", "{stored}");
    }
}

#[test]
fn a_token_goes_to_salesforce_only() {
    for (url, good) in [
        ("https://acme.my.salesforce.com", true),
        ("https://na1.salesforce.com/", true),
        ("https://acme--uat.sandbox.my.salesforce.com", true),
        ("https://example.com", false),
        ("https://salesforce.com.example.com", false),
        ("https://evilsalesforce.com", false),
        ("http://na1.salesforce.com", false),
        ("https://na1.salesforce.com@example.com", false),
        ("https://na1.salesforce.com/x", false),
        ("http://127.0.0.1:1", false),
        ("", false),
    ] {
        let body = serde_json::json!({"access_token": "t", "instance_url": url}).to_string();
        let got = read_login(&answer(200, &body), &settings());
        assert_eq!(got.is_ok(), good, "{url}");
        if let Err(fault) = got {
            assert_eq!(fault.code, code::ANSWER_INVALID, "{url}");
            assert!(fault.message.contains("instance_url"));
        }
    }
}

#[test]
fn an_answer_to_a_login_that_lacks_a_field_says_which() {
    for (body, field) in [
        ("{}", "access_token"),
        (r#"{"access_token":""}"#, "access_token"),
        (r#"{"access_token":"a b"}"#, "access_token"),
        (r#"{"access_token":"a\r\nb"}"#, "access_token"),
        (r#"{"access_token":"ab"}"#, "instance_url"),
        ("<html>", "JSON"),
        ("[]", "JSON"),
    ] {
        let fault = read_login(&answer(200, body), &settings()).unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID);
        assert!(fault.message.contains(field), "{body}: {fault}");
    }
}

#[test]
fn refused_logins_stop_the_flow_unless_waiting_helps() {
    for (status, body, code, stops) in [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"audience is invalid"}"#,
            LOGIN,
            true,
        ),
        (400, r#"{"error":"invalid_client_id"}"#, LOGIN, true),
        (401, r#"{"error":"invalid_client"}"#, LOGIN, true),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"login rate exceeded"}"#,
            LIMIT,
            false,
        ),
        (400, r#"{"error":"rate_limit_exceeded"}"#, LIMIT, false),
        (503, "down", UNAVAILABLE, false),
        (500, r#"{"error":"server_error"}"#, UNAVAILABLE, false),
    ] {
        let fault = read_login(&answer(status, body), &settings()).unwrap_err();
        assert_eq!(fault.code, code, "{body}");
        assert_eq!(fault.action == Action::StopFlow, stops, "{body}");
    }
}

#[test]
fn published_answers_are_read() {
    let Some(body) = shared("samples/salesforce/restforce-fixtures/auth_success_response.json")
    else {
        return;
    };
    let got = read_login(&answer(200, &body), &settings()).unwrap();
    assert_eq!(got.origin, "https://na1.salesforce.com");
    let Some(body) = shared("samples/salesforce/restforce-fixtures/auth_error_response.json")
    else {
        return;
    };
    let fault = read_login(&answer(400, &body), &settings()).unwrap_err();
    assert_eq!(fault.code, LOGIN);
    assert!(fault.message.contains("Invalid Password"));
}
