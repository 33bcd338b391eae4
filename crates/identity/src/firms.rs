//! Firms: individual businesses and companies, each owned by a person.

use crypto::field::FieldContext;
use kernel::ids::SubjectId;
use kernel::uscc::Uscc;
use serde::{Deserialize, Serialize};
use store::{Reads, StoreError, Tx, params};

/// What is registered of a firm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmRecord {
    /// 统一社会信用代码.
    pub uscc: String,
    /// 名称.
    pub name: String,
    /// Division of its seat, such as `532901`.
    pub division: String,
    /// 经营场所.
    pub address: String,
}

/// A firm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firm {
    /// Who.
    pub subject: SubjectId,
    /// The person whose it is.
    pub owner: SubjectId,
    /// What is registered.
    pub record: FirmRecord,
}

store::row! {
    struct FirmRow { subject_id: SubjectId, owner_id: SubjectId, record: Vec<u8> }
}

/// Registers a firm and lets its owner act for it.
pub async fn register(
    tx: &Tx,
    owner: SubjectId,
    uscc: &Uscc,
    record: FirmRecord,
) -> Result<SubjectId, StoreError> {
    let store = tx.store();
    let env = store.env();
    let subject = SubjectId::generate(&*env.clock, &*env.entropy);
    let holder = subject.to_string();
    let record = FirmRecord { uscc: uscc.as_str().to_owned(), ..record };
    let sealed = store.cipher().encrypt(&context(&holder), &serde_json::to_vec(&record)?, &*env.entropy);
    tx.execute(
        "INSERT INTO identity_firm (subject_id, code_index, owner_id, record, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
        params![subject, index_of(tx, uscc.as_str()), owner, sealed, env.now()],
    )
    .await?;
    crate::delegations::grant_owner(tx, subject, owner).await?;
    Ok(subject)
}

/// The firm, if there is one of this id.
pub async fn get(db: &impl Reads, subject: SubjectId) -> Result<Option<Firm>, StoreError> {
    let row: Option<FirmRow> = db
        .optional(
            "SELECT subject_id, owner_id, record FROM identity_firm WHERE subject_id = $1",
            params![subject],
        )
        .await?;
    row.map(|row| open(db, &row)).transpose()
}

/// Finds a firm by its credit code.
pub async fn find_by_uscc(db: &impl Reads, uscc: &str) -> Result<Option<SubjectId>, StoreError> {
    let folded = uscc.trim().to_ascii_uppercase();
    let rows = db
        .rows("SELECT subject_id FROM identity_firm WHERE code_index = $1", params![index_of(db, &folded)])
        .await?;
    rows.first().map(|row| row.get("subject_id")).transpose()
}

/// The firms of a person, oldest first.
pub async fn of_owner(db: &impl Reads, owner: SubjectId) -> Result<Vec<Firm>, StoreError> {
    let rows: Vec<FirmRow> = db
        .query(
            "SELECT subject_id, owner_id, record
               FROM identity_firm
              WHERE owner_id = $1
              ORDER BY created_at, subject_id",
            params![owner],
        )
        .await?;
    rows.iter().map(|row| open(db, row)).collect()
}

fn open(db: &impl Reads, row: &FirmRow) -> Result<Firm, StoreError> {
    let holder = row.subject_id.to_string();
    let plain = db
        .store()
        .cipher()
        .decrypt(&context(&holder), &row.record)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(Firm { subject: row.subject_id, owner: row.owner_id, record: serde_json::from_slice(&plain)? })
}

fn index_of(db: &impl Reads, uscc: &str) -> [u8; 16] {
    db.store().cipher().blind_index("identity_firm.uscc", uscc)
}

fn context(holder: &str) -> FieldContext<'_> {
    FieldContext { table: "identity_firm", column: "record", subject: holder }
}
