//! Brings one target record in line with its source record as it is now.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use sluice_core::{
    Body, Fault, Gone, Held, Observed, Ports, Record, RecordId, Result, Version, code, external_id,
};

use crate::edit::{self, Edit};
use crate::engine::{Engine, Leg};
use crate::flow::Policy;
use crate::links::{self, Link};

/// What is known of a record before it is looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The record as a page of the extraction held it.
    pub record: Option<Record>,
    /// An observation older than this comes from a lagging replica.
    pub version: Option<Version>,
    /// What was last applied proves nothing: a write of unknown outcome went before.
    pub forced: bool,
    /// An earlier attempt may have written the target without writing the link.
    pub repeated: bool,
    /// What a person says the source should have said.
    pub edit: Option<Edit>,
}

/// What the target should hold.
struct Wanted {
    body: Value,
    fingerprint: String,
    /// The state of the source, where a person's edit stands in for it.
    edit_of: Option<String>,
}

/// How a record ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub outcome: Outcome,
    pub why: Option<String>,
    /// The target record's id, where there is one.
    pub target: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Created,
    Updated,
    Unchanged,
    Skipped,
}

impl Engine {
    /// `observed` is the record as it is now; `chain` holds the records that wait for this one, outermost
    /// first.
    ///
    /// Repeating it is safe. Faults: those of source, mapping and target; `TARGET_DELETED`, `TARGET_LOCKED`
    /// (dead letter).
    pub(crate) async fn reconcile(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        id: &RecordId,
        observed: &Observed,
        known: Known,
        chain: &[RecordId],
    ) -> Result<Done> {
        let target = leg.target.kind();
        let link = Link::load(ports, id, target).await?;
        let record = match observed {
            Observed::Present(record) => record,
            Observed::Gone(gone) => {
                let why = match gone {
                    Gone::Deleted => "deleted in the source".to_owned(),
                    Gone::Merged(into) => format!("merged into {into} in the source"),
                    Gone::Unknown => "not known to the source".to_owned(),
                };
                return self
                    .leave(ports, leg, id, link, &known, leg.on_delete, why)
                    .await;
            }
        };
        let state = || edit::state(leg.section, record);
        let edit = known.edit.as_ref().filter(|edit| edit.of == state());
        if let Some(link) = &link
            && (link.edited.is_some() || link.adopted.is_some())
            && edit.is_none()
            && !known.forced
            && link.stands_for(&state())
        {
            return self.as_it_stands(ports, leg, record, link).await;
        }
        let edited = edit.map(|edit| edit.apply(record));
        let record = edited.as_ref().unwrap_or(record);
        if !leg.section.in_scope(&record.body)? {
            let why = "not in the scope of the flow".to_owned();
            return self
                .leave(ports, leg, id, link, &known, leg.on_leave, why)
                .await;
        }
        let found = self.resolve(ports, leg.section, record, chain).await?;
        let body = leg.section.apply(&record.body, &found)?;
        let wanted = Wanted {
            fingerprint: mapping::fingerprint(&body),
            body,
            // An edit that names nothing takes an earlier one back.
            edit_of: edit
                .filter(|edit| !edit.patch.is_empty())
                .map(|edit| edit.of.clone()),
        };
        let mut done = match link {
            Some(link) if !known.forced && link.applied.as_ref() == Some(&wanted.fingerprint) => {
                self.unchanged(ports, leg, record, link, &wanted).await?
            }
            link => self.load(ports, leg, record, link, &wanted).await?,
        };
        if known.edit.is_some() && edited.is_none() && done.why.is_none() {
            done.why = Some("the source changed since the edit, which was not applied".to_owned());
        }
        Ok(done)
    }

    /// The source is still as it was when a person's edit was applied instead, or its target was adopted.
    async fn as_it_stands(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        record: &Record,
        link: &Link,
    ) -> Result<Done> {
        self.write_back(ports, leg, record, &link.write_back)
            .await?;
        let why = match link.edited {
            Some(_) => "as a person edited it; the source has not changed since",
            None => "as it was adopted; the source has not changed since",
        };
        Ok(Done {
            outcome: Outcome::Unchanged,
            why: Some(why.to_owned()),
            target: Some(link.target.clone()),
        })
    }

    /// The record as it is now, unless a page held it as new as was announced.
    ///
    /// Faults: the source's; `SOURCE_STALE` (retry).
    pub(crate) async fn observe(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        id: &RecordId,
        known: &Known,
    ) -> Result<Observed> {
        let stale = |record: &Record| known.version.is_some_and(|hinted| record.version < hinted);
        if let Some(record) = known.record.as_ref().filter(|record| !stale(record)) {
            return Ok(Observed::Present(record.clone()));
        }
        let observed = leg
            .source
            .fetch(ports, &id.id, &leg.section.selection())
            .await?;
        match &observed {
            Observed::Present(record) if stale(record) => {
                let message = format!("{id} is older than the change that was announced");
                Err(Fault::retry(code::SOURCE_STALE, message))
            }
            _ => Ok(observed),
        }
    }

    /// The record is what we last applied; only our own fields in the source may lack.
    async fn unchanged(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        record: &Record,
        mut link: Link,
        wanted: &Wanted,
    ) -> Result<Done> {
        self.write_back(ports, leg, record, &link.write_back)
            .await?;
        if wanted.note(&mut link, record) {
            link.store(ports, &record.id, leg.target.kind()).await?;
        }
        Ok(Done {
            outcome: Outcome::Unchanged,
            why: None,
            target: Some(link.target),
        })
    }

    async fn load(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        record: &Record,
        link: Option<Link>,
        wanted: &Wanted,
    ) -> Result<Done> {
        let external_id = external_id(&record.id, leg.target.kind());
        let before = self
            .held(ports, leg, &record.id, link.as_ref(), &external_id)
            .await?;
        if let Some(held) = &before
            && let Some(reason) = leg.target.locked(held).filter(|_| !leg.updates_locked)
        {
            // Linked all the same: a crash may have come between our write and the link.
            let link = self
                .linked(ports, leg, record, held, link, wanted, false)
                .await?;
            self.write_back(ports, leg, record, &link.write_back)
                .await?;
            return Ok(Done {
                outcome: Outcome::Skipped,
                why: Some(format!("the target may not be changed any more: {reason}")),
                target: Some(held.id.clone()),
            });
        }
        match &before {
            // An upsert would make a second one of it.
            Some(held)
                if !leg.is_under(held, &external_id) || !leg.target.reaches(held, &wanted.body) =>
            {
                let update = leg.target.update(ports, held, &external_id, &wanted.body);
                update.await?;
            }
            _ => leg.target.upsert(ports, &external_id, &wanted.body).await?,
        }
        let after = match &before {
            Some(held) => leg.target.read(ports, &held.id).await?,
            None => leg.target.find(ports, &external_id).await?,
        };
        let after = after.ok_or_else(|| {
            let message = format!("{external_id} is not to be seen right after it was written");
            Fault::retry(code::TARGET_RACE, message)
        })?;
        // Check-then-act against a system we do not lock: say so if somebody came in between.
        let raced = leg
            .target
            .locked(&after)
            .filter(|_| before.is_some() && !leg.updates_locked);
        let link = self
            .linked(ports, leg, record, &after, link, wanted, true)
            .await?;
        // After the link: a crash here leaves a link that says what is still to be written back.
        self.write_back(ports, leg, record, &link.write_back)
            .await?;
        Ok(Done {
            outcome: if before.is_some() {
                Outcome::Updated
            } else {
                Outcome::Created
            },
            why: raced
                .map(|reason| format!("{}: while it was written: {reason}", code::TARGET_RACE)),
            target: Some(after.id),
        })
    }

    /// The target as it stands, by link, else by external id.
    async fn held(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        id: &RecordId,
        link: Option<&Link>,
        external_id: &str,
    ) -> Result<Option<Held>> {
        let Some(link) = link else {
            return leg.target.find(ports, external_id).await;
        };
        match leg.target.read(ports, &link.target).await? {
            Some(held) => Ok(Some(held)),
            None => {
                let target = leg.target.kind();
                let message = format!(
                    "{target}:{}, the target of {id}, was deleted; it is not made again",
                    link.target
                );
                Err(Fault::dead_letter(code::TARGET_DELETED, message))
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    async fn linked(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        record: &Record,
        held: &Held,
        before: Option<Link>,
        wanted: &Wanted,
        applied: bool,
    ) -> Result<Link> {
        let mut link = Link::to(&held.id);
        link.applied = applied.then(|| wanted.fingerprint.clone());
        wanted.note(&mut link, record);
        if leg.writes_back {
            link.write_back = leg.section.write_back(&held.body)?;
        }
        if before.as_ref() != Some(&link) {
            link.store(ports, &record.id, leg.target.kind()).await?;
        }
        if before.is_none() {
            let key = links::key(&record.id, leg.target.kind());
            self.queue().wake(&key).await?;
        }
        Ok(link)
    }

    /// Sets our fields in the source, unless it carries them already: an echo would never end otherwise.
    async fn write_back(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        record: &Record,
        fields: &Map<String, Value>,
    ) -> Result<()> {
        let differs = |(name, value): &(&String, &Value)| {
            record.body.at(name) != Some(*value).filter(|value| !value.is_null())
        };
        if fields.iter().any(|field| differs(&field)) {
            leg.source.write_back(ports, &record.id.id, fields).await?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    async fn leave(
        &self,
        ports: &Ports,
        leg: &Leg<'_>,
        id: &RecordId,
        link: Option<Link>,
        known: &Known,
        policy: Policy,
        why: String,
    ) -> Result<Done> {
        let skipped = |why: String, target: Option<String>| Done {
            outcome: Outcome::Skipped,
            why: Some(why),
            target,
        };
        let held = match &link {
            Some(link) if link.closed => {
                return Ok(skipped(
                    format!("{why}; closed before"),
                    Some(link.target.clone()),
                ));
            }
            Some(link) => leg.target.read(ports, &link.target).await?,
            // A write without a link may have gone before.
            None if known.repeated || known.forced => {
                leg.target
                    .find(ports, &external_id(id, leg.target.kind()))
                    .await?
            }
            None => None,
        };
        let Some(held) = held else {
            return Ok(skipped(why, None));
        };
        let target = leg.target.kind();
        match policy {
            Policy::Ignore => return Ok(skipped(why, Some(held.id))),
            Policy::DeadLetter => {
                let message = format!("{id} is {why}; {target}:{} stands", held.id);
                return Err(Fault::dead_letter(code::SOURCE_DELETED, message));
            }
            Policy::Close => {}
        }
        // A closed record is locked, too: it may be our own write whose answer was lost, or that came late.
        let is_closed = leg.target.is_closed(&held);
        if let Some(reason) = leg
            .target
            .locked(&held)
            .filter(|_| !is_closed && !leg.updates_locked)
        {
            let message = format!(
                "{id} is {why}, but {target}:{} can't be closed: {reason}",
                held.id
            );
            return Err(Fault::dead_letter(code::TARGET_LOCKED, message));
        }
        if !is_closed {
            leg.target.close(ports, &held).await?;
        }
        let mut closed = link.unwrap_or_else(|| Link::to(&held.id));
        closed.applied = None;
        closed.closed = true;
        closed.store(ports, id, target).await?;
        Ok(Done {
            outcome: Outcome::Updated,
            why: Some(format!("{why}; closed")),
            target: Some(held.id),
        })
    }
}

impl Wanted {
    /// Notes in the link which state of the source it came from. True if that is new.
    fn note(&self, link: &mut Link, record: &Record) -> bool {
        match &self.edit_of {
            Some(of) => link.see_edited(of),
            None => link.see(record),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
        }
    }
}
