//! Answers in NetSuite's shapes: resources, collections and `o:errorDetails`.
//!
//! Oracle: "Error Handling in REST Web Services" (section_156570709583) and the published contract's
//! `nsError`.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::Refusal;

/// How NetSuite words a refusal for too many requests at once: users report all three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConcurrencyForm {
    /// 400 with `CONCURRENCY_LIMIT_EXCEEDED`.
    #[default]
    BadRequest,
    /// 429 with `CONCURRENCY_LIMIT_EXCEEDED`.
    TooManyRequests,
    /// 400 with `SSS_REQUEST_LIMIT_EXCEEDED`, as scripts word it.
    RequestLimit,
}

/// Where in the request a detail points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// JSON path in the body.
    Path(String),
    /// Name of a query parameter.
    Query(String),
    /// Name of a header.
    Header(&'static str),
    /// The URL itself.
    Url(String),
}

/// One entry of `o:errorDetails`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Detail {
    pub text: String,
    pub code: &'static str,
    pub place: Option<Place>,
}

impl Detail {
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code,
            place: None,
        }
    }

    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// A breach of the account's business rules, in the wording the REST layer wraps them in.
    pub fn user_error(text: impl std::fmt::Display) -> Self {
        Self::new(
            "USER_ERROR",
            format!("Error while accessing a resource. {text}"),
        )
    }

    /// A value that cannot be read as the field's type.
    pub fn invalid_value(field: &str, path: &str) -> Self {
        Self::new(
            "INVALID_VALUE",
            format!(
                "Invalid value for the resource or sub-resource field '{field}'. Provide a valid value."
            ),
        )
        .at(Place::Path(path.to_owned()))
    }

    /// A well-formed value the field does not take, such as a reference to nothing.
    pub fn invalid_field_value(value: &str, field: &str, path: &str) -> Self {
        Self::new(
            "INVALID_CONTENT",
            format!(
                "Error while accessing resource: You have entered an Invalid Field Value {value} \
                 for the following field: {field}"
            ),
        )
        .at(Place::Path(path.to_owned()))
    }

    fn json(&self) -> Value {
        let mut entry = json!({"detail": self.text, "o:errorCode": self.code});
        let (name, value) = match &self.place {
            None => return entry,
            Some(Place::Path(path)) => ("o:errorPath", path.clone()),
            Some(Place::Query(name)) => ("o:errorQueryParam", name.clone()),
            Some(Place::Header(name)) => ("o:errorHeader", (*name).to_owned()),
            Some(Place::Url(url)) => ("o:errorUrl", url.clone()),
        };
        entry[name] = Value::String(value);
        entry
    }
}

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub status: StatusCode,
    pub details: Vec<Detail>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: Detail) -> Self {
        Self {
            status,
            details: vec![detail],
        }
    }

    pub fn bad_request(detail: Detail) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub fn user_error(text: impl std::fmt::Display) -> Self {
        Self::bad_request(Detail::user_error(text))
    }

    pub fn nonexistent() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            Detail::new(
                "NONEXISTENT_ID",
                "The record instance does not exist. Provide a valid record instance ID.",
            ),
        )
    }

    pub fn method_not_allowed(method: &http::Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Detail::new(
                "METHOD_NOT_ALLOWED",
                format!("The method {method} is not allowed on this resource."),
            ),
        )
    }

    pub fn invalid_login() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            Detail::new(
                "INVALID_LOGIN",
                "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI \
                 at Setup > Users/Roles > User Management > View Login Audit Trail.",
            ),
        )
    }

    /// The first detail's text, for a person.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.details.iter().map(|d| d.text.as_str()).collect();
        texts.join(" ")
    }

    pub fn response(&self) -> Response<Bytes> {
        let details: Vec<Value> = self.details.iter().map(Detail::json).collect();
        let body = json!({
            "type": problem_type(self.status),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "o:errorDetails": details,
        });
        json_response(self.status, ERROR_TYPE, &body)
    }
}

const ERROR_TYPE: &str = "application/vnd.oracle.resource+json; type=error; charset=UTF-8";
const SINGULAR_TYPE: &str = "application/vnd.oracle.resource+json; type=singular; charset=UTF-8";
const COLLECTION_TYPE: &str =
    "application/vnd.oracle.resource+json; type=collection; charset=UTF-8";

const RFC2616: &str = "https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html";

fn problem_type(status: StatusCode) -> String {
    let status = status.as_u16();
    match status {
        // Oracle's sample for a refused login names no section.
        401 => RFC2616.to_owned(),
        400..=417 => format!("{RFC2616}#sec10.4.{}", status - 399),
        500..=505 => format!("{RFC2616}#sec10.5.{}", status - 499),
        _ => RFC2616.to_owned(),
    }
}

pub(super) fn singular(body: &Value) -> Response<Bytes> {
    json_response(StatusCode::OK, SINGULAR_TYPE, body)
}

pub(super) fn collection(body: &Value) -> Response<Bytes> {
    json_response(StatusCode::OK, COLLECTION_TYPE, body)
}

pub(super) fn plain_json(status: StatusCode, body: &Value) -> Response<Bytes> {
    json_response(status, "application/json; charset=UTF-8", body)
}

pub(super) fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The 204 of a write: where the record is, and what was ignored of the body.
pub(super) fn written(location: &str, warnings: &[String]) -> Response<Bytes> {
    let mut response = no_content();
    if let Ok(value) = header::HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    if !warnings.is_empty()
        && let Ok(value) = header::HeaderValue::from_str(&warnings.join("; "))
    {
        response
            .headers_mut()
            .insert("x-netsuite-propertyvalidation", value);
    }
    response
}

fn json_response(status: StatusCode, media_type: &'static str, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(media_type),
    );
    response
}

/// The vendor's own words for each reason to refuse a request it could have served.
pub(super) fn refusal(refusal: Refusal, form: ConcurrencyForm) -> Response<Bytes> {
    match refusal {
        Refusal::RateLimit => concurrency(ConcurrencyForm::TooManyRequests),
        Refusal::Concurrency => concurrency(form),
        Refusal::ConcurrencyAsLogin | Refusal::TokenExpired => Problem::invalid_login().response(),
        Refusal::Locked => Problem::bad_request(record_changed()).response(),
        Refusal::ServerError => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Detail::new(
                "UNEXPECTED_ERROR",
                "An unexpected error occurred. Error ID: l2h9x0m1q8b5c3d7f6k4a",
            ),
        )
        .response(),
        Refusal::Unavailable => {
            let page = "<html><head><title>NetSuite</title></head><body>NetSuite is temporarily \
                        unavailable. Please try again later.</body></html>";
            let mut response = Response::new(Bytes::from_static(page.as_bytes()));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                header::HeaderValue::from_static("text/html; charset=UTF-8"),
            );
            response
        }
    }
}

fn concurrency(form: ConcurrencyForm) -> Response<Bytes> {
    match form {
        // As users report it, this one carries neither type nor status.
        ConcurrencyForm::BadRequest => {
            let body = json!({
                "title": "Bad Request",
                "o:errorDetails": [{
                    "detail": "Concurrent request limit exceeded. Request blocked. Verify your \
                        concurrency limits at Setup > Integration > Integration Management > \
                        Integration Governance.",
                    "o:errorCode": "CONCURRENCY_LIMIT_EXCEEDED",
                }],
            });
            json_response(StatusCode::BAD_REQUEST, ERROR_TYPE, &body)
        }
        ConcurrencyForm::TooManyRequests => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            Detail::new(
                "CONCURRENCY_LIMIT_EXCEEDED",
                "Concurrent request limit exceeded. Request blocked.",
            ),
        )
        .response(),
        ConcurrencyForm::RequestLimit => {
            let body = json!({"error": {
                "code": "SSS_REQUEST_LIMIT_EXCEEDED",
                "message": "Request Limit Exceeded",
            }});
            plain_json(StatusCode::BAD_REQUEST, &body)
        }
    }
}

/// Another writer saved the record first.
pub(super) fn record_changed() -> Detail {
    Detail::new(
        "RCRD_HAS_BEEN_CHANGED",
        "Error while accessing a resource. Record has been changed.",
    )
}

/// Another writer made the record first.
pub(super) fn duplicate_record() -> Detail {
    Detail::new(
        "DUP_RCRD",
        "Error while accessing a resource. This record already exists.",
    )
}
