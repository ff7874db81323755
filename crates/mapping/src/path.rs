//! Dotted paths, split once.

use serde_json::Value;
use sluice_core::Selection;

use crate::convert::kind;
use crate::scope::Scope;

/// How deep a path may go.
pub const NAME_COUNT_MAX: usize = 16;

/// A dotted path into a source body: `Account.Name`, `^.Name` for the record around a list, or
/// `breakdowns[type=TAX].subtotal` through the one object of a list whose `type` is the text `TAX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Into the record around the list, not the element.
    pub outer: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    /// The one object whose field `key` is this text.
    Pick {
        key: String,
        text: String,
    },
}

impl Path {
    /// Reads a path; `Err` says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (outer, mut rest) = match text.strip_prefix("^.") {
            Some(inner) => (true, inner),
            None => (false, text),
        };
        let mut steps = Vec::new();
        for _ in 0..NAME_COUNT_MAX {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(Step::Name(name(&rest[..end], text)?));
            rest = &rest[end..];
            if let Some(inside) = rest.strip_prefix('[') {
                let (inside, after) = inside.split_once(']').ok_or_else(|| {
                    let text = shown(text);
                    format!("in the path `{text}`, `[` is not closed by `]`")
                })?;
                steps.push(pick(inside, text)?);
                rest = after;
            }
            rest = match rest.strip_prefix('.') {
                Some(more) => more,
                None if rest.is_empty() => return Ok(Self { outer, steps }),
                None => {
                    let text = shown(text);
                    return Err(format!("in the path `{text}`, a dot must follow `]`"));
                }
            };
        }
        Err(format!("the path is deeper than {NAME_COUNT_MAX} names"))
    }

    /// The value, if it and all on the way to it are there and not null. `Err` names the path and says why
    /// it can't be told which object of a list is meant.
    pub fn find<'a>(&self, scope: &Scope<'a>) -> Result<Option<&'a Value>, String> {
        let mut value = if self.outer {
            scope.outer
        } else {
            scope.record
        };
        for step in &self.steps {
            let next = match step {
                Step::Name(name) => value.as_object().and_then(|object| object.get(name)),
                Step::Pick { key, text } => picked(value, key, text).map_err(|reason| {
                    let place = scope.source(self);
                    format!("{place} can't be told: [{key}={text}] {reason}")
                })?,
            };
            match next {
                Some(next) => value = next,
                None => return Ok(None),
            }
        }
        Ok((!value.is_null()).then_some(value))
    }

    /// Stands in for a path of a file that is refused.
    pub fn nowhere() -> Self {
        let (outer, steps) = (false, Vec::new());
        Self { outer, steps }
    }

    /// The path without its `^.`.
    pub fn inner(&self) -> String {
        text(&self.steps)
    }

    /// The path up to the list that an object is picked from; all of it where none is.
    pub fn plain(&self) -> String {
        text(&self.steps[..self.names_before_pick()])
    }

    pub fn picks(&self) -> bool {
        self.names_before_pick() < self.steps.len()
    }

    /// Notes what it reads of a record: a field; or of the list that it picks from, what is asked of each
    /// element and what is read of the one.
    pub fn select(&self, selection: &mut Selection) {
        let (before, rest) = self.steps.split_at(self.names_before_pick());
        let [Step::Pick { key, .. }, rest @ ..] = rest else {
            selection.fields.insert(text(before));
            return;
        };
        let elements = selection.lists.entry(text(before)).or_default();
        elements.insert(key.clone());
        if !rest.is_empty() {
            elements.insert(text(&rest[..names_before_pick(rest)]));
        }
    }

    fn names_before_pick(&self) -> usize {
        names_before_pick(&self.steps)
    }
}

fn names_before_pick(steps: &[Step]) -> usize {
    let pick = steps.iter().position(|s| matches!(s, Step::Pick { .. }));
    pick.unwrap_or(steps.len())
}

fn text(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Name(name) if out.is_empty() => out.push_str(name),
            Step::Name(name) => {
                out.push('.');
                out.push_str(name);
            }
            Step::Pick { key, text } => out.push_str(&format!("[{key}={text}]")),
        }
    }
    out
}

/// The one object of a list whose field is this text. `Err` where there are several, or none could be told.
fn picked<'a>(list: &'a Value, key: &str, text: &str) -> Result<Option<&'a Value>, String> {
    let elements = match list {
        Value::Array(elements) => elements,
        Value::Null => return Ok(None),
        other => return Err(format!("picks from a list, not from {}", kind(other))),
    };
    let mut found = None;
    for element in elements {
        match element.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(is)) if is != text => {}
            Some(Value::String(_)) if found.is_none() => found = Some(element),
            Some(Value::String(_)) => return Err("picks several objects, not one".to_owned()),
            Some(other) => return Err(format!("compares with text, not with {}", kind(other))),
        }
    }
    Ok(found)
}

/// What stands between brackets, in the path `whole`.
fn pick(inside: &str, whole: &str) -> Result<Step, String> {
    let wrong = || {
        let (inside, whole) = (shown(inside), shown(whole));
        format!("in the path `{whole}`, `[{inside}]` must be `[field=text]`")
    };
    let (key, text) = inside.split_once('=').ok_or_else(wrong)?;
    let is_odd = |c: char| c.is_control() || c == '[';
    if key.is_empty() || key.contains(['.', '[']) || text.is_empty() || text.contains(is_odd) {
        return Err(wrong());
    }
    let key = name(key, whole)?;
    let text = text.to_owned();
    Ok(Step::Pick { key, text })
}

/// The names of a target's dotted path. Positions are no part of it: lists are mapped by a block of their own.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    if text.split('.').nth(NAME_COUNT_MAX).is_some() {
        return Err(format!("the path is deeper than {NAME_COUNT_MAX} names"));
    }
    text.split('.').map(|part| name(part, text)).collect()
}

/// One name of the path `whole`.
fn name(name: &str, whole: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err(format!("the path `{}` has an empty name", shown(whole)));
    }
    let stray = |c: &char| c.is_control() || c.is_whitespace() || "[]^*".contains(*c);
    if let Some(c) = name.chars().find(stray) {
        return Err(format!(
            "the path `{}` can't hold {c:?}; paths are names with dots between",
            shown(whole)
        ));
    }
    Ok(name.to_owned())
}

/// A text from the file or a record, short and printable enough for a message.
pub fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let mut out: String = text
        .chars()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}
