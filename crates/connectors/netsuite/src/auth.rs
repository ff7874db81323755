//! Who we are to NetSuite: signed requests (OAuth 1.0a) or a bearer token (OAuth 2.0).
//!
//! - [`credential`]: what the next request is to be sent with; the one function that logs in
//! - [`Credential::authorization`]: the header for one request
//! - [`base_string`], [`signature`]: OAuth 1.0a with HMAC-SHA256, as the vendor's
//!   "The Signature for Web Services and RESTlets" (section_1534941088) and RFC 5849 have it
//! - [`assertion`], [`login`], [`read_login`]: the client credentials flow
//!   (section_162755359851, section_162790605110)

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, Response};
use jiff::Timestamp;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sluice_core::address::encoded;
use sluice_core::ports::Limit;
use sluice_core::{Body, Ports, Result, Secret, answer};

use crate::errors;
use crate::settings::{self, ClientCredentials, Credentials, Settings, TokenCredentials};

/// Where tokens come from, below the account's address; also the audience of the assertion.
pub const LOGIN_PATH: &str = "/services/rest/auth/oauth2/v1/token";

/// An assertion is used at once; the vendor allows an hour.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(300);

/// A cached token is not used so shortly before its end that the request could outlast it.
const TOKEN_MARGIN: Duration = Duration::from_secs(120);

/// The vendor's tokens live for an hour; a longer promise is not believed.
const TOKEN_LIFETIME_MAX_S: i64 = 24 * 3600;

/// What a request is sent with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Signs each request anew, with a nonce and a time of its own.
    Signer(TokenCredentials),
    Bearer(Secret),
}

/// The credential for the next request: a signer, or the cached token, or a token fresh from a login.
///
/// `refused` is the credential NetSuite has just answered 401 to: that token is not used again, but one
/// that another worker has fetched since then is.
///
/// Faults: those of [`read_login`], `STORE_BUSY`, `STORE_FAILED`.
pub async fn credential(
    ports: &Ports,
    settings: &Settings,
    refused: Option<&Credential>,
) -> Result<Credential> {
    let client = match &settings.credentials {
        Credentials::Token(token) => return Ok(Credential::Signer(token.clone())),
        Credentials::Client(client) => client,
    };
    let now = ports.clock.now();
    let key = cache_key(settings, client);
    let cached = ports.key_value.get(&key).await?;
    if let Some(token) = cached.and_then(|bytes| Cached::usable(&bytes, now)) {
        let again =
            matches!(refused, Some(Credential::Bearer(old)) if old.expose() == token.expose());
        if !again {
            return Ok(Credential::Bearer(token));
        }
    }
    let request = login(settings, client, now)?;
    let response = ports.http.send(request, Limit::default()).await;
    let cached = read_login(&response.map_err(|error| error.reading())?, now)?;
    ports.key_value.set(&key, &cached.to_bytes()?).await?;
    Ok(Credential::Bearer(Secret::new(cached.access_token)))
}

impl Credential {
    /// The value of the `Authorization` header for one request; `url` is the whole address, as sent.
    pub fn authorization(
        &self,
        settings: &Settings,
        method: &Method,
        url: &str,
        ports: &Ports,
    ) -> Secret {
        match self {
            Self::Bearer(token) => Secret::new(format!("Bearer {}", token.expose())),
            Self::Signer(token) => {
                let mut nonce = [0; 16];
                ports.random.fill(&mut nonce);
                let nonce = hex::encode(nonce);
                let time = ports.clock.now();
                signed(token, &settings.account, method, url, &nonce, time)
            }
        }
    }
}

/// The OAuth 1.0a header for one request.
pub fn signed(
    token: &TokenCredentials,
    realm: &str,
    method: &Method,
    url: &str,
    nonce: &str,
    time: Timestamp,
) -> Secret {
    let time_s = time.as_second().to_string();
    let parameters = [
        ("oauth_consumer_key", token.consumer_key.as_str()),
        ("oauth_token", token.token_id.as_str()),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", &time_s),
        ("oauth_nonce", nonce),
        ("oauth_version", "1.0"),
    ];
    let signature = signature(token, &base_string(method, url, &parameters));
    let mut header = format!("OAuth realm=\"{}\"", encoded(realm));
    for (name, value) in parameters
        .into_iter()
        .chain([("oauth_signature", signature.as_str())])
    {
        header.push_str(&format!(",{name}=\"{}\"", encoded(value)));
    }
    Secret::new(header)
}

/// What is signed: the method, the address without its query, and all parameters in order. The realm and
/// a JSON body are not part of it.
pub fn base_string(method: &Method, url: &str, oauth: &[(&str, &str)]) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (encoded(&name), encoded(&value)))
        .chain(
            oauth
                .iter()
                .map(|(name, value)| (encoded(name), encoded(value))),
        )
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!(
        "{method}&{}&{}",
        encoded(address),
        encoded(&pairs.join("&"))
    )
}

/// HMAC-SHA256 over the base string under both secrets, in base64.
pub fn signature(token: &TokenCredentials, base_string: &str) -> String {
    let key = Secret::new(format!(
        "{}&{}",
        encoded(token.consumer_secret.expose()),
        encoded(token.token_secret.expose())
    ));
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(key.expose().as_bytes());
    // HMAC takes keys of every length.
    let mut mac = mac.unwrap_or_else(|_| unreachable!());
    mac.update(base_string.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The request that exchanges an assertion for a token.
///
/// Fault: `VARIABLE_INVALID` (stop the flow) if the private key can't be read.
pub fn login(
    settings: &Settings,
    client: &ClientCredentials,
    now: Timestamp,
) -> Result<Request<Bytes>> {
    let url = format!("{}{LOGIN_PATH}", settings.origin);
    let assertion = assertion(client, &url, now)?;
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("client_assertion", assertion.expose())
        .finish();
    Request::post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(Bytes::from(form))
        .map_err(errors::not_a_request)
}

/// The JWT that proves possession of the certificate's key: ES256, for REST web services only.
pub fn assertion(client: &ClientCredentials, audience: &str, now: Timestamp) -> Result<Secret> {
    let key = signing_key(&client.private_key).ok_or_else(settings::unreadable_key)?;
    let issued_s = now.as_second();
    let header = json!({"typ": "JWT", "alg": "ES256", "kid": client.certificate_id});
    let claims = json!({
        "iss": client.client_id,
        "scope": ["rest_webservices"],
        "aud": audience,
        "iat": issued_s,
        "exp": issued_s + ASSERTION_LIFETIME.as_secs() as i64,
    });
    let base64 = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let mut token = format!("{}.{}", base64(&header), base64(&claims));
    let signature: Signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    Ok(Secret::new(token))
}

/// Reads a key in PKCS#8 or SEC1 form; line breaks may be written as `\n`, as environment files do.
pub(crate) fn signing_key(pem: &Secret) -> Option<SigningKey> {
    let pem = Secret::new(pem.expose().replace("\\n", "\n"));
    SigningKey::from_pkcs8_pem(pem.expose()).ok().or_else(|| {
        let key = p256::SecretKey::from_sec1_pem(pem.expose()).ok()?;
        Some(SigningKey::from(key))
    })
}

/// A token as it lies in the key-value store. It must never be shown.
#[derive(Serialize, Deserialize)]
pub struct Cached {
    format: u32,
    access_token: String,
    expires_at_s: i64,
}

const CACHED_FORMAT: u32 = 1;

/// Reads the answer to [`login`].
///
/// Faults: `NETSUITE_LOGIN` (stop the flow) where the vendor refuses the assertion, `NETSUITE_CONCURRENCY`
/// and `NETSUITE_UNAVAILABLE` (retry), `ANSWER_INVALID` (retry) naming what is missing.
pub fn read_login(response: &Response<Bytes>, now: Timestamp) -> Result<Cached> {
    if !response.status().is_success() {
        return Err(errors::login_refused(response));
    }
    let body = errors::json(response)?;
    let token = answer::token(&body).ok_or_else(|| errors::answer_lacks("access_token"))?;
    let lifetime_s = body
        .at("expires_in")
        .and_then(seconds)
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| errors::answer_lacks("expires_in"))?;
    Ok(Cached {
        format: CACHED_FORMAT,
        access_token: token.to_owned(),
        expires_at_s: now.as_second() + lifetime_s.min(TOKEN_LIFETIME_MAX_S),
    })
}

impl Cached {
    /// The token, if these bytes hold one that outlives the next request.
    fn usable(bytes: &[u8], now: Timestamp) -> Option<Secret> {
        let cached: Self = serde_json::from_slice(bytes).ok()?;
        let left_s = cached.expires_at_s.checked_sub(now.as_second())?;
        let usable = cached.format == CACHED_FORMAT && left_s > TOKEN_MARGIN.as_secs() as i64;
        usable.then(|| Secret::new(cached.access_token))
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(errors::not_a_request)
    }
}

/// One cache entry for each account, client and certificate; the ids themselves stay out of the store.
fn cache_key(settings: &Settings, client: &ClientCredentials) -> String {
    let mut hash = Sha256::new();
    for part in [&settings.origin, &client.client_id, &client.certificate_id] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("token:netsuite:{}", hex::encode(&hash.finalize()[..16]))
}

/// The vendor sends this number as text, too.
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

#[cfg(test)]
mod tests;
