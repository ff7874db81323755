//! What a body refers to, and what that is in the target.

use serde_json::{Map, Value};

/// A record that a body refers to: `customer` of account `001…`, `item` of product `01t…` with SKU `BX-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The link's name in the mapping.
    pub link: String,
    /// The id in the source system.
    pub id: String,
    /// The natural key to find it by where no link exists yet, if the mapping names one and the source has it.
    pub key: Option<String>,
}

/// What references resolved to: the target's id for (link name, source id).
///
/// Kept as JSON is kept: a map of another type would be the same code once more in every component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    targets: Map<String, Value>,
}

impl Links {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn insert(&mut self, link: &str, id: &str, target_id: impl Into<String>) {
        inner(&mut self.targets, link).insert(id.to_owned(), Value::String(target_id.into()));
    }

    pub fn get(&self, link: &str, id: &str) -> Option<&str> {
        self.targets.get(link)?.get(id)?.as_str()
    }
}

/// What becomes of a link field while a section is worked through.
pub enum Linking<'a> {
    /// Put the target's id in.
    Resolve(&'a Links),
    /// Note what is referred to.
    Collect(&'a mut References),
}

/// References in the order met, each once.
#[derive(Default)]
pub struct References {
    met: Map<String, Value>,
    list: Vec<Reference>,
}

impl References {
    pub fn add(&mut self, link: &str, id: String, key: Option<String>) {
        let met = inner(&mut self.met, link).insert(id.clone(), Value::Null);
        if met.is_none() {
            let link = link.to_owned();
            self.list.push(Reference { link, id, key });
        }
    }

    pub fn into_list(self) -> Vec<Reference> {
        self.list
    }
}

/// The map under a key.
fn inner<'m>(map: &'m mut Map<String, Value>, key: &str) -> &'m mut Map<String, Value> {
    if !map.get(key).is_some_and(Value::is_object) {
        map.insert(key.to_owned(), Value::Object(Map::new()));
    }
    match map.get_mut(key) {
        Some(Value::Object(inner)) => inner,
        _ => unreachable!("an object was put there"),
    }
}
