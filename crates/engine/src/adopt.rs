//! Adopts records that were in the target before us: found by natural key, linked, and left as they are.
//!
//! Nothing is sent to either system. One that holds what the mapping would send is linked as applied; one
//! that differs is linked as it stands, and changed when its source next changes, by its own id.

mod matching;

use mapping::{Change, Links, diff, fingerprint};
use serde_json::{Value, json};
use sluice_core::{Held, Observed, Record, RecordId, Result};

use crate::compare::{Place, changes_json};
use crate::decide::{Decided, Refusal};
use crate::edit;
use crate::engine::{Engine, Leg};
use crate::flow::Resolver;
use crate::links::{self, Link};
use crate::store::{By, Lease};
use matching::Match;

const LEASE: std::time::Duration = std::time::Duration::from_secs(120);

impl Engine {
    /// One page of records in scope, parents first. Without `by` it shows what would be done; with it, links
    /// are written, which needs the flow paused: nobody may make a record while its own is being linked.
    ///
    /// Repeating it is safe. Refused: a place that is none; a flow that works. Faults: `MAPPING_INVALID` (stop
    /// the flow) where a section says no key; those of source and target.
    pub async fn adopt_page(&self, after: Option<&str>, by: Option<&By>) -> Result<Decided> {
        let sections = self.sections_to_adopt()?;
        let place = match after {
            None => sections.first().map(|section| (0, *section, None)),
            Some(after) => place(&sections, after),
        };
        let Some((at, section, place)) = place else {
            let why = "`after` is no place that an adoption gave".to_owned();
            return Ok(Err(Refusal::Invalid(why)));
        };
        let leg = match section == self.flow.section {
            true => self.leg()?,
            false => self.parent_leg(section)?,
        };
        let mut lease = None;
        if by.is_some() {
            if self.trail().paused().await?.is_null() {
                let why =
                    "the flow works; pause it first, so that nobody makes what is being adopted";
                return Ok(Err(Refusal::Busy(why.to_owned())));
            }
            // Over all flows: two sources must not be given one target.
            let name = format!("adopt:{}", leg.target.kind());
            lease = Lease::take(&self.ports, name, LEASE).await?;
            if lease.is_none() {
                let why = "somebody else adopts such records just now".to_owned();
                return Ok(Err(Refusal::Busy(why)));
            }
        }
        let page = self.source_page(&leg, place).await;
        let entries = match &page {
            Ok(Ok(page)) => self.adopt_records(&leg, section, &page.records, by).await,
            Ok(Err(_)) | Err(_) => Ok(Vec::new()),
        };
        if let Some(lease) = lease {
            lease.release(&self.ports).await?;
        }
        let page = match page? {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let next = match page.next {
            Some(next) => Some(format!("{section}~{}", next.text())),
            None => sections.get(at + 1).map(|section| format!("{section}~")),
        };
        Ok(Ok(json!({
            "section": section,
            "dry_run": by.is_none(),
            "entries": entries?,
            "next": next,
        })))
    }

    /// Parents before the flow's own records: what these refer to is linked by then.
    fn sections_to_adopt(&self) -> Result<Vec<&str>> {
        let parents = self
            .flow
            .resolvers
            .iter()
            .filter_map(|(name, resolver)| match resolver {
                Resolver::Parent { .. } => Some(*name),
                Resolver::Part { .. } | Resolver::NaturalKey { .. } => None,
            });
        let sections: Vec<&str> = parents.chain([self.flow.section]).collect();
        for section in &sections {
            self.mapping.adopt(section)?;
        }
        Ok(sections)
    }

    async fn adopt_records(
        &self,
        leg: &Leg<'_>,
        section: &str,
        records: &[(RecordId, Observed)],
        by: Option<&By>,
    ) -> Result<Vec<Value>> {
        let in_scope = records.iter().filter_map(|(_, observed)| match observed {
            Observed::Present(record) => Some(record.clone()),
            Observed::Gone(_) => None,
        });
        let in_scope: Vec<Record> = in_scope
            .filter(|record| leg.section.in_scope(&record.body).unwrap_or(false))
            .collect();
        let mut matches = self
            .matches(leg, self.mapping.adopt(section)?, &in_scope)
            .await?;
        let new = |record: &&Record| matches!(matches.get(&record.id.id), Some(Match::Matched(_)));
        let to_compare: Vec<&Record> = in_scope.iter().filter(new).collect();
        let links = self.links_of(leg, &to_compare).await?;
        let mut entries = Vec::new();
        for record in &in_scope {
            let Some(matched) = matches.remove(&record.id.id) else {
                continue;
            };
            let mut entry = json!({ "section": section, "id": record.id.id });
            match matched {
                Match::Linked(target) => {
                    entry["state"] = "linked".into();
                    entry["target"] = target.into();
                }
                Match::Ambiguous { targets, why } => {
                    entry["state"] = "ambiguous".into();
                    entry["targets"] = targets.into();
                    entry["why"] = why.into();
                }
                Match::Missing(why) => {
                    entry["state"] = "missing".into();
                    entry["why"] = why.into();
                }
                Match::Matched(held) => {
                    let (link, changes) = link_to(leg, &links, record, &held);
                    entry["target"] = held.id.clone().into();
                    entry["agrees"] = link.applied.is_some().into();
                    entry["changes"] = changes.into();
                    entry["state"] = match by {
                        None => "matched",
                        Some(by) => self.adopt(leg, section, &record.id, &link, by).await?,
                    }
                    .into();
                }
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Writes the link, and what leads back from the target; the trail's line first.
    async fn adopt(
        &self,
        leg: &Leg<'_>,
        section: &str,
        id: &RecordId,
        link: &Link,
        by: &By,
    ) -> Result<&'static str> {
        let kind = leg.target.kind();
        let key = links::key(id, kind);
        // Held by whoever brings a parent in line, of whichever flow.
        let Some(lease) = Lease::take(&self.ports, key.clone(), LEASE).await? else {
            return Ok("in_work");
        };
        let written = async {
            if Link::load(&self.ports, id, kind).await?.is_some() {
                return Ok("linked");
            }
            let agrees = link.applied.is_some();
            let details = json!({ "section": section, "target": link.target, "agrees": agrees });
            if !self.trail().adopt(&id.id, details, by).await? {
                return Ok("in_work");
            }
            links::claim(&self.ports, id, &kind.id(&link.target)).await?;
            // Last: a claim alone says nothing.
            link.store(&self.ports, id, kind).await?;
            Ok("adopted")
        };
        let written = written.await;
        lease.release(&self.ports).await?;
        let written = written?;
        self.queue().wake(&key).await?;
        Ok(written)
    }
}

/// The link of an adopted record, and what differs. The fingerprint of what we would send is noted only if
/// the target holds just that.
fn link_to(leg: &Leg<'_>, links: &Links, record: &Record, held: &Held) -> (Link, Vec<Value>) {
    let mut link = Link::to(&held.id);
    let wanted = leg.section.apply(&record.body, links).ok();
    let changes: Option<Vec<Change>> = wanted.as_ref().map(|wanted| diff(wanted, &held.body));
    match (&wanted, &changes) {
        (Some(wanted), Some(changes)) if changes.is_empty() => {
            link.applied = Some(fingerprint(wanted));
            link.see(record);
        }
        // What can't be mapped can't be known to agree.
        _ => link.adopted = Some(edit::state(leg.section, record)),
    }
    (link, changes_json(&changes.unwrap_or_default()))
}

/// `customer~Account~2026-11-22T19:53:21Z~001…`, or `order~` for the start of a section.
fn place<'a>(sections: &[&'a str], after: &str) -> Option<(usize, &'a str, Option<Place>)> {
    let (name, rest) = after.split_once('~')?;
    let at = sections.iter().position(|section| *section == name)?;
    let position = match rest {
        "" => None,
        rest => Some(Place::of(rest)?),
    };
    Some((at, sections[at], position))
}
