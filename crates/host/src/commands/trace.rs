//! `sluice trace`.

use serde_json::Value as Json;

use super::flows::{Flow, Paint, Remote, Table, history, pairs, plain, print, print_json, time};
use super::show::fault;

/// Tells everything that happened to a record, found by its own id or by its target's.
///
/// Example: sluice trace opportunity-to-sales-order 10423 --env-file .env
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// An id of the source or of the target.
    id: String,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = Flow::record("/trace", &arguments.id)?;
    let trace = arguments.remote.flow(&arguments.flow)?.get(&path)?;
    if arguments.remote.json {
        print_json(&trace);
        return Ok(());
    }
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let link = &trace["link"];
    print(
        &Paint::Title
            .style()
            .apply_to(plain(&text(&trace["id"])))
            .to_string(),
    );
    pairs(&[
        ("source", text(&trace["source"])),
        ("target", text(&trace["target"])),
        (
            "in step as",
            match (link.is_null(), link["edited"].is_string()) {
                (true, _) => "never: there is no link".to_owned(),
                (false, true) => "a person edited it".to_owned(),
                (false, false) if link["closed"] == true => "closed".to_owned(),
                (false, false) => match link["version"].as_i64() {
                    Some(version) => format!("version {version}"),
                    None => String::new(),
                },
            },
        ),
        ("queue", text(&trace["queue"]["state"])),
        ("due", time(&trace["queue"]["due"])),
    ]);
    fault(&trace["queue"]["fault"]);
    let runs = trace["runs"].as_array().map_or(&[][..], Vec::as_slice);
    if !runs.is_empty() {
        print("");
        let mut table = Table::new(&["run", "started", "finished"]);
        for run in runs {
            table.row([
                (Paint::Plain, run["run"].to_string()),
                (Paint::Plain, time(&run["started"])),
                (Paint::Plain, time(&run["finished"])),
            ]);
        }
        table.print();
    }
    history(&trace);
    Ok(())
}
