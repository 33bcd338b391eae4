//! The SQL of grants.

use kernel::ids::{AccountId, GrantId, SubjectId};
use kernel::time::Timestamp;
use store::{Reads, StoreError, Tx, params};

use crate::GrantError;
use crate::model::grant::{Grant, Recorded};
use crate::model::state::{GrantEvent, Status};
use crate::model::terms::{Holder, Terms};

store::row! {
    struct GrantRow {
        grant_id: GrantId, status: String, terms: String, terms_hash: Vec<u8>, seq: i64, uses: i64,
        row_count: i64, created_at: Timestamp,
    }
}
store::row! {
    struct EventRow {
        seq: i64, at: Timestamp, by_account: String, by_subject: String, by_label: String, body: String,
    }
}

const COLUMNS: &str = "grant_id, status, terms, terms_hash, seq, uses, row_count, created_at";

/// The grant of this id.
pub async fn find(db: &impl Reads, id: GrantId) -> Result<Option<Grant>, GrantError> {
    let sql = format!("SELECT {COLUMNS} FROM grants_grant WHERE grant_id = $1");
    let row: Option<GrantRow> = db.optional(&sql, params![id]).await?;
    row.map(read).transpose()
}

/// Grants that any of the holders holds and that count but for the clock and the counters, newest first.
pub async fn active_of(db: &impl Reads, holders: &[Holder]) -> Result<Vec<Grant>, GrantError> {
    of_holders(db, holders, " AND status = 'active'").await
}

/// Every grant that any of the holders holds or held, newest first.
pub async fn all_of(db: &impl Reads, holders: &[Holder]) -> Result<Vec<Grant>, GrantError> {
    of_holders(db, holders, "").await
}

async fn of_holders(
    db: &impl Reads,
    holders: &[Holder],
    condition: &str,
) -> Result<Vec<Grant>, GrantError> {
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=holders.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT {COLUMNS}
           FROM grants_grant
          WHERE holder IN ({}){condition}
          ORDER BY created_at DESC, grant_id DESC",
        places.join(", ")
    );
    let keys = holders.iter().map(|holder| holder.key().into()).collect();
    let rows: Vec<GrantRow> = db.query(&sql, keys).await?;
    rows.into_iter().map(read).collect()
}

/// The grants of a resource, newest first.
pub async fn of_resource(db: &impl Reads, resource: &str) -> Result<Vec<Grant>, GrantError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM grants_grant WHERE resource_id = $1 ORDER BY created_at DESC, grant_id DESC"
    );
    let rows: Vec<GrantRow> = db.query(&sql, params![resource]).await?;
    rows.into_iter().map(read).collect()
}

/// What happened to a grant, oldest first.
pub async fn history(db: &impl Reads, id: GrantId) -> Result<Vec<Recorded>, GrantError> {
    let rows: Vec<EventRow> = db
        .query(
            "SELECT seq, at, by_account, by_subject, by_label, body
               FROM grants_event
              WHERE grant_id = $1
              ORDER BY seq",
            params![id],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Recorded {
                seq: row.seq,
                at: row.at,
                account: row.by_account.parse::<AccountId>().ok(),
                subject: row.by_subject.parse::<SubjectId>().ok(),
                label: row.by_label,
                event: serde_json::from_str(&row.body).map_err(StoreError::from)?,
            })
        })
        .collect()
}

pub(crate) async fn insert(tx: &Tx, grant: &Grant) -> Result<(), GrantError> {
    let (document, hash) = grant.terms.to_document()?;
    let number = |most: Option<u64>| most.map(|most| i64::try_from(most).unwrap_or(i64::MAX));
    tx.execute(
        "INSERT INTO grants_grant
                (grant_id, resource_id, holder, status, terms, terms_hash, seq, uses, most_uses, row_count,
                 most_rows, valid_from, valid_to, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, 0, $9, $10, $11, $12, $12)",
        params![
            grant.id,
            &grant.terms.resource,
            grant.terms.holder.key(),
            grant.status.as_str(),
            document,
            hash.to_vec(),
            grant.seq,
            number(grant.terms.most_uses),
            number(grant.terms.most_rows),
            grant.terms.valid_from,
            grant.terms.valid_to,
            grant.created_at
        ],
    )
    .await?;
    Ok(())
}

/// Appends an event and brings the state up to date; refused if somebody else acted since `grant` was read.
pub(crate) async fn append(tx: &Tx, grant: &Grant, status: Status, by: &Recorded) -> Result<(), GrantError> {
    if by.seq > 1 {
        let changed = tx
            .execute(
                "UPDATE grants_grant SET status = $3, seq = $4, changed_at = $5 WHERE grant_id = $1 AND seq = $2",
                params![grant.id, grant.seq, status.as_str(), by.seq, by.at],
            )
            .await?;
        if changed != 1 {
            return Err(GrantError::Changed);
        }
    }
    let text = |id: Option<String>| id.unwrap_or_default();
    tx.execute(
        "INSERT INTO grants_event (grant_id, seq, at, by_account, by_subject, by_label, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            grant.id,
            by.seq,
            by.at,
            text(by.account.map(|id| id.to_string())),
            text(by.subject.map(|id| id.to_string())),
            &by.label,
            event_json(&by.event)?
        ],
    )
    .await?;
    Ok(())
}

fn event_json(event: &GrantEvent) -> Result<String, StoreError> {
    Ok(serde_json::to_string(event)?)
}

/// Counts a use and its rows, if the grant still counts at `now` and has so many left.
pub(crate) async fn spend(tx: &Tx, id: GrantId, uses: u64, rows: u64) -> Result<bool, StoreError> {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let changed = tx
        .execute(
            "UPDATE grants_grant
                SET uses = uses + $2, row_count = row_count + $3
              WHERE grant_id = $1
                AND status = 'active' AND valid_from <= $4 AND valid_to > $4
                AND (most_uses IS NULL OR uses + $2 <= most_uses)
                AND (most_rows IS NULL OR row_count + $3 <= most_rows)",
            params![id, whole(uses), whole(rows), tx.store().env().now()],
        )
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn give_back(tx: &Tx, id: GrantId, uses: u64, rows: u64) -> Result<(), StoreError> {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE grants_grant SET uses = uses - $2, row_count = row_count - $3 WHERE grant_id = $1",
        params![id, whole(uses), whole(rows)],
    )
    .await?;
    Ok(())
}

fn read(row: GrantRow) -> Result<Grant, GrantError> {
    let column = |name: &str| StoreError::Column { column: name.to_owned(), reason: "unexpected".to_owned() };
    let terms_hash: [u8; 32] = row.terms_hash.try_into().map_err(|_| column("terms_hash"))?;
    // A document that was changed in the ledger by other means gives no right.
    if crypto::hash::sm3(row.terms.as_bytes()) != terms_hash {
        return Err(column("terms").into());
    }
    Ok(Grant {
        id: row.grant_id,
        terms: Terms::parse(&row.terms)?,
        terms_hash,
        status: Status::parse(&row.status).ok_or_else(|| column("status"))?,
        seq: row.seq,
        uses: u64::try_from(row.uses).unwrap_or(0),
        rows: u64::try_from(row.row_count).unwrap_or(0),
        created_at: row.created_at,
    })
}
