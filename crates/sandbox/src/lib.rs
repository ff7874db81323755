//! Simulated vendors behind their real wire protocols: a deterministic library, and a server around it.

mod vendor;

pub use vendor::{Delivery, Refusal, Vendor};
