//! What would change, for a person to look at.

use serde_json::{Map, Value};

use crate::number::Digits;

/// One difference between a mapped body and the record as the target holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Dotted path with list positions: `item.items[2].quantity`.
    pub path: String,
    /// What the target holds; `None` where it holds nothing.
    pub held: Option<Value>,
    /// What it would hold; `None` for a list element that would go.
    pub wanted: Option<Value>,
}

/// The changes that would make `held` say what `wanted` says, in the order of `wanted`.
///
/// Only what `wanted` names is looked at, so a reference `{"id": "5"}` is compared by its id, whatever else
/// the target tells about it. Numbers are compared by value, ids also as text with number; lists position
/// by position. Null is absent.
pub fn diff(wanted: &Value, held: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut path = String::new();
    compare(Some(wanted), Some(held), &mut path, &mut changes);
    changes
}

fn compare(
    wanted: Option<&Value>,
    held: Option<&Value>,
    path: &mut String,
    changes: &mut Vec<Change>,
) {
    let wanted = wanted.filter(|value| !value.is_null());
    let held = held.filter(|value| !value.is_null());
    match (wanted, held) {
        (None, None) => {}
        (Some(Value::Object(wanted)), Some(Value::Object(held))) => {
            objects(wanted, held, path, changes);
        }
        (Some(Value::Array(wanted)), Some(Value::Array(held))) => {
            for at in 0..wanted.len().max(held.len()) {
                let length = path.len();
                path.push_str(&format!("[{at}]"));
                compare(wanted.get(at), held.get(at), path, changes);
                path.truncate(length);
            }
        }
        (Some(wanted), Some(held)) if same(wanted, held, is_id(path)) => {}
        (wanted, held) => changes.push(Change {
            path: path.clone(),
            held: held.cloned(),
            wanted: wanted.cloned(),
        }),
    }
}

fn objects(
    wanted: &Map<String, Value>,
    held: &Map<String, Value>,
    path: &mut String,
    changes: &mut Vec<Change>,
) {
    for (key, value) in wanted {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        compare(Some(value), held.get(key), path, changes);
        path.truncate(length);
    }
}

fn is_id(path: &str) -> bool {
    path == "id" || path.ends_with(".id")
}

fn same(wanted: &Value, held: &Value, id: bool) -> bool {
    match (wanted, held) {
        (Value::Number(wanted), Value::Number(held)) => {
            let number = |number: &serde_json::Number| Digits::parse(number.as_str());
            wanted == held || number(wanted).is_some_and(|wanted| Some(wanted) == number(held))
        }
        (Value::Number(number), Value::String(text))
        | (Value::String(text), Value::Number(number)) => id && number.as_str() == text,
        _ => wanted == held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, held: &str, expect: &[(&str, Option<&str>, Option<&str>)]) {
        let parse = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        let changes: Vec<_> = expect
            .iter()
            .map(|(path, held, wanted)| Change {
                path: (*path).to_owned(),
                held: held.map(parse),
                wanted: wanted.map(parse),
            })
            .collect();
        assert_eq!(
            diff(&parse(wanted), &parse(held)),
            changes,
            "{wanted} {held}"
        );
    }

    #[test]
    fn only_what_is_wanted_counts() {
        check(r#"{"a":1}"#, r#"{"a":1.0,"b":2,"links":[]}"#, &[]);
        check(
            r#"{"entity":{"id":"5"}}"#,
            r#"{"entity":{"id":"5","refName":"Acme","links":[]}}"#,
            &[],
        );
        check(r#"{"a":null}"#, "{}", &[]);
    }

    #[test]
    fn ids_compare_as_text_or_number_and_amounts_by_value() {
        check(
            r#"{"item":{"id":"5"},"id":7}"#,
            r#"{"item":{"id":5},"id":"7"}"#,
            &[],
        );
        check(r#"{"rate":12.50}"#, r#"{"rate":12.5}"#, &[]);
        check(
            r#"{"memo":"5"}"#,
            r#"{"memo":5}"#,
            &[("memo", Some("5"), Some("\"5\""))],
        );
    }

    #[test]
    fn changes_are_named_by_path() {
        check(
            r#"{"item":{"items":[{"quantity":2},{"quantity":3}]},"memo":"new"}"#,
            r#"{"item":{"items":[{"quantity":1,"line":1}]},"memo":null}"#,
            &[
                ("item.items[0].quantity", Some("1"), Some("2")),
                ("item.items[1]", None, Some(r#"{"quantity":3}"#)),
                ("memo", None, Some("\"new\"")),
            ],
        );
        check(
            r#"{"items":[]}"#,
            r#"{"items":[{"quantity":1}]}"#,
            &[("items[0]", Some(r#"{"quantity":1}"#), None)],
        );
        check(
            r#"{"a":{"b":1}}"#,
            r#"{"a":"x"}"#,
            &[("a", Some("\"x\""), Some(r#"{"b":1}"#))],
        );
    }
}
