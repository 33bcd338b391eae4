//! Keeping house: what a job does with a table again and again.
//!
//! Every step may be killed at any moment and is done again by the next run. Files leave the table with a commit and
//! the disk only a good while after it: a reader holds on to the files that it saw when it began.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use deltalake::kernel::{Add, Remove};
use deltalake::protocol::DeltaOperation;
use futures_util::TryStreamExt as _;
use jiff::SignedDuration;
use kernel::time::Timestamp;
use object_store::ObjectStoreExt as _;
use store::params;

use crate::checking::{self, Damage};
use crate::delta::{Change, DataFile, Snapshot};
use crate::place::unreachable_files;
use crate::reading::Kept;
use crate::schema::Kind;
use crate::session::run;
use crate::writing::{FILE_BYTES, Writing};
use crate::{Lake, LakeError, Table, barrier, compaction, inbox};

/// Nothing is taken off the disk sooner than this after it left the table: a statement that began before may read it
/// still, and what is just being written is not in the table yet.
const SHORTEST: SignedDuration = SignedDuration::from_hours(1);

/// How a table is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// What waits is compacted when it is this much.
    pub compact_bytes: u64,
    /// Or when the oldest of it has waited so long.
    pub compact_after: SignedDuration,
    /// Files are merged when so many small ones of one day are there.
    pub merge_files: usize,
    /// A file below this is small.
    pub small_bytes: u64,
    /// When files that the table no longer has leave the disk; an hour at least.
    pub unreferenced_after: SignedDuration,
    /// For how long a batch that is sent again is known.
    pub known_for: SignedDuration,
    /// What is too old to be kept.
    pub retention: Option<Retention>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            compact_bytes: 8 << 20,
            compact_after: SignedDuration::from_mins(5),
            merge_files: 8,
            small_bytes: 16 << 20,
            unreferenced_after: SignedDuration::from_hours(7 * 24),
            known_for: SignedDuration::from_hours(400 * 24),
            retention: None,
        }
    }
}

/// What is too old to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Rows whose day or instant in this column is more than so many days ago. A row without one stays.
    Column {
        /// The column.
        name: String,
        /// How many days.
        days: u32,
    },
    /// Rows that arrived more than so many days ago. They leave file by file, and a file holds the arrivals of a day:
    /// a row stays up to a day longer.
    Arrived {
        /// How many days.
        days: u32,
    },
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kempt {
    /// Batches that left the inbox.
    pub compacted: u64,
    /// Small files that were merged into larger ones.
    pub merged: usize,
    /// Rows that were too old.
    pub retired: usize,
    /// Files that left the disk.
    pub vacuumed: usize,
    /// Batches whose ids are no longer known.
    pub forgotten: u64,
    /// What is not as it should be. Nothing was done to the table if there is any.
    pub damages: Vec<Damage>,
}

/// Does whatever is due. To be called again and again, by as many processes as one likes.
pub async fn housekeeping(lake: &Lake, table: &Table, keeping: &Keeping) -> Result<Kempt, LakeError> {
    let mut done = Kempt { damages: checking::check(lake, table).await?, ..Kempt::default() };
    if !done.damages.is_empty() {
        for damage in &done.damages {
            tracing::error!(table = table.id.as_str(), %damage, "a table of the lake is damaged");
        }
        return Ok(done);
    }
    if is_due(lake, table, keeping).await? {
        done.compacted = compaction::compact(lake, table).await?.batches;
    }
    if let Some(retention) = &keeping.retention {
        done.retired = retire(lake, table, retention).await?;
    }
    done.merged = merge(lake, table, keeping).await?;
    done.vacuumed = vacuum(lake, table, keeping.unreferenced_after).await?;
    let before = lake.store().env().now().plus(-keeping.known_for);
    let tx = lake.store().begin().await?;
    done.forgotten = inbox::forget(&tx, &table.id, before).await?;
    tx.commit().await?;
    Ok(done)
}

async fn is_due(lake: &Lake, table: &Table, keeping: &Keeping) -> Result<bool, LakeError> {
    let mut bytes = 0;
    for source in lake.sources() {
        bytes += source.standing(lake, &table.id).await?.map_or(0, |standing| standing.bytes);
    }
    if bytes == 0 || bytes >= keeping.compact_bytes {
        return Ok(bytes > 0);
    }
    let before = lake.store().env().now().plus(-keeping.compact_after);
    for source in lake.sources() {
        if source.standing(lake, &table.id).await?.is_none_or(|standing| standing.messages == 0) {
            continue;
        }
        let oldest = source.waiting(lake, &table.id, 0, 1).await?;
        if oldest.first().is_some_and(|batch| batch.arrived_at <= before) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Merges small files of one day into large ones, and says how many were merged.
pub async fn merge(lake: &Lake, table: &Table, keeping: &Keeping) -> Result<usize, LakeError> {
    let faults = &lake.store().env().faults;
    let mut merged = 0;
    loop {
        let Some(snapshot) = Snapshot::load(lake, table).await? else { return Ok(merged) };
        let Some(small) = small_files(snapshot.files()?, keeping) else { return Ok(merged) };
        let mut writing = Writing::begin(&snapshot, table)?;
        let newest = small.iter().map(|file| file.arrived).max().unwrap_or(Timestamp::from_micros(0));
        copy(lake, table, &small, None, newest, &mut writing).await?;
        let added = writing.end(false).await?;
        faults.reached("lake.merge_written").await;
        let now = lake.store().env().now();
        let removed = small.iter().map(|file| file.removal(now, false)).collect();
        let operation = DeltaOperation::Optimize {
            predicate: None,
            target_size: i64::try_from(FILE_BYTES).unwrap_or(i64::MAX),
        };
        if snapshot.commit(lake, table, Change { added, removed, batches: None, operation }).await? {
            merged += small.len();
            faults.reached("lake.merged").await;
        }
    }
}

/// The first day that has enough small files, and as many of them as make one large file.
fn small_files(files: Vec<DataFile>, keeping: &Keeping) -> Option<Vec<DataFile>> {
    let small = |file: &DataFile| file.size < keeping.small_bytes;
    let mut run: Vec<DataFile> = Vec::new();
    let mut bytes = 0;
    let day = |file: &DataFile| file.arrived.china_date();
    for file in files.into_iter().filter(small) {
        let same_day = run.first().is_none_or(|first| day(first) == day(&file));
        if !same_day || bytes + file.size > FILE_BYTES {
            if run.len() >= keeping.merge_files.max(2) {
                return Some(run);
            }
            run.clear();
            bytes = 0;
        }
        bytes += file.size;
        run.push(file);
    }
    (run.len() >= keeping.merge_files.max(2)).then_some(run)
}

/// Takes rows that are too old out of the table, and says how many they were. What waits is written first.
pub async fn retire(lake: &Lake, table: &Table, retention: &Retention) -> Result<usize, LakeError> {
    let faults = &lake.store().env().faults;
    // What comes while this runs is for the next run.
    for _ in 0..64 {
        if compaction::compact(lake, table).await?.batches == 0 {
            break;
        }
    }
    let now = lake.store().env().now();
    loop {
        let Some(snapshot) = Snapshot::load(lake, table).await? else { return Ok(0) };
        let (mut added, mut removed, mut rows): (Vec<Add>, Vec<Remove>, usize) = (Vec::new(), Vec::new(), 0);
        let reason = match retention {
            Retention::Arrived { days } => {
                let cut = days_before(now, *days);
                for file in snapshot.files()?.iter().filter(|file| file.arrived < cut) {
                    rows += file.rows;
                    removed.push(file.removal(now, true));
                }
                format!("arrived before {cut}")
            }
            Retention::Column { name, days } => {
                let cut = cut_of(table, name, days_before(now, *days))?;
                let old = col(name).lt(lit(cut.clone()));
                for file in snapshot.files()? {
                    let old_rows = count(lake, table, &file, old.clone()).await?;
                    if old_rows == 0 {
                        continue;
                    }
                    rows += old_rows;
                    removed.push(file.removal(now, true));
                    if old_rows < file.rows {
                        let mut writing = Writing::begin(&snapshot, table)?;
                        let kept = col(name).is_null().or(col(name).gt_eq(lit(cut.clone())));
                        let one = std::slice::from_ref(&file);
                        copy(lake, table, one, Some(kept), file.arrived, &mut writing).await?;
                        added.extend(writing.end(true).await?);
                    }
                }
                format!("{name} before {cut}")
            }
        };
        if removed.is_empty() {
            return Ok(0);
        }
        faults.reached("lake.retire_written").await;
        let operation = DeltaOperation::Delete { predicate: Some(reason) };
        if snapshot.commit(lake, table, Change { added, removed, batches: None, operation }).await? {
            faults.reached("lake.retired").await;
            return Ok(rows);
        }
    }
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.plus(-SignedDuration::from_hours(24 * i64::from(days)))
}

/// The first day or instant that is kept.
fn cut_of(table: &Table, name: &str, cut: Timestamp) -> Result<ScalarValue, LakeError> {
    match table.schema.column(name).map(|column| column.kind) {
        Some(Kind::Date) => Ok(ScalarValue::Date32(barrier::days(cut.china_date()))),
        Some(Kind::Timestamp) => {
            Ok(ScalarValue::TimestampMicrosecond(Some(cut.micros()), Some("UTC".into())))
        }
        _ => Err(LakeError::Schema {
            name: name.to_owned(),
            reason: "is no column of days or instants".to_owned(),
        }),
    }
}

fn frame(lake: &Lake, table: &Table, files: &[DataFile]) -> Result<DataFrame, LakeError> {
    let config = SessionConfig::new().with_target_partitions(1);
    let context = SessionContext::new_with_config_rt(config, lake.runtime().clone());
    let provider: Arc<dyn TableProvider> = Arc::new(Kept::new(lake, &table.schema.arrow(), files)?);
    context.read_table(provider).map_err(run)
}

async fn count(lake: &Lake, table: &Table, file: &DataFile, rows: Expr) -> Result<usize, LakeError> {
    frame(lake, table, std::slice::from_ref(file))?.filter(rows).map_err(run)?.count().await.map_err(run)
}

/// Writes rows of files anew, in the columns that the table has now.
async fn copy(
    lake: &Lake,
    table: &Table,
    files: &[DataFile],
    rows: Option<Expr>,
    arrived: Timestamp,
    writing: &mut Writing,
) -> Result<(), LakeError> {
    let mut frame = frame(lake, table, files)?;
    if let Some(rows) = rows {
        frame = frame.filter(rows).map_err(run)?;
    }
    let mut stream = frame.execute_stream().await.map_err(run)?;
    while let Some(batch) = stream.try_next().await.map_err(run)? {
        writing.write(&batch, arrived).await?;
    }
    Ok(())
}

/// Takes files off the disk that the table has not had for that long, and says how many. That includes files that a
/// run which was killed left behind.
pub async fn vacuum(lake: &Lake, table: &Table, after: SignedDuration) -> Result<usize, LakeError> {
    let before = lake.store().env().now().plus(-after.max(SHORTEST));
    let Some(snapshot) = Snapshot::load(lake, table).await? else { return Ok(0) };
    let live: HashSet<String> = snapshot.files()?.into_iter().map(|file| file.name).collect();
    let gone = snapshot.tombstones().await?;
    let files = lake.files();
    let folder = files.path_of(&table.id);
    let log = folder.clone().join("_delta_log");
    let listed: Vec<_> =
        files.store().list(Some(&folder)).try_collect().await.map_err(|error| unreachable_files(&error))?;
    let mut vacuumed = 0;
    for object in listed {
        let Some(parts) = object.location.prefix_match(&folder) else { continue };
        let name = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
        if object.location.prefix_matches(&log) || live.contains(&name) {
            continue;
        }
        let since = match gone.get(&name) {
            Some(at) => *at,
            None => Timestamp::from_micros(object.last_modified.timestamp_micros()),
        };
        if since >= before {
            continue;
        }
        lake.store().env().faults.reached("lake.vacuuming").await;
        match files.store().delete(&object.location).await {
            Ok(()) => vacuumed += 1,
            // Another was faster.
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(unreachable_files(&error)),
        }
    }
    if let Some(local) = files.local() {
        vacuumed += sweep(local.join(table.id.as_str()), before).await?;
    }
    lake.store().env().faults.reached("lake.vacuumed").await;
    Ok(vacuumed)
}

/// Removes files that were being written when their process died: listings leave them out.
async fn sweep(folder: std::path::PathBuf, before: Timestamp) -> Result<usize, LakeError> {
    let work = move || {
        let mut swept = 0;
        for folder in [folder.join("_delta_log"), folder] {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let staged = name.rsplit_once('#').is_some_and(|(_, end)| end.parse::<u32>().is_ok());
                let modified = entry.metadata()?.modified()?;
                let modified = jiff::Timestamp::try_from(modified).map(jiff::Timestamp::as_microsecond);
                if staged && modified.is_ok_and(|at| at < before.micros()) {
                    std::fs::remove_file(entry.path())?;
                    swept += 1;
                }
            }
        }
        Ok(swept)
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| LakeError::Files(error.to_string()))?
        .map_err(|error: std::io::Error| LakeError::Files(error.to_string()))
}

/// Brings the numbers of the ledger's inbox up to those of the log, after the ledger was put back to an older state:
/// what waits in it and is in the table already is let go, and what comes next gets a number that the log does not
/// have. To be done by the operator, before anything arrives.
pub async fn realign(lake: &Lake, table: &Table) -> Result<(), LakeError> {
    let Some(snapshot) = Snapshot::load(lake, table).await? else { return Ok(()) };
    let had = snapshot.seq(crate::sources::LEDGER).await?;
    let tx = lake.store().begin().await?;
    tx.execute(
        "UPDATE lake_table SET last_seq = CASE WHEN last_seq < $2 THEN $2 ELSE last_seq END WHERE table_id = $1",
        params![table.id.as_str(), had],
    )
    .await?;
    inbox::clear(&tx, &table.id, had).await?;
    tx.commit().await?;
    Ok(())
}
