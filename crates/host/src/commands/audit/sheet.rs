//! Every record as a row, for a spreadsheet.

use std::path::Path;

use anyhow::Context;

use super::entry::{Entry, Said};

const HEAD: [&str; 12] = [
    "side",
    "source",
    "target",
    "state",
    "why",
    "source amount",
    "source currency",
    "source day",
    "target amount",
    "target currency",
    "target day",
    "differences",
];

pub(super) fn write(file: &Path, entries: &[Entry]) -> anyhow::Result<()> {
    let name = || format!("can't write {}", file.display());
    let mut sheet = csv::Writer::from_path(file).with_context(name)?;
    sheet.write_record(HEAD).with_context(name)?;
    for entry in entries {
        let [source, target] = [&entry.source_says, &entry.target_says].map(figures);
        let row = [
            entry.side.to_owned(),
            harmless(&entry.source),
            harmless(&entry.target),
            entry.state.clone(),
            harmless(&entry.why),
        ];
        let last = harmless(&entry.differences.join("\n"));
        let row = row.into_iter().chain(source).chain(target).chain([last]);
        sheet.write_record(row).with_context(name)?;
    }
    sheet.flush().with_context(name)
}

fn figures(said: &Said) -> [String; 3] {
    let amount = said.amount.map(|amount| amount.to_string());
    [
        amount.unwrap_or_default(),
        harmless(&said.currency),
        harmless(&said.day),
    ]
}

/// A spreadsheet takes a text that begins like a formula for one.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_holds_exact_amounts_and_no_formula() {
        let entry = json!({
            "source": "006A", "target": "7", "state": "unaccounted", "why": "=cmd()",
            "source_says": { "amount": "-0.10", "currency": "EUR", "day": "2026-11-30" },
            "target_says": {},
            "changes": [{ "path": "memo", "held": "a \"b\", c", "wanted": null }],
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        write(file.path(), &[Entry::read("source", &entry).unwrap()]).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let mut sheet = csv::Reader::from_reader(text.as_bytes());
        let row = sheet.records().next().unwrap().unwrap();
        assert_eq!(row.len(), HEAD.len());
        assert_eq!((&row[4], &row[5]), ("'=cmd()", "-0.10"));
        assert!(row[11].starts_with("memo: holds"), "{text}");
    }
}
