//! Exact amounts with their currency.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::{Fault, Result, code};

/// An exact amount of one currency. Amounts of different currencies never add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

/// An ISO 4217 alphabetic code: three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Money {
    /// Fails on unlike currencies and on overflow. Fault: `FIELD_INVALID` (dead letter).
    pub fn checked_add(self, other: Money) -> Result<Money> {
        if self.currency != other.currency {
            let message = format!("{} and {} do not add up", self.currency, other.currency);
            return Err(Fault::dead_letter(code::FIELD_INVALID, message));
        }
        let amount = self.amount.checked_add(other.amount).ok_or_else(|| {
            Fault::dead_letter(code::FIELD_INVALID, "a sum of money is out of range")
        })?;
        Ok(Money { amount, ..self })
    }
}

impl FromStr for Currency {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self> {
        match text.as_bytes() {
            [a, b, c] if text.bytes().all(|letter| letter.is_ascii_uppercase()) => {
                Ok(Self([*a, *b, *c]))
            }
            _ => Err(Fault::dead_letter(
                code::FIELD_INVALID,
                "a currency is three upper-case letters",
            )),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unlike_currencies_do_not_add_up() {
        let of = |currency: &str| Money {
            amount: Decimal::new(150, 2),
            currency: currency.parse().unwrap(),
        };
        assert_eq!(
            of("EUR").checked_add(of("EUR")).unwrap().amount.to_string(),
            "3.00"
        );
        assert!(of("EUR").checked_add(of("USD")).is_err());
        assert!("eur".parse::<Currency>().is_err());
    }
}
