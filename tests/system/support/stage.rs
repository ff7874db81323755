//! A sandbox, and the application of `spin.toml` on a host of its own, both in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use host::{Host, Manifest, RuntimeConfig};
use http::{Method, Request};
use sandbox::day::books::{Books, Ledger};
use sandbox::environment::{self, Login, Secrets};
use sandbox::salesforce::{Callout, OutboundMessage, PrivateKey, Settings};
use sandbox::seed::Catalogue;
use sandbox::{Server, World, amazon, company, server};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::http::send;
use super::{Answer, components};

/// The flow under test.
pub const FLOW: &str = "opportunity-to-sales-order";

const SEED: u64 = 11;
/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the organization tells of won opportunities.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Announce {
    Nothing,
    Messages,
    Callouts,
}

/// What differs from test to test.
pub struct Setup {
    pub announce: Announce,
    pub login: Login,
    /// Application variables that replace those of the sandbox.
    pub variables: Vec<(&'static str, String)>,
    /// A mapping file to mount.
    pub mapping: Option<String>,
    /// Changes the manifest's text.
    pub manifest: fn(String) -> String,
    /// Let the cron triggers fire.
    pub cron: bool,
    /// Serve the vendors over TLS, and let the host trust them.
    pub tls: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            announce: Announce::Nothing,
            login: Login::Secret,
            variables: Vec::new(),
            mapping: None,
            manifest: |text| text,
            cron: false,
            tls: false,
        }
    }
}

/// A sandbox and a host.
pub struct Stage {
    pub sandbox: server::Running,
    pub host: host::Running,
    pub secrets: Secrets,
    pub catalogue: Catalogue,
    /// Removed with the stage.
    _folder: tempfile::TempDir,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        warm().await;
        let folder = tempfile::tempdir().unwrap();
        let sandbox = sandbox(setup.login, setup.tls.then(|| folder.path().join("tls"))).await;
        let mut variables = variables(&sandbox, setup.login);
        variables.insert(
            "flows_url".to_owned(),
            format!("http://{FLOW}.spin.internal"),
        );
        variables.extend(
            setup
                .variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let manifest = write_manifest(folder.path(), setup.manifest, setup.mapping.as_deref());
        let manifest = Manifest::read(&manifest).unwrap();
        let mut options = host::Options::new(folder.path().join("state"));
        options.compiled = components::compiled();
        options.variables = variables;
        options.cron = setup.cron;
        if let Some(authority) = &sandbox.ca_path {
            options.runtime_config = trusting(folder.path(), authority);
        }
        let host = Host::start(manifest, options).await.unwrap();
        let stage = Self {
            sandbox,
            host,
            secrets: Secrets::new(SEED),
            catalogue: Catalogue::new(SEED),
            _folder: folder,
        };
        stage.announce(setup.announce, stage.host.address());
        stage
    }

    /// The same systems, and a host that knows nothing of them: its stores are new.
    pub async fn with_new_stores(self) -> Self {
        let Self {
            sandbox,
            host,
            secrets,
            catalogue,
            _folder,
        } = self;
        host.shutdown().await;
        let folder = _folder.path();
        let manifest = Manifest::read(&folder.join("spin.toml")).unwrap();
        let mut options = host::Options::new(folder.join("new state"));
        options.compiled = components::compiled();
        options.variables = variables(&sandbox, Login::Secret);
        options.cron = false;
        let host = Host::start(manifest, options).await.unwrap();
        Self {
            sandbox,
            host,
            secrets,
            catalogue,
            _folder,
        }
    }

    /// Lets the organization announce won opportunities to this address.
    pub fn announce(&self, how: Announce, to: SocketAddr) {
        announce(&self.sandbox, &self.secrets, how, to);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host.address())
    }

    /// Where signed JSON webhooks go.
    pub fn json_hook(&self) -> String {
        self.url(&format!("/hooks/{FLOW}/json"))
    }

    /// Where outbound messages go.
    pub fn message_hook(&self) -> String {
        let secret = &self.secrets.webhook_path_secret;
        self.url(&format!("/hooks/{FLOW}/outbound-message/{secret}"))
    }

    /// A request to one of the flow's own routes, with its token.
    pub async fn flow(&self, method: Method, rest: &str) -> Answer {
        flow(self.host.address(), &self.secrets, method, rest).await
    }

    pub async fn status(&self) -> Value {
        let answer = self.flow(Method::GET, "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The schedule's entry.
    pub async fn run(&self) -> Value {
        let answer = self.flow(Method::POST, "/run").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Syncs one record now.
    pub async fn sync(&self, id: &str) -> Answer {
        self.flow(Method::POST, &format!("/records/{id}")).await
    }

    /// Puts a misfortune in force.
    pub fn suffer(&self, misfortune: Value) {
        let misfortune = serde_json::from_value(misfortune).unwrap();
        let added = self
            .sandbox
            .handle()
            .with(|world, _| world.misfortunes().add(misfortune));
        assert!(added.is_some());
    }

    /// Every record of a type, as the admin port shows them.
    pub async fn records(&self, vendor: &str, kind: &str) -> Vec<Value> {
        records(&self.sandbox.admin_url, vendor, kind).await
    }

    /// The orders of one opportunity.
    pub async fn orders_of(&self, id: &str) -> Vec<Value> {
        let external_id = format!("salesforce:Opportunity:{id}:salesOrder");
        let mut orders = self.records("netsuite", "salesOrder").await;
        orders.retain(|order| {
            order["externalId"]
                .as_str()
                .is_some_and(|held| held.eq_ignore_ascii_case(&external_id))
        });
        orders
    }

    pub async fn opportunity(&self, id: &str) -> Value {
        let url = format!("{}/salesforce/Opportunity/{id}", self.sandbox.admin_url);
        send(Request::get(url).body(Bytes::new()).unwrap())
            .await
            .json()
    }

    /// Waits until the opportunity says which order it became.
    pub async fn written_back(&self, id: &str) -> Value {
        eventually("the order's number in the opportunity", async || {
            let opportunity = self.opportunity(id).await;
            opportunity["NetSuite_Order_Number__c"]
                .is_string()
                .then_some(opportunity)
        })
        .await
    }

    /// Waits until nothing is queued, in work or to be confirmed.
    pub async fn idle(&self) -> Value {
        eventually("an empty queue", async || {
            let status = self.status().await;
            is_idle(&status).then_some(status)
        })
        .await
    }

    /// Both systems agree: every won opportunity has its one order, to the cent, and nothing is there that
    /// nobody asked for.
    pub fn assert_in_step(&self) {
        let books = self.sandbox.handle().with(|world, _| Books::of(world));
        let differences = books.differences(&Ledger::default());
        assert!(differences.is_empty(), "{differences:#?}");
    }

    /// Writes to the target since the start.
    pub fn write_count(&self, vendor: &str) -> usize {
        self.sandbox.handle().with(|world, _| {
            let entries = world.requests(vendor).unwrap().entries();
            entries
                .filter(|entry| ["POST", "PUT", "PATCH", "DELETE"].contains(&entry.method.as_str()))
                // Logins and queries are sent by POST, too.
                .filter(|entry| !entry.path.contains("oauth") && !entry.path.contains("suiteql"))
                .count()
        })
    }
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited {PATIENCE:?} for {what}");
}

/// Whether nothing is queued.
pub fn is_idle(status: &Value) -> bool {
    ["ready", "waiting", "dead", "in_work", "to_confirm"]
        .iter()
        .all(|state| status["queue"][state] == 0)
}

/// Compiles the components, once: tests that start together would each do it.
pub async fn warm() {
    static WARM: OnceCell<()> = OnceCell::const_new();
    let compile = async || {
        let folder = tempfile::tempdir().unwrap();
        let manifest = write_manifest(folder.path(), |text| text, None);
        let mut options = host::Options::new(folder.path().join("state"));
        options.compiled = components::compiled();
        options.cron = false;
        let manifest = Manifest::read(&manifest).unwrap();
        Host::start(manifest, options)
            .await
            .unwrap()
            .shutdown()
            .await;
    };
    WARM.get_or_init(compile).await;
}

/// A stocked sandbox on free ports.
pub async fn sandbox(login: Login, tls_dir: Option<PathBuf>) -> server::Running {
    serve(world(login), tls_dir).await
}

/// The same with Amazon, and orders there.
pub async fn sandbox_with_amazon(login: Login, order_count: usize) -> server::Running {
    let now = jiff::Timestamp::now();
    let mut settings = amazon::Settings::new(SEED);
    settings.authority = Some(amazon::Authority::generate(SEED, now).unwrap());
    let mut world = company::with_amazon(world(login), SEED, settings, now).unwrap();
    let amazon = world.vendor_mut::<amazon::Amazon>().unwrap();
    let catalogue = Catalogue::new(SEED);
    amazon.stock(&catalogue, order_count, now).unwrap();
    serve(world, None).await
}

fn world(login: Login) -> World {
    let mut settings = Settings::new(SEED);
    if login == Login::Key {
        let key = PrivateKey::generate(SEED).unwrap();
        settings.credentials = settings.credentials.with_private_key(key);
    }
    let now = jiff::Timestamp::now();
    company::world(SEED, settings, Default::default(), now).unwrap()
}

async fn serve(world: World, tls_dir: Option<PathBuf>) -> server::Running {
    if let Some(folder) = &tls_dir {
        std::fs::create_dir_all(folder).unwrap();
    }
    let options = server::Options {
        tls_dir,
        ..server::Options::default()
    };
    Server::start(world, options).await.unwrap()
}

/// The variables that make the flow talk to this sandbox.
pub fn variables(sandbox: &server::Running, login: Login) -> BTreeMap<String, String> {
    let secrets = Secrets::new(SEED);
    let variables = sandbox
        .handle()
        .with(|world, _| environment::variables(world, &sandbox.vendor_urls, &secrets, login));
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What both sides sell.
pub fn catalogue() -> Catalogue {
    Catalogue::new(SEED)
}

/// Every flow's own secrets.
pub fn secrets() -> Secrets {
    Secrets::new(SEED)
}

pub fn announce(sandbox: &server::Running, secrets: &Secrets, how: Announce, to: SocketAddr) {
    let message = OutboundMessage::closed_won(format!(
        "http://{to}/hooks/{FLOW}/outbound-message/{}",
        secrets.webhook_path_secret
    ));
    let callout = Callout::closed_won(
        format!("http://{to}/hooks/{FLOW}/json"),
        secrets.webhook_hmac_secret.clone(),
    );
    sandbox.handle().with(|world, _| {
        let org = world
            .vendor_mut::<sandbox::salesforce::Salesforce>()
            .unwrap();
        match how {
            Announce::Nothing => {}
            Announce::Messages => org.set_outbound_messages(vec![message]).unwrap(),
            Announce::Callouts => org.set_callouts(vec![callout]).unwrap(),
        }
    });
}

/// A request to one of the flow's own routes, with its token.
pub async fn flow(to: SocketAddr, secrets: &Secrets, method: Method, rest: &str) -> Answer {
    flow_named(FLOW, to, secrets, method, rest).await
}

/// The same of another flow.
pub async fn flow_named(
    name: &str,
    to: SocketAddr,
    secrets: &Secrets,
    method: Method,
    rest: &str,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{to}/flows/{name}{rest}"))
        .header("authorization", format!("Bearer {}", secrets.flows_token));
    send(request.body(Bytes::new()).unwrap()).await
}

/// Every record of a type, as the admin port shows them.
pub async fn records(admin_url: &str, vendor: &str, kind: &str) -> Vec<Value> {
    let url = format!("{admin_url}/{vendor}/{kind}");
    let answer = send(Request::get(url).body(Bytes::new()).unwrap()).await;
    match answer.json() {
        Value::Array(records) => records,
        other => panic!("{other}"),
    }
}

/// Writes the manifest into the folder, changed, with a mapping mounted if there is one.
pub fn write_manifest(
    folder: &Path,
    change: fn(String) -> String,
    mapping: Option<&str>,
) -> PathBuf {
    let mut text = components::manifest().to_owned();
    if let Some(mapping) = mapping {
        text = mount(&text, FLOW, folder, mapping);
    }
    let file = folder.join("spin.toml");
    std::fs::write(&file, change(text)).unwrap();
    file
}

/// The manifest's text with a mapping mounted for a flow.
pub fn mount(text: &str, flow: &str, folder: &Path, mapping: &str) -> String {
    std::fs::write(folder.join("mounted.toml"), mapping).unwrap();
    let section = format!("[component.{flow}]\n");
    let files = r#"files = [{ source = "mounted.toml", destination = "/mapping.toml" }]"#;
    assert!(text.contains(&section));
    text.replacen(&section, &format!("{section}{files}\n"), 1)
}

/// Spin's runtime configuration that trusts this authority.
pub fn trusting(folder: &Path, authority: &Path) -> RuntimeConfig {
    let file = folder.join("runtime-config.toml");
    let text = format!(
        "[[client_tls]]\ncomponent_ids = [\"{FLOW}\"]\nhosts = [\"127.0.0.1\"]\nca_roots_file = {}\n",
        json!(authority.to_str().unwrap())
    );
    std::fs::write(&file, text).unwrap();
    RuntimeConfig::read(&file).unwrap()
}
