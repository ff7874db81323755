//! What people decide about what is stuck. Every action leaves its line in the trail, in one with it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sluice_core::{Observed, Result};

use crate::cursor::Cursor;
use crate::edit::{self, Edit};
use crate::engine::Engine;
use crate::seen::Seen;
use crate::store::{By, Which};
use crate::work::Work;

/// What was done, or why nothing was.
pub type Decided = std::result::Result<Value, Refusal>;

/// Why a person's wish was not followed, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not now: somebody else works on it, or the flow is paused.
    Busy(String),
    /// Not like this.
    Invalid(String),
    /// There is no such thing.
    Unknown(String),
}

/// Ids named in an answer; the count says how many there are.
const NAMED_COUNT_MAX: usize = 100;

impl Engine {
    /// Brings one record in line now and says what happened.
    pub async fn sync(&self, id: &str, by: &By) -> Result<Decided> {
        if let Some(refusal) = self.refused_while_paused().await? {
            return Ok(Err(refusal));
        }
        if !self.trail().sync(id, by).await? {
            return Ok(Ok(in_work(id)));
        }
        self.sync_one(id).await.map(Ok)
    }

    /// Brings one record in line now as if the source said what `patch` says.
    ///
    /// The edit lasts through retries of this attempt, and no longer than the source stays as it is now: the
    /// next change of what the mapping reads wins, one that comes in between included. An empty patch takes
    /// an earlier edit back. Faults: the source's.
    pub async fn edit(&self, id: &str, patch: Map<String, Value>, by: &By) -> Result<Decided> {
        if let Some(refusal) = self.refused_while_paused().await? {
            return Ok(Err(refusal));
        }
        let section = self.leg()?.section;
        let source = &self.flow.source;
        let observed = source.fetch(&self.ports, id, &section.selection()).await?;
        let Observed::Present(record) = observed else {
            let why = format!("{id} is deleted, merged or unknown in the source");
            return Ok(Err(Refusal::Invalid(why)));
        };
        let of = edit::state(section, &record);
        let id = record.id.id.clone();
        if !self.trail().edit(&id, &Edit { patch, of }, by).await? {
            return Ok(Ok(in_work(&id)));
        }
        let Some(item) = self.queue().lease_one(&id).await? else {
            // A drain was quicker: the edit is in good hands.
            return Ok(Ok(json!({ "id": id, "state": "queued" })));
        };
        // Not the record as it was fetched: a hint that came since is this item's, too.
        let fate = self.work_one(Work::from(item), "edit").await?;
        Ok(Ok(fate.describe()))
    }

    /// Makes records due again, their attempts forgotten. Those named but not in the queue, or in work, are
    /// named in the answer.
    pub async fn retry(&self, which: &Which, by: &By) -> Result<Value> {
        let retried = self.trail().retry(which, by).await?;
        let mut answer = json!({
            "retried": retried.len(),
            "ids": retried.iter().take(NAMED_COUNT_MAX).collect::<Vec<_>>(),
        });
        if let Which::Ids(ids) = which {
            let rest = ids.iter().filter(|id| !retried.contains(id));
            let rest: Vec<&str> = rest.map(String::as_str).collect();
            answer["not_retried"] = self.why_not(&rest).await?;
        }
        Ok(answer)
    }

    /// Takes records off the queue, in the state of the source as it is now: its next change brings them
    /// back, and so does a new webhook.
    pub async fn skip(&self, ids: &[String], by: &By) -> Result<Value> {
        let mut skipped = Vec::new();
        let mut rest = Vec::new();
        for id in ids {
            // First: what is announced from here on is another state, which nobody skips.
            let Some(standing) = self.queue().standing(id).await? else {
                rest.push(id.as_str());
                continue;
            };
            let seen = self.to_skip(id, standing.is_dead).await?;
            match self.trail().skip(id, standing, seen.as_ref(), by).await? {
                true => skipped.push(id.as_str()),
                false => rest.push(id.as_str()),
            }
        }
        let not_skipped = self.why_not(&rest).await?;
        Ok(json!({ "skipped": skipped.len(), "ids": skipped, "not_skipped": not_skipped }))
    }

    /// The state of the source to be skipped. That of a dead letter is known: the one it died of.
    ///
    /// Faults: the source's; a skip that could not say of what would be undone by the next extraction.
    async fn to_skip(&self, id: &str, is_dead: bool) -> Result<Option<Seen>> {
        if is_dead && !self.queue().given_up(&[id]).await?.is_empty() {
            return Ok(None);
        }
        let selection = self.leg()?.section.selection();
        let observed = self.flow.source.fetch(&self.ports, id, &selection).await;
        match observed {
            Ok(observed) => Ok(Some(Seen::of(&observed, None))),
            // It may be dead because it can't be read, and must be skipped all the same.
            Err(_) if is_dead => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Webhooks are still committed and acknowledged; nothing is worked on or listed. Work that has begun is
    /// brought to its end.
    pub async fn pause(&self, by: &By) -> Result<Value> {
        let changed = self.trail().pause(by).await?;
        let paused = self.trail().paused().await?;
        Ok(json!({ "state": "paused", "changed": changed, "paused": paused }))
    }

    pub async fn resume(&self, by: &By) -> Result<Value> {
        let changed = self.trail().resume(by).await?;
        Ok(json!({ "state": "running", "changed": changed }))
    }

    /// Lets the next extraction list what changed from `to` on. Going forward would pass changes by: that is
    /// refused, unless it is meant (`skip`). A window that is open is given up: what it had still to list is
    /// listed again, or is what is passed by.
    ///
    /// Faults: the source's.
    pub async fn set_cursor(&self, to: Timestamp, skip: bool, by: &By) -> Result<Decided> {
        let now = self.flow.source.now(&self.ports).await?;
        if to > now {
            let why = format!("{to} lies ahead: by the source's clock it is {now}");
            return Ok(Err(Refusal::Invalid(why)));
        }
        // First: a run that has it would put its own place over ours.
        let mut leases = Vec::new();
        let mut free = true;
        for stream in self.flow.source.streams(&self.ports)? {
            let lease = self.extraction_lease(stream).await?;
            free &= lease.is_some();
            leases.extend(lease);
        }
        let decided = match free {
            true => self.cursor_to(to, now, skip, by).await,
            false => {
                let why = "a run is listing changes just now; try again when it has ended";
                Ok(Err(Refusal::Busy(why.to_owned())))
            }
        };
        for lease in leases {
            lease.release(&self.ports).await?;
        }
        decided
    }

    async fn cursor_to(
        &self,
        to: Timestamp,
        now: Timestamp,
        skip: bool,
        by: &By,
    ) -> Result<Decided> {
        let streams = self.flow.source.streams(&self.ports)?;
        let before = self.cursor(now).await?;
        if let Some((stream, complete)) = before.behind(to, &streams).first()
            && !skip
        {
            let why = format!(
                "changes of {stream} between {complete} and {to} may not be applied yet; \
                 to pass them by, say so and why"
            );
            return Ok(Err(Refusal::Invalid(why)));
        }
        let cursor = Cursor::starting(to, &streams);
        let details = json!({ "from": before, "to": to.to_string(), "skip": skip });
        // First: rather a line about what did not happen than no line about what did.
        self.trail().cursor(details, by).await?;
        for stream in &streams {
            cursor.store(&self.ports, self.flow.name, stream).await?;
        }
        Ok(Ok(json!({ "cursor": cursor, "before": before })))
    }

    async fn refused_while_paused(&self) -> Result<Option<Refusal>> {
        let paused = self.trail().paused().await?;
        let Some(since) = paused["since"].as_str() else {
            return Ok(None);
        };
        let why = format!("the flow is paused since {since}; resume it first");
        Ok(Some(Refusal::Busy(why)))
    }

    /// Why nothing became of these.
    async fn why_not(&self, ids: &[&str]) -> Result<Value> {
        let mut reasons = Vec::new();
        for id in ids.iter().take(NAMED_COUNT_MAX) {
            let why = match self.queue().standing(id).await? {
                None => "is not in the queue",
                Some(_) => "is in work, or was announced anew just now",
            };
            reasons.push(json!({ "id": id, "why": why }));
        }
        Ok(reasons.into())
    }
}

/// What is said of a record that another worker holds; it did not become anything of this wish.
pub(crate) fn in_work(id: &str) -> Value {
    json!({ "id": id, "state": "in_work" })
}
