//! The functions SuiteQL has and the SQL engine has not, and which of the engine's own are allowed.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

use super::dialect::date_text;

/// The engine's functions that SuiteQL has as well, and ours.
const ALLOWED: &[&str] = &[
    "abs",
    "avg",
    "ceil",
    "coalesce",
    "concat",
    "count",
    "floor",
    "instr",
    "length",
    "like",
    "lower",
    "ltrim",
    "max",
    "min",
    "mod",
    "nullif",
    "nvl",
    "nvl2",
    "power",
    "replace",
    "round",
    "rtrim",
    "sign",
    "sqrt",
    "substr",
    "sum",
    "to_char",
    "to_date",
    "to_number",
    "to_timestamp",
    "trim",
    "trunc",
    "upper",
];

pub(super) fn is_allowed(name: &str) -> bool {
    ALLOWED.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// How the account's user reads a value: dates in the format of the preferences, `11/22/2026`.
pub(super) fn shown(text: &str) -> String {
    match Parts::of(text) {
        Some(parts) => format!("{}/{}/{}", parts.month, parts.day, parts.year),
        None => text.to_owned(),
    }
}

pub(super) fn register(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("nvl", 2, flags, |context| {
        let first: Value = context.get(0)?;
        let first_is_empty = first == Value::Null || first == Value::Text(String::new());
        Ok(if first_is_empty {
            context.get(1)?
        } else {
            first
        })
    })?;
    connection.create_scalar_function("nvl2", 3, flags, |context| {
        let is_null = context.get_raw(0) == ValueRef::Null;
        context.get::<Value>(if is_null { 2 } else { 1 })
    })?;
    connection.create_scalar_function("mod", 2, flags, |context| {
        let (left, right): (i64, i64) = (context.get(0)?, context.get(1)?);
        Ok(left.checked_rem(right))
    })?;
    connection.create_scalar_function("to_char", 1, flags, |context| {
        let text = text_at(context, 0);
        Ok(text.map(|text| shown(&text)))
    })?;
    connection.create_scalar_function("to_char", 2, flags, to_char)?;
    connection.create_scalar_function("to_date", 2, flags, to_date)?;
    connection.create_scalar_function("to_timestamp", 2, flags, to_date)?;
    connection.create_scalar_function("to_number", 1, flags, |context| {
        let number = text_at(context, 0).and_then(|text| text.trim().parse::<Decimal>().ok());
        Ok(number.map(|number| match number.to_i64() {
            Some(whole) if number.fract().is_zero() => Value::Integer(whole),
            _ => Value::Real(number.to_f64().unwrap_or_default()),
        }))
    })?;
    connection.create_scalar_function("trunc", 1, flags, |context| {
        let Some(text) = text_at(context, 0) else {
            return Ok(Value::Null);
        };
        Ok(match (Parts::of(&text), text.parse::<Decimal>()) {
            (Some(parts), _) => Value::Text(parts.with_time("00:00:00")),
            (None, Ok(number)) => Value::Integer(number.trunc().to_i64().unwrap_or_default()),
            (None, Err(_)) => Value::Null,
        })
    })?;
    connection.create_aggregate_function("sum", 1, flags, Sum)
}

/// A value as text, whatever its type; `None` for null.
fn text_at(context: &Context<'_>, index: usize) -> Option<String> {
    match context.get_raw(index) {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Decimal::from_f64(number).map(|number| number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
    }
}

/// A date as the engine holds it, taken apart.
#[derive(Debug)]
struct Parts {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let (date, time) = text.strip_prefix('\u{1}')?.split_once(' ')?;
        let mut date = date.split('-').map(|part| part.parse::<u32>().ok());
        let mut time = time.split(':').map(|part| part.parse::<u32>().ok());
        Some(Self {
            year: date.next()??,
            month: date.next()??,
            day: date.next()??,
            hour: time.next()??,
            minute: time.next()??,
            second: time.next()??,
        })
    }

    fn with_time(&self, time: &str) -> String {
        let date = format!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
        date_text(&date, time)
    }
}

/// The elements of a date format, longest first.
const ELEMENTS: &[&str] = &[
    "YYYY", "HH24", "HH12", "MM", "DD", "HH", "MI", "SS", "AM", "PM",
];

fn to_char(context: &Context<'_>) -> Result<Option<String>, Error> {
    let Some(text) = text_at(context, 0) else {
        return Ok(None);
    };
    let (Some(parts), Some(format)) = (Parts::of(&text), text_at(context, 1)) else {
        return Ok(Some(text));
    };
    let mut shown = String::new();
    let mut rest = format.as_str();
    while let Some(first) = rest.chars().next() {
        let upper = rest.to_ascii_uppercase();
        let Some(element) = ELEMENTS.iter().find(|element| upper.starts_with(**element)) else {
            if first != '"' {
                shown.push(first);
            }
            rest = &rest[first.len_utf8()..];
            continue;
        };
        shown.push_str(&match *element {
            "YYYY" => format!("{:04}", parts.year),
            "MM" => format!("{:02}", parts.month),
            "DD" => format!("{:02}", parts.day),
            "HH24" => format!("{:02}", parts.hour),
            "HH" | "HH12" => format!("{:02}", (parts.hour + 11) % 12 + 1),
            "MI" => format!("{:02}", parts.minute),
            "SS" => format!("{:02}", parts.second),
            _ => if parts.hour < 12 { "AM" } else { "PM" }.to_owned(),
        });
        rest = &rest[element.len()..];
    }
    Ok(Some(shown))
}

fn to_date(context: &Context<'_>) -> Result<String, Error> {
    let fault = || Error::UserFunctionError("Invalid date".into());
    let text = text_at(context, 0).ok_or_else(fault)?;
    let format = text_at(context, 1).ok_or_else(fault)?.to_ascii_uppercase();
    let (mut year, mut month, mut day) = (1970, 1, 1);
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    let (mut rest, mut format) = (text.as_str(), format.as_str());
    while let Some(first) = format.chars().next() {
        let Some(element) = ELEMENTS
            .iter()
            .find(|element| format.starts_with(**element))
        else {
            format = &format[first.len_utf8()..];
            if first != '"' {
                rest = rest.strip_prefix(first).ok_or_else(fault)?;
            }
            continue;
        };
        format = &format[element.len()..];
        let width = if *element == "YYYY" { 4 } else { 2 };
        let digits = rest
            .bytes()
            .take(width)
            .take_while(u8::is_ascii_digit)
            .count();
        let number: u32 = rest[..digits].parse().map_err(|_| fault())?;
        rest = &rest[digits..];
        match *element {
            "YYYY" => year = number,
            "MM" => month = number,
            "DD" => day = number,
            "HH24" | "HH" | "HH12" => hour = number,
            "MI" => minute = number,
            "SS" => second = number,
            _ => return Err(fault()),
        }
    }
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range || !rest.is_empty() {
        return Err(fault());
    }
    Ok(date_text(
        &format!("{year:04}-{month:02}-{day:02}"),
        &format!("{hour:02}:{minute:02}:{second:02}"),
    ))
}

/// An exact sum: the engine's own adds binary fractions.
struct Sum;

impl Aggregate<Option<Decimal>, Value> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Decimal>, Error> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Option<Decimal>) -> Result<(), Error> {
        if let Some(number) = text_at(context, 0).and_then(|text| text.parse::<Decimal>().ok()) {
            *sum = sum.unwrap_or_default().checked_add(number);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<Option<Decimal>>) -> Result<Value, Error> {
        let Some(sum) = sum.flatten() else {
            return Ok(Value::Null);
        };
        Ok(match sum.to_i64() {
            Some(whole) if sum.fract().is_zero() => Value::Integer(whole),
            _ => Value::Real(sum.to_f64().unwrap_or_default()),
        })
    }
}
