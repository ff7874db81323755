//! What the account's own users and administrators do, behind the integration's back.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::EditError;
use crate::seed::Item;

use super::answer::{ConcurrencyForm, Problem};
use super::schema::{Family, Kind};
use super::store::{Cell, Record};
use super::write::{self, Manner};
use super::{NetSuite, order, read, stock, value};

impl NetSuite {
    /// Enters an item of the catalogue. Gives its internal id.
    ///
    /// # Errors
    ///
    /// `Refused` if an item of that name exists.
    pub fn enter_item(&mut self, item: &Item, now: Timestamp) -> Result<String, EditError> {
        let fields = json!({"itemId": item.sku, "displayName": item.name});
        let made = self.user_create(stock::item_kind(item).name, &fields, now)?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Whether there is a transaction under this external id, whatever its case.
    pub fn has_transaction(&self, external_id: &str) -> bool {
        let found = self.store.by_external(Family::Transaction, external_id);
        found.is_some()
    }

    /// Approves a sales order that is pending approval.
    ///
    /// # Errors
    ///
    /// `NotFound`, or `Refused` by the account's rules.
    pub fn approve(&mut self, order: &str, now: Timestamp) -> Result<Value, EditError> {
        self.user_edit(
            "salesOrder",
            order,
            &json!({"orderStatus": {"id": "B"}}),
            now,
        )
    }

    /// Ships and bills: sets how much of each open line was fulfilled and billed. The order must be
    /// approved.
    ///
    /// # Errors
    ///
    /// `NotFound`, or `Refused` if the order is not approved or a quantity exceeds what was ordered.
    pub fn process(
        &mut self,
        id: &str,
        line: u64,
        fulfilled: Decimal,
        billed: Decimal,
        now: Timestamp,
    ) -> Result<Value, EditError> {
        let mut record = self.find("salesOrder", id)?.clone();
        if !record.flag("approved") {
            return Err(EditError::Refused("The order is not approved.".to_owned()));
        }
        let lines = record.sublists.entry("item").or_default();
        let Some(line) = lines.iter_mut().find(|known| known.key == line) else {
            return Err(EditError::NotFound(format!("no line {line}")));
        };
        let ordered = match line.fields.get("quantity") {
            Some(Cell::Number(quantity)) => *quantity,
            _ => Decimal::ZERO,
        };
        if fulfilled > ordered || billed > ordered {
            return Err(EditError::Refused("More than was ordered.".to_owned()));
        }
        line.fields
            .insert("quantityFulfilled", Cell::Number(fulfilled));
        line.fields.insert("quantityBilled", Cell::Number(billed));
        let status = order::status(&record);
        record.fields.insert("status", Cell::Choice(status));
        record.fields.insert("orderStatus", Cell::Choice(status));
        Ok(self.save(record, now))
    }

    pub(super) fn user_create(
        &mut self,
        kind: &str,
        fields: &Value,
        now: Timestamp,
    ) -> Result<Value, EditError> {
        let kind = known(kind)?;
        self.user_write(Record::new(kind, now), fields, now)
    }

    pub(super) fn user_edit(
        &mut self,
        kind: &str,
        id: &str,
        fields: &Value,
        now: Timestamp,
    ) -> Result<Value, EditError> {
        let record = self.find(kind, id)?.clone();
        self.user_write(record, fields, now)
    }

    /// A user's form shows every line: those sent are all there are.
    fn user_write(
        &mut self,
        base: Record,
        fields: &Value,
        now: Timestamp,
    ) -> Result<Value, EditError> {
        let kind = base.kind;
        let replace = kind
            .sublists
            .iter()
            .map(|sublist| sublist.name.to_owned())
            .collect();
        let manner = Manner {
            names: write::Strictness::Error,
            replace,
            user: true,
            ..Manner::default()
        };
        let written = write::write(&mut self.store, &self.rules, base, fields, &manner, now)
            .map_err(|problem| EditError::Refused(problem.text()))?;
        self.note(now);
        self.store
            .get(kind.family, written.id)
            .map(|record| read::bare(&self.store, record))
            .ok_or_else(|| EditError::NotFound("the record is gone".to_owned()))
    }

    pub(super) fn user_remove(
        &mut self,
        kind: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let (family, id) = {
            let record = self.find(kind, id)?;
            (record.kind.family, record.id)
        };
        self.delete(family, id)
            .map_err(|problem| EditError::Refused(problem.text()))?;
        self.note(now);
        Ok(())
    }

    /// Deletes a record nothing refers to.
    pub(super) fn delete(&mut self, family: Family, id: u64) -> Result<(), Problem> {
        let processed = self.store.get(family, id).is_some_and(|record| {
            record.lines("item").iter().any(|line| {
                ["quantityFulfilled", "quantityBilled"].iter().any(|name| {
                    matches!(line.fields.get(name), Some(Cell::Number(number)) if !number.is_zero())
                })
            })
        });
        if processed || self.store.is_used(family, id) {
            return Err(Problem::user_error(
                "This record cannot be deleted because it has dependent records.",
            ));
        }
        self.store.remove(family, id);
        Ok(())
    }

    pub(super) fn note(&mut self, now: Timestamp) {
        self.index
            .note(&mut self.store, self.options.suiteql_lag, now);
    }

    /// What changed so far keeps the lag it was made under.
    fn set_lag(&mut self, lag: SignedDuration, now: Timestamp) {
        self.note(now);
        if self.options.suiteql_lag.is_zero() {
            // All of it is already visible: failure would show at the next query.
            let _ = self.index.sync(&mut self.store, SignedDuration::ZERO, now);
        }
        self.options.suiteql_lag = lag;
    }

    fn save(&mut self, mut record: Record, now: Timestamp) -> Value {
        record.modified = now;
        let family = record.kind.family;
        let id = self.store.put(record);
        self.note(now);
        self.store
            .get(family, id)
            .map_or(Value::Null, |record| read::bare(&self.store, record))
    }

    fn find(&self, kind: &str, id: &str) -> Result<&Record, EditError> {
        let kind = known(kind)?;
        let found = match id.strip_prefix("eid:") {
            Some(external_id) => self
                .store
                .by_external(kind.family, external_id)
                .filter(|record| record.kind.name == kind.name),
            None => id.parse().ok().and_then(|id| self.store.of_kind(kind, id)),
        };
        found.ok_or_else(|| EditError::NotFound(format!("no {} with that id", kind.name)))
    }

    /// Settings by name: `token_life_s`, `suiteql_lag_s`, `upsert_race_ms`, `concurrency_max`,
    /// `requests_per_minute_max` (null for none), `concurrency_form`, `orders_start_approved`, `https`,
    /// `expire_tokens`.
    pub(super) fn set(
        &mut self,
        setting: &str,
        value: &Value,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let wrong = || EditError::Refused(format!("not a value for {setting}"));
        let number = || match value {
            Value::Null => Ok(None),
            other => value::whole(other)
                .filter(|number| *number >= 0)
                .map(Some)
                .ok_or_else(wrong),
        };
        let count = || Ok(number()?.and_then(|number| usize::try_from(number).ok()));
        let flag = || value.as_bool().ok_or_else(wrong);
        match setting {
            "token_life_s" => {
                let life = SignedDuration::from_secs(number()?.ok_or_else(wrong)?);
                self.options.token_life = life;
                self.gate.set_token_life(life);
            }
            "suiteql_lag_s" => {
                let lag = SignedDuration::from_secs(number()?.unwrap_or(0));
                self.set_lag(lag, now);
            }
            "upsert_race_ms" => {
                self.options.upsert_race = number()?.map(SignedDuration::from_millis);
            }
            "concurrency_max" => self.options.limits.concurrency = count()?,
            "requests_per_minute_max" => self.options.limits.per_minute = count()?,
            "concurrency_form" => {
                let (form, as_login) = match value.as_str() {
                    Some("bad_request") => (ConcurrencyForm::BadRequest, false),
                    Some("too_many_requests") => (ConcurrencyForm::TooManyRequests, false),
                    Some("request_limit") => (ConcurrencyForm::RequestLimit, false),
                    Some("invalid_login") => (ConcurrencyForm::BadRequest, true),
                    _ => return Err(wrong()),
                };
                self.options.limits.form = form;
                self.options.limits.as_login = as_login;
            }
            "orders_start_approved" => {
                let flag = flag()?;
                self.set_options(|options| options.orders_start_approved = flag);
            }
            "https" => self.options.https = flag()?,
            "expire_tokens" => self.gate.expire_tokens(),
            _ => return Err(EditError::NotFound(format!("no setting {setting}"))),
        }
        Ok(())
    }
}

fn known(kind: &str) -> Result<&'static Kind, EditError> {
    Kind::named(kind).ok_or_else(|| EditError::NotFound(format!("no record type {kind}")))
}
