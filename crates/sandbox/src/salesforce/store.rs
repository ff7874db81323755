//! The organization's records, with the indexes queries live on, and a journal to take a request back.

use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeFrom,
};

use jiff::Timestamp;

use super::{
    id::Id,
    schema::{Kind, OBJECTS, Object, audit, object_index},
    value::Value,
};

/// Every record of every type, deleted ones included.
pub(super) struct Store {
    tables: Vec<Table>,
    journal: Vec<Undo>,
}

/// The records of one type, in the order they were made.
pub(super) struct Table {
    pub(super) object: &'static Object,
    rows: Vec<Vec<Value>>,
    by_id: HashMap<Id, usize>,
    /// Rows by what they refer to, one map a reference field.
    by_reference: HashMap<usize, HashMap<Id, BTreeSet<usize>>>,
    /// Rows by external id, one map an external id field.
    by_key: HashMap<usize, HashMap<String, BTreeSet<usize>>>,
    by_modstamp: BTreeSet<(Timestamp, usize)>,
}

/// One step back.
enum Undo {
    Set {
        table: usize,
        row: usize,
        field: usize,
        before: Value,
    },
    Insert {
        table: usize,
    },
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            tables: OBJECTS.iter().map(Table::new).collect(),
            journal: Vec::new(),
        }
    }

    pub(super) fn table(&self, object: &Object) -> &Table {
        &self.tables[object_index(object)]
    }

    /// Adds a record, all of whose fields are given in the order of the type's.
    pub(super) fn insert(&mut self, object: &Object, values: Vec<Value>) -> usize {
        let table = object_index(object);
        self.journal.push(Undo::Insert { table });
        self.tables[table].push(values)
    }

    /// Sets one field.
    pub(super) fn set(&mut self, object: &Object, row: usize, field: usize, value: Value) {
        let table = object_index(object);
        let before = self.tables[table].replace(row, field, value);
        self.journal.push(Undo::Set {
            table,
            row,
            field,
            before,
        });
    }

    /// A mark to go back to.
    pub(super) fn mark(&self) -> usize {
        self.journal.len()
    }

    /// Takes back everything done since the mark.
    pub(super) fn roll_back(&mut self, mark: usize) {
        while self.journal.len() > mark {
            match self.journal.pop() {
                Some(Undo::Set {
                    table,
                    row,
                    field,
                    before,
                }) => {
                    self.tables[table].replace(row, field, before);
                }
                Some(Undo::Insert { table }) => self.tables[table].pop(),
                None => break,
            }
        }
    }

    /// Makes everything done so far lasting.
    pub(super) fn commit(&mut self) {
        self.journal.clear();
    }
}

impl Table {
    fn new(object: &'static Object) -> Self {
        let fields = || object.fields.iter().enumerate();
        let references = fields().filter(|(_, field)| matches!(field.kind, Kind::Reference { .. }));
        let keys = fields().filter(|(_, field)| field.external_id);
        Self {
            object,
            rows: Vec::new(),
            by_id: HashMap::new(),
            by_reference: references
                .map(|(index, _)| (index, HashMap::new()))
                .collect(),
            by_key: keys.map(|(index, _)| (index, HashMap::new())).collect(),
            by_modstamp: BTreeSet::new(),
        }
    }

    pub(super) fn row(&self, id: Id) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn get(&self, row: usize, field: usize) -> &Value {
        &self.rows[row][field]
    }

    pub(super) fn id(&self, row: usize) -> Option<Id> {
        self.get(row, audit::ID).id()
    }

    pub(super) fn is_deleted(&self, row: usize) -> bool {
        self.get(row, audit::IS_DELETED) == &Value::Bool(true)
    }

    /// Every row, deleted ones included.
    pub(super) fn rows(&self) -> std::ops::Range<usize> {
        0..self.rows.len()
    }

    /// Rows whose reference field holds this id, deleted ones included, in the order they were made.
    pub(super) fn referring(&self, field: usize, id: Id) -> impl Iterator<Item = usize> + '_ {
        let rows = self
            .by_reference
            .get(&field)
            .and_then(|index| index.get(&id));
        rows.into_iter().flatten().copied()
    }

    /// Rows with this external id, whatever its case, deleted ones included.
    pub(super) fn keyed(&self, field: usize, key: &str) -> impl Iterator<Item = usize> + '_ {
        let rows = self
            .by_key
            .get(&field)
            .and_then(|index| index.get(&key.to_lowercase()));
        rows.into_iter().flatten().copied()
    }

    /// Rows touched at or after a time, in the order of the touch.
    pub(super) fn touched(&self, range: RangeFrom<Timestamp>) -> impl Iterator<Item = usize> + '_ {
        self.by_modstamp
            .range((range.start, 0)..)
            .map(|&(_, row)| row)
    }

    fn push(&mut self, values: Vec<Value>) -> usize {
        let row = self.rows.len();
        self.rows.push(values);
        for field in 0..self.object.fields.len() {
            self.index(row, field);
        }
        row
    }

    fn pop(&mut self) {
        let Some(row) = self.rows.len().checked_sub(1) else {
            return;
        };
        for field in 0..self.object.fields.len() {
            self.unindex(row, field);
        }
        self.rows.pop();
    }

    fn replace(&mut self, row: usize, field: usize, value: Value) -> Value {
        self.unindex(row, field);
        let before = std::mem::replace(&mut self.rows[row][field], value);
        self.index(row, field);
        before
    }

    fn index(&mut self, row: usize, field: usize) {
        match &self.rows[row][field] {
            Value::Id(id) if field == audit::ID => {
                self.by_id.insert(*id, row);
            }
            Value::Id(id) => {
                if let Some(index) = self.by_reference.get_mut(&field) {
                    index.entry(*id).or_default().insert(row);
                }
            }
            Value::DateTime(time) if field == audit::SYSTEM_MODSTAMP => {
                self.by_modstamp.insert((*time, row));
            }
            Value::Text(key) => {
                if let Some(index) = self.by_key.get_mut(&field) {
                    index.entry(key.to_lowercase()).or_default().insert(row);
                }
            }
            _ => {}
        }
    }

    fn unindex(&mut self, row: usize, field: usize) {
        match &self.rows[row][field] {
            Value::Id(id) if field == audit::ID => {
                self.by_id.remove(id);
            }
            Value::Id(id) => {
                if let Some(rows) = self
                    .by_reference
                    .get_mut(&field)
                    .and_then(|i| i.get_mut(id))
                {
                    rows.remove(&row);
                }
            }
            Value::DateTime(time) if field == audit::SYSTEM_MODSTAMP => {
                self.by_modstamp.remove(&(*time, row));
            }
            Value::Text(key) => {
                let key = key.to_lowercase();
                if let Some(rows) = self.by_key.get_mut(&field).and_then(|i| i.get_mut(&key)) {
                    rows.remove(&row);
                }
            }
            _ => {}
        }
    }
}
