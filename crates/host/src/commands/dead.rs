//! `sluice dead`.

use serde_json::Value as Json;

use super::flows::{Paint, Remote, Table, plain, print, print_json, time};

/// Lists a flow's dead letters by cause, the most frequent first.
///
/// Example: sluice dead opportunity-to-sales-order --env-file .env
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let dead = arguments.remote.flow(&arguments.flow)?.get("/dead")?;
    if arguments.remote.json {
        print_json(&dead);
        return Ok(());
    }
    let causes = dead["causes"].as_array().map_or(&[][..], Vec::as_slice);
    if causes.is_empty() {
        print(&Paint::Good.style().apply_to("Nothing is dead.").to_string());
        return Ok(());
    }
    let mut table = Table::new(&["count", "code", "oldest", "records", "what it says"]);
    for cause in causes {
        table.row([
            (Paint::Bad, cause["count"].to_string()),
            (Paint::Title, text(&cause["code"])),
            (Paint::Plain, time(&cause["oldest"])),
            (Paint::Plain, records(cause)),
            (Paint::Plain, says(cause)),
        ]);
    }
    table.print();
    if dead["complete"] == false {
        print("There are more causes, or more dead letters, than are shown.");
    }
    print("");
    let flow = plain(&arguments.flow);
    print(&format!("One of them whole:  sluice show {flow} <record>"));
    print(&format!(
        "Try a cause again:  sluice retry {flow} --code <code>"
    ));
    Ok(())
}

/// One or two of the records, and how many more there are.
fn records(cause: &Json) -> String {
    const NAMED: usize = 2;
    let ids = cause["ids"].as_array().into_iter().flatten();
    let named: Vec<_> = ids.filter_map(Json::as_str).take(NAMED).collect();
    let rest = cause["count"].as_u64().unwrap_or(0) as usize - named.len();
    match rest {
        0 => named.join(" "),
        rest => format!("{} +{rest}", named.join(" ")),
    }
}

/// The vendor's code and the fields, where there are any; else the message.
fn says(cause: &Json) -> String {
    let fields = cause["fields"].as_array().into_iter().flatten();
    let fields: Vec<_> = fields.filter_map(Json::as_str).collect();
    let vendor = cause["vendor_code"].as_str();
    match (vendor, fields.is_empty()) {
        (Some(vendor), true) => format!("{vendor}: {}", text(&cause["message"])),
        (Some(vendor), false) => format!("{vendor}: {}", fields.join(", ")),
        (None, false) => fields.join(", "),
        (None, true) => text(&cause["message"]),
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cause_in_two_cells() {
        let cause = json!({ "count": 5, "ids": ["A", "B", "C"], "fields": ["memo", "total"] });
        assert_eq!(
            (records(&cause).as_str(), says(&cause).as_str()),
            ("A B +3", "memo, total")
        );
        let cause = json!({ "count": 1, "ids": ["A"], "message": "no", "vendor_code": "X" });
        assert_eq!(
            (records(&cause).as_str(), says(&cause).as_str()),
            ("A", "X: no")
        );
    }
}
