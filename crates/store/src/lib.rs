//! The ledger: transactions, dialect, migrations, jobs, outbox, audit and blobs.
//!
//! What is decided lives here; what arrives in bulk does not. The ledger is SQLite in the data folder or
//! PostgreSQL, with the same SQL: this is the only crate that names the database library, and
//! [`dialect`] the only file that asks which database it is.
//!
//! # Invariants
//!
//! - A write happens in a [`Tx`]. Its rows, its events, its jobs and its audit entries commit together or
//!   not at all.
//! - Concurrent writes share one commit (group commit): each has a savepoint of its own, and nobody is
//!   answered before the shared commit is on disk.
//! - Every group that audits ends with a signed Merkle head, so there is no unsigned tail.
//! - Time and ids come from the caller's [`kernel::time::Clock`] and [`kernel::entropy::Entropy`], never
//!   from SQL.
//!
//! # Tables
//!
//! `store_migration`, `store_key_ring`, `store_outbox`, `store_job`, `store_blob`, `store_audit_leaf`,
//! `store_audit_entry`, `store_audit_head`, `store_audit_state`.

pub mod audit;
pub mod backup;
pub mod blobs;
mod db;
mod dialect;
mod error;
pub mod faults;
pub mod jobs;
pub mod keys;
pub mod migrate;
pub mod outbox;
pub mod proof;
mod row;
mod tx;
pub mod verify;

#[cfg(any(test, feature = "test"))]
pub mod test;

pub use audit::{AuditEntry, Purpose};
pub use db::{Config, Env, Reader, Reads, SQLITE_FILE, Snapshot, Store};
pub use error::StoreError;
pub use faults::Faults;
pub use migrate::Migration;
pub use outbox::Event;
pub use row::{Column, FromRow, IntoValue, Row, Value};
pub use tx::Tx;
