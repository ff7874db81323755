//! A run: drain what is due, then list what changed since the cursor.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use sluice_core::time::later;
use sluice_core::{Action, Change, Fault, Hint, Page, Ports, Record, RecordId, Result};

use crate::cursor::Cursor;
use crate::edit;
use crate::engine::{Engine, LEASED_AT_ONCE};
use crate::links::Link;
use crate::reconcile::Outcome;
use crate::report::{Report, Tally};
use crate::seen::{News, Seen};
use crate::store::{Item, Lease};
use crate::work::Work;

/// One execution while it lasts.
pub struct Run {
    /// What made the work start; for the log of outcomes.
    pub cause: String,
    /// Its number in the log; none where it is not in it.
    pub(crate) number: i64,
    pub tally: Tally,
    /// The last page's records, as it held them, each with the hint under which it was queued: asking for each
    /// again would cost a request a record.
    pub(crate) observed: BTreeMap<String, (i64, Record)>,
}

/// What one run may use up.
#[derive(Clone, Debug)]
pub struct Budget {
    pub until: Timestamp,
    pub records: usize,
}

const PAGE_COUNT_MAX: usize = 1_000;
const PAGE_RECORD_COUNT: usize = 100;
/// Of a source that is listed slower than it changes, not even ever longer windows would catch up.
const PACED_PAGE_COUNT_MAX: u32 = 4;
/// Longer than any run's time budget.
pub(crate) const EXTRACTION_LEASE: Duration = Duration::from_secs(300);

impl Run {
    pub fn new(cause: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            number: 0,
            tally: Tally::default(),
            observed: BTreeMap::new(),
        }
    }

    /// One that is in the log of runs under this number.
    pub(crate) fn numbered(number: i64) -> Self {
        Self {
            number,
            ..Self::new(format!("run {number}"))
        }
    }

    /// The record as its page held it, unless it was announced anew since: then it is to be looked at again.
    pub(crate) fn observed_under(&mut self, item: &Item) -> Option<Record> {
        let (hint, record) = self.observed.remove(&item.id)?;
        (hint == item.hint).then_some(record)
    }
}

impl Budget {
    pub fn spent(&self, ports: &Ports) -> bool {
        self.records == 0 || ports.clock.now() >= self.until
    }
}

impl Engine {
    /// The schedule's entry: all streams, or only one of them. Never fails for one record's sake; a fault in
    /// the report stopped the run, and everything it had seen is queued or still before the cursor.
    pub async fn run(&self, mut budget: Budget, only: Option<&str>) -> Result<Report> {
        if !self.trail().paused().await?.is_null() {
            return Ok(Report::paused());
        }
        let run = self.runs().begin().await?;
        let mut at_work = Run::numbered(run);
        let mut postponed = Vec::new();
        let result = self
            .drain_and_extract(&mut budget, only, &mut at_work, &mut postponed)
            .await;
        let report = Report::of(run, at_work.tally, result, postponed);
        let stored = serde_json::to_value(&report).unwrap_or_default();
        self.runs().end(run, &stored).await?;
        Ok(report)
    }

    async fn drain_and_extract(
        &self,
        budget: &mut Budget,
        only: Option<&str>,
        run: &mut Run,
        postponed: &mut Vec<&'static str>,
    ) -> Result<&'static str> {
        self.queue().disbelieve().await?;
        if self.drain(budget, run).await? {
            return Ok("stopped");
        }
        // First: what becomes visible later belongs to the next window.
        let until = self.flow.source.now(&self.ports).await?;
        let cursor = self.begin_cursor(until).await?;
        let mut streams = self.flow.source.streams(&self.ports)?;
        // Those that share a limit get their turn: the one that stands farthest behind comes first.
        streams.sort_by_key(|stream| cursor.complete(stream));
        // Not always: one that uses up a run, or ends it, would leave the others none.
        if streams.len() > 1 && self.runs().turns_round(run.number).await? {
            streams.reverse();
        }
        // One that can't be read is none of the live flow's concern.
        let backfills = self.has_open_backfill().await.unwrap_or(false);
        let mut ailing = None;
        let mut busy = false;
        for stream in streams {
            if only.is_some_and(|only| only != stream) {
                continue;
            }
            let Some(lease) = self.extraction_lease(stream).await? else {
                busy = true;
                continue;
            };
            let listed = match self.is_due(stream, until, backfills).await {
                Ok(true) => self.extract(stream, until, budget, &lease, run).await,
                Ok(false) => Ok("postponed"),
                Err(fault) => Err(fault),
            };
            lease.release(&self.ports).await?;
            match listed {
                Ok("done") => {}
                Ok("postponed") => postponed.push(stream),
                Ok(ended) => return Ok(ended),
                // Another stream may have another limit, another login, another server: what ails one must not
                // keep the others.
                Err(fault) => ailing = Some(graver(ailing, fault)),
            }
        }
        let spent = budget.spent(&self.ports);
        if !spent && backfills {
            // The live flow first; what is left of the run is the backfill's, also while a live stream waits:
            // a source that is always at its limit would never come to it. Its faults are noted in it.
            self.go_on_with_backfill(budget, run).await.ok();
        }
        match ailing {
            Some(fault) => Err(fault),
            None if busy => Ok("busy"),
            None if spent => Ok("time"),
            None => Ok("done"),
        }
    }

    /// Whether a stream is to be listed now, which its lease's holder asks. A window that was begun goes on; a
    /// new one waits until its source's pace has passed for each page of the one before.
    async fn is_due(&self, stream: &str, until: Timestamp, backfills: bool) -> Result<bool> {
        let pace = self.flow.source.pace(&self.ports, stream, backfills);
        let pace = pace.await?;
        if pace.is_zero() {
            return Ok(true);
        }
        let cursor = self.cursor(until).await?;
        let page_count = cursor.last(stream).page_count;
        let page_count = page_count.clamp(1, PACED_PAGE_COUNT_MAX);
        let complete = cursor.complete(stream);
        let is_due = |complete| later(complete, pace * page_count) <= until;
        Ok(cursor.has_open(stream) || complete.is_none_or(is_due))
    }

    /// The right to list a stream's changes and to move its cursor.
    pub(crate) async fn extraction_lease(&self, stream: &str) -> Result<Option<Lease>> {
        let name = format!("extract:{}:{stream}", self.flow.name);
        Lease::take(&self.ports, name, EXTRACTION_LEASE).await
    }

    /// Where the streams stand; those of a flow that never ran start now, or where the settings say, and one
    /// added later where the oldest of the others stands.
    pub(crate) async fn cursor(&self, now: Timestamp) -> Result<Cursor> {
        let streams = self.flow.source.streams(&self.ports)?;
        let start = self.mapping.settings().start_at.unwrap_or(now);
        Cursor::load(&self.ports, self.flow.name, &streams, start).await
    }

    /// Gives every stream a place before any is listed: one that got its first place later, after a run that
    /// was cut off, would start from there and pass by what changed meanwhile.
    async fn begin_cursor(&self, now: Timestamp) -> Result<Cursor> {
        let streams = self.flow.source.streams(&self.ports)?;
        let mut cursor = self.cursor(now).await?;
        for stream in cursor.begin(&streams) {
            cursor.store(&self.ports, self.flow.name, stream).await?;
        }
        Ok(cursor)
    }

    async fn extract(
        &self,
        stream: &'static str,
        until: Timestamp,
        budget: &mut Budget,
        lease: &Lease,
        run: &mut Run,
    ) -> Result<&'static str> {
        let mut cursor = self.cursor(until).await?;
        let selection = self.leg()?.section.selection();
        for _ in 0..PAGE_COUNT_MAX {
            if budget.records == 0 {
                return Ok("records");
            }
            if budget.spent(&self.ports) || self.ports.clock.now() >= lease.until {
                return Ok("time");
            }
            if !self.trail().paused().await?.is_null() {
                return Ok("paused");
            }
            let window = cursor.window(
                stream,
                until,
                self.flow.source.overlap(&cursor.last(stream)),
            );
            let count = PAGE_RECORD_COUNT.min(budget.records);
            let source = &self.flow.source;
            let page = source.changed(&self.ports, stream, &window, count, &selection);
            let Page { changes, next } = page.await?;
            let work = self
                .queue_page(changes, LEASED_AT_ONCE, budget, run)
                .await?;
            if self.ports.clock.now() >= lease.until {
                // Somebody else, a person perhaps, may have set it by now.
                return Ok("time");
            }
            cursor.advance(stream, &window, next.clone());
            // Last: a crash before this repeats the page, never loses it.
            cursor.store(&self.ports, self.flow.name, stream).await?;
            if self.work(work, &run.cause, &mut run.tally).await? || self.drain(budget, run).await?
            {
                return Ok("stopped");
            }
            if next.is_none() {
                break;
            }
        }
        Ok(if budget.spent(&self.ports) {
            "time"
        } else {
            "done"
        })
    }

    /// Settles what needs no work, and commits the rest of a page to the queue. Leased items come back
    /// with the page's records; the other records are kept for the drain that follows.
    pub(crate) async fn queue_page(
        &self,
        changes: Vec<Change>,
        leased_count_max: usize,
        budget: &mut Budget,
        run: &mut Run,
    ) -> Result<Vec<Work>> {
        let tally = &mut run.tally;
        tally.read += changes.len() as u64;
        let mut hints: BTreeMap<RecordId, Hint> = BTreeMap::new();
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        // Those of the page before were worked on, or wait for longer than this run.
        run.observed.clear();
        let mut open = Vec::new();
        for change in changes {
            match self.settled(&change).await? {
                Some(outcome) => tally.count(outcome),
                None => open.push(change),
            }
        }
        let ids: Vec<&str> = open.iter().map(|change| change.id.id.as_str()).collect();
        let given_up = self.queue().given_up(&ids).await?;
        for change in open {
            if let Some(given_up) = given_up.get(&change.id.id)
                && !self.is_news(&given_up.seen, &change).await?
            {
                tally.stays(given_up);
                continue;
            }
            let Change {
                id,
                version,
                record,
            } = change;
            if let Some(record) = record {
                records.insert(id.id.clone(), record);
            }
            hints.insert(id.clone(), Hint { id, version });
        }
        let hints: Vec<Hint> = hints.into_values().collect();
        let put = self.queue().put(&hints, leased_count_max).await?;
        let work = put.leased.into_iter().map(|item| Work {
            record: records.remove(&item.id),
            item,
        });
        let work: Vec<Work> = work.collect();
        for (id, hint) in put.others {
            if let Some(record) = records.remove(&id) {
                run.observed.insert(id, (hint, record));
            }
        }
        // The others count when they are drained.
        budget.records -= work.len().min(budget.records);
        Ok(work)
    }

    /// Whether a listed change is another state of the record than the one it was given up in. A window
    /// reaches back over changes that were listed before; those must not revive it.
    async fn is_news(&self, seen: &Seen, change: &Change) -> Result<bool> {
        match seen.news(change) {
            News::New => Ok(true),
            News::Old => Ok(false),
            News::Unsure => {
                let selection = self.leg()?.section.selection();
                let source = &self.flow.source;
                let observed = source.fetch(&self.ports, &change.id.id, &selection).await;
                // What can't be looked at now is looked at again later.
                Ok(observed.map_or(true, |observed| Seen::of(&observed, seen.version) != *seen))
            }
        }
    }

    /// A change that needs no work: applied already, or out of scope and never synced.
    async fn settled(&self, change: &Change) -> Result<Option<Outcome>> {
        let link = Link::load(&self.ports, &change.id, self.flow.target.kind()).await?;
        match (link, &change.record) {
            (Some(link), Some(record)) if link.edited.is_some() || link.adopted.is_some() => {
                let state = edit::state(self.leg()?.section, record);
                Ok(link.stands_for(&state).then_some(Outcome::Unchanged))
            }
            (Some(link), _) => {
                let applied = link.applied.is_some() || link.closed;
                Ok((applied && link.has_seen(change)).then_some(Outcome::Unchanged))
            }
            (None, Some(record)) => {
                let in_scope = self.leg()?.section.in_scope(&record.body)?;
                Ok((!in_scope).then_some(Outcome::Skipped))
            }
            (None, None) => Ok(None),
        }
    }
}

/// Which of two faults, after which others went on, a run tells of: one that needs a person first, then a refusal,
/// then the shortest wait for a limit that is kept count of.
fn graver(known: Option<Fault>, fault: Fault) -> Fault {
    let rank = |fault: &Fault| match fault.action {
        Action::StopFlow | Action::RefreshCredentials => (0, Duration::ZERO),
        Action::RetryAfter(wait) if fault.is_held_back() => (2, wait),
        _ => (1, Duration::ZERO),
    };
    match known {
        Some(known) if rank(&known) <= rank(&fault) => known,
        _ => fault,
    }
}
