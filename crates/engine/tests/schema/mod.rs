//! Databases of earlier releases, and two that migrate at once.

use std::cell::Cell;
use std::rc::Rc;

use engine::native::Sqlite;
use engine::store::{By, Queue, Trail, migrate};
use futures::executor::block_on;
use futures::future::join;
use sluice_core::ports::{Cell as SqlCell, Dialect, Row, Sql};
use sluice_core::{Result, async_trait};

use crate::fake::{FailingSql, House};

/// Version 1 as it was released, with an item of each kind and an outcome.
const VERSION_1: &str = include_str!("version_1.sql");

fn version_1() -> Rc<dyn Sql> {
    let sql = Rc::new(Sqlite::in_memory().unwrap());
    for statement in VERSION_1.split(";;") {
        if !statement.trim().is_empty() {
            block_on(sql.execute(statement, &[])).unwrap();
        }
    }
    sql
}

fn rows(sql: &dyn Sql, statement: &str) -> Vec<Row> {
    block_on(sql.execute(statement, &[])).unwrap()
}

/// Lets the other caller have its turn before each statement.
struct TakingTurns(Rc<dyn Sql>);

#[async_trait(?Send)]
impl Sql for TakingTurns {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&self, statement: &str, parameters: &[SqlCell]) -> Result<Vec<Row>> {
        let mut waited = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return std::task::Poll::Ready(());
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        self.0.execute(statement, parameters).await
    }
}

fn tables(sql: &dyn Sql) -> Vec<Row> {
    rows(
        sql,
        "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
    )
}

fn fresh() -> Rc<dyn Sql> {
    Rc::new(Sqlite::in_memory().unwrap())
}

#[test]
fn a_database_of_version_1_keeps_what_it_holds() {
    let sql = version_1();
    block_on(migrate(&*sql)).unwrap();
    let queue = rows(
        &*sql,
        "SELECT id, state, attempts, edit, seen FROM queue ORDER BY id",
    );
    assert_eq!(queue.len(), 3);
    assert_eq!(
        queue[0].0[..3],
        ["D1".into(), "dead".into(), SqlCell::Integer(3)]
    );
    assert_eq!(queue[0].0[3..], [SqlCell::Null, SqlCell::Null]);
    // Its orders are found by their ids, the last word counting.
    let found = rows(&*sql, "SELECT id FROM target_of WHERE target = 'T7'");
    assert_eq!(found, [Row(vec!["D8".into()])]);
    let new = fresh();
    block_on(migrate(&*new)).unwrap();
    assert_eq!(tables(&*sql), tables(&*new));
    assert_eq!(
        rows(&*sql, "SELECT version FROM sluice_schema")[0].0[0],
        SqlCell::Integer(3)
    );

    // What died before can be skipped now.
    let house = House::new();
    let ports = sluice_core::Ports { sql, ..house.ports };
    let trail = Trail {
        flow: "deal-to-order",
        ports: &ports,
    };
    let queue = Queue {
        flow: "deal-to-order",
        ports: &ports,
        concurrency_max: 10,
        settles_within: std::time::Duration::from_secs(900),
    };
    let standing = block_on(queue.standing("D1")).unwrap().unwrap();
    assert!(block_on(trail.skip("D1", standing, None, &By::default())).unwrap());
    assert_eq!(rows(&*ports.sql, "SELECT id FROM queue").len(), 2);
}

#[test]
fn two_first_callers_do_not_hinder_one_another() {
    for start in [fresh, version_1] {
        let sql = TakingTurns(start());
        let (one, other) = block_on(join(migrate(&sql), migrate(&sql)));
        one.unwrap();
        other.unwrap();
        let alone = start();
        block_on(migrate(&*alone)).unwrap();
        assert_eq!(tables(&*sql.0), tables(&*alone));
    }
}

#[test]
fn a_migration_that_was_cut_off_goes_on_where_it_stopped() {
    for start in [fresh, version_1] {
        for takes_effect in [false, true] {
            for good in 1..100 {
                let failing = FailingSql {
                    inner: start(),
                    good: Cell::new(good),
                    takes_effect,
                };
                let ended = block_on(migrate(&failing)).is_ok();
                block_on(migrate(&*failing.inner)).unwrap();
                block_on(migrate(&*failing.inner)).unwrap();
                let columns = rows(
                    &*failing.inner,
                    "SELECT name FROM pragma_table_info('queue')",
                );
                assert_eq!(columns.len(), 23, "statement {good}");
                if ended {
                    break;
                }
                assert!(good < 99);
            }
        }
    }
}

#[test]
fn a_database_of_a_later_release_is_left_alone() {
    let sql = version_1();
    rows(&*sql, "UPDATE sluice_schema SET version = 4");
    let fault = block_on(migrate(&*sql)).unwrap_err();
    assert!(fault.message.contains("schema 4"), "{fault}");
    assert!(rows(&*sql, "SELECT name FROM sqlite_schema WHERE name = 'trail'").is_empty());
}
