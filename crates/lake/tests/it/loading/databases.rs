//! Tables of other databases come in as they are.

use std::time::Duration;

use lake::loading::{self, Addresses, Cancel, LoadError, Settings, Source, State};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};

use super::{Outcome, World, faults, schema};
use crate::common::make;

/// A name that no other test has.
fn fresh() -> String {
    let mut bytes = [0; 8];
    kernel::entropy::Entropy::fill(&kernel::entropy::OsEntropy, &mut bytes);
    format!("d{}", hex::encode(bytes))
}

fn local() -> Addresses {
    Addresses::allow(["127.0.0.1"])
}

async fn postgres() -> (String, PgConnection) {
    let server = std::env::var("YIWANG_TEST_POSTGRES").expect("run the tests with `make test`");
    let name = fresh();
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    admin
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")))
        .await
        .unwrap();
    let url = format!("{server}/{name}");
    let connection = PgConnection::connect(&url).await.unwrap();
    (url, connection)
}

async fn mariadb() -> (String, MySqlConnection) {
    let server = std::env::var("YIWANG_TEST_MARIADB").expect("run the tests with `make test`");
    let name = fresh();
    let mut admin = MySqlConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")))
        .execute(&mut admin)
        .await
        .unwrap();
    let url = format!("{server}/{name}");
    let connection = MySqlConnection::connect(&url).await.unwrap();
    (url, connection)
}

async fn load(world: &World, name: &str, url: &str, table: &str) -> Outcome {
    let source = Source::parse(url, Some(table)).unwrap();
    let opened = world.open(&source, &local()).await.unwrap();
    world.whole(name, &opened).await
}

#[tokio::test]
async fn a_table_of_postgresql_comes_in() {
    let world = World::new().await;
    let (url, mut connection) = postgres().await;
    for sql in [
        "CREATE SCHEMA \"部门\"",
        "CREATE TABLE \"部门\".\"人 \"\"口\" (\"编号\" bigint PRIMARY KEY, \"姓名\" text, born date, at timestamptz,
             local timestamp, money numeric(12,2), ratio double precision, ok boolean, raw bytea, doc jsonb)",
        "INSERT INTO \"部门\".\"人 \"\"口\"
         SELECT n, 'N' || n, DATE '2024-01-02' + n::int, TIMESTAMPTZ '2024-01-02 08:00:00+08', TIMESTAMP '2024-01-02 08:00:00',
                n + 0.25, n / 3.0, n % 2 = 0, '\\x00ff', '{\"a\": 1}'
           FROM generate_series(1, 3000) n",
        "INSERT INTO \"部门\".\"人 \"\"口\" (\"编号\", born) VALUES (0, 'infinity')",
    ] {
        connection.execute(sql).await.unwrap();
    }
    let outcome = load(&world, "persons", &url, "部门.人 \"口").await;
    let kinds: Vec<String> = schema(&outcome.proposal).into_iter().map(|column| column.1).collect();
    assert_eq!(
        kinds,
        [
            "integer",
            "text",
            "date",
            "timestamp",
            "timestamp",
            "decimal(2)",
            "float",
            "boolean",
            "text",
            "text"
        ]
    );
    assert_eq!(faults(&outcome.rejected), [(1, "born", "load.wrong_kind")], "the lake has no end of days");
    assert_eq!((outcome.loaded.state, outcome.loaded.rows), (State::Done, 3_000));
    let rows = world.rows(&outcome.table, "1").await;
    let zero = "2024-01-02T00:00:00Z";
    assert_eq!(
        rows[0],
        ["1", "N1", "2024-01-03", zero, zero, "1.25", "0.3333333333333333", "false", "\\x00ff", "{\"a\": 1}"]
    );
    assert!(!outcome.proposal.source.contains("yiwang@"), "{}", outcome.proposal.source);
    // The same table again is the same content.
    let source = Source::parse(&url, Some("部门.人 \"口")).unwrap();
    let opened = world.open(&source, &local()).await.unwrap();
    let mapping = outcome.proposal.mapping();
    let again = world.load(&outcome.table, &opened, &mapping, &Settings::default()).await.unwrap();
    assert_eq!((again.state, again.rows), (State::Repeated, 0));
}

#[tokio::test]
async fn a_table_of_mariadb_comes_in() {
    let world = World::new().await;
    let (url, mut connection) = mariadb().await;
    for sql in [
        "SET time_zone = '+00:00'",
        "CREATE TABLE `企 业` (`名称` varchar(80) CHARACTER SET gbk, code char(6), n int, big bigint unsigned,
             money decimal(10,3), ratio float, ok tinyint(1), day date, local datetime(6), at timestamp(3) NULL,
             raw varbinary(4), bits bit(4), kind enum('甲','乙'))",
        "INSERT INTO `企 业` VALUES
             ('大理某厂', '007', -1, 18446744073709551615, 1.500, 0.1, 1, '2024-01-02', '2024-01-02 08:00:00.000001',
              '2024-01-02 00:00:00', x'00ff', b'101', '乙'),
             (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "INSERT INTO `企 业` (`名称`, n) SELECT CONCAT('N', seq), seq FROM seq_1_to_5000",
    ] {
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }
    let outcome = load(&world, "firms", &url, "企 业").await;
    let kinds: Vec<String> = schema(&outcome.proposal).into_iter().map(|column| column.1).collect();
    assert_eq!(
        kinds,
        [
            "text",
            "text",
            "integer",
            "decimal(0)",
            "decimal(3)",
            "float",
            "boolean",
            "date",
            "timestamp",
            "timestamp",
            "text",
            "text",
            "text"
        ]
    );
    assert_eq!((outcome.loaded.state, outcome.loaded.rows, outcome.loaded.rejected), (State::Done, 5_002, 0));
    let rows = world.rows(&outcome.table, "n NULLS FIRST").await;
    assert!(rows[0].iter().all(|cell| cell == "∅"));
    assert_eq!(
        rows[1],
        [
            "大理某厂",
            "007",
            "-1",
            "18446744073709551615",
            "1.500",
            "0.10000000149011612",
            "true",
            "2024-01-02",
            "2024-01-02T00:00:00.000001Z",
            "2024-01-02T00:00:00Z",
            "00ff",
            "5",
            "乙"
        ]
    );
}

#[tokio::test]
async fn an_address_of_a_database_names_a_host_and_nothing_else() {
    let world = World::new().await;
    let (url, mut connection) = postgres().await;
    connection.execute("CREATE TABLE t (a int)").await.unwrap();
    let opened = |url: String, table: &'static str, addresses: Addresses| {
        let world = &world;
        async move {
            let opened = world.open(&Source::parse(&url, Some(table))?, &addresses).await?;
            world.inspect(&opened).await
        }
    };
    opened(url.clone(), "t", local()).await.unwrap();
    assert!(matches!(opened(url.clone(), "t", Addresses::default()).await, Err(LoadError::NotAllowed(_))));
    for parameter in
        ["host=10.0.0.1", "hostaddr=10.0.0.1", "sslrootcert=/etc/passwd", "options=-c%20x", "sslmode=no"]
    {
        let refused = opened(format!("{url}?{parameter}"), "t", local()).await;
        assert!(matches!(refused, Err(LoadError::Reading(_))), "{parameter}");
    }
    for table in ["absent", "t; DROP TABLE t", "t\" WHERE true --", "pg_catalog.t"] {
        let refused = opened(url.clone(), table, local()).await;
        assert!(matches!(refused, Err(LoadError::Unreadable(_) | LoadError::Reading(_))), "{table}");
    }
    opened(url, "t", local()).await.unwrap();
    assert!(Source::parse("postgres://h/d", None).is_err(), "a table is named");
}

#[tokio::test]
async fn whoever_asks_in_the_ledger_stops_a_load_that_waits() {
    let world = World::new().await;
    let (url, mut connection) = postgres().await;
    connection.execute("CREATE TABLE t (a int)").await.unwrap();
    let opened = world.open(&Source::parse(&url, Some("t")).unwrap(), &local()).await.unwrap();
    let mapping = world.inspect(&opened).await.unwrap().mapping();
    let table = make(&world.lake, "t", &mapping.schema().unwrap()).await;
    // Somebody holds the table, so the load waits for its first row.
    connection.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let env = world.lake.store().env().clone();
    let id = loading::LoadId::generate(&*env.clock, &*env.entropy);
    let (lake, cancel) = (world.lake.clone(), Cancel::default());
    let settings = Settings { id: Some(id), ..Settings::default() };
    let running = tokio::spawn(async move {
        loading::load(&lake, &table, &opened, &mapping, &settings, &mut |_| {}, &cancel).await
    });
    let read = world.lake.store().read();
    let load = loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Some(load) = loading::find_load(&read, id).await.unwrap() {
            break load;
        }
    };
    assert_eq!((load.state, load.table.as_str()), (State::Checking, "t"), "its row can be polled");
    let tx = world.lake.store().begin().await.unwrap();
    loading::ask_to_cancel(&tx, id).await.unwrap();
    tx.commit().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap().unwrap();
    assert_eq!((ended.state, ended.rows), (State::Cancelled, 0));
    let load = loading::find_load(&read, id).await.unwrap().unwrap();
    assert!(load.state == State::Cancelled && load.state.has_ended() && load.ended_at.is_some());
    let tx = world.lake.store().begin().await.unwrap();
    let nobody = loading::LoadId::generate(&*env.clock, &*env.entropy);
    assert!(matches!(loading::ask_to_cancel(&tx, nobody).await, Err(LoadError::NoLoad(_))));
}
