//! A licence as the ledger holds it, and the wish to have one.

use std::collections::BTreeMap;

use kernel::ids::{CaseId, LicenceId, OrgCode, SubjectId};
use kernel::licence_id::LicenceIdentifier;
use kernel::time::{Date, Timestamp};
use packs::Pack;
use serde_json::{Map, Value as Json};
use web::App;

use super::record::{LicenceRecord, OwnField};
use super::state::{LicenceState, Status};
use crate::document::SignedDocument;

/// The types and the place that licences are issued under.
#[derive(Clone, Copy)]
pub struct Registry<'a> {
    /// Licence types and organisations.
    pub pack: &'a Pack,
    /// The address that codes lead to, without a final slash.
    pub base_url: &'a str,
}

impl<'a> Registry<'a> {
    /// The registry of a node.
    pub fn of(app: &'a App) -> Self {
        Self { pack: &app.pack, base_url: &app.node.base_url }
    }
}

/// A licence to be issued.
#[derive(Clone, Debug)]
pub struct NewLicence {
    /// The id of its type in the pack.
    pub type_id: String,
    /// Whose it is.
    pub holder: SubjectId,
    /// Its fields by id: texts, dates as `2026-11-24`, lists of texts, money in fen.
    pub fields: Map<String, Json>,
    /// Who vouches for it.
    pub issuer: OrgCode,
    /// The case that it comes from.
    pub case: Option<(CaseId, String)>,
    /// The first day on which it holds.
    pub valid_from: Date,
    /// The last day; without one, what the type says.
    pub valid_to: Option<Date>,
}

/// A licence.
#[derive(Clone, Debug, PartialEq)]
pub struct Licence {
    /// Its id inside this node.
    pub id: LicenceId,
    /// Whose it is.
    pub holder: SubjectId,
    /// The id of its type.
    pub type_id: String,
    /// Who issued it.
    pub org: OrgCode,
    /// The case that it came from.
    pub case: Option<(CaseId, String)>,
    /// Where it stands.
    pub state: LicenceState,
    /// What it says in its present version.
    pub record: LicenceRecord,
    /// The signed document of that version. Its SD-JWT is the holder's own, with every disclosure.
    pub document: SignedDocument,
    /// What only the holder may know.
    pub own: BTreeMap<String, OwnField>,
    /// When it was issued first.
    pub issued_at: Timestamp,
    /// When anything happened to it last.
    pub changed_at: Timestamp,
}

impl Licence {
    /// Its identifier in the present version.
    pub fn identifier(&self) -> &LicenceIdentifier {
        &self.record.identifier
    }

    /// Where it stands today: what the ledger says, and the days that the record gives.
    pub fn standing(&self, today: Date) -> Standing {
        match self.state.status {
            Status::Revoked => Standing::Revoked,
            Status::Expired => Standing::Expired,
            _ if self.record.valid_to.is_some_and(|last| today > last) => Standing::Expired,
            Status::Suspended => Standing::Suspended,
            Status::Valid if today < self.record.valid_from => Standing::NotYetValid,
            Status::Valid => Standing::Valid,
        }
    }
}

/// Where a licence stands on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Valid,
    /// It does not hold yet.
    NotYetValid,
    /// It does not hold for the time being.
    Suspended,
    /// Its term is over.
    Expired,
    /// It holds no more.
    Revoked,
}

impl Standing {
    /// One word for pages and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotYetValid => "not_yet_valid",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}
