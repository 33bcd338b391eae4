//! The lake: what arrives in bulk and never changes, kept in Delta tables, read through one barrier.
//!
//! A batch arrives in the inbox, a row of the ledger ([`inbox`]) or a message of a stream ([`stream`]); from then on it
//! is durable and readable. Later it is written into the table's Delta log together with its sequence ([`compaction`]),
//! in the data folder or in a bucket ([`place`]). A job keeps house ([`keeping`]): it merges, retires and vacuums. A
//! table ends with a record of what was destroyed ([`destruction`]). Whoever asks sees a table only as its [`Policy`]
//! lets them: a session ([`session`]) knows governed tables and nothing else.
//!
//! What outgrows one machine runs on several ([`cluster`]), under the same barrier.
//!
//! This is the only crate that names DataFusion, Arrow or Delta.
//!
//! # Invariants
//!
//! - A batch that was answered is read exactly once, before, while and after it is compacted, and after a kill.
//! - What is damaged, a file or the log or an inbox, is an error and never read as if it were whole.
//! - What an asker sees, the errors and the number of rows included, does not depend on a row or a cell that the
//!   policy hides (non-interference).
//! - Of an asker's SQL, only comparisons of a shown column with a constant act below the barrier.
//! - Whatever is not known is refused: an unknown table, column, mask, statement or setting. Functions are those
//!   of a list.
//!
//! # Tables
//!
//! `lake_table`, `lake_batch`, `lake_known`, `lake_destroyed`, `lake_load`, `lake_rejected`, `lake_history`,
//! `lake_history_roster`.

pub mod aggregates;
pub mod answer;
mod barrier;
pub mod batch;
pub mod cells;
pub mod checking;
pub mod cluster;
pub mod compaction;
mod delta;
pub mod destruction;
pub mod error;
pub mod export;
pub mod inbox;
pub mod keeping;
pub mod lineage;
pub mod loading;
mod migrations;
pub mod place;
#[doc(hidden)]
pub mod plain;
pub mod policy;
mod reading;
pub mod schema;
pub mod session;
mod sources;
mod sqlstate;
pub mod stream;
pub mod tables;
mod witness;
mod writing;

pub use batch::Batch;
pub use cells::{Cell, CellKind};
pub use checking::Damage;
pub use error::LakeError;
pub use keeping::{Keeping, Retention, housekeeping};
pub use migrations::MIGRATIONS;
pub use place::{Bucket, Place};
pub use policy::{Comparison, Mask, Policy, RowRule, Scalar};
pub use schema::{Column, Kind, Schema};
pub use session::{Asker, Limits, Prepared, Session};
pub use stream::StreamServer;
pub use tables::{Lake, Storage, Table, TableId};
pub use witness::{Seen, Witness};
