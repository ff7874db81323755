//! What was mapped must add up to what the source says.

use sluice_core::code;

use crate::check::{check, refused, section};

/// A mapping with two blocks in one list and a field beside it.
fn file(total: &str) -> String {
    format!(
        r#"
        version = 1
        [order.fields]
        ship = {{ from = "Ship", as = "decimal", optional = true }}
        [[order.lists."i.l"]]
        from = "L"
        fields.amount = {{ from = "A", as = "decimal" }}
        [[order.lists."i.l"]]
        from = "M"
        optional = true
        fields.amount = {{ from = "A", optional = true }}
        fields.note = {{ from = "N", optional = true }}
        {total}"#
    )
}

/// The message of `TOTAL_DIFFERS`, or "" where all adds up.
#[track_caller]
fn told(total: &str, body: &str, expect: &str) {
    let section = section(&file(total));
    let body = serde_json::from_str(body).unwrap();
    let said = match section.apply(&body, &mapping::Links::new()) {
        Ok(_) => String::new(),
        Err(fault) => {
            assert_eq!(fault.code, code::TOTAL_DIFFERS, "{fault}");
            assert_eq!(section.references(&body).unwrap_err(), fault);
            fault.message.replace("section `order`: ", "")
        }
    };
    assert_eq!(said, expect, "{total}\n{body}");
}

const LINES: &str = r#"[order.total]
source = "T"
target = { list = "i.l", field = "amount" }"#;

#[test]
fn the_lines_of_all_blocks_are_added() {
    told(
        LINES,
        r#"{"T":"0.3","L":[{"A":0.1}],"M":[{"A":"0.20"}]}"#,
        "",
    );
    told(LINES, r#"{"T":0,"L":[]}"#, "");
    told(LINES, r#"{"T":3e0,"L":[{"A":1},{"A":2.000}]}"#, "");
    told(
        LINES,
        r#"{"T":"100","L":[{"A":99.99}]}"#,
        "i.l.amount adds up to 99.99, but T is 100.00; the difference is -0.01",
    );
    told(
        LINES,
        r#"{"T":-1,"L":[]}"#,
        "i.l.amount adds up to 0, but T is -1; the difference is 1",
    );
    // Farther apart than binary numbers can tell.
    told(
        LINES,
        r#"{"T":123456789012345678.01,"L":[{"A":123456789012345678.00},{"A":0.02}]}"#,
        "i.l.amount adds up to 123456789012345678.02, but T is 123456789012345678.01; the difference is 0.01",
    );
}

#[test]
fn several_summands_on_both_sides() {
    let total = r#"[order.total]
        source = ["T", { from = "K[k=TAX].V", sign = "negative", optional = true }]
        target = [{ list = "i.l", field = "amount" }, { field = "ship", optional = true }]"#;
    told(total, r#"{"T":10,"L":[{"A":8}],"Ship":2}"#, "");
    for tax in ["2.50", "-2.50"] {
        let body = format!(r#"{{"T":10,"L":[{{"A":7.5}}],"K":[{{"k":"TAX","V":"{tax}"}}]}}"#);
        told(total, &body, "");
    }
    told(
        total,
        r#"{"T":10,"L":[{"A":8}]}"#,
        "i.l.amount + ship adds up to 8, but T + K[k=TAX].V is 10; the difference is -2",
    );
}

#[test]
fn on_condition_and_several() {
    let total = r#"
        [[order.total]]
        when = { from = "Kind", equals = "K" }
        source = "T"
        target = { list = "i.l", field = "amount" }
        [[order.total]]
        source = "S"
        target = { field = "ship" }"#;
    told(total, r#"{"Kind":"L","T":5,"S":1,"Ship":1,"L":[]}"#, "");
    told(
        total,
        r#"{"Kind":"K","T":5,"S":1,"Ship":1,"L":[]}"#,
        "i.l.amount adds up to 0, but T is 5; the difference is -5",
    );
    let body = serde_json::json!({ "Kind": "K", "T": 5, "S": 2, "Ship": 1, "L": [] });
    let fault = section(&file(total))
        .apply(&body, &mapping::Links::new())
        .unwrap_err();
    assert_eq!(fault.fields.len(), 2, "{fault}");
    check(
        &file(total),
        r#"{"Kind":1,"S":1,"Ship":1,"L":[]}"#,
        "total: Kind is a number, but is compared with text",
    );
}

#[test]
fn a_total_that_can_not_be_told_is_a_bad_field() {
    check(
        &file(LINES),
        r#"{"L":[{"A":"x"}]}"#,
        "i.l[0].amount: A is not a number\ntotal: T is missing"
            .replace("A is", "L[0].A is")
            .as_str(),
    );
    check(
        &file(LINES),
        r#"{"T":"1,5","L":[]}"#,
        "total: T is not a number",
    );
    check(
        &file(LINES),
        r#"{"T":1,"L":[{"A":1}],"M":[{"N":"a word"}]}"#,
        "i.l[1].amount: is absent, but is part of a total",
    );
    check(
        &file(LINES),
        r#"{"T":1,"L":[],"M":[{"A":"1 $"}]}"#,
        "i.l[0].amount: is not a number",
    );
    check(
        &file(LINES),
        r#"{"T":1,"L":[{"A":1000000000000000000000000000},{"A":0.0000000000000000000000000001}]}"#,
        "i.l[1].amount: has too many digits to be added up exactly",
    );
    let lenient = LINES.replace(" }", ", optional = true }");
    told(
        &lenient,
        r#"{"T":1,"L":[{"A":1}],"M":[{"N":"a word"}]}"#,
        "",
    );
}

#[test]
fn what_a_total_reads_is_selected() {
    let fields = section(&file(LINES)).selection().fields;
    assert!(fields.contains("T"));
}

#[test]
fn mistakes() {
    let head = "version = 1\n[o.fields]\nship = { from = \"S\" }\n[[o.lists.l]]\nfrom = \"L\"\n\
                fields = { amount = { from = \"A\" }, one = { from = \"B\" } }\n\
                [[o.lists.l]]\nfrom = \"L\"\nfields.amount = { from = \"A\" }\n[o.total]\n";
    for (total, problem) in [
        ("source = \"T\"", "10:1: `total` says no `target`"),
        (
            "target = { field = \"ship\" }",
            "10:1: `total` says no `source`",
        ),
        (
            "source = []\ntarget = { field = \"ship\" }",
            "11:1: `total` says no `source`",
        ),
        (
            "source = \"T\"\ntarget = { field = \"ship\" }\ncents = 1",
            "13:1: unknown key `cents` in `total`; known are source, target, when",
        ),
        (
            "source = 1\ntarget = { field = \"ship\" }",
            "11:10: `source` must be a path in quotes, or a table, not a number",
        ),
        (
            "source = \"^.T\"\ntarget = { field = \"ship\" }",
            "11:10: `^` is the record around a list; there is none here",
        ),
        (
            "source = { form = \"T\", from = \"T\" }\ntarget = { field = \"ship\" }",
            "11:12: unknown key `form`, did you mean `from`?",
        ),
        (
            "source = { sign = \"positive\" }\ntarget = { field = \"ship\" }",
            "11:10: `source` says no `from`",
        ),
        (
            "source = \"T\"\ntarget = \"ship\"",
            "12:10: `target` must be `{ list = \"…\", field = \"…\" }` or the like, not text",
        ),
        (
            "source = \"T\"\ntarget = { list = \"l\" }",
            "12:10: `target` says no `field`",
        ),
        (
            "source = \"T\"\ntarget = { list = \"ll\", field = \"amount\" }",
            "12:19: there is no list `ll`",
        ),
        (
            "source = \"T\"\ntarget = { list = \"l\", field = \"amuont\" }",
            "12:32: the list `l` sets no `amuont`, did you mean `amount`?",
        ),
        (
            "source = \"T\"\ntarget = { list = \"l\", field = \"one\" }",
            "12:32: not every block of the list `l` sets `one`",
        ),
        (
            "source = \"T\"\ntarget = { field = \"shop\" }",
            "12:20: the section sets no `shop`, did you mean `ship`?",
        ),
    ] {
        refused(&format!("{head}{total}"), problem);
    }
}

#[test]
fn signs_that_are_none() {
    let line = |rule: &str, expect: &str| {
        refused(
            &format!("version = 1\n[o.fields]\nt = {{ from = \"A\", {rule} }}"),
            expect,
        );
    };
    line(
        "as = \"decimal\", sign = \"minus\"",
        "3:42: `sign` must be \"negative\" or \"positive\", not `minus`",
    );
    line(
        "sign = \"negative\"",
        "3:19: `sign` does not go with `text`",
    );
}
