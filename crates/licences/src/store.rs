//! The SQL of licences. Rows are read and written whole; what is personal is encrypted in `body`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::field::FieldContext;
use kernel::ids::{CaseId, LicenceId, OrgCode, SubjectId};
use kernel::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::{Reads, StoreError, Tx, params};

use crate::document::{Format, SignedDocument};
use crate::model::licence::Licence;
use crate::model::record::{FieldValue, LicenceRecord, OwnField, StatusRef};
use crate::model::state::{LicenceEvent, LicenceState, Recorded, Status};

store::row! {
    struct LicenceRow {
        subject_id: SubjectId,
        licence_id: LicenceId,
        type_id: String,
        org: OrgCode,
        status: String,
        version: u16,
        seq: u32,
        case_id: Option<CaseId>,
        case_no: Option<String>,
        body: Vec<u8>,
        issued_at: Timestamp,
        changed_at: Timestamp,
    }
}

/// What is encrypted of a licence.
#[derive(Serialize, Deserialize)]
struct Body {
    record: LicenceRecord,
    gm: String,
    intl: String,
    definition: Option<Json>,
    own: BTreeMap<String, OwnField>,
}

const COLUMNS: &str = "subject_id, licence_id, type_id, org, status, version, seq, case_id, case_no, body, issued_at, changed_at";

/// The licence of a holder.
pub async fn find(db: &impl Reads, holder: SubjectId, id: LicenceId) -> Result<Option<Licence>, StoreError> {
    let row: Option<LicenceRow> = db
        .optional(
            &format!("SELECT {COLUMNS} FROM licences_licence WHERE subject_id = $1 AND licence_id = $2"),
            params![holder, id],
        )
        .await?;
    row.map(|row| opened(db, row)).transpose()
}

/// The licence of this id, whoever holds it: for officers, whose post is checked by the caller.
pub async fn find_by_id(db: &impl Reads, id: LicenceId) -> Result<Option<Licence>, StoreError> {
    let row: Option<LicenceRow> = db
        .optional(&format!("SELECT {COLUMNS} FROM licences_licence WHERE licence_id = $1"), params![id])
        .await?;
    row.map(|row| opened(db, row)).transpose()
}

/// The licence with this identifier in its present version.
pub async fn find_by_identifier(db: &impl Reads, identifier: &str) -> Result<Option<Licence>, StoreError> {
    let row: Option<LicenceRow> = db
        .optional(
            &format!("SELECT {COLUMNS} FROM licences_licence WHERE identifier = $1"),
            params![identifier],
        )
        .await?;
    row.map(|row| opened(db, row)).transpose()
}

/// Licences that are found by a number or a name that they always show, newest first.
pub async fn find_by_term(db: &impl Reads, term: &str, limit: u32) -> Result<Vec<Licence>, StoreError> {
    let mut found = Vec::new();
    for key in db.store().cipher().blind_indexes(TERM, &folded(term)) {
        let rows: Vec<LicenceRow> = db
            .query(
                "SELECT l.subject_id, l.licence_id, l.type_id, l.org, l.status, l.version, l.seq, l.case_id,
                        l.case_no, l.body, l.issued_at, l.changed_at
                   FROM licences_term t
                   JOIN licences_licence l ON l.subject_id = t.subject_id AND l.licence_id = t.licence_id
                  WHERE t.term = $1
                  ORDER BY l.licence_id DESC
                  LIMIT $2",
                params![key, limit],
            )
            .await?;
        for row in rows {
            found.push(opened(db, row)?);
        }
    }
    Ok(found)
}

/// Every licence of a holder, newest first.
pub async fn wallet_of(db: &impl Reads, holder: SubjectId) -> Result<Vec<Licence>, StoreError> {
    let rows: Vec<LicenceRow> = db
        .query(
            &format!(
                "SELECT {COLUMNS}
                   FROM licences_licence
                  WHERE subject_id = $1
                  ORDER BY licence_id DESC"
            ),
            params![holder],
        )
        .await?;
    rows.into_iter().map(|row| opened(db, row)).collect()
}

/// Of each of these types, the newest licence that its holder may rely on today.
pub async fn find_valid(
    db: &impl Reads,
    holder: SubjectId,
    types: &[&str],
) -> Result<Vec<Licence>, StoreError> {
    let today = db.store().env().now().china_date();
    let rows: Vec<LicenceRow> = db
        .query(
            &format!(
                "SELECT {COLUMNS}
                   FROM licences_licence
                  WHERE subject_id = $1 AND status = 'valid'
                  ORDER BY licence_id DESC"
            ),
            params![holder],
        )
        .await?;
    let mut found: Vec<Licence> = Vec::new();
    for row in rows {
        let wanted = types.contains(&row.type_id.as_str());
        if !wanted || found.iter().any(|newer| newer.type_id == row.type_id) {
            continue;
        }
        let licence = opened(db, row)?;
        if licence.standing(today) == crate::model::licence::Standing::Valid {
            found.push(licence);
        }
    }
    Ok(found)
}

store::row! {
    struct KeyRow { subject_id: SubjectId, licence_id: LicenceId }
}

/// Licences whose last day lies before `today` and that do not say so yet.
pub(crate) async fn past_their_term(
    db: &impl Reads,
    today: Date,
    limit: u32,
) -> Result<Vec<(SubjectId, LicenceId)>, StoreError> {
    let rows: Vec<KeyRow> = db
        .query(
            "SELECT subject_id, licence_id
               FROM licences_licence
              WHERE valid_to IS NOT NULL AND valid_to < $1 AND status IN ('valid', 'suspended')
              LIMIT $2",
            params![today, limit],
        )
        .await?;
    Ok(rows.into_iter().map(|row| (row.subject_id, row.licence_id)).collect())
}

fn opened(db: &impl Reads, row: LicenceRow) -> Result<Licence, StoreError> {
    let subject = row.subject_id.to_string();
    let body: Body = decrypt(db, "licences_licence", &subject, &row.body)?;
    let status = Status::parse(&row.status).ok_or_else(|| bad("status", "not a status"))?;
    let record = body.record;
    let json = serde_json::to_value(&record)?;
    let gm = STANDARD.decode(&body.gm).map_err(|_| bad("body", "no signature"))?;
    Ok(Licence {
        id: row.licence_id,
        holder: row.subject_id,
        type_id: row.type_id,
        org: row.org,
        case: row.case_id.zip(row.case_no),
        state: LicenceState { status, version: row.version, seq: row.seq },
        document: SignedDocument {
            format: Format::Licence,
            record: json,
            gm,
            intl: body.intl,
            definition: body.definition,
        },
        record,
        own: body.own,
        issued_at: row.issued_at,
        changed_at: row.changed_at,
    })
}

/// Writes a licence for the first time, with what it is found by.
pub(crate) async fn insert(tx: &Tx, licence: &Licence) -> Result<(), StoreError> {
    let body = sealed(tx, licence)?;
    tx.execute(
        "INSERT INTO licences_licence
                (subject_id, licence_id, type_id, org, identifier, status, version, seq, status_list,
                 status_index, valid_to, case_id, case_no, body, issued_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params![
            licence.holder,
            licence.id,
            &licence.type_id,
            &licence.org,
            licence.identifier().to_string(),
            licence.state.status.as_str(),
            licence.state.version,
            licence.state.seq,
            licence.record.status.list,
            licence.record.status.index,
            licence.record.valid_to,
            licence.case.as_ref().map(|(id, _)| *id),
            licence.case.as_ref().map(|(_, number)| number.clone()),
            body,
            licence.issued_at,
            licence.changed_at
        ],
    )
    .await?;
    write_terms(tx, licence).await
}

/// Writes what an event changed; nothing if another event came first.
pub(crate) async fn update(tx: &Tx, licence: &Licence) -> Result<bool, StoreError> {
    let body = sealed(tx, licence)?;
    let touched = tx
        .execute(
            "UPDATE licences_licence
                SET identifier = $3, status = $4, version = $5, seq = $6, status_list = $7, status_index = $8,
                    valid_to = $9, body = $10, changed_at = $11
              WHERE subject_id = $1 AND licence_id = $2 AND seq = $12",
            params![
                licence.holder,
                licence.id,
                licence.identifier().to_string(),
                licence.state.status.as_str(),
                licence.state.version,
                licence.state.seq,
                licence.record.status.list,
                licence.record.status.index,
                licence.record.valid_to,
                body,
                licence.changed_at,
                licence.state.seq.saturating_sub(1)
            ],
        )
        .await?;
    Ok(touched == 1)
}

/// The column of the blind indexes.
const TERM: &str = "licences_term.term";

/// Writes what a licence is found by: its identifier, its serial number, every text that it always shows.
pub(crate) async fn write_terms(tx: &Tx, licence: &Licence) -> Result<(), StoreError> {
    let identifier = licence.identifier();
    let mut terms = vec![identifier.to_string(), identifier.serial().to_owned()];
    terms.extend(licence.record.fields.values().filter_map(|value| match value {
        FieldValue::Text(text) if text.chars().count() <= 100 => Some(text.clone()),
        _ => None,
    }));
    for term in terms {
        let key = tx.store().cipher().blind_index(TERM, &folded(&term));
        tx.execute(
            "INSERT INTO licences_term (subject_id, licence_id, term)
             VALUES ($1, $2, $3)
             ON CONFLICT (subject_id, licence_id, term) DO NOTHING",
            params![licence.holder, licence.id, key],
        )
        .await?;
    }
    Ok(())
}

/// Case and spaces do not matter to somebody who types a number.
fn folded(term: &str) -> String {
    term.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_uppercase).collect()
}

fn sealed(tx: &Tx, licence: &Licence) -> Result<Vec<u8>, StoreError> {
    let body = Body {
        record: licence.record.clone(),
        gm: STANDARD.encode(&licence.document.gm),
        intl: licence.document.intl.clone(),
        definition: licence.document.definition.clone(),
        own: licence.own.clone(),
    };
    encrypt(tx, "licences_licence", licence.holder, &body)
}

store::row! {
    struct EventRow { seq: u32, at: Timestamp, body: Vec<u8> }
}

#[derive(Serialize, Deserialize)]
struct EventBody {
    by: String,
    event: LicenceEvent,
}

/// Writes one event of a history.
pub(crate) async fn append(
    tx: &Tx,
    holder: SubjectId,
    id: LicenceId,
    recorded: &Recorded,
) -> Result<(), StoreError> {
    let body = EventBody { by: recorded.by.clone(), event: recorded.event.clone() };
    let sealed = encrypt(tx, "licences_event", holder, &body)?;
    tx.execute(
        "INSERT INTO licences_event (subject_id, licence_id, seq, at, kind, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![holder, id, recorded.seq, recorded.at, recorded.event.kind(), sealed],
    )
    .await?;
    Ok(())
}

/// The history of a licence, oldest first.
pub async fn history(db: &impl Reads, holder: SubjectId, id: LicenceId) -> Result<Vec<Recorded>, StoreError> {
    let rows: Vec<EventRow> = db
        .query(
            "SELECT seq, at, body
               FROM licences_event
              WHERE subject_id = $1 AND licence_id = $2
              ORDER BY seq",
            params![holder, id],
        )
        .await?;
    let subject = holder.to_string();
    rows.into_iter()
        .map(|row| {
            let body: EventBody = decrypt(db, "licences_event", &subject, &row.body)?;
            Ok(Recorded { seq: row.seq, at: row.at, by: body.by, event: body.event })
        })
        .collect()
}

/// Takes a place in the status lists that nobody has; false if somebody has it.
pub(crate) async fn take_slot(
    tx: &Tx,
    place: StatusRef,
    id: LicenceId,
    version: u16,
) -> Result<bool, StoreError> {
    let touched = tx
        .execute(
            "INSERT INTO licences_status_slot (list, slot, licence_id, version, status, changed_at)
             VALUES ($1, $2, $3, $4, 0, $5)
             ON CONFLICT (list, slot) DO NOTHING",
            params![place.list, place.index, id, version, tx.store().env().now()],
        )
        .await?;
    Ok(touched == 1)
}

/// Says in the status lists what became of a licence: 0 valid, 1 revoked, 2 suspended.
pub(crate) async fn set_slot(tx: &Tx, place: StatusRef, status: u8) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE licences_status_slot SET status = $3, changed_at = $4 WHERE list = $1 AND slot = $2",
        params![place.list, place.index, status, tx.store().env().now()],
    )
    .await?;
    Ok(())
}

/// Encrypts a body for a table.
pub(crate) fn encrypt<T: Serialize>(
    db: &impl Reads,
    table: &str,
    subject: SubjectId,
    body: &T,
) -> Result<Vec<u8>, StoreError> {
    let subject = subject.to_string();
    let context = FieldContext { table, column: "body", subject: &subject };
    let plain = serde_json::to_vec(body)?;
    let store = db.store();
    Ok(store.cipher().encrypt(&context, &plain, &*store.env().entropy))
}

/// Decrypts a body of a table.
pub(crate) fn decrypt<T: for<'de> Deserialize<'de>>(
    db: &impl Reads,
    table: &str,
    subject: &str,
    sealed: &[u8],
) -> Result<T, StoreError> {
    let context = FieldContext { table, column: "body", subject };
    let plain = db
        .store()
        .cipher()
        .decrypt(&context, sealed)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(serde_json::from_slice(&plain)?)
}

fn bad(column: &str, reason: &str) -> StoreError {
    StoreError::Column { column: column.to_owned(), reason: reason.to_owned() }
}
