//! A flow's mapping, tried on its cases: the folder `cases` beside `mapping.toml`.
//!
//! ```text
//! cases/<name>/
//!   input.json      the source body
//!   links.json      what its references are in the target: {"customer": {"001…": "1502"}}; none if absent
//!   changes.json    {"text of mapping.toml": "what stands there instead", …}, for what a setting changes; each
//!                   text must stand there once
//!   held.json       the record as the target holds it; where there is something to write back
//!   expected.json   {"section": "order", …} with one or more of
//!                     "mapped": {…}             the target body, digit for digit
//!                     "bad_fields": {path: why} every field that can't be mapped; or every total that differs
//!                     "in_scope": false         the section does not apply
//!                     "write_back": {…}         what is written into the source, from held.json
//! ```
//!
//! A flow runs its own with one test: `mapping::cases::run(env!("CARGO_MANIFEST_DIR")).unwrap()`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sluice_core::Fault;

use crate::{Links, MappingFile, Section, diff};

const EXPECTATIONS: &[&str] = &["section", "mapped", "bad_fields", "in_scope", "write_back"];

/// Runs every case of the flow in this folder; how many there were. `Err` names every case that failed, and
/// how. A flow without a case fails, too.
pub fn run(flow: impl AsRef<Path>) -> Result<usize, String> {
    let flow = flow.as_ref();
    let text = read(&flow.join("mapping.toml"))?;
    let file = parse(&text)?;
    let folder = flow.join("cases");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut cases: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    if cases.is_empty() {
        return Err(format!("{}: there is no case", folder.display()));
    }
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let reason = one(&file, &text, case).err()?;
            Some(format!("{}: {reason}", case.display()))
        })
        .collect();
    if failed.is_empty() {
        Ok(cases.len())
    } else {
        Err(failed.join("\n"))
    }
}

fn one(file: &MappingFile, text: &str, case: &Path) -> Result<(), String> {
    let changed;
    let file = match case.join("changes.json").exists() {
        true => {
            changed = parse(&change(text, &object(case, "changes.json")?)?)?;
            &changed
        }
        false => file,
    };
    let expected = object(case, "expected.json")?;
    if let Some(key) = expected
        .keys()
        .find(|key| !EXPECTATIONS.contains(&key.as_str()))
    {
        return Err(format!("expected.json: unknown key `{key}`"));
    }
    let name = expected.get("section").and_then(Value::as_str);
    let name = name.ok_or("expected.json says no `section`")?;
    let section = file.section(name).map_err(|fault| fault.to_string())?;
    if expected.len() < 2 {
        return Err("expected.json expects nothing".to_owned());
    }
    let input = Value::Object(object(case, "input.json")?);
    if let Some(wanted) = expected.get("in_scope") {
        let answer = section
            .in_scope(&input)
            .map_err(|fault| fault.to_string())?;
        compare("in_scope", wanted, &Value::Bool(answer))?;
    }
    match (expected.get("mapped"), expected.get("bad_fields")) {
        (Some(wanted), None) => {
            let mapped = map(section, case, &input)?.map_err(|fault| fault.to_string())?;
            compare("mapped", wanted, &mapped)?;
        }
        (None, Some(wanted)) => match map(section, case, &input)? {
            Ok(mapped) => return Err(format!("is mapped, without a bad field: {mapped}")),
            Err(fault) => compare("bad_fields", wanted, &bad_fields(&fault))?,
        },
        (Some(_), Some(_)) => {
            return Err("expected.json has both `mapped` and `bad_fields`".to_owned());
        }
        (None, None) => {}
    }
    if let Some(wanted) = expected.get("write_back") {
        let held = Value::Object(object(case, "held.json")?);
        let fields = section
            .write_back(&held)
            .map_err(|fault| fault.to_string())?;
        compare("write_back", wanted, &Value::Object(fields))?;
    }
    Ok(())
}

/// The mapping as somebody would edit it for this case.
fn change(text: &str, changes: &Map<String, Value>) -> Result<String, String> {
    let mut text = text.to_owned();
    for (old, new) in changes {
        let new = new.as_str().ok_or("changes.json: not an object of texts")?;
        let count = text.matches(old.as_str()).count();
        if count != 1 {
            return Err(format!(
                "changes.json: `{old}` stands {count} times in mapping.toml"
            ));
        }
        text = text.replacen(old.as_str(), new, 1);
    }
    Ok(text)
}

fn parse(text: &str) -> Result<MappingFile, String> {
    MappingFile::parse("mapping.toml", text).map_err(|fault| fault.to_string())
}

fn map(section: &Section, case: &Path, input: &Value) -> Result<Result<Value, Fault>, String> {
    let mut links = Links::new();
    if case.join("links.json").exists() {
        for (link, targets) in &object(case, "links.json")? {
            let targets = targets
                .as_object()
                .ok_or("links.json: not an object of objects")?;
            for (id, target) in targets {
                let target = target.as_str().ok_or("links.json: an id is not text")?;
                links.insert(link, id, target);
            }
        }
    }
    Ok(section.apply(input, &links))
}

/// By path; two blocks of a list may have something to say of one, then both stand there.
fn bad_fields(fault: &Fault) -> Value {
    let mut fields = Map::new();
    for field in &fault.fields {
        let reason = match fields.get(&field.path).and_then(Value::as_str) {
            Some(said) => format!("{said}; {}", field.reason),
            None => field.reason.clone(),
        };
        fields.insert(field.path.clone(), Value::String(reason));
    }
    Value::Object(fields)
}

/// Equal to the digit and the key; else the differences, by path.
fn compare(what: &str, wanted: &Value, given: &Value) -> Result<(), String> {
    if wanted == given {
        return Ok(());
    }
    let show = |value: Option<Value>| value.map_or("nothing".to_owned(), |value| value.to_string());
    let mut lines: Vec<String> = diff(wanted, given)
        .into_iter()
        .map(|change| {
            format!(
                "{}: {} instead of {}",
                change.path,
                show(change.held),
                show(change.wanted)
            )
        })
        .collect();
    if lines.is_empty() {
        // Keys that are not expected, or the same numbers written otherwise.
        lines.push(format!("{given} instead of {wanted}"));
    }
    Err(format!("`{what}` differs\n  {}", lines.join("\n  ")))
}

fn object(case: &Path, name: &str) -> Result<Map<String, Value>, String> {
    let value: Value = serde_json::from_str(&read(&case.join(name))?)
        .map_err(|error| format!("{name}: {error}"))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(format!("{name}: not an object")),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
