//! Verification: is this file genuine, and does it hold today? Pure and offline.
//!
//! What can be checked: the file of a licence or a receipt (JSON), the text of a QR code (`YW1:…`), an SD-JWT,
//! and the PDF. The issuer's trust list says whose signatures count, its status list what was revoked since. A
//! verifier without a status list, or with an old one, is told so and never told "valid".
//!
//! The order of the findings: unreadable, unknown key, forged, revoked, suspended, expired, not yet valid,
//! status unknown, valid. The first that applies is given.

mod check;
mod pdf;
mod text;

use crypto::keys::TrustList;
use crypto::sd_jwt;
use kernel::time::{Date, Timestamp};
use packs::model::{LicenceType, Words};
use web::i18n::key;

use crate::actions::AnnotatedCopy;
use crate::document::{Format, SignError, SignedDocument};
use crate::model::licence::Licence;
use crate::model::record::StatusRef;
use crate::pdf::seal::{self, BrokenSeal};
use crate::status::StatusList;
pub use check::record_of_claims;
use check::{Known, Refusal};

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Genuine, and it holds.
    Valid,
    /// Genuine, but revoked or replaced by a later version.
    Revoked,
    /// Genuine, but suspended for the time being.
    Suspended,
    /// Genuine, but its term is over.
    Expired {
        /// Its last day.
        on: Date,
    },
    /// Genuine, but its term has not begun.
    NotYetValid {
        /// Its first day.
        from: Date,
    },
    /// Not what was signed.
    Forged,
    /// Signed by a key that is not in the trust list.
    UnknownKey {
        /// The name of the key.
        kid: String,
    },
    /// Neither a licence nor a receipt, or too damaged to tell.
    Unreadable,
    /// Genuine, but nobody can say here whether it was revoked since.
    StatusUnknown {
        /// How old the status list is, in hours; absent where there is none.
        age_hours: Option<i64>,
    },
}

impl Finding {
    /// One word for the API, for scripts and for texts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Forged => "forged",
            Self::UnknownKey { .. } => "unknown_key",
            Self::Unreadable => "unreadable",
            Self::StatusUnknown { .. } => "status_unknown",
        }
    }
}

/// The form in which something was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The JSON file.
    File,
    /// The text of a QR code.
    Code,
    /// A credential or a presentation.
    Credential,
    /// The PDF.
    Pdf,
}

impl Carrier {
    /// The key of the text that names whose signatures this form carries: all of them were checked.
    pub fn signatures_key(self) -> &'static str {
        match self {
            Self::File | Self::Pdf => key("licences-signed-both"),
            Self::Code => key("licences-signed-gm"),
            Self::Credential => key("licences-signed-intl"),
        }
    }
}

/// One thing that the document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The id of the field.
    pub id: String,
    /// Its label; the id where no definition came along.
    pub label: Words,
    /// Its value.
    pub value: Words,
}

/// What a genuine document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Licence or receipt.
    pub format: Format,
    /// The form in which it was shown.
    pub carrier: Carrier,
    /// The name of its type, or of the item of a receipt.
    pub name: Words,
    /// The id of the licence type; empty for a receipt.
    pub type_id: String,
    /// Who vouches.
    pub issuer: Words,
    /// The identifier of a licence or the case number of a receipt.
    pub number: String,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// What it says.
    pub claims: Vec<Claim>,
    /// What makes it an annotated copy.
    pub copy: Option<AnnotatedCopy>,
    /// Its place in the status lists.
    pub place: Option<StatusRef>,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was found out.
    pub finding: Finding,
    /// What the document says; only where its signatures are genuine.
    pub shown: Option<Shown>,
    /// When the status list was made that this rests on.
    pub as_of: Option<Timestamp>,
}

impl Verdict {
    fn refused(finding: Finding) -> Self {
        Self { finding, shown: None, as_of: None }
    }

    /// Whether one may rely on it.
    pub fn is_good(&self) -> bool {
        self.finding == Finding::Valid
    }

    /// Gives the claims the labels of a definition, where the document brought none.
    #[must_use]
    pub fn labelled(mut self, kind: &LicenceType) -> Self {
        if let Some(shown) = self.shown.as_mut().filter(|shown| shown.type_id == kind.id) {
            for claim in &mut shown.claims {
                if let Some(field) = kind.field(&claim.id) {
                    claim.label = field.label.clone();
                }
            }
        }
        self
    }
}

/// Checks whatever `bytes` are, against what the verifier trusts and knows.
pub fn verify_file(bytes: &[u8], trust: &TrustList, status: Option<&StatusList>, now: Timestamp) -> Verdict {
    match read(bytes, trust, now) {
        Ok(known) => judge(known, trust, status, now),
        Err(refusal) => Verdict::refused(refusal.into()),
    }
}

fn read(bytes: &[u8], trust: &TrustList, now: Timestamp) -> Result<Known, Refusal> {
    if bytes.starts_with(b"%PDF-") {
        return read_pdf(bytes, trust, now);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Unreadable)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        let document = SignedDocument::parse(text.as_bytes()).map_err(|_| Refusal::Unreadable)?;
        return check::document(&document, trust, now);
    }
    if text.starts_with(crypto::qr::PREFIX) {
        let message = crypto::qr::from_text(text).map_err(|_| Refusal::Unreadable)?;
        let known = check::message(&message, trust)?;
        return Ok(Known { carrier: Carrier::Code, ..known });
    }
    if text.contains('~') {
        return check::credential(text, trust, now);
    }
    Err(Refusal::Unreadable)
}

fn read_pdf(bytes: &[u8], trust: &TrustList, now: Timestamp) -> Result<Known, Refusal> {
    let attached = pdf::attached_document(bytes);
    let sealed = match seal::check(trust, bytes) {
        Ok(sealed) => sealed,
        Err(BrokenSeal::UnknownKey(kid)) => return Err(Refusal::UnknownKey(kid)),
        // A PDF that never had anything to do with us is no forgery.
        Err(BrokenSeal::Missing) if attached.is_none() => return Err(Refusal::Unreadable),
        Err(BrokenSeal::Missing | BrokenSeal::Changed) => return Err(Refusal::Forged),
    };
    let document = attached.ok_or(Refusal::Forged)?;
    let known = check::document(&document, trust, now)?;
    if known.number != sealed.identifier {
        return Err(Refusal::Forged);
    }
    Ok(Known { carrier: Carrier::Pdf, copy: sealed.copy, ..known })
}

/// Holds a genuine document against the calendar and the status list.
fn judge(known: Known, trust: &TrustList, status: Option<&StatusList>, now: Timestamp) -> Verdict {
    let today = now.china_date();
    let checked = status.and_then(|status| status.check(trust).ok());
    let entry = known.place.and_then(|place| checked.as_ref()?.entry(place));
    let as_of = known.place.and(checked.as_ref().map(crate::status::CheckedStatus::made_at));
    let last = match (&known.copy, known.valid_to) {
        (Some(copy), Some(last)) => Some(last.min(copy.valid_to)),
        (Some(copy), None) => Some(copy.valid_to),
        (None, last) => last,
    };
    let not_before = known.valid_from.filter(|first| today < *first);
    let finding = match (entry, last.filter(|last| today > *last), not_before) {
        (Some(crate::status::Entry::Revoked), ..) => Finding::Revoked,
        (Some(crate::status::Entry::Suspended), ..) => Finding::Suspended,
        (_, Some(on), _) => Finding::Expired { on },
        (_, None, Some(from)) => Finding::NotYetValid { from },
        _ if known.place.is_none() => Finding::Valid,
        (None, ..) => Finding::StatusUnknown { age_hours: None },
        (Some(crate::status::Entry::Valid), ..) => match &checked {
            // A list from before the licence cannot speak of it.
            Some(list) if list.is_fresh(now) && list.speaks_of(known.issued_at) => Finding::Valid,
            Some(list) => Finding::StatusUnknown { age_hours: Some(now.since(list.made_at()).as_hours()) },
            None => Finding::StatusUnknown { age_hours: None },
        },
    };
    Verdict { finding, shown: Some(known.into_shown()), as_of }
}

impl From<Refusal> for Finding {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unreadable => Self::Unreadable,
            Refusal::Forged => Self::Forged,
            Refusal::UnknownKey(kid) => Self::UnknownKey { kid },
        }
    }
}

/// The document as it leaves the ledger: its SD-JWT shows every field but those for the holder alone.
pub fn file_document(licence: &Licence) -> Result<SignedDocument, SignError> {
    presented(licence, |pointer| pointer.starts_with("/fields/"))
}

/// The SD-JWT that shows these fields beside those that are always shown.
pub fn presentation(licence: &Licence, fields: &[String]) -> Result<String, SignError> {
    let wanted: Vec<String> = fields.iter().map(|id| format!("/fields/{id}")).collect();
    Ok(presented(licence, |pointer| wanted.iter().any(|wanted| wanted == pointer))?.intl)
}

fn presented(licence: &Licence, shows: impl Fn(&str) -> bool) -> Result<SignedDocument, SignError> {
    let full = &licence.document.intl;
    let pointers = sd_jwt::withholdable(full)?;
    let shown: Vec<&str> = pointers.iter().map(String::as_str).filter(|pointer| shows(pointer)).collect();
    let intl = sd_jwt::present(full, &shown)?;
    Ok(SignedDocument { intl, ..licence.document.clone() })
}
