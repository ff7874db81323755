//! One JSON value, in and out.

use std::str::FromStr;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value, json};

use super::answer::{Detail, Place};
use super::schema::{Family, Field, Type};
use super::store::{Cell, Fields, Store};

/// Reads one value as its field's type. References must lead to a record.
pub(super) fn read(
    store: &Store,
    field: &Field,
    value: &Value,
    path: &str,
) -> Result<Cell, Detail> {
    let invalid = || Detail::invalid_value(field.name, path);
    match field.kind {
        Type::Text(max) => {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err(invalid()),
            };
            if text.chars().count() > max {
                return Err(Detail::user_error(format!(
                    "The field {} contained more than the maximum number ( {max} ) of characters allowed.",
                    field.name
                ))
                .at(Place::Path(path.to_owned())));
            }
            Ok(Cell::Text(text))
        }
        Type::Integer => whole(value).map(Cell::Integer).ok_or_else(invalid),
        Type::Number => number(value).map(Cell::Number).ok_or_else(invalid),
        Type::Flag => match value {
            Value::Bool(flag) => Ok(Cell::Flag(*flag)),
            _ => Err(invalid()),
        },
        Type::Date => text_of(value)
            .filter(|text| text.len() == 10)
            .and_then(|text| Date::from_str(text).ok())
            .map(Cell::Date)
            .ok_or_else(invalid),
        Type::Moment => text_of(value)
            .and_then(|text| Timestamp::from_str(text).ok())
            .map(Cell::Moment)
            .ok_or_else(invalid),
        Type::Choice(choices) => {
            let id = value.get("id").unwrap_or(value);
            let id = text_of(id).ok_or_else(invalid)?;
            choices
                .iter()
                .find(|(known, _)| *known == id)
                .map(|(known, _)| Cell::Choice(known))
                .ok_or_else(|| Detail::invalid_field_value(&shorten(id), field.name, path))
        }
        Type::Ref(family) => reference(store, family, field, value, path).map(Cell::Ref),
        Type::Refs(family) => {
            let items = value
                .get("items")
                .and_then(Value::as_array)
                .ok_or_else(invalid)?;
            let ids: Result<Vec<u64>, Detail> = items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    reference(
                        store,
                        family,
                        field,
                        item,
                        &format!("{path}.items[{index}]"),
                    )
                })
                .collect();
            ids.map(Cell::Refs)
        }
        Type::Subrecord(_) => Err(invalid()),
    }
}

/// `{"id":"107"}`, `{"externalId":"…"}`, or the bare id.
fn reference(
    store: &Store,
    family: Family,
    field: &Field,
    value: &Value,
    path: &str,
) -> Result<u64, Detail> {
    if let Some(external_id) = value.get("externalId").and_then(Value::as_str)
        && value.get("id").is_none()
    {
        return store
            .by_external(family, external_id)
            .map(|record| record.id)
            .ok_or_else(|| {
                Detail::new(
                    "INVALID_CONTENT",
                    format!(
                        "The record instance for external ID '{}' does not exist. Provide a valid \
                         record instance ID.",
                        shorten(external_id)
                    ),
                )
                .at(Place::Path(path.to_owned()))
            });
    }
    let id = value.get("id").unwrap_or(value);
    let text = match id {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Detail::invalid_value(field.name, path)),
    };
    text.parse()
        .ok()
        .and_then(|id| store.get(family, id))
        .map(|record| record.id)
        .ok_or_else(|| Detail::invalid_field_value(&shorten(&text), field.name, path))
}

fn text_of(value: &Value) -> Option<&str> {
    value.as_str()
}

/// A whole number, written as a number or as text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An exact decimal, written as a number or as text.
pub(super) fn number(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    // Exponents a decimal cannot hold are refused by the parser, not expanded.
    Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
}

/// Enough of a hostile value to recognise it.
fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}

/// How references and choices look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look<'a> {
    /// As the wire shows them, with links under this `scheme://host`.
    Wire(&'a str),
    /// As an administrator's list shows them.
    Bare,
}

/// The values of a record, line or subrecord as JSON.
pub(super) fn write_fields(
    store: &Store,
    defs: &'static [Field],
    fields: &Fields,
    look: Look<'_>,
    into: &mut Map<String, Value>,
) {
    for def in defs {
        if let Some(cell) = fields.get(def.name) {
            into.insert(def.name.to_owned(), write(store, def, cell, look));
        }
    }
}

fn write(store: &Store, def: &'static Field, cell: &Cell, look: Look<'_>) -> Value {
    match (cell, def.kind) {
        (Cell::Text(text), _) => Value::String(text.clone()),
        (Cell::Integer(number), _) => json!(number),
        (Cell::Number(number), _) => double(*number),
        (Cell::Flag(flag), _) => Value::Bool(*flag),
        (Cell::Date(date), _) => Value::String(date.to_string()),
        (Cell::Moment(moment), _) => Value::String(moment_text(*moment)),
        (Cell::Choice(id), Type::Choice(choices)) => {
            let label = choices.iter().find(|(known, _)| known == id);
            json!({"id": id, "refName": label.map_or(*id, |(_, label)| *label)})
        }
        (Cell::Ref(id), Type::Ref(family)) => write_ref(store, family, *id, look),
        (Cell::Refs(ids), Type::Refs(family)) => {
            let items: Vec<Value> = ids
                .iter()
                .map(|id| write_ref(store, family, *id, look))
                .collect();
            json!({"items": items})
        }
        (Cell::Sub(inner), Type::Subrecord(defs)) => {
            let mut map = Map::new();
            write_fields(store, defs, inner, look, &mut map);
            Value::Object(map)
        }
        // A cell is only ever stored under a field of its type.
        (Cell::Choice(id), _) => json!({"id": id}),
        (Cell::Ref(id), _) => json!({"id": id.to_string()}),
        (Cell::Refs(_) | Cell::Sub(_), _) => Value::Null,
    }
}

fn write_ref(store: &Store, family: Family, id: u64, look: Look<'_>) -> Value {
    let mut map = Map::new();
    if let Look::Wire(origin) = look
        && let Some(record) = store.get(family, id)
    {
        let href = format!("{origin}{RECORDS}/{}/{id}", record.kind.name);
        map.insert("links".to_owned(), json!([{"rel": "self", "href": href}]));
    }
    map.insert("id".to_owned(), Value::String(id.to_string()));
    if let Some(record) = store.get(family, id) {
        map.insert("refName".to_owned(), Value::String(record.label()));
    }
    Value::Object(map)
}

/// The record service's path.
pub(super) const RECORDS: &str = "/services/rest/record/v1";

/// `2026-11-22T19:41:05Z`: whole seconds.
pub(super) fn moment_text(moment: Timestamp) -> String {
    Timestamp::from_second(moment.as_second())
        .unwrap_or(moment)
        .to_string()
}

/// A number with at least one decimal place, as the service prints doubles: `100.0`.
pub(super) fn double(number: Decimal) -> Value {
    let number = number.normalize();
    let text = if number.scale() == 0 {
        format!("{number}.0")
    } else {
        number.to_string()
    };
    Number::from_str(&text).map_or(Value::Null, Value::Number)
}
