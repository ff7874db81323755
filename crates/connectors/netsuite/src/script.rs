//! A scripted NetSuite for unit tests.

use std::rc::Rc;

use bytes::Bytes;
use http::Response;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use sluice_core::Result;
use sluice_core::ports::SendError;

pub use sluice_core::memory::{NOW_S, Script, answer, run, shared};

/// A script for one that signs its requests, unless told otherwise by [`BY_LOGIN`].
pub fn answering(answers: Vec<Result<Response<Bytes>, SendError>>) -> Rc<Script> {
    let variables = [
        ("netsuite_url", "https://1234567.suitetalk.api.netsuite.com"),
        ("netsuite_account", "1234567"),
        ("netsuite_auth", "token"),
        ("netsuite_consumer_key", "ck"),
        ("netsuite_consumer_secret", "cs"),
        ("netsuite_token_id", "tk"),
        ("netsuite_token_secret", "ts"),
        ("netsuite_client_id", "client"),
        ("netsuite_certificate_id", "certificate"),
        ("netsuite_private_key", &private_key()),
    ];
    Script::new(&variables, answers)
}

/// For one that logs in.
pub const BY_LOGIN: [(&str, &str); 1] = [("netsuite_auth", "client_credentials")];

/// A key for these tests, written on one line.
pub fn private_key() -> String {
    let key = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    pem.replace('\n', "\\n")
}

/// A refusal of one detail.
pub fn refused(status: u16, code: &str) -> Response<Bytes> {
    let body = serde_json::json!({"o:errorDetails": [{"detail": "words", "o:errorCode": code}]});
    answer(status, &body.to_string())
}
