//! What is still to be done, in words.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::clock::MinutesSeconds;

/// What is due later than this from now was done, and is only looked at once more.
const CONFIRMED_AFTER_MIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// Entries of the queue an error names.
const SHOWN_COUNT_MAX: usize = 10;

/// What a flow has queued. What only waits to be confirmed, minutes from now, counts as done.
pub(super) fn queued(status: &Json) -> Vec<String> {
    let queue = &status["queue"];
    let count = |name: &str| queue[name].as_u64().unwrap_or_default();
    let soon = Timestamp::now() + CONFIRMED_AFTER_MIN;
    let is_due = time(&queue["oldest_due"]).is_some_and(|due| due < soon);
    let mut left = Vec::new();
    for (name, count) in [
        ("in work", count("in_work")),
        ("ready", if is_due { count("ready") } else { 0 }),
        ("waiting", count("waiting")),
    ] {
        if count > 0 {
            left.push(format!("{count} {name}"));
        }
    }
    for list in ["retrying", "waiting"] {
        for item in status[list].as_array().into_iter().flatten() {
            let id = item["id"].as_str().unwrap_or_default();
            left.push(format!("{id}: {}", super::watch::fault(&item["fault"])));
        }
    }
    left
}

/// The streams a flow has not listed up to `since`, each with how much is missing. What nobody announced is
/// found by listing only.
pub(super) fn unlisted(status: &Json, since: Timestamp) -> Vec<(&str, std::time::Duration)> {
    let streams = status["cursor"]["streams"].as_object();
    let all = streams.into_iter().flatten();
    all.filter_map(|(name, place)| {
        let complete = time(&place["complete"]).unwrap_or(Timestamp::UNIX_EPOCH);
        let gap = since.duration_since(complete);
        (gap.is_positive()).then(|| (name.as_str(), gap.unsigned_abs()))
    })
    .collect()
}

/// All that is left of a flow.
pub(super) fn all(status: &Json, since: Timestamp) -> Vec<String> {
    let mut left = queued(status);
    for (stream, gap) in unlisted(status, since) {
        let gap = MinutesSeconds(gap);
        left.push(format!(
            "{stream} is listed up to {gap} before the last event"
        ));
    }
    left
}

/// The first few, and how many more.
pub(super) fn few(all: &[String]) -> String {
    let mut text = all
        .iter()
        .take(SHOWN_COUNT_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if all.len() > SHOWN_COUNT_MAX {
        text.push_str(&format!("; and {} more", all.len() - SHOWN_COUNT_MAX));
    }
    text
}

fn time(value: &Json) -> Option<Timestamp> {
    value.as_str().and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_is_named_and_confirmations_are_not() {
        let later = (Timestamp::now() + jiff::SignedDuration::from_mins(14)).to_string();
        let calm = json!({"queue": {"ready": 3, "to_confirm": 3, "in_work": 0, "waiting": 0,
            "dead": 1, "oldest_due": later}, "retrying": [], "waiting": []});
        assert_eq!(queued(&calm), [""; 0]);
        let mut busy = calm.clone();
        busy["queue"]["oldest_due"] = json!(Timestamp::now().to_string());
        assert_eq!(queued(&busy), ["3 ready"]);
        let mut waiting = calm.clone();
        waiting["queue"]["waiting"] = json!(1);
        waiting["waiting"] = json!([{"id": "006", "fault": {"code": "X", "message": "a\nb"}}]);
        assert_eq!(queued(&waiting), ["1 waiting", "006: X: a b"]);
        let mut retrying = calm;
        let fields = json!([{"path": "total", "reason": "is odd"}]);
        retrying["retrying"] = json!([{"id": "006", "fault": {"code": "X", "fields": fields}}]);
        assert_eq!(queued(&retrying), ["006: X: total is odd"]);
    }

    #[test]
    fn a_stream_that_is_behind_is_named() {
        let since: Timestamp = "2026-03-02T12:02:00Z".parse().unwrap();
        let cursor = json!({"streams": {
            "US": {"complete": "2026-03-02T12:00:25Z"},
            "JP": {"complete": "2026-03-02T12:02:00Z"},
        }});
        let status = json!({"queue": {}, "cursor": cursor});
        let expected = ["US is listed up to 1:35 before the last event"];
        assert_eq!(all(&status, since), expected);
    }

    #[test]
    fn a_long_list_is_cut() {
        let all: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        assert_eq!(few(&all), "0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more");
        assert_eq!(few(&all[..2]), "0; 1");
    }
}
