//! The types of record the organization has, and their fields.
//!
//! Standard objects as in the object reference, cut to what a seller's back office uses, plus the custom
//! fields (`__c`) the sandbox's administrator has added.
//! <https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/>

mod objects;

pub(in crate::salesforce) use objects::OBJECTS;

use std::collections::HashMap;

/// One type of record.
#[derive(Debug)]
pub(in crate::salesforce) struct Object {
    pub(in crate::salesforce) name: &'static str,
    pub(in crate::salesforce) label: &'static str,
    /// The first three characters of its ids.
    pub(in crate::salesforce) prefix: &'static str,
    pub(in crate::salesforce) fields: Vec<Field>,
    /// Where it is the parent, for subqueries.
    pub(in crate::salesforce) children: &'static [Child],
    /// Whether the API may make, change and delete records of it.
    pub(in crate::salesforce) writable: bool,
    by_name: HashMap<String, usize>,
}

/// One field.
#[derive(Clone, Debug)]
pub(in crate::salesforce) struct Field {
    pub(in crate::salesforce) name: &'static str,
    pub(in crate::salesforce) label: &'static str,
    pub(in crate::salesforce) kind: Kind,
    pub(in crate::salesforce) access: Access,
    pub(in crate::salesforce) required: bool,
    pub(in crate::salesforce) external_id: bool,
    pub(in crate::salesforce) unique: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::salesforce) enum Kind {
    Id,
    /// Up to this many characters.
    Text(usize),
    /// Up to this many characters, not filterable.
    LongText(usize),
    Picklist {
        values: &'static [&'static str],
        restricted: bool,
    },
    Boolean,
    Int,
    /// Digits in all, digits after the point; with the currency of the record.
    Currency(u32, u32),
    /// Digits in all, digits after the point.
    Double(u32, u32),
    Date,
    DateTime,
    /// The id of a record of this type, reached in queries by this name.
    Reference {
        object: &'static str,
        relationship: &'static str,
    },
}

/// Who may write a field through the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::salesforce) enum Access {
    ReadOnly,
    CreateOnly,
    Writable,
}

/// A one-to-many relationship, from its parent's side.
#[derive(Debug)]
pub(in crate::salesforce) struct Child {
    /// The name in a subquery.
    pub(in crate::salesforce) relationship: &'static str,
    pub(in crate::salesforce) object: &'static str,
    /// The child's field that holds the parent's id.
    pub(in crate::salesforce) field: &'static str,
    /// Whether deleting the parent deletes the child.
    pub(in crate::salesforce) cascades: bool,
}

impl Object {
    /// The place of a field, whatever the case of its name.
    pub(in crate::salesforce) fn field(&self, name: &str) -> Option<usize> {
        if name.len() > 80 {
            return None;
        }
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// The reference field reached by this relationship name.
    pub(in crate::salesforce) fn parent(
        &self,
        relationship: &str,
    ) -> Option<(usize, &'static Object)> {
        self.fields
            .iter()
            .enumerate()
            .find_map(|(index, field)| match field.kind {
                Kind::Reference {
                    object,
                    relationship: name,
                } if name.eq_ignore_ascii_case(relationship) => {
                    Some((index, self::object(object)?))
                }
                _ => None,
            })
    }

    /// The child relationship of this name.
    pub(in crate::salesforce) fn child(&self, relationship: &str) -> Option<&'static Child> {
        self.children
            .iter()
            .find(|child| child.relationship.eq_ignore_ascii_case(relationship))
    }
}

/// The type of this name, whatever its case.
pub(in crate::salesforce) fn object(name: &str) -> Option<&'static Object> {
    OBJECTS
        .iter()
        .find(|object| object.name.eq_ignore_ascii_case(name))
}

/// The place of a type in [`OBJECTS`].
pub(in crate::salesforce) fn object_index(object: &Object) -> usize {
    // Every `Object` there is lives in the table.
    OBJECTS
        .iter()
        .position(|known| known.name == object.name)
        .unwrap_or_default()
}

/// Positions every type shares: `Id` first, then the audit fields.
pub(in crate::salesforce) mod audit {
    pub(in crate::salesforce) const ID: usize = 0;
    pub(in crate::salesforce) const IS_DELETED: usize = 1;
    pub(in crate::salesforce) const CREATED_DATE: usize = 2;
    pub(in crate::salesforce) const CREATED_BY: usize = 3;
    pub(in crate::salesforce) const LAST_MODIFIED_DATE: usize = 4;
    pub(in crate::salesforce) const LAST_MODIFIED_BY: usize = 5;
    pub(in crate::salesforce) const SYSTEM_MODSTAMP: usize = 6;
}
