//! One request to Salesforce: sent, once more with fresh credentials after a 401, and classified.
//!
//! [`send`] is all that touches the network. Below it, what flows do to single records: [`retrieve`],
//! [`update`], [`upsert`].

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Map, Value};
use sluice_core::address::encoded;
use sluice_core::ports::Limit;
use sluice_core::{Body, Fault, Ports, Result};

use crate::API_VERSION;
use crate::auth::{self, Credential};
use crate::errors::{self, Effect};
use crate::id::Id;
use crate::query;
use crate::settings::Settings;

/// What to ask of Salesforce; everything but who asks.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    /// From `/services` on, encoded, with its query.
    pub path: String,
    pub body: Option<Bytes>,
    pub effect: Effect,
}

impl Call {
    /// A read.
    pub fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            effect: Effect::Read,
        }
    }

    /// A change of a record.
    pub fn write(method: Method, path: String, fields: &Map<String, Value>) -> Self {
        Self {
            method,
            path,
            body: Some(Bytes::from(sluice_core::json::write(&Value::Object(
                fields.clone(),
            )))),
            effect: Effect::Write,
        }
    }
}

/// Sends `call`, and a second time after a fresh login if Salesforce refuses the session.
///
/// Faults: those of [`auth::credential`] and [`errors::accept`]; `NOT_SENT`, `ANSWER_LOST` (retry),
/// `ANSWER_TOO_LARGE` (dead letter). Where `call` writes and no whole answer came, the fault says that
/// the write may have taken effect.
pub async fn send(ports: &Ports, settings: &Settings, call: &Call) -> Result<Response<Bytes>> {
    let response = exchange(ports, settings, call).await?;
    errors::accept(call.effect, response)
}

/// As [`send`], but leaves it to the caller to tell good answers from bad.
async fn exchange(ports: &Ports, settings: &Settings, call: &Call) -> Result<Response<Bytes>> {
    let credential = auth::credential(ports, settings, None).await?;
    let response = once(ports, call, &credential).await?;
    if response.status() != 401 {
        return Ok(response);
    }
    let fresh = auth::credential(ports, settings, Some(&credential)).await?;
    once(ports, call, &fresh).await
}

async fn once(ports: &Ports, call: &Call, credential: &Credential) -> Result<Response<Bytes>> {
    let request = request(call, credential)?;
    let sent = ports.http.send(request, Limit::default()).await;
    sent.map_err(|error| match call.effect {
        Effect::Read => error.reading(),
        Effect::Write => error.writing(),
    })
}

fn request(call: &Call, credential: &Credential) -> Result<Request<Bytes>> {
    let secret = credential.authorization();
    let mut authorization =
        HeaderValue::from_str(secret.expose()).map_err(errors::not_a_request)?;
    authorization.set_sensitive(true);
    let mut request = Request::builder()
        .method(&call.method)
        .uri(format!("{}{}", credential.origin, call.path))
        .header(AUTHORIZATION, authorization)
        .header(ACCEPT, "application/json");
    if call.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    request
        .body(call.body.clone().unwrap_or_default())
        .map_err(errors::not_a_request)
}

/// The named fields of a record as it is now; `None` if Salesforce knows none of this id, or deleted it.
///
/// Faults: those of [`send`], `SALESFORCE_REQUEST` (stop the flow) for a name that is no field's.
pub async fn retrieve(
    ports: &Ports,
    settings: &Settings,
    object: &str,
    id: Id,
    fields: &[&str],
) -> Result<Option<Value>> {
    for field in fields {
        query::field_name(field)?;
    }
    let path = format!("{}?fields={}", record_path(object, id), fields.join(","));
    let response = exchange(ports, settings, &Call::get(path)).await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let response = errors::accept(Effect::Read, response)?;
    errors::json(&response)
        .map(query::without_attributes)
        .map(Some)
}

/// Sets fields of a record. Repeating it is safe. Faults: those of [`send`].
pub async fn update(
    ports: &Ports,
    settings: &Settings,
    object: &str,
    id: Id,
    fields: &Map<String, Value>,
) -> Result<()> {
    let call = Call::write(Method::PATCH, record_path(object, id), fields);
    send(ports, settings, &call).await.map(drop)
}

/// What came of an [`upsert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upserted {
    pub id: Id,
    pub created: bool,
}

/// Adds the record whose external id field holds `value`, or sets its fields. Repeating it is safe.
/// `fields` must name neither the external id field nor `Id`.
///
/// Faults: those of [`send`], `SALESFORCE_AMBIGUOUS` (dead letter) if several records hold the value.
pub async fn upsert(
    ports: &Ports,
    settings: &Settings,
    object: &str,
    field: &str,
    value: &str,
    fields: &Map<String, Value>,
) -> Result<Upserted> {
    query::field_name(field)?;
    if value.is_empty() {
        let message = format!("the external id {field} is empty");
        return Err(Fault::dead_letter(errors::INVALID, message));
    }
    let path = format!("{}/{field}/{}", object_path(object), encoded(value));
    let call = Call::write(Method::PATCH, path, fields);
    let response = send(ports, settings, &call).await.map_err(about_field)?;
    read_upsert(&response).map_err(Fault::with_unknown_write)
}

/// An upsert makes what it does not find: 404 says that the object has no such external id field.
fn about_field(fault: Fault) -> Fault {
    match &fault.answer {
        Some(answer) if answer.status == 404 => {
            Fault::stop_flow(errors::REQUEST, &fault.message).with_answer(answer.clone())
        }
        _ => fault,
    }
}

fn read_upsert(response: &Response<Bytes>) -> Result<Upserted> {
    let body = errors::json(response)?;
    let id = body.at("id").and_then(Value::as_str).and_then(Id::parse);
    Ok(Upserted {
        id: id.ok_or_else(|| errors::answer_lacks("id"))?,
        created: response.status() == StatusCode::CREATED,
    })
}

/// The path of everything of this API version.
pub(crate) fn data_path() -> String {
    format!("/services/data/{API_VERSION}")
}

fn object_path(object: &str) -> String {
    format!("{}/sobjects/{}", data_path(), encoded(object))
}

fn record_path(object: &str, id: Id) -> String {
    format!("{}/{id}", object_path(object))
}

#[cfg(test)]
mod tests;
