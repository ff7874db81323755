//! Plays the day: its events, the schedules' ticks, and waiting until nothing is left to do.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use sandbox::World;
use sandbox::amazon::Amazon;
use sandbox::day::{Day, Performance};
use serde_json::Value as Json;
use tokio::time::MissedTickBehavior;

use super::clock::{Clock, DAY, MinutesSeconds, Moment};
use super::left;
use super::market::Market;
use super::screen::Screen;
use super::stage::Stage;
use super::summary::{Summary, settle};
use super::tell::Teller;
use super::watch::Watch;

/// Amazon lists a change this long after it happened, and its connector asks for none that is younger. These
/// minutes are real ones, however fast the day goes.
const AMAZON_LISTS_AFTER: Duration = Duration::from_secs(2 * 60);
/// How much later everything must be done. An order that nobody announced is listed, then cancelled, and its
/// cancellation, which nobody announces either, is listed in turn: about four minutes. A record that found its
/// login refused right after another, on a slow machine say, is tried again after five minutes to seven and a half.
const REST_MAX: Duration = Duration::from_secs(510);
/// Between two looks at the script.
const STEP: Duration = Duration::from_millis(100);
/// How many of them the flow may take to confirm its subscription: ten seconds.
const CONFIRMED_STEPS_MAX: usize = 100;
/// Between two looks at what the flows did.
const LOOK: Duration = Duration::from_millis(500);
/// Between two ticks of a schedule: a quarter of an hour of the day.
const TICK: Duration = Duration::from_millis(1500);

/// What the parts of a performance share.
struct Shared<'a> {
    stage: &'a Stage,
    screen: &'a Screen,
    clock: Clock,
    performance: Mutex<Performance>,
    watch: Mutex<Watch>,
    /// Opportunities' names by id.
    names: BTreeMap<String, String>,
}

/// Plays a whole day, waits until the flows are done with it, and compares all systems.
///
/// Fails if the day can't be played, or if something is left to do at the limit; what, the error says.
pub(super) async fn play(stage: &Stage, screen: &Screen) -> anyhow::Result<Summary> {
    screen.title(&format!("A day of business, seed {}", stage.seed));
    begin(stage).await?;
    confirmed(stage).await?;
    let seed = stage.seed;
    let plan = |world: &mut World, now| Day::plan(seed, world, now)?.with_amazon(seed, world);
    let day = stage.sandbox.handle().with(plan)?;
    let script = Market::planned(&day);
    let total = day.events.len();
    let shared = Shared {
        stage,
        screen,
        clock: Clock::start(),
        performance: Mutex::new(Performance::new(day)),
        watch: Mutex::new(Watch::new(
            named(stage, "netsuite/currency", "id", "symbol").await?,
        )),
        names: named(stage, "salesforce/Opportunity", "Id", "Name").await?,
    };
    let worked = tokio::select! {
        acted = act(&shared, total) => acted,
        ended = schedule(&shared) => ended,
        ended = tell(&shared) => ended,
    };
    worked?;
    let statuses = calm(&shared).await?;
    // Once more: what happened since the last look.
    look(&shared).await?;
    let took = shared.clock.now().real();
    let seen = held(&shared.watch).counts.clone();
    let ledger = held(&shared.performance).ledger().clone();
    settle(stage, &ledger, &script, seen, took, &statuses).await
}

/// The schedules have been running before business opens: what nobody announces is found from here on.
async fn begin(stage: &Stage) -> anyhow::Result<()> {
    for flow in &stage.flows {
        for component in &flow.schedule {
            let ticked = stage.host.tick(component).await;
            if let Err(error) = ticked {
                // A flow that can't work at all says why.
                stage.client.get(&flow.url).await?;
                let context = format!("the first tick of {component} failed");
                return Err(anyhow::Error::from(error).context(context));
            }
        }
        let status = stage.client.get(&flow.url).await?;
        let is_placed = !status["cursor"]["streams"].is_null();
        anyhow::ensure!(is_placed, "{} has no cursor after its first run", flow.name);
    }
    Ok(())
}

/// Notifications are sent only once the flow has confirmed that it wants them.
async fn confirmed(stage: &Stage) -> anyhow::Result<()> {
    let is_confirmed = |world: &mut World, _| {
        let amazon = world.vendor::<Amazon>();
        amazon.is_some_and(Amazon::has_confirmed_topic)
    };
    for _ in 0..CONFIRMED_STEPS_MAX {
        if stage.sandbox.handle().with(is_confirmed) {
            return Ok(());
        }
        tokio::time::sleep(STEP).await;
    }
    anyhow::bail!("the flow did not confirm its subscription to Amazon's topic")
}

/// The script, then the wait until all is done.
async fn act(shared: &Shared<'_>, total: usize) -> anyhow::Result<()> {
    let mut clock = tokio::time::interval(STEP);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut teller = Teller::default();
    let mut last = Timestamp::UNIX_EPOCH;
    let mut is_evening = false;
    loop {
        clock.tick().await;
        let moment = shared.clock.now();
        let (done, happened) = {
            let handle = shared.stage.sandbox.handle();
            let mut performance = held(&shared.performance);
            let happened = handle.with(|world, now| {
                let happened = performance.step(world, moment.of_day(), now)?;
                if !happened.is_empty() {
                    last = now;
                }
                anyhow::Ok(happened)
            })?;
            (total - performance.remaining().len(), happened)
        };
        for line in teller.tell(&happened, moment) {
            shared.screen.line(moment, &line);
        }
        if done == total {
            return rest(shared, last).await;
        }
        if moment.is_evening() && !is_evening {
            is_evening = true;
            shared.screen.note(&evening());
        }
        let orders = held(&shared.watch).orders_created();
        let waiting = if is_evening {
            waiting(moment)
        } else {
            String::new()
        };
        let message = format!("{done} of {total} events{waiting}; {orders} orders");
        shared.screen.progress(done, total, moment, &message);
        if shared.is_late() {
            let count = total - done;
            let left = left(shared, last).await?;
            anyhow::bail!(
                "{count} events still wait for their orders: {}",
                left::few(&left)
            );
        }
    }
}

/// What there is to wait for after business.
fn evening() -> String {
    let most = MinutesSeconds(REST_MAX);
    format!(
        "Business is over. What nobody announced, Amazon lists two minutes after it happened. Real minutes \
         from here on, {most} at most."
    )
}

/// What the last events wait for.
fn waiting(moment: Moment) -> String {
    let listed = DAY + AMAZON_LISTS_AFTER;
    match listed.checked_sub(moment.real()) {
        Some(left) => {
            let left = MinutesSeconds(left);
            format!(", the others wait for orders that Amazon lists within {left}")
        }
        None => ", the others wait for their orders".to_owned(),
    }
}

/// Until everything up to the last event is listed and worked off.
async fn rest(shared: &Shared<'_>, last: Timestamp) -> anyhow::Result<()> {
    let mut clock = tokio::time::interval(LOOK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut longest = Duration::ZERO;
    loop {
        clock.tick().await;
        let statuses = statuses(shared.stage).await?;
        let left = left_of(shared.stage, &statuses, last);
        if left.is_empty() {
            return Ok(());
        }
        anyhow::ensure!(!shared.is_late(), "not done in time: {}", left::few(&left));
        let gaps = statuses
            .iter()
            .flat_map(|status| left::unlisted(status, last));
        let gap = gaps.map(|(_, gap)| gap).max().unwrap_or_default();
        longest = longest.max(gap);
        let orders = held(&shared.watch).orders_created();
        let message = match gap.is_zero() {
            true => format!("everything is listed; working it off; {orders} orders"),
            false => {
                let gap = MinutesSeconds(gap);
                format!("{gap} until the last event is listed; {orders} orders")
            }
        };
        let seconds = |time: Duration| usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
        let (done, total) = (seconds(longest - gap), seconds(longest));
        shared
            .screen
            .progress(done, total, shared.clock.now(), &message);
    }
}

/// Ticks as the schedules would, each by itself, until dropped.
async fn schedule(shared: &Shared<'_>) -> anyhow::Result<()> {
    let components = shared.stage.flows.iter().flat_map(|flow| &flow.schedule);
    let ticking = components.map(|component| tick(shared.stage, component));
    futures::future::try_join_all(ticking).await.map(|_| ())
}

/// A tick that fails is made up for by the next.
async fn tick(stage: &Stage, component: &str) -> anyhow::Result<()> {
    loop {
        // Logged where it happens.
        let _ = stage.host.tick(component).await;
        tokio::time::sleep(TICK).await;
    }
}

/// Tells what the flows do, until dropped.
async fn tell(shared: &Shared<'_>) -> anyhow::Result<()> {
    loop {
        look(shared).await?;
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(shared: &Shared<'_>) -> anyhow::Result<()> {
    let (stage, admin) = (shared.stage, &shared.stage.sandbox.admin_url);
    let client = &stage.client;
    let orders = client.list(&format!("{admin}/netsuite/salesOrder")).await?;
    let customers = client.list(&format!("{admin}/netsuite/customer")).await?;
    let statuses = statuses(stage).await?;
    let lines = {
        let mut watch = held(&shared.watch);
        watch.customers(&customers);
        let mut lines = watch.orders(&orders);
        for (flow, status) in stage.flows.iter().zip(&statuses) {
            lines.extend(watch.status(flow.name, status, &shared.names));
        }
        lines
    };
    for line in &lines {
        shared.screen.line(shared.clock.now(), line);
    }
    Ok(())
}

/// The flows' statuses once nothing is left to do and no run is under way: the last tick may still be at it.
/// Read anew: a change is queued before its listing counts, so a queue looked at before that says nothing.
async fn calm(shared: &Shared<'_>) -> anyhow::Result<Vec<Json>> {
    loop {
        let statuses = statuses(shared.stage).await?;
        let left = left_of(shared.stage, &statuses, Timestamp::UNIX_EPOCH);
        let is_running = |status: &Json| status["runs"][0]["finished"].is_null();
        if left.is_empty() && !statuses.iter().any(is_running) {
            return Ok(statuses);
        }
        anyhow::ensure!(!shared.is_late(), "not done in time: {}", left::few(&left));
        tokio::time::sleep(STEP).await;
    }
}

async fn left(shared: &Shared<'_>, since: Timestamp) -> anyhow::Result<Vec<String>> {
    let statuses = statuses(shared.stage).await?;
    Ok(left_of(shared.stage, &statuses, since))
}

/// What is left of any flow, each with the flow's name.
fn left_of(stage: &Stage, statuses: &[Json], since: Timestamp) -> Vec<String> {
    let flows = stage.flows.iter().zip(statuses);
    let left = flows.flat_map(|(flow, status)| {
        let left = left::all(status, since);
        left.into_iter().map(|one| format!("{}: {one}", flow.name))
    });
    left.collect()
}

/// The status of each flow, in the order of the flows.
async fn statuses(stage: &Stage) -> anyhow::Result<Vec<Json>> {
    let asked = stage.flows.iter().map(|flow| stage.client.get(&flow.url));
    futures::future::try_join_all(asked).await
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

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(|lock| lock.into_inner())
}

impl Shared<'_> {
    fn is_late(&self) -> bool {
        self.clock.now().real() > DAY + REST_MAX
    }
}
