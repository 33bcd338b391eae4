//! The queries of TPC-H through the barrier are answered as DuckDB answers them on a copy that holds no more than is shown.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bench::tpch::{self, Duck};
use crypto::suite::Suite;
use kernel::entropy::OsEntropy;
use kernel::time::SystemClock;
use lake::cluster::{
    Cluster, ExecutorConfig, GatewayConfig, SchedulerConfig, create_keys, serve_executor, serve_scheduler,
};
use store::{Env, Faults};

/// Large enough that nearly all queries have an answer, small enough for an engine that is not optimised; or what
/// `YIWANG_TPCH_SCALE` says.
fn scale() -> f64 {
    std::env::var("YIWANG_TPCH_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(0.01)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_answered_as_duckdb_answers_it_on_a_filtered_copy() {
    let folder = tempfile::tempdir().unwrap();
    let lake = tpch::open(folder.path()).await.unwrap();
    let scale = scale();
    tpch::fill(&lake, scale).await.unwrap();
    let queries = tpch::queries(scale);
    let duck = Duck::here().answer(&lake, &folder.path().join("copy"), &queries, 1).await.unwrap();
    let session = lake.session(&tpch::granted().unwrap()).await.unwrap();
    let views = lake.plain_views(&tpch::granted().unwrap()).await.unwrap();
    let bare = lake.plain_tables(&tpch::ids().unwrap()).await.unwrap();
    let (mut answered, mut ruled, mut wrong) = (0, 0, Vec::new());
    for (number, (sql, (theirs, _))) in queries.iter().zip(&duck.answers).enumerate() {
        let number = number + 1;
        let ours = match session.query(sql).await {
            Ok(answer) => tpch::read(answer).await.unwrap(),
            Err(error) => {
                wrong.push(format!("{number}: {error:?}"));
                continue;
            }
        };
        wrong.extend(tpch::difference(&ours, theirs).map(|text| format!("{number}: {text}")));
        let viewed = tpch::read(views.query(sql).await.unwrap()).await.unwrap();
        wrong.extend(tpch::difference(&ours, &viewed).map(|text| format!("{number} as a view: {text}")));
        let all = tpch::read(bare.query(sql).await.unwrap()).await.unwrap();
        answered += usize::from(ours.rows.iter().flatten().any(Option::is_some));
        ruled += usize::from(tpch::difference(&ours, &all).is_some());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(answered >= 20, "{answered} queries have an answer");
    assert!(ruled >= 17, "{ruled} answers depend on the rules");
}

/// A scheduler and two executors, in this process.
struct Members {
    folder: tempfile::TempDir,
    scheduler: String,
    env: Env,
}

impl Members {
    async fn start(files: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env =
            Env { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy), faults: Faults::default() };
        create_keys(&folder.path().join("keys"), Suite::Intl, &env).unwrap();
        let ports: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<SocketAddr> = ports.iter().map(|port| port.local_addr().unwrap()).collect();
        drop(ports);
        let members = Self { folder, scheduler: addresses[0].to_string(), env };
        let scheduler = SchedulerConfig {
            keys: members.keys("scheduler"),
            lake: files.to_owned(),
            listen: addresses[0],
            lost_after: Duration::from_secs(60),
            env: members.env.clone(),
        };
        tokio::spawn(async move { serve_scheduler(&scheduler, std::future::pending()).await });
        for listen in &addresses[1..] {
            let executor = ExecutorConfig {
                keys: members.keys("executor"),
                lake: files.to_owned(),
                work: members.folder.path().join(listen.port().to_string()),
                listen: *listen,
                scheduler: members.scheduler.clone(),
                tasks: 2,
                memory: 1 << 30,
                env: members.env.clone(),
            };
            tokio::spawn(async move { serve_executor(&executor).await });
        }
        members
    }

    fn keys(&self, role: &str) -> PathBuf {
        self.folder.path().join("keys").join(role)
    }

    async fn cluster(&self) -> Cluster {
        let config = GatewayConfig {
            keys: self.keys("gateway"),
            scheduler: self.scheduler.clone(),
            partitions: 4,
            env: self.env.clone(),
        };
        for _ in 0..600 {
            if let Ok(cluster) = Cluster::connect(&config).await {
                return cluster;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the scheduler does not come up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_answered_on_a_cluster_as_in_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let lake = tpch::open(folder.path()).await.unwrap();
    tpch::fill(&lake, scale()).await.unwrap();
    let members = Members::start(&folder.path().join("lake").canonicalize().unwrap()).await;
    let cluster = members.cluster().await;
    let here = lake.session(&tpch::granted().unwrap()).await.unwrap();
    let there = lake.with_cluster(cluster.clone()).session(&tpch::granted().unwrap()).await.unwrap();
    let mut wrong = Vec::new();
    let mut stayed = Vec::new();
    for (number, sql) in tpch::queries(scale()).iter().enumerate() {
        let before = cluster.answered();
        let ours = tpch::read(here.query(sql).await.unwrap()).await.unwrap();
        let theirs = tpch::read(there.query(sql).await.unwrap()).await.unwrap();
        wrong.extend(tpch::difference(&ours, &theirs).map(|text| format!("{}: {text}", number + 1)));
        if cluster.answered() == before {
            stayed.push(number + 1);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(stayed.len() <= 2, "these were not answered by the cluster: {stayed:?}");
}

#[test]
fn nothing_but_the_measurement_asks_without_the_barrier() {
    let crates = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates"));
    let mut folders = vec![crates.to_owned()];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let own = path.ends_with("lake/src/plain.rs");
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !own {
                let text = std::fs::read_to_string(&path).unwrap();
                let names = ["plain_tables", "plain_views", "plain_files", "lake::plain", "leaking_view"];
                let fence = path.ends_with("lake/src/barrier/governed.rs");
                let named = names.iter().filter(|name| !(fence && **name == "leaking_view"));
                assert!(!named.into_iter().any(|name| text.contains(*name)), "{}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 200, "{read} files");
}
