//! Issuing: from fields to a signed licence in the wallet.

use jiff::ToSpan;
use kernel::actor::Actor;
use kernel::entropy::Entropy;
use kernel::ids::LicenceId;
use kernel::licence_id::LicenceIdentifier;
use kernel::time::{Date, Timestamp};
use packs::Versioned;
use packs::model::{Disclosure, LicenceType};
use serde_json::{Map, Value as Json, json};
use store::{AuditEntry, Purpose, Reads, Tx};

use super::LicenceError;
use crate::document::{self, Claims, Format, SignError, SignedDocument, signing_time};
use crate::events;
use crate::model::licence::{Licence, NewLicence, Registry};
use crate::model::record::{
    FieldValue, IssuerRef, LICENCE_FORMAT, LicenceRecord, SortedFields, TypeRef, sort_fields,
};
use crate::model::state::{LicenceEvent, LicenceState, Recorded};
use crate::status;

/// Letters and digits of serial numbers: none that is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Random characters after the date in a serial number: 50 bits, so that no counter is needed.
const SERIAL_RANDOM: usize = 10;

/// Issues a licence: its identifier, its record, both signatures, its place in the status lists.
pub async fn issue(
    tx: &Tx,
    registry: &Registry<'_>,
    actor: &Actor,
    new: NewLicence,
) -> Result<Licence, LicenceError> {
    write(tx, registry, actor, new, Origin::Here).await
}

/// Takes in a licence that was issued elsewhere, as the register of its authority says. The node signs that it
/// holds it so; `new.issuer` is the organisation here that looked it up.
pub async fn take_in(
    tx: &Tx,
    registry: &Registry<'_>,
    actor: &Actor,
    new: NewLicence,
) -> Result<Licence, LicenceError> {
    write(tx, registry, actor, new, Origin::Elsewhere).await
}

/// Where a licence comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Here,
    Elsewhere,
}

async fn write(
    tx: &Tx,
    registry: &Registry<'_>,
    actor: &Actor,
    new: NewLicence,
    origin: Origin,
) -> Result<Licence, LicenceError> {
    let kind = registry
        .pack
        .licence_type(&new.type_id)
        .filter(|kind| kind.issued_here == (origin == Origin::Here))
        .ok_or_else(|| LicenceError::UnknownType(new.type_id.clone()))?;
    let env = tx.store().env().clone();
    let now = env.now();
    let id = LicenceId::generate(&*env.clock, &*env.entropy);
    let fields = sort_fields(kind, &new.fields, &*env.entropy)?;
    let valid_to = last_day(kind, &fields, new.valid_from, new.valid_to)?;
    let issuer = issuer(registry, &new)?;
    let serial =
        format!("{}{}", now.china_date().strftime("%Y%m%d"), random_word(&*env.entropy, SERIAL_RANDOM));
    let identifier = LicenceIdentifier::build(&kind.type_code, &issuer.uscc, &serial, 1)?;
    let place = status::take_place(tx, id, 1).await?;
    let record = LicenceRecord {
        format: LICENCE_FORMAT.to_owned(),
        identifier,
        kind: type_ref(kind),
        issuer,
        fields: fields.open.clone(),
        withheld: fields.withheld.clone(),
        issued_at: signing_time(now),
        valid_from: new.valid_from,
        valid_to,
        status: place,
    };
    let document = sign_record(tx, registry, kind, &record, &fields)?;
    let event = LicenceEvent::Issued { case_no: new.case.as_ref().map(|(_, number)| number.clone()) };
    let state = LicenceState::first(&event)?;
    let licence = Licence {
        id,
        holder: new.holder,
        type_id: new.type_id,
        org: new.issuer,
        case: new.case,
        state,
        record,
        document,
        own: fields.own,
        issued_at: now,
        changed_at: now,
    };
    crate::store::insert(tx, &licence).await?;
    let recorded = Recorded { seq: state.seq, at: now, by: by(actor), event };
    crate::store::append(tx, licence.holder, id, &recorded).await?;
    events::emit(tx, &licence, &recorded.event)?;
    let mut entry = AuditEntry::new(actor, "licences.issue", Purpose::CaseHandling)
        .about(licence.holder)
        .object(object(&licence));
    if let Some((case, number)) = &licence.case {
        entry = entry.in_case(*case, number);
    }
    tx.audit(entry);
    Ok(licence)
}

/// Signs a record as its type wants it disclosed.
pub(super) fn sign_record(
    tx: &Tx,
    registry: &Registry<'_>,
    kind: &Versioned<LicenceType>,
    record: &LicenceRecord,
    fields: &SortedFields,
) -> Result<SignedDocument, LicenceError> {
    let store = tx.store();
    let json = record.to_json().map_err(SignError::from)?;
    let claims = claims_of(registry.base_url, record, &json, fields);
    let mut withholdable: Vec<String> = kind
        .fields
        .iter()
        .filter(|field| field.disclosure == Disclosure::Selective && record.fields.contains_key(&field.id))
        .map(|field| format!("/fields/{}", field.id))
        .collect();
    withholdable.extend(fields.own.keys().map(|id| format!("/own/{id}")));
    let withholdable: Vec<&str> = withholdable.iter().map(String::as_str).collect();
    let claims = Claims {
        issued_at: record.issued_at,
        expires_at: record.valid_to.and_then(end_of),
        vct: &format!("urn:yiwang:licence:{}", record.kind.id),
        claims: &claims,
        withholdable: &withholdable,
    };
    let mut document = document::sign(&store.keys(), Format::Licence, json, &claims, &*store.env().entropy)?;
    document.definition =
        Some(serde_json::from_str(&kind.version().canonical_json).map_err(SignError::from)?);
    Ok(document)
}

/// The claims of the SD-JWT: the members of the record, the place in the status list in its standard shape,
/// and the holder's own fields.
fn claims_of(
    base_url: &str,
    record: &LicenceRecord,
    json: &Json,
    fields: &SortedFields,
) -> Map<String, Json> {
    let mut claims = json.as_object().cloned().unwrap_or_default();
    claims.insert("status".to_owned(), status::claim(base_url, record.status));
    claims.insert("nbf".to_owned(), seconds(Timestamp::start_of_china_day(record.valid_from)).into());
    if !fields.own.is_empty() {
        let own: Map<String, Json> =
            fields.own.iter().map(|(id, own)| (id.clone(), own.value.to_json())).collect();
        claims.insert("own".to_owned(), json!(own));
    }
    claims
}

/// The first instant after a last day.
pub(crate) fn end_of(last: Date) -> Option<Timestamp> {
    last.tomorrow().ok().map(Timestamp::start_of_china_day)
}

fn seconds(time: Timestamp) -> i64 {
    time.micros().div_euclid(1_000_000)
}

/// The last day: what was asked for, what the type's field says, or the type's number of days.
pub(super) fn last_day(
    kind: &LicenceType,
    fields: &SortedFields,
    from: Date,
    asked: Option<Date>,
) -> Result<Option<Date>, LicenceError> {
    let of_field = || {
        let id = kind.validity.until_field.as_ref()?;
        match fields.open.get(id)? {
            FieldValue::Text(text) => text.parse().ok(),
            _ => None,
        }
    };
    let of_days = || {
        let days = kind.validity.days?;
        // The first day counts: one day means that day alone.
        from.checked_add(i64::from(days.saturating_sub(1)).days()).ok()
    };
    let last = asked.or_else(of_field).or_else(of_days);
    if last.is_some_and(|last| last < from) { Err(LicenceError::Term) } else { Ok(last) }
}

fn issuer(registry: &Registry<'_>, new: &NewLicence) -> Result<IssuerRef, LicenceError> {
    let org = registry
        .pack
        .org(new.issuer.as_str())
        .ok_or_else(|| LicenceError::UnknownIssuer(new.issuer.to_string()))?;
    Ok(IssuerRef { code: new.issuer.clone(), name: org.name.clone(), uscc: org.uscc.clone() })
}

pub(super) fn type_ref(kind: &Versioned<LicenceType>) -> TypeRef {
    TypeRef { id: kind.id.clone(), name: kind.name.clone(), hash: kind.version().hash.clone() }
}

/// Random letters and digits.
pub(crate) fn random_word(entropy: &dyn Entropy, length: usize) -> String {
    (0..length)
        .map(|_| {
            let place = usize::try_from(entropy.below(32)).unwrap_or(0);
            char::from(ALPHABET.get(place).copied().unwrap_or(b'0'))
        })
        .collect()
}

/// Who acted, without a name: the posts of an officer, else the kind of actor.
pub(crate) fn by(actor: &Actor) -> String {
    let posts: Vec<&str> = actor.posts().iter().map(|held| held.post.as_str()).collect();
    if posts.is_empty() { actor.kind().to_owned() } else { posts.join(",") }
}

/// What an audit entry says was touched.
pub(crate) fn object(licence: &Licence) -> String {
    format!("licences.licence:{}:{}", licence.type_id, licence.id)
}
