//! The inboxes of a lake as one thing: what waits in the ledger, and what waits in a stream if one is configured. Both
//! are always looked at, so that a node may change from one to the other.

use store::{Reads, params};

use crate::checking::Damage;
use crate::inbox::{self, Waiting};
use crate::stream::{Standing, Stream};
use crate::{Lake, LakeError, TableId};

/// The name under which the log keeps the sequence of the ledger's inbox.
pub(crate) const LEDGER: &str = "yiwang.inbox";
/// How much is read at once to be noted.
const PART: u64 = 16 << 20;

pub(crate) enum Source<'a> {
    Ledger,
    Stream(&'a Stream),
}

store::row! {
    struct LedgerRow { last_seq: i64, compacted_seq: i64, waiting_bytes: i64 }
}

impl Lake {
    pub(crate) fn sources(&self) -> Vec<Source<'_>> {
        std::iter::once(Source::Ledger).chain(self.stream().map(Source::Stream)).collect()
    }
}

async fn ledger(lake: &Lake, table: &TableId) -> Result<LedgerRow, LakeError> {
    let row: Option<LedgerRow> = lake
        .store()
        .read()
        .optional(
            "SELECT last_seq, compacted_seq, waiting_bytes FROM lake_table WHERE table_id = $1",
            params![table.as_str()],
        )
        .await?;
    row.ok_or_else(|| LakeError::NoTable(table.to_string()))
}

impl Source<'_> {
    /// How it stands; none if there is none.
    pub(crate) async fn standing(&self, lake: &Lake, table: &TableId) -> Result<Option<Standing>, LakeError> {
        match self {
            Self::Stream(stream) => stream.standing(lake, table).await,
            Self::Ledger => {
                let row = ledger(lake, table).await?;
                let bytes = u64::try_from(row.waiting_bytes).unwrap_or(0);
                Ok(Some(Standing {
                    name: LEDGER.to_owned(),
                    first: row.compacted_seq + 1,
                    last: row.last_seq,
                    compacted: row.compacted_seq,
                    bytes,
                    messages: u64::from(bytes > 0),
                }))
            }
        }
    }

    /// Whether the log can be as far as it is: not less than the ledger knew before it was read, and not further than
    /// the inbox is now.
    pub(crate) async fn check(
        &self,
        lake: &Lake,
        table: &TableId,
        before: &Standing,
        had: i64,
    ) -> Result<(), LakeError> {
        if had < before.compacted {
            return Err(LakeError::Damaged(Damage {
                what: format!("the log of `{table}`"),
                reason: format!("ends at batch {had}, though it had {}", before.compacted),
            }));
        }
        if had > before.last
            && let Some(now) = self.standing(lake, table).await?
            && had > now.last
        {
            return Err(LakeError::Damaged(Damage {
                what: format!("the inbox {} of `{table}`", now.name),
                reason: format!(
                    "ends at batch {}, though the log has {had}: it was put back to an older state",
                    now.last
                ),
            }));
        }
        Ok(())
    }

    /// The oldest batches after that number, up to `bytes`, and at least one if any is there.
    pub(crate) async fn waiting(
        &self,
        lake: &Lake,
        table: &TableId,
        after: i64,
        bytes: u64,
    ) -> Result<Vec<Waiting>, LakeError> {
        match self {
            Self::Ledger => inbox::waiting(&lake.store().read(), table, after, bytes).await,
            Self::Stream(stream) => stream.waiting(table, after, bytes).await,
        }
    }

    /// Lets go of batches that the log has, and says how many they were.
    pub(crate) async fn clear(
        &self,
        lake: &Lake,
        table: &TableId,
        standing: &Standing,
        up_to: i64,
    ) -> Result<u64, LakeError> {
        match self {
            Self::Ledger if standing.first > up_to => Ok(0),
            Self::Ledger => {
                let tx = lake.store().begin().await?;
                let cleared = inbox::clear(&tx, table, up_to).await?;
                tx.commit().await?;
                Ok(cleared)
            }
            Self::Stream(stream) => {
                let mut cleared = 0;
                let mut after = standing.first - 1;
                while after < up_to {
                    let mut part = stream.waiting(table, after, PART).await?;
                    part.retain(|batch| batch.seq <= up_to);
                    let Some(last) = part.last().map(|batch| batch.seq) else { break };
                    stream.clear(lake, table, &standing.name, &part).await?;
                    cleared += u64::try_from(part.len()).unwrap_or(0);
                    after = last;
                }
                Ok(cleared)
            }
        }
    }
}
