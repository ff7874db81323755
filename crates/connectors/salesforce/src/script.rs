//! A scripted Salesforce for unit tests: it gives the answers it was told to and keeps what it was asked.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sluice_core::memory::{ManualClock, MapVariables, MemoryKeyValue, SeededRandom};
use sluice_core::ports::{Cell, Dialect, Http, KeyValue, Limit, Row, SendError, Sql};
use sluice_core::{Fault, Ports, Result, Timestamp, code};

pub const NOW_S: i64 = 1_800_000_000;
pub const ORIGIN: &str = "https://acme.my.salesforce.com";
pub const ORGANIZATION: &str = "00De0000000pmu1EAA";

pub struct Script {
    answers: RefCell<VecDeque<Result<Response<Bytes>, SendError>>>,
    pub sent: RefCell<Vec<Request<Bytes>>>,
    pub key_value: Rc<MemoryKeyValue>,
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
    /// A script whose first answer is to the login.
    pub fn logged_in(answers: Vec<Response<Bytes>>) -> Rc<Self> {
        let login = token("first");
        Self::new(std::iter::once(login).chain(answers).map(Ok).collect())
    }

    pub fn new(answers: Vec<Result<Response<Bytes>, SendError>>) -> Rc<Self> {
        Rc::new(Self {
            answers: RefCell::new(answers.into()),
            sent: RefCell::default(),
            key_value: Rc::default(),
        })
    }

    /// The requests so far, as `METHOD url body`; of addresses the query decoded.
    pub fn lines(&self) -> Vec<String> {
        let sent = self.sent.borrow();
        let line = |request: &Request<Bytes>| {
            let body = String::from_utf8_lossy(request.body());
            let url = request.uri().to_string();
            let url = match url.split_once("?q=") {
                Some((path, query)) => format!("{path}?q={}", decoded(query)),
                None => url,
            };
            format!("{} {url} {body}", request.method())
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

    /// Every answer was asked for.
    pub fn is_done(&self) -> bool {
        self.answers.borrow().is_empty()
    }

    pub fn ports(self: &Rc<Self>) -> Ports {
        self.ports_with(&[])
    }

    /// Ports with the usual variables, some of them other than usual.
    pub fn ports_with(self: &Rc<Self>, others: &[(&str, &str)]) -> Ports {
        let usual = [
            ("salesforce_url", ORIGIN),
            ("salesforce_auth", "client_credentials"),
            ("salesforce_client_id", "client"),
            ("salesforce_client_secret", "client secret"),
            ("salesforce_username", "sync@example.com"),
            ("salesforce_organization_id", ORGANIZATION),
            ("webhook_path_secret", "a-path-secret"),
            ("webhook_hmac_secret", "an hmac secret"),
        ];
        let variables = usual
            .iter()
            .chain(others)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let key_value: Rc<dyn KeyValue> = self.key_value.clone();
        let now = Timestamp::from_second(NOW_S).unwrap();
        Ports {
            http: self.clone(),
            key_value,
            sql: Rc::new(NoSql),
            clock: Rc::new(ManualClock::at(now)),
            random: Rc::new(SeededRandom::new(7)),
            variables: Rc::new(MapVariables(variables.collect())),
        }
    }
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

pub fn run<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

pub fn decoded(query: &str) -> String {
    let pair = format!("q={query}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().unwrap().1.into_owned()
}

/// A published sample; `None`, said aloud, where they are not at hand.
pub fn sample(path: &str) -> Option<String> {
    let shared = match std::env::var_os("SLUICE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"),
    };
    let path = shared.join("samples/salesforce").join(path);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no {}", path.display());
    }
    text
}
