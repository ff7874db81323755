//! Where a mapping stands while it is applied, and what went wrong so far.

use serde_json::Value;
use sluice_core::{BadField, Fault, code};

use crate::path::Path;

/// The record that paths start from: a record, or one element of its list.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub record: &'a Value,
    /// What `^` means.
    pub outer: &'a Value,
    pub element: Option<Element<'a>>,
}

/// Which element of which list.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    pub source: &'a Path,
    pub target: &'a str,
    /// Its position in the source's list; the target's may be lower, where `when` left some out.
    pub position: usize,
}

impl<'a> Scope<'a> {
    pub fn record(record: &'a Value) -> Self {
        Self {
            record,
            outer: record,
            element: None,
        }
    }

    /// The full source path, with the position: `OpportunityLineItems[2].Quantity`.
    pub fn source(&self, path: &Path) -> String {
        match &self.element {
            Some(element) if !path.outer => {
                let list = element.source.inner();
                format!("{list}[{}].{}", element.position, path.inner())
            }
            _ => path.inner(),
        }
    }

    /// The full target path, with the source's position: `item.items[2].quantity`.
    pub fn target(&self, path: &str) -> String {
        match &self.element {
            Some(element) => format!("{}[{}].{path}", element.target, element.position),
            None => path.to_owned(),
        }
    }
}

/// Every bad field of one record.
#[derive(Default)]
pub struct BadFields {
    fields: Vec<BadField>,
    count: usize,
}

impl BadFields {
    /// A record with thousands of broken lines is told about this many.
    const SHOWN_MAX: usize = 500;

    pub fn add(&mut self, path: String, reason: String) {
        self.count += 1;
        if self.fields.len() < Self::SHOWN_MAX {
            self.fields.push(BadField::new(path, reason));
        }
    }

    /// Nothing, or one fault that names them all.
    pub fn into_result(self, section: &str) -> Result<(), Fault> {
        if self.count == 0 {
            return Ok(());
        }
        let named = match self.count - self.fields.len() {
            0 => String::new(),
            more => format!(", {more} of them not named here"),
        };
        let (count, plural) = (self.count, if self.count == 1 { "" } else { "s" });
        let message = format!("{count} bad field{plural} mapping section `{section}`{named}");
        Err(Fault::dead_letter(code::MAPPING_FIELDS, message).with_fields(self.fields))
    }
}
