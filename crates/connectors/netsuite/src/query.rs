//! SuiteQL: queries built with correct quoting, and read page by page under a key that never repeats.
//!
//! A page is never an offset: rows added or removed meanwhile would shift it. Every page asks for the
//! rows whose internal id lies beyond the last one seen (vendor page "Executing SuiteQL Queries Through
//! REST Web Services", section_157909186990).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response};
use serde_json::{Map, Value, json};
use sluice_core::{Body, Fault, Ports, Result};

use crate::client::{self, Call};
use crate::errors::{self, Effect};
use crate::settings::Settings;

/// Rows in one page; the vendor's own maximum.
pub const PAGE_ROWS_MAX: usize = 1000;
/// Pages in one query: the 100,000 rows the vendor gives without SuiteAnalytics Connect.
pub const PAGE_COUNT_MAX: usize = 100;

/// Texts in one `IN` (article_0824094533).
pub const TEXTS_MAX: usize = 1000;

const QUERY_PATH: &str = "/services/rest/query/v1/suiteql";
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// One row: columns in lower case, null columns absent, values as text.
pub type Row = Map<String, Value>;

/// A query over one table with an internal id. `id` is always selected and orders the rows.
#[derive(Clone, Debug)]
pub struct Query {
    columns: Vec<String>,
    table: String,
    conditions: Vec<String>,
}

impl Query {
    /// Fault: `NETSUITE_REQUEST` (stop the flow) if a name is not a plain one.
    pub fn select(columns: &[&str], table: &str) -> Result<Self> {
        let columns: Result<Vec<String>> = columns.iter().copied().map(name).collect();
        Ok(Self {
            columns: columns?,
            table: name(table)?,
            conditions: Vec::new(),
        })
    }

    /// Only rows whose column holds exactly this text.
    pub fn with(self, column: &str, text: &str) -> Result<Self> {
        self.with_any(column, &[text])
    }

    /// Only rows whose column holds one of these texts.
    ///
    /// Fault: `NETSUITE_REQUEST` (stop the flow) past [`TEXTS_MAX`].
    pub fn with_any(mut self, column: &str, texts: &[&str]) -> Result<Self> {
        let column = name(column)?;
        if texts.is_empty() || texts.len() > TEXTS_MAX {
            let message = format!("a query asks for none or more than {TEXTS_MAX} texts at once");
            return Err(Fault::stop_flow(errors::REQUEST, message));
        }
        let literals: Vec<String> = texts.iter().copied().map(literal).collect();
        let condition = match literals.as_slice() {
            [one] => format!("{column} = {one}"),
            many => format!("{column} IN ({})", many.join(", ")),
        };
        self.conditions.push(condition);
        Ok(self)
    }

    /// The statement for the page after `after`. Internal ids may be negative, so the first page has no
    /// lower bound.
    pub fn page(&self, after: Option<i64>) -> String {
        let mut conditions = self.conditions.clone();
        conditions.extend(after.map(|id| format!("id > {id}")));
        let columns: String = self
            .columns
            .iter()
            .map(|name| format!(", {name}"))
            .collect();
        let mut statement = format!("SELECT id{columns} FROM {}", self.table);
        if !conditions.is_empty() {
            statement.push_str(" WHERE ");
            statement.push_str(&conditions.join(" AND "));
        }
        statement.push_str(" ORDER BY id");
        statement
    }
}

/// Every row of the query, in the order of internal ids.
///
/// Faults: those of [`client::send`] for a read; `ANSWER_INVALID` (retry) naming what the answer lacks;
/// `SOURCE_PAGING` (retry) where it contradicts itself or the order asked for; `NETSUITE_REQUEST` (stop
/// the flow) past [`PAGE_COUNT_MAX`].
pub async fn rows(ports: &Ports, settings: &Settings, query: &Query) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut after = None;
    for _ in 0..PAGE_COUNT_MAX {
        let page = page(ports, settings, query, after, PAGE_ROWS_MAX).await?;
        rows.extend(page.rows);
        match page.next {
            Some(last) => after = Some(last),
            None => return Ok(rows),
        }
    }
    let message = format!("a query has more than {PAGE_COUNT_MAX} pages");
    Err(Fault::stop_flow(errors::REQUEST, message))
}

/// The rows after this id, at most so many, of which the vendor gives no more than [`PAGE_ROWS_MAX`].
///
/// Faults: as of [`rows`].
pub async fn page(
    ports: &Ports,
    settings: &Settings,
    query: &Query,
    after: Option<i64>,
    row_count_max: usize,
) -> Result<Page> {
    let limit = row_count_max.clamp(1, PAGE_ROWS_MAX);
    let call = call(&query.page(after), limit);
    let response = client::send(ports, settings, &call).await?;
    read_page(&response, after, limit)
}

/// One page, and the id after which the next one starts, if there is one.
#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Row>,
    pub next: Option<i64>,
}

fn call(statement: &str, limit: usize) -> Call {
    Call {
        method: Method::POST,
        path: format!("{QUERY_PATH}?limit={limit}"),
        // Without it the vendor answers 400.
        headers: vec![(PREFER, HeaderValue::from_static("transient"))],
        body: Some(Bytes::from(sluice_core::json::write(
            &json!({"q": statement}),
        ))),
        effect: Effect::Read,
    }
}

fn read_page(response: &Response<Bytes>, after: Option<i64>, limit: usize) -> Result<Page> {
    let mut body = errors::json(response)?;
    let has_more = body
        .at("hasMore")
        .and_then(Value::as_bool)
        .ok_or_else(|| errors::answer_lacks("hasMore"))?;
    let count = body.at("count").and_then(Value::as_u64);
    let Some(Value::Array(items)) = body.get_mut("items").map(Value::take) else {
        return Err(errors::answer_lacks("items"));
    };
    if count.is_some_and(|count| count != items.len() as u64) || items.len() > limit {
        return Err(errors::paging(
            "a page does not hold as many rows as it counts",
        ));
    }
    let mut last = after;
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let Value::Object(item) = item else {
            return Err(errors::answer_lacks("items[]"));
        };
        // The vendor warns that the case of names may change at any release.
        let mut row = Row::new();
        for (name, value) in item {
            row.insert(name.to_ascii_lowercase(), value);
        }
        row.remove("links");
        let id: i64 = id(&row)?.parse().map_err(|_| no_id())?;
        if last.is_some_and(|last| id <= last) {
            return Err(errors::paging("a page is not in the order asked for"));
        }
        last = Some(id);
        rows.push(row);
    }
    if has_more && rows.is_empty() {
        return Err(errors::paging("a page promises more rows but holds none"));
    }
    Ok(Page {
        rows,
        next: last.filter(|_| has_more),
    })
}

/// A text literal: quotes are doubled; nothing else has a meaning inside one.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A column or table name, which can't be quoted and so must need none.
fn name(text: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts_well = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    if starts_well && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    let message = "a query names a column or table with characters that no name has";
    Err(Fault::stop_flow(errors::REQUEST, message))
}

/// The internal id of a row.
///
/// Fault: `ANSWER_INVALID` (retry) if it has none.
pub fn id(row: &Row) -> Result<String> {
    match row.get("id") {
        Some(Value::String(id)) => Ok(id.clone()),
        Some(Value::Number(id)) => Ok(id.to_string()),
        _ => Err(no_id()),
    }
}

fn no_id() -> Fault {
    errors::answer_lacks("items[].id")
}

#[cfg(test)]
mod tests;
