//! `fermyon:spin@2.0.0` on the ground: key-value, SQLite, variables.

use certify::StoreError;
use rusqlite::types::Value as Cell;
use wasmtime::component::{HasData, Linker, Resource};

use super::Worker;
use bindings::fermyon::spin::{key_value, sqlite, variables};

/// The same interfaces as the host's own, with resources of the ground.
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "sluice:host/platform",
        imports: { default: async | trappable },
        with: {
            "fermyon:spin/key-value.store": super::OpenStore,
            "fermyon:spin/sqlite.connection": super::OpenDatabase,
        },
    });
}

pub struct OpenStore;
pub struct OpenDatabase;

struct Platform;

impl HasData for Platform {
    type Data<'a> = &'a mut Worker;
}

pub(super) fn add_to_linker(linker: &mut Linker<Worker>) -> wasmtime::Result<()> {
    key_value::add_to_linker::<_, Platform>(linker, |worker| worker)?;
    sqlite::add_to_linker::<_, Platform>(linker, |worker| worker)?;
    variables::add_to_linker::<_, Platform>(linker, |worker| worker)
}

fn failed(error: StoreError) -> String {
    match error {
        StoreError::Busy => "database is locked".to_owned(),
        StoreError::Lost => "the answer was lost".to_owned(),
        StoreError::Sql(why) => why,
    }
}

impl key_value::Host for Worker {}

impl key_value::HostStore for Worker {
    async fn open(
        &mut self,
        _: String,
    ) -> wasmtime::Result<Result<Resource<OpenStore>, key_value::Error>> {
        Ok(Ok(self.table.push(OpenStore)?))
    }

    async fn get(
        &mut self,
        _: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, key_value::Error>> {
        let found = self.ground.get(self.number, &key).await;
        Ok(found.map_err(|error| key_value::Error::Other(failed(error))))
    }

    async fn set(
        &mut self,
        _: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        let done = self.ground.set(self.number, &key, &value).await;
        Ok(done.map_err(|error| key_value::Error::Other(failed(error))))
    }

    async fn delete(
        &mut self,
        _: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<(), key_value::Error>> {
        let done = self.ground.delete(self.number, &key).await;
        Ok(done.map_err(|error| key_value::Error::Other(failed(error))))
    }

    async fn exists(
        &mut self,
        _: Resource<OpenStore>,
        key: String,
    ) -> wasmtime::Result<Result<bool, key_value::Error>> {
        let found = self.ground.get(self.number, &key).await;
        let found = found.map(|value| value.is_some());
        Ok(found.map_err(|error| key_value::Error::Other(failed(error))))
    }

    async fn get_keys(
        &mut self,
        _: Resource<OpenStore>,
    ) -> wasmtime::Result<Result<Vec<String>, key_value::Error>> {
        let why = "keys are not listed here: no store lists them everywhere".to_owned();
        Ok(Err(key_value::Error::Other(why)))
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl sqlite::Host for Worker {}

impl sqlite::HostConnection for Worker {
    async fn open(
        &mut self,
        _: String,
    ) -> wasmtime::Result<Result<Resource<OpenDatabase>, sqlite::Error>> {
        Ok(Ok(self.table.push(OpenDatabase)?))
    }

    async fn execute(
        &mut self,
        _: Resource<OpenDatabase>,
        statement: String,
        parameters: Vec<sqlite::Value>,
    ) -> wasmtime::Result<Result<sqlite::QueryResult, sqlite::Error>> {
        let parameters = parameters.into_iter().map(|value| match value {
            sqlite::Value::Null => Cell::Null,
            sqlite::Value::Integer(number) => Cell::Integer(number),
            sqlite::Value::Real(number) => Cell::Real(number),
            sqlite::Value::Text(text) => Cell::Text(text),
            sqlite::Value::Blob(bytes) => Cell::Blob(bytes),
        });
        let parameters = parameters.collect();
        let done = self.ground.sql(self.number, &statement, parameters).await;
        let column = |cell| match cell {
            Cell::Null => sqlite::Value::Null,
            Cell::Integer(number) => sqlite::Value::Integer(number),
            Cell::Real(number) => sqlite::Value::Real(number),
            Cell::Text(text) => sqlite::Value::Text(text),
            Cell::Blob(bytes) => sqlite::Value::Blob(bytes),
        };
        Ok(match done {
            Ok(rows) => Ok(sqlite::QueryResult {
                columns: rows.columns,
                rows: rows
                    .rows
                    .into_iter()
                    .map(|row| sqlite::RowResult {
                        values: row.into_iter().map(column).collect(),
                    })
                    .collect(),
            }),
            Err(error) => Err(sqlite::Error::Io(failed(error))),
        })
    }

    async fn drop(&mut self, connection: Resource<OpenDatabase>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl variables::Host for Worker {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        let value = self.variables.get(&name).cloned();
        Ok(value.ok_or_else(|| variables::Error::Undefined(format!("no variable \"{name}\""))))
    }
}
