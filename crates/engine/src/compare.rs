//! What audit and adopt share: a page of the source as it is, and what its records should be in the target.
//! Nothing is written.

use std::collections::BTreeMap;

use mapping::{Change, Links, Reference};
use serde_json::{Value, json};
use sluice_core::{
    Directory, Found, Moment, Observed, Ports, Position, Record, RecordId, Result, Window,
    external_id,
};

use crate::decide::Refusal;
use crate::engine::{Engine, Leg};
use crate::flow::Resolver;
use crate::links::Link;

/// Records of a page: each may take a few requests, and a request has 30 seconds for all of them.
pub(crate) const PAGE_RECORD_COUNT: usize = 20;
/// Records looked at in the target at the same time.
pub(crate) const WIDTH: usize = 4;

/// Records of the source as they are, and where the next page starts. Within a stream they come in the order
/// of their last change, where the source gives one.
pub(crate) struct SourcePage {
    pub records: Vec<(RecordId, Observed)>,
    pub next: Option<Place>,
}

/// A place between pages of a walk over the source: a stream, and where in it; `None` at its beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    stream: String,
    position: Option<Position>,
}

impl Place {
    /// As callers carry it: `Opportunity~2026-11-22T19:53:21Z~006…`.
    pub(crate) fn text(&self) -> String {
        match &self.position {
            Some(at) => format!("{}~{}~{}", self.stream, at.watermark, at.id),
            None => format!("{}~", self.stream),
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        let (stream, rest) = text.split_once('~')?;
        let position = match rest.split_once('~') {
            None if rest.is_empty() => None,
            None => return None,
            Some((watermark, id)) => Some(Position {
                watermark: Moment::instant(watermark)?,
                id: id.to_owned(),
            }),
        };
        Some(Self {
            stream: stream.to_owned(),
            position,
        })
    }
}

/// The start of everything. The calendar's own would be no date to most systems.
fn beginning() -> Position {
    Position {
        watermark: jiff::Timestamp::UNIX_EPOCH,
        id: String::new(),
    }
}

impl Engine {
    /// One page of all records, deleted ones included. A record that changes meanwhile is met again, later.
    ///
    /// Refused: a place that is none of this source's.
    pub(crate) async fn source_page(
        &self,
        leg: &Leg<'_>,
        after: Option<Place>,
    ) -> Result<Result<SourcePage, Refusal>> {
        let ports = &self.ports;
        let streams = leg.source.own_streams(ports)?;
        let (name, position) = match after {
            Some(place) => (Some(place.stream), place.position),
            None => (None, None),
        };
        let at = match &name {
            Some(name) => streams.iter().position(|stream| stream == name),
            None => Some(0),
        };
        let Some((at, own)) = at.and_then(|at| Some((at, *streams.get(at)?))) else {
            let why = "`after` is no place that this walk gave".to_owned();
            return Ok(Err(Refusal::Invalid(why)));
        };
        let window = Window {
            after: position.unwrap_or_else(beginning),
            until: leg.source.now(ports).await?,
        };
        let selection = leg.section.selection();
        let page = leg
            .source
            .changed(ports, own, &window, PAGE_RECORD_COUNT, &selection)
            .await?;
        let next = match (page.next, streams.get(at + 1)) {
            (None, None) => None,
            (None, Some(stream)) => Some(((*stream).to_owned(), None)),
            (next, _) => Some((own.to_owned(), next)),
        };
        let bare = page.changes.iter().filter(|change| change.record.is_none());
        let bare: Vec<String> = bare.map(|change| change.id.id.clone()).collect();
        let mut fetched = match bare.is_empty() {
            true => BTreeMap::new(),
            false => leg.source.fetch_all(ports, &bare, &selection).await?,
        };
        let records = page.changes.into_iter().map(|change| {
            let observed = match change.record {
                Some(record) => Observed::Present(record),
                None => fetched
                    .remove(&change.id.id)
                    .unwrap_or(Observed::Gone(sluice_core::Gone::Unknown)),
            };
            (change.id, observed)
        });
        Ok(Ok(SourcePage {
            records: records.collect(),
            next: next.map(|(stream, position)| Place { stream, position }),
        }))
    }

    /// Links of all these records that exist or could be found; for the others a placeholder.
    pub(crate) async fn links_of(&self, leg: &Leg<'_>, records: &[&Record]) -> Result<Links> {
        let mut by_link: BTreeMap<String, BTreeMap<String, Reference>> = BTreeMap::new();
        for record in records {
            // A record that can't be mapped is told of when it is.
            for reference in leg.section.references(&record.body).unwrap_or_default() {
                let of_link = by_link.entry(reference.link.clone()).or_default();
                of_link.insert(reference.id.clone(), reference);
            }
        }
        let mut links = Links::new();
        for (name, references) in by_link {
            let resolver = self.resolver(&name)?;
            let (source, target) = resolver.kinds();
            let mut unknown = Vec::new();
            for (id, reference) in references {
                match Link::load(&self.ports, &source.id(&id), target).await? {
                    Some(link) => links.insert(&name, &id, link.target),
                    None => unknown.push(reference),
                }
            }
            let found = match resolver {
                _ if unknown.is_empty() => BTreeMap::new(),
                Resolver::NaturalKey { directory, .. } => {
                    named(&self.ports, directory.as_ref(), &unknown).await?
                }
                Resolver::Parent { .. } | Resolver::Part { .. } => {
                    self.parents(&name, &unknown).await?
                }
            };
            for reference in unknown {
                let held = found.get(&reference.id).cloned().unwrap_or_else(|| {
                    let name = reference.key.as_deref().unwrap_or(&reference.id);
                    format!("(no {} for {name})", target.name)
                });
                links.insert(&name, &reference.id, held);
            }
        }
        Ok(links)
    }

    /// Parents without a link, under their external ids or as they would be adopted.
    async fn parents(&self, link: &str, unknown: &[Reference]) -> Result<BTreeMap<String, String>> {
        let leg = self.parent_leg(link)?;
        let (source, _) = self.resolver(link)?.kinds();
        let ids: Vec<String> = unknown.iter().map(|parent| parent.id.clone()).collect();
        let mut found = BTreeMap::new();
        // A part of a record can't be asked for by itself, nor adopted.
        let is_part = matches!(self.resolver(link)?, Resolver::Part { .. });
        if let Some(adopt) = self.mapping.adopt(link).ok().filter(|_| !is_part) {
            let selection = leg.section.selection();
            let observed = leg.source.fetch_all(&self.ports, &ids, &selection).await?;
            let records = observed
                .into_values()
                .filter_map(|observed| match observed {
                    Observed::Present(record) => Some(record),
                    Observed::Gone(_) => None,
                });
            let records: Vec<Record> = records.collect();
            for (id, matched) in self.matches(&leg, adopt, &records).await? {
                found.extend(matched.target().map(|held| (id, held.to_owned())));
            }
            return Ok(found);
        }
        for id in ids {
            let external = external_id(&source.id(&id), leg.target.kind());
            let held = leg.target.find(&self.ports, &external).await?;
            found.extend(held.map(|held| (id, held.id)));
        }
        Ok(found)
    }
}

/// Natural keys to target ids, all in one look-up; what is ambiguous is not found.
async fn named(
    ports: &Ports,
    directory: &dyn Directory,
    unknown: &[Reference],
) -> Result<BTreeMap<String, String>> {
    let keys: Vec<String> = unknown.iter().filter_map(|one| one.key.clone()).collect();
    let answers = directory.find_all(ports, &keys).await?;
    let found =
        unknown
            .iter()
            .filter_map(|reference| match answers.get(reference.key.as_ref()?)? {
                Found::One(id) => Some((reference.id.clone(), id.clone())),
                Found::Several(_) => None,
            });
    Ok(found.collect())
}

/// For a person or a machine to read.
pub(crate) fn changes_json(changes: &[Change]) -> Vec<Value> {
    let shown = changes
        .iter()
        .map(|change| json!({ "path": change.path, "held": change.held, "wanted": change.wanted }));
    shown.collect()
}
