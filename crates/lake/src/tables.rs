//! The tables of the lake: what they are called, what they look like, where they lie.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use datafusion::execution::runtime_env::RuntimeEnv;
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Reads, Store, Tx, params};

use crate::aggregates::history::Histories;
use crate::cluster::Cluster;
use crate::place::{Files, Place};
use crate::schema::{Column, Schema, check_name};
use crate::session::Limits;
use crate::stream::{Stream, StreamServer};
use crate::{LakeError, checking, inbox, session};

/// The folder of the lake in the data folder.
pub const FOLDER: &str = "lake";

/// The name of a table, such as `population`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TableId(String);

impl From<TableId> for String {
    fn from(id: TableId) -> Self {
        id.0
    }
}

impl TryFrom<String> for TableId {
    type Error = LakeError;

    fn try_from(text: String) -> Result<Self, LakeError> {
        text.parse()
    }
}

impl TableId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TableId {
    type Err = LakeError;

    fn from_str(text: &str) -> Result<Self, LakeError> {
        check_name(text)?;
        Ok(Self(text.to_owned()))
    }
}

/// A table as it is now.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub id: TableId,
    /// Its columns.
    pub schema: Schema,
    /// How often the columns were changed; from 1.
    pub version: u32,
    /// Since when it is there.
    pub created_at: Timestamp,
}

/// The lake of a node. Cheap to clone.
#[derive(Clone)]
pub struct Lake {
    inner: Arc<Inner>,
    cluster: Option<Cluster>,
}

struct Inner {
    store: Store,
    files: Files,
    stream: Option<Stream>,
    max_waiting: u64,
    making_room: tokio::sync::Mutex<()>,
    checked: Mutex<HashSet<checking::Entry>>,
    runtime: Arc<RuntimeEnv>,
    running: Arc<tokio::sync::Semaphore>,
    limits: Limits,
    histories: Histories,
}

/// Where a lake keeps what it has.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Where the tables lie.
    pub place: Place,
    /// The stream in which batches arrive; in the ledger if there is none.
    pub stream: Option<StreamServer>,
    /// How much of one table may wait in the ledger, in bytes.
    pub max_waiting: u64,
}

impl Default for Storage {
    fn default() -> Self {
        Self { place: Place::Folder, stream: None, max_waiting: inbox::MAX_WAITING }
    }
}

store::row! {
    struct TableRow { table_id: String, schema: String, version: u32, created_at: Timestamp }
}

impl Lake {
    /// The lake in the data folder of this ledger.
    pub fn open(store: Store, limits: Limits) -> Result<Self, LakeError> {
        let files = Files::folder(&store.data_dir().join(FOLDER))?;
        Self::with(store, limits, files, None, inbox::MAX_WAITING)
    }

    /// The lake of this ledger, with its tables and its inbox in these places.
    pub async fn open_with(store: Store, limits: Limits, storage: &Storage) -> Result<Self, LakeError> {
        let files = match &storage.place {
            Place::Folder => Files::folder(&store.data_dir().join(FOLDER))?,
            Place::Bucket(bucket) => Files::bucket(bucket).await?,
        };
        let stream = match &storage.stream {
            Some(server) => Some(Stream::connect(server).await?),
            None => None,
        };
        Self::with(store, limits, files, stream, storage.max_waiting)
    }

    fn with(
        store: Store,
        limits: Limits,
        files: Files,
        stream: Option<Stream>,
        max_waiting: u64,
    ) -> Result<Self, LakeError> {
        let runtime = session::runtime(&limits)?;
        files.register(&runtime);
        let running = Arc::new(tokio::sync::Semaphore::new(limits.concurrency));
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                histories: Histories::default(),
                files,
                stream,
                max_waiting,
                making_room: tokio::sync::Mutex::default(),
                checked: Mutex::default(),
                runtime,
                running,
                limits,
            }),
            cluster: None,
        })
    }

    /// The same lake, whose governed queries run on a cluster.
    #[must_use]
    pub fn with_cluster(mut self, cluster: Cluster) -> Self {
        self.cluster = Some(cluster);
        self
    }

    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// The ledger that holds the inbox.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What a query may use.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.inner.runtime
    }

    pub(crate) fn running(&self) -> &Arc<tokio::sync::Semaphore> {
        &self.inner.running
    }

    pub(crate) fn histories(&self) -> &Histories {
        &self.inner.histories
    }

    pub(crate) fn files(&self) -> &Files {
        &self.inner.files
    }

    pub(crate) fn stream(&self) -> Option<&Stream> {
        self.inner.stream.as_ref()
    }

    pub(crate) fn max_waiting(&self) -> u64 {
        self.inner.max_waiting
    }

    /// Entries of logs that were found whole.
    pub(crate) fn checked(&self) -> &Mutex<HashSet<checking::Entry>> {
        &self.inner.checked
    }

    /// Held by whoever compacts because too much waits.
    pub(crate) fn making_room(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.making_room
    }

    /// Makes a table. False if there is one of this name.
    pub async fn create_table(tx: &Tx, id: &TableId, schema: &Schema) -> Result<bool, LakeError> {
        let made = tx
            .execute(
                "INSERT INTO lake_table (table_id, schema, version, last_seq, created_at)
                 VALUES ($1, $2, 1, 0, $3)
                 ON CONFLICT (table_id) DO NOTHING",
                params![id.as_str(), to_json(schema)?, tx.store().env().now()],
            )
            .await?;
        Ok(made == 1)
    }

    /// Adds columns at the end of a table; in what is there already they are empty.
    pub async fn add_columns(tx: &Tx, table: &Table, more: Vec<Column>) -> Result<Table, LakeError> {
        let schema = table.schema.extended(more)?;
        let version = table.version + 1;
        let changed = tx
            .execute(
                "UPDATE lake_table
                    SET schema = $3, version = $4
                  WHERE table_id = $1 AND version = $2 AND ends_at IS NULL",
                params![table.id.as_str(), table.version, to_json(&schema)?, version],
            )
            .await?;
        if changed != 1 {
            return Err(LakeError::Data(format!("`{}` was changed meanwhile", table.id)));
        }
        Ok(Table { schema, version, ..table.clone() })
    }

    /// The table of this name.
    pub async fn table(db: &impl Reads, id: &TableId) -> Result<Table, LakeError> {
        let row: Option<TableRow> = db
            .optional(
                "SELECT table_id, schema, version, created_at
                   FROM lake_table
                  WHERE table_id = $1 AND ends_at IS NULL",
                params![id.as_str()],
            )
            .await?;
        row.ok_or_else(|| LakeError::NoTable(id.to_string())).and_then(read)
    }

    /// A table that is being destroyed.
    pub(crate) async fn ended_table(db: &impl Reads, id: &TableId) -> Result<Table, LakeError> {
        let sql = "SELECT table_id, schema, version, created_at FROM lake_table WHERE table_id = $1";
        let row: Option<TableRow> = db.optional(sql, params![id.as_str()]).await?;
        row.ok_or_else(|| LakeError::NoTable(id.to_string())).and_then(read)
    }

    /// Every table, by name.
    pub async fn tables(db: &impl Reads) -> Result<Vec<Table>, LakeError> {
        let rows: Vec<TableRow> = db
            .query(
                "SELECT table_id, schema, version, created_at
                   FROM lake_table
                  WHERE ends_at IS NULL
                  ORDER BY table_id",
                vec![],
            )
            .await?;
        rows.into_iter().map(read).collect()
    }
}

fn read(row: TableRow) -> Result<Table, LakeError> {
    let schema = serde_json::from_str(&row.schema).map_err(store::StoreError::from)?;
    Ok(Table { id: TableId(row.table_id), schema, version: row.version, created_at: row.created_at })
}

fn to_json(schema: &Schema) -> Result<String, LakeError> {
    Ok(serde_json::to_string(schema).map_err(store::StoreError::from)?)
}

/// The name of a table in a document: its text.
pub(crate) mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::TableId;

    pub(crate) fn serialize<S: Serializer>(id: &TableId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(id.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TableId, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}
