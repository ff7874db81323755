//! SOQL: queries built with correct quoting, and their answers read to the end.
//! <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql.htm>

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde_json::{Map, Value};
use sluice_core::{Body, Fault, Moment, Ports, Result, Window};

use crate::client::{self, Call, data_path};
use crate::errors;
use crate::settings::Settings;

/// Records in one page; the vendor's own maximum, which it lowers as it likes.
pub const PAGE_ROWS_MAX: usize = 2000;
/// Pages of one answer.
pub const PAGE_COUNT_MAX: usize = 500;
/// The vendor refuses longer addresses with 414.
const PATH_BYTES_MAX: usize = 16_000;
/// What the texts of one `IN` may take of it.
const TEXTS_BYTES_MAX: usize = 8_000;
/// The vendor's own limit of relationships in one path.
const PATH_NAMES_MAX: usize = 6;

/// One record of an answer, `attributes` removed.
pub type Row = Map<String, Value>;

/// A query over one object, deleted records included.
#[derive(Clone, Debug)]
pub struct Query {
    columns: Vec<String>,
    object: String,
    conditions: Vec<String>,
    order: Vec<String>,
    limit: Option<usize>,
}

impl Query {
    /// Each field once: Salesforce refuses to give one twice, whatever its capitals.
    ///
    /// Fault: `SALESFORCE_REQUEST` (stop the flow) for a name that can't be one.
    pub fn select<'a>(fields: impl IntoIterator<Item = &'a str>, object: &str) -> Result<Self> {
        let mut seen = BTreeSet::new();
        let mut columns = Vec::new();
        for field in fields {
            if seen.insert(field_name(field)?.to_ascii_lowercase()) {
                columns.push(field.to_owned());
            }
        }
        Ok(Self {
            columns,
            object: field_name(object)?.to_owned(),
            conditions: Vec::new(),
            order: Vec::new(),
            limit: None,
        })
    }

    /// The records' children, too, as asked for by a query over the name of their relationship.
    pub fn nesting(mut self, children: &Query) -> Self {
        self.columns.push(format!("({})", children.statement()));
        self
    }

    /// Only records whose field holds this text.
    ///
    /// Fault: as [`Query::select`].
    pub fn with(mut self, field: &str, text: &str) -> Result<Self> {
        let condition = format!("{} = {}", field_name(field)?, literal(text));
        self.conditions.push(condition);
        Ok(self)
    }

    /// Only records whose field holds one of these texts; none of them is to be empty.
    ///
    /// Fault: as [`Query::select`].
    pub fn with_any(mut self, field: &str, texts: &[&str]) -> Result<Self> {
        let literals: Vec<String> = texts.iter().copied().map(literal).collect();
        let condition = format!("{} IN ({})", field_name(field)?, literals.join(", "));
        self.conditions.push(condition);
        Ok(self)
    }

    /// Only records that are not deleted. A query that sees deleted records sees deleted children, too.
    pub fn undeleted(mut self) -> Self {
        self.conditions.push("IsDeleted = FALSE".to_owned());
        self
    }

    /// Only records that changed within the window, in the order of (change time, id).
    pub fn changed(mut self, window: &Window) -> Self {
        let after = moment(window.after.watermark);
        self.conditions.push(format!("SystemModstamp >= {after}"));
        let until = moment(window.until);
        self.conditions.push(format!("SystemModstamp <= {until}"));
        if !window.after.id.is_empty() {
            let id = literal(&window.after.id);
            self.conditions
                .push(format!("(SystemModstamp > {after} OR Id > {id})"));
        }
        self.order = vec!["SystemModstamp".to_owned(), "Id".to_owned()];
        self
    }

    /// In the order of these fields, after any order asked for before.
    ///
    /// Fault: as [`Query::select`].
    pub fn ordered_by(mut self, fields: &[&str]) -> Result<Self> {
        for field in fields {
            self.order.push(field_name(field)?.to_owned());
        }
        Ok(self)
    }

    /// At most so many records in all.
    pub fn limited(mut self, record_count_max: usize) -> Self {
        self.limit = Some(record_count_max);
        self
    }

    /// The query as SOQL.
    pub fn statement(&self) -> String {
        let mut text = format!("SELECT {} FROM {}", self.columns.join(", "), self.object);
        if !self.conditions.is_empty() {
            text.push_str(" WHERE ");
            text.push_str(&self.conditions.join(" AND "));
        }
        if !self.order.is_empty() {
            text.push_str(" ORDER BY ");
            text.push_str(&self.order.join(", "));
        }
        if let Some(limit) = self.limit {
            text.push_str(&format!(" LIMIT {limit}"));
        }
        text
    }
}

/// Every record of the query.
///
/// Faults: those of [`first_page`] and [`rest`].
pub async fn rows(ports: &Ports, settings: &Settings, query: &Query) -> Result<Vec<Row>> {
    let page = first_page(ports, settings, query).await?;
    rest(ports, settings, page).await
}

/// Every record of the query whose field holds one of these texts, in as many queries as their addresses
/// take.
///
/// Faults: those of [`rows`].
pub async fn rows_of_any(
    ports: &Ports,
    settings: &Settings,
    query: &Query,
    field: &str,
    texts: &[&str],
) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    let mut rest = texts;
    while !rest.is_empty() {
        let (chunk, others) = rest.split_at(fitting(rest));
        let query = query.clone().with_any(field, chunk)?;
        found.append(&mut rows(ports, settings, &query).await?);
        rest = others;
    }
    Ok(found)
}

/// How many of these texts, the first ones, one query may ask for: at least one.
fn fitting(texts: &[&str]) -> usize {
    // A byte takes three in an address; quotes, comma and blank around a text, too.
    let lengths = texts.iter().map(|text| 3 * text.len() + 12);
    let sums = lengths.scan(0, |sum, length| {
        *sum += length;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= TEXTS_BYTES_MAX)
        .count()
        .max(1)
}

/// The first page of the query's answer.
///
/// Faults: those of [`client::send`] for a read; `ANSWER_INVALID` (retry) naming what the answer lacks;
/// `SOURCE_PAGING` (retry) where it contradicts itself; `SALESFORCE_REQUEST` (stop the flow) for a query
/// that is too long.
pub async fn first_page(ports: &Ports, settings: &Settings, query: &Query) -> Result<Page> {
    let response = client::send(ports, settings, &call(&query.statement())?).await?;
    read_page(&response)
}

/// The records of `page` and of all pages that follow it.
///
/// Faults: as [`first_page`], also `SOURCE_PAGING` (retry) where pages repeat, do not end, or do not hold
/// as many records as they announced.
pub async fn rest(ports: &Ports, settings: &Settings, page: Page) -> Result<Vec<Row>> {
    let total = page.total;
    let mut rows = page.rows;
    let mut next = page.next;
    let mut seen = BTreeSet::new();
    for _ in 0..PAGE_COUNT_MAX {
        let Some(path) = next else {
            if rows.len() as u64 == total {
                return Ok(rows);
            }
            let count = rows.len();
            let why = format!("{count} records came where {total} were announced");
            return Err(errors::paging(why));
        };
        let response = client::send(ports, settings, &Call::get(path.clone())).await?;
        let page = read_page(&response)?;
        if page.rows.is_empty() || !seen.insert(path) {
            return Err(errors::paging("a following page brings nothing new"));
        }
        rows.extend(page.rows);
        next = page.next;
    }
    let why = format!("an answer has more than {PAGE_COUNT_MAX} pages");
    Err(errors::paging(why))
}

/// One page of records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<Row>,
    /// The path of the page that follows, if one does.
    pub next: Option<String>,
    /// The records of all pages together, as announced.
    pub total: u64,
}

fn call(statement: &str) -> Result<Call> {
    let query: String = form_urlencoded::byte_serialize(statement.as_bytes()).collect();
    let path = format!("{}/queryAll?q={query}", data_path());
    if path.len() > PATH_BYTES_MAX {
        let message =
            format!("the query is longer than {PATH_BYTES_MAX} bytes: select fewer fields");
        return Err(Fault::stop_flow(errors::REQUEST, message));
    }
    Ok(Call::get(path))
}

fn read_page(response: &Response<Bytes>) -> Result<Page> {
    page(errors::json(response)?)
}

/// Reads `{"totalSize", "done", "nextRecordsUrl"?, "records"}`, the form of answers and of child lists.
pub(crate) fn page(mut body: Value) -> Result<Page> {
    let total = body
        .at("totalSize")
        .and_then(Value::as_u64)
        .ok_or_else(|| errors::answer_lacks("totalSize"))?;
    let done = body
        .at("done")
        .and_then(Value::as_bool)
        .ok_or_else(|| errors::answer_lacks("done"))?;
    let next = match (done, body.at("nextRecordsUrl").and_then(Value::as_str)) {
        (true, None) => None,
        (true, Some(_)) => return Err(errors::paging("the last page names a following one")),
        (false, next) => Some(
            next.filter(|path| is_query_path(path))
                .ok_or_else(|| errors::answer_lacks("nextRecordsUrl"))?
                .to_owned(),
        ),
    };
    let Some(Value::Array(records)) = body.get_mut("records").map(Value::take) else {
        return Err(errors::answer_lacks("records"));
    };
    let rows: Option<Vec<Row>> = records
        .into_iter()
        .map(|record| match without_attributes(record) {
            Value::Object(row) => Some(row),
            _ => None,
        })
        .collect();
    let rows = rows.ok_or_else(|| errors::answer_lacks("records[]"))?;
    if rows.len() as u64 > total {
        return Err(errors::paging("a page holds more records than announced"));
    }
    Ok(Page { rows, next, total })
}

/// A token goes where this points: a path of ours, not another host.
fn is_query_path(path: &str) -> bool {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"/.-_~%=".contains(&letter);
    path.starts_with("/services/data/v") && path.len() <= 500 && path.bytes().all(plain)
}

/// `attributes` tell of each record its type and address, which we know.
pub(crate) fn without_attributes(mut value: Value) -> Value {
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("attributes");
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// A field, a path through relationships (`Account.Name`), or an object.
///
/// Fault: `SALESFORCE_REQUEST` (stop the flow) for anything else: it would become part of a query.
pub(crate) fn field_name(name: &str) -> Result<&str> {
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if name.split('.').count() <= PATH_NAMES_MAX && name.split('.').all(is_name) {
        return Ok(name);
    }
    let shown: String = name.chars().take(80).collect();
    let message = format!("{shown:?} is not the name of a field");
    Err(Fault::stop_flow(errors::REQUEST, message))
}

/// A text as it stands in a query: quoted, so that it can't end itself.
fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A time as it stands in a query: milliseconds, the rest cut off, never rounded up.
fn moment(time: Timestamp) -> String {
    format!("{:.3}", floor_ms(time))
}

/// The vendor keeps milliseconds.
pub(crate) fn floor_ms(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_nanosecond().div_euclid(1_000_000) as i64).unwrap_or(time)
}

/// Reads a time as the vendor writes it: `2026-11-22T19:53:21.000+0000`.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    Moment::instant(text)
}

#[cfg(test)]
mod tests;
