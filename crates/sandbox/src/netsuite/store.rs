//! The account's records, their internal and external ids, and what refers to what.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::schema::{Family, Kind};

/// One value as the account holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Integer(i64),
    Number(Decimal),
    Flag(bool),
    Date(Date),
    Moment(Timestamp),
    /// Internal id within the family the field names.
    Ref(u64),
    Refs(Vec<u64>),
    /// The id of a choice.
    Choice(&'static str),
    Sub(Fields),
}

/// Values by field name; an absent name is an empty field.
pub(super) type Fields = BTreeMap<&'static str, Cell>;

/// One line of a sublist, under a key that stays while the line does.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub key: u64,
    pub fields: Fields,
}

/// One record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub kind: &'static Kind,
    pub id: u64,
    pub fields: Fields,
    pub sublists: BTreeMap<&'static str, Vec<Line>>,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// The key the next new line gets; never one that was used before.
    pub next_line: u64,
    /// A sales order an administrator cancelled.
    pub cancelled: bool,
}

impl Record {
    pub fn new(kind: &'static Kind, now: Timestamp) -> Self {
        Self {
            kind,
            id: 0,
            fields: Fields::new(),
            sublists: BTreeMap::new(),
            created: now,
            modified: now,
            next_line: 1,
            cancelled: false,
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.fields.get(name) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn reference(&self, name: &str) -> Option<u64> {
        match self.fields.get(name) {
            Some(Cell::Ref(id)) => Some(*id),
            _ => None,
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.fields.get(name), Some(Cell::Flag(true)))
    }

    pub fn lines(&self, sublist: &str) -> &[Line] {
        self.sublists.get(sublist).map_or(&[], Vec::as_slice)
    }

    /// What lists and references show for the record.
    pub fn label(&self) -> String {
        let name = match self.kind.family {
            Family::Transaction => {
                let sort = match self.kind.name {
                    "invoice" => "Invoice",
                    "cashSale" => "Cash Sale",
                    _ => "Sales Order",
                };
                return format!("{sort} #{}", self.text("tranId").unwrap_or_default());
            }
            Family::Entity => "entityId",
            Family::Item => "itemId",
            Family::Account => "acctName",
            Family::Subsidiary | Family::Currency | Family::Term => "name",
        };
        self.text(name).unwrap_or_default().to_owned()
    }
}

/// An external id as NetSuite compares it: without regard to case, within a family.
type ExternalKey = (Family, String);

fn external_key(family: Family, external_id: &str) -> ExternalKey {
    (family, external_id.to_lowercase())
}

/// Every record of the account.
#[derive(Debug)]
pub(super) struct Store {
    records: BTreeMap<(Family, u64), Record>,
    external: BTreeMap<ExternalKey, u64>,
    /// Entity ids in use, in lower case.
    names: BTreeMap<(Family, String), u64>,
    next_id: BTreeMap<Family, u64>,
    rng: Rng,
    next_order: u64,
    /// By prefix.
    next_bill: BTreeMap<&'static str, u64>,
    next_line_key: u64,
    /// Records to bring to the search index.
    dirty: BTreeSet<(Family, u64)>,
}

/// Lists an administrator sets up once. Their ids are the same for every seed: mappings name them.
fn is_set_up(family: Family) -> bool {
    matches!(family, Family::Subsidiary | Family::Currency | Family::Term)
}

impl Store {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x6e65_7473);
        let mut next_id = BTreeMap::new();
        for (family, base) in [
            (Family::Transaction, 26_400),
            (Family::Entity, 1_500),
            (Family::Item, 850),
            (Family::Subsidiary, 3),
            (Family::Currency, 4),
            (Family::Term, 11),
            (Family::Account, 210),
        ] {
            let gap = if is_set_up(family) { 0 } else { rng.u64(0..5) };
            next_id.insert(family, base + gap);
        }
        Self {
            records: BTreeMap::new(),
            external: BTreeMap::new(),
            names: BTreeMap::new(),
            next_id,
            rng,
            next_order: 1001,
            next_bill: BTreeMap::new(),
            next_line_key: 70_000,
            dirty: BTreeSet::new(),
        }
    }

    pub fn get(&self, family: Family, id: u64) -> Option<&Record> {
        self.records.get(&(family, id))
    }

    /// The record of this very type; the id of another type of the family does not count.
    pub fn of_kind(&self, kind: &Kind, id: u64) -> Option<&Record> {
        self.get(kind.family, id)
            .filter(|record| record.kind.name == kind.name)
    }

    pub fn by_external(&self, family: Family, external_id: &str) -> Option<&Record> {
        let id = self.external.get(&external_key(family, external_id))?;
        self.get(family, *id)
    }

    /// The id under this name (entity id, item name), whatever its case.
    pub fn by_name(&self, family: Family, name: &str) -> Option<u64> {
        self.names.get(&(family, name.to_lowercase())).copied()
    }

    /// Every record of a type, by internal id.
    pub fn all(&self, kind: &'static Kind) -> impl Iterator<Item = &Record> {
        self.records
            .range((kind.family, 0)..=(kind.family, u64::MAX))
            .map(|(_, record)| record)
            .filter(move |record| record.kind.name == kind.name)
    }

    pub fn family(&self, family: Family) -> impl Iterator<Item = &Record> {
        self.records
            .range((family, 0)..=(family, u64::MAX))
            .map(|(_, record)| record)
    }

    /// Whether a transaction refers to this customer or item, or a customer to this parent.
    pub fn is_used(&self, family: Family, id: u64) -> bool {
        match family {
            Family::Entity => {
                self.has_orders(id)
                    || self
                        .family(Family::Entity)
                        .any(|record| record.id != id && record.reference("parent") == Some(id))
            }
            Family::Item => self.family(Family::Transaction).any(|order| {
                order
                    .lines("item")
                    .iter()
                    .any(|line| line.fields.get("item") == Some(&Cell::Ref(id)))
            }),
            Family::Transaction => false,
            Family::Subsidiary | Family::Currency | Family::Term | Family::Account => true,
        }
    }

    pub fn has_orders(&self, customer: u64) -> bool {
        self.family(Family::Transaction)
            .any(|order| order.reference("entity") == Some(customer))
    }

    /// The next sales order number: `SO1001`.
    pub fn next_order_number(&mut self) -> String {
        let number = self.next_order;
        self.next_order += 1;
        format!("SO{number}")
    }

    /// The next number of a bill: `INV1001`.
    pub fn next_bill_number(&mut self, prefix: &'static str) -> String {
        let next = self.next_bill.entry(prefix).or_insert(1001);
        let number = *next;
        *next += 1;
        format!("{prefix}{number}")
    }

    pub fn next_line_key(&mut self) -> String {
        self.next_line_key += 1;
        self.next_line_key.to_string()
    }

    /// Saves a record; one without an internal id gets the next. Gives the id.
    pub fn put(&mut self, mut record: Record) -> u64 {
        let family = record.kind.family;
        if record.id == 0 {
            let step = match is_set_up(family) {
                true => 1,
                false => self.rng.u64(1..4),
            };
            let next = self.next_id.entry(family).or_insert(100);
            record.id = *next;
            *next += step;
        }
        let id = record.id;
        for (name, moment) in [
            ("dateCreated", record.created),
            ("createdDate", record.created),
            ("lastModifiedDate", record.modified),
        ] {
            if let Some(field) = record.kind.field(name) {
                record.fields.insert(field.name, Cell::Moment(moment));
            }
        }
        self.unindex(family, id);
        if let Some(external_id) = record.text("externalId") {
            self.external.insert(external_key(family, external_id), id);
        }
        if let Some(name) = named(&record) {
            self.names.insert((family, name), id);
        }
        self.records.insert((family, id), record);
        self.dirty.insert((family, id));
        id
    }

    pub fn remove(&mut self, family: Family, id: u64) {
        self.unindex(family, id);
        self.records.remove(&(family, id));
        self.dirty.insert((family, id));
    }

    fn unindex(&mut self, family: Family, id: u64) {
        let Some(old) = self.records.get(&(family, id)) else {
            return;
        };
        if let Some(external_id) = old.text("externalId") {
            self.external.remove(&external_key(family, external_id));
        }
        if let Some(name) = named(old) {
            self.names.remove(&(family, name));
        }
    }

    /// The records changed since this was last asked.
    pub fn take_dirty(&mut self) -> BTreeSet<(Family, u64)> {
        std::mem::take(&mut self.dirty)
    }
}

fn named(record: &Record) -> Option<String> {
    let field = match record.kind.family {
        Family::Entity => "entityId",
        Family::Item => "itemId",
        Family::Subsidiary | Family::Term => "name",
        Family::Currency => "symbol",
        Family::Transaction | Family::Account => return None,
    };
    record.text(field).map(str::to_lowercase)
}
