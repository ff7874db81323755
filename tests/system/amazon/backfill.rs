//! Old orders, in slices, by HTTP and by `sluice backfill`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use sandbox::Vendor;
use sandbox::day::books::{Books, Ledger};
use sandbox::environment::Login;
use serde_json::{Value, json};

use crate::interrupted::age;
use crate::support::market::{self, FLOW};
use crate::support::stage::{self, eventually, is_idle};
use crate::support::{Process, components};

/// The host in a process of its own, so that it can be killed.
struct Scene {
    folder: tempfile::TempDir,
    sandbox: sandbox::server::Running,
    variables: BTreeMap<String, String>,
    process: Process,
    address: SocketAddr,
}

impl Scene {
    async fn start(variable: Option<(&str, &str)>) -> Self {
        stage::warm().await;
        let folder = tempfile::tempdir().unwrap();
        let sandbox = stage::sandbox_with_amazon(Login::Secret, 0).await;
        market::write_manifest(folder.path(), &[]);
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut variables = stage::variables(&sandbox, Login::Secret);
        variables.extend(variable.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let (process, address) = Process::up(folder.path(), &variables, anywhere);
        Self {
            folder,
            sandbox,
            variables,
            process,
            address,
        }
    }

    /// As after a power cut, and this much later.
    fn restart(&mut self, later: Duration) {
        self.process.kill();
        age(&self.folder.path().join("state/sqlite/default.db"), later);
        let folder = self.folder.path();
        (self.process, self.address) = Process::up(folder, &self.variables, self.address);
    }

    async fn flow(&self, method: Method, rest: &str) -> Value {
        let secrets = stage::secrets();
        let answer = stage::flow_named(FLOW, self.address, &secrets, method, rest).await;
        assert!([200, 503].contains(&answer.status), "{}", answer.text());
        answer.json()
    }

    /// `sluice backfill`, under way.
    fn backfill(&self, from: &str, to: &str) -> Child {
        let mut command = components::sluice();
        command
            .args(["backfill", FLOW, "--json", "--from", from, "--to", to])
            .args(["--url", &format!("http://{}", self.address)])
            .env("SPIN_VARIABLE_FLOWS_TOKEN", &stage::secrets().flows_token);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// A setting of Amazon's.
    fn set(&self, setting: &str, value: u64) {
        market::amazon(&self.sandbox, |amazon, now| {
            amazon.configure(setting, json!(value), now).unwrap();
        });
    }

    fn suffer(&self, misfortune: Value) {
        let misfortune = serde_json::from_value(misfortune).unwrap();
        let handle = self.sandbox.handle();
        let added = handle.with(|world, _| world.misfortunes().add(misfortune));
        assert!(added.is_some());
    }

    /// Runs the schedule until nothing is queued; time is moved on for what must be looked at once more.
    async fn settle(&mut self) {
        for _ in 0..5 {
            for _ in 0..5 {
                self.flow(Method::POST, "/run").await;
                if is_idle(&self.flow(Method::GET, "").await) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            self.restart(Duration::from_secs(20 * 60));
        }
        panic!("still queued: {}", self.flow(Method::GET, "").await);
    }

    async fn refuses_what_is_no_range(&self) {
        let begin = "2026-01-01T00:00:00Z";
        for query in [
            format!("from={begin}"),
            format!("from={begin}&to={begin}"),
            format!("from={begin}&to=2100-01-01T00:00:00Z"),
            format!("from={begin}&to=yesterday"),
            format!("from={begin}&to=2026-02-01T00:00:00Z&stream=US"),
            "backfill=stop".to_owned(),
            "backfill=begin".to_owned(),
        ] {
            let path = format!("/run?{query}");
            let secrets = stage::secrets();
            let said = stage::flow_named(FLOW, self.address, &secrets, Method::POST, &path).await;
            // What can't be read, and what can't be done.
            assert!([400, 422].contains(&said.status), "{query}: {said:?}");
        }
    }

    async fn booked_count(&self) -> usize {
        let orders = stage::records(&self.sandbox.admin_url, "netsuite", "salesOrder").await;
        orders.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_goes_on_after_a_kill_and_leaves_the_live_cursor_alone() {
    let mut scene = Scene::start(None).await;
    scene.set("rate_factor", 1000);
    for age in 20..60 {
        for country in ["US", "JP"] {
            market::sell(&scene.sandbox, country, "MERCHANT", days(age));
        }
    }
    scene.flow(Method::POST, "/run").await;
    let before = scene.flow(Method::GET, "").await;
    assert_eq!(scene.booked_count().await, 0, "older than the flow begins");
    assert_eq!(before["backfill"], Value::Null);

    scene.refuses_what_is_no_range().await;

    // A range over HTTP, from midnight to midnight.
    let (from, to) = (day(30), day(15));
    let path = format!("/run?from={from}T00:00:00Z&to={to}T00:00:00Z");
    let said = eventually("the end of the range", async || {
        let job = scene.flow(Method::POST, &path).await["backfill"].take();
        // Asking does not bring it round its limit.
        let is_slow = job["waits"].as_str().unwrap_or("AMAZON_THROTTLED");
        assert!(is_slow.starts_with("AMAZON_THROTTLED"), "{job}");
        (job["state"] == "done").then_some(job)
    })
    .await;
    assert_eq!(said["percent"], "100.0", "{said}");
    let first = scene.booked_count().await;
    assert!((20..=22).contains(&first), "{first}");

    let slow = json!({"vendor": "netsuite", "method": "PUT", "what": {"delay": {"ms": 150}}});
    scene.suffer(slow);
    let (from, to) = (day(70), day(15));
    let mut command = scene.backfill(&from, &to);
    eventually("the middle of the backfill", async || {
        (scene.booked_count().await >= first + 10).then_some(())
    })
    .await;
    let other = format!("/run?from={}T00:00:00Z&to={to}T00:00:00Z", day(40));
    let secrets = stage::secrets();
    let refused = stage::flow_named(FLOW, scene.address, &secrets, Method::POST, &other).await;
    assert_eq!(refused.status, 409, "one at a time: {}", refused.text());
    scene.restart(Duration::from_secs(20 * 60));
    let status = scene.flow(Method::GET, "").await;
    assert_eq!(status["backfill"]["state"], "open", "{status}");
    command.kill().unwrap();
    command.wait().unwrap();
    let amidst = scene.booked_count().await;
    assert!(amidst < 80, "it was killed too late");

    let said = ended(scene.backfill(&from, &to));
    assert_eq!(said["percent"], "100.0", "{said}");
    let after = scene.flow(Method::GET, "").await;
    assert_eq!(after["cursor"], before["cursor"], "the live flow's own");
    scene.settle().await;
    assert_eq!(scene.booked_count().await, 80);
    let books = scene.sandbox.handle().with(|world, _| Books::of(world));
    assert_eq!(books.amazon_differences(&Ledger::default()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_cut_off_is_read_again_and_loses_nothing() {
    let mut scene = Scene::start(Some(("amazon_backfill", "reports"))).await;
    for (setting, value) in [
        ("rate_factor", 100),
        ("report_queued_s", 0),
        ("report_in_progress_s", 0),
    ] {
        scene.set(setting, value);
    }
    for age in 20..30 {
        for country in ["US", "UK", "JP"] {
            market::sell(&scene.sandbox, country, "MERCHANT", days(age));
        }
    }
    scene.flow(Method::POST, "/run").await;
    for garble in ["truncate", "empty"] {
        scene.suffer(json!({
            "vendor": "amazon", "path": "/documents/*", "times": 1, "what": {"garble": garble},
        }));
    }
    let path = format!("/run?from={}T00:00:00Z&to={}T00:00:00Z", day(40), day(15));
    let report = scene.flow(Method::POST, &path).await;
    assert_eq!(report["fault"]["code"], "AMAZON_REPORT_INVALID", "{report}");
    let booked = scene.booked_count().await;
    assert_eq!(
        booked, 10,
        "of the one that came whole, and no half of another"
    );
    let waits = report["backfill"]["waits"].as_str().unwrap();
    assert!(waits.contains("cut off"), "{waits}");
    let said = ended(scene.backfill(&day(40), &day(15)));
    assert_eq!(said["listed"], 30, "{said}");
    scene.settle().await;
    assert_eq!(scene.booked_count().await, 30);
}

/// What `sluice backfill` says when it is done.
fn ended(command: Child) -> Value {
    let output = tokio::task::block_in_place(|| command.wait_with_output()).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["state"], "done", "{said}");
    said
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// The day so long ago, in UTC.
fn day(ago: i64) -> String {
    let at = Timestamp::now() - days(ago);
    at.strftime("%Y-%m-%d").to_string()
}
