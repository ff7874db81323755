//! Adopts records that were in the target before us: found by natural key, linked, and left as they are.
//!
//! Nothing is sent to either system. One that holds what the mapping would send is linked as applied; one
//! that differs is linked as it stands, and changed when its source next changes, by its own id.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use mapping::{Adopt, Change, Links, diff, fingerprint};
use serde_json::{Value, json};
use sluice_core::{Found, Held, Observed, Record, RecordId, Result, external_id, source_of};

use crate::compare::{WIDTH, changes_json, position_of, position_text};
use crate::decide::{Decided, Refusal};
use crate::edit;
use crate::engine::{Engine, Leg};
use crate::flow::Resolver;
use crate::links::{self, Link};
use crate::store::{By, Lease};

const LEASE: std::time::Duration = std::time::Duration::from_secs(120);

/// What stands in the target for a source record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Match {
    Linked(String),
    Matched(Held),
    Ambiguous { targets: Vec<String>, why: String },
    Missing(String),
}

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
        let Some((at, section, position)) = place else {
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
        let page = self.source_page(&leg, position).await;
        let entries = match &page {
            Ok(page) => self.adopt_records(&leg, section, &page.records, by).await,
            Err(_) => Ok(Vec::new()),
        };
        if let Some(lease) = lease {
            lease.release(&self.ports).await?;
        }
        let next = match page?.next {
            Some(next) => Some(format!("{section}~{}", position_text(&next))),
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
                Resolver::NaturalKey { .. } => None,
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

    /// What each of the records is in the target: by link, external id and natural key.
    pub(crate) async fn matches(
        &self,
        leg: &Leg<'_>,
        adopt: &Adopt,
        records: &[Record],
    ) -> Result<BTreeMap<String, Match>> {
        let mut matches = BTreeMap::new();
        let mut open: Vec<&Record> = Vec::new();
        for record in records {
            match Link::load(&self.ports, &record.id, leg.target.kind()).await? {
                Some(link) => {
                    matches.insert(record.id.id.clone(), Match::Linked(link.target));
                }
                None => open.push(record),
            }
        }
        let candidates = self.candidates(leg, adopt, &open).await?;
        let mut judged = stream::iter(open)
            .map(|record| {
                let candidate = candidates.get(&record.id.id).cloned();
                self.matched(leg, record, candidate)
            })
            .buffered(WIDTH);
        while let Some(judgement) = judged.next().await {
            let (id, matched) = judgement?;
            matches.insert(id, matched);
        }
        Ok(matches)
    }

    /// By the first key that finds something, all records in one look-up a key: the field and the value by
    /// which targets were found, or why they can't be told apart.
    async fn candidates(
        &self,
        leg: &Leg<'_>,
        adopt: &Adopt,
        records: &[&Record],
    ) -> Result<BTreeMap<String, Candidate>> {
        let mut candidates = BTreeMap::new();
        for key in adopt.keys() {
            let open = records
                .iter()
                .filter(|record| !candidates.contains_key(&record.id.id));
            let asked = open.filter_map(|record| Some((*record, key.value(&record.body)?)));
            let asked: Vec<(&Record, String)> = asked.collect();
            let values: Vec<String> = asked.iter().map(|(_, value)| value.clone()).collect();
            if values.is_empty() {
                continue;
            }
            let held = leg
                .target
                .find_all(&self.ports, &key.target, &values)
                .await?;
            let found: Vec<String> = held.keys().cloned().collect();
            let rivals = self.rivals(leg, &key.source(), &found).await?;
            for (record, value) in asked {
                let Some(found) = held.get(&value) else {
                    continue;
                };
                let others = rivals.get(&value).into_iter().flatten();
                let others: Vec<&str> = others
                    .filter(|id| **id != record.id.id)
                    .map(String::as_str)
                    .collect();
                let targets = match found {
                    Found::One(id) => vec![id.clone()],
                    Found::Several(ids) => ids.clone(),
                };
                let why = match (others.is_empty(), targets.len()) {
                    (true, 1) => None,
                    (true, count) => {
                        Some(format!("{count} records have {value:?} as {}", key.target))
                    }
                    (false, _) => Some(format!(
                        "{value:?} is the {} of {}, too",
                        key.source(),
                        others.join(", ")
                    )),
                };
                let field = key.target.clone();
                let candidate = Candidate {
                    targets,
                    why,
                    field,
                    value,
                };
                candidates.insert(record.id.id.clone(), candidate);
            }
        }
        Ok(candidates)
    }

    /// Source records in scope that share a key's value with another, by value.
    async fn rivals(
        &self,
        leg: &Leg<'_>,
        field: &str,
        values: &[String],
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let mut rivals = BTreeMap::new();
        if values.is_empty() {
            return Ok(rivals);
        }
        let selection = leg.section.selection();
        for (value, found) in leg.source.find_all(&self.ports, field, values).await? {
            let Found::Several(mut ids) = found else {
                continue;
            };
            let seen = leg.source.fetch_all(&self.ports, &ids, &selection).await?;
            ids.retain(|id| match seen.get(id) {
                Some(Observed::Present(record)) => {
                    leg.section.in_scope(&record.body).unwrap_or(true)
                }
                _ => false,
            });
            rivals.insert(value, ids);
        }
        Ok(rivals)
    }

    /// What stands for an unlinked record, given what its key led to.
    async fn matched(
        &self,
        leg: &Leg<'_>,
        record: &Record,
        candidate: Option<Candidate>,
    ) -> Result<(String, Match)> {
        let id = &record.id;
        let kind = leg.target.kind();
        let external = external_id(id, kind);
        let under_ours = leg.target.find(&self.ports, &external).await?;
        let matched = match (under_ours, candidate) {
            (Some(held), None) => Match::Matched(held),
            (None, None) => Match::Missing("no key of it is known to the target".to_owned()),
            (Some(held), Some(candidate)) if candidate.targets == [held.id.clone()] => {
                match candidate.why {
                    None => Match::Matched(held),
                    Some(why) => ambiguous(candidate.targets, why),
                }
            }
            (Some(held), Some(mut candidate)) => {
                candidate.targets.insert(0, held.id);
                let why = "one has its external id, another its key";
                ambiguous(candidate.targets, why.to_owned())
            }
            (None, Some(candidate)) => match (candidate.why, candidate.targets.as_slice()) {
                (None, [target]) => {
                    let held = leg.target.read(&self.ports, target).await?;
                    // A search may lag, or take for equal what is not.
                    let held = held.filter(|held| {
                        let says = held.body.get(&candidate.field);
                        says.and_then(Value::as_str) == Some(&candidate.value)
                    });
                    match held {
                        None => Match::Missing("the record found does not have its key".to_owned()),
                        Some(held) => match self.owner(leg, &held, id).await? {
                            None => Match::Matched(held),
                            Some(owner) => {
                                let why = format!("it is the target of {owner} already");
                                ambiguous(candidate.targets, why)
                            }
                        },
                    }
                }
                (why, _) => ambiguous(candidate.targets, why.unwrap_or_default()),
            },
        };
        Ok((id.id.clone(), matched))
    }

    /// The other source record whose target this is.
    async fn owner(&self, leg: &Leg<'_>, held: &Held, id: &RecordId) -> Result<Option<String>> {
        let (source, kind) = (leg.source.kind(), leg.target.kind());
        let named = leg.target.external_id(held);
        if let Some(named) = named.and_then(|named| source_of(&named, source, kind)) {
            return Ok((named != *id).then_some(named.id));
        }
        let claimed = links::claimed_by(&self.ports, source, &kind.id(&held.id)).await?;
        Ok(claimed.filter(|claimed| *claimed != id.id))
    }
}

/// What a natural key led to.
#[derive(Clone, Debug)]
struct Candidate {
    targets: Vec<String>,
    /// Why it can't be told which record it is.
    why: Option<String>,
    field: String,
    value: String,
}

impl Match {
    /// The target, where there is one and only one.
    pub(crate) fn target(&self) -> Option<&str> {
        match self {
            Self::Linked(target) => Some(target),
            Self::Matched(held) => Some(&held.id),
            Self::Ambiguous { .. } | Self::Missing(_) => None,
        }
    }
}

fn ambiguous(targets: Vec<String>, why: String) -> Match {
    Match::Ambiguous { targets, why }
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

/// `customer~2026-11-22T19:53:21Z~001…`, or `order~` for the start of a section.
fn place<'a>(
    sections: &[&'a str],
    after: &str,
) -> Option<(usize, &'a str, Option<sluice_core::Position>)> {
    let (name, rest) = after.split_once('~')?;
    let at = sections.iter().position(|section| *section == name)?;
    let position = match rest {
        "" => None,
        rest => Some(position_of(rest)?),
    };
    Some((at, sections[at], position))
}
