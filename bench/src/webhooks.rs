//! Webhooks verified, queued and acknowledged, beside the rate of plain SQLite commits on the same disk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rusqlite::{Connection as Sqlite, OpenFlags};

use crate::Setting;
use crate::application::Application;
use crate::artifacts::Artifacts;
use crate::hooks::{Connection, new_opportunity};
use crate::load::drive;
use crate::report::{Figure, Report};
use crate::vendors::Vendors;

const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// One record at a time, and that one is kept waiting: nothing but receiving is measured.
const CONCURRENCY_MAX: u32 = 1;
/// Shorter than the limit of the request that is kept waiting.
const PERIOD_MAX: Duration = Duration::from_secs(20);

pub fn run(setting: Setting) -> anyhow::Result<Report> {
    let artifacts = Artifacts::build()?;
    let application = Application::new(&artifacts, CONCURRENCY_MAX)?;
    let vendors = Arc::new(Vendors::start()?);
    vendors.hold();
    let period = setting.period().min(PERIOD_MAX);
    // Before and after: the disk is shared with whatever else runs on this machine.
    let before = plain_commits(&application.folder().join("before.db"), period / 2)?;
    let mut measured = Vec::new();
    for connections in CONNECTIONS {
        measured.push(level(&application, &vendors, connections, period)?);
        application.forget()?;
    }
    let after = plain_commits(&application.folder().join("after.db"), period / 2)?;
    let plain = (before + after) / 2.0;
    let mut figures = vec![Figure::new("plain commits, fsynced", plain, "1/s")];
    for (connections, mut driven) in CONNECTIONS.into_iter().zip(measured) {
        let name = |what: &str| format!("{connections} connections: {what}");
        let rate = Figure::new(name("webhooks"), driven.per_second(), "1/s");
        let most = CONNECTIONS.last() == Some(&connections);
        figures.push(match most {
            true => rate.at_least(2.0 * plain),
            false => rate,
        });
        figures.push(Figure::new(
            name("of plain commits"),
            driven.per_second() / plain,
            "x",
        ));
        figures.push(Figure::new(
            name("p50"),
            driven.times.quantile_ms(0.5),
            "ms",
        ));
        figures.push(Figure::new(
            name("p99"),
            driven.times.quantile_ms(0.99),
            "ms",
        ));
    }
    Ok(Report {
        name: "webhooks",
        figures,
    })
}

fn level(
    application: &Application,
    vendors: &Arc<Vendors>,
    connections: usize,
    period: Duration,
) -> anyhow::Result<crate::load::Driven> {
    let up = application.up(vendors)?;
    let driven = drive(up.address, 1, Duration::from_millis(1), receive)?;
    let first = driven.times.count();
    let driven = drive(up.address, connections, period, receive)
        .with_context(|| format!("the host's last words: {}", up.last_words()))?;
    drop(up);
    // As after a crash: what was acknowledged must be there.
    let queued = queued(&application.state().join("sqlite").join("default.db"))?;
    let acknowledged = first + driven.times.count();
    ensure!(
        queued == acknowledged,
        "{acknowledged} acknowledged, {queued} queued"
    );
    Ok(driven)
}

async fn receive(connection: &mut Connection) -> anyhow::Result<Duration> {
    let opportunity = new_opportunity()?;
    let sent = Instant::now();
    ensure!(
        connection.announce(&opportunity).await?,
        "a webhook was refused for now"
    );
    Ok(sent.elapsed())
}

fn queued(file: &Path) -> anyhow::Result<usize> {
    // Not read-only: the log that the killed host left is read in first.
    let database = Sqlite::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let count: i64 = database.query_row("SELECT count(*) FROM queue", [], |row| row.get(0))?;
    Ok(usize::try_from(count)?)
}

/// One row a commit, each on the disk before the next begins: commits a second.
fn plain_commits(file: &Path, period: Duration) -> anyhow::Result<f64> {
    let database = Sqlite::open(file)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch("CREATE TABLE line (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")?;
    let mut insert = database.prepare("INSERT INTO line (body) VALUES (?1)")?;
    let body = "x".repeat(200);
    let started = Instant::now();
    let mut count = 0_u32;
    while started.elapsed() < period {
        insert.execute([&body])?;
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}
