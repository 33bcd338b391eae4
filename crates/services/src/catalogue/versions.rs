//! Immutable versions: stored at start, compiled again from what is stored.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use packs::model::Procedure;
use packs::{Item, Pack, Versioned};
use store::{Reads, StoreError, Tx, params};

/// Why an application's version cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The ledger failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hash names nothing.
    #[error("there is no version `{0}`")]
    Unknown(String),
    /// What is stored does not compile any more.
    #[error(transparent)]
    Compile(#[from] packs::CompileError),
}

impl From<VersionError> for web::Problem {
    fn from(error: VersionError) -> Self {
        Self::internal(error)
    }
}

/// Stores every version of the pack that is not stored yet. Run at each start.
pub async fn publish(tx: &Tx, pack: &Pack) -> Result<(), StoreError> {
    for item in pack.items() {
        let hidden = item.form.pages.iter().find(|page| crate::pages::RESERVED.contains(&page.id.as_str()));
        if let Some(page) = hidden {
            return Err(StoreError::Config(format!(
                "the page `{}` of the item `{}` is called like a step of every application",
                page.id, item.id
            )));
        }
    }
    let now = tx.store().env().now();
    for version in pack.versions() {
        tx.execute(
            "INSERT INTO services_item_version (kind, id, hash, canonical_json, published_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (hash) DO NOTHING",
            params![&version.kind, &version.id, &version.hash, &version.canonical_json, now],
        )
        .await?;
    }
    Ok(())
}

/// The item of that hash: of today's pack, or as it was stored when the application was started.
pub async fn item_version(
    db: &impl Reads,
    pack: &Pack,
    id: &str,
    hash: &str,
) -> Result<Arc<Item>, VersionError> {
    static KEPT: RwLock<Option<HashMap<String, Arc<Item>>>> = RwLock::new(None);
    if let Some(item) = pack.item(id).filter(|item| item.hash() == hash) {
        return Ok(item.clone());
    }
    let kept =
        KEPT.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|kept| kept.get(hash).cloned());
    if let Some(item) = kept {
        return Ok(item);
    }
    let item = Arc::new(Item::from_canonical(&canonical(db, hash).await?)?);
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    kept.get_or_insert_default().insert(hash.to_owned(), item.clone());
    Ok(item)
}

/// The procedure of that hash.
pub async fn procedure_version(db: &impl Reads, hash: &str) -> Result<Versioned<Procedure>, VersionError> {
    Ok(Versioned::from_canonical(&canonical(db, hash).await?)?)
}

async fn canonical(db: &impl Reads, hash: &str) -> Result<String, VersionError> {
    let rows =
        db.rows("SELECT canonical_json FROM services_item_version WHERE hash = $1", params![hash]).await?;
    match rows.first() {
        Some(row) => Ok(row.get("canonical_json")?),
        None => Err(VersionError::Unknown(hash.to_owned())),
    }
}
