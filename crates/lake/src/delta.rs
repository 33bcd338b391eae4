//! A table's Delta log: opening it, and committing to it.
//!
//! A commit is always the version after the one that was read. If another writer was faster it is not made, and the
//! caller reads again: so whatever a commit says of the table was true when it was made.

use std::collections::{HashMap, HashSet};

use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake::kernel::{
    Action, Add, MetadataExt as _, Remove, StructType, Transaction,
    engine::arrow_conversion::TryIntoKernel as _,
};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaTable, DeltaTableError};
use futures_util::TryStreamExt as _;
use kernel::time::Timestamp;
use object_store::path::Path;

use crate::schema::Schema;
use crate::{Lake, LakeError, Table, checking};

/// A table's log as it stood when it was read.
pub(crate) struct Snapshot {
    delta: DeltaTable,
    log: LogStoreRef,
    /// Where the files of the table begin.
    folder: Path,
}

/// A file that holds rows of a table.
#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    /// Its name below the folder of the table.
    pub(crate) name: String,
    /// Where it lies in the store.
    pub(crate) path: Path,
    pub(crate) size: u64,
    pub(crate) rows: usize,
    /// When the newest of its rows arrived. The log keeps it in milliseconds as the time at which the file was made,
    /// which is what it means of a file that no merge has written.
    pub(crate) arrived: Timestamp,
    remove: Remove,
}

/// What a commit says.
pub(crate) struct Change {
    pub(crate) added: Vec<Add>,
    pub(crate) removed: Vec<Remove>,
    /// The name of an inbox and the last batch of it that the table then has.
    pub(crate) batches: Option<(String, i64)>,
    pub(crate) operation: DeltaOperation,
}

impl Snapshot {
    /// The table's log, or none while nothing was compacted.
    pub(crate) async fn load(lake: &Lake, table: &Table) -> Result<Option<Self>, LakeError> {
        if !checking::has_log(lake, &table.id).await? {
            return Ok(None);
        }
        let log = lake.files().log_of(&table.id)?;
        let mut delta = DeltaTable::new(log.clone());
        delta.load().await?;
        Ok(Some(Self { delta, log, folder: lake.files().path_of(&table.id) }))
    }

    /// The log of a table, made if it is not there.
    pub(crate) async fn load_or_create(lake: &Lake, table: &Table) -> Result<Self, LakeError> {
        if let Some(found) = Self::load(lake, table).await? {
            return Ok(found);
        }
        let log = lake.files().log_of(&table.id)?;
        let made = deltalake::operations::create::CreateBuilder::new()
            .with_log_store(log.clone())
            .with_columns(delta_schema(&table.schema)?.fields().cloned())
            .with_configuration(settings(&table.schema))
            .await;
        match made {
            Ok(delta) => Ok(Self { delta, log, folder: lake.files().path_of(&table.id) }),
            // Another was faster.
            Err(error) => match Self::load(lake, table).await? {
                Some(found) => Ok(found),
                None => Err(error.into()),
            },
        }
    }

    pub(crate) fn log(&self) -> &LogStoreRef {
        &self.log
    }

    pub(crate) fn delta(&self) -> &DeltaTable {
        &self.delta
    }

    /// The last batch of an inbox that is in the table; 0 if none is.
    pub(crate) async fn seq(&self, inbox: &str) -> Result<i64, LakeError> {
        let seq = self.delta.snapshot()?.transaction_version(self.log.as_ref(), inbox).await?;
        Ok(seq.unwrap_or(0))
    }

    /// The files that hold the table, the one that came first at the beginning.
    pub(crate) fn files(&self) -> Result<Vec<DataFile>, LakeError> {
        let mut files: Vec<DataFile> = self
            .delta
            .snapshot()?
            .log_data()
            .iter()
            .map(|view| DataFile {
                name: view.path().into_owned(),
                path: Path::from_iter(self.folder.parts().chain(view.object_store_path().parts())),
                size: u64::try_from(view.size()).unwrap_or(0),
                rows: view.num_records().unwrap_or(0),
                arrived: Timestamp::from_micros(view.modification_time().saturating_mul(1000)),
                remove: view.remove_action(true),
            })
            .collect();
        files.sort_by(|a, b| (a.arrived, &a.name).cmp(&(b.arrived, &b.name)));
        Ok(files)
    }

    /// The names of files that the table no longer has, and when it let go of each.
    pub(crate) async fn tombstones(&self) -> Result<HashMap<String, Timestamp>, LakeError> {
        let mut gone = HashMap::new();
        let state = self.delta.snapshot()?;
        let mut stream = state.all_tombstones(self.log.as_ref());
        while let Some(tombstone) = stream.try_next().await? {
            let at = tombstone.deletion_timestamp().unwrap_or(0);
            gone.insert(tombstone.path().into_owned(), Timestamp::from_micros(at.saturating_mul(1000)));
        }
        Ok(gone)
    }

    /// Commits, and returns when that is durable. False if another writer came first: then read again.
    ///
    /// The library commits a batch number twice without a word, so the caller has to compare [`Self::seq`] first.
    pub(crate) async fn commit(&self, lake: &Lake, table: &Table, change: Change) -> Result<bool, LakeError> {
        // Nothing is written into a table that is being destroyed.
        Lake::table(&lake.store().read(), &table.id).await?;
        let state = self.delta.snapshot()?;
        let mut properties = CommitProperties::default().with_max_retries(0);
        let has_batches = change.batches.is_some();
        if let Some((inbox, seq)) = change.batches {
            properties = properties.with_application_transaction(Transaction::new(inbox, seq));
        }
        let mut actions: Vec<Action> = Vec::new();
        let wanted = delta_schema(&table.schema)?;
        let known: HashSet<String> = state.schema().fields().map(|field| field.name().to_owned()).collect();
        if wanted.fields().any(|field| !known.contains(field.name())) {
            let metadata = state.metadata().clone().with_schema(&wanted);
            let metadata = metadata.map_err(|error| DeltaTableError::Generic(error.to_string()))?;
            actions.push(Action::Metadata(metadata));
        }
        actions.extend(change.removed.into_iter().map(Action::Remove));
        actions.extend(change.added.into_iter().map(Action::Add));
        // An entry that was cut behind a line reads like a whole one.
        let lines = actions.len() + usize::from(has_batches) + 1;
        properties = properties.with_metadata([(checking::LINES.to_owned(), lines.into())]);
        let committed = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state.snapshot()), self.log.clone(), change.operation)
            .await;
        match committed {
            Ok(_) => Ok(true),
            Err(DeltaTableError::Transaction { source }) if is_conflict(&source) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl DataFile {
    /// The action that takes it out of the table.
    pub(crate) fn removal(&self, at: Timestamp, data_change: bool) -> Remove {
        Remove { data_change, deletion_timestamp: Some(millis(at)), ..self.remove.clone() }
    }
}

/// What rows that only come are committed as.
pub(crate) fn append() -> DeltaOperation {
    DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None }
}

/// As the log writes a time.
pub(crate) fn millis(at: Timestamp) -> i64 {
    at.micros().div_euclid(1000)
}

fn delta_schema(schema: &Schema) -> Result<StructType, LakeError> {
    Ok(schema.arrow().as_ref().try_into_kernel()?)
}

fn is_conflict(error: &TransactionError) -> bool {
    matches!(
        error,
        TransactionError::CommitConflict(_)
            | TransactionError::VersionAlreadyExists(_)
            | TransactionError::MaxCommitAttempts(_)
    )
}

/// The columns of whose least and greatest value the log may speak.
pub(crate) fn open_columns(schema: &Schema) -> Vec<String> {
    schema.columns().iter().filter(|column| !column.personal).map(|column| column.name.clone()).collect()
}

/// What the log of a table keeps, and what not: it holds the least and the greatest value of columns in clear.
fn settings(schema: &Schema) -> HashMap<String, Option<String>> {
    let open = open_columns(schema);
    let mut settings = HashMap::new();
    if open.is_empty() {
        settings.insert("delta.dataSkippingNumIndexedCols".to_owned(), Some("0".to_owned()));
    } else {
        settings.insert("delta.dataSkippingStatsColumns".to_owned(), Some(open.join(",")));
    }
    settings
}
