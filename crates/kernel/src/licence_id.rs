//! Identifiers of e-licences (GB/T 36904-2018, 证照标识).
//!
//! `1.2.156.3005.2` . type code (21: the 18 characters of whoever is in charge of the type, and 3) . code of
//! the issuer (9 to 18) . serial number . version (3) . check character. The check character is ISO 7064
//! MOD 37,36 over the parts after the root without their dots.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::check::mod_37_36;
use crate::error::Coded;

/// The object identifier under which e-licences are numbered.
pub const ROOT: &str = "1.2.156.3005.2";

/// The longest serial number that is taken.
const MAX_SERIAL: usize = 32;

/// An identifier of one version of one licence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
// INVARIANT: the parts hold digits and upper-case letters in the lengths of the standard.
pub struct LicenceIdentifier {
    type_code: String,
    issuer: String,
    serial: String,
    version: u16,
    check: char,
}

/// An identifier from elsewhere, whose check character may be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedIdentifier {
    /// The identifier as it was written, with its own check character.
    pub identifier: LicenceIdentifier,
    /// The character that belongs there, when another one was written.
    pub expected_check: Option<char>,
}

/// Why a text is not an identifier, or parts do not make one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LicenceIdError {
    /// It does not begin with the root.
    #[error("a licence identifier begins with {ROOT}")]
    Root,
    /// It has more or fewer parts.
    #[error(
        "a licence identifier has type, issuer, serial number, version and check character after its root"
    )]
    Parts,
    /// A type code that is not 21 digits and upper-case letters.
    #[error("the type code `{0}` is not 21 digits and letters")]
    TypeCode(String),
    /// An issuer that is not 9 to 18 digits and upper-case letters.
    #[error("the issuer `{0}` is not 9 to 18 digits and letters")]
    Issuer(String),
    /// A serial number that is empty, too long or holds other characters.
    #[error("the serial number `{0}` is not 1 to 32 digits and letters")]
    Serial(String),
    /// A version that is not 001 to 999.
    #[error("the version `{0}` is not 001 to 999")]
    Version(String),
    /// The check character belongs to another identifier.
    #[error("the check character `{found}` of the licence identifier is wrong")]
    Check {
        /// What was written.
        found: String,
    },
}

impl Coded for LicenceIdError {
    fn code(&self) -> &'static str {
        match self {
            Self::Root => "licence_id.root",
            Self::Parts => "licence_id.parts",
            Self::TypeCode(_) => "licence_id.type_code",
            Self::Issuer(_) => "licence_id.issuer",
            Self::Serial(_) => "licence_id.serial",
            Self::Version(_) => "licence_id.version",
            Self::Check { .. } => "licence_id.check",
        }
    }
}

impl LicenceIdentifier {
    /// Makes an identifier and its check character.
    ///
    /// # Errors
    /// When a part has another length or other characters than the standard says.
    pub fn build(type_code: &str, issuer: &str, serial: &str, version: u16) -> Result<Self, LicenceIdError> {
        if !is_plain(type_code, 21, 21) {
            return Err(LicenceIdError::TypeCode(shortened(type_code)));
        }
        if !is_plain(issuer, 9, 18) {
            return Err(LicenceIdError::Issuer(shortened(issuer)));
        }
        if !is_plain(serial, 1, MAX_SERIAL) {
            return Err(LicenceIdError::Serial(shortened(serial)));
        }
        if !(1..=999).contains(&version) {
            return Err(LicenceIdError::Version(version.to_string()));
        }
        let check = mod_37_36(&format!("{type_code}{issuer}{serial}{version:03}"));
        // All parts are digits and upper-case letters, so there is a check character.
        let check = check.ok_or(LicenceIdError::Parts)?;
        let (type_code, issuer, serial) = (type_code.to_owned(), issuer.to_owned(), serial.to_owned());
        Ok(Self { type_code, issuer, serial, version, check })
    }

    /// Reads an identifier with its root.
    ///
    /// # Errors
    /// When a part or the check character is wrong.
    pub fn parse(text: &str) -> Result<Self, LicenceIdError> {
        let imported = Self::parse_lenient(text)?;
        match imported.expected_check {
            None => Ok(imported.identifier),
            Some(_) => Err(LicenceIdError::Check { found: imported.identifier.check.to_string() }),
        }
    }

    /// Reads an identifier of a licence from elsewhere: published samples exist whose check character is wrong,
    /// and the licence is real all the same. A wrong one is kept and flagged.
    ///
    /// # Errors
    /// When any other part is wrong.
    pub fn parse_lenient(text: &str) -> Result<ImportedIdentifier, LicenceIdError> {
        let text = text.trim().to_ascii_uppercase();
        let parts =
            text.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('.')).ok_or(LicenceIdError::Root)?;
        let parts: Vec<&str> = parts.split('.').collect();
        let [type_code, issuer, serial, version, check] = parts.as_slice() else {
            return Err(LicenceIdError::Parts);
        };
        let number = version.parse().ok().filter(|_| version.len() == 3 && !version.starts_with('+'));
        let number = number.ok_or_else(|| LicenceIdError::Version(shortened(version)))?;
        let right = Self::build(type_code, issuer, serial, number)?;
        let mut written = check.chars();
        let (Some(written), None) = (written.next().filter(char::is_ascii_alphanumeric), written.next())
        else {
            return Err(LicenceIdError::Check { found: shortened(check) });
        };
        let expected_check = (written != right.check).then_some(right.check);
        Ok(ImportedIdentifier { identifier: Self { check: written, ..right }, expected_check })
    }

    /// The same licence in its next version; none after 999.
    #[must_use]
    pub fn next_version(&self) -> Option<Self> {
        Self::build(&self.type_code, &self.issuer, &self.serial, self.version + 1).ok()
    }

    /// The type of licence.
    #[must_use]
    pub fn type_code(&self) -> &str {
        &self.type_code
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer's number for it.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The version, from 1.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.version
    }

    /// The check character as it is written.
    #[must_use]
    pub fn check(&self) -> char {
        self.check
    }
}

impl fmt::Display for LicenceIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { type_code, issuer, serial, version, check } = self;
        write!(f, "{ROOT}.{type_code}.{issuer}.{serial}.{version:03}.{check}")
    }
}

impl FromStr for LicenceIdentifier {
    type Err = LicenceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for LicenceIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LicenceIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn is_plain(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PUBLISHED: [&str; 2] = [
        "1.2.156.3005.2.11100000000013338W011.11110000000021135M.20230329701.003.Y",
        "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    ];

    #[test]
    fn published_identifiers_are_read_and_written_back() {
        for text in PUBLISHED {
            let identifier = LicenceIdentifier::parse(text).unwrap();
            assert_eq!(identifier.to_string(), text);
            assert_eq!(LicenceIdentifier::parse(&text.to_lowercase()), Ok(identifier));
        }
        let parts = LicenceIdentifier::parse(PUBLISHED[0]).unwrap();
        assert_eq!((parts.type_code(), parts.issuer()), ("11100000000013338W011", "11110000000021135M"));
        assert_eq!((parts.serial(), parts.version(), parts.check()), ("20230329701", 3, 'Y'));
    }

    #[test]
    fn a_wrong_check_character_is_refused_but_flagged_on_import() {
        let text = PUBLISHED[0].replace(".Y", ".M");
        let error = LicenceIdentifier::parse(&text).unwrap_err();
        assert_eq!(error.code(), "licence_id.check");
        let imported = LicenceIdentifier::parse_lenient(&text).unwrap();
        assert_eq!(imported.expected_check, Some('Y'));
        assert_eq!(imported.identifier.to_string(), text);
        assert_eq!(LicenceIdentifier::parse_lenient(PUBLISHED[0]).unwrap().expected_check, None);
    }

    #[test]
    fn each_wrong_part_has_its_own_code() {
        for (text, code) in [
            ("1.2.156.3005.6.1.2.3.4.5", "licence_id.root"),
            ("1.2.156.3005.2", "licence_id.root"),
            ("1.2.156.3005.2.1.2.3", "licence_id.parts"),
            ("1.2.156.3005.2.11100000000013338W01.11110000000021135M.1.003.Y", "licence_id.type_code"),
            ("1.2.156.3005.2.11100000000013338W011.1111000.1.003.Y", "licence_id.issuer"),
            ("1.2.156.3005.2.11100000000013338W011.11110000000021135M..003.Y", "licence_id.serial"),
            ("1.2.156.3005.2.11100000000013338W011.11110000000021135M.1.+03.Y", "licence_id.version"),
            ("1.2.156.3005.2.11100000000013338W011.11110000000021135M.1.000.Y", "licence_id.version"),
            ("1.2.156.3005.2.11100000000013338W011.11110000000021135M.1.003.YY", "licence_id.check"),
            ("1.2.156.3005.2.11100000000013338W011.11110000000021135M.1.003.照", "licence_id.check"),
        ] {
            assert_eq!(LicenceIdentifier::parse_lenient(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn versions_end_at_999() {
        let last = LicenceIdentifier::build("11100000000013338W011", "11110000000021135M", "1", 999).unwrap();
        assert_eq!(last.next_version(), None);
        assert_eq!(LicenceIdentifier::parse(PUBLISHED[0]).unwrap().next_version().unwrap().version(), 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_built_identifier_verifies_and_every_changed_character_is_caught(
            type_code in "[0-9A-Z]{21}", issuer in "[0-9A-Z]{9,18}", serial in "[0-9A-Z]{1,32}",
            version in 1_u16..=999, at in any::<prop::sample::Index>(), other in "[0-9A-Z]",
        ) {
            let built = LicenceIdentifier::build(&type_code, &issuer, &serial, version).unwrap();
            let text = built.to_string();
            prop_assert_eq!(LicenceIdentifier::parse(&text), Ok(built));

            let tail_start = ROOT.len() + 1;
            let places: Vec<usize> = (tail_start..text.len()).filter(|&at| text.as_bytes()[at] != b'.').collect();
            let at = places[at.index(places.len())];
            let mut changed = text.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(LicenceIdentifier::parse(&changed).is_ok(), changed == text);
        }
    }
}
