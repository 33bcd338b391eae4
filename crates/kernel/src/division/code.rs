//! Codes of divisions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Coded;

/// The six levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 省, 自治区, 直辖市.
    Province,
    /// 市, 地区, 自治州, 盟.
    City,
    /// 县, 区, 县级市, 旗.
    County,
    /// 乡, 镇, 街道.
    Township,
    /// 村委会, 居委会.
    Village,
    /// 小组, 网格.
    Group,
}

impl Level {
    /// Every level from the top.
    pub const ALL: [Self; 6] =
        [Self::Province, Self::City, Self::County, Self::Township, Self::Village, Self::Group];

    /// What one division of the level is worth in a code: the place of its last digit.
    pub(super) const fn unit(self) -> u64 {
        match self {
            Self::Province => 10_000_000_000_000,
            Self::City => 100_000_000_000,
            Self::County => 1_000_000_000,
            Self::Township => 1_000_000,
            Self::Village => 1000,
            Self::Group => 1,
        }
    }
}

/// The code of a division of any level.
///
/// Written with 6 digits to the county, 9 for a township, 12 for a village and 15 for a group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// INVARIANT: 15 digits, padded with zeros, the first of them not 0; order is the order of the tree.
pub struct DivisionCode(u64);

/// A text that is no code of a division.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a division code of 6, 9, 12 or 15 digits")]
pub struct DivisionCodeError {
    text: String,
}

impl Coded for DivisionCodeError {
    fn code(&self) -> &'static str {
        "division.malformed"
    }
}

impl DivisionCode {
    /// Reads 6, 9, 12 or 15 digits; `532901` and `532901000000` are the same code.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn parse(text: &str) -> Result<Self, DivisionCodeError> {
        let known_length = matches!(text.len(), 6 | 9 | 12 | 15);
        Self::from_prefix(text)
            .filter(|_| known_length)
            .ok_or_else(|| DivisionCodeError { text: text.chars().take(40).collect() })
    }

    /// Reads the leading digits of a code, at least the two of the province.
    pub(super) fn from_prefix(digits: &str) -> Option<Self> {
        let fits = (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !fits || digits.starts_with('0') {
            return None;
        }
        format!("{digits:0<15}").parse().ok().map(Self)
    }

    /// The lowest level that the digits name. A city without counties is a city.
    #[must_use]
    pub fn level(self) -> Level {
        let lowest = Level::ALL.into_iter().find(|level| self.0.is_multiple_of(level.unit()));
        lowest.unwrap_or(Level::Group)
    }

    /// The code one level up by its digits, whether or not such a division exists; none for a province.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let level = self.level();
        let above = Level::ALL.into_iter().rev().find(|other| *other < level)?;
        Some(self.at(above))
    }

    /// The division of a higher level that holds this one; itself at its own level and below.
    #[must_use]
    pub fn at(self, level: Level) -> Self {
        Self(self.0 - self.0 % level.unit())
    }

    /// Whether this is `ancestor` or lies within it.
    #[must_use]
    pub fn is_within(self, ancestor: Self) -> bool {
        self.at(ancestor.level()) == ancestor
    }

    /// The first code after everything within this one.
    pub(super) fn end(self) -> Self {
        Self(self.0 + self.level().unit())
    }

    /// The six digits of the county, or of the city or province with zeros.
    #[must_use]
    pub fn six(self) -> String {
        format!("{:06}", self.0 / Level::County.unit())
    }

    /// The twelve digits for statistics; a group gives those of its village.
    #[must_use]
    pub fn twelve(self) -> String {
        format!("{:012}", self.0 / Level::Village.unit())
    }
}

impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level() {
            Level::Province | Level::City | Level::County => f.write_str(&self.six()),
            Level::Township => write!(f, "{:09}", self.0 / Level::Township.unit()),
            Level::Village => f.write_str(&self.twelve()),
            Level::Group => write!(f, "{:015}", self.0),
        }
    }
}

impl fmt::Debug for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DivisionCode({self})")
    }
}

impl FromStr for DivisionCode {
    type Err = DivisionCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for DivisionCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DivisionCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
