//! JSON into field values, with the refusals Salesforce gives for what does not fit.

use jiff::{Timestamp, civil::Date};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value as Json;

use super::{
    error::Error,
    id::Id,
    schema::{Field, Kind, Object},
    value::Value,
};

/// Reads one field of a write. Text is trimmed, and empty text is null, as in the vendor.
pub(super) fn convert(object: &Object, field: &Field, json: &Json) -> Result<Value, Error> {
    if json.is_null() {
        return null(field);
    }
    match field.kind {
        Kind::Text(length) | Kind::LongText(length) => text(object, field, json, length),
        Kind::Picklist { values, restricted } => picklist(field, json, values, restricted),
        Kind::Boolean => match json {
            Json::Bool(truth) => Ok(Value::Bool(*truth)),
            Json::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            Json::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            other => Err(misfit("boolean", other)),
        },
        Kind::Int => {
            let number = decimal("int", json)?;
            let whole = i32::try_from(number.normalize().mantissa()).ok();
            match whole {
                Some(whole) if number.normalize().scale() == 0 => Ok(Value::Int(whole.into())),
                _ => Err(misfit("int", json)),
            }
        }
        Kind::Currency(precision, scale) | Kind::Double(precision, scale) => {
            number(field, json, precision, scale)
        }
        Kind::Date => match json.as_str().map(str::trim) {
            Some("") => null(field),
            Some(text) => date(text)
                .map(Value::Date)
                .ok_or_else(|| misfit("date", json)),
            None => Err(misfit("date", json)),
        },
        Kind::DateTime => match json.as_str().map(str::trim) {
            Some("") => null(field),
            Some(text) => date_time(text)
                .map(Value::DateTime)
                .ok_or_else(|| misfit("datetime", json)),
            None => Err(misfit("datetime", json)),
        },
        Kind::Reference { object, .. } => reference(field, json, object),
        Kind::Id => Err(read_only(field)),
    }
}

/// The refusal of a field the API may not write.
pub(super) fn read_only(field: &Field) -> Error {
    Error::write(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and \
             verify that it is read/write for your profile or permission set.",
            field.name
        ),
        [field.name],
    )
}

/// A date, from a date or from the date part of a date-time.
pub(super) fn date(text: &str) -> Option<Date> {
    let day = match text.split_once('T') {
        Some((day, _)) if date_time(text).is_some() => day,
        Some(_) => return None,
        None => text,
    };
    if day.len() != 10 {
        return None;
    }
    day.parse()
        .ok()
        .filter(|date: &Date| (1700..=4000).contains(&date.year()))
}

/// A date-time with an offset, to the second: `2026-01-02T03:04:05Z`, `…05.000+0000`, `…05+01:00`.
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    let time = match text
        .len()
        .checked_sub(5)
        .and_then(|at| text.split_at_checked(at))
    {
        Some((head, zone))
            if zone.starts_with(['+', '-']) && zone[1..].bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{head}{}:{}", &zone[..3], &zone[3..]).parse::<Timestamp>()
        }
        _ => text.parse::<Timestamp>(),
    };
    to_the_second(time.ok()?)
}

/// The organization keeps whole seconds.
pub(super) fn to_the_second(time: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(time.as_second()).ok()
}

/// Half a unit goes away from zero.
pub(super) fn round(number: Decimal, scale: u32) -> Decimal {
    number.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero)
}

fn null(field: &Field) -> Result<Value, Error> {
    match field.kind {
        Kind::Boolean => Ok(Value::Bool(false)),
        _ if field.required => Err(Error::write(
            "REQUIRED_FIELD_MISSING",
            format!("Required fields are missing: [{}]", field.name),
            [field.name],
        )),
        _ => Ok(Value::Null),
    }
}

fn text(object: &Object, field: &Field, json: &Json, length: usize) -> Result<Value, Error> {
    let text = scalar("string", json)?;
    let text = text.trim();
    if text.is_empty() {
        return null(field);
    }
    if text.chars().count() > length {
        return Err(Error::write(
            "STRING_TOO_LONG",
            format!(
                "{}: {}: data value too large: {} (max length={length})",
                object.label,
                field.label,
                text.chars().take(255).collect::<String>()
            ),
            [field.name],
        ));
    }
    Ok(Value::Text(text.to_owned()))
}

fn picklist(field: &Field, json: &Json, values: &[&str], restricted: bool) -> Result<Value, Error> {
    let text = scalar("string", json)?;
    let text = text.trim();
    if text.is_empty() {
        return null(field);
    }
    // A value that differs in case only is stored as the list has it.
    if let Some(known) = values.iter().find(|value| value.eq_ignore_ascii_case(text)) {
        return Ok(Value::Text((*known).to_owned()));
    }
    if restricted || text.chars().count() > 255 {
        return Err(Error::write(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            format!(
                "{}: bad value for restricted picklist field: {}",
                field.label,
                text.chars().take(255).collect::<String>()
            ),
            [field.name],
        ));
    }
    Ok(Value::Text(text.to_owned()))
}

fn number(field: &Field, json: &Json, precision: u32, scale: u32) -> Result<Value, Error> {
    if json.as_str().is_some_and(|text| text.trim().is_empty()) {
        return null(field);
    }
    let number = round(decimal("double", json)?, scale);
    let whole_digits = precision.saturating_sub(scale);
    let limit = Decimal::from_i128_with_scale(10i128.pow(whole_digits.min(27)), 0);
    if number.abs() >= limit {
        return Err(Error::write(
            "NUMBER_OUTSIDE_VALID_RANGE",
            format!(
                "{}: value outside of valid range on numeric field: {number}",
                field.label
            ),
            [field.name],
        ));
    }
    Ok(Value::Number(number))
}

fn decimal(kind: &str, json: &Json) -> Result<Decimal, Error> {
    let text = match json {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        other => return Err(misfit(kind, other)),
    };
    let read = if text.contains(['e', 'E']) {
        Decimal::from_scientific(&text).ok()
    } else {
        text.parse().ok()
    };
    read.ok_or_else(|| misfit(kind, json))
}

fn reference(field: &Field, json: &Json, object: &str) -> Result<Value, Error> {
    let text = scalar("string", json)?;
    let text = text.trim();
    if text.is_empty() {
        return null(field);
    }
    let wrong = || {
        let shown: String = text.chars().take(80).collect();
        Error::write(
            "MALFORMED_ID",
            format!("{}: id value of incorrect type: {shown}", field.label),
            [field.name],
        )
    };
    let id = Id::parse(text).ok_or_else(wrong)?;
    match super::schema::object(object) {
        Some(target) if target.prefix == id.prefix() => Ok(Value::Id(id)),
        _ => Err(wrong()),
    }
}

fn scalar(kind: &str, json: &Json) -> Result<String, Error> {
    match json {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(truth) => Ok(truth.to_string()),
        other => Err(misfit(kind, other)),
    }
}

/// The JSON reader's own complaint.
fn misfit(kind: &str, json: &Json) -> Error {
    let (token, shown) = match json {
        Json::String(text) => ("VALUE_STRING", text.chars().take(80).collect()),
        Json::Number(number) => (
            "VALUE_NUMBER_FLOAT",
            number.to_string().chars().take(80).collect(),
        ),
        Json::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Json::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Json::Array(_) => ("START_ARRAY", "[".to_owned()),
        Json::Object(_) => ("START_OBJECT", "{".to_owned()),
        Json::Null => ("VALUE_NULL", "null".to_owned()),
    };
    Error::bad(
        "JSON_PARSER_ERROR",
        format!(
            "Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing \
             a required field at [line:1, column:1]"
        ),
    )
}
