//! The process is killed in the middle of its work, or asked to end: nothing is lost, nothing doubled.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::Method;
use sandbox::day::books::{Books, Ledger};
use sandbox::environment::{Login, Secrets};
use sandbox::salesforce::Salesforce;
use sandbox::server::Running;
use serde_json::{Value, json};

use crate::support::stage::{self, Announce, eventually, is_idle};
use crate::support::{Process, sales};

/// A sandbox in this process, `sluice up` in one of its own.
struct Scene {
    folder: tempfile::TempDir,
    sandbox: Running,
    variables: BTreeMap<String, String>,
    secrets: Secrets,
    process: Process,
    address: SocketAddr,
}

impl Scene {
    async fn start(announce: Announce) -> Self {
        stage::warm().await;
        let folder = tempfile::tempdir().unwrap();
        let sandbox = stage::sandbox(Login::Secret, None).await;
        let variables = stage::variables(&sandbox, Login::Secret);
        let secrets = stage::secrets();
        // The schedule is ours to call.
        stage::write_manifest(
            folder.path(),
            |text| text.replace("\"0 * * * * *\"", "\"0 0 0 1 1 *\""),
            None,
        );
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (process, address) = Process::up(folder.path(), &variables, anywhere);
        stage::announce(&sandbox, &secrets, announce, address);
        Self {
            folder,
            sandbox,
            variables,
            secrets,
            process,
            address,
        }
    }

    /// Kills the process, lets this much time pass for its stores, and starts it at the same address.
    fn restart(&mut self, later: Duration) {
        self.process.kill();
        age(&self.folder.path().join("state/sqlite/default.db"), later);
        (self.process, self.address) =
            Process::up(self.folder.path(), &self.variables, self.address);
    }

    async fn flow(&self, method: Method, rest: &str) -> Value {
        let answer = stage::flow(self.address, &self.secrets, method, rest).await;
        assert!([200, 503].contains(&answer.status), "{}", answer.text());
        answer.json()
    }

    fn suffer(&self, misfortune: Value) {
        let misfortune = serde_json::from_value(misfortune).unwrap();
        let added = self
            .sandbox
            .handle()
            .with(|world, _| world.misfortunes().add(misfortune));
        assert!(added.is_some());
    }

    fn salesforce<T>(&self, act: impl FnOnce(&mut Salesforce, jiff::Timestamp) -> T) -> T {
        self.sandbox
            .handle()
            .with(|world, now| act(world.vendor_mut().unwrap(), now))
    }

    /// Runs the schedule until nothing is queued; time is moved on where something waits for it.
    async fn settle(&mut self) {
        for _ in 0..20 {
            for _ in 0..5 {
                self.flow(Method::POST, "/run").await;
                if is_idle(&self.flow(Method::GET, "").await) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            // Leases of killed workers, back-off, and the second look after an answer that was lost.
            self.restart(Duration::from_secs(20 * 60));
        }
        panic!("still queued: {}", self.flow(Method::GET, "").await);
    }

    async fn assert_in_step(&self, won_count: usize) {
        let books = self.sandbox.handle().with(|world, _| Books::of(world));
        let differences = books.differences(&Ledger::default());
        assert!(differences.is_empty(), "{differences:#?}");
        let orders = stage::records(&self.sandbox.admin_url, "netsuite", "salesOrder").await;
        assert_eq!(orders.len(), won_count);
    }
}

/// Lets time pass for what is stored: everything that is due then is due so much sooner.
pub fn age(database: &Path, by: Duration) {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let by = i64::try_from(by.as_millis()).unwrap();
    let queue = "UPDATE queue SET due = due - ?1, hinted = hinted - ?1, lease_until = max(0, lease_until - ?1),
        waiting_since = waiting_since - ?1, confirm_at = confirm_at - ?1";
    connection.execute(queue, [by]).unwrap();
    connection
        .execute("UPDATE lease SET until = until - ?1", [by])
        .unwrap();
}

/// Wins opportunities the organization opened with, whose items both systems know.
fn open_sales(scene: &Scene, count: usize) -> Vec<sandbox::salesforce::Id> {
    let query = "SELECT Id FROM Opportunity WHERE IsClosed = false ORDER BY Name LIMIT 100";
    let open = scene.salesforce(|org, now| org.select(query, now).unwrap());
    let ids = open
        .iter()
        .map(|sale| sales::id(sale["Id"].as_str().unwrap()));
    ids.take(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_and_doubles_nothing() {
    let mut scene = Scene::start(Announce::Messages).await;
    // The schedule has begun: from here on it finds whatever no webhook brings through.
    scene.flow(Method::POST, "/run").await;
    // Slow enough to be killed in the middle.
    scene.suffer(json!({"vendor": "netsuite", "method": "PUT", "what": {"delay": {"ms": 60}}}));
    scene.suffer(json!({"vendor": "salesforce", "method": "PATCH", "what": {"delay": {"ms": 30}}}));
    let sales = open_sales(&scene, 30);
    assert_eq!(sales.len(), 30);
    let mut killed_in_work = 0;
    for (round, some) in sales.chunks(5).enumerate() {
        for id in some {
            scene.salesforce(|org, now| {
                org.user_change("Opportunity", *id, json!({"StageName": "Closed Won"}), now)
                    .unwrap();
            });
        }
        tokio::time::sleep(Duration::from_millis(40 + 130 * round as u64)).await;
        let status = scene.flow(Method::GET, "").await;
        killed_in_work += usize::from(status["queue"]["in_work"].as_u64() > Some(0));
        scene.restart(Duration::from_secs(150));
    }
    assert!(
        killed_in_work >= 2,
        "killed only {killed_in_work} times in the middle of work"
    );
    scene.settle().await;
    scene.assert_in_step(sales.len()).await;
    let status = scene.flow(Method::GET, "").await;
    assert_eq!(status["queue"]["dead"], 0, "{status}");
}

/// More requests than bringing one record in line takes: the later ones hit the records that wait since.
const REQUEST_COUNT: usize = 12;

/// What the simulation does to every step, with a real kill: the vendor has done what was asked, and the
/// process dies before it hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_request_of_a_record_in_turn_it_loses_and_doubles_nothing() {
    let mut scene = Scene::start(Announce::Messages).await;
    scene.flow(Method::POST, "/run").await;
    let sales = open_sales(&scene, REQUEST_COUNT);
    let mut won_count = 0;
    for (request, sale) in sales.iter().enumerate() {
        scene.suffer(json!({"skip": request, "times": 1, "what": {"delay": {"ms": 20_000}}}));
        scene.salesforce(|org, now| {
            org.user_change(
                "Opportunity",
                *sale,
                json!({"StageName": "Closed Won"}),
                now,
            )
            .unwrap();
        });
        won_count += 1;
        let struck = eventually("a request that hangs, or the end of the work", async || {
            let world = scene.sandbox.handle();
            let struck = world.with(|world, _| world.misfortunes().list()[0].struck > 0);
            let acknowledged = scene.salesforce(|org, _| org.unacknowledged_count() == 0);
            let done = acknowledged && is_idle(&scene.flow(Method::GET, "").await);
            (struck || done).then_some(struck)
        })
        .await;
        let lift = |world: &mut sandbox::World, _| world.misfortunes().clear();
        if !struck {
            scene.sandbox.handle().with(lift);
            break;
        }
        scene.process.kill();
        scene.sandbox.handle().with(lift);
        scene.restart(Duration::from_secs(20 * 60));
    }
    assert!(won_count >= 6, "killed at {won_count} requests only");
    scene.settle().await;
    scene.assert_in_step(won_count).await;
    let status = scene.flow(Method::GET, "").await;
    assert_eq!(status["queue"]["dead"], 0, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_finishes_what_it_began() {
    let mut scene = Scene::start(Announce::Callouts).await;
    scene.suffer(json!({"vendor": "netsuite", "method": "PUT", "what": {"delay": {"ms": 700}}}));
    let sale = open_sales(&scene, 1)[0];
    scene.salesforce(|org, now| {
        org.user_change("Opportunity", sale, json!({"StageName": "Closed Won"}), now)
            .unwrap();
    });
    eventually("work in progress", async || {
        let status = scene.flow(Method::GET, "").await;
        (status["queue"]["in_work"] == 1).then_some(())
    })
    .await;
    assert!(scene.process.terminate(), "{}", scene.process.log());
    // The process is gone, and its work done: the write-back is its last step.
    scene.assert_in_step(1).await;
    let secrets = [
        &scene.secrets.webhook_hmac_secret,
        &scene.secrets.flows_token,
    ];
    let log = scene.process.log();
    assert!(
        secrets.iter().all(|secret| !log.contains(secret.as_str())),
        "a secret is in the log"
    );
    assert!(log.contains("shutting down"), "{log}");
}
