//! What people look at: dead letters, one record's item, its outcomes, and whose target something is.

use serde_json::{Value, json};
use sluice_core::Result;
use sluice_core::ports::{Cell, Row};

use super::{Queue, Runs, parsed, places, time};

/// A dead letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    pub id: String,
    /// When it died.
    pub at: Value,
    pub at_ms: i64,
    pub fault: Value,
}

/// Runs named by one record's outcomes.
const RUN_COUNT_MAX: usize = 100;

impl Queue<'_> {
    /// Dead letters by id, after this one.
    pub async fn dead(&self, after: &str, count: u32) -> Result<Vec<Dead>> {
        let statement = "SELECT id, due, fault FROM queue
             WHERE flow = ?1 AND state = 'dead' AND id > ?2 ORDER BY id LIMIT ?3";
        let parameters = [self.flow.into(), after.into(), Cell::Integer(count.into())];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        let dead = |row: &Row| {
            Ok(Dead {
                id: row.text(0)?.to_owned(),
                at: time(row, 1)?,
                at_ms: row.integer(1)?,
                fault: parsed(row.optional_text(2)?),
            })
        };
        rows.iter().map(dead).collect()
    }

    /// Id, state and fault of those of the records that are in the queue.
    pub async fn states(&self, ids: &[&str]) -> Result<Vec<(String, String, Value)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let statement = format!(
            "SELECT id, state, fault FROM queue WHERE flow = ?1 AND id IN ({})",
            places(2, ids.len())
        );
        let mut parameters: Vec<Cell> = vec![self.flow.into()];
        parameters.extend(ids.iter().map(|id| Cell::from(*id)));
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        let state = |row: &Row| {
            let fault = parsed(row.optional_text(2)?);
            Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), fault))
        };
        rows.iter().map(state).collect()
    }

    /// A record's item with all that is known of it; null where it is not in the queue.
    pub async fn item(&self, id: &str) -> Result<Value> {
        let statement =
            "SELECT state, due, hinted, attempts, version, waits_on, waiting_since, lease_until,
                confirm_at, forced, fault, edit FROM queue WHERE flow = ?1 AND id = ?2";
        let parameters = [self.flow.into(), id.into()];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        let Some(row) = rows.first() else {
            return Ok(Value::Null);
        };
        let in_work = row.integer(7)? > self.ports.clock.now().as_millisecond();
        Ok(json!({
            "state": row.text(0)?,
            "due": time(row, 1)?,
            "hinted": time(row, 2)?,
            "attempts": row.integer(3)?,
            "version": row.optional_integer(4)?,
            "waits_on": row.optional_text(5)?,
            "waiting_since": time(row, 6)?,
            "in_work_until": if in_work { time(row, 7)? } else { Value::Null },
            "confirm_at": time(row, 8)?,
            "forced": row.integer(9)? != 0,
            "fault": parsed(row.optional_text(10)?),
            "edit": parsed(row.optional_text(11)?),
        }))
    }

    /// The record whose target this was.
    pub async fn of_target(&self, target: &str) -> Result<Option<String>> {
        let statement = "SELECT id FROM target_of WHERE flow = ?1 AND target = ?2";
        let parameters = [self.flow.into(), target.into()];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        let id = rows.first().map(|row| row.text(0).map(str::to_owned));
        id.transpose()
    }
}

impl Runs<'_> {
    /// How a record ended each time, the newest first.
    pub async fn outcomes_of(&self, id: &str, count: u32) -> Result<Vec<Value>> {
        let statement = "SELECT at, outcome, why, target, cause FROM outcome
             WHERE flow = ?1 AND id = ?2 ORDER BY seq DESC LIMIT ?3";
        let parameters = [self.flow.into(), id.into(), Cell::Integer(count.into())];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        let outcome = |row: &Row| {
            Ok(json!({
                "at": time(row, 0)?,
                "outcome": row.text(1)?,
                "why": row.optional_text(2)?,
                "target": row.optional_text(3)?,
                "cause": row.optional_text(4)?,
            }))
        };
        rows.iter().map(outcome).collect()
    }

    /// The runs of these numbers, the newest first.
    pub async fn numbered(&self, numbers: &[i64]) -> Result<Vec<Value>> {
        let numbers = &numbers[..numbers.len().min(RUN_COUNT_MAX)];
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let statement = format!(
            "SELECT id, started, finished FROM run WHERE flow = ?1 AND id IN ({}) ORDER BY id DESC",
            places(2, numbers.len())
        );
        let mut parameters: Vec<Cell> = vec![self.flow.into()];
        parameters.extend(numbers.iter().map(|number| Cell::Integer(*number)));
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        let run = |row: &Row| {
            Ok(json!({
                "run": row.integer(0)?,
                "started": time(row, 1)?,
                "finished": time(row, 2)?,
            }))
        };
        rows.iter().map(run).collect()
    }
}
