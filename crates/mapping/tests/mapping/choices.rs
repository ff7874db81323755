//! What a person switches with one line at the top, and conditions on several texts.

use crate::check::{check, refused, section};

fn file(choices: &str, rest: &str) -> String {
    format!("version = 1\n[settings.choices]\n{choices}\n{rest}")
}

#[test]
fn a_choice_switches_fields_and_blocks() {
    let rest = r#"
        [order.fields]
        a = { from = "A", when = { setting = "tax", equals = "amazon" } }
        b = { constant = 1, when = [{ setting = "tax", not_in = ["amazon", "none"] }, { from = "A", exists = true }] }
        [[order.lists.l]]
        from = "L"
        count_min = 1
        when = { setting = "tax", in = ["amazon"] }
        fields.x = { from = "X" }
        [[order.lists.l]]
        from = "M"
        optional = true
        fields.x = { from = "X" }
    "#;
    let body = r#"{"A":"a","L":[{"X":"1"}],"M":[{"X":"2"}]}"#;
    check(
        &file("tax = \"amazon\"", rest),
        body,
        r#"{"a":"a","l":[{"x":"1"},{"x":"2"}]}"#,
    );
    check(
        &file("tax = \"netsuite\"", rest),
        body,
        r#"{"b":1,"l":[{"x":"2"}]}"#,
    );
    // What is switched off asks nothing of a record.
    check(
        &file("tax = \"netsuite\"", rest),
        r#"{"A":"a"}"#,
        r#"{"b":1}"#,
    );
    check(&file("tax = \"none\"", rest), r#"{"M":[]}"#, r#"{"l":[]}"#);
    check(
        &file("tax = \"amazon\"", rest),
        r#"{"A":"a"}"#,
        "l: L is missing",
    );
}

#[test]
fn a_condition_on_several_texts() {
    let when = r#"{ concat = ["By", "S.T"], separator = " ", in = ["M U", "A S", "7 true"] }"#;
    let section = section(&format!(
        "version = 1\n[order]\nwhen = {when}\n[order.fields]\nx = {{ constant = 1 }}"
    ));
    for (body, expect) in [
        (r#"{"By":"M","S":{"T":"U"}}"#, Ok(true)),
        (r#"{"By":7,"S":{"T":true}}"#, Ok(true)),
        (r#"{"By":"M","S":{"T":"S"}}"#, Ok(false)),
        (r#"{"By":"M U"}"#, Ok(false)),
        ("{}", Ok(false)),
        (r#"{"By":[],"S":{"T":"U"}}"#, Err("By is a list, not text")),
    ] {
        let answer = section.in_scope(&serde_json::from_str(body).unwrap());
        let answer = answer.map_err(|fault| fault.fields[0].reason.clone());
        assert_eq!(
            answer.as_ref().copied().map_err(String::as_str),
            expect,
            "{body}"
        );
    }
    let fields: Vec<String> = section.selection().fields.into_iter().collect();
    assert_eq!(fields, ["By", "S.T"]);
    let absent = r#"x = { constant = 1, when = { concat = ["A", "B"], exists = false } }"#;
    check(absent, r#"{"A":"a"}"#, r#"{"x":1}"#);
    check(absent, r#"{"A":"a","B":"b"}"#, "{}");
}

#[test]
fn choices_that_can_not_be() {
    for (choices, problem) in [
        ("tax = 1", "3:7: `tax` must be text in quotes, not a number"),
        (
            "tax = { is = \"amazon\" }",
            "3:1: the choice `tax` says no `one_of`",
        ),
        (
            "tax = { one_of = [\"amazon\"] }",
            "3:1: the choice `tax` says no `is`",
        ),
        (
            "tax = { is = \"amazn\", one_of = [\"amazon\", \"netsuite\"] }",
            "3:14: `tax` is never `amazn`, did you mean `amazon`?",
        ),
        (
            "tax = { is = \"nobody\", one_of = [\"amazon\", \"netsuite\"] }",
            "3:14: `tax` is never `nobody`, there are amazon, netsuite",
        ),
        (
            "tax = { is = \"a\", one_of = [\"a\", 1] }",
            "3:34: `one_of` lists texts in quotes, not a number",
        ),
        (
            "tax = { is = \"a\", oneof = [\"a\"], one_of = [\"a\"] }",
            "3:19: unknown key `oneof`, did you mean `one_of`?",
        ),
    ] {
        refused(&file(choices, "[o.fields]\na = { constant = 1 }"), problem);
    }
    refused(
        "version = 1\n[settings]\nchoices = 1\n[o.fields]\na = { constant = 1 }",
        "3:11: `choices` must be a table, not a number",
    );
}

#[test]
fn conditions_on_choices_that_can_not_be() {
    let choices = "tax = { is = \"amazon\", one_of = [\"amazon\", \"netsuite\"] }\nfree = \"x\"";
    for (when, problem) in [
        (
            "{ setting = \"tx\", equals = \"amazon\" }",
            "6:20: there is no choice `tx`, did you mean `tax`?",
        ),
        (
            "{ setting = \"colour\", equals = \"red\" }",
            "6:20: there is no choice `colour`, write it under [settings.choices] as colour = \"…\"",
        ),
        (
            "{ setting = \"tax\", equals = \"amzon\" }",
            "6:27: `tax` is never `amzon`, did you mean `amazon`?",
        ),
        (
            "{ setting = \"free\", equals = 1 }",
            "6:28: `setting` gives text, and is compared with text only",
        ),
        (
            "{ setting = \"free\", exists = true }",
            "6:28: `exists` does not go with `setting`: a choice is always there",
        ),
        (
            "{ setting = \"free\", from = \"A\", equals = \"x\" }",
            "6:8: the condition needs exactly one of from, concat, setting",
        ),
        (
            "{ from = \"A\", separator = \" \", equals = \"x\" }",
            "6:22: `separator` does not go with `from`",
        ),
        (
            "{ concat = [\"A\", \"B\"], in = [\"x\", 1] }",
            "6:31: `concat` gives text, and is compared with text only",
        ),
        (
            "{ concat = [], in = [\"x\"] }",
            "6:10: the list `concat` is empty",
        ),
    ] {
        let rest = format!("[o]\nwhen = {when}\nfields.a = {{ constant = 1 }}");
        refused(&file(choices, &rest), problem);
    }
}
