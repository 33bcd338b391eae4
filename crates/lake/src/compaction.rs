//! From the inbox into Delta: the rows of many batches in one commit, with the number of the last.
//!
//! Killed before the commit, the batches are still in the inbox; killed after it, the log says up to which number
//! it has them, and the next run forgets them without writing. A reader takes the inbox first and the log second,
//! and of the inbox only what the log does not have: so it sees each row once at every moment.

use crate::delta::Snapshot;
use crate::{Batch, Lake, LakeError, Table, inbox};

/// How much of the inbox goes into one commit.
const BYTES: u64 = 256 << 20;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Batches that left the inbox.
    pub batches: u64,
    /// The last batch that the log has.
    pub seq: i64,
}

/// Writes what waits in the inbox of a table into its Delta log.
pub async fn compact(lake: &Lake, table: &Table) -> Result<Compacted, LakeError> {
    let faults = &lake.store().env().faults;
    loop {
        let waiting = inbox::waiting(&lake.store().read(), &table.id, BYTES).await?;
        if waiting.is_empty() {
            return Ok(Compacted::default());
        }
        let snapshot = Snapshot::load_or_create(lake, table).await?;
        let had = snapshot.seq;
        let mut rows = Vec::new();
        let mut last = had;
        for batch in waiting.iter().filter(|batch| batch.seq > had) {
            rows.extend(Batch::from_ipc(&batch.body, &table.schema)?);
            last = batch.seq;
        }
        faults.reached("lake.before_commit").await;
        if last > had && !snapshot.append(&table.schema, rows, last).await? {
            continue;
        }
        faults.reached("lake.committed").await;
        let tx = lake.store().begin().await?;
        let batches = inbox::clear(&tx, &table.id, last).await?;
        tx.commit().await?;
        faults.reached("lake.cleared").await;
        return Ok(Compacted { batches, seq: last });
    }
}
