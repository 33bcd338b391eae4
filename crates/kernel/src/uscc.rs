//! Unified social credit codes (统一社会信用代码, GB 32100-2015) and the organisation code inside (GB 11714-1997).
//!
//! 18 characters of an alphabet without I, O, S, V and Z: registering department (1), class (1), region (6),
//! organisation code (9), check character (1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::division::DivisionCode;
use crate::entropy::Entropy;
use crate::error::Coded;

/// The alphabet; a character's place is its value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Powers of 3 modulo 31.
const WEIGHTS: [u32; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// The weights of GB 11714 for the first eight characters of an organisation code.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];

/// A code with a right check character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
// INVARIANT: 18 ASCII characters of the alphabet, digits at places 3 to 8, the last one the check character.
pub struct Uscc(String);

/// Why a text is not a unified social credit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsccError {
    /// Not 18 characters.
    #[error("a unified social credit code has 18 characters, not {0}")]
    Length(usize),
    /// A character outside the alphabet.
    #[error("`{found}` at place {place} cannot occur in a unified social credit code")]
    Character {
        /// Counted from 1.
        place: usize,
        /// What stands there.
        found: char,
    },
    /// Places 3 to 8 are not digits.
    #[error("places 3 to 8 of a unified social credit code are the six digits of a region")]
    Region,
    /// The check character belongs to another code.
    #[error("the check character of the unified social credit code is wrong")]
    Check,
}

impl Coded for UsccError {
    fn code(&self) -> &'static str {
        match self {
            Self::Length(_) => "uscc.length",
            Self::Character { .. } => "uscc.character",
            Self::Region => "uscc.region",
            Self::Check => "uscc.check",
        }
    }
}

/// An organisation code inside a right code whose own check character is wrong. Such codes were issued, so this
/// is worth a look and no reason to refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationCodeWarning {
    /// The nine characters.
    pub organisation_code: String,
    /// The check character that belongs there.
    pub expected: char,
}

impl Coded for OrganisationCodeWarning {
    fn code(&self) -> &'static str {
        "uscc.organisation_code"
    }
}

impl Uscc {
    /// Reads a code; lower case and spaces at the ends are taken.
    ///
    /// # Errors
    /// When its length, a character, the region or the check character is wrong.
    pub fn parse(text: &str) -> Result<Self, UsccError> {
        let text = text.trim().to_ascii_uppercase();
        let length = text.chars().count();
        if length != 18 {
            return Err(UsccError::Length(length));
        }
        if let Some((place, found)) =
            text.chars().enumerate().find(|(_, c)| u8::try_from(*c).ok().and_then(value).is_none())
        {
            return Err(UsccError::Character { place: place + 1, found });
        }
        if !text.bytes().skip(2).take(6).all(|byte| byte.is_ascii_digit()) {
            return Err(UsccError::Region);
        }
        let (body, check) = text.split_at(17);
        if check_character(body).map(|right| right.to_string()).as_deref() != Some(check) {
            return Err(UsccError::Check);
        }
        Ok(Self(text))
    }

    /// A made-up code of a sole trader (92, 个体工商户) registered in this county.
    ///
    /// The organisation code begins with `YW`, a range that nobody issues, so a made-up code is nobody's.
    #[must_use]
    pub fn individual_business(region: DivisionCode, entropy: &dyn Entropy) -> Self {
        let mut organisation = String::from("YW");
        while organisation.len() < 8 {
            let drawn = usize::try_from(entropy.below(31)).unwrap_or_default();
            organisation.extend(ALPHABET.get(drawn).map(|byte| char::from(*byte)));
        }
        organisation.extend(organisation_check(&organisation));
        let body = format!("92{}{organisation}", region.six());
        let check = check_character(&body);
        Self(body.chars().chain(check).collect())
    }

    /// Puts a code together, for demo data and tests: what registers (two characters, such as `91`), the region, and
    /// the first eight characters of the organisation code.
    ///
    /// # Errors
    /// When a part has another length or a character that cannot occur.
    pub fn compose(registration: &str, region: DivisionCode, organisation: &str) -> Result<Self, UsccError> {
        let check = organisation_check(organisation).map(String::from).unwrap_or_default();
        let body = format!("{registration}{}{organisation}{check}", region.six());
        let check = check_character(&body).map(String::from).unwrap_or_default();
        Self::parse(&format!("{body}{check}"))
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The department and class of registration, such as `91` for a firm and `92` for a sole trader.
    #[must_use]
    pub fn registration(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }

    /// The six digits of the registering region; `100000` is the nation.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.get(2..8).unwrap_or_default()
    }

    /// The organisation code of GB 11714, nine characters.
    #[must_use]
    pub fn organisation_code(&self) -> &str {
        self.0.get(8..17).unwrap_or_default()
    }

    /// What is wrong with the organisation code inside, if anything.
    #[must_use]
    pub fn organisation_code_warning(&self) -> Option<OrganisationCodeWarning> {
        let (body, check) = self.organisation_code().split_at_checked(8)?;
        let expected = organisation_check(body)?;
        let organisation_code = self.organisation_code().to_owned();
        (!check.starts_with(expected)).then_some(OrganisationCodeWarning { organisation_code, expected })
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Uscc {
    type Err = UsccError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Uscc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Uscc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn value(byte: u8) -> Option<u32> {
    ALPHABET.iter().position(|other| *other == byte).and_then(|place| u32::try_from(place).ok())
}

/// The check character of the first 17 characters.
fn check_character(body: &str) -> Option<char> {
    let mut sum = 0;
    for (byte, weight) in body.bytes().zip(WEIGHTS) {
        sum += value(byte)? * weight;
    }
    let place = usize::try_from((31 - sum % 31) % 31).ok()?;
    ALPHABET.get(place).map(|byte| char::from(*byte))
}

/// The check character of the first eight characters of an organisation code.
fn organisation_check(body: &str) -> Option<char> {
    let mut sum = 0;
    for (c, weight) in body.chars().zip(ORGANISATION_WEIGHTS) {
        sum += c.to_digit(36)? * weight;
    }
    match 11 - sum % 11 {
        10 => Some('X'),
        11 => Some('0'),
        digit => char::from_digit(digit, 10),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_code_that_was_put_together_is_read_again() {
        let region = DivisionCode::parse("532901").unwrap();
        let made = Uscc::compose("91", region, "YW000001").unwrap();
        assert_eq!((made.registration(), made.region()), ("91", "532901"));
        assert_eq!(made.organisation_code_warning(), None);
        // The code of a published sample, from its parts.
        let beijing = DivisionCode::parse("110000").unwrap();
        assert_eq!(Uscc::compose("91", beijing, "80210043").unwrap().as_str(), "91110000802100433B");
        assert_eq!(Uscc::compose("91", region, "YW00000"), Err(UsccError::Length(17)));
        assert!(Uscc::compose("91", region, "YW00000O").is_err());
        assert!(Uscc::compose("911", region, "YW000001").is_err());
    }

    #[test]
    fn published_codes_verify() {
        for code in [
            "91110000802100433B",
            "91330100799655058B",
            "914403001922038216",
            "91440300708461136T",
            "11100000000013338W",
            "91350100M000100Y43",
        ] {
            assert_eq!(Uscc::parse(code).unwrap().as_str(), code);
        }
        assert_eq!(Uscc::parse("91350100M000100Y4Z"), Err(UsccError::Character { place: 18, found: 'Z' }));
        assert_eq!(Uscc::parse("91350100M000100Y44"), Err(UsccError::Check));
    }

    #[test]
    fn the_organisation_code_inside_only_warns() {
        assert_eq!(Uscc::parse("91330100799655058B").unwrap().organisation_code_warning(), None);
        // Another ninth character, and the check character that then belongs to the whole.
        let body = "91330100799655059";
        let odd = Uscc::parse(&format!("{body}{}", check_character(body).unwrap())).unwrap();
        let warning = odd.organisation_code_warning().unwrap();
        assert_eq!((warning.organisation_code.as_str(), warning.expected), ("799655059", '8'));
    }

    #[test]
    fn a_code_falls_into_its_parts() {
        let code = Uscc::parse(" 91330100799655058b ").unwrap();
        assert_eq!(
            (code.registration(), code.region(), code.organisation_code()),
            ("91", "330100", "799655058")
        );
    }

    #[test]
    fn each_wrong_part_has_its_own_code() {
        for (text, code) in [
            ("", "uscc.length"),
            ("91330100799655058", "uscc.length"),
            ("91330100799655058BB", "uscc.length"),
            ("9133010079965505照B", "uscc.character"),
            ("9133010079965505IB", "uscc.character"),
            ("91A30100799655058B", "uscc.region"),
        ] {
            assert_eq!(Uscc::parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_made_up_code_verifies_inside_and_out(seed: u64) {
            let code = Uscc::individual_business("532901".parse().unwrap(), &SeededEntropy::new(seed));
            prop_assert_eq!(Uscc::parse(code.as_str()), Ok(code.clone()));
            prop_assert_eq!(code.organisation_code_warning(), None);
            prop_assert!(code.as_str().starts_with("92532901YW"));
        }

        // The modulus 31 is prime and no weight is divisible by it, so one wrong character never cancels out.
        #[test]
        fn every_change_of_one_character_is_caught(seed: u64, at in 0_usize..18, other in 0_usize..31) {
            let code = Uscc::individual_business("532901".parse().unwrap(), &SeededEntropy::new(seed));
            let mut changed = code.as_str().to_owned().into_bytes();
            changed[at] = ALPHABET[other];
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(Uscc::parse(&changed).is_ok(), changed == code.as_str());
        }

        // Neighbouring weights differ by a factor of 3, so a swap changes the sum by 2 times the difference times
        // a weight, which is never divisible by 31. The check character itself has the weight 1 beside 28.
        #[test]
        fn every_swap_of_neighbours_is_caught(seed: u64, at in 0_usize..17) {
            let code = Uscc::individual_business("532901".parse().unwrap(), &SeededEntropy::new(seed));
            let mut swapped = code.as_str().to_owned().into_bytes();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            prop_assert_eq!(Uscc::parse(&swapped).is_ok(), swapped == code.as_str());
        }
    }
}
