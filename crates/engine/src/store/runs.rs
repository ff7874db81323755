//! Runs, and what the status page shows.

use serde_json::{Value, json};
use sluice_core::ports::Cell;
use sluice_core::{Fault, Ports, Result, code};

use super::{ms, parsed, time};

/// The log of one flow's runs, and the state of its queue.
pub struct Runs<'a> {
    pub flow: &'a str,
    pub ports: &'a Ports,
}

/// Older runs and outcomes are forgotten by the next run.
const KEEP_MS: i64 = 90 * 24 * 3600 * 1000;

impl Runs<'_> {
    /// Notes that a run begins, so that one which never ends is seen; returns its number.
    pub async fn begin(&self) -> Result<i64> {
        let statement = "INSERT INTO run (flow, started) VALUES (?1, ?2) RETURNING id";
        let parameters = [self.flow.into(), ms(self.ports.clock.now())];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        rows.first()
            .ok_or_else(|| Fault::retry(code::STORE_FAILED, "a new run got no number"))?
            .integer(0)
    }

    /// Whether the flow's run before this one was cut off, by its budget or by its end, before it had listed all,
    /// and this is an even one of the flow's. (Numbers are those of all flows: two that take turns would have
    /// even ones and odd ones for ever.)
    pub async fn turns_round(&self, run: i64) -> Result<bool> {
        let statement =
            "SELECT report FROM run WHERE flow = ?1 AND id < ?2 ORDER BY id DESC LIMIT 1";
        let parameters = [self.flow.into(), Cell::Integer(run)];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        let Some(row) = rows.first() else {
            return Ok(false);
        };
        let report = parsed(row.optional_text(0)?);
        let ended = report["ended"].as_str();
        if ended.is_some_and(|ended| !["time", "records"].contains(&ended)) {
            return Ok(false);
        }
        let statement = "SELECT count(*) FROM run WHERE flow = ?1 AND id <= ?2";
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        let count = rows.first().map_or(Ok(0), |row| row.integer(0))?;
        Ok(count % 2 == 0)
    }

    pub async fn end(&self, run: i64, report: &Value) -> Result<()> {
        let now = self.ports.clock.now();
        let statement = "UPDATE run SET finished = ?2, report = ?3 WHERE id = ?1";
        let parameters = [Cell::Integer(run), ms(now), report.to_string().into()];
        self.ports.sql.execute(statement, &parameters).await?;
        self.forget(now.as_millisecond() - KEEP_MS).await
    }

    async fn forget(&self, before_ms: i64) -> Result<()> {
        for (table, column) in [("run", "started"), ("outcome", "at"), ("given_up", "at")] {
            let old = format!("SELECT 1 FROM {table} WHERE flow = ?1 AND {column} < ?2 LIMIT 1");
            let parameters = [self.flow.into(), Cell::Integer(before_ms)];
            if !self.ports.sql.execute(&old, &parameters).await?.is_empty() {
                let delete = format!("DELETE FROM {table} WHERE flow = ?1 AND {column} < ?2");
                self.ports.sql.execute(&delete, &parameters).await?;
            }
        }
        Ok(())
    }

    /// Queue depth by state, what is due when, the last runs, dead letters and waiting items.
    pub async fn status(&self) -> Result<Value> {
        let now = self.ports.clock.now();
        let depth = "SELECT state, count(*), min(due), sum(lease_until > ?2), count(confirm_at)
             FROM queue WHERE flow = ?1 GROUP BY state";
        let mut queue = json!({
            "ready": 0, "waiting": 0, "dead": 0, "in_work": 0, "to_confirm": 0, "oldest_due": null,
        });
        let parameters = [self.flow.into(), ms(now)];
        let (mut in_work, mut to_confirm) = (0, 0);
        for row in self.ports.sql.execute(depth, &parameters).await? {
            let state = row.text(0)?;
            queue[state] = row.integer(1)?.into();
            if state == "ready" {
                queue["oldest_due"] = time(&row, 2)?;
            }
            in_work += row.integer(3)?;
            to_confirm += row.integer(4)?;
        }
        queue["in_work"] = in_work.into();
        queue["to_confirm"] = to_confirm.into();
        Ok(json!({
            "queue": queue,
            "runs": self.last_runs().await?,
            "dead": self.items("dead").await?,
            "waiting": self.items("waiting").await?,
            "retrying": self.items("ready").await?,
            "outcomes": self.outcomes().await?,
        }))
    }

    async fn last_runs(&self) -> Result<Vec<Value>> {
        let statement = "SELECT id, started, finished, report FROM run WHERE flow = ?1
             ORDER BY id DESC LIMIT 10";
        let rows = self
            .ports
            .sql
            .execute(statement, &[self.flow.into()])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(json!({
                    "run": row.integer(0)?,
                    "started": time(row, 1)?,
                    "finished": time(row, 2)?,
                    "report": parsed(row.optional_text(3)?),
                }))
            })
            .collect()
    }

    async fn items(&self, state: &str) -> Result<Vec<Value>> {
        let statement = "SELECT id, hinted, due, attempts, waits_on, fault FROM queue
             WHERE flow = ?1 AND state = ?2 AND fault IS NOT NULL ORDER BY due LIMIT 100";
        let parameters = [self.flow.into(), state.into()];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        rows.iter()
            .map(|row| {
                Ok(json!({
                    "id": row.text(0)?,
                    "hinted": time(row, 1)?,
                    "due": time(row, 2)?,
                    "attempts": row.integer(3)?,
                    "waits_on": row.optional_text(4)?,
                    "fault": parsed(row.optional_text(5)?),
                }))
            })
            .collect()
    }

    /// How many records ended in each way since the log began.
    async fn outcomes(&self) -> Result<Value> {
        let statement = "SELECT outcome, count(*) FROM outcome WHERE flow = ?1 GROUP BY outcome";
        let mut counts = json!({});
        for row in self
            .ports
            .sql
            .execute(statement, &[self.flow.into()])
            .await?
        {
            counts[row.text(0)?] = row.integer(1)?.into();
        }
        Ok(counts)
    }
}
