use sluice_core::{Action, code};

use super::*;
use crate::script::{Script, answer, answering, refused, run};

fn page(ids: &[i64], has_more: bool) -> Response<Bytes> {
    let items: Vec<Value> = ids
        .iter()
        .map(|id| json!({"links": [], "id": id.to_string(), "itemid": format!("SKU-{id}")}))
        .collect();
    let body = json!({"links": [], "count": ids.len(), "hasMore": has_more, "items": items,
        "offset": 0, "totalResults": 9});
    answer(200, &body.to_string())
}

fn query() -> Query {
    Query::select(&["itemid"], "item").unwrap()
}

fn ask(script: &std::rc::Rc<Script>) -> Result<Vec<Row>> {
    let ports = script.ports();
    let settings = Settings::read(&*ports.variables)?;
    run(rows(&ports, &settings, &query()))
}

#[test]
fn statements_are_quoted() {
    let query = query()
        .with_any("itemid", &["O'Brien", "'; DROP TABLE item --", "a\\b%_\n"])
        .unwrap()
        .with("isinactive", "F")
        .unwrap();
    assert_eq!(
        query.page(Some(-3)),
        "SELECT id, itemid FROM item WHERE itemid IN ('O''Brien', '''; DROP TABLE item --', \
         'a\\b%_\n') AND isinactive = 'F' AND id > -3 ORDER BY id"
    );
    assert_eq!(
        Query::select(&[], "currency").unwrap().page(None),
        "SELECT id FROM currency ORDER BY id"
    );
}

#[test]
fn a_condition_has_texts_but_not_too_many() {
    let texts = vec!["x"; TEXTS_MAX + 1];
    assert!(query().with_any("itemid", &texts).is_err());
    assert!(query().with_any("itemid", &texts[1..]).is_ok());
    assert!(query().with_any("itemid", &[]).is_err());
}

#[test]
fn columns_are_known_by_their_names_in_lower_case() {
    let body = r#"{"count":1,"hasMore":false,"items":[{"ID":"1","ItemId":"A","Links":[]}]}"#;
    let rows = ask(&answering(vec![Ok(answer(200, body))])).unwrap();
    assert_eq!(
        Value::Object(rows[0].clone()),
        json!({"id": "1", "itemid": "A"})
    );
}

#[test]
fn names_that_would_need_quoting_are_refused() {
    for name in ["", "item; --", "1a", "a b", "a'", "ä", "a.b", "_a"] {
        assert!(Query::select(&[], name).is_err(), "{name}");
        assert!(Query::select(&[name], "item").is_err(), "{name}");
        assert!(query().with(name, "x").is_err(), "{name}");
    }
}

#[test]
fn pages_are_followed_by_key() {
    let script = answering(vec![
        Ok(page(&[-5, 2], true)),
        Ok(page(&[9, 10], true)),
        Ok(page(&[], false)),
    ]);
    let rows = ask(&script).unwrap();
    let ids: Vec<String> = rows.iter().map(|row| id(row).unwrap()).collect();
    assert_eq!(ids, ["-5", "2", "9", "10"]);
    assert!(!rows[0].contains_key("links"));
    let url = "POST https://1234567.suitetalk.api.netsuite.com/services/rest/query/v1/suiteql\
               ?limit=1000";
    assert_eq!(
        script.lines(),
        [
            format!(r#"{url} {{"q":"SELECT id, itemid FROM item ORDER BY id"}}"#),
            format!(r#"{url} {{"q":"SELECT id, itemid FROM item WHERE id > 2 ORDER BY id"}}"#),
            format!(r#"{url} {{"q":"SELECT id, itemid FROM item WHERE id > 10 ORDER BY id"}}"#),
        ]
    );
    assert_eq!(script.header(0, "prefer"), "transient");
}

#[test]
fn an_answer_that_lies_or_lacks_is_named() {
    let items = |items: &str| format!(r#"{{"hasMore":true,"count":1,"items":{items}}}"#);
    for (body, code, words) in [
        ("<html>".to_owned(), code::ANSWER_INVALID, "JSON"),
        ("[]".to_owned(), code::ANSWER_INVALID, "JSON"),
        (
            r#"{"items":[]}"#.to_owned(),
            code::ANSWER_INVALID,
            "hasMore",
        ),
        (
            r#"{"hasMore":1,"items":[]}"#.to_owned(),
            code::ANSWER_INVALID,
            "hasMore",
        ),
        (
            r#"{"hasMore":false}"#.to_owned(),
            code::ANSWER_INVALID,
            "items",
        ),
        (items("[7]"), code::ANSWER_INVALID, "items[]"),
        (items("[{}]"), code::ANSWER_INVALID, "items[].id"),
        (items(r#"[{"id":"x"}]"#), code::ANSWER_INVALID, "items[].id"),
        (items(r#"[{"id":1.5}]"#), code::ANSWER_INVALID, "items[].id"),
        (items("[]"), code::SOURCE_PAGING, "counts"),
        (
            r#"{"hasMore":true,"items":[]}"#.to_owned(),
            code::SOURCE_PAGING,
            "promises",
        ),
    ] {
        let fault = ask(&answering(vec![Ok(answer(200, &body))])).unwrap_err();
        assert_eq!(
            (fault.code, &fault.action),
            (code, &Action::Retry),
            "{body}"
        );
        assert!(fault.message.contains(words), "{body}: {fault}");
    }
    for pages in [
        vec![Ok(page(&[2, 2], false))],
        vec![Ok(page(&[2, 1], false))],
        vec![Ok(page(&[1, 2], true)), Ok(page(&[2, 3], false))],
    ] {
        let fault = ask(&answering(pages)).unwrap_err();
        assert_eq!(fault.code, code::SOURCE_PAGING);
    }
}

#[test]
fn a_query_without_end_is_ended() {
    let pages = (0..PAGE_COUNT_MAX as i64).map(|id| Ok(page(&[id], true)));
    let script = answering(pages.collect());
    let fault = ask(&script).unwrap_err();
    assert_eq!(
        (fault.code, &fault.action),
        (errors::REQUEST, &Action::StopFlow)
    );
    assert_eq!(script.lines().len(), PAGE_COUNT_MAX);
}

#[test]
fn a_refused_query_stops_the_flow() {
    let script = answering(vec![Ok(refused(400, "INVALID_PARAMETER"))]);
    assert_eq!(ask(&script).unwrap_err().code, errors::REQUEST);
}
