//! A scheduler and two executors as processes of their own: this test program, run again in their roles.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crypto::suite::Suite;
use kernel::entropy::OsEntropy;
use kernel::time::SystemClock;
use lake::cluster::{
    Cluster, ExecutorConfig, GatewayConfig, Role, SchedulerConfig, create_keys, serve_executor,
    serve_scheduler,
};
use store::{Env, Faults};

/// What a member process is told by its environment.
const ROLE: &str = "YIWANG_TEST_ROLE";

pub(crate) fn env() -> Env {
    Env { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy), faults: Faults::default() }
}

/// The memory of each executor.
pub(crate) const MEMORY: usize = 256 << 20;

/// A cluster of processes; dropped, they end.
pub(crate) struct Members {
    folder: tempfile::TempDir,
    pub(crate) scheduler: String,
    pub(crate) executors: Vec<String>,
    processes: Vec<Child>,
}

impl Members {
    /// Keys, a scheduler and two executors over the lake in this folder.
    pub(crate) async fn start(lake: &Path) -> Self {
        Self::start_with(lake, Suite::Intl, MEMORY).await
    }

    pub(crate) async fn start_with(lake: &Path, suite: Suite, memory: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        create_keys(&folder.path().join("keys"), suite, &env()).unwrap();
        let lake = lake.canonicalize().unwrap();
        let ports: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<String> =
            ports.iter().map(|port| port.local_addr().unwrap().to_string()).collect();
        drop(ports);
        let [scheduler, executors @ ..] = addresses.as_slice() else { panic!("three ports") };
        let mut members = Self {
            folder,
            scheduler: scheduler.clone(),
            executors: executors.to_vec(),
            processes: Vec::new(),
        };
        members.run("scheduler", scheduler, &lake, memory);
        for place in 0..members.executors.len() {
            let address = members.executors[place].clone();
            members.run("executor", &address, &lake, memory);
        }
        let until = Instant::now() + Duration::from_secs(60);
        while Cluster::connect(&members.gateway()).await.is_err() {
            assert!(Instant::now() < until, "the scheduler does not come up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for address in &members.executors {
            while std::net::TcpStream::connect(address).is_err() {
                assert!(Instant::now() < until, "an executor does not come up");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        members
    }

    /// Keys, and one executor that expects a scheduler at an address where the test may play it.
    pub(crate) fn executor_alone(lake: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        create_keys(&folder.path().join("keys"), Suite::Intl, &env()).unwrap();
        let ports: Vec<TcpListener> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<String> =
            ports.iter().map(|port| port.local_addr().unwrap().to_string()).collect();
        drop(ports);
        let mut members = Self {
            folder,
            scheduler: addresses[0].clone(),
            executors: vec![addresses[1].clone()],
            processes: Vec::new(),
        };
        members.run("executor", &addresses[1], &lake.canonicalize().unwrap(), MEMORY);
        members
    }

    fn run(&mut self, role: &str, address: &str, lake: &Path, memory: usize) {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "members::a_member_without_keys_does_not_start", "--nocapture"])
            .env(ROLE, role)
            .env("YIWANG_TEST_KEYS", self.keys(role))
            .env("YIWANG_TEST_LAKE", lake)
            .env("YIWANG_TEST_WORK", self.work(address))
            .env("YIWANG_TEST_LISTEN", address)
            .env("YIWANG_TEST_SCHEDULER", &self.scheduler)
            .env("YIWANG_TEST_MEMORY", memory.to_string())
            // Its end tells the member that nobody is there any more.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.processes.push(child);
    }

    pub(crate) fn keys(&self, role: &str) -> PathBuf {
        self.folder.path().join("keys").join(role)
    }

    /// The work folder of the executor at this address.
    pub(crate) fn work(&self, address: &str) -> PathBuf {
        self.folder.path().join(address.replace([':', '.'], "-"))
    }

    pub(crate) fn gateway(&self) -> GatewayConfig {
        GatewayConfig {
            keys: self.keys(Role::Gateway.name()),
            scheduler: self.scheduler.clone(),
            partitions: 4,
            env: env(),
        }
    }

    pub(crate) async fn connect(&self) -> Cluster {
        Cluster::connect(&self.gateway()).await.unwrap()
    }

    /// Ends an executor as a power cut would.
    pub(crate) fn kill_executor(&mut self, place: usize) {
        self.processes[1 + place].kill().unwrap();
        self.processes[1 + place].wait().unwrap();
    }

    pub(crate) fn kill_scheduler(&mut self) {
        self.processes[0].kill().unwrap();
        self.processes[0].wait().unwrap();
    }

    /// Processor time that an executor has used, in clock ticks.
    pub(crate) fn ticks(&self, place: usize) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.processes[1 + place].id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // One that was killed is gone already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// In a member's process this is the member; elsewhere it is the test that its name says.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_keys_does_not_start() {
    let told = |name: &str| std::env::var(format!("YIWANG_TEST_{name}")).unwrap();
    let role = std::env::var(ROLE).unwrap_or_default();
    if role.is_empty() {
        let nothing = tempfile::tempdir().unwrap();
        let config = SchedulerConfig {
            keys: nothing.path().to_owned(),
            lake: nothing.path().to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            lost_after: Duration::from_secs(10),
            env: env(),
        };
        let error = serve_scheduler(&config, std::future::pending()).await.unwrap_err();
        assert!(matches!(error, lake::cluster::ClusterError::Keys { .. }), "{error}");
        // On loopback as well as where others reach it: nothing is ever served without mutual TLS.
        for address in [[127, 0, 0, 1], [0, 0, 0, 0]] {
            let config = ExecutorConfig {
                keys: nothing.path().to_owned(),
                lake: nothing.path().to_owned(),
                work: nothing.path().join("work"),
                listen: SocketAddr::from((address, 0)),
                scheduler: "127.0.0.1:1".to_owned(),
                tasks: 1,
                memory: MEMORY,
                env: env(),
            };
            let error = serve_executor(&config).await.unwrap_err();
            assert!(matches!(error, lake::cluster::ClusterError::Keys { .. }), "{error}");
        }
        return;
    }
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
    let listen: SocketAddr = told("LISTEN").parse().unwrap();
    if role == "scheduler" {
        let config = SchedulerConfig {
            keys: told("KEYS").into(),
            lake: told("LAKE").into(),
            listen,
            lost_after: Duration::from_secs(10),
            env: env(),
        };
        serve_scheduler(&config, std::future::pending()).await.unwrap();
    } else {
        let config = ExecutorConfig {
            keys: told("KEYS").into(),
            lake: told("LAKE").into(),
            work: told("WORK").into(),
            listen,
            scheduler: told("SCHEDULER"),
            tasks: 2,
            memory: told("MEMORY").parse().unwrap(),
            env: env(),
        };
        serve_executor(&config).await.unwrap();
    }
}
