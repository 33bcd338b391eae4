//! Receipts: one for each draft that became a case, and never another.

use crypto::field::FieldContext;
use kernel::ids::{CaseId, DraftId, SubjectId};
use kernel::time::Timestamp;
use store::{Reads, Store, StoreError, Tx, params};

/// A receipt as it is kept.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Whose.
    pub subject: SubjectId,
    /// The draft that it came from.
    pub draft: DraftId,
    /// The case.
    pub case_id: CaseId,
    /// The case's number.
    pub case_no: String,
    /// The item.
    pub item_id: String,
    /// The item's version.
    pub item_hash: String,
    /// The signed file.
    pub document: Vec<u8>,
    /// When it was received.
    pub received_at: Timestamp,
}

store::row! {
    struct ReceiptRow {
        subject_id: SubjectId, draft_id: DraftId, case_id: CaseId, case_no: String, item_id: String,
        item_hash: String, document: Vec<u8>, received_at: Timestamp,
    }
}

const COLUMNS: &str = "subject_id, draft_id, case_id, case_no, item_id, item_hash, document, received_at";

/// The document as it is stored. Done before the write begins.
pub(crate) fn seal(store: &Store, subject: SubjectId, document: &[u8]) -> Vec<u8> {
    let owner = subject.to_string();
    store.cipher().encrypt(&context(&owner), document, &*store.env().entropy)
}

/// Writes a receipt whose `document` is sealed already.
pub(crate) async fn insert(
    tx: &Tx,
    receipt: &Receipt,
    sealed: Vec<u8>,
    submit_key: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO services_receipt
                (subject_id, draft_id, case_id, case_no, item_id, item_hash, document, submit_key, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            receipt.subject,
            receipt.draft,
            receipt.case_id,
            &receipt.case_no,
            &receipt.item_id,
            &receipt.item_hash,
            sealed,
            submit_key,
            receipt.received_at
        ],
    )
    .await?;
    Ok(())
}

/// The receipt of a draft.
pub(crate) async fn of_draft(
    db: &impl Reads,
    subject: SubjectId,
    draft: DraftId,
) -> Result<Option<Receipt>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM services_receipt WHERE subject_id = $1 AND draft_id = $2");
    let row: Option<ReceiptRow> = db.optional(&sql, params![subject, draft]).await?;
    row.map(|row| open(db.store(), row)).transpose()
}

/// The receipt of a case, by its number.
pub(crate) async fn of_case_no(
    db: &impl Reads,
    subject: SubjectId,
    case_no: &str,
) -> Result<Option<Receipt>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM services_receipt WHERE subject_id = $1 AND case_no = $2");
    let row: Option<ReceiptRow> = db.optional(&sql, params![subject, case_no]).await?;
    row.map(|row| open(db.store(), row)).transpose()
}

/// The draft that was submitted with this key before, if any was.
pub(crate) async fn by_key(
    db: &impl Reads,
    subject: SubjectId,
    key: &str,
) -> Result<Option<DraftId>, StoreError> {
    let rows = db
        .rows(
            "SELECT draft_id FROM services_receipt WHERE subject_id = $1 AND submit_key = $2",
            params![subject, key],
        )
        .await?;
    rows.first().map(|row| row.get("draft_id")).transpose()
}

/// Notes how the case of a receipt ended.
pub(crate) async fn conclude(
    tx: &Tx,
    subject: SubjectId,
    case: CaseId,
    outcome: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE services_receipt SET outcome = $3 WHERE subject_id = $1 AND case_id = $2",
        params![subject, case, outcome],
    )
    .await?;
    Ok(())
}

/// What a favourable end is noted as.
pub(crate) const GRANTED: &str = "granted";
/// What any other end is noted as.
pub(crate) const NOT_GRANTED: &str = "not_granted";

/// Whether the person was granted the same before.
pub(crate) async fn was_granted(db: &impl Reads, subject: SubjectId, item: &str) -> Result<bool, StoreError> {
    let granted = db
        .count(
            "SELECT COUNT(*) AS n FROM services_receipt
              WHERE subject_id = $1 AND item_id = $2 AND outcome = 'granted'",
            params![subject, item],
        )
        .await?;
    Ok(granted > 0)
}

fn open(store: &Store, row: ReceiptRow) -> Result<Receipt, StoreError> {
    let owner = row.subject_id.to_string();
    let document = store
        .cipher()
        .decrypt(&context(&owner), &row.document)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(Receipt {
        subject: row.subject_id,
        draft: row.draft_id,
        case_id: row.case_id,
        case_no: row.case_no,
        item_id: row.item_id,
        item_hash: row.item_hash,
        document,
        received_at: row.received_at,
    })
}

fn context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "services_receipt", column: "document", subject: owner }
}
