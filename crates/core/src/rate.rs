//! Limits of a system on how often it may be asked, kept by all workers together.
//!
//! A bucket holds `burst` slots and gains one every `interval`. It is stored as one time: when it will be full
//! again (the generic cell rate algorithm). A slot is taken by one statement, which decides by itself; nobody
//! holds anything between two statements.

use std::time::Duration;

use jiff::Timestamp;

use crate::ports::{Cell, Row};
use crate::{Fault, Ports, Result, code};

/// A limit: as the system publishes it, until it says another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Whose limit it is: workers that give the same name share it. No secret.
    pub name: String,
    /// The time in which one slot comes back.
    pub interval: Duration,
    /// How many slots there are; at least one.
    pub burst: u32,
}

/// What came of asking for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The request may be sent now; this is how long a slot takes to come back.
    Slot(Duration),
    /// None is free before this has passed, unless somebody else is quicker.
    Wait(Duration),
}

/// The table: `rate` of the engine's schema. `full_at` and `interval` are milliseconds; `interval` is null
/// until the system has named another than the published one.
pub const TABLE: &str = "CREATE TABLE IF NOT EXISTS rate (
        name TEXT PRIMARY KEY,
        full_at INTEGER NOT NULL,
        interval INTEGER) WITHOUT ROWID";

/// Parameters: ?1 name, ?2 now, ?3 the published interval, ?4 burst, ?5 the interval named.
///
/// A bucket can't be emptier than empty. A time later than that by more than a minute, by which clocks of
/// workers may differ, was written by a clock that ran fast: one slot is given, and the time set right.
const TAKE: &str = "INSERT INTO rate (name, full_at) VALUES (?1, ?2 + ?3)
     ON CONFLICT (name) DO UPDATE SET full_at = coalesce(interval, ?3) + CASE
            WHEN full_at < ?2 THEN ?2
            WHEN full_at > ?2 + ?4 * coalesce(interval, ?3) + 60000
                THEN ?2 + (?4 - 1) * coalesce(interval, ?3)
            ELSE full_at END
     WHERE full_at <= ?2 + (?4 - 1) * coalesce(interval, ?3)
        OR full_at > ?2 + ?4 * coalesce(interval, ?3) + 60000
     RETURNING coalesce(interval, ?3)";
const LOOK: &str =
    "SELECT full_at - ?2 - (?4 - 1) * coalesce(interval, ?3) FROM rate WHERE name = ?1";
const EMPTY: &str = "INSERT INTO rate (name, full_at) VALUES (?1, ?2 + ?4 * ?3)
     ON CONFLICT (name) DO UPDATE SET full_at = ?2 + ?4 * coalesce(interval, ?3)
     RETURNING coalesce(interval, ?3)";
/// What is missing of a full bucket stays missing; it comes back at the new pace.
const CORRECT: &str = "UPDATE rate SET interval = ?5, full_at = CASE WHEN full_at < ?2 THEN ?2
            ELSE ?2 + (full_at - ?2) * ?5 / coalesce(interval, ?3) END
     WHERE name = ?1 AND coalesce(interval, -?4) <> ?5";

/// Takes a slot if there is one. A slot that is taken is used up, sent or not.
///
/// Faults: those of the SQL port.
pub async fn take(ports: &Ports, bucket: &Bucket) -> Result<Taken> {
    let now = ports.clock.now();
    if let Some(row) = ask(ports, TAKE, bucket, now).await? {
        return Ok(Taken::Slot(milliseconds(row.integer(0)?)));
    }
    // Only to tell how long; what decides is the statement above.
    let wait = match ask(ports, LOOK, bucket, now).await? {
        Some(row) => row.integer(0)?,
        None => 0,
    };
    Ok(Taken::Wait(milliseconds(wait.max(1))))
}

/// The system refused although we had a slot: whatever we thought, none is left. Gives the wait for the next.
///
/// Faults: those of the SQL port.
pub async fn empty(ports: &Ports, bucket: &Bucket) -> Result<Duration> {
    let row = ask(ports, EMPTY, bucket, ports.clock.now()).await?;
    let row = row.ok_or_else(|| Fault::retry(code::STORE_FAILED, "a limit was not stored"))?;
    Ok(milliseconds(row.integer(0)?))
}

/// The system named another interval than the one the slot was taken by.
///
/// Faults: those of the SQL port.
pub async fn correct(ports: &Ports, bucket: &Bucket, interval: Duration) -> Result<()> {
    let mut parameters = parameters(bucket, ports.clock.now());
    parameters.push(Cell::Integer(whole(interval)));
    ports.sql.execute(CORRECT, &parameters).await?;
    Ok(())
}

async fn ask(
    ports: &Ports,
    statement: &str,
    bucket: &Bucket,
    now: Timestamp,
) -> Result<Option<Row>> {
    let rows = ports.sql.execute(statement, &parameters(bucket, now)).await;
    Ok(rows?.into_iter().next())
}

fn parameters(bucket: &Bucket, now: Timestamp) -> Vec<Cell> {
    vec![
        bucket.name.as_str().into(),
        Cell::Integer(now.as_millisecond()),
        Cell::Integer(whole(bucket.interval)),
        Cell::Integer(i64::from(bucket.burst.max(1))),
    ]
}

/// Rounded up, and never nothing: a slot must not come back early. At most a day.
fn whole(interval: Duration) -> i64 {
    let ms = interval.as_micros().div_ceil(1000).clamp(1, 86_400_000);
    i64::try_from(ms).unwrap_or(86_400_000)
}

fn milliseconds(count: i64) -> Duration {
    Duration::from_millis(count.unsigned_abs())
}
