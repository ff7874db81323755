//! A scripted Amazon for unit tests.

use std::cell::{Cell as Counter, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use sluice_core::Result;
use sluice_core::memory;
use sluice_core::ports::{Cell, Dialect, Row, SendError, Sql};

pub use sluice_core::memory::{NOW_S, answer, run, shared};

pub const NA: &str = "https://sellingpartnerapi-na.amazon.com";
pub const EU: &str = "https://sellingpartnerapi-eu.amazon.com";
pub const SELLER: &str = "A3TH9S8BH6GOGM";
pub const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";

pub type Script = memory::Script<Slots>;

const VARIABLES: [(&str, &str); 8] = [
    ("amazon_client_id", "client"),
    ("amazon_client_secret", "client secret"),
    ("amazon_marketplaces", "US, CA"),
    ("amazon_refresh_token_na", "refresh na"),
    ("amazon_refresh_token_eu", "refresh eu"),
    ("amazon_seller_id", SELLER),
    ("amazon_sns_topic", TOPIC),
    ("amazon_notification_key", "an api key"),
];

pub fn answering(answers: Vec<Result<Response<Bytes>, SendError>>) -> Rc<Script> {
    Script::new(&VARIABLES, answers)
}

/// A script whose first answer is to the login.
pub fn logged_in(answers: Vec<Response<Bytes>>) -> Rc<Script> {
    let login = token("first");
    answering(std::iter::once(login).chain(answers).map(Ok).collect())
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
