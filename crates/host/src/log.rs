//! The log of the process, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people, with colours on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts the log. `RUST_LOG` filters it; by default everything from `info` up is shown.
///
/// Does nothing if the process already has one.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env()
        // wasmtime's own remarks about requests repeat what this host logs with more context.
        .unwrap_or_else(|_| EnvFilter::new("info,wasmtime=warn,wasmtime_wasi_http=error"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.try_init().ok(),
        LogFormat::Json => log.json().flatten_event(true).try_init().ok(),
    };
}
