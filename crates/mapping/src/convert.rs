//! What is done to one source value. Every conversion gives a value or says why it can't.

use std::sync::Arc;

use serde_json::{Map, Value};
use sluice_core::Moment;

use crate::moment;
use crate::number::{self, Sign};
use crate::path::shown;
use crate::zone::Zone;

/// A conversion, with all it needs already looked up.
#[derive(Clone, Debug)]
pub enum Convert {
    Text(Option<Limit>),
    Integer,
    Decimal {
        scale_max: Option<u64>,
        sign: Option<Sign>,
    },
    Boolean,
    Date(Zone),
    DateTime(Zone),
    Table(Arc<Table>),
}

/// An enumeration: source text to target text, as the value that is sent.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub entries: Map<String, Value>,
}

/// The length a text may have, in characters (Unicode scalar values).
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub max_length: usize,
    /// Shorten what is longer, instead of refusing it.
    pub cut: bool,
}

impl Convert {
    /// The converted value. `Err` says what is wrong with the source's, without repeating it: it may be
    /// nobody's business. (A text missing in a table is repeated; it is a pick list's.)
    pub fn apply(&self, value: &Value) -> Result<Value, String> {
        match self {
            Self::Text(limit) => {
                let text = text(value)?;
                Ok(Value::String(match limit {
                    Some(limit) => limit.apply(text)?,
                    None => text,
                }))
            }
            Self::Integer => number::integer(value).map(Value::Number),
            Self::Decimal { scale_max, sign } => {
                let number = number::decimal(value, *scale_max)?;
                Ok(Value::Number(match sign {
                    Some(sign) => sign.of(number),
                    None => number,
                }))
            }
            Self::Boolean => boolean(value).map(Value::Bool),
            Self::Date(zone) => date(value, zone),
            Self::DateTime(zone) => date_time(value, zone),
            Self::Table(table) => table.look_up(value),
        }
    }
}

impl Table {
    /// The source's text that stands beside this one of the target's, the first of several.
    pub fn source_of(&self, target: &str) -> Option<&str> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(_, held)| *held == target);
        found.map(|(source, _)| source.as_str())
    }

    fn look_up(&self, value: &Value) -> Result<Value, String> {
        let found = match value {
            Value::String(text) => self.entries.get(text),
            _ => self.entries.get(&text(value)?),
        };
        match found {
            Some(found) => Ok(found.clone()),
            None => {
                let text = text(value).unwrap_or_default();
                Err(format!(
                    "is `{}`, which the table `{}` does not list",
                    shown(&text),
                    self.name
                ))
            }
        }
    }
}

impl Limit {
    pub fn apply(self, mut text: String) -> Result<String, String> {
        // A character takes at least a byte.
        if text.len() <= self.max_length {
            return Ok(text);
        }
        let Some((end, _)) = text.char_indices().nth(self.max_length) else {
            return Ok(text);
        };
        if !self.cut {
            let length = text.chars().count();
            return Err(format!(
                "has {length} characters; at most {} fit",
                self.max_length
            ));
        }
        text.truncate(end);
        Ok(text)
    }
}

/// Text as it is; numbers with their digits, in plain notation; true and false.
pub fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => match text.bytes().find(is_control) {
            Some(byte) => Err(format!("holds the control character U+{byte:04X}")),
            None => Ok(text.clone()),
        },
        Value::Number(number) if number.as_str().contains(['e', 'E']) => {
            number::decimal(value, None).map(|plain| plain.to_string())
        }
        Value::Number(number) => Ok(number.as_str().to_owned()),
        Value::Bool(true) => Ok("true".to_owned()),
        Value::Bool(false) => Ok("false".to_owned()),
        other => Err(format!("is {}, not text", kind(other))),
    }
}

/// What vendors refuse or, worse, drop: all but tab, line feed, carriage return.
fn is_control(byte: &u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r')
}

fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err("is not true or false".to_owned()),
    }
}

fn date(value: &Value, zone: &Zone) -> Result<Value, String> {
    match read(value, "is not a date")? {
        // Read strictly, so its text is the canonical one.
        Moment::Day(_) => Ok(value.clone()),
        moment => Ok(Value::String(moment::day(moment, zone)?.to_string())),
    }
}

fn date_time(value: &Value, zone: &Zone) -> Result<Value, String> {
    let instant = moment::instant(read(value, "is not a date with time")?, zone)?;
    Ok(Value::String(instant.to_string()))
}

fn read(value: &Value, refusal: &str) -> Result<Moment, String> {
    let text = value.as_str().ok_or(refusal)?;
    Moment::parse(text).ok_or_else(|| refusal.to_owned())
}

/// What a value is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
