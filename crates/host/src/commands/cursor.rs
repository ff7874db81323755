//! `sluice cursor`.

use serde_json::json;

use super::flows::{Remote, plain, print, print_json, time};

/// Sets where the next run begins to list changes. It lists some minutes more, to be safe.
///
/// Back is always safe: what is in step already is not written again. Forward would pass changes by, and is
/// refused unless --skip says that this is meant.
///
/// Example: sluice cursor opportunity-to-sales-order --to 2026-11-22T00:00:00Z --reason "restored a backup"
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// A time by the source's clock.
    #[arg(long, value_name = "TIME")]
    to: String,
    /// Pass by what lies between; needs --reason.
    #[arg(long, requires = "reason")]
    skip: bool,
    /// Why, for the audit trail.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut body = json!({ "to": arguments.to, "skip": arguments.skip });
    if let Some(reason) = &arguments.reason {
        body["reason"] = reason.as_str().into();
    }
    let flow = arguments.remote.flow(&arguments.flow)?;
    let answer = flow.post("/cursor", Some(&body))?;
    if arguments.remote.json {
        print_json(&answer);
        return Ok(());
    }
    let streams = answer["cursor"]["streams"].as_object();
    for (name, place) in streams.into_iter().flatten() {
        let before = &answer["before"]["streams"][name.as_str()]["complete"];
        let before = match before.is_null() {
            true => "nowhere".to_owned(),
            false => time(before),
        };
        let now = time(&place["complete"]);
        print(&plain(&format!("{name}: from {before} to {now}")));
    }
    Ok(())
}
