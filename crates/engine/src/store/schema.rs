//! The tables, and bringing a database to them.

use sluice_core::ports::{Cell, Dialect, Sql};
use sluice_core::{Fault, Result, code};

/// The version the statements of this crate are written for.
const VERSION: i64 = 1;

/// Brings the database to the tables this release needs. Safe to repeat, and safe when two callers do it
/// at once: every statement creates only what is absent.
///
/// Faults: those of [`Sql::execute`]; `STORE_CORRUPT` (stop the flow) for a database of a later release.
pub async fn migrate(sql: &dyn Sql) -> Result<()> {
    match version(sql).await {
        Ok(Some(VERSION)) => return Ok(()),
        Ok(Some(other)) if other > VERSION => {
            let message = format!("the database has schema {other}, this release knows {VERSION}");
            return Err(Fault::stop_flow(code::STORE_CORRUPT, message));
        }
        // No such table, or no row yet: create what is absent. A real failure shows itself there.
        Ok(_) | Err(_) => {}
    }
    if sql.dialect() == Dialect::Postgres {
        let message = "the queue on PostgreSQL is not supported yet";
        return Err(Fault::stop_flow(code::STORE_FAILED, message));
    }
    for statement in SQLITE {
        sql.execute(statement, &[]).await?;
    }
    // Last: whoever sees the version may rely on everything above.
    let statement = "INSERT INTO sluice_schema (one, version) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET version = max(version, excluded.version)";
    sql.execute(statement, &[Cell::Integer(VERSION)]).await?;
    Ok(())
}

async fn version(sql: &dyn Sql) -> Result<Option<i64>> {
    let rows = sql
        .execute("SELECT version FROM sluice_schema", &[])
        .await?;
    rows.first().map(|row| row.integer(0)).transpose()
}

/// `settled` is the one place where an item leaves the queue. Setting `outcome` writes the log; then the item
/// is deleted, unless it is dead, a newer hint came (`hint` is not 0), or a write of unknown outcome is still
/// to be confirmed.
const SQLITE: [&str; 12] = [
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "CREATE TABLE IF NOT EXISTS sluice_schema (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS queue (
        flow TEXT NOT NULL,
        id TEXT NOT NULL,
        hint INTEGER NOT NULL,
        version INTEGER,
        state TEXT NOT NULL CHECK (state IN ('ready', 'waiting', 'dead')),
        due INTEGER NOT NULL,
        hinted INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        lease INTEGER,
        lease_until INTEGER NOT NULL,
        waits_on TEXT,
        waiting_since INTEGER,
        confirm_at INTEGER,
        forced INTEGER NOT NULL DEFAULT 0,
        fault TEXT,
        outcome TEXT,
        why TEXT,
        target TEXT,
        cause TEXT,
        PRIMARY KEY (flow, id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS queue_due ON queue (flow, state, due)",
    "CREATE INDEX IF NOT EXISTS queue_leased ON queue (flow, lease_until) WHERE lease IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS queue_waits ON queue (waits_on) WHERE waits_on IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS lease (
        name TEXT PRIMARY KEY,
        token INTEGER NOT NULL,
        until INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        flow TEXT NOT NULL,
        started INTEGER NOT NULL,
        finished INTEGER,
        report TEXT)",
    // `cause` says what made the work start: a run's number, or the route.
    "CREATE TABLE IF NOT EXISTS outcome (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        flow TEXT NOT NULL,
        id TEXT NOT NULL,
        at INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        why TEXT,
        target TEXT,
        cause TEXT)",
    "CREATE INDEX IF NOT EXISTS outcome_id ON outcome (flow, id, seq)",
    "CREATE TRIGGER IF NOT EXISTS settled AFTER UPDATE OF outcome ON queue WHEN NEW.outcome IS NOT NULL
     BEGIN
        INSERT INTO outcome (flow, id, at, outcome, why, target, cause)
            VALUES (NEW.flow, NEW.id, NEW.due, NEW.outcome, NEW.why, NEW.target, NEW.cause);
        DELETE FROM queue WHERE flow = NEW.flow AND id = NEW.id
            AND hint = 0 AND confirm_at IS NULL AND NEW.outcome <> 'dead';
        UPDATE queue SET outcome = NULL, due = iif(hint = 0 AND NEW.outcome <> 'dead', confirm_at, due)
            WHERE flow = NEW.flow AND id = NEW.id;
     END",
];
