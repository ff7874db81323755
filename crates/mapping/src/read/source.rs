//! Reads paths, and what a field or a condition reads.

use std::ops::Range;

use toml::de::DeValue;

use super::Context;
use super::keys::{Keys, kind};
use crate::path::Path;
use crate::source::Source;

/// Where a line stands; what it may refer to follows from that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Record,
    /// Inside a list: `^` is the record around it.
    Element,
    /// From the target's record to the source's fields.
    WriteBack,
}

impl Place {
    /// The path under a key, if it is there and right.
    pub fn path(self, keys: &Keys, key: &str, context: &mut Context) -> Option<Path> {
        let text = keys.text(key, &mut context.problems)?;
        let span = keys.get(key)?.span();
        self.check(text, span, context)
    }

    pub fn check(self, text: &str, span: Range<usize>, context: &mut Context) -> Option<Path> {
        match Path::parse(text) {
            Ok(path) if path.outer && self != Self::Element => {
                let reason = "`^` is the record around a list; there is none here";
                context.problems.add(span, reason);
                None
            }
            Ok(path) => Some(path),
            Err(reason) => {
                context.problems.add(span, reason);
                None
            }
        }
    }
}

/// What stands under `from` or `concat`.
pub fn read(key: &str, keys: &Keys, place: Place, context: &mut Context) -> Option<Source> {
    if key == "from" {
        return place.path(keys, key, context).map(Source::Path);
    }
    let list = keys.list(key, &mut context.problems)?;
    if list.is_empty() {
        let span = keys.key_span(key);
        let reason = format!("the list `{key}` is empty");
        context.problems.add(span, reason);
    }
    let mut paths = Vec::new();
    for value in list.iter() {
        match value.get_ref() {
            DeValue::String(text) => paths.extend(place.check(text, value.span(), context)),
            other => {
                let reason = format!("`{key}` lists paths in quotes, not {}", kind(other));
                context.problems.add(value.span(), reason);
            }
        }
    }
    let separator = keys.text("separator", &mut context.problems).unwrap_or("");
    let separator = separator.to_owned();
    Some(Source::Concat { paths, separator })
}
