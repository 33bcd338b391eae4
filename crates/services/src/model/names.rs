//! Names of businesses (字号): what may stand in one, and when two are the same.

use kernel::division::{DivisionCode, Divisions};
use unicode_normalization::UnicodeNormalization;
use web::i18n::key;

/// Words that a name of an individual business may not hold: they promise what it is not, or offend.
/// 企业名称登记管理规定 (国务院令第734号), article 11.
const FORBIDDEN: [&str; 13] = [
    "中国",
    "中华",
    "全国",
    "国家",
    "国际",
    "央企",
    "政府",
    "军队",
    "警察",
    "有限公司",
    "股份",
    "集团",
    "银行",
];

/// What a name ends in without being told apart by it.
const TRADES: [&str; 18] = [
    "个体工商户",
    "小吃店",
    "餐饮店",
    "百货店",
    "便利店",
    "服装店",
    "理发店",
    "工作室",
    "经营部",
    "商行",
    "小馆",
    "餐馆",
    "饭店",
    "超市",
    "客栈",
    "民宿",
    "店",
    "铺",
];

/// A name that can be registered as far as its words go. Whether it is free, the register says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeName {
    shown: String,
    distinctive: String,
}

/// Why a name cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Fewer than two characters.
    #[error("the name is too short")]
    TooShort,
    /// More than 20 characters.
    #[error("the name is too long")]
    TooLong,
    /// A character other than Chinese characters of the standard list.
    #[error("`{0}` may not stand in a name")]
    Character(char),
    /// A word that is not allowed.
    #[error("`{0}` may not stand in a name")]
    Word(String),
    /// Nothing but a place or a trade.
    #[error("the name says nothing but a place or a trade")]
    Empty,
}

impl NameError {
    /// The key of what is said about it.
    pub fn key(&self) -> &'static str {
        match self {
            Self::TooShort => key("services-name-too-short"),
            Self::TooLong => key("services-name-too-long"),
            Self::Character(_) => key("services-name-character"),
            Self::Word(_) => key("services-name-word"),
            Self::Empty => key("services-name-empty"),
        }
    }

    /// What the text names.
    pub fn part(&self) -> String {
        match self {
            Self::Character(letter) => letter.to_string(),
            Self::Word(word) => word.clone(),
            _ => String::new(),
        }
    }
}

impl TradeName {
    /// Reads what was typed.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let shown: String = text.nfkc().filter(|letter| !letter.is_whitespace()).collect();
        let length = shown.chars().count();
        if length < 2 {
            return Err(NameError::TooShort);
        }
        if length > 20 {
            return Err(NameError::TooLong);
        }
        if let Some(letter) = shown.chars().find(|letter| !matches!(letter, '\u{4e00}'..='\u{9fff}')) {
            return Err(NameError::Character(letter));
        }
        if let Some(word) = FORBIDDEN.iter().find(|word| shown.contains(**word)) {
            return Err(NameError::Word((*word).to_owned()));
        }
        let distinctive = distinctive(&shown);
        if distinctive.is_empty() {
            return Err(NameError::Empty);
        }
        Ok(Self { shown, distinctive })
    }

    /// The name as it is registered.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What two names of one place may not share.
    pub fn distinctive(&self) -> &str {
        &self.distinctive
    }

    /// Other names to try.
    pub fn alternatives(&self) -> Vec<String> {
        let of = |word: &str| format!("{}{word}", self.distinctive);
        let mut all: Vec<String> = ["记", "小铺", "里"].into_iter().map(of).collect();
        all.push(format!("苍洱{}", self.distinctive));
        all.retain(|name| name.chars().count() <= 20);
        all
    }
}

/// The name without the trade at its end and the place at its beginning.
fn distinctive(name: &str) -> String {
    let mut rest = name;
    let places = Divisions::embedded();
    for code in ["530000", "532900", "532901"] {
        let Some(place) = DivisionCode::parse(code).ok().and_then(|code| places.get(code)) else { continue };
        rest = rest.strip_prefix(place.name).unwrap_or(rest);
    }
    for trade in TRADES {
        if let Some(head) = rest.strip_suffix(trade) {
            rest = head;
            break;
        }
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trade_at_the_end_tells_no_names_apart() {
        let name = TradeName::parse("苍洱小馆").unwrap();
        assert_eq!((name.as_str(), name.distinctive()), ("苍洱小馆", "苍洱"));
        assert_eq!(TradeName::parse("苍洱 餐馆").unwrap().distinctive(), "苍洱");
        assert_eq!(TradeName::parse("大理市风花雪月客栈").unwrap().distinctive(), "风花雪月");
    }

    #[test]
    fn a_name_that_promises_too_much_or_says_nothing_is_refused() {
        assert_eq!(TradeName::parse("中国饭店"), Err(NameError::Word("中国".to_owned())));
        assert_eq!(TradeName::parse("苍洱有限公司"), Err(NameError::Word("有限公司".to_owned())));
        assert_eq!(TradeName::parse("理发店"), Err(NameError::Empty));
        assert_eq!(TradeName::parse("店"), Err(NameError::TooShort));
        assert_eq!(TradeName::parse("Cang洱"), Err(NameError::Character('C')));
        assert_eq!(TradeName::parse(&"洱".repeat(21)), Err(NameError::TooLong));
    }
}
