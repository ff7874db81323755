//! The SQL port on SQLite, for tests and simulations (feature `native`).

use std::cell::RefCell;
use std::path::Path;

use async_trait::async_trait;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use sluice_core::ports::{Cell, Dialect, Row, Sql};
use sluice_core::{Fault, Result, code};

/// One SQLite database in memory or in a file.
pub struct Sqlite(RefCell<Connection>);

impl Sqlite {
    pub fn in_memory() -> Result<Self> {
        Connection::open_in_memory().map(Self::over).map_err(failed)
    }

    pub fn open(path: &Path) -> Result<Self> {
        Connection::open(path).map(Self::over).map_err(failed)
    }

    fn over(connection: Connection) -> Self {
        Self(RefCell::new(connection))
    }
}

#[async_trait(?Send)]
impl Sql for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, statement: &str, parameters: &[Cell]) -> Result<Vec<Row>> {
        let connection = self.0.borrow();
        let mut prepared = connection.prepare_cached(statement).map_err(failed)?;
        let columns = prepared.column_count();
        let parameters = parameters.iter().map(|cell| match cell {
            Cell::Null => rusqlite::types::Value::Null,
            Cell::Integer(value) => rusqlite::types::Value::Integer(*value),
            Cell::Text(value) => rusqlite::types::Value::Text(value.clone()),
        });
        let mut rows = prepared
            .query(params_from_iter(parameters))
            .map_err(failed)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let cells = (0..columns).map(|column| cell(row.get_ref(column).map_err(failed)?));
            out.push(Row(cells.collect::<Result<_>>()?));
        }
        Ok(out)
    }
}

fn cell(value: ValueRef<'_>) -> Result<Cell> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Integer(value)),
        ValueRef::Text(text) => String::from_utf8(text.to_vec())
            .map(Cell::Text)
            .map_err(|_| Fault::stop_flow(code::STORE_CORRUPT, "a stored text is not UTF-8")),
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(Fault::stop_flow(
            code::STORE_CORRUPT,
            "a stored value is neither integer nor text",
        )),
    }
}

fn failed(error: rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Fault::retry(code::STORE_BUSY, error.to_string())
        }
        _ => Fault::retry(code::STORE_FAILED, error.to_string()),
    }
}
