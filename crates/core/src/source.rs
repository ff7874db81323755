//! What a connector offers as a source.

use std::collections::BTreeMap;
use std::time::Duration;

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

    /// The time up to which the source can be listed, by its own clock: the upper bound of a window.
    async fn now(&self, ports: &Ports) -> Result<Timestamp>;

    /// The names of the streams whose watermarks are kept: first the records themselves, then related
    /// records (lines, …) whose change makes the record due. Settings may decide which there are.
    fn streams(&self, ports: &Ports) -> Result<Vec<&'static str>>;

    /// The streams that list the records themselves and hold, together, all of them: one, unless the system
    /// keeps its records apart.
    fn own_streams(&self, ports: &Ports) -> Result<Vec<&'static str>> {
        let mut streams = self.streams(ports)?;
        streams.truncate(1);
        Ok(streams)
    }

    /// How much of a past range, so long in all, is asked for at once by [`Source::past`].
    ///
    /// Faults: those of the variables that decide it.
    fn slice(&self, ports: &Ports, range: Duration) -> Result<Duration> {
        let _ = (ports, range);
        Ok(SLICE)
    }

    /// How far a new window reaches back over the one before: changes become visible after the time they
    /// bear, and where the system leaves out of a page what it should hold, another look may find it.
    fn overlap(&self, last: &LastWindow) -> Duration {
        let _ = last;
        OVERLAP
    }

    /// How much time is to pass, for each page of a stream's last window, before another is begun: so that
    /// listing often does not use up a limit that other streams, or a backfill that is open, want a part of.
    /// None: a stream is listed whenever somebody asks.
    ///
    /// Faults: those of the variables that decide it, and of the SQL port.
    async fn pace(&self, ports: &Ports, stream: &str, beside_backfill: bool) -> Result<Duration> {
        let _ = (ports, stream, beside_backfill);
        Ok(Duration::ZERO)
    }

    /// One page of changes of a stream inside the window, deleted records included: in the order of (change
    /// time, id) where the source gives one, else as [`Position::id`] says.
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

    /// One page of the records *created* inside the window, for a backfill: the way the system has for old
    /// records, where it has another than for changes. Its places are its own: not for [`Source::changed`].
    ///
    /// A page may be empty and name a next place all the same: what was begun on the system's side is then
    /// kept there, and is asked for again, not begun again.
    async fn past(
        &self,
        ports: &Ports,
        stream: &str,
        window: &Window,
        record_count_max: usize,
        select: &Selection,
    ) -> Result<Page> {
        let page = self.changed(ports, stream, window, record_count_max, select);
        page.await
    }

    /// Sets fields of a source record. Setting them twice is safe.
    async fn write_back(&self, ports: &Ports, id: &str, fields: &Map<String, Value>) -> Result<()>;
}

/// What to list: changes after `after`, up to and including `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    pub after: Position,
    pub until: Timestamp,
}

/// The window of a stream that was listed last, without what it reached back over; nothing where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastWindow {
    pub length: Duration,
    pub page_count: u32,
}

const SLICE: Duration = Duration::from_secs(24 * 60 * 60);

/// Enough for transactions that commit late.
const OVERLAP: Duration = Duration::from_secs(5 * 60);

/// A place in a stream ordered by (change time, id). An empty id stands before every id.
///
/// A source that promises no order has no such place. It keeps the start of the window in `watermark`, which
/// stays as it is while the window is read, and in `id` where it is inside it: a page token. An empty id is
/// the window's beginning. Only the whole window counts as listed then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Position {
    #[serde(with = "crate::time")]
    pub watermark: Timestamp,
    /// The last record's id, or a page token: nobody but the source reads it.
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
