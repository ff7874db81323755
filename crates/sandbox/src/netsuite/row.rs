//! One row of a search table, and how values are held there.

use jiff::Timestamp;
use rusqlite::types::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::dialect::date_text;
use super::store::{Cell, Fields};

/// One row to insert. Names come from this file, never from a request.
#[derive(Debug)]
pub(super) struct Row {
    table: &'static str,
    names: Vec<&'static str>,
    pub values: Vec<Value>,
}

impl Row {
    pub fn new(table: &'static str) -> Self {
        Self {
            table,
            names: Vec::new(),
            values: Vec::new(),
        }
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) -> &mut Self {
        self.names.push(name);
        self.values.push(value.into());
        self
    }

    pub fn text(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.set(name, value.to_owned())
    }

    /// Copies fields under the column names given.
    pub fn copy(&mut self, fields: &Fields, names: &[(&'static str, &str)]) -> &mut Self {
        for (column, field) in names {
            if let Some(cell) = fields.get(field) {
                self.set(column, value_of(cell));
            }
        }
        self
    }

    pub fn insert(&self) -> String {
        let names: Vec<String> = self
            .names
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let marks = vec!["?"; self.names.len()].join(",");
        format!(
            "INSERT INTO \"{}\" ({}) VALUES ({marks})",
            self.table,
            names.join(",")
        )
    }
}

fn value_of(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Number(number) => number_value(*number),
        Cell::Flag(flag) => flag_value(*flag),
        Cell::Date(date) => Value::Text(date_text(&date.to_string(), "00:00:00")),
        Cell::Moment(moment) => moment_value(*moment),
        Cell::Ref(id) => id_value(*id),
        Cell::Choice(id) => Value::Text((*id).to_owned()),
        Cell::Refs(_) | Cell::Sub(_) => Value::Null,
    }
}

pub(super) fn flag_value(flag: bool) -> Value {
    Value::Text(if flag { "T" } else { "F" }.to_owned())
}

pub(super) fn id_value(id: u64) -> Value {
    Value::Integer(i64::try_from(id).unwrap_or(i64::MAX))
}

/// The engine knows whole and binary numbers only; the shortest text of a double gives the decimal back.
pub(super) fn number_value(number: Decimal) -> Value {
    match number.to_i64() {
        Some(whole) if number.fract().is_zero() => Value::Integer(whole),
        _ => Value::Real(number.to_f64().unwrap_or_default()),
    }
}

pub(super) fn moment_value(moment: Timestamp) -> Value {
    let text = moment.strftime("%Y-%m-%d %H:%M:%S").to_string();
    Value::Text(format!("\u{1}{text}"))
}
