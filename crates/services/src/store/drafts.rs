//! Drafts: encrypted, one row each, changed only by whoever saw the newest version.

use crypto::field::FieldContext;
use kernel::ids::{DraftId, SubjectId};
use kernel::time::Timestamp;
use store::{Reads, Store, StoreError, Tx, params};

use crate::model::Answers;

/// For how long a draft is kept after its last change.
pub(crate) const KEPT_DAYS: i64 = 30;
/// So many days before the end its owner is told.
pub(crate) const NOTICE_DAYS: i64 = 3;

/// What has become of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftState {
    /// Being filled in.
    Open,
    /// Sent, and waiting for the other person's confirmation.
    Waiting,
    /// A case was opened from it.
    Submitted,
}

/// A draft.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whose.
    pub subject: SubjectId,
    /// Its id.
    pub id: DraftId,
    /// The item.
    pub item_id: String,
    /// The item's version.
    pub item_hash: String,
    /// What has become of it.
    pub state: DraftState,
    /// Grows with each change.
    pub version: i64,
    /// What was answered.
    pub answers: Answers,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

store::row! {
    struct DraftRow {
        subject_id: SubjectId, draft_id: DraftId, item_id: String, item_hash: String, state: String,
        version: i64, answers: Vec<u8>, created_at: Timestamp, changed_at: Timestamp, expires_at: Timestamp,
    }
}

const COLUMNS: &str =
    "subject_id, draft_id, item_id, item_hash, state, version, answers, created_at, changed_at, expires_at";

/// A draft's answers as they are stored. Done before the write begins.
pub(crate) fn seal(store: &Store, subject: SubjectId, answers: &Answers) -> Result<Vec<u8>, StoreError> {
    let owner = subject.to_string();
    Ok(store.cipher().encrypt(&context(&owner), &serde_json::to_vec(answers)?, &*store.env().entropy))
}

pub(crate) async fn insert(tx: &Tx, draft: &Draft, sealed: Vec<u8>) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO services_draft
                (subject_id, draft_id, item_id, item_hash, state, version, answers, created_at, changed_at,
                 expires_at)
         VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $7, $8)",
        params![
            draft.subject,
            draft.id,
            &draft.item_id,
            &draft.item_hash,
            draft.version,
            sealed,
            draft.created_at,
            draft.expires_at
        ],
    )
    .await?;
    Ok(())
}

/// Writes new answers if nobody has written since; says whether it did.
pub(crate) async fn update(tx: &Tx, draft: &Draft, sealed: Vec<u8>) -> Result<bool, StoreError> {
    let now = tx.store().env().now();
    let touched = tx
        .execute(
            "UPDATE services_draft
                SET answers = $4, version = version + 1, changed_at = $5, expires_at = $6, noticed_at = NULL
              WHERE subject_id = $1 AND draft_id = $2 AND version = $3 AND state = 'open'",
            params![draft.subject, draft.id, draft.version, sealed, now, expiry(now)],
        )
        .await?;
    Ok(touched == 1)
}

/// Moves a draft from one state to another if nobody has touched it since; says whether it did.
pub(crate) async fn pass_on(
    tx: &Tx,
    draft: &Draft,
    from: DraftState,
    to: DraftState,
) -> Result<bool, StoreError> {
    let touched = tx
        .execute(
            "UPDATE services_draft
                SET state = $5, version = version + 1, changed_at = $6
              WHERE subject_id = $1 AND draft_id = $2 AND version = $3 AND state = $4",
            params![
                draft.subject,
                draft.id,
                draft.version,
                from.as_str(),
                to.as_str(),
                tx.store().env().now()
            ],
        )
        .await?;
    Ok(touched == 1)
}

/// Opens a waiting draft again, after its booking came to nothing.
pub(crate) async fn reopen(tx: &Tx, subject: SubjectId, draft: DraftId) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE services_draft
            SET state = 'open', version = version + 1
          WHERE subject_id = $1 AND draft_id = $2 AND state = 'waiting'",
        params![subject, draft],
    )
    .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &Tx, subject: SubjectId, id: DraftId) -> Result<bool, StoreError> {
    let gone = tx
        .execute(
            "DELETE FROM services_draft WHERE subject_id = $1 AND draft_id = $2 AND state = 'open'",
            params![subject, id],
        )
        .await?;
    Ok(gone == 1)
}

pub(crate) async fn find(
    db: &impl Reads,
    subject: SubjectId,
    id: DraftId,
) -> Result<Option<Draft>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM services_draft WHERE subject_id = $1 AND draft_id = $2");
    let row: Option<DraftRow> = db.optional(&sql, params![subject, id]).await?;
    row.map(|row| open(db.store(), row)).transpose()
}

/// Drafts that still can be gone on with, newest change first.
pub(crate) async fn list(db: &impl Reads, subject: SubjectId) -> Result<Vec<Draft>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM services_draft
          WHERE subject_id = $1 AND state <> 'submitted' AND expires_at > $2
          ORDER BY changed_at DESC, draft_id DESC
          LIMIT 50"
    );
    let rows: Vec<DraftRow> = db.query(&sql, params![subject, db.store().env().now()]).await?;
    rows.into_iter().map(|row| open(db.store(), row)).collect()
}

store::row! {
    /// A draft whose time is over.
    pub(crate) struct Stale {
        pub(crate) subject_id: SubjectId,
        pub(crate) draft_id: DraftId,
    }
}

/// Open drafts whose time is over.
pub(crate) async fn expired(db: &impl Reads, now: Timestamp) -> Result<Vec<Stale>, StoreError> {
    db.query(
        "SELECT subject_id, draft_id FROM services_draft
          WHERE state = 'open' AND expires_at <= $1
          ORDER BY expires_at
          LIMIT 200",
        params![now],
    )
    .await
}

fn open(store: &Store, row: DraftRow) -> Result<Draft, StoreError> {
    let owner = row.subject_id.to_string();
    let plain = store
        .cipher()
        .decrypt(&context(&owner), &row.answers)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(Draft {
        subject: row.subject_id,
        id: row.draft_id,
        item_id: row.item_id,
        item_hash: row.item_hash,
        state: DraftState::parse(&row.state),
        version: row.version,
        answers: serde_json::from_slice(&plain)?,
        created_at: row.created_at,
        changed_at: row.changed_at,
        expires_at: row.expires_at,
    })
}

/// When a draft that is changed now is forgotten.
pub(crate) fn expiry(now: Timestamp) -> Timestamp {
    now.plus(jiff::SignedDuration::from_hours(24 * KEPT_DAYS))
}

impl DraftState {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Submitted => "submitted",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "waiting" => Self::Waiting,
            "submitted" => Self::Submitted,
            _ => Self::Open,
        }
    }
}

fn context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "services_draft", column: "answers", subject: owner }
}
