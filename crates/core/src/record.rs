//! What is kept in step: kinds, ids, versions, records, hints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A kind of record in one system: `salesforce:Opportunity`, `netsuite:salesOrder`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Kind {
    pub system: &'static str,
    pub name: &'static str,
}

impl Kind {
    pub const fn new(system: &'static str, name: &'static str) -> Self {
        Self { system, name }
    }

    pub fn id(self, id: impl Into<String>) -> RecordId {
        RecordId {
            kind: self,
            id: id.into(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.system, self.name)
    }
}

/// One record of one kind: `salesforce:Opportunity:006…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RecordId {
    pub kind: Kind,
    pub id: String,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// The external id under which a source record's target is kept: `salesforce:Opportunity:006…:salesOrder`.
///
/// Never a bare id: external ids are case-insensitive in NetSuite and unique across groups of record
/// types, so both kinds are part of it.
pub fn external_id(source: &RecordId, target: Kind) -> String {
    format!("{source}:{}", target.name)
}

/// The source record whose target is kept under this external id; `None` for one that is not ours, or is of
/// other kinds. Upper and lower case count only in the id itself, as [`external_id`] says.
pub fn source_of(external_id: &str, source: Kind, target: Kind) -> Option<RecordId> {
    let (before, after) = (format!("{source}:"), format!(":{}", target.name));
    let (head, rest) = external_id.split_at_checked(before.len())?;
    let (id, tail) = rest.split_at_checked(rest.len().checked_sub(after.len())?)?;
    let ours = head.eq_ignore_ascii_case(&before) && tail.eq_ignore_ascii_case(&after);
    (ours && !id.is_empty() && !id.contains(':')).then(|| source.id(id))
}

/// The source's own order of a record's states: milliseconds of its change time, or its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub i64);

/// A record as its system returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub id: RecordId,
    pub version: Version,
    /// A JSON object; numbers keep the digits they came with; child lists are plain arrays.
    pub body: Value,
}

/// What a fetch saw.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    Present(Record),
    Gone(Gone),
}

/// How a record went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    Deleted,
    /// Merged into the record with this id.
    Merged(String),
    /// The system knows no record of this id (never did, or purged it).
    Unknown,
}

/// Word from outside that a record may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub id: RecordId,
    /// The state announced, where the hint says so: an older observation is a lagging replica's.
    pub version: Option<Version>,
}

/// The fields a flow needs of a record: dotted paths, and for each child list the paths inside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub fields: BTreeSet<String>,
    pub lists: BTreeMap<String, BTreeSet<String>>,
}

impl Selection {
    /// Adds everything `other` names.
    pub fn merge(&mut self, other: Selection) {
        self.fields.extend(other.fields);
        for (list, fields) in other.lists {
            self.lists.entry(list).or_default().extend(fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_leads_back_to_its_record() {
        let (source, target) = (Kind::new("shop", "Deal"), Kind::new("books", "order"));
        let ours = external_id(&source.id("D1"), target);
        assert_eq!(source_of(&ours, source, target), Some(source.id("D1")));
        let upper = ours.to_uppercase();
        assert_eq!(source_of(&upper, source, target), Some(source.id("D1")));
        for other in [
            "",
            "D1",
            "shop:Deal:D1",
            "shop:Deal::order",
            "shop:Deal:D1:invoice",
            "shop:Deals:D1:order",
            "shop:Deal:D1:x:order",
            "shop:Deal:order",
        ] {
            assert_eq!(source_of(other, source, target), None, "{other}");
        }
    }
}
