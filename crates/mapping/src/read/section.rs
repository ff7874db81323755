//! Reads a record section, its lists, and what it writes back.

use sluice_core::Selection;
use toml::de::DeTable;

use super::field;
use super::keys::{Keys, in_order};
use super::source::Place;
use super::{Context, adopt, audit, condition, list, problem, total};
use crate::adopt::Adopt;
use crate::audit::Audit;
use crate::block::Block;
use crate::condition::Condition;
use crate::path::Path;
use crate::rule::Field;
use crate::section::Section;
use crate::shape::Node;
use crate::total::Total;

const SECTION_KEYS: &[&str] = &[
    "when",
    "fields",
    "lists",
    "counts",
    "total",
    "write_back",
    "adopt",
    "audit",
];

pub fn read(name: &str, keys: &Keys, context: &mut Context) -> Section {
    if let Some(meant) = problem::nearest(name, ["settings", "tables"].into_iter())
        && !keys.has("fields")
    {
        let reason = format!("unknown section `{name}`, did you mean `{meant}`?");
        context.problems.add(keys.span.clone(), reason);
        let nothing = Block::default();
        return section(name, Vec::new(), nothing.clone(), Vec::new(), nothing);
    }
    keys.all_known(SECTION_KEYS, &mut context.problems);
    let when = condition::read(keys, Place::Record, context);
    let mut block = Block::default();
    if let Some(table) = keys.table("fields", &mut context.problems) {
        fields(&mut block, table, Place::Record, context);
    }
    if let Some(table) = keys.table("lists", &mut context.problems) {
        list::read(&mut block, table, context);
    }
    if let Some(table) = keys.table("counts", &mut context.problems) {
        list::counts(&mut block, table, context);
    }
    if block.fields.is_empty() && block.lists.is_empty() && context.problems.is_empty() {
        let reason = format!("section `{name}` maps nothing");
        context.problems.add(keys.span.clone(), reason);
    }
    let mut write_back = Block::default();
    if let Some(table) = keys.table("write_back", &mut context.problems) {
        fields(&mut write_back, table, Place::WriteBack, context);
    }
    let totals = total::read(keys, &block, context);
    let mut section = section(name, when, block, totals, write_back);
    section.place = context.problems.place(keys.span.start);
    section.adopt = adopt::read(keys, context);
    section.audit = audit::read(keys, context);
    // Always, so that a record looks the same whoever asks for it.
    let keys = section.adopt.iter().flat_map(Adopt::keys);
    let shown = section.audit.source.paths();
    for path in keys.map(|key| &key.from).chain(shown) {
        path.select(&mut section.selection);
    }
    section
}

pub fn fields(block: &mut Block, table: &DeTable, place: Place, context: &mut Context) {
    for (key, value) in in_order(table) {
        let leaf = Node::Field(block.fields.len());
        if let Err(reason) = block.shape.place(key.get_ref(), leaf) {
            context.problems.add(key.span(), reason);
            continue;
        }
        // A placed key needs its field, also a broken one: the file is refused anyway.
        let field = field::read(key, value, place, context).unwrap_or_else(field::broken);
        block.fields.push(field);
    }
}

/// Puts the section together with what can be told from its parts.
fn section(
    name: &str,
    when: Vec<Condition>,
    block: Block,
    totals: Vec<Total>,
    write_back: Block,
) -> Section {
    let inputs = inputs(&when, &block, &totals);
    let mut selection = inputs.clone();
    let written = write_back.fields.iter().map(|field| field.target.clone());
    selection.fields.extend(written);
    Section {
        name: name.to_owned(),
        links: links(&block),
        when,
        block,
        totals,
        write_back,
        inputs,
        selection,
        place: String::new(),
        adopt: None,
        audit: Audit::default(),
    }
}

/// What is read of a record. Where an object is picked from a list, that is the list as far as it is read;
/// inside a list, of which no list can be part here, it is the whole of the inner one.
fn inputs(when: &[Condition], block: &Block, totals: &[Total]) -> Selection {
    let mut inputs = Selection::default();
    let asked = when.iter().flat_map(Condition::paths);
    let read = block.fields.iter().flat_map(Field::paths);
    let summed = totals.iter().flat_map(Total::paths);
    for path in asked.chain(read).chain(summed) {
        path.select(&mut inputs);
    }
    for part in block.lists.iter().flat_map(|list| &list.parts) {
        let asked = part.when.iter().flat_map(Condition::paths);
        let read = part.block.fields.iter().flat_map(Field::paths);
        let (outer, inner): (Vec<&Path>, Vec<&Path>) =
            asked.chain(read).partition(|path| path.outer);
        for path in outer {
            path.select(&mut inputs);
        }
        if part.from.picks() {
            part.from.select(&mut inputs);
            continue;
        }
        let elements = inputs.lists.entry(part.from.inner()).or_default();
        elements.extend(inner.iter().map(|path| path.plain()));
    }
    inputs
}

/// The names of the links, each once, in the order of the file.
fn links(block: &Block) -> Vec<String> {
    let parts = block.lists.iter().flat_map(|list| &list.parts);
    let inside = parts.flat_map(|part| &part.block.fields);
    let mut links: Vec<String> = Vec::new();
    for name in block.fields.iter().chain(inside).flat_map(Field::links) {
        if !links.contains(name) {
            links.push(name.clone());
        }
    }
    links
}
