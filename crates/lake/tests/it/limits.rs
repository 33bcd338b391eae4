//! What one statement may use, and what is said when it is too much.

use std::time::Duration;

use lake::error::Limit;
use lake::{Lake, LakeError, Limits, Session};
use store::test::{On, open};

use crate::common::{number, rows};

async fn session(limits: Limits) -> (store::test::TestStore, Session) {
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = Lake::open(test.store.clone(), limits).unwrap();
    let session = lake.session(&[]).await.unwrap();
    (test, session)
}

/// A statement that never ends by itself.
const ENDLESS: &str =
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0";

async fn refused(session: &Session, sql: &str, wanted: Limit) {
    match rows(session, sql).await {
        Err(LakeError::Limit(limit)) => assert_eq!(limit, wanted, "{sql}"),
        other => panic!("{wanted:?} was to be reached, not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_runs_too_long_is_ended() {
    let (_test, session) = session(Limits { time: Duration::from_millis(300), ..Limits::default() }).await;
    refused(&session, ENDLESS, Limit::Time).await;
    assert_eq!(number(&session, "SELECT 1").await, 1, "the next one runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_rows_and_too_much_memory_are_refused() {
    let (_test, session) = session(Limits { rows: 3, memory: 1 << 16, ..Limits::default() }).await;
    assert_eq!(rows(&session, "VALUES (1), (2), (3)").await.unwrap().len(), 3);
    refused(&session, "VALUES (1), (2), (3), (4)", Limit::Rows).await;
    let many = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                SELECT i, count(*) FROM n GROUP BY i ORDER BY i";
    refused(&session, many, Limit::Memory).await;
    assert_eq!(number(&session, "SELECT 1").await, 1, "the next one runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_than_may_run_at_once_is_refused_and_an_answer_that_is_dropped_makes_room() {
    let (_test, session) = session(Limits { concurrency: 1, ..Limits::default() }).await;
    let running = session.query("SELECT 1").await.unwrap();
    refused(&session, "SELECT 2", Limit::Concurrency).await;
    drop(running);
    assert_eq!(number(&session, "SELECT 2").await, 2);
}
