//! The thread that owns a database's writing connection.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::statement::{Kind, Rows, SqlError, Value};

/// Limits of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlLimits {
    /// How long a statement may run.
    pub statement_time_max: Duration,
    /// How many bytes its rows may have together.
    pub result_bytes_max: usize,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self {
            statement_time_max: Duration::from_secs(10),
            result_bytes_max: 64 << 20,
        }
    }
}

/// A statement waiting to be written.
pub(super) struct Job {
    pub(super) sql: Arc<str>,
    pub(super) parameters: Vec<Value>,
    pub(super) answer: oneshot::Sender<Result<Rows, SqlError>>,
}

/// Statements and commits so far.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) statements: AtomicU64,
    pub(super) commits: AtomicU64,
}

/// So many statements share one commit at most: a bound on what a crash of the host repeats.
const BATCH_MAX: usize = 512;

/// VM instructions between two looks at the clock.
const CLOCK_EVERY: i32 = 20_000;

pub(super) struct Worker {
    connection: Connection,
    limits: SqlLimits,
    counters: Arc<Counters>,
}

/// Opens a connection with the settings of this host.
pub(super) fn connect(file: &Path, writing: bool) -> Result<Connection, SqlError> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags |= match writing {
        true => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        false => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(256);
    if writing {
        // FULL: a commit has reached the disk when it returns, also in WAL mode.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    }
    connection.authorizer(Some(authorize))?;
    Ok(connection)
}

/// A database is all a component sees of the disk, and it can't make it less durable.
fn authorize(context: AuthContext<'_>) -> Authorization {
    const FIXED: [&str; 4] = ["journal_mode", "synchronous", "locking_mode", "query_only"];
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
            Authorization::Deny
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value: Some(_),
        } if FIXED
            .iter()
            .any(|fixed| pragma_name.eq_ignore_ascii_case(fixed)) =>
        {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

impl Worker {
    pub(super) fn new(connection: Connection, limits: SqlLimits, counters: Arc<Counters>) -> Self {
        Self {
            connection,
            limits,
            counters,
        }
    }

    /// Serves the queue until every sender is gone.
    pub(super) fn run(self, queue: &Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            match queue.recv_timeout(Duration::from_secs(3600)) {
                Ok(job) => batch.push(job),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            }
            batch.extend(queue.try_iter().take(BATCH_MAX - 1));
            self.serve(&mut batch);
        }
    }

    /// Runs a batch, in order, and answers it.
    fn serve(&self, batch: &mut Vec<Job>) {
        self.counters
            .statements
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        let mut together = Vec::with_capacity(batch.len());
        for job in batch.drain(..) {
            // A request that is gone no longer wants its statement.
            if job.answer.is_closed() {
                continue;
            }
            match Kind::of(&job.sql) {
                Kind::Batched => together.push(job),
                Kind::Alone => {
                    self.serve_together(&mut together);
                    let result = self.run_one(&job);
                    answer(job, result);
                }
                Kind::Settled => {
                    let result = self.settled(&job.sql);
                    answer(job, result);
                }
                Kind::Transaction => answer(
                    job,
                    Err(SqlError::Failed(
                        "a transaction cannot span calls: every statement is one by itself"
                            .to_owned(),
                    )),
                ),
            }
        }
        self.serve_together(&mut together);
    }

    /// One transaction for all. If that fails as a whole, each runs by itself.
    fn serve_together(&self, jobs: &mut Vec<Job>) {
        let jobs = std::mem::take(jobs);
        if jobs.is_empty() {
            return;
        }
        if jobs.len() > 1
            && let Some(results) = self.run_together(&jobs)
        {
            for (job, result) in jobs.into_iter().zip(results) {
                answer(job, result);
            }
            return;
        }
        for job in jobs {
            let result = self.run_one(&job);
            answer(job, result);
        }
    }

    /// The results, once they are on the disk; none if the transaction as a whole came to nothing.
    fn run_together(&self, jobs: &[Job]) -> Option<Vec<Result<Rows, SqlError>>> {
        self.simple("BEGIN IMMEDIATE").ok()?;
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(self.run_nested(job));
            // Some failures (a full disk, RAISE(ROLLBACK)) end the transaction of everybody.
            if self.connection.is_autocommit() {
                return None;
            }
        }
        if self.simple("COMMIT").is_err() {
            if !self.connection.is_autocommit() {
                // Nothing of it was answered yet, so nothing is lost by running it again, one by one.
                self.simple("ROLLBACK").ok();
            }
            return None;
        }
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        Some(results)
    }

    /// One statement of many: it fails alone, and without a trace.
    fn run_nested(&self, job: &Job) -> Result<Rows, SqlError> {
        self.simple("SAVEPOINT statement")?;
        let result = run(&self.connection, &job.sql, &job.parameters, self.limits);
        if !self.connection.is_autocommit() {
            if result.is_err() {
                self.simple("ROLLBACK TO statement")?;
            }
            self.simple("RELEASE statement")?;
        }
        result
    }

    fn run_one(&self, job: &Job) -> Result<Rows, SqlError> {
        let result = run(&self.connection, &job.sql, &job.parameters, self.limits);
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        result
    }

    fn settled(&self, sql: &str) -> Result<Rows, SqlError> {
        let name = if sql.to_ascii_lowercase().contains("journal_mode") {
            "journal_mode"
        } else {
            "synchronous"
        };
        run(
            &self.connection,
            &format!("PRAGMA {name}"),
            &[],
            self.limits,
        )
    }

    fn simple(&self, sql: &str) -> Result<(), SqlError> {
        Ok(self
            .connection
            .prepare_cached(sql)?
            .execute([])
            .map(|_| ())?)
    }
}

fn answer(job: Job, result: Result<Rows, SqlError>) {
    // If nobody waits any more, the effect stands all the same: the caller's outcome is unknown.
    job.answer.send(result).ok();
}

/// Runs one statement to its end, within its limits.
pub(super) fn run(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
    limits: SqlLimits,
) -> Result<Rows, SqlError> {
    let deadline = Instant::now() + limits.statement_time_max;
    connection.progress_handler(CLOCK_EVERY, Some(move || Instant::now() > deadline))?;
    let result = collect(connection, sql, parameters, limits);
    match result {
        Err(SqlError::Failed(_)) if Instant::now() > deadline => Err(SqlError::Failed(format!(
            "the statement ran longer than {} ms",
            limits.statement_time_max.as_millis()
        ))),
        other => other,
    }
}

/// Runs a statement that only reads, unless that takes more than some thousand steps: then none, and it
/// can be run again elsewhere.
pub(super) fn run_briefly(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
    limits: SqlLimits,
) -> Option<Result<Rows, SqlError>> {
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = {
        let stopped = stopped.clone();
        move || {
            stopped.store(true, Ordering::Relaxed);
            true
        }
    };
    if let Err(error) = connection.progress_handler(CLOCK_EVERY, Some(stop)) {
        return Some(Err(error.into()));
    }
    let result = collect(connection, sql, parameters, limits);
    (!stopped.load(Ordering::Relaxed)).then_some(result)
}

fn collect(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
    limits: SqlLimits,
) -> Result<Rows, SqlError> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut found = Rows {
        rows: Vec::new(),
        columns,
    };
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(found.columns.len());
        for index in 0..found.columns.len() {
            let value = Value::read(row.get_ref(index)?)?;
            bytes += value.bytes();
            values.push(value);
        }
        if bytes > limits.result_bytes_max {
            return Err(SqlError::Failed(format!(
                "the rows have more than {} bytes",
                limits.result_bytes_max
            )));
        }
        found.rows.push(values);
    }
    Ok(found)
}
