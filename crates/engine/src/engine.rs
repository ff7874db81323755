//! One flow at work with one set of ports.

use std::time::Duration;

use mapping::{MappingFile, Section};
use serde_json::{Value, json};
use sluice_core::{Held, Hint, Ports, RecordId, Result, Source, Target, Timestamp};

use crate::Tally;
use crate::decide::in_work;
use crate::flow::{Flow, Policy, Resolver, misfit};
use crate::links::Link;
use crate::store::{Item, Queue, Runs, Trail, migrate};
use crate::work::Work;

/// A flow, its mapping, and the ports it works through.
pub struct Engine {
    pub flow: Flow,
    pub mapping: MappingFile,
    pub ports: Ports,
}

/// One pair of source and target: the flow's own, or that of a parent it needs.
pub(crate) struct Leg<'a> {
    pub source: &'a dyn Source,
    pub target: &'a dyn Target,
    pub section: &'a Section,
    pub on_leave: Policy,
    pub on_delete: Policy,
    pub writes_back: bool,
    pub updates_locked: bool,
}

impl Leg<'_> {
    /// Whether the target keeps the record under this external id.
    pub fn is_under(&self, held: &Held, external_id: &str) -> bool {
        let id = self.target.external_id(held);
        id.is_some_and(|id| id.eq_ignore_ascii_case(external_id))
    }
}

/// Hinted records a webhook takes into work by itself; the rest is left to the drain.
pub(crate) const LEASED_AT_ONCE: usize = 8;

impl Engine {
    /// `mounted` is the mapping file found beside the component, if any.
    ///
    /// Faults (stop the flow): `MAPPING_INVALID` with the place; a mapping that lacks a section or names a
    /// link the flow can't resolve.
    pub fn new(flow: Flow, mounted: Option<&str>, ports: Ports) -> Result<Self> {
        let mut mapping = match mounted {
            Some(text) => MappingFile::parse("/mapping.toml", text)?,
            None => MappingFile::parse("mapping.toml", flow.mapping)?,
        };
        let mut sections = vec![flow.section];
        for (link, resolver) in &flow.resolvers {
            if let Resolver::Parent { .. } | Resolver::Part { .. } = resolver {
                sections.push(link);
            }
        }
        for name in sections {
            for link in mapping.section(name)?.links() {
                if !flow.resolvers.iter().any(|(known, _)| known == link) {
                    let message = format!(
                        "the section {name} uses the link {link}, which this flow does not resolve"
                    );
                    return Err(misfit(message));
                }
            }
        }
        for (link, resolver) in &flow.resolvers {
            if let Resolver::Part { .. } = resolver {
                mapping.holds_part(flow.section, link)?;
            }
        }
        Ok(Self {
            flow,
            mapping,
            ports,
        })
    }

    /// Makes the stores ready and names every variable that is missing.
    pub async fn prepare(&self) -> Result<()> {
        self.flow.check(&self.ports)?;
        migrate(self.ports.sql.as_ref()).await
    }

    /// Commits hints to the queue. When this returns they are durable and may be acknowledged; the items
    /// returned are leased to the caller, who should hand them to [`Engine::work`].
    pub async fn receive(&self, hints: &[Hint]) -> Result<Vec<Item>> {
        Ok(self.queue().put(hints, LEASED_AT_ONCE).await?.leased)
    }

    /// Brings one record in line now and says what happened.
    pub async fn sync_one(&self, id: &str) -> Result<Value> {
        self.let_go(id).await?;
        let Some(item) = self.queue().lease_one(id).await? else {
            return Ok(in_work(id));
        };
        let mut tally = Tally::default();
        let fate = self.work_one(Work::from(item), "records").await?;
        tally.add(&fate);
        Ok(fate.describe())
    }

    /// A person asks: what was adopted as it stood is brought in line, too.
    async fn let_go(&self, id: &str) -> Result<()> {
        let (id, target) = (self.record_id(id), self.flow.target.kind());
        if let Some(mut link) = Link::load(&self.ports, &id, target).await?
            && link.adopted.take().is_some()
        {
            link.store(&self.ports, &id, target).await?;
        }
        Ok(())
    }

    /// The streams the schedule lists, each by itself or all together.
    pub fn streams(&self) -> Result<Vec<&'static str>> {
        self.flow.source.streams(&self.ports)
    }

    /// Cursor, queue, runs, dead letters, and whether the flow is paused.
    pub async fn status(&self) -> Result<Value> {
        let mut status = self.runs().status().await?;
        status["flow"] = self.flow.name.into();
        status["paused"] = self.trail().paused().await?;
        status["cursor"] = match self.cursor(Timestamp::MIN).await? {
            cursor if cursor.is_empty() => Value::Null,
            cursor => json!(cursor),
        };
        status["backfill"] = self.backfill_status().await?;
        Ok(status)
    }

    pub(crate) fn queue(&self) -> Queue<'_> {
        Queue {
            flow: self.flow.name,
            ports: &self.ports,
            concurrency_max: self.mapping.settings().concurrency_max,
            settles_within: self.settles_within(),
        }
    }

    pub(crate) fn runs(&self) -> Runs<'_> {
        Runs {
            flow: self.flow.name,
            ports: &self.ports,
        }
    }

    pub(crate) fn trail(&self) -> Trail<'_> {
        Trail {
            flow: self.flow.name,
            ports: &self.ports,
        }
    }

    /// The flow's own pair.
    pub(crate) fn leg(&self) -> Result<Leg<'_>> {
        Ok(Leg {
            source: self.flow.source.as_ref(),
            target: self.flow.target.as_ref(),
            section: self.mapping.section(self.flow.section)?,
            on_leave: self.flow.on_leave,
            on_delete: self.flow.on_delete,
            writes_back: self.flow.writes_back,
            updates_locked: self.mapping.settings().update_approved_orders,
        })
    }

    /// The pair of a parent: made once, where there is none, and left alone after that.
    pub(crate) fn parent_leg(&self, link: &str) -> Result<Leg<'_>> {
        let (source, target) = match self.resolver(link)? {
            Resolver::Parent { source, target } => (source, target),
            // Written back to by nobody; looked at with the record that holds it.
            Resolver::Part { target, .. } => (&self.flow.source, target),
            Resolver::NaturalKey { .. } => {
                return Err(misfit(format!("the link {link} has no parent record")));
            }
        };
        Ok(Leg {
            source: source.as_ref(),
            target: target.as_ref(),
            section: self.mapping.section(link)?,
            on_leave: Policy::Ignore,
            on_delete: Policy::Ignore,
            writes_back: false,
            updates_locked: true,
        })
    }

    pub(crate) fn record_id(&self, id: &str) -> RecordId {
        self.flow.source.kind().id(id)
    }

    pub(crate) fn settles_within(&self) -> Duration {
        self.flow.target.settles_within()
    }
}
