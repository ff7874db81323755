//! Events as an EventBridge API destination gets them.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html>

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::show::time;

/// Where events go, and the key they carry.
#[derive(Clone)]
pub(super) struct ApiDestination {
    pub(super) url: Uri,
    pub(super) header: HeaderName,
    pub(super) key: String,
}

/// Whose bus it comes over.
pub(super) struct Bus<'a> {
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) application: &'a str,
}

impl ApiDestination {
    /// The whole request; nothing if the key is none a header can hold.
    pub(super) fn request(
        &self,
        bus: &Bus,
        kind: &str,
        detail: &Json,
        id: &str,
        now: Timestamp,
    ) -> Option<Request<Bytes>> {
        let event = json!({
            "version": "0",
            "id": id,
            "detail-type": kind,
            "source": source(bus.account, bus.application),
            "account": bus.account,
            "time": time(now),
            "region": bus.region,
            "resources": [],
            "detail": detail,
        });
        Request::post(self.url.clone())
            .header(self.header.clone(), &self.key)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::USER_AGENT, "Amazon/EventBridge/ApiDestinations")
            .header(header::RANGE, "bytes=0-1048575")
            .body(Bytes::from(event.to_string()))
            .ok()
    }
}

/// The partner event source of an application.
pub(super) fn source(account: &str, application: &str) -> String {
    format!("aws.partner/sellingpartnerapi.amazon.com/{account}/{application}")
}

/// Whether an answer asks for another try: what may pass, and what a new key may heal.
pub(super) fn is_worth_another_try(answer: Option<&Response<Bytes>>) -> bool {
    answer.is_none_or(|answer| {
        let status = answer.status();
        status.is_server_error()
            || [
                StatusCode::UNAUTHORIZED,
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
                StatusCode::CONFLICT,
                StatusCode::TOO_MANY_REQUESTS,
            ]
            .contains(&status)
    })
}
