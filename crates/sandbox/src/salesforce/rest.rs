//! The data API's entry: session, limits, version, then the resource.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json, json};

use super::{
    API_VERSION, API_VERSION_MIN, Salesforce,
    error::{Error, answer, json_answer},
    schema::{OBJECTS, Object, object},
};
use crate::vendor::Refusal;

/// Largest body read.
const BODY_BYTES_MAX: usize = 50 * 1024 * 1024;

/// One request to the data API, taken apart.
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    /// `v66.0`.
    pub(super) version: String,
    pub(super) version_number: u32,
    pub(super) query: Vec<(String, String)>,
    pub(super) request: &'a Request<Bytes>,
    pub(super) now: Timestamp,
}

pub(super) type Outcome = Result<Response<Bytes>, Error>;

impl Call<'_> {
    /// The value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as a JSON object.
    pub(super) fn body(&self) -> Result<Map<String, Json>, Error> {
        match self.json()? {
            Json::Object(fields) => Ok(fields),
            _ => Err(unreadable(
                "The HTTP entity body must be a JSON object",
                1,
                1,
            )),
        }
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Json, Error> {
        let body = self.request.body();
        if body.len() > BODY_BYTES_MAX {
            let message = "The request is too large";
            return Err(Error::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "REQUEST_TOO_LARGE",
                message,
            ));
        }
        if body.is_empty() {
            return Err(unreadable(
                "The HTTP entity body is required, but this request has no entity body.",
                1,
                1,
            ));
        }
        serde_json::from_slice(body)
            .map_err(|fault| unreadable("Unexpected character", fault.line(), fault.column()))
    }

    pub(super) fn refuse_method<T>(&self, allowed: &str) -> Result<T, Error> {
        Err(Error::method(self.method, allowed))
    }
}

impl Salesforce {
    /// Anything under `/services/data/v`.
    pub(super) fn data(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let outcome = self.check_session(request, now).and_then(|()| {
            self.count_request()?;
            self.dispatch(request, now)
        });
        let mut response = match outcome {
            Ok(response) => response,
            Err(error) => answer(&[error]),
        };
        let usage = format!(
            "api-usage={}/{}",
            self.request_count, self.settings.daily_request_count_max
        );
        if let Ok(value) = HeaderValue::from_str(&usage) {
            response.headers_mut().insert("Sforce-Limit-Info", value);
        }
        response
    }

    fn count_request(&mut self) -> Result<(), Error> {
        if self.request_count >= self.settings.daily_request_count_max {
            return Err(limit_exceeded("TotalRequests Limit exceeded."));
        }
        self.request_count += 1;
        Ok(())
    }

    fn dispatch(&mut self, request: &Request<Bytes>, now: Timestamp) -> Outcome {
        let path = request.uri().path().trim_end_matches('/');
        let mut segments = Vec::new();
        for segment in path.split('/').skip(3) {
            let decoded = percent_decode_str(segment).decode_utf8();
            segments.push(decoded.map_err(|_| Error::not_found())?.into_owned());
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let Some((version, resource)) = segments.split_first() else {
            return Err(Error::not_found());
        };
        let version_number = read_version(version).ok_or_else(Error::not_found)?;
        let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        let call = Call {
            method: request.method(),
            version: (*version).to_owned(),
            version_number,
            query: query.into_owned().collect(),
            request,
            now,
        };
        self.resource(&call, resource)
    }

    fn resource(&mut self, call: &Call<'_>, path: &[&str]) -> Outcome {
        match path {
            [] => get(call, |call| self.resources(&call.version)),
            ["limits"] => get(call, |_| self.limits()),
            ["sobjects"] => get(call, |call| describe_global(&call.version)),
            ["sobjects", name] => self.object_resource(call, known(name)?),
            ["sobjects", name, "describe"] => {
                let object = known(name)?;
                get(call, |call| super::describe::whole(object, &call.version))
            }
            ["sobjects", name, "updated"] => self.updated(call, known(name)?),
            ["sobjects", name, "deleted"] => self.deleted(call, known(name)?),
            ["sobjects", name, id] => self.record_resource(call, known(name)?, id),
            ["sobjects", name, field, key] => self.keyed_resource(call, known(name)?, field, key),
            ["composite", "sobjects"] => self.collection(call),
            ["composite", "sobjects", name] => self.collection_read(call, known(name)?),
            ["composite", "sobjects", name, field] => {
                self.collection_upsert(call, known(name)?, field)
            }
            ["query"] => self.query(call, false),
            ["queryAll"] => self.query(call, true),
            ["query" | "queryAll", locator] => self.next_page(call, locator),
            _ => Err(Error::not_found()),
        }
    }

    fn resources(&self, version: &str) -> Json {
        let at = |name: &str| format!("/services/data/{version}/{name}");
        json!({
            "identity": self.identity_url(),
            "sobjects": at("sobjects"),
            "query": at("query"),
            "queryAll": at("queryAll"),
            "limits": at("limits"),
            "composite": at("composite"),
        })
    }

    fn limits(&self) -> Json {
        let max = self.settings.daily_request_count_max;
        json!({
            "DailyApiRequests": {"Max": max, "Remaining": max.saturating_sub(self.request_count)},
            "DailyBulkApiBatches": {"Max": 0, "Remaining": 0},
        })
    }
}

/// The versions on offer; wants no session.
pub(super) fn versions() -> Response<Bytes> {
    let list: Vec<Json> = (API_VERSION_MIN..=API_VERSION)
        .map(|version| {
            // Three releases a year: v66 is spring 2026, v65 the winter before it, under the same year.
            let season = ["Spring", "Summer", "Winter"][(version % 3) as usize];
            let year = (version + 13) / 3;
            json!({
                "label": format!("{season} '{year}"),
                "url": format!("/services/data/v{version}.0"),
                "version": format!("{version}.0"),
            })
        })
        .collect();
    json_answer(StatusCode::OK, Json::from(list).to_string())
}

/// The answer to a request the organization could have served.
pub(super) fn refusal(refusal: Refusal) -> Response<Bytes> {
    let error = match refusal {
        Refusal::RateLimit => limit_exceeded("TotalRequests Limit exceeded."),
        Refusal::Concurrency => {
            limit_exceeded("ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
        }
        Refusal::ConcurrencyAsLogin | Refusal::TokenExpired => Error::session(),
        Refusal::Locked => Error::write(
            "UNABLE_TO_LOCK_ROW",
            "unable to obtain exclusive access to this record",
            Vec::<String>::new(),
        ),
        Refusal::ServerError => Error::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: \
             1234567890-12345 (-1234567890)",
        ),
        Refusal::Unavailable => Error::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVER_UNAVAILABLE",
            "The server is temporarily unable to service your request due to maintenance downtime or \
             capacity problems. Please try again later.",
        ),
    };
    answer(&[error])
}

/// A 200 with this body, for GET only.
pub(super) fn get(call: &Call<'_>, body: impl FnOnce(&Call<'_>) -> Json) -> Outcome {
    if call.method != Method::GET {
        return call.refuse_method("GET,HEAD");
    }
    Ok(json_answer(StatusCode::OK, body(call).to_string()))
}

fn known(name: &str) -> Result<&'static Object, Error> {
    object(name).ok_or_else(Error::not_found)
}

fn describe_global(version: &str) -> Json {
    let list: Vec<Json> = OBJECTS
        .iter()
        .map(|object| super::describe::summary(object, version))
        .collect();
    json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": list})
}

fn read_version(text: &str) -> Option<u32> {
    let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
    let major: u32 = major.parse().ok()?;
    ((API_VERSION_MIN..=API_VERSION).contains(&major) && minor == "0").then_some(major)
}

fn limit_exceeded(message: &str) -> Error {
    Error::new(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", message)
}

fn unreadable(what: &str, line: usize, column: usize) -> Error {
    Error::bad(
        "JSON_PARSER_ERROR",
        format!("{what} at [line:{line}, column:{column}]"),
    )
}
