//! What people are shown of what is stuck: causes, one record whole, and everything that happened to it.
//!
//! Nothing here writes, and no part that can't be read keeps the others from being shown.

use std::collections::{BTreeMap, BTreeSet};

use mapping::diff;
use serde_json::{Value, json};
use sluice_core::{Observed, Result, external_id};

use crate::decide::{Decided, Refusal};
use crate::edit::{self, Edit};
use crate::engine::Engine;
use crate::links::Link;
use crate::store::Dead;

/// Dead letters read at once, and in all.
const PAGE_COUNT: u32 = 1_000;
const DEAD_PAGES_MAX: usize = 100;
const CAUSE_COUNT_MAX: usize = 200;
const SAMPLE_COUNT_MAX: usize = 5;
const LINE_COUNT_MAX: u32 = 100;

/// Why records died: the fault's code, what the vendor called it, and which fields are bad.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    code: String,
    vendor_code: Option<String>,
    fields: Vec<String>,
}

struct Group {
    count: u64,
    oldest: Dead,
    newest: (i64, Value),
    samples: Vec<String>,
}

impl Engine {
    /// Dead letters by cause, the most frequent first: how many, since when, a few of them, and what the
    /// oldest one says.
    pub async fn dead(&self) -> Result<Value> {
        let mut groups: BTreeMap<Cause, Group> = BTreeMap::new();
        let mut total = 0_u64;
        let mut after = String::new();
        let mut complete = false;
        for _ in 0..DEAD_PAGES_MAX {
            let page = self.queue().dead(&after, PAGE_COUNT).await?;
            complete = page.len() < PAGE_COUNT as usize;
            total += page.len() as u64;
            for dead in page {
                after.clone_from(&dead.id);
                let cause = Cause::of(&dead.fault);
                if let Some(group) = groups.get_mut(&cause) {
                    group.add(dead);
                } else if groups.len() < CAUSE_COUNT_MAX {
                    groups.insert(cause, Group::of(dead));
                }
            }
            if complete {
                break;
            }
        }
        let mut causes: Vec<_> = groups.into_iter().collect();
        causes.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
        let shown: u64 = causes.iter().map(|(_, group)| group.count).sum();
        let causes = causes.iter().map(|(cause, group)| group.describe(cause));
        Ok(json!({
            "dead": total,
            // More causes, or more dead letters, than are shown.
            "complete": complete && shown == total,
            "causes": causes.collect::<Vec<_>>(),
        }))
    }

    /// One record whole: its item with the fault, the source and the target as they are now, what the
    /// mapping makes of it, what differs, and what happened to it.
    pub async fn show(&self, id: &str) -> Result<Value> {
        let leg = self.leg()?;
        let (ports, kind) = (&self.ports, leg.target.kind());
        let item = self.queue().item(id).await?;
        let observed = leg.source.fetch(ports, id, &leg.section.selection()).await;
        // As the source writes it.
        let id = match &observed {
            Ok(Observed::Present(record)) => record.id.clone(),
            _ => self.record_id(id),
        };
        let link = Link::load(ports, &id, kind).await?;
        let mapping = match &observed {
            Ok(Observed::Present(record)) => self.mapped(record, &item).await,
            _ => Value::Null,
        };
        let held = match &link {
            Some(link) => leg.target.read(ports, &link.target).await,
            None => leg.target.find(ports, &external_id(&id, kind)).await,
        };
        let changes = match (&held, mapping.get("body")) {
            (Ok(Some(held)), Some(wanted)) => json!(
                diff(wanted, &held.body)
                    .into_iter()
                    .map(|change| json!({
                        "path": change.path, "held": change.held, "wanted": change.wanted,
                    }))
                    .collect::<Vec<_>>()
            ),
            _ => Value::Null,
        };
        let target = match held {
            Ok(Some(held)) => json!({
                "state": "present", "id": held.id, "locked": leg.target.locked(&held), "body": held.body,
            }),
            Ok(None) => json!({ "state": "absent" }),
            Err(fault) => json!({ "fault": fault }),
        };
        let source = match observed {
            Ok(Observed::Present(record)) => json!({
                "state": "present", "version": record.version, "body": record.body,
            }),
            Ok(Observed::Gone(gone)) => json!({ "state": format!("{gone:?}").to_lowercase() }),
            Err(fault) => json!({ "fault": fault }),
        };
        Ok(json!({
            "id": id.id,
            "queue": item,
            "source": source,
            "mapping": mapping,
            "link": link,
            "target": target,
            "changes": changes,
            "outcomes": self.runs().outcomes_of(&id.id, LINE_COUNT_MAX).await?,
            "trail": self.trail().lines(Some(&id.id), None, LINE_COUNT_MAX).await?,
        }))
    }

    /// What the mapping makes of the record, with a pending edit applied; links that are missing stand as
    /// placeholders, and are named.
    async fn mapped(&self, record: &sluice_core::Record, item: &Value) -> Value {
        let edit = item["edit"].as_object().cloned();
        let edited = match (edit, self.leg()) {
            (Some(patch), Ok(leg)) => {
                let of = edit::state(leg.section, record);
                Some(Edit { patch, of }.apply(record))
            }
            _ => None,
        };
        let record = edited.as_ref().unwrap_or(record);
        let mapped = async {
            let section = self.leg()?.section;
            let in_scope = section.in_scope(&record.body)?;
            let (links, missing) = self.links_as_they_are(&self.ports, record).await?;
            let body = section.apply(&record.body, &links)?;
            Ok::<_, sluice_core::Fault>(json!({
                "in_scope": in_scope, "body": body, "missing": missing, "edited": edited.is_some(),
            }))
        };
        mapped
            .await
            .unwrap_or_else(|fault| json!({ "fault": fault }))
    }

    /// Everything that happened to a record, found by its own id or by its target's. Asks neither system.
    pub async fn trace(&self, asked: &str) -> Result<Decided> {
        for (found_by, id) in [
            ("source", Some(asked.to_owned())),
            ("target", self.queue().of_target(asked).await?),
        ] {
            let Some(id) = id else { continue };
            let record = self.record_id(&id);
            let kind = self.flow.target.kind();
            let link = Link::load(&self.ports, &record, kind).await?;
            let item = self.queue().item(&id).await?;
            let outcomes = self.runs().outcomes_of(&id, LINE_COUNT_MAX).await?;
            let trail = self.trail().lines(Some(&id), None, LINE_COUNT_MAX).await?;
            if link.is_none() && item.is_null() && outcomes.is_empty() && trail.is_empty() {
                continue;
            }
            let written = |outcome: &&Value| {
                matches!(outcome["outcome"].as_str(), Some("created" | "updated"))
            };
            let writes: Vec<Value> = outcomes.iter().filter(written).cloned().collect();
            return Ok(Ok(json!({
                "asked": asked,
                "found_by": found_by,
                "id": id,
                "source": record.to_string(),
                "target": link.as_ref().map(|link| format!("{kind}:{}", link.target)),
                "link": link,
                "queue": item,
                "runs": self.runs().numbered(&runs(&outcomes)).await?,
                "writes": writes,
                "outcomes": outcomes,
                "trail": trail,
            })));
        }
        let why = format!("nothing is known of {asked}, as an id of the source or of the target");
        Ok(Err(Refusal::Unknown(why)))
    }

    /// The lines of the trail before this one, the newest first.
    pub async fn trail_before(&self, before: Option<i64>) -> Result<Value> {
        let lines = self.trail().lines(None, before, LINE_COUNT_MAX).await?;
        let next = match lines.len() == LINE_COUNT_MAX as usize {
            true => lines.last().map(|line| line["seq"].clone()),
            false => None,
        };
        Ok(json!({ "lines": lines, "next_before": next }))
    }
}

/// The numbers of the runs among the causes: `run 7`.
fn runs(outcomes: &[Value]) -> Vec<i64> {
    let number = |outcome: &Value| {
        let cause = outcome["cause"].as_str()?;
        cause.strip_prefix("run ")?.parse().ok()
    };
    let numbers: BTreeSet<i64> = outcomes.iter().filter_map(number).collect();
    numbers.into_iter().rev().collect()
}

impl Cause {
    fn of(fault: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let fields = fault["fields"].as_array().into_iter().flatten();
        let fields: BTreeSet<String> = fields
            .filter_map(|field| field["path"].as_str())
            .map(without_positions)
            .collect();
        Self {
            code: text(&fault["code"]).unwrap_or_default(),
            vendor_code: text(&fault["answer"]["code"]),
            fields: fields.into_iter().collect(),
        }
    }
}

impl Group {
    fn of(dead: Dead) -> Self {
        Self {
            count: 1,
            newest: (dead.at_ms, dead.at.clone()),
            samples: vec![dead.id.clone()],
            oldest: dead,
        }
    }

    fn add(&mut self, dead: Dead) {
        self.count += 1;
        if self.samples.len() < SAMPLE_COUNT_MAX {
            self.samples.push(dead.id.clone());
        }
        if dead.at_ms > self.newest.0 {
            self.newest = (dead.at_ms, dead.at.clone());
        }
        if dead.at_ms < self.oldest.at_ms {
            self.oldest = dead;
        }
    }

    fn describe(&self, cause: &Cause) -> Value {
        json!({
            "code": cause.code,
            "vendor_code": cause.vendor_code,
            "fields": cause.fields,
            "count": self.count,
            "oldest": self.oldest.at,
            "newest": self.newest.1,
            "ids": self.samples,
            "message": self.oldest.fault["message"],
        })
    }
}

/// `item.items[12].rate` is `item.items[].rate`: the same mistake in another line is the same cause.
fn without_positions(path: &str) -> String {
    let mut parts = path.split('[');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((position, rest)) if position.bytes().all(|digit| digit.is_ascii_digit()) => {
                out += "[]";
                out += rest;
            }
            _ => {
                out.push('[');
                out += part;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mistake_in_another_line_is_the_same_cause() {
        for (path, want) in [
            ("memo", "memo"),
            ("item.items[12].rate", "item.items[].rate"),
            ("a[0][1]", "a[][]"),
            ("A[x]-1", "A[x]-1"),
            ("[", "["),
        ] {
            assert_eq!(without_positions(path), want);
        }
    }
}
