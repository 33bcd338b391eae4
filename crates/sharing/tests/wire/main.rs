//! The PostgreSQL door, asked by other people's clients.
//!
//! Each test opens the real door on a free port, before a real lake, and runs a client as a process of its own. A client
//! that is missing fails the test: `make setup` installs them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod clients;
mod corpus;
mod door;
mod keys;
mod limits;
#[expect(dead_code, reason = "the lake's tests use the rest")]
#[path = "../../../lake/tests/it/common.rs"]
mod world;
