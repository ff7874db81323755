//! The connector against the simulated Amazon: real logins, real limits, real pages, real signatures.

mod hooks;
mod limits;
mod listing;
mod orders;
mod reports;
mod wire;
