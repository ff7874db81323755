//! Exact numbers by their digits: no binary floating point, no rounding.

use serde_json::{Number, Value};

/// The digits a decimal keeps exactly, as in `rust_decimal`.
pub const DIGIT_COUNT_MAX: usize = 28;

/// Which sign an amount is given, whichever it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Negative,
    Positive,
}

impl Sign {
    /// The number with this sign. Zero has none.
    pub fn of(self, number: Number) -> Number {
        let text = number.as_str();
        let wanted = match (self, text.strip_prefix('-')) {
            (Self::Positive, Some(bare)) => bare.to_owned(),
            (Self::Negative, None) if text.bytes().any(|b| matches!(b, b'1'..=b'9')) => {
                format!("-{text}")
            }
            _ => return number,
        };
        wanted.parse().unwrap_or(number)
    }
}

/// A number's value as digits and a power of ten, with no zeros at either end, so that equal values are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    negative: bool,
    /// ASCII digits; empty for zero.
    digits: String,
    exponent: i64,
}

impl Digits {
    /// Reads a number in JSON's notation, of any length; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], power_of_ten(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0').trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        let trailing_zeros = all.len() - all.trim_end_matches('0').len();
        let exponent = power - fraction.len() as i64 + trailing_zeros as i64;
        Some(Self {
            negative,
            digits,
            exponent,
        })
    }

    /// How many digits stand after the point.
    pub fn scale(&self) -> u64 {
        self.exponent.min(0).unsigned_abs()
    }

    /// The value times ten to the power of `scale`, which is at least its own; `None` if that is too large.
    pub fn units(&self, scale: u64) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = usize::try_from(self.exponent.checked_add_unsigned(scale)?).ok()?;
        let mut units: i128 = 0;
        for digit in self.digits.bytes().chain(std::iter::repeat_n(b'0', zeros)) {
            units = units.checked_mul(10)?.checked_add((digit - b'0').into())?;
        }
        Some(if self.negative { -units } else { units })
    }

    /// In plain notation, if that takes at most [`DIGIT_COUNT_MAX`] digits.
    pub fn plain(&self) -> Option<String> {
        let sign = if self.negative { "-" } else { "" };
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        if self.exponent >= 0 {
            let zeros = usize::try_from(self.exponent).ok()?;
            if zeros.checked_add(self.digits.len())? > DIGIT_COUNT_MAX {
                return None;
            }
            return Some(format!("{sign}{}{}", self.digits, "0".repeat(zeros)));
        }
        let scale = usize::try_from(self.scale()).ok()?;
        if scale.max(self.digits.len()) > DIGIT_COUNT_MAX {
            return None;
        }
        let padded = format!("{:0>width$}", self.digits, width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        Some(format!("{sign}{whole}.{fraction}"))
    }

    /// One text for one value, however it was written.
    pub fn canonical(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        match self.digits.as_str() {
            "" => "0".to_owned(),
            digits => format!("{sign}{digits}e{}", self.exponent),
        }
    }
}

/// The exponent; out of all reason is none.
fn power_of_ten(text: &str) -> Option<i64> {
    const POWER_MAX: i64 = 1 << 40;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let power: i64 = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
    (power.abs() <= POWER_MAX).then_some(power)
}

/// An exact number with the digits it was written with, in plain notation. `Err` says what it is instead.
pub fn decimal(value: &Value, scale_max: Option<u64>) -> Result<Number, String> {
    let text = digits_of(value).ok_or("is not a number")?;
    if let Value::Number(number) = value
        && is_short_and_plain(text, scale_max)
    {
        return Ok(number.clone());
    }
    let digits = Digits::parse(text).ok_or("is not a number")?;
    if let Some(max) = scale_max
        && digits.scale() > max
    {
        return Err(format!("has more than {max} digits after the point"));
    }
    let too_long = || format!("has more than {DIGIT_COUNT_MAX} digits");
    let plain = if is_short_and_plain(text, None) {
        text.to_owned()
    } else {
        digits.plain().ok_or_else(too_long)?
    };
    plain.parse().map_err(|_| "is not a number".to_owned())
}

/// A whole number of 64 bits, also where it is written as `3.0`. `Err` says what it is instead.
pub fn integer(value: &Value) -> Result<Number, String> {
    let text = digits_of(value).ok_or("is not a number")?;
    let digits = Digits::parse(text).ok_or("is not a number")?;
    if digits.scale() > 0 {
        return Err("is not a whole number".to_owned());
    }
    digits
        .plain()
        .and_then(|plain| plain.parse::<i64>().ok())
        .map(Number::from)
        .ok_or_else(|| "is out of range for a whole number".to_owned())
}

fn digits_of(value: &Value) -> Option<&str> {
    match value {
        Value::Number(number) => Some(number.as_str()),
        // Of a text, what a person would write: `1e3` there is rather an article's name.
        Value::String(text) if !text.contains(['e', 'E']) => Some(text),
        _ => None,
    }
}

/// Whether these digits are exact as they stand, so that a number can be taken over unread.
fn is_short_and_plain(text: &str, scale_max: Option<u64>) -> bool {
    let bytes = match text.strip_prefix('-') {
        // A zero has no sign.
        Some(digits) if digits.contains(|c| matches!(c, '1'..='9')) => digits.as_bytes(),
        _ => text.as_bytes(),
    };
    let scale = match bytes.iter().position(|b| *b == b'.') {
        Some(point) => bytes.len() - point - 1,
        None => 0,
    };
    let plain = |b: &u8| b.is_ascii_digit() || *b == b'.';
    bytes.len() <= DIGIT_COUNT_MAX
        && bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.iter().all(plain)
        && scale_max.is_none_or(|max| scale as u64 <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_digits() {
        for (a, b) in [
            ("1.0", "1.00"),
            ("100", "1e2"),
            ("-0", "0"),
            ("0.10", "1E-1"),
            ("-12.50", "-125e-1"),
            ("0e99999999", "0"),
        ] {
            assert_eq!(Digits::parse(a), Digits::parse(b), "{a} {b}");
            assert!(Digits::parse(a).is_some(), "{a}");
        }
        assert_ne!(Digits::parse("1"), Digits::parse("-1"));
        assert_ne!(Digits::parse("1"), Digits::parse("10"));
    }

    #[test]
    fn only_json_notation_is_a_number() {
        for text in [
            "",
            "-",
            "+1",
            ".5",
            "5.",
            "01",
            "1_000",
            "1,5",
            "NaN",
            "inf",
            "1e",
            "1e+",
            "0x10",
            " 1",
            "1 ",
            "--1",
            "1e99999999999999999999",
            "١",
        ] {
            assert_eq!(Digits::parse(text), None, "{text}");
        }
    }

    #[test]
    fn plain_notation_is_exact_or_refused() {
        for (text, plain) in [
            ("1e3", Some("1000")),
            ("1.5e-3", Some("0.0015")),
            ("-0.0", Some("0")),
            ("12.340", Some("12.34")),
            ("1e27", Some("1000000000000000000000000000")),
            ("1e28", None),
            ("1e-28", Some("0.0000000000000000000000000001")),
            ("1e-29", None),
            ("1e999999999", None),
            ("1e-999999999", None),
        ] {
            let digits = Digits::parse(text).unwrap();
            assert_eq!(digits.plain().as_deref(), plain, "{text}");
        }
    }
}
