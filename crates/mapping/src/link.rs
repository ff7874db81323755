//! What a body refers to, and what that is in the target.

use std::collections::{BTreeMap, BTreeSet};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    targets: BTreeMap<String, BTreeMap<String, String>>,
}

impl Links {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn insert(&mut self, link: &str, id: &str, target_id: impl Into<String>) {
        self.targets
            .entry(link.to_owned())
            .or_default()
            .insert(id.to_owned(), target_id.into());
    }

    pub fn get(&self, link: &str, id: &str) -> Option<&str> {
        self.targets.get(link)?.get(id).map(String::as_str)
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
    met: BTreeSet<(String, String)>,
    list: Vec<Reference>,
}

impl References {
    pub fn add(&mut self, link: &str, id: String, key: Option<String>) {
        if self.met.insert((link.to_owned(), id.clone())) {
            let link = link.to_owned();
            self.list.push(Reference { link, id, key });
        }
    }

    pub fn into_list(self) -> Vec<Reference> {
        self.list
    }
}
