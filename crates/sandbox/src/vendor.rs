//! What every simulated vendor offers the world.

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;

/// A stateful simulator of one system, behind that system's wire protocol.
///
/// Deterministic: the same seed, requests and times give the same answers. It reads no clock, opens no
/// socket and draws no randomness but from its seed.
pub trait Vendor: Send {
    /// The name in admin paths and command-line flags: `salesforce`.
    fn name(&self) -> &'static str;

    /// Answers one request at `now`. Never panics, whatever the request holds.
    fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes>;

    /// The answer the vendor itself gives when it refuses a request for this reason.
    fn refusal(&self, refusal: Refusal) -> Response<Bytes>;

    /// Every record of a type as the vendor holds it, sublists inside; `None` for a type it does not know.
    fn records(&self, kind: &str) -> Option<Vec<Value>>;

    /// The webhook deliveries due by `now`. Each is reported back through [`Vendor::delivered`].
    fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        let _ = now;
        Vec::new()
    }

    /// When the next delivery becomes due, if any waits.
    fn next_due(&self) -> Option<Timestamp> {
        None
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

/// A webhook on its way out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Names this attempt; handed back to [`Vendor::delivered`].
    pub id: u64,
    /// The whole request, with an absolute URI.
    pub request: Request<Bytes>,
}
