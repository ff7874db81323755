//! Plays the day: its events, the schedule's ticks, and waiting until nothing is left to do.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use sandbox::World;
use sandbox::day::{Day, Happened, LENGTH, Performance};
use serde_json::Value as Json;

use super::screen::{Colour, Line, Screen};
use super::stage::Stage;
use super::summary::{Summary, settle};
use super::watch::Watch;

/// How long the day takes here.
const DAY: Duration = Duration::from_secs(50);
/// How much later everything must be done.
const REST_MAX: Duration = Duration::from_secs(150);
/// Between two looks at the script.
const STEP: Duration = Duration::from_millis(100);
/// Between two looks at what the flow did.
const LOOK: Duration = Duration::from_millis(500);
/// Between two ticks of the schedule: a quarter of an hour of the day.
const TICK: Duration = Duration::from_millis(1500);

/// What is due later than this from now was done, and is only looked at once more.
const CONFIRMED_AFTER_MIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
/// Entries of the queue an error names.
const SHOWN_COUNT_MAX: usize = 10;

/// What the parts of a performance share.
struct Shared<'a> {
    stage: &'a Stage,
    screen: &'a Screen,
    started: Instant,
    performance: Mutex<Performance>,
    watch: Mutex<Watch>,
    ticks: AtomicUsize,
    /// Opportunities' names by id.
    names: BTreeMap<String, String>,
}

/// Plays a whole day, waits until the flow is done with it, and compares both systems.
///
/// Fails if the day can't be played, or if something is left to do at the limit; what, the error says.
pub(super) async fn play(stage: &Stage, screen: &Screen) -> anyhow::Result<Summary> {
    screen.title(&format!("A day of business, seed {}", stage.seed));
    // The schedule has been running before business opens: what nobody announces is found from here on.
    tick(stage)
        .await
        .context("the first tick of the schedule failed")?;
    let seed = stage.seed;
    let plan = |world: &mut World, now| Day::plan(seed, world, now);
    let day = stage.sandbox.handle().with(plan)?;
    let total = day.events.len();
    let shared = Shared {
        stage,
        screen,
        started: Instant::now(),
        performance: Mutex::new(Performance::new(day)),
        watch: Mutex::new(Watch::new(
            named(stage, "netsuite/currency", "id", "symbol").await?,
        )),
        ticks: AtomicUsize::new(0),
        names: named(stage, "salesforce/Opportunity", "Id", "Name").await?,
    };
    let worked = tokio::select! {
        acted = act(&shared, total) => acted,
        ended = schedule(&shared) => ended,
        ended = tell(&shared) => ended,
    };
    worked?;
    let status = calm(&shared).await?;
    // Once more: what happened since the last look.
    look(&shared).await?;
    let performance = shared
        .performance
        .into_inner()
        .unwrap_or_else(|lock| lock.into_inner());
    let counts = shared
        .watch
        .into_inner()
        .unwrap_or_else(|lock| lock.into_inner())
        .counts;
    settle(
        stage,
        performance.ledger(),
        counts,
        shared.started.elapsed(),
        &status,
    )
    .await
}

/// The script, then the wait until all is done.
async fn act(shared: &Shared<'_>, total: usize) -> anyhow::Result<()> {
    let mut clock = tokio::time::interval(STEP);
    loop {
        clock.tick().await;
        let elapsed = shared.elapsed();
        let done = {
            let handle = shared.stage.sandbox.handle();
            let mut performance = shared
                .performance
                .lock()
                .unwrap_or_else(|lock| lock.into_inner());
            let happened = handle.with(|world, now| performance.step(world, elapsed, now))?;
            for one in &happened {
                shared.screen.line(elapsed, &line(one));
            }
            total - performance.remaining().len()
        };
        shared.show(done, total);
        if done == total {
            break;
        }
        if shared.is_late() {
            let count = total - done;
            let left = left(shared).await?;
            anyhow::bail!("{count} events still wait for their orders: {}", few(&left));
        }
    }
    loop {
        clock.tick().await;
        shared.show(total, total);
        let before = shared.ticks.load(Ordering::Relaxed);
        let left = left(shared).await?;
        if left.is_empty() {
            // Two whole ticks later: the first may have begun before the last event.
            while shared.ticks.load(Ordering::Relaxed) < before + 2 && !shared.is_late() {
                clock.tick().await;
            }
            if self::left(shared).await?.is_empty() {
                return Ok(());
            }
        }
        if shared.is_late() {
            anyhow::bail!("not done in time: {}", few(&left));
        }
    }
}

/// Ticks as the schedule would, until dropped. A tick that fails is made up for by the next.
async fn schedule(shared: &Shared<'_>) -> anyhow::Result<()> {
    loop {
        if tick(shared.stage).await.is_ok() {
            shared.ticks.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(TICK).await;
    }
}

async fn tick(stage: &Stage) -> anyhow::Result<()> {
    for component in &stage.schedule {
        stage.host.tick(component).await?;
    }
    Ok(())
}

/// Tells what the flow does, until dropped.
async fn tell(shared: &Shared<'_>) -> anyhow::Result<()> {
    loop {
        look(shared).await?;
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(shared: &Shared<'_>) -> anyhow::Result<()> {
    let (client, admin) = (&shared.stage.client, &shared.stage.sandbox.admin_url);
    let orders = client.list(&format!("{admin}/netsuite/salesOrder")).await?;
    let customers = client.list(&format!("{admin}/netsuite/customer")).await?;
    let status = client.get(&shared.stage.flow_url).await?;
    let lines = {
        let mut watch = shared.watch.lock().unwrap_or_else(|lock| lock.into_inner());
        watch.customers(&customers);
        let mut lines = watch.orders(&orders);
        lines.extend(watch.status(&status, &shared.names));
        lines
    };
    for line in &lines {
        shared.screen.line(shared.elapsed(), line);
    }
    Ok(())
}

/// The flow's status once nothing is left to do and no run is under way: the last tick may still be at it.
async fn calm(shared: &Shared<'_>) -> anyhow::Result<Json> {
    loop {
        let status = shared.stage.client.get(&shared.stage.flow_url).await?;
        let left = left_in(&status);
        if left.is_empty() && !status["runs"][0]["finished"].is_null() {
            return Ok(status);
        }
        anyhow::ensure!(!shared.is_late(), "not done in time: {}", few(&left));
        tokio::time::sleep(STEP).await;
    }
}

async fn left(shared: &Shared<'_>) -> anyhow::Result<Vec<String>> {
    let status = shared.stage.client.get(&shared.stage.flow_url).await?;
    Ok(left_in(&status))
}

/// What is still to be done, in words. What only waits to be confirmed, minutes from now, counts as done.
fn left_in(status: &Json) -> Vec<String> {
    let queue = &status["queue"];
    let count = |name: &str| queue[name].as_u64().unwrap_or_default();
    let soon = jiff::Timestamp::now() + CONFIRMED_AFTER_MIN;
    let due = queue["oldest_due"]
        .as_str()
        .and_then(|due| due.parse().ok());
    let is_due = due.is_some_and(|due: jiff::Timestamp| due < soon);
    let mut left = Vec::new();
    for (name, count) in [
        ("in work", count("in_work")),
        ("ready", if is_due { count("ready") } else { 0 }),
        ("waiting", count("waiting")),
    ] {
        if count > 0 {
            left.push(format!("{count} {name}"));
        }
    }
    for list in ["retrying", "waiting"] {
        for item in status[list].as_array().into_iter().flatten() {
            let id = item["id"].as_str().unwrap_or_default();
            left.push(format!("{id}: {}", super::watch::fault(&item["fault"])));
        }
    }
    left
}

/// The first few, and how many more.
fn few(all: &[String]) -> String {
    let mut text = all
        .iter()
        .take(SHOWN_COUNT_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if all.len() > SHOWN_COUNT_MAX {
        text.push_str(&format!("; and {} more", all.len() - SHOWN_COUNT_MAX));
    }
    text
}

/// One field of every record of a list by another.
async fn named(
    stage: &Stage,
    list: &str,
    key: &str,
    name: &str,
) -> anyhow::Result<BTreeMap<String, String>> {
    let url = format!("{}/{list}", stage.sandbox.admin_url);
    let records = stage.client.list(&url).await?;
    let text = |record: &Json, field: &str| record[field].as_str().unwrap_or_default().to_owned();
    let pair = |record: &Json| (text(record, key), text(record, name));
    Ok(records.iter().map(pair).collect())
}

fn line(happened: &Happened) -> Line {
    let colour = match (happened.what, happened.system) {
        ("trouble", _) => Colour::Attention,
        (_, "netsuite") => Colour::Target,
        _ => Colour::Source,
    };
    let (subject, detail) = match happened.what {
        // A sentence, not a thing.
        "trouble" => (
            format!("{} {}", happened.subject, happened.detail),
            String::new(),
        ),
        _ => (happened.subject.clone(), happened.detail.clone()),
    };
    Line {
        what: happened.what,
        subject,
        detail,
        colour,
    }
}

impl Shared<'_> {
    /// On the day's own clock.
    fn elapsed(&self) -> Duration {
        let part = self.started.elapsed().as_secs_f64() / DAY.as_secs_f64();
        LENGTH.mul_f64(part)
    }

    fn is_late(&self) -> bool {
        self.started.elapsed() > DAY + REST_MAX
    }

    fn show(&self, done: usize, total: usize) {
        let counts = self
            .watch
            .lock()
            .unwrap_or_else(|lock| lock.into_inner())
            .counts;
        let message = format!("{done} of {total} events, {} orders", counts.orders_created);
        self.screen.progress(done, total, self.elapsed(), &message);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_is_named_and_confirmations_are_not() {
        let later = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(14)).to_string();
        let calm = json!({"queue": {"ready": 3, "to_confirm": 3, "in_work": 0, "waiting": 0,
            "dead": 1, "oldest_due": later}, "retrying": [], "waiting": []});
        assert_eq!(left_in(&calm), [""; 0]);
        let mut busy = calm.clone();
        busy["queue"]["oldest_due"] = json!(jiff::Timestamp::now().to_string());
        assert_eq!(left_in(&busy), ["3 ready"]);
        let mut waiting = calm.clone();
        waiting["queue"]["waiting"] = json!(1);
        waiting["waiting"] = json!([{"id": "006", "fault": {"code": "X", "message": "a\nb"}}]);
        assert_eq!(left_in(&waiting), ["1 waiting", "006: X: a b"]);
        let mut retrying = calm;
        let fields = json!([{"path": "total", "reason": "is odd"}]);
        retrying["retrying"] = json!([{"id": "006", "fault": {"code": "X", "fields": fields}}]);
        assert_eq!(left_in(&retrying), ["006: X: total is odd"]);
    }

    #[test]
    fn a_long_list_is_cut() {
        let all: Vec<String> = (0..12).map(|number| number.to_string()).collect();
        assert_eq!(few(&all), "0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more");
        assert_eq!(few(&all[..2]), "0; 1");
    }
}
