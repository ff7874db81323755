//! A target list made of a source list, element by element.

use crate::block::Block;
use crate::condition::Condition;
use crate::path::Path;
use crate::scope::BadFields;

/// A list block of a section.
#[derive(Clone, Debug)]
pub struct List {
    /// The target's dotted path.
    pub target: String,
    pub from: Path,
    /// Which elements are taken.
    pub when: Vec<Condition>,
    /// Whether the source's list may be absent; the target's is then, too.
    pub optional: bool,
    pub count_min: usize,
    pub count_max: usize,
    pub block: Block,
}

impl List {
    /// Elements a list may have where the mapping does not say.
    pub const COUNT_MAX: usize = 10_000;

    pub fn check_count(&self, count: usize, bad: &mut BadFields) {
        let limit = if count < self.count_min {
            format!("at least {}", self.count_min)
        } else if count > self.count_max {
            format!("at most {}", self.count_max)
        } else {
            return;
        };
        let reason = format!(
            "{} gives {count} elements, {limit} are wanted",
            self.from.inner()
        );
        bad.add(self.target.clone(), reason);
    }
}
