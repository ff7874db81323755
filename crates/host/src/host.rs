//! Starting and stopping an application in this process.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::application::{Application, Counts, Entry};
use crate::failure::Failure;
use crate::manifest::{AllowedHost, AllowedHosts, Component, Endpoint, Manifest, Refusal, Refused};
use crate::outbound::{Clients, RuntimeConfig};
use crate::runtime::bindings::cron::CronPre;
use crate::runtime::{Engine, Grants, Limits};
use crate::stores::{DatabaseStats, Stores};

/// How an application is run.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder for stores and copied files.
    pub state: PathBuf,
    /// The folder for compiled code; safe to share among applications and to delete.
    pub compiled: PathBuf,
    /// Values of application variables by name, lower case. Without `Debug`: some are secret.
    pub variables: BTreeMap<String, String>,
    /// What requests may cost.
    pub limits: Limits,
    /// Client certificates and roots.
    pub runtime_config: RuntimeConfig,
    /// Fire the cron triggers; otherwise only [`Running::tick`] does.
    pub cron: bool,
}

impl Options {
    /// A free port on this machine, and defaults for the rest.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        let state = state.into();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            compiled: state.join("compiled"),
            state,
            variables: BTreeMap::new(),
            limits: Limits::default(),
            runtime_config: RuntimeConfig::default(),
            cron: true,
        }
    }
}

/// Starts applications.
pub struct Host;

/// A running application. Dropping it without [`Running::shutdown`] leaves it running until the runtime ends.
pub struct Running {
    application: Arc<Application>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// What an application did so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stats {
    /// Requests to components, those of components to each other included.
    pub requests: u64,
    /// Requests that ended in a trap or at a limit.
    pub failures: u64,
    /// Ticks of cron components.
    pub ticks: u64,
    /// Mean time to start an instance.
    pub instance_start: Duration,
    /// Statements and commits of all stores.
    pub database: DatabaseStats,
}

impl Host {
    /// Loads every component and starts to listen. Nothing is started if anything can't be.
    ///
    /// Must be called inside a multi-threaded Tokio runtime.
    pub async fn start(manifest: Manifest, options: Options) -> anyhow::Result<Running> {
        manifest.check_sources()?;
        let listener = TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("can't listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        let cron = manifest.cron.clone();
        let fire = options.cron;
        let application = tokio::task::spawn_blocking(move || load(&manifest, &options)).await??;
        let application = Arc::new(application);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = vec![tokio::spawn(crate::server::run(
            listener,
            application.clone(),
            stopped.clone(),
        ))];
        for trigger in cron.into_iter().filter(|_| fire) {
            tasks.push(tokio::spawn(crate::cron::run(
                trigger,
                application.clone(),
                stopped.clone(),
            )));
        }
        Ok(Running {
            application,
            address,
            stop,
            tasks,
        })
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Fires a cron component now, whatever its schedule, and waits for it.
    pub async fn tick(&self, component: &str) -> Result<(), Failure> {
        crate::cron::tick(&self.application, component).await
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        stats(&self.application)
    }

    /// Stops accepting, lets running work finish within its limit, and closes the stores.
    ///
    /// True if all work finished; what did not is cut off, which it must be able to bear at any time.
    pub async fn shutdown(self) -> bool {
        self.stop.send_replace(true);
        self.application.running.close();
        let application = self.application.clone();
        let mut tasks = self.tasks;
        let finish = async {
            for task in &mut tasks {
                task.await.ok();
            }
            application.running.wait().await;
        };
        let finished = tokio::time::timeout(application.limits.shutdown_time_max, finish)
            .await
            .is_ok();
        if !finished {
            let count = application.running.len();
            tracing::warn!(count, "shutdown cut off running work");
            application.cut_off.cancel();
            tasks.iter().for_each(JoinHandle::abort);
            application.running.wait().await; // Ends at once: everything in it was cancelled.
        }
        let stats = stats(&self.application);
        let stores = self.application.stores.clone();
        tokio::task::spawn_blocking(move || stores.close())
            .await
            .ok();
        tracing::info!(
            requests = stats.requests,
            failures = stats.failures,
            ticks = stats.ticks,
            instance_start_us = stats.instance_start.as_micros() as u64,
            statements = stats.database.statements,
            commits = stats.database.commits,
            "stopped"
        );
        finished
    }
}

fn stats(application: &Application) -> Stats {
    let counts = &application.counts;
    let started = counts.instances.load(Ordering::Relaxed).max(1);
    Stats {
        requests: counts.requests.load(Ordering::Relaxed),
        failures: counts.failures.load(Ordering::Relaxed),
        ticks: counts.ticks.load(Ordering::Relaxed),
        instance_start: Duration::from_nanos(
            counts.instance_start_ns.load(Ordering::Relaxed) / started,
        ),
        database: application.stores.stats(),
    }
}

fn load(manifest: &Manifest, options: &Options) -> anyhow::Result<Application> {
    let state = &options.state;
    std::fs::create_dir_all(state).with_context(|| format!("can't make {}", state.display()))?;
    let limits = options.limits;
    let engine = Engine::new(&limits, &options.compiled)?;
    let stores = Arc::new(Stores::new(state, limits.sql)?);
    let clients = Clients::new(
        options.runtime_config.clone(),
        limits.request_time_max,
        limits.answer_body_bytes_max,
    )
    .map_err(anyhow::Error::msg)?;
    let values = variable_values(manifest, &options.variables);
    let mut components = HashMap::new();
    let files = state.join("files");
    for component in manifest.components.values() {
        let grants = Arc::new(grants(manifest, component, &values, &files)?);
        components.insert(
            component.id.clone(),
            entry(manifest, component, grants, &engine)?,
        );
    }
    let mut routes: Vec<_> = manifest
        .http
        .iter()
        .filter_map(|trigger| match &trigger.endpoint {
            Endpoint::Public(route) => Some((route.clone(), trigger.component.clone())),
            Endpoint::Private => None,
        })
        .collect();
    routes.sort_by(|(a, _), (b, _)| a.by_precedence(b));
    let slots = || Semaphore::new(limits.instance_count_max as usize);
    Ok(Application {
        engine,
        stores,
        clients,
        limits,
        routes,
        components,
        slots: [slots(), slots()],
        running: TaskTracker::new(),
        cut_off: CancellationToken::new(),
        counts: Counts::default(),
    })
}

/// The value of every application variable that has one.
fn variable_values(
    manifest: &Manifest,
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (name, variable) in &manifest.variables {
        match given.get(name).or(variable.default.as_ref()) {
            Some(value) => {
                values.insert(name.clone(), value.clone());
            }
            None => tracing::warn!(
                "SPIN_VARIABLE_{} is not set: components that need it will say so",
                name.to_ascii_uppercase()
            ),
        }
    }
    values
}

fn grants(
    manifest: &Manifest,
    component: &Component,
    values: &BTreeMap<String, String>,
    files: &Path,
) -> Result<Grants, Refused> {
    let value = |name: &str| values.get(name).map(String::as_str);
    let mut hosts = Vec::new();
    for (template, line) in &component.allowed_outbound_hosts {
        // A variable that is not set, or is empty, opens no host.
        let Ok(entry) = template.fill(value) else {
            continue;
        };
        if matches!(entry.trim(), "" | "http://" | "https://") {
            continue;
        }
        hosts.push(AllowedHost::parse(&entry).map_err(|error| {
            let refusal = Refusal {
                line: *line,
                message: error.to_string(),
            };
            Refused::new(&manifest.file, vec![refusal])
        })?);
    }
    let folder = files.join(&component.id);
    // A copy of the last start must not show through.
    std::fs::remove_dir_all(&folder).ok();
    let variables = component
        .variables
        .iter()
        .map(|(name, template)| (name.clone(), template.fill(value)));
    Ok(Grants {
        component: component.id.as_str().into(),
        environment: component.environment.clone(),
        variables: variables.collect(),
        key_value_stores: component.key_value_stores.iter().cloned().collect(),
        sqlite_databases: component.sqlite_databases.iter().cloned().collect(),
        allowed_hosts: AllowedHosts::new(hosts),
        files: manifest.copy_files(component, &folder)?,
    })
}

fn entry(
    manifest: &Manifest,
    component: &Component,
    grants: Arc<Grants>,
    engine: &Engine,
) -> anyhow::Result<Entry> {
    let id = &component.id;
    let loaded = engine.load(&component.source).map_err(|error| {
        let message = format!("component \"{id}\": {error:#}");
        Refused::new(
            &manifest.file,
            vec![Refusal {
                line: component.source_line,
                message,
            }],
        )
    })?;
    let http_line = manifest
        .http
        .iter()
        .find(|trigger| trigger.component == *id)
        .map(|t| t.line);
    let cron_line = manifest
        .cron
        .iter()
        .find(|trigger| trigger.component == *id)
        .map(|t| t.line);
    let refuse = |line, what: &str, error: wasmtime::Error| {
        let message = format!("component \"{id}\" can't be run by {what}: {error:#}");
        Refused::new(&manifest.file, vec![Refusal { line, message }])
    };
    let http = http_line.map(|line| {
        ProxyPre::new(loaded.clone()).map_err(|error| refuse(line, "an http trigger", error))
    });
    let cron = cron_line.map(|line| {
        CronPre::new(loaded.clone()).map_err(|error| refuse(line, "a cron trigger", error))
    });
    Ok(Entry {
        grants,
        http: http.transpose()?,
        cron: cron.transpose()?,
    })
}
