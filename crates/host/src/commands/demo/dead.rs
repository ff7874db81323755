//! Dead letters at the end of a day: those, and only those, that the day means a person to decide about.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::day::Difference;
use serde_json::Value as Json;

/// A flow's dead letters, and why each was given up.
pub(super) fn dead(status: &Json) -> BTreeMap<String, String> {
    let items = status["dead"].as_array().into_iter().flatten();
    let pair = |item: &Json| {
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        (id, super::watch::fault(&item["fault"]))
    };
    items.map(pair).collect()
}

/// What is dead and should not be, and the other way round. `undecided` are the records whose orders are
/// locked while the source says something else.
pub(super) fn judge(status: &Json, undecided: &BTreeSet<String>) -> Vec<Difference> {
    let dead = dead(status);
    let found: BTreeSet<&String> = dead.keys().collect();
    let expected: BTreeSet<&String> = undecided.iter().collect();
    let difference = |id: &String, expected: &str, found: &str| Difference {
        record: format!("queue entry {id}"),
        field: "dead letter".to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    let missing = expected
        .difference(&found)
        .map(|id| difference(id, "TARGET_LOCKED", "none"));
    let surplus = found
        .difference(&expected)
        .map(|id| difference(id, "none", dead.get(*id).map_or("", String::as_str)));
    let other = dead
        .iter()
        .filter(|(id, why)| expected.contains(id) && !why.starts_with("TARGET_LOCKED"))
        .map(|(id, why)| difference(id, "TARGET_LOCKED", why));
    missing.chain(surplus).chain(other).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_dead_letters_the_day_means_are_right() {
        let undecided = BTreeSet::from(["A".to_owned()]);
        let status = |dead: &[(&str, &str)]| {
            let item = |(id, code): &(&str, &str)| json!({"id": id, "fault": {"code": code}});
            json!({"dead": dead.iter().map(item).collect::<Vec<Json>>()})
        };
        let judged = |dead: &[(&str, &str)]| -> Vec<String> {
            let found = judge(&status(dead), &undecided);
            found
                .into_iter()
                .map(|one| format!("{} {}", one.record, one.found))
                .collect()
        };
        assert_eq!(judged(&[("A", "TARGET_LOCKED")]), [""; 0]);
        assert_eq!(judged(&[]), ["queue entry A none"]);
        assert_eq!(judged(&[("A", "OTHER")]), ["queue entry A OTHER: "]);
        let surplus = [("A", "TARGET_LOCKED"), ("B", "MAPPING_FIELDS")];
        assert_eq!(judged(&surplus), ["queue entry B MAPPING_FIELDS: "]);
    }
}
