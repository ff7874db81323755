//! Reads `when`.

use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::keys::{Keys, kind};
use super::source::{self, Place};
use super::{Context, literal, problem};
use crate::condition::{Condition, Operand, Test};
use crate::number::Digits;
use crate::path::shown;

const SUBJECTS: &[&str] = &["from", "concat", "setting"];
const TESTS: &[&str] = &["equals", "not_equals", "in", "not_in", "exists"];
const KNOWN: &[&str] = &[
    "from",
    "concat",
    "separator",
    "setting",
    "equals",
    "not_equals",
    "in",
    "not_in",
    "exists",
];

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
    let asked = one_of(SUBJECTS, &keys, context);
    let said = one_of(TESTS, &keys, context);
    let (asked, said) = (asked?, said?);
    if asked != "concat" && keys.has("separator") {
        let reason = format!("`separator` does not go with `{asked}`");
        context.problems.add(keys.key_span("separator"), reason);
    }
    let test = match said {
        "equals" => Test::In(vec![operand(keys.get(said)?, context)?]),
        "not_equals" => Test::NotIn(vec![operand(keys.get(said)?, context)?]),
        "in" => Test::In(operands(&keys, said, context)?),
        "not_in" => Test::NotIn(operands(&keys, said, context)?),
        _ => Test::Exists(keys.boolean(said, &mut context.problems)?),
    };
    if asked != "from" {
        compares_text(asked, said, &test, &keys, context);
    }
    if asked == "setting" {
        return settled(said, &test, &keys, context).map(Condition::Settled);
    }
    let source = source::read(asked, &keys, place, context)?;
    Some(Condition::Asks { source, test })
}

/// The one of these keys that the condition has.
fn one_of<'k>(known: &[&'k str], keys: &Keys, context: &mut Context) -> Option<&'k str> {
    let said: Vec<&str> = known.iter().copied().filter(|key| keys.has(key)).collect();
    let [said] = said.as_slice() else {
        let reason = format!("the condition needs exactly one of {}", known.join(", "));
        context.problems.add(keys.span.clone(), reason);
        return None;
    };
    Some(said)
}

/// Notes what a text can't be compared with.
fn compares_text(asked: &str, said: &str, test: &Test, keys: &Keys, context: &mut Context) {
    let (Test::In(operands) | Test::NotIn(operands)) = test else {
        return;
    };
    let is_text = |operand: &Operand| matches!(operand, Operand::Text(_));
    if !operands.iter().all(is_text) {
        let reason = format!("`{asked}` gives text, and is compared with text only");
        context.problems.add(keys.key_span(said), reason);
    }
}

/// The answer that the file's own settings give.
fn settled(said: &str, test: &Test, keys: &Keys, context: &mut Context) -> Option<bool> {
    let name = keys.text("setting", &mut context.problems)?;
    let Some(choice) = context.choices.iter().find(|choice| choice.name == name) else {
        let known = context.choices.iter().map(|choice| choice.name.as_str());
        let hint = match problem::nearest(name, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "write it under [settings.choices] as {} = \"…\"",
                shown(name)
            ),
        };
        let reason = format!("there is no choice `{}`, {hint}", shown(name));
        context.problems.add(keys.get("setting")?.span(), reason);
        return None;
    };
    let (Test::In(operands) | Test::NotIn(operands)) = test else {
        let reason = "`exists` does not go with `setting`: a choice is always there";
        context.problems.add(keys.key_span("exists"), reason);
        return None;
    };
    for operand in operands {
        if let Operand::Text(text) = operand
            && let Some(refusal) = choice.refusal(text)
        {
            context.problems.add(keys.key_span(said), refusal);
        }
    }
    let chosen = Operand::Text(choice.value.clone());
    Some(operands.contains(&chosen) == matches!(test, Test::In(_)))
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
