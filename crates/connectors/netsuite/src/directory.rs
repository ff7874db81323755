//! Records found by what people call them: items by SKU.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde_json::Value;
use sluice_core::{Directory, Found, Kind, Ports, Result};

use crate::errors;
use crate::query::{self, Query, Row};
use crate::settings::Settings;

/// Keys in one query.
const CHUNK_KEYS_MAX: usize = 500;

/// Items of every type by their name/number, `itemid`.
pub fn items() -> Names {
    directory("item", "itemid")
}

/// Records of a SuiteQL table by the text in one of its columns.
///
/// A key is found where the column holds exactly this text, upper and lower case told apart, whatever
/// the database thinks is equal. Inactive records are not found; of a matrix or child item the key is
/// its own name, without its parents'.
pub fn directory(table: &'static str, column: &'static str) -> Names {
    Names {
        kind: Kind::new("netsuite", table),
        column,
    }
}

/// See [`directory`].
#[derive(Clone, Copy, Debug)]
pub struct Names {
    kind: Kind,
    column: &'static str,
}

#[async_trait(?Send)]
impl Directory for Names {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        Settings::check(&*ports.variables)
    }

    /// Faults: those of [`query::rows`].
    async fn find_all(&self, ports: &Ports, keys: &[String]) -> Result<BTreeMap<String, Found>> {
        let settings = Settings::read(&*ports.variables)?;
        let query = Query::select(&[self.column], self.kind.name)?.with("isinactive", "F")?;
        find_all(ports, &settings, &query, self.column, keys).await
    }
}

/// The ids of the query's rows whose selected column holds exactly one of these texts.
///
/// Faults: those of [`query::rows`].
pub(crate) async fn find_all(
    ports: &Ports,
    settings: &Settings,
    query: &Query,
    column: &str,
    keys: &[String],
) -> Result<BTreeMap<String, Found>> {
    // No record is called nothing, and control characters are in no name.
    let mut asked = BTreeSet::new();
    for key in keys {
        if !key.is_empty() && !key.contains(char::is_control) {
            asked.insert(key.as_str());
        }
    }
    let asked: Vec<&str> = asked.into_iter().collect();
    let mut found = BTreeMap::new();
    for chunk in asked.chunks(CHUNK_KEYS_MAX) {
        let query = query.clone().with_any(column, chunk)?;
        let rows = query::rows(ports, settings, &query).await?;
        gather(&mut found, chunk, column, &rows)?;
    }
    Ok(found)
}

/// Adds what the rows hold under the keys asked for; other rows are the database's idea of equality.
fn gather(
    found: &mut BTreeMap<String, Found>,
    asked: &[&str],
    column: &str,
    rows: &[Row],
) -> Result<()> {
    for row in rows {
        let key = row
            .get(&column.to_ascii_lowercase())
            .and_then(Value::as_str);
        let key = key.ok_or_else(|| errors::answer_lacks(&format!("items[].{column}")))?;
        if asked.binary_search(&key).is_err() {
            continue;
        }
        let id = query::id(row)?;
        match found.remove(key) {
            None => found.insert(key.to_owned(), Found::One(id)),
            Some(Found::One(first)) => {
                found.insert(key.to_owned(), Found::Several(vec![first, id]))
            }
            Some(Found::Several(mut ids)) => {
                ids.push(id);
                found.insert(key.to_owned(), Found::Several(ids))
            }
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests;
