//! Fields that have their value from here or from there.

use mapping::MappingFile;

use crate::check::{check, list, refused};

const LINE: &str = r#"t = [
    { from = "A", link = "customer", when = { from = "Kind", equals = "K" } },
    { from = "B", as = "integer", when = { from = "B", exists = true } },
    { constant = "none" },
]"#;

#[test]
fn the_first_whose_condition_holds() {
    check(LINE, r#"{"Kind":"K","A":"a1","B":2}"#, r#"{"t":"t1"}"#);
    check(LINE, r#"{"Kind":"L","A":"a1","B":2}"#, r#"{"t":2}"#);
    check(LINE, r#"{"A":"a1"}"#, r#"{"t":"none"}"#);
    // One that holds is taken, also if it then fails: the next is no fallback.
    check(LINE, r#"{"Kind":"K","B":2}"#, "t: A is missing");
    check(LINE, r#"{"B":"x"}"#, "t: B is not a number");
    check(
        LINE,
        r#"{"Kind":7}"#,
        "t: Kind is a number, but is compared with text",
    );
}

#[test]
fn none_that_holds() {
    let line = r#"t = [{ constant = 1, when = { from = "A", equals = 1 } },
                       { constant = 2, when = { from = "A", equals = 2 } }]"#;
    check(line, r#"{"A":2}"#, r#"{"t":2}"#);
    check(
        line,
        "{}",
        "t: the conditions of none of its 2 alternatives hold",
    );
    let line = r#"t = [{ constant = 1, when = { from = "A", equals = 1 } }, { optional = true }]"#;
    check(line, r#"{"A":1}"#, r#"{"t":1}"#);
    check(line, "{}", "{}");
}

#[test]
fn in_a_list() {
    check(
        &list(
            "",
            r#"t = [{ from = "A", when = { from = "^.Kind", equals = "K" } }, { from = "B" }]"#,
        ),
        r#"{"Kind":"L","L":[{"B":"b"},{}]}"#,
        "l[1].t: L[1].B is missing",
    );
}

#[test]
fn mistakes() {
    let line = |line: &str, expect: &str| {
        refused(
            &format!("version = 1\n[o.fields]\n{line}"),
            &format!("3:{expect}"),
        );
    };
    line("t = []", "5: the field `t` has no alternative");
    line(
        "t = [1]",
        "6: an alternative of `t` must be `{ from = \"…\" }` or the like, not a number",
    );
    line(
        "t = [{ from = \"A\" }, { from = \"B\" }]",
        "6: the alternatives after this one are never taken: it has no `when`",
    );
    line(
        "t = [{ from = \"A\" }, { optional = true }]",
        "6: the alternatives after this one are never taken: it has no `when`",
    );
    line(
        "t = [{ from = \"A\", when = { from = \"A\", exists = true } }, { optional = false }]",
        "62: only `optional = true` can stand alone",
    );
    line(
        "t = [{ optional = true }]",
        "6: an alternative of `t` needs exactly one of from, concat, constant",
    );
    line(
        "t = [{ form = \"A\" }]",
        "8: unknown key `form`, did you mean `from`?",
    );
    line(
        "a.b = [{ from = \"A\" }]",
        "1: write a path in quotes: \"a.b\"",
    );
}

#[test]
fn what_a_setting_switches_off_is_not_even_read() {
    let text = |choice: &str| {
        format!(
            r#"version = 1
[settings.choices]
customer = {{ is = "{choice}", one_of = ["buyer", "marketplace"] }}
[tables.customer]
US = "9"
[customer.fields]
name = {{ from = "buyer.name" }}
[order.fields]
"entity.id" = [
    {{ from = "buyer.id", link = "customer", when = {{ setting = "customer", equals = "buyer" }} }},
    {{ from = "place", table = "customer" }},
]"#
        )
    };
    let selection = |choice: &str| {
        let mut file = MappingFile::parse("mapping.toml", &text(choice)).unwrap();
        file.holds_part("order", "customer").unwrap();
        let selection = file.section("order").unwrap().selection();
        selection.fields.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(selection("marketplace"), ["place"]);
    assert_eq!(selection("buyer"), ["buyer.id", "buyer.name", "place"]);
}
