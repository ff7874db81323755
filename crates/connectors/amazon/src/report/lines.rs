//! The lines of a document, unpacked as they are asked for: a page costs what lies before it, and holds one part.

use std::ops::Range;

use sluice_core::Fault;

use super::document::gzip::Unpacker;
use super::document::{BYTES_MAX, Document, cut_off};

/// Why a document is not read.
#[derive(Debug)]
pub enum Unread {
    /// It is more than we take.
    TooLarge,
    Fault(Fault),
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// See [`Lines::next`].
pub struct Lines<'a> {
    rest: Rest<'a>,
    is_whole: bool,
    /// What is unpacked and not given yet begins at `from`.
    text: Vec<u8>,
    from: usize,
    unpacked: usize,
}

/// What is not unpacked yet.
enum Rest<'a> {
    Plain(&'a [u8]),
    Packed(Box<Unpacker<'a>>),
    Nothing,
}

const PART_BYTES: usize = 32 << 10;

impl<'a> Lines<'a> {
    /// Fault: `AMAZON_REPORT_INVALID` (retry) for what is not even begun as it should be.
    pub fn of(document: &'a Document) -> Result<Self, Fault> {
        let bytes = document.bytes.as_ref();
        let rest = match document.is_packed {
            true => Rest::Packed(Box::new(Unpacker::new(bytes).map_err(cut_off)?)),
            false => Rest::Plain(bytes),
        };
        Ok(Self {
            rest,
            is_whole: document.is_whole,
            text: Vec::new(),
            from: 0,
            unpacked: 0,
        })
    }

    /// The next line without its end; `None` after the last.
    ///
    /// Fault: `AMAZON_REPORT_INVALID` (retry) where the document is cut off, or its last line may not be the last.
    pub fn next(&mut self) -> Result<Option<&[u8]>, Unread> {
        let line = self.range()?.and_then(|range| self.text.get(range));
        Ok(line.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Bytes of the text that were unpacked so far.
    #[cfg(test)]
    pub fn unpacked(&self) -> usize {
        self.unpacked
    }

    /// Whether a second reading would find the same.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn range(&mut self) -> Result<Option<Range<usize>>, Unread> {
        // So much of what is there has no end of a line.
        let mut seen = 0;
        loop {
            let rest = self.text.get(self.from..).unwrap_or_default();
            let unseen = rest.get(seen..).unwrap_or_default();
            if let Some(at) = unseen.iter().position(|byte| *byte == b'\n') {
                let line = self.from..self.from + seen + at;
                self.from = line.end + 1;
                return Ok(Some(line));
            }
            seen = rest.len();
            if self.unpack()? {
                continue;
            }
            if seen == 0 {
                return Ok(None);
            }
            if !self.is_whole {
                return Err(cut_off("its last line has no end").into());
            }
            let line = self.from..self.text.len();
            self.from = line.end;
            return Ok(Some(line));
        }
    }

    /// Another part; `false` where there is none. What was given is let go.
    fn unpack(&mut self) -> Result<bool, Unread> {
        self.text.drain(..self.from);
        self.from = 0;
        let before = self.text.len();
        match &mut self.rest {
            Rest::Nothing => return Ok(false),
            Rest::Plain(bytes) => {
                let (part, rest) = bytes.split_at(bytes.len().min(PART_BYTES));
                self.text.extend(part);
                self.rest = if rest.is_empty() {
                    Rest::Nothing
                } else {
                    Rest::Plain(rest)
                };
            }
            Rest::Packed(unpacker) => {
                if !unpacker.part(&mut self.text).map_err(cut_off)? {
                    self.rest = Rest::Nothing;
                }
            }
        }
        self.unpacked += self.text.len() - before;
        match self.unpacked > BYTES_MAX {
            true => Err(Unread::TooLarge),
            false => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::report::document::pack;

    fn document(bytes: Vec<u8>, is_packed: bool) -> Document {
        Document {
            bytes: Bytes::from(bytes),
            is_packed,
            is_whole: true,
        }
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        let long = "x".repeat(3 * PART_BYTES);
        for text in [
            "",
            "a",
            "a\n",
            "a\r\nb\n\nc",
            &long,
            &format!("{long}\r\nb\n{long}\n"),
        ] {
            let want: Vec<&str> = text.lines().collect();
            for (bytes, is_packed) in [(text.into(), false), (pack(text.as_bytes()), true)] {
                let document = document(bytes, is_packed);
                let mut lines = Lines::of(&document).unwrap();
                let mut got = Vec::new();
                while let Some(line) = lines.next().unwrap() {
                    got.push(String::from_utf8(line.to_vec()).unwrap());
                }
                assert_eq!(got, want);
                assert!(lines.next().unwrap().is_none(), "it stays at its end");
            }
        }
    }

    #[test]
    fn a_text_that_is_too_large_is_given_up_and_never_held() {
        let line = "x".repeat(99) + "\n";
        let text = line.repeat(BYTES_MAX / 100 + 1);
        let document = document(pack(text.as_bytes()), true);
        assert!(document.bytes.len() < 1 << 20);
        let mut lines = Lines::of(&document).unwrap();
        let end = loop {
            match lines.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it is too large"),
                Err(end) => break end,
            }
            assert!(lines.text.capacity() <= 4 * PART_BYTES);
        };
        assert!(matches!(end, Unread::TooLarge), "{end:?}");
    }
}
