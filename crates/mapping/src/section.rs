//! One record section of a mapping: `[order]`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sluice_core::{BadField, Body, Fault, Selection, code};

use crate::adopt::Adopt;
use crate::audit::Audit;
use crate::block::Block;
use crate::condition::{Condition, all_hold};
use crate::link::{Linking, Links, Reference, References};
use crate::scope::{BadFields, Scope};
use crate::total::{self, Total};

/// How one kind of source record becomes one kind of target record.
#[derive(Clone, Debug)]
pub struct Section {
    pub(crate) name: String,
    pub(crate) when: Vec<Condition>,
    pub(crate) block: Block,
    pub(crate) totals: Vec<Total>,
    pub(crate) write_back: Block,
    pub(crate) links: Vec<String>,
    /// What the mapping reads: the selection without what is only written back.
    pub(crate) inputs: Selection,
    pub(crate) selection: Selection,
    /// Where it stands: `mapping.toml:57:1`.
    pub(crate) place: String,
    pub(crate) adopt: Option<Adopt>,
    pub(crate) audit: Audit,
}

impl Section {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every source path the section reads: fields, conditions, lists, natural keys; and the fields it
    /// writes back, so that what is to be written can be compared with what stands there; and what adopting
    /// and auditing read.
    pub fn selection(&self) -> Selection {
        self.selection.clone()
    }

    /// The part of a source body that the target depends on. Two states of a record whose inputs are equal
    /// map to the same body; what is only written back does not count.
    pub fn inputs(&self, body: &Value) -> Value {
        let mut inputs = project(body, &self.inputs.fields);
        for (list, fields) in &self.inputs.lists {
            if inputs.contains_key(list) {
                continue; // All of it is there already.
            }
            let elements = body.at(list).and_then(Value::as_array);
            let elements = elements.map(|elements| {
                let inputs = elements.iter().map(|element| project(element, fields));
                Value::Array(inputs.map(Value::Object).collect())
            });
            inputs.insert(list.clone(), elements.unwrap_or(Value::Null));
        }
        Value::Object(inputs)
    }

    /// The names its `link` fields use, each once, in the order of the file.
    pub fn links(&self) -> &[String] {
        &self.links
    }

    /// What an audit shows of both sides; nothing where the section says nothing.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Whether `when` holds for this record.
    ///
    /// Faults: `MAPPING_FIELDS` (dead letter) where a value can't be compared with the mapping's.
    pub fn in_scope(&self, body: &Value) -> Result<bool, Fault> {
        all_hold(&self.when, &Scope::record(body)).map_err(|reason| {
            let message = format!("whether section `{}` applies can't be told", self.name);
            let field = BadField::new("when", reason);
            Fault::dead_letter(code::MAPPING_FIELDS, message).with_fields(vec![field])
        })
    }

    /// What the body refers to, each record once, in the order of the target's fields. The whole body is
    /// checked on the way, so that nothing is looked up or made for a record that can't be mapped anyway.
    ///
    /// Faults: as of [`Section::apply`], but for links.
    pub fn references(&self, body: &Value) -> Result<Vec<Reference>, Fault> {
        let mut references = References::default();
        self.map(body, &mut Linking::Collect(&mut references))?;
        Ok(references.into_list())
    }

    /// The target body: an object of what the section names, and nothing else.
    ///
    /// Faults: `MAPPING_FIELDS` (dead letter), naming every bad field by its target path (with the position
    /// in the source's list), and in the reason its source path. `TOTAL_DIFFERS` (dead letter) where all
    /// fields are right and do not add up to the total that the source says.
    pub fn apply(&self, body: &Value, links: &Links) -> Result<Value, Fault> {
        self.map(body, &mut Linking::Resolve(links))
    }

    /// What to write into the source record, out of the record as the target holds it. Empty where the
    /// section writes nothing back.
    ///
    /// Faults: `MAPPING_FIELDS` (dead letter), naming every bad field.
    pub fn write_back(&self, held: &Value) -> Result<Map<String, Value>, Fault> {
        let mut bad = BadFields::default();
        let links = Links::new();
        let mut linking = Linking::Resolve(&links);
        let fields = self
            .write_back
            .apply(&Scope::record(held), &mut linking, &mut bad);
        bad.into_result(&self.name)?;
        Ok(fields)
    }

    fn map(&self, body: &Value, linking: &mut Linking) -> Result<Value, Fault> {
        let mut bad = BadFields::default();
        let scope = Scope::record(body);
        let mapped = self.block.apply(&scope, linking, &mut bad);
        let wanted = self.totals.iter();
        let wanted: Vec<_> = wanted.map(|total| total.wanted(&scope, &mut bad)).collect();
        bad.into_result(&self.name)?; // First: a total without the bad fields would be a wrong one.
        let mapped = Value::Object(mapped);
        let (mut bad, mut differ) = (Vec::new(), Vec::new());
        for (total, wanted) in self.totals.iter().zip(wanted) {
            match wanted.map(|wanted| total.differs(&wanted, &mapped)) {
                Some(Err(field)) => bad.push(field),
                Some(Ok(field)) => differ.extend(field),
                None => {}
            }
        }
        total::fault(&self.name, bad, differ)?;
        Ok(mapped)
    }
}

/// The values at these paths, by path.
fn project(body: &Value, paths: &BTreeSet<String>) -> Map<String, Value> {
    let values = paths.iter().map(|path| {
        let value = body.at(path).cloned().unwrap_or_default();
        (path.clone(), value)
    });
    values.collect()
}
