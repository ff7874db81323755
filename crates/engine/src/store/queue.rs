//! The durable set of records still to be reconciled.
//!
//! An item is `ready` (due at a time), `waiting` (for a parent, looked at again at `due`) or `dead`. Its
//! `hint` is a random number drawn anew with every hint, also after the item was deleted: work that began
//! before a newer hint can't finish the item.
//!
//! An item whose lease ran out is taken over as after a write of unknown outcome: its worker may have written,
//! and may be writing yet.

use std::time::Duration;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sluice_core::ports::{Cell, Row};
use sluice_core::time::later;
use sluice_core::{Fault, Hint, Ports, Result, Version, code};

use super::leases::token;
use super::{WAIT_MAX, ms, places};
use crate::edit::Edit;
use crate::seen::Seen;

/// How long a worker may hold a record.
pub const LEASE: Duration = Duration::from_secs(120);
/// No `concurrency_max` reaches so far.
const NO_PLACE: u64 = 1 << 32;
/// Hints in one statement: SQLite takes 32,766 parameters.
const HINT_COUNT_MAX: usize = 500;

/// The queue of one flow.
pub struct Queue<'a> {
    pub flow: &'a str,
    pub ports: &'a Ports,
    /// Records of this flow in work at once, over all workers: what the systems on both sides bear.
    pub concurrency_max: u32,
    /// How long the target may still be working on a request that nobody waits for any more.
    pub settles_within: Duration,
}

/// A record leased to this worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    /// The state announced by the newest hint that named one.
    pub version: Option<Version>,
    /// This attempt included.
    pub attempts: u32,
    /// A write of unknown outcome went before: the hash of what was last applied proves nothing.
    pub forced: bool,
    pub waiting_since: Option<Timestamp>,
    pub lease_until: Timestamp,
    /// A person's edit of the source's data, for as long as the source stays as it was then.
    pub edit: Option<Edit>,
    pub(crate) hint: i64,
    lease: i64,
}

/// An item nobody holds, as a person finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub is_dead: bool,
    /// Drawn anew with every hint.
    pub(super) hint: i64,
}

/// What becomes of an item.
#[derive(Clone, Debug)]
pub enum Finish<'a> {
    /// It leaves the queue with its outcome in the log.
    Settled {
        outcome: &'static str,
        why: Option<&'a str>,
        target: Option<&'a str>,
    },
    /// It is tried again; `confirm_at` is set after a write of unknown outcome.
    Retry {
        due: Timestamp,
        fault: &'a Fault,
        counts: bool,
        confirm_at: Option<Timestamp>,
    },
    /// It waits for `on`, and is looked at again when due.
    Park {
        on: &'a str,
        due: Timestamp,
        fault: &'a Fault,
    },
    Dead {
        fault: &'a Fault,
        /// The state of the source that was looked at.
        seen: Option<&'a Seen>,
    },
}

const COLUMNS: &str = "id, hint, version, attempts, forced, waiting_since, lease, lease_until, confirm_at, edit, edit_of";

/// Hints that are durable now.
#[derive(Debug, Default)]
pub struct Put {
    /// Items leased to this worker.
    pub leased: Vec<Item>,
    /// The others, by id: which hint each item bears. One that bears another was announced anew.
    pub others: BTreeMap<String, i64>,
}

impl Queue<'_> {
    /// Commits the hints; coalesces those of one record; revives dead letters. When this returns they
    /// are durable. The first `lease_count` that are due and free are leased at once, in the same
    /// statement.
    pub async fn put(&self, hints: &[Hint], lease_count: usize) -> Result<Put> {
        let mut put = Put::default();
        for (at, part) in hints.chunks(HINT_COUNT_MAX).enumerate() {
            let lease_count = if at == 0 { lease_count } else { 0 };
            self.put_part(part, lease_count, &mut put).await?;
        }
        Ok(put)
    }

    async fn put_part(&self, hints: &[Hint], lease_count: usize, put: &mut Put) -> Result<()> {
        let now = self.ports.clock.now();
        let lease = token(self.ports);
        // ?1 flow, ?2 now, ?3 lease, ?4 lease_until, ?5 concurrency_max, ?6 settled
        let mut parameters: Vec<Cell> = vec![
            self.flow.into(),
            ms(now),
            Cell::Integer(lease),
            ms(later(now, LEASE)),
            Cell::Integer(self.concurrency_max.into()),
            ms(later(now, self.settles_within)),
        ];
        let mut values = String::new();
        let mut seen = BTreeMap::new();
        for hint in hints {
            // One row a record: a statement can't change the same row twice.
            let newest = seen.entry(hint.id.id.as_str()).or_insert(hint.version);
            *newest = (*newest).max(hint.version);
        }
        for (at, (id, version)) in seen.into_iter().enumerate() {
            let first = parameters.len() + 1;
            // Its place among those to be leased: each before it takes a place of `concurrency_max`.
            let place = if at < lease_count {
                at as u64
            } else {
                NO_PLACE
            };
            let comma = if at == 0 { "" } else { ", " };
            values += &format!("{comma}(?{first}, ?{}, ?{}, {place})", first + 1, first + 2);
            parameters.push(id.into());
            parameters.push(Cell::Integer(token(self.ports)));
            parameters.push(version.map(|version| version.0).into());
        }
        if values.is_empty() {
            return Ok(());
        }
        let statement = put_statement(&values);
        for row in self.ports.sql.execute(&statement, &parameters).await? {
            let item = item(&row, now)?;
            if item.lease == lease {
                put.leased.push(item);
            } else {
                put.others.insert(item.id, item.hint);
            }
        }
        Ok(())
    }

    /// Leases up to `count` items that are due, those of `first` before the others, oldest first; none while the
    /// flow is paused.
    pub async fn lease_due(&self, count: usize, first: &[&str]) -> Result<Vec<Item>> {
        let now = self.ports.clock.now();
        // A look before the write: an empty queue costs no commit.
        let statement = "SELECT 1 FROM queue WHERE flow = ?1 AND state IN ('ready', 'waiting')
             AND due <= ?2 AND lease_until <= ?2 LIMIT 1";
        let parameters = [self.flow.into(), ms(now)];
        if self
            .ports
            .sql
            .execute(statement, &parameters)
            .await?
            .is_empty()
        {
            return Ok(Vec::new());
        }
        let order = match first.len() {
            0 => String::new(),
            count => format!("id IN ({}) DESC, ", places(8, count)),
        };
        let statement = format!(
            "UPDATE queue SET lease = ?3, lease_until = ?4, attempts = attempts + 1, {}
             WHERE flow = ?1 AND id IN (
                SELECT id FROM queue WHERE flow = ?1 AND state IN ('ready', 'waiting')
                    AND due <= ?2 AND lease_until <= ?2 ORDER BY {order}due
                    LIMIT max(0, min(?5, ?6 - (SELECT count(*) FROM queue
                        WHERE flow = ?1 AND lease IS NOT NULL AND lease_until > ?2))))
                AND NOT EXISTS (SELECT 1 FROM paused WHERE flow = ?1)
             RETURNING {COLUMNS}",
            taken_over("true", "?7")
        );
        let mut parameters = vec![
            self.flow.into(),
            ms(now),
            Cell::Integer(token(self.ports)),
            ms(later(now, LEASE)),
            Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX)),
            Cell::Integer(self.concurrency_max.into()),
            ms(later(now, self.settles_within)),
        ];
        parameters.extend(first.iter().map(|id| Cell::from(*id)));
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        rows.iter().map(|row| item(row, now)).collect()
    }

    /// Leases one record now, whatever it waits for. `None` if another worker holds it, or the flow is
    /// paused.
    pub async fn lease_one(&self, id: &str) -> Result<Option<Item>> {
        let now = self.ports.clock.now();
        let statement = format!(
            "INSERT INTO queue (flow, id, hint, state, due, hinted, attempts, lease, lease_until)
             SELECT ?1, ?2, ?3, 'ready', ?4, ?4, 1, ?5, ?6
             WHERE NOT EXISTS (SELECT 1 FROM paused WHERE flow = ?1)
             ON CONFLICT (flow, id) DO UPDATE SET lease = excluded.lease,
                lease_until = excluded.lease_until, hint = excluded.hint, state = 'ready',
                attempts = CASE queue.state WHEN 'dead' THEN 1 ELSE queue.attempts + 1 END, {}
             WHERE queue.lease_until <= ?4 RETURNING {COLUMNS}",
            taken_over("true", "?7")
        );
        let parameters = [
            self.flow.into(),
            id.into(),
            Cell::Integer(token(self.ports)),
            ms(now),
            Cell::Integer(token(self.ports)),
            ms(later(now, LEASE)),
            ms(later(now, self.settles_within)),
        ];
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        rows.first().map(|row| item(row, now)).transpose()
    }

    /// Ends this worker's hold on an item. True if the item was still this worker's; then, unless a newer
    /// hint came meanwhile (which makes it due at once), it is as `finish` says.
    pub async fn finish(&self, item: &Item, finish: Finish<'_>, cause: &str) -> Result<bool> {
        let now = ms(self.ports.clock.now());
        // ?1 flow, ?2 id, ?3 lease, ?4 hint, ?5 now, ?6 and ?7 as each case says
        let mut parameters = vec![
            self.flow.into(),
            item.id.as_str().into(),
            Cell::Integer(item.lease),
            Cell::Integer(item.hint),
            now,
        ];
        let set = match finish {
            Finish::Settled {
                outcome,
                why,
                target,
            } => {
                parameters.push(why.into());
                parameters.push(target.into());
                parameters.push(outcome.into());
                parameters.push(cause.into());
                // Hint 0: no newer hint came, so nothing but `confirm_at` keeps the item.
                "due = ?5, why = ?6, target = ?7, cause = ?9, attempts = 0, fault = NULL,
                 waits_on = NULL, waiting_since = NULL, forced = 0,
                 confirm_at = CASE WHEN hint = ?4 AND confirm_at <= ?5 THEN NULL ELSE confirm_at END,
                 state = 'ready', outcome = ?8, hint = CASE WHEN hint = ?4 THEN 0 ELSE hint END"
            }
            Finish::Retry {
                due,
                fault,
                counts,
                confirm_at,
            } => {
                parameters.push(ms(due));
                parameters.push(fault_json(fault)?);
                parameters.push(confirm_at.map(Timestamp::as_millisecond).into());
                parameters.push(Cell::Integer(i64::from(!counts)));
                "due = CASE WHEN hint = ?4 THEN ?6 ELSE ?5 END, state = 'ready', fault = ?7,
                 confirm_at = coalesce(max(confirm_at, ?8), confirm_at, ?8),
                 forced = max(forced, ?8 IS NOT NULL), attempts = attempts - ?9,
                 waits_on = NULL, waiting_since = NULL"
            }
            Finish::Park { on, due, fault } => {
                parameters.push(ms(due));
                parameters.push(fault_json(fault)?);
                parameters.push(on.into());
                "due = CASE WHEN hint = ?4 THEN ?6 ELSE ?5 END, state = 'waiting', fault = ?7,
                 waits_on = ?8, waiting_since = coalesce(waiting_since, ?5),
                 attempts = attempts - 1"
            }
            Finish::Dead { fault, seen } => {
                parameters.push(fault_json(fault)?);
                parameters.push(cause.into());
                parameters.push(fault.code.0.into());
                let version = seen.and_then(|seen| seen.version);
                parameters.push(version.map(|version| version.0).into());
                parameters.push(seen.map(|seen| seen.state.as_str()).into());
                "due = ?5, fault = ?6, cause = ?7, why = ?8, waits_on = NULL, waiting_since = NULL,
                 seen_version = ?9, seen = ?10, edit = NULL, edit_of = NULL,
                 state = CASE WHEN hint = ?4 THEN 'dead' ELSE 'ready' END,
                 outcome = CASE WHEN hint = ?4 THEN 'dead' END"
            }
        };
        let statement = format!(
            "UPDATE queue SET {set}, lease = NULL, lease_until = 0
             WHERE flow = ?1 AND id = ?2 AND lease = ?3 RETURNING id"
        );
        let rows = self.ports.sql.execute(&statement, &parameters).await?;
        Ok(!rows.is_empty())
    }

    /// How a record stands; `None` for one that is not in the queue.
    pub async fn standing(&self, id: &str) -> Result<Option<Standing>> {
        let statement = "SELECT state = 'dead', hint FROM queue WHERE flow = ?1 AND id = ?2";
        let parameters = [self.flow.into(), id.into()];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        let standing = |row: &Row| {
            Ok(Standing {
                is_dead: row.integer(0)? != 0,
                hint: row.integer(1)?,
            })
        };
        rows.first().map(standing).transpose()
    }

    /// Makes due, and free, what a clock that ran fast has put off into a far future.
    pub async fn disbelieve(&self) -> Result<()> {
        let now = self.ports.clock.now();
        let parameters = [self.flow.into(), ms(later(now, WAIT_MAX)), ms(now)];
        // A look before the write: clocks are mostly right.
        let far = "SELECT 1 FROM queue WHERE flow = ?1 AND state IN ('ready', 'waiting') AND due > ?2
             UNION ALL SELECT 1 FROM queue WHERE flow = ?1 AND lease IS NOT NULL AND lease_until > ?2
             LIMIT 1";
        let rows = self.ports.sql.execute(far, &parameters[..2]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let statement = "UPDATE queue SET due = min(due, ?3),
                lease_until = iif(lease_until > ?2, ?3, lease_until),
                confirm_at = iif(confirm_at > ?2, ?3, confirm_at)
             WHERE flow = ?1 AND state <> 'dead' AND (due > ?2 OR lease_until > ?2)";
        self.ports.sql.execute(statement, &parameters).await?;
        Ok(())
    }

    /// Has a record looked at once more without trusting what was last applied: a worker that had lost its
    /// lease may have written the target, or a link that tells of an older state.
    pub async fn doubt(&self, item: &Item) -> Result<()> {
        // A newer hint: whoever is at work on the record now can't finish it.
        let statement = "INSERT INTO queue
                (flow, id, hint, state, due, hinted, attempts, lease_until, confirm_at)
             VALUES (?1, ?2, ?3, 'ready', ?4, ?4, 0, 0, ?4)
             ON CONFLICT (flow, id) DO UPDATE SET hint = excluded.hint,
                confirm_at = coalesce(max(queue.confirm_at, excluded.confirm_at), excluded.confirm_at)";
        let parameters = [
            self.flow.into(),
            item.id.as_str().into(),
            Cell::Integer(token(self.ports)),
            ms(self.ports.clock.now()),
        ];
        self.ports.sql.execute(statement, &parameters).await?;
        Ok(())
    }

    /// The ids of items that are due, oldest first, without taking them.
    pub async fn due(&self) -> Result<Vec<String>> {
        let statement = "SELECT id FROM queue WHERE flow = ?1 AND state IN ('ready', 'waiting')
             AND due <= ?2 ORDER BY due LIMIT 1000";
        let parameters = [self.flow.into(), ms(self.ports.clock.now())];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        rows.iter()
            .map(|row| row.text(0).map(str::to_owned))
            .collect()
    }

    /// Whether more than so many items are due, or are so within a minute: more than can be worked on at once.
    pub async fn holds_due(&self, count: u32) -> Result<bool> {
        let statement = "SELECT 1 FROM queue WHERE flow = ?1 AND state = 'ready' AND due <= ?2
             LIMIT 1 OFFSET ?3";
        let soon = later(self.ports.clock.now(), Duration::from_secs(60));
        let parameters = [self.flow.into(), ms(soon), Cell::Integer(count.into())];
        let rows = self.ports.sql.execute(statement, &parameters).await?;
        Ok(!rows.is_empty())
    }

    /// Makes everything that waits on `what` due, in every flow.
    pub async fn wake(&self, what: &str) -> Result<()> {
        let parameters = [what.into(), ms(self.ports.clock.now())];
        // A look before the write: mostly nobody waits. One who begins to wait in between is due again
        // in a while by himself.
        let waits = "SELECT 1 FROM queue WHERE waits_on = ?1 AND due > ?2 LIMIT 1";
        if self.ports.sql.execute(waits, &parameters).await?.is_empty() {
            return Ok(());
        }
        let statement =
            "UPDATE queue SET due = ?2 WHERE state = 'waiting' AND waits_on = ?1 AND due > ?2";
        self.ports.sql.execute(statement, &parameters).await?;
        Ok(())
    }
}

/// ?1 flow, ?2 now, ?3 lease, ?4 lease_until, ?5 concurrency_max, ?6 settled; a row: id, hint, version, place
/// among those to be leased.
///
/// An item that backs off after a fault stays in its back-off: a hint tells that the record changed, not
/// that the fault is gone. A dead or waiting item, and one that is kept for a confirmation, is looked at
/// again at once.
fn put_statement(values: &str) -> String {
    let taken = "(excluded.lease IS NOT NULL AND queue.lease_until <= ?2
                AND (queue.state <> 'ready' OR queue.fault IS NULL OR queue.due <= ?2))";
    let taken_over = taken_over(taken, "?6");
    format!(
        "INSERT INTO queue (flow, id, hint, version, state, due, hinted, attempts, lease, lease_until)
         SELECT ?1, column1, column2, column3, 'ready', ?2, ?2, leased, iif(leased, ?3, NULL), iif(leased, ?4, 0)
         FROM (SELECT column1, column2, column3, column4 + (SELECT count(*) FROM queue
                 WHERE flow = ?1 AND lease IS NOT NULL AND lease_until > ?2) < ?5
                 AND NOT EXISTS (SELECT 1 FROM paused WHERE flow = ?1) AS leased
               FROM (VALUES {values})) WHERE true
         ON CONFLICT (flow, id) DO UPDATE SET
            hint = excluded.hint,
            hinted = excluded.hinted,
            version = coalesce(max(queue.version, excluded.version), excluded.version, queue.version),
            due = iif(queue.state = 'ready' AND queue.fault IS NOT NULL, queue.due, excluded.due),
            lease = iif({taken}, excluded.lease, queue.lease),
            lease_until = iif({taken}, excluded.lease_until, queue.lease_until),
            attempts = iif(queue.state = 'dead', 0, queue.attempts) + iif({taken}, 1, 0),
            {taken_over},
            state = 'ready'
         RETURNING {COLUMNS}"
    )
}

/// Of an item that is taken: what its last worker may have left behind, if it never gave its lease back.
/// `settled` is when no request of that worker can take effect any more.
fn taken_over(taken: &str, settled: &str) -> String {
    let unfinished = format!("({taken} AND queue.lease IS NOT NULL)");
    format!(
        "forced = max(queue.forced, {unfinished}),
            confirm_at = iif({unfinished}, coalesce(max(queue.confirm_at, {settled}), {settled}),
                queue.confirm_at)"
    )
}

fn item(row: &Row, now: Timestamp) -> Result<Item> {
    let time = |ms: i64| {
        Timestamp::from_millisecond(ms)
            .map_err(|_| Fault::stop_flow(code::STORE_CORRUPT, "a stored time is out of range"))
    };
    let confirm_at = row.optional_integer(8)?.map(time).transpose()?;
    Ok(Item {
        id: row.text(0)?.to_owned(),
        hint: row.integer(1)?,
        version: row.optional_integer(2)?.map(Version),
        attempts: u32::try_from(row.integer(3)?).unwrap_or(u32::MAX),
        forced: row.integer(4)? != 0 || confirm_at.is_some_and(|due| due <= now),
        waiting_since: row.optional_integer(5)?.map(time).transpose()?,
        // No lease: -1, which no token is.
        lease: row.optional_integer(6)?.unwrap_or(-1),
        lease_until: time(row.integer(7)?)?,
        edit: Edit::stored(row.optional_text(9)?, row.optional_text(10)?)?,
    })
}

fn fault_json(fault: &Fault) -> Result<Cell> {
    serde_json::to_string(fault)
        .map(Cell::Text)
        .map_err(|error| Fault::stop_flow(code::STORE_FAILED, error.to_string()))
}
