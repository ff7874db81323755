//! Scenes that a fair day does not bring: each is set up by hand, and played natively to the end.

mod clocks;
mod limits;
mod listing;
mod records;
mod webhooks;
mod workers;
