//! Who we are to Amazon: an access token from Login with Amazon, good for an hour.
//!
//! - [`credential`]: what the next request is to be sent with; the one function that logs in
//! - [`Grant`]: in whose name: a seller's account, or the application's own
//! - [`login`], [`read_login`]: OAuth 2.0, a
//!   [refresh token](https://developer-docs.amazon.com/sp-api/docs/connect-to-the-selling-partner-api) or
//!   [client credentials](https://developer-docs.amazon.com/sp-api/docs/grantless-operations)
//!
//! Requests are not signed: Amazon has not asked for it since October 2023.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sluice_core::ports::Limit;
use sluice_core::time::later;
use sluice_core::{Body, Ports, Result, Secret, answer};

use crate::errors;
use crate::settings::{Account, Settings};

/// Where tokens come from, below the address to log in at.
pub const LOGIN_PATH: &str = "/auth/o2/token";

/// What notification destinations are made with.
pub const NOTIFICATIONS_SCOPE: &str = "sellingpartnerapi::notifications";

/// A token this close to its end is not used any more: a request takes up to thirty seconds.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);
/// No token lives longer, whatever an answer says.
const TOKEN_LIFETIME_MAX_S: u64 = 24 * 3600;

/// In whose name a token speaks.
#[derive(Clone, Copy, Debug)]
pub enum Grant<'a> {
    /// The seller's, by their refresh token.
    Seller(&'a Account),
    /// The application's own, for operations that no seller grants.
    Notifications,
}

/// What a request is sent with.
#[derive(Clone, Debug)]
pub struct Credential {
    token: Secret,
    expires: Timestamp,
}

impl Credential {
    /// The value of the `x-amz-access-token` header.
    pub fn token(&self) -> &Secret {
        &self.token
    }
}

/// The credential for the next request: the cached token, or one fresh from a login.
///
/// `refused` is the credential Amazon has just refused: that token is not used again, but one that another
/// worker has fetched since then is.
///
/// Faults: those of [`read_login`], `STORE_BUSY`, `STORE_FAILED`.
pub async fn credential(
    ports: &Ports,
    settings: &Settings,
    grant: Grant<'_>,
    refused: Option<&Credential>,
) -> Result<Credential> {
    let key = format!("token:amazon:{}", grant.hash(settings));
    let now = ports.clock.now();
    let cached = ports.key_value.get(&key).await?;
    if let Some(known) = cached.and_then(|bytes| Cached::usable(&bytes, now)) {
        let again = refused.is_some_and(|old| old.token.expose() == known.token.expose());
        if !again {
            return Ok(known);
        }
    }
    let request = login(settings, grant)?;
    let response = ports.http.send(request, Limit::default()).await;
    let fresh = read_login(&response.map_err(|error| error.reading())?, now)?;
    ports.key_value.set(&key, &Cached::of(&fresh)?).await?;
    Ok(fresh)
}

/// The request that asks for a token.
pub fn login(settings: &Settings, grant: Grant<'_>) -> Result<Request<Bytes>> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match grant {
        Grant::Seller(account) => form
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", account.refresh_token.expose()),
        Grant::Notifications => form
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", NOTIFICATIONS_SCOPE),
    };
    form.append_pair("client_id", &settings.client_id)
        .append_pair("client_secret", settings.client_secret.expose());
    Request::post(format!("{}{LOGIN_PATH}", settings.login_origin))
        .header(
            CONTENT_TYPE,
            "application/x-www-form-urlencoded;charset=UTF-8",
        )
        .header(ACCEPT, "application/json")
        .body(Bytes::from(form.finish()))
        .map_err(errors::not_a_request)
}

/// Reads the answer to [`login`].
///
/// Faults: `AMAZON_LOGIN` (stop the flow) where Amazon refuses who we are, `AMAZON_THROTTLED` (retry after),
/// `AMAZON_UNAVAILABLE` (retry), `ANSWER_INVALID` (retry) naming what is missing.
pub fn read_login(response: &Response<Bytes>, now: Timestamp) -> Result<Credential> {
    if !response.status().is_success() {
        return Err(errors::login_refused(response));
    }
    let body = errors::json(response)?;
    let token = answer::token(&body).ok_or_else(|| errors::answer_lacks("access_token"))?;
    let lifetime = body
        .at("expires_in")
        .and_then(Value::as_u64)
        .ok_or_else(|| errors::answer_lacks("expires_in"))?;
    Ok(Credential {
        token: Secret::new(token),
        expires: later(now, Duration::from_secs(lifetime.min(TOKEN_LIFETIME_MAX_S))),
    })
}

/// A token as it lies in the key-value store. It must never be shown.
#[derive(Serialize, Deserialize)]
struct Cached {
    format: u32,
    access_token: String,
    #[serde(with = "sluice_core::time")]
    expires: Timestamp,
}

const CACHED_FORMAT: u32 = 1;

impl Cached {
    fn usable(bytes: &[u8], now: Timestamp) -> Option<Credential> {
        let cached: Self = serde_json::from_slice(bytes).ok()?;
        let lives = cached.expires > later(now, TOKEN_MARGIN);
        (cached.format == CACHED_FORMAT && lives).then(|| Credential {
            token: Secret::new(cached.access_token),
            expires: cached.expires,
        })
    }

    fn of(credential: &Credential) -> Result<Vec<u8>> {
        let cached = Self {
            format: CACHED_FORMAT,
            access_token: credential.token.expose().to_owned(),
            expires: credential.expires,
        };
        serde_json::to_vec(&cached).map_err(errors::not_a_request)
    }
}

impl Grant<'_> {
    /// Names a grant where secrets may not stand: the same for all workers that share it.
    pub(crate) fn hash(self, settings: &Settings) -> String {
        let (kind, secret) = match self {
            Grant::Seller(account) => ("seller", account.refresh_token.expose()),
            Grant::Notifications => ("notifications", ""),
        };
        let mut hash = Sha256::new();
        for part in [&settings.login_origin, &settings.client_id, kind, secret] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex::encode(&hash.finalize()[..16])
    }
}

#[cfg(test)]
mod tests;
