//! One request to Amazon: within the limits, sent, once more with a fresh token if the old one was refused,
//! and classified.
//!
//! [`send`] is all that touches the API.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;
use sluice_core::ports::Limit;
use sluice_core::{Fault, Ports, Result};

use crate::auth::{self, Credential, Grant};
use crate::errors;
use crate::limits::{self, Operation};
use crate::settings::{Account, Settings};

/// What to ask of Amazon; everything but who asks.
#[derive(Clone, Debug)]
pub struct Call {
    pub operation: Operation,
    /// From the first slash on, encoded, with its query.
    pub path: String,
    /// Sent with POST; without one it is a GET.
    pub body: Option<Bytes>,
    /// Sent only where so many more could be: for what may wait.
    pub leaves: u32,
}

impl Call {
    pub fn get(operation: Operation, path: String) -> Self {
        Self {
            operation,
            path,
            body: None,
            leaves: 0,
        }
    }

    /// What is asked with a body; it changes no record.
    pub fn post(operation: Operation, path: String, body: &Value) -> Self {
        Self {
            body: Some(Bytes::from(sluice_core::json::write(body))),
            ..Self::get(operation, path)
        }
    }

    /// Waits while fewer others than these could be sent besides.
    pub fn leaving(self, others: u32) -> Self {
        Self {
            leaves: others,
            ..self
        }
    }
}

/// Sends `call`, and a second time after a fresh login if Amazon refuses the token.
///
/// Faults: `AMAZON_THROTTLED` (retry after) before anything is sent where no slot is left; those of
/// [`auth::credential`] and [`errors::accept`]; `NOT_SENT`, `ANSWER_LOST` (retry), `ANSWER_TOO_LARGE` (dead
/// letter).
pub async fn send(
    ports: &Ports,
    settings: &Settings,
    account: &Account,
    call: &Call,
) -> Result<Response<Bytes>> {
    let grant = Grant::Seller(account);
    let credential = auth::credential(ports, settings, grant, None).await?;
    match once(ports, settings, account, call, &credential).await {
        Err(fault) if errors::is_about_the_token(&fault) => {
            let fresh = auth::credential(ports, settings, grant, Some(&credential)).await?;
            once(ports, settings, account, call, &fresh).await
        }
        answered => answered,
    }
}

async fn once(
    ports: &Ports,
    settings: &Settings,
    account: &Account,
    call: &Call,
    credential: &Credential,
) -> Result<Response<Bytes>> {
    let grant = Grant::Seller(account);
    // After the login: a slot is not spent on what can't be sent.
    let slot = limits::take_leaving(ports, settings, grant, call.operation, call.leaves).await?;
    let request = request(account, call, credential, ports.clock.now())?;
    let sent = ports.http.send(request, Limit::default()).await;
    // What is asked twice is made twice at worst (a report); no write leaves us.
    let response = sent.map_err(|error| error.reading())?;
    let wait = slot.learn(ports, &response).await?;
    errors::accept(response, wait)
}

fn request(
    account: &Account,
    call: &Call,
    credential: &Credential,
    now: Timestamp,
) -> Result<Request<Bytes>> {
    let mut token =
        HeaderValue::from_str(credential.token().expose()).map_err(errors::not_a_request)?;
    token.set_sensitive(true);
    let method = match call.body {
        Some(_) => Method::POST,
        None => Method::GET,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{}{}", account.origin, call.path))
        .header("x-amz-access-token", token)
        .header("x-amz-date", compact(now))
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "application/json");
    if call.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    request
        .body(call.body.clone().unwrap_or_default())
        .map_err(errors::not_a_request)
}

/// Asks nothing: any answer bears the API's time, and this one costs neither token nor slot.
///
/// Faults: `NOT_SENT`, `ANSWER_LOST` (retry).
pub async fn greet(ports: &Ports, account: &Account) -> Result<Response<Bytes>> {
    let request = Request::get(format!("{}/", account.origin))
        .header(USER_AGENT, AGENT)
        .body(Bytes::new())
        .map_err(errors::not_a_request)?;
    let sent = ports.http.send(request, Limit::default()).await;
    sent.map_err(|error| error.reading())
}

/// Amazon wants to know which application it is and what it is written in.
const AGENT: &str = concat!("Sluice/", env!("CARGO_PKG_VERSION"), " (Language=Rust)");

/// `20261122T195321Z`.
fn compact(now: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(now);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Whether a fault is Amazon's refusal of the request itself, with this status. A login is refused with 400,
/// too, and says nothing about what was to be asked.
pub(crate) fn is_refusal(fault: &Fault, status: u16) -> bool {
    let answer = fault.answer.as_ref();
    fault.code == errors::REQUEST && answer.is_some_and(|answer| answer.status == status)
}

#[cfg(test)]
mod tests;
