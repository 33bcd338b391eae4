//! Loads and rejected rows in the ledger.

use crypto::field::FieldContext;
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Reads, Store, StoreError, Tx, params};

use super::error::LoadError;
use super::mapping::Mapping;
use super::rows::Fault;
use crate::TableId;

kernel::uuid_ids! {
    /// A load: one attempt to bring a source into a table.
    LoadId,
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The source is read once, and nothing has arrived.
    Checking,
    /// Its rows arrive, batch by batch.
    Arriving,
    /// All have.
    Done,
    /// The table has this content already; nothing arrived.
    Repeated,
    /// More rows would be rejected than was allowed; nothing arrived.
    Refused,
    /// Somebody stopped it. What had arrived stays, and the same load goes on from there.
    Cancelled,
    /// An error ended it. The same holds.
    Failed,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Checking,
        Self::Arriving,
        Self::Done,
        Self::Repeated,
        Self::Refused,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The word in the ledger and for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Arriving => "arriving",
            Self::Done => "done",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| StoreError::Column {
            column: "state".to_owned(),
            reason: format!("`{text}` is no state of a load"),
        })
    }

    /// Whether it is over.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Checking | Self::Arriving)
    }
}

/// Where a load stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were read in this pass.
    pub rows: u64,
    /// How many there are; known once all were checked.
    pub rows_total: Option<u64>,
    /// Bytes of the source that were read in this pass.
    pub bytes: u64,
    /// How many there are, where that is known.
    pub bytes_total: Option<u64>,
    /// Rows that were rejected, in both passes counted once.
    pub rejected: u64,
    /// Rows that have arrived.
    pub arrived: u64,
}

/// A load as the ledger has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Its id.
    pub id: LoadId,
    /// Into which table.
    pub table: String,
    /// The source as it may be shown.
    pub source: String,
    /// On which occasion, if one was named.
    pub occasion: Option<String>,
    /// What was confirmed.
    pub mapping: Mapping,
    /// How far it is.
    pub state: State,
    /// Where it stands.
    pub progress: Progress,
    /// Rejected rows that were kept.
    pub kept: u64,
    /// Batches that it consists of.
    pub batches: u64,
    /// The code and the text of the error that ended it.
    pub error: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When its progress was last noted. Long ago and not ended, its process is gone.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A rejected row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place among the rejected of this load, from 1.
    pub place: u64,
    /// The physical line of a text file, the row of a sheet, else the count; from 1.
    pub line: u64,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The row as one line of CSV, or as it was if it could not be taken apart; cut where it is very long.
    pub raw: String,
}

store::row! {
    struct LoadRow {
        load_id: String, table_id: String, source: String, occasion: Option<String>, mapping: String,
        state: String, rows_done: i64, rows_total: Option<i64>, bytes_done: i64, bytes_total: Option<i64>,
        rejected: i64, kept: i64, arrived: i64, batches: i64, error: Option<String>,
        started_at: Timestamp, updated_at: Timestamp, ended_at: Option<Timestamp>,
    }
}

const COLUMNS: &str =
    "load_id, table_id, source, occasion, mapping, state, rows_done, rows_total, bytes_done,
    bytes_total, rejected, kept, arrived, batches, error, started_at, updated_at, ended_at";

fn read(row: LoadRow) -> Result<Load, LoadError> {
    let id = row
        .load_id
        .parse()
        .map_err(|_| StoreError::Column { column: "load_id".to_owned(), reason: "is no id".to_owned() })?;
    Ok(Load {
        id,
        table: row.table_id,
        source: row.source,
        occasion: row.occasion,
        mapping: serde_json::from_str(&row.mapping).map_err(StoreError::from)?,
        state: State::parse(&row.state)?,
        progress: Progress {
            rows: unsigned(row.rows_done),
            rows_total: row.rows_total.map(unsigned),
            bytes: unsigned(row.bytes_done),
            bytes_total: row.bytes_total.map(unsigned),
            rejected: unsigned(row.rejected),
            arrived: unsigned(row.arrived),
        },
        kept: unsigned(row.kept),
        batches: unsigned(row.batches),
        error: row.error,
        started_at: row.started_at,
        updated_at: row.updated_at,
        ended_at: row.ended_at,
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The load of this id.
pub async fn find_load(db: &impl Reads, id: LoadId) -> Result<Option<Load>, LoadError> {
    let sql = format!("SELECT {COLUMNS} FROM lake_load WHERE load_id = $1");
    let row: Option<LoadRow> = db.optional(&sql, params![id.to_string()]).await?;
    row.map(read).transpose()
}

/// The latest loads, of one table or of all, the newest first.
pub async fn list_loads(
    db: &impl Reads,
    table: Option<&TableId>,
    limit: u32,
) -> Result<Vec<Load>, LoadError> {
    let sql = format!(
        "SELECT {COLUMNS}
           FROM lake_load
          WHERE $1 = '' OR table_id = $1
          ORDER BY started_at DESC, load_id DESC
          LIMIT $2"
    );
    let table = table.map(TableId::as_str).unwrap_or_default();
    let rows: Vec<LoadRow> = db.query(&sql, params![table, limit]).await?;
    rows.into_iter().map(read).collect()
}

store::row! {
    struct RejectedRow { place: i64, line: i64, faults: String, sealed: Vec<u8> }
}

/// Rejected rows of a load behind a place, in the order of the source.
pub async fn list_rejected(
    db: &impl Reads,
    id: LoadId,
    after: u64,
    limit: u32,
) -> Result<Vec<Rejected>, LoadError> {
    let rows: Vec<RejectedRow> = db
        .query(
            "SELECT place, line, faults, sealed
               FROM lake_rejected
              WHERE load_id = $1 AND place > $2
              ORDER BY place
              LIMIT $3",
            params![id.to_string(), signed(after), limit],
        )
        .await?;
    let load = id.to_string();
    rows.into_iter()
        .map(|row| {
            let raw = db
                .store()
                .cipher()
                .decrypt(&context(&load), &row.sealed)
                .map_err(|error| StoreError::Sealed(error.to_string()))?;
            Ok(Rejected {
                place: unsigned(row.place),
                line: unsigned(row.line),
                faults: serde_json::from_str(&row.faults).map_err(StoreError::from)?,
                raw: String::from_utf8_lossy(&raw).into_owned(),
            })
        })
        .collect()
}

/// Forgets the rejected rows of a load, which hold personal data, once somebody has put them right. Their number
/// stays. Gives how many there were.
pub async fn forget_rejected(tx: &Tx, id: LoadId) -> Result<u64, LoadError> {
    Ok(tx.execute("DELETE FROM lake_rejected WHERE load_id = $1", params![id.to_string()]).await?)
}

/// Asks a load to stop, in whatever process it runs. It does so within seconds.
pub async fn ask_to_cancel(tx: &Tx, id: LoadId) -> Result<(), LoadError> {
    let sql = "UPDATE lake_load SET cancel_asked = 1 WHERE load_id = $1";
    match tx.execute(sql, params![id.to_string()]).await? {
        0 => Err(LoadError::NoLoad(id.to_string())),
        _ => Ok(()),
    }
}

fn context(load: &str) -> FieldContext<'_> {
    FieldContext { table: "lake_rejected", column: "sealed", subject: load }
}

/// The load that runs, as it writes into the ledger.
pub(crate) struct Book<'a> {
    store: &'a Store,
    id: String,
    kept: u64,
}

/// What a load begins with.
pub(crate) struct Begin<'a> {
    pub(crate) id: LoadId,
    pub(crate) table: &'a TableId,
    pub(crate) source: &'a str,
    pub(crate) occasion: Option<&'a str>,
    pub(crate) mapping: &'a str,
}

impl<'a> Book<'a> {
    pub(crate) async fn begin(store: &'a Store, begin: &Begin<'_>) -> Result<Self, LoadError> {
        let id = begin.id.to_string();
        let now = store.env().now();
        let tx = store.begin().await?;
        tx.execute(
            "INSERT INTO lake_load (load_id, table_id, source, occasion, mapping, state, rows_done, bytes_done,
                                    rejected, kept, arrived, batches, cancel_asked, started_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, 'checking', 0, 0, 0, 0, 0, 0, 0, $6, $6)",
            params![&id, begin.table.as_str(), begin.source, begin.occasion, begin.mapping, now],
        )
        .await?;
        tx.commit().await?;
        Ok(Self { store, id, kept: 0 })
    }

    pub(crate) fn kept(&self) -> u64 {
        self.kept
    }

    /// Keeps rejected rows: line, faults and the row itself.
    pub(crate) async fn keep(&mut self, rejected: Vec<(u64, Vec<Fault>, String)>) -> Result<(), LoadError> {
        if rejected.is_empty() {
            return Ok(());
        }
        let mut sealed = Vec::with_capacity(rejected.len());
        for (line, faults, raw) in rejected {
            self.kept += 1;
            let raw =
                self.store.cipher().encrypt(&context(&self.id), raw.as_bytes(), &*self.store.env().entropy);
            let faults = serde_json::to_string(&faults).map_err(StoreError::from)?;
            sealed.push(params![&self.id, signed(self.kept), signed(line), faults, raw]);
        }
        let tx = self.store.begin().await?;
        for row in sealed {
            tx.execute(
                "INSERT INTO lake_rejected (load_id, place, line, faults, sealed) VALUES ($1, $2, $3, $4, $5)",
                row,
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Notes how far it is. True if somebody asked it to stop.
    pub(crate) async fn note(&self, progress: &Progress) -> Result<bool, LoadError> {
        let tx = self.store.begin().await?;
        let rows = tx
            .rows(
                "UPDATE lake_load
                    SET rows_done = $2, rows_total = $3, bytes_done = $4, bytes_total = $5, rejected = $6,
                        kept = $7, arrived = $8, updated_at = $9
                  WHERE load_id = $1
                 RETURNING cancel_asked",
                params![
                    &self.id,
                    signed(progress.rows),
                    progress.rows_total.map(signed),
                    signed(progress.bytes),
                    progress.bytes_total.map(signed),
                    signed(progress.rejected),
                    signed(self.kept),
                    signed(progress.arrived),
                    self.store.env().now()
                ],
            )
            .await?;
        tx.commit().await?;
        Ok(rows.first().map(|row| row.get::<bool>("cancel_asked")).transpose()?.unwrap_or(false))
    }

    /// The source was checked, and its rows begin to arrive.
    pub(crate) async fn arriving(&self, content: &str, batches: u64) -> Result<(), LoadError> {
        let tx = self.store.begin().await?;
        tx.execute(
            "UPDATE lake_load
                SET state = 'arriving', content = $2, batches = $3, updated_at = $4
              WHERE load_id = $1",
            params![&self.id, content, signed(batches), self.store.env().now()],
        )
        .await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn end(
        &self,
        state: State,
        progress: &Progress,
        error: Option<&str>,
    ) -> Result<(), LoadError> {
        self.note(progress).await?;
        let tx = self.store.begin().await?;
        tx.execute(
            "UPDATE lake_load SET state = $2, error = $3, ended_at = $4 WHERE load_id = $1",
            params![&self.id, state.as_str(), error, self.store.env().now()],
        )
        .await?;
        Ok(tx.commit().await?)
    }
}

/// Loads of this content whose rows arrived, or began to.
pub(crate) async fn earlier(db: &impl Reads, table: &TableId, content: &str) -> Result<Vec<Load>, LoadError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lake_load WHERE table_id = $1 AND content = $2 ORDER BY started_at, load_id"
    );
    let rows: Vec<LoadRow> = db.query(&sql, params![table.as_str(), content]).await?;
    rows.into_iter().map(read).collect()
}
