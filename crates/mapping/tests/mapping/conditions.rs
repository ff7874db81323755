//! Which records, lines and fields a mapping takes.

use crate::check::{check, section};

/// Whether `when` holds for a body, or in which words that can't be told.
#[track_caller]
fn scope(when: &str, pairs: &[(&str, Result<bool, &str>)]) {
    let section = section(&format!(
        "version = 1\n[order]\nwhen = {when}\n[order.fields]\nx = {{ constant = 1 }}"
    ));
    for (body, expect) in pairs {
        let answer = section.in_scope(&serde_json::from_str(body).unwrap());
        let answer = answer.map_err(|fault| fault.fields[0].reason.clone());
        assert_eq!(
            answer.as_ref().copied().map_err(String::as_str),
            *expect,
            "{when} {body}"
        );
    }
}

#[test]
fn equals_and_in() {
    let pairs = [
        (r#"{"S":"Won"}"#, Ok(true)),
        (r#"{"S":"won"}"#, Ok(false)),
        (r#"{"S":null}"#, Ok(false)),
        ("{}", Ok(false)),
        (
            r#"{"S":1}"#,
            Err("S is a number, but is compared with text"),
        ),
        (
            r#"{"S":["Won"]}"#,
            Err("S is a list, but is compared with text"),
        ),
    ];
    scope(r#"{ from = "S", equals = "Won" }"#, &pairs);
    scope(r#"{ from = "S", in = ["Won", "Gained"] }"#, &pairs);
    scope(r#"{ from = "S", in = ["Gained", "Won"] }"#, &pairs[..4]);
}

#[test]
fn not_equals_and_not_in() {
    let pairs = [
        (r#"{"S":"Lost"}"#, Ok(false)),
        (r#"{"S":"Won"}"#, Ok(true)),
        ("{}", Ok(true)),
        (
            r#"{"S":true}"#,
            Err("S is true or false, but is compared with text"),
        ),
    ];
    scope(r#"{ from = "S", not_equals = "Lost" }"#, &pairs);
    scope(r#"{ from = "S", not_in = ["Lost", "Dropped"] }"#, &pairs);
}

#[test]
fn numbers_are_compared_by_value() {
    scope(
        r#"{ from = "N", equals = 1.50 }"#,
        &[
            (r#"{"N":1.5}"#, Ok(true)),
            (r#"{"N":15e-1}"#, Ok(true)),
            (r#"{"N":1.51}"#, Ok(false)),
            (
                r#"{"N":"1.5"}"#,
                Err("N is text, but is compared with a number"),
            ),
        ],
    );
}

#[test]
fn exists_and_several() {
    scope(
        r#"{ from = "A.B", exists = true }"#,
        &[
            (r#"{"A":{"B":""}}"#, Ok(true)),
            (r#"{"A":{"B":null}}"#, Ok(false)),
            (r#"{"A":null}"#, Ok(false)),
        ],
    );
    scope(
        r#"{ from = "A", exists = false }"#,
        &[("{}", Ok(true)), (r#"{"A":0}"#, Ok(false))],
    );
    scope(
        r#"[{ from = "A", equals = true }, { from = "B", exists = false }]"#,
        &[
            (r#"{"A":true}"#, Ok(true)),
            (r#"{"A":true,"B":1}"#, Ok(false)),
            (r#"{"A":false}"#, Ok(false)),
        ],
    );
}

#[test]
fn a_section_without_condition_takes_all() {
    let all = section("x = { constant = 1 }");
    assert_eq!(all.in_scope(&serde_json::json!({})), Ok(true));
}

#[test]
fn a_field_on_condition() {
    let line = r#"t = { from = "F", when = { from = "Kind", equals = "K" } }"#;
    check(line, r#"{"Kind":"K","F":"x"}"#, r#"{"t":"x"}"#);
    check(line, r#"{"Kind":"L"}"#, "{}");
    check(line, r#"{"Kind":"K"}"#, "t: F is missing");
    check(
        line,
        r#"{"Kind":7}"#,
        "t: Kind is a number, but is compared with text",
    );
    check(
        r#"t = { constant = true, when = { from = "F", exists = true } }"#,
        r#"{"F":0}"#,
        r#"{"t":true}"#,
    );
}
