//! The roles of the binary: a scheduler and two executors answer what the node alone answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::entropy::OsEntropy;
use kernel::error::Coded;
use kernel::time::SystemClock;
use lake::batch::Values;
use lake::cluster::{Cluster, GatewayConfig};
use lake::session::Granted;
use lake::{Batch, Column, Kind, Lake, Limits, Policy, Schema};
use store::test::{On, open};
use store::{Env, Faults};

struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for process in &mut self.0 {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

fn yiwang(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yiwang"));
    command.args(arguments).stderr(Stdio::null());
    command
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// What is asked on both ways, and whether the cluster answers it.
const QUESTIONS: [(&str, bool); 5] = [
    ("SELECT town, count(*), sum(n) FROM visits GROUP BY town ORDER BY town", true),
    (
        "SELECT a.town, count(*) FROM visits a JOIN visits b ON a.n = b.n + 1 AND a.town <> b.town GROUP BY a.town ORDER BY 1",
        true,
    ),
    ("SELECT n, town FROM visits ORDER BY n DESC, town LIMIT 12", true),
    ("SELECT count(*) FROM visits WHERE n NOT IN (SELECT n FROM visits WHERE town = 'T-3')", false),
    ("SELECT sum(1 / (n - 17)) FROM visits", false),
];

/// The rows, or the code of the error.
async fn answer(
    lake: &Lake,
    table: &lake::Table,
    sql: &str,
) -> Result<Vec<Vec<Option<String>>>, &'static str> {
    let policy = Policy::everything(&table.schema);
    let granted = Granted { name: table.id.clone(), table: table.id.clone(), policy, witness: None };
    let session = lake.session(&[granted]).await.unwrap();
    let mut rows = Vec::new();
    let code = |error: lake::LakeError| error.code();
    let mut answer = session.query(sql).await.map_err(code)?;
    for part in answer.all().await.map_err(code)? {
        rows.extend(part.texts().unwrap());
    }
    Ok(rows)
}

/// Neither member is ever reached without the keys of a cluster, on whatever address.
#[test]
fn a_member_without_keys_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = text(folder.path());
    let work = text(&folder.path().join("work"));
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let scheduler = ["scheduler", "--keys", &nothing, "--lake", &nothing, "--listen", listen];
        assert!(!yiwang(&scheduler).status().unwrap().success());
        let executor =
            ["executor", "--keys", &nothing, "--lake", &nothing, "--work", &work, "--listen", listen];
        assert!(!yiwang(&executor).status().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_and_two_executors_answer_what_the_node_answers() {
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = Lake::open(test.store.clone(), Limits::default()).unwrap();
    let schema = Schema::new(vec![Column::new("town", Kind::Text), Column::new("n", Kind::Integer)]).unwrap();
    let id = "visits".parse().unwrap();
    let tx = lake.store().begin().await.unwrap();
    assert!(Lake::create_table(&tx, &id, &schema).await.unwrap());
    tx.commit().await.unwrap();
    let table = Lake::table(&lake.store().read(), &id).await.unwrap();
    for part in 0..2_i64 {
        let towns = (0..5_000).map(|row| Some(format!("T-{}", row % 7))).collect();
        let numbers = (0..5_000).map(|row| Some(row + part)).collect();
        let batch = Batch::new(&schema, vec![Values::Text(towns), Values::Integer(numbers)]).unwrap();
        let encoded = lake::inbox::encode(&table, &batch).unwrap();
        let tx = lake.store().begin().await.unwrap();
        lake::inbox::arrive(&tx, &id, &part.to_string(), encoded).await.unwrap();
        tx.commit().await.unwrap();
        if part == 0 {
            lake::compaction::compact(&lake, &table).await.unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    assert!(yiwang(&["keys", "cluster", &text(&keys), "--suite", "gm"]).status().unwrap().success());
    assert!(
        !yiwang(&["keys", "cluster", &text(&keys)]).status().unwrap().success(),
        "they are there already"
    );
    let ports: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let [scheduler, one, two] = ports
        .iter()
        .map(|port| port.local_addr().unwrap().to_string())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    drop(ports);
    let files = text(&test.config.data_dir.join("lake"));
    let mut running = Running(Vec::new());
    let own = |role: &str| text(&keys.join(role));
    let start =
        yiwang(&["scheduler", "--keys", &own("scheduler"), "--lake", &files, "--listen", &scheduler]).spawn();
    running.0.push(start.unwrap());
    for address in [&one, &two] {
        let work = text(&folder.path().join(address));
        let start = yiwang(&[
            "executor",
            "--keys",
            &own("executor"),
            "--lake",
            &files,
            "--work",
            &work,
            "--listen",
            address,
            "--scheduler",
            &scheduler,
            "--tasks",
            "2",
            "--memory",
            "256",
        ])
        .spawn();
        running.0.push(start.unwrap());
    }
    let env = Env { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy), faults: Faults::default() };
    let config =
        GatewayConfig { keys: keys.join("gateway"), scheduler: scheduler.clone(), partitions: 4, env };
    let until = Instant::now() + Duration::from_secs(60);
    let cluster = loop {
        match Cluster::connect(&config).await {
            Ok(cluster) => break cluster,
            Err(error) => assert!(Instant::now() < until, "the scheduler does not come up: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let there = lake.clone().with_cluster(cluster.clone());
    for (sql, travels) in QUESTIONS {
        let before = cluster.answered();
        assert_eq!(answer(&there, &table, sql).await, answer(&lake, &table, sql).await, "{sql}");
        assert_eq!(cluster.answered() > before, travels, "{sql}");
    }
    assert!(a_node_finds_it(&scheduler, &keys.join("gateway"), folder.path()), "by its configuration");
}

/// Whether a node that is told of the cluster says that it is there.
fn a_node_finds_it(scheduler: &str, keys: &Path, folder: &Path) -> bool {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let data = text(&folder.join("data"));
    let mut command =
        yiwang(&["serve", "--listen", "127.0.0.1:0", "--data", &data, "--packs", &text(&packs)]);
    let mut node = command
        .env("YIWANG_CLUSTER_SCHEDULER", scheduler)
        .env("YIWANG_CLUSTER_KEYS", keys)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(node.stderr.take().unwrap()).lines().map_while(Result::ok);
    let found = lines
        .take_while(|line| !line.contains("the node is up"))
        .any(|line| line.contains("governed queries run on the cluster"));
    node.kill().unwrap();
    node.wait().unwrap();
    found
}
