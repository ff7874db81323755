//! Limits of a system on how often it may be asked, kept by all workers together.
//!
//! A bucket holds `burst` slots and gains one every `interval`. It is stored as one time: when it will be full
//! again (the generic cell rate algorithm). A slot is taken by one statement, which decides by itself; nobody
//! holds anything between two statements. Work that may wait leaves the last slots to work that may not
//! ([`take_leaving`]).

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

/// How full a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Slots that may be taken at once.
    pub free: u32,
    /// The time in which one comes back, as the system named it last.
    pub interval: Duration,
}

/// Parameters: ?1 name, ?2 now, ?3 the published interval, ?4 burst, ?5 the slots to leave, or the interval
/// named.
///
/// A bucket can't be emptier than empty. A time later than that by more than a minute, by which clocks of
/// workers may differ, was written by a clock that ran fast: one slot is given, and the time set right; to
/// whoever leaves slots it is only set right.
const TAKE: &str = "INSERT INTO rate (name, full_at) VALUES (?1, ?2 + ?3)
     ON CONFLICT (name) DO UPDATE SET full_at = coalesce(interval, ?3) + CASE
            WHEN full_at < ?2 THEN ?2
            WHEN full_at > ?2 + ?4 * coalesce(interval, ?3) + 60000
                THEN ?2 + (?4 - 1) * coalesce(interval, ?3)
            ELSE full_at END
     WHERE full_at <= ?2 + (?4 - 1 - ?5) * coalesce(interval, ?3)
        OR ?5 = 0 AND full_at > ?2 + ?4 * coalesce(interval, ?3) + 60000
     RETURNING coalesce(interval, ?3)";
const LOOK: &str = "SELECT full_at - ?2, coalesce(interval, ?3),
            CASE WHEN full_at > ?2 + ?4 * coalesce(interval, ?3) + 60000 THEN 1 ELSE 0 END
     FROM rate WHERE name = ?1";
const EMPTY: &str = "INSERT INTO rate (name, full_at) VALUES (?1, ?2 + ?4 * ?3)
     ON CONFLICT (name) DO UPDATE SET full_at = ?2 + ?4 * coalesce(interval, ?3)
     RETURNING coalesce(interval, ?3)";
/// What is missing of a full bucket stays missing; it comes back at the new pace,
/// rounded up.
const CORRECT: &str = "UPDATE rate SET interval = ?5, full_at = CASE WHEN full_at < ?2 THEN ?2
            ELSE ?2 + ((full_at - ?2) * ?5 + coalesce(interval, ?3) - 1) / coalesce(interval, ?3) END
     WHERE name = ?1 AND coalesce(interval, -?4) <> ?5";

/// Takes a slot if there is one. A slot that is taken is used up, sent or not.
///
/// Faults: those of the SQL port.
pub async fn take(ports: &Ports, bucket: &Bucket) -> Result<Taken> {
    take_leaving(ports, bucket, 0).await
}

/// Takes a slot if so many others are free besides: for work that may wait, that it may not take the last ones
/// from work that must go on. At least one slot of a full bucket is always its own.
///
/// Faults: those of the SQL port.
pub async fn take_leaving(ports: &Ports, bucket: &Bucket, others: u32) -> Result<Taken> {
    let now = ports.clock.now();
    let burst = bucket.burst.max(1);
    let others = others.min(burst - 1);
    let mut asked = parameters(bucket, now);
    asked.push(Cell::Integer(i64::from(others)));
    if let Some(row) = ask(ports, TAKE, &asked).await? {
        return Ok(Taken::Slot(milliseconds(row.integer(0)?)));
    }
    // Only to tell how long; what decides is the statement above.
    let Some(row) = ask(ports, LOOK, &parameters(bucket, now)).await? else {
        return Ok(Taken::Wait(milliseconds(1)));
    };
    let missing = match row.integer(2)? {
        0 => row.integer(0)?,
        _ => whole(empty(ports, bucket).await?).saturating_mul(i64::from(burst)),
    };
    let spare = i64::from(burst - 1 - others).saturating_mul(row.integer(1)?);
    Ok(Taken::Wait(milliseconds((missing - spare).max(1))))
}

/// How full a bucket is, for whoever plans ahead; `None` where nobody ever took of it: it is full, and its
/// system may yet name another interval than the published one.
///
/// Faults: those of the SQL port.
pub async fn level(ports: &Ports, bucket: &Bucket) -> Result<Option<Level>> {
    let asked = parameters(bucket, ports.clock.now());
    let Some(row) = ask(ports, LOOK, &asked).await? else {
        return Ok(None);
    };
    let (missing, interval) = (row.integer(0)?.max(0), row.integer(1)?.max(1));
    let taken = u32::try_from(missing / interval + i64::from(missing % interval > 0));
    let free = taken.map_or(0, |taken| bucket.burst.max(1).saturating_sub(taken));
    let interval = milliseconds(interval);
    Ok(Some(Level { free, interval }))
}

/// The system refused although we had a slot: whatever we thought, none is left. Gives the wait for the next.
///
/// Faults: those of the SQL port.
pub async fn empty(ports: &Ports, bucket: &Bucket) -> Result<Duration> {
    let row = ask(ports, EMPTY, &parameters(bucket, ports.clock.now())).await?;
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

async fn ask(ports: &Ports, statement: &str, asked: &[Cell]) -> Result<Option<Row>> {
    let rows = ports.sql.execute(statement, asked).await?;
    Ok(rows.into_iter().next())
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
