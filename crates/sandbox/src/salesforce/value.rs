//! What a field can hold, and how Salesforce writes it in JSON and in SOAP.

use std::cmp::Ordering;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;

use super::id::Id;

/// The content of one field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    Bool(bool),
    Int(i64),
    Number(Decimal),
    Date(Date),
    DateTime(Timestamp),
    Id(Id),
}

impl Value {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(super) fn id(&self) -> Option<Id> {
        match self {
            Self::Id(id) => Some(*id),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Int(number) => Some(Decimal::from(*number)),
            _ => None,
        }
    }

    /// Appends the JSON form.
    pub(super) fn write_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => write_json_text(text, out),
            Self::Bool(_) | Self::Int(_) | Self::Number(_) => out.push_str(&self.plain()),
            Self::Date(_) | Self::DateTime(_) | Self::Id(_) => {
                out.push('"');
                out.push_str(&self.plain());
                out.push('"');
            }
        }
    }

    /// The bare form REST uses, unquoted; nothing for null.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => text.clone(),
            Self::Bool(truth) => truth.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Number(number) => double(*number),
            Self::Date(date) => date.to_string(),
            Self::DateTime(time) => date_time(*time),
            Self::Id(id) => id.to_string(),
        }
    }

    /// The form in SOAP, where a time ends in `Z`.
    pub(super) fn xml(&self) -> String {
        match self {
            Self::DateTime(time) => time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
            other => other.plain(),
        }
    }

    /// The order of `ORDER BY` and of comparisons, null first; text without regard to case.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Text(left), Self::Text(right)) => order_text(left, right),
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Date(left), Self::Date(right)) => left.cmp(right),
            (Self::DateTime(left), Self::DateTime(right)) => left.cmp(right),
            (Self::Id(left), Self::Id(right)) => left.cmp(right),
            _ => match (self.number(), other.number()) {
                (Some(left), Some(right)) => left.cmp(&right),
                _ => Ordering::Equal,
            },
        }
    }
}

fn order_text(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        let fold = |byte: u8| byte.to_ascii_lowercase();
        return left.bytes().map(fold).cmp(right.bytes().map(fold));
    }
    left.chars()
        .flat_map(char::to_lowercase)
        .cmp(right.chars().flat_map(char::to_lowercase))
}

/// Appends text as a JSON string.
pub(super) fn write_json_text(text: &str, out: &mut String) {
    // Writing a string to memory cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// A time as REST writes it: to the second, with an offset that is always zero.
pub(super) fn date_time(time: Timestamp) -> String {
    let time = time.to_zoned(TimeZone::UTC).datetime();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000+0000",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// A double the way Java prints it: always a fraction (`100.0`), and an exponent from 10⁷ on (`1.2345678E7`)
/// and below 10⁻³. <https://help.salesforce.com/apex/HTViewSolution?id=000221617>
pub(super) fn double(number: Decimal) -> String {
    let number = number.normalize();
    let magnitude = number.abs();
    if magnitude.is_zero() {
        return "0.0".to_owned();
    }
    if magnitude >= Decimal::from(10_000_000) || magnitude < Decimal::new(1, 3) {
        return exponent(number);
    }
    if number.scale() == 0 {
        format!("{number}.0")
    } else {
        number.to_string()
    }
}

fn exponent(number: Decimal) -> String {
    let digits = number.mantissa().unsigned_abs().to_string();
    let power = digits.len() as i64 - 1 - i64::from(number.scale());
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_end_matches('0');
    let rest = if rest.is_empty() { "0" } else { rest };
    let sign = if number.is_sign_negative() { "-" } else { "" };
    format!("{sign}{first}.{rest}E{power}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_as_java_prints_them() {
        for (number, printed) in [
            ("12.50", "12.5"),
            ("100", "100.0"),
            ("0", "0.0"),
            ("-0.00", "0.0"),
            ("1234567", "1234567.0"),
            ("12345678", "1.2345678E7"),
            ("10000000", "1.0E7"),
            ("-12345678.90", "-1.23456789E7"),
            ("9999999.99", "9999999.99"),
            ("0.001", "0.001"),
            ("0.00012", "1.2E-4"),
        ] {
            assert_eq!(double(number.parse().unwrap()), printed, "{number}");
        }
    }

    #[test]
    fn times_carry_a_zero_offset() {
        let time: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        assert_eq!(date_time(time), "2026-01-02T03:04:05.000+0000");
        assert_eq!(Value::DateTime(time).xml(), "2026-01-02T03:04:05.000Z");
    }

    #[test]
    fn text_orders_without_case() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(text("ÄPFEL").order(&text("äpfel")), Ordering::Equal);
        assert_eq!(text("abc").order(&text("ABD")), Ordering::Less);
        assert_eq!(Value::Null.order(&text("")), Ordering::Less);
    }
}
