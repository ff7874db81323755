//! The one way in: most tests are a call of [`check`] or [`refused`].

use mapping::{Links, MappingFile, Section};
use serde_json::Value;
use sluice_core::{Action, code};

/// The tables and settings that fields are tried with.
const AROUND: &str = r#"
    version = 1
    [settings]
    time_zone = "America/New_York"
    [tables.terms]
    "Net 30" = "11"
    "true" = "yes"
    "5" = "five"
"#;

/// Maps `input` and compares with `expect`: JSON, or the bad fields, a line each, `path: reason`.
///
/// `lines` is the content of `[order.fields]`, or, where it has a table header, of the whole file.
/// Every `customer` is linked: `a1` to `t1`.
#[track_caller]
pub fn check(lines: &str, input: &str, expect: &str) {
    let section = section(lines);
    let input: Value = serde_json::from_str(input).unwrap();
    let mut links = Links::new();
    links.insert("customer", "a1", "t1");
    match section.apply(&input, &links) {
        Ok(mapped) => {
            let wanted: Value = serde_json::from_str(expect).unwrap_or_else(|_| {
                panic!("{lines}\n{input}\n gave {mapped}\n instead of {expect}")
            });
            assert_eq!(mapped.to_string(), wanted.to_string(), "{lines}\n{input}");
        }
        Err(fault) => {
            assert_eq!(fault.code, code::MAPPING_FIELDS);
            assert_eq!(fault.action, Action::DeadLetter);
            let said: Vec<String> = fault
                .fields
                .iter()
                .map(|field| format!("{}: {}", field.path, field.reason))
                .collect();
            let wanted: Vec<&str> = expect.lines().map(str::trim).collect();
            assert_eq!(said, wanted, "{lines}\n{input}");
        }
    }
}

/// Refuses the file, with exactly these problems, a line each, `line:column: reason`.
#[track_caller]
pub fn refused(text: &str, expect: &str) {
    let fault = match MappingFile::parse("m", text) {
        Err(fault) => fault,
        Ok(_) => panic!("not refused:\n{text}"),
    };
    assert_eq!(fault.code, code::MAPPING_INVALID);
    assert_eq!(fault.action, Action::StopFlow);
    let others = fault
        .fields
        .iter()
        .map(|field| format!("{}: {}", field.path, field.reason));
    let said: Vec<String> = std::iter::once(fault.message.clone())
        .chain(others)
        .collect();
    let wanted: Vec<String> = expect
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| format!("m:{line}"))
        .collect();
    assert_eq!(said, wanted, "{text}");
}

/// The section `order` of a file, or of one made around these lines.
#[track_caller]
pub fn section(lines: &str) -> Section {
    let whole = if lines.contains("\n[") || lines.trim_start().starts_with("version") {
        lines.to_owned()
    } else {
        format!("{AROUND}\n[order.fields]\n{lines}")
    };
    let file = MappingFile::parse("m", &whole).unwrap_or_else(|fault| panic!("{fault}\n{whole}"));
    file.section("order").unwrap().clone()
}

/// `order` with a list `l` made of the source's `L`, with these lines under its header.
pub fn list(head: &str, fields: &str) -> String {
    format!("version = 1\n[order.lists.l]\nfrom = \"L\"\n{head}\n[order.lists.l.fields]\n{fields}")
}
