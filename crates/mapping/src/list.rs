//! A target list made of source lists, element by element.

use serde_json::Value;

use crate::block::Block;
use crate::condition::{Condition, all_hold, switched_off};
use crate::link::Linking;
use crate::path::Path;
use crate::scope::{BadFields, Element, Scope};

/// A target list of a section.
#[derive(Clone, Debug)]
pub struct List {
    /// The target's dotted path.
    pub target: String,
    /// What each of them gives, one after the other.
    pub parts: Vec<Part>,
    /// How many elements all parts give together.
    pub count: Option<Count>,
}

/// One list block: what is made of the elements of one source list.
#[derive(Clone, Debug)]
pub struct Part {
    pub from: Path,
    /// Which elements are taken.
    pub when: Vec<Condition>,
    /// Whether the source's list may be absent.
    pub optional: bool,
    pub count: Count,
    pub block: Block,
}

/// How many elements are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub min: usize,
    pub max: usize,
}

impl Count {
    /// Elements a list may have where the mapping does not say.
    pub const MAX: usize = 10_000;

    /// What is wrong with this count, if anything.
    fn refusal(self, count: usize) -> Option<String> {
        let limit = if count < self.min {
            format!("at least {}", self.min)
        } else if count > self.max {
            format!("at most {}", self.max)
        } else {
            return None;
        };
        Some(format!("{count} elements, {limit} are wanted"))
    }
}

impl List {
    /// The target's list; absent where every source list is.
    pub fn apply(
        &self,
        scope: &Scope,
        linking: &mut Linking,
        bad: &mut BadFields,
    ) -> Option<Value> {
        let mut out = Vec::new();
        let mut any = false;
        for part in &self.parts {
            any |= self.part(part, scope, linking, bad, &mut out);
        }
        if let Some(refusal) = self.count.and_then(|count| count.refusal(out.len())) {
            bad.add(self.target.clone(), format!("has {refusal}"));
        }
        any.then_some(Value::Array(out))
    }

    /// Adds what a part gives; whether there is a source list.
    fn part(
        &self,
        part: &Part,
        scope: &Scope,
        linking: &mut Linking,
        bad: &mut BadFields,
        out: &mut Vec<Value>,
    ) -> bool {
        if switched_off(&part.when) {
            return false;
        }
        let elements = match part.from.find(scope) {
            Ok(Some(Value::Array(elements))) => elements,
            Ok(None) if part.optional => return false,
            other => {
                let from = part.from.inner();
                let reason = match other {
                    Ok(None) => format!("{from} is missing"),
                    Ok(Some(_)) => format!("{from} is not a list"),
                    Err(reason) => reason,
                };
                bad.add(self.target.clone(), reason);
                return false;
            }
        };
        let before = out.len();
        out.reserve(elements.len());
        for (position, record) in elements.iter().enumerate() {
            let element = Element {
                source: &part.from,
                target: &self.target,
                position,
            };
            let inside = Scope {
                record,
                outer: scope.record,
                element: Some(element),
            };
            match all_hold(&part.when, &inside) {
                Ok(true) => out.push(Value::Object(part.block.apply(&inside, linking, bad))),
                Ok(false) => {}
                Err(reason) => bad.add(format!("{}[{position}]", self.target), reason),
            }
        }
        if let Some(refusal) = part.count.refusal(out.len() - before) {
            let reason = format!("{} gives {refusal}", part.from.inner());
            bad.add(self.target.clone(), reason);
        }
        true
    }
}
