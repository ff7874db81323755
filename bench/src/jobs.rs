//! Whole jobs: a signed webhook, the fetch, the mapping, the upsert, the write-back; everything durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::application::{Application, Up};
use crate::artifacts::Artifacts;
use crate::hooks::{Connection, new_opportunity};
use crate::load::{Driven, drive};
use crate::report::{Figure, Report};
use crate::vendors::{self, Vendors};
use crate::{Setting, usage};

const CONNECTIONS: usize = 32;
/// More than there are connections: a job's lease ends a little after its write-back.
const CONCURRENCY_MAX: u32 = 128;
const WARM_UP: Duration = Duration::from_secs(2);
/// A job that takes longer is lost.
const JOB_MAX: Duration = Duration::from_secs(30);

pub fn run(setting: Setting) -> anyhow::Result<Report> {
    let artifacts = Artifacts::build()?;
    let application = Application::new(&artifacts, CONCURRENCY_MAX)?;
    let vendors = Arc::new(Vendors::start()?);
    let up = application.up(&vendors)?;
    let jobs = |connections, period| {
        let vendors = vendors.clone();
        let step = async move |connection: &mut Connection| job(connection, &vendors).await;
        drive(up.address, connections, period, step)
            .with_context(|| format!("the host's last words: {}", up.last_words()))
    };
    // The first one alone: it brings the tables, the customer and the items.
    jobs(1, Duration::from_millis(1))?;
    jobs(CONNECTIONS, WARM_UP)?;
    let before = Usage::now(&up, &vendors)?;
    let driven = jobs(CONNECTIONS, setting.period())?;
    let after = Usage::now(&up, &vendors)?;
    if let Some(request) = vendors.surprise() {
        bail!("the vendors were asked something unexpected: {request}");
    }
    report(driven, &before, &after, up.memory_max()?)
}

/// Announces a new opportunity; the time until its order number came back.
pub async fn job(connection: &mut Connection, vendors: &Vendors) -> anyhow::Result<Duration> {
    let opportunity = new_opportunity()?;
    let written_back = vendors.written_back(&opportunity);
    let sent = Instant::now();
    ensure!(
        connection.announce(&opportunity).await?,
        "a webhook was refused for now"
    );
    let arrived = tokio::time::timeout(JOB_MAX, written_back)
        .await
        .with_context(|| format!("{opportunity} was not written back within {JOB_MAX:?}"))??;
    Ok(arrived.duration_since(sent))
}

/// What everything has used so far.
struct Usage {
    at: Instant,
    host: Duration,
    vendors: Duration,
    machine: Duration,
    requests: u64,
}

impl Usage {
    fn now(up: &Up, vendors: &Vendors) -> anyhow::Result<Self> {
        Ok(Self {
            at: Instant::now(),
            host: up.cpu()?,
            vendors: usage::of_threads(vendors::THREAD)?,
            machine: usage::of_machine()?,
            requests: vendors.requests(),
        })
    }
}

fn report(
    mut driven: Driven,
    before: &Usage,
    after: &Usage,
    memory: u64,
) -> anyhow::Result<Report> {
    let count = driven.times.count() as f64;
    ensure!(count > 0.0, "not one job was done");
    let per_job = |time: Duration| time.as_secs_f64() * 1000.0 / count;
    let (host, vendors) = (after.host - before.host, after.vendors - before.vendors);
    let ours = host + vendors + driven.cpu;
    let others = (after.machine - before.machine).saturating_sub(ours);
    let cores = |time: Duration| time.as_secs_f64() / (after.at - before.at).as_secs_f64();
    let requests = (after.requests - before.requests) as f64;
    Ok(Report {
        name: "jobs",
        figures: vec![
            Figure::new("jobs", driven.per_second(), "1/s").at_least(1200.0),
            Figure::new(
                "webhook to write-back, p50",
                driven.times.quantile_ms(0.5),
                "ms",
            ),
            Figure::new(
                "webhook to write-back, p99",
                driven.times.quantile_ms(0.99),
                "ms",
            )
            .at_most(60.0),
            Figure::new("host memory, most", memory as f64 / 1e6, "MB").at_most(100.0),
            Figure::new("CPU of a job, host", per_job(host), "ms"),
            Figure::new("CPU of a job, load generator", per_job(driven.cpu), "ms"),
            Figure::new("CPU of a job, vendor stubs", per_job(vendors), "ms"),
            Figure::new("jobs that 2 free cores bear", 2000.0 / per_job(ours), "1/s"),
            Figure::new("requests to vendors of a job", requests / count, ""),
            Figure::new("cores used by this benchmark", cores(ours), ""),
            Figure::new("cores used by anything else", cores(others), ""),
        ],
    })
}
