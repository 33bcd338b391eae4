//! The lake's promises: arrival, compaction, the barrier, the attack corpus, non-interference, the cluster.
//!
//! One program, because each would be linked with all of the engine.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod aggregates;
mod arrival;
mod barrier;
mod cluster;
mod common;
mod corpus;
mod crash;
mod interference;
mod keeping;
mod limits;
mod lineage;
mod loading;
mod members;
mod numbers;
mod prepared;
mod s3;
mod servers;
mod stream;
mod trust;
