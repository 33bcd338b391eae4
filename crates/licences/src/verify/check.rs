//! The signatures of a document, and what it says once they are genuine.

use crypto::cose::{self, CoseError};
use crypto::keys::{TrustList, VerifyError};
use crypto::sd_jwt::{self, SdJwtError};
use kernel::time::{Date, Timestamp};
use packs::content_hash;
use packs::model::{LicenceType, Words};
use serde_json::{Map, Value as Json};

use super::{Carrier, Claim, Shown};
use crate::actions::AnnotatedCopy;
use crate::document::{Format, SignedDocument};
use crate::model::canonical;
use crate::model::record::{FieldValue, IssuerRef, LicenceRecord, StatusRef, TypeRef};
use crate::receipt::ReceiptRecord;
use crate::status;

/// Why a document is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Unreadable,
    Forged,
    UnknownKey(String),
}

/// A document whose signatures are genuine.
pub(super) struct Known {
    pub(super) format: Format,
    pub(super) carrier: Carrier,
    pub(super) name: Words,
    pub(super) type_id: String,
    pub(super) issuer: Words,
    pub(super) number: String,
    pub(super) issued_at: Timestamp,
    pub(super) valid_from: Option<Date>,
    pub(super) valid_to: Option<Date>,
    pub(super) place: Option<StatusRef>,
    pub(super) claims: Vec<Claim>,
    pub(super) copy: Option<AnnotatedCopy>,
}

impl Known {
    pub(super) fn into_shown(self) -> Shown {
        Shown {
            format: self.format,
            carrier: self.carrier,
            name: self.name,
            type_id: self.type_id,
            issuer: self.issuer,
            number: self.number,
            issued_at: self.issued_at,
            claims: self.claims,
            copy: self.copy,
            place: self.place,
        }
    }
}

/// Checks a COSE message and reads its record.
pub(super) fn message(bytes: &[u8], trust: &TrustList) -> Result<Known, Refusal> {
    let (format, record) = signed_record(bytes, trust)?;
    known(format, Carrier::Code, &record, None)
}

/// Checks both signatures of a file, that they say the same, and that its labels are the type's.
pub(super) fn document(
    document: &SignedDocument,
    trust: &TrustList,
    now: Timestamp,
) -> Result<Known, Refusal> {
    let (format, record) = signed_record(&document.gm, trust).map_err(|refusal| match refusal {
        // A file that reads as ours but whose signature does not was changed.
        Refusal::Unreadable => Refusal::Forged,
        other => other,
    })?;
    if format != document.format || !same(&record, &document.record) {
        return Err(Refusal::Forged);
    }
    let claims = verified_claims(&document.intl, format, trust, now).map_err(|refusal| match refusal {
        Refusal::Unreadable => Refusal::Forged,
        other => other,
    })?;
    let spoken = match format {
        Format::Licence => record_of_claims(claims),
        Format::Receipt => Some(Json::Object(plain_members(claims))),
    };
    if !spoken.is_some_and(|spoken| same(&spoken, &record)) {
        return Err(Refusal::Forged);
    }
    let kind = match &document.definition {
        None => None,
        Some(definition) => Some(held_definition(definition, &record).ok_or(Refusal::Forged)?),
    };
    known(format, Carrier::File, &record, kind.as_ref())
}

/// Checks a credential or a presentation, which may show less than the whole record.
pub(super) fn credential(text: &str, trust: &TrustList, now: Timestamp) -> Result<Known, Refusal> {
    let claims = verified_claims(text, Format::Licence, trust, now)?;
    let read = |name: &str| claims.get(name).cloned();
    let part = |name: &str| read(name).ok_or(Refusal::Unreadable);
    let text_of = |name: &str| read(name).and_then(|value| value.as_str().map(str::to_owned));
    let kind: TypeRef = serde_json::from_value(part("type")?).map_err(|_| Refusal::Unreadable)?;
    let issuer: IssuerRef = serde_json::from_value(part("issuer")?).map_err(|_| Refusal::Unreadable)?;
    let issued_at = text_of("issued_at").and_then(|text| text.parse().ok()).ok_or(Refusal::Unreadable)?;
    let fields = part("fields")?;
    Ok(Known {
        format: Format::Licence,
        carrier: Carrier::Credential,
        name: kind.name,
        type_id: kind.id,
        issuer: issuer.name,
        number: text_of("identifier").ok_or(Refusal::Unreadable)?,
        issued_at,
        valid_from: text_of("valid_from").and_then(|text| text.parse().ok()),
        valid_to: text_of("valid_to").and_then(|text| text.parse().ok()),
        // Without its place nobody could tell whether it was revoked.
        place: Some(
            read("status").and_then(|claim| status::place_of_claim(&claim)).ok_or(Refusal::Unreadable)?,
        ),
        claims: claims_of(fields.as_object(), None),
        copy: None,
    })
}

fn signed_record(bytes: &[u8], trust: &TrustList) -> Result<(Format, Json), Refusal> {
    let verified = cose::verify1(trust, bytes).map_err(|error| match error {
        CoseError::Signature(error) => of_signature(error),
        _ => Refusal::Unreadable,
    })?;
    let record = canonical::from_cbor(&verified.payload).map_err(|_| Refusal::Forged)?;
    let format = record
        .get("format")
        .and_then(Json::as_str)
        .and_then(Format::parse)
        .filter(|format| format.purpose() == verified.purpose)
        .ok_or(Refusal::Forged)?;
    let signed_at = record.get(match format {
        Format::Licence => "issued_at",
        Format::Receipt => "received_at",
    });
    let signed_at: Timestamp =
        signed_at.and_then(Json::as_str).and_then(|text| text.parse().ok()).ok_or(Refusal::Forged)?;
    trust.in_use_within(&verified.kid, signed_at).map_err(|_| Refusal::Forged)?;
    Ok((format, record))
}

/// The claims of an SD-JWT whose signature is genuine; whether it holds today is judged later.
fn verified_claims(
    text: &str,
    format: Format,
    trust: &TrustList,
    now: Timestamp,
) -> Result<Map<String, Json>, Refusal> {
    let at = |time| sd_jwt::verify(trust, format.purpose(), text, time);
    let verified = match at(now) {
        Err(SdJwtError::Expired { expired_at }) => at(Timestamp::from_micros(expired_at.micros() - 1)),
        Err(SdJwtError::NotYetValid { valid_from }) => at(valid_from),
        other => other,
    };
    verified.map(|verified| verified.claims).map_err(|error| match error {
        SdJwtError::Signature(error) => of_signature(error),
        SdJwtError::UnknownDisclosure
        | SdJwtError::BadDisclosure
        | SdJwtError::TwiceDisclosed
        | SdJwtError::Overwrites { .. }
        | SdJwtError::WrongIssuer
        | SdJwtError::Expired { .. }
        | SdJwtError::NotYetValid { .. } => Refusal::Forged,
        _ => Refusal::Unreadable,
    })
}

fn of_signature(error: VerifyError) -> Refusal {
    match error {
        VerifyError::UnknownKey { kid } => Refusal::UnknownKey(kid),
        _ => Refusal::Forged,
    }
}

/// Claims without those that belong to the token.
fn plain_members(mut claims: Map<String, Json>) -> Map<String, Json> {
    for name in ["iss", "iat", "exp", "nbf", "vct", "own"] {
        claims.shift_remove(name);
    }
    claims
}

/// The record that the claims of a whole credential say.
pub fn record_of_claims(claims: Map<String, Json>) -> Option<Json> {
    let mut members = plain_members(claims);
    let place = status::place_of_claim(members.get("status")?)?;
    members.insert("status".to_owned(), serde_json::to_value(place).ok()?);
    Some(Json::Object(members))
}

fn same(left: &Json, right: &Json) -> bool {
    match (canonical::to_text(left), canonical::to_text(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

/// The definition, if it is the one that the record names.
fn held_definition(definition: &Json, record: &Json) -> Option<LicenceType> {
    let text = canonical::to_text(definition).ok()?;
    let named = record.get("type")?.get("hash")?.as_str()?;
    if content_hash(&text) != named {
        return None;
    }
    serde_json::from_value(definition.clone()).ok()
}

fn known(
    format: Format,
    carrier: Carrier,
    record: &Json,
    kind: Option<&LicenceType>,
) -> Result<Known, Refusal> {
    match format {
        Format::Licence => {
            let fields = record.get("fields").and_then(Json::as_object);
            let claims = claims_of(fields, kind);
            let record: LicenceRecord =
                serde_json::from_value(record.clone()).map_err(|_| Refusal::Unreadable)?;
            Ok(Known {
                format,
                carrier,
                name: record.kind.name,
                type_id: record.kind.id,
                issuer: record.issuer.name,
                number: record.identifier.to_string(),
                issued_at: record.issued_at,
                valid_from: Some(record.valid_from),
                valid_to: record.valid_to,
                place: Some(record.status),
                claims,
                copy: None,
            })
        }
        Format::Receipt => {
            let record = ReceiptRecord::read(record).ok_or(Refusal::Unreadable)?;
            Ok(Known {
                format,
                carrier,
                name: record.item.clone(),
                type_id: String::new(),
                issuer: record.issuer.name.clone(),
                number: record.case_no.clone(),
                issued_at: record.received_at,
                valid_from: None,
                valid_to: None,
                place: None,
                claims: receipt_claims(&record),
                copy: None,
            })
        }
    }
}

fn claims_of(fields: Option<&Map<String, Json>>, kind: Option<&LicenceType>) -> Vec<Claim> {
    let Some(fields) = fields else { return Vec::new() };
    let claim = |id: &String, value: &Json| {
        let value: FieldValue = serde_json::from_value(value.clone()).ok()?;
        let field = kind.and_then(|kind| kind.field(id));
        let label = field.map_or_else(|| Words::new(id.as_str(), id.as_str()), |field| field.label.clone());
        Some(Claim { id: id.clone(), label, value: value.shown(field.map(|field| field.kind)) })
    };
    let mut claims: Vec<Claim> = fields.iter().filter_map(|(id, value)| claim(id, value)).collect();
    if let Some(kind) = kind {
        claims.sort_by_key(|claim| kind.fields.iter().position(|field| field.id == claim.id));
    }
    claims
}

fn receipt_claims(record: &ReceiptRecord) -> Vec<Claim> {
    let date = |date: Date| Words::new(date.to_string(), date.to_string());
    let mut claims = vec![
        ("applicant", ("申请人", "Applicant"), Words::new(&record.applicant, &record.applicant)),
        ("received_at", ("收件时间", "Received"), {
            let at = record.received_at.to_china_string();
            Words::new(at.as_str(), at.as_str())
        }),
    ];
    if let Some(due) = record.statutory_due {
        claims.push(("statutory_due", ("法定办结日", "Statutory due date"), date(due)));
    }
    if let Some(due) = record.promised_due {
        claims.push(("promised_due", ("承诺办结日", "Promised due date"), date(due)));
    }
    claims.push((
        "content_hash",
        ("申请内容摘要", "Hash of what was submitted"),
        Words::new(&record.content_hash, &record.content_hash),
    ));
    claims
        .into_iter()
        .map(|(id, (zh, en), value)| Claim { id: id.to_owned(), label: Words::new(zh, en), value })
        .collect()
}
