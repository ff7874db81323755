//! One table of a TOML document, read key by key; what nobody asked for is refused at the end.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::refusal::Refusals;

/// A table being read. Every getter marks its key as known; [`Section::finish`] refuses the others.
pub(super) struct Section<'a> {
    name: String,
    at: usize,
    table: &'a DeTable<'a>,
    refusals: &'a Refusals,
    known: BTreeSet<&'static str>,
}

impl<'a> Section<'a> {
    /// `name` is how refusals call the table; `at` is the byte where it starts.
    pub(super) fn new(
        name: impl Into<String>,
        at: usize,
        table: &'a DeTable<'a>,
        refusals: &'a Refusals,
    ) -> Self {
        Self {
            name: name.into(),
            at,
            table,
            refusals,
            known: BTreeSet::new(),
        }
    }

    /// Where the table starts.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// A value of any type.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.insert(key);
        self.table.get(key)
    }

    /// Every key of the table with the byte it stands at.
    pub(super) fn keys(&self) -> Vec<(String, usize)> {
        self.table
            .keys()
            .map(|key| (key.get_ref().to_string(), key.span().start))
            .collect()
    }

    /// Every key with its value: for tables whose keys are names the user chose.
    pub(super) fn entries(
        &self,
    ) -> impl Iterator<Item = (&'a str, usize, &'a Spanned<DeValue<'a>>)> {
        self.table
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value))
    }

    pub(super) fn optional_text(&mut self, key: &'static str) -> Option<(String, usize)> {
        let value = self.take(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some((text.to_owned(), value.span().start)),
            None => {
                self.wrong_type(key, "text", value);
                None
            }
        }
    }

    pub(super) fn required_text(&mut self, key: &'static str) -> Option<(String, usize)> {
        if self.table.get(key).is_none() {
            self.known.insert(key);
            self.refusals
                .add(self.at, format!("{}: \"{key}\" is missing", self.name));
            return None;
        }
        self.optional_text(key)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        let Some(value) = self.take(key) else {
            return false;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, "true or false", value);
            false
        })
    }

    /// A list of texts with their places; empty if the key is absent.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<(String, usize)> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, "a list of texts", value);
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(array.len());
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text.to_owned(), item.span().start)),
                None => self.wrong_type(key, "a list of texts", item),
            }
        }
        texts
    }

    /// A table of texts by name, with the places of the values; empty if the key is absent.
    pub(super) fn text_table(&mut self, key: &'static str) -> Vec<(String, String, usize)> {
        let Some(section) = self.optional_section(key) else {
            return Vec::new();
        };
        let mut texts = Vec::new();
        for (name, _, value) in section.entries() {
            match value.get_ref().as_str() {
                Some(text) => texts.push((name.to_owned(), text.to_owned(), value.span().start)),
                None => self.wrong_type(name, "text", value),
            }
        }
        texts
    }

    pub(super) fn optional_section(&mut self, key: &'static str) -> Option<Section<'a>> {
        let value = self.take(key)?;
        match value.get_ref().as_table() {
            Some(table) => {
                let name = format!("[{key}]");
                Some(Section::new(name, self.key_at(key), table, self.refusals))
            }
            None => {
                self.wrong_type(key, "a table", value);
                None
            }
        }
    }

    pub(super) fn required_section(&mut self, key: &'static str) -> Option<Section<'a>> {
        if self.table.get(key).is_none() {
            self.known.insert(key);
            self.refusals
                .add(self.at, format!("{}: [{key}] is missing", self.name));
            return None;
        }
        self.optional_section(key)
    }

    /// Refuses a key this host does not honour, giving the reason.
    pub(super) fn refuse(&mut self, key: &'static str, reason: &str) {
        if self.take(key).is_some() {
            let message = format!("{}: \"{key}\" is not supported: {reason}", self.name);
            self.refusals.add(self.key_at(key), message);
        }
    }

    /// Refuses every key nobody asked for.
    pub(super) fn finish(self) {
        for (key, at) in self.keys() {
            if !self.known.contains(key.as_str()) {
                self.refusals
                    .add(at, format!("{}: unknown key \"{key}\"", self.name));
            }
        }
    }

    fn key_at(&self, key: &str) -> usize {
        self.table
            .get_key_value(key)
            .map_or(self.at, |(key, _)| key.span().start)
    }

    fn wrong_type(&self, key: &str, wanted: &str, value: &Spanned<DeValue<'_>>) {
        let found = value.get_ref().type_str();
        let message = format!("{}: \"{key}\" must be {wanted}, not {found}", self.name);
        self.refusals.add(value.span().start, message);
    }
}
