//! `sluice sandbox`.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sandbox::amazon::{self, Amazon, Authority};
use sandbox::environment::{self, Login, Secrets};
use sandbox::salesforce::PrivateKey;
use sandbox::seed::Catalogue;
use sandbox::{Server, World, company, day, salesforce, server};

/// The flow Salesforce's webhooks go to.
pub(super) const OPPORTUNITIES: &str = "opportunity-to-sales-order";
/// The flow Amazon's notifications go to.
pub(super) const AMAZON_ORDERS: &str = "amazon-orders";

/// Orders Amazon holds at the start.
const AMAZON_ORDER_COUNT: usize = 120;

/// Serves the simulated vendors until SIGINT or SIGTERM.
///
/// Records, requests and misfortunes are at the admin port: GET / there names everything. Won
/// opportunities are announced to --webhooks: in USD by outbound messages, in EUR by signed callouts, in
/// GBP by both. So are changed orders at Amazon: by SNS, and by EventBridge.
///
/// Example: sluice sandbox --env-out .env, and once it lists its addresses: sluice up --env-file .env
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where the Salesforce organization listens.
    #[arg(long, default_value = "127.0.0.1:4401", value_name = "HOST:PORT")]
    salesforce: SocketAddr,
    /// Where the NetSuite account listens.
    #[arg(long, default_value = "127.0.0.1:4402", value_name = "HOST:PORT")]
    netsuite: SocketAddr,
    /// Where Amazon listens: Login with Amazon and the Selling Partner API of every region.
    #[arg(long, default_value = "127.0.0.1:4403", value_name = "HOST:PORT")]
    amazon: SocketAddr,
    /// Where the admin port listens. It asks nobody for a password: keep it on this machine.
    #[arg(long, default_value = "127.0.0.1:4400", value_name = "HOST:PORT")]
    admin: SocketAddr,
    /// Decides every record, id and credential.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,
    /// Serve the vendors over TLS. The authority's certificate is written to DIR/ca.pem, and a
    /// --runtime-config-file that makes flows trust it to DIR/runtime-config.toml.
    #[arg(long, value_name = "DIR")]
    tls_dir: Option<PathBuf>,
    /// Where webhooks go: the address of `sluice up` or `spin up`.
    #[arg(long, default_value = "http://127.0.0.1:3000", value_name = "URL")]
    webhooks: String,
    /// Print the variables that make flows talk to this sandbox, as lines for --env-file and for a shell;
    /// then serve.
    #[arg(long)]
    print_env: bool,
    /// Write these variables to FILE, whole and before anything is listed; then serve.
    #[arg(long, value_name = "FILE")]
    env_out: Option<PathBuf>,
    /// How these variables tell flows to log in: with shared secrets, or with keys of their own.
    #[arg(long, value_enum, default_value_t)]
    login: LoginChoice,
}

/// How flows log in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum LoginChoice {
    /// Client credentials at Salesforce, a token at NetSuite.
    #[default]
    Secret,
    /// JWT bearer at Salesforce, client credentials with a certificate at NetSuite.
    Key,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    // First, so that an early Ctrl-C counts.
    let mut stop = Stop::listen()?;
    let settings = amazon::Settings::new(arguments.seed);
    let mut world = with_amazon(world(arguments.seed)?, arguments.seed, settings)?;
    if let Some(amazon) = world.vendor_mut::<Amazon>() {
        let catalogue = Catalogue::new(arguments.seed);
        amazon.stock(&catalogue, AMAZON_ORDER_COUNT, jiff::Timestamp::now())?;
    }
    let options = server::Options {
        vendors: BTreeMap::from([
            ("salesforce".to_owned(), arguments.salesforce),
            ("netsuite".to_owned(), arguments.netsuite),
            ("amazon".to_owned(), arguments.amazon),
        ]),
        admin: arguments.admin,
        tls_dir: arguments.tls_dir.clone(),
        ..server::Options::default()
    };
    let running = Server::start(world, options).await?;
    let secrets = Secrets::new(arguments.seed);
    announce(&running, &arguments.webhooks, &secrets)?;
    let login = match arguments.login {
        LoginChoice::Secret => Login::Secret,
        LoginChoice::Key => Login::Key,
    };
    let lines = env_lines(&running, &secrets, login, &arguments.webhooks);
    if let Some(file) = &arguments.env_out {
        write_whole(file, &lines).with_context(|| format!("can't write {}", file.display()))?;
    }
    if arguments.print_env {
        let mut out = std::io::stdout().lock();
        out.write_all(lines.as_bytes())?;
        // Whoever reads a pipe must not wait for the end.
        out.flush()?;
    }
    for (vendor, url) in &running.vendor_urls {
        eprintln!("{vendor:<12}{url}");
    }
    eprintln!("{:<12}{}", "admin port", running.admin_url);
    if let Some(file) = &running.ca_path {
        let config = trust(file)?;
        eprintln!("{:<12}{}", "authority", file.display());
        eprintln!(
            "{:<12}--runtime-config-file {}",
            "trusted by",
            config.display()
        );
    }
    eprintln!("Ctrl-C ends it.");
    stop.asked().await;
    running.shutdown().await;
    Ok(())
}

/// The same with the seller's Amazon accounts, without orders; somebody vouches for SNS's signatures.
pub(super) fn with_amazon(
    world: World,
    seed: u64,
    mut settings: amazon::Settings,
) -> anyhow::Result<World> {
    let now = jiff::Timestamp::now();
    settings.authority = Some(Authority::generate(seed, now)?);
    Ok(company::with_amazon(world, seed, settings, now)?)
}

/// Salesforce and NetSuite as this seed has them, the Salesforce user's key registered.
pub(super) fn world(seed: u64) -> anyhow::Result<World> {
    let mut settings = salesforce::Settings::new(seed);
    let key = PrivateKey::generate(seed).context("can't make the Salesforce user's key")?;
    settings.credentials = settings.credentials.with_private_key(key);
    let now = jiff::Timestamp::now();
    Ok(company::world(seed, settings, Default::default(), now)?)
}

/// Sends the webhooks of won opportunities, and the notifications of orders at Amazon, to their flows' routes
/// at this address.
pub(super) fn announce(
    running: &server::Running,
    webhooks: &str,
    secrets: &Secrets,
) -> anyhow::Result<()> {
    let base = webhooks.trim_end_matches('/');
    let hooks = format!("{base}/hooks/{OPPORTUNITIES}");
    let message = format!("{hooks}/outbound-message/{}", secrets.webhook_path_secret);
    let callout = format!("{hooks}/json");
    let secret = &secrets.webhook_hmac_secret;
    let hooks = format!("{base}/hooks/{AMAZON_ORDERS}");
    let (topic, events) = (format!("{hooks}/sns"), format!("{hooks}/eventbridge"));
    running
        .handle()
        .with(|world, now| {
            day::announce(world, &message, &callout, secret)?;
            day::announce_orders(world, &topic, &events, now)
        })
        .with_context(|| format!("webhooks can't go to {webhooks}"))
}

/// Writes a runtime configuration, for `sluice up` as for `spin up`, that trusts this authority.
fn trust(authority: &Path) -> anyhow::Result<PathBuf> {
    let authority = authority.canonicalize()?;
    let file = authority.with_file_name("runtime-config.toml");
    let text = format!(
        "[[client_tls]]\ncomponent_ids = [{OPPORTUNITIES:?}, {AMAZON_ORDERS:?}]\nhosts = [\"127.0.0.1\", \"localhost\"]\n\
         ca_roots_file = {:?}\n",
        authority.display().to_string()
    );
    std::fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
    Ok(file)
}

/// The variables as lines for --env-file and for a shell.
fn env_lines(
    running: &server::Running,
    secrets: &Secrets,
    login: Login,
    flows_url: &str,
) -> String {
    let mut variables = running
        .handle()
        .with(|world, _| environment::variables(world, &running.vendor_urls, secrets, login));
    variables.push(("flows_url", flows_url.trim_end_matches('/').to_owned()));
    environment::shell_lines(&environment::spin_variables(&variables))
}

/// Writes beside the file and puts it in its place at once: nobody reads half of it.
fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, file)
}

/// Somebody asks the process to stop: SIGINT or SIGTERM.
pub(super) struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    pub(super) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for it.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
