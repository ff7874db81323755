//! The `sluice` host: runs a Spin application on an embedded wasmtime, with nothing else installed.
//!
//! It reads the same `spin.toml` as Spin and offers components the same interfaces, and nothing more: WASI
//! 0.2, and key-value, SQLite and variables of `fermyon:spin@2.0.0`. What it can't honour it refuses, with
//! the line.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let manifest = host::Manifest::read("spin.toml".as_ref())?;
//! let running = host::Host::start(manifest, host::Options::new(".sluice")).await?;
//! println!("http://{}", running.address());
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it is about |
//! | --- | --- |
//! | [`manifest`] | `spin.toml`: read in full, or refused |
//! | [`Host`], [`Running`] | starting and stopping an application in this process |
//! | [`build`] | running the build commands of a manifest |
//! | [`stores`] | key-value and SQLite, committed in groups |
//! | [`outbound`] | requests of components: allowed hosts, connection pool, TLS |
//! | [`log`] | where the log goes |
//! | [`commands`] | the command line |
//!
//! Invariants: no request of a component reaches a host its manifest does not name. Nothing a store
//! answered can be lost. A component that traps or runs into a limit fails its own request only. No
//! value of a variable is ever logged.

#![warn(missing_docs)]

mod application;
pub mod build;
mod certify;
pub mod commands;
mod cron;
mod failure;
mod host;
pub mod log;
pub mod manifest;
pub mod outbound;
mod runtime;
mod server;
pub mod stores;

pub use failure::Failure;
pub use host::{Host, Options, Running, Stats};
pub use manifest::Manifest;
pub use outbound::RuntimeConfig;
pub use runtime::Limits;
