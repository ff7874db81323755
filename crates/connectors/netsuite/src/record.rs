//! Records of one type as a target: found, read, upserted and closed through the REST record API.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use http::Method;
use serde_json::{Value, json};
use sluice_core::{Body, Fault, Found, Held, Kind, Listed, Ports, Result, Target};

use crate::client::{self, Call, external_path, internal_path};
use crate::directory;
use crate::errors;
use crate::query::{self, Query};
use crate::settings::Settings;

/// A sales order nobody has approved yet, by id and by name.
pub const PENDING_APPROVAL: &[&str] = &["A", "Pending Approval"];

/// A sales order nothing of which was fulfilled, billed or closed yet, by id and by name.
pub const UNFULFILLED: &[&str] = &["A", "Pending Approval", "B", "Pending Fulfillment"];

/// The vendor ends a synchronous request after 15 minutes (chapter_161251386312).
const SYNCHRONOUS_MAX: Duration = Duration::from_secs(15 * 60);

/// Records read at the same time: the account's limit is for all its integrations.
const READS_AT_ONCE: usize = 4;

const EXTERNAL_ID: &str = "externalId";

/// Which type of record a body is for, or a held record is of, where a target has several. Never sent.
const RECORD_TYPE: &str = "recordType";

/// Record types that are rows of SuiteQL's `transaction`, told apart by `recordtype`.
const TRANSACTIONS: [&str; 14] = [
    "cashRefund",
    "cashSale",
    "creditMemo",
    "customerDeposit",
    "customerPayment",
    "estimate",
    "invoice",
    "itemFulfillment",
    "itemReceipt",
    "journalEntry",
    "purchaseOrder",
    "salesOrder",
    "vendorBill",
    "vendorPayment",
];

/// Transactions with lines that can be closed one by one.
const CLOSED_BY_LINES: [&str; 2] = ["purchaseOrder", "salesOrder"];

/// Records of one type, by its REST name: `netsuite::record("salesOrder")`.
///
/// Upserts are by external id, so repeating one is safe; they add lines unless the sublist is named in
/// [`Record::replacing`], as NetSuite itself does.
pub fn record(name: &'static str) -> Record {
    Record {
        kind: Kind::new("netsuite", name),
        types: vec![name],
        replaced: Vec::new(),
        open: None,
        closing: Closing::None,
    }
}

/// Transactions of one of several types, as the body's `recordType` says:
/// `netsuite::transaction(&["salesOrder", "invoice"])`. One source record has one transaction, whatever its
/// type: external ids and internal ids are unique over all transactions, and one that stands keeps its type.
///
/// Looked for in this order, with a request each: put the usual one first.
pub fn transaction(types: &[&'static str]) -> Record {
    Record {
        kind: Kind::new("netsuite", "transaction"),
        types: types.to_vec(),
        ..record("transaction")
    }
}

/// See [`record`] and [`transaction`].
#[derive(Clone, Debug)]
pub struct Record {
    kind: Kind,
    /// By their REST names.
    types: Vec<&'static str>,
    replaced: Vec<&'static str>,
    open: Option<&'static [&'static str]>,
    closing: Closing,
}

/// How a type of record is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// There is no way: asking for it stops the flow.
    None,
    /// Every line of this sublist is closed, which closes the order.
    Lines(&'static str),
    /// The record is made inactive.
    Inactive,
}

impl Record {
    /// Lines of this sublist are replaced as a whole: what the source no longer has goes.
    pub fn replacing(mut self, sublist: &'static str) -> Self {
        self.replaced.push(sublist);
        self
    }

    /// The record may be changed only while its `status` is one of these, by id or by name.
    pub fn open_while(mut self, statuses: &'static [&'static str]) -> Self {
        self.open = Some(statuses);
        self
    }

    /// How [`Target::close`] closes such a record.
    pub fn closing_by(mut self, closing: Closing) -> Self {
        self.closing = closing;
        self
    }

    /// The record of one of the types, asked for in turn. An account may lack a type, whose feature is off; one
    /// that has none of them is told.
    async fn get(&self, ports: &Ports, path: impl Fn(&str) -> String) -> Result<Option<Held>> {
        let mut lacking = None;
        let mut is_any_there = false;
        for kind in &self.types {
            match get(ports, path(kind)).await {
                Ok(Some(mut held)) => {
                    if let ([_, _, ..], Value::Object(fields)) = (&self.types[..], &mut held.body) {
                        fields.insert(RECORD_TYPE.to_owned(), (*kind).into());
                    }
                    return Ok(Some(held));
                }
                Ok(None) => is_any_there = true,
                Err(fault) if errors::is_unknown_type(&fault) => lacking = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        match lacking {
            Some(fault) if !is_any_there => Err(fault),
            _ => Ok(None),
        }
    }

    /// The type a body is for, and the body as it is sent.
    fn typed(&self, body: &Value) -> Result<(&'static str, Value)> {
        let mut body = body.clone();
        if let [only] = self.types[..] {
            return Ok((only, body));
        }
        let named = body
            .as_object_mut()
            .and_then(|fields| fields.remove(RECORD_TYPE));
        Ok((self.known(named.as_ref())?, body))
    }

    fn type_of(&self, held: &Held) -> Result<&'static str> {
        match self.types[..] {
            [only] => Ok(only),
            _ => self.known(held.body.at(RECORD_TYPE)),
        }
    }

    fn known(&self, named: Option<&Value>) -> Result<&'static str> {
        let named = named.and_then(Value::as_str).unwrap_or_default();
        let known = self.types.iter().find(|kind| **kind == named);
        known.copied().ok_or_else(|| {
            let message = format!(
                "{RECORD_TYPE} is \"{named}\", should be one of {}",
                self.types.join(", ")
            );
            Fault::dead_letter(errors::INVALID, message)
        })
    }

    /// The rows of SuiteQL that are such records. Transactions share a table, and so do items.
    fn rows(&self, columns: &[&str]) -> Result<Query> {
        let names: Vec<String> = self
            .types
            .iter()
            .map(|kind| kind.to_ascii_lowercase())
            .collect();
        let transactions = self.types.iter().all(|kind| TRANSACTIONS.contains(kind));
        match names.as_slice() {
            names if transactions => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Query::select(columns, "transaction")?.with_any("recordtype", &names)
            }
            [name] => Query::select(columns, name),
            _ => Err(Fault::stop_flow(
                errors::REQUEST,
                "several types that are not all transactions share no table",
            )),
        }
    }

    /// The change that closes the record; `None` if it is closed already.
    fn closing(&self, held: &Held) -> Result<Option<Value>> {
        let kind = self.type_of(held)?;
        if matches!(self.closing, Closing::Lines(_)) && !CLOSED_BY_LINES.contains(&kind) {
            let message = format!("a {kind} can't be closed: credit, refund or void it by hand");
            return Err(Fault::dead_letter(errors::NOT_CLOSABLE, message));
        }
        closing(self.closing, &held.body)
    }
}

#[async_trait(?Send)]
impl Target for Record {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn check(&self, ports: &Ports) -> Result<()> {
        Settings::check(&*ports.variables)
    }

    /// Faults: those of [`client::send`] for a read; `ANSWER_INVALID` (retry) naming what is missing.
    async fn find(&self, ports: &Ports, external_id: &str) -> Result<Option<Held>> {
        let held = self.get(ports, |kind| external_path(kind, external_id));
        let held = held.await?;
        if let Some(held) = &held {
            answers_to(held, external_id)?;
        }
        Ok(held)
    }

    /// Faults: as of [`Target::find`].
    async fn read(&self, ports: &Ports, id: &str) -> Result<Option<Held>> {
        self.get(ports, |kind| internal_path(kind, id)).await
    }

    /// Faults: those of [`client::send`] for a write, `NETSUITE_INVALID` with the fields NetSuite refuses
    /// among them.
    async fn upsert(&self, ports: &Ports, external_id: &str, body: &Value) -> Result<()> {
        let settings = Settings::read(&*ports.variables)?;
        let (kind, body) = self.typed(body)?;
        let mut path = external_path(kind, external_id);
        path.push_str(&replace(&self.replaced, &body));
        let call = Call::write(Method::PUT, path, &body);
        client::send(ports, &settings, &call).await?;
        Ok(())
    }

    /// An external id that somebody else gave the record stays: another integration may go by it. The link
    /// alone holds such a record then.
    ///
    /// Faults: as of [`Target::upsert`]; `NETSUITE_DUPLICATE` (retry) where another record has the external
    /// id; `NETSUITE_NOT_FOUND` (dead letter) where this one is gone.
    async fn update(
        &self,
        ports: &Ports,
        held: &Held,
        external_id: &str,
        body: &Value,
    ) -> Result<()> {
        let settings = Settings::read(&*ports.variables)?;
        let (_, mut body) = self.typed(body)?;
        if self.external_id(held).is_none()
            && let Value::Object(fields) = &mut body
        {
            fields.insert(EXTERNAL_ID.to_owned(), external_id.into());
        }
        let mut path = internal_path(self.type_of(held)?, &held.id);
        path.push_str(&replace(&self.replaced, &body));
        let call = Call::write(Method::PATCH, path, &body);
        client::send(ports, &settings, &call).await?;
        Ok(())
    }

    fn reaches(&self, held: &Held, body: &Value) -> bool {
        held.body.at(RECORD_TYPE) == body.at(RECORD_TYPE) || self.types.len() == 1
    }

    /// One query for the ids, then each record. One that goes in between is left out.
    ///
    /// Faults: those of [`query::page`] and of [`Target::find`].
    async fn list(
        &self,
        ports: &Ports,
        after: Option<&str>,
        record_count_max: usize,
    ) -> Result<Listed> {
        let settings = Settings::read(&*ports.variables)?;
        let after = match after.map(str::parse) {
            Some(Err(_)) => {
                let message = "a page of records is asked for after what is no internal id";
                return Err(Fault::stop_flow(errors::REQUEST, message));
            }
            Some(Ok(after)) => Some(after),
            None => None,
        };
        let query = self.rows(&[])?;
        let page = query::page(ports, &settings, &query, after, record_count_max).await?;
        let ids: Vec<String> = page.rows.iter().map(query::id).collect::<Result<_>>()?;
        let mut reads = stream::iter(&ids)
            .map(|id| self.read(ports, id))
            .buffered(READS_AT_ONCE);
        let mut records = Vec::with_capacity(ids.len());
        while let Some(held) = reads.next().await {
            records.extend(held?);
        }
        let next = page.next.map(|last| last.to_string());
        Ok(Listed { records, next })
    }

    /// Columns bear the fields' names, in lower case.
    ///
    /// Faults: those of [`query::rows`].
    async fn find_all(
        &self,
        ports: &Ports,
        field: &str,
        keys: &[String],
    ) -> Result<BTreeMap<String, Found>> {
        let settings = Settings::read(&*ports.variables)?;
        let column = field.to_ascii_lowercase();
        let query = self.rows(&[&column])?;
        directory::find_all(ports, &settings, &query, &column, keys).await
    }

    fn external_id(&self, held: &Held) -> Option<String> {
        let id = held.body.at(EXTERNAL_ID).and_then(Value::as_str)?;
        (!id.is_empty()).then(|| id.to_owned())
    }

    fn is_closed(&self, held: &Held) -> bool {
        matches!(self.closing(held), Ok(None))
    }

    /// A record that is closed already is left alone.
    ///
    /// Faults: those of [`client::send`] for a write; `NETSUITE_REQUEST` (stop the flow) where
    /// [`Record::closing_by`] names no way; `NETSUITE_NOT_CLOSABLE` (dead letter) for a transaction that
    /// NetSuite knows no closing of, an invoice say.
    async fn close(&self, ports: &Ports, held: &Held) -> Result<()> {
        let Some(change) = self.closing(held)? else {
            return Ok(());
        };
        let settings = Settings::read(&*ports.variables)?;
        let path = internal_path(self.type_of(held)?, &held.id);
        let call = Call::write(Method::PATCH, path, &change);
        client::send(ports, &settings, &call).await?;
        Ok(())
    }

    fn locked(&self, held: &Held) -> Option<String> {
        locked(self.open?, &held.body)
    }

    fn settles_within(&self) -> Duration {
        SYNCHRONOUS_MAX
    }
}

async fn get(ports: &Ports, path: String) -> Result<Option<Held>> {
    let settings = Settings::read(&*ports.variables)?;
    let call = Call::get(format!("{path}?expandSubResources=true"));
    match client::send(ports, &settings, &call).await {
        Ok(response) => read_held(errors::json(&response)?).map(Some),
        Err(fault) if fault.code == errors::NOT_FOUND => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Takes a record only if it is whole.
fn read_held(body: Value) -> Result<Held> {
    let id = match body.at("id") {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => return Err(errors::answer_lacks("id")),
    };
    for (name, value) in body.as_object().into_iter().flatten() {
        if value.get("hasMore") == Some(&Value::Bool(true)) {
            return Err(errors::answer_lacks(&format!("{name}: lines are left out")));
        }
    }
    Ok(Held { id, body })
}

/// External ids are case-insensitive in NetSuite; another one altogether is not the answer to our question.
fn answers_to(held: &Held, external_id: &str) -> Result<()> {
    match held.body.at("externalId").and_then(Value::as_str) {
        Some(other) if !other.eq_ignore_ascii_case(external_id) => {
            Err(errors::answer_lacks("externalId: it is another record's"))
        }
        _ => Ok(()),
    }
}

/// Names the sublists to replace; one the body does not mention is left as it is, not emptied.
fn replace(sublists: &[&str], body: &Value) -> String {
    let present = |sublist: &&&str| body.get(**sublist).is_some();
    let named: Vec<&str> = sublists.iter().filter(present).copied().collect();
    if named.is_empty() {
        return String::new();
    }
    format!("?replace={}", named.join(","))
}

/// The change that closes the record; `None` if it is closed already.
fn closing(closing: Closing, body: &Value) -> Result<Option<Value>> {
    let yes = Some(&Value::Bool(true));
    match closing {
        Closing::None => Err(Fault::stop_flow(
            errors::REQUEST,
            "the flow does not say how such a record is closed",
        )),
        Closing::Inactive if body.at("isInactive") == yes => Ok(None),
        Closing::Inactive => Ok(Some(json!({"isInactive": true}))),
        Closing::Lines(sublist) => {
            let path = format!("{sublist}.items");
            let lines = body.at(&path).and_then(Value::as_array);
            let lines = lines.ok_or_else(|| errors::answer_lacks(&path))?;
            let mut changes = Vec::new();
            for line in lines.iter().filter(|line| line.at("isClosed") != yes) {
                let key = line.at("line");
                let key = key.ok_or_else(|| errors::answer_lacks(&format!("{path}[].line")))?;
                changes.push(json!({"line": key, "isClosed": true}));
            }
            if changes.is_empty() {
                return Ok(None);
            }
            Ok(Some(json!({sublist: {"items": changes}})))
        }
    }
}

/// Why a record in this status may not be changed. A status that is not given locks, too.
fn locked(open: &[&str], body: &Value) -> Option<String> {
    let status = body.at("status").or_else(|| body.at("orderStatus"));
    let Some(status) = status else {
        return Some("its status is not given".to_owned());
    };
    let parts = [Some(status), status.at("id"), status.at("refName")];
    let words: Vec<&str> = parts
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if words.iter().any(|word| open.contains(word)) {
        return None;
    }
    let shown = words.last().copied().unwrap_or("unreadable");
    Some(format!("its status is {shown}"))
}

#[cfg(test)]
mod tests;
