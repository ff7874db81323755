//! Key-value and SQL.

use std::cell::RefCell;

use sluice_core::async_trait;
use sluice_core::ports::{Cell, Dialect, KeyValue, Row, Sql};
use sluice_core::{Fault, Result, code};
use spin_sdk::key_value::{self, Store};
use spin_sdk::sqlite::{self, Connection, Value};

/// The store `default`, opened at its first use.
#[derive(Default)]
pub struct SpinKeyValue(RefCell<Option<Store>>);

impl SpinKeyValue {
    fn with<T>(&self, work: impl FnOnce(&Store) -> Result<T, key_value::Error>) -> Result<T> {
        let mut store = self.0.borrow_mut();
        if store.is_none() {
            *store = Some(Store::open_default().map_err(failed)?);
        }
        match store.as_ref() {
            Some(store) => work(store).map_err(failed),
            None => Err(Fault::retry(code::STORE_FAILED, "the store did not open")),
        }
    }
}

#[async_trait(?Send)]
impl KeyValue for SpinKeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.with(|store| store.get(key))
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        self.with(|store| store.set(key, value))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.with(|store| store.delete(key))
    }
}

fn failed(error: key_value::Error) -> Fault {
    match error {
        key_value::Error::AccessDenied | key_value::Error::NoSuchStore => {
            let message = "the key-value store `default` is not granted to this component";
            Fault::stop_flow(code::STORE_FAILED, message)
        }
        other => Fault::retry(code::STORE_FAILED, format!("the key-value store: {other}")),
    }
}

/// The database `default`, opened at its first use.
#[derive(Default)]
pub struct SpinSqlite(RefCell<Option<Connection>>);

#[async_trait(?Send)]
impl Sql for SpinSqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>> {
        let mut connection = self.0.borrow_mut();
        if connection.is_none() {
            *connection = Some(Connection::open_default().map_err(refused)?);
        }
        let Some(connection) = connection.as_ref() else {
            return Err(Fault::retry(
                code::STORE_FAILED,
                "the database did not open",
            ));
        };
        let parameters: Vec<Value> = parameters.iter().map(value).collect();
        let answer = connection
            .execute(statement, &parameters)
            .map_err(refused)?;
        let row = |row: sqlite::RowResult| {
            row.values
                .into_iter()
                .map(cell)
                .collect::<Result<_>>()
                .map(Row)
        };
        answer.rows.into_iter().map(row).collect()
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(value) => Value::Integer(*value),
        Cell::Text(value) => Value::Text(value.clone()),
    }
}

fn cell(value: Value) -> Result<Cell> {
    match value {
        Value::Null => Ok(Cell::Null),
        Value::Integer(value) => Ok(Cell::Integer(value)),
        Value::Text(value) => Ok(Cell::Text(value)),
        Value::Real(_) | Value::Blob(_) => {
            let message = "a stored value is neither integer nor text";
            Err(Fault::stop_flow(code::STORE_CORRUPT, message))
        }
    }
}

fn refused(error: sqlite::Error) -> Fault {
    match error {
        sqlite::Error::AccessDenied | sqlite::Error::NoSuchDatabase => {
            let message = "the database `default` is not granted to this component";
            Fault::stop_flow(code::STORE_FAILED, message)
        }
        sqlite::Error::Io(why) if why.contains("locked") || why.contains("busy") => {
            Fault::retry(code::STORE_BUSY, why)
        }
        other => Fault::retry(code::STORE_FAILED, format!("the database: {other}")),
    }
}
