//! What a file can get wrong, each with its place and the words a person reads.

use std::time::Duration;

use mapping::MappingFile;
use sluice_core::{Action, code};

use crate::check::refused;

#[test]
fn not_toml() {
    refused(
        "version = 1\nx = \n",
        "2:5: string values must be quoted, expected literal string",
    );
    refused("version = 1\n[order]\n[order]\n", "3:2: duplicate key");
    refused(
        "version = 1\n[o.fields]\na = {constant=1}\na = {constant=1}\n",
        "4:1: duplicate key",
    );
}

#[test]
fn version() {
    refused(
        "[o.fields]\na = {constant=1}",
        "1:1: `version = 1` is missing",
    );
    refused(
        "version = 2\n[o.fields]\na = {constant=1}",
        "1:11: this release reads `version = 1` only",
    );
    refused(
        "version = \"1\"\n[o.fields]\na = {constant=1}",
        "1:11: this release reads `version = 1` only",
    );
}

#[test]
fn the_outermost_keys() {
    refused(
        "version = 1",
        "1:1: the file maps nothing: it has no record section such as `[order]`",
    );
    refused(
        "version = 1\nsetings = 3\n[o.fields]\na = {constant=1}",
        "2:1: unknown key `setings`, did you mean `settings`?",
    );
    refused(
        "version = 1\n[setting]\ntime_zone = \"UTC\"\n[o.fields]\na = {constant=1}",
        "2:2: unknown section `setting`, did you mean `settings`?",
    );
    refused(
        "version = 1\n[o]\nfelds.a = {constant=1}",
        "3:1: unknown key `felds`, did you mean `fields`?",
    );
    refused("version = 1\n[p]\n", "2:2: section `p` maps nothing");
    refused(
        "version = 1\n[o]\nfields = 1",
        "3:10: `fields` must be a table, not a number",
    );
}

#[test]
fn settings() {
    let with =
        |lines: &str| format!("version = 1\n[settings]\n{lines}\n[o.fields]\na = {{constant=1}}");
    for (lines, problem) in [
        (
            "timezone = \"UTC\"",
            "3:1: unknown key `timezone`, did you mean `time_zone`?",
        ),
        (
            "colour = 1",
            "3:1: unknown key `colour` in the settings; known are time_zone, start_at, \
             update_approved_orders, concurrency_max, choices",
        ),
        (
            "time_zone = \"Middle-earth/Shire\"",
            "3:13: `Middle-earth/Shire` is no time zone, write its IANA name, such as \"Europe/Berlin\"",
        ),
        (
            "time_zone = \"America/NewYork\"",
            "3:13: `America/NewYork` is no time zone, did you mean \"America/New_York\"?",
        ),
        (
            "time_zone = 5",
            "3:13: `time_zone` must be text in quotes, not a number",
        ),
        (
            "update_approved_orders = \"no\"",
            "3:26: `update_approved_orders` must be true or false, not text",
        ),
        (
            "start_at = \"2026-01-01\"",
            "3:12: `start_at` must be an instant, such as \"2026-01-01T00:00:00Z\"",
        ),
        (
            "start_at = 2026-01-01",
            "3:12: `start_at` must be an instant, such as \"2026-01-01T00:00:00Z\"",
        ),
        (
            "concurrency_max = 0",
            "3:1: `concurrency_max` must be at least 1",
        ),
        (
            "concurrency_max = -1",
            "3:19: `concurrency_max` must be a whole number from 0 up, not a number",
        ),
    ] {
        refused(&with(lines), problem);
    }
    let file = MappingFile::parse("m", &with("")).unwrap();
    let settings = file.settings();
    assert_eq!(settings.time_zone.name(), "UTC");
    assert_eq!(
        (settings.start_at, settings.update_approved_orders),
        (None, false)
    );
    let text = with(
        "time_zone = \"Asia/Kolkata\"\nstart_at = 2026-01-01T00:00:00+01:00\nupdate_approved_orders = true\nconcurrency_max = 3",
    );
    let file = MappingFile::parse("m", &text).unwrap();
    let settings = file.settings();
    assert_eq!(settings.time_zone.name(), "Asia/Kolkata");
    assert_eq!(
        settings.start_at,
        Some("2025-12-31T23:00:00Z".parse().unwrap())
    );
    assert_eq!(
        (settings.update_approved_orders, settings.concurrency_max),
        (true, 3)
    );
}

#[test]
fn tables() {
    let with = |lines: &str| format!("version = 1\n{lines}\n[o.fields]\na = {{constant=1}}");
    let line = "[tables.terms]\n[p.fields]\nt = { from = \"A\", table = \"terms\" }";
    refused(&with(line), "4:19: the table `terms` is empty");
    refused(
        &with("[tables]\nterms = 5"),
        "3:9: the table `terms` must be a table of texts",
    );
    refused(
        &with("[tables.terms]\nUS = 2"),
        "3:6: `US` must be text in quotes, not a number",
    );
}

#[test]
fn conditions() {
    let with =
        |when: &str| format!("version = 1\n[o]\nwhen = {when}\nfields.a = {{ constant = 1 }}");
    for (when, problem) in [
        (
            "true",
            "3:8: `when` must be `{ from = \"…\", equals = … }`, not true or false",
        ),
        ("[]", "3:8: `when` is empty"),
        (
            "[1]",
            "3:9: `when` must be `{ from = \"…\", equals = … }`, not a number",
        ),
        (
            "{ equals = 1 }",
            "3:8: the condition needs exactly one of from, concat, setting",
        ),
        (
            "{ from = \"A\" }",
            "3:8: the condition needs exactly one of equals, not_equals, in, not_in, exists",
        ),
        (
            "{ from = \"A\", equals = 1, exists = true }",
            "3:8: the condition needs exactly one of equals, not_equals, in, not_in, exists",
        ),
        (
            "{ from = \"A\", colour = 1 }",
            "3:22: unknown key `colour` in a condition; known are from, concat, separator, setting, equals, \
             not_equals, in, not_in, exists",
        ),
        (
            "{ from = \"A\", equal = 1 }",
            "3:22: unknown key `equal`, did you mean `equals`?",
        ),
        ("{ from = \"A\", in = [] }", "3:22: the list `in` is empty"),
        (
            "{ from = \"A\", in = \"x\" }",
            "3:27: `in` must be a list, not text",
        ),
        (
            "{ from = \"A\", in = [[1]] }",
            "3:28: a condition compares with text, a number, true or false, not a list",
        ),
        (
            "{ from = \"A\", exists = 1 }",
            "3:31: `exists` must be true or false, not a number",
        ),
        (
            "{ from = \"^.A\", exists = true }",
            "3:17: `^` is the record around a list; there is none here",
        ),
    ] {
        refused(&with(when), problem);
    }
}

#[test]
fn lists() {
    let with = |lines: &str| format!("version = 1\n[o.lists.l]\n{lines}");
    for (lines, problem) in [
        (
            "fields.a = { constant = 1 }",
            "2:10: the list `l` says no `from`",
        ),
        ("from = \"L\"", "2:10: the list `l` says no `fields`"),
        (
            "from = 1\nfields.a = { constant = 1 }",
            "3:8: `from` must be text in quotes, not a number",
        ),
        (
            "from = \"L\"\nfields = 1",
            "4:10: `fields` must be a table, not a number",
        ),
        (
            "from = \"L\"\nfeilds.a = 1\nfields.a = { constant = 1 }",
            "4:1: unknown key `feilds`, did you mean `fields`?",
        ),
        (
            "from = \"L\"\nfields.a = { constant = 1 }\n[o.lists.l.lists.m]\nfrom = \"M\"",
            "5:12: a list inside a list can't be mapped",
        ),
        (
            "from = \"L\"\ncount_min = 2\ncount_max = 1\nfields.a = { constant = 1 }",
            "4:1: `count_min` is more than the list may have",
        ),
    ] {
        refused(&with(lines), problem);
    }
    refused(
        "version = 1\n[o.lists]\nl = 5",
        "3:5: the list `l` must be a table, or a list of tables",
    );
}

#[test]
fn write_back() {
    let with = |line: &str| {
        format!("version = 1\n[o]\nfields.a = {{ constant = 1 }}\n[o.write_back]\n{line}")
    };
    refused(
        &with("A = { from = \"id\", link = \"l\" }"),
        "5:20: `link` can't be written back",
    );
    refused(
        &with("A = { from = \"^.id\" }"),
        "5:14: `^` is the record around a list; there is none here",
    );
}

#[test]
fn every_problem_is_named_in_the_order_of_the_file() {
    refused(
        "version = 2\n[settings]\ntime_zone = \"Mars\"\n[o]\nwen = 1\n[o.fields]\na = { form = \"A\" }\nb = 1\nc = { from = \"A\", as = \"x\" }\n",
        "1:11: this release reads `version = 1` only
         3:13: `Mars` is no time zone, write its IANA name, such as \"Europe/Berlin\"
         5:1: unknown key `wen`, did you mean `when`?
         7:7: unknown key `form`, did you mean `from`?
         8:5: `b` must be `{ from = \"…\" }` or the like, not a number
         9:24: unknown conversion `x`, there are text, integer, decimal, boolean, date, date_time",
    );
}

#[test]
fn a_section_that_is_not_there() {
    let file = MappingFile::parse(
        "mapping.toml",
        "version = 1\n[b.fields]\nx = {constant=1}\n[a.fields]\nx = {constant=1}",
    )
    .unwrap();
    let fault = file.section("order").unwrap_err();
    assert_eq!(
        (fault.code, fault.action.clone()),
        (code::MAPPING_INVALID, Action::StopFlow)
    );
    assert_eq!(
        fault.message,
        "mapping.toml: no section `order`; there are `b`, `a`"
    );
}

#[test]
fn a_file_is_read_at_once() {
    let lines: String = (0..2_000)
        .map(|n| format!("f{n} = {{ from = \"F{n}\" }}\n"))
        .collect();
    let start = std::time::Instant::now();
    MappingFile::parse("m", &format!("version = 1\n[o.fields]\n{lines}")).unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));
}
