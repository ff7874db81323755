//! The benchmarks of Sluice: `cargo build --release --workspace --bins && target/release/sluice-bench all`.
//!
//! Each is bounded in count and time, ends by itself, and talks to this machine only. What they showed, and
//! where the time goes, stands in `docs/PERFORMANCE.md`.

mod application;
mod artifacts;
mod backfill;
mod hooks;
mod jobs;
mod load;
mod mapping;
mod report;
mod start;
mod times;
mod usage;
mod vendors;
mod webhooks;

use std::time::Duration;

use clap::{Parser, Subcommand};

use report::Report;

/// Measures Sluice on this machine: loopback only, ends by itself.
///
/// Example: cargo build --release --workspace --bins && target/release/sluice-bench jobs --seconds 10
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Whole jobs: signed webhook, fetch, mapping, upsert, write-back; everything durable.
    Jobs(Setting),
    /// Webhooks verified, queued and acknowledged, beside plain SQLite commits.
    Webhooks(Setting),
    /// Starting: an instance, and the host up to its first job; the size of the component.
    Start(Setting),
    /// Mapping an opportunity with three lines, natively and in Wasm.
    Mapping(Setting),
    /// Old orders of Amazon beside live ones: records a second, memory, time by count, live orders' delay.
    Backfill(backfill::Extent),
    /// All of them but the backfill, which takes minutes.
    All(Setting),
}

/// How long, and in which form.
#[derive(clap::Args, Clone, Copy)]
pub struct Setting {
    /// How long each measurement takes, from 1 to 60.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Print JSON, one line a benchmark.
    #[arg(long)]
    json: bool,
}

impl Setting {
    pub fn period(self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().benchmark {
        Benchmark::Jobs(setting) => run(setting, &[jobs::run]),
        Benchmark::Webhooks(setting) => run(setting, &[webhooks::run]),
        Benchmark::Start(setting) => run(setting, &[start::run]),
        Benchmark::Mapping(setting) => run(setting, &[mapping::run]),
        Benchmark::Backfill(extent) => {
            let report = backfill::run(extent)?;
            show(&report, extent.json);
            Ok(())
        }
        Benchmark::All(setting) => run(
            setting,
            &[mapping::run, start::run, webhooks::run, jobs::run],
        ),
    }
}

fn run(
    setting: Setting,
    benchmarks: &[fn(Setting) -> anyhow::Result<Report>],
) -> anyhow::Result<()> {
    for benchmark in benchmarks {
        let report = benchmark(setting)?;
        show(&report, setting.json);
    }
    Ok(())
}

fn show(report: &Report, as_json: bool) {
    match as_json {
        true => println!("{}", report.json()),
        false => println!("{report}"),
    }
}
