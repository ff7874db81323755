//! A running host with the guest of `tests/guest`, and requests to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bytes::Bytes;
use host::{Host, Manifest, Options, Running};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// The application of these tests: the guest under two names, and the scheduler.
pub const MANIFEST: &str = r#"
spin_manifest_version = 2

[application]
name = "host-tests"

[variables]
word = { default = "plain" }
secret = { required = true, secret = true }
vendor = { default = "127.0.0.1:1" }
trick = { default = "/echo" }

[[trigger.http]]
route = "/..."
component = "guest"

[[trigger.http]]
route = { private = true }
component = "inner"

[[trigger.cron]]
component = "scheduler"
cron_expression = "0 0 0 1 1 *"

[component.guest]
source = "guest.wasm"
files = ["*.txt", { source = "notes", destination = "/placed" }]
exclude_files = ["hidden.txt"]
environment = { MOOD = "fine" }
allowed_outbound_hosts = ["http://{{ vendor }}", "http://inner.spin.internal", "https://*.invalid"]
key_value_stores = ["default"]
sqlite_databases = ["default"]
[component.guest.variables]
word = "{{ word }} word"
secret = "{{ secret }}"

[component.inner]
source = "guest.wasm"
allowed_outbound_hosts = ["http://guest.spin.internal"]

[component.scheduler]
source = "scheduler.wasm"
allowed_outbound_hosts = ["http://inner.spin.internal"]
[component.scheduler.variables]
address = "http://inner.spin.internal{{ trick }}"
token = "{{ secret }}"
"#;

/// A host of its own for one test, with its own state.
pub struct Bench {
    pub running: Running,
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub async fn start(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = start_in(folder.path(), change).await;
        Self { running, folder }
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        send(self.running.address(), "GET", path, &[], Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> (u16, String) {
        send(self.running.address(), "POST", path, &[], body.into()).await
    }
}

/// Starts the application in a folder that may have run it before.
pub async fn start_in(folder: &Path, change: impl FnOnce(&mut Options)) -> Running {
    application(folder);
    let manifest = Manifest::read(&folder.join("spin.toml")).unwrap();
    let mut options = Options::new(folder.join("state"));
    // Compiled code is the same for every test.
    options.compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    options
        .variables
        .insert("secret".to_owned(), "hush".to_owned());
    change(&mut options);
    Host::start(manifest, options).await.unwrap()
}

/// Lays out the application's files.
pub fn application(folder: &Path) {
    std::fs::write(folder.join("spin.toml"), MANIFEST).unwrap();
    std::fs::copy(guest(), folder.join("guest.wasm")).unwrap();
    std::fs::copy(scheduler(), folder.join("scheduler.wasm")).unwrap();
    std::fs::write(folder.join("hello.txt"), "hello").unwrap();
    std::fs::write(folder.join("hidden.txt"), "hidden").unwrap();
    std::fs::create_dir_all(folder.join("notes")).unwrap();
    std::fs::write(folder.join("notes/one.md"), "one").unwrap();
}

/// One request on a connection of its own.
pub async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> (u16, String) {
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = match client.request(request.body(Full::new(body)).unwrap()).await {
        Ok(response) => response,
        Err(error) => return (0, format!("cut off: {error}")),
    };
    let status = response.status().as_u16();
    let text = match response.into_body().collect().await {
        Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        Err(error) => format!("cut off: {error}"),
    };
    (status, text)
}

fn guest() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest");
        build(&package, &["--release"], "release/guest.wasm")
    })
}

fn scheduler() -> &'static Path {
    static SCHEDULER: OnceLock<PathBuf> = OnceLock::new();
    SCHEDULER.get_or_init(|| {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/scheduler");
        build(
            &package,
            &["--profile", "component"],
            "component/scheduler.wasm",
        )
    })
}

/// Builds a component into the target folder of this workspace.
fn build(package: &Path, profile: &[&str], file: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--target",
            "wasm32-wasip2",
            "--target-dir",
        ])
        .arg(target)
        .args(profile)
        .current_dir(package)
        .status()
        .unwrap();
    assert!(
        status.success(),
        "the component in {} does not build",
        package.display()
    );
    target.join("wasm32-wasip2").join(file)
}
