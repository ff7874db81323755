//! What a connector offers as a target.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::{Kind, Ports, Result};

/// Records of one kind in one system, to be brought in line with a source.
#[async_trait(?Send)]
pub trait Target {
    fn kind(&self) -> Kind;

    /// Reads every variable this target needs, so that all that is missing is named at once.
    fn check(&self, ports: &Ports) -> Result<()>;

    /// The record kept under an external id.
    async fn find(&self, ports: &Ports, external_id: &str) -> Result<Option<Held>>;

    /// The record of an internal id.
    async fn read(&self, ports: &Ports, id: &str) -> Result<Option<Held>>;

    /// Adds or changes the record kept under the external id. Repeating it is safe.
    async fn upsert(&self, ports: &Ports, external_id: &str, body: &Value) -> Result<()>;

    /// Changes a record by its internal id, and puts it under the external id if it is under none: one that
    /// was there before us, which an upsert would add a second time. Repeating it is safe.
    async fn update(
        &self,
        ports: &Ports,
        held: &Held,
        external_id: &str,
        body: &Value,
    ) -> Result<()>;

    /// Whether an upsert of this body would reach the record found under its external id: not where the body
    /// asks for another type of record than the one that stands there. Such a record is changed by its
    /// internal id and keeps its type.
    fn reaches(&self, held: &Held, body: &Value) -> bool {
        let _ = (held, body);
        true
    }

    /// One page of records in the order of their internal ids, those after `after`.
    ///
    /// Faults: `SOURCE_PAGING` (retry) where the answer contradicts the order asked for.
    async fn list(
        &self,
        ports: &Ports,
        after: Option<&str>,
        record_count_max: usize,
    ) -> Result<Listed>;

    /// The ids of records whose field holds exactly one of these texts; a text that no record holds is absent
    /// from the answer. A search may lag behind the records.
    async fn find_all(
        &self,
        ports: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>>;

    /// The external id the record is kept under.
    fn external_id(&self, held: &Held) -> Option<String>;

    /// Whether nothing more will come of the record: what [`Target::close`] makes of it, we or somebody else.
    fn is_closed(&self, held: &Held) -> bool;

    /// Closes the record: it stays, and nothing more will come of it. Repeating it is safe.
    async fn close(&self, ports: &Ports, held: &Held) -> Result<()>;

    /// Why this record may not be changed any more, if so (approved, billed, fulfilled).
    fn locked(&self, held: &Held) -> Option<String>;

    /// How long the system may still be working on a request whose answer was lost.
    fn settles_within(&self) -> Duration;
}

/// A record as the target holds it, lines inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub id: String,
    pub body: Value,
}

/// One page of a target's records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    pub records: Vec<Held>,
    /// After which id the next page starts; `None` when there are no more.
    pub next: Option<String>,
}

/// Records of a target found by what people call them: items by SKU.
#[async_trait(?Send)]
pub trait Directory {
    fn kind(&self) -> Kind;

    fn check(&self, ports: &Ports) -> Result<()>;

    /// Looks all keys up at once; a key that is not found is absent from the answer.
    async fn find_all(&self, ports: &Ports, keys: &[String]) -> Result<BTreeMap<String, Found>>;
}

/// What stands under a natural key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    One(String),
    /// Several records answer to the key; their ids.
    Several(Vec<String>),
}
