//! The SQL of cases: events, cached columns, procedures by hash.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crypto::field::FieldContext;
use kernel::calendar::WorkCalendar;
use kernel::ids::{CaseId, SubjectId};
use kernel::legal_clock::Light;
use kernel::time::Timestamp;
use packs::Versioned;
use packs::model::Procedure;
use serde::{Deserialize, Serialize};
use store::{Reads, Store, StoreError, Tx, Value, params};

use crate::error::ActionError;
use crate::model::{Agenda, Case, CaseError, CaseEvent, CaseEventKind, ClockName, EVENT_VERSION, EventActor};

/// Stands for "no such day", after every day.
pub(crate) const NEVER: &str = "9999-12-31";

/// The key of a case: whose it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CaseKey {
    /// Whose.
    pub subject: SubjectId,
    /// Which.
    pub id: CaseId,
}

/// A case with its events.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The case as it stands.
    pub case: Case,
    /// What made it so.
    pub events: Vec<CaseEvent>,
    /// The chain over them, one link an event.
    pub(crate) links: Vec<Vec<u8>>,
}

impl Loaded {
    /// The key.
    pub fn key(&self) -> CaseKey {
        CaseKey { subject: self.case.subject, id: self.case.id }
    }
}

store::row! {
    struct KeyRow { subject_id: SubjectId, case_id: CaseId }
}

store::row! {
    struct EventRow { seq: u32, at: Timestamp, kind: String, version: i64, data: Vec<u8>, chain: Vec<u8> }
}

store::row! {
    struct ProcedureRow { document: String }
}

store::row! {
    struct HashRow { procedure_hash: String }
}

/// What is encrypted of an event.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    actor: EventActor,
    event: T,
}

// Finding.

/// The key of a case number.
pub async fn key_of(db: &impl Reads, case_no: &str) -> Result<Option<CaseKey>, StoreError> {
    let row: Option<KeyRow> = db
        .optional("SELECT subject_id, case_id FROM cases_case WHERE case_no = $1", params![case_no])
        .await?;
    Ok(row.map(|row| CaseKey { subject: row.subject_id, id: row.case_id }))
}

/// The case of that key with its events, if it exists. The chain over its events is checked.
pub async fn find(db: &impl Reads, key: CaseKey) -> Result<Option<Loaded>, ActionError> {
    let row: Option<HashRow> = db
        .optional(
            "SELECT procedure_hash FROM cases_case WHERE subject_id = $1 AND case_id = $2",
            params![key.subject, key.id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let procedure = procedure(db, &row.procedure_hash).await?;
    let rows: Vec<EventRow> = db
        .query(
            "SELECT seq, at, kind, version, data, chain
               FROM cases_event
              WHERE subject_id = $1 AND case_id = $2
              ORDER BY seq",
            params![key.subject, key.id],
        )
        .await?;
    let mut events = Vec::with_capacity(rows.len());
    let mut links = Vec::with_capacity(rows.len());
    let mut chain = chain_start(key);
    for row in &rows {
        chain = next_link(&chain, row.seq, row.at, &row.kind, &row.data);
        if chain != row.chain {
            return Err(StoreError::Sealed(format!("event {} of a case was changed", row.seq)).into());
        }
        links.push(chain.clone());
        events.push(unseal(db.store(), key, row)?);
    }
    let case = Case::fold(key.subject, key.id, procedure, &events)?;
    Ok(Some(Loaded { case, events, links }))
}

/// The procedure of that hash, from memory where it was read before: a version never changes.
async fn procedure(db: &impl Reads, hash: &str) -> Result<Arc<Procedure>, ActionError> {
    let place = (db.store().data_dir().to_owned(), hash.to_owned());
    if let Some(known) = PROCEDURES.read().unwrap_or_else(PoisonError::into_inner).get(&place) {
        return Ok(known.clone());
    }
    let row: Option<ProcedureRow> =
        db.optional("SELECT document FROM cases_procedure WHERE hash = $1", params![hash]).await?;
    let Some(row) = row else { return Err(ActionError::Content { procedure: hash.to_owned() }) };
    let procedure = Arc::new(serde_json::from_str::<Procedure>(&row.document)?);
    Ok(procedure)
}

/// Procedures that were read from the ledger of a data folder.
static PROCEDURES: LazyLock<RwLock<Kept>> = LazyLock::new(RwLock::default);

/// By data folder and hash.
type Kept = HashMap<(PathBuf, String), Arc<Procedure>>;

/// Keeps procedures for good, so that cases can be folded when the files have long changed. Do this at start,
/// for every procedure of the pack; a case that opens under one that was not kept keeps it itself.
pub async fn keep_procedures(store: &Store, procedures: &[&Versioned<Procedure>]) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    for procedure in procedures {
        keep(&tx, procedure).await?;
    }
    tx.commit().await?;
    let mut known = PROCEDURES.write().unwrap_or_else(PoisonError::into_inner);
    for procedure in procedures {
        let place = (store.data_dir().to_owned(), procedure.hash().to_owned());
        known.insert(place, Arc::new((***procedure).clone()));
    }
    Ok(())
}

async fn keep(tx: &Tx, procedure: &Versioned<Procedure>) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO cases_procedure (hash, id, document, kept_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (hash) DO NOTHING",
        params![procedure.hash(), &procedure.id, &procedure.version().canonical_json, tx.store().env().now()],
    )
    .await?;
    Ok(())
}

fn is_kept(store: &Store, hash: &str) -> bool {
    let place = (store.data_dir().to_owned(), hash.to_owned());
    PROCEDURES.read().unwrap_or_else(PoisonError::into_inner).contains_key(&place)
}

// Writing.

/// Rows of a case that is not in the ledger yet: encrypted and chained before the write begins.
pub(crate) struct NewRows {
    events: Vec<SealedEvent>,
    applicant: Vec<u8>,
}

struct SealedEvent {
    seq: u32,
    at: Timestamp,
    kind: &'static str,
    data: Vec<u8>,
    chain: Vec<u8>,
}

pub(crate) fn seal_new(store: &Store, case: &Case, events: &[CaseEvent]) -> Result<NewRows, ActionError> {
    let key = CaseKey { subject: case.subject, id: case.id };
    let events = seal(store, key, chain_start(key), events)?;
    let owner = key.subject.to_string();
    let cipher = store.cipher();
    let applicant =
        cipher.encrypt(&applicant_context(&owner), case.opened.applicant.as_bytes(), &*store.env().entropy);
    Ok(NewRows { events, applicant })
}

/// Writes a new case: one statement for its row, one for its events, and one for its procedure where that was
/// not kept at start.
pub(crate) async fn insert(
    tx: &Tx,
    procedure: &Versioned<Procedure>,
    case: &Case,
    rows: NewRows,
    calendar: &WorkCalendar,
) -> Result<(), StoreError> {
    if !is_kept(tx.store(), procedure.hash()) {
        keep(tx, procedure).await?;
    }
    let opened = &case.opened;
    let mut values = params![
        case.subject,
        case.id,
        &opened.case_no,
        &opened.item_id,
        &opened.item_name.zh,
        &opened.item_name.en,
        &opened.procedure_hash,
        &opened.org,
        &opened.division,
        opened.parent.as_ref().map(|parent| parent.case_id),
        rows.applicant,
        case.received_at(),
    ];
    values.extend(cached(case, calendar));
    tx.execute(
        "INSERT INTO cases_case
                (subject_id, case_id, case_no, item_id, item_name_zh, item_name_en, procedure_hash, org,
                 division, parent_id, applicant, received_at,
                 stage, outcome, due_role, assignee, due_on, yellow_from, paused, done, statutory_due,
                 promised_due, beyond_year, wake_on, since, closed_at, last_seq)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                 $21, $22, $23, $24, $25, $26, $27)",
        values,
    )
    .await?;
    insert_events(tx, CaseKey { subject: case.subject, id: case.id }, rows.events).await
}

/// Appends events to a case that was loaded in this transaction or before. If somebody else appended since,
/// nothing is written.
pub(crate) async fn append(
    tx: &Tx,
    loaded: &mut Loaded,
    events: Vec<CaseEvent>,
    calendar: &WorkCalendar,
) -> Result<(), ActionError> {
    let key = loaded.key();
    let before = loaded.case.seq();
    for event in &events {
        loaded.case.apply(event)?;
    }
    let last = loaded.links.last().cloned().unwrap_or_else(|| chain_start(key));
    let sealed = seal(tx.store(), key, last, &events)?;
    loaded.links.extend(sealed.iter().map(|event| event.chain.clone()));
    match insert_events(tx, key, sealed).await {
        Err(error) if error.is_taken() => return Err(CaseError::ChangedMeanwhile.into()),
        other => other?,
    }
    let mut values = params![key.subject, key.id, before];
    values.extend(cached(&loaded.case, calendar));
    let touched = tx
        .execute(
            "UPDATE cases_case
                SET stage = $4, outcome = $5, due_role = $6, assignee = $7, due_on = $8, yellow_from = $9,
                    paused = $10, done = $11, statutory_due = $12, promised_due = $13, beyond_year = $14,
                    wake_on = $15, since = $16, closed_at = $17, last_seq = $18
              WHERE subject_id = $1 AND case_id = $2 AND last_seq = $3",
            values,
        )
        .await?;
    if touched != 1 {
        return Err(CaseError::ChangedMeanwhile.into());
    }
    for event in &events {
        count(tx, &loaded.case, event).await?;
    }
    loaded.events.extend(events);
    Ok(())
}

/// Writes the cached columns of a case again, from its events: for when the calendar has grown.
pub(crate) async fn refresh(tx: &Tx, case: &Case, calendar: &WorkCalendar) -> Result<(), StoreError> {
    let mut values = params![case.subject, case.id];
    values.extend(cached(case, calendar));
    tx.execute(
        "UPDATE cases_case
            SET stage = $3, outcome = $4, due_role = $5, assignee = $6, due_on = $7, yellow_from = $8,
                paused = $9, done = $10, statutory_due = $11, promised_due = $12, beyond_year = $13,
                wake_on = $14, since = $15, closed_at = $16, last_seq = $17
          WHERE subject_id = $1 AND case_id = $2",
        values,
    )
    .await?;
    Ok(())
}

/// Computes everything that is cached again, from the events alone: the columns of queues, ratings, cards.
/// Says how many cases there were.
pub async fn rebuild(store: &Store, calendar: &WorkCalendar) -> Result<usize, ActionError> {
    let keys: Vec<KeyRow> = store
        .read()
        .query(
            "SELECT subject_id, case_id FROM cases_event WHERE seq = 1 ORDER BY subject_id, case_id",
            vec![],
        )
        .await?;
    for row in &keys {
        let key = CaseKey { subject: row.subject_id, id: row.case_id };
        let tx = store.begin().await?;
        if let Some(loaded) = find(&tx, key).await? {
            refresh(&tx, &loaded.case, calendar).await?;
            for table in ["cases_rating", "cases_card"] {
                let sql = format!("DELETE FROM {table} WHERE subject_id = $1 AND case_id = $2");
                tx.execute(&sql, params![key.subject, key.id]).await?;
            }
            for event in &loaded.events {
                count(&tx, &loaded.case, event).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(keys.len())
}

/// The cached columns, in the order of the statements above. They depend on the events and the calendar alone.
pub(crate) fn cached(case: &Case, calendar: &WorkCalendar) -> Vec<Value> {
    let Agenda {
        due,
        yellow_from,
        paused,
        done,
        statutory_due,
        promised_due,
        beyond_calendar,
        watches: _,
        wake_on,
    } = case.agenda(calendar);
    let day =
        |date: Option<kernel::time::Date>| date.map_or_else(|| NEVER.to_owned(), |date| date.to_string());
    params![
        case.stage().as_str(),
        case.outcome(),
        case.due_role(),
        case.assignee.map(|assignee| assignee.account),
        day(due),
        day(yellow_from),
        paused,
        done,
        statutory_due,
        promised_due,
        if beyond_calendar { i64::from(calendar.last_year()) } else { 0 },
        day(wake_on),
        case.since,
        case.closed_at(),
        case.seq(),
    ]
}

/// Notes what supervision counts.
async fn count(tx: &Tx, case: &Case, event: &CaseEvent) -> Result<(), StoreError> {
    match &event.kind {
        CaseEventKind::Rated { moment, grade, again, .. } => {
            tx.execute(
                "INSERT INTO cases_rating (subject_id, case_id, moment, again, org, item_id, grade, at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                params![
                    case.subject,
                    case.id,
                    moment.as_str(),
                    *again,
                    &case.opened.org,
                    &case.opened.item_id,
                    grade.number(),
                    event.at
                ],
            )
            .await?;
        }
        CaseEventKind::CardShown { clock, light, due } => {
            let clock = match clock {
                ClockName::Statutory => "statutory",
                ClockName::Promised => "promised",
            };
            tx.execute(
                "INSERT INTO cases_card (subject_id, case_id, clock, due_on, light, org, item_id, at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                params![
                    case.subject,
                    case.id,
                    clock,
                    *due,
                    if *light == Light::Red { "red" } else { "yellow" },
                    &case.opened.org,
                    &case.opened.item_id,
                    event.at
                ],
            )
            .await?;
        }
        _ => {}
    }
    Ok(())
}

async fn insert_events(tx: &Tx, key: CaseKey, events: Vec<SealedEvent>) -> Result<(), StoreError> {
    let rows = events.into_iter().map(|event| {
        params![key.subject, key.id, event.seq, event.at, event.kind, EVENT_VERSION, event.data, event.chain]
    });
    let into = "INSERT INTO cases_event (subject_id, case_id, seq, at, kind, version, data, chain)";
    tx.insert(into, rows.collect()).await
}

// Sealing.

fn seal(
    store: &Store,
    key: CaseKey,
    mut chain: Vec<u8>,
    events: &[CaseEvent],
) -> Result<Vec<SealedEvent>, ActionError> {
    let owner = key.subject.to_string();
    let mut sealed = Vec::with_capacity(events.len());
    for event in events {
        let plain = serde_json::to_vec(&Sealed { actor: event.actor.clone(), event: &event.kind })?;
        let data = store.cipher().encrypt(&event_context(&owner), &plain, &*store.env().entropy);
        let kind = event.kind.name();
        chain = next_link(&chain, event.seq, event.at, kind, &data);
        sealed.push(SealedEvent { seq: event.seq, at: event.at, kind, data, chain: chain.clone() });
    }
    Ok(sealed)
}

fn unseal(store: &Store, key: CaseKey, row: &EventRow) -> Result<CaseEvent, ActionError> {
    if row.version > EVENT_VERSION {
        let reason = format!("event version {} is newer than this program", row.version);
        return Err(StoreError::Sealed(reason).into());
    }
    let owner = key.subject.to_string();
    let plain = store
        .cipher()
        .decrypt(&event_context(&owner), &row.data)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    let Sealed { actor, event } = serde_json::from_slice::<Sealed<CaseEventKind>>(&plain)?;
    Ok(CaseEvent { seq: row.seq, at: row.at, actor, kind: event })
}

/// What the first event is chained to.
fn chain_start(key: CaseKey) -> Vec<u8> {
    crypto::hash::sm3(format!("yiwang case\n{}\n{}\n", key.subject, key.id).as_bytes()).to_vec()
}

/// SM3 over the chain so far and the row, over its encrypted data: the chain proves the order and betrays nothing.
fn next_link(chain: &[u8], seq: u32, at: Timestamp, kind: &str, data: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(chain.len() + kind.len() + data.len() + 24);
    text.extend_from_slice(chain);
    text.extend_from_slice(&seq.to_be_bytes());
    text.extend_from_slice(&at.micros().to_be_bytes());
    text.extend_from_slice(&(kind.len() as u64).to_be_bytes());
    text.extend_from_slice(kind.as_bytes());
    text.extend_from_slice(data);
    crypto::hash::sm3(&text).to_vec()
}

pub(crate) fn applicant_of(store: &Store, subject: SubjectId, sealed: &[u8]) -> Result<String, StoreError> {
    store
        .cipher()
        .decrypt_text(&applicant_context(&subject.to_string()), sealed)
        .map_err(|error| StoreError::Sealed(error.to_string()))
}

fn event_context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "cases_event", column: "data", subject: owner }
}

fn applicant_context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "cases_case", column: "applicant", subject: owner }
}
