//! The tree of an expression and its canonical print.

use std::fmt;

use super::value::{FactType, Value, yuan};
use crate::model::Words;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ast {
    /// A literal; `shown` is the label of an option.
    Literal {
        value: Value,
        shown: Option<Words>,
    },
    /// A fact. Its declaration is filled in by the check.
    Fact {
        id: String,
        label: Words,
        options: Vec<(String, Words)>,
    },
    Rule(String),
    Today,
    Call(Function, Vec<Ast>),
    Not(Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Compare(Comparison, Box<Ast>, Box<Ast>),
    Contains(Box<Ast>, Box<Ast>),
    /// `list contains_any [..]`.
    ContainsAny(Box<Ast>, Vec<Ast>),
    /// `value in [..]`.
    In(Box<Ast>, Vec<Ast>),
    Empty(Box<Ast>),
    NotEmpty(Box<Ast>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    More,
    MoreEqual,
}

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::More => ">",
            Self::MoreEqual => ">=",
        }
    }
}

/// The few functions; each is total: where it has no answer, the answer is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// Full years from a date of birth to today.
    Age,
    /// The date of birth in a citizen number.
    BirthDate,
    /// `male` or `female` by a citizen number.
    Sex,
    /// Days from the first date to the second.
    DaysBetween,
    /// How many texts a list has.
    Count,
    /// Whether the first text starts with the second.
    StartsWith,
}

impl Function {
    pub(super) const ALL: [Self; 6] =
        [Self::Age, Self::BirthDate, Self::Sex, Self::DaysBetween, Self::Count, Self::StartsWith];

    /// ASCII and Chinese names.
    pub(super) fn names(self) -> [&'static str; 2] {
        match self {
            Self::Age => ["age", "年龄"],
            Self::BirthDate => ["birth_date", "出生日期"],
            Self::Sex => ["sex", "性别"],
            Self::DaysBetween => ["days_between", "相隔天数"],
            Self::Count => ["count", "计数"],
            Self::StartsWith => ["starts_with", "开头为"],
        }
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.names().contains(&word))
    }

    pub(super) fn signature(self) -> (&'static [FactType], FactType) {
        use FactType::{Boolean, Date, List, Number, Text};
        match self {
            Self::Age => (&[Date], Number),
            Self::BirthDate => (&[Text], Date),
            Self::Sex => (&[Text], Text),
            Self::DaysBetween => (&[Date, Date], Number),
            Self::Count => (&[List], Number),
            Self::StartsWith => (&[Text, Text], Boolean),
        }
    }
}

impl Ast {
    /// A plain literal.
    pub(super) fn literal(value: Value) -> Self {
        Self::Literal { value, shown: None }
    }

    /// A fact that the check has not seen yet.
    pub(super) fn name(id: &str) -> Self {
        Self::Fact { id: id.to_owned(), label: Words::default(), options: Vec::new() }
    }

    pub(super) fn children(&self) -> Vec<&Self> {
        match self {
            Self::Literal { .. } | Self::Fact { .. } | Self::Rule(_) | Self::Today => Vec::new(),
            Self::Call(_, parts) | Self::And(parts) | Self::Or(parts) => parts.iter().collect(),
            Self::Not(part) | Self::Empty(part) | Self::NotEmpty(part) => vec![part],
            Self::Compare(_, a, b) | Self::Contains(a, b) => vec![a, b],
            Self::ContainsAny(a, list) | Self::In(a, list) => {
                std::iter::once(a.as_ref()).chain(list).collect()
            }
        }
    }

    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// How tightly the outermost sign binds: or 0, and 1, not 2, comparison 3, term 4.
    fn binding(&self) -> u8 {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Not(_) => 2,
            Self::Compare(..)
            | Self::Contains(..)
            | Self::ContainsAny(..)
            | Self::In(..)
            | Self::Empty(_)
            | Self::NotEmpty(_) => 3,
            _ => 4,
        }
    }

    fn print(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.binding() < least {
            f.write_str("(")?;
            self.print(f, 0)?;
            return f.write_str(")");
        }
        match self {
            Self::Literal { value, .. } => print_literal(value, f),
            Self::Fact { id, .. } => f.write_str(id),
            Self::Rule(id) => write!(f, "rule(\"{id}\")"),
            Self::Today => f.write_str("today"),
            Self::Call(function, arguments) => {
                let [name, _] = function.names();
                write!(f, "{name}(")?;
                print_joined(arguments, ", ", 0, f)?;
                f.write_str(")")
            }
            Self::Not(part) => {
                f.write_str("not ")?;
                part.print(f, 2)
            }
            Self::And(parts) => print_joined(parts, " and ", 2, f),
            Self::Or(parts) => print_joined(parts, " or ", 1, f),
            Self::Compare(sign, a, b) => {
                a.print(f, 4)?;
                write!(f, " {} ", sign.sign())?;
                b.print(f, 4)
            }
            Self::Contains(a, b) => {
                a.print(f, 4)?;
                f.write_str(" contains ")?;
                b.print(f, 4)
            }
            Self::ContainsAny(a, list) => print_with_list(a, "contains_any", list, f),
            Self::In(a, list) => print_with_list(a, "in", list, f),
            Self::Empty(part) => {
                part.print(f, 4)?;
                f.write_str(" is empty")
            }
            Self::NotEmpty(part) => {
                part.print(f, 4)?;
                f.write_str(" is not empty")
            }
        }
    }
}

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, 0)
    }
}

fn print_joined(parts: &[Ast], between: &str, least: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        part.print(f, least)?;
    }
    Ok(())
}

fn print_with_list(a: &Ast, word: &str, list: &[Ast], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    a.print(f, 4)?;
    write!(f, " {word} [")?;
    print_joined(list, ", ", 4, f)?;
    f.write_str("]")
}

fn print_literal(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Boolean(b) => write!(f, "{b}"),
        Value::Number(n) => write!(f, "{n}"),
        Value::Money(fen) => write!(f, "{}yuan", yuan(*fen)),
        Value::Date(date) => write!(f, "{date}"),
        Value::Text(text) if text.contains('"') => write!(f, "'{text}'"),
        Value::Text(text) => write!(f, "\"{text}\""),
        // Lists occur as facts only; the grammar has them behind `in` and `contains_any`.
        Value::List(items) => write!(f, "{items:?}"),
    }
}
