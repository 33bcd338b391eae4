//! Arrival: a batch is durable and can be read from the moment it is answered.
//!
//! Whoever sends a batch gives it an id. It waits in an inbox, a row of the ledger or a message of a stream
//! ([`crate::stream`]), until it is compacted; [`Lake::arrive`] is the same for both. Sent again under the same id, it
//! is known and not taken a second time, for as long as [`crate::keeping::Keeping::known_for`] says.
//!
//! What waits is bounded. When too much does, arrival compacts; if that makes no room, the sender is told to come
//! again ([`LakeError::Full`]).

use kernel::time::Timestamp;
use store::{Reads, Tx, params};

use crate::{Batch, Lake, LakeError, Table, TableId, compaction};

/// The largest batch, as bytes on their way into the inbox.
pub const MAX_BYTES: usize = 64 << 20;
/// How much of one table may wait in the ledger, in bytes, if the lake was opened without saying.
pub const MAX_WAITING: u64 = 1 << 30;
/// The longest id of a batch.
const MAX_ID: usize = 200;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its place in the inbox of the table; 0 for one that had come before and is in the table by now, where nothing
    /// is known of its place.
    pub seq: i64,
    /// Whether it had come before. A stream may say no and yet know it later: the rows are in the table once.
    pub repeated: bool,
}

/// A batch that is ready to be written: encode before the write begins.
pub struct Encoded {
    pub(crate) rows: i64,
    pub(crate) body: Vec<u8>,
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

impl Lake {
    /// Takes a batch in. When this returns it is durable, can be read, and is in the table once.
    pub async fn arrive(&self, table: &Table, batch_id: &str, batch: &Batch) -> Result<Arrival, LakeError> {
        check_id(batch_id)?;
        let encoded = encode(table, batch)?;
        if let Some(stream) = self.stream() {
            return stream.send(self, table, batch_id, encoded).await;
        }
        match self.write(table, batch_id, &encoded).await {
            Err(LakeError::Full) => {
                // Whoever finds it full makes room; the others are told to come again.
                let _one = self.making_room().try_lock().map_err(|_| LakeError::Full)?;
                compaction::compact(self, table).await?;
                self.write(table, batch_id, &encoded).await
            }
            other => other,
        }
    }

    async fn write(&self, table: &Table, batch_id: &str, batch: &Encoded) -> Result<Arrival, LakeError> {
        let tx = self.store().begin().await?;
        let arrival = take(&tx, &table.id, batch_id, batch, self.max_waiting()).await?;
        self.store().env().faults.reached("lake.arriving").await;
        tx.commit().await?;
        self.store().env().faults.reached("lake.arrived").await;
        Ok(arrival)
    }
}

fn check_id(batch_id: &str) -> Result<(), LakeError> {
    if batch_id.is_empty() || batch_id.len() > MAX_ID || batch_id.chars().any(char::is_control) {
        return Err(LakeError::Data(format!("the id of a batch has 1 to {MAX_ID} letters")));
    }
    Ok(())
}

/// Takes a batch into the ledger as part of a larger write. It counts from the commit of `tx` on.
pub async fn arrive(tx: &Tx, table: &TableId, batch_id: &str, batch: Encoded) -> Result<Arrival, LakeError> {
    check_id(batch_id)?;
    take(tx, table, batch_id, &batch, MAX_WAITING).await
}

async fn take(
    tx: &Tx,
    table: &TableId,
    batch_id: &str,
    batch: &Encoded,
    max_waiting: u64,
) -> Result<Arrival, LakeError> {
    // The row of the table is locked until the commit, so that a batch which is seen has none before it that is
    // not: what is compacted is always all up to a number.
    let size = i64::try_from(batch.body.len()).unwrap_or(i64::MAX);
    let next = "UPDATE lake_table
                   SET last_seq = last_seq + 1, waiting_bytes = waiting_bytes + $2
                 WHERE table_id = $1 AND ends_at IS NULL
                RETURNING last_seq, waiting_bytes";
    let rows = tx.rows(next, params![table.as_str(), size]).await?;
    let row = rows.first().ok_or_else(|| LakeError::NoTable(table.to_string()))?;
    let (seq, waiting): (i64, i64) = (row.get("last_seq")?, row.get("waiting_bytes")?);
    // Behind the lock: whoever sends the same batch beside us has either committed it or waits.
    let known = "SELECT seq FROM lake_batch WHERE table_id = $1 AND batch_id = $2
                  UNION ALL
                 SELECT 0 FROM lake_known WHERE table_id = $1 AND batch_id = $2";
    if let Some(row) = tx.rows(known, params![table.as_str(), batch_id]).await?.first() {
        let back = "UPDATE lake_table
                       SET last_seq = last_seq - 1, waiting_bytes = waiting_bytes - $2
                     WHERE table_id = $1";
        tx.execute(back, params![table.as_str(), size]).await?;
        return Ok(Arrival { seq: row.get("seq")?, repeated: true });
    }
    // The caller drops the write, and with it the number.
    if waiting > size && u64::try_from(waiting).unwrap_or(0) > max_waiting {
        return Err(LakeError::Full);
    }
    tx.execute(
        "INSERT INTO lake_batch (table_id, seq, batch_id, row_count, body, arrived_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![table.as_str(), seq, batch_id, batch.rows, batch.body.as_slice(), tx.store().env().now()],
    )
    .await?;
    Ok(Arrival { seq, repeated: false })
}

/// A batch that is still in an inbox.
pub(crate) struct Waiting {
    pub(crate) seq: i64,
    pub(crate) batch_id: String,
    pub(crate) rows: i64,
    pub(crate) arrived_at: Timestamp,
    pub(crate) body: bytes::Bytes,
}

store::row! {
    struct SizeRow { seq: i64, size: i64 }
}
store::row! {
    struct WaitingRow { seq: i64, batch_id: String, row_count: i64, arrived_at: Timestamp, body: Vec<u8> }
}

/// The oldest batches in the ledger after that number, up to `bytes`, and at least one if any is there.
pub(crate) async fn waiting(
    db: &impl Reads,
    table: &TableId,
    after: i64,
    bytes: u64,
) -> Result<Vec<Waiting>, LakeError> {
    let sizes: Vec<SizeRow> = db
        .query(
            "SELECT seq, CAST(length(body) AS BIGINT) AS size
               FROM lake_batch
              WHERE table_id = $1 AND seq > $2 AND body IS NOT NULL
              ORDER BY seq
              LIMIT 1000",
            params![table.as_str(), after],
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
            "SELECT seq, batch_id, row_count, arrived_at, body
               FROM lake_batch
              WHERE table_id = $1 AND seq > $2 AND seq <= $3 AND body IS NOT NULL
              ORDER BY seq",
            params![table.as_str(), after, last],
        )
        .await?;
    let waiting = rows.into_iter().map(|row| Waiting {
        seq: row.seq,
        batch_id: row.batch_id,
        rows: row.row_count,
        arrived_at: row.arrived_at,
        body: row.body.into(),
    });
    Ok(waiting.collect())
}

/// Forgets the bodies of batches that Delta has, and says how many they were.
pub(crate) async fn clear(tx: &Tx, table: &TableId, up_to: i64) -> Result<u64, LakeError> {
    // First the row that arrival locks too.
    tx.execute(
        "UPDATE lake_table
            SET compacted_seq = CASE WHEN compacted_seq < $2 THEN $2 ELSE compacted_seq END
          WHERE table_id = $1",
        params![table.as_str(), up_to],
    )
    .await?;
    let freed = tx
        .count(
            "SELECT CAST(COALESCE(SUM(length(body)), 0) AS BIGINT) AS n
               FROM lake_batch
              WHERE table_id = $1 AND seq <= $2 AND body IS NOT NULL",
            params![table.as_str(), up_to],
        )
        .await?;
    let cleared = tx
        .execute(
            "UPDATE lake_batch SET body = NULL WHERE table_id = $1 AND seq <= $2 AND body IS NOT NULL",
            params![table.as_str(), up_to],
        )
        .await?;
    tx.execute(
        "UPDATE lake_table SET waiting_bytes = waiting_bytes - $2 WHERE table_id = $1",
        params![table.as_str(), freed],
    )
    .await?;
    Ok(cleared)
}

/// Forgets the ids of batches that are in the table since before that time. Sent again, they would be taken again.
pub(crate) async fn forget(tx: &Tx, table: &TableId, before: Timestamp) -> Result<u64, LakeError> {
    let row = tx
        .rows(
            "SELECT CAST(COUNT(*) AS BIGINT) AS batches, CAST(COALESCE(SUM(row_count), 0) AS BIGINT) AS all_rows
               FROM (SELECT row_count FROM lake_batch
                      WHERE table_id = $1 AND body IS NULL AND arrived_at < $2
                      UNION ALL
                     SELECT row_count FROM lake_known WHERE table_id = $1 AND arrived_at < $2) old",
            params![table.as_str(), before],
        )
        .await?;
    let Some(row) = row.first() else { return Ok(0) };
    let (batches, rows): (i64, i64) = (row.get("batches")?, row.get("all_rows")?);
    if batches == 0 {
        return Ok(0);
    }
    tx.execute(
        "UPDATE lake_table
            SET forgotten_batches = forgotten_batches + $2, forgotten_rows = forgotten_rows + $3
          WHERE table_id = $1",
        params![table.as_str(), batches, rows],
    )
    .await?;
    for sql in [
        "DELETE FROM lake_batch WHERE table_id = $1 AND body IS NULL AND arrived_at < $2",
        "DELETE FROM lake_known WHERE table_id = $1 AND arrived_at < $2",
    ] {
        tx.execute(sql, params![table.as_str(), before]).await?;
    }
    Ok(u64::try_from(batches).unwrap_or(0))
}

/// What is known of the arrivals of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Batches that came. Of a stream, those that were compacted.
    pub batches: i64,
    /// Rows that came with them.
    pub rows: i64,
    /// Batches that wait in the ledger to be compacted.
    pub waiting: i64,
    /// When the last of them came.
    pub last_at: Option<Timestamp>,
}

/// What is known of the arrivals of a table.
pub async fn counts(db: &impl Reads, table: &TableId) -> Result<Counts, LakeError> {
    let rows = db
        .rows(
            "SELECT CAST(COUNT(arrivals.row_count) + t.forgotten_batches AS BIGINT) AS batches,
                    CAST(COALESCE(SUM(arrivals.row_count), 0) + t.forgotten_rows AS BIGINT) AS all_rows,
                    CAST(COALESCE(SUM(arrivals.waits), 0) AS BIGINT) AS waiting,
                    MAX(arrivals.arrived_at) AS last_at
               FROM lake_table t
               LEFT JOIN (SELECT table_id, row_count, arrived_at, CASE WHEN body IS NULL THEN 0 ELSE 1 END AS waits
                            FROM lake_batch
                           UNION ALL
                          SELECT table_id, row_count, arrived_at, 0 FROM lake_known) arrivals
                 ON arrivals.table_id = t.table_id
              WHERE t.table_id = $1
              GROUP BY t.table_id, t.forgotten_batches, t.forgotten_rows",
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
