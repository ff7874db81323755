//! The ports of a worker that runs natively.

use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use rusqlite::types::Value;
use sluice_core::ports::{
    Cell, Clock, Dialect, Http, KeyValue, Limit, Ports, Random, Row, SendError, Sql, Variables,
};
use sluice_core::{Fault, Result, code};

use crate::ground::{Ground, RequestError, StoreError};

/// Ports on the ground, for one worker.
pub fn native(ground: &Ground, worker: usize, variables: BTreeMap<String, String>) -> Ports {
    let port = Rc::new(Port {
        ground: ground.clone(),
        worker,
        variables,
    });
    Ports {
        http: port.clone(),
        key_value: port.clone(),
        sql: port.clone(),
        clock: port.clone(),
        random: port.clone(),
        variables: port,
    }
}

struct Port {
    ground: Ground,
    worker: usize,
    variables: BTreeMap<String, String>,
}

fn failed(error: StoreError) -> Fault {
    match error {
        StoreError::Busy => Fault::retry(code::STORE_BUSY, "the store is locked"),
        StoreError::Lost => Fault::retry(code::STORE_FAILED, "the store's answer was lost"),
        StoreError::Sql(why) => Fault::retry(code::STORE_FAILED, why),
    }
}

#[async_trait(?Send)]
impl Http for Port {
    async fn send(
        &self,
        request: Request<Bytes>,
        limit: Limit,
    ) -> Result<Response<Bytes>, SendError> {
        let sent = self.ground.send(self.worker, request, limit.timeout).await;
        let response = sent.map_err(|error| match error {
            RequestError::NotSent => SendError::NotSent("there is no way there".into()),
            RequestError::Lost => SendError::Lost("no answer came".into()),
        })?;
        match response.body().len() > limit.answer_bytes_max {
            true => Err(SendError::TooLarge),
            false => Ok(response),
        }
    }
}

#[async_trait(?Send)]
impl KeyValue for Port {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.ground.get(self.worker, key).await.map_err(failed)
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.ground
            .set(self.worker, key, value)
            .await
            .map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.ground.delete(self.worker, key).await.map_err(failed)
    }
}

#[async_trait(?Send)]
impl Sql for Port {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>> {
        let parameters = parameters.iter().map(|cell| match cell {
            Cell::Null => Value::Null,
            Cell::Integer(number) => Value::Integer(*number),
            Cell::Text(text) => Value::Text(text.clone()),
        });
        let rows = self
            .ground
            .sql(self.worker, statement, parameters.collect())
            .await
            .map_err(failed)?;
        rows.rows
            .into_iter()
            .map(|row| row.into_iter().map(cell).collect::<Result<_>>().map(Row))
            .collect()
    }
}

fn cell(value: Value) -> Result<Cell> {
    match value {
        Value::Null => Ok(Cell::Null),
        Value::Integer(number) => Ok(Cell::Integer(number)),
        Value::Text(text) => Ok(Cell::Text(text)),
        Value::Real(_) | Value::Blob(_) => Err(Fault::stop_flow(
            code::STORE_CORRUPT,
            "a stored value is neither integer nor text",
        )),
    }
}

impl Clock for Port {
    fn now(&self) -> Timestamp {
        self.ground.clock(self.worker)
    }
}

impl Random for Port {
    fn fill(&self, bytes: &mut [u8]) {
        self.ground.fill(self.worker, bytes);
    }
}

impl Variables for Port {
    fn get(&self, name: &str) -> Result<Option<String>> {
        Ok(self.variables.get(name).cloned())
    }
}
