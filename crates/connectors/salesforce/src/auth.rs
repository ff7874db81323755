//! Who we are to Salesforce: a bearer token, and the org's own host it is good for.
//!
//! - [`credential`]: what the next request is to be sent with; the one function that logs in
//! - [`Credential::authorization`]: the header for one request
//! - [`assertion`], [`login`], [`read_login`]: OAuth 2.0, either
//!   [JWT bearer](https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm) or
//!   [client credentials](https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm)

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response};
use jiff::Timestamp;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{self, DecodeRsaPrivateKey};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::der::pem::PemLabel;
use rsa::pkcs8::{DecodePrivateKey, PrivateKeyInfo, SecretDocument};
use rsa::signature::{SignatureEncoding, Signer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sluice_core::ports::Limit;
use sluice_core::{Body, Ports, Result, Secret, address, answer};

use crate::errors;
use crate::settings::{self, Credentials, JwtCredentials, Settings};

/// Where tokens come from, below the address to log in at.
pub const LOGIN_PATH: &str = "/services/oauth2/token";

/// An assertion is used at once; the vendor allows three minutes.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(120);

/// What a request is sent with. Salesforce does not say how long a token lives (the org's session
/// settings do): it is good until it is refused.
#[derive(Clone, Debug)]
pub struct Credential {
    token: Secret,
    /// The org's own host, where its data is.
    pub origin: String,
}

/// The credential for the next request: the cached token, or one fresh from a login.
///
/// `refused` is the credential Salesforce has just answered 401 to: that token is not used again, but one
/// that another worker has fetched since then is.
///
/// Faults: those of [`read_login`], `STORE_BUSY`, `STORE_FAILED`.
pub async fn credential(
    ports: &Ports,
    settings: &Settings,
    refused: Option<&Credential>,
) -> Result<Credential> {
    let key = cache_key(settings);
    let cached = ports.key_value.get(&key).await?;
    if let Some(known) = cached.and_then(|bytes| Cached::usable(&bytes, settings)) {
        let again = refused.is_some_and(|old| old.token.expose() == known.token.expose());
        if !again {
            return Ok(known);
        }
    }
    let request = login(settings, ports.clock.now())?;
    let response = ports.http.send(request, Limit::default()).await;
    let fresh = read_login(&response.map_err(|error| error.reading())?, settings)?;
    ports.key_value.set(&key, &Cached::of(&fresh)?).await?;
    Ok(fresh)
}

impl Credential {
    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> Secret {
        Secret::new(format!("Bearer {}", self.token.expose()))
    }
}

/// The request that asks for a token.
///
/// Fault: `VARIABLE_INVALID` (stop the flow) if the private key can't be read.
pub fn login(settings: &Settings, now: Timestamp) -> Result<Request<Bytes>> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match &settings.credentials {
        Credentials::Jwt(jwt) => form
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", assertion(jwt, now)?.expose()),
        Credentials::Client(client) => form
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &client.client_id)
            .append_pair("client_secret", client.client_secret.expose()),
    };
    Request::post(format!("{}{LOGIN_PATH}", settings.origin))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(Bytes::from(form.finish()))
        .map_err(errors::not_a_request)
}

/// The JWT that proves possession of the certificate's key: RS256, for one user.
///
/// Fault: `VARIABLE_INVALID` (stop the flow) if the private key can't be read.
pub fn assertion(jwt: &JwtCredentials, now: Timestamp) -> Result<Secret> {
    let key = signing_key(&jwt.private_key).ok_or_else(settings::unreadable_key)?;
    let header = json!({"alg": "RS256", "typ": "JWT"});
    let claims = json!({
        "aud": jwt.audience,
        "exp": now.as_second() + ASSERTION_LIFETIME.as_secs() as i64,
        "iss": jwt.client_id,
        "sub": jwt.username,
    });
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let mut token = format!("{}.{}", encoded(&header), encoded(&claims));
    let signature = key
        .try_sign(token.as_bytes())
        .map_err(|_| settings::unreadable_key())?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    Ok(Secret::new(token))
}

/// Reads a key in PKCS#8 or PKCS#1 form; line breaks may be written as `\n`, as environment files do.
fn signing_key(pem: &Secret) -> Option<SigningKey<Sha256>> {
    let pem = lines(pem);
    let key = RsaPrivateKey::from_pkcs8_pem(pem.expose())
        .ok()
        .or_else(|| RsaPrivateKey::from_pkcs1_pem(pem.expose()).ok())?;
    Some(SigningKey::new(key))
}

/// Whether this has the form of an RSA key. Leaves out the arithmetic: it is asked with every request.
pub(crate) fn is_key(pem: &Secret) -> bool {
    let pem = lines(pem);
    match SecretDocument::from_pem(pem.expose()) {
        Ok((PrivateKeyInfo::PEM_LABEL, document)) => PrivateKeyInfo::from_der(document.as_bytes())
            .is_ok_and(|info| pkcs1::RsaPrivateKey::from_der(info.private_key).is_ok()),
        Ok((pkcs1::RsaPrivateKey::PEM_LABEL, document)) => {
            pkcs1::RsaPrivateKey::from_der(document.as_bytes()).is_ok()
        }
        _ => false,
    }
}

fn lines(pem: &Secret) -> Secret {
    Secret::new(pem.expose().trim().replace("\\n", "\n"))
}

/// Reads the answer to [`login`].
///
/// Faults: `SALESFORCE_LOGIN` (stop the flow) where the vendor refuses who we are, `SALESFORCE_LIMIT`
/// (retry after), `SALESFORCE_UNAVAILABLE` (retry), `ANSWER_INVALID` (retry) naming what is missing.
pub fn read_login(response: &Response<Bytes>, settings: &Settings) -> Result<Credential> {
    if !response.status().is_success() {
        return Err(errors::login_refused(response));
    }
    let body = errors::json(response)?;
    let token = answer::token(&body).ok_or_else(|| errors::answer_lacks("access_token"))?;
    let origin = body
        .at("instance_url")
        .and_then(Value::as_str)
        .and_then(|url| trusted(url, settings))
        .ok_or_else(|| errors::answer_lacks("instance_url"))?;
    Ok(Credential {
        token: Secret::new(token),
        origin,
    })
}

/// The origin of `url`, if a token may be sent there: the host we logged in at, or one of Salesforce's.
fn trusted(url: &str, settings: &Settings) -> Option<String> {
    let origin = address::origin(url).ok()?;
    let salesforces = origin
        .strip_prefix("https://")
        .is_some_and(|host| host.ends_with(".salesforce.com"));
    (origin == settings.origin || salesforces).then_some(origin)
}

/// A token as it lies in the key-value store. It must never be shown.
#[derive(Serialize, Deserialize)]
struct Cached {
    format: u32,
    access_token: String,
    instance_url: String,
}

const CACHED_FORMAT: u32 = 1;

impl Cached {
    fn usable(bytes: &[u8], settings: &Settings) -> Option<Credential> {
        let cached: Self = serde_json::from_slice(bytes).ok()?;
        let origin = trusted(&cached.instance_url, settings)?;
        (cached.format == CACHED_FORMAT).then(|| Credential {
            token: Secret::new(cached.access_token),
            origin,
        })
    }

    fn of(credential: &Credential) -> Result<Vec<u8>> {
        let cached = Self {
            format: CACHED_FORMAT,
            access_token: credential.token.expose().to_owned(),
            instance_url: credential.origin.clone(),
        };
        serde_json::to_vec(&cached).map_err(errors::not_a_request)
    }
}

/// One cache entry for each address, app and user; the ids themselves stay out of the store.
fn cache_key(settings: &Settings) -> String {
    let (client_id, username) = match &settings.credentials {
        Credentials::Jwt(jwt) => (&jwt.client_id, jwt.username.as_str()),
        Credentials::Client(client) => (&client.client_id, ""),
    };
    let mut hash = Sha256::new();
    for part in [&settings.origin, client_id, username] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("token:salesforce:{}", hex::encode(&hash.finalize()[..16]))
}

#[cfg(test)]
mod tests;
