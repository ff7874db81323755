//! SuiteQL: a real SQL engine over tables kept in step with the records.
//!
//! Statements run with an authorizer that allows reading the account's tables and nothing else, and with
//! a limit on work and on rows. Oracle: "Executing SuiteQL Queries Through REST Web Services".

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use serde_json::{Map, Value};

use super::answer::{Detail, Place, Problem};
use super::dialect;
use super::functions;
use super::read::Page;
use super::row::Row;
use super::schema::Family;
use super::store::Store;
use super::tables;

/// Rows one query gives at most, over all its pages.
const ROW_COUNT_MAX: usize = 100_000;
/// Work one query may do: this many times `STEP_COUNT` virtual machine steps.
const STEP_ROUNDS_MAX: u32 = 5_000;
const STEP_COUNT: i32 = 10_000;

/// Rows of one record as of one moment.
#[derive(Debug)]
struct Change {
    visible: Timestamp,
    family: Family,
    id: u64,
    rows: Vec<Row>,
}

/// The search index: the engine, and the changes it does not show yet.
pub(super) struct Index {
    connection: Connection,
    waiting: VecDeque<Change>,
    steps: Arc<AtomicU32>,
}

/// One page of a query's rows.
#[derive(Debug)]
pub(super) struct Rows {
    pub items: Vec<Value>,
    /// Rows in all, counted up to the cap.
    pub total: usize,
}

impl Index {
    /// An empty index.
    pub fn new() -> Result<Self, rusqlite::Error> {
        let connection = Connection::open_in_memory()?;
        // Else a misspelt column in quotes would be a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 4_000_000)?;
        connection.set_limit(Limit::SQLITE_LIMIT_EXPR_DEPTH, 200)?;
        connection.execute_batch(tables::SCHEMA)?;
        for row in tables::status_labels() {
            connection.execute(&row.insert(), params_from_iter(row.values.iter()))?;
        }
        functions::register(&connection)?;
        let steps = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&steps);
        connection.progress_handler(
            STEP_COUNT,
            Some(move || counter.fetch_add(1, Ordering::Relaxed) >= STEP_ROUNDS_MAX),
        )?;
        Ok(Self {
            connection,
            waiting: VecDeque::new(),
            steps,
        })
    }

    /// Takes note of what changed; with a lag it is shown that much later, as it was now.
    ///
    /// Without one nothing is kept here: the store remembers until the next query what to look at.
    pub fn note(&mut self, store: &mut Store, lag: SignedDuration, now: Timestamp) {
        if !lag.is_zero() {
            self.take(store, now.saturating_add(lag).unwrap_or(now));
        }
    }

    /// Shows every change that is due: all of them without a lag.
    pub fn sync(
        &mut self,
        store: &mut Store,
        lag: SignedDuration,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let until = if lag.is_zero() {
            self.take(store, now);
            Timestamp::MAX
        } else {
            self.note(store, lag, now);
            now
        };
        self.catch_up(until)
            .map_err(|error| refuse(&error.to_string()))
    }

    fn take(&mut self, store: &mut Store, visible: Timestamp) {
        for (family, id) in store.take_dirty() {
            let rows = store
                .get(family, id)
                .map(|record| tables::rows(store, record))
                .unwrap_or_default();
            self.waiting.push_back(Change {
                visible,
                family,
                id,
                rows,
            });
        }
    }

    fn catch_up(&mut self, until: Timestamp) -> Result<(), rusqlite::Error> {
        let mut due = Vec::new();
        self.waiting.retain_mut(|change| {
            let is_due = change.visible <= until;
            if is_due {
                due.push((change.family, change.id, std::mem::take(&mut change.rows)));
            }
            !is_due
        });
        if due.is_empty() {
            return Ok(());
        }
        self.steps.store(0, Ordering::Relaxed);
        let transaction = self.connection.transaction()?;
        for (family, id, rows) in due {
            for (table, column) in tables::of_family(family) {
                transaction
                    .prepare_cached(&format!("DELETE FROM \"{table}\" WHERE \"{column}\" = ?1"))?
                    .execute([i64::try_from(id).unwrap_or(i64::MAX)])?;
            }
            transaction
                .prepare_cached("DELETE FROM builtin_labels WHERE sort = ?1 AND id = ?2")?
                .execute((
                    tables::label_sort(family),
                    i64::try_from(id).unwrap_or(i64::MAX),
                ))?;
            for row in rows {
                transaction
                    .prepare_cached(&row.insert())?
                    .execute(params_from_iter(row.values.iter()))?;
            }
        }
        transaction.commit()
    }

    /// Runs one statement and gives one page of its rows.
    pub fn query(&mut self, query: &str, page: Page, now: Timestamp) -> Result<Rows, Problem> {
        self.catch_up(now)
            .map_err(|error| refuse(&error.to_string()))?;
        let today = now.to_zoned(TimeZone::UTC).date().to_string();
        let today = dialect::date_text(&today, "00:00:00");
        let sql = dialect::translate(query, &today).map_err(|reason| search_error(&reason))?;
        self.steps.store(0, Ordering::Relaxed);
        let authorize = self.connection.authorizer(Some(authorize));
        let result = authorize.and_then(|()| self.run(&sql, page));
        // The index itself writes with the authorizer off.
        let restored = self
            .connection
            .authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
        let rows = result.map_err(|error| engine_error(&error, query))?;
        restored.map_err(|error| refuse(&error.to_string()))?;
        Ok(rows)
    }

    fn run(&self, sql: &str, page: Page) -> Result<Rows, rusqlite::Error> {
        let mut statement = self.connection.prepare(sql)?;
        let names = column_names(&statement);
        let mut rows = statement.query([])?;
        let mut items = Vec::new();
        let mut total = 0;
        while total < ROW_COUNT_MAX {
            let Some(row) = rows.next()? else {
                break;
            };
            if total >= page.offset && items.len() < page.limit {
                let mut item = Map::new();
                item.insert("links".to_owned(), Value::Array(Vec::new()));
                for (index, name) in names.iter().enumerate() {
                    if let Some(text) = text_of(row.get_ref(index)?) {
                        item.insert(name.clone(), Value::String(text));
                    }
                }
                items.push(Value::Object(item));
            }
            total += 1;
        }
        Ok(Rows { items, total })
    }
}

/// Lower case, as the service answers; an expression without a name is `expr1`, `expr2`, ….
fn column_names(statement: &rusqlite::Statement<'_>) -> Vec<String> {
    let mut expressions = 0;
    statement
        .column_names()
        .into_iter()
        .map(|name| {
            let plain = name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
                && !name.starts_with(|c: char| c.is_ascii_digit());
            if plain {
                return name.to_lowercase();
            }
            expressions += 1;
            format!("expr{expressions}")
        })
        .collect()
}

/// Every value is text; an empty one is left out, as in Oracle, where an empty text is null.
fn text_of(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        // Arithmetic inside the engine is binary; fifteen digits hold every sum it is asked for.
        ValueRef::Real(number) => {
            let decimal = Decimal::from_f64(number)?;
            Some(decimal.round_dp(10).normalize().to_string())
        }
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let text = functions::shown(&text);
            (!text.is_empty()).then_some(text)
        }
    }
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let allowed = match context.action {
        AuthAction::Select => true,
        AuthAction::Read { table_name, .. } => tables::is_readable(table_name),
        AuthAction::Function { function_name } => functions::is_allowed(function_name),
        _ => false,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

fn engine_error(error: &rusqlite::Error, query: &str) -> Problem {
    let text = error.to_string();
    if let Some(name) = after(&text, "no such table: ") {
        return search_error(&format!("Record '{name}' was not found"));
    }
    if let Some(name) = after(&text, "no such column: ") {
        let name = name
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .trim_matches('"');
        return search_error(&format!(
            "Unknown identifier '{name}'. Available identifiers are: {{{}}}",
            identifiers(query)
        ));
    }
    if let Some(name) = after(&text, "no such function: ") {
        return search_error(&format!("Unknown function '{name}'"));
    }
    if text.contains("interrupted") {
        return Problem::bad_request(Detail::new(
            "SSS_TIME_LIMIT_EXCEEDED",
            "The query took too long to execute.",
        ));
    }
    search_error("Invalid or unsupported search")
}

fn after<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(marker)?;
    rest.split([' ', '\n']).next()
}

/// `t=transaction` for each table the statement names, as the service lists them.
fn identifiers(query: &str) -> String {
    let lower = query.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut found = Vec::new();
    for pair in words.windows(2) {
        if matches!(pair[0], "from" | "join") && tables::is_readable(pair[1]) {
            found.push(format!("{0}={0}", pair[1]));
        }
    }
    found.join(", ")
}

fn search_error(reason: &str) -> Problem {
    refuse(&format!("Search error occurred: {reason}."))
}

fn refuse(reason: &str) -> Problem {
    Problem::bad_request(
        Detail::new(
            "INVALID_PARAMETER",
            format!("Invalid search query. Detailed unprocessed description follows. {reason}"),
        )
        .at(Place::Query("q".to_owned())),
    )
}
