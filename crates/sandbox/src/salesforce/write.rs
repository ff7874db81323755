//! Making, changing and deleting records by the organization's rules, whoever asks.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::{
    Salesforce, Trace,
    convert::{convert, read_only, to_the_second},
    error::Error,
    id::Id,
    schema::{Access, Kind, Object, audit, object as find_object},
    value::Value,
};

/// In whose name a record is written, and when.
#[derive(Clone, Copy)]
pub(super) struct Author {
    pub(super) user: Id,
    pub(super) at: Timestamp,
}

impl Salesforce {
    /// Makes a record.
    pub(super) fn insert(
        &mut self,
        object: &'static Object,
        fields: &Map<String, Json>,
        author: Author,
    ) -> Result<Id, Error> {
        let given = read(object, fields, Access::CreateOnly)?;
        let mut values = vec![Value::Null; object.fields.len()];
        for (index, field) in object.fields.iter().enumerate() {
            if field.kind == Kind::Boolean {
                values[index] = Value::Bool(false);
            }
        }
        for (index, value) in given {
            values[index] = value;
        }
        self.default_values(object, &mut values, author);
        self.check_required(object, &values)?;
        self.check_references(object, None, &values)?;
        self.check_unique(object, None, &values)?;
        self.derive(object, &mut values, None)?;

        let id = self.numbers.next(object.prefix);
        let at = to_the_second(author.at).unwrap_or(author.at);
        values[audit::ID] = Value::Id(id);
        values[audit::CREATED_DATE] = Value::DateTime(at);
        values[audit::CREATED_BY] = Value::Id(author.user);
        values[audit::LAST_MODIFIED_DATE] = Value::DateTime(at);
        values[audit::LAST_MODIFIED_BY] = Value::Id(author.user);
        values[audit::SYSTEM_MODSTAMP] = Value::DateTime(at);
        let row = self.store.insert(object, values);
        self.trace.push(Trace {
            object,
            id,
            created: true,
            matched: 0,
        });
        self.roll_up(object, row, author);
        Ok(id)
    }

    /// Changes the named fields of a record.
    pub(super) fn change(
        &mut self,
        object: &'static Object,
        id: Id,
        fields: &Map<String, Json>,
        author: Author,
    ) -> Result<(), Error> {
        let row = self.live_row(object, id)?;
        let mut given = read(object, fields, Access::Writable)?;
        self.freeze_amount(object, row, &mut given);
        let before: Vec<Value> = self.values(object, row);
        let mut values = before.clone();
        for (index, value) in given {
            values[index] = value;
        }
        self.check_required(object, &values)?;
        self.check_references(object, Some(row), &values)?;
        self.check_unique(object, Some(row), &values)?;
        self.derive(object, &mut values, Some(&before))?;
        let matched = self.matched_rules(object, row, author.at);
        for (index, value) in values.into_iter().enumerate() {
            if value != before[index] {
                self.store.set(object, row, index, value);
            }
        }
        self.touch(object, row, author);
        self.trace.push(Trace {
            object,
            id,
            created: false,
            matched,
        });
        self.roll_up(object, row, author);
        Ok(())
    }

    /// Deletes a record, and what cannot live without it. It stays in the recycle bin.
    pub(super) fn delete(
        &mut self,
        object: &'static Object,
        id: Id,
        author: Author,
    ) -> Result<(), Error> {
        let row = self.live_row(object, id)?;
        if object.name == "Account" {
            self.check_no_won_opportunity(id)?;
        }
        for child in object.children {
            let Some(kind) = find_object(child.object) else {
                continue;
            };
            let Some(field) = kind.field(child.field) else {
                continue;
            };
            let table = self.store.table(kind);
            let rows: Vec<usize> = table.referring(field, id).collect();
            for child_row in rows {
                let table = self.store.table(kind);
                if table.is_deleted(child_row) {
                    continue;
                }
                match table.id(child_row) {
                    Some(child_id) if child.cascades => self.delete(kind, child_id, author)?,
                    Some(_) => self.store.set(kind, child_row, field, Value::Null),
                    None => {}
                }
            }
        }
        self.store
            .set(object, row, audit::IS_DELETED, Value::Bool(true));
        self.touch(object, row, author);
        self.roll_up(object, row, author);
        Ok(())
    }

    /// The row of a record that is there and not deleted.
    pub(super) fn live_row(&self, object: &Object, id: Id) -> Result<usize, Error> {
        let table = self.store.table(object);
        match table.row(id) {
            None => Err(Error::not_found()),
            Some(row) if table.is_deleted(row) => Err(Error::deleted()),
            Some(row) => Ok(row),
        }
    }

    fn values(&self, object: &Object, row: usize) -> Vec<Value> {
        let table = self.store.table(object);
        (0..object.fields.len())
            .map(|field| table.get(row, field).clone())
            .collect()
    }

    pub(super) fn touch(&mut self, object: &Object, row: usize, author: Author) {
        let at = Value::DateTime(to_the_second(author.at).unwrap_or(author.at));
        self.store
            .set(object, row, audit::LAST_MODIFIED_DATE, at.clone());
        self.store
            .set(object, row, audit::LAST_MODIFIED_BY, Value::Id(author.user));
        self.store.set(object, row, audit::SYSTEM_MODSTAMP, at);
    }

    fn default_values(&self, object: &Object, values: &mut [Value], author: Author) {
        let mut default = |name: &str, value: Value| {
            if let Some(index) = object.field(name)
                && values[index].is_null()
            {
                values[index] = value;
            }
        };
        default("OwnerId", Value::Id(author.user));
        if object.name != "OpportunityLineItem" {
            default("CurrencyIsoCode", Value::Text("USD".to_owned()));
        }
    }

    /// A line that comes, changes or goes takes its opportunity's amount along. The opportunity is saved,
    /// and so touched, only if that changes it.
    fn roll_up(&mut self, object: &'static Object, row: usize, author: Author) {
        if object.name != "OpportunityLineItem" {
            return;
        }
        let parent = || {
            let kind = find_object("Opportunity")?;
            let of = object.field("OpportunityId")?;
            let price = object.field("TotalPrice")?;
            let amount = kind.field("Amount")?;
            let has_lines = kind.field("HasOpportunityLineItem")?;
            let id = self.store.table(object).get(row, of).id()?;
            let parent_row = self.store.table(kind).row(id)?;
            Some((kind, of, price, amount, has_lines, id, parent_row))
        };
        let Some((kind, of, price, amount, has_lines, id, parent_row)) = parent() else {
            return;
        };
        let lines = self.store.table(object);
        let live: Vec<usize> = lines
            .referring(of, id)
            .filter(|&row| !lines.is_deleted(row))
            .collect();
        let sum = live
            .iter()
            .filter_map(|&row| lines.get(row, price).number())
            .sum();
        let opportunities = self.store.table(kind);
        let now_has = Value::Bool(!live.is_empty());
        // The last line's going leaves the amount as it was, to be edited by hand.
        let new_amount = if live.is_empty() {
            opportunities.get(parent_row, amount).clone()
        } else {
            Value::Number(sum)
        };
        if opportunities.is_deleted(parent_row)
            || (opportunities.get(parent_row, amount) == &new_amount
                && opportunities.get(parent_row, has_lines) == &now_has)
        {
            return;
        }
        let matched = self.matched_rules(kind, parent_row, author.at);
        self.store.set(kind, parent_row, amount, new_amount);
        self.store.set(kind, parent_row, has_lines, now_has);
        self.touch(kind, parent_row, author);
        self.trace.push(Trace {
            object: kind,
            id,
            created: false,
            matched,
        });
    }
}

/// The named fields of a write, each in its type.
fn read(
    object: &Object,
    fields: &Map<String, Json>,
    access: Access,
) -> Result<Vec<(usize, Value)>, Error> {
    let mut given = Vec::with_capacity(fields.len());
    for (name, json) in fields {
        if name == "attributes" {
            continue;
        }
        let index = object.field(name).ok_or_else(|| {
            Error::no_such_column(&name.chars().take(80).collect::<String>(), object.name)
        })?;
        let field = &object.fields[index];
        let may_write = match field.access {
            Access::ReadOnly => false,
            Access::CreateOnly => access == Access::CreateOnly,
            Access::Writable => true,
        };
        if !may_write {
            return Err(read_only(field));
        }
        given.push((index, convert(object, field, json)?));
    }
    Ok(given)
}
