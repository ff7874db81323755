//! Measures this machine: plain fsynced commits, group commits, and reads.
//!
//! `cargo run --release -p sluice --example measure`

use std::sync::Arc;
use std::time::{Duration, Instant};

use host::stores::{Database, SqlLimits, Value};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, body TEXT NOT NULL)";
const INSERT: &str = "INSERT INTO t (body) VALUES (?1)";
const PERIOD: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?)?;
    let plain = plain(&folder.path().join("plain.db"))?;
    println!("plain commits, fsynced: {plain}/s");
    for clients in [1, 4, 16, 64] {
        let file = folder.path().join(format!("grouped-{clients}.db"));
        let database = Arc::new(Database::open(&file, Some(SCHEMA), SqlLimits::default())?);
        let rate = run(&database, clients, INSERT).await?;
        let stats = database.stats();
        let shared = stats.statements as f64 / stats.commits.max(1) as f64;
        let factor = rate as f64 / plain as f64;
        println!(
            "{clients} clients: {rate} statements/s ({factor:.1} x plain, {shared:.1} a commit)"
        );
        let rate = run(
            &database,
            clients,
            "SELECT body FROM t WHERE body <> ?1 LIMIT 1",
        )
        .await?;
        println!("{clients} clients: {rate} reads/s");
        database.close();
    }
    Ok(())
}

fn plain(file: &std::path::Path) -> rusqlite::Result<u64> {
    let connection = rusqlite::Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(SCHEMA)?;
    let mut insert = connection.prepare(INSERT)?;
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < PERIOD {
        insert.execute([body(count)])?;
        count += 1;
    }
    Ok(per_second(count, started.elapsed()))
}

async fn run(
    database: &Arc<Database>,
    clients: usize,
    sql: &'static str,
) -> Result<u64, Box<dyn std::error::Error>> {
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while started.elapsed() < PERIOD {
                    database
                        .execute(sql, vec![Value::Text(body(count))])
                        .await?;
                    count += 1;
                }
                Ok::<u64, host::stores::SqlError>(count)
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await??;
    }
    Ok(per_second(count, started.elapsed()))
}

fn body(count: u64) -> String {
    format!("{count:0>200}")
}

fn per_second(count: u64, took: Duration) -> u64 {
    count * 1000 / u64::try_from(took.as_millis().max(1)).unwrap_or(u64::MAX)
}
