//! What became of a source record.

use std::collections::BTreeMap;

use mapping::{Change, Links, diff, fingerprint};
use serde_json::json;
use sluice_core::{Gone, Held, Observed, Record, RecordId, Result, external_id};

use super::{Days, Entry, State, says};
use crate::compare::changes_json;
use crate::edit;
use crate::engine::{Engine, Leg};
use crate::flow::Policy;
use crate::links::Link;
use crate::seen::Seen;
use crate::store::GivenUp;

/// What is known of a page's records before any target is looked at.
pub(super) struct View {
    links: Links,
    queued: BTreeMap<String, (State, Option<String>)>,
    given_up: BTreeMap<String, GivenUp>,
}

/// Whether the record is for this flow.
enum Scope<'a> {
    In(&'a Record),
    /// Not, or not any more, and what the flow does then.
    Out(Policy, String),
    /// It can't be told.
    Unknown(String),
}

/// A verdict: state, reason, what differs.
type Verdict = (State, Option<String>, Vec<Change>);

impl Engine {
    pub(super) async fn source_view(
        &self,
        leg: &Leg<'_>,
        records: &[(RecordId, Observed)],
    ) -> Result<View> {
        let present: Vec<&Record> = records
            .iter()
            .filter_map(|(_, observed)| match observed {
                Observed::Present(record) => Some(record),
                Observed::Gone(_) => None,
            })
            .filter(|record| leg.section.in_scope(&record.body).unwrap_or(false))
            .collect();
        let ids: Vec<&str> = records.iter().map(|(id, _)| id.id.as_str()).collect();
        let mut queued = BTreeMap::new();
        for (id, state, fault) in self.queue().states(&ids).await? {
            let state = match state.as_str() {
                "dead" => State::Dead,
                _ => State::Queued,
            };
            queued.insert(id, (state, fault["message"].as_str().map(str::to_owned)));
        }
        Ok(View {
            links: self.links_of(leg, &present).await?,
            queued,
            given_up: self.queue().given_up(&ids).await?,
        })
    }

    /// `None` for a record of another day.
    pub(super) async fn judge_source(
        &self,
        leg: &Leg<'_>,
        view: &View,
        id: &RecordId,
        observed: &Observed,
        days: Days,
    ) -> Result<Option<Entry>> {
        let audit = leg.section.audit();
        let figures = match observed {
            Observed::Present(record) => audit.source(&record.body),
            Observed::Gone(_) => Default::default(),
        };
        if !days.hold(figures.date) {
            return Ok(None);
        }
        let link = Link::load(&self.ports, id, leg.target.kind()).await?;
        let scope = match observed {
            Observed::Present(record) => match leg.section.in_scope(&record.body) {
                Ok(true) => Scope::In(record),
                Ok(false) => Scope::Out(leg.on_leave, "not in the scope of the flow".to_owned()),
                Err(fault) => Scope::Unknown(fault.to_string()),
            },
            Observed::Gone(gone) => Scope::Out(leg.on_delete, gone_words(gone)),
        };
        let held = match &link {
            Some(link) => leg.target.read(&self.ports, &link.target).await?,
            None if !matches!(scope, Scope::In(_)) => None,
            None => {
                let external_id = external_id(id, leg.target.kind());
                leg.target.find(&self.ports, &external_id).await?
            }
        };
        let (link, held) = (link.as_ref(), held.as_ref());
        let (mut state, mut why, changes) = match &scope {
            Scope::In(record) => compared(leg, &view.links, record, link, held),
            Scope::Out(policy, why) => left_behind(leg, *policy, why, link, held),
            Scope::Unknown(why) => (State::Unaccounted, Some(why.clone()), Vec::new()),
        };
        if let Some((queued, fault)) = view.queued.get(&id.id) {
            (state, why) = (*queued, fault.clone());
        } else if state == State::Unaccounted
            && let Some(given_up) = view.given_up.get(&id.id)
            && given_up.seen.state == Seen::of(observed, None).state
        {
            state = State::Skipped;
        }
        let target_figures = held.map(|held| audit.target(&held.body));
        let day = target_figures.as_ref().and_then(|said| said.date);
        if figures.date.is_none() && !days.hold(day) {
            return Ok(None);
        }
        Ok(Some(Entry {
            source: Some(id.id.clone()),
            target: link
                .map(|link| link.target.clone())
                .or(held.map(|held| held.id.clone())),
            state,
            why,
            changes: changes_json(&changes),
            source_says: says(&figures),
            target_says: target_figures.as_ref().map_or(json!({}), says),
        }))
    }
}

/// A record that is not, or no longer, for this flow.
fn left_behind(
    leg: &Leg<'_>,
    policy: Policy,
    why: &str,
    link: Option<&Link>,
    held: Option<&Held>,
) -> Verdict {
    let (state, more) = match (link, held) {
        (None, _) => (State::OutOfScope, ""),
        (Some(_), None) => (State::OutOfScope, "; its target was deleted"),
        (Some(_), Some(held)) if leg.target.is_closed(held) => {
            (State::OutOfScope, "; its target is closed")
        }
        (Some(link), Some(_)) if link.closed => (
            State::Unaccounted,
            "; its target was closed and is open again",
        ),
        (Some(_), Some(_)) if policy == Policy::Ignore => {
            (State::OutOfScope, "; its target stays, as the flow says")
        }
        (Some(_), Some(_)) => (State::Unaccounted, ", but its target stands"),
    };
    (state, Some(format!("{why}{more}")), Vec::new())
}

/// A record that should be in the target as the mapping says.
fn compared(
    leg: &Leg<'_>,
    links: &Links,
    record: &Record,
    link: Option<&Link>,
    held: Option<&Held>,
) -> Verdict {
    let lost = |why: &str| (State::Unaccounted, Some(why.to_owned()), Vec::new());
    let Some(held) = held else {
        return lost(match link {
            Some(_) => "its target was deleted",
            None => "it has no target, and is not queued",
        });
    };
    let wanted = match leg.section.apply(&record.body, links) {
        Ok(wanted) => wanted,
        Err(fault) => return lost(&fault.to_string()),
    };
    if link.is_some_and(|link| link.closed) {
        return lost("its target was closed when it left the scope; it is in scope again");
    }
    let state = edit::state(leg.section, record);
    if link.is_some_and(|link| link.edited.as_ref() == Some(&state)) {
        let why = "as a person edited it; the source has not changed since";
        return (State::Applied, Some(why.to_owned()), Vec::new());
    }
    let changes = diff(&wanted, &held.body);
    let applied = link.and_then(|link| link.applied.as_ref());
    let vouched = applied == Some(&fingerprint(&wanted));
    let locked = leg.target.locked(held).filter(|_| !leg.updates_locked);
    let (state, why) = match (changes.is_empty(), vouched) {
        (true, true) => (State::Unchanged, None),
        (true, false) if link.is_none() => (State::Applied, Some("no link says so".to_owned())),
        (true, false) => (State::Applied, None),
        (false, true) => (State::Unaccounted, Some("changed in the target".to_owned())),
        (false, false) => {
            let adopted = link.is_some_and(|link| link.adopted.as_ref() == Some(&state));
            match (link, locked) {
                (None, _) => (
                    State::Unaccounted,
                    Some("differs, and no link says why".into()),
                ),
                (Some(_), _) if adopted => {
                    let why = "differed when it was adopted, and was left as it was";
                    (State::Unaccounted, Some(why.to_owned()))
                }
                (Some(_), Some(reason)) if applied.is_none() => {
                    let why = format!("the target may not be changed any more: {reason}");
                    (State::Locked, Some(why))
                }
                (Some(_), _) => {
                    let why = "the source changed, and it is not queued";
                    (State::Unaccounted, Some(why.to_owned()))
                }
            }
        }
    };
    (state, why, changes)
}

pub(super) fn gone_words(gone: &Gone) -> String {
    match gone {
        Gone::Deleted => "deleted in the source".to_owned(),
        Gone::Merged(into) => format!("merged into {into} in the source"),
        Gone::Unknown => "not known to the source".to_owned(),
    }
}
