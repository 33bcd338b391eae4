//! One error for every use case of this crate, and how it is told.

use http::StatusCode;
use kernel::error::Coded;
use kernel::time::Date;
use store::StoreError;
use web::Problem;
use web::forms::FieldError;
use web::i18n::key;

use crate::model::{CaseError, TermsError};

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// There is no such case, or none that the actor may know of.
    #[error("there is no such case")]
    NotFound,
    /// The law, the procedure or the state of the case does not allow it.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The content files name no such procedure, or nobody who could follow it.
    #[error("procedure `{procedure}` cannot be followed on this node")]
    Content {
        /// The procedure.
        procedure: String,
    },
    /// A dated rule is missing.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The ledger.
    #[error("the ledger did not do what it was asked")]
    Store(#[from] StoreError),
    /// A stored document cannot be read.
    #[error("a stored document is not readable")]
    Json(#[from] serde_json::Error),
}

impl Coded for ActionError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "case.not_found",
            Self::Case(error) => error.code(),
            Self::Content { .. } | Self::Terms(_) => "case.content",
            Self::Store(_) | Self::Json(_) => "http.internal",
        }
    }
}

// The texts of these codes are `key("problem-case-")` and `key("problem-calendar-")`.
impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::NotFound => Self::new(StatusCode::NOT_FOUND, "case.not_found"),
            ActionError::Case(error) => refusal(error),
            other => Self::internal(other),
        }
    }
}

/// A refusal by the rules: which status, and which values its text needs.
fn refusal(error: CaseError) -> Problem {
    let code = error.code();
    match error {
        CaseError::NotYourPost | CaseError::OwnCase | CaseError::FourEyes => Problem::forbidden(code),
        CaseError::Text { field, limit } => {
            let error = FieldError::new(field, key("cases-field-text")).with("limit", number(limit));
            Problem::invalid(vec![error])
        }
        CaseError::UnknownGround { .. } => {
            Problem::invalid(vec![FieldError::new("ground", key("cases-field-choice"))])
        }
        CaseError::UnknownOutcome { .. } => {
            Problem::invalid(vec![FieldError::new("outcome", key("cases-field-choice"))])
        }
        CaseError::DeemedAccepted { deadline } => Problem::conflict(code).with("date", date(deadline)),
        CaseError::ExtensionTooLate { due } => Problem::conflict(code).with("date", date(due)),
        CaseError::ReviewTooLate { until } => Problem::conflict(code).with("date", date(until)),
        CaseError::Broken { .. } | CaseError::Clock(_) => Problem::internal(error),
        CaseError::BeyondCalendar(_) => Problem::conflict(code),
        CaseError::WrongStage { .. }
        | CaseError::ChangedMeanwhile
        | CaseError::ClaimedByOther
        | CaseError::NotClaimed
        | CaseError::CannotTakeOver
        | CaseError::SecondCorrection
        | CaseError::NoCorrection
        | CaseError::Paused
        | CaseError::NotPaused
        | CaseError::NoExtension
        | CaseError::ExtendedAlready
        | CaseError::NotAutomatic
        | CaseError::AlreadyRated { .. }
        | CaseError::NotRatable { .. }
        | CaseError::NoReview
        | CaseError::ReviewAsked => Problem::conflict(code),
    }
}

fn date(date: Date) -> String {
    date.to_string()
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
