//! The vocabulary and the ports of Sluice: no I/O, no runtime, no vendor.
//!
//! - [`Fault`]: why a step failed and what the engine must do about it
//! - [`Kind`], [`RecordId`], [`Record`], [`Version`], [`Hint`]: what is kept in step
//! - [`Source`], [`Target`], [`Directory`], [`Hook`]: what a connector offers the engine
//! - [`Ports`]: HTTP, key-value, SQL, clock, random numbers, variables
//! - [`variable`]: settings, read and checked as a whole; [`address`]: where a system is
//! - [`answer`]: what other systems' answers say about themselves
//! - [`body`]: reading a record's body without inventing values; [`Money`]: exact amounts
//! - [`json`]: reading and writing JSON
//! - [`Moment`]: reading times; [`time`]: moving and storing them
//! - [`rate`]: limits on how often a system may be asked, shared by all workers
//! - [`memory`]: ports for tests (feature `memory`)

pub mod address;
pub mod answer;
pub mod body;
mod fault;
mod hook;
pub mod json;
#[cfg(feature = "memory")]
pub mod memory;
mod moment;
mod money;
pub mod ports;
pub mod rate;
mod record;
mod secret;
mod source;
mod target;
pub mod time;
pub mod variable;

pub use answer::Answer;
pub use body::Body;
pub use fault::{Action, BadField, Code, Fault, WriteOutcome, code};
pub use hook::{Hook, Refused};
pub use moment::Moment;
pub use money::{Currency, Money};
pub use ports::Ports;
pub use record::{
    Gone, Hint, Kind, Observed, Record, RecordId, Selection, Version, external_id, source_of,
};
pub use secret::Secret;
pub use source::{Change, LastWindow, Page, Position, Source, Window};
pub use target::{Directory, Found, Held, Listed, Target};
pub use variable::{Variable, read_all};

/// Shorthand used all over: a value, or what to do about its absence.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

pub use async_trait::async_trait;
pub use bytes::Bytes;
pub use jiff::Timestamp;
pub use rust_decimal::Decimal;
pub use serde_json::Value;
