//! The same governed query in one process and on a scheduler with two executors.

use std::time::{Duration, Instant};

use lake::cluster::Cluster;
use lake::policy::Shown;
use lake::session::Granted;
use lake::{Lake, LakeError, Limits, Mask, Policy, RowRule, Scalar, Seen, Witness};
use store::test::TestStore;

use crate::common::{NUMBERS, SECRETS, asker, granted, number, policy, rows, world};
use crate::corpus::{Outcome, outcome};
use crate::members::Members;

/// Questions of every shape that a cluster answers, over a table that lies in files and in the inbox.
const THERE: [&str; 48] = [
    "SELECT count(*), sum(amount), min(born), max(town), avg(amount) FROM persons",
    "SELECT town, count(*), sum(amount) FROM persons GROUP BY town",
    "SELECT town, count(DISTINCT name) FROM persons GROUP BY town HAVING count(*) > 150",
    "SELECT count(DISTINCT citizen_id), approx_distinct(amount), median(amount), stddev(amount) FROM persons",
    "SELECT DISTINCT town FROM persons",
    "SELECT * FROM persons",
    "SELECT * FROM persons WHERE amount BETWEEN 10 AND 20",
    "SELECT name, citizen_id, amount FROM persons ORDER BY amount DESC, citizen_id, born, name LIMIT 20",
    "SELECT amount FROM persons ORDER BY amount, town LIMIT 5 OFFSET 37",
    "SELECT born, town FROM persons ORDER BY born, town, amount",
    "SELECT CAST(amount AS TEXT) || town, upper(name), substr(citizen_id, 1, 6) FROM persons WHERE amount < 50",
    "SELECT * FROM persons WHERE citizen_id = '532901000004'",
    "SELECT * FROM persons WHERE citizen_id IN ('532901000004', '532901000005', '532902000001')",
    "SELECT count(*) FROM persons WHERE town IS NULL OR born < DATE '1955-01-01'",
    "SELECT town, CASE WHEN amount > 2500 THEN 'much' ELSE 'little' END AS k, count(*) FROM persons GROUP BY 1, 2",
    "SELECT p.town, count(*) FROM persons p JOIN vehicles v ON p.town = v.town GROUP BY p.town",
    "SELECT v.plate, p.name FROM vehicles v LEFT JOIN persons p ON p.town = v.town AND p.amount < 40",
    "SELECT v.plate, p.name FROM persons p LEFT JOIN vehicles v ON p.town = v.town WHERE p.amount < 60",
    "SELECT v.plate, count(p.name) FROM persons p RIGHT JOIN vehicles v ON p.town = v.town AND p.amount < 300 GROUP BY v.plate",
    "SELECT count(*) FROM persons p FULL JOIN vehicles v ON p.town = v.town",
    "SELECT v.plate, p.name FROM persons p FULL JOIN vehicles v ON p.town = v.town AND p.amount < 30 WHERE p.amount IS NULL OR p.amount < 60",
    "SELECT count(*) FROM persons a FULL JOIN persons b ON a.amount = b.amount + 4000 AND a.town = b.town",
    "SELECT count(*) FROM persons WHERE town IN (SELECT town FROM vehicles)",
    "SELECT plate FROM vehicles WHERE town IN (SELECT town FROM persons WHERE amount < 400)",
    "SELECT count(*) FROM vehicles v WHERE NOT EXISTS (SELECT 1 FROM persons p WHERE p.town = v.town)",
    "SELECT count(*) FROM persons p WHERE NOT EXISTS (SELECT 1 FROM vehicles v WHERE p.town = v.town)",
    "SELECT plate FROM vehicles v WHERE EXISTS (SELECT 1 FROM persons p WHERE p.town = v.town AND p.amount > 4990)",
    "SELECT plate FROM vehicles v WHERE plate = 'x' OR EXISTS (SELECT 1 FROM persons p WHERE p.town = v.town AND p.amount > 4990)",
    "SELECT count(*) FROM vehicles a CROSS JOIN vehicles b",
    "SELECT count(*) FROM vehicles a JOIN vehicles b ON a.plate < b.plate",
    "SELECT a.plate, count(b.plate) FROM vehicles b RIGHT JOIN vehicles a ON a.plate > b.plate GROUP BY a.plate",
    "SELECT count(*) FROM persons WHERE amount > (SELECT avg(amount) FROM persons)",
    "SELECT p.citizen_id FROM persons p WHERE p.amount = (SELECT max(q.amount) FROM persons q WHERE q.town = p.town)",
    "SELECT town, amount, row_number() OVER (PARTITION BY town ORDER BY amount, citizen_id, born) AS n FROM persons WHERE amount < 500 ORDER BY 1, 2, 3",
    "SELECT amount, sum(amount) OVER (ORDER BY amount, citizen_id, born) AS s FROM persons WHERE amount < 200",
    "SELECT town, rank() OVER (ORDER BY count(*) DESC, town) FROM persons GROUP BY town",
    "SELECT town, amount, lag(amount) OVER (PARTITION BY town ORDER BY amount) FROM persons WHERE amount < 300 ORDER BY 1, 2, 3",
    "SELECT town, avg(amount) OVER (PARTITION BY town ORDER BY born RANGE BETWEEN INTERVAL '1 year' PRECEDING AND CURRENT ROW) FROM persons WHERE amount < 300 ORDER BY 1, 2",
    "SELECT town FROM persons UNION SELECT town FROM vehicles",
    "SELECT town FROM persons UNION ALL SELECT town FROM vehicles",
    "SELECT town, count(*) FROM (SELECT town FROM persons UNION ALL SELECT town FROM vehicles UNION ALL SELECT 'T-1') GROUP BY town",
    "SELECT town FROM vehicles EXCEPT SELECT town FROM persons",
    "SELECT town FROM persons INTERSECT SELECT town FROM vehicles",
    "WITH big AS (SELECT * FROM persons WHERE amount > 4900) SELECT a.town, count(*) FROM big a JOIN big b ON a.amount = b.amount GROUP BY a.town",
    "SELECT town, count(*) FROM persons GROUP BY GROUPING SETS ((town), ())",
    "SELECT town, born, count(*) FROM persons WHERE amount < 200 GROUP BY CUBE (town, born)",
    "SELECT t, count(*) FROM (SELECT unnest(string_to_array(town, '-')) AS t FROM persons) GROUP BY t",
    "SELECT v.town, p.n FROM vehicles v JOIN (SELECT town, count(*) AS n FROM persons GROUP BY town) p ON p.town = v.town ORDER BY v.plate, v.town, p.n LIMIT 30",
];

/// Questions that run in the gateway, because several machines would answer them otherwise, or that fail.
const HERE: [&str; 22] = [
    // Joins of which one side as a whole has to be known, empty cells included.
    "SELECT count(*) FROM vehicles WHERE town NOT IN (SELECT town FROM persons)",
    "SELECT count(*) FROM vehicles WHERE town NOT IN (SELECT town FROM persons WHERE town IS NOT NULL)",
    "SELECT plate FROM vehicles WHERE town <> ALL (SELECT town FROM persons WHERE amount < 400 AND town IS NOT NULL)",
    "SELECT a.plate, b.plate FROM vehicles a LEFT JOIN vehicles b ON a.plate < b.plate AND b.town = 'T-1'",
    "SELECT count(*) FROM vehicles a FULL JOIN vehicles b ON a.plate < b.plate",
    "SELECT plate FROM vehicles v WHERE NOT EXISTS (SELECT 1 FROM persons p WHERE p.town > v.town)",
    "SELECT plate FROM vehicles v WHERE EXISTS (SELECT 1 FROM persons p WHERE p.amount > 4990 AND p.town > v.town)",
    "SELECT plate FROM vehicles v WHERE v.town > ALL (SELECT p.town FROM persons p WHERE p.amount < 20)",
    "SELECT plate FROM vehicles WHERE town = ANY (SELECT town FROM persons WHERE amount < 400)",
    "SELECT count(*) AS n, (SELECT count(*) FROM vehicles) AS m FROM persons",
    // Any rows, or rows as they come.
    "SELECT count(*) FROM (SELECT * FROM persons LIMIT 100)",
    "SELECT town, array_length(array_agg(amount)) FROM persons GROUP BY town",
    // Another plan would give as many rows as the subquery has.
    "SELECT plate FROM vehicles WHERE town = (SELECT town FROM persons)",
    "SELECT (SELECT town FROM persons WHERE amount = 38) FROM vehicles",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r",
    "SELECT 1",
    // What fails, fails as in one process.
    "SELECT sum(1 / (amount - 38)) FROM persons",
    "SELECT CAST(town AS INT) FROM persons",
    "SELECT make_array(amount, 2)[CAST(town AS INT)] FROM persons",
    "SELECT array_element(make_array(1, 2), 'x') FROM persons",
    "SELECT citizen_id FROM persons p JOIN vehicles v ON p.citizen_id = v.owner",
    "SELECT nothing FROM persons",
];

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
    let mut wrong = Vec::new();
    for (sql, travels) in THERE.iter().map(|sql| (sql, true)).chain(HERE.iter().map(|sql| (sql, false))) {
        let before = cluster.answered();
        let expected = outcome(&here, sql).await;
        let found = outcome(&there, sql).await;
        if found != expected {
            wrong.push(format!("{sql}\n  {}\n  {}", short(&found), short(&expected)));
        }
        if (cluster.answered() > before) != travels {
            wrong
                .push(format!("{sql}: {} by the cluster", if travels { "not answered" } else { "answered" }));
        }
        if travels && !matches!(&expected, Outcome::Rows(rows) if !rows.is_empty()) {
            wrong.push(format!("{sql}: asks for nothing: {}", short(&expected)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn short(outcome: &Outcome) -> String {
    let rows = match outcome {
        Outcome::Rows(rows) => rows.len(),
        Outcome::Error(..) => 0,
    };
    format!("{rows} rows: {outcome:?}").chars().take(400).collect()
}

/// As many rows as several batches hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_comes_whole() {
    let (_test, lake, _members, cluster) = clustered(&SECRETS).await;
    let here = asker(&lake).await;
    let there = asker(&lake.with_cluster(cluster.clone())).await;
    let sql = "SELECT a.name, a.citizen_id, b.name AS other, b.born FROM persons a JOIN persons b ON a.town = b.town
                WHERE a.amount < 2500";
    assert_eq!(outcome(&there, sql).await, outcome(&here, sql).await);
    assert_eq!(cluster.answered(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_witness_watches_runs_in_the_gateway() {
    let (_test, lake, _members, cluster) = clustered(&SECRETS).await;
    let lake = lake.with_cluster(cluster.clone());
    let witness = Witness::new("citizen_id", 10_000);
    let watched = Granted { witness: Some(witness.clone()), ..granted("persons", policy()) };
    let session = lake.session(&[watched]).await.unwrap();
    assert_eq!(number(&session, "SELECT count(*) FROM persons").await, 7_500);
    assert_eq!(cluster.sent(), 0);
    assert!(matches!(witness.seen(), Seen::Entities(seen) if seen.len() == 7_500));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mask_and_every_rule_travels() {
    let (_test, lake, _members, cluster) = clustered(&SECRETS).await;
    let policy = Policy {
        columns: vec![
            Shown::masked("county", Mask::Prefix { letters: 4 }),
            Shown::masked("town", Mask::Empty {}),
            Shown::masked("citizen_id", Mask::Token { key: "0f".repeat(32) }).with_match(),
            Shown::masked("name", Mask::Stars { first: 1, last: 2 }),
            Shown::masked("amount", Mask::Floor { step: 100 }),
            Shown::masked("born", Mask::Year {}),
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
    let there = lake.with_cluster(cluster.clone()).session(&[granted("persons", policy)]).await.unwrap();
    for sql in [
        "SELECT * FROM persons",
        "SELECT citizen_id, count(*) FROM persons GROUP BY citizen_id",
        "SELECT count(*) FROM persons WHERE county = '5329' AND amount = 4500",
    ] {
        let expected = outcome(&here, sql).await;
        assert!(matches!(&expected, Outcome::Rows(rows) if !rows.is_empty()), "{sql}: {}", short(&expected));
        assert_eq!(outcome(&there, sql).await, expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_inbox_is_in_the_answer_at_once() {
    let (_test, lake, _members, cluster) = clustered(&NUMBERS).await;
    let lake = lake.with_cluster(cluster.clone());
    let count = number(&asker(&lake).await, "SELECT count(*) FROM vehicles").await;
    assert_eq!((count, cluster.answered()), (200, 1), "nothing of it is in a file");
}

/// One world in one process and the other on a cluster: they are as little to be told apart as two in one process.
#[tokio::test(flavor = "multi_thread")]
async fn no_attack_of_the_corpus_sees_what_is_hidden_over_a_cluster() {
    let attacks = crate::corpus::attacks();
    let (_one, _lake, here) = world(&SECRETS).await;
    let (two, numbers, _) = world(&NUMBERS).await;
    let members = Members::start(&two.config.data_dir.join("lake")).await;
    let cluster = members.connect().await;
    let there = asker(&numbers.with_cluster(cluster.clone())).await;
    let mut wrong = Vec::new();
    for attack in &attacks {
        wrong.extend(crate::corpus::tried(attack, &here, &there).await);
    }
    assert!(wrong.is_empty(), "{} of {} attacks:\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
    assert!(cluster.answered() > 40, "{} of the statements were answered there", cluster.answered());
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

/// Heavy enough to be killed in its midst; the stage whose rows are the answer has four parts.
const HEAVY: &str = "SELECT a.town, count(*), sum((a.amount * b.amount) % 7) FROM persons a JOIN persons b
                         ON a.amount < b.amount AND a.town = b.town GROUP BY a.town";

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_is_killed_costs_time_and_no_row() {
    let (test, lake, _) = world(&SECRETS).await;
    let limits = Limits { time: Duration::from_secs(120), ..Limits::default() };
    let lake = Lake::open(lake.store().clone(), limits).unwrap();
    let expected = outcome(&asker(&lake).await, HEAVY).await;
    assert!(matches!(&expected, Outcome::Rows(rows) if rows.len() == 40), "{}", short(&expected));
    for after in [150, 600, 1_200] {
        let mut members = Members::start(&test.config.data_dir.join("lake")).await;
        let cluster = members.connect().await;
        let there = asker(&lake.clone().with_cluster(cluster.clone())).await;
        let asked = tokio::spawn(async move { (outcome(&there, HEAVY).await, there) });
        tokio::time::sleep(Duration::from_millis(after)).await;
        members.kill_executor(0);
        let (found, there) = asked.await.unwrap();
        assert_eq!(found, expected, "killed after {after} ms");
        // The one that is left answers alone.
        let before = cluster.answered();
        assert_eq!(number(&there, "SELECT count(*) FROM persons").await, 7_500);
        assert!(cluster.answered() >= before);
    }
}

/// The rows of an answer that was not read yet lie at the executors.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_executors_die_is_whole_or_an_error() {
    let (_test, lake, mut members, cluster) = clustered(&SECRETS).await;
    let session = asker(&lake.with_cluster(cluster)).await;
    let sql = "SELECT a.*, b.* FROM persons a JOIN persons b ON a.town = b.town WHERE a.amount < 3000";
    let mut answer = session.query(sql).await.unwrap();
    members.kill_executor(0);
    members.kill_executor(1);
    let error = loop {
        match answer.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("more than is fetched ahead was to be read"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, LakeError::Cluster(_)), "{error:?}");
    assert_eq!(kernel::error::Coded::code(&error), "lake.unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_cluster_the_gateway_answers_alone() {
    let (_test, lake, mut members, cluster) = clustered(&SECRETS).await;
    let session = asker(&lake.with_cluster(cluster.clone())).await;
    members.kill_scheduler();
    assert_eq!(number(&session, "SELECT count(*) FROM persons").await, 7_500);
    assert_eq!(cluster.answered(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_an_executors_memory_runs_in_the_gateway() {
    let (test, lake, here) = world(&SECRETS).await;
    let lake_folder = test.config.data_dir.join("lake");
    let members = Members::start_with(&lake_folder, crypto::suite::Suite::Gm, 1 << 20).await;
    let cluster = members.connect().await;
    let session = asker(&lake.with_cluster(cluster.clone())).await;
    let much = "SELECT a.amount, b.amount, count(*) FROM persons a JOIN persons b ON a.town = b.town
                 WHERE a.amount < 1000 GROUP BY a.amount, b.amount";
    assert_eq!(outcome(&session, much).await, outcome(&here, much).await);
    assert_eq!((cluster.sent(), cluster.answered()), (1, 0));
    assert_eq!(number(&session, "SELECT count(*) FROM persons").await, 7_500);
    assert_eq!(cluster.answered(), 1, "the next one runs there");
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
