//! Plays one run: business, webhooks and ticks as time goes by, until everything has come to rest.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use futures_util::future::LocalBoxFuture;
use http::{Method, Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value as Cell;
use sandbox::day::Performance;
use sandbox::salesforce::Salesforce;

use crate::ground::{Fate, Ground, Step};
use crate::misfortune::Misfortune;
use crate::rest::Rest;
use crate::scene::{BEGINS, Scene, Stage, promised};

/// A flow that can be put to work.
pub trait Flow {
    fn name(&self) -> &str;

    /// The system it reads from: whose business is played.
    fn source(&self) -> &str;

    /// A fresh worker answers one request through [`Ground::respond`] and works on until it is done. Every
    /// touch of the outside goes through the ground; dropping the work ends the worker.
    fn work(
        &self,
        ground: Ground,
        worker: usize,
        variables: BTreeMap<String, String>,
        request: Request<Bytes>,
    ) -> LocalBoxFuture<'static, ()>;
}

/// What is played.
#[derive(Clone, Debug)]
pub struct Play {
    pub scene: Scene,
    pub seed: u64,
    /// Which misfortune befalls which step.
    pub plan: BTreeMap<usize, Misfortune>,
    /// Workers race: ticks come doubled, webhooks together, and chance decides whose step is next.
    pub racing: bool,
}

/// How it ended.
#[derive(Debug)]
pub struct Played {
    pub steps: Vec<Step>,
    /// What stands in both systems and in the stores.
    pub rest: Rest,
    /// What was wrong on the way.
    pub unkept: Vec<String>,
}

/// Requests to the flow in one run, webhooks and ticks.
const CALL_COUNT_MAX: usize = 600;
/// Steps of the clock in one run: who waits for what nobody does would wait for ever.
const TURN_COUNT_MAX: usize = 20_000;
/// Runs until the first cursor stands.
const INSTALL_TICK_COUNT_MAX: usize = 5;
/// Of a run, what is asked for as old: all that happens in it.
const BACKFILLED: SignedDuration = SignedDuration::from_mins(66);
/// Polls of one worker between two steps of the world.
const POLL_COUNT_MAX: usize = 1_000_000;

/// Plays to the end.
///
/// # Errors
/// If the scene can't be set, or it never comes to rest; in words.
pub fn play(flow: &dyn Flow, play: &Play) -> Result<Played, String> {
    let now = Timestamp::from_second(BEGINS).map_err(|error| error.to_string())?;
    let stage = play.scene.set(flow.source(), flow.name(), play.seed, now)?;
    let Stage {
        world,
        day,
        tick,
        hosts,
        variables,
    } = stage;
    let plan = play.plan.clone();
    let ground = Ground::new(world, hosts, play.seed, now, plan, play.racing)?;
    let mut house = House {
        flow,
        ground,
        variables,
        began: now,
        tick_length: tick,
        performance: Performance::new(day),
        stalled: Vec::new(),
        call_count: 0,
        last_answer: None,
        is_calm: play.plan.is_empty() && !play.racing,
        racing: play.racing.then(|| Rng::with_seed(play.seed)),
        scene: play.scene,
        ran_well: false,
        backfilled: false,
    };
    house.play()?;
    let House {
        ground,
        performance,
        ..
    } = house;
    let mut state = ground.state();
    Ok(Played {
        rest: Rest::of(&mut state, performance.ledger(), flow.name()),
        unkept: std::mem::take(&mut state.unkept),
        steps: {
            drop(state);
            ground.steps()
        },
    })
}

struct House<'a> {
    flow: &'a dyn Flow,
    ground: Ground,
    variables: BTreeMap<String, String>,
    began: Timestamp,
    /// From one tick of the schedule to the next.
    tick_length: Duration,
    performance: Performance,
    stalled: Vec<Work>,
    call_count: usize,
    /// What the last tick was answered.
    last_answer: Option<String>,
    racing: Option<Rng>,
    /// Nothing is planned to go wrong.
    is_calm: bool,
    scene: Scene,
    /// The last run of the schedule came to its own end.
    ran_well: bool,
    /// The flow said that its backfill is done.
    backfilled: bool,
}

/// A worker under way.
struct Work {
    worker: usize,
    future: LocalBoxFuture<'static, ()>,
    /// The webhook it answers: vendor and delivery.
    hook: Option<(&'static str, u64)>,
}

impl House<'_> {
    fn play(&mut self) -> Result<(), String> {
        // Business begins once the flow has run: nothing before its first cursor is its own.
        for _ in 0..INSTALL_TICK_COUNT_MAX {
            self.tick()?;
            if !self.streams().is_empty() && self.stalled.is_empty() {
                break;
            }
            let again = self.ground.now() + self.tick_length;
            self.wait_until(again);
            self.go_on()?;
        }
        self.began = self.ground.now();
        let mut next_tick = self.began + self.tick_length;
        let mut turn_count = 0;
        loop {
            turn_count += 1;
            if self.call_count > CALL_COUNT_MAX || turn_count > TURN_COUNT_MAX {
                return Err(format!(
                    "does not come to rest: {CALL_COUNT_MAX} requests, and {}",
                    self.unrest()
                ));
            }
            let over = self.performance.is_over();
            let due = self.next_due();
            if over && due.is_none() && self.queue_due().is_none() && self.stalled.is_empty() {
                // Once more, so that what was skipped by a cursor has had its last chance.
                self.wait_until(next_tick.max(self.ground.now() + self.tick_length));
                self.tick()?;
                if self.ran_well && self.queue_due().is_none() && self.next_due().is_none() {
                    return Ok(());
                }
                next_tick = self.ground.now() + self.tick_length;
                continue;
            }
            let next = due.map_or(next_tick, |due| due.min(next_tick));
            self.wait_until(next);
            self.business()?;
            self.go_on()?;
            self.webhooks()?;
            if self.ground.now() >= next_tick {
                // What happened is old before anybody asks for it.
                if self.scene != Scene::Backfill || self.performance.is_over() {
                    self.tick()?;
                }
                next_tick = self.next_tick(over);
            }
        }
    }

    /// When something happens by itself, besides ticks.
    fn next_due(&self) -> Option<Timestamp> {
        let world = self.ground.state().world.next_due();
        let event = self.performance.remaining().first().map(|event| {
            let at = self.began + event.at;
            // What waits for an order is looked at with every tick.
            at.max(self.ground.now() + SignedDuration::from_mins(1))
        });
        let stalled = self.stalled.iter().filter_map(|work| self.until(work));
        world.into_iter().chain(event).chain(stalled).min()
    }

    fn until(&self, work: &Work) -> Option<Timestamp> {
        match self.ground.fate(work.worker) {
            Fate::Stalled(until) => Some(until),
            _ => None,
        }
    }

    /// After the last event, ticks come when something is due: nobody has to wait for 30 days.
    fn next_tick(&self, over: bool) -> Timestamp {
        let next = self.ground.now() + self.tick_length;
        match self.queue_due() {
            Some(due) if over => due.max(next),
            _ => next,
        }
    }

    fn queue_due(&self) -> Option<Timestamp> {
        let statement = "SELECT min(max(due, lease_until)) FROM queue WHERE state <> 'dead'";
        let rows = self.ground.state().look(statement, Vec::new());
        match rows.first()?.first()? {
            Cell::Integer(ms) => Timestamp::from_millisecond(*ms).ok(),
            _ => None,
        }
    }

    fn wait_until(&mut self, until: Timestamp) {
        let mut state = self.ground.state();
        state.now = state.now.max(until);
    }

    /// What people do.
    fn business(&mut self) -> Result<(), String> {
        let now = self.ground.now();
        let elapsed = now.duration_since(self.began).unsigned_abs();
        let mut state = self.ground.state();
        state.world.advance(now);
        let happened = self.performance.step(&mut state.world, elapsed, now);
        happened.map_err(|error| format!("the script can't be played: {error}"))?;
        Ok(())
    }

    /// Stalled workers whose time has come go on.
    fn go_on(&mut self) -> Result<(), String> {
        let now = self.ground.now();
        let (due, rest): (Vec<Work>, Vec<Work>) = std::mem::take(&mut self.stalled)
            .into_iter()
            .partition(|work| match self.ground.fate(work.worker) {
                Fate::Stalled(until) => until <= now,
                _ => true,
            });
        self.stalled = rest;
        for work in &due {
            self.ground.resume(work.worker);
        }
        self.run(due)
    }

    fn webhooks(&mut self) -> Result<(), String> {
        let now = self.ground.now();
        let due = self.ground.state().world.due(now);
        let mut works = Vec::new();
        for outgoing in due {
            let request = outgoing.delivery.request;
            let worker = self.ground.hire(promised(request.body()));
            let hook = Some((outgoing.vendor, outgoing.delivery.id));
            works.push(self.work(worker, request, hook));
            if self.racing.is_none() {
                self.run(std::mem::take(&mut works))?;
            }
        }
        self.run(works)
    }

    fn tick(&mut self) -> Result<(), String> {
        let count = if self.racing.is_some() { 2 } else { 1 };
        let works = (0..count)
            .map(|_| {
                let worker = self.ground.hire(Vec::new());
                let request = self.run_request();
                self.work(worker, request, None)
            })
            .collect();
        if self.scene != Scene::Schedule {
            self.hold_extraction();
        }
        self.ran_well = false;
        self.run(works)
    }

    /// The schedule is not to find what happened.
    fn hold_extraction(&self) {
        let statement = "INSERT OR REPLACE INTO lease (name, token, until) VALUES (?1, 1, ?2)";
        let until = self.ground.now() + SignedDuration::from_hours(1);
        // Before the first run there is no such table, and nothing to find either.
        for stream in self.streams() {
            let name = Cell::Text(format!("extract:{}:{stream}", self.flow.name()));
            let parameters = vec![name, Cell::Integer(until.as_millisecond())];
            self.ground.state().look(statement, parameters);
        }
    }

    /// The streams that have a cursor.
    fn streams(&self) -> Vec<String> {
        let prefix = format!("cursor:{}:", self.flow.name());
        self.ground.state().keys_after(&prefix)
    }

    fn run_request(&self) -> Request<Bytes> {
        let token = self
            .variables
            .get("flows_token")
            .cloned()
            .unwrap_or_default();
        let mut uri = format!("http://flow.sandbox/flows/{}/run", self.flow.name());
        let asks = self.scene == Scene::Backfill && self.performance.is_over();
        if asks && !self.backfilled {
            let from = self.began - SignedDuration::from_hours(1);
            let to = self.began + BACKFILLED;
            uri.push_str(&format!("?from={from}&to={to}"));
        }
        let request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        request.body(Bytes::new()).unwrap_or_default()
    }

    fn work(
        &mut self,
        worker: usize,
        request: Request<Bytes>,
        hook: Option<(&'static str, u64)>,
    ) -> Work {
        self.call_count += 1;
        let variables = self.variables.clone();
        let future = self
            .flow
            .work(self.ground.clone(), worker, variables, request);
        Work {
            worker,
            future,
            hook,
        }
    }

    /// Runs workers to their ends, one after another, or racing.
    fn run(&mut self, mut works: Vec<Work>) -> Result<(), String> {
        let mut poll_count = 0;
        while !works.is_empty() {
            poll_count += 1;
            if poll_count > POLL_COUNT_MAX {
                return Err("a worker neither works nor ends".to_owned());
            }
            let at = match &mut self.racing {
                Some(rng) => rng.usize(0..works.len()),
                None => 0,
            };
            let work = &mut works[at];
            let mut context = Context::from_waker(Waker::noop());
            let polled = Pin::new(&mut work.future).poll(&mut context);
            let ended = match polled {
                Poll::Ready(()) => true,
                Poll::Pending => match self.ground.fate(work.worker) {
                    Fate::Running => false,
                    Fate::Crashed => true,
                    Fate::Stalled(_) => {
                        let work = works.swap_remove(at);
                        self.stalled.push(work);
                        continue;
                    }
                },
            };
            if ended {
                let work = works.swap_remove(at);
                let answer = self.ground.answer(work.worker);
                self.deliver(&work, answer.as_ref());
            }
        }
        Ok(())
    }

    fn deliver(&mut self, work: &Work, answer: Option<&Response<Bytes>>) {
        if work.hook.is_none() {
            self.last_answer = answer.map(|answer| {
                let body = String::from_utf8_lossy(answer.body());
                format!("{} {}", answer.status(), body.trim())
            });
            let answer = answer.filter(|answer| answer.status().is_success());
            let report = answer.and_then(|answer| serde_json::from_slice(answer.body()).ok());
            let report: serde_json::Value = report.unwrap_or_default();
            // Busy: another run extracts; in this scene nobody is to.
            let ends: &[&str] = match self.scene {
                Scene::Schedule => &["done"],
                Scene::Webhooks | Scene::Backfill => &["done", "busy"],
            };
            self.backfilled |= report["backfill"]["state"] == "done";
            let is_through = self.scene != Scene::Backfill || self.backfilled;
            // Nor is a stream left for the next run.
            self.ran_well |= is_through
                && report["postponed"].is_null()
                && report["ended"]
                    .as_str()
                    .is_some_and(|ended| ends.contains(&ended));
        }
        if let Some((vendor, id)) = work.hook {
            let mut state = self.ground.state();
            let now = state.now;
            // Whoever has another way to hear of it would not notice.
            if self.is_calm && !answer.is_some_and(|answer| answer.status().is_success()) {
                let status = answer.map(Response::status);
                let broken = format!("a webhook of {vendor} was refused: {status:?}");
                state.unkept.push(broken);
            }
            state.world.delivered(vendor, id, answer, now);
        }
    }

    /// What keeps it from coming to rest.
    fn unrest(&self) -> String {
        let mut state = self.ground.state();
        let statement =
            "SELECT id || ' ' || state || ' ' || coalesce(fault, '') FROM queue LIMIT 3";
        let rows = state.look(statement, Vec::new());
        let items: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        let unacknowledged = state
            .world
            .vendor::<Salesforce>()
            .map_or(0, Salesforce::unacknowledged_count);
        let waiting = self.performance.remaining().len();
        format!(
            "{waiting} events and {unacknowledged} webhooks wait, the queue holds {}; the last run: {}",
            items.join(", "),
            self.last_answer.as_deref().unwrap_or("no answer")
        )
    }
}
