//! The keys of one TOML table, read by name and type.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::problem::{Problems, by_offset};

/// A table with its place and what people call it.
pub struct Keys<'d> {
    table: &'d DeTable<'d>,
    pub span: Range<usize>,
    pub what: &'d str,
}

impl<'d> Keys<'d> {
    pub fn new(table: &'d DeTable<'d>, span: Range<usize>, what: &'d str) -> Self {
        Self { table, span, what }
    }

    /// Notes every key that is not known; whether all are.
    pub fn all_known(&self, known: &[&str], problems: &mut Problems) -> bool {
        let mut all = true;
        for key in self.table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                problems.unknown_key(key.span(), key.get_ref(), known, self.what);
                all = false;
            }
        }
        all
    }

    pub fn all(&self) -> &'d DeTable<'d> {
        self.table
    }

    pub fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the key stands; the table's own place if it does not.
    pub fn key_span(&self, key: &str) -> Range<usize> {
        let found = self.table.get_key_value(key);
        found.map_or(self.span.clone(), |(key, _)| key.span())
    }

    pub fn text(&self, key: &str, problems: &mut Problems) -> Option<&'d str> {
        self.typed(key, "text in quotes", problems, |value| value.as_str())
    }

    pub fn boolean(&self, key: &str, problems: &mut Problems) -> Option<bool> {
        self.typed(key, "true or false", problems, |value| value.as_bool())
    }

    /// A whole number from 0 up.
    pub fn count(&self, key: &str, problems: &mut Problems) -> Option<u32> {
        self.typed(key, "a whole number from 0 up", problems, |value| {
            let number = value.as_integer()?;
            u32::from_str_radix(number.as_str(), number.radix()).ok()
        })
    }

    pub fn table(&self, key: &str, problems: &mut Problems) -> Option<&'d DeTable<'d>> {
        self.typed(key, "a table", problems, |value| value.as_table())
    }

    pub fn list(&self, key: &str, problems: &mut Problems) -> Option<&'d DeArray<'d>> {
        self.typed(key, "a list", problems, |value| value.as_array())
    }

    fn typed<T>(
        &self,
        key: &str,
        wanted: &str,
        problems: &mut Problems,
        read: impl FnOnce(&'d DeValue<'d>) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let read = read(value.get_ref());
        if read.is_none() {
            let is = kind(value.get_ref());
            problems.add(value.span(), format!("`{key}` must be {wanted}, not {is}"));
        }
        read
    }
}

/// The entries in the order of the file.
pub fn in_order<'d>(
    table: &'d DeTable<'d>,
) -> Vec<(&'d Spanned<DeString<'d>>, &'d Spanned<DeValue<'d>>)> {
    let entries: Vec<_> = table.iter().collect();
    by_offset(entries.iter().map(|(key, _)| key.span().start))
        .into_iter()
        .map(|(_, at)| entries[at])
        .collect()
}

/// What a TOML value is, in words.
pub fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
