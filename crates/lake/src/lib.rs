//! The lake: what arrives in bulk and never changes, kept in Delta tables, read through one barrier.
//!
//! A batch arrives in the inbox, a row of the ledger ([`inbox`]); from then on it is durable and readable. Later
//! it is written into the table's Delta log together with its sequence ([`compaction`]). Whoever asks sees a
//! table only as its [`Policy`] lets them: a session ([`session`]) knows governed tables and nothing else.
//!
//! This is the only crate that names DataFusion, Arrow or Delta.
//!
//! # Invariants
//!
//! - A batch that was answered is read exactly once, before, while and after it is compacted, and after a kill.
//! - What an asker sees, the errors and the number of rows included, does not depend on a row or a cell that the
//!   policy hides (non-interference).
//! - Of an asker's SQL, only comparisons of a shown column with a constant act below the barrier.
//! - Whatever is not known is refused: an unknown table, column, mask, statement or setting. Functions are those of
//!   the pinned engine less a list.
//!
//! # Tables
//!
//! `lake_table`, `lake_batch`, `lake_history`, `lake_history_roster`.

pub mod aggregates;
pub mod answer;
mod barrier;
pub mod batch;
pub mod compaction;
mod delta;
pub mod error;
pub mod inbox;
pub mod lineage;
mod migrations;
pub mod policy;
mod reading;
pub mod schema;
pub mod session;
pub mod tables;

pub use batch::Batch;
pub use error::LakeError;
pub use migrations::MIGRATIONS;
pub use policy::{Comparison, Mask, Policy, RowRule, Scalar};
pub use schema::{Column, Kind, Schema};
pub use session::{Limits, Session};
pub use tables::{Lake, Table, TableId};
