//! Values, rows and errors of SQL statements, and what kind of statement a text is.

use rusqlite::types::{ToSqlOutput, ValueRef};

/// A value of a parameter or a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A binary floating point number, as SQLite has it; never used for money.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Value {
    pub(super) fn read(value: ValueRef<'_>) -> Result<Self, SqlError> {
        Ok(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(bytes) => Value::Text(
                std::str::from_utf8(bytes)
                    .map_err(|_| SqlError::Failed("a text value is not UTF-8".to_owned()))?
                    .to_owned(),
            ),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        })
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Value::Null => 1,
            Value::Integer(_) | Value::Real(_) => 8,
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
        }
    }
}

/// What a statement returned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// One value a column and row.
    pub rows: Vec<Vec<Value>>,
}

/// Why a statement had no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// SQLite's reason, or the limit that was reached.
    #[error("{0}")]
    Failed(String),
    /// The database is being closed.
    #[error("the database is closed")]
    Closed,
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        SqlError::Failed(match error {
            // Without SQLite's own text the code says little; with it the statement's text is left out.
            rusqlite::Error::SqliteFailure(_, Some(message)) => message,
            rusqlite::Error::SqlInputError { msg, .. } => msg,
            other => other.to_string(),
        })
    }
}

/// How a statement has to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Together with others, in one transaction.
    Batched,
    /// By itself: SQLite refuses it, or ignores it, inside a transaction.
    Alone,
    /// `PRAGMA journal_mode` and `synchronous`: this host has set them; the answer is what is in force.
    Settled,
    /// `BEGIN` and its kin: a transaction cannot span calls, because calls of many requests share one.
    Transaction,
}

impl Kind {
    pub(super) fn of(sql: &str) -> Self {
        let mut words = Words(sql);
        let first = words.next().unwrap_or_default().to_ascii_uppercase();
        match first.as_str() {
            "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => Kind::Transaction,
            "VACUUM" | "ATTACH" | "DETACH" => Kind::Alone,
            "PRAGMA" => {
                let name = words.next().unwrap_or_default().to_ascii_lowercase();
                match name.as_str() {
                    "journal_mode" | "synchronous" => Kind::Settled,
                    _ => Kind::Alone,
                }
            }
            _ => Kind::Batched,
        }
    }
}

/// The leading words of a statement, without the comments before and between them.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self
                .0
                .trim_start_matches(|c: char| c.is_whitespace() || c == ';');
            if let Some(comment) = rest.strip_prefix("--") {
                self.0 = comment.split_once('\n').map_or("", |(_, after)| after);
            } else if let Some(comment) = rest.strip_prefix("/*") {
                self.0 = comment.split_once("*/").map_or("", |(_, after)| after);
            } else {
                let end = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                self.0 = after;
                return (!word.is_empty()).then_some(word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_statements_apart() {
        for (sql, kind) in [
            ("SELECT 1", Kind::Batched),
            ("insert into t values (1)", Kind::Batched),
            (
                "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END",
                Kind::Batched,
            ),
            ("  -- first\n /* then */ BEGIN IMMEDIATE", Kind::Transaction),
            ("commit", Kind::Transaction),
            ("; rollback", Kind::Transaction),
            ("PRAGMA journal_mode = WAL", Kind::Settled),
            ("pragma Synchronous=FULL", Kind::Settled),
            ("PRAGMA table_info(t)", Kind::Alone),
            ("VACUUM", Kind::Alone),
            ("", Kind::Batched),
        ] {
            assert_eq!(Kind::of(sql), kind, "{sql}");
        }
    }
}
