//! What every simulated vendor offers the world.

use std::any::Any;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;

/// A stateful simulator of one system, behind that system's wire protocol.
///
/// Deterministic: the same seed, requests and times give the same answers. It reads no clock, opens no
/// socket and draws no randomness but from its seed.
pub trait Vendor: Any + Send {
    /// The name in admin paths and command-line flags: `salesforce`.
    fn name(&self) -> &'static str;

    /// Answers one request at `now`. Never panics, whatever the request holds.
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes>;

    /// The answer the vendor itself gives when it refuses a request for this reason.
    fn refusal(&self, refusal: Refusal) -> Response<Bytes>;

    /// Every record of a type as the vendor holds it, sublists inside; `None` for a type it does not know.
    fn records(&self, kind: &str) -> Option<Vec<Value>>;

    /// The types [`Vendor::records`] knows, for the index page.
    fn kinds(&self) -> Vec<String> {
        Vec::new()
    }

    /// Makes a record as one of the vendor's own users would, webhooks included; gives it as now held.
    fn create(&mut self, kind: &str, fields: Value, now: Timestamp) -> Result<Value, EditError> {
        let _ = (kind, fields, now);
        Err(EditError::Unsupported)
    }

    /// Changes the named fields of a record as one of the vendor's own users would; gives it as now held.
    fn edit(
        &mut self,
        kind: &str,
        id: &str,
        fields: Value,
        now: Timestamp,
    ) -> Result<Value, EditError> {
        let _ = (kind, id, fields, now);
        Err(EditError::Unsupported)
    }

    /// Deletes a record as one of the vendor's own users would.
    fn remove(&mut self, kind: &str, id: &str, now: Timestamp) -> Result<(), EditError> {
        let _ = (kind, id, now);
        Err(EditError::Unsupported)
    }

    /// Changes a setting an administrator of the vendor would, such as where webhooks go.
    fn configure(&mut self, setting: &str, value: Value, now: Timestamp) -> Result<(), EditError> {
        let _ = (setting, value, now);
        Err(EditError::Unsupported)
    }

    /// The webhook deliveries due by `now`. Each is reported back through [`Vendor::delivered`].
    fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        let _ = now;
        Vec::new()
    }

    /// When the next delivery becomes due, if any waits.
    fn next_due(&self) -> Option<Timestamp> {
        None
    }

    /// A delivery never left and is not to be tried again: the vendor believes it arrived.
    fn lost(&mut self, id: u64, now: Timestamp) {
        let _ = (id, now);
    }

    /// What came of a delivery: the receiver's answer, or `None` if none arrived.
    fn delivered(&mut self, id: u64, answer: Option<&Response<Bytes>>, now: Timestamp) {
        let _ = (id, answer, now);
    }
}

/// Why a vendor refuses a request it could have served; each vendor words it in its own codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too many requests in a period.
    RateLimit,
    /// Too many requests at once.
    Concurrency,
    /// Too many requests at once, dressed as a failed login.
    ConcurrencyAsLogin,
    /// The record is locked by another writer.
    Locked,
    /// 500 with the vendor's usual body.
    ServerError,
    /// 503 with the vendor's usual body.
    Unavailable,
    /// The access token is no longer valid.
    TokenExpired,
}

/// Why an edit behind the flows' back was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The vendor's simulator offers no such edit.
    #[error("not supported by this vendor's sandbox")]
    Unsupported,
    /// No such type, record or setting.
    #[error("{0}")]
    NotFound(String),
    /// The vendor's own rules forbid it, in the vendor's words.
    #[error("{0}")]
    Refused(String),
}

/// A webhook on its way out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Names this attempt; handed back to [`Vendor::delivered`].
    pub id: u64,
    /// The whole request, with an absolute URI.
    pub request: Request<Bytes>,
}
