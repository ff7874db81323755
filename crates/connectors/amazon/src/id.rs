//! Order ids: three characters, seven digits, seven digits: `902-3159896-1390916`. Orders that came to Amazon
//! from elsewhere have letters among the first three (`S01-…`).

use std::fmt;

use sluice_core::{Code, Fault, Result};

/// A text that should be an order id is none (dead letter).
pub const ID_INVALID: Code = Code("AMAZON_ID_INVALID");

/// The id of an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (first, rest) = (parts.next()?, [parts.next()?, parts.next()?]);
        let shop = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit();
        let number = |part: &str| part.len() == 7 && part.bytes().all(|it| it.is_ascii_digit());
        let is_id = first.len() == 3
            && first.bytes().all(shop)
            && rest.into_iter().all(number)
            && parts.next().is_none();
        is_id.then(|| Self(text.to_owned()))
    }

    /// [`Id::parse`]. Fault: `AMAZON_ID_INVALID` (dead letter).
    pub fn required(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(24).collect();
            Fault::dead_letter(ID_INVALID, format!("{shown:?} is not an order id"))
        })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_form() {
        for text in ["902-3159896-1390916", "S01-1234567-7654321"] {
            assert_eq!(Id::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "902",
            "902-3159896",
            "902-3159896-139091",
            "902-3159896-1390916-1",
            "902-3159896-13909167",
            "90-3159896-1390916",
            "s01-1234567-7654321",
            "902-3159896-139091x",
            "902-3159896-1390916/",
            " 902-3159896-1390916",
            "902-３159896-1390916",
        ] {
            assert_eq!(Id::parse(text), None, "{text:?}");
            assert_eq!(Id::required(text).unwrap_err().code, ID_INVALID);
        }
    }
}
