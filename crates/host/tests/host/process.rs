//! The `sluice` process: from its start to a signal.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;

fn up(folder: &std::path::Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args([
            "up",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
            "--env-file",
            "env",
        ])
        .current_dir(folder)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The log's lines up to the one that says where the process listens, and that address.
fn address(log: &mut impl BufRead) -> std::net::SocketAddr {
    for line in log.lines() {
        let line = line.unwrap();
        if let Some((_, rest)) = line.split_once("listening on http://") {
            let end = rest.find('"').unwrap();
            return rest[..end].parse().unwrap();
        }
    }
    panic!("the process ended without listening");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_running_work_finish() {
    let folder = tempfile::tempdir().unwrap();
    crate::support::application(folder.path());
    std::fs::write(
        folder.path().join("env"),
        "# a comment\nSPIN_VARIABLE_SECRET='hush hush'\n",
    )
    .unwrap();
    let mut process = up(folder.path());
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let at = address(&mut log);
    let get =
        async |path: &'static str| crate::support::send(at, "GET", path, &[], Bytes::new()).await;
    assert_eq!(get("/variable?secret").await, (200, "hush hush".to_owned()));
    assert_eq!(get("/print?now").await.0, 200);
    // Its work begins when the response is out, and takes 300 ms.
    assert_eq!(get("/late?order").await.0, 202);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let kill = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(process.wait().unwrap().success());
    assert!(
        rest.contains("to stdout now") && rest.contains("to stderr now"),
        "{rest}"
    );
    assert!(!rest.contains("hush"), "a secret is in the log");

    let mut again = up(folder.path());
    let at = address(&mut BufReader::new(again.stderr.take().unwrap()));
    let answer = crate::support::send(at, "GET", "/get?order", &[], Bytes::new()).await;
    again.kill().unwrap();
    again.wait().unwrap();
    assert_eq!(answer, (200, "done".to_owned()));
}

#[test]
fn a_manifest_it_can_not_honour_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = "spin_manifest_version = 2\n[application]\nname = \"x\"\n[[trigger.redis]]\nchannel = \"y\"\n";
    std::fs::write(folder.path().join("spin.toml"), text).unwrap();
    std::fs::write(folder.path().join("env"), "").unwrap();
    let mut process = up(folder.path());
    let mut log = String::new();
    process
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(1));
    assert!(
        log.contains("error: spin.toml:4: trigger type \"redis\""),
        "{log}"
    );
}
