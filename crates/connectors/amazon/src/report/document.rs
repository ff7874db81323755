//! A report's document: where it lies, and downloading it.
//! <https://developer-docs.amazon.com/sp-api/docs/retrieve-a-report>

pub(super) mod gzip;
#[cfg(test)]
pub(super) use gzip::pack;

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, Response, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sluice_core::address::{encoded, origin_of};
use sluice_core::ports::{Limit, SendError};
use sluice_core::time::later;
use sluice_core::{Body, Fault, Ports, Result};

use crate::client::{self, Call};
use crate::errors;
use crate::hosts::{DISTRIBUTION, STORE, is_at};
use crate::limits::GET_REPORT_DOCUMENT;
use crate::settings::{Account, Settings};

/// A document as it is sent, and its text: some twenty thousand lines, for a component has 64 MiB for all it
/// does, and a page of orders is read from the document's beginning.
pub const BYTES_MAX: usize = 8 << 20;

/// An address is good for five minutes; a download begun by then takes its time.
const ADDRESS_LIFETIME: Duration = Duration::from_secs(4 * 60);

/// What came of opening a document.
pub enum Opened {
    Document(Document),
    /// More than we hold.
    TooLarge,
    /// Amazon does not have it any more.
    Gone,
}

/// A document's bytes, as they were sent.
pub struct Document {
    pub bytes: Bytes,
    pub is_packed: bool,
    /// Whether something but the last line proves that nothing is missing: a trailer, or a length.
    pub is_whole: bool,
}

/// Asks for the document's address, unless it is known and still good, and downloads it from there. The
/// address is the credential: no other is sent.
///
/// Faults: `AMAZON_REPORT_INVALID` (retry) for a document that is cut off, (stop the flow) for an address that
/// is not Amazon's; `AMAZON_UNAVAILABLE` (retry); those of [`client::send`].
pub async fn open(
    ports: &Ports,
    settings: &Settings,
    account: &Account,
    id: &str,
) -> Result<Opened> {
    let Some(address) = address(ports, settings, account, id).await? else {
        return Ok(Opened::Gone);
    };
    if !is_amazons(&address.url, account) {
        let message = "a report's document lies at a host that is not Amazon's";
        return Err(Fault::stop_flow(errors::REPORT_INVALID, message));
    }
    let request = Request::get(&address.url).body(Bytes::new());
    let request = request.map_err(errors::not_a_request)?;
    let limit = Limit {
        answer_bytes_max: BYTES_MAX,
        ..Limit::default()
    };
    let response = match ports.http.send(request, limit).await {
        Ok(response) => response,
        Err(SendError::TooLarge) => return Ok(Opened::TooLarge),
        Err(error) => return Err(error.reading()),
    };
    if response.status() != 200 {
        // Perhaps the address has run out; the next one is fresh.
        ports.key_value.delete(&key(id)).await?;
        let status = response.status();
        let message = format!("a report's document could not be downloaded ({status})");
        return Err(Fault::retry(errors::UNAVAILABLE, message));
    }
    whole(response, address.packed).map(Opened::Document)
}

fn whole(response: Response<Bytes>, is_packed: bool) -> Result<Document> {
    let length = response.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|text| text.to_str().ok()?.parse::<usize>().ok());
    let bytes = response.into_body();
    if length.is_some_and(|length| length != bytes.len()) {
        return Err(cut_off("it is shorter than announced"));
    }
    Ok(Document {
        is_whole: is_packed || length.is_some(),
        bytes,
        is_packed,
    })
}

/// A document that may be whole the next time.
pub(super) fn cut_off(why: &str) -> Fault {
    let message = format!("a report's document is cut off: {why}");
    Fault::retry(errors::REPORT_INVALID, message)
}

/// Where a document lies, for a few minutes.
#[derive(Clone, Serialize, Deserialize)]
struct Address {
    format: u32,
    url: String,
    packed: bool,
    #[serde(with = "sluice_core::time")]
    until: Timestamp,
}

const ADDRESS_FORMAT: u32 = 1;

/// `None` where Amazon knows no such document any more. Kept, for asking is limited to once a minute and a
/// document takes many pages.
async fn address(
    ports: &Ports,
    settings: &Settings,
    account: &Account,
    id: &str,
) -> Result<Option<Address>> {
    let now = ports.clock.now();
    let cached = ports.key_value.get(&key(id)).await?;
    let known = cached.and_then(|bytes| serde_json::from_slice::<Address>(&bytes).ok());
    if let Some(known) = known.filter(|it| it.format == ADDRESS_FORMAT && it.until > now) {
        return Ok(Some(known));
    }
    let path = format!("/reports/2021-06-30/documents/{}", encoded(id));
    let call = Call::get(GET_REPORT_DOCUMENT, path);
    let body = match client::send(ports, settings, account, &call).await {
        Ok(response) => errors::json(&response)?,
        Err(fault) if client::is_refusal(&fault, 404) => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let url = body.at("url").and_then(Value::as_str);
    let url = url.ok_or_else(|| errors::answer_lacks("url"))?;
    let packed = match body.at("compressionAlgorithm").and_then(Value::as_str) {
        None => false,
        Some("GZIP") => true,
        Some(_) => return Err(errors::answer_lacks("compressionAlgorithm")),
    };
    let address = Address {
        format: ADDRESS_FORMAT,
        url: url.to_owned(),
        packed,
        until: later(now, ADDRESS_LIFETIME),
    };
    let bytes = serde_json::to_vec(&address).map_err(errors::not_a_request)?;
    ports.key_value.set(&key(id), &bytes).await?;
    Ok(Some(address))
}

fn key(id: &str) -> String {
    let hash = Sha256::digest(id.as_bytes());
    format!("document:amazon:{}", hex::encode(&hash[..16]))
}

/// Amazon's stores and its distribution of them, or beside a private API.
fn is_amazons(url: &str, account: &Account) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let Some((Ok(origin), uri)) = uri.as_ref().map(|uri| (origin_of(uri), uri)) else {
        return false;
    };
    let amazons = [STORE, DISTRIBUTION];
    amazons.iter().any(|host| is_at(uri, host)) || origin == account.origin
}
