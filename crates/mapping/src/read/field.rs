//! Reads one line: a target field and where its value comes from.

use toml::Spanned;
use toml::de::{DeArray, DeString, DeValue};

use super::keys::{Keys, in_order, kind};
use super::source::Place;
use super::{Context, condition, convert, literal};
use crate::condition::switched_off;
use crate::path::shown;
use crate::rule::{Absent, Field, Origin, Rule};

const ORIGINS: &[&str] = &["from", "concat", "constant"];
const FROM_KEYS: &[&str] = &[
    "from",
    "as",
    "table",
    "link",
    "key",
    "alias",
    "scale_max",
    "sign",
    "zone",
    "max_length",
    "cut",
    "default",
    "optional",
    "when",
];
const CONCAT_KEYS: &[&str] = &[
    "concat",
    "separator",
    "table",
    "link",
    "key",
    "alias",
    "max_length",
    "cut",
    "optional",
    "when",
];
const CONSTANT_KEYS: &[&str] = &["constant", "when"];
const KNOWN: &[&str] = &[
    "from",
    "concat",
    "constant",
    "separator",
    "as",
    "table",
    "link",
    "key",
    "alias",
    "scale_max",
    "sign",
    "zone",
    "max_length",
    "cut",
    "default",
    "optional",
    "when",
];
/// The field, or `None` once its problems are noted.
pub fn read(
    key: &Spanned<DeString>,
    value: &Spanned<DeValue>,
    place: Place,
    context: &mut Context,
) -> Option<Field> {
    let target = key.get_ref();
    let what = format!("the field `{target}`");
    let (rules, optional) = match value.get_ref() {
        DeValue::Table(table) => {
            let keys = Keys::new(table, key.span(), &what);
            if nests(&keys, target, context) {
                return None;
            }
            (vec![rule(&keys, place, context)?], true)
        }
        DeValue::Array(list) => {
            if list.is_empty() {
                let reason = format!("{what} has no alternative");
                context.problems.add(value.span(), reason);
            }
            alternatives(target, list, place, context)
        }
        other => {
            let is = kind(other);
            let reason = format!("`{target}` must be `{{ from = \"…\" }}` or the like, not {is}");
            context.problems.add(value.span(), reason);
            return None;
        }
    };
    Some(Field {
        target: target.to_string(),
        rules,
        optional,
    })
}

/// The rules of which the first that applies is taken, and whether none may. All but the last have a
/// condition; `{ optional = true }` as the last says that the field may be absent.
fn alternatives(
    target: &str,
    list: &DeArray,
    place: Place,
    context: &mut Context,
) -> (Vec<Rule>, bool) {
    let what = format!("an alternative of `{target}`");
    let mut rules = Vec::new();
    let mut optional = false;
    for (at, value) in list.iter().enumerate() {
        let DeValue::Table(table) = value.get_ref() else {
            let is = kind(value.get_ref());
            let reason = format!("{what} must be `{{ from = \"…\" }}` or the like, not {is}");
            context.problems.add(value.span(), reason);
            continue;
        };
        let keys = Keys::new(table, value.span(), &what);
        let is_last = at + 1 == list.len();
        if is_last && at > 0 && keys.has("optional") && table.len() == 1 {
            optional = keys.boolean("optional", &mut context.problems) == Some(true);
            if !optional {
                let reason = "only `optional = true` can stand alone";
                context.problems.add(keys.key_span("optional"), reason);
            }
            continue;
        }
        if !is_last && !keys.has("when") {
            let reason = "the alternatives after this one are never taken: it has no `when`";
            context.problems.add(value.span(), reason);
        }
        rules.extend(rule(&keys, place, context));
    }
    // What is never taken is not read either: it may be personal data.
    rules.retain(|rule| !switched_off(&rule.when));
    (rules, optional)
}

fn rule(keys: &Keys, place: Place, context: &mut Context) -> Option<Rule> {
    if !keys.all_known(KNOWN, &mut context.problems) {
        return None;
    }
    let origins: Vec<&str> = ORIGINS
        .iter()
        .copied()
        .filter(|key| keys.has(key))
        .collect();
    let [origin] = origins.as_slice() else {
        let what = keys.what;
        let reason = format!("{what} needs exactly one of {}", ORIGINS.join(", "));
        context.problems.add(keys.span.clone(), reason);
        return None;
    };
    let allowed = match *origin {
        "from" => FROM_KEYS,
        "concat" => CONCAT_KEYS,
        _ => CONSTANT_KEYS,
    };
    for key in keys.all().keys() {
        let name = key.get_ref().as_ref();
        if !allowed.contains(&name) {
            let reason = format!("`{name}` does not go with `{origin}`");
            context.problems.add(key.span(), reason);
        }
    }
    let when = condition::read(keys, place, context);
    let (origin, absent) = match *origin {
        "constant" => {
            let constant = literal::json(keys.get("constant")?, &mut context.problems)?;
            (Origin::Constant(constant), Absent::Refuse)
        }
        origin => convert::read(origin, keys, place, context)?,
    };
    Some(Rule {
        when,
        origin,
        absent,
    })
}

/// Stands in for a field of a file that is refused.
pub fn broken() -> Field {
    Field {
        target: String::new(),
        rules: Vec::new(),
        optional: true,
    }
}

/// Notes an unquoted dotted key: `a.b = {…}` is, to TOML, a table in a table; so is `a.b = [{…}]`.
fn nests(keys: &Keys, target: &str, context: &mut Context) -> bool {
    let is_field = |value: &Spanned<DeValue>| match value.get_ref() {
        DeValue::Array(list) => list.first().is_some_and(|one| one.get_ref().is_table()),
        value => value.is_table(),
    };
    if !keys.all().values().all(is_field) {
        return false;
    }
    let inner = in_order(keys.all());
    let Some((key, _)) = inner.first() else {
        return false;
    };
    let name = key.get_ref();
    if KNOWN.contains(&name.as_ref()) {
        return false;
    }
    let reason = format!(
        "write a path in quotes: \"{}.{}\"",
        shown(target),
        shown(name)
    );
    context.problems.add(keys.span.clone(), reason);
    true
}
