use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::DecodePrivateKey};
use sha2::{Digest, Sha256};

use super::*;

fn sign(pem: &str, claims: &Json) -> String {
    let encode = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", encode(&json!({"alg": "RS256"})), encode(claims));
    let key = RsaPrivateKey::from_pkcs8_pem(pem).unwrap();
    let signature = key
        .sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&signed))
        .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn jwt_desk() -> Desk {
    let mut settings = Settings::new(1);
    settings.credentials = settings.credentials.with_private_key(key());
    Desk::with(settings)
}

fn claims(desk: &Desk) -> Json {
    json!({
        "iss": desk.org.settings().credentials.client_id,
        "sub": desk.org.settings().credentials.username,
        "aud": "https://login.salesforce.com",
        "exp": desk.now.as_second() + 120,
    })
}

fn exchange(desk: &mut Desk, assertion: &str) -> (StatusCode, Json) {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", assertion)
        .finish();
    read(desk.post_form("/services/oauth2/token", form))
}

#[test]
fn jwt_bearer() {
    let mut desk = jwt_desk();
    let pem = key().to_pem().unwrap();
    let assertion = sign(&pem, &claims(&desk));
    let (status, body) = exchange(&mut desk, &assertion);
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["instance_url"], desk.org.settings().base_url.as_str());
    assert!(body.get("refresh_token").is_none() && body.get("expires_in").is_none());
    desk.token = body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(desk.get("/limits").0, StatusCode::OK);
}

#[test]
fn jwt_refusals() {
    let mut desk = jwt_desk();
    let pem = key().to_pem().unwrap();
    let now = desk.now.as_second();
    let cases: [(&str, Json, &str, &str); 6] = [
        (
            "exp",
            json!(now),
            "invalid_grant",
            "expired authorization code",
        ),
        (
            "exp",
            json!(now + 3600),
            "invalid_grant",
            "invalid assertion",
        ),
        ("exp", Json::Null, "invalid_grant", "invalid assertion"),
        (
            "aud",
            json!("https://example.com"),
            "invalid_grant",
            "audience is invalid",
        ),
        (
            "iss",
            json!("someone"),
            "invalid_client_id",
            "client identifier invalid",
        ),
        (
            "sub",
            json!("someone"),
            "invalid_grant",
            "user hasn't approved this consumer",
        ),
    ];
    for (claim, value, error, description) in cases {
        let mut claims = claims(&desk);
        claims[claim] = value;
        let (status, body) = exchange(&mut desk, &sign(&pem, &claims));
        assert_eq!(status, StatusCode::BAD_REQUEST, "{claim}");
        assert_eq!(
            (&body["error"], &body["error_description"]),
            (&json!(error), &json!(description))
        );
    }
}

#[test]
fn jwt_with_another_key_or_altered_claims() {
    let mut desk = jwt_desk();
    let other = PrivateKey::sized(2, 1024).unwrap().to_pem().unwrap();
    let good = sign(&key().to_pem().unwrap(), &claims(&desk));
    let parts: Vec<&str> = good.split('.').collect();
    let mut altered = claims(&desk);
    altered["exp"] = json!(desk.now.as_second() + 200);
    let altered = URL_SAFE_NO_PAD.encode(altered.to_string());
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    for assertion in [
        sign(&other, &claims(&desk)),
        format!("{}.{altered}.{}", parts[0], parts[2]),
        format!("{unsigned}.{}.", parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        "no.jwt.at-all".to_owned(),
        String::new(),
    ] {
        let (status, body) = exchange(&mut desk, &assertion);
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["error_description"], "invalid assertion", "{body}");
    }
}

#[test]
fn client_credentials_and_passwords() {
    let mut desk = Desk::new();
    let known = desk.org.settings().credentials.clone();
    let good_id = known.client_id.as_str();
    let good_secret = known.client_secret.as_str();
    for (grant, id, secret, password, error) in [
        ("client_credentials", good_id, "wrong", "", "invalid_client"),
        (
            "client_credentials",
            "wrong",
            good_secret,
            "",
            "invalid_client_id",
        ),
        ("password", good_id, good_secret, "wrong", "invalid_grant"),
        ("magic", good_id, good_secret, "", "unsupported_grant_type"),
    ] {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", grant)
            .append_pair("client_id", id)
            .append_pair("client_secret", secret)
            .append_pair("username", &known.username)
            .append_pair("password", password)
            .finish();
        let (status, body) = read(desk.post_form("/services/oauth2/token", form));
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::BAD_REQUEST, &json!(error))
        );
        assert!(!body.to_string().contains(good_secret));
    }
}

#[test]
fn soap_login() {
    let mut desk = Desk::new();
    let known = desk.org.settings().credentials.clone();
    let login = |version: &str, password: &str| {
        let body = format!(
            "<se:Envelope xmlns:se=\"http://schemas.xmlsoap.org/soap/envelope/\"><se:Header/><se:Body>\
             <login xmlns=\"urn:partner.soap.sforce.com\"><username>{}</username>\
             <password>{password}</password></login></se:Body></se:Envelope>",
            known.username
        );
        Request::post(format!("/services/Soap/u/{version}"))
            .body(Bytes::from(body))
            .unwrap()
    };
    let (status, body) = read(desk.send(login("50.0", &known.password)));
    assert_eq!(status, StatusCode::OK, "{body}");
    let text = body.as_str().unwrap();
    let token = text
        .split("<sessionId>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    desk.token = token.to_owned();
    assert_eq!(desk.get("/limits").0, StatusCode::OK);

    let (status, body) = read(desk.send(login("50.0", "wrong &amp; &#65;")));
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        body.as_str()
            .unwrap()
            .contains("<faultstring>INVALID_LOGIN: ")
    );
    let (status, _) = read(desk.send(login("66.0", &known.password)));
    assert_eq!(
        status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "retired from v65 on"
    );
}

#[test]
fn sessions_end_by_disuse() {
    let mut settings = Settings::new(1);
    settings.session_lifetime = std::time::Duration::from_secs(900);
    let mut desk = Desk::with(settings);
    for _ in 0..3 {
        desk.wait(800);
        assert_eq!(desk.get("/limits").0, StatusCode::OK, "use keeps it alive");
    }
    desk.wait(901);
    let (status, code, error) = desk.refused(Method::GET, "/limits", None);
    assert_eq!((status, code.as_str()), (401, "INVALID_SESSION_ID"));
    assert_eq!(error["message"], "Session expired or invalid");
    desk.log_in();
    assert_eq!(desk.get("/limits").0, StatusCode::OK);
    desk.org.end_sessions();
    assert_eq!(desk.get("/limits").0, StatusCode::UNAUTHORIZED);
    desk.token = String::new();
    assert_eq!(desk.get("/limits").0, StatusCode::UNAUTHORIZED);
}
