//! Salesforce through its REST API.

pub mod auth;
pub mod client;
pub mod errors;
mod hooks;
mod id;
mod object;
pub mod query;
#[cfg(test)]
mod script;
pub mod settings;

pub use hooks::{Json, OutboundMessage};
pub use id::{ID_INVALID, Id};
pub use object::{Object, object};
pub use settings::VARIABLES;

/// The version every request names.
pub const API_VERSION: &str = "v66.0";
