//! `sluice trail`.

use super::flows::{Remote, print, print_json, trail};

/// Shows what people did, the newest first.
///
/// Example: sluice trail opportunity-to-sales-order --env-file .env
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// Only lines before this one, by its number.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = match arguments.before {
        Some(before) => format!("/trail?before={before}"),
        None => "/trail".to_owned(),
    };
    let answer = arguments.remote.flow(&arguments.flow)?.get(&path)?;
    if arguments.remote.json {
        print_json(&answer);
        return Ok(());
    }
    trail(&answer["lines"]);
    if let Some(next) = answer["next_before"].as_i64() {
        print(&format!("Older lines: --before {next}"));
    }
    Ok(())
}
