//! A person's edit of a source record's data: what the source should have said.
//!
//! It holds for one state of the source, and for as long as the record stays in it: the next real change
//! wins. The source itself is not touched.

use mapping::{Section, fingerprint};
use serde_json::{Map, Value};
use sluice_core::{Fault, Record, Result, code};

/// An edit, and the state of the source it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// A JSON merge patch (RFC 7396): what it names is replaced, lists whole; null takes away.
    pub patch: Map<String, Value>,
    /// The fingerprint of what the mapping read of the record; see [`state`].
    pub of: String,
}

/// The state of a record as far as the mapping reads it: our own echo in it does not count as a change.
pub fn state(section: &Section, record: &Record) -> String {
    fingerprint(&section.inputs(&record.body))
}

impl Edit {
    /// Fault: `STORE_CORRUPT` (stop the flow) for a value this release can't read.
    pub(crate) fn stored(patch: Option<&str>, of: Option<&str>) -> Result<Option<Self>> {
        let (Some(patch), Some(of)) = (patch, of) else {
            return Ok(None);
        };
        let patch = serde_json::from_str(patch)
            .map_err(|_| Fault::stop_flow(code::STORE_CORRUPT, "a stored edit is no object"))?;
        let of = of.to_owned();
        Ok(Some(Self { patch, of }))
    }

    /// The record as edited.
    pub fn apply(&self, record: &Record) -> Record {
        let mut edited = record.clone();
        merge(&mut edited.body, &self.patch);
        edited
    }
}

fn merge(body: &mut Value, patch: &Map<String, Value>) {
    if !body.is_object() {
        *body = Value::Object(Map::new());
    }
    let Value::Object(object) = body else { return };
    for (name, value) in patch {
        match value {
            Value::Null => {
                object.remove(name);
            }
            Value::Object(inner) => merge(object.entry(name.clone()).or_insert(Value::Null), inner),
            value => {
                object.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_replaces_what_it_names() {
        let mut body = json!({ "a": { "b": 1, "c": 2 }, "list": [1, 2], "gone": 1, "text": "x" });
        let patch =
            json!({ "a": { "b": 9 }, "list": [3], "gone": null, "text": { "now": { "x": null } } });
        merge(&mut body, patch.as_object().unwrap());
        let want = json!({ "a": { "b": 9, "c": 2 }, "list": [3], "text": { "now": {} } });
        assert_eq!(body, want);
    }
}
