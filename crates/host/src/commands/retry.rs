//! `sluice retry`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use http::Method;
use serde_json::{Value as Json, json};

use super::flows::{Flow, Remote, plain, print, print_json, reasons};
use super::show::fault;

/// Tries records again: some, all that died of one cause, or every dead letter.
///
/// With --edit, one record is brought in line as if the source said what the file says: a JSON object whose
/// fields replace the source's (lists whole; null takes away). The source itself is not touched, and its next
/// real change wins.
///
/// Example: sluice retry opportunity-to-sales-order --code MAPPING_FIELDS --env-file .env
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "code", "all"]))]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// Ids of records in the source.
    ids: Vec<String>,
    /// Every dead letter of this fault's code.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Every dead letter.
    #[arg(long)]
    all: bool,
    /// Data to put in the place of the source's, for one record.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["code", "all"])]
    edit: Option<PathBuf>,
    /// Why, for the audit trail.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let flow = arguments.remote.flow(&arguments.flow)?;
    if let Some(file) = &arguments.edit {
        return edited(arguments, &flow, file);
    }
    let mut body = match (&arguments.code, arguments.all) {
        (Some(code), _) => json!({ "code": code }),
        (None, true) => json!({ "all": true }),
        (None, false) => json!({ "ids": arguments.ids }),
    };
    if let Some(reason) = &arguments.reason {
        body["reason"] = reason.as_str().into();
    }
    let answer = flow.post("/retry", Some(&body))?;
    if arguments.remote.json {
        print_json(&answer);
    } else {
        print(&format!("{} are tried again now.", answer["retried"]));
    }
    reasons(&answer["not_retried"])
}

fn edited(arguments: &Arguments, flow: &Flow, file: &Path) -> anyhow::Result<()> {
    let [id] = arguments.ids.as_slice() else {
        anyhow::bail!("--edit is for one record");
    };
    let text =
        std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    let edit: Json = serde_json::from_str(&text)
        .ok()
        .filter(Json::is_object)
        .with_context(|| format!("{}: expected a JSON object", file.display()))?;
    let mut body = json!({ "edit": edit });
    if let Some(reason) = &arguments.reason {
        body["reason"] = reason.as_str().into();
    }
    let path = Flow::record("/records", id)?;
    let answer = flow.ask(Method::POST, &path, Some(&body))?;
    if arguments.remote.json {
        print_json(&answer.body);
    }
    // What became of the record is an answer, too: a fault, or that it is tried again later.
    let Some(state) = answer.body["state"].as_str() else {
        return answer.success().map(|_| ());
    };
    if !arguments.remote.json {
        let why = answer.body["why"].as_str().unwrap_or_default();
        let target = answer.body["target"].as_str().unwrap_or_default();
        let line = format!("{id}: {state} {target} {why}");
        print(&plain(line.trim_end()));
        fault(&answer.body["fault"]);
    }
    anyhow::ensure!(answer.status.is_success(), "{id} is {}", plain(state));
    Ok(())
}
