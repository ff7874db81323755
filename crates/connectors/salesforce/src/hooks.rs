//! How Salesforce announces changes: outbound messages, and JSON webhooks signed with HMAC-SHA256.
//!
//! Both only say which records to look at; what they hold of them is never copied.

mod message;

use std::collections::BTreeMap;

use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sluice_core::{Hint, Hook, Kind, Ports, Refused, Result, Secret, Version, async_trait};
use subtle::ConstantTimeEq;

use crate::id::Id;
use crate::query;
use crate::settings::{MessageSettings, SignatureSettings};

/// Notifications in one outbound message; the vendor's own limit.
pub const NOTIFICATION_COUNT_MAX: usize = 100;
/// Records in one JSON webhook; as many as one Apex trigger handles at once.
pub const CHANGE_COUNT_MAX: usize = 200;
/// How far the timestamp of a JSON webhook may be from our clock, either way.
pub const SIGNATURE_AGE_MAX: SignedDuration = SignedDuration::from_mins(5);

/// When a JSON webhook was signed, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "x-sluice-timestamp";
/// The signature of a JSON webhook: `sha256=` and 64 hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-sluice-signature";

const NOT_FOUND: Refused = Refused::new(404, "not found");
const FORBIDDEN: Refused = Refused::new(403, "not accepted from this sender");
const UNSIGNED: Refused = Refused::new(401, "the signature is missing, wrong or too old");
const TOO_LARGE: Refused = Refused::new(413, "the body is too large");
const NOT_XML: Refused = Refused::new(415, "the body must be XML in UTF-8");
const NOT_JSON: Refused = Refused::new(415, "the body must be JSON in UTF-8");
const BAD_JSON: Refused = Refused::new(400, "the body is not a list of changed records");
const BAD_COUNT: Refused = Refused::new(400, "the body names no record, or too many");
const WRONG_OBJECT: Refused = Refused::new(400, "records of this object are not synced here");
const NOT_CONFIGURED: Refused = Refused::new(503, "not configured");

/// `POST /hooks/<flow>/outbound-message/<secret>`: workflow outbound messages (SOAP).
///
/// Salesforce does not sign them: the secret in the path and the organization's id prove the sender.
/// It repeats what is not acknowledged for 24 hours.
/// <https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm>
pub struct OutboundMessage {
    /// The records it announces; others are refused.
    pub kind: Kind,
}

#[async_trait(?Send)]
impl Hook for OutboundMessage {
    fn name(&self) -> &'static str {
        "outbound-message"
    }

    /// A hundred notifications with long texts; the vendor names no limit.
    fn body_bytes_max(&self) -> usize {
        4 << 20
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        MessageSettings::read(&*ports.variables).map(drop)
    }

    async fn verify(
        &self,
        ports: &Ports,
        rest: &str,
        request: &Request<Bytes>,
    ) -> Result<Vec<Hint>, Refused> {
        let settings = MessageSettings::read(&*ports.variables).map_err(|_| NOT_CONFIGURED)?;
        // First: without the secret nothing else is told.
        if !same(
            rest.strip_prefix('/').unwrap_or(rest),
            &settings.path_secret,
        ) {
            return Err(NOT_FOUND);
        }
        if request.body().len() > self.body_bytes_max() {
            return Err(TOO_LARGE);
        }
        if !is_type(request.headers(), &["text/xml", "application/xml"]) {
            return Err(NOT_XML);
        }
        let message = message::read(request.body(), self.kind.name)?;
        if message.organization != settings.organization {
            return Err(FORBIDDEN);
        }
        let hint = |(id, modstamp): (Id, Option<Timestamp>)| hint(self.kind, id, modstamp);
        Ok(message.records.into_iter().map(hint).collect())
    }

    fn acknowledge(&self) -> Response<Bytes> {
        answer(StatusCode::OK, "text/xml; charset=utf-8", message::ACK)
    }
}

/// `POST /hooks/<flow>/json`: what a flow or an Apex callout sends.
///
/// Headers `X-Sluice-Timestamp` (Unix seconds) and `X-Sluice-Signature`
/// (`sha256=` and the hexadecimal HMAC-SHA256, under `webhook_hmac_secret`, of timestamp, `.` and body).
/// Body: `{"object": "Opportunity", "ids": ["006…"], "changes": [{"id": "006…", "systemModstamp": "…"}]}`,
/// either list or both; of a record that stands in both, the change time
/// counts.
pub struct Json {
    /// The records it announces; others are refused.
    pub kind: Kind,
}

#[async_trait(?Send)]
impl Hook for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn body_bytes_max(&self) -> usize {
        64 << 10
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        SignatureSettings::read(&*ports.variables).map(drop)
    }

    async fn verify(
        &self,
        ports: &Ports,
        rest: &str,
        request: &Request<Bytes>,
    ) -> Result<Vec<Hint>, Refused> {
        let settings = SignatureSettings::read(&*ports.variables).map_err(|_| NOT_CONFIGURED)?;
        if !rest.is_empty() {
            return Err(NOT_FOUND);
        }
        if request.body().len() > self.body_bytes_max() {
            return Err(TOO_LARGE);
        }
        let now = ports.clock.now();
        signed(&settings.secret, now, request).ok_or(UNSIGNED)?;
        if !is_type(request.headers(), &["application/json"]) {
            return Err(NOT_JSON);
        }
        let body: Announced = serde_json::from_slice(request.body()).map_err(|_| BAD_JSON)?;
        body.hints(self.kind)
    }

    fn acknowledge(&self) -> Response<Bytes> {
        answer(
            StatusCode::ACCEPTED,
            "application/json",
            "{\"accepted\":true}\n",
        )
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Announced {
    object: String,
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    changes: Vec<AnnouncedChange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnouncedChange {
    id: String,
    #[serde(rename = "systemModstamp")]
    system_modstamp: Option<String>,
}

impl Announced {
    fn hints(self, kind: Kind) -> Result<Vec<Hint>, Refused> {
        if self.object != kind.name {
            return Err(WRONG_OBJECT);
        }
        if self.ids.len().max(self.changes.len()) > CHANGE_COUNT_MAX {
            return Err(BAD_COUNT);
        }
        // A record may stand in both lists: one hint, with the latest change time.
        let mut records: BTreeMap<Id, Option<Timestamp>> = BTreeMap::new();
        for id in &self.ids {
            records.entry(Id::parse(id).ok_or(BAD_JSON)?).or_default();
        }
        for change in &self.changes {
            let modstamp = match &change.system_modstamp {
                Some(text) => Some(query::time(text).ok_or(BAD_JSON)?),
                None => None,
            };
            let known = records.entry(Id::parse(&change.id).ok_or(BAD_JSON)?);
            let known = known.or_default();
            *known = modstamp.max(*known);
        }
        if !(1..=CHANGE_COUNT_MAX).contains(&records.len()) {
            return Err(BAD_COUNT);
        }
        let hints = records.into_iter();
        Ok(hints
            .map(|(id, modstamp)| hint(kind, id, modstamp))
            .collect())
    }
}

fn hint(kind: Kind, id: Id, modstamp: Option<Timestamp>) -> Hint {
    Hint {
        id: kind.id(id.to_string()),
        version: modstamp.map(|time| Version(time.as_millisecond())),
    }
}

/// Whether the request is signed, and now.
fn signed(secret: &Secret, now: Timestamp, request: &Request<Bytes>) -> Option<()> {
    let headers = request.headers();
    let timestamp = only(headers, TIMESTAMP_HEADER)?;
    let digits = timestamp.len() <= 11 && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let time = Timestamp::from_second(timestamp.parse().ok().filter(|_| digits)?).ok()?;
    let signature = only(headers, SIGNATURE_HEADER)?.strip_prefix("sha256=")?;
    let signature = hex::decode(signature).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(request.body());
    // Compares in constant time.
    mac.verify_slice(&signature).ok()?;
    (now.duration_since(time).abs() <= SIGNATURE_AGE_MAX).then_some(())
}

/// The value of a header that stands there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value: &HeaderValue = values.next()?;
    values.next().is_none().then_some(value)?.to_str().ok()
}

/// Whether the content is of one of these types and, if it says so, in UTF-8.
fn is_type(headers: &HeaderMap, types: &[&str]) -> bool {
    let Some(value) = only(headers, CONTENT_TYPE.as_str()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = types
        .iter()
        .any(|known| known.eq_ignore_ascii_case(essence));
    let is_utf8 = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    known && parts.all(is_utf8)
}

/// Compares in constant time, whatever the lengths.
fn same(given: &str, secret: &Secret) -> bool {
    let given = Sha256::digest(given.as_bytes());
    let wanted = Sha256::digest(secret.expose().as_bytes());
    given.ct_eq(&wanted).into()
}

fn answer(status: StatusCode, content_type: &'static str, body: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

#[cfg(test)]
mod tests;
