//! From the inbox into Delta: the rows of many batches in one commit, with the number of the last.
//!
//! Killed before the commit, the batches are still in the inbox; killed after it, the log says up to which number
//! it has them, and the next run forgets them without writing. A reader takes the inbox first and the log second,
//! and of the inbox only what the log does not have: so it sees each row once at every moment.

use std::collections::HashSet;

use crate::delta::{Change, Snapshot, append};
use crate::sources::Source;
use crate::writing::Writing;
use crate::{Batch, Lake, LakeError, Table, stream};

/// How much of the inbox goes into one commit.
const BYTES: u64 = 256 << 20;
/// How much of it is in memory at once.
const PART: u64 = 16 << 20;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Batches that left the inbox.
    pub batches: u64,
    /// The last batch that the log has; 0 if nothing waited.
    pub seq: i64,
}

/// Writes what waits in the inboxes of a table into its Delta log, the oldest first and at most as much as fits into
/// one commit each.
pub async fn compact(lake: &Lake, table: &Table) -> Result<Compacted, LakeError> {
    let mut done = Compacted::default();
    for source in lake.sources() {
        let one = drain(lake, table, &source).await?;
        done.batches += one.batches;
        done.seq = done.seq.max(one.seq);
    }
    Ok(done)
}

async fn drain(lake: &Lake, table: &Table, source: &Source<'_>) -> Result<Compacted, LakeError> {
    let faults = &lake.store().env().faults;
    loop {
        let Some(standing) = source.standing(lake, &table.id).await? else { return Ok(Compacted::default()) };
        if standing.messages == 0 {
            return Ok(Compacted::default());
        }
        let found = match Snapshot::load(lake, table).await? {
            // A log is made for a table that has none yet, not for one that lost it.
            None if standing.compacted == 0 => Some(Snapshot::load_or_create(lake, table).await?),
            found => found,
        };
        let had = match &found {
            Some(snapshot) => snapshot.seq(&standing.name).await?,
            None => 0,
        };
        source.check(lake, &table.id, &standing, had).await?;
        let Some(snapshot) = found else { return Ok(Compacted::default()) };
        // Those that the log has already, because a run was cut short.
        let mut done = Compacted { batches: source.clear(lake, &table.id, &standing, had).await?, seq: had };

        let mut writing = Writing::begin(&snapshot, table)?;
        let (mut last, mut taken) = (had, 0);
        let mut seen = HashSet::new();
        while taken < BYTES {
            let part = source.waiting(lake, &table.id, last, PART).await?;
            let repeated = match source {
                Source::Ledger => HashSet::new(),
                Source::Stream(_) => {
                    stream::repeated(&lake.store().read(), &table.id, &part, &mut seen).await?
                }
            };
            for batch in &part {
                last = batch.seq;
                taken += u64::try_from(batch.body.len()).unwrap_or(u64::MAX);
                if repeated.contains(&batch.seq) {
                    continue;
                }
                for rows in Batch::from_ipc(&batch.body, &table.schema)? {
                    writing.write(&rows, batch.arrived_at).await?;
                }
            }
            if part.is_empty() {
                break;
            }
        }
        faults.reached("lake.before_write").await;
        let added = writing.end(true).await?;
        if last == had {
            return Ok(done);
        }
        faults.reached("lake.before_commit").await;
        let change = Change {
            added,
            removed: Vec::new(),
            batches: Some((standing.name.clone(), last)),
            operation: append(),
        };
        if !snapshot.commit(lake, table, change).await? {
            continue;
        }
        faults.reached("lake.committed").await;
        done.batches += source.clear(lake, &table.id, &standing, last).await?;
        done.seq = last;
        faults.reached("lake.cleared").await;
        return Ok(done);
    }
}
