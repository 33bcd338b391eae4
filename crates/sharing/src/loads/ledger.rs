//! Loadings in the ledger.

use crypto::field::FieldContext;
use kernel::error::Coded;
use kernel::ids::{AccountId, OrgCode};
use kernel::time::Timestamp;
use store::{Reads, StoreError, Tx, params};

use super::{Content, Loading, LoadingError, LoadingId, Stage};

store::row! {
    struct LoadingRow {
        loading_id: String, provider: OrgCode, resource_id: String, made_by: AccountId, sealed: Vec<u8>,
        stage: String, load_id: Option<String>, fault: Option<String>, created_at: Timestamp,
    }
}

const COLUMNS: &str = "loading_id, provider, resource_id, made_by, sealed, stage, load_id, fault, created_at";

fn context(id: &str) -> FieldContext<'_> {
    FieldContext { table: "sharing_loading", column: "sealed", subject: id }
}

fn seal(tx: &Tx, loading: &Loading) -> Result<Vec<u8>, LoadingError> {
    let content = serde_json::to_vec(&loading.content).map_err(StoreError::from)?;
    let store = tx.store();
    Ok(store.cipher().encrypt(&context(&loading.id.to_string()), &content, &*store.env().entropy))
}

fn read(db: &impl Reads, row: LoadingRow) -> Result<Loading, LoadingError> {
    let bad =
        |column: &str| StoreError::Column { column: column.to_owned(), reason: "is unknown".to_owned() };
    let sealed = db.store().cipher().decrypt(&context(&row.loading_id), &row.sealed);
    let content = sealed.map_err(|error| StoreError::Sealed(error.to_string()))?;
    let content: Content = serde_json::from_slice(&content).map_err(StoreError::from)?;
    let stage = Stage::ALL.into_iter().find(|stage| stage.as_str() == row.stage);
    let load = row.load_id.map(|id| id.parse()).transpose().map_err(|_| bad("load_id"))?;
    Ok(Loading {
        id: row.loading_id.parse().map_err(|_| bad("loading_id"))?,
        provider: row.provider,
        resource: row.resource_id.parse()?,
        made_by: row.made_by,
        content,
        stage: stage.ok_or_else(|| bad("stage"))?,
        load,
        fault: row.fault,
        created_at: row.created_at,
    })
}

/// The loading of this id.
pub async fn find(db: &impl Reads, id: LoadingId) -> Result<Option<Loading>, LoadingError> {
    let sql = format!("SELECT {COLUMNS} FROM sharing_loading WHERE loading_id = $1");
    let row: Option<LoadingRow> = db.optional(&sql, params![id.to_string()]).await?;
    row.map(|row| read(db, row)).transpose()
}

/// The loadings of an organisation, the newest first, from behind one of them.
pub async fn list(
    db: &impl Reads,
    provider: &OrgCode,
    before: Option<LoadingId>,
    limit: u32,
) -> Result<Vec<Loading>, LoadingError> {
    // Ids begin with their time.
    let sql = format!(
        "SELECT {COLUMNS}
           FROM sharing_loading
          WHERE provider = $1 AND ($2 = '' OR loading_id < $2)
          ORDER BY loading_id DESC
          LIMIT $3"
    );
    let before = before.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<LoadingRow> = db.query(&sql, params![provider, before, limit]).await?;
    rows.into_iter().map(|row| read(db, row)).collect()
}

/// Those that are loaded, or should be.
pub(super) async fn running(db: &impl Reads) -> Result<Vec<Loading>, LoadingError> {
    let sql = format!("SELECT {COLUMNS} FROM sharing_loading WHERE stage = 'running' ORDER BY loading_id");
    let rows: Vec<LoadingRow> = db.query(&sql, vec![]).await?;
    // One that cannot be read must not hold up the others.
    let (good, bad): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| read(db, row)).partition(Result::is_ok);
    for error in bad.into_iter().filter_map(Result::err) {
        tracing::error!(error.code = error.code(), %error, "a loading cannot be read");
    }
    Ok(good.into_iter().filter_map(Result::ok).collect())
}

/// Those that do not run and were handed in before a time.
pub(super) async fn older(db: &impl Reads, before: Timestamp) -> Result<Vec<Loading>, LoadingError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sharing_loading WHERE stage <> 'running' AND created_at < $1 ORDER BY loading_id"
    );
    let rows: Vec<LoadingRow> = db.query(&sql, params![before]).await?;
    rows.into_iter().map(|row| read(db, row)).collect()
}

/// Keeps a new one.
pub(super) async fn insert(tx: &Tx, loading: &Loading) -> Result<(), LoadingError> {
    let sealed = seal(tx, loading)?;
    tx.execute(
        "INSERT INTO sharing_loading
                (loading_id, provider, resource_id, made_by, sealed, stage, load_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, NULL, $7)",
        params![
            loading.id.to_string(),
            &loading.provider,
            loading.resource.as_str(),
            loading.made_by,
            sealed,
            loading.stage.as_str(),
            loading.created_at
        ],
    )
    .await?;
    Ok(())
}

/// Writes what changed, if it is still at this stage.
pub(super) async fn write(tx: &Tx, loading: &Loading, from: Stage) -> Result<(), LoadingError> {
    let sealed = seal(tx, loading)?;
    let written = tx
        .execute(
            "UPDATE sharing_loading
                SET sealed = $2, stage = $3, load_id = $4, fault = $5
              WHERE loading_id = $1 AND stage = $6",
            params![
                loading.id.to_string(),
                sealed,
                loading.stage.as_str(),
                loading.load.map(|load| load.to_string()),
                loading.fault.as_deref(),
                from.as_str()
            ],
        )
        .await?;
    if written == 1 { Ok(()) } else { Err(LoadingError::Stage) }
}

/// Takes one away, if it is still at this stage.
pub(super) async fn remove(tx: &Tx, loading: &Loading, from: Stage) -> Result<(), LoadingError> {
    let removed = tx
        .execute(
            "DELETE FROM sharing_loading WHERE loading_id = $1 AND stage = $2",
            params![loading.id.to_string(), from.as_str()],
        )
        .await?;
    if removed == 1 { Ok(()) } else { Err(LoadingError::Stage) }
}
