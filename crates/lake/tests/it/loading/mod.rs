//! Loading: every form of source, every error with its line, nothing doubled.

mod databases;
mod errors;
mod files;
mod hostile;
mod repeats;
mod web;

use std::path::{Path, PathBuf};

use lake::loading::{
    self, Addresses, Cancel, LoadError, Loaded, Mapping, Opened, Proposal, Reading, Rejected, Settings,
    Source,
};
use lake::{Lake, Table};
use store::test::{On, TestStore};

use crate::common::{empty, make, rows, whole};

/// A lake and a folder for sources.
pub(super) struct World {
    pub(super) lake: Lake,
    pub(super) folder: tempfile::TempDir,
    _test: TestStore,
}

/// What a load left: what was proposed, how it ended, the table, what was rejected.
pub(super) struct Outcome {
    pub(super) proposal: Proposal,
    pub(super) loaded: Loaded,
    pub(super) table: Table,
    pub(super) rejected: Vec<Rejected>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::on(On::Sqlite).await
    }

    pub(super) async fn on(on: On) -> Self {
        let (test, lake) = empty(on).await;
        Self { lake, folder: tempfile::tempdir().unwrap(), _test: test }
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(super) async fn open(&self, source: &Source, addresses: &Addresses) -> Result<Opened, LoadError> {
        Opened::open(source, addresses, self.folder.path()).await
    }

    pub(super) async fn file(&self, path: &Path) -> Opened {
        self.open(&Source::File(path.to_owned()), &Addresses::default()).await.unwrap()
    }

    pub(super) async fn inspect(&self, opened: &Opened) -> Result<Proposal, LoadError> {
        loading::inspect(&self.lake, opened, &Reading::default()).await
    }

    pub(super) async fn load(
        &self,
        table: &Table,
        opened: &Opened,
        mapping: &Mapping,
        settings: &Settings,
    ) -> Result<Loaded, LoadError> {
        loading::load(&self.lake, table, opened, mapping, settings, &mut |_| {}, &Cancel::default()).await
    }

    /// Loads what is proposed into a new table.
    pub(super) async fn whole(&self, name: &str, opened: &Opened) -> Outcome {
        self.read(name, opened, &Reading::default()).await
    }

    pub(super) async fn read(&self, name: &str, opened: &Opened, reading: &Reading) -> Outcome {
        let proposal = loading::inspect(&self.lake, opened, reading).await.unwrap();
        let mapping = proposal.mapping();
        let table = make(&self.lake, name, &mapping.schema().unwrap()).await;
        let loaded = self.load(&table, opened, &mapping, &Settings::default()).await.unwrap();
        let read = self.lake.store().read();
        let rejected = loading::list_rejected(&read, loaded.id, 0, 10_000).await.unwrap();
        Outcome { proposal, loaded, table, rejected }
    }

    /// Every row as text; an empty cell is `∅`.
    pub(super) async fn rows(&self, table: &Table, order: &str) -> Vec<Vec<String>> {
        let session = whole(&self.lake, table).await;
        let columns: Vec<&str> = table.schema.columns().iter().map(|column| column.name.as_str()).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {order}", columns.join(", "), table.id);
        let rows = rows(&session, &sql).await.unwrap();
        rows.into_iter()
            .map(|row| row.into_iter().map(|cell| cell.unwrap_or("∅".to_owned())).collect())
            .collect()
    }
}

/// The kinds and the names that are proposed.
pub(super) fn schema(proposal: &Proposal) -> Vec<(String, String, bool)> {
    proposal
        .columns
        .iter()
        .filter_map(|column| column.mapped.column.as_ref())
        .map(|column| (column.name.clone(), column.kind.to_string(), column.personal))
        .collect()
}

/// Line, column and code of each fault.
pub(super) fn faults(rejected: &[Rejected]) -> Vec<(u64, &str, &'static str)> {
    use kernel::error::Coded;
    rejected
        .iter()
        .flat_map(|row| {
            row.faults
                .iter()
                .map(|fault| (row.line, fault.column.as_deref().unwrap_or("*"), fault.reason.code()))
        })
        .collect()
}
