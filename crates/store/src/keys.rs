//! The key ring at rest: sealed under the root key, made on first use.

use crypto::keys::{KeyRing, Purpose};
use crypto::root::RootKey;
use crypto::suite::Algorithm;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::db::Env;
use crate::{Store, StoreError, params};

const NAME: &str = "node";

/// Every purpose has a key in each suite.
const PURPOSES: [Purpose; 4] = [Purpose::Receipt, Purpose::Licence, Purpose::AuditHead, Purpose::StatusList];

pub(crate) async fn load_or_generate(
    connection: &DatabaseConnection,
    root: &RootKey,
    env: &Env,
    issuer: Option<&str>,
) -> Result<KeyRing, StoreError> {
    let backend = connection.get_database_backend();
    let statement = sea_orm::Statement::from_sql_and_values(
        backend,
        "SELECT sealed FROM store_key_ring WHERE name = $1",
        params![NAME],
    );
    if let Some(row) = connection.query_one_raw(statement).await? {
        let sealed: Vec<u8> = crate::Row(row).get("sealed")?;
        return KeyRing::from_sealed(root, &sealed).map_err(|error| StoreError::Sealed(error.to_string()));
    }
    let issuer = issuer.ok_or_else(|| StoreError::Config("the ledger has lost its key ring".to_owned()))?;
    let mut ring = KeyRing::new(issuer, crypto::suite::Suite::Gm);
    for purpose in PURPOSES {
        for algorithm in [Algorithm::Sm2Sm3, Algorithm::Ed25519] {
            ring.generate(purpose, algorithm, env.now(), &*env.entropy)
                .map_err(|error| StoreError::Sealed(error.to_string()))?;
        }
    }
    let sealed = ring.to_sealed(root).map_err(|error| StoreError::Sealed(error.to_string()))?;
    let statement = sea_orm::Statement::from_sql_and_values(
        backend,
        "INSERT INTO store_key_ring (name, sealed, changed_at) VALUES ($1, $2, $3)",
        params![NAME, sealed, env.now()],
    );
    connection.execute_raw(statement).await?;
    Ok(ring)
}

/// Makes a new key for `purpose` and retires the old one, whose signatures still verify.
pub async fn rotate(store: &Store, purpose: Purpose, algorithm: Algorithm) -> Result<(), StoreError> {
    let env = store.env();
    let sealed_error = |error: &dyn std::error::Error| StoreError::Sealed(error.to_string());
    let present = store.keys().to_sealed(store.root()).map_err(|error| sealed_error(&error))?;
    let mut ring = KeyRing::from_sealed(store.root(), &present).map_err(|error| sealed_error(&error))?;
    ring.rotate(purpose, algorithm, env.now(), &*env.entropy).map_err(|error| sealed_error(&error))?;
    let sealed = ring.to_sealed(store.root()).map_err(|error| sealed_error(&error))?;
    let tx = store.begin().await?;
    tx.execute(
        "UPDATE store_key_ring SET sealed = $2, changed_at = $3 WHERE name = $1",
        params![NAME, sealed, env.now()],
    )
    .await?;
    tx.commit().await?;
    store.set_keys(ring);
    Ok(())
}
