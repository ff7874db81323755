//! One line of a mapping: where a target field's value comes from.

use std::sync::Arc;

use serde_json::Value;

use crate::condition::{Condition, all_hold};
use crate::convert::{Convert, Table, text};
use crate::link::{Linking, Links};
use crate::path::{Path, shown};
use crate::scope::Scope;
use crate::source::{Gap, Source};

/// A target field and how it gets its value.
#[derive(Clone, Debug)]
pub struct Field {
    /// The target's dotted path.
    pub target: String,
    /// The first whose conditions hold is taken.
    pub rules: Vec<Rule>,
    /// Whether the target's key may be absent because no rule's conditions hold.
    pub optional: bool,
}

/// One way to a value.
#[derive(Clone, Debug)]
pub struct Rule {
    pub when: Vec<Condition>,
    pub origin: Origin,
    pub absent: Absent,
}

/// Where the value comes from and what is done to it.
#[derive(Clone, Debug)]
pub enum Origin {
    Constant(Value),
    From {
        source: Source,
        convert: Convert,
    },
    Link {
        source: Source,
        name: String,
        /// Where the natural key stands.
        key: Option<Path>,
        /// Other names of some ids and keys.
        alias: Option<Arc<Table>>,
    },
}

/// What to do where the source has no value.
#[derive(Clone, Debug)]
pub enum Absent {
    Refuse,
    /// The target's key is absent, too.
    Omit,
    /// Already converted.
    Default(Value),
}

impl Field {
    /// The value, or `None` where the target's key is to be absent. `Err` names the source path and says
    /// what is wrong with it.
    pub fn value(&self, scope: &Scope, linking: &mut Linking) -> Result<Option<Value>, String> {
        for rule in &self.rules {
            if all_hold(&rule.when, scope)? {
                return rule.value(scope, linking);
            }
        }
        if self.optional {
            return Ok(None);
        }
        let count = self.rules.len();
        Err(format!(
            "the conditions of none of its {count} alternatives hold"
        ))
    }

    /// Every source path it reads.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.rules.iter().flat_map(Rule::paths)
    }

    /// The links it uses.
    pub fn links(&self) -> impl Iterator<Item = &String> {
        self.rules.iter().filter_map(|rule| match &rule.origin {
            Origin::Link { name, .. } => Some(name),
            _ => None,
        })
    }
}

impl Rule {
    fn value(&self, scope: &Scope, linking: &mut Linking) -> Result<Option<Value>, String> {
        match &self.origin {
            Origin::Constant(value) => Ok(Some(value.clone())),
            Origin::From { source, convert } => {
                let gap = match (&self.absent, convert) {
                    (Absent::Refuse, _) => Gap::Refuse,
                    (_, Convert::Text(_)) => Gap::Skip,
                    // Part of a table's key is another key.
                    _ => Gap::Absent,
                };
                let Some(value) = source.find(scope, gap)? else {
                    return self.absent(scope, source);
                };
                let converted = convert.apply(&value);
                converted.map(Some).map_err(|e| at(scope, source, &e))
            }
            Origin::Link {
                source,
                name,
                key,
                alias,
            } => {
                let gap = match &self.absent {
                    Absent::Refuse => Gap::Refuse,
                    _ => Gap::Absent,
                };
                let Some(value) = source.find(scope, gap)? else {
                    return self.absent(scope, source);
                };
                let id = text(&value).map_err(|e| at(scope, source, &e))?;
                let alias = alias.as_deref();
                let id = named(alias, id);
                match linking {
                    Linking::Resolve(links) => linked(scope, (source, id), name, links).map(Some),
                    Linking::Collect(references) => {
                        let key = match key {
                            Some(key) => natural_key(scope, key)?,
                            None => None,
                        };
                        references.add(name, id, key.map(|key| named(alias, key)));
                        Ok(Some(Value::Null))
                    }
                }
            }
        }
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let (source, key) = match &self.origin {
            Origin::Constant(_) => (None, None),
            Origin::From { source, .. } => (Some(source), None),
            Origin::Link { source, key, .. } => (Some(source), key.as_ref()),
        };
        let asked = self.when.iter().flat_map(Condition::paths);
        asked
            .chain(source.into_iter().flat_map(Source::paths))
            .chain(key)
    }

    fn absent(&self, scope: &Scope, source: &Source) -> Result<Option<Value>, String> {
        match &self.absent {
            Absent::Refuse => Err(at(scope, source, "is missing")),
            Absent::Omit => Ok(None),
            Absent::Default(value) => Ok(Some(value.clone())),
        }
    }
}

fn linked(
    scope: &Scope,
    (source, id): (&Source, String),
    name: &str,
    links: &Links,
) -> Result<Value, String> {
    match links.get(name, &id) {
        Some(target) => Ok(Value::String(target.to_owned())),
        None => {
            let reason = format!("is `{}`, which is linked to no `{name}`", shown(&id));
            Err(at(scope, source, &reason))
        }
    }
}

/// What the table has beside the text, where it has anything.
fn named(alias: Option<&Table>, text: String) -> String {
    let other = alias.and_then(|table| table.entries.get(&text)?.as_str());
    other.map_or(text.clone(), str::to_owned)
}

fn natural_key(scope: &Scope, key: &Path) -> Result<Option<String>, String> {
    let Some(value) = key.find(scope)? else {
        return Ok(None);
    };
    let text = text(value).map_err(|e| format!("{} {e}", scope.source(key)))?;
    Ok(Some(text))
}

#[cold]
fn at(scope: &Scope, source: &Source, reason: &str) -> String {
    format!("{} {reason}", source.place(scope))
}
