//! Reads `[order.adopt]`.

use toml::Spanned;
use toml::de::DeValue;

use super::Context;
use super::keys::{Keys, kind};
use super::source::Place;
use crate::adopt::{Adopt, NaturalKey};

pub fn read(section: &Keys, context: &mut Context) -> Option<Adopt> {
    let table = section.table("adopt", &mut context.problems)?;
    let keys = Keys::new(table, section.key_span("adopt"), "`adopt`");
    keys.all_known(&["key"], &mut context.problems);
    let Some(value) = keys.get("key") else {
        context
            .problems
            .add(keys.span.clone(), "`adopt` says no `key`");
        return None;
    };
    let values: Vec<&Spanned<DeValue>> = match value.get_ref() {
        DeValue::Array(list) if list.is_empty() => {
            context
                .problems
                .add(value.span(), "the list `key` is empty");
            Vec::new()
        }
        DeValue::Array(list) => list.iter().collect(),
        _ => vec![value],
    };
    let keys = values.into_iter().filter_map(|value| one(value, context));
    Some(Adopt {
        keys: keys.collect(),
    })
}

fn one(value: &Spanned<DeValue>, context: &mut Context) -> Option<NaturalKey> {
    let DeValue::Table(table) = value.get_ref() else {
        let is = kind(value.get_ref());
        let reason = format!("`key` must be `{{ target = \"…\", from = \"…\" }}`, not {is}");
        context.problems.add(value.span(), reason);
        return None;
    };
    let keys = Keys::new(table, value.span(), "a natural key");
    keys.all_known(&["target", "from"], &mut context.problems);
    for name in ["target", "from"] {
        if !keys.has(name) {
            let reason = format!("a natural key says no `{name}`");
            context.problems.add(value.span(), reason);
        }
    }
    let from = Place::Record.path(&keys, "from", context);
    let target = Place::WriteBack.path(&keys, "target", context)?.inner();
    if target.contains(['.', '[']) {
        let span = keys.get("target")?.span();
        let reason = "a natural key stands in one field of the record itself";
        context.problems.add(span, reason);
    }
    let from = from?;
    Some(NaturalKey { target, from })
}
