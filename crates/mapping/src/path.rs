//! Dotted paths, split once.

use serde_json::Value;

use crate::scope::Scope;

/// How deep a path may go.
pub const NAME_COUNT_MAX: usize = 16;

/// A dotted path into a source body: `Account.Name`, or `^.Name` for the record around a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Into the record around the list, not the element.
    pub outer: bool,
    names: Vec<String>,
}

impl Path {
    /// Reads a path; `Err` says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (outer, inner) = match text.strip_prefix("^.") {
            Some(inner) => (true, inner),
            None => (false, text),
        };
        let names = split(inner)?;
        Ok(Self { outer, names })
    }

    /// The value, if it and all on the way to it are there and not null.
    pub fn find<'a>(&self, scope: &Scope<'a>) -> Option<&'a Value> {
        let start = if self.outer {
            scope.outer
        } else {
            scope.record
        };
        self.names
            .iter()
            .try_fold(start, |value, name| value.as_object()?.get(name))
            .filter(|value| !value.is_null())
    }

    /// Stands in for a path of a file that is refused.
    pub fn nowhere() -> Self {
        let (outer, names) = (false, Vec::new());
        Self { outer, names }
    }

    /// The path without its `^.`.
    pub fn inner(&self) -> String {
        self.names.join(".")
    }
}

/// The names of a dotted path. Positions are no part of it: lists are mapped by a block of their own.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split('.').map(str::to_owned).collect();
    if names.len() > NAME_COUNT_MAX {
        return Err(format!("the path is deeper than {NAME_COUNT_MAX} names"));
    }
    if names.iter().any(String::is_empty) {
        return Err(format!("the path `{}` has an empty name", shown(text)));
    }
    let stray = |c: char| c.is_control() || c.is_whitespace() || "[]^*".contains(c);
    if let Some(c) = text.chars().find(|c| stray(*c)) {
        return Err(format!(
            "the path `{}` can't hold {c:?}; paths are names with dots between",
            shown(text)
        ));
    }
    Ok(names)
}

/// A text from the file or a record, short and printable enough for a message.
pub fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut out: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}
