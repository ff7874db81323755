//! Simulated vendors behind their real wire protocols: a deterministic library, and a server around it.

pub mod netsuite;
pub mod salesforce;
pub mod seed;
mod vendor;

pub use vendor::{Delivery, EditError, Refusal, Vendor};
