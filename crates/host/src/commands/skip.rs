//! `sluice skip`.

use serde_json::json;

use super::flows::{Remote, print, print_json, reasons};

/// Takes records off the queue for good. A change in the source, or a new webhook, brings them back.
///
/// Example: sluice skip opportunity-to-sales-order 006Hs00001A2b3CIAR --reason "a test deal"
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// Ids of records in the source.
    #[arg(required = true)]
    ids: Vec<String>,
    /// Why, for the audit trail and the outcome.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let body = json!({ "ids": arguments.ids, "reason": arguments.reason });
    let flow = arguments.remote.flow(&arguments.flow)?;
    let answer = flow.post("/skip", Some(&body))?;
    if arguments.remote.json {
        print_json(&answer);
    } else {
        print(&format!("{} skipped.", answer["skipped"]));
    }
    reasons(&answer["not_skipped"])
}
