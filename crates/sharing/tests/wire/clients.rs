//! What each client can do.

use sharing::wire::Limits;

use crate::door::{TestDoor, USER, run, text};
use crate::world::SECRETS;

async fn door() -> TestDoor {
    TestDoor::open(&SECRETS, Limits::default()).await
}

/// What psql answers, which must not be an error.
async fn psql(door: &TestDoor, input: &str) -> String {
    let output = door.psql(input).await;
    let errors = text(&output.stderr);
    assert!(output.status.success() && !errors.contains("ERROR"), "{input}: {errors}");
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_looks_around_and_asks() {
    let door = door().await;
    for (command, wanted) in [
        ("\\d", "public|persons|table|yiwang"),
        ("\\dt", "public|vehicles|table|yiwang"),
        ("\\d persons", "born|date"),
        ("\\d+ persons", "amount|bigint"),
        ("\\dn", "public|yiwang"),
        ("\\l", "yiwang|yiwang|UTF"),
        ("\\du", USER),
        ("\\dv", ""),
        ("\\df", ""),
        ("\\di", ""),
        ("\\conninfo", "SSL connection"),
        ("SELECT count(*) FROM persons", "7500"),
        ("SELECT current_user, current_database(), current_schema()", "analyst|yiwang|public"),
        ("SELECT version()", "PostgreSQL 15.0 (Yiwang"),
        ("SHOW server_version", "15.0"),
        ("SET statement_timeout = '9s'; SHOW statement_timeout", "9s"),
        ("SELECT current_setting('search_path')", "public"),
        (
            "SELECT citizen_id, name FROM persons WHERE citizen_id = '532901000004'",
            "532901****04|V***********E",
        ),
        ("SELECT name FROM persons WHERE amount = ANY(ARRAY[149]) ORDER BY 1 LIMIT 1", "V***********E"),
        (
            "BEGIN; DECLARE c CURSOR FOR SELECT plate FROM vehicles ORDER BY 1; FETCH 2 FROM c; CLOSE c; COMMIT",
            "云L00001",
        ),
        ("SELECT 1; SELECT 2", "2"),
        (
            "COPY (SELECT plate FROM vehicles ORDER BY 1 LIMIT 2) TO STDOUT WITH (FORMAT csv, HEADER)",
            "plate\n云L00000",
        ),
        ("\\copy (SELECT town, count(*) FROM vehicles GROUP BY 1 ORDER BY 1 LIMIT 1) TO STDOUT", "T-0\t4"),
    ] {
        let answer = psql(&door, command).await;
        assert!(answer.contains(wanted), "{command}: {answer}");
        for hidden in ["note", "secrets", "SECRET"] {
            assert!(!answer.contains(hidden), "{command} shows {hidden}: {answer}");
        }
    }
    let receipts = door.gate.receipts.lock().unwrap().clone();
    let counted = receipts.iter().find(|one| one.sql == "SELECT count(*) FROM persons").unwrap();
    let outcome = counted.outcome.clone().unwrap();
    assert_eq!((outcome.rows, outcome.tables, outcome.error), (1, vec!["persons".to_owned()], None));
    assert!(outcome.plan_hash.is_some());
    assert!(receipts.iter().all(|one| one.outcome.is_some()), "every receipt has its outcome");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_door_runs_is_refused_with_its_state_and_receipt() {
    let door = door().await;
    for (statement, state) in [
        ("CREATE TABLE x (a INT)", "42501"),
        ("DROP TABLE persons", "42501"),
        ("INSERT INTO persons VALUES (1)", "42501"),
        ("DELETE FROM persons", "42501"),
        ("SELECT * INTO x FROM persons", "42501"),
        ("EXPLAIN SELECT * FROM persons", "42501"),
        ("COPY persons TO '/tmp/x'", "42501"),
        ("COPY persons TO PROGRAM 'cat'", "42501"),
        ("COPY persons FROM '/etc/passwd'", "42501"),
        ("SET datafusion.execution.batch_size = 1", "42501"),
        ("DO $$ BEGIN END $$", "42601"),
        ("SELECT * FROM secrets", "42P01"),
        ("SELECT note FROM persons", "42703"),
        ("SELECT * FROM pg_catalog.pg_authid", "42P01"),
        ("SELECT pg_read_file('/etc/passwd')", "42883"),
        ("SELEC 1", "42601"),
        ("SELECT 1 / (amount - amount) FROM persons", "22000"),
        ("SELECT nothing(1)", "42883"),
        ("FETCH 1 FROM nowhere", "34000"),
        ("SELECT uuid()", "42501"),
    ] {
        let input = format!("\\set VERBOSITY verbose\n{statement}");
        let mut command = door.client("psql");
        command.args(["--no-psqlrc", "-c", "\\set VERBOSITY verbose", "-c", statement]);
        let errors = text(&run(command).await.stderr);
        assert!(errors.contains(&format!("ERROR:  {state}:")), "{input}: {errors}");
        assert!(errors.contains("DETAIL:  "), "{input}: {errors}");
        assert!(
            !errors.contains("SECRET") && !errors.to_lowercase().contains("datafusion."),
            "{input}: {errors}"
        );
    }
    let receipts = door.gate.receipts.lock().unwrap();
    let failed = receipts.iter().find(|one| one.sql.starts_with("SELECT 1 / ")).unwrap();
    assert_eq!(failed.outcome.as_ref().unwrap().error, Some("lake.run"));
}

#[tokio::test(flavor = "multi_thread")]
async fn psycopg_does_what_its_users_do() {
    let door = door().await;
    let out = door.python("psycopg_client.py", None).await;
    assert!(out.ends_with("all right\n"), "{out}");
    let receipts = door.gate.receipts.lock().unwrap();
    let stream = receipts.iter().filter_map(|one| one.outcome.as_ref()).map(|outcome| outcome.rows).max();
    assert_eq!(stream, Some(200_000), "the long answer was counted");
    assert!(receipts.iter().any(|one| one.purpose.as_deref() == Some("statistics")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlalchemy_reflects_what_is_granted_and_asks() {
    let door = door().await;
    let out = door.python("sqlalchemy_client.py", None).await;
    assert!(out.ends_with("all right\n"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asyncpg_looks_types_up_and_asks() {
    let door = door().await;
    let out = door.python("asyncpg_client.py", None).await;
    assert!(out.ends_with("all right\n"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jdbc_looks_around_and_asks() {
    let door = door().await;
    let out = door.java("JdbcClient.java").await;
    assert!(out.ends_with("all right\n"), "{out}");
}
