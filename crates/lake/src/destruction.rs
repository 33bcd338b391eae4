//! The end of a table: its files, its log, what waits in its inbox, and all that the ledger knows of its batches.
//!
//! First a record is written of what will be destroyed, each file with its size and its digests; then everything goes.
//! A run that is cut short is finished by the next, which returns the same record. The record is what a certificate
//! of destruction is made of. It says what was deleted; whether a disk can be made to give it back is beyond it.

use futures_util::TryStreamExt as _;
use kernel::time::Timestamp;
use object_store::ObjectStoreExt as _;
use serde::{Deserialize, Serialize};
use store::{Reads, params};

use crate::delta::Snapshot;
use crate::place::unreachable_files;
use crate::sources;
use crate::{Lake, LakeError, Table, TableId, stream};

/// Who has a table destroyed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// On whose order.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What was destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// The table.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// How many rows it had, those that waited included.
    pub rows: u64,
    /// Every file and every batch that waited.
    pub files: Vec<DestroyedFile>,
    /// On whose order and why.
    pub order: Order,
    /// When the table was made, in microseconds since 1970.
    pub created_at: i64,
    /// When it ended for everybody.
    pub begun_at: i64,
}

/// One file, or one batch that waited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestroyedFile {
    /// Its name below the folder of the table; of a batch, the inbox and its number.
    pub name: String,
    /// How many bytes it had.
    pub bytes: u64,
    /// Its SM3 in hexadecimal.
    pub sm3: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

impl DestroyedFile {
    fn of(name: String, bytes: &[u8]) -> Self {
        Self {
            name,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sm3: hex::encode(crypto::hash::sm3(bytes)),
            sha256: hex::encode(crypto::hash::sha256(bytes)),
        }
    }
}

store::row! {
    struct BegunRow { begun_at: Timestamp, record: String }
}

/// Destroys a table. Called again after it was cut short, it goes on, whatever the order says then.
pub async fn destroy(lake: &Lake, table: &TableId, order: &Order) -> Result<Destroyed, LakeError> {
    let faults = &lake.store().env().faults;
    let begun: Option<BegunRow> = lake
        .store()
        .read()
        .optional(
            "SELECT begun_at, record FROM lake_destroyed WHERE table_id = $1 AND ended_at IS NULL",
            params![table.as_str()],
        )
        .await?;
    let record = match begun {
        Some(row) => serde_json::from_str(&row.record).map_err(store::StoreError::from)?,
        None => begin(lake, table, order).await?,
    };
    faults.reached("lake.destroy_recorded").await;
    delete_files(lake, table).await?;
    if let Some(stream) = lake.stream() {
        stream.destroy(table).await?;
    }
    faults.reached("lake.files_destroyed").await;
    let tx = lake.store().begin().await?;
    for sql in [
        "DELETE FROM lake_batch WHERE table_id = $1",
        "DELETE FROM lake_known WHERE table_id = $1",
        "DELETE FROM lake_table WHERE table_id = $1",
    ] {
        tx.execute(sql, params![table.as_str()]).await?;
    }
    tx.execute(
        "UPDATE lake_destroyed SET ended_at = $2 WHERE table_id = $1 AND ended_at IS NULL",
        params![table.as_str(), lake.store().env().now()],
    )
    .await?;
    tx.commit().await?;
    Ok(record)
}

/// Ends the table for everybody and writes down what there is.
async fn begin(lake: &Lake, id: &TableId, order: &Order) -> Result<Destroyed, LakeError> {
    let now = lake.store().env().now();
    let tx = lake.store().begin().await?;
    let ended = tx
        .execute(
            "UPDATE lake_table SET ends_at = COALESCE(ends_at, $2) WHERE table_id = $1",
            params![id.as_str(), now],
        )
        .await?;
    tx.commit().await?;
    if ended == 0 {
        return Err(LakeError::NoTable(id.to_string()));
    }
    lake.store().env().faults.reached("lake.ended").await;
    let table = Lake::ended_table(&lake.store().read(), id).await?;
    let (files, rows) = inventory(lake, &table).await?;
    let record = Destroyed {
        table: id.to_string(),
        columns: table.schema.columns().iter().map(|column| column.name.clone()).collect(),
        rows,
        files,
        order: order.clone(),
        created_at: table.created_at.micros(),
        begun_at: now.micros(),
    };
    let text = serde_json::to_string(&record).map_err(store::StoreError::from)?;
    let tx = lake.store().begin().await?;
    tx.execute(
        "INSERT INTO lake_destroyed (table_id, begun_at, ended_at, record) VALUES ($1, $2, NULL, $3)",
        params![id.as_str(), now, text],
    )
    .await?;
    tx.commit().await?;
    Ok(record)
}

async fn inventory(lake: &Lake, table: &Table) -> Result<(Vec<DestroyedFile>, u64), LakeError> {
    let mut files = Vec::new();
    let mut rows = 0;
    // A table that is damaged can be destroyed as well: what cannot be counted is not.
    let snapshot = match Snapshot::load(lake, table).await {
        Err(LakeError::Damaged(_) | LakeError::Delta(_)) => None,
        other => other?,
    };
    if let Some(snapshot) = &snapshot {
        rows += snapshot.files()?.iter().map(|file| file.rows as u64).sum::<u64>();
    }
    let mut seen = std::collections::HashSet::new();
    for source in lake.sources() {
        let Some(standing) = source.standing(lake, &table.id).await? else { continue };
        let had = match &snapshot {
            Some(snapshot) => snapshot.seq(&standing.name).await?,
            None => 0,
        };
        let mut after = 0;
        loop {
            let part = source.waiting(lake, &table.id, after, 16 << 20).await?;
            let Some(last) = part.last().map(|batch| batch.seq) else { break };
            let repeated = match source {
                sources::Source::Ledger => Default::default(),
                sources::Source::Stream(_) => {
                    stream::repeated(&lake.store().read(), &table.id, &part, &mut seen).await?
                }
            };
            for batch in &part {
                files.push(DestroyedFile::of(format!("{}/{}", standing.name, batch.seq), &batch.body));
                if batch.seq > had && !repeated.contains(&batch.seq) {
                    rows += u64::try_from(batch.rows).unwrap_or(0);
                }
            }
            after = last;
        }
    }
    let folder = lake.files().path_of(&table.id);
    let store = lake.files().store();
    let listed: Vec<_> =
        store.list(Some(&folder)).try_collect().await.map_err(|error| unreachable_files(&error))?;
    for object in listed {
        let bytes = async { store.get(&object.location).await?.bytes().await }.await;
        let bytes = bytes.map_err(|error| unreachable_files(&error))?;
        let name = object
            .location
            .prefix_match(&folder)
            .map(|parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"));
        files.push(DestroyedFile::of(name.unwrap_or_default(), &bytes));
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((files, rows))
}

async fn delete_files(lake: &Lake, table: &TableId) -> Result<(), LakeError> {
    let folder = lake.files().path_of(table);
    let store = lake.files().store();
    let listed: Vec<_> =
        store.list(Some(&folder)).try_collect().await.map_err(|error| unreachable_files(&error))?;
    for object in listed {
        match store.delete(&object.location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(unreachable_files(&error)),
        }
        lake.store().env().faults.reached("lake.destroying").await;
    }
    // Folders, and files that were being written when their process died.
    if let Some(local) = lake.files().local().map(|local| local.join(table.as_str())) {
        let removed = tokio::task::spawn_blocking(move || match std::fs::remove_dir_all(&local) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(LakeError::Files(format!("`{}`: {error}", local.display())))
            }
            _ => Ok(()),
        });
        removed.await.map_err(|error| LakeError::Files(error.to_string()))??;
    }
    Ok(())
}
