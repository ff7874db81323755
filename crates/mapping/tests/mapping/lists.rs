//! Lists mapped element by element.

use crate::check::{check, list};

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
