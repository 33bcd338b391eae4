//! Ids: one type for each kind of thing, so that a case can never be looked up by an account.
//!
//! They are UUIDs of version 7 (RFC 9562) made from the caller's clock and entropy. The twelve bits after the
//! millisecond hold its fraction (method 3 of section 6.2), so that rows made one after another lie one after
//! another in an index.

use std::fmt;
use std::str::FromStr;

#[doc(hidden)]
pub use serde;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use uuid::Uuid;

use crate::entropy::Entropy;
use crate::error::Coded;
use crate::time::Clock;

/// A text that is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}")]
pub struct IdError {
    kind: &'static str,
    text: String,
}

impl IdError {
    /// An error about `text`, which should have been a `kind`.
    #[must_use]
    pub fn new(kind: &'static str, text: &str) -> Self {
        Self { kind, text: text.chars().take(40).collect() }
    }
}

impl Coded for IdError {
    fn code(&self) -> &'static str {
        "id.malformed"
    }
}

/// A new UUID of version 7 for the present of `clock`.
#[must_use]
pub fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    // Ids of before 1970 would break the order of an index; no clock of a node shows that.
    let micros = u64::try_from(clock.now().micros()).unwrap_or(0);
    let mut tail = [0; 10];
    entropy.fill(&mut tail);
    // Twelve bits: the fraction of the millisecond in 4096 parts.
    let [.., high, low] = (((micros % 1000) << 12) / 1000).to_be_bytes();
    tail[0] = high;
    tail[1] = low;
    uuid::Builder::from_unix_timestamp_millis(micros / 1000, &tail).into_uuid()
}

/// Declares id types over UUIDs of version 7.
///
/// ```
/// kernel::uuid_ids! {
///     /// A seat at the counter.
///     SeatId,
/// }
/// let text = "01890a5d-ac96-774b-bcce-b302099a8057";
/// assert_eq!(text.parse::<SeatId>().unwrap().to_string(), text);
/// ```
#[macro_export]
macro_rules! uuid_ids {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::ids::Uuid);

        impl $name {
            /// A new id for the present of `clock`.
            #[must_use]
            pub fn generate(
                clock: &dyn $crate::time::Clock,
                entropy: &dyn $crate::entropy::Entropy,
            ) -> Self {
                Self($crate::ids::uuid_v7(clock, entropy))
            }

            /// The id that was stored as this UUID.
            #[must_use]
            pub fn from_uuid(uuid: $crate::ids::Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID to store.
            #[must_use]
            pub fn as_uuid(self) -> $crate::ids::Uuid {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::ids::IdError;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::ids::parse_hyphenated(stringify!($name), text).map(Self)
            }
        }

        impl $crate::ids::serde::Serialize for $name {
            fn serialize<S: $crate::ids::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> $crate::ids::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::ids::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let text = <String as $crate::ids::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err($crate::ids::serde::de::Error::custom)
            }
        }
    )+};
}

uuid_ids! {
    /// Whoever has rights and duties before the government: a person or a firm.
    SubjectId,
    /// A way to sign in, belonging to one subject.
    AccountId,
    /// One stay of an account from sign-in to sign-out.
    SessionId,
    /// A case (办件).
    CaseId,
    /// A domain event.
    EventId,
    /// A licence (证照).
    LicenceId,
    /// An application that has not been submitted.
    DraftId,
    /// A stored file.
    BlobId,
    /// A piece of background work.
    JobId,
    /// An entry of the audit log.
    AuditId,
    /// A token of the API.
    TokenId,
    /// A booked place and time.
    BookingId,
    /// A grant (授权): the right to see data.
    GrantId,
    /// One use of grants: a query, a call, a file.
    UseId,
    /// A request, for log and trace.
    RequestId,
}

/// Reads the lower-case hyphenated form and no other, so that an id has one spelling.
///
/// # Errors
/// When the text is not that form; `kind` names the expected type.
#[doc(hidden)]
pub fn parse_hyphenated(kind: &'static str, text: &str) -> Result<Uuid, IdError> {
    let plain = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match Uuid::try_parse(text) {
        Ok(uuid) if plain => Ok(uuid),
        _ => Err(IdError::new(kind, text)),
    }
}

/// Declares short codes that people choose: lower-case letters, digits, `-`, `_` and `.`.
macro_rules! text_codes {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks and keeps a code.
            ///
            /// # Errors
            /// When it is empty, longer than 64 bytes, or holds other characters than lower-case letters,
            /// digits, `-`, `_` and `.`.
            pub fn new(code: impl Into<String>) -> Result<Self, IdError> {
                let code = code.into();
                if is_text_code(&code) { Ok(Self(code)) } else { Err(IdError::new(stringify!($name), &code)) }
            }

            /// The code as it was chosen.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

text_codes! {
    /// An organisation of the six levels, such as `532901-amr`.
    OrgCode,
    /// A post (岗位) in an organisation, such as `532901-amr-registrar`.
    PostCode,
}

fn is_text_code(code: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    (1..=64).contains(&code.len()) && code.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::time::{ManualClock, Timestamp};
    use jiff::SignedDuration;

    #[test]
    fn ids_made_later_sort_later_even_within_a_millisecond() {
        let clock = ManualClock::new(Timestamp::parse("2026-11-24T00:30:00Z").unwrap());
        let entropy = SeededEntropy::new(3);
        let mut last = CaseId::generate(&clock, &entropy);
        for _ in 0..2000 {
            clock.advance(SignedDuration::from_micros(1));
            let next = CaseId::generate(&clock, &entropy);
            assert!(last < next && last.to_string() < next.to_string(), "{last} {next}");
            last = next;
        }
    }

    #[test]
    fn ids_are_version_seven_and_hold_the_millisecond() {
        let clock = ManualClock::new(Timestamp::from_micros(1_700_000_000_123_456));
        let uuid = SubjectId::generate(&clock, &SeededEntropy::new(1)).as_uuid();
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.as_u128() >> 80, 1_700_000_000_123);
    }

    #[test]
    fn an_id_has_one_spelling() {
        let text = "01890a5d-ac96-774b-bcce-b302099a8057";
        let id: LicenceId = text.parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<LicenceId>(&format!("\"{text}\"")).unwrap(), id);
        assert_eq!(LicenceId::from_uuid(id.as_uuid()), id);
        for other in [text.to_uppercase(), text.replace('-', ""), format!("{{{text}}}"), String::new()] {
            let error = other.parse::<LicenceId>().unwrap_err();
            assert_eq!(error.code(), "id.malformed");
            assert!(error.to_string().ends_with("is not a LicenceId"), "{error}");
        }
    }

    #[test]
    fn codes_of_posts_are_short_and_plain() {
        assert_eq!(PostCode::new("532901-amr-registrar").unwrap().as_str(), "532901-amr-registrar");
        for bad in ["", "A", "a b", "岗位", "a/../b", &"a".repeat(65)] {
            assert!(OrgCode::new(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<OrgCode>("\"a b\"").is_err());
    }
}
