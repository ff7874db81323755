//! What the organization's own people do, without the API: edit records, change settings, look around.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    API_VERSION, Callout, Id, OutboundMessage, Salesforce,
    error::Error,
    schema::{Object, object},
    soql::{self, Pages, Scope},
    write::Author,
};
use crate::vendor::EditError;

impl Salesforce {
    /// Makes a record as a salesperson would. An opportunity's lines may come along as a list under
    /// `OpportunityLineItems`; all are saved together or not at all.
    ///
    /// # Errors
    /// [`EditError::Refused`] with the organization's reason.
    pub fn user_create(
        &mut self,
        kind: &str,
        fields: Json,
        now: Timestamp,
    ) -> Result<Id, EditError> {
        let kind = known(kind)?;
        let mut fields = map(fields)?;
        let lines = take_lines(&mut fields)?;
        let author = self.salesperson(now);
        let made = self.attempt(|org| {
            let id = org.insert(kind, &fields, author)?;
            for mut line in lines {
                line.insert("OpportunityId".to_owned(), Json::from(id.to_string()));
                let line_kind = object("OpportunityLineItem").ok_or_else(Error::not_found)?;
                org.insert(line_kind, &line, author)?;
            }
            Ok(id)
        });
        self.finish(now);
        made.map_err(refused)
    }

    /// Changes the named fields of a record as a salesperson would.
    ///
    /// # Errors
    /// [`EditError::NotFound`] or [`EditError::Refused`], with the organization's reason.
    pub fn user_change(
        &mut self,
        kind: &str,
        id: Id,
        fields: Json,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let kind = known(kind)?;
        let fields = map(fields)?;
        let author = self.salesperson(now);
        let changed = self.attempt(|org| org.change(kind, id, &fields, author));
        self.finish(now);
        changed.map_err(refused)
    }

    /// Deletes a record as a salesperson would.
    ///
    /// # Errors
    /// [`EditError::NotFound`] or [`EditError::Refused`], with the organization's reason.
    pub fn user_delete(&mut self, kind: &str, id: Id, now: Timestamp) -> Result<(), EditError> {
        let kind = known(kind)?;
        let author = self.salesperson(now);
        let deleted = self.attempt(|org| org.delete(kind, id, author));
        self.finish(now);
        deleted.map_err(refused)
    }

    /// Does something with automation off, as during a data load: saves are not announced.
    pub fn quietly<T>(&mut self, edit: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.announcements.quiet, true);
        let outcome = edit(self);
        self.announcements.quiet = before;
        outcome
    }

    /// Runs SOQL from the inside: no session, no pages.
    ///
    /// # Errors
    /// [`EditError::Refused`] if the query is none.
    pub fn select(&self, query: &str, now: Timestamp) -> Result<Vec<Json>, EditError> {
        let plan = Arc::new(soql::plan(query).map_err(refused)?);
        let scope = Scope {
            store: &self.store,
            all_rows: false,
            now,
        };
        let mut pages = Pages {
            version: format!("v{API_VERSION}.0"),
            row_count_max: usize::MAX,
            opened: Vec::new(),
            name: Box::new(|_| String::new()),
        };
        let rows = soql::rows(&plan, &scope).into_iter();
        rows.map(|row| {
            let mut out = String::new();
            soql::render(&plan, &scope, row, &mut pages, &mut out);
            serde_json::from_str(&out).map_err(|fault| EditError::Refused(fault.to_string()))
        })
        .collect()
    }

    /// Notifications that are waiting to be sent, or to be acknowledged.
    pub fn unacknowledged_count(&self) -> usize {
        self.announcements.waiting_count()
    }

    /// Ends every session at once.
    pub fn end_sessions(&mut self) {
        self.sessions.end_all();
    }

    /// Every live record of a type, with all its fields; an opportunity with its lines inside.
    pub(super) fn list(&self, kind: &str) -> Option<Vec<Json>> {
        let kind = object(kind)?;
        let table = self.store.table(kind);
        let live = table.rows().filter(|&row| !table.is_deleted(row));
        Some(live.map(|row| self.whole(kind, row)).collect())
    }

    pub(super) fn shown(&self, kind: &str, id: Id) -> Result<Json, EditError> {
        let kind = known(kind)?;
        let row = self.live_row(kind, id).map_err(refused)?;
        Ok(self.whole(kind, row))
    }

    fn whole(&self, kind: &Object, row: usize) -> Json {
        let shown = self.flat(kind, row);
        let Json::Object(mut record) = shown else {
            return shown;
        };
        let table = self.store.table(kind);
        for child in kind
            .children
            .iter()
            .filter(|child| child.object == "OpportunityLineItem")
        {
            let Some(lines) = object(child.object) else {
                continue;
            };
            let (Some(field), Some(id)) = (lines.field(child.field), table.id(row)) else {
                continue;
            };
            let line_table = self.store.table(lines);
            let records: Vec<Json> = line_table
                .referring(field, id)
                .filter(|&line| !line_table.is_deleted(line))
                .map(|line| self.flat(lines, line))
                .collect();
            let inside = serde_json::json!({
                "totalSize": records.len(),
                "done": true,
                "records": records,
            });
            record.insert(child.relationship.to_owned(), inside);
        }
        Json::Object(record)
    }

    fn flat(&self, kind: &Object, row: usize) -> Json {
        let fields: Vec<usize> = (0..kind.fields.len()).collect();
        let text = self.record_json(&format!("v{API_VERSION}.0"), kind, row, &fields);
        // Our own JSON reads back.
        serde_json::from_str(&text).unwrap_or(Json::Null)
    }

    /// `outbound-message`, `callout` (an object, a list, or null for none), `sessions`, `pages`, `limits`.
    pub(super) fn change_setting(&mut self, setting: &str, value: Json) -> Result<(), EditError> {
        match setting {
            "outbound-message" => self.set_outbound_messages(listed::<OutboundMessage>(value)?),
            "callout" => self.set_callouts(listed::<Callout>(value)?),
            "sessions" => {
                let change: SessionChange = read(value)?;
                if let Some(seconds) = change.lifetime_s {
                    self.settings.session_lifetime = Duration::from_secs(seconds);
                }
                if change.end_all {
                    self.end_sessions();
                }
                Ok(())
            }
            "pages" => {
                let change: PageChange = read(value)?;
                self.settings.page_row_count_max = change.row_count_max.max(1);
                Ok(())
            }
            "limits" => {
                let change: LimitChange = read(value)?;
                self.settings.daily_request_count_max = change.daily_request_count_max;
                Ok(())
            }
            _ => Err(EditError::NotFound(
                "settings are outbound-message, callout, sessions, pages, limits".to_owned(),
            )),
        }
    }

    pub(super) fn salesperson(&self, now: Timestamp) -> Author {
        Author {
            user: self.sales_user,
            at: now,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionChange {
    lifetime_s: Option<u64>,
    #[serde(default)]
    end_all: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageChange {
    row_count_max: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitChange {
    daily_request_count_max: u64,
}

/// Reads a record id.
pub(super) fn read_id(id: &str) -> Result<Id, EditError> {
    Id::parse(id).ok_or_else(|| EditError::NotFound("no such record".to_owned()))
}

pub(super) fn known(name: &str) -> Result<&'static Object, EditError> {
    object(name).ok_or_else(|| EditError::NotFound("no such type".to_owned()))
}

fn map(json: Json) -> Result<Map<String, Json>, EditError> {
    match json {
        Json::Object(fields) => Ok(fields),
        _ => Err(EditError::Refused("a record is a JSON object".to_owned())),
    }
}

/// Lines as a plain list, or as queries show them.
fn take_lines(fields: &mut Map<String, Json>) -> Result<Vec<Map<String, Json>>, EditError> {
    let lines = match fields.remove("OpportunityLineItems") {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Object(mut shown)) => shown.remove("records").unwrap_or(Json::Null),
        Some(other) => other,
    };
    match lines {
        Json::Array(lines) => lines.into_iter().map(map).collect(),
        _ => Err(EditError::Refused(
            "OpportunityLineItems is a list".to_owned(),
        )),
    }
}

fn listed<T: serde::de::DeserializeOwned>(value: Json) -> Result<Vec<T>, EditError> {
    match value {
        Json::Null => Ok(Vec::new()),
        Json::Array(items) => items.into_iter().map(read).collect(),
        one => Ok(vec![read(one)?]),
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Json) -> Result<T, EditError> {
    serde_json::from_value(value).map_err(|fault| EditError::Refused(fault.to_string()))
}

pub(super) fn refused(error: Error) -> EditError {
    let text = format!("{}: {}", error.code, error.message);
    if error.status == http::StatusCode::NOT_FOUND {
        EditError::NotFound(text)
    } else {
        EditError::Refused(text)
    }
}
