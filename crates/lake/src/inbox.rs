//! Arrival: one durable row a batch in the ledger.
//!
//! Whoever sends a batch gives it an id. Once the write that holds it has committed, the batch is on disk, can be
//! read, and will be in the table once: sent again under the same id it is known and not taken a second time.

use kernel::time::Timestamp;
use store::{Reads, Tx, params};

use crate::{Batch, LakeError, Table, TableId};

/// The largest batch, as bytes on their way into the ledger.
pub const MAX_BYTES: usize = 64 << 20;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its place among the batches of the table.
    pub seq: i64,
    /// Whether it had come before.
    pub repeated: bool,
}

/// A batch that is ready to be written: encode before the write begins.
pub struct Encoded {
    rows: i64,
    body: Vec<u8>,
}

/// Encodes a batch of this table.
pub fn encode(table: &Table, batch: &Batch) -> Result<Encoded, LakeError> {
    if batch.0.schema() != table.schema.arrow() {
        return Err(LakeError::Data(format!("the batch does not have the columns of `{}`", table.id)));
    }
    let body = batch.to_ipc()?;
    if body.len() > MAX_BYTES {
        return Err(LakeError::Data(format!("a batch of {} bytes is too large", body.len())));
    }
    Ok(Encoded { rows: i64::try_from(batch.rows()).unwrap_or(i64::MAX), body })
}

/// Takes a batch in. It counts from the commit of `tx` on.
pub async fn arrive(tx: &Tx, table: &TableId, batch_id: &str, batch: Encoded) -> Result<Arrival, LakeError> {
    let known = "SELECT seq FROM lake_batch WHERE table_id = $1 AND batch_id = $2";
    if let Some(row) = tx.rows(known, params![table.as_str(), batch_id]).await?.first() {
        return Ok(Arrival { seq: row.get("seq")?, repeated: true });
    }
    // The row of the table is locked until the commit, so that a batch which is seen has none before it that is
    // not: what is compacted is always all up to a number.
    let next = "UPDATE lake_table SET last_seq = last_seq + 1 WHERE table_id = $1 RETURNING last_seq";
    let rows = tx.rows(next, params![table.as_str()]).await?;
    let seq: i64 = rows.first().ok_or_else(|| LakeError::NoTable(table.to_string()))?.get("last_seq")?;
    tx.execute(
        "INSERT INTO lake_batch (table_id, seq, batch_id, row_count, body, arrived_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![table.as_str(), seq, batch_id, batch.rows, batch.body, tx.store().env().now()],
    )
    .await?;
    Ok(Arrival { seq, repeated: false })
}

/// A batch that is still in the inbox.
pub(crate) struct Waiting {
    pub(crate) seq: i64,
    pub(crate) body: Vec<u8>,
}

store::row! {
    struct SizeRow { seq: i64, size: i64 }
}
store::row! {
    struct WaitingRow { seq: i64, body: Vec<u8> }
}

/// The oldest batches in the inbox, up to `bytes`, and at least one if any is there.
pub(crate) async fn waiting(db: &impl Reads, table: &TableId, bytes: u64) -> Result<Vec<Waiting>, LakeError> {
    let sizes: Vec<SizeRow> = db
        .query(
            "SELECT seq, CAST(length(body) AS BIGINT) AS size
               FROM lake_batch
              WHERE table_id = $1 AND body IS NOT NULL
              ORDER BY seq",
            params![table.as_str()],
        )
        .await?;
    let mut sum = 0_u64;
    let mut last = None;
    for row in &sizes {
        sum = sum.saturating_add(u64::try_from(row.size).unwrap_or(0));
        if last.is_some() && sum > bytes {
            break;
        }
        last = Some(row.seq);
    }
    let Some(last) = last else { return Ok(Vec::new()) };
    let rows: Vec<WaitingRow> = db
        .query(
            "SELECT seq, body
               FROM lake_batch
              WHERE table_id = $1 AND seq <= $2 AND body IS NOT NULL
              ORDER BY seq",
            params![table.as_str(), last],
        )
        .await?;
    Ok(rows.into_iter().map(|row| Waiting { seq: row.seq, body: row.body }).collect())
}

/// Forgets the bodies of batches that Delta has.
pub(crate) async fn clear(tx: &Tx, table: &TableId, up_to: i64) -> Result<u64, LakeError> {
    let sql = "UPDATE lake_batch SET body = NULL WHERE table_id = $1 AND seq <= $2 AND body IS NOT NULL";
    Ok(tx.execute(sql, params![table.as_str(), up_to]).await?)
}

/// What is known of the arrivals of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Batches that came.
    pub batches: i64,
    /// Rows that came.
    pub rows: i64,
    /// Batches that wait to be compacted.
    pub waiting: i64,
    /// When the last came.
    pub last_at: Option<Timestamp>,
}

/// What is known of the arrivals of a table.
pub async fn counts(db: &impl Reads, table: &TableId) -> Result<Counts, LakeError> {
    let rows = db
        .rows(
            "SELECT COUNT(*) AS batches, CAST(COALESCE(SUM(row_count), 0) AS BIGINT) AS all_rows,
                    COUNT(body) AS waiting, MAX(arrived_at) AS last_at
               FROM lake_batch
              WHERE table_id = $1",
            params![table.as_str()],
        )
        .await?;
    let Some(row) = rows.first() else { return Ok(Counts::default()) };
    Ok(Counts {
        batches: row.get("batches")?,
        rows: row.get("all_rows")?,
        waiting: row.get("waiting")?,
        last_at: row.get("last_at")?,
    })
}
