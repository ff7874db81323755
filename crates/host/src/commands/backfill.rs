//! `sluice backfill`.

use std::time::Duration;

use http::{Method, StatusCode};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::flows::{Flow, Remote, plain, print, print_json};

/// Brings in line what was created in a past range, in slices, beside the live flow.
///
/// The flow goes on with a backfill by itself, with every run of its schedule; this command only makes it go
/// on at once and shows how far it is. Ctrl-C ends the showing, not the backfill: the same command takes it up
/// again, --stop ends it.
///
/// Example: sluice backfill amazon-orders --from 2025-01-01 --to 2026-01-01
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// The first day, in UTC, or a time as in 2025-01-01T00:00:00Z.
    #[arg(long, value_name = "DAY", required_unless_present = "stop")]
    from: Option<String>,
    /// The day after the last, in UTC, or a time.
    #[arg(long, value_name = "DAY", required_unless_present = "stop")]
    to: Option<String>,
    /// Go through the range once more, although that was done.
    #[arg(long)]
    again: bool,
    /// End the backfill that is open; what it has queued is still worked on.
    #[arg(long, conflicts_with_all = ["from", "to", "again"])]
    stop: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Between two looks where the flow can't go on by itself, and does not say for how long.
const WAIT: Duration = Duration::from_secs(5);
/// At most, however long it says: the bar shows what else becomes of it meanwhile.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Faults in a row after which the command gives up; the schedule goes on trying.
const FAULT_COUNT_MAX: u32 = 5;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let flow = arguments.remote.flow(&arguments.flow)?;
    if arguments.stop {
        let job = flow.post("/run?backfill=stop", None)?;
        match arguments.remote.json {
            true => print_json(&job),
            false => print(&format!("stopped: {}", line(&job))),
        }
        return Ok(());
    }
    let from = time(arguments.from.as_deref().unwrap_or_default())?;
    let to = time(arguments.to.as_deref().unwrap_or_default())?;
    let before = flow.get("")?["backfill"].clone();
    let is_same = before["from"] == from.to_string() && before["to"] == to.to_string();
    let has_ended = is_same && before["state"] != "open";
    let job = match has_ended && before["state"] == "done" && !arguments.again {
        true => before,
        false => go_on(&flow, from, to, has_ended)?,
    };
    match arguments.remote.json {
        true => print_json(&job),
        false => print(&line(&job)),
    }
    Ok(())
}

/// To the end; anew from the beginning if it was there, or stopped. What the flow waits for is waited for.
fn go_on(flow: &Flow, from: Timestamp, to: Timestamp, anew: bool) -> anyhow::Result<Json> {
    let bar = ProgressBar::new(1000);
    let style = ProgressStyle::with_template("{bar:30} {msg}")?;
    bar.set_style(style);
    let path = format!("/run?from={from}&to={to}");
    // Once: the schedule goes on with it, too, and may be at its end before we ask again.
    let mut begin = match anew {
        true => format!("{path}&again=1"),
        false => path.clone(),
    };
    let mut fault_count = 0;
    loop {
        let answer = flow.ask(Method::POST, &begin, None)?;
        let failed = answer.status == StatusCode::SERVICE_UNAVAILABLE;
        let body = match failed {
            true => answer.body,
            false => answer.success()?,
        };
        let job = &body["backfill"];
        if job["state"] == "open" {
            begin.clone_from(&path);
        }
        bar.set_position(permille(job));
        bar.set_message(line(job));
        if !failed && job["state"] != "open" {
            bar.finish_and_clear();
            return Ok(job.clone());
        }
        fault_count = if failed { fault_count + 1 } else { 0 };
        if fault_count == FAULT_COUNT_MAX {
            let message = body["fault"]["message"].as_str();
            let message = message.or(body["message"].as_str()).unwrap_or_default();
            anyhow::bail!("{}; the schedule goes on trying", plain(message));
        }
        if failed || body["ended"] != "time" && body["ended"] != "records" {
            std::thread::sleep(wait(job));
        }
    }
}

/// How far it is, in one line.
pub(super) fn line(job: &Json) -> String {
    let text = |name: &str| plain(job[name].as_str().unwrap_or("?"));
    let mut line = format!(
        "{}: {} %, {} records, {} a second",
        text("state"),
        text("percent"),
        job["listed"],
        text("records_per_s")
    );
    if let Some(left_s) = job["left_s"].as_u64() {
        line += &match left_s {
            0..120 => format!(", {left_s} s left"),
            120..7200 => format!(", {} min left", left_s / 60),
            _ => format!(", {} h left", left_s / 3600),
        };
    }
    if let Some(waits) = job["waits"].as_str() {
        line += &format!(" (waits: {})", plain(waits));
    }
    line
}

/// As long as the flow waits for a limit or a report; a wait that is over says nothing.
fn wait(job: &Json) -> Duration {
    let asked = job["waits_s"].as_u64().filter(|asked| *asked > 0);
    asked.map_or(WAIT, |asked| Duration::from_secs(asked).min(WAIT_MAX))
}

fn permille(job: &Json) -> u64 {
    let percent = job["percent"].as_str().unwrap_or_default();
    percent.replace('.', "").parse().unwrap_or(0)
}

/// A time, or the beginning of a day in UTC.
fn time(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let day: Date = text
        .parse()
        .map_err(|_| anyhow::anyhow!("{text:?} is neither a day as in 2025-01-01 nor a time"))?;
    Ok(day.to_zoned(TimeZone::UTC)?.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn days_begin_in_utc_and_times_are_taken_as_they_are() {
        let day = time("2025-01-01").unwrap();
        assert_eq!(day, time("2025-01-01T00:00:00Z").unwrap());
        assert_eq!(time("2025-01-01T01:00:00+01:00").unwrap(), day);
        assert!(time("yesterday").is_err());
    }

    #[test]
    fn a_backfill_is_one_line() {
        let job = json!({ "state": "open", "percent": "12.5", "listed": 40, "records_per_s": "2.4",
            "left_s": 600, "waits": "AMAZON_REPORT: not ready" });
        let shown = line(&job);
        assert_eq!(
            shown,
            "open: 12.5 %, 40 records, 2.4 a second, 10 min left (waits: AMAZON_REPORT: not ready)"
        );
        assert_eq!(permille(&job), 125);
        assert_eq!(wait(&job), WAIT);
        assert_eq!(wait(&json!({ "waits_s": 30 })), Duration::from_secs(30));
        assert_eq!(wait(&json!({ "waits_s": 900 })), WAIT_MAX);
        assert_eq!(wait(&json!({ "waits_s": 0 })), WAIT);
    }
}
