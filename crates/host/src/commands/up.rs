//! `sluice up`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::log::{self, LogFormat};
use crate::manifest::Manifest;
use crate::outbound::RuntimeConfig;
use crate::{Host, Limits, Options};

/// Runs the application of spin.toml until SIGINT or SIGTERM.
///
/// Application variables come from the environment (SPIN_VARIABLE_<NAME>) and from --env-file.
///
/// Example: sluice up --listen 127.0.0.1:3000 --state .sluice --env-file .env
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The manifest.
    #[arg(short = 'f', long, default_value = "spin.toml", value_name = "FILE")]
    manifest: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// The folder for stores and compiled code.
    #[arg(long, default_value = ".sluice", value_name = "DIR")]
    state: PathBuf,
    /// A file of NAME=VALUE lines; the environment wins over it.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Spin's runtime configuration; [[client_tls]] is honoured.
    #[arg(long, value_name = "FILE")]
    runtime_config_file: Option<PathBuf>,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t)]
    log_format: LogFormat,
    /// Seconds one request may take, work after the response included.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    request_time_max: u64,
    /// MiB of memory one instance may have.
    #[arg(long, default_value_t = 128, value_name = "MIB")]
    memory_max: usize,
    /// MiB the body of a request may have.
    #[arg(long, default_value_t = 16, value_name = "MIB")]
    request_body_max: u64,
    /// MiB the body of a vendor's answer may have.
    #[arg(long, default_value_t = 64, value_name = "MIB")]
    answer_body_max: u64,
    /// Instances at the same time; more requests wait.
    #[arg(long, default_value_t = 256, value_name = "COUNT")]
    instance_max: u32,
    /// Connections at the same time; more wait.
    #[arg(long, default_value_t = 1024, value_name = "COUNT")]
    connection_max: u32,
    /// Seconds shutdown waits for running work.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    shutdown_time_max: u64,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    log::start(arguments.log_format);
    let manifest = Manifest::read(&arguments.manifest)?;
    let options = options(&arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(manifest, options))
}

async fn serve(manifest: Manifest, options: Options) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let name = manifest.name.clone();
    let running = Host::start(manifest, options).await?;
    tracing::info!(
        application = name,
        "listening on http://{}",
        running.address()
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("shutting down");
    running.shutdown().await;
    Ok(())
}

fn options(arguments: &Arguments) -> anyhow::Result<Options> {
    let runtime_config = match &arguments.runtime_config_file {
        Some(file) => RuntimeConfig::read(file).map_err(anyhow::Error::msg)?,
        None => RuntimeConfig::default(),
    };
    let mut named = match &arguments.env_file {
        Some(file) => read_env_file(file)?,
        None => BTreeMap::new(),
    };
    named.extend(
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    );
    let variables = named
        .into_iter()
        .filter_map(|(name, value)| {
            name.strip_prefix("SPIN_VARIABLE_")
                .map(|name| (name.to_ascii_lowercase(), value))
        })
        .collect();
    Ok(Options {
        listen: arguments.listen,
        variables,
        limits: limits(arguments),
        runtime_config,
        ..Options::new(&arguments.state)
    })
}

fn limits(arguments: &Arguments) -> Limits {
    Limits {
        request_time_max: Duration::from_secs(arguments.request_time_max),
        memory_bytes_max: arguments.memory_max << 20,
        request_body_bytes_max: arguments.request_body_max << 20,
        answer_body_bytes_max: arguments.answer_body_max << 20,
        instance_count_max: arguments.instance_max,
        connection_count_max: arguments.connection_max,
        shutdown_time_max: Duration::from_secs(arguments.shutdown_time_max),
        ..Limits::default()
    }
}

/// Reads NAME=VALUE lines. Empty lines and lines that start with `#` are skipped; a value may stand in
/// single or double quotes.
pub(super) fn read_env_file(file: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            // Not the line itself: it may be part of a secret.
            anyhow::bail!("{}:{}: expected NAME=VALUE", file.display(), index + 1);
        };
        let value = value.trim();
        let quoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        values.insert(name.trim().to_owned(), quoted.unwrap_or(value).to_owned());
    }
    Ok(values)
}
