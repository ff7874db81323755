//! What `sluice up` refuses to run at all.

use std::path::Path;

use crate::support::{FLOW, components, stage};

/// The error of `sluice up` on this manifest.
fn refusal(change: fn(String) -> String) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = stage::write_manifest(folder.path(), change, None);
    let text = std::fs::read_to_string(&file).unwrap();
    (up(folder.path()), text)
}

fn up(folder: &Path) -> String {
    let output = components::sluice()
        .args(["up", "--listen", "127.0.0.1:0", "--state", "state"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn line_of(text: &str, part: &str) -> usize {
    let at = text.rfind(part).unwrap();
    text[..at].lines().count() + 1
}

#[test]
fn two_equal_routes() {
    let (error, text) = refusal(|text| {
        let twin = "[[trigger.http]]\nroute = \"/flows/opportunity-to-sales-order/...\"\ncomponent = \"twin\"\n\
                    [component.twin]\nsource = \"twin.wasm\"\n";
        format!("{text}\n{twin}")
    });
    let line = line_of(&text, &format!("route = \"/flows/{FLOW}/...\""));
    let near = (line - 1..=line).any(|line| error.contains(&format!("spin.toml:{line}:")));
    assert!(near && error.contains("route"), "line {line}: {error}");
}

#[test]
fn a_trigger_it_does_not_have() {
    let (error, _) = refusal(|text| {
        format!("{text}\n[[trigger.redis]]\nchannel = \"x\"\ncomponent = \"{FLOW}\"\n")
    });
    assert!(
        error.contains("spin.toml:") && error.contains("redis"),
        "{error}"
    );
}

#[test]
fn a_key_it_does_not_know() {
    let (error, text) = refusal(|text| text.replacen("sqlite_databases", "sqlite_database", 1));
    let line = line_of(&text, "sqlite_database ");
    assert!(
        error.contains(&format!("spin.toml:{line}")),
        "line {line}: {error}"
    );
}

#[test]
fn a_component_that_is_not_built() {
    let (error, _) = refusal(|text| text.replace("/opportunity_to_sales_order.wasm", "/none.wasm"));
    assert!(error.contains("none.wasm"), "{error}");
}
