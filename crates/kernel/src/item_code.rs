//! Codes of service items (GB/T 39554.1-2020): catalogue 12, task 31, handle item 33.
//!
//! The layouts are those of published items; the standard's own text was not at hand.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Coded;
use crate::uscc::{Uscc, UsccError};

/// What kind of power a service item exercises (事项类型).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// 01 行政许可.
    Licensing,
    /// 02 行政处罚.
    Penalty,
    /// 03 行政强制.
    Coercion,
    /// 04 行政征收.
    Levy,
    /// 05 行政给付.
    Benefit,
    /// 06 行政检查.
    Inspection,
    /// 07 行政确认.
    Confirmation,
    /// 08 行政奖励.
    Award,
    /// 09 行政裁决.
    Adjudication,
    /// 10 其他行政权力.
    OtherPower,
    /// 20 公共服务.
    PublicService,
}

impl ItemKind {
    /// Every kind with its two digits and its Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 11] = [
        (Self::Licensing, "01", "行政许可"),
        (Self::Penalty, "02", "行政处罚"),
        (Self::Coercion, "03", "行政强制"),
        (Self::Levy, "04", "行政征收"),
        (Self::Benefit, "05", "行政给付"),
        (Self::Inspection, "06", "行政检查"),
        (Self::Confirmation, "07", "行政确认"),
        (Self::Award, "08", "行政奖励"),
        (Self::Adjudication, "09", "行政裁决"),
        (Self::OtherPower, "10", "其他行政权力"),
        (Self::PublicService, "20", "公共服务"),
    ];

    /// The kind with these two digits.
    #[must_use]
    pub fn from_digits(digits: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, code, _)| *code == digits).map(|(kind, _, _)| *kind)
    }

    /// The two digits of the kind.
    #[must_use]
    pub fn digits(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _, _)| *kind == self).map_or("", |(_, code, _)| code)
    }
}

/// At which level an item is exercised (行使层级).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseLevel {
    /// 1 国家级.
    Nation,
    /// 2 省级.
    Province,
    /// 3 市级.
    City,
    /// 4 县级.
    County,
    /// 5 乡级.
    Township,
    /// 6 村级.
    Village,
}

impl UseLevel {
    /// Every level; its digit is its place counted from 1.
    pub const ALL: [Self; 6] =
        [Self::Nation, Self::Province, Self::City, Self::County, Self::Township, Self::Village];

    /// The level with this digit.
    #[must_use]
    pub fn from_digit(digit: char) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.digit() == digit)
    }

    /// The digit of the level.
    #[must_use]
    pub fn digit(self) -> char {
        match self {
            Self::Nation => '1',
            Self::Province => '2',
            Self::City => '3',
            Self::County => '4',
            Self::Township => '5',
            Self::Village => '6',
        }
    }
}

/// Why a text is not a code of an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemCodeError {
    /// Another length.
    #[error("`{text}` is not {expected} characters long")]
    Length {
        /// What was given.
        text: String,
        /// The length that was expected.
        expected: usize,
    },
    /// A character that is no digit where digits belong.
    #[error("`{0}` holds something other than digits in its catalogue or handle part")]
    Digits(String),
    /// Two digits that name no kind of item.
    #[error("`{0}` is no kind of service item")]
    Kind(String),
    /// A digit that names no level.
    #[error("`{0}` is no level from 1 to 6")]
    UseLevel(char),
    /// The implementing organisation's code is wrong.
    #[error("the code of the implementing organisation is wrong")]
    Organisation(#[source] UsccError),
}

impl Coded for ItemCodeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "item_code.length",
            Self::Digits(_) => "item_code.digits",
            Self::Kind(_) => "item_code.kind",
            Self::UseLevel(_) => "item_code.use_level",
            Self::Organisation(_) => "item_code.organisation",
        }
    }
}

/// 基本编码: 12 digits, of `00` for the nation or the province (2), kind (2), main item (5) and sub item (3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogCode(String);

/// 实施编码: 31 characters, of the implementing organisation's USCC (18), the level (1) and the catalogue code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskCode {
    organisation: Uscc,
    level: UseLevel,
    catalog: CatalogCode,
}

/// 业务办理项编码: 33 characters, of the task code and two digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandleItemCode {
    task: TaskCode,
    number: u8,
}

impl CatalogCode {
    /// Reads a catalogue code.
    ///
    /// # Errors
    /// When the length, a character or the kind is wrong.
    pub fn parse(text: &str) -> Result<Self, ItemCodeError> {
        of_length(text, 12)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ItemCodeError::Digits(text.to_owned()));
        }
        let code = Self(text.to_owned());
        let kind = code.part(2, 4);
        ItemKind::from_digits(kind).ok_or_else(|| ItemCodeError::Kind(kind.to_owned()))?;
        Ok(code)
    }

    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two digits of the province; none for an item of the whole nation.
    #[must_use]
    pub fn province(&self) -> Option<&str> {
        Some(self.part(0, 2)).filter(|province| *province != "00")
    }

    /// The kind of power.
    #[must_use]
    pub fn kind(&self) -> ItemKind {
        // The parser has seen that the kind exists.
        ItemKind::from_digits(self.part(2, 4)).unwrap_or(ItemKind::OtherPower)
    }

    /// The five digits of the main item (主项).
    #[must_use]
    pub fn main_item(&self) -> &str {
        self.part(4, 9)
    }

    /// The three digits of the sub item (子项).
    #[must_use]
    pub fn sub_item(&self) -> &str {
        self.part(9, 12)
    }

    fn part(&self, from: usize, to: usize) -> &str {
        self.0.get(from..to).unwrap_or_default()
    }
}

impl TaskCode {
    /// Puts a task code together.
    #[must_use]
    pub fn new(organisation: Uscc, level: UseLevel, catalog: CatalogCode) -> Self {
        Self { organisation, level, catalog }
    }

    /// Reads a task code.
    ///
    /// # Errors
    /// When the length or a part is wrong, also the check character of the organisation.
    pub fn parse(text: &str) -> Result<Self, ItemCodeError> {
        of_length(text, 31)?;
        let (organisation, rest) = text.split_at(18);
        let (level, catalog) = rest.split_at(1);
        let organisation = Uscc::parse(organisation).map_err(ItemCodeError::Organisation)?;
        let level = level.chars().next().unwrap_or_default();
        let level = UseLevel::from_digit(level).ok_or(ItemCodeError::UseLevel(level))?;
        Ok(Self { organisation, level, catalog: CatalogCode::parse(catalog)? })
    }

    /// The organisation that handles the item (实施主体).
    #[must_use]
    pub fn organisation(&self) -> &Uscc {
        &self.organisation
    }

    /// The level.
    #[must_use]
    pub fn level(&self) -> UseLevel {
        self.level
    }

    /// The item of the catalogue.
    #[must_use]
    pub fn catalog(&self) -> &CatalogCode {
        &self.catalog
    }
}

impl HandleItemCode {
    /// Puts a handle item code together; none for a number above 99.
    #[must_use]
    pub fn new(task: TaskCode, number: u8) -> Option<Self> {
        (number <= 99).then_some(Self { task, number })
    }

    /// Reads a handle item code.
    ///
    /// # Errors
    /// When the length or a part is wrong.
    pub fn parse(text: &str) -> Result<Self, ItemCodeError> {
        of_length(text, 33)?;
        let (task, number) = text.split_at(31);
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = number.parse().ok().filter(|_| digits);
        let number = parsed.ok_or_else(|| ItemCodeError::Digits(number.to_owned()))?;
        Ok(Self { task: TaskCode::parse(task)?, number })
    }

    /// The task it belongs to.
    #[must_use]
    pub fn task(&self) -> &TaskCode {
        &self.task
    }

    /// Its number within the task.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.number
    }
}

impl fmt::Display for CatalogCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TaskCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.organisation, self.level.digit(), self.catalog)
    }
}

impl fmt::Display for HandleItemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:02}", self.task, self.number)
    }
}

macro_rules! text_forms {
    ($($name:ident),+) => {$(
        impl FromStr for $name {
            type Err = ItemCodeError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

text_forms!(CatalogCode, TaskCode, HandleItemCode);

/// Also refuses what is not ASCII, so that a part can be cut anywhere.
fn of_length(text: &str, expected: usize) -> Result<(), ItemCodeError> {
    if text.len() == expected && text.is_ascii() {
        return Ok(());
    }
    Err(ItemCodeError::Length { text: text.chars().take(40).collect(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "11370800MB285591843370117002011";

    #[test]
    fn a_published_task_code_falls_into_its_parts() {
        let task = TaskCode::parse(TASK).unwrap();
        assert_eq!(task.organisation().as_str(), "11370800MB28559184");
        assert_eq!(task.level(), UseLevel::City);
        let catalog = task.catalog();
        assert_eq!(catalog.as_str(), "370117002011");
        assert_eq!((catalog.province(), catalog.kind()), (Some("37"), ItemKind::Licensing));
        assert_eq!((catalog.main_item(), catalog.sub_item()), ("17002", "011"));
        assert_eq!(task.to_string(), TASK);
    }

    #[test]
    fn a_handle_item_is_its_task_and_two_digits() {
        let text = format!("{TASK}07");
        let item = HandleItemCode::parse(&text).unwrap();
        assert_eq!((item.number(), item.to_string()), (7, text.clone()));
        assert_eq!(HandleItemCode::new(TaskCode::parse(TASK).unwrap(), 7), Some(item.clone()));
        assert_eq!(HandleItemCode::new(item.task().clone(), 100), None);
        assert_eq!(serde_json::from_str::<HandleItemCode>(&format!("\"{text}\"")).unwrap(), item);
    }

    #[test]
    fn an_item_of_the_nation_has_no_province() {
        let code = CatalogCode::parse("000700001000").unwrap();
        assert_eq!((code.province(), code.kind()), (None, ItemKind::Confirmation));
    }

    #[test]
    fn each_wrong_part_has_its_own_code() {
        let wrong = |text: &str| TaskCode::parse(text).unwrap_err().code();
        assert_eq!(wrong("11370800MB28559184337011700201"), "item_code.length");
        assert_eq!(wrong(&TASK.replace("MB2", "照")), "item_code.length");
        assert_eq!(wrong("11370800MB285591853370117002011"), "item_code.organisation");
        assert_eq!(wrong("11370800MB285591847370117002011"), "item_code.use_level");
        assert_eq!(wrong("11370800MB285591843371117002011"), "item_code.kind");
        assert_eq!(wrong("11370800MB28559184337011700201X"), "item_code.digits");
        assert_eq!(HandleItemCode::parse(&format!("{TASK}+7")).unwrap_err().code(), "item_code.digits");
    }

    #[test]
    fn kinds_and_levels_are_read_back_from_their_digits() {
        for (kind, digits, _) in ItemKind::ALL {
            assert_eq!((ItemKind::from_digits(digits), kind.digits()), (Some(kind), digits));
        }
        for level in UseLevel::ALL {
            assert_eq!(UseLevel::from_digit(level.digit()), Some(level));
        }
        assert_eq!((ItemKind::from_digits("11"), UseLevel::from_digit('7')), (None, None));
    }
}
