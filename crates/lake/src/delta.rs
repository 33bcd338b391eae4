//! A table's Delta log: opening it, writing to it, and making sure that the disk has it.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{Transaction, engine::arrow_conversion::TryIntoKernel as _};
use deltalake::protocol::SaveMode;
use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};

use crate::schema::Schema;
use crate::{Lake, LakeError, Table};

/// The name under which the sequence of batches is kept in the log of a table.
const STREAM: &str = "yiwang.inbox";

/// A table's log as it stood when it was read.
pub(crate) struct Snapshot {
    delta: DeltaTable,
    /// The last batch that is in it.
    pub(crate) seq: i64,
}

impl Snapshot {
    /// The table's log, or none while nothing was compacted.
    pub(crate) async fn load(lake: &Lake, table: &Table) -> Result<Option<Self>, LakeError> {
        let folder = lake.folder_of(&table.id);
        if !folder.join("_delta_log").is_dir() {
            return Ok(None);
        }
        match DeltaTableBuilder::from_url(url_of(&folder)?)?.load().await {
            Ok(delta) => Self::of(delta).await.map(Some),
            Err(DeltaTableError::NotATable(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn of(delta: DeltaTable) -> Result<Self, LakeError> {
        let seq = delta.snapshot()?.transaction_version(delta.log_store().as_ref(), STREAM).await?;
        Ok(Self { delta, seq: seq.unwrap_or(0) })
    }

    /// The log of a table, made if it is not there.
    pub(crate) async fn load_or_create(lake: &Lake, table: &Table) -> Result<Self, LakeError> {
        if let Some(found) = Self::load(lake, table).await? {
            return Ok(found);
        }
        let folder = lake.folder_of(&table.id);
        std::fs::create_dir_all(&folder)
            .map_err(|error| LakeError::Files(format!("`{}`: {error}", folder.display())))?;
        let kernel_schema: deltalake::kernel::StructType = table.schema.arrow().as_ref().try_into_kernel()?;
        let made = deltalake::operations::create::CreateBuilder::new()
            .with_location(url_of(&folder)?.as_str())
            .with_columns(kernel_schema.fields().cloned())
            .with_configuration(settings(&table.schema))
            .await;
        match made {
            Ok(delta) => Self::of(delta).await,
            // Another was faster.
            Err(error) => match Self::load(lake, table).await? {
                Some(found) => Ok(found),
                None => Err(error.into()),
            },
        }
    }

    /// The files that hold the table, as absolute paths.
    pub(crate) fn files(&self) -> Result<Vec<String>, LakeError> {
        Ok(self.delta.get_file_uris()?.collect())
    }

    /// Writes rows that hold all batches up to `seq`, and returns when the disk has them. False if another writer
    /// came first: then read again.
    ///
    /// The library commits a batch number twice without a word, so the caller has to compare [`Self::seq`] first;
    /// of two that write from one snapshot it refuses the second.
    pub(crate) async fn append(
        self,
        schema: &Schema,
        rows: Vec<RecordBatch>,
        seq: i64,
    ) -> Result<bool, LakeError> {
        debug_assert!(seq > self.seq, "the caller compares first");
        let properties = CommitProperties::default()
            .with_application_transaction(Transaction::new(STREAM, seq))
            .with_max_retries(0);
        let before = self.files()?;
        let folder = folder_of(&self.delta)?;
        let evolved = self.delta.snapshot()?.schema().fields().count() < schema.columns().len();
        let mut write =
            self.delta.write(rows).with_save_mode(SaveMode::Append).with_commit_properties(properties);
        if evolved {
            write = write.with_schema_mode(deltalake::operations::write::SchemaMode::Merge);
        }
        match write.await {
            Ok(delta) => {
                let added = delta.get_file_uris()?.filter(|file| !before.contains(file)).collect();
                let version = delta.version().unwrap_or_default();
                tokio::task::spawn_blocking(move || sync(&folder, added, version))
                    .await
                    .map_err(|error| LakeError::Files(error.to_string()))??;
                Ok(true)
            }
            Err(DeltaTableError::Transaction { source }) if is_conflict(&source) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_conflict(error: &deltalake::kernel::transaction::TransactionError) -> bool {
    use deltalake::kernel::transaction::TransactionError;
    matches!(
        error,
        TransactionError::CommitConflict(_)
            | TransactionError::VersionAlreadyExists(_)
            | TransactionError::MaxCommitAttempts(_)
    )
}

/// What the log of a table keeps, and what not: it holds the least and the greatest value of columns in clear.
fn settings(schema: &Schema) -> HashMap<String, Option<String>> {
    let open: Vec<&str> = schema
        .columns()
        .iter()
        .filter(|column| !column.personal)
        .map(|column| column.name.as_str())
        .collect();
    let mut settings = HashMap::new();
    if open.is_empty() {
        settings.insert("delta.dataSkippingNumIndexedCols".to_owned(), Some("0".to_owned()));
    } else {
        settings.insert("delta.dataSkippingStatsColumns".to_owned(), Some(open.join(",")));
    }
    settings
}

pub(crate) fn url_of(folder: &Path) -> Result<url::Url, LakeError> {
    url::Url::from_directory_path(folder)
        .map_err(|()| LakeError::Files(format!("`{}` is not an absolute path", folder.display())))
}

fn folder_of(delta: &DeltaTable) -> Result<PathBuf, LakeError> {
    let url = delta.table_url();
    url.to_file_path().map_err(|()| LakeError::Files(format!("`{url}` is not a folder")))
}

/// The library writes files and does not wait for the disk; the inbox is emptied only after this did.
fn sync(folder: &Path, added: Vec<String>, version: u64) -> Result<(), LakeError> {
    let log = folder.join("_delta_log");
    let mut paths: Vec<PathBuf> = added
        .iter()
        .map(|file| match url::Url::parse(file).ok().and_then(|url| url.to_file_path().ok()) {
            Some(path) => path,
            None => PathBuf::from(file),
        })
        .collect();
    paths.push(folder.to_owned());
    paths.push(log.join(format!("{version:020}.json")));
    paths.push(log);
    for path in paths {
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|error| LakeError::Files(format!("`{}`: {error}", path.display())))?;
    }
    Ok(())
}
