//! Loading: files, web servers and other databases into tables of the lake.
//!
//! A source is opened ([`Opened::open`]), looked at ([`inspect`]), what was found is shown and confirmed as a
//! [`Mapping`], and then it is loaded ([`load`]).
//!
//! # How a load goes
//!
//! A source is read twice. The first time every row is understood and none arrives: rejected rows are kept with
//! their line and reason, the content gets its digest, and whatever would break the load off half-way (a torn
//! file, a sheet whose end is missing, too many rejected rows) does so before anything is there. The second time
//! the rows arrive through the inbox, batch by batch, each compared with what was checked, so that a source which
//! changes meanwhile stops the load and does not mix two states.
//!
//! **Run again, a load doubles nothing.** The name of a batch is made of the table, the content of the whole source
//! and the number of the batch. A load that is killed and started again finds the batches that had arrived and
//! adds the others. One that was done is known by its content, under whatever file name, and nothing arrives.
//! Content that comes again on purpose (a count that is the same on two days) names its occasion.
//!
//! **Rows are seen as they arrive, not all at once.** To show them at once, all batches would have to wait in a place
//! of their own and enter the inbox in one transaction of the ledger, which for a large file is longer than other
//! writers may wait. The first pass takes away what that would be wanted for. A load that is cancelled leaves what
//! has arrived, says how much, and goes on from there when it is started again.
//!
//! **A load cannot be withdrawn.** What has arrived are facts that others may have used; batches of several loads
//! are compacted into one file. What was wrong is corrected by later rows, or the table is destroyed.
//!
//! # Memory
//!
//! Sources are streams. Of a text file, a Parquet file, an `.xlsx` or a database, some thousand rows and one batch
//! are held; of an `.xls` or `.ods` the sheet, whose size is measured before.
//!
//! # Personal data
//!
//! A rejected row is kept encrypted, for it may hold anything. So many are kept and the others counted;
//! [`forget_rejected`] removes them.

mod error;
mod infer;
mod ledger;
mod mapping;
mod names;
mod parse;
mod read;
mod record;
mod report;
mod rows;
mod run;
mod source;
mod texts;

pub use error::{LoadError, Reason};
pub use infer::{ColumnNote, Note, Proposal, ProposedColumn, inspect};
pub use ledger::{
    Load, LoadId, Progress, Rejected, State, ask_to_cancel, find_load, forget_rejected, list_loads,
    list_rejected,
};
pub use mapping::{Check, MappedColumn, Mapping};
pub use read::lines::Encoding;
pub use report::{rejected_header, rejected_line};
pub use rows::Fault;
pub use run::{Cancel, Loaded, Settings, load};
pub use source::{Addresses, Form, Limits, Opened, Reading, Source};
pub use texts::each_text;
