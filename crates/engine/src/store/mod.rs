//! The durable state in SQL: queue, leases, runs. Every change is one statement.

mod leases;
mod queue;
mod runs;
mod schema;

pub use leases::Lease;
pub use queue::{Finish, Item, Queue};
pub use runs::Runs;
pub use schema::migrate;

use std::time::Duration;

use jiff::Timestamp;
use sluice_core::ports::Cell;

/// No wait and no lease is as long: a time beyond was written by a clock that ran fast.
const WAIT_MAX: Duration = Duration::from_secs(3 * 3600);

/// Times in SQL are milliseconds since 1970.
fn ms(time: Timestamp) -> Cell {
    Cell::Integer(time.as_millisecond())
}
