//! Why an action was not done, and how it is told.

use http::StatusCode;
use kernel::error::Coded;
use packs::expr::EvalError;
use store::StoreError;
use web::Problem;
use web::forms::FieldError;

use crate::catalogue::VersionError;

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such thing, or none that the actor may know of.
    #[error("there is no such thing")]
    NotFound,
    /// The register knows no such person, or the account acts for a firm.
    #[error("only a person may apply for this")]
    NotAPerson,
    /// Another device has changed the draft meanwhile.
    #[error("the draft was changed elsewhere")]
    ChangedElsewhere,
    /// The draft became a case already.
    #[error("the draft was submitted already")]
    AlreadySubmitted,
    /// The draft waits for the other person.
    #[error("the draft waits for the other person's confirmation")]
    WaitsForOther,
    /// Something is not answered yet or not attached.
    #[error("the application is not complete")]
    Incomplete(Vec<FieldError>),
    /// Answers are wrong.
    #[error("answers are wrong")]
    Invalid(Vec<FieldError>),
    /// Somebody else was faster with the name.
    #[error("the name is taken")]
    NameTaken,
    /// Somebody else was faster with the slot, or it is not one.
    #[error("the slot is not free")]
    SlotTaken,
    /// The seat is no longer held.
    #[error("the seat is no longer held")]
    HoldOver,
    /// The person has a seat already.
    #[error("there is a booking already")]
    BookedAlready,
    /// The item's table says no.
    #[error("the rules do not allow it: {0}")]
    NotEligible(String),
    /// A register says something else than when the draft was begun.
    #[error("a register changed meanwhile")]
    RegisterChanged,
    /// The key was used for another submission.
    #[error("the idempotency key was used for another submission")]
    KeyReused,
    /// The applicant is none of the parties.
    #[error("the applicant is none of the parties")]
    NotAParty,
    /// Nobody with that citizen number has an account here.
    #[error("the other person has no account")]
    PartnerUnknown,
    /// What was said of the invited person is not what the register says.
    #[error("the name or number is not that of the invited person")]
    PartnerMismatch,
    /// The invitation was answered or has run out.
    #[error("the invitation is over")]
    InvitationOver,
    /// Too late to change a booking.
    #[error("it is too late to change the booking")]
    TooLate,
    /// A stored version cannot be used.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// An expression could not be evaluated.
    #[error("an expression of the item could not be evaluated")]
    Eval(#[from] EvalError),
    /// The ledger.
    #[error("the ledger did not do what it was asked")]
    Store(#[from] StoreError),
    /// The case could not be opened or changed.
    #[error("the case could not be written")]
    Case(#[from] cases::ActionError),
    /// The numbers of the procedure.
    #[error("the terms of the procedure could not be resolved")]
    Terms(#[from] cases::model::TermsError),
    /// The receipt could not be signed.
    #[error("the receipt could not be signed")]
    Sign(#[from] licences::document::SignError),
    /// Something is not JSON.
    #[error("a document could not be written as JSON")]
    Json(#[from] serde_json::Error),
    /// A neighbour failed.
    #[error("a register or the licence base failed")]
    Outside(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Coded for ServiceError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "http.not_found",
            Self::NotAPerson => "services.not_a_person",
            Self::ChangedElsewhere => "services.changed_elsewhere",
            Self::AlreadySubmitted => "services.already_submitted",
            Self::WaitsForOther => "services.waits_for_other",
            Self::Incomplete(_) => "services.incomplete",
            Self::Invalid(_) => "form.invalid",
            Self::NameTaken => "services.name_taken",
            Self::SlotTaken => "services.slot_taken",
            Self::HoldOver => "services.hold_over",
            Self::BookedAlready => "services.booked_already",
            Self::NotEligible(_) => "services.not_eligible",
            Self::RegisterChanged => "services.register_changed",
            Self::KeyReused => "services.key_reused",
            Self::NotAParty => "services.not_a_party",
            Self::PartnerUnknown => "services.partner_unknown",
            Self::PartnerMismatch => "services.partner_mismatch",
            Self::InvitationOver => "services.invitation_over",
            Self::TooLate => "services.too_late",
            Self::Case(error) => error.code(),
            Self::Version(_)
            | Self::Eval(_)
            | Self::Store(_)
            | Self::Terms(_)
            | Self::Sign(_)
            | Self::Json(_)
            | Self::Outside(_) => "http.internal",
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let code = error.code();
        match error {
            ServiceError::NotFound => Self::not_found(),
            ServiceError::NotAPerson => Self::forbidden(code),
            ServiceError::Invalid(fields) => Self::invalid(fields),
            ServiceError::Incomplete(fields) => {
                let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code);
                problem.fields = fields;
                problem
            }
            ServiceError::NotEligible(because) => Self::conflict(code).with("because", because),
            ServiceError::Case(error) => error.into(),
            ServiceError::Version(_)
            | ServiceError::Eval(_)
            | ServiceError::Store(_)
            | ServiceError::Terms(_)
            | ServiceError::Sign(_)
            | ServiceError::Json(_)
            | ServiceError::Outside(_) => Self::internal(error),
            _ => Self::conflict(code),
        }
    }
}
