//! Showing records: one, its sublists and lines, and collections of ids.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answer::{Detail, Place, Problem};
use super::schema::{Kind, Sublist};
use super::store::{Line, Record, Store};
use super::value::{Look, RECORDS, write_fields};

/// Default and largest page.
pub(super) const PAGE_COUNT_MAX: usize = 1000;

/// What to show of a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    /// `expandSubResources=true`.
    pub expand: bool,
    /// `fields=a,b`; everything if absent.
    pub fields: Option<BTreeSet<String>>,
}

/// The body of `GET /<type>/<id>`.
pub(super) fn record(store: &Store, record: &Record, origin: &str, selection: &Selection) -> Value {
    let href = format!("{origin}{RECORDS}/{}/{}", record.kind.name, record.id);
    let mut body = Map::new();
    body.insert("links".to_owned(), json!([{"rel": "self", "href": href}]));
    write_fields(
        store,
        record.kind.fields,
        &record.fields,
        Look::Wire(origin),
        &mut body,
    );
    for sublist in record.kind.sublists {
        let href = format!("{href}/{}", sublist.name);
        let value = if selection.expand {
            self::sublist(store, record, sublist, &href, origin)
        } else {
            json!({"links": [{"rel": "self", "href": href}]})
        };
        body.insert(sublist.name.to_owned(), value);
    }
    if let Some(wanted) = &selection.fields {
        body.retain(|name, _| name == "links" || wanted.contains(name));
    }
    body.insert("id".to_owned(), Value::String(record.id.to_string()));
    if selection.fields.is_none() {
        body.insert("refName".to_owned(), Value::String(record.label()));
    }
    Value::Object(body)
}

/// A sublist with its lines.
pub(super) fn sublist(
    store: &Store,
    record: &Record,
    sublist: &Sublist,
    href: &str,
    origin: &str,
) -> Value {
    let lines = record.lines(sublist.name);
    let items: Vec<Value> = lines
        .iter()
        .map(|one| line(store, sublist, one, href, origin))
        .collect();
    json!({
        "links": [{"rel": "self", "href": href}],
        "items": items,
        "totalResults": lines.len(),
        "count": lines.len(),
        "hasMore": false,
        "offset": 0,
    })
}

/// One line of a sublist.
pub(super) fn line(
    store: &Store,
    sublist: &Sublist,
    line: &Line,
    sublist_href: &str,
    origin: &str,
) -> Value {
    let mut body = Map::new();
    let href = format!("{sublist_href}/{}", line.key);
    body.insert("links".to_owned(), json!([{"rel": "self", "href": href}]));
    write_fields(
        store,
        sublist.fields,
        &line.fields,
        Look::Wire(origin),
        &mut body,
    );
    if sublist.key == "internalId" {
        body.insert("id".to_owned(), json!(line.key));
    }
    Value::Object(body)
}

/// A record as an administrator's list shows it, lines inside, without links.
pub(super) fn bare(store: &Store, record: &Record) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), Value::String(record.id.to_string()));
    write_fields(
        store,
        record.kind.fields,
        &record.fields,
        Look::Bare,
        &mut body,
    );
    for sublist in record.kind.sublists {
        let items: Vec<Value> = record
            .lines(sublist.name)
            .iter()
            .map(|line| {
                let mut item = Map::new();
                write_fields(store, sublist.fields, &line.fields, Look::Bare, &mut item);
                Value::Object(item)
            })
            .collect();
        body.insert(sublist.name.to_owned(), json!({"items": items}));
    }
    Value::Object(body)
}

/// Where a page starts and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub limit: usize,
    pub offset: usize,
}

impl Page {
    /// Reads `limit` and `offset`; the offset must be a multiple of the limit.
    pub fn from_query(query: &[(String, String)]) -> Result<Self, Problem> {
        let read = |name: &str, default: usize| match query.iter().find(|(n, _)| n == name) {
            None => Ok(default),
            Some((_, value)) => value.parse::<usize>().map_err(|_| {
                invalid(
                    name,
                    &format!("Invalid value for the query parameter '{name}'."),
                )
            }),
        };
        let limit = read("limit", PAGE_COUNT_MAX)?;
        let offset = read("offset", 0)?;
        if limit == 0 || limit > PAGE_COUNT_MAX {
            return Err(invalid(
                "limit",
                "Invalid value for the query parameter limit. Provide an integer between 1 and 1000.",
            ));
        }
        if offset % limit != 0 {
            return Err(invalid(
                "offset",
                "Invalid value for the query parameter offset. The value must be divisible by the limit.",
            ));
        }
        Ok(Self { limit, offset })
    }
}

fn invalid(name: &str, text: &str) -> Problem {
    Problem::bad_request(Detail::new("INVALID_PARAMETER", text).at(Place::Query(name.to_owned())))
}

/// The collection envelope around one page. `query` is repeated in the links, without paging.
pub(super) fn envelope(
    items: Vec<Value>,
    total: usize,
    page: Page,
    href: &str,
    query: &str,
) -> Value {
    let link = |rel: &str, offset: usize| {
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("{query}&")
        };
        let href = format!("{href}?{query}limit={}&offset={offset}", page.limit);
        json!({"rel": rel, "href": href})
    };
    let has_more = page.offset + items.len() < total;
    let mut links = Vec::new();
    if page.offset > 0 {
        links.push(link("previous", page.offset - page.limit));
        links.push(link("first", 0));
    }
    if has_more {
        links.push(link("next", page.offset + page.limit));
        links.push(link("last", (total - 1) / page.limit * page.limit));
    }
    links.push(link("self", page.offset));
    json!({
        "links": links,
        "count": items.len(),
        "hasMore": has_more,
        "items": items,
        "offset": page.offset,
        "totalResults": total,
    })
}

/// One entry of a record collection: the id and a link, nothing else.
pub(super) fn entry(kind: &Kind, id: u64, origin: &str) -> Value {
    let href = format!("{origin}{RECORDS}/{}/{id}", kind.name);
    json!({"links": [{"rel": "self", "href": href}], "id": id.to_string()})
}
