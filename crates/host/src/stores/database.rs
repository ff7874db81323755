//! One SQLite file: a queue for what writes, a set of connections for what reads.
//!
//! **Writes** go to one thread. It takes whatever is waiting, runs it in one transaction (every statement
//! under its own savepoint, so that a failing one fails alone), commits with `synchronous=FULL`, and only
//! then answers. So under load one `fsync` serves many requests, and alone a request waits for exactly one.
//!
//! **Reads** see everything that was ever answered, and wait for no writer: WAL gives each its snapshot.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::statement::{Kind, Rows, SqlError, Value};
use super::worker::{Counters, Job, SqlLimits, Worker, connect, run, run_briefly};

/// An open database. Every statement is its own transaction.
pub struct Database {
    file: PathBuf,
    limits: SqlLimits,
    queue: Mutex<Option<Sender<Job>>>,
    worker: Mutex<Option<JoinHandle<()>>>,
    counters: Arc<Counters>,
    readers: Arc<Mutex<Vec<Connection>>>,
    /// Which statements only read; asked of SQLite once a text.
    reads: RwLock<HashMap<Arc<str>, bool>>,
}

/// What a database did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatabaseStats {
    /// Statements that went through the writer.
    pub statements: u64,
    /// Commits they shared.
    pub commits: u64,
}

impl std::ops::Add for DatabaseStats {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            statements: self.statements + other.statements,
            commits: self.commits + other.commits,
        }
    }
}

/// Idle reading connections that are kept.
const READERS_MAX: usize = 8;
/// Statement texts remembered as reading or writing; past that, they are asked for again.
const REMEMBERED_MAX: usize = 4096;

impl Database {
    /// Opens a file, making it if it is not there, and runs `schema` in it.
    pub fn open(file: &Path, schema: Option<&str>, limits: SqlLimits) -> Result<Self, SqlError> {
        let connection = connect(file, true)?;
        if let Some(schema) = schema {
            connection.execute_batch(schema)?;
        }
        let counters = Arc::new(Counters::default());
        let worker = Worker::new(connection, limits, counters.clone());
        let (sender, queue) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || worker.run(&queue))
            .map_err(|error| SqlError::Failed(format!("can't start the writer: {error}")))?;
        Ok(Self {
            file: file.to_path_buf(),
            limits,
            queue: Mutex::new(Some(sender)),
            worker: Mutex::new(Some(thread)),
            counters,
            readers: Arc::default(),
            reads: RwLock::default(),
        })
    }

    /// Runs one statement. What it changed is on the disk when this returns.
    ///
    /// Repeating after an error is safe: the statement had no effect. Dropping the future is not: it may
    /// still take effect.
    pub async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        let sql: Arc<str> = sql.into();
        if self.only_reads(&sql) {
            return self.read(sql, parameters).await;
        }
        let (answer, answered) = oneshot::channel();
        let job = Job {
            sql,
            parameters,
            answer,
        };
        self.sender()?.send(job).map_err(|_| SqlError::Closed)?;
        answered.await.map_err(|_| SqlError::Closed)?
    }

    /// What was written so far.
    pub fn stats(&self) -> DatabaseStats {
        DatabaseStats {
            statements: self.counters.statements.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
        }
    }

    /// Waits until the queue is written, then closes the file. Later statements fail.
    pub fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let worker = self
            .worker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(worker) = worker
            && worker.join().is_err()
        {
            tracing::error!(file = %self.file.display(), "the database writer panicked");
        }
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn sender(&self) -> Result<Sender<Job>, SqlError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.clone().ok_or(SqlError::Closed)
    }

    /// Whether the statement can go to a reading connection. When in doubt it can't.
    fn only_reads(&self, sql: &Arc<str>) -> bool {
        let known = self
            .reads
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .copied();
        if let Some(known) = known {
            return known;
        }
        if Kind::of(sql) != Kind::Batched {
            return false;
        }
        let Ok(connection) = self.reader() else {
            return false;
        };
        // A statement that does not compile (yet) goes to the writer, whose word is final.
        let Ok(statement) = connection.prepare_cached(sql) else {
            return false;
        };
        let reads = statement.readonly();
        drop(statement);
        self.put_back(connection);
        let mut remembered = self.reads.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(sql.clone(), reads);
        reads
    }

    async fn read(&self, sql: Arc<str>, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        let connection = self.reader()?;
        let limits = self.limits;
        // Most reads are over sooner than another thread would have woken up for them.
        if let Some(result) = run_briefly(&connection, &sql, &parameters, limits) {
            self.put_back(connection);
            return result;
        }
        let (connection, result) = tokio::task::spawn_blocking(move || {
            let result = run(&connection, &sql, &parameters, limits);
            (connection, result)
        })
        .await
        .map_err(|_| SqlError::Failed("the read was cut short".to_owned()))?;
        self.put_back(connection);
        result
    }

    fn reader(&self) -> Result<Connection, SqlError> {
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| connect(&self.file, false), Ok)
    }

    fn put_back(&self, connection: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
    }
}
