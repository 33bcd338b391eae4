//! Opening the ledger, and reading from it.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use crypto::field::FieldCipher;
use crypto::keys::KeyRing;
use crypto::root::RootKey;
use kernel::entropy::Entropy;
use kernel::time::{Clock, Timestamp};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, IsolationLevel, Statement,
    TransactionTrait,
};

use crate::dialect::Dialect;
use crate::tx::Writer;
use crate::{Faults, FromRow, Row, StoreError, Tx, Value, keys};

/// Where the ledger is.
#[derive(Clone, Debug)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`; without it, SQLite in the data folder.
    pub url: Option<String>,
    /// The data folder: the SQLite file, blobs, checkpoints, keys.
    pub data_dir: PathBuf,
    /// Who a new node is in its signatures, such as `urn:yiwang:node:532900`. None where the ledger must be there
    /// already: then nothing is made.
    pub issuer: Option<String>,
}

/// What the outside gives: the time, randomness, and in crash tests a place to stop.
#[derive(Clone)]
pub struct Env {
    /// The clock that everything reads.
    pub clock: Arc<dyn Clock>,
    /// The source of every random byte.
    pub entropy: Arc<dyn Entropy>,
    /// Where a crash test stops the process.
    pub faults: Faults,
}

impl Env {
    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The file of a ledger on SQLite, in the data folder.
pub const SQLITE_FILE: &str = "ledger.sqlite";

/// The open ledger. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) dialect: Dialect,
    pub(crate) readers: DatabaseConnection,
    pub(crate) writer: Arc<Writer>,
    pub(crate) env: Env,
    pub(crate) keys: Arc<std::sync::RwLock<KeyRing>>,
    pub(crate) root: RootKey,
    pub(crate) cipher: FieldCipher,
    pub(crate) data_dir: PathBuf,
}

impl Store {
    /// Opens the ledger, brings its tables up to date and loads the key ring, making one on first use.
    pub async fn open(
        config: &Config,
        env: Env,
        root: RootKey,
        migrations: &[crate::Migration],
    ) -> Result<Self, StoreError> {
        let must_exist = config.issuer.is_none();
        if must_exist && config.url.is_none() && !config.data_dir.join(SQLITE_FILE).is_file() {
            return Err(StoreError::Config(format!("there is no ledger in `{}`", config.data_dir.display())));
        }
        std::fs::create_dir_all(&config.data_dir)
            .map_err(|error| StoreError::file(&config.data_dir, error))?;
        let url = config
            .url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}?mode=rwc", config.data_dir.join(SQLITE_FILE).display()));
        let dialect = Dialect::of(&url)?;
        let write = dialect.connect_writer(&url).await?;
        if must_exist && !crate::migrate::has_run(&write, dialect).await? {
            return Err(StoreError::Config("there is no ledger in this database".to_owned()));
        }
        crate::migrate::run(&write, dialect, &env, migrations).await?;
        let readers = dialect.connect_readers(&url).await?;
        let keys = Arc::new(std::sync::RwLock::new(
            keys::load_or_generate(&write, &root, &env, config.issuer.as_deref()).await?,
        ));
        let writer = Arc::new(Writer::new(write, dialect, env.clone(), keys.clone(), &config.data_dir)?);
        let cipher = FieldCipher::new(&root, crypto::suite::Suite::Gm);
        Ok(Self {
            inner: Arc::new(Inner {
                dialect,
                readers,
                writer,
                env,
                keys,
                root,
                cipher,
                data_dir: config.data_dir.clone(),
            }),
        })
    }

    /// Begins a write. See [`Tx`] for what must not happen while it is held.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Tx::begin(self.clone()).await
    }

    /// Reads outside any transaction: each statement sees what is committed when it runs.
    pub fn read(&self) -> Reader {
        Reader { store: self.clone() }
    }

    /// Reads of one moment, for what must not see half of a write.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::begin(self).await
    }

    /// The key ring of this node.
    pub fn keys(&self) -> std::sync::RwLockReadGuard<'_, KeyRing> {
        self.inner.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Replaces the key ring in memory, after a rotation was committed.
    pub(crate) fn set_keys(&self, ring: KeyRing) {
        *self.inner.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner) = ring;
    }

    /// The cipher of personal fields.
    pub fn cipher(&self) -> &FieldCipher {
        &self.inner.cipher
    }

    /// The root key, for the few things that are sealed outside the field cipher.
    pub fn root(&self) -> &RootKey {
        &self.inner.root
    }

    /// The clock, randomness and faults that this ledger was opened with.
    pub fn env(&self) -> &Env {
        &self.inner.env
    }

    /// The data folder.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.inner.data_dir
    }

    /// `sqlite` or `postgresql`, for status pages.
    pub fn database_name(&self) -> &'static str {
        self.inner.dialect.name()
    }

    /// Counts commits, so that a worker can wait for the next one.
    pub fn committed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.writer.committed.subscribe()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Waits for the writer to finish and closes every connection.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.inner.writer.close().await?;
        self.inner.readers.clone().close().await?;
        Ok(())
    }
}

/// Anything that statements can be read from: a [`Reader`] or a [`Tx`].
pub trait Reads: Send + Sync {
    /// Runs a query and gives every row.
    fn rows(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// The ledger that is read.
    fn store(&self) -> &Store;

    /// Every row, as `T`.
    fn query<T: FromRow + Send>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<T>, StoreError>> + Send {
        let rows = self.rows(sql, values);
        async move { rows.await?.iter().map(T::from_row).collect() }
    }

    /// The first row, if there is one.
    fn optional<T: FromRow + Send>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send {
        let rows = self.rows(sql, values);
        async move { rows.await?.first().map(T::from_row).transpose() }
    }

    /// A number, as in `SELECT COUNT(*) AS n`: the column must be called `n`.
    fn count(&self, sql: &str, values: Vec<Value>) -> impl Future<Output = Result<i64, StoreError>> + Send {
        let rows = self.rows(sql, values);
        async move { Ok(rows.await?.first().map(|row| row.get::<i64>("n")).transpose()?.unwrap_or(0)) }
    }
}

/// Reads of what is committed.
#[derive(Clone)]
pub struct Reader {
    store: Store,
}

impl Reads for Reader {
    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        rows(&self.store.inner.readers, self.store.inner.dialect, sql, values).await
    }

    fn store(&self) -> &Store {
        &self.store
    }
}

/// Reads of one moment: every statement sees the ledger as it was at the first.
pub struct Snapshot {
    store: Store,
    transaction: DatabaseTransaction,
}

impl Snapshot {
    pub(crate) async fn begin(store: &Store) -> Result<Self, StoreError> {
        // SQLite's deferred transaction is a snapshot from its first read on.
        let transaction = store
            .inner
            .readers
            .begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly))
            .await?;
        Ok(Self { store: store.clone(), transaction })
    }
}

impl Reads for Snapshot {
    async fn rows(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        rows(&self.transaction, self.store.inner.dialect, sql, values).await
    }

    fn store(&self) -> &Store {
        &self.store
    }
}

pub(crate) async fn rows(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Row>, StoreError> {
    let statement = Statement::from_sql_and_values(dialect.backend(), sql, values);
    Ok(connection.query_all_raw(statement).await?.into_iter().map(Row).collect())
}

pub(crate) async fn execute(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    sql: &str,
    values: Vec<Value>,
) -> Result<u64, StoreError> {
    let statement = Statement::from_sql_and_values(dialect.backend(), sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}

/// Writes many rows with few statements: `INSERT INTO table (columns)`, its rows, and what follows them. Beyond
/// sixteen, the number of rows in a statement is a power of two, so that the library keeps few statements prepared.
pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    into: &str,
    suffix: &str,
    mut rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    while !rows.is_empty() {
        let many = match rows.len() {
            few @ ..=16 => few,
            many => 1 << many.min(ROWS_A_STATEMENT).ilog2(),
        };
        let rest = rows.split_off(many);
        let mut sql = format!("{into} VALUES ");
        let mut place = 0;
        for (at, row) in rows.iter().enumerate() {
            sql.push_str(if at == 0 { "(" } else { ", (" });
            for column in 0..row.len() {
                place += 1;
                sql.push_str(&format!("{}${place}", if column == 0 { "" } else { ", " }));
            }
            sql.push(')');
        }
        sql.push(' ');
        sql.push_str(suffix);
        execute(connection, dialect, &sql, rows.into_iter().flatten().collect()).await?;
        rows = rest;
    }
    Ok(())
}

/// Times the columns of the widest table, this stays far below SQLite's 32,766 parameters.
const ROWS_A_STATEMENT: usize = 128;
