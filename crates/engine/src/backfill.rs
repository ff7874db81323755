//! Backfills: records of a past range, listed in slices beside the live cursor.
//!
//! One backfill a flow at a time. A person begins it; every run of the schedule goes on with it once the live
//! streams are listed, until it is done. What it lists goes through the same queue and the same links, so a
//! record that is in step already costs a look at its link and nothing else.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_core::time::{self, later};
use sluice_core::{Action, Fault, Page, Ports, Result, code};

use crate::cursor::Cursor;
use crate::decide::{Decided, Refusal};
use crate::engine::Engine;
use crate::extract::{Budget, EXTRACTION_LEASE, Run};
use crate::report::Report;
use crate::store::{By, Lease};

/// Where a backfill stands. Kept as `backfill:<flow>` in key-value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backfill {
    /// The format of this value.
    v: u8,
    #[serde(with = "time")]
    from: Timestamp,
    #[serde(with = "time")]
    to: Timestamp,
    #[serde(with = "time")]
    started: Timestamp,
    state: State,
    #[serde(with = "time")]
    at: Timestamp,
    /// Records listed so far; one that a page repeats is counted again.
    listed: u64,
    /// How far each stream is.
    cursor: Cursor,
    /// What kept its last run from going on, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waits: Option<String>,
    /// Until when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waits_until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    Done,
    /// By a person, before its end.
    Stopped,
}

/// A past range, by the time its records were created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastRange {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Go through it from its beginning although that was done, or stopped.
    pub anew: bool,
}

/// What came of asking for a backfill.
enum Opened {
    Open,
    /// It was done, or stopped: as it stands.
    Ended(Value),
    Refused(Refusal),
}

const FORMAT: u8 = 1;
/// What some systems give at most for one request of few.
const PAGE_RECORD_COUNT: usize = 100;
const PAGE_COUNT_MAX: usize = 1_000;
/// Records that are due and not worked on, beyond which no more are listed: those that webhooks announce would
/// wait behind them.
const BACKLOG_MAX: u32 = 100;
const BACKLOG: &str = "what was listed is not worked off yet";

impl Backfill {
    fn new(from: Timestamp, to: Timestamp, streams: &[&str], now: Timestamp) -> Self {
        Self {
            v: FORMAT,
            from,
            to,
            started: now,
            state: State::Open,
            at: now,
            listed: 0,
            cursor: Cursor::starting(from, streams),
            waits: None,
            waits_until: None,
        }
    }

    /// Fault: `STORE_CORRUPT` (stop the flow) for a value this release can't read.
    async fn load(ports: &Ports, flow: &str) -> Result<Option<Self>> {
        let Some(bytes) = ports.key_value.get(&key(flow)).await? else {
            return Ok(None);
        };
        let stored = serde_json::from_slice::<Self>(&bytes).ok();
        stored
            .filter(|stored| stored.v == FORMAT)
            .map(Some)
            .ok_or_else(|| {
                let message = format!("the backfill of {flow} is not in a form this release knows");
                Fault::stop_flow(code::STORE_CORRUPT, message)
            })
    }

    async fn store(&mut self, ports: &Ports, flow: &str) -> Result<()> {
        self.at = ports.clock.now();
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Fault::stop_flow(code::STORE_FAILED, error.to_string()))?;
        ports.key_value.set(&key(flow), &bytes).await
    }

    fn waits_for(&mut self, words: Option<String>, until: Option<Timestamp>) {
        self.waits = words;
        self.waits_until = until;
    }

    /// The streams that are not listed to the end, the one that is farthest behind first.
    fn open_streams(&self, streams: &[&'static str]) -> Vec<&'static str> {
        let mut behind = self.cursor.behind(self.to, streams);
        behind.sort_by_key(|(_, complete)| *complete);
        behind.into_iter().map(|(stream, _)| stream).collect()
    }

    /// For a person: how far, how fast, how long still.
    fn describe(&self, streams: &[&'static str], now: Timestamp) -> Value {
        let whole_ms = (self.to.as_millisecond() - self.from.as_millisecond()).max(1);
        let left_ms: i64 = self
            .cursor
            .behind(self.to, streams)
            .iter()
            .map(|(_, complete)| self.to.as_millisecond() - complete.as_millisecond())
            .sum();
        let count = i64::try_from(streams.len()).unwrap_or(1).max(1);
        let all_ms = whole_ms.saturating_mul(count);
        let permille = (i128::from(all_ms - left_ms) * 1000 / i128::from(all_ms)).clamp(0, 1000);
        let permille = match self.state {
            State::Done => 1000,
            _ => i64::try_from(permille).unwrap_or(0).min(999),
        };
        let spent_ms = (self.at.as_millisecond() - self.started.as_millisecond()).max(1);
        let listed = i64::try_from(self.listed).unwrap_or(i64::MAX);
        let left_s = (self.state == State::Open && permille > 0)
            .then(|| spent_ms / 1000 * (1000 - permille) / permille);
        json!({
            "state": self.state,
            "from": self.from.to_string(),
            "to": self.to.to_string(),
            "started": self.started.to_string(),
            "at": self.at.to_string(),
            "percent": tenths(permille),
            "listed": self.listed,
            "records_per_s": tenths(listed.saturating_mul(10_000) / spent_ms),
            "left_s": left_s,
            "waits": self.waits,
            "waits_s": self.waits_until.map(|until| until.duration_since(now).as_secs().max(0)),
            "streams": self.cursor,
        })
    }
}

impl Engine {
    /// Begins to bring in line what was created in this range, or goes on with it: the same range continues,
    /// whoever asks, and stands as it is once it has ended, unless it is to be gone through anew. Works for the
    /// budget given and says how far it is.
    ///
    /// The live cursor is not touched. Faults: those of the source and the stores.
    pub async fn backfill(
        &self,
        range: &PastRange,
        by: &By,
        mut budget: Budget,
    ) -> Result<Decided> {
        match self.open_backfill(range, by).await? {
            Opened::Open => {}
            Opened::Ended(job) => return Ok(Ok(json!({ "ended": "done", "backfill": job }))),
            Opened::Refused(refusal) => return Ok(Err(refusal)),
        }
        if !self.trail().paused().await?.is_null() {
            return Ok(Ok(self.reported(&Report::paused()).await?));
        }
        let run = self.runs().begin().await?;
        let mut at_work = Run::numbered(run);
        let result = match self.drain(&mut budget, &mut at_work).await {
            Ok(false) => self.go_on_with_backfill(&mut budget, &mut at_work).await,
            Ok(true) => Ok("stopped"),
            Err(fault) => Err(fault),
        };
        let report = Report::of(run, at_work.tally, result, Vec::new());
        let stored = serde_json::to_value(&report).unwrap_or_default();
        self.runs().end(run, &stored).await?;
        Ok(Ok(self.reported(&report).await?))
    }

    /// Ends a backfill before its end. What is queued already is still worked on.
    pub async fn stop_backfill(&self, by: &By) -> Result<Decided> {
        let Some(lease) = self.backfill_lease().await? else {
            let why = "the backfill is at work just now; try again in some seconds";
            return Ok(Err(Refusal::Busy(why.to_owned())));
        };
        let stopped = self.stopped(by).await;
        lease.release(&self.ports).await?;
        stopped
    }

    async fn stopped(&self, by: &By) -> Result<Decided> {
        match Backfill::load(&self.ports, self.flow.name).await? {
            Some(mut job) if job.state == State::Open => {
                let details =
                    json!({ "stop": true, "from": job.from.to_string(), "to": job.to.to_string() });
                self.trail().backfill(details, by).await?;
                job.state = State::Stopped;
                job.store(&self.ports, self.flow.name).await?;
                Ok(Ok(self.described(&job)?))
            }
            _ => Ok(Err(Refusal::Invalid("no backfill is open".to_owned()))),
        }
    }

    /// How far the last backfill is; null where there never was one.
    pub(crate) async fn backfill_status(&self) -> Result<Value> {
        let job = Backfill::load(&self.ports, self.flow.name).await?;
        job.map_or(Ok(Value::Null), |job| self.described(&job))
    }

    fn described(&self, job: &Backfill) -> Result<Value> {
        let streams = self.flow.source.own_streams(&self.ports)?;
        Ok(job.describe(&streams, self.ports.clock.now()))
    }

    async fn reported(&self, report: &Report) -> Result<Value> {
        let mut report = serde_json::to_value(report).unwrap_or_default();
        report["backfill"] = self.backfill_status().await?;
        Ok(report)
    }

    /// Makes the job stand, unless another one is open. Under the lease: a worker that is at the old one must
    /// not put it over the new one, nor may two who ask at once.
    async fn open_backfill(&self, range: &PastRange, by: &By) -> Result<Opened> {
        let PastRange { from, to, .. } = *range;
        let now = self.flow.source.now(&self.ports).await?;
        if from >= to || to > now {
            let why = format!("the range must begin before it ends, and end before {now}");
            return Ok(Opened::Refused(Refusal::Invalid(why)));
        }
        if let Some(opened) = self.standing_backfill(range).await? {
            return Ok(opened);
        }
        let Some(lease) = self.backfill_lease().await? else {
            let why = "a backfill is at work just now; try again in some seconds";
            return Ok(Opened::Refused(Refusal::Busy(why.to_owned())));
        };
        let begun = async {
            if let Some(opened) = self.standing_backfill(range).await? {
                return Ok(opened);
            }
            let details = json!({ "from": from.to_string(), "to": to.to_string() });
            // First: rather a line about what did not happen than no line about what did.
            self.trail().backfill(details, by).await?;
            let streams = self.flow.source.own_streams(&self.ports)?;
            let mut job = Backfill::new(from, to, &streams, self.ports.clock.now());
            job.store(&self.ports, self.flow.name).await?;
            Ok(Opened::Open)
        };
        let begun = begun.await;
        lease.release(&self.ports).await?;
        begun
    }

    /// What stands in the way of beginning: nothing, the same range, or another one that is open.
    async fn standing_backfill(&self, range: &PastRange) -> Result<Option<Opened>> {
        let Some(job) = Backfill::load(&self.ports, self.flow.name).await? else {
            return Ok(None);
        };
        let is_same = job.from == range.from && job.to == range.to;
        Ok(match job.state {
            State::Open if is_same => Some(Opened::Open),
            State::Open => {
                let why = format!(
                    "a backfill of {} to {} is open; let it end, or stop it",
                    job.from, job.to
                );
                Some(Opened::Refused(Refusal::Busy(why)))
            }
            State::Done | State::Stopped if is_same && !range.anew => {
                Some(Opened::Ended(self.described(&job)?))
            }
            State::Done | State::Stopped => None,
        })
    }

    async fn backfill_lease(&self) -> Result<Option<Lease>> {
        let name = format!("backfill:{}", self.flow.name);
        Lease::take(&self.ports, name, EXTRACTION_LEASE).await
    }

    pub(crate) async fn has_open_backfill(&self) -> Result<bool> {
        let job = Backfill::load(&self.ports, self.flow.name).await?;
        Ok(job.is_some_and(|job| job.state == State::Open))
    }

    /// Goes on with the backfill that is open, if it still is. Its own waits and faults are noted in it: they are
    /// none of the live flow's.
    pub(crate) async fn go_on_with_backfill(
        &self,
        budget: &mut Budget,
        run: &mut Run,
    ) -> Result<&'static str> {
        let Some(lease) = self.backfill_lease().await? else {
            return Ok("busy");
        };
        let ended = self.backfill_leased(budget, &lease, run).await;
        lease.release(&self.ports).await?;
        ended
    }

    async fn backfill_leased(
        &self,
        budget: &mut Budget,
        lease: &Lease,
        run: &mut Run,
    ) -> Result<&'static str> {
        // Again: it may have been stopped between our look and our lease.
        let Some(mut job) = Backfill::load(&self.ports, self.flow.name).await? else {
            return Ok("done");
        };
        if job.state != State::Open {
            return Ok("done");
        }
        let streams = self.flow.source.own_streams(&self.ports)?;
        let mut waits: Option<(Duration, Fault)> = None;
        let mut failed = None;
        let mut is_backlog = false;
        for stream in job.open_streams(&streams) {
            match self.past(stream, &mut job, budget, lease, run).await {
                Ok("done") => {}
                Ok("waits") => {
                    is_backlog = true;
                    break;
                }
                Ok(ended) => return Ok(ended),
                Err(fault) => {
                    // Another stream may have another limit, another login, another server.
                    let Action::RetryAfter(wait) = fault.action else {
                        failed = failed.or(Some(fault));
                        continue;
                    };
                    // The one that can go on first.
                    if waits.as_ref().is_none_or(|(least, _)| wait < *least) {
                        waits = Some((wait, fault));
                    }
                }
            }
        }
        let until = |(wait, _): &(Duration, Fault)| later(self.ports.clock.now(), *wait);
        match (&failed, is_backlog, &waits) {
            (Some(fault), _, _) => job.waits_for(Some(fault.to_string()), None),
            (None, true, _) => job.waits_for(Some(BACKLOG.to_owned()), None),
            (None, false, waits) => {
                let words = waits.as_ref().map(|(_, fault)| fault.to_string());
                job.waits_for(words, waits.as_ref().map(until));
            }
        }
        if job.open_streams(&streams).is_empty() {
            job.state = State::Done;
        }
        self.keep(&mut job, lease).await?;
        match failed {
            Some(fault) => Err(fault),
            None if is_backlog || waits.is_some() => Ok("waits"),
            None => Ok("done"),
        }
    }

    /// Unless the lease has run out: a person may have stopped it meanwhile, or begun another.
    async fn keep(&self, job: &mut Backfill, lease: &Lease) -> Result<()> {
        if self.ports.clock.now() >= lease.until {
            return Ok(());
        }
        job.store(&self.ports, self.flow.name).await
    }

    /// One stream, slice by slice, page by page.
    async fn past(
        &self,
        stream: &'static str,
        job: &mut Backfill,
        budget: &mut Budget,
        lease: &Lease,
        run: &mut Run,
    ) -> Result<&'static str> {
        let selection = self.leg()?.section.selection();
        let source = &self.flow.source;
        let range = job.to.duration_since(job.from).unsigned_abs();
        let slice = source.slice(&self.ports, range)?;
        for _ in 0..PAGE_COUNT_MAX {
            let Some((_, complete)) = job.cursor.behind(job.to, &[stream]).first().copied() else {
                return Ok("done");
            };
            if budget.records == 0 {
                return Ok("records");
            }
            if budget.spent(&self.ports) || self.ports.clock.now() >= lease.until {
                return Ok("time");
            }
            if !self.trail().paused().await?.is_null() {
                return Ok("paused");
            }
            if self.queue().holds_due(BACKLOG_MAX).await? {
                return Ok("waits");
            }
            let until = later(complete, slice).min(job.to);
            let window = job.cursor.window(stream, until, Duration::ZERO);
            let count = PAGE_RECORD_COUNT.min(budget.records);
            let page = source.past(&self.ports, stream, &window, count, &selection);
            let Page { changes, next } = page.await?;
            job.listed += changes.len() as u64;
            // Leased to nobody: webhooks that come meanwhile find room.
            let work = self.queue_page(changes, 0, budget, run).await?;
            if self.ports.clock.now() >= lease.until {
                return Ok("time");
            }
            job.cursor.advance(stream, &window, next);
            job.waits_for(None, None);
            // Last: a crash before this repeats the page, never loses it.
            job.store(&self.ports, self.flow.name).await?;
            if self.work(work, &run.cause, &mut run.tally).await? || self.drain(budget, run).await?
            {
                return Ok("stopped");
            }
        }
        Ok("time")
    }
}

/// With one decimal.
fn tenths(count: i64) -> String {
    format!("{}.{}", count / 10, count % 10)
}

fn key(flow: &str) -> String {
    format!("backfill:{flow}")
}
