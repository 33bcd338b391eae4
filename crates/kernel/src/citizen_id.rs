//! Citizen identification numbers (公民身份号码, GB 11643-1999).
//!
//! 18 characters: region (6), birth (8), sequence (3, odd for a man), check character (ISO 7064 MOD 11-2). The
//! numbers of 15 digits from before 1999 are read and lengthened. A number stays for life, so regions that have
//! since been abolished are as good as present ones; see [`Divisions::citizen_region`].

use std::fmt;

use crate::division::{CitizenRegion, DivisionCode, Divisions};
use crate::error::Coded;
use crate::time::Date;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10X98765432";

/// Nobody is older than so many years; a birth before that is a slip of the pen.
const OLDEST: i16 = 150;

/// A valid number.
///
/// It is personal data: it has no `Display` and no serde, and `Debug` shows it masked, so that it does not slip
/// into a log. [`CitizenId::as_str`] is the deliberate way to it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
// INVARIANT: 18 ASCII characters with a right check character; `birth` is the date inside.
pub struct CitizenId {
    text: String,
    birth: Date,
}

/// The sex that the sequence number tells (GB/T 2261.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sex {
    /// 女, code 2.
    Female,
    /// 男, code 1.
    Male,
}

/// Why a text is not a citizen number. It never repeats the number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CitizenIdError {
    /// Neither 18 nor 15 characters.
    #[error("a citizen number has 18 characters, not {0}")]
    Length(usize),
    /// A character that is no digit, or X elsewhere than at the end.
    #[error("the character at place {place} of the citizen number is not a digit")]
    Character {
        /// Counted from 1.
        place: usize,
    },
    /// No region ever had these digits.
    #[error("`{region}` is not a region, present or former")]
    Region {
        /// The six digits.
        region: String,
    },
    /// The digits of the birth are no date, or lie more than 150 years back.
    #[error("the digits of the birth are not a date")]
    Birth,
    /// Born after today.
    #[error("the birth lies in the future")]
    BirthInFuture,
    /// The check character belongs to another number.
    #[error("the check character of the citizen number is wrong")]
    Check,
}

impl Coded for CitizenIdError {
    fn code(&self) -> &'static str {
        match self {
            Self::Length(_) => "citizen_id.length",
            Self::Character { .. } => "citizen_id.character",
            Self::Region { .. } => "citizen_id.region",
            Self::Birth => "citizen_id.birth",
            Self::BirthInFuture => "citizen_id.birth_in_future",
            Self::Check => "citizen_id.check",
        }
    }
}

impl CitizenId {
    /// Reads a number of 18 or 15 characters; a lower-case x and spaces at the ends are taken.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order in which a person would look: length, characters, region,
    /// birth, check character.
    pub fn parse(text: &str, today: Date, divisions: &Divisions) -> Result<Self, CitizenIdError> {
        let text = text.trim().to_ascii_uppercase();
        let length = text.chars().count();
        if length != 18 && length != 15 {
            return Err(CitizenIdError::Length(length));
        }
        let wrong = text.chars().position(|c| !c.is_ascii_digit());
        if let Some(place) = wrong.filter(|place| *place != 17 || !text.ends_with('X')) {
            return Err(CitizenIdError::Character { place: place + 1 });
        }
        let (region, rest) = text.split_at(6);
        let body = if length == 15 { format!("{region}19{rest}") } else { text.chars().take(17).collect() };
        if divisions.citizen_region(region).is_none() {
            return Err(CitizenIdError::Region { region: region.to_owned() });
        }
        let birth = body.get(6..14).and_then(|digits| digits.parse().ok()).ok_or(CitizenIdError::Birth)?;
        let complete = Self::checked(body, birth, today)?;
        if length == 18 && complete.text != text {
            return Err(CitizenIdError::Check);
        }
        Ok(complete)
    }

    /// Puts a number together, for demo data and tests.
    ///
    /// # Errors
    /// When the region never was, the birth is not credible or the sequence is above 999.
    pub fn compose(
        region: DivisionCode,
        birth: Date,
        sequence: u16,
        today: Date,
        divisions: &Divisions,
    ) -> Result<Self, CitizenIdError> {
        let region = region.six();
        if divisions.citizen_region(&region).is_none() {
            return Err(CitizenIdError::Region { region });
        }
        if sequence > 999 {
            return Err(CitizenIdError::Length(19));
        }
        let day = format!("{:04}{:02}{:02}", birth.year(), birth.month(), birth.day());
        Self::checked(format!("{region}{day}{sequence:03}"), birth, today)
    }

    /// Looks at the birth and appends the check character to 17 digits.
    fn checked(body: String, birth: Date, today: Date) -> Result<Self, CitizenIdError> {
        if birth > today {
            return Err(CitizenIdError::BirthInFuture);
        }
        if birth.year() < today.year().saturating_sub(OLDEST) {
            return Err(CitizenIdError::Birth);
        }
        let mut text = body;
        text.extend(check_character(&text));
        Ok(Self { text, birth })
    }

    /// The 18 characters: personal data.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The date of birth.
    #[must_use]
    pub fn birth(&self) -> Date {
        self.birth
    }

    /// Completed years on a day; zero before the birth. Whoever was born on 29 February completes a year on
    /// 1 March where February has 28 days.
    #[must_use]
    pub fn age_on(&self, day: Date) -> u32 {
        let before_birthday = (day.month(), day.day()) < (self.birth.month(), self.birth.day());
        let years = i32::from(day.year()) - i32::from(self.birth.year()) - i32::from(before_birthday);
        u32::try_from(years).unwrap_or(0)
    }

    /// The sex that the sequence number tells.
    #[must_use]
    pub fn sex(&self) -> Sex {
        let odd = self.text.as_bytes().get(16).is_some_and(|digit| digit % 2 == 1);
        if odd { Sex::Male } else { Sex::Female }
    }

    /// The six digits of the region that gave the number.
    #[must_use]
    pub fn region(&self) -> &str {
        self.text.get(..6).unwrap_or_default()
    }

    /// How the region stands today.
    #[must_use]
    pub fn region_standing(&self, divisions: &Divisions) -> Option<CitizenRegion> {
        divisions.citizen_region(self.region())
    }

    /// The number with the birth hidden: `532901********1234`.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}********{}", self.region(), self.text.get(14..).unwrap_or_default())
    }
}

impl fmt::Debug for CitizenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CitizenId").field(&self.masked()).finish()
    }
}

/// The check character of 17 digits.
fn check_character(body: &str) -> Option<char> {
    let mut sum = 0;
    for (c, weight) in body.chars().zip(WEIGHTS) {
        sum += c.to_digit(10)? * weight;
    }
    CHECKS.get(usize::try_from(sum % 11).ok()?).map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 11, 24);

    fn parse(text: &str) -> Result<CitizenId, CitizenIdError> {
        CitizenId::parse(text, TODAY, Divisions::embedded())
    }

    fn code_of(text: &str) -> &'static str {
        parse(text).unwrap_err().code()
    }

    #[test]
    fn published_numbers_verify() {
        let first = parse("11010519491231002X").unwrap();
        assert_eq!((first.birth(), first.sex(), first.region()), (date(1949, 12, 31), Sex::Female, "110105"));
        let second = parse("440524188001010014");
        // The second sample of the standard is of a man born in 1880, more than 150 years before only from 2031 on.
        assert_eq!(second.unwrap().sex(), Sex::Male);
        assert_eq!(
            CitizenId::parse("440524188001010014", date(2031, 1, 1), Divisions::embedded()),
            Err(CitizenIdError::Birth)
        );
    }

    #[test]
    fn a_small_x_and_spaces_are_taken() {
        assert_eq!(parse(" 11010519491231002x ").unwrap().as_str(), "11010519491231002X");
    }

    #[test]
    fn a_number_of_fifteen_digits_becomes_one_of_eighteen() {
        let long = parse("110105491231002").unwrap();
        assert_eq!(long.as_str(), "11010519491231002X");
    }

    #[test]
    fn a_number_of_an_abolished_county_stays_good() {
        let divisions = Divisions::embedded();
        for (region, standing) in [
            ("110103", CitizenRegion::Former),
            ("512222", CitizenRegion::Former),
            ("532901", CitizenRegion::Present),
            ("532999", CitizenRegion::OfKnownCity),
            ("830000", CitizenRegion::ResidencePermit),
        ] {
            assert_eq!(divisions.citizen_region(region), Some(standing), "{region}");
        }
        let code = "110103".parse().unwrap();
        let born_in_chongwen = CitizenId::compose(code, date(1970, 3, 4), 15, TODAY, divisions).unwrap();
        assert_eq!(parse(born_in_chongwen.as_str()), Ok(born_in_chongwen.clone()));
        assert_eq!(born_in_chongwen.region_standing(divisions), Some(CitizenRegion::Former));
    }

    #[test]
    fn each_wrong_part_has_its_own_code() {
        assert_eq!(code_of(""), "citizen_id.length");
        assert_eq!(code_of("11010519491231002"), "citizen_id.length");
        assert_eq!(code_of("1101051949123100X2"), "citizen_id.character");
        assert_eq!(code_of("11010549123100X"), "citizen_id.character");
        assert_eq!(code_of("１1010519491231002X"), "citizen_id.character");
        assert_eq!(code_of("99010519491231002X"), "citizen_id.region");
        assert_eq!(code_of("00000019491231002X"), "citizen_id.region");
        assert_eq!(code_of("11010519490231002X"), "citizen_id.birth");
        assert_eq!(code_of("110105199913310021"), "citizen_id.birth");
        assert_eq!(code_of("11010520261125002X"), "citizen_id.birth_in_future");
        assert_eq!(code_of("110105194912310021"), "citizen_id.check");
    }

    #[test]
    fn whoever_is_born_today_has_a_number() {
        let code = "532901".parse().unwrap();
        let born = |day| CitizenId::compose(code, day, 1, TODAY, Divisions::embedded());
        assert_eq!(born(TODAY).unwrap().age_on(TODAY), 0);
        assert_eq!(born(date(2026, 11, 25)), Err(CitizenIdError::BirthInFuture));
    }

    #[test]
    fn ages_are_completed_years() {
        let code = "532901".parse().unwrap();
        let leap = CitizenId::compose(code, date(2004, 2, 29), 1, TODAY, Divisions::embedded()).unwrap();
        assert_eq!(leap.age_on(date(2022, 2, 28)), 17);
        assert_eq!(leap.age_on(date(2022, 3, 1)), 18);
        assert_eq!(leap.age_on(date(2024, 2, 29)), 20);
        assert_eq!(leap.age_on(date(2000, 1, 1)), 0);
    }

    #[test]
    fn neither_debug_nor_an_error_shows_the_number() {
        let number = parse("11010519491231002X").unwrap();
        assert_eq!(number.masked(), "110105********002X");
        assert_eq!(format!("{number:?}"), "CitizenId(\"110105********002X\")");
        let error = parse("110105194912310021").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("19491231"));
    }

    fn number() -> impl Strategy<Value = CitizenId> {
        let days = (date(1900, 1, 1), TODAY);
        let span = i32::try_from(days.1.duration_since(days.0).as_hours() / 24).unwrap();
        let regions = prop::sample::select(vec!["532901", "110105", "110103", "440301", "441900"]);
        (regions, 0..=span, 0_u16..=999).prop_map(move |(region, day, sequence)| {
            let birth = days.0.checked_add(jiff::Span::new().days(day)).unwrap();
            CitizenId::compose(region.parse().unwrap(), birth, sequence, TODAY, Divisions::embedded())
                .unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_composed_number_verifies(number in number()) {
            prop_assert_eq!(parse(number.as_str()), Ok(number));
        }

        // MOD 11-2: 11 is prime and no weight is divisible by it.
        #[test]
        fn every_change_of_one_character_is_caught(number in number(), at in 0_usize..18, other in "[0-9X]") {
            let mut changed = number.as_str().to_owned();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(parse(&changed).is_ok(), changed == number.as_str());
        }

        // Neighbouring weights differ by a factor of 2 modulo 11, so a swap never cancels out.
        #[test]
        fn every_swap_of_neighbours_is_caught(number in number(), at in 0_usize..17) {
            let mut swapped = number.as_str().to_owned().into_bytes();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            prop_assert_eq!(parse(&swapped).is_ok(), swapped == number.as_str());
        }
    }
}
