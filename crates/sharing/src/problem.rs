//! What a refusal looks like to whoever asked.

use grants::GrantError;
use http::StatusCode;
use kernel::error::Coded;
use lake::LakeError;
use lake::loading::LoadError;
use web::Problem;
use web::forms::FieldError;
use web::i18n::key;

use crate::loads::LoadingError;
use crate::uses::UseError;

// The texts of the codes are `key("problem-lake-")` and `key("problem-grants-")`.
impl From<UseError> for Problem {
    fn from(error: UseError) -> Self {
        let code = error.code();
        match error {
            UseError::NoLake | UseError::Store(_) => Self::internal(error),
            UseError::Refused(_) => Self::forbidden(code),
            UseError::Case => Self::invalid(vec![FieldError::new("case_no", key("sharing-field-case"))]),
            UseError::Filter(name) => Self::invalid(vec![FieldError::new(name, key("sharing-field-filter"))]),
            UseError::Failed { error, receipt } => lake(error).with("receipt", receipt.to_string()),
            UseError::Lake(error) => lake(error).with("receipt", "-"),
            UseError::Grants(error) => grant(error),
        }
    }
}

/// A statement that was not answered. Only an error of planning has a text of its own: it speaks of the asker's
/// statement, and no other may speak at all.
fn lake(error: LakeError) -> Problem {
    let code = error.code();
    let status = match &error {
        LakeError::Refused(_)
        | LakeError::Plan(_)
        | LakeError::Matched(_)
        | LakeError::NotAggregate(_)
        | LakeError::Parameter(_)
        | LakeError::Run(_)
        | LakeError::Limit(lake::error::Limit::Rows | lake::error::Limit::Memory) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        LakeError::Limit(lake::error::Limit::Concurrency) => StatusCode::TOO_MANY_REQUESTS,
        LakeError::Limit(_) => StatusCode::GATEWAY_TIMEOUT,
        _ => return Problem::internal(error),
    };
    let reason = error.for_asker().unwrap_or_default();
    Problem::new(status, code).with("reason", reason)
}

/// What went wrong with a loading.
pub(crate) fn loading(error: LoadingError) -> Problem {
    let code = error.code();
    match error {
        LoadingError::NotYourPost => Problem::forbidden(code),
        LoadingError::Stage | LoadingError::Gone | LoadingError::Taken(_) => Problem::conflict(code),
        LoadingError::Grant(error) => grant(error),
        LoadingError::Use(error) => error.into(),
        LoadingError::Load(LoadError::Lake(error @ (LakeError::Schema { .. } | LakeError::NoTable(_)))) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "load.mapping").with("reason", error.to_string())
        }
        LoadingError::Load(error @ LoadError::Lake(_)) => Problem::internal(error),
        LoadingError::Load(error) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code).with("reason", error.to_string())
        }
        LoadingError::File(error) => Problem::internal(error),
    }
}

/// What went wrong with a resource or a grant.
pub(crate) fn grant(error: GrantError) -> Problem {
    let code = error.code();
    match error {
        GrantError::Store(_) | GrantError::Lake(_) => Problem::internal(error),
        GrantError::NoResource(_) => Problem::new(StatusCode::NOT_FOUND, code),
        GrantError::NotYourPost | GrantError::FourEyes => Problem::forbidden(code),
        GrantError::ResourceTaken(_) | GrantError::Transition(_) | GrantError::Changed => {
            Problem::conflict(code)
        }
        GrantError::Reason => Problem::invalid(vec![FieldError::new("reason", key("sharing-field-reason"))]),
        GrantError::Terms(error) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code).with("reason", error.to_string())
        }
        GrantError::Description(reason) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code).with("reason", reason)
        }
        GrantError::NoHolder => {
            Problem::invalid(vec![FieldError::new("holder", key("sharing-field-holder"))])
        }
    }
}
