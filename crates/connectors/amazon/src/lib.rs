//! Amazon's Selling Partner API.

pub mod auth;
pub mod client;
pub mod errors;
mod hooks;
mod id;
pub mod limits;
pub mod marketplace;
mod order;
#[cfg(test)]
mod script;
pub mod search;
pub mod settings;

pub use hooks::{EventBridge, Sns};
pub use id::{ID_INVALID, Id};
pub use order::{Orders, orders};
pub use settings::VARIABLES;
