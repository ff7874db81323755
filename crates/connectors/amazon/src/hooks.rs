//! How Amazon announces changes: `ORDER_CHANGE` notifications, brought by EventBridge or by SNS.
//!
//! Both only say which order to look at; what they hold of it is never copied.

#[cfg(test)]
mod authority;
mod certificate;
mod event_bridge;
mod notification;
mod roots;
mod sns;

pub use event_bridge::EventBridge;
pub use sns::Sns;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use sluice_core::Refused;

const NOT_FOUND: Refused = Refused::new(404, "not found");
const FORBIDDEN: Refused = Refused::new(403, "not accepted from this sender");
const TOO_LARGE: Refused = Refused::new(413, "the body is too large");
const BAD_JSON: Refused = Refused::new(400, "the body is not an order's notification");
const NOT_CONFIGURED: Refused = Refused::new(503, "not configured");

/// The value of a header that stands there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then_some(value)
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
