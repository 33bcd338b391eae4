//! Forward-only migrations, one ordered list over all crates.
//!
//! A change first expands (new table, new column), then, once no old version runs any more, contracts.

use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};

use crate::db::{self, Env};
use crate::dialect::Dialect;
use crate::{StoreError, params};

/// One step. Its name begins with the crate that owns the tables.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Unique and never changed once released, such as `cases_0001_base`.
    pub name: &'static str,
    /// Statements, each run by itself. `{bytes}` stands for the type of bytes.
    pub statements: &'static [&'static str],
}

/// The ledger's own tables.
const BASE: Migration = Migration {
    name: "store_0001_base",
    statements: &[
        "CREATE TABLE store_key_ring (
            name TEXT NOT NULL PRIMARY KEY,
            sealed {bytes} NOT NULL,
            changed_at BIGINT NOT NULL
        )",
        crate::outbox::TABLE,
        crate::jobs::TABLE,
        "CREATE INDEX store_job_due ON store_job (state, run_at)",
        crate::blobs::TABLE,
        crate::audit::LEAF_TABLE,
        crate::audit::ENTRY_TABLE,
        "CREATE UNIQUE INDEX store_audit_entry_seq ON store_audit_entry (seq)",
        crate::audit::HEAD_TABLE,
        crate::audit::STATE_TABLE,
    ],
};

/// What came to the ledger's own tables later.
const PROOFS: Migration = Migration {
    name: "store_0002_proofs",
    statements: &["CREATE INDEX store_audit_entry_object
                       ON store_audit_entry (object)
                    WHERE object LIKE 'sharing.use:%'"],
};

/// Whether there is a ledger in this database at all.
pub(crate) async fn has_run(connection: &DatabaseConnection, dialect: Dialect) -> Result<bool, StoreError> {
    let columns = db::rows(connection, dialect, dialect.columns_sql(), vec![]).await?;
    for column in &columns {
        if column.get::<String>("table_name")? == "store_migration" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Applies what is missing, in order, in one transaction.
pub(crate) async fn run(
    connection: &DatabaseConnection,
    dialect: Dialect,
    env: &Env,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let transaction = connection.begin_with_options(dialect.begin_write()).await?;
    if let Some(lock) = dialect.migration_lock() {
        transaction.execute_unprepared(lock).await?;
    }
    transaction
        .execute_unprepared(&dialect.ddl(
            "CREATE TABLE IF NOT EXISTS store_migration (
                name TEXT NOT NULL PRIMARY KEY,
                checksum TEXT NOT NULL,
                applied_at BIGINT NOT NULL
            )",
        ))
        .await?;
    for migration in [BASE, PROOFS].iter().chain(migrations) {
        let checksum = hex::encode(crypto::hash::sm3(migration.statements.join("\n").as_bytes()));
        let applied = db::rows(
            &transaction,
            dialect,
            "SELECT checksum FROM store_migration WHERE name = $1",
            params![migration.name],
        )
        .await?;
        if let Some(row) = applied.first() {
            if row.get::<String>("checksum")? != checksum {
                return Err(StoreError::Config(format!(
                    "migration `{}` was changed after it had been applied",
                    migration.name
                )));
            }
            continue;
        }
        for statement in migration.statements {
            transaction.execute_unprepared(&dialect.ddl(statement)).await?;
        }
        db::execute(
            &transaction,
            dialect,
            "INSERT INTO store_migration (name, checksum, applied_at) VALUES ($1, $2, $3)",
            params![migration.name, checksum, env.now()],
        )
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}
