//! A scripted Amazon for unit tests: it gives the answers it was told to and keeps what it was asked.

use std::cell::{Cell as Counter, RefCell};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use sluice_core::memory::{ManualClock, MapVariables, MemoryKeyValue, SeededRandom};
use sluice_core::ports::{Cell, Dialect, Http, KeyValue, Limit, Row, SendError, Sql};
use sluice_core::{Ports, Result, Timestamp};

pub const NOW_S: i64 = 1_800_000_000;
pub const NA: &str = "https://sellingpartnerapi-na.amazon.com";
pub const EU: &str = "https://sellingpartnerapi-eu.amazon.com";
pub const SELLER: &str = "A3TH9S8BH6GOGM";
pub const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";

pub struct Script {
    answers: RefCell<VecDeque<Result<Response<Bytes>, SendError>>>,
    pub sent: RefCell<Vec<Request<Bytes>>>,
    pub key_value: Rc<MemoryKeyValue>,
    pub clock: Rc<ManualClock>,
    pub slots: Rc<Slots>,
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
        let now = Timestamp::from_second(NOW_S).unwrap();
        Rc::new(Self {
            answers: RefCell::new(answers.into()),
            sent: RefCell::default(),
            key_value: Rc::default(),
            clock: Rc::new(ManualClock::at(now)),
            slots: Rc::default(),
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
            ("amazon_client_id", "client"),
            ("amazon_client_secret", "client secret"),
            ("amazon_marketplaces", "US, CA"),
            ("amazon_refresh_token_na", "refresh na"),
            ("amazon_refresh_token_eu", "refresh eu"),
            ("amazon_seller_id", SELLER),
            ("amazon_sns_topic", TOPIC),
            ("amazon_notification_key", "an api key"),
        ];
        let variables = usual
            .iter()
            .chain(others)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let key_value: Rc<dyn KeyValue> = self.key_value.clone();
        Ports {
            http: self.clone(),
            key_value,
            sql: self.slots.clone(),
            clock: self.clock.clone(),
            random: Rc::new(SeededRandom::new(7)),
            variables: Rc::new(MapVariables(variables.collect())),
        }
    }
}

/// Stands in for the table of limits: every slot is given, until none is.
#[derive(Default)]
pub struct Slots {
    pub dry_ms: Counter<Option<i64>>,
    /// What was done, by its first word and the bucket's operation.
    pub log: RefCell<Vec<String>>,
}

#[async_trait(?Send)]
impl Sql for Slots {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>> {
        let [
            Cell::Text(name),
            _,
            Cell::Integer(interval),
            Cell::Integer(burst),
            rest @ ..,
        ] = parameters
        else {
            panic!("no statement of the limits: {statement}");
        };
        let operation = name.rsplit(':').next().unwrap();
        let takes = statement.contains("WHEN full_at");
        let verb = match (statement.split(' ').next().unwrap(), takes) {
            ("INSERT", true) => "take",
            ("INSERT", false) => "empty",
            ("UPDATE", _) => "correct",
            _ => "look",
        };
        let mut line = format!("{verb} {operation}");
        match rest {
            [Cell::Integer(0)] | [] => {}
            [Cell::Integer(others)] if verb == "take" => {
                line.push_str(&format!(", leaving {others}"))
            }
            [Cell::Integer(other)] => line.push_str(&format!(" {other}")),
            _ => panic!("no parameters of the limits: {rest:?}"),
        }
        self.log.borrow_mut().push(line);
        let row = |value: i64| vec![Row(vec![Cell::Integer(value)])];
        Ok(match (verb, self.dry_ms.get()) {
            ("take", None) | ("empty", _) => row(*interval),
            ("look", Some(wait)) => {
                let cells = [wait + (burst - 1) * interval, *interval, 0];
                vec![Row(cells.map(Cell::Integer).into())]
            }
            _ => Vec::new(),
        })
    }
}

pub fn answer(status: u16, body: &str) -> Response<Bytes> {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Response::builder().status(status).body(body).unwrap()
}

/// The answer to a login.
pub fn token(name: &str) -> Response<Bytes> {
    let body = serde_json::json!({
        "access_token": format!("Atza|{name}"),
        "refresh_token": "Atzr|x",
        "token_type": "bearer",
        "expires_in": 3600,
    });
    answer(200, &body.to_string())
}

/// A refusal of one detail.
pub fn refused(status: u16, code: &str, details: &str) -> Response<Bytes> {
    let body = serde_json::json!({
        "errors": [{"code": code, "message": "words", "details": details}],
    });
    answer(status, &body.to_string())
}

/// An order as small as may be.
pub fn order(id: &str, updated: &str) -> serde_json::Value {
    serde_json::json!({
        "orderId": id,
        "createdTime": "2026-11-20T10:00:00Z",
        "lastUpdatedTime": updated,
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"},
        "orderItems": [{
            "orderItemId": "1",
            "quantityOrdered": 2,
            "product": {"sellerSku": "SKU-1", "price": {"unitPrice": {
                "amount": "12.50", "currencyCode": "USD",
            }}},
        }],
    })
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

pub fn decoded(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// Below the folder with what vendors publish; `None`, said aloud, where it is not at hand.
pub fn shared(path: &str) -> Option<String> {
    let shared = match std::env::var_os("SLUICE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared"),
    };
    let path = shared.join(path);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no {}", path.display());
    }
    text
}
