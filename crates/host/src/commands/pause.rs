//! `sluice pause`.

use serde_json::json;

use super::flows::{Remote, plain, print, print_json};

/// Pauses a flow: webhooks are still committed and acknowledged, and nothing is worked on or listed.
///
/// Example: sluice pause opportunity-to-sales-order --reason "NetSuite is being upgraded"
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
    let answer = flow.post("/pause", Some(&body))?;
    if arguments.remote.json {
        print_json(&answer);
        return Ok(());
    }
    let state = answer["state"].as_str().unwrap_or_default();
    print(&format!("{}: {}", plain(&arguments.flow), plain(state)));
    Ok(())
}
