//! Reads `when`.

use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::Context;
use super::field::Place;
use super::keys::{Keys, kind};
use super::literal;
use crate::condition::{Condition, Operand, Test};
use crate::number::Digits;

const TESTS: &[&str] = &["equals", "not_equals", "in", "not_in", "exists"];
const KNOWN: &[&str] = &["from", "equals", "not_equals", "in", "not_in", "exists"];

/// The conditions under a table's `when`: one, or a list of them that must all hold.
pub fn read(keys: &Keys, place: Place, context: &mut Context) -> Vec<Condition> {
    under("when", keys, place, context)
}

/// Those under another name.
pub fn under(name: &str, keys: &Keys, place: Place, context: &mut Context) -> Vec<Condition> {
    let Some(value) = keys.get(name) else {
        return Vec::new();
    };
    let values: Vec<&Spanned<DeValue>> = match value.get_ref() {
        DeValue::Array(list) if list.is_empty() => {
            context
                .problems
                .add(value.span(), format!("`{name}` is empty"));
            Vec::new()
        }
        DeValue::Array(list) => list.iter().collect(),
        _ => vec![value],
    };
    values
        .into_iter()
        .filter_map(|value| one(name, value, place, context))
        .collect()
}

fn one(
    name: &str,
    value: &Spanned<DeValue>,
    place: Place,
    context: &mut Context,
) -> Option<Condition> {
    let DeValue::Table(table) = value.get_ref() else {
        let is = kind(value.get_ref());
        let reason = format!("`{name}` must be `{{ from = \"…\", equals = … }}`, not {is}");
        context.problems.add(value.span(), reason);
        return None;
    };
    let keys = Keys::new(table, value.span(), "a condition");
    if !keys.all_known(KNOWN, &mut context.problems) {
        return None;
    }
    let path = place.path(&keys, "from", context);
    if !keys.has("from") {
        context
            .problems
            .add(value.span(), "the condition says no `from`");
    }
    let said: Vec<&str> = TESTS.iter().copied().filter(|key| keys.has(key)).collect();
    let [said] = said.as_slice() else {
        let reason = format!("the condition needs exactly one of {}", TESTS.join(", "));
        context.problems.add(value.span(), reason);
        return None;
    };
    let test = match *said {
        "equals" => Test::In(vec![operand(keys.get(said)?, context)?]),
        "not_equals" => Test::NotIn(vec![operand(keys.get(said)?, context)?]),
        "in" => Test::In(operands(&keys, said, context)?),
        "not_in" => Test::NotIn(operands(&keys, said, context)?),
        _ => Test::Exists(keys.boolean(said, &mut context.problems)?),
    };
    Some(Condition { path: path?, test })
}

fn operands(keys: &Keys, key: &str, context: &mut Context) -> Option<Vec<Operand>> {
    let list = keys.list(key, &mut context.problems)?;
    if list.is_empty() {
        let span = keys.key_span(key);
        context
            .problems
            .add(span, format!("the list `{key}` is empty"));
    }
    let all: Vec<_> = list.iter().map(|value| operand(value, context)).collect();
    all.into_iter().collect()
}

fn operand(value: &Spanned<DeValue>, context: &mut Context) -> Option<Operand> {
    match literal::json(value, &mut context.problems)? {
        Value::String(text) => Some(Operand::Text(text)),
        Value::Bool(flag) => Some(Operand::Boolean(flag)),
        Value::Number(number) => Digits::parse(number.as_str()).map(Operand::Number),
        _ => {
            let is = kind(value.get_ref());
            let reason =
                format!("a condition compares with text, a number, true or false, not {is}");
            context.problems.add(value.span(), reason);
            None
        }
    }
}
