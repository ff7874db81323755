//! What a connector offers as a webhook.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

use crate::{Hint, Ports, Result};

/// One way in which a system announces changes over HTTP.
///
/// The caller bounds the body, calls [`Hook::verify`], commits the hints, and only then sends
/// [`Hook::acknowledge`].
#[async_trait(?Send)]
pub trait Hook {
    /// The last fixed segment of the route: `POST /hooks/<flow>/<name>[/<rest>]`.
    fn name(&self) -> &'static str;

    fn body_bytes_max(&self) -> usize;

    /// Reads every variable this hook needs.
    fn check(&self, ports: &Ports) -> Result<()>;

    /// Proves that the request comes from the system and reads its hints. `rest` is the path after the
    /// name. Compares secrets in constant time. It may ask the system what the proof needs (a certificate),
    /// of hosts that it knows, and never what the request merely says.
    async fn verify(
        &self,
        ports: &Ports,
        rest: &str,
        request: &Request<Bytes>,
    ) -> Result<Vec<Hint>, Refused>;

    /// The answer once the hints are durable.
    fn acknowledge(&self) -> Response<Bytes>;
}

/// Why a webhook was not accepted: a status and one line that helps no attacker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub reason: &'static str,
}

impl Refused {
    pub const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}
