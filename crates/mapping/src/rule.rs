//! One line of a mapping: where a target field's value comes from.

use serde_json::Value;

use crate::condition::{Condition, all_hold};
use crate::convert::{Convert, Limit, text};
use crate::link::Linking;
use crate::path::{Path, shown};
use crate::scope::Scope;

/// A target field and how it gets its value.
#[derive(Clone, Debug)]
pub struct Field {
    /// The target's dotted path.
    pub target: String,
    pub when: Vec<Condition>,
    pub origin: Origin,
    pub absent: Absent,
}

/// Where the value comes from and what is done to it.
#[derive(Clone, Debug)]
pub enum Origin {
    Constant(Value),
    From {
        path: Path,
        convert: Convert,
    },
    Concat {
        paths: Vec<Path>,
        separator: String,
        limit: Option<Limit>,
    },
    Link {
        path: Path,
        name: String,
        /// Where the natural key stands.
        key: Option<Path>,
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
        if !all_hold(&self.when, scope)? {
            return Ok(None);
        }
        let value = match &self.origin {
            Origin::Constant(value) => Some(value.clone()),
            Origin::From { path, convert } => match path.find(scope) {
                Some(value) => Some(convert.apply(value).map_err(|e| at(scope, path, &e))?),
                None => self.absent(scope, path)?,
            },
            Origin::Concat {
                paths,
                separator,
                limit,
            } => self.concat(scope, paths, separator, *limit)?,
            Origin::Link { path, name, key } => match path.find(scope) {
                Some(value) => {
                    let id = text(value).map_err(|e| at(scope, path, &e))?;
                    Some(link(scope, (path, id), name, key.as_ref(), linking)?)
                }
                None => self.absent(scope, path)?,
            },
        };
        Ok(value)
    }

    /// Every source path it reads.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.when.iter().map(|condition| &condition.path).collect();
        match &self.origin {
            Origin::Constant(_) => {}
            Origin::From { path, .. } => paths.push(path),
            Origin::Concat { paths: parts, .. } => paths.extend(parts),
            Origin::Link { path, key, .. } => {
                paths.push(path);
                paths.extend(key);
            }
        }
        paths
    }

    fn absent(&self, scope: &Scope, path: &Path) -> Result<Option<Value>, String> {
        match &self.absent {
            Absent::Refuse => Err(at(scope, path, "is missing")),
            Absent::Omit => Ok(None),
            Absent::Default(value) => Ok(Some(value.clone())),
        }
    }

    fn concat(
        &self,
        scope: &Scope,
        paths: &[Path],
        separator: &str,
        limit: Option<Limit>,
    ) -> Result<Option<Value>, String> {
        let mut parts = Vec::with_capacity(paths.len());
        let mut wrong = Vec::new();
        for path in paths {
            match path.find(scope).map(text) {
                Some(Ok(part)) => parts.push(part),
                Some(Err(reason)) => wrong.push(at(scope, path, &reason)),
                None if matches!(self.absent, Absent::Omit) => {}
                None => wrong.push(at(scope, path, "is missing")),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong.join(", "));
        }
        if parts.is_empty() {
            return Ok(None);
        }
        let whole = parts.join(separator);
        let whole = match limit {
            Some(limit) => {
                let names: Vec<String> = paths.iter().map(|path| scope.source(path)).collect();
                let place = || names.join(" + ");
                limit.apply(whole).map_err(|e| format!("{} {e}", place()))?
            }
            None => whole,
        };
        Ok(Some(Value::String(whole)))
    }
}

fn link(
    scope: &Scope,
    (path, id): (&Path, String),
    name: &str,
    key: Option<&Path>,
    linking: &mut Linking,
) -> Result<Value, String> {
    match linking {
        Linking::Resolve(links) => match links.get(name, &id) {
            Some(target) => Ok(Value::String(target.to_owned())),
            None => {
                let reason = format!("is `{}`, which is linked to no `{name}`", shown(&id));
                Err(at(scope, path, &reason))
            }
        },
        Linking::Collect(references) => {
            let key = match key.and_then(|key| Some((key, key.find(scope)?))) {
                Some((key, value)) => Some(text(value).map_err(|e| at(scope, key, &e))?),
                None => None,
            };
            references.add(name, id, key);
            Ok(Value::Null)
        }
    }
}

fn at(scope: &Scope, path: &Path, reason: &str) -> String {
    format!("{} {reason}", scope.source(path))
}
