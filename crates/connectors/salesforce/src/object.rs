//! Salesforce records of one kind as a source: fetched, listed by change, written back to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};
use sluice_core::{
    Body, Change, Fault, Found, Gone, Hook, Kind, Observed, Page, Ports, Position, Record,
    RecordId, Result, Selection, Source, Version, Window, answer, async_trait,
};

use crate::client::{self, Call};
use crate::errors;
use crate::hooks::{Json, OutboundMessage};
use crate::id::Id;
use crate::query::{self, PAGE_ROWS_MAX, Query, Row};
use crate::settings::Settings;

/// Records of an object: `salesforce::object("Opportunity")`.
pub fn object(name: &'static str) -> Object {
    Object {
        name,
        lists: Vec::new(),
        streams: vec![name],
    }
}

/// A source. See [`object`].
#[derive(Clone, Debug)]
pub struct Object {
    name: &'static str,
    lists: Vec<List>,
    streams: Vec<&'static str>,
}

/// Children that belong to a record and make it due when they change.
#[derive(Clone, Debug)]
struct List {
    /// The name the parent has for them.
    relationship: &'static str,
    object: &'static str,
    /// The children's field that holds the parent's id.
    parent: &'static str,
    order: &'static [&'static str],
}

impl Object {
    /// Adds the lines of a document, in the order users gave them (`SortOrder`, then `Id`):
    /// `.lines("OpportunityLineItems", "OpportunityLineItem", "OpportunityId")` says that an opportunity's
    /// `OpportunityLineItems` are `OpportunityLineItem`s that name it in `OpportunityId`.
    pub fn lines(
        self,
        relationship: &'static str,
        object: &'static str,
        parent: &'static str,
    ) -> Self {
        self.list(relationship, object, parent, &["SortOrder", "Id"])
    }

    /// As [`Object::lines`], for children without a `SortOrder`: in the order of their ids.
    pub fn children(
        self,
        relationship: &'static str,
        object: &'static str,
        parent: &'static str,
    ) -> Self {
        self.list(relationship, object, parent, &["Id"])
    }

    fn list(
        mut self,
        relationship: &'static str,
        object: &'static str,
        parent: &'static str,
        order: &'static [&'static str],
    ) -> Self {
        self.lists.push(List {
            relationship,
            object,
            parent,
            order,
        });
        self.streams.push(object);
        self
    }

    /// The query for whole records: what is selected, what we need, and the selected lists inside.
    fn query(&self, select: &Selection) -> Result<Query> {
        let needed = ["Id", "SystemModstamp", "IsDeleted"];
        let master = merges(self.name).then_some(MASTER);
        let selected = select.fields.iter().map(String::as_str);
        let mut query = Query::select(needed.into_iter().chain(master).chain(selected), self.name)?;
        for (name, fields) in &select.lists {
            let list = self.lists.iter().find(|list| list.relationship == name);
            let list = list.ok_or_else(|| {
                let message = format!("{} was not said to have a list {name}", self.name);
                Fault::stop_flow(errors::REQUEST, message)
            })?;
            let fields = ["Id"].into_iter().chain(fields.iter().map(String::as_str));
            let children = Query::select(fields, list.relationship)?
                .undeleted()
                .ordered_by(list.order)?;
            query = query.nesting(&children);
        }
        Ok(query)
    }

    /// Reads one record of an answer to [`Object::query`].
    fn read(&self, row: Row, select: &Selection) -> Result<Came> {
        let id = id(&row, "Id")?;
        let version = version(&row)?;
        let mut found = Came {
            id,
            gone: self.gone(&row)?,
            version,
            body: row,
            unfinished: Vec::new(),
        };
        for name in select.lists.keys() {
            // A record without children has null in their place.
            let list = match found.body.remove(name) {
                Some(Value::Null) => query::Page::default(),
                Some(list) => query::page(list)?,
                None => return Err(errors::answer_lacks(name)),
            };
            if list.next.is_some() {
                found.unfinished.push((name.clone(), list));
                continue;
            }
            if list.rows.len() as u64 != list.total {
                return Err(errors::paging("a list lacks some of its records"));
            }
            found.body.insert(name.clone(), plain(list.rows));
        }
        Ok(found)
    }

    fn gone(&self, row: &Row) -> Result<Option<Gone>> {
        let deleted = row.get("IsDeleted").and_then(Value::as_bool);
        if !deleted.ok_or_else(|| errors::answer_lacks("IsDeleted"))? {
            return Ok(None);
        }
        match row.get(MASTER) {
            None | Some(Value::Null) => Ok(Some(Gone::Deleted)),
            Some(_) => Ok(Some(Gone::Merged(id(row, MASTER)?.to_string()))),
        }
    }

    /// The record with its lists read to their ends.
    async fn observed(
        &self,
        ports: &Ports,
        settings: &Settings,
        mut found: Came,
    ) -> Result<Observed> {
        if let Some(gone) = found.gone {
            return Ok(Observed::Gone(gone));
        }
        for (name, list) in std::mem::take(&mut found.unfinished) {
            let rows = query::rest(ports, settings, list).await?;
            found.body.insert(name, plain(rows));
        }
        let id = self.kind().id(found.id.to_string());
        Ok(Observed::Present(found.record(id)))
    }

    /// One page of the records' own changes, each with its record unless that is incomplete.
    async fn changed_records(
        &self,
        ports: &Ports,
        settings: &Settings,
        window: &Window,
        limit: usize,
        select: &Selection,
    ) -> Result<Page> {
        let query = self.query(select)?.changed(window).limited(limit);
        let page = query::first_page(ports, settings, &query).await?;
        let next = in_order(&page, window, limit)?;
        let mut changes = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            let found = self.read(row, select)?;
            let id = self.kind().id(found.id.to_string());
            let whole = found.gone.is_none() && found.unfinished.is_empty();
            changes.push(Change {
                version: Some(found.version),
                record: whole.then(|| found.record(id.clone())),
                id,
            });
        }
        Ok(Page { changes, next })
    }

    /// One page of the records whose children changed.
    async fn changed_children(
        &self,
        ports: &Ports,
        settings: &Settings,
        list: &List,
        window: &Window,
        limit: usize,
    ) -> Result<Page> {
        let query = Query::select(["Id", "SystemModstamp", list.parent], list.object)?
            .changed(window)
            .limited(limit);
        let page = query::first_page(ports, settings, &query).await?;
        let next = in_order(&page, window, limit)?;
        let mut changes = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            // A child may belong to nothing (a note, a case): then nothing is due.
            if row.get(list.parent).is_some_and(Value::is_null) {
                continue;
            }
            changes.push(Change {
                id: self.kind().id(id(row, list.parent)?.to_string()),
                version: None,
                record: None,
            });
        }
        Ok(Page { changes, next })
    }
}

/// One record as it came, perhaps with lists that go on elsewhere.
struct Came {
    id: Id,
    version: Version,
    gone: Option<Gone>,
    body: Row,
    unfinished: Vec<(String, query::Page)>,
}

impl Came {
    fn record(self, id: RecordId) -> Record {
        Record {
            id,
            version: self.version,
            body: Value::Object(self.body),
        }
    }
}

#[async_trait(?Send)]
impl Source for Object {
    fn kind(&self) -> Kind {
        Kind::new("salesforce", self.name)
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        Settings::check(&*ports.variables)
    }

    fn hooks(&self) -> Vec<Box<dyn Hook>> {
        let kind = self.kind();
        vec![Box::new(OutboundMessage { kind }), Box::new(Json { kind })]
    }

    /// One query, deleted records included; lists that span pages are read to their end.
    ///
    /// Faults: `SALESFORCE_ID_INVALID` (dead letter), those of [`query::rows`].
    async fn fetch(&self, ports: &Ports, id: &str, select: &Selection) -> Result<Observed> {
        let settings = Settings::read(&*ports.variables)?;
        let id = Id::required(id)?;
        let query = self.query(select)?.with("Id", id.as_str())?;
        let mut rows = query::rows(ports, &settings, &query).await?.into_iter();
        let Some(row) = rows.next() else {
            return Ok(Observed::Gone(Gone::Unknown));
        };
        let found = self.read(row, select)?;
        if found.id != id || rows.next().is_some() {
            return Err(errors::answer_lacks("record of the id asked for"));
        }
        self.observed(ports, &settings, found).await
    }

    /// Faults: as of [`Source::fetch`].
    async fn fetch_all(
        &self,
        ports: &Ports,
        ids: &[String],
        select: &Selection,
    ) -> Result<BTreeMap<String, Observed>> {
        let settings = Settings::read(&*ports.variables)?;
        let mut observed = BTreeMap::new();
        let mut asked = BTreeMap::new();
        for id in ids {
            // Nobody has a record of an id that can be none.
            observed.insert(id.clone(), Observed::Gone(Gone::Unknown));
            asked.extend(Id::parse(id).map(|parsed| (parsed.to_string(), id.clone())));
        }
        let plain: Vec<&str> = asked.keys().map(String::as_str).collect();
        let query = self.query(select)?;
        for row in query::rows_of_any(ports, &settings, &query, "Id", &plain).await? {
            let found = self.read(row, select)?;
            let id = asked.get(&found.id.to_string());
            let id = id.ok_or_else(|| errors::answer_lacks("record of an id asked for"))?;
            let found = self.observed(ports, &settings, found).await?;
            observed.insert(id.clone(), found);
        }
        Ok(observed)
    }

    /// Upper and lower case are told apart, whatever the database thinks is equal.
    ///
    /// Faults: those of [`query::rows`].
    async fn find_all(
        &self,
        ports: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>> {
        let settings = Settings::read(&*ports.variables)?;
        let asked: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        let asked: Vec<&str> = asked.into_iter().filter(|key| !key.is_empty()).collect();
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let query = Query::select(["Id", field], self.name)?.undeleted();
        for row in query::rows_of_any(ports, &settings, &query, field, &asked).await? {
            let id = id(&row, "Id")?.to_string();
            let row = Value::Object(row);
            let key = row.at(field).and_then(Value::as_str);
            let key = key.ok_or_else(|| errors::answer_lacks(field))?;
            if asked.contains(&key) {
                ids.entry(key.to_owned()).or_default().push(id);
            }
        }
        let found = ids.into_iter().map(|(key, mut ids)| match ids.len() {
            1 => (key, Found::One(ids.remove(0))),
            _ => (key, Found::Several(ids)),
        });
        Ok(found.collect())
    }

    /// The `Date` of a cheap answer. Salesforce has no other clock to ask; whole seconds, rounded down by
    /// it, so the bound is never in its future. What is committed later with an earlier change time is the
    /// engine's overlap to catch.
    ///
    /// Faults: those of [`client::send`] for a read, `ANSWER_INVALID` (retry).
    async fn now(&self, ports: &Ports) -> Result<Timestamp> {
        let settings = Settings::read(&*ports.variables)?;
        let call = Call::get(VERSIONS_PATH.to_owned());
        let response = client::send(ports, &settings, &call).await?;
        answer::date(&response).ok_or_else(|| errors::answer_lacks("Date header"))
    }

    fn streams(&self, _: &Ports) -> Result<Vec<&'static str>> {
        Ok(self.streams.clone())
    }

    async fn changed(
        &self,
        ports: &Ports,
        stream: &str,
        window: &Window,
        record_count_max: usize,
        select: &Selection,
    ) -> Result<Page> {
        let settings = Settings::read(&*ports.variables)?;
        let limit = record_count_max.clamp(1, PAGE_ROWS_MAX);
        if stream == self.name {
            let page = self.changed_records(ports, &settings, window, limit, select);
            return page.await;
        }
        let list = self.lists.iter().find(|list| list.object == stream);
        let list = list.ok_or_else(|| {
            let message = format!("{} has no stream {stream}", self.name);
            Fault::stop_flow(errors::REQUEST, message)
        })?;
        self.changed_children(ports, &settings, list, window, limit)
            .await
    }

    /// Faults: `SALESFORCE_ID_INVALID` (dead letter), those of [`client::update`].
    async fn write_back(&self, ports: &Ports, id: &str, fields: &Map<String, Value>) -> Result<()> {
        if fields.is_empty() {
            return Ok(());
        }
        let settings = Settings::read(&*ports.variables)?;
        client::update(ports, &settings, self.name, Id::required(id)?, fields).await
    }
}

/// Checks that a page keeps to the window and its order; gives where the next one starts, if there is one.
///
/// The next page starts after the last record seen, never where the answer says: a page that the vendor
/// made shorter than asked for is then no different from a full one.
fn in_order(page: &query::Page, window: &Window, limit: usize) -> Result<Option<Position>> {
    if page.rows.len() > limit {
        return Err(errors::paging("a page holds more records than asked for"));
    }
    let until = query::floor_ms(window.until);
    let mut last = Position {
        watermark: query::floor_ms(window.after.watermark),
        id: window.after.id.clone(),
    };
    for row in &page.rows {
        let place = Position {
            watermark: modstamp(row)?,
            id: id(row, "Id")?.to_string(),
        };
        if place <= last {
            return Err(errors::paging("records are not in the order asked for"));
        }
        if place.watermark > until {
            return Err(errors::paging("a record is outside the window asked for"));
        }
        last = place;
    }
    if page.next.is_none() && page.rows.len() as u64 != page.total {
        return Err(errors::paging("a page lacks some of its records"));
    }
    if page.rows.is_empty() && page.next.is_some() {
        return Err(errors::paging("an empty page is followed by another"));
    }
    let more = page.next.is_some() || page.rows.len() == limit;
    Ok(more.then_some(last))
}

/// The list of API versions: the cheapest answer there is.
const VERSIONS_PATH: &str = "/services/data";

const MASTER: &str = "MasterRecordId";

/// The objects whose records users merge.
fn merges(object: &str) -> bool {
    matches!(object, "Account" | "Contact" | "Lead")
}

fn id(row: &Row, field: &str) -> Result<Id> {
    row.get(field)
        .and_then(Value::as_str)
        .and_then(Id::parse)
        .ok_or_else(|| errors::answer_lacks(field))
}

fn modstamp(row: &Row) -> Result<Timestamp> {
    row.get("SystemModstamp")
        .and_then(Value::as_str)
        .and_then(query::time)
        .ok_or_else(|| errors::answer_lacks("SystemModstamp"))
}

fn version(row: &Row) -> Result<Version> {
    modstamp(row).map(|time| Version(time.as_millisecond()))
}

fn plain(rows: Vec<Row>) -> Value {
    rows.into_iter().map(Value::Object).collect()
}

#[cfg(test)]
mod tests;
