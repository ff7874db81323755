//! How long starting takes: an instance, and the host up to its first job. And what a component weighs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::Setting;
use crate::application::{Application, FLOW, variables};
use crate::artifacts::Artifacts;
use crate::hooks::Connection;
use crate::jobs::job;
use crate::load::drive;
use crate::report::{Figure, Report};
use crate::times::Times;
use crate::vendors::Vendors;

const STARTS: usize = 7;

pub fn run(setting: Setting) -> anyhow::Result<Report> {
    let artifacts = Artifacts::build()?;
    let size = |name| anyhow::Ok(artifacts.component(name).metadata()?.len() as f64 / 1e6);
    let application = Application::new(&artifacts, 10)?;
    let vendors = Arc::new(Vendors::start()?);
    let (mut listening, mut done) = (Times::default(), Times::default());
    first_job(&application, &vendors)?; // Compiles.
    for _ in 0..STARTS {
        application.forget()?;
        let (up, job) = first_job(&application, &vendors)?;
        listening.add(up);
        done.add(job);
    }
    let instance = instance_start(&application, &vendors, setting.period())?;
    Ok(Report {
        name: "start",
        figures: vec![
            Figure::new(
                "component, the flow",
                size("opportunity_to_sales_order")?,
                "MB",
            )
            .at_most(1.0),
            Figure::new("component, the scheduler", size("scheduler")?, "MB"),
            Figure::new(
                "starting an instance, mean",
                instance.as_secs_f64() * 1000.0,
                "ms",
            )
            .at_most(0.5),
            Figure::new(
                "sluice up to listening, median",
                listening.quantile_ms(0.5),
                "ms",
            ),
            Figure::new(
                "sluice up to first job, median",
                done.quantile_ms(0.5),
                "ms",
            )
            .at_most(1000.0),
        ],
    })
}

/// From starting the program on an empty state: until it listens, until its first job is done.
fn first_job(
    application: &Application,
    vendors: &Arc<Vendors>,
) -> anyhow::Result<(Duration, Duration)> {
    let up = application.up(vendors)?;
    let listening = up.started.elapsed();
    let (started, vendors) = (up.started, vendors.clone());
    let step = async move |connection: &mut Connection| {
        job(connection, &vendors).await?;
        Ok(started.elapsed())
    };
    let mut driven = drive(up.address, 1, Duration::from_millis(1), step)
        .with_context(|| format!("the host's last words: {}", up.last_words()))?;
    // The first, should there have been time for two.
    let first_ms = driven.times.quantile_ms(0.0);
    Ok((listening, Duration::from_secs_f64(first_ms / 1000.0)))
}

/// The mean time to start an instance, one at a time; the host itself takes it.
fn instance_start(
    application: &Application,
    vendors: &Vendors,
    period: Duration,
) -> anyhow::Result<Duration> {
    let manifest = host::Manifest::read(&application.manifest())?;
    let mut options = host::Options::new(application.state());
    options.variables = variables(vendors)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let running = runtime.block_on(host::Host::start(manifest, options))?;
    let nothing = async |connection: &mut Connection| {
        let started = Instant::now();
        connection.get(&format!("/hooks/{FLOW}/none")).await?;
        Ok(started.elapsed())
    };
    drive(
        running.address(),
        1,
        period.min(Duration::from_secs(5)),
        nothing,
    )?;
    let mean = running.stats().instance_start;
    runtime.block_on(running.shutdown());
    Ok(mean)
}
