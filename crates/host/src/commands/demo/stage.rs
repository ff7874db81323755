//! Everything that runs in a demonstration: the sandbox, the host, and a fresh folder for its stores.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use sandbox::environment::{self, Login, Secrets};
use sandbox::{Server, World, amazon, server};
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;

use super::client::Client;
use crate::commands::sandbox::{AMAZON_ORDERS, OPPORTUNITIES, announce, with_amazon, world};
use crate::manifest::Manifest;
use crate::{Host, Limits, Options, Running};

/// Shutdown waits this long for running work; what is cut off then, it must be able to bear.
const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// How many times its published rates Amazon may be called at. The day goes six hundred times faster than the
/// clock, and at the published rates its orders alone would take a quarter of an hour; Amazon raises rates for
/// busy sellers, and says so in its answers.
const AMAZON_RATE_FACTOR: u32 = 100;

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
    /// All that are played.
    pub flows: Vec<Flow>,
    pub client: Client,
    flows_token: String,
    folder: TempDir,
}

/// A flow on stage.
pub(super) struct Flow {
    pub name: &'static str,
    /// Its status route.
    pub url: String,
    /// Cron components: its schedule's entries.
    pub schedule: Vec<String>,
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
        let world = tokio::task::spawn_blocking(move || stocked(seed)).await??;
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
        let flows = flows(&manifest, &base)?;
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
        Ok(Self {
            seed,
            sandbox,
            host,
            flows,
            client,
            flows_token: secrets.flows_token,
            folder,
        })
    }

    /// What to look at, and how.
    pub(super) fn addresses(&self) -> Vec<(&'static str, String)> {
        let admin = &self.sandbox.admin_url;
        let token = &self.flows_token;
        let status = |flow: &Flow| {
            let curl = format!("curl -H 'Authorization: Bearer {token}' {}", flow.url);
            ("flow status", curl)
        };
        let mut addresses = vec![
            ("admin port", format!("{admin}/")),
            ("opportunities", format!("{admin}/salesforce/Opportunity")),
            ("at Amazon", format!("{admin}/amazon/Order")),
            ("orders", format!("{admin}/netsuite/salesOrder")),
            ("requests", format!("{admin}/netsuite/requests")),
        ];
        addresses.extend(self.flows.iter().map(status));
        addresses.push(("stores, log", self.folder.path().display().to_string()));
        addresses
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

/// All vendors as this seed has them, before business opens.
fn stocked(seed: u64) -> anyhow::Result<World> {
    let mut settings = amazon::Settings::new(seed);
    settings.rate_factor = Some(AMAZON_RATE_FACTOR);
    with_amazon(world(seed)?, seed, settings)
}

/// The flows of the manifest, each with the entries of the schedule that call it.
fn flows(manifest: &Manifest, base: &str) -> anyhow::Result<Vec<Flow>> {
    let flow = |name: &'static str| {
        let entries = manifest.cron.iter().map(|cron| cron.component.clone());
        let schedule: Vec<String> = entries.filter(|entry| entry.starts_with(name)).collect();
        anyhow::ensure!(!schedule.is_empty(), "no [[trigger.cron]] is for {name}");
        Ok(Flow {
            name,
            url: format!("{base}/flows/{name}"),
            schedule,
        })
    };
    [OPPORTUNITIES, AMAZON_ORDERS]
        .into_iter()
        .map(flow)
        .collect()
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
