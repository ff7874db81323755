//! Is this body what was last applied?

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::number::Digits;

/// A hash of a body, SHA-256 in hexadecimal: equal for equal bodies whatever the order of their keys, and
/// for numbers equal in value (`1.0` and `1.00`). Lists are compared in order; absent is not null.
pub fn fingerprint(body: &Value) -> String {
    const NIBBLES: &[u8; 16] = b"0123456789abcdef";
    let mut canonical = String::with_capacity(1024);
    write(body, &mut canonical);
    let hash = Sha256::digest(canonical.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .map(|nibble| char::from(NIBBLES[usize::from(nibble)]))
        .collect()
}

/// JSON with sorted keys, no blanks, and one form for each number.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            out.push('{');
            // Sorted already, unless another crate of the build asks serde_json to keep their order.
            if object.keys().is_sorted() {
                object
                    .iter()
                    .for_each(|(key, value)| entry(key, value, out));
            } else {
                let mut keys: Vec<&String> = object.keys().collect();
                keys.sort_unstable();
                keys.iter()
                    .for_each(|key| entry(key, &object[key.as_str()], out));
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for value in list {
                write(value, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Number(number) => match Digits::parse(number.as_str()) {
            Some(digits) => out.push_str(&digits.canonical()),
            None => out.push_str(number.as_str()),
        },
        Value::String(string) => text(string, out),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Null => out.push_str("null"),
    }
}

fn entry(key: &str, value: &Value, out: &mut String) {
    text(key, out);
    out.push(':');
    write(value, out);
    out.push(',');
}

/// A text under its length: no escaping needed to tell any two apart.
fn text(text: &str, out: &mut String) {
    // Writing to a string can't fail.
    let _ = write!(out, "{}\"{text}\"", text.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(json: &str) -> String {
        fingerprint(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn equal_bodies_hash_alike() {
        for (a, b) in [
            (
                r#"{"a":1,"b":[2,{"c":3}]}"#,
                r#"{ "b": [2.0, {"c": 3}], "a": 1.00 }"#,
            ),
            (r#"{"a":12.50}"#, r#"{"a":12.5}"#),
            (r#"{"a":1e2}"#, r#"{"a":100}"#),
        ] {
            assert_eq!(hash(a), hash(b), "{a} {b}");
        }
        assert_eq!(hash("{}").len(), 64);
    }

    #[test]
    fn different_bodies_hash_differently() {
        let bodies = [
            "{}",
            "[]",
            "null",
            "false",
            "true",
            "0",
            "\"0\"",
            "\"\"",
            r#"{"a":null}"#,
            r#"{"a":""}"#,
            r#"{"a":[]}"#,
            r#"{"a":[[]]}"#,
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":10}"#,
            r#"{"a":-1}"#,
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":["1,2"]}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":"x","b":"y"}"#,
            r#"{"a":"x\",1\"b\":1\"y"}"#,
        ];
        for (i, a) in bodies.iter().enumerate() {
            for b in &bodies[i + 1..] {
                assert_ne!(hash(a), hash(b), "{a} {b}");
            }
        }
    }
}
