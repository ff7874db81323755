//! How records that were in the target before us are found: `[order.adopt]`.

use serde_json::Value;

use crate::convert::text;
use crate::path::Path;
use crate::scope::Scope;

/// The natural keys of a section, in the order in which they are tried.
#[derive(Clone, Debug)]
pub struct Adopt {
    pub(crate) keys: Vec<NaturalKey>,
}

/// A target field, and where the source has what it holds.
#[derive(Clone, Debug)]
pub struct NaturalKey {
    /// The target's field.
    pub target: String,
    pub(crate) from: Path,
}

impl Adopt {
    pub fn keys(&self) -> &[NaturalKey] {
        &self.keys
    }
}

impl NaturalKey {
    /// The source's field.
    pub fn source(&self) -> String {
        self.from.inner()
    }

    /// What the source says; `None` where it says nothing, or what is no text.
    pub fn value(&self, body: &Value) -> Option<String> {
        let value = self.from.find(&Scope::record(body)).ok()??;
        text(value).ok().filter(|text| !text.is_empty())
    }
}
