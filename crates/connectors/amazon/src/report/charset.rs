//! How the letters of a report are written. Its answer says it, and not always
//! (<https://github.com/amzn/selling-partner-api-models/issues/2748>).

use sluice_core::answer::cut;
use sluice_core::{Fault, Result};

use crate::errors;

/// How letters are written. In all of these a tab and the end of a line are what they are in ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// Windows-1252, which holds ISO-8859-1's letters at the same places.
    Western,
    /// Japanese or Chinese: cells with other letters than ASCII's are not read, and the order is fetched
    /// where they matter. Their tables would be a third of a component.
    Eastern,
    /// Not said: what is UTF-8 is read.
    Unsaid,
}

impl Charset {
    /// Fault: `AMAZON_REPORT_INVALID` (stop the flow) for one we don't know.
    pub fn of(name: Option<&str>) -> Result<Self> {
        match name {
            None => Ok(Self::Unsaid),
            Some("utf-8" | "utf8" | "us-ascii") => Ok(Self::Utf8),
            Some("iso-8859-1" | "latin1" | "windows-1252" | "cp1252") => Ok(Self::Western),
            Some(
                "shift_jis" | "shift-jis" | "sjis" | "windows-31j" | "ms932" | "cp932" | "gbk"
                | "gb2312" | "gb18030",
            ) => Ok(Self::Eastern),
            Some(other) => {
                let name = cut(other);
                let message = format!("a report is written in an unknown character set, {name}");
                Err(Fault::stop_flow(errors::REPORT_INVALID, message))
            }
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8, as it says",
            Self::Western | Self::Eastern | Self::Unsaid => "its character set",
        }
    }

    /// Whether a line can be of this character set.
    pub fn is_of(self, line: &[u8]) -> bool {
        self != Self::Utf8 || std::str::from_utf8(line).is_ok()
    }

    /// `None` for letters that are not of this character set, or that we can't read.
    pub fn text(self, cell: &[u8]) -> Option<String> {
        if cell.is_ascii() {
            return String::from_utf8(cell.to_vec()).ok();
        }
        match self {
            Self::Utf8 | Self::Unsaid => String::from_utf8(cell.to_vec()).ok(),
            Self::Western => cell.iter().map(|byte| western(*byte)).collect(),
            Self::Eastern => None,
        }
    }
}

/// `None` for the five places that hold nothing.
fn western(byte: u8) -> Option<char> {
    let high = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";
    match byte {
        0x80..=0x9f => {
            let letter = high.chars().nth(usize::from(byte - 0x80));
            letter.filter(|letter| *letter != '\0')
        }
        _ => Some(char::from(byte)),
    }
}
