//! Lists mapped element by element.

use crate::check::{check, list, refused};

#[test]
fn each_element_in_order() {
    check(
        &list(
            "",
            "q = { from = \"Q\", as = \"decimal\" }\n\"i.id\" = { from = \"I.K\" }",
        ),
        r#"{"L":[{"Q":2.50,"I":{"K":"a"}},{"Q":1,"I":{"K":"b"}}]}"#,
        r#"{"l":[{"i":{"id":"a"},"q":2.50},{"i":{"id":"b"},"q":1}]}"#,
    );
}

#[test]
fn empty_is_not_absent() {
    let plain = list("", "q = { from = \"Q\" }");
    check(&plain, r#"{"L":[]}"#, r#"{"l":[]}"#);
    check(&plain, "{}", "l: L is missing");
    check(&plain, r#"{"L":null}"#, "l: L is missing");
    check(&plain, r#"{"L":{"records":[]}}"#, "l: L is not a list");
    let optional = list("optional = true", "q = { from = \"Q\" }");
    check(&optional, "{}", "{}");
    check(&optional, r#"{"L":[]}"#, r#"{"l":[]}"#);
    check(&optional, r#"{"L":7}"#, "l: L is not a list");
}

#[test]
fn how_many() {
    let counted = list(
        "count_min = 1\ncount_max = 2\nwhen = { from = \"Q\", exists = true }",
        "q = { from = \"Q\" }",
    );
    check(&counted, r#"{"L":[{"Q":"a"}]}"#, r#"{"l":[{"q":"a"}]}"#);
    check(
        &counted,
        r#"{"L":[]}"#,
        "l: L gives 0 elements, at least 1 are wanted",
    );
    check(
        &counted,
        r#"{"L":[{}]}"#,
        "l: L gives 0 elements, at least 1 are wanted",
    );
    check(
        &counted,
        r#"{"L":[{"Q":"a"},{"Q":"b"},{"Q":"c"}]}"#,
        "l: L gives 3 elements, at most 2 are wanted",
    );
}

#[test]
fn bad_elements_are_named_by_their_position_in_the_source() {
    check(
        &list(
            "when = { from = \"Skip\", not_equals = true }",
            "q = { from = \"Q.R\", as = \"integer\" }",
        ),
        r#"{"L":[{"Skip":true},{"Q":{"R":1}},{"Q":{"R":"x"}},{},{"Skip":1},7]}"#,
        "l[2].q: L[2].Q.R is not a number
         l[3].q: L[3].Q.R is missing
         l[4]: L[4].Skip is a number, but is compared with true or false
         l[5].q: L[5].Q.R is missing",
    );
}

#[test]
fn an_element_may_refer_to_the_record_around_it() {
    let mapping = list(
        "when = { from = \"^.Open\", equals = true }",
        "c = { concat = [\"^.Name\", \"N\"], separator = \":\" }\nd = { from = \"^.A.B\" }",
    );
    check(
        &mapping,
        r#"{"Open":true,"Name":"x","A":{"B":"y"},"L":[{"N":"1","Name":"no"}]}"#,
        r#"{"l":[{"c":"x:1","d":"y"}]}"#,
    );
    check(
        &mapping,
        r#"{"Open":true,"Name":"x","L":[{"N":"1"}]}"#,
        "l[0].d: A.B is missing",
    );
}

#[test]
fn thousands_of_bad_lines_are_counted_and_the_first_named() {
    let section = crate::check::section(&list("", "q = { from = \"Q\" }"));
    let body = serde_json::json!({ "L": vec![serde_json::json!({}); 9_000] });
    let fault = section.apply(&body, &mapping::Links::new()).unwrap_err();
    assert_eq!(fault.fields.len(), 500);
    assert!(fault.message.contains("9000 bad fields"), "{fault}");
    assert!(fault.message.contains("8500 of them not named"), "{fault}");
}

/// A list of two blocks, from `L` and from `M`, with these lines under each header, and these after them.
fn blocks(first: &str, second: &str, after: &str) -> String {
    format!(
        "version = 1\n[[order.lists.\"i.l\"]]\nfrom = \"L\"\n{first}\nfields.x = {{ from = \"X\" }}\n\
         [[order.lists.\"i.l\"]]\nfrom = \"M\"\n{second}\nfields.y = {{ from = \"Y\" }}\n{after}"
    )
}

#[test]
fn several_blocks_make_one_list() {
    let both = blocks("", "", "");
    check(
        &both,
        r#"{"M":[{"Y":"1"}],"L":[{"X":"2"},{"X":"3"}]}"#,
        r#"{"i":{"l":[{"x":"2"},{"x":"3"},{"y":"1"}]}}"#,
    );
    check(&both, r#"{"M":[],"L":[]}"#, r#"{"i":{"l":[]}}"#);
    check(&both, "{}", "i.l: L is missing\ni.l: M is missing");
    check(
        &both,
        r#"{"L":[{}],"M":[{"Y":"1"},{}]}"#,
        "i.l[0].x: L[0].X is missing
         i.l[1].y: M[1].Y is missing",
    );
    // From one list twice.
    let twice = both.replace("\"M\"", "\"L\"");
    check(
        &twice,
        r#"{"L":[{"X":"1","Y":"2"},{"X":"3","Y":"4"}]}"#,
        r#"{"i":{"l":[{"x":"1"},{"x":"3"},{"y":"2"},{"y":"4"}]}}"#,
    );
    let optional = blocks("optional = true", "optional = true", "");
    check(
        &optional,
        r#"{"M":[{"Y":"1"}]}"#,
        r#"{"i":{"l":[{"y":"1"}]}}"#,
    );
    check(&optional, "{}", "{}");
}

#[test]
fn how_many_of_a_block_and_of_all() {
    let each = blocks("count_min = 1", "count_max = 1", "");
    check(
        &each,
        r#"{"L":[],"M":[{"Y":"1"},{"Y":"2"}]}"#,
        "i.l: L gives 0 elements, at least 1 are wanted
         i.l: M gives 2 elements, at most 1 are wanted",
    );
    let counts = "[order.counts]\n\"i.l\" = { count_min = 1, count_max = 2 }";
    let all = blocks("optional = true", "optional = true", counts);
    check(&all, r#"{"M":[{"Y":"1"}]}"#, r#"{"i":{"l":[{"y":"1"}]}}"#);
    check(&all, "{}", "i.l: has 0 elements, at least 1 are wanted");
    check(
        &all,
        r#"{"L":[{"X":"1"},{"X":"1"}],"M":[{"Y":"1"}]}"#,
        "i.l: has 3 elements, at most 2 are wanted",
    );
    // No list is longer than a list may be, however many blocks make it.
    let line = serde_json::json!({ "X": "1", "Y": "1" });
    let body = serde_json::json!({ "L": vec![line.clone(); 6_000], "M": vec![line; 6_000] });
    check(
        &blocks("", "", ""),
        &body.to_string(),
        "i.l: has 12000 elements, at most 10000 are wanted",
    );
}

#[test]
fn counts_of_lists_that_are_not_there() {
    for (counts, problem) in [
        (
            "il = { count_min = 1 }",
            "11:1: there is no list `il`, did you mean `i.l`?",
        ),
        (
            "\"i.l\" = 1",
            "11:9: the count of `i.l` must be `{ count_min = 1 }` or the like",
        ),
        (
            "\"i.l\" = { min = 1 }",
            "11:11: unknown key `min` in the count of `i.l`; known are count_min, count_max",
        ),
        (
            "\"i.l\" = { count_min = 2, count_max = 1 }",
            "11:11: `count_min` is more than the list may have",
        ),
    ] {
        refused(
            &blocks("", "", &format!("[order.counts]\n{counts}")),
            problem,
        );
    }
    refused(
        "version = 1\n[o.lists]\nl = []",
        "3:5: the list `l` must be a table, or a list of tables",
    );
    refused(
        "version = 1\n[o.lists]\nl = [1]",
        "3:6: a block of the list `l` must be a table",
    );
    refused(
        "version = 1\n[[o.lists.l]]\nfrom = \"A\"\nfields.a = { constant = 1 }\n[[o.lists.l]]\nfrm = \"A\"\nfields.a = { constant = 1 }",
        "5:1: the list `l` says no `from`
         6:1: unknown key `frm`, did you mean `from`?",
    );
}
