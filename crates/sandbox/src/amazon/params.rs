//! Query parameters, read as the published models declare them.

use bytes::Bytes;
use http::Request;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::error::Error;

/// The parameters of one request.
pub(super) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        Self::parse(request.uri().query().unwrap_or_default())
    }

    pub(super) fn parse(query: &str) -> Self {
        Self {
            pairs: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let mut found = self.pairs.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// As a query, to be parsed again.
    pub(super) fn written(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.pairs)
            .finish()
    }

    pub(super) fn is_alone(&self, name: &str) -> bool {
        self.pairs.iter().all(|(known, _)| known == name)
    }

    /// A list separated by commas; a name given several times adds to it.
    pub(super) fn list(&self, name: &str, count_max: usize) -> Result<Vec<String>, Error> {
        let values = self.pairs.iter().filter(|(known, _)| known == name);
        let values = values.flat_map(|(_, value)| value.split(','));
        let values: Vec<String> = values
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect();
        if values.len() > count_max {
            return Err(Error::invalid_input(format!(
                "{name} takes at most {count_max} values."
            )));
        }
        Ok(values)
    }

    /// A list of values of an enumeration.
    pub(super) fn choices<T: Copy>(
        &self,
        name: &str,
        known: &[(&str, T)],
    ) -> Result<Vec<T>, Error> {
        let values = self.list(name, usize::MAX)?;
        let choose = |value: &String| {
            let found = known.iter().find(|(known, _)| known == value);
            found
                .map(|(_, choice)| *choice)
                .ok_or_else(|| Error::invalid_input(format!("{value} is not a value of {name}.")))
        };
        values.iter().map(choose).collect()
    }

    /// ISO 8601, with a time of day or without.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let date = || value.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
        let time = value.parse().ok().or_else(|| Some(date()?.timestamp()));
        time.map(Some).ok_or_else(|| {
            Error::invalid_input(format!("{name} is not a time in ISO 8601 format."))
        })
    }

    pub(super) fn count(&self, name: &str, min: usize, max: usize) -> Result<Option<usize>, Error> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let count = value.parse().ok();
        let count = count.filter(|count| (min..=max).contains(count));
        count.map(Some).ok_or_else(|| {
            Error::invalid_input(format!("{name} must be a number from {min} to {max}."))
        })
    }
}
