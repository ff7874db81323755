//! Reads `[order.lists]` and `[order.counts]`.

use toml::de::{DeTable, DeValue};

use super::keys::{Keys, in_order};
use super::source::Place;
use super::{Context, condition, problem, section};
use crate::block::Block;
use crate::list::{Count, List, Part};
use crate::path::{Path, shown};
use crate::shape::Node;

const PART_KEYS: &[&str] = &[
    "from",
    "when",
    "optional",
    "count_min",
    "count_max",
    "fields",
];

/// The lists: of one block, `[order.lists.l]`, or of several, `[[order.lists.l]]`.
pub fn read(block: &mut Block, table: &DeTable, context: &mut Context) {
    for (key, value) in in_order(table) {
        let leaf = Node::List(block.lists.len());
        if let Err(reason) = block.shape.place(key.get_ref(), leaf) {
            context.problems.add(key.span(), reason);
            continue;
        }
        let what = format!("the list `{}`", key.get_ref());
        let mut list = List {
            target: key.get_ref().to_string(),
            parts: Vec::new(),
            count: None,
        };
        let blocks: Vec<_> = match value.get_ref() {
            DeValue::Table(table) => {
                let keys = Keys::new(table, key.span(), &what);
                list.parts.push(part(&keys, context));
                Vec::new()
            }
            DeValue::Array(blocks) if !blocks.is_empty() => {
                list.count = Some(Count {
                    min: 0,
                    max: Count::MAX,
                });
                blocks.iter().collect()
            }
            _ => {
                let reason = format!("{what} must be a table, or a list of tables");
                context.problems.add(value.span(), reason);
                Vec::new()
            }
        };
        for value in blocks {
            let DeValue::Table(table) = value.get_ref() else {
                let reason = format!("a block of {what} must be a table");
                context.problems.add(value.span(), reason);
                continue;
            };
            let keys = Keys::new(table, value.span(), &what);
            list.parts.push(part(&keys, context));
        }
        // A placed key needs its list, also a broken one: the file is refused anyway.
        block.lists.push(list);
    }
}

/// How many elements a list has, whichever of its blocks they are from.
pub fn counts(block: &mut Block, table: &DeTable, context: &mut Context) {
    for (key, value) in in_order(table) {
        let target: &str = key.get_ref();
        let Some(at) = block.lists.iter().position(|list| list.target == target) else {
            let hint = there_is_no_list(target, &block.lists);
            context.problems.add(key.span(), hint);
            continue;
        };
        let what = format!("the count of `{target}`");
        let DeValue::Table(table) = value.get_ref() else {
            let reason = format!("{what} must be `{{ count_min = 1 }}` or the like");
            context.problems.add(value.span(), reason);
            continue;
        };
        let keys = Keys::new(table, key.span(), &what);
        keys.all_known(&["count_min", "count_max"], &mut context.problems);
        block.lists[at].count = Some(count(&keys, context));
    }
}

/// What to say of a list that no block makes.
pub fn there_is_no_list(target: &str, lists: &[List]) -> String {
    let hint = match problem::nearest(target, lists.iter().map(|list| list.target.as_str())) {
        Some(meant) => format!(", did you mean `{meant}`?"),
        None => String::new(),
    };
    format!("there is no list `{}`{hint}", shown(target))
}

fn part(keys: &Keys, context: &mut Context) -> Part {
    if keys.has("lists") {
        let span = keys.key_span("lists");
        context
            .problems
            .add(span, "a list inside a list can't be mapped");
    } else {
        keys.all_known(PART_KEYS, &mut context.problems);
    }
    let from = Place::Record.path(keys, "from", context);
    let when = condition::read(keys, Place::Element, context);
    let mut block = Block::default();
    match keys.table("fields", &mut context.problems) {
        Some(table) => section::fields(&mut block, table, Place::Element, context),
        None if keys.has("fields") => {}
        None => missing(keys, "fields", context),
    }
    if !keys.has("from") {
        missing(keys, "from", context);
    }
    let count = count(keys, context);
    let optional = keys.boolean("optional", &mut context.problems);
    Part {
        from: from.unwrap_or_else(Path::nowhere),
        when,
        optional: optional.unwrap_or(false),
        count,
        block,
    }
}

fn count(keys: &Keys, context: &mut Context) -> Count {
    let problems = &mut context.problems;
    let min = keys.count("count_min", problems).unwrap_or(0) as usize;
    let max = keys.count("count_max", problems);
    let max = max.map_or(Count::MAX, |count| count as usize);
    if max < min {
        let span = keys.key_span("count_min");
        problems.add(span, "`count_min` is more than the list may have");
    }
    Count { min, max }
}

fn missing(keys: &Keys, key: &str, context: &mut Context) {
    let reason = format!("{} says no `{key}`", keys.what);
    context.problems.add(keys.span.clone(), reason);
}
