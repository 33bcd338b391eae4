//! Rows into Parquet files of a table, which count once they are committed.

use std::num::NonZeroU64;

use datafusion::arrow::array::RecordBatch;
use deltalake::datafile::writer::{PartitionWriter, PartitionWriterConfig};
use deltalake::kernel::Add;
use deltalake::table::config::TablePropertiesExt as _;
use kernel::time::Timestamp;

use crate::delta::{Snapshot, millis, open_columns};
use crate::{LakeError, Table};

/// How large a file grows before the next is begun.
pub(crate) const FILE_BYTES: u64 = 128 << 20;

/// Files that are being written.
pub(crate) struct Writing {
    writer: PartitionWriter,
    newest: Option<Timestamp>,
}

impl Writing {
    pub(crate) fn begin(snapshot: &Snapshot, table: &Table) -> Result<Self, LakeError> {
        let config = PartitionWriterConfig::try_new(
            table.schema.arrow(),
            Default::default(),
            None,
            NonZeroU64::new(FILE_BYTES),
            None,
            None,
            None,
        )?;
        let indexed = snapshot.delta().snapshot()?.table_config().num_indexed_cols();
        let statistics = Some(open_columns(&table.schema));
        let store = snapshot.log().object_store(None);
        Ok(Self {
            writer: PartitionWriter::try_with_config(store, config, indexed, statistics)?,
            newest: None,
        })
    }

    /// Writes rows that arrived at that time.
    pub(crate) async fn write(&mut self, rows: &RecordBatch, arrived: Timestamp) -> Result<(), LakeError> {
        self.newest = self.newest.max(Some(arrived));
        Ok(self.writer.write(rows).await?)
    }

    /// Ends the files, durably.
    pub(crate) async fn end(self, data_change: bool) -> Result<Vec<Add>, LakeError> {
        let newest = self.newest.map_or(0, millis);
        let mut added = self.writer.close().await?;
        for add in &mut added {
            add.modification_time = newest;
            add.data_change = data_change;
        }
        Ok(added)
    }
}
