//! What one line of a file can get wrong, each with its place and the words a person reads.

use crate::check::refused;

/// Refuses one line of `[order.fields]`; places count from the line itself.
#[track_caller]
fn line(line: &str, expect: &str) {
    let text = format!(
        "version = 1\nsettings.time_zone = \"UTC\"\ntables.t = {{ a = \"b\" }}\n[order.fields]\n{line}\n"
    );
    let expect: String = expect
        .lines()
        .map(|problem| format!("5:{}\n", problem.trim()))
        .collect();
    refused(&text, &expect);
}

#[test]
fn where_a_value_comes_from() {
    line(
        "\"é\" = { form = \"A\" }",
        "9: unknown key `form`, did you mean `from`?",
    );
    line(
        "t = { form = \"A\" }",
        "7: unknown key `form`, did you mean `from`?",
    );
    line(
        "t = { }",
        "1: the field `t` needs exactly one of from, concat, constant",
    );
    line(
        "t = { as = \"text\" }",
        "1: the field `t` needs exactly one of from, concat, constant",
    );
    line(
        "t = { from = \"A\", constant = 1 }",
        "1: the field `t` needs exactly one of from, concat, constant",
    );
    line(
        "t = \"A\"",
        "5: `t` must be `{ from = \"…\" }` or the like, not text",
    );
    line(
        "t = [1]",
        "6: an alternative of `t` must be `{ from = \"…\" }` or the like, not a number",
    );
    line(
        "a.b = { from = \"A\" }",
        "1: write a path in quotes: \"a.b\"",
    );
    line(
        "t = { from = 1 }",
        "14: `from` must be text in quotes, not a number",
    );
    line(
        "t = { concat = \"A\" }",
        "16: `concat` must be a list, not text",
    );
    line("t = { concat = [] }", "7: the list `concat` is empty");
    line(
        "t = { concat = [\"A\", 1] }",
        "22: `concat` lists paths in quotes, not a number",
    );
    line(
        "t = { constant = 2026-11-22 }",
        "18: write a date as text, in quotes",
    );
    line(
        "t = { constant = nan }",
        "18: this is no number that can be sent",
    );
    line(
        "t = { constant = [inf] }",
        "19: this is no number that can be sent",
    );
    line(
        "t = { constant = 99999999999999999999 }",
        "18: the number is too large",
    );
}

#[test]
fn paths() {
    line("t = { from = \"\" }", "14: the path `` has an empty name");
    line(
        "t = { from = \"A..B\" }",
        "14: the path `A..B` has an empty name",
    );
    line(
        "t = { from = \"A[0]\" }",
        "14: in the path `A[0]`, `[0]` must be `[field=text]`",
    );
    line(
        "t = { from = \"A B\" }",
        "14: the path `A B` can't hold ' '; paths are names with dots between",
    );
    line(
        "t = { from = \"^.A\" }",
        "14: `^` is the record around a list; there is none here",
    );
    line(
        "t = { concat = [\"^.A\"] }",
        "17: `^` is the record around a list; there is none here",
    );
    line(
        "\"a.\" = { from = \"A\" }",
        "1: the path `a.` has an empty name",
    );
}

#[test]
fn conversions() {
    line(
        "t = { from = \"A\", as = \"date-time\" }",
        "24: unknown conversion `date-time`, did you mean `date_time`?",
    );
    line(
        "t = { from = \"A\", as = \"money\" }",
        "24: unknown conversion `money`, there are text, integer, decimal, boolean, date, date_time",
    );
    line(
        "t = { from = \"A\", as = 1 }",
        "24: `as` must be text in quotes, not a number",
    );
    line(
        "t = { from = \"A\", as = \"date\", table = \"t\" }",
        "32: `table` does not go with `as`",
    );
    line(
        "t = { from = \"A\", table = \"t\", link = \"l\" }",
        "32: `link` does not go with `table`",
    );
    line(
        "t = { from = \"A\", table = \"tt\" }",
        "27: there is no table `tt`, write it as [tables.tt]",
    );
    line(
        "t = { from = \"A\", as = \"date\", zone = \"Mars\" }",
        "39: `Mars` is no time zone, write its IANA name, such as \"Europe/Berlin\"",
    );
    refused(
        "version = 1\n[o.fields]\nt = { from = \"A\", as = \"date\" }",
        "3:19: a date needs a `zone`, or `time_zone` in [settings]",
    );
    refused(
        "version = 1\ntables.subsidiary = { a = \"b\" }\n[o.fields]\nt = { from = \"A\", table = \"subsidary\" }",
        "4:27: there is no table `subsidary`, did you mean `subsidiary`?",
    );
}

#[test]
fn keys_that_mean_nothing_together() {
    for (rule, problem) in [
        (
            "constant = 1, optional = true",
            "21: `optional` does not go with `constant`",
        ),
        (
            "from = \"A\", separator = \",\"",
            "19: `separator` does not go with `from`",
        ),
        (
            "concat = [\"A\"], as = \"text\"",
            "23: `as` does not go with `concat`",
        ),
        (
            "concat = [\"A\"], default = \"x\"",
            "23: `default` does not go with `concat`",
        ),
        (
            "from = \"A\", as = \"integer\", max_length = 3",
            "35: `max_length` does not go with `integer`",
        ),
        (
            "from = \"A\", table = \"t\", max_length = 3",
            "32: `max_length` does not go with `table`",
        ),
        (
            "from = \"A\", zone = \"UTC\"",
            "19: `zone` does not go with `text`",
        ),
        (
            "from = \"A\", scale_max = 2",
            "19: `scale_max` does not go with `text`",
        ),
        (
            "from = \"A\", key = \"B\"",
            "19: `key` does not go with `text`",
        ),
        ("from = \"A\", cut = true", "19: `cut` says no `max_length`"),
        (
            "from = \"A\", max_length = 0",
            "19: `max_length` must be at least 1",
        ),
        (
            "from = \"A\", link = \"l\", default = \"x\"",
            "41: `default` does not go with `link`",
        ),
        (
            "from = \"A\", default = \"x\", optional = true",
            "29: `default` does not go with `optional`",
        ),
    ] {
        line(&format!("t = {{ {rule} }}"), problem);
    }
}

#[test]
fn defaults_that_are_no_value_of_the_field() {
    line(
        "t = { from = \"A\", as = \"integer\", default = 1.5 }",
        "45: the default is not a whole number",
    );
    line(
        "t = { from = \"A\", as = \"date\", default = \"soon\" }",
        "42: the default is not a date",
    );
    line(
        "t = { from = \"A\", max_length = 2, default = \"abc\" }",
        "45: the default has 3 characters; at most 2 fit",
    );
    line(
        "t = { from = \"A\", table = \"t\", default = \"b\" }",
        "42: the default is `b`, which the table `t` does not list",
    );
    line(
        "t = { from = \"A\", default = [] }",
        "29: the default is a list, not text",
    );
}

#[test]
fn targets_set_twice() {
    refused(
        "version = 1\n[o.fields]\na = { constant = 1 }\n\"a.b\" = { constant = 1 }",
        "4:1: `a.b` can't be set: another line sets all of `a`",
    );
    refused(
        "version = 1\n[o.fields]\n\"a.b\" = { constant = 1 }\na = { constant = 1 }",
        "4:1: `a` is set by another line already",
    );
    refused(
        "version = 1\n[o.fields]\n\"i.items\" = { constant = [] }\n[o.lists.\"i.items\"]\nfrom = \"L\"\nfields.a = { constant = 1 }",
        "4:10: `i.items` is set by another line already",
    );
}
