//! The stable public codes of this crate's errors.

use kernel::error::Coded;

use crate::cbor::CborError;
use crate::cose::CoseError;
use crate::cwt::ClaimsError;
use crate::field::FieldError;
use crate::keys::{KeyRingError, SealError, TrustListError, VerifyError};
use crate::merkle::MerkleError;
use crate::password::PasswordError;
use crate::qr::QrError;
use crate::root::RootKeyError;
use crate::sd_jwt::SdJwtError;
use crate::signature::SignatureError;

impl Coded for SignatureError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused => "signature.not_genuine",
            Self::WrongLength => "signature.wrong_length",
            Self::BadSecretKey => "key.bad_secret",
            Self::BadPublicKey => "key.bad_public",
            Self::NotSigned => "signature.not_made",
            Self::BrokenEntropy => "key.broken_entropy",
            Self::NoDerForm => "signature.no_der_form",
        }
    }
}

impl Coded for VerifyError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "signature.unknown_key",
            Self::WrongAlgorithm { .. } => "signature.wrong_algorithm",
            Self::WrongPurpose { .. } => "signature.wrong_purpose",
            Self::OutsideLife { .. } => "signature.key_not_in_use",
            Self::NotGenuine(error) => error.code(),
        }
    }
}

impl Coded for KeyRingError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoActiveKey { .. } => "key.none_active",
            Self::UnknownKey { .. } => "key.unknown",
            Self::Twice { .. } => "key.twice",
            Self::AlreadyActive { .. } => "key.already_active",
            Self::WrongState { .. } => "key.wrong_state",
            Self::NoSecret { .. } => "key.no_secret",
            Self::Signature(error) => error.code(),
        }
    }
}

impl Coded for SealError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused => "key_ring.refused",
            Self::Unreadable => "key_ring.unreadable",
            Self::BadKey { .. } => "key_ring.bad_key",
        }
    }
}

impl Coded for TrustListError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadKey { .. } => "trust_list.bad_key",
            Self::Twice { .. } => "trust_list.twice",
        }
    }
}

impl Coded for RootKeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotHex => "root_key.not_hex",
        }
    }
}

impl Coded for FieldError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotACiphertext => "field.not_encrypted",
            Self::UnknownVersion(_) => "field.unknown_version",
            Self::UnknownKey => "field.unknown_key",
            Self::Refused => "field.refused",
            Self::NotText => "field.not_text",
        }
    }
}

impl Coded for PasswordError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "password.too_long",
            Self::BadHash => "password.bad_hash",
            Self::TooCostly => "password.too_costly",
            Self::NotHashed => "password.not_hashed",
        }
    }
}

impl Coded for CborError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "cbor.too_long",
            Self::TooDeep => "cbor.too_deep",
            Self::Truncated => "cbor.truncated",
            Self::TrailingBytes => "cbor.trailing_bytes",
            Self::NotDeterministic => "cbor.not_deterministic",
            Self::Float => "cbor.float",
            Self::Malformed => "cbor.malformed",
        }
    }
}

impl Coded for CoseError {
    fn code(&self) -> &'static str {
        match self {
            Self::Cbor(error) => error.code(),
            Self::Malformed => "message.malformed",
            Self::Header => "message.header",
            Self::UnknownAlgorithm => "message.unknown_algorithm",
            Self::KeyRing(error) => error.code(),
            Self::Signature(error) => error.code(),
        }
    }
}

impl Coded for ClaimsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Cbor(error) => error.code(),
            Self::NotClaims => "token.not_claims",
            Self::WrongType { .. } => "token.wrong_type",
            Self::Expired { .. } => "token.expired",
            Self::NotYetValid { .. } => "token.not_yet_valid",
            Self::Cose(error) => error.code(),
        }
    }
}

impl Coded for QrError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoPrefix => "code_text.no_prefix",
            Self::NotBase45 => "code_text.not_base45",
            Self::NotZlib => "code_text.not_zlib",
            Self::TooLong => "code_text.too_long",
        }
    }
}

impl Coded for SdJwtError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "credential.too_long",
            Self::TooDeep => "credential.too_deep",
            Self::Malformed => "credential.malformed",
            Self::KeyBinding => "credential.key_binding",
            Self::WrongType { .. } => "credential.wrong_type",
            Self::UnknownAlgorithm => "credential.unknown_algorithm",
            Self::WrongIssuer => "credential.wrong_issuer",
            Self::ReservedClaim { .. } => "credential.reserved_claim",
            Self::NoSuchClaim { .. } => "credential.no_such_claim",
            Self::NotWithholdable { .. } => "credential.not_withholdable",
            Self::BadDisclosure => "credential.bad_disclosure",
            Self::UnknownDisclosure => "credential.unknown_disclosure",
            Self::TwiceDisclosed => "credential.twice_disclosed",
            Self::Overwrites { .. } => "credential.overwrites",
            Self::Expired { .. } => "credential.expired",
            Self::NotYetValid { .. } => "credential.not_yet_valid",
            Self::KeyRing(error) => error.code(),
            Self::Signature(error) => error.code(),
        }
    }
}

impl Coded for MerkleError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchLeaf { .. } => "log.no_such_leaf",
            Self::NoSuchSize { .. } => "log.no_such_size",
            Self::NotIncluded => "log.not_included",
            Self::Inconsistent => "log.inconsistent",
            Self::BadFrontier => "log.bad_frontier",
        }
    }
}
