//! A scripted Salesforce for unit tests.

use std::rc::Rc;

use bytes::Bytes;
use http::Response;
use sluice_core::Result;
use sluice_core::ports::SendError;

pub use sluice_core::memory::{NOW_S, Script, answer, run, shared};

pub const ORIGIN: &str = "https://acme.my.salesforce.com";
pub const ORGANIZATION: &str = "00De0000000pmu1EAA";

const VARIABLES: [(&str, &str); 8] = [
    ("salesforce_url", ORIGIN),
    ("salesforce_auth", "client_credentials"),
    ("salesforce_client_id", "client"),
    ("salesforce_client_secret", "client secret"),
    ("salesforce_username", "sync@example.com"),
    ("salesforce_organization_id", ORGANIZATION),
    ("webhook_path_secret", "a-path-secret"),
    ("webhook_hmac_secret", "an hmac secret"),
];

pub fn answering(answers: Vec<Result<Response<Bytes>, SendError>>) -> Rc<Script> {
    Script::new(&VARIABLES, answers)
}

/// A script whose first answer is to the login.
pub fn logged_in(answers: Vec<Response<Bytes>>) -> Rc<Script> {
    let login = token("first");
    answering(std::iter::once(login).chain(answers).map(Ok).collect())
}

/// The answer to a login.
pub fn token(name: &str) -> Response<Bytes> {
    let body = serde_json::json!({
        "access_token": format!("00D!{name}"),
        "instance_url": ORIGIN,
        "token_type": "Bearer",
    });
    answer(200, &body.to_string())
}

/// A refusal of one detail.
pub fn refused(status: u16, code: &str) -> Response<Bytes> {
    let body = serde_json::json!([{"message": "words", "errorCode": code}]);
    answer(status, &body.to_string())
}

/// A whole answer to a query.
pub fn records(records: serde_json::Value) -> Response<Bytes> {
    let count = records.as_array().unwrap().len();
    let body = serde_json::json!({"totalSize": count, "done": true, "records": records});
    answer(200, &body.to_string())
}
