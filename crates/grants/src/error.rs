//! Why nothing was done.

use kernel::error::Coded;
use lake::LakeError;
use store::StoreError;

use crate::model::state::TransitionError;
use crate::model::terms::TermsError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// There is no such resource.
    #[error("there is no resource `{0}`")]
    NoResource(String),
    /// The resource is registered already.
    #[error("the resource `{0}` is registered already")]
    ResourceTaken(String),
    /// What describes the resource does not fit its table.
    #[error("the description does not fit the table: {0}")]
    Description(String),
    /// The terms make no sense or do not fit the resource.
    #[error("the terms are refused")]
    Terms(#[from] TermsError),
    /// Whoever is to hold it is not known.
    #[error("the holder is not known")]
    NoHolder,
    /// Not with the posts that the actor holds.
    #[error("none of the actor's posts may do this")]
    NotYourPost,
    /// Whoever proposed it cannot approve it.
    #[error("the one who proposed a grant does not decide on it")]
    FourEyes,
    /// The state does not allow it.
    #[error("the grant is in another state")]
    Transition(#[from] TransitionError),
    /// Somebody else acted in the meantime.
    #[error("the grant was changed in the meantime")]
    Changed,
    /// A reason is missing or too long.
    #[error("the reason is missing or too long")]
    Reason,
    /// The lake refused.
    #[error("the lake refused")]
    Lake(#[from] LakeError),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for GrantError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoResource(_) => "grants.no_resource",
            Self::ResourceTaken(_) => "grants.resource_taken",
            Self::Description(_) => "grants.description",
            Self::Terms(_) => "grants.terms",
            Self::NoHolder => "grants.no_holder",
            Self::NotYourPost => "grants.not_your_post",
            Self::FourEyes => "grants.four_eyes",
            Self::Transition(_) => "grants.wrong_state",
            Self::Changed => "grants.changed",
            Self::Reason => "grants.reason",
            Self::Lake(error) => error.code(),
            Self::Store(_) => "http.internal",
        }
    }
}
