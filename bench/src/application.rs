//! The application of `spin.toml` in a folder of its own, and the host that runs it as a process.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use toml::{Table, Value};

use crate::artifacts::Artifacts;
use crate::hooks::SECRET;
use crate::usage;
use crate::vendors::Vendors;

/// A copy of the application: its manifest without schedules, with a mapping of ours, on a fresh state.
pub struct Application {
    folder: tempfile::TempDir,
    program: PathBuf,
}

/// The flow that most benchmarks put to work.
pub const FLOW: &str = "opportunity-to-sales-order";
/// The flow that is backfilled.
pub const PULLED: &str = "amazon-orders";

/// Loading takes a while where nothing is cached.
const START_MAX: Duration = Duration::from_secs(120);

impl Application {
    /// `concurrency_max`: so many records of the flow are worked on at once.
    pub fn new(artifacts: &Artifacts, concurrency_max: u32) -> anyhow::Result<Self> {
        Self::of(FLOW, artifacts, concurrency_max)
    }

    /// The same for another flow.
    pub fn of(flow: &str, artifacts: &Artifacts, concurrency_max: u32) -> anyhow::Result<Self> {
        // Beside the build, not in a folder for temporary files: that may not be on a disk.
        let beside = artifacts.component(&flow.replace('-', "_"));
        let folder = tempfile::tempdir_in(beside.parent().context("no target folder")?)?;
        std::fs::copy(beside, folder.path().join("flow.wasm"))?;
        let read = |path: &str| std::fs::read_to_string(artifacts.root.join(path));
        let mapping = mapping(
            &read(&format!("functions/{flow}/mapping.toml"))?,
            concurrency_max,
        )?;
        std::fs::write(folder.path().join("mapping.toml"), mapping)?;
        let manifest = manifest(&read("spin.toml")?, flow)?;
        std::fs::write(folder.path().join("spin.toml"), manifest)?;
        let program = artifacts.program("sluice");
        Ok(Self { folder, program })
    }

    pub fn manifest(&self) -> PathBuf {
        self.folder.path().join("spin.toml")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts `sluice up` on what the last one left, and waits until it listens.
    pub fn up(&self, vendors: &Vendors) -> anyhow::Result<Up> {
        self.start(environment(vendors), &[])
    }

    /// The same with an environment of one's own and more options.
    pub fn start(
        &self,
        environment: Vec<(String, String)>,
        options: &[&str],
    ) -> anyhow::Result<Up> {
        let free = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let log = self.folder.path().join("log");
        let started = Instant::now();
        let child = Command::new(&self.program)
            .args(["up", "--listen", &free.to_string(), "--manifest"])
            .arg(self.manifest())
            .arg("--state")
            .arg(self.state())
            .args(options)
            .env_clear()
            .envs(environment)
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("can't run {}", self.program.display()))?;
        let mut up = Up {
            child,
            address: free,
            log,
            started,
        };
        while !answers(free) {
            if started.elapsed() > START_MAX || up.child.try_wait()?.is_some() {
                bail!("sluice up did not start: {}", up.last_words());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(up)
    }

    /// Forgets everything but compiled code.
    pub fn forget(&self) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(self.state())? {
            let entry = entry?;
            match (entry.file_name().to_str(), entry.file_type()?.is_dir()) {
                (Some("compiled"), _) => {}
                (_, true) => std::fs::remove_dir_all(entry.path())?,
                (_, false) => std::fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }
}

/// Whether there is an answer: the port alone is open before anything is loaded.
fn answers(host: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(START_MAX))?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer)?;
        Ok::<_, std::io::Error>(&answer == b"HTTP/1.1")
    };
    ask().unwrap_or(false)
}

/// A host at work; killed when dropped, which it must be able to bear at any time.
pub struct Up {
    child: Child,
    pub address: SocketAddr,
    pub started: Instant,
    log: PathBuf,
}

impl Up {
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        usage::of_process(self.child.id())
    }

    pub fn memory_max(&self) -> anyhow::Result<u64> {
        usage::memory_max(self.child.id())
    }

    /// The end of its log, for whoever has to find out why.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the component reads, as the environment of its host.
pub fn environment(vendors: &Vendors) -> Vec<(String, String)> {
    variables(vendors)
        .into_iter()
        .map(|(name, value)| {
            (
                format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()),
                value,
            )
        })
        .collect()
}

/// What the component reads, by name.
pub fn variables(vendors: &Vendors) -> Vec<(&'static str, String)> {
    let texts = [
        ("salesforce_auth", "client_credentials"),
        ("salesforce_client_id", "bench"),
        ("salesforce_client_secret", "bench"),
        ("salesforce_organization_id", "00D5g0000000001EAA"),
        ("netsuite_account", "1234567"),
        ("netsuite_auth", "token"),
        ("netsuite_consumer_key", "bench-consumer"),
        ("netsuite_consumer_secret", "bench-consumer-secret"),
        ("netsuite_token_id", "bench-token"),
        ("netsuite_token_secret", "bench-token-secret"),
        ("webhook_hmac_secret", SECRET),
        ("webhook_path_secret", "bench"),
        ("flows_token", "bench"),
    ];
    let mut variables: Vec<_> = texts
        .into_iter()
        .map(|(name, text)| (name, text.to_owned()))
        .collect();
    variables.push(("salesforce_url", format!("http://{}", vendors.salesforce)));
    variables.push(("netsuite_url", format!("http://{}", vendors.netsuite)));
    variables
}

fn mapping(text: &str, concurrency_max: u32) -> anyhow::Result<String> {
    let mut mapping: Table = text.parse()?;
    let settings = mapping.get_mut("settings").and_then(Value::as_table_mut);
    let settings = settings.context("the mapping has no settings")?;
    settings.insert("concurrency_max".into(), i64::from(concurrency_max).into());
    Ok(mapping.to_string())
}

/// The manifest with the flow alone, its files beside it.
fn manifest(text: &str, flow: &str) -> anyhow::Result<String> {
    let mut manifest: Table = text.parse()?;
    let trigger = manifest.get_mut("trigger").and_then(Value::as_table_mut);
    let trigger = trigger.context("the manifest has no triggers")?;
    trigger.remove("cron");
    let routes = trigger.get_mut("http").and_then(Value::as_array_mut);
    routes
        .context("the manifest has no routes")?
        .retain(|route| route.get("component").and_then(Value::as_str) == Some(flow));
    let components = manifest.get_mut("component").and_then(Value::as_table_mut);
    let components = components.context("the manifest has no components")?;
    components.retain(|name, _| name == flow);
    let flow = components.get_mut(flow).and_then(Value::as_table_mut);
    let flow = flow.context("the manifest lacks the flow")?;
    flow.remove("build");
    flow.insert("source".into(), "flow.wasm".into());
    let mounted = [("source", "mapping.toml"), ("destination", "/mapping.toml")];
    let mounted: Table = mounted
        .into_iter()
        .map(|(key, text)| (key.to_owned(), Value::from(text)))
        .collect();
    flow.insert("files".into(), vec![Value::from(mounted)].into());
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_takes_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spin.toml");
        for flow in [FLOW, PULLED] {
            let text = manifest(include_str!("../../spin.toml"), flow).unwrap();
            std::fs::write(&file, text).unwrap();
            std::fs::write(folder.path().join("flow.wasm"), "").unwrap();
            std::fs::write(folder.path().join("mapping.toml"), "").unwrap();
            let manifest = host::Manifest::read(&file).unwrap();
            assert_eq!(manifest.components.keys().collect::<Vec<_>>(), [flow]);
            assert!(manifest.cron.is_empty());
        }
    }

    #[test]
    fn the_mapping_stays_whole() {
        let flow = include_str!("../../functions/opportunity-to-sales-order/mapping.toml");
        let changed = mapping(flow, 128).unwrap();
        let parsed = ::mapping::MappingFile::parse("mapping.toml", &changed).unwrap();
        assert_eq!(parsed.settings().concurrency_max, 128);
        assert!(parsed.section("order").is_ok());
    }
}
