//! The OAuth 2.0 token endpoint.
//! <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm>

use std::collections::HashMap;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use rsa::Pkcs1v15Sign;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{Salesforce, error::json_answer};

/// How far ahead an assertion's expiry may lie: three minutes by the manual, two more for clocks.
const ASSERTION_LIFETIME_MAX_S: i64 = 5 * 60;
/// The grant an assertion comes with.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The error name and description of a refused login.
type Refused = (&'static str, &'static str);

impl Salesforce {
    /// `POST /services/oauth2/token`.
    pub(super) fn token(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if request.method() != Method::POST {
            return refused(("invalid_request", "must use HTTP POST"));
        }
        let mut form = form(request);
        if let Some((id, secret)) = basic(request) {
            form.entry("client_id".to_owned()).or_insert(id);
            form.entry("client_secret".to_owned()).or_insert(secret);
        }
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let outcome = match field("grant_type") {
            "client_credentials" => self.check_client(field("client_id"), field("client_secret")),
            "password" => self
                .check_client(field("client_id"), field("client_secret"))
                .and_then(|()| self.check_password(field("username"), field("password"))),
            JWT_BEARER => self.check_assertion(field("assertion"), now),
            "" => Err(("unsupported_grant_type", "grant type not supported")),
            _ => Err(("unsupported_grant_type", "grant type not supported")),
        };
        if let Err(refusal) = outcome {
            return refused(refusal);
        }
        let token = self.open_session(now);
        let issued_at = now.as_millisecond().to_string();
        let body = json!({
            "access_token": token,
            "instance_url": self.settings.base_url,
            "id": self.identity_url(),
            "token_type": "Bearer",
            "scope": "api",
            "issued_at": issued_at,
            "signature": STANDARD.encode(Sha256::digest(format!("{}{issued_at}", self.organization))),
        });
        json_answer(StatusCode::OK, body.to_string())
    }

    /// `POST /services/oauth2/revoke`.
    pub(super) fn revoke(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let token = form(request).remove("token").unwrap_or_default();
        if self.sessions.end(&token) {
            return json_answer(StatusCode::OK, String::new());
        }
        refused(("unsupported_token_type", "this token type is not supported"))
    }

    /// Whether this is the user's login.
    pub(super) fn check_password(&self, username: &str, password: &str) -> Result<(), Refused> {
        let known = &self.settings.credentials;
        if username == known.username && password == known.password {
            return Ok(());
        }
        Err(("invalid_grant", "authentication failure"))
    }

    fn check_client(&self, id: &str, secret: &str) -> Result<(), Refused> {
        let known = &self.settings.credentials;
        if id != known.client_id {
            return Err(("invalid_client_id", "client identifier invalid"));
        }
        if secret != known.client_secret {
            return Err(("invalid_client", "invalid client credentials"));
        }
        Ok(())
    }

    /// Signature first, then each claim.
    fn check_assertion(&self, assertion: &str, now: Timestamp) -> Result<(), Refused> {
        const INVALID: Refused = ("invalid_grant", "invalid assertion");
        let (signed, signature) = assertion.rsplit_once('.').ok_or(INVALID)?;
        let (header, claims) = signed.split_once('.').ok_or(INVALID)?;
        let header = read(header).ok_or(INVALID)?;
        let claims = read(claims).ok_or(INVALID)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| INVALID)?;
        let credentials = &self.settings.credentials;
        let text = |name: &str| claims.get(name).and_then(Json::as_str).unwrap_or_default();
        if text("iss") != credentials.client_id {
            return Err(("invalid_client_id", "client identifier invalid"));
        }
        let key = credentials.private_key.as_ref().ok_or(INVALID)?.public();
        let is_signed = header.get("alg").and_then(Json::as_str) == Some("RS256")
            && key
                .verify(
                    Pkcs1v15Sign::new::<Sha256>(),
                    &Sha256::digest(signed),
                    &signature,
                )
                .is_ok();
        if !is_signed {
            return Err(INVALID);
        }
        let audience = text("aud").trim_end_matches('/');
        let known = [
            "https://login.salesforce.com",
            "https://test.salesforce.com",
        ];
        if !known.contains(&audience) && audience != self.settings.base_url {
            return Err(("invalid_grant", "audience is invalid"));
        }
        let expiry = claims.get("exp").and_then(whole_seconds).ok_or(INVALID)?;
        if expiry <= now.as_second() {
            return Err(("invalid_grant", "expired authorization code"));
        }
        if expiry > now.as_second() + ASSERTION_LIFETIME_MAX_S {
            return Err(INVALID);
        }
        if text("sub") != credentials.username {
            return Err(("invalid_grant", "user hasn't approved this consumer"));
        }
        Ok(())
    }
}

fn refused((error, description): Refused) -> Response<Bytes> {
    let body = json!({"error": error, "error_description": description});
    json_answer(StatusCode::BAD_REQUEST, body.to_string())
}

/// The fields of the body, and of the address where the body has none.
fn form(request: &Request<Bytes>) -> HashMap<String, String> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let pairs = form_urlencoded::parse(query).chain(form_urlencoded::parse(request.body()));
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn basic(request: &Request<Bytes>) -> Option<(String, String)> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let encoded = value.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn read(part: &str) -> Option<Json> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A number, or the text of one.
fn whole_seconds(json: &Json) -> Option<i64> {
    match json {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => {
            let text = number.to_string();
            text.split('.').next()?.parse().ok()
        }
        _ => None,
    }
}
