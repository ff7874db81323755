//! `sluice audit`.

mod entry;
mod report;
mod sheet;

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::flows::{Flow, Remote, plain, print_json, progress};
use entry::Entry;
use report::Report;

/// Compares both systems record by record, and says of each what became of it. Writes to neither.
///
/// Ends with 0 only if nothing is unaccounted for. docs/AUDIT.md says what each state means.
///
/// Example: sluice audit opportunity-to-sales-order --from 2026-11-01 --to 2026-11-30 --csv november.csv
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// Only records of this day and later, by the dates that [audit] in the mapping names.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Only records of this day and earlier.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Write every record to this file, for a spreadsheet.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let flow = arguments.remote.flow(&arguments.flow)?;
    let started = Timestamp::now();
    let entries = walk(&flow, arguments.from, arguments.to)?;
    if let Some(file) = &arguments.csv {
        sheet::write(file, &entries)?;
    }
    let report = Report::of(&entries);
    if arguments.remote.json {
        let mut all = report.json();
        all["flow"] = arguments.flow.clone().into();
        all["at"] = started.to_string().into();
        all["from"] = json!(arguments.from.map(|day| day.to_string()));
        all["to"] = json!(arguments.to.map(|day| day.to_string()));
        all["records"] = entries.iter().map(|entry| entry.json.clone()).collect();
        print_json(&all);
    } else {
        let days = match (arguments.from, arguments.to) {
            (None, None) => String::new(),
            (from, to) => {
                let day = |day: Option<Date>| day.map_or("…".to_owned(), |day| day.to_string());
                format!(", days {} to {}", day(from), day(to))
            }
        };
        let at = started.strftime("%Y-%m-%d %H:%MZ");
        let title = format!("Audit of {} at {at}{days}", plain(&arguments.flow));
        report.print(&title, &entries);
    }
    match report.unaccounted() {
        0 => Ok(()),
        1 => anyhow::bail!("one record is unaccounted for"),
        count => anyhow::bail!("{count} records are unaccounted for"),
    }
}

/// Both sides to their ends. A record that changed meanwhile is met again; what is said last counts.
fn walk(flow: &Flow, from: Option<Date>, to: Option<Date>) -> anyhow::Result<Vec<Entry>> {
    let mut days = String::new();
    for (name, day) in [("from", from), ("to", to)] {
        if let Some(day) = day {
            days += &format!("&{name}={day}");
        }
    }
    let bar = progress();
    let mut entries: BTreeMap<(&str, String), Entry> = BTreeMap::new();
    for side in ["source", "target"] {
        let mut looked_at = 0;
        flow.walk(&Method::GET, &format!("/audit?side={side}{days}"), |page| {
            looked_at += page["looked_at"].as_u64().unwrap_or(0);
            bar.set_message(format!("{side}: {looked_at} records"));
            for entry in page["entries"].as_array().into_iter().flatten() {
                let id = entry[side].as_str().unwrap_or_default().to_owned();
                entries.insert((side, id), Entry::read(side, entry)?);
            }
            Ok(())
        })?;
    }
    bar.finish_and_clear();
    Ok(entries.into_values().collect())
}

/// Text, or nothing.
fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}
