//! Who is asking: token-based authentication (OAuth 1.0a, HMAC-SHA256) and OAuth 2.0 client credentials.
//!
//! Oracle: section_1534941088 (the signature), section_162755359851 and section_162790605110 (the token
//! endpoint and the assertion). Every failure of a signed request is the same 401: an attacker learns
//! nothing from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::{Engine as _, engine::general_purpose};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use p256::SecretKey;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::plain_json;

/// What a client needs to sign in to the sandbox's account. Test credentials, made from the seed.
#[derive(Clone)]
pub struct Credentials {
    /// As the realm names it: `1234567_SB1`.
    pub account_id: String,
    /// The integration's key.
    pub consumer_key: String,
    /// The integration's secret.
    pub consumer_secret: String,
    /// The access token's id.
    pub token_id: String,
    /// The access token's secret.
    pub token_secret: String,
    /// OAuth 2.0: the integration's client id.
    pub client_id: String,
    /// OAuth 2.0: the id of the certificate mapping, the assertion's `kid`.
    pub certificate_id: String,
    /// OAuth 2.0: the P-256 key the certificate belongs to, PKCS#8 PEM.
    pub private_key_pem: String,
}

/// Names the account, and nothing secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}

/// Where the token endpoint is.
pub(super) const TOKEN_PATH: &str = "/services/rest/auth/oauth2/v1/token";
/// How far a request's timestamp may lie from the account's clock.
const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Longest life of an assertion.
const ASSERTION_LIFE_S_MAX: i64 = 3600;
/// Tokens kept; the oldest end first.
const TOKEN_COUNT_MAX: usize = 10_000;

/// RFC 3986's unreserved characters stay.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The account's login: its credentials, the nonces it has seen, the tokens it has given out.
pub(super) struct Gate {
    credentials: Credentials,
    key: VerifyingKey,
    nonces: BTreeMap<i64, BTreeSet<String>>,
    tokens: BTreeMap<String, Timestamp>,
    token_life: SignedDuration,
    issued: u64,
    secret: [u8; 32],
}

impl Gate {
    pub fn new(seed: u64, account_id: &str, token_life: SignedDuration) -> Self {
        let key = private_key(seed);
        let pem = key
            .to_pkcs8_pem(LineEnding::LF)
            .map(|pem| pem.to_string())
            .unwrap_or_default();
        let credentials = Credentials {
            account_id: account_id.to_owned(),
            consumer_key: secret_hex(seed, "consumer key"),
            consumer_secret: secret_hex(seed, "consumer secret"),
            token_id: secret_hex(seed, "token id"),
            token_secret: secret_hex(seed, "token secret"),
            client_id: secret_hex(seed, "client id"),
            certificate_id: general_purpose::URL_SAFE_NO_PAD
                .encode(&derive(seed, "certificate id", 0)[..32]),
            private_key_pem: pem,
        };
        Self {
            key: VerifyingKey::from(key.public_key()),
            credentials,
            nonces: BTreeMap::new(),
            tokens: BTreeMap::new(),
            token_life,
            issued: 0,
            secret: derive(seed, "token signing", 0),
        }
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// How long tokens given out from now on live.
    pub fn set_token_life(&mut self, life: SignedDuration) {
        self.token_life = life;
    }

    /// Ends every access token at once.
    pub fn expire_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Whether the request is signed, or carries a living access token. A nonce is used up by being right.
    pub fn admits(&mut self, request: &Request<Bytes>, origin: &str, now: Timestamp) -> bool {
        let Some(value) = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
        else {
            return false;
        };
        match value.split_once(' ') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("oauth") => {
                self.admits_signed(request, origin, rest, now)
            }
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => self
                .tokens
                .get(token.trim())
                .is_some_and(|expiry| now < *expiry),
            _ => false,
        }
    }

    fn admits_signed(
        &mut self,
        request: &Request<Bytes>,
        origin: &str,
        header: &str,
        now: Timestamp,
    ) -> bool {
        let Some(params) = header_params(header) else {
            return false;
        };
        let get = |name: &str| params.get(name).map_or("", String::as_str);
        let credentials = &self.credentials;
        let (nonce, timestamp) = (get("oauth_nonce"), get("oauth_timestamp"));
        let Ok(timestamp) = timestamp.parse::<i64>() else {
            return false;
        };
        let nonce_is_sound = (6..=64).contains(&nonce.len())
            && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let version_is_sound = params
            .get("oauth_version")
            .is_none_or(|version| version == "1.0");
        if !nonce_is_sound
            || !version_is_sound
            || get("oauth_signature_method") != "HMAC-SHA256"
            || get("realm") != credentials.account_id
            || get("oauth_consumer_key") != credentials.consumer_key
            || get("oauth_token") != credentials.token_id
            || now.as_second().saturating_sub(timestamp).saturating_abs() > CLOCK_SKEW_MAX.as_secs()
        {
            return false;
        }
        let base = base_string(request.method().as_str(), origin, request.uri(), &params);
        let key = signing_key(&credentials.consumer_secret, &credentials.token_secret);
        let Ok(signature) = general_purpose::STANDARD.decode(get("oauth_signature")) else {
            return false;
        };
        if !signature_is_right(&key, &base, &signature) {
            return false;
        }
        let oldest = now.as_second() - CLOCK_SKEW_MAX.as_secs();
        self.nonces = self.nonces.split_off(&oldest);
        self.nonces
            .entry(timestamp)
            .or_default()
            .insert(nonce.to_owned())
    }

    /// The token endpoint: an access token for a signed assertion.
    pub fn token(
        &mut self,
        request: &Request<Bytes>,
        origin: &str,
        now: Timestamp,
    ) -> Response<Bytes> {
        if request.method() != http::Method::POST {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
        }
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let get = |name: &str| form.get(name).map_or("", String::as_str);
        if get("grant_type") != "client_credentials" {
            return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type");
        }
        if get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        {
            return refuse(StatusCode::BAD_REQUEST, "invalid_request");
        }
        let own_url = format!(
            "https://{}.suitetalk.api.netsuite.com{TOKEN_PATH}",
            self.credentials.account_id.to_lowercase().replace('_', "-")
        );
        let audiences = [own_url, format!("{origin}{TOKEN_PATH}")];
        if self
            .check_assertion(get("client_assertion"), &audiences, now)
            .is_none()
        {
            return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        let token = self.issue(now);
        let body = json!({
            "access_token": token,
            "expires_in": self.token_life.as_secs().to_string(),
            "token_type": "bearer",
        });
        plain_json(StatusCode::OK, &body)
    }

    fn check_assertion(&self, assertion: &str, audiences: &[String], now: Timestamp) -> Option<()> {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let part = |text: &str| -> Option<Value> {
            serde_json::from_slice(&general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?).ok()
        };
        let (head, claims) = (part(head)?, part(claims)?);
        if head.get("alg")? != "ES256" || head.get("kid")? != &self.credentials.certificate_id {
            return None;
        }
        let signature = general_purpose::URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = Signature::from_slice(&signature).ok()?;
        self.key.verify(signed.as_bytes(), &signature).ok()?;
        let (issued, expires) = (claims.get("iat")?.as_i64()?, claims.get("exp")?.as_i64()?);
        let now_s = now.as_second();
        let audience_is_ours = match claims.get("aud")? {
            Value::String(one) => audiences.contains(one),
            Value::Array(many) => many
                .iter()
                .filter_map(Value::as_str)
                .any(|one| audiences.iter().any(|ours| ours == one)),
            _ => false,
        };
        let scope = claims.get("scope")?;
        let scope_is_granted = match scope {
            Value::String(text) => text.split([',', ' ']).any(|one| one == "rest_webservices"),
            Value::Array(many) => many.iter().any(|one| one == "rest_webservices"),
            _ => false,
        };
        let sound = claims.get("iss")? == &self.credentials.client_id
            && audience_is_ours
            && scope_is_granted
            && expires > now_s
            && expires.saturating_sub(issued) <= ASSERTION_LIFE_S_MAX
            && issued <= now_s.saturating_add(CLOCK_SKEW_MAX.as_secs());
        sound.then_some(())
    }

    fn issue(&mut self, now: Timestamp) -> String {
        self.issued += 1;
        let expiry = now.saturating_add(self.token_life).unwrap_or(now);
        let head = general_purpose::URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
        let claims = json!({
            "iss": self.credentials.client_id,
            "jti": self.issued,
            "exp": expiry.as_second(),
        });
        let claims = general_purpose::URL_SAFE_NO_PAD.encode(claims.to_string());
        let signed = format!("{head}.{claims}");
        let mac = hmac(&self.secret, signed.as_bytes());
        let token = format!(
            "{signed}.{}",
            general_purpose::URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        );
        self.tokens.retain(|_, expiry| now < *expiry);
        if self.tokens.len() < TOKEN_COUNT_MAX {
            self.tokens.insert(token.clone(), expiry);
        }
        token
    }
}

fn refuse(status: StatusCode, error: &str) -> Response<Bytes> {
    plain_json(status, &json!({"error": error}))
}

/// The parameters of `OAuth name="value",…`, decoded.
fn header_params(header: &str) -> Option<BTreeMap<String, String>> {
    let mut params = BTreeMap::new();
    for part in header.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        let decoded = percent_decode_str(value).decode_utf8().ok()?.into_owned();
        if params.insert(name.trim().to_owned(), decoded).is_some() {
            return None;
        }
    }
    Some(params)
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// `METHOD&url&parameters`, each encoded; the realm and the signature are not signed.
fn base_string(
    method: &str,
    origin: &str,
    uri: &http::Uri,
    header: &BTreeMap<String, String>,
) -> String {
    let query = uri.query().unwrap_or_default();
    let mut params: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    params.extend(
        header
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "realm" | "oauth_signature"))
            .map(|(name, value)| (encode(name), encode(value))),
    );
    params.sort();
    let params: Vec<String> = params
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let url = format!("{origin}{}", uri.path());
    format!("{method}&{}&{}", encode(&url), encode(&params.join("&")))
}

fn signing_key(consumer_secret: &str, token_secret: &str) -> String {
    format!("{}&{}", encode(consumer_secret), encode(token_secret))
}

/// Compares in constant time.
fn signature_is_right(key: &str, base: &str, signature: &[u8]) -> bool {
    hmac(key.as_bytes(), base.as_bytes())
        .verify_slice(signature)
        .is_ok()
}

fn hmac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    // Infallible: HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(message);
    mac
}

fn derive(seed: u64, label: &str, attempt: u8) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"sluice netsuite sandbox");
    hash.update(seed.to_le_bytes());
    hash.update(label.as_bytes());
    hash.update([attempt]);
    hash.finalize().into()
}

fn secret_hex(seed: u64, label: &str) -> String {
    hex::encode(derive(seed, label, 0))
}

/// A digest is a valid scalar but for a chance of 2^-32; then the next digest is taken.
fn private_key(seed: u64) -> SecretKey {
    (0..=u8::MAX)
        .find_map(|attempt| SecretKey::from_slice(&derive(seed, "private key", attempt)).ok())
        // Unreachable: 256 digests are never all out of range.
        .expect("a digest within the curve's order")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oracle's published request signatures.
    #[test]
    fn published_vectors() {
        let root = std::env::var("SLUICE_SHARED")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
        let path = format!("{root}/samples/netsuite/tba-hmac-sha256-vectors.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: no signature vectors at SLUICE_SHARED");
            return;
        };
        let file: Value = serde_json::from_str(&text).unwrap();
        let key = signing_key(
            file["consumer_secret"].as_str().unwrap(),
            file["token_secret"].as_str().unwrap(),
        );
        let mut checked = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let Some(url) = vector["url"].as_str() else {
                continue;
            };
            let uri: http::Uri = url.parse().unwrap();
            let origin = format!("https://{}", uri.authority().unwrap());
            let header = vector["header"].as_str().unwrap();
            let params = header_params(header.strip_prefix("OAuth ").unwrap()).unwrap();
            let method = vector["method"].as_str().unwrap();
            let base = base_string(method, &origin, &uri, &params);
            assert_eq!(base, vector["base_string"].as_str().unwrap());
            let signature = general_purpose::STANDARD
                .decode(vector["signature_base64"].as_str().unwrap())
                .unwrap();
            assert!(signature_is_right(&key, &base, &signature));
            assert!(!signature_is_right(&key, &format!("{base}x"), &signature));
            checked += 1;
        }
        assert_eq!(checked, 2);
    }
}
