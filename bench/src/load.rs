//! Connections that each do one thing after the other, for a while.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tokio::task::LocalSet;

use crate::hooks::Connection;
use crate::times::Times;
use crate::usage;

/// The name of the thread that sends.
const THREAD: &str = "load";

/// What a load did.
pub struct Driven {
    pub times: Times,
    pub took: Duration,
    /// CPU time of sending.
    pub cpu: Duration,
}

impl Driven {
    pub fn per_second(&self) -> f64 {
        self.times.count() as f64 / self.took.as_secs_f64()
    }
}

/// Opens connections; each runs `step` again and again until the period is over, and what it began then
/// it finishes. `step` gives the time to count.
pub fn drive<S>(
    address: SocketAddr,
    connection_count: usize,
    period: Duration,
    step: S,
) -> anyhow::Result<Driven>
where
    S: AsyncFn(&mut Connection) -> anyhow::Result<Duration> + Send + 'static,
{
    let thread = std::thread::Builder::new()
        .name(THREAD.into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let times = LocalSet::new();
            let started = Instant::now();
            let times = times.block_on(
                &runtime,
                all(address, connection_count, started + period, step),
            )?;
            Ok(Driven {
                times,
                took: started.elapsed(),
                cpu: usage::of_threads(THREAD)?,
            })
        })?;
    thread.join().map_err(|_| anyhow!("the load broke off"))?
}

async fn all<S>(
    address: SocketAddr,
    connection_count: usize,
    end: Instant,
    step: S,
) -> anyhow::Result<Times>
where
    S: AsyncFn(&mut Connection) -> anyhow::Result<Duration> + 'static,
{
    let step = Rc::new(step);
    let mut tasks = Vec::new();
    for _ in 0..connection_count {
        let mut connection = Connection::open(address).await?;
        let step = step.clone();
        tasks.push(tokio::task::spawn_local(async move {
            let mut times = Times::default();
            while Instant::now() < end {
                times.add(step(&mut connection).await?);
            }
            Ok::<_, anyhow::Error>(times)
        }));
    }
    let mut times = Times::default();
    for task in tasks {
        times.append(task.await??);
    }
    Ok(times)
}
