//! What becomes of a licence after its issue: amended, suspended, restored, revoked, expired.

use kernel::actor::Actor;
use kernel::time::Date;
use serde_json::{Map, Value as Json};
use store::{AuditEntry, Purpose, Reads, Store, Tx};

use super::LicenceError;
use super::issue::{by, last_day, object, sign_record, type_ref};
use crate::document::signing_time;
use crate::events;
use crate::model::licence::{Licence, Registry};
use crate::model::record::{IssuerRef, LicenceRecord, sort_fields};
use crate::model::state::{Grounds, LicenceEvent, Recorded};
use crate::status::{self, Entry};
use crate::store as sql;

/// The most characters of a reason or a legal basis.
const MAX_GROUNDS: usize = 500;

/// Suspends a licence: it does not hold until it is restored.
pub async fn suspend(
    tx: &Tx,
    actor: &Actor,
    licence: Licence,
    grounds: Grounds,
) -> Result<Licence, LicenceError> {
    let grounds = checked(grounds)?;
    change(tx, actor, licence, LicenceEvent::Suspended { grounds }).await
}

/// Restores a suspended licence.
pub async fn restore(
    tx: &Tx,
    actor: &Actor,
    licence: Licence,
    grounds: Grounds,
) -> Result<Licence, LicenceError> {
    let grounds = checked(grounds)?;
    change(tx, actor, licence, LicenceEvent::Restored { grounds }).await
}

/// Revokes a licence for good.
pub async fn revoke(
    tx: &Tx,
    actor: &Actor,
    licence: Licence,
    grounds: Grounds,
) -> Result<Licence, LicenceError> {
    let grounds = checked(grounds)?;
    change(tx, actor, licence, LicenceEvent::Revoked { grounds }).await
}

/// Issues the next version of a licence with other fields; the version before holds no more.
pub async fn amend(
    tx: &Tx,
    registry: &Registry<'_>,
    actor: &Actor,
    licence: Licence,
    fields: &Map<String, Json>,
    grounds: Grounds,
) -> Result<Licence, LicenceError> {
    let grounds = checked(grounds)?;
    let kind = registry
        .pack
        .licence_type(&licence.type_id)
        .ok_or_else(|| LicenceError::UnknownType(licence.type_id.clone()))?;
    let org = registry
        .pack
        .org(licence.org.as_str())
        .ok_or_else(|| LicenceError::UnknownIssuer(licence.org.to_string()))?;
    let event = LicenceEvent::Amended { version: licence.state.version + 1, grounds };
    let state = licence.state.after(&event)?;
    let env = tx.store().env().clone();
    let now = env.now();
    let sorted = sort_fields(kind, fields, &*env.entropy)?;
    let identifier = licence
        .identifier()
        .next_version()
        .ok_or(LicenceError::Identifier(kernel::licence_id::LicenceIdError::Version("1000".to_owned())))?;
    let place = status::take_place(tx, licence.id, state.version).await?;
    let record = LicenceRecord {
        format: licence.record.format.clone(),
        identifier,
        kind: type_ref(kind),
        issuer: IssuerRef { code: licence.org.clone(), name: org.name.clone(), uscc: org.uscc.clone() },
        fields: sorted.open.clone(),
        withheld: sorted.withheld.clone(),
        issued_at: signing_time(now),
        valid_from: licence.record.valid_from,
        valid_to: last_day(kind, &sorted, licence.record.valid_from, None)?,
        status: place,
    };
    let document = sign_record(tx, registry, kind, &record, &sorted)?;
    // Whoever shows the paper of the version before is told that it holds no more.
    sql::set_slot(tx, licence.record.status, Entry::Revoked.bits()).await?;
    let amended = Licence { record, document, own: sorted.own, ..licence };
    let licence = change(tx, actor, amended, event).await?;
    sql::write_terms(tx, &licence).await?;
    Ok(licence)
}

/// Writes one event and everything that follows from it.
async fn change(
    tx: &Tx,
    actor: &Actor,
    licence: Licence,
    event: LicenceEvent,
) -> Result<Licence, LicenceError> {
    let now = tx.store().env().now();
    let state = licence.state.after(&event)?;
    let licence = Licence { state, changed_at: now, ..licence };
    if !sql::update(tx, &licence).await? {
        return Err(LicenceError::Changed);
    }
    let (entry, action) = match &event {
        LicenceEvent::Suspended { .. } => (Some(Entry::Suspended), "licences.suspend"),
        LicenceEvent::Restored { .. } => (Some(Entry::Valid), "licences.restore"),
        LicenceEvent::Revoked { .. } => (Some(Entry::Revoked), "licences.revoke"),
        LicenceEvent::Expired { .. } => (None, "licences.expire"),
        LicenceEvent::Amended { .. } => (None, "licences.amend"),
        LicenceEvent::Issued { .. } => (None, "licences.issue"),
    };
    if let Some(entry) = entry {
        sql::set_slot(tx, licence.record.status, entry.bits()).await?;
    }
    events::emit(tx, &licence, &event)?;
    let recorded = Recorded { seq: state.seq, at: now, by: by(actor), event };
    sql::append(tx, licence.holder, licence.id, &recorded).await?;
    tx.audit(
        AuditEntry::new(actor, action, Purpose::CaseHandling).about(licence.holder).object(object(&licence)),
    );
    Ok(licence)
}

/// Marks every licence whose last day lies before today as expired, and says how many there were. Misses
/// nothing after days of standstill and does nothing the second time.
pub async fn expire_due(store: &Store, today: Date) -> Result<usize, LicenceError> {
    let mut expired = 0;
    loop {
        let due = sql::past_their_term(&store.read(), today, BATCH).await?;
        if due.is_empty() {
            return Ok(expired);
        }
        let tx = store.begin().await?;
        for (holder, id) in due {
            let Some(licence) = sql::find(&tx, holder, id).await? else { continue };
            let Some(on) = licence.record.valid_to else { continue };
            if licence.state.after(&LicenceEvent::Expired { on }).is_ok() {
                change(&tx, &Actor::Node, licence, LicenceEvent::Expired { on }).await?;
                expired += 1;
            }
        }
        tx.commit().await?;
    }
}

/// Licences that one write of the expiry job takes.
const BATCH: u32 = 200;

fn checked(grounds: Grounds) -> Result<Grounds, LicenceError> {
    let sound = |text: &str| {
        let text = text.trim();
        (!text.is_empty() && text.chars().count() <= MAX_GROUNDS).then(|| text.to_owned())
    };
    Ok(Grounds {
        reason: sound(&grounds.reason).ok_or(LicenceError::Grounds("reason"))?,
        legal_basis: sound(&grounds.legal_basis).ok_or(LicenceError::Grounds("legal_basis"))?,
    })
}
