//! Proves the sync: both systems, record by record, through their own interfaces. Nothing is written.
//!
//! The walk over the source tells what became of every record. The walk over the target tells of records
//! there that no record of the source accounts for; those that one does are left to the first walk.

mod source;
mod target;

use futures_util::stream::{self, StreamExt};
use jiff::civil::Date;
use mapping::Figures;
use serde::Serialize;
use serde_json::{Value, json};
use sluice_core::Result;

use crate::compare::{PAGE_RECORD_COUNT, Place, WIDTH};
use crate::decide::Refusal;
use crate::engine::Engine;

/// Which system is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Source,
    Target,
}

/// Only what bears a day from the first to the last, both included, by the fields of the mapping. A record
/// that bears none is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    pub from: Option<Date>,
    pub to: Option<Date>,
}

/// One page.
#[derive(Clone, Debug, Serialize)]
pub struct AuditPage {
    pub side: Side,
    pub entries: Vec<Entry>,
    /// Records looked at, those without an entry included.
    pub looked_at: usize,
    /// Where the next page starts; `None` after the last.
    pub next: Option<String>,
}

/// What became of one record.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The source record's id, where one is known.
    pub source: Option<String>,
    /// The target record's id, where there is one.
    pub target: Option<String>,
    pub state: State,
    pub why: Option<String>,
    /// What the target would have to hold, where it holds something else: `path`, `held`, `wanted`.
    pub changes: Vec<Value>,
    /// `amount`, `currency` and `day` in the source.
    pub source_says: Value,
    /// The same in the target.
    pub target_says: Value,
}

/// See `docs/AUDIT.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The target holds what the link says was last applied, and that is what the source says.
    Unchanged,
    /// The target holds what the source says, though no link vouches for it; or what a person said instead.
    Applied,
    /// The target may not be changed any more, and the source changed after that.
    Locked,
    OutOfScope,
    Queued,
    Dead,
    /// A person took it off the queue, in this state.
    Skipped,
    /// A target record that is not ours, as far as anybody can tell.
    Foreign,
    Unaccounted,
}

impl Engine {
    /// One page of the walk over a side. Repeating it is safe.
    ///
    /// Refused: a place that is none; days where the mapping says no day. Faults: those of source and target.
    pub async fn audit_page(
        &self,
        side: Side,
        after: Option<&str>,
        days: Days,
    ) -> Result<Result<AuditPage, Refusal>> {
        let leg = self.leg()?;
        if days != Days::default() && !leg.section.audit().has_dates() {
            let section = leg.section.name();
            let why = format!("[{section}.audit] of the mapping says no `date` for both sides");
            return Ok(Err(Refusal::Invalid(why)));
        }
        match side {
            Side::Source => {
                let place = match after.map(Place::of) {
                    Some(None) => {
                        let why = "`after` is no place that an audit gave".to_owned();
                        return Ok(Err(Refusal::Invalid(why)));
                    }
                    Some(place) => place,
                    None => None,
                };
                let page = match self.source_page(&leg, place).await? {
                    Ok(page) => page,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let view = self.source_view(&leg, &page.records).await?;
                let mut judged = stream::iter(&page.records)
                    .map(|(id, observed)| self.judge_source(&leg, &view, id, observed, days))
                    .buffered(WIDTH);
                let mut entries = Vec::new();
                while let Some(entry) = judged.next().await {
                    entries.extend(entry?);
                }
                let looked_at = page.records.len();
                let next = page.next.as_ref().map(Place::text);
                Ok(Ok(AuditPage {
                    side,
                    entries,
                    looked_at,
                    next,
                }))
            }
            Side::Target => {
                let list = leg.target.list(&self.ports, after, PAGE_RECORD_COUNT);
                let page = list.await?;
                let looked_at = page.records.len();
                let entries = self.judge_targets(&leg, page.records, days).await?;
                let next = page.next;
                Ok(Ok(AuditPage {
                    side,
                    entries,
                    looked_at,
                    next,
                }))
            }
        }
    }
}

impl Days {
    /// Whether a record of this day is asked for.
    fn hold(self, day: Option<Date>) -> bool {
        let Some(day) = day else {
            return true;
        };
        self.from.is_none_or(|from| day >= from) && self.to.is_none_or(|to| day <= to)
    }
}

fn says(figures: &Figures) -> Value {
    let mut says = json!({});
    if let Some(money) = &figures.money {
        // As text: most readers of JSON would make a binary fraction of it.
        says["amount"] = money.amount.to_string().into();
        says["currency"] = money.currency.to_string().into();
    }
    if let Some(day) = &figures.date {
        says["day"] = day.to_string().into();
    }
    says
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
            Self::Locked => "locked",
            Self::OutOfScope => "out_of_scope",
            Self::Queued => "queued",
            Self::Dead => "dead",
            Self::Skipped => "skipped",
            Self::Foreign => "foreign",
            Self::Unaccounted => "unaccounted",
        }
    }
}
