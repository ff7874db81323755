//! A scripted system for a connector's unit tests: it gives the answers it was told to and keeps what it was
//! asked.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::{ManualClock, MapVariables, MemoryKeyValue, SeededRandom};
use crate::ports::{Cell, Dialect, Http, Limit, Row, SendError, Sql};
use crate::{Fault, Ports, Result, code};

/// When a script begins: seconds since 1970.
pub const NOW_S: i64 = 1_800_000_000;

/// The script, and the ports of whoever asks. `S` stands in for the database.
pub struct Script<S = NoSql> {
    answers: RefCell<VecDeque<Result<Response<Bytes>, SendError>>>,
    variables: Vec<(String, String)>,
    pub sent: RefCell<Vec<Request<Bytes>>>,
    pub key_value: Rc<MemoryKeyValue>,
    pub clock: Rc<ManualClock>,
    pub sql: Rc<S>,
}

#[async_trait(?Send)]
impl<S> Http for Script<S> {
    async fn send(&self, request: Request<Bytes>, _: Limit) -> Result<Response<Bytes>, SendError> {
        self.sent.borrow_mut().push(request);
        let answer = self.answers.borrow_mut().pop_front();
        answer.expect("the script has an answer to every request")
    }
}

impl<S: Sql + Default + 'static> Script<S> {
    /// A script with the variables usual in these tests.
    pub fn new(
        usual: &[(&str, &str)],
        answers: Vec<Result<Response<Bytes>, SendError>>,
    ) -> Rc<Self> {
        let now = Timestamp::from_second(NOW_S).unwrap();
        Rc::new(Self {
            answers: RefCell::new(answers.into()),
            variables: owned(usual).collect(),
            sent: RefCell::default(),
            key_value: Rc::default(),
            clock: Rc::new(ManualClock::at(now)),
            sql: Rc::default(),
        })
    }

    /// The requests so far, as `METHOD url body`; of addresses the query decoded.
    pub fn lines(&self) -> Vec<String> {
        let sent = self.sent.borrow();
        let line = |request: &Request<Bytes>| {
            let body = String::from_utf8_lossy(request.body());
            let url = request.uri().to_string();
            let url = match url.split_once('?') {
                Some((path, query)) => format!("{path}?{}", decoded(query)),
                None => url,
            };
            format!("{} {url} {body}", request.method())
                .trim_end()
                .to_owned()
        };
        sent.iter().map(line).collect()
    }

    /// A header of a request, empty where it has none.
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
        let variables = self.variables.iter().cloned().chain(owned(others));
        Ports {
            http: self.clone(),
            key_value: self.key_value.clone(),
            sql: self.sql.clone(),
            clock: self.clock.clone(),
            random: Rc::new(SeededRandom::new(7)),
            variables: Rc::new(MapVariables(variables.collect())),
        }
    }
}

fn owned(variables: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned)
}

/// The database of those who have no business there.
#[derive(Default)]
pub struct NoSql;

#[async_trait(?Send)]
impl Sql for NoSql {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, _: &str, _: &[Cell]) -> Result<Vec<Row>> {
        let message = "a connector has no business here";
        Err(Fault::stop_flow(code::STORE_FAILED, message))
    }
}

/// An answer without headers.
pub fn answer(status: u16, body: &str) -> Response<Bytes> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Response::builder().status(status).body(body).unwrap()
}

/// What comes of a future that waits for nothing but ports in memory.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..POLL_COUNT_MAX {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("ports in memory make nobody wait");
}

const POLL_COUNT_MAX: usize = 10_000;

/// A query as a person reads it.
fn decoded(query: &str) -> String {
    let query = query.replace('+', " ");
    let decoded = percent_decode_str(&query).decode_utf8();
    decoded.unwrap().into_owned()
}

/// A file below the folder with what vendors publish; `None`, said aloud, where it is not at hand.
pub fn shared(path: &str) -> Option<String> {
    let shared = match std::env::var_os("SLUICE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let path = shared.join(path);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no {}", path.display());
    }
    text
}
