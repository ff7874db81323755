//! Group commit: shared, isolated, durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use host::stores::{Database, SqlError, SqlLimits, Value};

fn open(folder: &tempfile::TempDir) -> Database {
    let schema = "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)";
    Database::open(
        &folder.path().join("t.db"),
        Some(schema),
        SqlLimits::default(),
    )
    .unwrap()
}

async fn insert(database: &Database, id: i64) -> Result<(), SqlError> {
    let parameters = vec![Value::Integer(id), Value::Integer(id * 2)];
    database
        .execute("INSERT INTO t VALUES (?1, ?2)", parameters)
        .await
        .map(|_| ())
}

async fn count(database: &Database) -> i64 {
    match database
        .execute("SELECT count(*) FROM t", Vec::new())
        .await
        .unwrap()
        .rows[0][0]
    {
        Value::Integer(count) => count,
        ref other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_wait_together_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let database = Arc::new(open(&folder));
    let tasks: Vec<_> = (0..400)
        .map(|id| {
            let database = database.clone();
            tokio::spawn(async move { insert(&database, id).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(count(&database).await, 400);
    let stats = database.stats();
    assert_eq!(stats.statements, 400);
    assert!(
        stats.commits < 200,
        "{} commits for 400 statements",
        stats.commits
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_statement_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = Arc::new(open(&folder));
    insert(&database, 7).await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|id| {
            let database = database.clone();
            // Every tenth one collides with the row that is there.
            let id = if id % 10 == 0 { 7 } else { id + 100 };
            tokio::spawn(async move { (id, insert(&database, id).await) })
        })
        .collect();
    for task in tasks {
        let (id, result) = task.await.unwrap();
        assert_eq!(result.is_err(), id == 7, "{id}: {result:?}");
    }
    assert_eq!(count(&database).await, 181);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_ends_the_transaction_takes_nobody_along() {
    let folder = tempfile::tempdir().unwrap();
    let database = Arc::new(open(&folder));
    let trigger = "CREATE TRIGGER fuse BEFORE INSERT ON t WHEN new.id = 13 \
        BEGIN SELECT RAISE(ROLLBACK, 'fuse'); END";
    database.execute(trigger, Vec::new()).await.unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|id| {
            let database = database.clone();
            tokio::spawn(async move { (id, insert(&database, id).await) })
        })
        .collect();
    for task in tasks {
        let (id, result) = task.await.unwrap();
        assert_eq!(result.is_err(), id == 13, "{id}: {result:?}");
    }
    assert_eq!(count(&database).await, 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_means_that_others_can_see_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = Arc::new(open(&folder));
    let other = rusqlite::Connection::open(folder.path().join("t.db")).unwrap();
    for id in 0..20 {
        insert(&database, id).await.unwrap();
        let seen: i64 = other
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(seen, id + 1);
    }
    let mode: i64 = {
        let rows = database
            .execute("PRAGMA synchronous", Vec::new())
            .await
            .unwrap();
        match rows.rows[0][0] {
            Value::Integer(mode) => mode,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(mode, 2, "synchronous must be FULL");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_writes_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let database = Arc::new(open(&folder));
    let mut waiting = Vec::new();
    for id in 0..50 {
        let database = database.clone();
        waiting.push(tokio::spawn(async move { insert(&database, id).await }));
    }
    let closing = database.clone();
    tokio::task::spawn_blocking(move || closing.close())
        .await
        .unwrap();
    let mut written = 0;
    for task in waiting {
        match task.await.unwrap() {
            Ok(()) => written += 1,
            Err(error) => assert_eq!(error, SqlError::Closed),
        }
    }
    let again = open(&folder);
    assert_eq!(count(&again).await, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_a_statement() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SqlLimits {
        statement_time_max: Duration::from_millis(200),
        result_bytes_max: 10_000,
    };
    let database = Database::open(&folder.path().join("t.db"), None, limits).unwrap();
    const ENDLESS: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) ";
    let started = Instant::now();
    let endless = database
        .execute(&format!("{ENDLESS} SELECT count(*) FROM c"), Vec::new())
        .await;
    assert_eq!(
        endless.unwrap_err().to_string(),
        "the statement ran longer than 200 ms"
    );
    assert!(started.elapsed() < Duration::from_secs(3));
    let large = database
        .execute(&format!("{ENDLESS} SELECT x FROM c"), Vec::new())
        .await;
    assert_eq!(
        large.unwrap_err().to_string(),
        "the rows have more than 10000 bytes"
    );
}
