//! From what an action refuses to a stable code, a status and a text: `identity.x` is said by
//! `problem-identity-x`.

use http::StatusCode;
use web::Problem;
use web::i18n::key;

use crate::delegations::GrantError;
use crate::sign_in::SignInError;
use crate::sign_in::passkeys::PasskeyError;
use crate::sign_in::real_name::RealNameError;

/// What the keys of this crate's problems begin with.
pub const TEXT_PREFIX: &str = key("problem-identity-");

fn unauthorised(code: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code)
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => unauthorised("identity.wrong_login"),
            SignInError::WrongCode => unauthorised("identity.wrong_code"),
            SignInError::UsedCode => unauthorised("identity.used_code"),
            SignInError::Locked => Self::forbidden("identity.locked"),
            SignInError::RanOut => Self::conflict("identity.ran_out"),
            SignInError::TooMany(too_many) => Self::new(StatusCode::TOO_MANY_REQUESTS, "identity.too_many")
                .with("seconds", too_many.seconds),
            SignInError::Store(error) => Self::internal(error),
            SignInError::Password(error) => Self::internal(error),
        }
    }
}

impl From<PasskeyError> for Problem {
    fn from(error: PasskeyError) -> Self {
        match error {
            PasskeyError::NoName => Self::conflict("identity.passkeys_need_name"),
            PasskeyError::RanOut => Self::conflict("identity.ran_out"),
            PasskeyError::Refused(reason) => {
                tracing::info!(error = %reason, "a passkey was refused");
                unauthorised("identity.passkey_refused")
            }
            PasskeyError::Unknown => unauthorised("identity.passkey_refused"),
            PasskeyError::Twice => Self::conflict("identity.passkey_twice"),
            PasskeyError::Locked => Self::forbidden("identity.locked"),
            PasskeyError::Store(error) => Self::internal(error),
        }
    }
}

impl From<RealNameError> for Problem {
    fn from(error: RealNameError) -> Self {
        match error {
            RealNameError::NoProvider => Self::not_found(),
            RealNameError::RanOut => Self::conflict("identity.ran_out"),
            RealNameError::Provider(reason) => {
                tracing::warn!(error = %reason, "the real-name provider did not vouch");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "identity.provider_failed")
            }
            RealNameError::CitizenId(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "identity.provider_failed")
            }
            RealNameError::OtherName => Self::conflict("identity.other_name"),
            RealNameError::Locked => Self::forbidden("identity.locked"),
            RealNameError::Store(error) => Self::internal(error),
        }
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        use web::forms::FieldError;
        let field = |field: &str, key: &str| Self::invalid(vec![FieldError::new(field, key)]);
        match error {
            GrantError::NotYours => Self::forbidden("identity.not_yours_to_give"),
            GrantError::NoSuchPerson => field("citizen_id", key("identity-error-no-such-person")),
            GrantError::Oneself => field("citizen_id", key("identity-error-oneself")),
            GrantError::TooYoung => field("citizen_id", key("identity-error-too-young")),
            GrantError::Term => field("last_day", key("identity-error-term")),
            GrantError::UnknownItem(_) => field("scope", key("identity-error-unknown-item")),
            GrantError::Store(error) => Self::internal(error),
        }
    }
}
