//! Reading a record's body without inventing values.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::{Fault, Result, code};

/// Typed access to a JSON body. Missing is not empty: an absent field is a fault, not a default.
///
/// Faults: `FIELD_MISSING`, `FIELD_INVALID` (dead letter), each naming the field.
pub trait Body {
    /// The value at a dotted path; `None` where it, or anything on the way to it, is absent or null.
    fn at(&self, path: &str) -> Option<&Value>;

    fn required(&self, path: &str) -> Result<&Value> {
        self.at(path).ok_or_else(|| {
            Fault::dead_letter(code::FIELD_MISSING, format!("the field {path} is missing"))
        })
    }

    fn text(&self, path: &str) -> Result<&str> {
        let value = self.required(path)?;
        value.as_str().ok_or_else(|| invalid(path, "text"))
    }

    fn decimal(&self, path: &str) -> Result<Decimal> {
        exact(self.required(path)?).ok_or_else(|| invalid(path, "a decimal number"))
    }

    fn boolean(&self, path: &str) -> Result<bool> {
        let value = self.required(path)?;
        value
            .as_bool()
            .ok_or_else(|| invalid(path, "true or false"))
    }

    fn list(&self, path: &str) -> Result<&[Value]> {
        let value = self.required(path)?;
        let list = value.as_array().ok_or_else(|| invalid(path, "a list"))?;
        Ok(list)
    }
}

impl Body for Value {
    fn at(&self, path: &str) -> Option<&Value> {
        path.split('.')
            .try_fold(self, |value, name| value.get(name))
            .filter(|value| !value.is_null())
    }
}

/// The exact decimal a JSON number (or a text holding one) stands for; `None` if it is none, or has more
/// digits than a decimal holds.
pub fn exact(value: &Value) -> Option<Decimal> {
    let digits = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    if digits.contains(['e', 'E']) {
        return Decimal::from_scientific(&digits).ok();
    }
    Decimal::from_str_exact(&digits).ok()
}

fn invalid(path: &str, wanted: &str) -> Fault {
    let message = format!("the field {path} is not {wanted}");
    Fault::dead_letter(code::FIELD_INVALID, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_keep_their_digits() {
        let body = parse(r#"{"a": 0.10, "b": 1e3, "c": "12.50", "d": 123456789012345678.01}"#);
        for (path, want) in [
            ("a", "0.10"),
            ("b", "1000"),
            ("c", "12.50"),
            ("d", "123456789012345678.01"),
        ] {
            assert_eq!(body.decimal(path).unwrap().to_string(), want, "{path}");
        }
    }

    #[test]
    fn a_number_with_too_many_digits_is_refused_not_rounded() {
        let body = parse(r#"{"a": 0.12345678901234567890123456789012345}"#);
        assert_eq!(body.decimal("a").unwrap_err().code, code::FIELD_INVALID);
    }

    #[test]
    fn missing_is_not_empty() {
        let body = parse(r#"{"a": null, "b": {"c": 1}}"#);
        for path in ["a", "x", "b.x", "b.c.x"] {
            assert_eq!(
                body.text(path).unwrap_err().code,
                code::FIELD_MISSING,
                "{path}"
            );
        }
        assert_eq!(body.text("b.c").unwrap_err().code, code::FIELD_INVALID);
    }
}
