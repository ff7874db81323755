//! What a source record is in the target: by link, by external id, by natural key.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use mapping::Adopt;
use serde_json::Value;
use sluice_core::{Found, Held, Observed, Record, RecordId, Result, external_id, source_of};

use crate::compare::WIDTH;
use crate::engine::{Engine, Leg};
use crate::links::{self, Link};

/// What stands in the target for a source record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Match {
    Linked(String),
    Matched(Held),
    Ambiguous { targets: Vec<String>, why: String },
    Missing(String),
}

impl Engine {
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
