//! `yiwang scheduler`, `yiwang executor`, `yiwang keys cluster`: queries on more than one machine.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use crypto::suite::Suite;
use lake::cluster::{ExecutorConfig, SchedulerConfig, create_keys, serve_executor, serve_scheduler};
use store::Faults;

use super::serve::{asked_to_stop, log_to_stderr_without};
use crate::node;

/// The engine names files and cells of the data in its lines.
const SILENT: [&str; 4] = ["ballista_core", "ballista_executor", "ballista_scheduler", "datafusion"];

/// What every member of a cluster is told.
#[derive(Args, Clone, Debug)]
pub(super) struct Membership {
    /// The folder of this member's keys, from `yiwang keys cluster`
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The folder of the lake, under the same path as at the node: DATA/lake
    #[arg(long, value_name = "DIR")]
    lake: PathBuf,
}

/// How an executor runs.
#[derive(Args, Clone, Debug)]
pub(super) struct ExecutorArgs {
    #[command(flatten)]
    membership: Membership,
    /// The address to hand out rows on; the other members reach it there
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// The scheduler: a host and a port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50050")]
    scheduler: String,
    /// A folder of its own for what passes between stages, in clear; it is emptied
    #[arg(long, value_name = "DIR")]
    work: PathBuf,
    /// How many tasks run side by side [default: as many as there are processors]
    #[arg(long, value_name = "COUNT")]
    tasks: Option<usize>,
    /// How much memory all tasks together may take, in MB
    #[arg(long, value_name = "MB", default_value_t = 1024)]
    memory: usize,
}

/// Runs a scheduler until the process is asked to stop.
pub(super) async fn scheduler(membership: &Membership, listen: SocketAddr) -> anyhow::Result<bool> {
    log_to_stderr_without(&SILENT);
    let config = SchedulerConfig {
        keys: membership.keys.clone(),
        lake: membership.lake.canonicalize()?,
        listen,
        lost_after: Duration::from_secs(20),
        env: node::real_env(Faults::default()),
    };
    serve_scheduler(&config, asked_to_stop()).await?;
    Ok(true)
}

/// Runs an executor until the process is asked to stop.
pub(super) async fn executor(args: &ExecutorArgs) -> anyhow::Result<bool> {
    log_to_stderr_without(&SILENT);
    let config = ExecutorConfig {
        keys: args.membership.keys.clone(),
        lake: args.membership.lake.canonicalize()?,
        work: args.work.clone(),
        listen: args.listen,
        scheduler: args.scheduler.clone(),
        tasks: args.tasks.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        memory: args.memory.saturating_mul(1 << 20),
        env: node::real_env(Faults::default()),
    };
    serve_executor(&config).await?;
    Ok(true)
}

/// Makes the keys of a new cluster.
pub(super) fn keys(folder: &Path, suite: Suite) -> anyhow::Result<bool> {
    create_keys(folder, suite, &node::real_env(Faults::default()))?;
    writeln!(
        std::io::stdout(),
        "`{}` has a folder of keys for each role: gateway, scheduler, executor. Carry each to its machine \
         and keep no copy.",
        folder.display()
    )?;
    Ok(true)
}
