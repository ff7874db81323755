//! Responses: JSON for people and schedulers, one line for whoever is refused.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use sluice_core::{Action, Fault};

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut text = body.to_string();
    text.push('\n');
    with(status, "application/json", text)
}

/// A refusal: one line.
pub(crate) fn refuse(status: StatusCode, reason: &str) -> Response<Bytes> {
    let mut response = with(status, "text/plain; charset=utf-8", format!("{reason}\n"));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A fault as an answer: 503 for what passes or can be set right, 500 for what can't be served.
pub fn problem(fault: &Fault) -> Response<Bytes> {
    let status = match fault.action {
        Action::DeadLetter => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    json(
        status,
        &json!({ "fault": fault, "message": fault.to_string() }),
    )
}

fn with(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
