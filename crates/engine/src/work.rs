//! Works on leased items, and decides what becomes of each.

use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use sluice_core::{Action, Fault, Record, Result, code};

use crate::engine::Engine;
use crate::extract::{Budget, Run};
use crate::guard::leased;
use crate::reconcile::{Done, Known};
use crate::report::Tally;
use crate::retry::{ATTEMPT_COUNT_MAX, Verdict, verdict};
use crate::seen::Seen;
use crate::store::{Finish, Item};

/// An item to work on, with the record if a page of the extraction held it.
pub struct Work {
    pub item: Item,
    pub record: Option<Record>,
}

/// What became of one item.
pub(crate) struct Fate {
    pub id: String,
    pub done: Option<Done>,
    pub fault: Option<Fault>,
    pub dead: bool,
    /// The item was no longer this worker's when it was done: whoever took it over decides.
    pub lost: bool,
}

/// What came of some items together.
struct Turn {
    /// Whether the flow must stop.
    stop: bool,
    /// Items for which nothing could be sent.
    held_back: usize,
}

/// Records one worker has in work at the same time.
const WIDTH: usize = 4;

impl Engine {
    /// Works on items leased to this worker, several at a time. True if the flow must stop.
    pub async fn work(&self, work: Vec<Work>, cause: &str, tally: &mut Tally) -> Result<bool> {
        self.take_turn(work, cause, tally)
            .await
            .map(|turn| turn.stop)
    }

    async fn take_turn(&self, work: Vec<Work>, cause: &str, tally: &mut Tally) -> Result<Turn> {
        let mut turn = Turn {
            stop: false,
            held_back: 0,
        };
        let mut fates = stream::iter(work)
            .map(|work| self.work_one(work, cause))
            .buffer_unordered(WIDTH);
        while let Some(fate) = fates.next().await {
            let fate = fate?;
            tally.add(&fate);
            let Some(fault) = &fate.fault else { continue };
            turn.stop |= matches!(fault.action, Action::StopFlow | Action::RefreshCredentials);
            turn.held_back += usize::from(fault.is_held_back());
        }
        Ok(turn)
    }

    /// Takes up what is due until nothing is, the budget is spent, or a limit holds everything back: the rest
    /// would only be looked at and put away again. What the run has seen already comes first: it needs no
    /// other look.
    pub async fn drain(&self, budget: &mut Budget, run: &mut Run) -> Result<bool> {
        while !budget.spent(&self.ports) {
            let count = WIDTH.min(budget.records);
            let seen: Vec<&str> = run.observed.keys().map(String::as_str).collect();
            let items = self.queue().lease_due(count, &seen).await?;
            if items.is_empty() {
                return Ok(false);
            }
            let count = items.len();
            budget.records -= count.min(budget.records);
            let work = items.into_iter().map(|item| Work {
                record: run.observed_under(&item),
                item,
            });
            let work = work.collect();
            let turn = self.take_turn(work, &run.cause, &mut run.tally).await?;
            if turn.stop || turn.held_back == count {
                return Ok(turn.stop);
            }
        }
        Ok(false)
    }

    pub(crate) async fn work_one(&self, work: Work, cause: &str) -> Result<Fate> {
        let Work { item, record } = work;
        let mut observed = None;
        let result = if item.attempts > ATTEMPT_COUNT_MAX {
            // Its worker never came to an end, again and again.
            let message = format!("taken up {} times without an end", item.attempts);
            Err(Fault::dead_letter(code::ATTEMPTS_EXHAUSTED, message))
        } else {
            let known = Known {
                record,
                version: item.version,
                forced: item.forced,
                repeated: item.attempts > 1,
                edit: item.edit.clone(),
            };
            let ports = leased(&self.ports, item.lease_until);
            let leg = self.leg()?;
            let id = self.record_id(&item.id);
            match self.observe(&ports, &leg, &id, &known).await {
                Ok(found) => {
                    let found = observed.insert(found);
                    self.reconcile(&ports, &leg, &id, found, known, &[]).await
                }
                Err(fault) => Err(fault),
            }
        };
        let mut fate = Fate {
            id: item.id.clone(),
            done: None,
            fault: None,
            dead: false,
            lost: false,
        };
        let queue = self.queue();
        match result {
            Ok(done) => {
                let finish = Finish::Settled {
                    outcome: done.outcome.name(),
                    why: done.why.as_deref(),
                    target: done.target.as_deref(),
                };
                fate.lost = !queue.finish(&item, finish, cause).await?;
                fate.done = Some(done);
            }
            Err(fault) => {
                let verdict = verdict(&self.ports, &item, &fault, self.settles_within());
                fate.dead = matches!(verdict, Verdict::Dead(_));
                fate.lost = !match &verdict {
                    Verdict::Dead(fault) => {
                        let seen = observed.map(|found| Seen::of(&found, item.version));
                        let seen = seen.as_ref();
                        let finish = Finish::Dead { fault, seen };
                        queue.finish(&item, finish, cause).await?
                    }
                    Verdict::Park { on, due } => {
                        let finish = Finish::Park {
                            on,
                            due: *due,
                            fault: &fault,
                        };
                        queue.finish(&item, finish, cause).await?
                    }
                    Verdict::Retry {
                        due,
                        counts,
                        confirm_at,
                    } => {
                        let finish = Finish::Retry {
                            due: *due,
                            fault: &fault,
                            counts: *counts,
                            confirm_at: *confirm_at,
                        };
                        queue.finish(&item, finish, cause).await?
                    }
                };
                fate.fault = Some(fault);
            }
        }
        if fate.lost {
            queue.doubt(&item).await?;
        }
        Ok(fate)
    }
}

impl From<Item> for Work {
    fn from(item: Item) -> Self {
        Self { item, record: None }
    }
}

impl Fate {
    /// For a person who asked for this record.
    pub fn describe(&self) -> Value {
        let state = match &self.done {
            Some(done) => done.outcome.name(),
            None if self.dead => "dead",
            None => "queued",
        };
        json!({
            "id": self.id,
            "state": state,
            "why": self.done.as_ref().and_then(|done| done.why.clone()),
            "target": self.done.as_ref().and_then(|done| done.target.clone()),
            "fault": self.fault,
            "taken_over": self.lost,
        })
    }
}
