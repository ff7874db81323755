//! Notifications as an EventBridge API destination delivers them.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use sha2::{Digest, Sha256};
use sluice_core::{Hint, Hook, Ports, Refused, Result, async_trait};
use subtle::ConstantTimeEq;

use super::notification::{self, field};
use super::{BAD_JSON, NOT_CONFIGURED, NOT_FOUND, TOO_LARGE, answer, only};
use crate::settings::EventSettings;

const NO_KEY: Refused = Refused::new(401, "the API key is missing or wrong");
const NOT_JSON: Refused = Refused::new(415, "the body must be JSON");

/// `POST /hooks/<flow>/eventbridge`: an event of Amazon's partner source, sent by a rule to an API
/// destination.
///
/// Its connection puts the API key into a header; the body is the event, or its `detail` alone if the rule
/// says so. An event may come twice, and late: it says nothing but which order to look at.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html>
pub struct EventBridge;

#[async_trait(?Send)]
impl Hook for EventBridge {
    fn name(&self) -> &'static str {
        "eventbridge"
    }

    /// An event has at most this.
    fn body_bytes_max(&self) -> usize {
        256 << 10
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        EventSettings::read(&*ports.variables).map(drop)
    }

    async fn verify(
        &self,
        ports: &Ports,
        rest: &str,
        request: &Request<Bytes>,
    ) -> Result<Vec<Hint>, Refused> {
        let settings = EventSettings::read(&*ports.variables).map_err(|_| NOT_CONFIGURED)?;
        if !rest.is_empty() {
            return Err(NOT_FOUND);
        }
        // First: without the key nothing else is told. Of equal length, and so in constant time.
        let key = only(request.headers(), settings.header.as_str()).ok_or(NO_KEY)?;
        let given = Sha256::digest(key.as_bytes());
        let wanted = Sha256::digest(settings.key.expose().as_bytes());
        if !bool::from(given.ct_eq(&wanted)) {
            return Err(NO_KEY);
        }
        if request.body().len() > self.body_bytes_max() {
            return Err(TOO_LARGE);
        }
        let content =
            only(request.headers(), CONTENT_TYPE.as_str()).and_then(|it| it.to_str().ok());
        let essence = content.unwrap_or_default().split(';').next();
        let essence = essence.unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(NOT_JSON);
        }
        let event = sluice_core::json::read(request.body()).map_err(|_| BAD_JSON)?;
        let notification = field(&event, "detail").unwrap_or(&event);
        notification::hint(notification, &settings.sellers).map(|hint| vec![hint])
    }

    fn acknowledge(&self) -> Response<Bytes> {
        let accepted = "{\"accepted\":true}\n";
        answer(StatusCode::ACCEPTED, "application/json", accepted)
    }
}
