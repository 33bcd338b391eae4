//! Annotated copies (加注件): a copy for one recipient, one purpose and a term, which says so on every page.

use jiff::ToSpan;
use kernel::actor::Actor;
use kernel::ids::{LicenceId, SubjectId};
use kernel::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use store::{AuditEntry, Purpose, Reads, StoreError, Tx, params};

use super::LicenceError;
use super::issue::{object, random_word};
use crate::model::licence::{Licence, Standing};
use crate::store as sql;

/// The most characters of the purpose.
pub const MAX_PURPOSE: usize = 200;
/// The most characters of the recipient.
pub const MAX_RECIPIENT: usize = 60;
/// The longest term in days.
pub const MAX_DAYS: i64 = 365;

/// A copy to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCopy {
    /// What it may be used for.
    pub purpose: String,
    /// Who gets it.
    pub recipient: String,
    /// The last day on which it may be used.
    pub valid_to: Date,
}

/// What a copy says about itself; it is signed with the PDF.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnotatedCopy {
    /// Its number.
    pub copy_no: String,
    /// What it may be used for.
    pub purpose: String,
    /// Who got it.
    pub recipient: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The last day on which it may be used.
    pub valid_to: Date,
}

/// Makes a copy; only of a licence that holds today.
pub async fn annotated_copy(
    tx: &Tx,
    actor: &Actor,
    licence: &Licence,
    new: NewCopy,
) -> Result<AnnotatedCopy, LicenceError> {
    let env = tx.store().env().clone();
    let now = env.now();
    let today = now.china_date();
    if licence.standing(today) != Standing::Valid {
        return Err(LicenceError::NotInForce);
    }
    let latest = today.saturating_add(MAX_DAYS.days());
    if !(today..=latest).contains(&new.valid_to) {
        return Err(LicenceError::Copy("valid_to"));
    }
    let copy = AnnotatedCopy {
        copy_no: random_word(&*env.entropy, 10),
        purpose: text(&new.purpose, MAX_PURPOSE).ok_or(LicenceError::Copy("purpose"))?,
        recipient: text(&new.recipient, MAX_RECIPIENT).ok_or(LicenceError::Copy("recipient"))?,
        made_at: now,
        valid_to: new.valid_to,
    };
    let sealed = sql::encrypt(tx, "licences_copy", licence.holder, &copy)?;
    tx.execute(
        "INSERT INTO licences_copy (subject_id, licence_id, copy_no, made_at, valid_to, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![licence.holder, licence.id, &copy.copy_no, now, copy.valid_to, sealed],
    )
    .await?;
    tx.audit(
        AuditEntry::new(actor, "licences.copy", Purpose::OwnUse)
            .about(licence.holder)
            .object(object(licence)),
    );
    Ok(copy)
}

fn text(text: &str, most: usize) -> Option<String> {
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).collect();
    (!text.is_empty() && text.chars().count() <= most).then_some(text)
}

store::row! {
    struct CopyRow { body: Vec<u8> }
}

/// The copies of a licence, newest first.
pub async fn copies_of(
    db: &impl Reads,
    holder: SubjectId,
    id: LicenceId,
) -> Result<Vec<AnnotatedCopy>, StoreError> {
    let rows: Vec<CopyRow> = db
        .query(
            "SELECT body
               FROM licences_copy
              WHERE subject_id = $1 AND licence_id = $2
              ORDER BY made_at DESC",
            params![holder, id],
        )
        .await?;
    let subject = holder.to_string();
    rows.into_iter().map(|row| sql::decrypt(db, "licences_copy", &subject, &row.body)).collect()
}
