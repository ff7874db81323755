//! The durable state in SQL: queue, leases, runs, the trail. Every change is one statement.

mod given_up;
mod leases;
mod look;
mod queue;
mod runs;
mod schema;
mod trail;

pub use given_up::GivenUp;
pub use leases::Lease;
pub use look::Dead;
pub use queue::{Finish, Item, Queue, Standing};
pub use runs::Runs;
pub use schema::migrate;
pub use trail::{By, Trail, Which};

use jiff::Timestamp;
use serde_json::Value;
use sluice_core::ports::{Cell, Row};
use sluice_core::{Fault, Result, code};

/// Times in SQL are milliseconds since 1970.
fn ms(time: Timestamp) -> Cell {
    Cell::Integer(time.as_millisecond())
}

/// `?2, ?3, …`: so many parameters from this one on.
fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count).map(|at| format!("?{at}")).collect();
    places.join(", ")
}

/// A stored time as text; null where there is none.
fn time(row: &Row, column: usize) -> Result<Value> {
    let Some(ms) = row.optional_integer(column)? else {
        return Ok(Value::Null);
    };
    Timestamp::from_millisecond(ms)
        .map(|time| time.to_string().into())
        .map_err(|_| Fault::stop_flow(code::STORE_CORRUPT, "a stored time is out of range"))
}

/// A stored JSON text; null where there is none.
fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_slice(text.as_bytes()).ok())
        .unwrap_or(Value::Null)
}
