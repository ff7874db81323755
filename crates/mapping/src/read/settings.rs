//! Reads `[settings]`.

use jiff::Timestamp;
use sluice_core::Moment;
use toml::de::DeValue;

use super::keys::{Keys, in_order, kind};
use super::problem::{Problems, nearest};
use crate::path::shown;
use crate::settings::Settings;
use crate::zone::Zone;

const KNOWN: &[&str] = &[
    "time_zone",
    "start_at",
    "update_approved_orders",
    "concurrency_max",
    "choices",
];

/// A text that the file declares for its own conditions: `tax = "amazon"`.
pub struct Choice {
    pub name: String,
    pub value: String,
    /// What there is to choose from, where the file says.
    one_of: Option<Vec<String>>,
}

impl Choice {
    /// Why this can't be chosen, if it can't.
    pub fn refusal(&self, text: &str) -> Option<String> {
        let all = self.one_of.as_ref()?;
        if all.iter().any(|one| one == text) {
            return None;
        }
        let hint = match nearest(text, all.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", all.join(", ")),
        };
        Some(format!(
            "`{}` is never `{}`, {hint}",
            self.name,
            shown(text)
        ))
    }
}

/// The settings, the zone if one was said, and the choices.
pub fn read(file: &Keys, problems: &mut Problems) -> (Settings, Option<Zone>, Vec<Choice>) {
    let mut settings = Settings::default();
    let Some(table) = file.table("settings", problems) else {
        return (settings, None, Vec::new());
    };
    let keys = Keys::new(table, file.key_span("settings"), "the settings");
    keys.all_known(KNOWN, problems);
    let zone = time_zone(&keys, "time_zone", problems);
    if let Some(zone) = &zone {
        settings.time_zone = zone.clone();
    }
    settings.start_at = start_at(&keys, problems);
    if let Some(flag) = keys.boolean("update_approved_orders", problems) {
        settings.update_approved_orders = flag;
    }
    if let Some(count) = positive(&keys, "concurrency_max", problems) {
        settings.concurrency_max = count;
    }
    let choices = choices(&keys, problems);
    (settings, zone, choices)
}

fn choices(settings: &Keys, problems: &mut Problems) -> Vec<Choice> {
    let table = settings.table("choices", problems);
    let entries = table.map(in_order).unwrap_or_default();
    let choices = entries.into_iter().filter_map(|(name, value)| {
        let name_text = name.get_ref().to_string();
        let table = match value.get_ref() {
            DeValue::String(text) => {
                return Some(Choice {
                    name: name_text,
                    value: text.to_string(),
                    one_of: None,
                });
            }
            DeValue::Table(table) => table,
            other => {
                let is = kind(other);
                let reason = format!("`{name_text}` must be text in quotes, not {is}");
                problems.add(value.span(), reason);
                return None;
            }
        };
        let what = format!("the choice `{name_text}`");
        let keys = Keys::new(table, name.span(), &what);
        keys.all_known(&["is", "one_of"], problems);
        choice(name_text, &keys, problems)
    });
    choices.collect()
}

/// `tax = { is = "amazon", one_of = ["amazon", "netsuite"] }`
fn choice(name: String, keys: &Keys, problems: &mut Problems) -> Option<Choice> {
    for key in ["is", "one_of"] {
        if !keys.has(key) {
            problems.add(keys.span.clone(), format!("{} says no `{key}`", keys.what));
        }
    }
    let value = keys.text("is", problems);
    let mut one_of = Vec::new();
    for value in keys.list("one_of", problems)?.iter() {
        match value.get_ref() {
            DeValue::String(text) => one_of.push(text.to_string()),
            other => {
                let reason = format!("`one_of` lists texts in quotes, not {}", kind(other));
                problems.add(value.span(), reason);
            }
        }
    }
    let choice = Choice {
        name,
        value: value?.to_owned(),
        one_of: Some(one_of),
    };
    if let Some(refusal) = choice.refusal(&choice.value) {
        problems.add(keys.get("is")?.span(), refusal);
    }
    Some(choice)
}

/// A zone by its IANA name, out of the database that is built in.
pub fn time_zone(keys: &Keys, key: &str, problems: &mut Problems) -> Option<Zone> {
    let name = keys.text(key, problems)?;
    let zone = Zone::find(name);
    if zone.is_none() {
        let hint = match nearest(name, Zone::names()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "write its IANA name, such as \"Europe/Berlin\"".to_owned(),
        };
        let reason = format!("`{}` is no time zone, {hint}", shown(name));
        let span = keys.get(key).map_or(keys.span.clone(), |v| v.span());
        problems.add(span, reason);
    }
    zone
}

fn start_at(keys: &Keys, problems: &mut Problems) -> Option<Timestamp> {
    let value = keys.get("start_at")?;
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        _ => String::new(),
    };
    let instant = Moment::instant(&text);
    if instant.is_none() {
        let reason = "`start_at` must be an instant, such as \"2026-01-01T00:00:00Z\"";
        problems.add(value.span(), reason);
    }
    instant
}

fn positive(keys: &Keys, key: &str, problems: &mut Problems) -> Option<u32> {
    let count = keys.count(key, problems)?;
    if count == 0 {
        problems.add(keys.key_span(key), format!("`{key}` must be at least 1"));
        return None;
    }
    Some(count)
}
