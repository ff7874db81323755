//! Reads one line: a target field and where its value comes from.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::keys::{Keys, in_order, kind};
use super::{Context, condition, literal, problem, settings};
use crate::convert::{Convert, Limit};
use crate::path::{Path, shown};
use crate::rule::{Absent, Field, Origin};
use crate::zone::Zone;

const ORIGINS: &[&str] = &["from", "concat", "constant"];
const FROM_KEYS: &[&str] = &[
    "from",
    "as",
    "table",
    "link",
    "key",
    "scale_max",
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
    "scale_max",
    "zone",
    "max_length",
    "cut",
    "default",
    "optional",
    "when",
];
const CONVERSIONS: &[&str] = &["text", "integer", "decimal", "boolean", "date", "date_time"];

/// Where a line stands; what it may refer to follows from that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Record,
    /// Inside a list: `^` is the record around it.
    Element,
    /// From the target's record to the source's fields.
    WriteBack,
}

impl Place {
    /// The path under a key, if it is there and right.
    pub fn path(self, keys: &Keys, key: &str, context: &mut Context) -> Option<Path> {
        let text = keys.text(key, &mut context.problems)?;
        let span = keys.get(key)?.span();
        self.check(text, span, context)
    }

    fn check(
        self,
        text: &str,
        span: std::ops::Range<usize>,
        context: &mut Context,
    ) -> Option<Path> {
        match Path::parse(text) {
            Ok(path) if path.outer && self != Self::Element => {
                let reason = "`^` is the record around a list; there is none here";
                context.problems.add(span, reason);
                None
            }
            Ok(path) => Some(path),
            Err(reason) => {
                context.problems.add(span, reason);
                None
            }
        }
    }
}

/// The field, or `None` once its problems are noted.
pub fn read(
    key: &Spanned<DeString>,
    value: &Spanned<DeValue>,
    place: Place,
    context: &mut Context,
) -> Option<Field> {
    let target = key.get_ref();
    let DeValue::Table(table) = value.get_ref() else {
        let is = kind(value.get_ref());
        let reason = format!("`{target}` must be `{{ from = \"…\" }}` or the like, not {is}");
        context.problems.add(value.span(), reason);
        return None;
    };
    let what = format!("the field `{target}`");
    let keys = Keys::new(table, key.span(), &what);
    if nests(&keys, target, context) || !keys.all_known(KNOWN, &mut context.problems) {
        return None;
    }
    let origins: Vec<&str> = ORIGINS
        .iter()
        .copied()
        .filter(|key| keys.has(key))
        .collect();
    let [origin] = origins.as_slice() else {
        let reason = format!("{what} needs exactly one of {}", ORIGINS.join(", "));
        context.problems.add(key.span(), reason);
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
    let when = condition::read(&keys, place, context);
    let (origin, absent) = match *origin {
        "from" => from(&keys, place, context)?,
        "concat" => concat(&keys, place, context)?,
        _ => {
            let constant = literal::json(keys.get("constant")?, &mut context.problems)?;
            (Origin::Constant(constant), Absent::Refuse)
        }
    };
    Some(Field {
        target: target.to_string(),
        when,
        origin,
        absent,
    })
}

/// Stands in for a field of a file that is refused.
pub fn broken() -> Field {
    Field {
        target: String::new(),
        when: Vec::new(),
        origin: Origin::Constant(Value::Null),
        absent: Absent::Refuse,
    }
}

/// Notes an unquoted dotted key: `a.b = {…}` is, to TOML, a table in a table.
fn nests(keys: &Keys, target: &str, context: &mut Context) -> bool {
    if !keys.all().values().all(|value| value.get_ref().is_table()) {
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

fn from(keys: &Keys, place: Place, context: &mut Context) -> Option<(Origin, Absent)> {
    let path = place.path(keys, "from", context);
    let said: Vec<&str> = ["as", "table", "link"]
        .into_iter()
        .filter(|key| keys.has(key))
        .collect();
    if let [first, second, ..] = said.as_slice() {
        let reason = format!("`{second}` does not go with `{first}`");
        context.problems.add(keys.key_span(second), reason);
        return None;
    }
    let said = said.first().copied().unwrap_or("as");
    let conversion = match said {
        "as" => keys.text("as", &mut context.problems).unwrap_or("text"),
        other => other,
    };
    extras(keys, conversion, context);
    if said == "link" {
        if place == Place::WriteBack {
            let span = keys.key_span("link");
            context.problems.add(span, "`link` can't be written back");
        }
        let absent = absent(keys, None, context);
        let key = place.path(keys, "key", context);
        let name = keys.text("link", &mut context.problems)?.to_owned();
        let path = path?;
        return Some((Origin::Link { path, name, key }, absent));
    }
    let convert = match said {
        "table" => Convert::Table(table(keys, context)?),
        _ => convert(keys, conversion, context)?,
    };
    let absent = absent(keys, Some(&convert), context);
    let path = path?;
    Some((Origin::From { path, convert }, absent))
}

fn convert(keys: &Keys, conversion: &str, context: &mut Context) -> Option<Convert> {
    Some(match conversion {
        "text" => Convert::Text(limit(keys, context)),
        "integer" => Convert::Integer,
        "decimal" => Convert::Decimal {
            scale_max: keys
                .count("scale_max", &mut context.problems)
                .map(u64::from),
        },
        "boolean" => Convert::Boolean,
        "date" => Convert::Date(zone(keys, context)?),
        "date_time" => Convert::DateTime(zone(keys, context)?),
        other => {
            let meant = problem::nearest(other, CONVERSIONS.iter().copied());
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", CONVERSIONS.join(", ")),
            };
            let span = keys.get("as").map_or(keys.span.clone(), |v| v.span());
            let reason = format!("unknown conversion `{}`, {hint}", shown(other));
            context.problems.add(span, reason);
            return None;
        }
    })
}

/// Notes the keys that mean nothing beside this conversion.
fn extras(keys: &Keys, conversion: &str, context: &mut Context) {
    for (key, with) in [
        ("scale_max", &["decimal"][..]),
        ("zone", &["date", "date_time"]),
        ("key", &["link"]),
        ("max_length", &["text"]),
        ("cut", &["text"]),
    ] {
        if keys.has(key) && !with.contains(&conversion) {
            let reason = format!("`{key}` does not go with `{conversion}`");
            context.problems.add(keys.key_span(key), reason);
        }
    }
}

pub(super) fn table(
    keys: &Keys,
    context: &mut Context,
) -> Option<std::sync::Arc<crate::convert::Table>> {
    let name = keys.text("table", &mut context.problems)?;
    if let Some(table) = context.tables.iter().find(|table| table.name == name) {
        return Some(table.clone());
    }
    let known = context.tables.iter().map(|table| table.name.as_str());
    let hint = match problem::nearest(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write it as [tables.{}]", shown(name)),
    };
    let span = keys.get("table")?.span();
    let reason = format!("there is no table `{}`, {hint}", shown(name));
    context.problems.add(span, reason);
    None
}

pub(super) fn zone(keys: &Keys, context: &mut Context) -> Option<Zone> {
    if keys.has("zone") {
        return settings::time_zone(keys, "zone", &mut context.problems);
    }
    if context.zone.is_none() {
        let reason = "a date needs a `zone`, or `time_zone` in [settings]";
        context.problems.add(keys.key_span("as"), reason);
    }
    context.zone.clone()
}

fn limit(keys: &Keys, context: &mut Context) -> Option<Limit> {
    let cut = keys.boolean("cut", &mut context.problems).unwrap_or(false);
    if !keys.has("max_length") {
        if keys.has("cut") {
            let span = keys.key_span("cut");
            context.problems.add(span, "`cut` says no `max_length`");
        }
        return None;
    }
    let max_length = keys.count("max_length", &mut context.problems)? as usize;
    if max_length == 0 {
        let span = keys.key_span("max_length");
        context
            .problems
            .add(span, "`max_length` must be at least 1");
    }
    Some(Limit { max_length, cut })
}

/// What an absent value does. A default is converted here, once, as if the source had said it.
fn absent(keys: &Keys, convert: Option<&Convert>, context: &mut Context) -> Absent {
    let optional = keys.boolean("optional", &mut context.problems) == Some(true);
    let Some(default) = keys.get("default") else {
        return if optional {
            Absent::Omit
        } else {
            Absent::Refuse
        };
    };
    let span = default.span();
    let Some(convert) = convert else {
        context
            .problems
            .add(span, "`default` does not go with `link`");
        return Absent::Refuse;
    };
    if optional {
        context
            .problems
            .add(span.clone(), "`default` does not go with `optional`");
    }
    let Some(value) = literal::json(default, &mut context.problems) else {
        return Absent::Refuse;
    };
    match convert.apply(&value) {
        Ok(value) => Absent::Default(value),
        Err(reason) => {
            context.problems.add(span, format!("the default {reason}"));
            Absent::Refuse
        }
    }
}

fn concat(keys: &Keys, place: Place, context: &mut Context) -> Option<(Origin, Absent)> {
    let list = keys.list("concat", &mut context.problems)?;
    if list.is_empty() {
        let span = keys.key_span("concat");
        context.problems.add(span, "the list `concat` is empty");
    }
    let mut paths = Vec::new();
    for value in list.iter() {
        match value.get_ref() {
            DeValue::String(text) => paths.extend(place.check(text, value.span(), context)),
            other => {
                let reason = format!("`concat` lists paths in quotes, not {}", kind(other));
                context.problems.add(value.span(), reason);
            }
        }
    }
    let separator = keys.text("separator", &mut context.problems).unwrap_or("");
    let origin = Origin::Concat {
        paths,
        separator: separator.to_owned(),
        limit: limit(keys, context),
    };
    let optional = keys.boolean("optional", &mut context.problems) == Some(true);
    let absent = if optional {
        Absent::Omit
    } else {
        Absent::Refuse
    };
    Some((origin, absent))
}
