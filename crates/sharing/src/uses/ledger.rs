//! What is kept of uses: lists for the asker and the provider, and the statement for the asker alone.

use crypto::field::FieldContext;
use kernel::ids::UseId;
use kernel::time::Timestamp;
use store::{Reads, Store, StoreError, params};

use super::record::Record;

store::row! {
    struct UseRow { use_id: UseId, at: Timestamp, statement: Vec<u8>, record: String }
}

/// A use as it is listed.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The receipt.
    pub record: Record,
    /// The statement.
    pub statement: String,
}

const COLUMNS: &str = "u.use_id, u.at, u.statement, u.record";

/// The uses of an account or token, newest first, below the cursor `before`.
pub async fn of_actor(
    db: &impl Reads,
    actor_id: &str,
    before: Option<UseId>,
    limit: u32,
) -> Result<Vec<Kept>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sharing_use u WHERE u.actor_id = $1 AND u.use_id < $2 ORDER BY u.use_id DESC LIMIT $3"
    );
    let rows: Vec<UseRow> = db.query(&sql, params![actor_id, cursor(before), limit]).await?;
    rows.into_iter().map(|row| read(db, row)).collect()
}

/// The uses of a resource, newest first, below the cursor `before`: for its provider, without the statements.
pub async fn of_resource(
    db: &impl Reads,
    resource: &str,
    before: Option<UseId>,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    records(db, "r.resource_id = $1", resource, before, limit).await
}

/// The uses of a grant, newest first, below the cursor `before`.
pub async fn of_grant(
    db: &impl Reads,
    grant: &str,
    before: Option<UseId>,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    records(db, "r.grant_id = $1", grant, before, limit).await
}

async fn records(
    db: &impl Reads,
    condition: &str,
    key: &str,
    before: Option<UseId>,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}
           FROM sharing_use_resource r JOIN sharing_use u ON u.use_id = r.use_id
          WHERE {condition} AND r.use_id < $2
          ORDER BY r.use_id DESC
          LIMIT $3"
    );
    let rows: Vec<UseRow> = db.query(&sql, params![key, cursor(before), limit]).await?;
    rows.into_iter().map(|row| Ok(serde_json::from_str(&row.record)?)).collect()
}

/// The latest bulk uses of a resource, newest first: those whose rows were of more persons than are counted.
pub async fn bulk_of_resource(
    db: &impl Reads,
    resource: &str,
    limit: u32,
) -> Result<Vec<Record>, StoreError> {
    records(db, "r.resource_id = $1 AND u.persons < 0", resource, None, limit).await
}

/// One use.
pub async fn find(db: &impl Reads, id: UseId) -> Result<Option<Kept>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM sharing_use u WHERE u.use_id = $1");
    let row: Option<UseRow> = db.optional(&sql, params![id]).await?;
    row.map(|row| read(db, row)).transpose()
}

/// Ids sort as their texts do; beyond the last one there is no letter.
fn cursor(before: Option<UseId>) -> String {
    before.map_or_else(|| "~".to_owned(), |id| id.to_string())
}

fn read(db: &impl Reads, row: UseRow) -> Result<Kept, StoreError> {
    let owner = row.use_id.to_string();
    let statement = db
        .store()
        .cipher()
        .decrypt_text(&context(&owner), &row.statement)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(Kept { record: serde_json::from_str(&row.record)?, statement })
}

/// A statement may hold the number of the person who is looked up, so it is encrypted.
pub(crate) fn seal(store: &Store, id: UseId, statement: &str) -> Vec<u8> {
    let owner = id.to_string();
    store.cipher().encrypt(&context(&owner), statement.as_bytes(), &*store.env().entropy)
}

fn context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "sharing_use", column: "statement", subject: owner }
}
