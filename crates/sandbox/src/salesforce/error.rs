//! Refusals in Salesforce's own words and shapes.
//! <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm>

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Value as Json, json};

/// One refusal: an element of the array REST answers with, or of a save result's `errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Named by errors about a write; REST leaves the key out elsewhere.
    pub(super) fields: Option<Vec<String>>,
}

impl Error {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: None,
        }
    }

    pub(super) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A refused write, naming the fields at fault.
    pub(super) fn write<Name: Into<String>>(
        code: &'static str,
        message: impl Into<String>,
        fields: impl IntoIterator<Item = Name>,
    ) -> Self {
        let fields = fields.into_iter().map(Into::into).collect();
        Self {
            fields: Some(fields),
            ..Self::bad(code, message)
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "The requested resource does not exist",
        )
    }

    /// What is asked of an id or an external id field that does not exist.
    pub(super) fn no_such_key(key: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            format!("Provided external ID field does not exist or is not accessible: {key}"),
        )
    }

    pub(super) fn deleted() -> Self {
        let fields = Some(Vec::new());
        Self {
            fields,
            ..Self::new(
                StatusCode::NOT_FOUND,
                "ENTITY_IS_DELETED",
                "entity is deleted",
            )
        }
    }

    pub(super) fn no_such_column(field: &str, object: &str) -> Self {
        Self::bad(
            "INVALID_FIELD",
            format!("No such column '{field}' on sobject of type {object}"),
        )
    }

    pub(super) fn method(method: &http::Method, allowed: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            format!("HTTP Method '{method}' not allowed. Allowed are {allowed}"),
        )
    }

    pub(super) fn session() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "INVALID_SESSION_ID",
            "Session expired or invalid",
        )
    }

    /// The form in an array answer.
    pub(super) fn json(&self) -> Json {
        match &self.fields {
            Some(fields) => {
                json!({"message": self.message, "errorCode": self.code, "fields": fields})
            }
            None => json!({"message": self.message, "errorCode": self.code}),
        }
    }

    /// The form among a save result's `errors`.
    pub(super) fn save_result(&self) -> Json {
        json!({
            "statusCode": self.code,
            "message": self.message,
            "fields": self.fields.as_deref().unwrap_or_default(),
        })
    }
}

/// The array answer; the first error gives the status.
pub(super) fn answer(errors: &[Error]) -> Response<Bytes> {
    let status = errors
        .first()
        .map_or(StatusCode::BAD_REQUEST, |error| error.status);
    let body: Vec<Json> = errors.iter().map(Error::json).collect();
    json_answer(status, Json::from(body).to_string())
}

/// An answer with a JSON body.
pub(super) fn json_answer(status: StatusCode, body: String) -> Response<Bytes> {
    with_type(status, "application/json;charset=UTF-8", body)
}

/// An answer with a body of this type.
pub(super) fn with_type(
    status: StatusCode,
    content_type: &'static str,
    body: String,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let value = header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}

/// 204.
pub(super) fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
