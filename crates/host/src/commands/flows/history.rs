//! What happened to a record, and what people did.

use serde_json::Value as Json;

use super::text::{Paint, Table, plain, print, time};

/// How the record ended each time, and what people did about it.
pub(in crate::commands) fn history(shown: &Json) {
    let outcomes = list(&shown["outcomes"]);
    if !outcomes.is_empty() {
        print("");
        let mut table = Table::new(&["at", "outcome", "target", "by", "why"]);
        for outcome in outcomes {
            let name = text(&outcome["outcome"]);
            let paint = match name.as_str() {
                "dead" => Paint::Bad,
                "created" | "updated" => Paint::Good,
                _ => Paint::Plain,
            };
            table.row([
                (Paint::Plain, time(&outcome["at"])),
                (paint, name),
                (Paint::Plain, text(&outcome["target"])),
                (Paint::Plain, text(&outcome["cause"])),
                (Paint::Plain, text(&outcome["why"])),
            ]);
        }
        table.print();
    }
    if !list(&shown["trail"]).is_empty() {
        print("");
        trail(&shown["trail"]);
    }
}

/// Lines of the trail.
pub(in crate::commands) fn trail(lines: &Json) {
    let mut table = Table::new(&["line", "at", "who", "action", "what", "why", "details"]);
    for line in list(lines) {
        let details = match &line["details"] {
            Json::Null => String::new(),
            details => details.to_string(),
        };
        table.row([
            (Paint::Faint, line["seq"].to_string()),
            (Paint::Plain, time(&line["at"])),
            (Paint::Plain, text(&line["who"])),
            (Paint::Attention, text(&line["action"])),
            (Paint::Plain, text(&line["subject"])),
            (Paint::Plain, text(&line["reason"])),
            (Paint::Faint, details),
        ]);
    }
    table.print();
}

/// Fails, naming each record that nothing became of, and why.
pub(in crate::commands) fn reasons(refused: &Json) -> anyhow::Result<()> {
    let refused = list(refused);
    for one in refused {
        let line = format!("{} {}", text(&one["id"]), text(&one["why"]));
        eprintln!("{}", plain(&line));
    }
    match refused.len() {
        0 => Ok(()),
        count => anyhow::bail!("nothing was done about {count} of them"),
    }
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
