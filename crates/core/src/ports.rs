//! The ports: all that flows touch of the outside world.
//!
//! Stores and HTTP are asynchronous, so that a host may interleave work and a simulation may stop it at
//! any step. Nothing is durable before the call that wrote it returns.

use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::{Fault, Result, code};

/// Every port of one worker.
#[derive(Clone)]
pub struct Ports {
    pub http: Rc<dyn Http>,
    pub key_value: Rc<dyn KeyValue>,
    pub sql: Rc<dyn Sql>,
    pub clock: Rc<dyn Clock>,
    pub random: Rc<dyn Random>,
    pub variables: Rc<dyn Variables>,
}

/// Sends requests to other systems.
#[async_trait(?Send)]
pub trait Http {
    /// Sends once; never repeats by itself. Redirects are not followed.
    async fn send(
        &self,
        request: Request<Bytes>,
        limit: Limit,
    ) -> Result<Response<Bytes>, SendError>;
}

/// The bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// From sending to the last byte of the answer.
    pub timeout: Duration,
    pub answer_bytes_max: usize,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            answer_bytes_max: 8 << 20,
        }
    }
}

/// Why no whole answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The request certainly did not reach the other side: no connection, unknown host, not allowed.
    NotSent(String),
    /// It may have arrived: a time-out, or a connection lost on the way.
    Lost(String),
    /// The answer passes `answer_bytes_max`; the request took effect.
    TooLarge,
}

impl SendError {
    /// The fault for a read: whatever happened, asking again is safe.
    pub fn reading(self) -> Fault {
        match self {
            Self::NotSent(why) => Fault::retry(code::NOT_SENT, why),
            Self::Lost(why) => Fault::retry(code::ANSWER_LOST, why),
            Self::TooLarge => Fault::dead_letter(
                code::ANSWER_TOO_LARGE,
                "the answer is larger than the limit of this request",
            ),
        }
    }

    /// The fault for a write: unless the request never left, its outcome is unknown.
    pub fn writing(self) -> Fault {
        match self {
            Self::NotSent(_) => self.reading(),
            Self::Lost(_) | Self::TooLarge => self.reading().with_unknown_write(),
        }
    }
}

/// A key-value store: cursors, links, cached tokens. No compare-and-swap, no expiry, no listing.
#[async_trait(?Send)]
pub trait KeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;
    async fn set(&self, key: &str, value: &[u8]) -> Result<()>;
    async fn delete(&self, key: &str) -> Result<()>;
}

/// A SQL database: queue, leases, runs, audit trail.
#[async_trait(?Send)]
pub trait Sql {
    fn dialect(&self) -> Dialect;

    /// Runs one statement and reads every row it returns. The effect is durable when this returns.
    ///
    /// Faults: `STORE_BUSY` (retry) on a lock, `STORE_FAILED` (retry) on anything else.
    async fn execute(&self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// One value in or out of SQL. Amounts travel as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

/// One row, its cells in the order of the statement's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub Vec<Cell>);

impl Row {
    pub fn integer(&self, column: usize) -> Result<i64> {
        match self.0.get(column) {
            Some(Cell::Integer(value)) => Ok(*value),
            other => Err(unexpected(column, "an integer", other)),
        }
    }

    pub fn text(&self, column: usize) -> Result<&str> {
        match self.0.get(column) {
            Some(Cell::Text(value)) => Ok(value),
            other => Err(unexpected(column, "text", other)),
        }
    }

    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>> {
        match self.0.get(column) {
            Some(Cell::Null) => Ok(None),
            _ => self.integer(column).map(Some),
        }
    }

    pub fn optional_text(&self, column: usize) -> Result<Option<&str>> {
        match self.0.get(column) {
            Some(Cell::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The time. Nothing else may ask for it.
pub trait Clock {
    fn now(&self) -> Timestamp;
}

/// Random bytes: nonces, lease tokens, jitter.
pub trait Random {
    fn fill(&self, bytes: &mut [u8]);

    fn number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Settings and secrets given by the host.
pub trait Variables {
    /// `None` where no such variable is declared or set.
    fn get(&self, name: &str) -> Result<Option<String>>;
}

fn unexpected(column: usize, wanted: &str, got: Option<&Cell>) -> Fault {
    let got = match got {
        None => "no such column",
        Some(Cell::Null) => "null",
        Some(Cell::Integer(_)) => "an integer",
        Some(Cell::Text(_)) => "text",
    };
    let message = format!("column {column} of a stored row should be {wanted}, found {got}");
    Fault::stop_flow(code::STORE_CORRUPT, message)
}
