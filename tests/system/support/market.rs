//! A sandbox with Amazon, and the application on a host of its own: the flow of Amazon's orders.

use std::path::Path;

use host::{Host, Manifest};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use sandbox::Vendor;
use sandbox::amazon::Amazon;
use sandbox::environment::{Login, Secrets};
use sandbox::{Delivery, server};
use serde_json::{Value, json};

use super::stage::{self, eventually, is_idle};
use super::{Answer, components};

/// The flow under test.
pub const FLOW: &str = "amazon-orders";

/// A sandbox with Amazon and a host.
pub struct Market {
    pub sandbox: server::Running,
    pub host: host::Running,
    pub secrets: Secrets,
    /// Removed with it.
    _folder: tempfile::TempDir,
}

impl Market {
    /// With so many orders of the last three days, all of which the flow will list, and the mapping changed:
    /// what stands there, and what instead.
    pub async fn start(order_count: usize, changes: &[(&str, &str)]) -> Self {
        stage::warm().await;
        let folder = tempfile::tempdir().unwrap();
        let sandbox = stage::sandbox_with_amazon(Login::Secret, order_count).await;
        let manifest = write_manifest(folder.path(), changes);
        let mut options = host::Options::new(folder.path().join("state"));
        options.compiled = components::compiled();
        options.variables = stage::variables(&sandbox, Login::Secret);
        let flows_url = format!("http://{FLOW}.spin.internal");
        options.variables.insert("flows_url".to_owned(), flows_url);
        options.cron = false;
        let host = Host::start(manifest, options).await.unwrap();
        Self {
            sandbox,
            host,
            secrets: stage::secrets(),
            _folder: folder,
        }
    }

    pub fn hook(&self, name: &str) -> String {
        format!("http://{}/hooks/{FLOW}/{name}", self.host.address())
    }

    /// A request to one of the flow's own routes, with its token.
    pub async fn flow(&self, method: Method, rest: &str) -> Answer {
        let to = self.host.address();
        stage::flow_named(FLOW, to, &self.secrets, method, rest).await
    }

    pub async fn status(&self) -> Value {
        self.flow(Method::GET, "").await.json()
    }

    /// A run with this query.
    pub async fn run(&self, query: &str) -> Value {
        let answer = self.flow(Method::POST, &format!("/run{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        answer.json()
    }

    /// Waits until nothing is queued, in work or to be confirmed.
    pub async fn idle(&self) {
        eventually("an empty queue", async || {
            is_idle(&self.status().await).then_some(())
        })
        .await;
    }

    /// Acts as Amazon, its customers or the seller.
    pub fn amazon<T>(&self, act: impl FnOnce(&mut Amazon, Timestamp) -> T) -> T {
        amazon(&self.sandbox, act)
    }

    /// An order of one thing both sides know, placed and paid for so long ago; told to whoever listens.
    pub fn sell(&self, country: &str, by: &str, ago: SignedDuration) -> String {
        sell(&self.sandbox, country, by, ago)
    }

    /// Something happens to an order, and whoever listens is told.
    pub fn alter(&self, id: &str, deed: Value) {
        self.amazon(|amazon, now| amazon.edit("Order", id, deed, now).unwrap());
    }

    /// What becomes of an act is caught on its way to us; nobody gets it.
    pub fn caught(&self, act: impl FnOnce(&mut Amazon, Timestamp)) -> Vec<Delivery> {
        self.amazon(|amazon, now| {
            act(amazon, now);
            amazon.due(now)
        })
    }

    /// What an order became: records of one type.
    pub async fn booked(&self, kind: &str, id: &str) -> Vec<Value> {
        booked(&self.sandbox, kind, id).await
    }

    /// Paths of everything Amazon was asked.
    pub fn asked(&self) -> Vec<String> {
        self.sandbox.handle().with(|world, _| {
            let entries = world.requests("amazon").unwrap().entries();
            entries.map(|entry| entry.path.clone()).collect()
        })
    }
}

pub fn amazon<T>(sandbox: &server::Running, act: impl FnOnce(&mut Amazon, Timestamp) -> T) -> T {
    sandbox
        .handle()
        .with(|world, now| act(world.vendor_mut().unwrap(), now))
}

pub fn sell(sandbox: &server::Running, country: &str, by: &str, ago: SignedDuration) -> String {
    let order = order(country, by);
    let placed = amazon(sandbox, |amazon, now| {
        amazon.create("Order", order, now - ago).unwrap()
    });
    placed["orderId"].as_str().unwrap().to_owned()
}

/// An order of one thing both sides know, paid for.
pub fn order(country: &str, by: &str) -> Value {
    let sku = &stage::catalogue().items[0].sku;
    json!({
        "marketplace": country, "fulfilledBy": by, "paid": true,
        "items": [{"sku": sku, "quantity": 2, "unitPrice": "15", "shipping": "4"}],
    })
}

/// What an order became: records of one type.
pub async fn booked(sandbox: &server::Running, kind: &str, id: &str) -> Vec<Value> {
    let external_id = format!("amazon:Order:{id}:transaction");
    let mut records = stage::records(&sandbox.admin_url, "netsuite", kind).await;
    records.retain(|record| {
        let held = record["externalId"].as_str();
        held.is_some_and(|held| held.eq_ignore_ascii_case(&external_id))
    });
    records
}

/// The manifest in this folder, with a changed mapping mounted that starts five days ago.
pub fn write_manifest(folder: &Path, changes: &[(&str, &str)]) -> Manifest {
    let file = components::root().join("functions").join(FLOW);
    let mut mapping = std::fs::read_to_string(file.join("mapping.toml")).unwrap();
    let start = Timestamp::now() - SignedDuration::from_hours(5 * 24);
    let start_at = format!("start_at = \"{start:.0}\"");
    let begins = ("# start_at = \"2026-01-01T00:00:00Z\"", &*start_at);
    for (old, new) in changes.iter().chain([&begins]) {
        assert_eq!(mapping.matches(old).count(), 1, "{old}");
        mapping = mapping.replacen(old, new, 1);
    }
    // The schedule is ours to call.
    let text = stage::mount(components::manifest(), FLOW, folder, &mapping)
        .replace("\"0 * * * * *\"", "\"0 0 0 1 1 *\"")
        .replace("\"30 * * * * *\"", "\"0 0 0 1 1 *\"");
    let file = folder.join("spin.toml");
    std::fs::write(&file, text).unwrap();
    Manifest::read(&file).unwrap()
}
