//! The only file that asks which database it is.
//!
//! Everything else is one SQL text for both: `$1`, `RETURNING`, `ON CONFLICT`, CTEs and window functions.
//! A test of the house greps for branches elsewhere.

use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions,
};

use crate::StoreError;

/// SQLite or PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Readers beside the one writer. Two cores gain nothing from more.
const READERS: u32 = 4;

impl Dialect {
    /// Whether several processes may work on the ledger.
    pub(crate) fn is_shared(self) -> bool {
        self == Self::Postgres
    }

    /// Reads the kind off the address.
    pub(crate) fn of(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres)
        } else {
            Err(StoreError::Config(
                "the ledger's address must begin with `sqlite:` or `postgres://`".to_owned(),
            ))
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }

    pub(crate) fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// One connection that writes. On SQLite there can be no second writer; on PostgreSQL the group commit
    /// makes a second one needless.
    pub(crate) async fn connect_writer(self, url: &str) -> Result<DatabaseConnection, StoreError> {
        let mut options = self.options(url, 1);
        options.min_connections(1);
        self.connect(options).await
    }

    /// Connections that only read.
    pub(crate) async fn connect_readers(self, url: &str) -> Result<DatabaseConnection, StoreError> {
        self.connect(self.options(url, READERS)).await
    }

    fn options(self, url: &str, connections: u32) -> ConnectOptions {
        let mut options = ConnectOptions::new(url.to_owned());
        options
            .max_connections(connections)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(self == Self::Postgres && connections > 1)
            .sqlx_logging(false);
        if self == Self::Sqlite {
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .pragma("journal_mode", "WAL")
                    // FULL, because a receipt that was given out must survive a power cut.
                    .pragma("synchronous", "FULL")
                    .pragma("foreign_keys", "ON")
                    .pragma("busy_timeout", "5000")
                    .pragma("wal_autocheckpoint", "4000")
                    .pragma("cache_size", "-16000")
                    .pragma("temp_store", "MEMORY")
            });
        }
        options
    }

    async fn connect(self, options: ConnectOptions) -> Result<DatabaseConnection, StoreError> {
        Ok(Database::connect(options).await?)
    }

    /// How a write begins: SQLite takes the write lock at once, so that no statement finds it taken later.
    pub(crate) fn begin_write(self) -> TransactionOptions {
        TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: (self == Self::Sqlite).then_some(SqliteTransactionMode::Immediate),
        }
    }

    /// `SELECT … ` of the row that serialises audited commits; SQLite holds the one write lock already.
    pub(crate) fn lock_row(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// Skips rows that another worker holds; on SQLite there is no other writer.
    pub(crate) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Only one process migrates at a time.
    pub(crate) fn migration_lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7905312)"),
        }
    }

    /// The text of a table definition: `{bytes}` is the type of bytes.
    pub(crate) fn ddl(self, sql: &str) -> String {
        match self {
            Self::Sqlite => sql.replace("{bytes}", "BLOB"),
            // "C" order, so that texts sort by bytes on both.
            Self::Postgres => sql.replace("{bytes}", "BYTEA").replace(" TEXT", " TEXT COLLATE \"C\""),
        }
    }

    /// Columns of every table of ours: `table_name`, `column_name`, `kind` (`text`, `bigint`, `bytes`).
    pub(crate) fn columns_sql(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT m.name AS table_name, c.name AS column_name,
                        CASE c.type WHEN 'TEXT' THEN 'text' WHEN 'BLOB' THEN 'bytes' ELSE 'bigint' END AS kind,
                        CAST(c.pk AS BIGINT) AS key_position
                   FROM sqlite_master m JOIN pragma_table_info(m.name) c
                  WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
                  ORDER BY m.name, c.cid"
            }
            Self::Postgres => {
                "SELECT CAST(c.table_name AS TEXT) AS table_name, CAST(c.column_name AS TEXT) AS column_name,
                        CASE c.data_type WHEN 'text' THEN 'text' WHEN 'bytea' THEN 'bytes' ELSE 'bigint' END AS kind,
                        CAST(COALESCE((SELECT k.ordinal_position
                                         FROM information_schema.table_constraints t
                                         JOIN information_schema.key_column_usage k
                                           ON k.constraint_name = t.constraint_name
                                          AND k.table_schema = t.table_schema
                                        WHERE t.constraint_type = 'PRIMARY KEY'
                                          AND t.table_schema = c.table_schema
                                          AND t.table_name = c.table_name
                                          AND k.column_name = c.column_name), 0) AS BIGINT) AS key_position
                   FROM information_schema.columns c
                  WHERE c.table_schema = current_schema()
                  ORDER BY c.table_name, c.ordinal_position"
            }
        }
    }
}
