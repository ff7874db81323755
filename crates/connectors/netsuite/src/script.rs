//! A scripted NetSuite for unit tests: it gives the answers it was told to and keeps what it was asked.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use sluice_core::memory::{ManualClock, MapVariables, MemoryKeyValue, SeededRandom};
use sluice_core::ports::{Cell, Dialect, Http, KeyValue, Limit, Row, SendError, Sql};
use sluice_core::{Fault, Ports, Result, Timestamp, code};

pub const NOW_S: i64 = 1_800_000_000;

pub struct Script {
    answers: RefCell<VecDeque<Result<Response<Bytes>, SendError>>>,
    pub sent: RefCell<Vec<Request<Bytes>>>,
    pub key_value: Rc<MemoryKeyValue>,
    pub clock: Rc<ManualClock>,
}

#[async_trait(?Send)]
impl Http for Script {
    async fn send(&self, request: Request<Bytes>, _: Limit) -> Result<Response<Bytes>, SendError> {
        self.sent.borrow_mut().push(request);
        let answer = self.answers.borrow_mut().pop_front();
        answer.expect("the script has an answer to every request")
    }
}

impl Script {
    pub fn new(answers: Vec<Result<Response<Bytes>, SendError>>) -> Rc<Self> {
        Rc::new(Self {
            answers: RefCell::new(answers.into()),
            sent: RefCell::default(),
            key_value: Rc::default(),
            clock: Rc::new(ManualClock::at(Timestamp::from_second(NOW_S).unwrap())),
        })
    }

    /// The requests so far, as `METHOD url body`.
    pub fn lines(&self) -> Vec<String> {
        let sent = self.sent.borrow();
        let line = |request: &Request<Bytes>| {
            let body = String::from_utf8_lossy(request.body());
            format!("{} {} {body}", request.method(), request.uri())
                .trim_end()
                .to_owned()
        };
        sent.iter().map(line).collect()
    }

    pub fn header(&self, index: usize, name: &str) -> String {
        let sent = self.sent.borrow();
        let value = sent[index].headers().get(name);
        value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }

    pub fn ports(self: &Rc<Self>, auth: &str) -> Ports {
        let variables = [
            ("netsuite_url", "https://1234567.suitetalk.api.netsuite.com"),
            ("netsuite_account", "1234567"),
            ("netsuite_auth", auth),
            ("netsuite_consumer_key", "ck"),
            ("netsuite_consumer_secret", "cs"),
            ("netsuite_token_id", "tk"),
            ("netsuite_token_secret", "ts"),
            ("netsuite_client_id", "client"),
            ("netsuite_certificate_id", "certificate"),
            ("netsuite_private_key", &private_key()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let key_value: Rc<dyn KeyValue> = self.key_value.clone();
        Ports {
            http: self.clone(),
            key_value,
            sql: Rc::new(NoSql),
            clock: self.clock.clone(),
            random: Rc::new(SeededRandom::new(7)),
            variables: Rc::new(MapVariables(variables.into())),
        }
    }
}

/// A key for these tests, written on one line.
pub fn private_key() -> String {
    let key = p256::SecretKey::from_slice(&[7; 32]).unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    pem.replace('\n', "\\n")
}

struct NoSql;

#[async_trait(?Send)]
impl Sql for NoSql {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, _: &str, _: &[Cell]) -> Result<Vec<Row>> {
        Err(Fault::stop_flow(
            code::STORE_FAILED,
            "a connector has no business here",
        ))
    }
}

pub fn answer(status: u16, body: &str) -> Response<Bytes> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Response::builder().status(status).body(body).unwrap()
}

/// A refusal of one detail.
pub fn refused(status: u16, code: &str) -> Response<Bytes> {
    let body = serde_json::json!({"o:errorDetails": [{"detail": "words", "o:errorCode": code}]});
    answer(status, &body.to_string())
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

/// A published sample; `None`, said aloud, where they are not at hand.
pub fn sample(path: &str) -> Option<String> {
    let shared = match std::env::var_os("SLUICE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"),
    };
    let path = shared.join("samples/netsuite").join(path);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no {}", path.display());
    }
    text
}
