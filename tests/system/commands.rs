//! The commands as the README says to use them.

use std::net::{SocketAddr, TcpListener};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::components;
use crate::support::http::send;
use crate::support::process::{Process, listening, up};
use crate::support::stage::{self, eventually, records};

/// An address nobody listens on now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_over_tls_and_a_host_that_trusts_it() {
    stage::warm().await;
    let folder = tempfile::tempdir().unwrap();
    stage::write_manifest(folder.path(), |text| text, None);
    // The sandbox must know where its webhooks go before there is anybody.
    let listen = free_address();
    let mut command = components::sluice();
    command
        .args([
            "sandbox",
            "--salesforce",
            "127.0.0.1:0",
            "--netsuite",
            "127.0.0.1:0",
            "--amazon",
            "127.0.0.1:0",
        ])
        .args([
            "--admin",
            "127.0.0.1:0",
            "--tls-dir",
            "tls",
            "--login",
            "key",
            "--env-out",
            "sandbox.env",
        ])
        .args(["--webhooks", &format!("http://{listen}")])
        .current_dir(folder.path());
    // Once it lists its addresses, the variables are there.
    let (mut sandbox, admin) = Process::start(command, |line| {
        line.strip_prefix("admin port")
            .map(|url| url.trim().to_owned())
    });
    let config = folder.path().join("tls/runtime-config.toml");
    eventually("the runtime configuration", async || {
        config.exists().then_some(())
    })
    .await;

    let mut command = up(folder.path(), listen);
    command
        .args(["--env-file", "sandbox.env", "--runtime-config-file"])
        .arg(&config);
    let (mut host, address) = Process::start(command, listening);
    assert_eq!(address, listen);

    // The last ones sell what NetSuite does not know yet.
    let open = records(&admin, "salesforce", "Opportunity").await;
    let id = open[0]["Id"].as_str().unwrap();
    let url = format!("{admin}/salesforce/Opportunity/{id}");
    let won = json!({"StageName": "Closed Won"}).to_string();
    let answer = send(Request::patch(&url).body(Bytes::from(won)).unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let opportunity: Value = eventually("the order's number in the opportunity", async || {
        let read = Request::get(&url).body(Bytes::new()).unwrap();
        let opportunity = send(read).await.json();
        opportunity["NetSuite_Order_Number__c"]
            .is_string()
            .then_some(opportunity)
    })
    .await;
    let orders = records(&admin, "netsuite", "salesOrder").await;
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0]["id"], opportunity["NetSuite_Order_Id__c"]);

    assert!(host.terminate(), "{}", host.log());
    assert!(sandbox.terminate(), "{}", sandbox.log());
    let variables = std::fs::read_to_string(folder.path().join("sandbox.env")).unwrap();
    for line in variables
        .lines()
        .filter(|line| line.contains("SECRET") || line.contains("TOKEN"))
    {
        let (_, value) = line.split_once('=').unwrap();
        let value = value.trim_matches('\'');
        assert!(
            value.len() < 8 || !host.log().contains(value),
            "a secret is in the log"
        );
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "adopt", "audit", "backfill", "build", "up", "sandbox", "demo", "status", "dead", "show",
        "retry", "skip", "pause", "resume", "cursor", "trace", "trail",
    ] {
        let output = components::sluice()
            .args([command, "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}");
        assert!(
            help.contains(&format!("Example: sluice {command}")),
            "{command}: {help}"
        );
    }
    let unknown = components::sluice()
        .args(["up", "--lisen", "x"])
        .output()
        .unwrap();
    assert!(!unknown.status.success());
    assert!(
        String::from_utf8(unknown.stderr)
            .unwrap()
            .contains("--listen")
    );
}
