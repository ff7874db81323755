//! Target records that no record of the source accounts for.

use sluice_core::{Gone, Held, Observed, Result, source_of};

use super::source::gone_words;
use super::{Days, Entry, State, says};
use crate::engine::{Engine, Leg};
use crate::links::{self, Link};

impl Engine {
    pub(super) async fn judge_targets(
        &self,
        leg: &Leg<'_>,
        records: Vec<Held>,
        days: Days,
    ) -> Result<Vec<Entry>> {
        let (source, kind) = (leg.source.kind(), leg.target.kind());
        let audit = leg.section.audit();
        let mut known = Vec::new();
        for held in records {
            if !days.hold(audit.target(&held.body).date) {
                continue;
            }
            let external_id = leg.target.external_id(&held);
            let ours = external_id.and_then(|id| source_of(&id, source, kind));
            let ours = match ours {
                Some(ours) => Some(ours.id),
                None => links::claimed_by(&self.ports, source, &kind.id(&held.id)).await?,
            };
            known.push((held, ours));
        }
        let ids: Vec<String> = known.iter().filter_map(|(_, id)| id.clone()).collect();
        let selection = leg.section.selection();
        let seen = match ids.is_empty() {
            true => Default::default(),
            false => leg.source.fetch_all(&self.ports, &ids, &selection).await?,
        };
        let mut entries = Vec::new();
        for (held, ours) in known {
            let verdict = match &ours {
                None => strange(leg, &held)?,
                Some(id) => {
                    let link = Link::load(&self.ports, &source.id(id), kind).await?;
                    let observed = seen.get(id).unwrap_or(&Observed::Gone(Gone::Unknown));
                    accounted(leg, &held, id, link.as_ref(), observed, days)
                }
            };
            let Some((state, why)) = verdict else {
                continue;
            };
            let observed = ours.as_ref().and_then(|id| seen.get(id));
            let source_says = match observed {
                Some(Observed::Present(record)) => says(&audit.source(&record.body)),
                _ => serde_json::json!({}),
            };
            entries.push(Entry {
                source: ours,
                state,
                why,
                changes: Vec::new(),
                source_says,
                target_says: says(&audit.target(&held.body)),
                target: Some(held.id),
            });
        }
        Ok(entries)
    }
}

/// `None` where the walk over the source tells of the record.
type Verdict = Option<(State, Option<String>)>;

/// A record that does not say it is ours. Only the mapping can tell that it should be.
fn strange(leg: &Leg<'_>, held: &Held) -> Result<Verdict> {
    let unaccounted = |why: String| Some((State::Unaccounted, Some(why)));
    Ok(match leg.section.audit().owns(&held.body) {
        Ok(None) => Some((State::Foreign, None)),
        Ok(Some(false)) => None,
        Ok(Some(true)) => unaccounted("it is this flow's, but no source record became it".into()),
        Err(fault) => unaccounted(fault.to_string()),
    })
}

/// A record that came from a source record, or says so.
fn accounted(
    leg: &Leg<'_>,
    held: &Held,
    id: &str,
    link: Option<&Link>,
    observed: &Observed,
    days: Days,
) -> Verdict {
    if let Some(link) = link
        && link.target != held.id
    {
        let why = format!("a second record of {id}; the first is {}", link.target);
        return Some((State::Unaccounted, Some(why)));
    }
    let left = match observed {
        Observed::Present(record) => match leg.section.in_scope(&record.body) {
            Ok(true) => {
                let day = leg.section.audit().source(&record.body).date;
                return match (days.hold(day), day) {
                    (false, Some(day)) => {
                        let why = format!("it bears another day than its source, {day}");
                        Some((State::Unaccounted, Some(why)))
                    }
                    _ => None,
                };
            }
            Ok(false) => "not in the scope of the flow".to_owned(),
            Err(fault) => fault.to_string(),
        },
        // A purged record is on no list of the source any more.
        Observed::Gone(Gone::Unknown) => gone_words(&Gone::Unknown),
        Observed::Gone(gone) => gone_words(gone),
    };
    let listed = *observed != Observed::Gone(Gone::Unknown);
    if listed && link.is_some() {
        return None;
    }
    if leg.target.is_closed(held) {
        let why = format!("its source {id} is {left}; it is closed");
        return Some((State::OutOfScope, Some(why)));
    }
    let why = format!("its source {id} is {left}, but it stands");
    Some((State::Unaccounted, Some(why)))
}
