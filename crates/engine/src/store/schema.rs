//! The tables, and bringing a database to them.

use sluice_core::ports::{Cell, Dialect, Sql};
use sluice_core::{Fault, Result, code, rate};

/// The version the statements of this crate are written for.
const VERSION: i64 = 3;

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
    for statement in TABLES {
        sql.execute(statement, &[]).await?;
    }
    for (column, kind) in QUEUE_COLUMNS_2 {
        add_to_queue(sql, column, kind).await?;
    }
    for statement in TABLES_2.iter().chain(&TABLES_3) {
        sql.execute(statement, &[]).await?;
    }
    // Last: whoever sees the version may rely on everything above.
    let statement = "INSERT INTO sluice_schema (one, version) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET version = max(version, excluded.version)";
    sql.execute(statement, &[Cell::Integer(VERSION)]).await?;
    Ok(())
}

/// A column may be added once only, and another caller may do it at the same moment.
async fn add_to_queue(sql: &dyn Sql, column: &str, kind: &str) -> Result<()> {
    if has_column(sql, column).await? {
        return Ok(());
    }
    let add = format!("ALTER TABLE queue ADD COLUMN {column} {kind}");
    match sql.execute(&add, &[]).await {
        Err(_) if has_column(sql, column).await? => Ok(()),
        added => added.map(|_| ()),
    }
}

async fn has_column(sql: &dyn Sql, column: &str) -> Result<bool> {
    let statement = "SELECT 1 FROM pragma_table_info('queue') WHERE name = ?1";
    let rows = sql.execute(statement, &[column.into()]).await?;
    Ok(!rows.is_empty())
}

async fn version(sql: &dyn Sql) -> Result<Option<i64>> {
    let rows = sql
        .execute("SELECT version FROM sluice_schema", &[])
        .await?;
    rows.first().map(|row| row.integer(0)).transpose()
}

/// Version 1, as it stands in databases: never changed, only added to. A trigger is not replaced either: work
/// finished between its end and its successor would be lost.
///
/// `settled` is the one place where an item leaves the queue. Setting `outcome` writes the log; then the item
/// is deleted, unless it is dead, a newer hint came (`hint` is not 0), or a write of unknown outcome is still
/// to be confirmed.
const TABLES: [&str; 12] = [
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

/// The state of the source that was tried last, and what a person made of it.
const QUEUE_COLUMNS_2: [(&str, &str); 4] = [
    ("seen_version", "INTEGER"),
    ("seen", "TEXT"),
    ("edit", "TEXT"),
    ("edit_of", "TEXT"),
];

/// Version 2: what people do. A line of `trail` *is* the action: `obeyed` does what it says, in the same
/// statement, so that there is none without the other.
///
/// `given_up` holds the state of the source in which a record died or was skipped: an extraction that lists
/// that state again has no news. `target_of` finds a record by the id of its target, for as long as there
/// are records.
const TABLES_2: [&str; 11] = [
    "CREATE TABLE IF NOT EXISTS paused (
        flow TEXT PRIMARY KEY,
        since INTEGER NOT NULL,
        who TEXT NOT NULL,
        reason TEXT) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS given_up (
        flow TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER,
        seen TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (flow, id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS target_of (
        flow TEXT NOT NULL,
        target TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (flow, target)) WITHOUT ROWID",
    // `details` is JSON; `version` and `seen` are the state of the source that the action is about.
    "CREATE TABLE IF NOT EXISTS trail (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        flow TEXT NOT NULL,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        reason TEXT,
        details TEXT,
        version INTEGER,
        seen TEXT)",
    "CREATE INDEX IF NOT EXISTS trail_subject ON trail (flow, subject, seq)",
    "CREATE TRIGGER IF NOT EXISTS trail_stands BEFORE UPDATE ON trail
     BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS trail_stays BEFORE DELETE ON trail
     BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
    // INSERT OR REPLACE would delete without a word.
    "CREATE TRIGGER IF NOT EXISTS trail_grows BEFORE INSERT ON trail
     WHEN EXISTS (SELECT 1 FROM trail WHERE seq = NEW.seq)
     BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS obeyed AFTER INSERT ON trail
     BEGIN
        INSERT INTO paused (flow, since, who, reason)
            SELECT NEW.flow, NEW.at, NEW.who, NEW.reason WHERE NEW.action = 'pause'
            ON CONFLICT (flow) DO NOTHING;
        DELETE FROM paused WHERE flow = NEW.flow AND NEW.action = 'resume';
        UPDATE queue SET state = 'ready', due = NEW.at, attempts = 0, waiting_since = NULL
            WHERE NEW.action = 'retry' AND flow = NEW.flow AND id = NEW.subject;
        INSERT INTO queue (flow, id, hint, state, due, hinted, attempts, lease_until, edit, edit_of)
            SELECT NEW.flow, NEW.subject, -NEW.seq, 'ready', NEW.at, NEW.at, 0, 0, NEW.details, NEW.seen
            WHERE NEW.action = 'edit'
            ON CONFLICT (flow, id) DO UPDATE SET edit = excluded.edit, edit_of = excluded.edit_of,
                state = 'ready', due = excluded.due, attempts = 0, waiting_since = NULL;
        UPDATE queue SET seen_version = iif(NEW.seen IS NULL, seen_version, NEW.version),
                seen = coalesce(NEW.seen, seen), outcome = 'skipped', why = NEW.reason, target = NULL,
                cause = 'skip', due = NEW.at, state = 'ready', hint = 0, confirm_at = NULL,
                lease = NULL, lease_until = 0
            WHERE NEW.action = 'skip' AND flow = NEW.flow AND id = NEW.subject;
     END",
    "CREATE TRIGGER IF NOT EXISTS noted AFTER INSERT ON outcome
     BEGIN
        INSERT INTO target_of (flow, target, id)
            SELECT NEW.flow, NEW.target, NEW.id WHERE NEW.target IS NOT NULL
            ON CONFLICT (flow, target) DO UPDATE SET id = excluded.id;
        DELETE FROM given_up WHERE flow = NEW.flow AND id = NEW.id AND NEW.outcome <> 'dead';
        INSERT INTO given_up (flow, id, version, seen, at)
            SELECT flow, id, seen_version, seen, NEW.at FROM queue
            WHERE flow = NEW.flow AND id = NEW.id AND seen IS NOT NULL
                AND (NEW.outcome = 'dead' OR NEW.cause = 'skip')
            ON CONFLICT (flow, id) DO UPDATE SET version = excluded.version, seen = excluded.seen,
                at = excluded.at;
     END",
    // What was done before there was such a table; of two answers the later one.
    "INSERT INTO target_of (flow, target, id)
        SELECT flow, target, id FROM outcome WHERE target IS NOT NULL ORDER BY seq DESC
        ON CONFLICT (flow, target) DO NOTHING",
];

/// Version 3: the limits of systems that are asked by all workers together.
const TABLES_3: [&str; 1] = [rate::TABLE];
