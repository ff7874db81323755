//! A report's document: where it lies, downloading it, unpacking it.
//! <https://developer-docs.amazon.com/sp-api/docs/retrieve-a-report>

mod gzip;
#[cfg(test)]
pub(super) use gzip::pack;

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
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
use crate::limits::GET_REPORT_DOCUMENT;
use crate::settings::{Account, Settings};

/// A document as it is sent; a component has to hold it.
pub const PACKED_BYTES_MAX: usize = 16 << 20;
/// A document unpacked: some hundred thousand lines.
pub const TEXT_BYTES_MAX: usize = 64 << 20;

/// An address is good for five minutes; a download begun by then takes its time.
const ADDRESS_LIFETIME: Duration = Duration::from_secs(4 * 60);

/// What came of opening a document.
pub enum Opened {
    Text(Document),
    /// More than we hold.
    TooLarge,
    /// Amazon does not have it any more.
    Gone,
}

/// A document's bytes, whole and unpacked.
pub struct Document {
    pub bytes: Vec<u8>,
    /// As the answer says, in lower case.
    pub charset: Option<String>,
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
        answer_bytes_max: PACKED_BYTES_MAX,
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
    unpack(response, address.packed)
}

fn unpack(response: Response<Bytes>, packed: bool) -> Result<Opened> {
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|it: &http::HeaderValue| it.to_str().ok())
    };
    let charset = header(CONTENT_TYPE).and_then(charset);
    let length: Option<usize> = header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
    let body = response.body();
    if length.is_some_and(|length| length != body.len()) {
        return Err(cut_off("it is shorter than announced"));
    }
    if !packed {
        return Ok(Opened::Text(Document {
            is_whole: length.is_some(),
            bytes: body.to_vec(),
            charset,
        }));
    }
    match gzip::unpack(body, TEXT_BYTES_MAX) {
        Ok(bytes) => Ok(Opened::Text(Document {
            bytes,
            charset,
            is_whole: true,
        })),
        Err(gzip::Unpackable::TooLarge) => Ok(Opened::TooLarge),
        Err(gzip::Unpackable::CutOff(why)) => Err(cut_off(why)),
    }
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
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let known = [".amazonaws.com", ".cloudfront.net"];
    let amazons = origin.starts_with("https://") && known.iter().any(|tail| host.ends_with(tail));
    amazons || origin == account.origin
}

fn charset(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').skip(1);
    let charset = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    charset.map(|name| name.trim().trim_matches('"').to_ascii_lowercase())
}
