//! Reads what is done to a value.

use super::keys::Keys;
use super::source::{self, Place};
use super::{Context, literal, problem, settings};
use crate::convert::{Convert, Limit};
use crate::number::Sign;
use crate::path::shown;
use crate::rule::{Absent, Origin};
use crate::zone::Zone;

const CONVERSIONS: &[&str] = &["text", "integer", "decimal", "boolean", "date", "date_time"];

/// What is done to the source's value, under `from` or `concat`, and what to do where there is none.
pub fn read(
    origin: &str,
    keys: &Keys,
    place: Place,
    context: &mut Context,
) -> Option<(Origin, Absent)> {
    let source = source::read(origin, keys, place, context);
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
        let alias = match keys.has("alias") {
            true => Some(table("alias", keys, context)?),
            false => None,
        };
        let source = source?;
        let link = Origin::Link {
            source,
            name,
            key,
            alias,
        };
        return Some((link, absent));
    }
    let convert = match said {
        "table" => Convert::Table(table("table", keys, context)?),
        _ => convert(keys, conversion, context)?,
    };
    let absent = absent(keys, Some(&convert), context);
    let source = source?;
    Some((Origin::From { source, convert }, absent))
}

fn convert(keys: &Keys, conversion: &str, context: &mut Context) -> Option<Convert> {
    Some(match conversion {
        "text" => Convert::Text(limit(keys, context)),
        "integer" => Convert::Integer,
        "decimal" => Convert::Decimal {
            scale_max: keys
                .count("scale_max", &mut context.problems)
                .map(u64::from),
            sign: sign(keys, context),
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
        ("sign", &["decimal"]),
        ("zone", &["date", "date_time"]),
        ("key", &["link"]),
        ("alias", &["link"]),
        ("max_length", &["text"]),
        ("cut", &["text"]),
    ] {
        if keys.has(key) && !with.contains(&conversion) {
            let reason = format!("`{key}` does not go with `{conversion}`");
            context.problems.add(keys.key_span(key), reason);
        }
    }
}

pub fn sign(keys: &Keys, context: &mut Context) -> Option<Sign> {
    match keys.text("sign", &mut context.problems)? {
        "negative" => Some(Sign::Negative),
        "positive" => Some(Sign::Positive),
        other => {
            let reason = format!(
                "`sign` must be \"negative\" or \"positive\", not `{}`",
                shown(other)
            );
            let span = keys.get("sign")?.span();
            context.problems.add(span, reason);
            None
        }
    }
}

pub fn table(
    key: &str,
    keys: &Keys,
    context: &mut Context,
) -> Option<std::sync::Arc<crate::convert::Table>> {
    let name = keys.text(key, &mut context.problems)?;
    if let Some(table) = context.tables.iter().find(|table| table.name == name) {
        let table = table.clone();
        // Of other names there may be none; a translation into nothing is a mistake.
        if key == "table" && table.entries.is_empty() {
            let reason = format!("the table `{}` is empty", shown(name));
            context.problems.add(keys.key_span(key), reason);
        }
        return Some(table);
    }
    let known = context.tables.iter().map(|table| table.name.as_str());
    let hint = match problem::nearest(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write it as [tables.{}]", shown(name)),
    };
    let span = keys.get(key)?.span();
    let reason = format!("there is no table `{}`, {hint}", shown(name));
    context.problems.add(span, reason);
    None
}

pub fn zone(keys: &Keys, context: &mut Context) -> Option<Zone> {
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
