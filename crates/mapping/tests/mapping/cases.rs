//! The case runner: right cases pass, and every way to be wrong is named.

use std::fs;
use std::path::PathBuf;

/// A flow's folder in the build's temporary folder, made of (file, content).
fn flow(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    let mapping = "version = 1\n[order]\nwhen = { from = \"Won\", equals = true }\n[order.fields]\n\
                   q = { from = \"Q\", as = \"decimal\" }\nc = { from = \"C\", link = \"customer\", optional = true }\n\
                   [order.write_back]\nId = { from = \"id\" }\n";
    for (path, content) in [("mapping.toml", mapping)].iter().chain(files) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

#[test]
fn right_cases_pass() {
    let folder = flow(
        "right",
        &[
            (
                "cases/mapped/input.json",
                r#"{"Won":true,"Q":2.50,"C":"a"}"#,
            ),
            ("cases/mapped/links.json", r#"{"customer":{"a":"7"}}"#),
            ("cases/mapped/held.json", r#"{"id":"55"}"#),
            (
                "cases/mapped/expected.json",
                r#"{"section":"order","in_scope":true,"mapped":{"q":2.50,"c":"7"},"write_back":{"Id":"55"}}"#,
            ),
            ("cases/bad/input.json", r#"{"Won":false,"Q":"x","C":"b"}"#),
            (
                "cases/bad/expected.json",
                r#"{"section":"order","in_scope":false,"bad_fields":{
                "q":"Q is not a number","c":"C is `b`, which is linked to no `customer`"}}"#,
            ),
        ],
    );
    assert_eq!(mapping::cases::run(folder), Ok(2));
}

#[test]
fn a_total_that_differs_and_two_reasons_for_one_path() {
    let mapping = "version = 1\n[[o.lists.l]]\nfrom = \"L\"\nfields.q = { from = \"Q\", as = \"decimal\" }\n\
                   [[o.lists.l]]\nfrom = \"M\"\nfields.q = { from = \"Q\", as = \"decimal\" }\n\
                   [o.total]\nsource = \"T\"\ntarget = { list = \"l\", field = \"q\" }\n";
    let folder = flow(
        "totals",
        &[
            ("mapping.toml", mapping),
            (
                "cases/differs/input.json",
                r#"{"T":3,"L":[{"Q":1}],"M":[{"Q":1}]}"#,
            ),
            (
                "cases/differs/expected.json",
                r#"{"section":"o","bad_fields":{"l.q":"adds up to 2, but T is 3; the difference is -1"}}"#,
            ),
            (
                "cases/twice/input.json",
                r#"{"T":3,"L":[{"Q":"x"}],"M":[{}]}"#,
            ),
            (
                "cases/twice/expected.json",
                r#"{"section":"o","bad_fields":{"l[0].q":"L[0].Q is not a number; M[0].Q is missing"}}"#,
            ),
        ],
    );
    assert_eq!(mapping::cases::run(folder), Ok(2));
}

#[test]
fn a_case_may_change_what_a_setting_changes() {
    let input = ("cases/one/input.json", r#"{"Won":true,"Q":2}"#);
    let changes = r#"{"q = ": "rate = "}"#;
    let expected = r#"{"section":"order","mapped":{"rate":2}}"#;
    let folder = flow(
        "changed",
        &[
            input,
            ("cases/one/changes.json", changes),
            ("cases/one/expected.json", expected),
        ],
    );
    assert_eq!(mapping::cases::run(folder), Ok(1));
    for (name, changes, words) in [
        (
            "changes-of-nothing",
            r#"{"quantity =": ""}"#,
            "stands 0 times",
        ),
        ("changes-of-many", r#"{"from": "form"}"#, "stands 4 times"),
        ("changes-to-nonsense", r#"{"q = ": "= "}"#, "mapping.toml:5"),
    ] {
        let expected = ("cases/one/expected.json", expected);
        let changes = ("cases/one/changes.json", changes);
        let reason = mapping::cases::run(flow(name, &[input, changes, expected])).unwrap_err();
        assert!(reason.contains(words), "{name}: {reason}");
    }
}

#[test]
fn wrong_cases_are_named() {
    for (name, input, expected, words) in [
        (
            "value",
            r#"{"Q":2}"#,
            r#"{"section":"order","mapped":{"q":3}}"#,
            "q: 2 instead of 3",
        ),
        (
            "digits",
            r#"{"Q":2.0}"#,
            r#"{"section":"order","mapped":{"q":2}}"#,
            r#"{"q":2.0} instead of {"q":2}"#,
        ),
        (
            "more",
            r#"{"Q":2}"#,
            r#"{"section":"order","mapped":{}}"#,
            r#"{"q":2} instead of {}"#,
        ),
        (
            "fault",
            r#"{"Q":"x"}"#,
            r#"{"section":"order","mapped":{"q":2}}"#,
            "Q is not a number",
        ),
        (
            "no-fault",
            r#"{"Q":2}"#,
            r#"{"section":"order","bad_fields":{}}"#,
            "without a bad field",
        ),
        (
            "scope",
            r#"{"Won":true}"#,
            r#"{"section":"order","in_scope":false}"#,
            "true instead of false",
        ),
        (
            "section",
            "{}",
            r#"{"section":"ordr","mapped":{}}"#,
            "there are `order`",
        ),
        (
            "key",
            "{}",
            r#"{"section":"order","mappd":{}}"#,
            "unknown key `mappd`",
        ),
        ("nothing", "{}", r#"{"section":"order"}"#, "expects nothing"),
        (
            "json",
            "{",
            r#"{"section":"order","mapped":{}}"#,
            "input.json: EOF",
        ),
        (
            "held",
            "{}",
            r#"{"section":"order","write_back":{}}"#,
            "held.json",
        ),
    ] {
        let folder = flow(
            name,
            &[
                ("cases/one/input.json", input),
                ("cases/one/expected.json", expected),
            ],
        );
        let reason = mapping::cases::run(folder).unwrap_err();
        assert!(reason.contains(words), "{name}: {reason}");
    }
    assert!(
        mapping::cases::run(flow("none", &[]))
            .unwrap_err()
            .contains("cases")
    );
}
