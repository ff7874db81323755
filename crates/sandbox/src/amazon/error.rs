//! Answers, and the list of errors every operation refuses with.
//! <https://developer-docs.amazon.com/sp-api/docs/sp-api-errors>

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value as Json, json};

use crate::Refusal;

/// Why an operation was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) details: String,
}

impl Error {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            details: String::new(),
        }
    }

    pub(super) fn with_details(self, details: impl Into<String>) -> Self {
        Self {
            details: details.into(),
            ..self
        }
    }

    /// A parameter that is missing, malformed or forbidden beside another.
    pub(super) fn invalid_input(details: impl Into<String>) -> Self {
        let message = "The request has an invalid parameter.";
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", message).with_details(details)
    }

    pub(super) fn denied(details: &str) -> Self {
        let message = "Access to requested resource is denied.";
        Self::new(StatusCode::FORBIDDEN, "Unauthorized", message).with_details(details)
    }

    pub(super) fn not_found(details: impl Into<String>) -> Self {
        let message = "The requested resource was not found.";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with_details(details)
    }

    pub(super) fn throttled() -> Self {
        let message = "You exceeded your quota for the requested resource.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "QuotaExceeded", message)
    }

    pub(super) fn answer(&self) -> Response<Bytes> {
        let error = json!({
            "code": self.code, "message": self.message, "details": self.details,
        });
        answer(self.status, &json!({"errors": [error]}))
    }
}

/// A JSON answer.
pub(super) fn answer(status: StatusCode, body: &Json) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// A refusal of a request that could have been served.
pub(super) fn refusal(refusal: Refusal) -> Response<Bytes> {
    let error = match refusal {
        Refusal::RateLimit | Refusal::Concurrency | Refusal::ConcurrencyAsLogin => {
            Error::throttled()
        }
        Refusal::TokenExpired => Error::denied(super::access::EXPIRED),
        Refusal::Locked => Error::new(
            StatusCode::CONFLICT,
            "Conflict",
            "The resource is being changed by another request.",
        ),
        Refusal::ServerError => Error::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            "We encountered an internal error. Please try again.",
        ),
        Refusal::Unavailable => Error::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "Service is temporarily unavailable. Please try again.",
        ),
    };
    error.answer()
}
