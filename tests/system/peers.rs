//! Independent clients against the sandbox: jsforce and netsuite-rest log in, query over a page boundary,
//! upsert, meet an expired token and a throttle; amazon-sp-api lists over pages, meets both, and fetches a
//! report; sns-validator believes what arrives. It is right when they agree with it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use sandbox::environment::Login;

use crate::support::{components, stage};

#[tokio::test(flavor = "multi_thread")]
async fn jsforce_agrees_with_the_sandbox() {
    agrees("salesforce.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn netsuite_rest_agrees_with_the_sandbox() {
    agrees("netsuite.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amazon_sp_api_agrees_with_the_sandbox() {
    agrees("amazon.mjs").await;
}

/// Runs one client's script against a sandbox of its own.
async fn agrees(script: &'static str) {
    if Command::new("npm").arg("--version").output().is_err() {
        // Past the test's own capture: whoever runs the tests should know.
        let _ = writeln!(std::io::stderr(), "skipped: {script} needs node and npm");
        return;
    }
    let folder = tokio::task::spawn_blocking(clients).await.unwrap();
    let sandbox = match script {
        "amazon.mjs" => stage::sandbox_with_amazon(Login::Key, 120).await,
        _ => stage::sandbox(Login::Key, None).await,
    };
    let mut environment: BTreeMap<String, String> = stage::variables(&sandbox, Login::Key)
        .into_iter()
        .map(|(name, value)| (format!("SPIN_VARIABLE_{}", name.to_uppercase()), value))
        .collect();
    environment.insert("SANDBOX_ADMIN".to_owned(), sandbox.admin_url.clone());
    let run = move || {
        Command::new("node")
            .arg(script)
            .current_dir(folder)
            .envs(environment)
            .output()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{script}\n{said}\n{complained}");
    let held = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(held >= 8, "{script} checked too little:\n{said}");
}

/// A copy of the scripts with the clients they use, installed once.
fn clients() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        std::fs::create_dir_all(&folder).unwrap();
        for entry in std::fs::read_dir(components::root().join("tests/peers")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
        }
        let output = Command::new("npm")
            .args([
                "ci",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefer-offline",
            ])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "npm ci: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        folder
    })
}
