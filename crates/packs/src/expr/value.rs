//! Values, their types and the facts of one application.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use kernel::error::Coded;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Scope;
use crate::model::Words;

/// The type of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactType {
    /// 是 or 否.
    Boolean,
    /// A number with at most four decimals.
    Number,
    /// Money in fen.
    Money,
    /// A day.
    Date,
    /// Text.
    Text,
    /// A list of texts.
    List,
}

impl FactType {
    pub(crate) fn words(self) -> Words {
        match self {
            Self::Boolean => Words::new("是否", "yes or no"),
            Self::Number => Words::new("数字", "a number"),
            Self::Money => Words::new("金额", "money"),
            Self::Date => Words::new("日期", "a date"),
            Self::Text => Words::new("文本", "text"),
            Self::List => Words::new("列表", "a list"),
        }
    }
}

/// A number in ten-thousandths: exact, ordered, without surprises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

impl Decimal {
    const SCALE: i64 = 10_000;

    /// A whole number, unless it is beyond ±9·10¹⁴.
    pub fn whole(n: i64) -> Option<Self> {
        n.checked_mul(Self::SCALE).map(Self)
    }

    /// Reads `16`, `-3.5`: at most four decimals, no exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || fraction.len() > 4 || whole.len() > 14 {
            return None;
        }
        let fraction: i64 = format!("{fraction:0<4}").parse().ok()?;
        let magnitude = whole.parse::<i64>().ok()?.checked_mul(Self::SCALE)?.checked_add(fraction)?;
        Some(Self(if negative { -magnitude } else { magnitude }))
    }

    /// The whole number, where it is one.
    pub fn as_whole(self) -> Option<i64> {
        (self.0 % Self::SCALE == 0).then_some(self.0 / Self::SCALE)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let scale = Self::SCALE.unsigned_abs();
        let (whole, fraction) = (self.0.unsigned_abs() / scale, self.0.unsigned_abs() % scale);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = format!("{fraction:04}");
        write!(f, "{sign}{whole}.{}", fraction.trim_end_matches('0'))
    }
}

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a decimal number"))
    }
}

/// A value of a fact or an expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// 是 or 否.
    Boolean(bool),
    /// A number.
    Number(Decimal),
    /// Fen.
    Money(i64),
    /// A day.
    Date(Date),
    /// Text; the empty text is an answer left empty.
    Text(String),
    /// Texts.
    List(Vec<String>),
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> FactType {
        match self {
            Self::Boolean(_) => FactType::Boolean,
            Self::Number(_) => FactType::Number,
            Self::Money(_) => FactType::Money,
            Self::Date(_) => FactType::Date,
            Self::Text(_) => FactType::Text,
            Self::List(_) => FactType::List,
        }
    }

    /// A whole number as a value.
    pub fn whole(n: i64) -> Option<Self> {
        Decimal::whole(n).map(Self::Number)
    }

    /// The plain JSON of the value: money as fen, dates as text, whole numbers as numbers and
    /// others as text. The type of the fact reads it back.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Boolean(b) => Json::from(*b),
            Self::Number(n) => n.as_whole().map_or_else(|| Json::from(n.to_string()), Json::from),
            Self::Money(fen) => Json::from(*fen),
            Self::Date(date) => Json::from(date.to_string()),
            Self::Text(text) => Json::from(text.as_str()),
            Self::List(items) => Json::from(items.clone()),
        }
    }

    /// Reads plain JSON as a value of that type.
    pub fn from_json(kind: FactType, json: &Json) -> Option<Self> {
        match (kind, json) {
            (FactType::Boolean, Json::Bool(b)) => Some(Self::Boolean(*b)),
            (FactType::Number, Json::Number(n)) => Decimal::parse(&n.to_string()).map(Self::Number),
            (FactType::Number, Json::String(s)) => Decimal::parse(s).map(Self::Number),
            (FactType::Money, Json::Number(n)) => n.as_i64().map(Self::Money),
            (FactType::Date, Json::String(s)) => s.parse().ok().map(Self::Date),
            (FactType::Text, Json::String(s)) => Some(Self::Text(s.clone())),
            (FactType::List, Json::Array(items)) => {
                items.iter().map(|i| i.as_str().map(str::to_owned)).collect::<Option<_>>().map(Self::List)
            }
            _ => None,
        }
    }

    /// Reads an author's spelling (`是`, `80元`, `2026-03-01`) as a value of that type.
    pub fn from_author(kind: FactType, text: &str) -> Option<Self> {
        match kind {
            FactType::Boolean => truth(text).map(Self::Boolean),
            FactType::Number => Decimal::parse(text).map(Self::Number),
            FactType::Money => money(text).map(Self::Money),
            FactType::Date => text.parse().ok().map(Self::Date),
            FactType::Text => Some(Self::Text(text.to_owned())),
            FactType::List => None,
        }
    }

    /// The value in words.
    pub fn words(&self) -> Words {
        match self {
            Self::Boolean(true) => Words::new("是", "yes"),
            Self::Boolean(false) => Words::new("否", "no"),
            Self::Number(n) => Words::new(n.to_string(), n.to_string()),
            Self::Money(fen) => Words::new(format!("{} 元", yuan(*fen)), format!("CNY {}", yuan(*fen))),
            Self::Date(date) => Words::new(date.to_string(), date.to_string()),
            Self::Text(text) if text.is_empty() => Words::new("（空）", "(empty)"),
            Self::Text(text) => Words::new(text, text),
            Self::List(items) if items.is_empty() => Words::new("（无）", "(none)"),
            Self::List(items) => Words::new(items.join("、"), items.join(", ")),
        }
    }
}

/// `true`, `yes`, `是` and their opposites.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "是" => Some(true),
        "false" | "no" | "否" => Some(false),
        _ => None,
    }
}

/// `80元`, `12.50 yuan` in fen.
pub(crate) fn money(text: &str) -> Option<i64> {
    let number = text.strip_suffix('元').or_else(|| text.strip_suffix("yuan"))?.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.len() > 2 {
        return None;
    }
    Decimal::parse(&format!("{whole}.{fraction}")).map(|d| d.0 / 100)
}

/// Fen as yuan with two decimals.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

/// What is known about one application: fact id to value. A fact that is not here is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, Value>);

impl Facts {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a fact known.
    pub fn set(&mut self, id: impl Into<String>, value: Value) -> &mut Self {
        self.0.insert(id.into(), value);
        self
    }

    /// The value of a fact, where it is known.
    pub fn get(&self, id: &str) -> Option<&Value> {
        self.0.get(id)
    }

    /// Every known fact in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(id, value)| (id.as_str(), value))
    }

    /// Reads a flat JSON object of fact ids. Null counts as not known; ids that the scope does not
    /// declare and values of another type are errors.
    pub fn from_json(scope: &Scope, object: &serde_json::Map<String, Json>) -> Result<Self, FactsError> {
        let mut facts = Self::new();
        for (name, json) in object {
            let (id, info) =
                scope.resolve(name).ok_or_else(|| FactsError::Undeclared { name: name.clone() })?;
            if json.is_null() {
                continue;
            }
            let value = Value::from_json(info.kind, json)
                .ok_or_else(|| FactsError::WrongType { name: name.clone(), kind: info.kind })?;
            facts.set(id, value);
        }
        Ok(facts)
    }

    /// The flat JSON object of fact ids.
    pub fn to_json(&self) -> serde_json::Map<String, Json> {
        self.0.iter().map(|(id, value)| (id.clone(), value.to_json())).collect()
    }
}

impl FromIterator<(String, Value)> for Facts {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// Why a JSON object is not a set of facts of an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// The item does not declare it.
    #[error("`{name}` is not a fact of this item")]
    Undeclared {
        /// The name.
        name: String,
    },
    /// It is declared with another type.
    #[error("`{name}` must be {}", kind.words().en)]
    WrongType {
        /// The name.
        name: String,
        /// The declared type.
        kind: FactType,
    },
}

impl Coded for FactsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Undeclared { .. } => "packs.undeclared_fact",
            Self::WrongType { .. } => "packs.fact_of_another_type",
        }
    }
}
