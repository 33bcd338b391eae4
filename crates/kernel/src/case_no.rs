//! Case numbers (办件编号), made to be read out over the telephone: `532901-20261124-7QK3M9X-C`.
//!
//! Six digits of the division, the day, seven random characters and a check character by ISO 7064 MOD 37,36
//! over all of it. The random part and the check character are of Crockford's alphabet, which has no I, L, O
//! and U, so that a reader's `O` can only mean `0`. There are 2^35 numbers a day and division; the ledger
//! keeps them unique and draws again in the rare clash.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::check::mod_37_36;
use crate::division::DivisionCode;
use crate::entropy::Entropy;
use crate::error::Coded;
use crate::time::Date;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM_LENGTH: u32 = 7;
const RANDOM_VALUES: u64 = 1 << (5 * RANDOM_LENGTH);

/// A case number with a right check character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
// INVARIANT: `DDDDDD-YYYYMMDD-RRRRRRR-C`, ASCII, upper case.
pub struct CaseNo(String);

/// Why a text is not a case number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseNoError {
    /// Other parts or lengths.
    #[error("a case number looks like 532901-20261124-7QK3M9X-C")]
    Malformed,
    /// The check character belongs to another number: something was misread.
    #[error("the check character of the case number is wrong")]
    Check,
}

impl Coded for CaseNoError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "case_no.malformed",
            Self::Check => "case_no.check",
        }
    }
}

impl CaseNo {
    /// A new number for a case received in `division` on `date`.
    ///
    /// A division below the county gives the number of its county.
    #[must_use]
    pub fn generate(division: DivisionCode, date: Date, entropy: &dyn Entropy) -> Self {
        let head = format!("{}{:04}{:02}{:02}", division.six(), date.year(), date.month(), date.day());
        let mut random = entropy.below(RANDOM_VALUES);
        loop {
            let body = format!("{head}{}", crockford(random));
            // Four of the 36 check characters are not Crockford's; the next number has another one.
            match mod_37_36(&body) {
                Some(check) if CROCKFORD.contains(&(check as u8)) => return Self(with_dashes(&body, check)),
                _ => random = (random + 1) % RANDOM_VALUES,
            }
        }
    }

    /// Reads a number as people type it: lower case, spaces or no dashes, `O` for `0`, `I` and `L` for `1`.
    ///
    /// # Errors
    /// When it has other parts or the check character is wrong.
    pub fn parse(text: &str) -> Result<Self, CaseNoError> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(as_meant).collect();
        let (Some(body), Some(check), 22) = (plain.get(..21), plain.chars().last(), plain.len()) else {
            return Err(CaseNoError::Malformed);
        };
        let digits = |range| plain.get(range).filter(|part: &&str| part.bytes().all(|b| b.is_ascii_digit()));
        let (Some(_), Some(day)) = (digits(0..6), digits(6..14)) else { return Err(CaseNoError::Malformed) };
        day.parse::<Date>().map_err(|_| CaseNoError::Malformed)?;
        if !plain.bytes().skip(14).all(|byte| CROCKFORD.contains(&byte)) {
            return Err(CaseNoError::Malformed);
        }
        if mod_37_36(body) != Some(check) {
            return Err(CaseNoError::Check);
        }
        Ok(Self(with_dashes(body, check)))
    }

    /// The number with dashes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CaseNo {
    type Err = CaseNoError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for CaseNo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CaseNo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn as_meant(typed: char) -> char {
    match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

fn crockford(number: u64) -> String {
    let digits = (0..RANDOM_LENGTH).rev().map(|place| (number >> (5 * place)) as usize % 32);
    digits.filter_map(|digit| CROCKFORD.get(digit)).map(|byte| char::from(*byte)).collect()
}

/// `body` is 21 ASCII characters: division, day, random part.
fn with_dashes(body: &str, check: char) -> String {
    let (division, rest) = body.split_at_checked(6).unwrap_or((body, ""));
    let (day, random) = rest.split_at_checked(8).unwrap_or((rest, ""));
    format!("{division}-{day}-{random}-{check}")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;

    fn number(seed: u64) -> CaseNo {
        CaseNo::generate("532901".parse().unwrap(), date(2026, 11, 24), &SeededEntropy::new(seed))
    }

    #[test]
    fn a_number_begins_with_the_county_and_the_day() {
        let township = "532901001".parse().unwrap();
        let text = CaseNo::generate(township, date(2026, 11, 24), &SeededEntropy::new(1)).to_string();
        assert!(text.starts_with("532901-20261124-") && text.len() == 25, "{text}");
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        let number = number(5);
        let typed = number.as_str().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(CaseNo::parse(&typed), Ok(number.clone()));
        let json = serde_json::to_string(&number).unwrap();
        assert_eq!(serde_json::from_str::<CaseNo>(&json).unwrap(), number);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "532901", "532901-20261324-7QK3M9X-C", "53290A-20261124-7QK3M9X-C", "大理"] {
            assert_eq!(CaseNo::parse(text), Err(CaseNoError::Malformed), "{text}");
        }
    }

    #[test]
    fn entropy_that_stands_still_does_not_hang_the_numbering() {
        struct Still(u8);
        impl Entropy for Still {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(self.0);
            }
        }
        for byte in [0, 255] {
            let number = CaseNo::generate("110101".parse().unwrap(), date(2026, 1, 1), &Still(byte));
            assert_eq!(CaseNo::parse(number.as_str()), Ok(number));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_number_verifies_and_every_misread_character_is_caught(
            seed: u64, at in 0_usize..22, other in 0_usize..32,
        ) {
            let number = number(seed);
            prop_assert_eq!(CaseNo::parse(number.as_str()), Ok(number.clone()));
            let mut changed = number.as_str().replace('-', "").into_bytes();
            let before = changed[at];
            changed[at] = CROCKFORD[other];
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(CaseNo::parse(&changed).is_ok(), before == CROCKFORD[other]);
        }
    }
}
