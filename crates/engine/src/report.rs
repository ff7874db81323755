//! What a run did: every record has exactly one outcome.

use serde::Serialize;
use serde_json::{Value, json};
use sluice_core::{Fault, Result};

use crate::reconcile::Outcome;
use crate::store::GivenUp;
use crate::work::Fate;

/// How many records ended in each way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Changes the source listed.
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub skipped: u64,
    pub queued: u64,
    pub dead: u64,
    /// The first few faults, for a quick look; the queue holds them all.
    pub faults: Vec<Value>,
}

const FAULT_COUNT_MAX: usize = 20;

impl Tally {
    pub(crate) fn add(&mut self, fate: &Fate) {
        match &fate.fault {
            None => {}
            Some(fault) if self.faults.len() < FAULT_COUNT_MAX => {
                self.faults.push(
                    json!({ "id": fate.id, "code": fault.code, "message": fault.to_string() }),
                );
            }
            Some(_) => {}
        }
        match fate.done.as_ref().map(|done| done.outcome) {
            Some(outcome) => self.count(outcome),
            None if fate.dead => self.dead += 1,
            None => self.queued += 1,
        }
    }

    /// A listed change of a record that is given up, and is no news: it stays as it is.
    pub(crate) fn stays(&mut self, given_up: &GivenUp) {
        match given_up.state.as_deref() {
            Some("dead") => self.dead += 1,
            Some(_) => self.queued += 1,
            None => self.skipped += 1,
        }
    }

    pub(crate) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Skipped => self.skipped += 1,
        }
    }
}

/// One execution of a flow by its schedule.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its number in the log; none where nothing was to be done.
    pub run: Option<i64>,
    #[serde(flatten)]
    pub tally: Tally,
    /// Why the run ended: `done`, `time`, `records`, `stopped`, `busy` (another run extracts), `waits` (for a
    /// limit that is kept count of), `paused`.
    pub ended: &'static str,
    /// The fault that stopped it.
    pub fault: Option<Fault>,
    /// What it waits for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// Streams that were not listed, for they were a short while ago
    /// ([`Source::pace`](sluice_core::Source::pace)).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub postponed: Vec<&'static str>,
}

impl Report {
    pub(crate) fn of(
        run: i64,
        tally: Tally,
        result: Result<&'static str>,
        postponed: Vec<&'static str>,
    ) -> Self {
        let (ended, fault, waits) = match result {
            Ok(ended) => (ended, None, None),
            // Nobody refused and nothing failed: as it must be where there is more to do than may be asked.
            Err(fault) if fault.is_held_back() => ("waits", None, Some(fault.to_string())),
            Err(fault) => ("stopped", Some(fault), None),
        };
        Self {
            run: Some(run),
            tally,
            ended,
            fault,
            waits,
            postponed,
        }
    }

    /// Of a flow that a person paused: the log of runs does not fill up meanwhile.
    pub(crate) fn paused() -> Self {
        Self {
            run: None,
            tally: Tally::default(),
            ended: "paused",
            fault: None,
            waits: None,
            postponed: Vec::new(),
        }
    }
}
