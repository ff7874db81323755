//! A dry run: what the next run would write, as a diff against what the target holds. Nothing is written.

use mapping::{Links, diff};
use serde_json::{Value, json};
use sluice_core::{Fault, Found, Hint, Observed, Ports, Record, Result, external_id};

use crate::engine::Engine;
use crate::extract::Budget;
use crate::flow::Resolver;
use crate::links::Link;

const PAGE_COUNT_MAX: usize = 1_000;
const PAGE_RECORD_COUNT: usize = 100;

impl Engine {
    /// One entry a record that is due or changed: `create`, `update` with its `changes`, `unchanged`,
    /// `skip` or `fail` with the reason. Reads both systems; takes no lease and moves no cursor.
    pub async fn preview(&self, mut budget: Budget) -> Result<Value> {
        let mut records = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for id in self.queue().due().await? {
            if budget.spent(&self.ports) {
                break;
            }
            budget.records -= 1;
            seen.insert(id.clone());
            records.push(self.preview_one(&id, None).await);
        }
        let until = self.flow.source.now(&self.ports).await?;
        let streams = self.flow.source.streams(&self.ports)?;
        let cursor = self.cursor(until).await?;
        let selection = self.leg()?.section.selection();
        for stream in streams {
            let mut window = cursor.window(
                stream,
                until,
                self.flow.source.overlap(&cursor.last(stream)),
            );
            for _ in 0..PAGE_COUNT_MAX {
                if budget.spent(&self.ports) {
                    break;
                }
                let count = PAGE_RECORD_COUNT.min(budget.records);
                let source = &self.flow.source;
                let page = source
                    .changed(&self.ports, stream, &window, count, &selection)
                    .await?;
                for change in page.changes {
                    let Hint { id, .. } = Hint {
                        id: change.id,
                        version: change.version,
                    };
                    if !seen.insert(id.id.clone()) {
                        continue;
                    }
                    budget.records = budget.records.saturating_sub(1);
                    records.push(self.preview_one(&id.id, change.record).await);
                }
                match page.next {
                    Some(next) => window.after = next,
                    None => break,
                }
            }
        }
        let complete = !budget.spent(&self.ports);
        Ok(json!({ "dry_run": true, "complete": complete, "records": records }))
    }

    async fn preview_one(&self, id: &str, record: Option<Record>) -> Value {
        match self.previewed(id, record).await {
            Ok(entry) => entry,
            Err(fault) => json!({ "id": id, "would": "fail", "fault": fault }),
        }
    }

    async fn previewed(&self, id: &str, record: Option<Record>) -> Result<Value> {
        let ports = &self.ports;
        let leg = self.leg()?;
        let id = self.record_id(id);
        let skip = |why: &str| json!({ "id": id.id, "would": "skip", "why": why });
        let record = match record {
            Some(record) => record,
            None => match leg
                .source
                .fetch(ports, &id.id, &leg.section.selection())
                .await?
            {
                Observed::Present(record) => record,
                Observed::Gone(_) => return Ok(skip("deleted, merged or unknown in the source")),
            },
        };
        let link = Link::load(ports, &id, leg.target.kind()).await?;
        if !leg.section.in_scope(&record.body)? {
            let why = match link {
                Some(_) => "it left the scope; the flow's policy applies",
                None => "not in the scope of the flow",
            };
            return Ok(skip(why));
        }
        let (links, missing) = self.links_as_they_are(ports, &record).await?;
        let wanted = leg.section.apply(&record.body, &links)?;
        let held = match &link {
            Some(link) => leg.target.read(ports, &link.target).await?,
            None => {
                leg.target
                    .find(ports, &external_id(&id, leg.target.kind()))
                    .await?
            }
        };
        Ok(match held {
            None if link.is_some() => {
                json!({ "id": id.id, "would": "fail", "why": "its target was deleted" })
            }
            None => json!({ "id": id.id, "would": "create", "body": wanted, "first": missing }),
            Some(held) => match leg.target.locked(&held).filter(|_| !leg.updates_locked) {
                Some(reason) => skip(&reason),
                None => {
                    let changes: Vec<Value> = diff(&wanted, &held.body)
                        .into_iter()
                        .map(|change| json!({ "path": change.path, "held": change.held, "wanted": change.wanted }))
                        .collect();
                    let would = if changes.is_empty() {
                        "unchanged"
                    } else {
                        "update"
                    };
                    json!({ "id": id.id, "would": would, "target": held.id, "changes": changes, "first": missing })
                }
            },
        })
    }

    /// Links that exist or could be found; for the others a placeholder, and what would come first.
    pub(crate) async fn links_as_they_are(
        &self,
        ports: &Ports,
        record: &Record,
    ) -> Result<(Links, Vec<String>), Fault> {
        let mut links = Links::new();
        let mut missing = Vec::new();
        for reference in self.leg()?.section.references(&record.body)? {
            let resolver = self.resolver(&reference.link)?;
            let (source, target) = resolver.kinds();
            let id = source.id(&reference.id);
            let known = match Link::load(ports, &id, target).await? {
                Some(link) => Some(link.target),
                None => match resolver {
                    Resolver::Parent { target, .. } | Resolver::Part { target, .. } => {
                        let held = target.find(ports, &external_id(&id, target.kind())).await?;
                        held.map(|held| held.id)
                    }
                    Resolver::NaturalKey { directory, .. } => {
                        let keys: Vec<String> = reference.key.iter().cloned().collect();
                        match directory.find_all(ports, &keys).await?.into_values().next() {
                            Some(Found::One(id)) => Some(id),
                            Some(Found::Several(_)) | None => None,
                        }
                    }
                },
            };
            let target = known.unwrap_or_else(|| {
                let name = reference.key.as_deref().unwrap_or(&reference.id);
                missing.push(format!("{target} for {name}"));
                format!("(new {} for {name})", target.name)
            });
            links.insert(&reference.link, &reference.id, target);
        }
        Ok((links, missing))
    }
}
