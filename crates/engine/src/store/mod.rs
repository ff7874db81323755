//! The durable state in SQL: queue, leases, runs. Every change is one statement.

mod leases;
mod queue;
mod runs;
mod schema;

pub use leases::Lease;
pub use queue::{Finish, Item, Queue};
pub use runs::Runs;
pub use schema::migrate;

use jiff::Timestamp;
use sluice_core::ports::Cell;

/// Times in SQL are milliseconds since 1970.
fn ms(time: Timestamp) -> Cell {
    Cell::Integer(time.as_millisecond())
}
