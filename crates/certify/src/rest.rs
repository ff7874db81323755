//! What stands when everything has come to rest, in a form that two runs of the same business share.

use std::collections::BTreeMap;
use std::fmt;

use rusqlite::types::Value as Cell;
use sandbox::day::{Books, Ledger};
use serde_json::Value;

use crate::ground::State;

/// Both systems and the stores at rest. Internal ids and numbers that depend on the order of creation are
/// replaced by what they stand for; times of creation and change are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// By system, type and name.
    pub records: BTreeMap<String, Value>,
    /// What the queue still holds: the record, its state and the code of its fault.
    pub queue: BTreeMap<String, String>,
    /// What both systems should hold, worked out from the source alone, and do not.
    pub wrong: Vec<String>,
}

/// Fields that say when, or count up.
const VOLATILE: [&str; 21] = [
    "earliestDateTime",
    "latestDateTime",
    "createdTime",
    "lastUpdatedTime",
    "shipTime",
    "createdDate",
    "CreatedDate",
    "dateCreated",
    "id",
    "LastModifiedById",
    "LastModifiedDate",
    "lastModifiedDate",
    "lastmodifieddate",
    "LastReferencedDate",
    "LastViewedDate",
    "lineUniqueKey",
    "links",
    "SystemModstamp",
    "attributes",
    "tranId",
    "line",
];

impl Rest {
    pub(crate) fn of(state: &mut State, ledger: &Ledger, flow: &str) -> Self {
        let books = Books::of(&state.world);
        let wrong = books.differences(ledger).into_iter().map(|difference| {
            format!(
                "{}: {} should be {:?}, is {:?}",
                difference.record, difference.field, difference.expected, difference.found
            )
        });
        let wrong = wrong.collect();
        let given = Given::of(state);
        let mut records = BTreeMap::new();
        for vendor in ["salesforce", "amazon", "netsuite"] {
            let Some(vendor) = state.world.named(vendor) else {
                continue;
            };
            for kind in vendor.kinds() {
                for (at, record) in vendor.records(&kind).unwrap_or_default().iter().enumerate() {
                    let own = ["externalId", "orderId", "Id", "itemId", "name"]
                        .iter()
                        .find_map(|field| record[*field].as_str());
                    let name = own.map_or_else(|| at.to_string(), str::to_owned);
                    let place = given.named(&format!("{} {kind} {name}", vendor.name()));
                    // Two of one name must not hide one another.
                    let twin = (2..).map(|n| format!("{place} ({n})"));
                    let place = std::iter::once(place.clone())
                        .chain(twin)
                        .find(|place| !records.contains_key(place))
                        .unwrap_or(place);
                    records.insert(place, essence(record, &given));
                }
            }
        }
        Self {
            records,
            queue: queue(state, flow, &given),
            wrong,
        }
    }

    /// What differs from another run of the same business; empty if nothing does.
    pub fn differences(&self, reference: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (place, record) in &reference.records {
            match self.records.get(place) {
                None => found.push(format!("{place} is missing")),
                Some(held) => differ(place, record, held, &mut found),
            }
        }
        let extra = self.records.keys();
        found.extend(
            extra
                .filter(|place| !reference.records.contains_key(*place))
                .map(|place| format!("{place} should not be there")),
        );
        if self.queue != reference.queue {
            found.push(format!(
                "the queue holds {:?}, should hold {:?}",
                self.queue, reference.queue
            ));
        }
        found.extend(self.wrong.iter().cloned());
        found
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, record) in &self.records {
            writeln!(f, "{place}: {record}")?;
        }
        write!(f, "queue: {:?}", self.queue)
    }
}

/// What the systems themselves gave: ids and numbers, each with what it stands for.
struct Given {
    /// Ids of the selling side, wherever they stand, in names and external ids, too.
    ids: Vec<(String, String)>,
    /// Ids and numbers of the booking side's orders: short, and so replaced only where they are told back.
    told_back: BTreeMap<String, String>,
}

impl Given {
    fn of(state: &State) -> Self {
        let records = |vendor: &str, kind: &str| {
            let vendor = state.world.named(vendor);
            vendor
                .and_then(|vendor| vendor.records(kind))
                .unwrap_or_default()
        };
        let text =
            |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
        let mut ids = Vec::new();
        let mut deals = BTreeMap::new();
        for deal in records("salesforce", "Opportunity") {
            let name = format!("({})", text(&deal, "Name"));
            deals.insert(text(&deal, "Id"), name.clone());
            ids.push((text(&deal, "Id"), name));
        }
        for line in records("salesforce", "OpportunityLineItem") {
            let deal = deals.get(&text(&line, "OpportunityId"));
            let deal = deal.cloned().unwrap_or_default();
            let place = &line["SortOrder"];
            ids.push((text(&line, "Id"), format!("(line {place} of {deal})")));
        }
        let mut told_back = BTreeMap::new();
        for order in records("netsuite", "salesOrder") {
            let external = text(&order, "externalId");
            for field in ["id", "tranId"] {
                told_back.insert(text(&order, field), format!("({field} of {external})"));
            }
        }
        let mut given = Self { ids, told_back };
        let told_back = std::mem::take(&mut given.told_back).into_iter();
        given.told_back = told_back
            .map(|(told, name)| (told, given.named(&name)))
            .collect();
        given
    }

    /// The text with every id replaced by what it stands for.
    fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (id, name) in &self.ids {
            if text.contains(id.as_str()) {
                text = text.replace(id.as_str(), name);
            }
        }
        text
    }
}

fn essence(value: &Value, given: &Given) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
            kept.map(|(name, value)| {
                let told = value.as_str().filter(|_| name.starts_with("NetSuite_"));
                let value = match told.and_then(|told| given.told_back.get(told)) {
                    Some(name) => Value::String(name.clone()),
                    None => essence(value, given),
                };
                (name.clone(), value)
            })
            .collect()
        }
        Value::Array(items) => items.iter().map(|item| essence(item, given)).collect(),
        Value::String(text) => Value::String(given.named(text)),
        other => other.clone(),
    }
}

fn differ(path: &str, wanted: &Value, held: &Value, found: &mut Vec<String>) {
    match (wanted, held) {
        (Value::Object(wanted), Value::Object(held)) => {
            let names: std::collections::BTreeSet<&String> =
                wanted.keys().chain(held.keys()).collect();
            for name in names {
                let (wanted, held) = (wanted.get(name), held.get(name));
                let null = Value::Null;
                differ(
                    &format!("{path} {name}"),
                    wanted.unwrap_or(&null),
                    held.unwrap_or(&null),
                    found,
                );
            }
        }
        (wanted, held) if wanted == held => {}
        (wanted, held) => found.push(format!("{path} should be {wanted}, is {held}")),
    }
}

fn queue(state: &mut State, flow: &str, given: &Given) -> BTreeMap<String, String> {
    let statement = "SELECT id, state, fault FROM queue WHERE flow = ?1 ORDER BY id";
    let rows = state.look(statement, vec![Cell::Text(flow.to_owned())]);
    let mut queue = BTreeMap::new();
    for row in rows {
        if let [Cell::Text(id), Cell::Text(state), fault] = row.as_slice() {
            let fault = match fault {
                Cell::Text(fault) => serde_json::from_str::<Value>(fault).unwrap_or_default(),
                _ => Value::Null,
            };
            let code = fault["code"].as_str().unwrap_or_default();
            queue.insert(given.named(id), format!("{state} {code}"));
        }
    }
    queue
}
