//! The whole system: the real components on the real host, against the sandbox, over real sockets.
//!
//! The components are built as `sluice build` builds them, once.

mod amazon;
mod answers;
mod audit;
mod commands;
mod flow;
mod hostile;
mod interrupted;
mod manifest;
mod peers;
mod people;
mod schedule;
mod settings;
mod support;
