//! The ground a worker stands on: simulated vendors, stores, clock and chance, every touch of them one step.
//!
//! Nothing waits but a worker that a misfortune stopped; the same seed and the same plan give the same steps.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};
use sandbox::misfortune::{Misfortune as Mishap, What};
use sandbox::{Reply, World};

use crate::hand::Fated;
use crate::misfortune::Misfortune;

/// Simulated vendors, stores, clock and chance, shared by the workers that come and go.
#[derive(Clone)]
pub struct Ground(Arc<Mutex<State>>);

/// One touch of the outside by a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which worker, by the number of its start.
    pub worker: usize,
    pub kind: Kind,
    /// What was touched: a key, the start of a statement, method and path.
    pub label: String,
}

/// What a step touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    KeyValueRead,
    KeyValueWrite,
    SqlRead,
    SqlWrite,
    Request,
}

/// Why a step on a store has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Locked by somebody else; nothing happened.
    Busy,
    /// It happened, and the answer was lost.
    Lost,
    /// The database's own word.
    Sql(String),
}

/// Why a request has no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestError {
    NotSent,
    Lost,
}

/// The rows of one statement.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// What became of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Running,
    /// It ended in the middle of a step.
    Crashed,
    /// It stands still before a step until then.
    Stalled(Timestamp),
}

pub(crate) struct State {
    pub world: World,
    /// Vendors by the host name of their address.
    pub hosts: BTreeMap<String, &'static str>,
    pub now: Timestamp,
    pub key_value: BTreeMap<String, Vec<u8>>,
    sql: Connection,
    steps: Vec<Step>,
    plan: BTreeMap<usize, Misfortune>,
    /// What befalls steps by what they touch.
    pub fated: Vec<Fated>,
    pub workers: Vec<Worker>,
    seed: u64,
    /// Whether workers take turns step by step.
    turns: bool,
    /// What a hook was answered, checked in the moment of the answer.
    pub unkept: Vec<String>,
}

pub(crate) struct Worker {
    fate: Fate,
    random: Rng,
    /// How far its clock is ahead.
    pub drift: SignedDuration,
    wakers: Vec<Waker>,
    /// The answer it gave.
    response: Option<Response<Bytes>>,
    /// For a hook: what must be durable when it is acknowledged.
    promised: Vec<String>,
}

/// What a step of each kind takes.
const STORE_STEP: SignedDuration = SignedDuration::from_millis(1);
const REQUEST_STEP: SignedDuration = SignedDuration::from_millis(40);
/// How long a stalled worker stands still: longer than every lease.
const STALL: SignedDuration = SignedDuration::from_mins(7);
/// How late a request takes effect whose caller has given up.
const LATE: Duration = Duration::from_secs(4 * 60);

impl Ground {
    /// `hosts` names the vendor behind each host name; `plan` says what befalls which step; with `turns`,
    /// workers give way to each other before every step.
    ///
    /// # Errors
    /// If no database can be opened.
    pub fn new(
        world: World,
        hosts: BTreeMap<String, &'static str>,
        seed: u64,
        now: Timestamp,
        plan: BTreeMap<usize, Misfortune>,
        turns: bool,
    ) -> Result<Self, String> {
        let sql = Connection::open_in_memory().map_err(|error| error.to_string())?;
        Ok(Self(Arc::new(Mutex::new(State {
            world,
            hosts,
            now,
            key_value: BTreeMap::new(),
            sql,
            steps: Vec::new(),
            plan,
            fated: Vec::new(),
            workers: Vec::new(),
            seed,
            turns,
            unkept: Vec::new(),
        }))))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh worker; `promised` are the ids a hook announces.
    pub fn hire(&self, promised: Vec<String>) -> usize {
        let mut state = self.state();
        let worker = state.workers.len();
        let seed = state.seed ^ (worker as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state.workers.push(Worker {
            fate: Fate::Running,
            random: Rng::with_seed(seed),
            drift: SignedDuration::ZERO,
            wakers: Vec::new(),
            response: None,
            promised,
        });
        worker
    }

    /// What became of a worker.
    pub fn fate(&self, worker: usize) -> Fate {
        self.state().workers[worker].fate.clone()
    }

    /// Lets a stalled worker go on.
    pub fn resume(&self, worker: usize) {
        let mut state = self.state();
        state.workers[worker].fate = Fate::Running;
        for waker in std::mem::take(&mut state.workers[worker].wakers) {
            waker.wake();
        }
    }

    /// The answer a worker gave, once.
    pub fn answer(&self, worker: usize) -> Option<Response<Bytes>> {
        self.state().workers[worker].response.take()
    }

    /// Every step so far.
    pub fn steps(&self) -> Vec<Step> {
        self.state().steps.clone()
    }

    /// The worker answers its request. What it acknowledges must be durable now.
    pub fn respond(&self, worker: usize, response: Response<Bytes>) {
        let mut state = self.state();
        if response.status().is_success() {
            let promised = std::mem::take(&mut state.workers[worker].promised);
            for id in promised {
                if !state.is_kept(&id) {
                    let broken = format!("{id} was acknowledged before it was durable");
                    state.unkept.push(broken);
                }
            }
        }
        state.workers[worker].response = Some(response);
    }

    /// The time; it moves with every step.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// Random bytes of this worker's own.
    pub fn fill(&self, worker: usize, bytes: &mut [u8]) {
        self.state().workers[worker].random.fill(bytes);
    }

    pub async fn get(&self, worker: usize, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.on_store(worker, Kind::KeyValueRead, key, |state| {
            Ok(state.key_value.get(key).cloned())
        })
        .await
    }

    pub async fn set(&self, worker: usize, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.on_store(worker, Kind::KeyValueWrite, key, |state| {
            state.key_value.insert(key.to_owned(), value.to_owned());
            Ok(())
        })
        .await
    }

    pub async fn delete(&self, worker: usize, key: &str) -> Result<(), StoreError> {
        self.on_store(worker, Kind::KeyValueWrite, key, |state| {
            state.key_value.remove(key);
            Ok(())
        })
        .await
    }

    /// One statement, committed when this returns.
    pub async fn sql(
        &self,
        worker: usize,
        statement: &str,
        parameters: Vec<Cell>,
    ) -> Result<Rows, StoreError> {
        let read = statement.trim_start().starts_with("SELECT");
        let kind = if read { Kind::SqlRead } else { Kind::SqlWrite };
        let words: Vec<&str> = statement.split_whitespace().take(6).collect();
        self.on_store(worker, kind, &words.join(" "), |state| {
            state.query(statement, parameters)
        })
        .await
    }

    /// One request to a vendor. `timeout` is how long the worker waits for an answer.
    pub async fn send(
        &self,
        worker: usize,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, RequestError> {
        let label = format!("{} {}", request.method(), request.uri().path());
        let misfortune = self.arrive(worker, Kind::Request, &label).await;
        let waited = SignedDuration::try_from(timeout).unwrap_or(SignedDuration::MAX);
        let what = match misfortune {
            None => None,
            Some(Misfortune::NotSent) => return Err(RequestError::NotSent),
            Some(Misfortune::CrashAfter | Misfortune::AnswerLost) => Some(What::CommitThenDrop),
            Some(Misfortune::TimedOut) => Some(What::DropBefore),
            Some(Misfortune::TakesEffectLate) => Some(What::LateCommit {
                after_ms: LATE.as_millis() as u64,
                hang_ms: 0,
            }),
            Some(Misfortune::Refused(refusal)) => Some(What::Refuse(refusal)),
            Some(Misfortune::Garbled(how)) => Some(What::Garble(how)),
            // Suffered on arrival, or befall stores only.
            Some(Misfortune::CrashBefore | Misfortune::Stall | Misfortune::Busy) => None,
        };
        let reply = self.state().put(request, what);
        match (misfortune, reply) {
            (Some(Misfortune::CrashAfter), _) => self.crash(worker).await,
            (_, None) => Err(RequestError::NotSent),
            (_, Some(Reply::Answer { response, delay })) => {
                let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
                let mut state = self.state();
                if delay > waited {
                    state.now += waited;
                    return Err(RequestError::Lost);
                }
                state.now += delay;
                Ok(response)
            }
            (Some(Misfortune::AnswerLost), Some(Reply::Dropped { .. })) => Err(RequestError::Lost),
            (_, Some(Reply::Dropped { .. })) => {
                self.state().now += waited;
                Err(RequestError::Lost)
            }
        }
    }

    async fn on_store<T>(
        &self,
        worker: usize,
        kind: Kind,
        label: &str,
        effect: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let misfortune = self.arrive(worker, kind, label).await;
        if misfortune == Some(Misfortune::Busy) {
            return Err(StoreError::Busy);
        }
        let result = effect(&mut self.state());
        match misfortune {
            Some(Misfortune::CrashAfter) => self.crash(worker).await,
            Some(Misfortune::AnswerLost) => Err(StoreError::Lost),
            _ => result,
        }
    }

    /// Counts the step and says what befalls it. A crash before it, or a stall, is suffered here.
    async fn arrive(&self, worker: usize, kind: Kind, label: &str) -> Option<Misfortune> {
        if self.state().turns {
            yield_once().await;
        }
        // A worker that ended does nothing more, whatever else of it was under way.
        if let Fate::Crashed = self.fate(worker) {
            return pending().await;
        }
        let misfortune = {
            let mut state = self.state();
            let number = state.steps.len();
            state.steps.push(Step {
                worker,
                kind,
                label: label.to_owned(),
            });
            state.now += match kind {
                Kind::Request => REQUEST_STEP,
                _ => STORE_STEP,
            };
            let planned = state.plan.get(&number).copied();
            let fated = || state.befallen(worker, kind, label);
            planned.or_else(fated).map(|planned| planned.on(kind))
        };
        match misfortune {
            Some(Misfortune::CrashBefore) => self.crash(worker).await,
            Some(Misfortune::Stall) => {
                {
                    let mut state = self.state();
                    let until = state.now + STALL;
                    state.workers[worker].fate = Fate::Stalled(until);
                }
                poll_fn(|context| {
                    let worker = &mut self.state().workers[worker];
                    match worker.fate {
                        Fate::Stalled(_) => {
                            worker.wakers.push(context.waker().clone());
                            Poll::Pending
                        }
                        _ => Poll::Ready(()),
                    }
                })
                .await;
                None
            }
            other => other,
        }
    }

    /// The worker ends here: whoever drives it drops it.
    async fn crash<T>(&self, worker: usize) -> T {
        self.state().workers[worker].fate = Fate::Crashed;
        pending().await
    }
}

impl State {
    /// Puts a request to the vendor of its address.
    fn put(&mut self, request: Request<Bytes>, what: Option<What>) -> Option<Reply> {
        let vendor = *self.hosts.get(request.uri().host()?)?;
        let Some(what) = what else {
            return self.world.handle(vendor, request, self.now);
        };
        self.world.misfortunes().add(Mishap {
            times: Some(1),
            ..Mishap::new(what)
        });
        let reply = self.world.handle(vendor, request, self.now);
        self.world.misfortunes().clear();
        reply
    }

    /// Runs one statement, for a worker or for whoever looks on.
    pub(crate) fn query(
        &mut self,
        statement: &str,
        parameters: Vec<Cell>,
    ) -> Result<Rows, StoreError> {
        let failed = |error: rusqlite::Error| StoreError::Sql(error.to_string());
        let mut prepared = self.sql.prepare_cached(statement).map_err(failed)?;
        let columns: Vec<String> = prepared
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut found = prepared
            .query(params_from_iter(parameters))
            .map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            let cells = (0..columns.len()).map(|column| row.get::<_, Cell>(column));
            rows.push(cells.collect::<Result<_, _>>().map_err(failed)?);
        }
        Ok(Rows { columns, rows })
    }

    /// What an onlooker reads of the stores: nothing before the first migration, everything after it. A look
    /// that fails is a wrong of the run, or the run would seem well for want of sight.
    pub(crate) fn look(&mut self, statement: &str, parameters: Vec<Cell>) -> Vec<Vec<Cell>> {
        match self.query(statement, parameters) {
            Ok(rows) => rows.rows,
            Err(_) if !self.is_migrated() => Vec::new(),
            Err(error) => {
                let broken = format!("the stores can't be looked at: {error:?}: {statement}");
                if !self.unkept.contains(&broken) {
                    self.unkept.push(broken);
                }
                Vec::new()
            }
        }
    }

    fn is_migrated(&mut self) -> bool {
        let tables = self.query("SELECT 1 FROM sqlite_master LIMIT 1", Vec::new());
        tables.is_ok_and(|tables| !tables.rows.is_empty())
    }

    /// What stands after this prefix in the keys that begin with it.
    pub(crate) fn keys_after(&self, prefix: &str) -> Vec<String> {
        let keys = self.key_value.keys();
        keys.filter_map(|key| key.strip_prefix(prefix))
            .map(str::to_owned)
            .collect()
    }

    /// Whether a record that a hook announced is in the queue, or was settled.
    fn is_kept(&mut self, id: &str) -> bool {
        let statement =
            "SELECT 1 FROM queue WHERE id = ?1 UNION SELECT 1 FROM outcome WHERE id = ?1";
        !self
            .look(statement, vec![Cell::Text(id.to_owned())])
            .is_empty()
    }
}

/// Lets whoever drives this worker choose another one.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| match std::mem::replace(&mut yielded, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
