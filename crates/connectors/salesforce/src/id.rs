//! Record ids: fifteen case-sensitive characters, or eighteen, the last three telling which letters of
//! the first fifteen are capitals. Both name one record, so one form is kept: eighteen.
//! <https://help.salesforce.com/s/articleView?id=000385008>

use std::fmt;

use sluice_core::{Code, Fault, Result};

/// A text that should be a record id is none (dead letter).
pub const ID_INVALID: Code = Code("SALESFORCE_ID_INVALID");

/// A record id in its eighteen-character form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 18]);

impl Id {
    /// Reads either form; `None` if it is neither, or if the last three characters belie the rest.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut id = [0; 18];
        let (stem, suffix) = bytes.split_at_checked(15)?;
        id[..15].copy_from_slice(stem);
        for (place, part) in stem.chunks_exact(5).enumerate() {
            let capitals = part.iter().rev().fold(0, |bits, byte| {
                bits << 1 | usize::from(byte.is_ascii_uppercase())
            });
            id[15 + place] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[capitals];
        }
        let known = suffix.is_empty() || suffix == &id[15..];
        known.then_some(Self(id))
    }

    /// [`Id::parse`]. Fault: `SALESFORCE_ID_INVALID` (dead letter).
    pub fn required(text: &str) -> Result<Self> {
        Self::parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(24).collect();
            Fault::dead_letter(ID_INVALID, format!("{shown:?} is not a record id"))
        })
    }

    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        // Ids hold ASCII only, by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_id() {
        for (short, long) in [
            ("00De0000000pmu1", "00De0000000pmu1EAA"),
            ("04ke0000000Cb2D", "04ke0000000Cb2DAAS"),
            ("a29e0000000K4P0", "a29e0000000K4P0AAK"),
            ("003q000000KvQ2D", "003q000000KvQ2DAAV"),
        ] {
            assert_eq!(Id::parse(short).unwrap().as_str(), long);
            assert_eq!(Id::parse(long), Id::parse(short));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "006",
            "00De0000000pmu1E",
            "00De0000000pmu1AAA",
            "00de0000000pmu1EAA",
            "00De0000000pmu1EAAA",
            "00De0000000pmu'",
            "00De0000000pmué",
            "00De0000000pm\u{0}1",
        ] {
            assert_eq!(Id::parse(text), None, "{text:?}");
            assert_eq!(Id::required(text).unwrap_err().code, ID_INVALID);
        }
    }
}
