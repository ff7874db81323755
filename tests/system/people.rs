//! What people do about what is stuck, by the real command line.

use serde_json::{Value, json};

use crate::support::stage::eventually;
use crate::support::{FLOW, Sale, Stage, components};

/// Somebody at a terminal.
struct Rosa<'a>(&'a Stage);

/// What a command printed, and whether it ended well.
struct Printed {
    good: bool,
    out: String,
    err: String,
}

impl Rosa<'_> {
    fn types(&self, command: &str, arguments: &[&str]) -> Printed {
        let mut line = components::sluice();
        line.args([command, FLOW, "--user", "rosa"])
            .args(["--url", &self.0.url("")])
            .args(arguments)
            .env("SPIN_VARIABLE_FLOWS_TOKEN", &self.0.secrets.flows_token);
        // The host runs in this process, too.
        let output = tokio::task::block_in_place(|| line.output()).unwrap();
        Printed {
            good: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A command that ends well and prints these.
    fn reads(&self, command: &str, arguments: &[&str], parts: &[&str]) {
        let printed = self.types(command, arguments);
        assert!(printed.good, "{command} {arguments:?}: {}", printed.err);
        for part in parts {
            assert!(
                printed.out.contains(part),
                "{command}: no {part:?} in\n{}",
                printed.out
            );
        }
    }

    /// A command that fails with this on standard error.
    fn is_refused(&self, command: &str, arguments: &[&str], reason: &str) {
        let printed = self.types(command, arguments);
        assert!(!printed.good, "{command} {arguments:?}: {}", printed.out);
        assert!(printed.err.contains(reason), "{command}: {}", printed.err);
    }

    fn json(&self, command: &str, arguments: &[&str]) -> Value {
        let printed = self.types(command, &[arguments, &["--json"]].concat());
        assert!(printed.good, "{command} {arguments:?}: {}", printed.err);
        serde_json::from_str(&printed.out).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stuck_is_found_understood_and_set_right() {
    let stage = Stage::start().await;
    let rosa = Rosa(&stage);
    stage.run().await;
    let good = stage.enter_quietly(&stage.sale());
    // NetSuite takes no order without lines.
    let bare = || Sale {
        lines: Vec::new(),
        ..stage.sale()
    };
    let (edited, skipped) = (stage.enter_quietly(&bare()), stage.enter_quietly(&bare()));
    let report = stage.run().await;
    assert_eq!(
        (&report["created"], &report["dead"]),
        (&json!(1), &json!(2)),
        "{report}"
    );

    rosa.reads("status", &[], &[FLOW, "dead", "2", "OpportunityLineItem"]);
    rosa.reads(
        "dead",
        &[],
        &[
            "MAPPING_FIELDS",
            "item.items",
            &format!("sluice show {FLOW}"),
        ],
    );
    let dead = rosa.json("dead", &[]);
    assert_eq!(dead["causes"][0]["count"], 2, "{dead}");
    rosa.reads(
        "show",
        &[&edited],
        &["MAPPING_FIELDS", "item.items", "at least 1"],
    );

    // The lines somebody forgot, as another opportunity has them.
    let shown = rosa.json("show", &[&good]);
    assert_eq!(shown["changes"], json!([]), "{shown}");
    let lines = &shown["source"]["body"]["OpportunityLineItems"];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edit.json");
    std::fs::write(&file, json!({ "OpportunityLineItems": lines }).to_string()).unwrap();
    let edit = [
        "--edit",
        file.to_str().unwrap(),
        "--reason",
        "lines forgotten",
    ];
    rosa.reads(
        "retry",
        &[&[edited.as_str()], &edit[..]].concat(),
        &["created"],
    );
    let orders = stage.orders_of(&edited).await;
    assert_eq!(orders[0]["item"]["items"].as_array().unwrap().len(), 3);
    let order = orders[0]["id"].as_str().unwrap();
    let trace = rosa.json("trace", &[order]);
    assert_eq!(
        (&trace["found_by"], &trace["id"]),
        (&json!("target"), &json!(edited))
    );
    rosa.reads(
        "trace",
        &[order],
        &[&edited, "a person edited it", "lines forgotten"],
    );

    // Tried again, it dies again; then nobody wants it.
    rosa.reads(
        "retry",
        &["--code", "MAPPING_FIELDS"],
        &["1 are tried again"],
    );
    eventually("its second death", async || {
        let trace = rosa.json("trace", &[&skipped]);
        (trace["outcomes"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    rosa.reads("skip", &[&skipped, "--reason", "a test"], &["1 skipped"]);
    rosa.is_refused(
        "skip",
        &[&skipped, "--reason", "again"],
        "is not in the queue",
    );

    // Neither our write-back nor what was skipped is news.
    let report = stage.run().await;
    let written = (&report["created"], &report["updated"], &report["dead"]);
    assert_eq!(written, (&json!(0), &json!(0), &json!(0)), "{report}");
    assert_eq!(stage.status().await["queue"]["dead"], 0);
    assert_eq!(stage.orders_of(&edited).await.len(), 1);

    rosa.reads("pause", &["--reason", "an upgrade"], &["paused"]);
    let late = stage.enter_quietly(&stage.sale());
    assert_eq!(stage.run().await["ended"], "paused");
    rosa.reads("status", &[], &["paused since", "by rosa: an upgrade"]);
    rosa.reads("resume", &["--reason", "done"], &["running"]);
    assert_eq!(stage.run().await["created"], 1);
    assert_eq!(stage.orders_of(&late).await.len(), 1);

    rosa.is_refused("cursor", &["--to", "2099-01-01T00:00:00Z"], "lies ahead");
    rosa.reads(
        "cursor",
        &["--to", "2020-01-01T00:00:00Z"],
        &["to 2020-01-01"],
    );
    rosa.is_refused(
        "cursor",
        &["--to", "2021-01-01T00:00:00Z"],
        "may not be applied",
    );
    rosa.is_refused("trace", &["nothing"], "nothing is known of");
    rosa.is_refused("show", &["a/b"], "no record's id");
    rosa.is_refused("retry", &[], "required");

    let trail = rosa.json("trail", &[]);
    let lines = trail["lines"].as_array().unwrap();
    let actions: Vec<_> = lines
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        actions,
        ["cursor", "resume", "pause", "skip", "retry", "edit"]
    );
    assert!(lines.iter().all(|line| line["who"] == "rosa"), "{trail}");
    rosa.reads("trail", &[], &["rosa", "lines forgotten", "an upgrade"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_token_or_no_host_is_told() {
    let mut line = components::sluice();
    line.args(["status", FLOW])
        .env_remove("SPIN_VARIABLE_FLOWS_TOKEN");
    let error = String::from_utf8(line.output().unwrap().stderr).unwrap();
    assert!(
        error.contains("SPIN_VARIABLE_FLOWS_TOKEN is not set"),
        "{error}"
    );
    let mut line = components::sluice();
    line.args(["status", FLOW, "--url", "http://127.0.0.1:1"])
        .env("SPIN_VARIABLE_FLOWS_TOKEN", "x");
    let output = line.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && error.contains("can't ask"),
        "{error}"
    );
}
