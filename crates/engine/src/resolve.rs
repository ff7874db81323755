//! Finds what a target record refers to: by link, else by natural key, else by reconciling the parent first.

use std::collections::BTreeMap;

use mapping::{Links, Reference, Section};
use sluice_core::{
    BadField, Directory, Fault, Found, Kind, Observed, Ports, Record, RecordId, Result, code,
};

use crate::engine::Engine;
use crate::flow::{Resolver, misfit};
use crate::guard::leased;
use crate::links::{self, Link};
use crate::reconcile::Known;
use crate::store::Lease;

/// Parents above one another.
const PARENT_DEPTH_MAX: usize = 10;
const LEASE: std::time::Duration = std::time::Duration::from_secs(120);

impl Engine {
    /// Every reference of the record, found. What is missing of one kind is named in one fault.
    ///
    /// Faults: `REFERENCE_MISSING`, `PARENT_BUSY` (wait for it), `REFERENCE_AMBIGUOUS`, `PARENT_CIRCLE`,
    /// `PARENT_DEPTH` (dead letter), and the parent's own.
    pub(crate) async fn resolve(
        &self,
        ports: &Ports,
        section: &Section,
        record: &Record,
        chain: &[RecordId],
    ) -> Result<Links> {
        let mut by_link: BTreeMap<String, Vec<Reference>> = BTreeMap::new();
        for reference in section.references(&record.body)? {
            by_link
                .entry(reference.link.clone())
                .or_default()
                .push(reference);
        }
        let mut found = Links::new();
        for (link, references) in by_link {
            let resolver = self.resolver(&link)?;
            let mut unknown = Vec::new();
            for reference in references {
                let (source, target) = resolver.kinds();
                match Link::load(ports, &source.id(&reference.id), target).await? {
                    Some(known) => found.insert(&link, &reference.id, known.target),
                    None => unknown.push(reference),
                }
            }
            match resolver {
                Resolver::NaturalKey { source, directory } if !unknown.is_empty() => {
                    for (id, target) in self
                        .look_up(ports, *source, directory.as_ref(), &unknown)
                        .await?
                    {
                        found.insert(&link, &id, target);
                    }
                }
                Resolver::NaturalKey { .. } => {}
                Resolver::Parent { .. } | Resolver::Part { .. } => {
                    for reference in unknown {
                        let target = self
                            .parent(ports, &link, record, &reference.id, chain)
                            .await?;
                        found.insert(&link, &reference.id, target);
                    }
                }
            }
        }
        Ok(found)
    }

    pub(crate) fn resolver(&self, link: &str) -> Result<&Resolver> {
        let known = self.flow.resolvers.iter().find(|(name, _)| *name == link);
        known
            .map(|(_, resolver)| resolver)
            .ok_or_else(|| misfit(format!("this flow does not resolve the link {link}")))
    }

    /// Natural keys to target ids, all in one look-up; writes the links of those found.
    async fn look_up(
        &self,
        ports: &Ports,
        source: Kind,
        directory: &dyn Directory,
        references: &[Reference],
    ) -> Result<Vec<(String, String)>> {
        let mut keys = Vec::new();
        let mut bad = Vec::new();
        for reference in references {
            match &reference.key {
                Some(key) => keys.push(key.clone()),
                None => bad.push(BadField::new(&reference.id, "has no key to look it up by")),
            }
        }
        if !bad.is_empty() {
            let message = format!("records of {source} can't be looked up");
            return Err(Fault::dead_letter(code::REFERENCE_MISSING, message).with_fields(bad));
        }
        let target = directory.kind();
        let answers = directory.find_all(ports, &keys).await?;
        let (mut found, mut missing, mut ambiguous) = (Vec::new(), Vec::new(), Vec::new());
        for (reference, key) in references.iter().zip(&keys) {
            match answers.get(key) {
                Some(Found::One(id)) => found.push((reference.id.clone(), id.clone())),
                Some(Found::Several(ids)) => {
                    ambiguous.push(BadField::new(
                        key,
                        format!("is the key of {}", ids.join(", ")),
                    ));
                }
                None => missing.push(key.clone()),
            }
        }
        // What was found stays found, whatever else is missing.
        for (id, held) in &found {
            Link::to(held).store(ports, &source.id(id), target).await?;
        }
        if !ambiguous.is_empty() {
            let message = format!("several records of {target} answer to one key");
            return Err(
                Fault::dead_letter(code::REFERENCE_AMBIGUOUS, message).with_fields(ambiguous)
            );
        }
        if !missing.is_empty() {
            let named = missing
                .iter()
                .map(|key| BadField::new(key, format!("is no {target} yet")));
            let message = format!(
                "{} of {} keys are unknown to {target}",
                missing.len(),
                keys.len()
            );
            let fields = named.collect();
            return Err(
                Fault::wait_for(missing, code::REFERENCE_MISSING, message).with_fields(fields)
            );
        }
        Ok(found)
    }

    /// Brings the parent in line first, under its own lease; returns its target's id.
    async fn parent(
        &self,
        ports: &Ports,
        link: &str,
        child: &Record,
        id: &str,
        chain: &[RecordId],
    ) -> Result<String> {
        let resolver = self.resolver(link)?;
        let (source, target) = resolver.kinds();
        let id = source.id(id);
        let mut chain = chain.to_vec();
        chain.push(child.id.clone());
        if chain.contains(&id) {
            let path: Vec<_> = chain.iter().map(RecordId::to_string).collect();
            let message = format!("{} leads back to {id}", path.join(" -> "));
            return Err(Fault::dead_letter(code::PARENT_CIRCLE, message));
        }
        if chain.len() > PARENT_DEPTH_MAX {
            let message =
                format!("more than {PARENT_DEPTH_MAX} parents above one another, up to {id}");
            return Err(Fault::dead_letter(code::PARENT_DEPTH, message));
        }
        let key = links::key(&id, target);
        let Some(lease) = Lease::take(ports, key.clone(), LEASE).await? else {
            let message = format!("{id} is being brought in line by another worker");
            return Err(Fault::wait_for(vec![key], code::PARENT_BUSY, message));
        };
        let result = self
            .parent_leased(&leased(ports, lease.until), link, &id, child, &chain)
            .await;
        lease.release(ports).await?;
        result
    }

    async fn parent_leased(
        &self,
        ports: &Ports,
        link: &str,
        id: &RecordId,
        child: &Record,
        chain: &[RecordId],
    ) -> Result<String> {
        let leg = self.parent_leg(link)?;
        let target = leg.target;
        // Another worker may have finished it between our look and our lease.
        if let Some(known) = Link::load(ports, id, target.kind()).await? {
            return Ok(known.target);
        }
        let known = Known {
            repeated: true,
            ..Known::default()
        };
        let observed = match self.resolver(link)? {
            Resolver::Part { .. } => Ok(Observed::Present(Record {
                id: id.clone(),
                ..child.clone()
            })),
            _ => self.observe(ports, &leg, id, &known).await,
        };
        let reconciled = match &observed {
            Ok(observed) => Box::pin(self.reconcile(ports, &leg, id, observed, known, chain)).await,
            Err(fault) => Err(fault.clone()),
        };
        let done = reconciled.map_err(|mut fault| {
            fault.message = format!("for the {link} {id}: {}", fault.message);
            fault
        })?;
        done.target.ok_or_else(|| {
            let why = done.why.unwrap_or_default();
            let key = links::key(id, target.kind());
            Fault::wait_for(
                vec![key],
                code::REFERENCE_MISSING,
                format!("{id} has no {link}: {why}"),
            )
        })
    }
}
