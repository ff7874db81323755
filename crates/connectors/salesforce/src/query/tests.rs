use serde_json::json;
use sluice_core::{Position, code};

use super::*;
use crate::errors::REQUEST;
use crate::script::{ORIGIN, answer, logged_in, records, refused, run, shared};

fn time(text: &str) -> Timestamp {
    super::time(text).unwrap()
}

#[test]
fn statements_are_spelled_out() {
    let lines = Query::select(["Id", "Quantity"], "OpportunityLineItems")
        .unwrap()
        .undeleted()
        .ordered_by(&["SortOrder", "Id"])
        .unwrap();
    let query = Query::select(["Id", "Name", "id", "Account.Name"], "Opportunity")
        .unwrap()
        .nesting(&lines)
        .with("Name", "O'Neill \\ Co\n")
        .unwrap()
        .limited(5);
    assert_eq!(
        query.statement(),
        "SELECT Id, Name, Account.Name, (SELECT Id, Quantity FROM OpportunityLineItems WHERE IsDeleted = FALSE \
         ORDER BY SortOrder, Id) FROM Opportunity WHERE Name = 'O\\'Neill \\\\ Co\\n' LIMIT 5"
    );
}

#[test]
fn a_window_is_a_key_and_a_bound() {
    let mut window = Window {
        after: Position {
            watermark: time("2026-11-22T10:00:00.1239Z"),
            id: String::new(),
        },
        until: time("2026-11-22T11:00:00.9999Z"),
    };
    let select = || Query::select(["Id"], "Account").unwrap();
    assert_eq!(
        select().changed(&window).statement(),
        "SELECT Id FROM Account WHERE SystemModstamp >= 2026-11-22T10:00:00.123Z \
         AND SystemModstamp <= 2026-11-22T11:00:00.999Z ORDER BY SystemModstamp, Id"
    );
    window.after.id = "001'".into();
    assert_eq!(
        select().changed(&window).statement(),
        "SELECT Id FROM Account WHERE SystemModstamp >= 2026-11-22T10:00:00.123Z \
         AND SystemModstamp <= 2026-11-22T11:00:00.999Z \
         AND (SystemModstamp > 2026-11-22T10:00:00.123Z OR Id > '001\\'') ORDER BY SystemModstamp, Id"
    );
}

#[test]
fn only_names_become_part_of_a_query() {
    for name in ["Name", "Account.Owner.Name", "PO_Number__c", "x__r.y__c"] {
        assert_eq!(field_name(name).unwrap(), name);
    }
    for name in [
        "",
        ".",
        "Name.",
        "a..b",
        "1a",
        "_a",
        "a b",
        "a'",
        "a,b",
        "(a",
        "a.b.c.d.e.f.g",
        "naïve",
        "a\n",
    ] {
        assert_eq!(field_name(name).unwrap_err().code, REQUEST, "{name:?}");
        assert!(Query::select([name], "Account").is_err());
        assert!(
            Query::select(["Id"], "Account")
                .unwrap()
                .ordered_by(&[name])
                .is_err()
        );
        assert!(
            Query::select(["Id"], "Account")
                .unwrap()
                .with(name, "x")
                .is_err()
        );
    }
}

#[test]
fn times_are_read_as_the_vendor_writes_them() {
    for text in ["2026-11-22T19:53:21.123+0000", "2026-11-22T19:53:21.123Z"] {
        assert_eq!(time(text).as_millisecond(), 1_795_377_201_123, "{text}");
    }
    for text in ["", "2026-11-22", "yesterday", "2026-11-22T19:53:21"] {
        assert_eq!(super::time(text), None, "{text}");
    }
    let before_1970 = time("1969-12-31T23:59:59.9995Z");
    assert_eq!(floor_ms(before_1970).as_millisecond(), -1);
}

fn all(pages: Vec<Response<Bytes>>) -> (Result<Vec<Row>>, Vec<String>) {
    let script = logged_in(pages);
    let ports = script.ports();
    let settings = Settings::read(&*ports.variables).unwrap();
    let query = Query::select(["Id"], "Account").unwrap();
    let got = run(rows(&ports, &settings, &query));
    (got, script.lines().split_off(1))
}

fn paged(total: u64, next: &str, ids: &[&str]) -> Response<Bytes> {
    let records: Vec<Value> = ids
        .iter()
        .map(|id| json!({"attributes": {"type": "Account"}, "Id": id}))
        .collect();
    let mut body = json!({"totalSize": total, "done": next.is_empty(), "records": records});
    if !next.is_empty() {
        body["nextRecordsUrl"] = next.into();
    }
    answer(200, &body.to_string())
}

#[test]
fn pages_are_followed_to_the_end() {
    let next = "/services/data/v66.0/query/0r8xx3c4OSNqbqXAAR-2";
    let (got, lines) = all(vec![paged(3, next, &["a", "b"]), paged(3, "", &["c"])]);
    let ids: Vec<Value> = got
        .unwrap()
        .into_iter()
        .map(|row| row["Id"].clone())
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(
        lines,
        [
            format!("GET {ORIGIN}/services/data/v66.0/queryAll?q=SELECT Id FROM Account"),
            format!("GET {ORIGIN}{next}"),
        ]
    );
    let (got, _) = all(vec![records(json!([]))]);
    assert!(got.unwrap().is_empty());
}

#[test]
fn answers_that_lie_about_paging_are_faults() {
    let next = "/services/data/v66.0/query/01g-1";
    let other = "/services/data/v66.0/query/01g-2";
    let mut last_with_next = json!({"totalSize": 1, "done": true, "records": [{"Id": "a"}]});
    last_with_next["nextRecordsUrl"] = next.into();
    for (name, pages) in [
        ("too few", vec![paged(2, "", &["a"])]),
        ("too many", vec![paged(1, "", &["a", "b"])]),
        (
            "too many in all",
            vec![paged(2, next, &["a"]), paged(2, "", &["b", "c"])],
        ),
        (
            "too few in all",
            vec![paged(3, next, &["a"]), paged(3, "", &["b"])],
        ),
        (
            "empty page",
            vec![paged(2, next, &["a"]), paged(2, other, &[])],
        ),
        (
            "circle",
            vec![
                paged(9, next, &["a"]),
                paged(9, next, &["b"]),
                paged(9, next, &["b"]),
            ],
        ),
        (
            "last with a next",
            vec![answer(200, &last_with_next.to_string())],
        ),
    ] {
        let fault = all(pages).0.expect_err(name);
        assert_eq!(fault.code, code::SOURCE_PAGING, "{name}: {fault}");
    }
}

#[test]
fn a_following_page_is_asked_for_at_our_own_host_only() {
    for next in [
        "https://example.com/services/data/v66.0/query/1",
        "//example.com/services/data/v66.0/query/1",
        "@example.com/",
        "/services/oauth2/revoke",
        "/services/data/v66.0/query/1?q=x y",
        "/services/data/v66.0/query/1\r\nx: y",
    ] {
        let (got, lines) = all(vec![paged(2, next, &["a"])]);
        let fault = got.unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID, "{next}");
        assert!(fault.message.contains("nextRecordsUrl"));
        assert_eq!(lines.len(), 1);
    }
}

#[test]
fn answers_that_lack_a_field_say_which() {
    for (body, field) in [
        ("{}", "totalSize"),
        (r#"{"totalSize":"1"}"#, "totalSize"),
        (r#"{"totalSize":1}"#, "done"),
        (r#"{"totalSize":1,"done":false}"#, "nextRecordsUrl"),
        (r#"{"totalSize":1,"done":true}"#, "records"),
        (r#"{"totalSize":1,"done":true,"records":{}}"#, "records"),
        (r#"{"totalSize":1,"done":true,"records":[1]}"#, "records[]"),
        ("<html>", "JSON"),
        ("[]", "JSON"),
        (r#"{"totalSize":1,"done":tr"#, "JSON"),
    ] {
        let fault = all(vec![answer(200, body)]).0.unwrap_err();
        assert_eq!(fault.code, code::ANSWER_INVALID, "{body}");
        assert!(fault.message.contains(field), "{body}: {fault}");
    }
    let deep = "[".repeat(100_000);
    let fault = all(vec![answer(200, &deep)]).0.unwrap_err();
    assert_eq!(fault.code, code::ANSWER_INVALID);
}

#[test]
fn a_forgotten_place_in_an_answer_means_asking_anew() {
    let next = "/services/data/v66.0/query/01g-1";
    let pages = vec![
        paged(2, next, &["a"]),
        refused(400, "INVALID_QUERY_LOCATOR"),
    ];
    let fault = all(pages).0.unwrap_err();
    assert_eq!(fault.code, errors::QUERY_EXPIRED);
}

#[test]
fn a_query_that_is_too_long_is_not_sent() {
    let fields: Vec<String> = (0..2000)
        .map(|number| format!("Field_{number}__c"))
        .collect();
    let query = Query::select(fields.iter().map(String::as_str), "Account").unwrap();
    let fault = call(&query.statement()).unwrap_err();
    assert_eq!(fault.code, REQUEST);
}

#[test]
fn numbers_keep_their_digits() {
    let body = r#"{"totalSize":1,"done":true,"records":[{"Amount":12345678901234567.80}]}"#;
    let (got, _) = all(vec![answer(200, body)]);
    assert_eq!(
        got.unwrap()[0]["Amount"].to_string(),
        "12345678901234567.80"
    );
}

#[test]
fn published_answers_are_read() {
    let file = |name: &str| {
        shared(&format!(
            "samples/salesforce/restforce-fixtures/query_{name}_response.json"
        ))
    };
    let (Some(first), Some(last)) = (file("paginated_first_page"), file("paginated_last_page"))
    else {
        return;
    };
    let (got, lines) = all(vec![answer(200, &first), answer(200, &last)]);
    let rows = got.unwrap();
    assert_eq!(rows[1]["Text_Label"], "Last Page");
    assert!(!rows[0].contains_key("attributes"));
    assert_eq!(
        lines[1],
        format!("GET {ORIGIN}/services/data/v26.0/query/01gD")
    );
}
