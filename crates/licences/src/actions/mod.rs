//! What can be done with licences, one function a use case.

mod change;
pub mod copy;
mod issue;
pub mod present;

pub use change::{amend, expire_due, restore, revoke, suspend};
pub use copy::{AnnotatedCopy, NewCopy, annotated_copy, copies_of};
pub use issue::{issue, take_in};
pub use present::{Presentation, PresentedLicence, Use, Verifier, log_use, present, use_code, uses_of};

use kernel::error::Coded;
use kernel::licence_id::LicenceIdError;
use store::StoreError;
use thiserror::Error;

use crate::document::SignError;
use crate::model::record::FieldsError;
use crate::model::state::TransitionError;

/// Why nothing was done.
#[derive(Debug, Error)]
pub enum LicenceError {
    /// The pack has no such type, or the node does not issue it.
    #[error("licences of the type `{0}` are not issued here")]
    UnknownType(String),
    /// The pack has no such organisation.
    #[error("there is no organisation `{0}`")]
    UnknownIssuer(String),
    /// The fields do not make a licence.
    #[error("the fields do not fit the type")]
    Fields(#[from] FieldsError),
    /// The last day lies before the first.
    #[error("the term ends before it begins")]
    Term,
    /// The parts make no identifier.
    #[error("no identifier can be built")]
    Identifier(#[from] LicenceIdError),
    /// No key, or a record that cannot be signed.
    #[error("the licence was not signed")]
    NotSigned(#[from] SignError),
    /// The status does not allow it.
    #[error("the licence is in another state")]
    Transition(#[from] TransitionError),
    /// Somebody else changed the licence in the meantime.
    #[error("the licence was changed in the meantime")]
    Changed,
    /// A reason or a legal basis is missing or too long.
    #[error("the field `{0}` of the grounds is missing or too long")]
    Grounds(&'static str),
    /// The type has no such scene.
    #[error("the type has no scene `{0}`")]
    UnknownScene(String),
    /// Only a licence that holds today is presented or copied.
    #[error("the licence does not hold today")]
    NotInForce,
    /// The code was used, has run out or never was.
    #[error("the code is not good any more")]
    CodeGone,
    /// The purpose, the recipient or the term of a copy is missing or too long.
    #[error("the field `{0}` of the copy is missing, too long or out of range")]
    Copy(&'static str),
    /// A place in the status lists could not be found.
    #[error("the status lists have no free place")]
    NoSlot,
    /// The ledger refused.
    #[error("the ledger refused")]
    Store(#[from] StoreError),
}

impl Coded for LicenceError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownType(_) => "licence.unknown_type",
            Self::UnknownIssuer(_) => "licence.unknown_issuer",
            Self::Fields(_) => "licence.bad_fields",
            Self::Term => "licence.bad_term",
            Self::Identifier(_) => "licence.bad_identifier",
            Self::NotSigned(_) => "licence.not_signed",
            Self::Transition(_) => "licence.wrong_state",
            Self::Changed => "licence.changed_meanwhile",
            Self::Grounds(_) => "licence.bad_grounds",
            Self::UnknownScene(_) => "licence.unknown_scene",
            Self::NotInForce => "licence.not_in_force",
            Self::CodeGone => "licence.code_gone",
            Self::Copy(_) => "licence.bad_copy",
            Self::NoSlot => "licence.no_slot",
            Self::Store(_) => "http.internal",
        }
    }
}
