//! One request to NetSuite: sent, once more with fresh credentials after a 401, and classified.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use serde_json::Value;
use sluice_core::address::encoded;
use sluice_core::ports::Limit;
use sluice_core::{Ports, Result};

use crate::auth::{self, Credential};
use crate::errors::{self, Effect};
use crate::settings::Settings;

/// What to ask of NetSuite; everything but who asks.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    /// From `/services` on, encoded, with its query.
    pub path: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<Bytes>,
    pub effect: Effect,
}

impl Call {
    pub fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            headers: Vec::new(),
            body: None,
            effect: Effect::Read,
        }
    }

    /// A change of a record. Names NetSuite does not know are refused instead of ignored, so that a
    /// mistyped field in a mapping is found.
    pub fn write(method: Method, path: String, body: &Value) -> Self {
        Self {
            method,
            path,
            headers: vec![(NAME_VALIDATION, HeaderValue::from_static("Error"))],
            body: Some(Bytes::from(sluice_core::json::write(body))),
            effect: Effect::Write,
        }
    }
}

const NAME_VALIDATION: HeaderName = HeaderName::from_static("x-netsuite-propertynamevalidation");

/// Sends `call`, and a second time with a fresh credential (a new token, or a new nonce) if NetSuite
/// refuses the first one: that is also how it answers to too many requests at once.
///
/// Faults: those of [`auth::credential`] and [`errors::accept`]; `NOT_SENT`, `ANSWER_LOST` (retry),
/// `ANSWER_TOO_LARGE` (dead letter). Where `call` writes and no whole answer came, the fault says that
/// the write may have taken effect.
pub async fn send(ports: &Ports, settings: &Settings, call: &Call) -> Result<Response<Bytes>> {
    let response = exchange(ports, settings, call).await?;
    errors::accept(call.effect, response)
}

async fn exchange(ports: &Ports, settings: &Settings, call: &Call) -> Result<Response<Bytes>> {
    let credential = auth::credential(ports, settings, None).await?;
    let response = once(ports, settings, call, &credential).await?;
    if response.status() != 401 {
        return Ok(response);
    }
    let fresh = auth::credential(ports, settings, Some(&credential)).await?;
    once(ports, settings, call, &fresh).await
}

async fn once(
    ports: &Ports,
    settings: &Settings,
    call: &Call,
    credential: &Credential,
) -> Result<Response<Bytes>> {
    let request = request(ports, settings, call, credential)?;
    let sent = ports.http.send(request, Limit::default()).await;
    sent.map_err(|error| match call.effect {
        Effect::Read => error.reading(),
        Effect::Write => error.writing(),
    })
}

fn request(
    ports: &Ports,
    settings: &Settings,
    call: &Call,
    credential: &Credential,
) -> Result<Request<Bytes>> {
    let url = format!("{}{}", settings.origin, call.path);
    let secret = credential.authorization(settings, &call.method, &url, ports);
    let mut authorization =
        HeaderValue::from_str(secret.expose()).map_err(errors::not_a_request)?;
    authorization.set_sensitive(true);
    let mut request = Request::builder()
        .method(&call.method)
        .uri(url)
        .header(AUTHORIZATION, authorization)
        .header(ACCEPT, "application/json");
    if call.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    request
        .body(call.body.clone().unwrap_or_default())
        .map_err(errors::not_a_request)
}

/// The path of a record under its external id. A colon may stand in a path as it is, and does in
/// `eid:`; everything else that is not unreserved is encoded.
pub fn external_path(kind: &str, external_id: &str) -> String {
    let id = encoded(external_id).replace("%3A", ":");
    format!("{RECORDS}/{kind}/eid:{id}")
}

/// The path of a record under its internal id, which can't be mistaken for an external one.
pub fn internal_path(kind: &str, id: &str) -> String {
    format!("{RECORDS}/{kind}/{}", encoded(id))
}

const RECORDS: &str = "/services/rest/record/v1";

#[cfg(test)]
mod tests;
