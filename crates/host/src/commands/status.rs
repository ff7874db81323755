//! `sluice status`.

use serde_json::Value as Json;

use super::flows::{Paint, Remote, Table, pairs, plain, print, print_json, time};

/// Shows how a flow stands: its cursor, its queue, what is stuck, the last runs.
///
/// Example: sluice status opportunity-to-sales-order --env-file .env
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let status = arguments.remote.flow(&arguments.flow)?.get("")?;
    if arguments.remote.json {
        print_json(&status);
        return Ok(());
    }
    let flow = plain(&arguments.flow);
    print(&Paint::Title.style().apply_to(flow).to_string());
    let paused = &status["paused"];
    if !paused.is_null() {
        let text = |name: &str| paused[name].as_str().unwrap_or_default();
        let since = time(&paused["since"]);
        let line = format!(
            "paused since {since} by {}: {}",
            text("who"),
            text("reason")
        );
        print(&Paint::Attention.style().apply_to(plain(&line)).to_string());
    }
    let queue = &status["queue"];
    let of = |names: &[&str]| {
        let parts = names.iter().map(|name| {
            let count = queue[*name].to_string();
            format!("{count} {}", name.replace('_', " "))
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    pairs(&[
        ("queue", of(&["ready", "waiting", "in_work", "to_confirm"])),
        ("dead", queue["dead"].to_string()),
        ("oldest due", time(&queue["oldest_due"])),
        ("cursor", cursor(&status["cursor"])),
        ("outcomes", counts(&status["outcomes"])),
        ("backfill", backfill(&status["backfill"])),
    ]);
    runs(&status["runs"]);
    Ok(())
}

fn backfill(job: &Json) -> String {
    match job.is_null() {
        true => "none yet".to_owned(),
        false => super::backfill::line(job),
    }
}

/// Each stream, and up to when it was listed whole.
fn cursor(cursor: &Json) -> String {
    let Some(streams) = cursor["streams"].as_object() else {
        return "none yet".to_owned();
    };
    let place = |(name, place): (&String, &Json)| {
        let open = match place["open"].is_null() {
            true => "",
            false => " (a window is open)",
        };
        format!("{name} {}{open}", time(&place["complete"]))
    };
    streams.iter().map(place).collect::<Vec<_>>().join(", ")
}

fn counts(counts: &Json) -> String {
    let counts = counts.as_object().into_iter().flatten();
    let parts = counts.map(|(name, count)| format!("{count} {name}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// What kept a run from all it was to do: the code of its fault, or of what it waits for, or which streams have
/// their turn later.
fn why(report: &Json) -> String {
    if let Some(code) = report["fault"]["code"].as_str() {
        return plain(code);
    }
    if let Some(waits) = report["waits"].as_str() {
        return plain(waits.split(':').next().unwrap_or_default());
    }
    let postponed = report["postponed"].as_array().into_iter().flatten();
    let names: Vec<&str> = postponed.filter_map(Json::as_str).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("later: {}", plain(&names.join(", "))),
    }
}

fn runs(runs: &Json) {
    let mut table = Table::new(&["run", "started", "ended", "read", "written", "dead", "why"]);
    for run in runs.as_array().into_iter().flatten() {
        let report = &run["report"];
        let number = |name: &str| report[name].as_u64().unwrap_or(0);
        let ended = report["ended"].as_str().unwrap_or("not ended");
        let paint = match ended {
            "done" | "busy" => Paint::Good,
            "time" | "records" | "paused" | "waits" => Paint::Attention,
            _ => Paint::Bad,
        };
        let dead = number("dead");
        table.row([
            (Paint::Plain, run["run"].to_string()),
            (Paint::Plain, time(&run["started"])),
            (paint, ended.to_owned()),
            (Paint::Plain, number("read").to_string()),
            (
                Paint::Plain,
                (number("created") + number("updated")).to_string(),
            ),
            match dead {
                0 => (Paint::Plain, "0".to_owned()),
                dead => (Paint::Bad, dead.to_string()),
            },
            (Paint::Plain, why(report)),
        ]);
    }
    print("");
    table.print();
}
