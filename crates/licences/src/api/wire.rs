//! What goes over the wire: separate from the model, so that either may change.

use std::collections::BTreeMap;

use kernel::time::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use web::wire::Words;

use crate::actions::{AnnotatedCopy, PresentedLicence, Use};
use crate::model::licence::Licence as Held;
use crate::model::state::Recorded;
use crate::verify::{Shown, Verdict};

/// A licence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Licence {
    /// Its id on this node.
    pub id: String,
    /// 证照标识 (GB/T 36904) of the present version.
    pub identifier: String,
    /// The id of its type.
    pub type_id: String,
    /// The name of its type.
    pub name: Words,
    /// The name of whoever issued it.
    pub issuer: Words,
    /// `valid`, `not_yet_valid`, `suspended`, `expired` or `revoked`.
    pub status: &'static str,
    /// From 1.
    pub version: u16,
    /// Its first day, `2026-11-24`.
    pub valid_from: String,
    /// Its last day.
    pub valid_to: Option<String>,
    /// The case that it came from.
    pub case_no: Option<String>,
    /// Its fields by id: texts, lists of texts, money in fen. Without those for the holder alone.
    #[schema(value_type = Object)]
    pub fields: BTreeMap<String, Json>,
    /// SM3 of the canonical record.
    pub hash: Option<String>,
    /// What happened to it, oldest first; in lists empty.
    pub history: Vec<LicenceEvent>,
}

impl Licence {
    pub(crate) fn new(licence: &Held, today: Date, history: &[Recorded]) -> Self {
        let record = &licence.record;
        Self {
            id: licence.id.to_string(),
            identifier: licence.identifier().to_string(),
            type_id: licence.type_id.clone(),
            name: (&record.kind.name).into(),
            issuer: (&record.issuer.name).into(),
            status: licence.standing(today).as_str(),
            version: licence.state.version,
            valid_from: record.valid_from.to_string(),
            valid_to: record.valid_to.map(|date| date.to_string()),
            case_no: licence.case.as_ref().map(|(_, number)| number.clone()),
            fields: record.fields.iter().map(|(id, value)| (id.clone(), value.to_json())).collect(),
            hash: record.hash().ok(),
            history: history.iter().map(LicenceEvent::from).collect(),
        }
    }
}

/// Licences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LicenceList {
    /// Newest first.
    pub licences: Vec<Licence>,
}

/// One step in the life of a licence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LicenceEvent {
    /// `issued`, `amended`, `suspended`, `restored`, `revoked` or `expired`.
    pub kind: &'static str,
    /// When, RFC 3339.
    pub at: String,
    /// A post or a kind of account, never a name.
    pub by: String,
    /// Why, where somebody had to say so.
    pub grounds: Option<Grounds>,
}

impl From<&Recorded> for LicenceEvent {
    fn from(recorded: &Recorded) -> Self {
        Self {
            kind: recorded.event.kind(),
            at: recorded.at.to_string(),
            by: recorded.by.clone(),
            grounds: recorded.event.grounds().map(|grounds| Grounds {
                reason: grounds.reason.clone(),
                legal_basis: grounds.legal_basis.clone(),
            }),
        }
    }
}

/// Why something is done to a licence.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grounds {
    /// What happened; at most 500 characters.
    pub reason: String,
    /// The law and the article; at most 500 characters.
    pub legal_basis: String,
}

/// One look at a licence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LicenceUse {
    /// When, RFC 3339.
    pub at: String,
    /// `code`, `document`, `paper` or `copy`.
    pub channel: String,
    /// Who the verifier said they were.
    pub verifier: String,
    /// What the verifier said it was for.
    pub purpose: String,
    /// The kind of account or the posts that looked.
    pub by: String,
    /// The scene of a one-time code.
    pub scene: String,
    /// What was found.
    pub found: String,
}

impl From<Use> for LicenceUse {
    fn from(look: Use) -> Self {
        Self {
            at: look.at.to_string(),
            channel: look.channel,
            verifier: look.verifier.name,
            purpose: look.verifier.purpose,
            by: look.by,
            scene: look.scene,
            found: look.found,
        }
    }
}

/// Looks at a licence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LicenceUseList {
    /// Newest first, at most 200.
    pub uses: Vec<LicenceUse>,
}

/// A wish to present a licence.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPresentation {
    /// A scene of the type; without one, what every presentation shows.
    #[serde(default)]
    pub scene: Option<String>,
}

/// A one-time code.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Presentation {
    /// The code, good once.
    pub code: String,
    /// The address that a QR code leads to.
    pub address: String,
    /// Until when it is good, RFC 3339.
    pub expires_at: String,
    /// The ids of the fields that it shows.
    pub claims: Vec<String>,
}

/// A wish for a credential that shows only some fields.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// The ids of the fields to show beside those that are always shown.
    pub fields: Vec<String>,
}

/// A credential.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Credential {
    /// SD-JWT VC, `application/dc+sd-jwt`.
    pub credential: String,
}

/// A wish for an annotated copy (加注件).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCopy {
    /// What it may be used for; at most 200 characters.
    pub purpose: String,
    /// Who gets it; at most 60 characters.
    pub recipient: String,
    /// The last day on which it may be used, within a year.
    #[schema(value_type = String, format = Date)]
    pub valid_to: Date,
}

/// An annotated copy.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Copy {
    /// Its number.
    pub copy_no: String,
    /// What it may be used for.
    pub purpose: String,
    /// Who got it.
    pub recipient: String,
    /// Its last day.
    pub valid_to: String,
    /// Where its PDF is.
    pub pdf: String,
}

impl Copy {
    pub(crate) fn new(copy: &AnnotatedCopy, licence: &Held) -> Self {
        Self {
            copy_no: copy.copy_no.clone(),
            purpose: copy.purpose.clone(),
            recipient: copy.recipient.clone(),
            valid_to: copy.valid_to.to_string(),
            pdf: format!("/my/licences/{}/copies/{}", licence.id, copy.copy_no),
        }
    }
}

/// Something to be verified: exactly one of the two.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVerification {
    /// A one-time code.
    #[serde(default)]
    pub code: Option<String>,
    /// The text of a QR code (`YW1:…`), an SD-JWT, or the JSON of a file.
    #[serde(default)]
    pub text: Option<String>,
    /// Who verifies, for the holder's log; at most 80 characters are kept.
    #[serde(default)]
    pub verifier: String,
    /// What for, for the holder's log; at most 80 characters are kept.
    #[serde(default)]
    pub purpose: String,
}

/// The result of a verification.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Verification {
    /// `valid`, `revoked`, `suspended`, `expired`, `not_yet_valid`, `forged`, `unknown_key`, `unreadable` or
    /// `status_unknown`.
    pub verdict: String,
    /// Whether one may rely on it.
    pub good: bool,
    /// The name of the type or of the item.
    pub name: Option<Words>,
    /// Who vouches.
    pub issuer: Option<Words>,
    /// The identifier of a licence or the case number of a receipt.
    pub number: Option<String>,
    /// What it says.
    pub claims: Vec<VerifiedClaim>,
    /// When what this rests on was known, RFC 3339.
    pub as_of: Option<String>,
}

/// One thing that a verified document says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VerifiedClaim {
    /// The id of the field.
    pub id: String,
    /// Its label.
    pub label: Words,
    /// Its value.
    pub value: Words,
}

impl From<&Verdict> for Verification {
    fn from(verdict: &Verdict) -> Self {
        let shown: Option<&Shown> = verdict.shown.as_ref();
        Self {
            verdict: verdict.finding.code().to_owned(),
            good: verdict.is_good(),
            name: shown.map(|shown| (&shown.name).into()),
            issuer: shown.map(|shown| (&shown.issuer).into()),
            number: shown.map(|shown| shown.number.clone()),
            claims: shown
                .map(|shown| {
                    shown
                        .claims
                        .iter()
                        .map(|claim| VerifiedClaim {
                            id: claim.id.clone(),
                            label: (&claim.label).into(),
                            value: (&claim.value).into(),
                        })
                        .collect()
                })
                .unwrap_or_default(),
            as_of: verdict.as_of.map(|at| at.to_string()),
        }
    }
}

impl Verification {
    pub(crate) fn of_code(presented: &PresentedLicence, now: kernel::time::Timestamp) -> Self {
        let licence = &presented.licence;
        let kind = crate::pdf::definition(licence).ok();
        let claims = presented.claims.iter().map(|(id, value)| {
            let field = kind.as_ref().and_then(|kind| kind.field(id));
            VerifiedClaim {
                id: id.clone(),
                label: field
                    .map_or_else(|| Words { zh: id.clone(), en: id.clone() }, |field| (&field.label).into()),
                value: (&value.shown(field.map(|field| field.kind))).into(),
            }
        });
        Self {
            verdict: presented.standing.as_str().to_owned(),
            good: presented.standing == crate::Standing::Valid,
            name: Some((&licence.record.kind.name).into()),
            issuer: Some((&licence.record.issuer.name).into()),
            number: Some(licence.identifier().to_string()),
            claims: claims.collect(),
            as_of: Some(now.to_string()),
        }
    }
}
