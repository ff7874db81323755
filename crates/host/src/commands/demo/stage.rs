//! Everything that runs in a demonstration: the sandbox, the host, and a fresh folder for its stores.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use sandbox::environment::{self, Login, Secrets};
use sandbox::{Server, server};
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;

use super::client::Client;
use crate::commands::sandbox::{FLOW, announce, world};
use crate::manifest::Manifest;
use crate::{Host, Limits, Options, Running};

/// Shutdown waits this long for running work; what is cut off then, it must be able to bear.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// Where to listen.
pub(super) struct Addresses {
    pub admin: SocketAddr,
    pub listen: SocketAddr,
}

/// What runs.
pub(super) struct Stage {
    pub seed: u64,
    pub sandbox: server::Running,
    pub host: Running,
    /// Cron components: the schedule's entries.
    pub schedule: Vec<String>,
    pub client: Client,
    /// The flow's status route.
    pub flow_url: String,
    flows_token: String,
    folder: TempDir,
}

impl Stage {
    /// Starts everything, or nothing.
    pub(super) async fn start(
        seed: u64,
        manifest: Manifest,
        addresses: Addresses,
        once: bool,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("sluice-demo-")
            .tempdir()
            .context("can't make a folder for the demonstration")?;
        log_to(&folder.path().join("demo.log"))?;
        let world = tokio::task::spawn_blocking(move || world(seed)).await??;
        let options = server::Options {
            admin: addresses.admin,
            ..server::Options::default()
        };
        let sandbox = Server::start(world, options).await?;
        let secrets = Secrets::new(seed);
        let listen = settled(addresses.listen)?;
        let base = format!("http://{listen}");
        // Every other day flows log in the other way.
        let login = match seed % 2 {
            0 => Login::Key,
            _ => Login::Secret,
        };
        let variables = sandbox
            .handle()
            .with(|world, _| environment::variables(world, &sandbox.vendor_urls, &secrets, login));
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let mut variables: BTreeMap<String, String> = variables.collect();
        variables.insert("flows_url".to_owned(), base.clone());
        let schedule = manifest
            .cron
            .iter()
            .map(|cron| cron.component.clone())
            .collect();
        let options = Options {
            listen,
            // Compiled once for every demonstration, and for `sluice up` in this folder.
            compiled: manifest.folder.join(".sluice/compiled"),
            variables,
            limits: Limits {
                shutdown_time_max: SHUTDOWN_MAX,
                ..Limits::default()
            },
            // The day has its own clock; afterwards the schedule goes on by itself.
            cron: !once,
            ..Options::new(folder.path())
        };
        let host = Host::start(manifest, options).await?;
        announce(&sandbox, &base, &secrets)?;
        let client = Client::new(secrets.flows_token.clone());
        let flow_url = format!("{base}/flows/{FLOW}");
        Ok(Self {
            seed,
            sandbox,
            host,
            schedule,
            client,
            flow_url,
            flows_token: secrets.flows_token,
            folder,
        })
    }

    /// What to look at, and how.
    pub(super) fn addresses(&self) -> Vec<(&'static str, String)> {
        let admin = &self.sandbox.admin_url;
        let status = format!(
            "curl -H 'Authorization: Bearer {}' {}",
            self.flows_token, self.flow_url
        );
        vec![
            ("admin port", format!("{admin}/")),
            ("opportunities", format!("{admin}/salesforce/Opportunity")),
            ("orders", format!("{admin}/netsuite/salesOrder")),
            ("requests", format!("{admin}/netsuite/requests")),
            ("flow status", status),
            ("stores, log", self.folder.path().display().to_string()),
        ]
    }

    /// Stops everything. The folder goes if all went well; otherwise it stays, and is named.
    pub(super) async fn end(self, is_fine: bool) -> Option<PathBuf> {
        self.host.shutdown().await;
        self.sandbox.shutdown().await;
        if is_fine {
            return None;
        }
        Some(self.folder.keep())
    }
}

/// A port of its own if none was named: the schedule needs to know it before the host listens.
fn settled(address: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("can't listen on {address}"))?;
    Ok(listener.local_addr()?)
}

/// The host's log would hide what is shown.
fn log_to(file: &Path) -> anyhow::Result<()> {
    let log = File::create(file).with_context(|| format!("can't write {}", file.display()))?;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,wasmtime=warn,wasmtime_wasi_http=error"));
    // Somebody else's log, if there is one already, is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(log))
        .with_ansi(false)
        .try_init();
    Ok(())
}
