//! The same governed query on more than one machine: Ballista, behind the gateway.
//!
//! The node that serves doors is the **gateway**. It parses, refuses, plans and checks a statement as always; the
//! policy is in the physical plan before it leaves. What lies below a fence leaves as one sealed scan
//! ([`sealed`]): files, row rule, masks and what waits in the inbox, signed by the gateway. The plan above it is
//! sealed as a whole once more ([`seal`]). A **scheduler** cuts it into stages, **executors** run them, and the
//! gateway takes the answer from the executors.
//!
//! # Equal answers
//!
//! A cluster answers only what it is known to answer as one process does; the gateway makes the plan of one process
//! in any case, and runs it
//!
//! - if the question ([`travel`]) or the plan ([`check`]) is not of the kinds that are right when they are cut, if a
//!   [`crate::Witness`] watches, who has to stand in the gateway's process, or if a table lies in a bucket, to which
//!   executors hold no key;
//! - if the cluster does not bring the query to its end, whatever the reason. So errors are those of one process;
//! - if any part of it had to be run twice, as when an executor was lost ([`whole`]): the engine would count the
//!   rows of the first run as well.
//!
//! Nothing of an answer is handed on before the cluster has made all of it.
//!
//! # Who trusts whom
//!
//! - Every port speaks mutual TLS under the cluster's own authority, on loopback too. A certificate names a role
//!   ([`members`]), and each call is open to one role only: only a gateway asks, only executors take work.
//! - The scheduler takes a plan only under the seal of the gateway's key, once, and before its time is over. It
//!   plans nothing of its own: no logical plan, no SQL, no setting.
//! - An executor runs a task only if every leaf of it is a sealed scan that is still in time, the output of
//!   another stage, or constants; a file outside the lake's folder is refused even under a seal. Neither
//!   scheduler nor executor holds a key that seals.
//! - What a scheduler could do if it were taken over: combine scans of running queries anew. It cannot widen what
//!   one of them shows.
//!
//! # What lies on disks
//!
//! Executors keep what passes between stages in their work folder, **in clear**. The folder is open to its owner
//! alone, emptied at start and at a stop, and of a query when its answer was read; at the latest after a quarter
//! of an hour. Nothing is spilled: what does not fit into memory is refused, as in one process.
//!
//! The engine's own log lines carry names of files and texts of errors; a process that runs these roles keeps
//! them out of its log.

mod check;
mod client;
mod codec;
mod executor;
mod members;
mod scheduler;
mod seal;
mod sealed;
mod travel;
mod whole;

use std::time::Duration;

use ballista_core::config::{
    BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES, BALLISTA_BROADCAST_JOIN_THRESHOLD_ROWS, BallistaConfig,
};
use ballista_core::extension::SessionConfigExt;
use datafusion::prelude::SessionConfig;

pub(crate) use client::Lost;
pub use client::{Cluster, GatewayConfig};
pub use executor::{ExecutorConfig, serve_executor};
pub use members::{Role, create_keys};
pub use scheduler::{SchedulerConfig, serve_scheduler};
pub(crate) use travel::may_travel;

/// The largest message between members.
const MAX_MESSAGE: usize = 64 << 20;
/// The largest plan that is sent; a larger one runs in the gateway.
const MAX_PLAN: usize = 32 << 20;
/// How much of a table's inbox may travel inside a plan; more is compacted first.
pub(crate) const MAX_INLINE: u64 = 2 << 20;
/// How long what passes between stages may lie on an executor's disk.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// What can go wrong between members.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A file of keys cannot be read or written, or does not hold what it should.
    #[error("`{file}` {reason}")]
    Keys {
        /// Which file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A folder cannot be used.
    #[error("`{folder}` cannot be used: {reason}")]
    Folder {
        /// Which folder.
        folder: String,
        /// Why not.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A member cannot be reached or does not answer.
    #[error("the cluster cannot be reached: {0}")]
    Unreachable(String),
    /// The engine of a member stopped.
    #[error("the engine stopped: {0}")]
    Engine(String),
}

/// The settings of a plan that is to be cut into stages.
pub(crate) fn settings(config: SessionConfig) -> SessionConfig {
    config
        // A plan is cut where rows change their partition by their values; dealing them out by turns would read
        // each input once for every task.
        .with_round_robin_repartition(false)
        // A join that collects one side would have it collected by every task.
        .set_usize("datafusion.optimizer.hash_join_single_partition_threshold", 0)
        .set_usize("datafusion.optimizer.hash_join_single_partition_threshold_rows", 0)
        // The result of a subquery, and filters that come to be while a plan runs, lie in the memory of one process:
        // a stage elsewhere would wait for them for ever. Subqueries become joins instead.
        .set_bool("datafusion.optimizer.enable_physical_uncorrelated_scalar_subquery", false)
        .set_bool("datafusion.optimizer.enable_dynamic_filter_pushdown", false)
        // Views into shared buffers are written with all of the buffer, and grow past what a message may hold.
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
}

/// The same with those of the engine that are for members alone.
fn engine_config(partitions: usize) -> SessionConfig {
    settings(crate::session::config(partitions))
        .with_option_extension(BallistaConfig::default())
        // The plan is the gateway's: the scheduler changes no join into one that collects a side.
        .set_usize(BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES, 0)
        .set_usize(BALLISTA_BROADCAST_JOIN_THRESHOLD_ROWS, 0)
        .with_ballista_grpc_client_max_message_size(MAX_MESSAGE)
}

/// An error with all that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
