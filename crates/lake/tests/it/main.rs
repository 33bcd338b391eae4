//! The lake's promises: arrival, compaction, the barrier, the attack corpus, non-interference.
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
mod common;
mod corpus;
mod crash;
mod interference;
mod keeping;
mod limits;
mod lineage;
mod loading;
mod numbers;
mod s3;
mod servers;
mod stream;
mod prepared;
