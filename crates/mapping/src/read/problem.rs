//! What is wrong with a file, each with its place.

use std::ops::Range;

use sluice_core::{BadField, Fault, code};

use crate::path::shown;

/// The problems of one file.
pub struct Problems<'t> {
    origin: &'t str,
    text: &'t str,
    list: Vec<(usize, String)>,
}

impl<'t> Problems<'t> {
    /// More than this many are not worth reading.
    const COUNT_MAX: usize = 100;

    pub fn new(origin: &'t str, text: &'t str) -> Self {
        let list = Vec::new();
        Self { origin, text, list }
    }

    pub fn add(&mut self, span: Range<usize>, reason: impl Into<String>) {
        self.note(span.start, reason.into());
    }

    #[cold]
    #[inline(never)]
    fn note(&mut self, offset: usize, reason: String) {
        if self.list.len() < Self::COUNT_MAX {
            self.list.push((offset, reason));
        }
    }

    /// A key that `what` does not know, and the one that was probably meant.
    pub fn unknown_key(&mut self, span: Range<usize>, key: &str, known: &[&str], what: &str) {
        let reason = match nearest(key, known.iter().copied()) {
            Some(meant) => format!("unknown key `{}`, did you mean `{meant}`?", shown(key)),
            None => format!(
                "unknown key `{}` in {what}; known are {}",
                shown(key),
                known.join(", ")
            ),
        };
        self.add(span, reason);
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first in the file is the message, the others are the fields.
    pub fn into_fault(self) -> Fault {
        let offsets = self.list.iter().map(|(offset, _)| *offset);
        let mut placed: Vec<(String, String)> = by_offset(offsets)
            .into_iter()
            .map(|(offset, at)| (self.place(offset), self.list[at].1.clone()))
            .collect();
        let message = match placed.is_empty() {
            true => format!("{}: invalid", self.origin),
            false => {
                let (place, reason) = placed.remove(0);
                format!("{place}: {reason}")
            }
        };
        let fields = placed
            .into_iter()
            .map(|(place, reason)| BadField::new(place, reason))
            .collect();
        Fault::stop_flow(code::MAPPING_INVALID, message).with_fields(fields)
    }

    /// `mapping.toml:12:5`, both from 1, columns in characters.
    pub fn place(&self, offset: usize) -> String {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[start..].chars().count() + 1;
        format!("{}:{line}:{column}", self.origin)
    }
}

/// Offsets in the order of the file, each with its position in the list given.
pub fn by_offset(offsets: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut order: Vec<(usize, usize)> = offsets
        .enumerate()
        .map(|(at, offset)| (offset, at))
        .collect();
    order.sort_unstable();
    order
}

/// The known word that was probably meant: at most two letters off, and not another word altogether.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const LETTERS_MAX: usize = 64;
    if word.len() > LETTERS_MAX {
        return None;
    }
    known
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2 && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
