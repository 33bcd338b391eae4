//! What a refusal looks like to whoever asked.

use http::StatusCode;
use kernel::error::Coded;
use web::Problem;
use web::forms::FieldError;
use web::i18n::key;

use crate::actions::LicenceError;
use crate::actions::copy::{MAX_PURPOSE, MAX_RECIPIENT};
use crate::pdf::PdfError;
use crate::status::StatusError;

// The texts of these codes are `key("problem-licence-")`.
impl From<LicenceError> for Problem {
    fn from(error: LicenceError) -> Self {
        let code = error.code();
        match error {
            LicenceError::Store(error) => Self::from(error),
            LicenceError::NotSigned(_) | LicenceError::Identifier(_) | LicenceError::NoSlot => {
                Self::internal(error)
            }
            LicenceError::Grounds(_) | LicenceError::Copy(_) => Self::invalid(fields(&error)),
            LicenceError::UnknownScene(_)
            | LicenceError::UnknownType(_)
            | LicenceError::UnknownIssuer(_)
            | LicenceError::Fields(_)
            | LicenceError::Term => Self::new(StatusCode::UNPROCESSABLE_ENTITY, code),
            LicenceError::CodeGone => Self::new(StatusCode::GONE, code),
            LicenceError::Transition(_) | LicenceError::Changed | LicenceError::NotInForce => {
                Self::conflict(code)
            }
        }
    }
}

/// What is wrong with which field of a form.
pub(crate) fn fields(error: &LicenceError) -> Vec<FieldError> {
    let error = match error {
        LicenceError::Grounds("reason") => FieldError::new("reason", key("licences-field-reason")),
        LicenceError::Grounds(_) => FieldError::new("legal_basis", key("licences-field-legal-basis")),
        LicenceError::Copy("purpose") => {
            FieldError::new("purpose", key("licences-field-purpose")).with("limit", limit(MAX_PURPOSE))
        }
        LicenceError::Copy("recipient") => {
            FieldError::new("recipient", key("licences-field-recipient")).with("limit", limit(MAX_RECIPIENT))
        }
        LicenceError::Copy(_) => FieldError::new("days", key("licences-field-days")),
        _ => return Vec::new(),
    };
    vec![error]
}

fn limit(most: usize) -> u32 {
    u32::try_from(most).unwrap_or(u32::MAX)
}

impl From<PdfError> for Problem {
    fn from(error: PdfError) -> Self {
        Self::internal(error)
    }
}

impl From<StatusError> for Problem {
    fn from(error: StatusError) -> Self {
        Self::internal(error)
    }
}
