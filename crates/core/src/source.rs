//! What a connector offers as a source.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{Found, Hook, Kind, Observed, Ports, Record, RecordId, Result, Selection, Version};

/// Records of one kind in one system, to be read, listed by change, and written back to.
#[async_trait(?Send)]
pub trait Source {
    fn kind(&self) -> Kind;

    /// Reads every variable this source needs, so that all that is missing is named at once.
    fn check(&self, ports: &Ports) -> Result<()>;

    /// The ways the system announces changes.
    fn hooks(&self) -> Vec<Box<dyn Hook>>;

    /// The record as it is now.
    async fn fetch(&self, ports: &Ports, id: &str, select: &Selection) -> Result<Observed>;

    /// The records of these ids as they are now, all in one look-up: an observation for every id.
    async fn fetch_all(
        &self,
        ports: &Ports,
        ids: &[String],
        select: &Selection,
    ) -> Result<BTreeMap<String, Observed>>;

    /// The ids of records, deleted ones left out, whose field holds exactly one of these texts; a text that
    /// no record holds is absent from the answer.
    async fn find_all(
        &self,
        ports: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>>;

    /// The time by the source's own clock: the upper bound of a window.
    async fn now(&self, ports: &Ports) -> Result<Timestamp>;

    /// The names of the streams whose watermarks are kept: first the records themselves, then related
    /// records (lines, …) whose change makes the record due.
    fn streams(&self) -> &[&'static str];

    /// One page of changes of a stream inside the window, in the order of (change time, id), deleted
    /// records included.
    ///
    /// Faults: `SOURCE_PAGING` (retry) where the source's answer contradicts the order asked for.
    async fn changed(
        &self,
        ports: &Ports,
        stream: &str,
        window: &Window,
        record_count_max: usize,
        select: &Selection,
    ) -> Result<Page>;

    /// Sets fields of a source record. Setting them twice is safe.
    async fn write_back(&self, ports: &Ports, id: &str, fields: &Map<String, Value>) -> Result<()>;
}

/// What to list: changes after `after`, up to and including `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub after: Position,
    pub until: Timestamp,
}

/// A place in a stream ordered by (change time, id). An empty id stands before every id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Position {
    #[serde(with = "crate::time")]
    pub watermark: Timestamp,
    pub id: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub changes: Vec<Change>,
    /// Where the next page starts; `None` when the window is exhausted.
    pub next: Option<Position>,
}

/// A record of the flow's source kind that changed, or whose related record did.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub id: RecordId,
    /// The record's own version where the stream is the record's own; a related record's says nothing
    /// of it.
    pub version: Option<Version>,
    /// The record itself, where the page held all that was selected.
    pub record: Option<Record>,
}
