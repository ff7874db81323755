//! `sluice show`.

use serde_json::Value as Json;

use super::flows::{Flow, Paint, Remote, Table, history, pairs, plain, print, print_json, time};

/// Shows one record whole: its fault, the source and the target as they are now, what the mapping makes of
/// it, and what happened to it.
///
/// Example: sluice show opportunity-to-sales-order 006Hs00001A2b3CIAR --env-file .env
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The flow.
    flow: String,
    /// The record's id in the source.
    id: String,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = Flow::record("/records", &arguments.id)?;
    let shown = arguments.remote.flow(&arguments.flow)?.get(&path)?;
    if arguments.remote.json {
        print_json(&shown);
        return Ok(());
    }
    title(&text(&shown["id"]));
    item(&shown["queue"]);
    fault(&shown["queue"]["fault"]);
    side("source", &shown["source"]);
    mapping(&shown["mapping"]);
    side("target", &shown["target"]);
    changes(&shown["changes"]);
    history(&shown);
    Ok(())
}

fn item(item: &Json) {
    if item.is_null() {
        print("It is not in the queue.");
        return;
    }
    pairs(&[
        ("state", text(&item["state"])),
        ("attempts", item["attempts"].to_string()),
        ("due", time(&item["due"])),
        ("announced", time(&item["hinted"])),
        ("waits on", text(&item["waits_on"])),
        ("in work until", time(&item["in_work_until"])),
        ("to confirm", time(&item["confirm_at"])),
        ("edit", shown(&item["edit"])),
    ]);
}

/// What went wrong: code, message, each bad field, and the vendor's own words.
pub(super) fn fault(fault: &Json) {
    if fault.is_null() {
        return;
    }
    print("");
    let code = Paint::Bad.style().apply_to(plain(&text(&fault["code"])));
    print(&format!("{code}  {}", plain(&text(&fault["message"]))));
    let mut table = Table::new(&["field", "what is wrong"]);
    let fields = fault["fields"].as_array().into_iter().flatten();
    let mut count = 0;
    for field in fields {
        count += 1;
        table.row([
            (Paint::Plain, text(&field["path"])),
            (Paint::Plain, text(&field["reason"])),
        ]);
    }
    if count > 0 {
        table.print();
    }
    let answer = &fault["answer"];
    if !answer.is_null() {
        pairs(&[(
            "the vendor said",
            format!(
                "{} {} {}",
                answer["status"],
                text(&answer["code"]),
                text(&answer["message"])
            ),
        )]);
    }
}

fn side(name: &str, side: &Json) {
    print("");
    title(name);
    if !side["fault"].is_null() {
        fault(&side["fault"]);
        return;
    }
    pairs(&[
        ("state", text(&side["state"])),
        ("id", text(&side["id"])),
        ("locked", text(&side["locked"])),
    ]);
    if !side["body"].is_null() {
        body(&side["body"]);
    }
}

fn mapping(mapping: &Json) {
    if mapping.is_null() {
        return;
    }
    print("");
    title("mapping");
    if !mapping["fault"].is_null() {
        fault(&mapping["fault"]);
        return;
    }
    let missing = mapping["missing"].as_array().into_iter().flatten();
    let missing: Vec<_> = missing.filter_map(Json::as_str).collect();
    if mapping["in_scope"] == false {
        print("It is not in the scope of the flow.");
    }
    pairs(&[("missing", missing.join(", "))]);
    body(&mapping["body"]);
}

fn changes(changes: &Json) {
    let Some(changes) = changes.as_array() else {
        return;
    };
    print("");
    title("what differs");
    if changes.is_empty() {
        print("Nothing: the target holds what the mapping wants.");
        return;
    }
    let mut table = Table::new(&["field", "the target holds", "the mapping wants"]);
    for change in changes {
        table.row([
            (Paint::Plain, text(&change["path"])),
            (Paint::Plain, shown(&change["held"])),
            (Paint::Attention, shown(&change["wanted"])),
        ]);
    }
    table.print();
}

fn title(text: &str) {
    print(&Paint::Title.style().apply_to(plain(text)).to_string());
}

/// JSON as it is, indented.
fn body(body: &Json) {
    let text = serde_json::to_string_pretty(body).unwrap_or_default();
    text.lines().for_each(|line| print(&plain(line)));
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        value => value.to_string(),
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
