//! Applying a request's body to a record: reading each field, then the account's rules, then saving.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answer::{Detail, Place, Problem, duplicate_record};
use super::schema::{Field, Kind, Sublist, Type};
use super::store::{Cell, Fields, Line, Record, Store};
use super::value;
use super::{Rules, bill, customer, order};

/// `X-NetSuite-PropertyNameValidation` and `-PropertyValueValidation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    Error,
    Warning,
    Ignore,
}

/// How a write is to be done, beside its body.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// The contract's default is `Warning`.
    pub names: Strictness,
    /// The contract's default is `Error`.
    pub values: Strictness,
    /// Sublists (and, with `replace_fields`, fields) named in `replace`.
    pub replace: Vec<String>,
    /// `replaceSelectedFields=true`.
    pub replace_fields: bool,
    /// An administrator at work: may also set what the integration's role may not.
    pub user: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            names: Strictness::Warning,
            values: Strictness::Error,
            replace: Vec::new(),
            replace_fields: false,
            user: false,
        }
    }
}

/// What came of a write.
#[derive(Debug)]
pub(super) struct Written {
    pub id: u64,
    pub warnings: Vec<String>,
}

/// Inserts or updates a record. `base` is the record as it stands, or a new one.
///
/// Nothing is saved unless every field and every rule agrees.
pub(super) fn write(
    store: &mut Store,
    rules: &Rules,
    base: Record,
    body: &Value,
    manner: &Manner,
    now: Timestamp,
) -> Result<Written, Problem> {
    let Value::Object(body) = body else {
        return Err(invalid_body());
    };
    let mut reading = Reading {
        store,
        manner,
        details: Vec::new(),
        warnings: Vec::new(),
    };
    let before = base.clone();
    let mut draft = base;
    let kind = draft.kind;
    check_replace(kind, manner)?;
    let named: Vec<String> = body.keys().cloned().collect();
    reading.fields(kind.fields, Some(kind), body, "", &mut draft.fields);
    for sublist in kind.sublists {
        reading.sublist(sublist, body, &mut draft);
    }
    let (details, warnings) = (reading.details, reading.warnings);
    if !details.is_empty() {
        return Err(Problem {
            status: http::StatusCode::BAD_REQUEST,
            details,
        });
    }
    clear_replaced(&mut draft, &named, manner);
    match kind.name {
        "customer" => customer::settle(store, &before, &mut draft)?,
        "salesOrder" => order::settle(store, rules, &before, &mut draft, manner, now)?,
        "invoice" | "cashSale" => bill::settle(store, rules, &before, &mut draft, now)?,
        _ => settle_other(store, &draft)?,
    }
    check_external_id(store, &draft)?;
    draft.modified = now;
    if draft.id == 0 {
        draft.created = now;
    }
    let id = store.put(draft);
    Ok(Written { id, warnings })
}

pub(super) fn invalid_body() -> Problem {
    Problem::bad_request(Detail::new(
        "INVALID_CONTENT",
        "Invalid content in the request body. Check the request body for syntax errors.",
    ))
}

fn check_replace(kind: &Kind, manner: &Manner) -> Result<(), Problem> {
    for name in &manner.replace {
        let known =
            kind.sublist(name).is_some() || (manner.replace_fields && kind.field(name).is_some());
        if !known {
            return Err(Problem::bad_request(
                Detail::new(
                    "INVALID_PARAMETER",
                    format!("Invalid value '{name}' in the query parameter 'replace'."),
                )
                .at(Place::Query("replace".to_owned())),
            ));
        }
    }
    Ok(())
}

/// With `replaceSelectedFields`, what `replace` names and the body does not is emptied.
fn clear_replaced(draft: &mut Record, named: &[String], manner: &Manner) {
    if !manner.replace_fields {
        return;
    }
    for name in &manner.replace {
        if named.contains(name) {
            continue;
        }
        draft.fields.remove(name.as_str());
        draft.sublists.remove(name.as_str());
    }
}

fn check_external_id(store: &Store, draft: &Record) -> Result<(), Problem> {
    let Some(external_id) = draft.text("externalId") else {
        return Ok(());
    };
    match store.by_external(draft.kind.family, external_id) {
        Some(other) if other.id != draft.id => Err(Problem::bad_request(duplicate_record())),
        _ => Ok(()),
    }
}

fn settle_other(store: &Store, draft: &Record) -> Result<(), Problem> {
    let required = match draft.kind.name {
        "inventoryItem" | "nonInventorySaleItem" | "serviceSaleItem" => "itemId",
        "account" => "acctName",
        _ => "name",
    };
    require(draft, &[required])?;
    let taken = draft
        .text(required)
        .and_then(|name| store.by_name(draft.kind.family, name))
        .is_some_and(|id| id != draft.id);
    if taken {
        return Err(Problem::user_error(match required {
            "itemId" => "Uniqueness error - cannot add or update record",
            _ => "A record with this name already exists.",
        }));
    }
    Ok(())
}

/// Refuses a record that lacks one of these fields, naming all that are missing.
pub(super) fn require(draft: &Record, names: &[&str]) -> Result<(), Problem> {
    let missing: Vec<&str> = names
        .iter()
        .filter(|name| match draft.fields.get(**name) {
            None => true,
            Some(Cell::Text(text)) => text.trim().is_empty(),
            Some(_) => false,
        })
        .filter_map(|name| draft.kind.field(name))
        .map(|field| field.label)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::user_error(format!(
        "Please enter value(s) for: {}.",
        missing.join(", ")
    )))
}

struct Reading<'a> {
    store: &'a Store,
    manner: &'a Manner,
    details: Vec<Detail>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    /// Reads the fields of one object into `into`; `null` empties a field.
    fn fields(
        &mut self,
        fields: &'static [Field],
        kind: Option<&Kind>,
        body: &Map<String, Value>,
        prefix: &str,
        into: &mut Fields,
    ) {
        for (name, value) in body {
            if matches!(name.as_str(), "id" | "links" | "refName")
                || kind.is_some_and(|kind| kind.sublist(name).is_some())
            {
                continue;
            }
            let path = format!("{prefix}{name}");
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                self.unknown(name, &path);
                continue;
            };
            if field.read_only {
                continue;
            }
            self.field(field, value, &path, into);
        }
    }

    fn field(&mut self, field: &'static Field, value: &Value, path: &str, into: &mut Fields) {
        if value.is_null() {
            into.remove(field.name);
            return;
        }
        if let Type::Subrecord(fields) = field.kind {
            let Value::Object(body) = value else {
                self.refuse(Detail::invalid_value(field.name, path));
                return;
            };
            let mut inner = match into.remove(field.name) {
                Some(Cell::Sub(inner)) => inner,
                _ => Fields::new(),
            };
            self.fields(fields, None, body, &format!("{path}."), &mut inner);
            into.insert(field.name, Cell::Sub(inner));
            return;
        }
        match value::read(self.store, field, value, path) {
            Ok(cell) => {
                into.insert(field.name, cell);
            }
            Err(detail) => self.refuse(detail),
        }
    }

    fn unknown(&mut self, name: &str, path: &str) {
        match self.manner.names {
            Strictness::Ignore => {}
            Strictness::Warning => self.warnings.push(format!(
                "Unknown property: {}",
                name.chars()
                    .take(100)
                    .filter(char::is_ascii_graphic)
                    .collect::<String>()
            )),
            Strictness::Error => self.details.push(
                Detail::new("INVALID_CONTENT", format!("Unknown property: {name}"))
                    .at(Place::Path(path.to_owned())),
            ),
        }
    }

    /// A value that cannot be read. References to nothing are refused in any case.
    fn refuse(&mut self, detail: Detail) {
        let lenient = detail.code == "INVALID_VALUE";
        match self.manner.values {
            Strictness::Warning if lenient => self.warnings.push(detail.text),
            Strictness::Ignore if lenient => {}
            _ => self.details.push(detail),
        }
    }

    /// Adds lines, or changes those whose key the line names; with `replace`, drops every other.
    fn sublist(
        &mut self,
        sublist: &'static Sublist,
        body: &Map<String, Value>,
        draft: &mut Record,
    ) {
        let Some(value) = body.get(sublist.name) else {
            return;
        };
        let Some(items) = value.get("items").and_then(Value::as_array) else {
            self.refuse(Detail::invalid_value(sublist.name, sublist.name));
            return;
        };
        let mut old = draft.sublists.remove(sublist.name).unwrap_or_default();
        let replace = self.manner.replace.iter().any(|name| name == sublist.name);
        let mut fresh: Vec<Line> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}.items[{index}]", sublist.name);
            let Value::Object(item) = item else {
                self.refuse(Detail::invalid_value(sublist.name, &path));
                continue;
            };
            let known = self
                .line_key(sublist, item, &path)
                .and_then(|key| old.iter().position(|line| line.key == key));
            match known {
                Some(position) if replace => {
                    let mut line = old.remove(position);
                    self.line(sublist, item, &path, &mut line);
                    fresh.push(line);
                }
                Some(position) => {
                    let mut line = old[position].clone();
                    self.line(sublist, item, &path, &mut line);
                    old[position] = line;
                }
                None => {
                    let mut line = Line {
                        key: 0,
                        fields: Fields::new(),
                    };
                    self.line(sublist, item, &path, &mut line);
                    line.key = match line.fields.get(sublist.key) {
                        Some(Cell::Ref(id)) => *id,
                        _ => draft.next_line,
                    };
                    draft.next_line += 1;
                    if !fresh.iter().any(|other| other.key == line.key) {
                        fresh.push(line);
                    }
                }
            }
        }
        let lines = if replace {
            fresh
        } else {
            old.into_iter().chain(fresh).collect()
        };
        draft.sublists.insert(sublist.name, lines);
    }

    fn line(&mut self, sublist: &Sublist, item: &Map<String, Value>, path: &str, line: &mut Line) {
        let item: Map<String, Value> = item
            .iter()
            .filter(|(name, _)| name.as_str() != "line" && name.as_str() != "internalId")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        self.fields(
            sublist.fields,
            None,
            &item,
            &format!("{path}."),
            &mut line.fields,
        );
        if item.contains_key("rate") || item.contains_key("quantity") {
            // A new price or count makes the old amount stale, unless the line gives its own.
            if !item.contains_key("amount") {
                line.fields.remove("amount");
            }
        } else if item.contains_key("amount") {
            line.fields.remove("rate");
        }
    }

    /// The key a line in the body names, if any.
    fn line_key(
        &mut self,
        sublist: &Sublist,
        item: &Map<String, Value>,
        path: &str,
    ) -> Option<u64> {
        let value = match (sublist.key, item.get(sublist.key)) {
            (_, Some(value)) => value,
            ("internalId", None) => item.get("id")?,
            (_, None) => return None,
        };
        if let Some(field) = sublist
            .fields
            .iter()
            .find(|field| field.name == sublist.key)
            && let Type::Ref(_) = field.kind
        {
            // A bad reference is reported when the line's fields are read.
            return match value::read(self.store, field, value, path) {
                Ok(Cell::Ref(id)) => Some(id),
                _ => None,
            };
        }
        let key = value::whole(value).and_then(|key| u64::try_from(key).ok());
        if key.is_none() {
            let path = format!("{path}.{}", sublist.key);
            self.refuse(Detail::invalid_value(sublist.key, &path));
        }
        key
    }
}
