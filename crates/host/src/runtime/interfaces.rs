//! `fermyon:spin@2.0.0` on this host: key-value, SQLite, variables.

use std::sync::Arc;

use wasmtime::component::{HasData, Resource};

use super::bindings::platform::fermyon::spin::{key_value, sqlite, variables};
use super::instance::Instance;
use crate::stores::{Database, Rows, SqlError, Value};

/// An open key-value store of a component.
pub struct OpenStore {
    database: Arc<Database>,
    label: String,
}

/// An open SQLite database of a component.
pub struct OpenDatabase(Arc<Database>);

/// Names the type the generated code gets at: the state of an instance.
pub(crate) struct Platform;

impl HasData for Platform {
    type Data<'a> = &'a mut Instance;
}

impl OpenStore {
    async fn run(
        &self,
        sql: &str,
        key: Option<&str>,
        value: Option<Vec<u8>>,
    ) -> Result<Rows, key_value::Error> {
        let mut parameters = vec![Value::Text(self.label.clone())];
        parameters.extend(key.map(|key| Value::Text(key.to_owned())));
        parameters.extend(value.map(Value::Blob));
        let result = self.database.execute(sql, parameters).await;
        result.map_err(|error| key_value::Error::Other(error.to_string()))
    }
}

impl key_value::Host for Instance {}

impl key_value::HostStore for Instance {
    async fn open(
        &mut self,
        label: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, key_value::Error>> {
        if !self.grants.key_value_stores.contains(&label) {
            return Ok(Err(key_value::Error::AccessDenied));
        }
        match self.stores.key_value() {
            Ok(database) => Ok(Ok(self.table.push(OpenStore { database, label })?)),
            Err(error) => Ok(Err(key_value::Error::Other(error.to_string()))),
        }
    }

    async fn get(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, key_value::Error>> {
        const GET: &str = "SELECT value FROM key_value WHERE store = ?1 AND key = ?2";
        let found = self.table.get(&store)?.run(GET, Some(&key), None).await;
        Ok(
            found.map(|found| match found.rows.into_iter().flatten().next() {
                Some(Value::Blob(value)) => Some(value),
                _ => None,
            }),
        )
    }

    async fn set(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        const SET: &str = "INSERT INTO key_value (store, key, value) VALUES (?1, ?2, ?3) \
            ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
        let done = self
            .table
            .get(&store)?
            .run(SET, Some(&key), Some(value))
            .await;
        Ok(done.map(|_| ()))
    }

    async fn delete(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        const DELETE: &str = "DELETE FROM key_value WHERE store = ?1 AND key = ?2";
        let done = self.table.get(&store)?.run(DELETE, Some(&key), None).await;
        Ok(done.map(|_| ()))
    }

    async fn exists(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, key_value::Error>> {
        const EXISTS: &str = "SELECT 1 FROM key_value WHERE store = ?1 AND key = ?2";
        let found = self.table.get(&store)?.run(EXISTS, Some(&key), None).await;
        Ok(found.map(|found| !found.rows.is_empty()))
    }

    async fn get_keys(
        &mut self,
        store: Resource<OpenStore>,
    ) -> wasmtime::Result<Result<Vec<String>, key_value::Error>> {
        const KEYS: &str = "SELECT key FROM key_value WHERE store = ?1 ORDER BY key";
        let found = self.table.get(&store)?.run(KEYS, None, None).await;
        Ok(found.map(|found| {
            let values = found.rows.into_iter().flatten();
            values
                .filter_map(|value| match value {
                    Value::Text(key) => Some(key),
                    _ => None,
                })
                .collect()
        }))
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl sqlite::Host for Instance {}

impl sqlite::HostConnection for Instance {
    async fn open(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<Resource<OpenDatabase>, sqlite::Error>> {
        if !self.grants.sqlite_databases.contains(&name) {
            return Ok(Err(sqlite::Error::AccessDenied));
        }
        match self.stores.sqlite(&name) {
            Ok(database) => Ok(Ok(self.table.push(OpenDatabase(database))?)),
            Err(error) => Ok(Err(sqlite::Error::Io(error.to_string()))),
        }
    }

    async fn execute(
        &mut self,
        connection: Resource<OpenDatabase>,
        statement: String,
        parameters: Vec<sqlite::Value>,
    ) -> wasmtime::Result<Result<sqlite::QueryResult, sqlite::Error>> {
        let database = self.table.get(&connection)?.0.clone();
        let parameters = parameters.into_iter().map(parameter).collect();
        Ok(match database.execute(&statement, parameters).await {
            Ok(rows) => Ok(query_result(rows)),
            Err(SqlError::Failed(reason)) => Err(sqlite::Error::Io(reason)),
            Err(SqlError::Closed) => Err(sqlite::Error::InvalidConnection),
        })
    }

    async fn drop(&mut self, connection: Resource<OpenDatabase>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn parameter(value: sqlite::Value) -> Value {
    match value {
        sqlite::Value::Null => Value::Null,
        sqlite::Value::Integer(number) => Value::Integer(number),
        sqlite::Value::Real(number) => Value::Real(number),
        sqlite::Value::Text(text) => Value::Text(text),
        sqlite::Value::Blob(bytes) => Value::Blob(bytes),
    }
}

fn query_result(rows: Rows) -> sqlite::QueryResult {
    let column = |value| match value {
        Value::Null => sqlite::Value::Null,
        Value::Integer(number) => sqlite::Value::Integer(number),
        Value::Real(number) => sqlite::Value::Real(number),
        Value::Text(text) => sqlite::Value::Text(text),
        Value::Blob(bytes) => sqlite::Value::Blob(bytes),
    };
    let row = |values: Vec<Value>| sqlite::RowResult {
        values: values.into_iter().map(column).collect(),
    };
    sqlite::QueryResult {
        columns: rows.columns,
        rows: rows.rows.into_iter().map(row).collect(),
    }
}

impl variables::Host for Instance {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        Ok(match self.grants.variables.get(&name) {
            Some(Ok(value)) => Ok(value.clone()),
            Some(Err(missing)) => {
                let variable = format!("SPIN_VARIABLE_{}", missing.to_ascii_uppercase());
                Err(variables::Error::Undefined(format!(
                    "{name} needs {variable}, which is not set"
                )))
            }
            None => Err(variables::Error::Undefined(format!(
                "no variable \"{name}\""
            ))),
        })
    }
}
