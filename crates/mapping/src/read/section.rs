//! Reads a record section, its lists, and what it writes back.

use sluice_core::Selection;
use toml::de::{DeTable, DeValue};

use super::condition;
use super::field::{self, Place};
use super::keys::{Keys, in_order};
use super::{Context, adopt, audit, problem};
use crate::adopt::Adopt;
use crate::audit::Audit;
use crate::block::Block;
use crate::condition::Condition;
use crate::list::List;
use crate::path::Path;
use crate::rule::{Field, Origin};
use crate::section::Section;
use crate::shape::Node;

const SECTION_KEYS: &[&str] = &["when", "fields", "lists", "write_back", "adopt", "audit"];
const LIST_KEYS: &[&str] = &[
    "from",
    "when",
    "optional",
    "count_min",
    "count_max",
    "fields",
];

pub fn read(name: &str, keys: &Keys, context: &mut Context) -> Section {
    if let Some(meant) = problem::nearest(name, ["settings", "tables"].into_iter())
        && !keys.has("fields")
    {
        let reason = format!("unknown section `{name}`, did you mean `{meant}`?");
        context.problems.add(keys.span.clone(), reason);
        return section(name, Vec::new(), Block::default(), Block::default());
    }
    keys.all_known(SECTION_KEYS, &mut context.problems);
    let when = condition::read(keys, Place::Record, context);
    let mut block = Block::default();
    if let Some(table) = keys.table("fields", &mut context.problems) {
        fields(&mut block, table, Place::Record, context);
    }
    if let Some(table) = keys.table("lists", &mut context.problems) {
        lists(&mut block, table, context);
    }
    if block.fields.is_empty() && block.lists.is_empty() && context.problems.is_empty() {
        let reason = format!("section `{name}` maps nothing");
        context.problems.add(keys.span.clone(), reason);
    }
    let mut write_back = Block::default();
    if let Some(table) = keys.table("write_back", &mut context.problems) {
        fields(&mut write_back, table, Place::WriteBack, context);
    }
    let mut section = section(name, when, block, write_back);
    section.place = context.problems.place(keys.span.start);
    section.adopt = adopt::read(keys, context);
    section.audit = audit::read(keys, context);
    // Always, so that a record looks the same whoever asks for it.
    let keys = section.adopt.iter().flat_map(Adopt::keys);
    let shown = section.audit.source.paths();
    let paths = keys.map(|key| &key.from).chain(shown);
    let fields: Vec<String> = paths.map(Path::inner).collect();
    section.selection.fields.extend(fields);
    section
}

fn fields(block: &mut Block, table: &DeTable, place: Place, context: &mut Context) {
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

fn lists(block: &mut Block, table: &DeTable, context: &mut Context) {
    for (key, value) in in_order(table) {
        let leaf = Node::List(block.lists.len());
        if let Err(reason) = block.shape.place(key.get_ref(), leaf) {
            context.problems.add(key.span(), reason);
            continue;
        }
        let what = format!("the list `{}`", key.get_ref());
        let DeValue::Table(table) = value.get_ref() else {
            context
                .problems
                .add(value.span(), format!("{what} must be a table"));
            continue;
        };
        let keys = Keys::new(table, key.span(), &what);
        block.lists.push(list(key.get_ref(), &keys, context));
    }
}

fn list(target: &str, keys: &Keys, context: &mut Context) -> List {
    if keys.has("lists") {
        let span = keys.key_span("lists");
        context
            .problems
            .add(span, "a list inside a list can't be mapped");
    } else {
        keys.all_known(LIST_KEYS, &mut context.problems);
    }
    let from = Place::Record.path(keys, "from", context);
    let when = condition::read(keys, Place::Element, context);
    let mut block = Block::default();
    match keys.table("fields", &mut context.problems) {
        Some(table) => fields(&mut block, table, Place::Element, context),
        None if keys.has("fields") => {}
        None => missing(keys, "fields", context),
    }
    if !keys.has("from") {
        missing(keys, "from", context);
    }
    let problems = &mut context.problems;
    let count_min = keys.count("count_min", problems).unwrap_or(0) as usize;
    let count_max = keys.count("count_max", problems);
    let count_max = count_max.map_or(List::COUNT_MAX, |count| count as usize);
    if count_max < count_min {
        let span = keys.key_span("count_min");
        problems.add(span, "`count_min` is more than the list may have");
    }
    List {
        target: target.to_owned(),
        from: from.unwrap_or_else(Path::nowhere),
        when,
        optional: keys.boolean("optional", problems).unwrap_or(false),
        count_min,
        count_max,
        block,
    }
}

fn missing(keys: &Keys, key: &str, context: &mut Context) {
    let reason = format!("{} says no `{key}`", keys.what);
    context.problems.add(keys.span.clone(), reason);
}

/// Puts the section together with what can be told from its parts.
fn section(name: &str, when: Vec<Condition>, block: Block, write_back: Block) -> Section {
    let mut selection = Selection::default();
    let mut links: Vec<String> = Vec::new();
    let mut note = |field: &Field| {
        if let Origin::Link { name, .. } = &field.origin
            && !links.contains(name)
        {
            links.push(name.clone());
        }
    };
    block.fields.iter().for_each(&mut note);
    for condition in &when {
        selection.fields.insert(condition.path.inner());
    }
    for path in block.fields.iter().flat_map(Field::paths) {
        selection.fields.insert(path.inner());
    }
    for list in &block.lists {
        list.block.fields.iter().for_each(&mut note);
        let inside = list.block.fields.iter().flat_map(Field::paths);
        let asked = list.when.iter().map(|condition| &condition.path);
        let (outer, inner): (Vec<&Path>, Vec<&Path>) =
            inside.chain(asked).partition(|path| path.outer);
        selection
            .fields
            .extend(outer.iter().map(|path| path.inner()));
        let elements = selection.lists.entry(list.from.inner()).or_default();
        elements.extend(inner.iter().map(|path| path.inner()));
    }
    let inputs = selection.clone();
    let written = write_back.fields.iter().map(|field| field.target.clone());
    selection.fields.extend(written);
    Section {
        name: name.to_owned(),
        when,
        block,
        write_back,
        links,
        inputs,
        selection,
        place: String::new(),
        adopt: None,
        audit: Audit::default(),
    }
}
