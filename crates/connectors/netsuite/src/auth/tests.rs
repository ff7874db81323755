use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier;
use sluice_core::{Action, code};

use super::*;
use crate::script::{self, BY_LOGIN, NOW_S, answer, answering, run, shared};

const TOKEN_URL: &str =
    "https://1234567.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token";

fn vector_credentials(vectors: &Value) -> TokenCredentials {
    let text = |name: &str| vectors.text(name).unwrap().to_owned();
    TokenCredentials {
        consumer_key: text("consumer_key"),
        consumer_secret: Secret::new(text("consumer_secret")),
        token_id: text("token_id"),
        token_secret: Secret::new(text("token_secret")),
    }
}

#[test]
fn the_published_signatures_come_out() {
    let Some(text) = shared("samples/netsuite/tba-hmac-sha256-vectors.json") else {
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let token = vector_credentials(&vectors);
    let nonce = vectors.text("nonce").unwrap();
    let time = Timestamp::from_second(vectors.text("timestamp").unwrap().parse().unwrap()).unwrap();
    let mut count = 0;
    for vector in vectors.list("vectors").unwrap() {
        let expected = vector.text("signature_base64").unwrap();
        let base = vector.text("base_string").unwrap();
        assert_eq!(signature(&token, base), expected);
        // The SOAP vector has no address: its base string is of another make.
        if vector.at("url").is_some() {
            let method = vector.text("method").unwrap().parse().unwrap();
            let url = vector.text("url").unwrap();
            let realm = vector.text("realm").unwrap();
            let header = signed(&token, realm, &method, url, nonce, time);
            assert_eq!(header.expose(), vector.text("header").unwrap());
            let oauth = [
                ("oauth_version", "1.0"),
                ("oauth_consumer_key", token.consumer_key.as_str()),
                ("oauth_nonce", nonce),
                ("oauth_signature_method", "HMAC-SHA256"),
                ("oauth_timestamp", vectors.text("timestamp").unwrap()),
                ("oauth_token", token.token_id.as_str()),
            ];
            assert_eq!(base_string(&method, url, &oauth), base);
            count += 1;
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn parameters_are_encoded_and_sorted_as_the_rfc_has_it() {
    // The request of RFC 5849, section 3.4.1.1, without its form body.
    let base = base_string(
        &Method::GET,
        "http://example.com/r%20v/X?b5=%3D%253D&a3=a&c%40=&a2=r%20b&a3=2+q&t=!*'()~",
        &[("oauth_token", "k-._~")],
    );
    assert_eq!(
        base,
        "GET&http%3A%2F%2Fexample.com%2Fr%2520v%2FX&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da\
         %26b5%3D%253D%25253D%26c%2540%3D%26oauth_token%3Dk-._~%26t%3D%2521%252A%2527%2528%2529~"
    );
}

#[test]
fn every_request_has_its_own_nonce() {
    let script = answering(vec![]);
    let ports = script.ports();
    let settings = Settings::read(&*ports.variables).unwrap();
    let credential = run(credential(&ports, &settings, None)).unwrap();
    let header = |url| {
        let secret = credential.authorization(&settings, &Method::GET, url, &ports);
        secret.expose().to_owned()
    };
    let first = header("https://x/a");
    assert_ne!(first, header("https://x/a"));
    let nonce = first.split("oauth_nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap();
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert!(first.starts_with("OAuth realm=\"1234567\",oauth_consumer_key=\"ck\""));
    assert!(script.lines().is_empty(), "no login is needed");
}

#[test]
fn the_assertion_is_signed_and_says_what_the_vendor_asks_for() {
    let client = ClientCredentials {
        client_id: "client".into(),
        certificate_id: "certificate".into(),
        private_key: Secret::new(script::private_key()),
    };
    let now = Timestamp::from_second(NOW_S).unwrap();
    let token = assertion(&client, TOKEN_URL, now).unwrap();
    let (signed, signature) = token.expose().rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let decode = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(
        decode(header),
        json!({"typ": "JWT", "alg": "ES256", "kid": "certificate"})
    );
    assert_eq!(
        decode(claims),
        json!({
            "iss": "client",
            "scope": ["rest_webservices"],
            "aud": TOKEN_URL,
            "iat": NOW_S,
            "exp": NOW_S + 300,
        })
    );
    let key = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    VerifyingKey::from(key.public_key())
        .verify(signed.as_bytes(), &signature)
        .unwrap();
}

#[test]
fn keys_are_read_in_both_forms() {
    let key = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    let sec1 = key.to_sec1_pem(Default::default()).unwrap();
    for pem in [script::private_key(), sec1.to_string()] {
        assert_eq!(
            signing_key(&Secret::new(pem)).unwrap().to_bytes(),
            key.to_bytes()
        );
    }
    assert!(signing_key(&Secret::new("")).is_none());
}

fn token(name: &str, expires_in: &str) -> Response<Bytes> {
    let body =
        format!(r#"{{"access_token":"{name}","expires_in":{expires_in},"token_type":"bearer"}}"#);
    answer(200, &body)
}

fn bearer(credential: Credential) -> String {
    match credential {
        Credential::Bearer(token) => token.expose().to_owned(),
        Credential::Signer(_) => panic!("a bearer token was expected"),
    }
}

#[test]
fn a_token_is_kept_until_shortly_before_its_end() {
    let script = answering(vec![Ok(token("one", "\"3600\"")), Ok(token("two", "3600"))]);
    let ports = script.ports_with(&BY_LOGIN);
    let settings = Settings::read(&*ports.variables).unwrap();
    let next = || bearer(run(credential(&ports, &settings, None)).unwrap());
    assert_eq!(next(), "one");
    script
        .clock
        .advance(jiff::SignedDuration::from_secs(3600 - 121));
    assert_eq!(next(), "one");
    script.clock.advance(jiff::SignedDuration::from_secs(1));
    assert_eq!(next(), "two");

    let lines = script.lines();
    assert_eq!(lines.len(), 2);
    let form = format!(
        "POST {TOKEN_URL} grant_type=client_credentials&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=ey"
    );
    assert!(lines[0].starts_with(&form), "{}", lines[0]);
    assert_eq!(
        script.header(0, "content-type"),
        "application/x-www-form-urlencoded"
    );
    let keys: Vec<String> = script.key_value.0.borrow().keys().cloned().collect();
    assert_eq!(keys.len(), 1);
    assert!(keys[0].starts_with("token:netsuite:") && keys[0].len() == 15 + 32);
}

#[test]
fn a_refused_token_is_not_used_again_but_another_workers_is() {
    let script = answering(vec![Ok(token("one", "3600")), Ok(token("two", "3600"))]);
    let ports = script.ports_with(&BY_LOGIN);
    let settings = Settings::read(&*ports.variables).unwrap();
    let one = run(credential(&ports, &settings, None)).unwrap();
    let two = run(credential(&ports, &settings, Some(&one))).unwrap();
    assert_eq!(bearer(two), "two");
    let again = run(credential(&ports, &settings, Some(&one))).unwrap();
    assert_eq!(bearer(again), "two");
    assert_eq!(script.lines().len(), 2);
}

#[test]
fn what_lies_in_the_store_need_not_be_a_token() {
    for bytes in [
        "",
        "{}",
        "null",
        r#"{"format":2,"access_token":"x","expires_at_s":9999999999}"#,
        r#"{"format":1,"access_token":"x","expires_at_s":-9223372036854775808}"#,
    ] {
        let script = answering(vec![Ok(token("fresh", "3600"))]);
        let ports = script.ports_with(&BY_LOGIN);
        let settings = Settings::read(&*ports.variables).unwrap();
        let Credentials::Client(client) = &settings.credentials else {
            unreachable!()
        };
        let key = cache_key(&settings, client);
        run(ports.key_value.set(&key, bytes.as_bytes())).unwrap();
        let got = bearer(run(credential(&ports, &settings, None)).unwrap());
        assert_eq!(got, "fresh", "{bytes}");
    }
}

#[test]
fn every_answer_to_a_login_has_its_fault() {
    let now = Timestamp::from_second(NOW_S).unwrap();
    let limit = r#"{"o:errorDetails":[{"o:errorCode":"CONCURRENCY_LIMIT_EXCEEDED"}]}"#;
    for (status, body, code, action) in [
        (
            400,
            r#"{"error":"invalid_grant"}"#,
            errors::LOGIN,
            Action::StopFlow,
        ),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            errors::LOGIN,
            Action::StopFlow,
        ),
        (
            429,
            r#"{"error":"slow_down"}"#,
            errors::CONCURRENCY,
            Action::Retry,
        ),
        (400, limit, errors::CONCURRENCY, Action::Retry),
        (500, "oops", errors::UNAVAILABLE, Action::Retry),
        (503, "", errors::UNAVAILABLE, Action::Retry),
        (401, "<html>", errors::LOGIN, Action::RefreshCredentials),
        (200, "<html>", code::ANSWER_INVALID, Action::Retry),
        (200, "{}", code::ANSWER_INVALID, Action::Retry),
        (
            200,
            r#"{"access_token":"a b","expires_in":1}"#,
            code::ANSWER_INVALID,
            Action::Retry,
        ),
        (
            200,
            r#"{"access_token":"a"}"#,
            code::ANSWER_INVALID,
            Action::Retry,
        ),
        (
            200,
            r#"{"access_token":"a","expires_in":"soon"}"#,
            code::ANSWER_INVALID,
            Action::Retry,
        ),
        (
            200,
            r#"{"access_token":"a","expires_in":-1}"#,
            code::ANSWER_INVALID,
            Action::Retry,
        ),
    ] {
        let Err(fault) = read_login(&answer(status, body), now) else {
            panic!("{status} {body} was accepted")
        };
        assert_eq!(
            (fault.code, &fault.action),
            (code, &action),
            "{status} {body}"
        );
    }
}
