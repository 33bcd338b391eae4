//! The same governed query in one process and on a scheduler with two executors.

use std::time::{Duration, Instant};

use lake::cluster::Cluster;
use lake::policy::Shown;
use lake::{Lake, LakeError, Limits, Mask, Policy, RowRule, Scalar, Session};
use store::test::TestStore;

use crate::common::{NUMBERS, SECRETS, asker, granted, rows, world};
use crate::members::Members;

/// Questions of every shape, over a table that lies in files and in the inbox.
const QUESTIONS: [&str; 34] = [
    "SELECT count(*), sum(amount), min(born), max(town), avg(amount) FROM persons",
    "SELECT town, count(*), sum(amount) FROM persons GROUP BY town",
    "SELECT town, count(DISTINCT name) FROM persons GROUP BY town HAVING count(*) > 150",
    "SELECT count(DISTINCT citizen_id) FROM persons",
    "SELECT DISTINCT town FROM persons",
    "SELECT * FROM persons",
    "SELECT * FROM persons WHERE amount BETWEEN 10 AND 20",
    "SELECT name, citizen_id, amount FROM persons ORDER BY amount DESC, citizen_id, born, name LIMIT 20",
    "SELECT amount FROM persons ORDER BY amount, town LIMIT 5 OFFSET 37",
    "SELECT born, town FROM persons ORDER BY born, town, amount",
    "SELECT count(*) FROM (SELECT * FROM persons LIMIT 100)",
    "SELECT * FROM persons WHERE citizen_id = '532901000004'",
    "SELECT * FROM persons WHERE citizen_id IN ('532901000004', '532901000005', '532902000001')",
    "SELECT count(*) FROM persons WHERE town IS NULL OR born < DATE '1955-01-01'",
    "SELECT p.town, count(*) FROM persons p JOIN vehicles v ON p.town = v.town GROUP BY p.town",
    "SELECT v.plate, p.name FROM vehicles v LEFT JOIN persons p ON p.town = v.town AND p.amount < 40",
    "SELECT v.plate, count(p.name) FROM persons p RIGHT JOIN vehicles v ON p.town = v.town AND p.amount < 300 GROUP BY v.plate",
    "SELECT count(*) FROM persons p FULL JOIN vehicles v ON p.town = v.town",
    "SELECT count(*) FROM persons WHERE town IN (SELECT town FROM vehicles)",
    "SELECT count(*) FROM vehicles WHERE town NOT IN (SELECT town FROM persons WHERE town IS NOT NULL)",
    "SELECT count(*) FROM vehicles v WHERE NOT EXISTS (SELECT 1 FROM persons p WHERE p.town = v.town)",
    "SELECT plate FROM vehicles v WHERE EXISTS (SELECT 1 FROM persons p WHERE p.town = v.town AND p.amount > 4990)",
    "SELECT count(*) FROM vehicles a CROSS JOIN vehicles b",
    "SELECT count(*) FROM vehicles a JOIN vehicles b ON a.plate < b.plate",
    "SELECT count(*) FROM persons WHERE amount > (SELECT avg(amount) FROM persons)",
    "SELECT town, amount, row_number() OVER (PARTITION BY town ORDER BY amount, citizen_id, born) AS n FROM persons WHERE amount < 500",
    "SELECT amount, sum(amount) OVER (ORDER BY amount, citizen_id, born) AS s FROM persons WHERE amount < 200",
    "SELECT town, rank() OVER (ORDER BY count(*) DESC, town) FROM persons GROUP BY town",
    "SELECT lag(amount) OVER (PARTITION BY town ORDER BY amount) FROM persons WHERE amount < 300",
    "SELECT town FROM persons UNION SELECT town FROM vehicles",
    "SELECT town FROM persons UNION ALL SELECT town FROM vehicles",
    "SELECT town FROM vehicles EXCEPT SELECT town FROM persons",
    "WITH big AS (SELECT * FROM persons WHERE amount > 4900) SELECT a.town, count(*) FROM big a JOIN big b ON a.amount = b.amount GROUP BY a.town",
    "SELECT town, count(*) FROM persons GROUP BY GROUPING SETS ((town), ())",
];

async fn sorted(session: &Session, sql: &str) -> Result<Vec<Vec<Option<String>>>, LakeError> {
    let mut found = rows(session, sql).await?;
    if !sql.contains("ORDER BY amount DESC") && !sql.contains("ORDER BY born") {
        found.sort();
    }
    Ok(found)
}

async fn clustered(hidden: &crate::common::Hidden) -> (TestStore, Lake, Members, Cluster) {
    let (test, lake, _session) = world(hidden).await;
    let members = Members::start(&test.config.data_dir.join("lake")).await;
    let cluster = members.connect().await;
    (test, lake, members, cluster)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_answers_what_one_process_answers() {
    let (_test, lake, _members, cluster) = clustered(&SECRETS).await;
    let here = asker(&lake).await;
    let there = asker(&lake.clone().with_cluster(cluster.clone())).await;
    let mut travelled = 0;
    for sql in QUESTIONS {
        let before = cluster.sent();
        let expected = sorted(&here, sql).await.unwrap();
        let found = match sorted(&there, sql).await {
            Ok(found) => found,
            Err(error) => panic!("{sql}: {error:?}"),
        };
        assert!(found == expected, "{sql}\n{:?}\n{:?}", short(&found), short(&expected));
        travelled += usize::from(cluster.sent() > before);
    }
    assert_eq!(travelled, QUESTIONS.len(), "the others ran in the gateway");
}

fn short(rows: &[Vec<Option<String>>]) -> String {
    format!("{} rows: {rows:?}", rows.len()).chars().take(600).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mask_and_every_rule_travels() {
    let (_test, lake, _members, cluster) = clustered(&SECRETS).await;
    let policy = Policy {
        columns: vec![
            Shown::masked("county", Mask::Prefix { letters: 4 }),
            Shown::masked("town", Mask::Empty),
            Shown::masked("citizen_id", Mask::Token { key: "0f".repeat(32) }).with_match(),
            Shown::masked("name", Mask::Stars { first: 1, last: 2 }),
            Shown::masked("amount", Mask::Floor { step: 100 }),
            Shown::masked("born", Mask::Year),
        ],
        rows: Some(RowRule::All(vec![
            RowRule::StartsWith { column: "county".to_owned(), prefix: "532901".to_owned() },
            RowRule::Not(Box::new(RowRule::Empty { column: "town".to_owned() })),
            RowRule::Any(vec![
                RowRule::In { column: "amount".to_owned(), values: vec![Scalar::Integer(38)] },
                RowRule::Compare {
                    column: "amount".to_owned(),
                    is: lake::Comparison::AtLeast,
                    value: Scalar::Integer(4_500),
                },
            ]),
        ])),
    };
    let here = lake.session(&[granted("persons", policy.clone())]).await.unwrap();
    let there = lake.with_cluster(cluster).session(&[granted("persons", policy)]).await.unwrap();
    for sql in [
        "SELECT * FROM persons",
        "SELECT citizen_id, count(*) FROM persons GROUP BY citizen_id",
        "SELECT * FROM persons WHERE citizen_id = '532901000149'",
        "SELECT count(*) FROM persons WHERE county = '5329' AND amount = 4500",
    ] {
        let expected = sorted(&here, sql).await.unwrap();
        assert!(!expected.is_empty(), "{sql}");
        assert_eq!(sorted(&there, sql).await.unwrap(), expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_inbox_is_in_the_answer_at_once() {
    let (_test, lake, _members, cluster) = clustered(&NUMBERS).await;
    let lake = lake.with_cluster(cluster.clone());
    let before = rows(&asker(&lake).await, "SELECT count(*) FROM vehicles").await.unwrap();
    assert_eq!(before[0][0].as_deref(), Some("200"), "nothing of it is in a file");
    assert_eq!(cluster.sent(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_attack_of_the_corpus_sees_what_is_hidden_over_a_cluster() {
    let attacks = crate::corpus::attacks();
    let (_one, secrets, _) = world(&SECRETS).await;
    let (_two, numbers, _) = world(&NUMBERS).await;
    let members = Members::start(&std::env::temp_dir()).await;
    let cluster = members.connect().await;
    let secrets = asker(&secrets.with_cluster(cluster.clone())).await;
    let numbers = asker(&numbers.with_cluster(cluster.clone())).await;
    let mut wrong = Vec::new();
    for attack in &attacks {
        wrong.extend(crate::corpus::tried(attack, &secrets, &numbers).await);
    }
    assert!(wrong.is_empty(), "{} of {} attacks:\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
    assert!(cluster.sent() > 100, "{} of the statements left the gateway", cluster.sent());
}

/// A join of every row with every row: minutes of work, and nothing that is kept.
const LONG: &str = "SELECT count(*) FROM persons a, persons b, vehicles c
                     WHERE (a.amount * b.amount + length(c.plate)) % 7 = 3";

/// Whether the executors come to rest.
async fn come_to_rest(members: &Members) -> bool {
    let ticks = || members.ticks(0) + members.ticks(1);
    for _ in 0..40 {
        let before = ticks();
        tokio::time::sleep(Duration::from_millis(500)).await;
        // Of a hundred a second; asking for work takes a few.
        if ticks() - before < 15 {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_and_a_cancel_stop_the_work_on_executors() {
    let (test, _lake, members, cluster) = clustered(&SECRETS).await;
    let limits = Limits { time: Duration::from_secs(3), ..Limits::default() };
    let lake = Lake::open(test.store.clone(), limits).unwrap().with_cluster(cluster.clone());
    let session = asker(&lake).await;
    let begun = Instant::now();
    let error = rows(&session, LONG).await.unwrap_err();
    assert!(matches!(error, LakeError::Limit(lake::error::Limit::Time)), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert!(come_to_rest(&members).await, "after the time limit");

    let limits = Limits { time: Duration::from_secs(600), ..Limits::default() };
    let lake = Lake::open(test.store.clone(), limits).unwrap().with_cluster(cluster);
    let session = asker(&lake).await;
    let before = members.ticks(0) + members.ticks(1);
    let asked = tokio::time::timeout(Duration::from_secs(3), session.query(LONG)).await;
    assert!(asked.is_err(), "it was to take longer");
    assert!(members.ticks(0) + members.ticks(1) > before + 50, "the executors were at work");
    assert!(come_to_rest(&members).await, "after a cancel");
    assert_eq!(rows(&session, "SELECT count(*) FROM vehicles").await.unwrap()[0][0].as_deref(), Some("200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_is_killed_costs_time_and_no_row() {
    let (test, _lake, mut members, cluster) = clustered(&SECRETS).await;
    let limits = Limits { time: Duration::from_secs(90), ..Limits::default() };
    let lake = Lake::open(test.store.clone(), limits).unwrap();
    let here = asker(&lake).await;
    let there = asker(&lake.with_cluster(cluster)).await;
    let sql = "SELECT count(*), sum((a.amount * b.amount) % 7) FROM persons a JOIN persons b
                   ON a.amount < b.amount AND a.town = b.town";
    let expected = rows(&here, sql).await.unwrap();
    let asked = tokio::spawn(async move { rows(&there, sql).await });
    tokio::time::sleep(Duration::from_millis(400)).await;
    members.kill_executor(0);
    match asked.await.unwrap() {
        Ok(found) => assert_eq!(found, expected),
        Err(error) => panic!("the other one was to finish it: {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_an_executors_memory_is_refused() {
    let (test, lake, _) = world(&SECRETS).await;
    let lake_folder = test.config.data_dir.join("lake");
    let members = Members::start_with(&lake_folder, crypto::suite::Suite::Gm, 1 << 20).await;
    let session = asker(&lake.with_cluster(members.connect().await)).await;
    let much = "SELECT a.citizen_id, b.amount, count(*) FROM persons a JOIN persons b ON a.town = b.town
                 GROUP BY a.citizen_id, b.amount";
    let error = rows(&session, much).await.unwrap_err();
    assert!(matches!(error, LakeError::Limit(lake::error::Limit::Memory)), "{error:?}");
    let little = rows(&session, "SELECT count(*) FROM persons").await.unwrap();
    assert_eq!(little[0][0].as_deref(), Some("7500"), "the next one runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_in_the_work_folders_and_nobody_else_may_look_into_them() {
    use std::os::unix::fs::PermissionsExt;
    let (_test, lake, members, cluster) = clustered(&SECRETS).await;
    let session = asker(&lake.with_cluster(cluster)).await;
    let sql = "SELECT town, count(DISTINCT name) FROM persons GROUP BY town ORDER BY town";
    let mut answer = session.query(sql).await.unwrap();
    let kept = || {
        let folders = members.executors.iter().map(|address| members.work(address));
        folders.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum::<usize>()
    };
    assert!(kept() > 0, "the rows lie there until they are read");
    answer.all().await.unwrap();
    drop(answer);
    for address in &members.executors {
        let mode = std::fs::metadata(members.work(address)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    let until = Instant::now() + Duration::from_secs(20);
    while kept() > 0 {
        assert!(Instant::now() < until, "something stays");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
