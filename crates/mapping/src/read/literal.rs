//! Values written out in the file, as JSON.

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::problem::Problems;
use crate::number::Digits;

/// The JSON for a TOML value; numbers keep their digits. Its depth is bounded by the TOML parser's.
pub fn json(value: &Spanned<DeValue>, problems: &mut Problems) -> Option<Value> {
    match value.get_ref() {
        DeValue::String(text) => Some(Value::String(text.to_string())),
        DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
        DeValue::Integer(integer) => {
            let number = i64::from_str_radix(integer.as_str(), integer.radix());
            if number.is_err() {
                problems.add(value.span(), "the number is too large");
            }
            number.ok().map(Value::from)
        }
        DeValue::Float(float) => {
            let text = float.as_str().trim_start_matches('+');
            let number = Digits::parse(text).and_then(|_| text.parse().ok());
            if number.is_none() {
                problems.add(value.span(), "this is no number that can be sent");
            }
            number.map(Value::Number)
        }
        DeValue::Datetime(_) => {
            problems.add(value.span(), "write a date as text, in quotes");
            None
        }
        DeValue::Array(list) => {
            let list: Vec<Option<Value>> = list.iter().map(|value| json(value, problems)).collect();
            list.into_iter().collect::<Option<_>>().map(Value::Array)
        }
        DeValue::Table(table) => {
            let mut object = Map::new();
            for (key, value) in table {
                object.insert(key.get_ref().to_string(), json(value, problems)?);
            }
            Some(Value::Object(object))
        }
    }
}
