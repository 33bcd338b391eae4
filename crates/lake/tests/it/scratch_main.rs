//! The lake's promises: arrival, compaction, the barrier, the attack corpus, non-interference.
//!
//! One program, because each would be linked with all of the engine.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod arrival;

mod common;

mod crash;

mod keeping;

mod numbers;
mod s3;
mod servers;
mod stream;
