//! A backfill of old orders from the simulated Amazon, its rate limits lifted, while customers go on ordering.
//!
//! Both vendors are the sandbox, in this process; the host is `sluice up` with 64 MiB for an instance, as its
//! own process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use jiff::{SignedDuration, Timestamp};
use sandbox::amazon::{
    self, Amazon, Deed, EventReceiver, FulfilledBy, Marketplace, NewItem, NewOrder,
};
use sandbox::environment::{self, Login, Secrets};
use sandbox::netsuite::NetSuite;
use sandbox::seed::{Catalogue, ItemKind};
use sandbox::{Server, company, salesforce, server};
use serde_json::Value;

use crate::application::{Application, PULLED};
use crate::artifacts::Artifacts;
use crate::report::{Figure, Report};
use crate::times::Times;

/// How much is backfilled.
#[derive(clap::Args, Clone, Copy)]
pub struct Extent {
    /// Old orders; a tenth of them goes before, for comparison.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    orders: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const SEED: u64 = 1;
/// The days over which the old orders lie.
const DAYS: i64 = 30;
/// No instance may have more; one that wanted more would fail the benchmark.
const MEMORY_MIB: u32 = 64;
const CONCURRENCY_MAX: u32 = 16;
/// Between two live orders.
const LIVE_EVERY: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(5);
/// One that is not booked by then is lost.
const LIVE_MAX: Duration = Duration::from_secs(60);
const IDLE_MAX: Duration = Duration::from_secs(120);

pub fn run(extent: Extent) -> anyhow::Result<Report> {
    let artifacts = Artifacts::build()?;
    let small = measure(&artifacts, extent.orders / 10)?;
    let mut large = measure(&artifacts, extent.orders)?;
    let per_second = |one: &Measured| f64::from(one.count) / one.took.as_secs_f64();
    let linear = per_second(&small) / per_second(&large);
    let mut figures = vec![
        Figure::new("orders", f64::from(large.count), ""),
        Figure::new("orders brought in line", per_second(&large), "1/s"),
        Figure::new("the same at a tenth of them", per_second(&small), "1/s"),
        Figure::new("time an order, to that at a tenth", linear, "").at_most(1.2),
        Figure::new(
            "limit of an instance's memory, kept",
            MEMORY_MIB.into(),
            "MiB",
        ),
        Figure::new("host memory, most", large.memory as f64 / 1e6, "MB"),
        Figure::new(
            "host memory at a tenth, most",
            small.memory as f64 / 1e6,
            "MB",
        ),
        Figure::new(
            "CPU of an order, host",
            cpu_ms(&large, large.host_cpu),
            "ms",
        ),
    ];
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let delay = large.live.quantile_ms(quantile);
        figures.push(Figure::new(
            format!("live order's delay, {name}"),
            delay,
            "ms",
        ));
    }
    let live = large.live.count() as f64;
    figures.push(Figure::new("live orders meanwhile", live, ""));
    let name = "backfill";
    Ok(Report { name, figures })
}

/// One backfill to its end.
struct Measured {
    count: u32,
    took: Duration,
    memory: u64,
    host_cpu: Duration,
    live: Times,
}

fn cpu_ms(one: &Measured, time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0 / f64::from(one.count)
}

fn measure(artifacts: &Artifacts, count: u32) -> anyhow::Result<Measured> {
    let application = Application::of(PULLED, artifacts, CONCURRENCY_MAX)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let now = Timestamp::now();
    let from = now - SignedDuration::from_hours(24 * (DAYS + 2));
    let to = now - SignedDuration::from_hours(24);
    let running = runtime.block_on(async {
        let world = world(count, from + SignedDuration::from_hours(24), now)?;
        anyhow::Ok(Server::start(world, server::Options::default()).await?)
    })?;
    let secrets = Secrets::new(SEED);
    let variables = running.handle().with(|world, _| {
        environment::variables(world, &running.vendor_urls, &secrets, Login::Secret)
    });
    let up = application.start(
        environment::spin_variables(&variables),
        &["--memory-max", &MEMORY_MIB.to_string()],
    )?;
    runtime.block_on(async {
        listen(&running, up.address)?;
        let flow = Flow::new(up.address, &secrets.flows_token);
        // The live cursor stands first; what is old is the backfill's alone.
        flow.post("/run").await.with_context(|| up.last_words())?;
        let before = up.cpu()?;
        let started = Instant::now();
        let path = format!("/run?from={from}&to={to}");
        let mut live = Live::default();
        let ended = tokio::select! {
            ended = to_the_end(&flow, &path) => ended,
            failed = live.go_on(&running) => failed,
        };
        ended.with_context(|| up.last_words())?;
        let took = started.elapsed();
        live.settle(&running).await?;
        check(&running, count, &live)?;
        Ok(Measured {
            count,
            took,
            memory: up.memory_max()?,
            host_cpu: up.cpu()? - before,
            live: live.delays,
        })
    })
}

/// A company whose customers ordered so much at Amazon, evenly over thirty days.
fn world(count: u32, since: Timestamp, now: Timestamp) -> anyhow::Result<sandbox::World> {
    let long_ago = since - SignedDuration::from_hours(24);
    let world = company::world(
        SEED,
        salesforce::Settings::new(SEED),
        Default::default(),
        long_ago,
    )?;
    let mut settings = amazon::Settings::new(SEED);
    // As for a very busy seller: Amazon says the raised rates, and the connector goes by them.
    settings.rate_factor = Some(1_000_000);
    let mut world = company::with_amazon(world, SEED, settings, long_ago)?;
    let amazon = world.vendor_mut::<Amazon>().context("no Amazon")?;
    let step_ms = DAYS * 24 * 3_600_000 / i64::from(count);
    let orders = Orders::new()?;
    for at in 0..count {
        let placed = since + SignedDuration::from_millis(step_ms * i64::from(at));
        let id = amazon.place(&orders.nth(at), false, placed)?;
        let later = (placed + SignedDuration::from_mins(10)).min(now);
        amazon.alter(&id, &Deed::Pay, false, later)?;
    }
    Ok(world)
}

/// Where live orders are announced to.
fn listen(running: &server::Running, host: SocketAddr) -> anyhow::Result<()> {
    let url = format!("http://{host}/hooks/{PULLED}/eventbridge");
    running.handle().with(|world, _| {
        let amazon = world.vendor_mut::<Amazon>().context("no Amazon")?;
        amazon.set_api_destination(Some(EventReceiver {
            url,
            header: None,
            key: None,
        }))?;
        Ok(())
    })
}

/// Goes on with the backfill until it is done. Fails if it stands still.
async fn to_the_end(flow: &Flow, path: &str) -> anyhow::Result<()> {
    let (mut listed, mut moved) = (0, Instant::now());
    loop {
        let report = flow.post(path).await?;
        let job = &report["backfill"];
        if job["state"] == "done" {
            return Ok(());
        }
        let now = job["listed"].as_u64().unwrap_or_default();
        if now > listed {
            (listed, moved) = (now, Instant::now());
        }
        ensure!(moved.elapsed() < IDLE_MAX, "it stands still: {report}");
    }
}

/// Every old order is booked, and every live one.
fn check(running: &server::Running, count: u32, live: &Live) -> anyhow::Result<()> {
    let expected = count as usize + live.delays.count();
    let booked = running.handle().with(|world, _| {
        let records = world.named("netsuite")?.records("salesOrder")?;
        let ours = |record: &&Value| {
            let id = record["externalId"].as_str().unwrap_or_default();
            id.starts_with("amazon:")
        };
        Some(records.iter().filter(ours).count())
    });
    let booked = booked.context("no NetSuite")?;
    ensure!(
        booked == expected,
        "{booked} orders are booked, not {expected}"
    );
    Ok(())
}

/// Orders placed while the backfill runs, and how long each took into the books.
#[derive(Default)]
struct Live {
    open: HashMap<String, Instant>,
    delays: Times,
}

impl Live {
    /// Never ends by itself.
    async fn go_on(&mut self, running: &server::Running) -> anyhow::Result<()> {
        let orders = Orders::new()?;
        let mut next = Instant::now();
        for at in 0.. {
            while Instant::now() < next {
                self.look(running)?;
                tokio::time::sleep(LOOK).await;
            }
            next += LIVE_EVERY;
            let placed = running.handle().with(|world, now| {
                let amazon = world.vendor_mut::<Amazon>().context("no Amazon")?;
                let id = amazon.place(&orders.nth(at), false, now)?;
                amazon.alter(&id, &Deed::Pay, true, now)?;
                anyhow::Ok(id)
            });
            self.open.insert(placed?, Instant::now());
        }
        Ok(())
    }

    /// Until the last of them is booked.
    async fn settle(&mut self, running: &server::Running) -> anyhow::Result<()> {
        while !self.open.is_empty() {
            self.look(running)?;
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    fn look(&mut self, running: &server::Running) -> anyhow::Result<()> {
        let booked: Vec<String> = running.handle().with(|world, _| {
            let netsuite = world.vendor::<NetSuite>();
            let is_booked = |id: &&String| {
                let external = format!("amazon:Order:{id}:transaction");
                netsuite.is_some_and(|netsuite| netsuite.has_transaction(&external))
            };
            self.open.keys().filter(is_booked).cloned().collect()
        });
        for id in booked {
            if let Some(placed) = self.open.remove(&id) {
                self.delays.add(placed.elapsed());
            }
        }
        let late = self
            .open
            .values()
            .find(|placed| placed.elapsed() > LIVE_MAX);
        ensure!(
            late.is_none(),
            "a live order was not booked in {LIVE_MAX:?}"
        );
        Ok(())
    }
}

/// What customers order.
struct Orders {
    skus: Vec<(String, i64)>,
    marketplaces: Vec<&'static Marketplace>,
}

impl Orders {
    fn new() -> anyhow::Result<Self> {
        let catalogue = Catalogue::new(SEED);
        let sold = catalogue
            .items
            .iter()
            .filter(|item| item.kind != ItemKind::Service);
        let marketplaces: Vec<_> = ["US", "CA", "UK"]
            .into_iter()
            .filter_map(Marketplace::by_country)
            .collect();
        ensure!(!marketplaces.is_empty(), "there is no marketplace");
        Ok(Self {
            skus: sold
                .map(|item| (item.sku.clone(), item.price_cents))
                .collect(),
            marketplaces,
        })
    }

    fn nth(&self, at: u32) -> NewOrder {
        let (sku, cents) = &self.skus[at as usize % self.skus.len()];
        let item = NewItem {
            sku: sku.clone(),
            quantity: 1 + at % 3,
            unit_price: rust_decimal::Decimal::new(*cents, 2),
            shipping: rust_decimal::Decimal::new(499, 2),
            ..NewItem::default()
        };
        NewOrder {
            marketplace: self.marketplaces[at as usize % self.marketplaces.len()],
            fulfilled_by: FulfilledBy::Merchant,
            items: vec![item],
            is_business: false,
            purchase_order: None,
            seller_order_id: None,
        }
    }
}

/// The flow's own routes.
struct Flow {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: String,
}

impl Flow {
    fn new(host: SocketAddr, token: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base: format!("http://{host}/flows/{PULLED}"),
            token: token.to_owned(),
        }
    }

    async fn post(&self, path: &str) -> anyhow::Result<Value> {
        let request = Request::post(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Full::default())?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&body);
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_slice(&body)?)
    }
}
