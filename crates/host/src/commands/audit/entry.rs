//! One record's line of an audit.

use anyhow::Context;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::text;

pub(super) struct Entry {
    pub side: &'static str,
    pub source: String,
    pub target: String,
    pub state: String,
    pub why: String,
    pub source_says: Said,
    pub target_says: Said,
    /// `path: holds …, should hold …`
    pub differences: Vec<String>,
    pub json: Json,
}

/// What one side says of a record.
#[derive(Default)]
pub(super) struct Said {
    pub amount: Option<Decimal>,
    pub currency: String,
    pub day: String,
}

impl Entry {
    /// Fails for an amount that is none: a sum without it would be wrong.
    pub fn read(side: &'static str, entry: &Json) -> anyhow::Result<Self> {
        let mut json = entry.clone();
        json["side"] = side.into();
        let changes = entry["changes"].as_array().into_iter().flatten();
        Ok(Self {
            side,
            source: text(entry, "source").to_owned(),
            target: text(entry, "target").to_owned(),
            state: text(entry, "state").to_owned(),
            why: text(entry, "why").to_owned(),
            source_says: Said::read(&entry["source_says"])?,
            target_says: Said::read(&entry["target_says"])?,
            differences: changes.map(difference).collect(),
            json,
        })
    }

    /// Whether the record is one that should be on both sides.
    pub fn counts(&self) -> bool {
        !matches!(self.state.as_str(), "out_of_scope" | "foreign")
    }
}

impl Said {
    fn read(says: &Json) -> anyhow::Result<Self> {
        let amount = says["amount"].as_str().map(|amount| {
            Decimal::from_str_exact(amount).with_context(|| format!("{amount:?} is no amount"))
        });
        Ok(Self {
            amount: amount.transpose()?,
            currency: text(says, "currency").to_owned(),
            day: text(says, "day").to_owned(),
        })
    }
}

fn difference(change: &Json) -> String {
    let value = |name: &str| match &change[name] {
        Json::Null => "nothing".to_owned(),
        value => value.to_string(),
    };
    let path = text(change, "path");
    format!(
        "{path}: holds {}, should hold {}",
        value("held"),
        value("wanted")
    )
}
