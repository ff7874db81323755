use serde_json::json;
use sluice_core::Fault;

use super::*;
use crate::script::{Script, answer, answering, run};

type Answer = Result<http::Response<bytes::Bytes>, sluice_core::ports::SendError>;

fn rows(items: &[(&str, &str)]) -> Answer {
    let items: Vec<Value> = items
        .iter()
        .map(|(id, name)| json!({"id": id, "itemid": name}))
        .collect();
    let body = json!({"count": items.len(), "hasMore": false, "items": items});
    Ok(answer(200, &body.to_string()))
}

fn find(script: &std::rc::Rc<Script>, keys: &[&str]) -> Result<BTreeMap<String, Found>, Fault> {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    run(items().find_all(&script.ports(), &keys))
}

#[test]
fn all_keys_are_looked_up_at_once() {
    let script = answering(vec![rows(&[
        ("3", "BX-1"),
        ("4", "bx-1"),
        ("5", "O'Brien"),
        ("9", "BX-1"),
        ("12", "BX-1"),
    ])]);
    let found = find(&script, &["BX-1", "O'Brien", "gone", "BX-1", ""]).unwrap();
    let several = Found::Several(vec!["3".into(), "9".into(), "12".into()]);
    assert_eq!(
        found,
        BTreeMap::from([
            ("BX-1".to_owned(), several),
            ("O'Brien".to_owned(), Found::One("5".into()))
        ])
    );
    assert_eq!(script.lines().len(), 1);
    assert!(script.lines()[0].ends_with(
        r#"{"q":"SELECT id, itemid FROM item WHERE isinactive = 'F' AND itemid IN ('BX-1', 'O''Brien', 'gone') ORDER BY id"}"#
    ));
}

#[test]
fn many_keys_take_several_queries() {
    let keys: Vec<String> = (0..1100).map(|number| format!("K{number:04}")).collect();
    let script = answering(vec![
        rows(&[("1", "K0000")]),
        rows(&[("2", "K0500")]),
        rows(&[("3", "K1099")]),
    ]);
    let found = run(items().find_all(&script.ports(), &keys)).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(script.lines().len(), 3);
}

#[test]
fn what_can_be_no_name_is_not_asked_for() {
    let script = answering(vec![]);
    assert!(find(&script, &["", "a\u{0}b", "\n"]).unwrap().is_empty());
    assert!(script.lines().is_empty());
}

#[test]
fn a_row_without_its_name_is_a_fault() {
    let body = r#"{"count":1,"hasMore":false,"items":[{"id":"1"}]}"#;
    let script = answering(vec![Ok(answer(200, body))]);
    let fault = find(&script, &["a"]).unwrap_err();
    assert!(fault.message.contains("items[].itemid"), "{fault}");
}
