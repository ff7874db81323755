//! Reads `[settings]`.

use jiff::Timestamp;
use sluice_core::Moment;
use toml::de::DeValue;

use super::keys::Keys;
use super::problem::{Problems, nearest};
use crate::path::shown;
use crate::settings::Settings;
use crate::zone::Zone;

const KNOWN: &[&str] = &[
    "time_zone",
    "start_at",
    "update_approved_orders",
    "concurrency_max",
];

/// The settings, and the zone if one was said.
pub fn read(file: &Keys, problems: &mut Problems) -> (Settings, Option<Zone>) {
    let mut settings = Settings::default();
    let Some(table) = file.table("settings", problems) else {
        return (settings, None);
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
    (settings, zone)
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
