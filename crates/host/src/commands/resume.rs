//! `sluice resume`.

use serde_json::json;

use super::flows::{Remote, plain, print, print_json};

/// Lets a paused flow work again: what was queued meanwhile is taken up by the next run.
///
/// Example: sluice resume opportunity-to-sales-order --reason "the upgrade is over"
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// Why, for the audit trail.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let body = json!({ "reason": arguments.reason });
    let flow = arguments.remote.flow(&arguments.flow)?;
    let answer = flow.post("/resume", Some(&body))?;
    if arguments.remote.json {
        print_json(&answer);
        return Ok(());
    }
    let state = answer["state"].as_str().unwrap_or_default();
    print(&format!("{}: {}", plain(&arguments.flow), plain(state)));
    Ok(())
}
