//! Reads `[order.total]`.

use toml::Spanned;
use toml::de::DeValue;

use super::keys::{Keys, kind};
use super::source::Place;
use super::{Context, condition, convert, list, problem};
use crate::block::Block;
use crate::list::List;
use crate::path::{Path, shown};
use crate::rule::Field;
use crate::total::{Given, Total, Wanted};

/// The totals: one table, or several `[[order.total]]`.
pub fn read(section: &Keys, block: &Block, context: &mut Context) -> Vec<Total> {
    let Some(value) = section.get("total") else {
        return Vec::new();
    };
    let totals = several(value).into_iter().filter_map(|value| {
        let DeValue::Table(table) = value.get_ref() else {
            let is = kind(value.get_ref());
            let reason = format!("`total` must be a table, not {is}");
            context.problems.add(value.span(), reason);
            return None;
        };
        let keys = Keys::new(table, value.span(), "`total`");
        Some(total(&keys, block, context))
    });
    totals.collect()
}

fn total(keys: &Keys, block: &Block, context: &mut Context) -> Total {
    keys.all_known(&["source", "target", "when"], &mut context.problems);
    let mut terms = |key: &str| {
        let terms = keys.get(key).map(several).unwrap_or_default();
        if terms.is_empty() {
            let reason = format!("`total` says no `{key}`");
            context.problems.add(keys.key_span(key), reason);
        }
        terms
    };
    let (source, target) = (terms("source"), terms("target"));
    let source = source.into_iter().filter_map(|term| wanted(term, context));
    let source = source.collect();
    let target = target
        .into_iter()
        .filter_map(|term| given(term, block, context));
    let target = target.collect();
    Total {
        when: condition::read(keys, Place::Record, context),
        source,
        target,
    }
}

/// `"Amount"`, or `{ from = "Amount", sign = "negative", optional = true }`.
fn wanted(value: &Spanned<DeValue>, context: &mut Context) -> Option<Wanted> {
    let table = match value.get_ref() {
        DeValue::String(text) => {
            return Some(Wanted {
                from: Place::Record.check(text, value.span(), context)?,
                sign: None,
                optional: false,
            });
        }
        DeValue::Table(table) => table,
        other => {
            let is = kind(other);
            let reason = format!("`source` must be a path in quotes, or a table, not {is}");
            context.problems.add(value.span(), reason);
            return None;
        }
    };
    let keys = Keys::new(table, value.span(), "`source`");
    keys.all_known(&["from", "sign", "optional"], &mut context.problems);
    if !keys.has("from") {
        context
            .problems
            .add(value.span(), "`source` says no `from`");
    }
    let sign = convert::sign(&keys, context);
    let optional = keys.boolean("optional", &mut context.problems);
    Some(Wanted {
        from: Place::Record.path(&keys, "from", context)?,
        sign,
        optional: optional.unwrap_or(false),
    })
}

/// `{ list = "item.items", field = "amount" }`, or `{ field = "shippingCost" }`, each with `optional = true`
/// or without.
fn given(value: &Spanned<DeValue>, block: &Block, context: &mut Context) -> Option<Given> {
    let DeValue::Table(table) = value.get_ref() else {
        let is = kind(value.get_ref());
        let reason =
            format!("`target` must be `{{ list = \"…\", field = \"…\" }}` or the like, not {is}");
        context.problems.add(value.span(), reason);
        return None;
    };
    let keys = Keys::new(table, value.span(), "`target`");
    keys.all_known(&["list", "field", "optional"], &mut context.problems);
    if !keys.has("field") {
        context
            .problems
            .add(value.span(), "`target` says no `field`");
    }
    let list_name = keys.text("list", &mut context.problems);
    let field = keys.text("field", &mut context.problems)?;
    let optional = keys.boolean("optional", &mut context.problems);
    let optional = optional.unwrap_or(false);
    let blocks: Vec<&Block> = match list_name {
        None => vec![block],
        Some(name) => {
            let Some(found) = block.lists.iter().find(|list| list.target == name) else {
                let reason = list::there_is_no_list(name, &block.lists);
                context.problems.add(keys.get("list")?.span(), reason);
                return None;
            };
            blocks(found)
        }
    };
    let sets = |block: &&Block| block.fields.iter().any(|set| set.target == field);
    let without = blocks.iter().filter(|block| !sets(block)).count();
    if without == blocks.len() || (without > 0 && !optional) {
        let known = blocks.iter().flat_map(|block| &block.fields);
        let reason = not_set(field, list_name, without < blocks.len(), known);
        context.problems.add(keys.get("field")?.span(), reason);
        return None;
    }
    Some(Given {
        list: list_name.and_then(|name| Path::parse(name).ok()),
        field: Path::parse(field).ok()?,
        optional,
    })
}

fn not_set<'b>(
    field: &str,
    list: Option<&str>,
    by_some: bool,
    known: impl Iterator<Item = &'b Field>,
) -> String {
    let who = match list {
        None => "the section sets no".to_owned(),
        Some(list) if by_some => format!("not every block of the list `{list}` sets"),
        Some(list) => format!("the list `{list}` sets no"),
    };
    let hint = match problem::nearest(field, known.map(|field| field.target.as_str())) {
        Some(meant) if !by_some => format!(", did you mean `{meant}`?"),
        _ => String::new(),
    };
    format!("{who} `{}`{hint}", shown(field))
}

fn blocks(list: &List) -> Vec<&Block> {
    list.parts.iter().map(|part| &part.block).collect()
}

/// One, or the elements of a list of them.
fn several<'v, 'd>(value: &'v Spanned<DeValue<'d>>) -> Vec<&'v Spanned<DeValue<'d>>> {
    match value.get_ref() {
        DeValue::Array(list) => list.iter().collect(),
        _ => vec![value],
    }
}
