//! Evaluation in three values: yes, no, not known.

use std::cell::Cell;
use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::error::Coded;

use super::ast::{Ast, Comparison, Function};
use super::explain::{Explained, How, RuleUse};
use super::value::{Decimal, Facts, Value};
use super::{Expr, MAX_STEPS};
use crate::model::RuleUnit;
use crate::rules::{RuleError, Rules};

/// What an evaluation may look at beside the facts.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// The day on which it is evaluated.
    pub today: Date,
    /// The dated rule rows.
    pub rules: &'a Rules,
}

/// Facts, derived facts and environment of one evaluation.
#[derive(Debug)]
pub struct Known<'a> {
    facts: &'a Facts,
    env: Env<'a>,
    derived: BTreeMap<String, Explained>,
    steps: Cell<u32>,
}

impl<'a> Known<'a> {
    /// Nothing derived yet.
    pub fn new(facts: &'a Facts, env: Env<'a>) -> Self {
        Self { facts, env, derived: BTreeMap::new(), steps: Cell::new(0) }
    }

    /// Derives a fact from those known so far. A derived fact hides a given one of its id.
    pub fn derive(&mut self, id: &str, expr: &Expr) -> Result<(), EvalError> {
        let explained = expr.eval(self)?;
        self.derived.insert(id.to_owned(), explained);
        Ok(())
    }

    /// The value of a fact, given or derived.
    pub fn get(&self, id: &str) -> Option<&Value> {
        match self.derived.get(id) {
            Some(explained) => explained.value.as_ref(),
            None => self.facts.get(id),
        }
    }

    fn step(&self) -> Result<(), EvalError> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS { Err(EvalError::TooManySteps) } else { Ok(()) }
    }
}

/// Why there is no answer at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A dated rule is unknown or not in force.
    #[error("{0}")]
    Rule(RuleError),
    /// The evaluation took more steps than allowed.
    #[error("the evaluation took more than {MAX_STEPS} steps")]
    TooManySteps,
}

impl Coded for EvalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Rule(error) => error.code(),
            Self::TooManySteps => "packs.too_many_steps",
        }
    }
}

pub(super) fn eval(ast: &Ast, known: &Known<'_>) -> Result<Explained, EvalError> {
    known.step()?;
    let mut because = Vec::new();
    let (how, value) = match ast {
        Ast::Literal { value, shown } => (How::Literal { shown: shown.clone() }, Some(value.clone())),
        Ast::Fact { id, label, options } => {
            let value = known.get(id).cloned();
            because.extend(known.derived.get(id).cloned());
            let shown = value.as_ref().and_then(|v| super::explain::option_words(v, options));
            (How::Fact { id: id.clone(), label: label.clone(), shown }, value)
        }
        Ast::Rule(id) => {
            let row = known.env.rules.at(id, known.env.today).map_err(EvalError::Rule)?;
            let value = if row.unit == RuleUnit::Fen {
                Some(Value::Money(row.value))
            } else {
                Value::whole(row.value)
            };
            (How::Rule(RuleUse::of(row)), value)
        }
        Ast::Today => (How::Today, Some(Value::Date(known.env.today))),
        Ast::Call(function, arguments) => {
            because = all(arguments, known)?;
            let [name, _] = function.names();
            (How::Call { name: name.to_owned() }, call(*function, &because, known.env.today))
        }
        Ast::Not(part) => {
            because.push(eval(part, known)?);
            (How::Not, truth(&because, 0).map(|b| Value::Boolean(!b)))
        }
        Ast::And(parts) => {
            because = all(parts, known)?;
            (How::And, kleene(&because, false))
        }
        Ast::Or(parts) => {
            because = all(parts, known)?;
            (How::Or, kleene(&because, true))
        }
        Ast::Compare(sign, a, b) => {
            because = vec![eval(a, known)?, eval(b, known)?];
            let pair = value_at(&because, 0).zip(value_at(&because, 1));
            (How::Compare { sign: sign.sign().to_owned() }, pair.and_then(|(a, b)| compare(*sign, a, b)))
        }
        Ast::Contains(a, b) => {
            because = vec![eval(a, known)?, eval(b, known)?];
            let pair = value_at(&because, 0).zip(value_at(&because, 1));
            (How::Contains, contains(pair, known)?.map(Value::Boolean))
        }
        Ast::ContainsAny(a, items) => {
            because = vec![eval(a, known)?];
            because.extend(all(items, known)?);
            let found = match value_at(&because, 0) {
                Some(Value::List(have)) => {
                    let mut found = false;
                    for wanted in because.iter().skip(1) {
                        for one in have {
                            known.step()?;
                            found |= matches!(&wanted.value, Some(Value::Text(text)) if text == one);
                        }
                    }
                    Some(found)
                }
                _ => None,
            };
            (How::ContainsAny, found.map(Value::Boolean))
        }
        Ast::In(a, items) => {
            because = vec![eval(a, known)?];
            because.extend(all(items, known)?);
            let found = value_at(&because, 0)
                .map(|value| because.iter().skip(1).any(|item| item.value.as_ref() == Some(value)));
            (How::In, found.map(Value::Boolean))
        }
        Ast::Empty(part) => {
            because.push(eval(part, known)?);
            (How::Empty, empty(&because).map(Value::Boolean))
        }
        Ast::NotEmpty(part) => {
            because.push(eval(part, known)?);
            (How::NotEmpty, empty(&because).map(|e| Value::Boolean(!e)))
        }
    };
    Ok(Explained { how, value, because })
}

fn all(parts: &[Ast], known: &Known<'_>) -> Result<Vec<Explained>, EvalError> {
    parts.iter().map(|part| eval(part, known)).collect()
}

fn value_at(parts: &[Explained], i: usize) -> Option<&Value> {
    parts.get(i)?.value.as_ref()
}

fn truth(parts: &[Explained], i: usize) -> Option<bool> {
    match value_at(parts, i)? {
        Value::Boolean(b) => Some(*b),
        _ => None,
    }
}

/// One part that settles it settles it, even beside parts that are not known.
fn kleene(parts: &[Explained], settles: bool) -> Option<Value> {
    let truths: Vec<Option<bool>> = (0..parts.len()).map(|i| truth(parts, i)).collect();
    if truths.contains(&Some(settles)) {
        return Some(Value::Boolean(settles));
    }
    if truths.contains(&None) { None } else { Some(Value::Boolean(!settles)) }
}

fn compare(sign: Comparison, a: &Value, b: &Value) -> Option<Value> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Money(a), Value::Money(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        // The facts do not keep the declared types: not an answer.
        _ => return None,
    };
    Some(Value::Boolean(match sign {
        Comparison::Equal => order == Equal,
        Comparison::NotEqual => order != Equal,
        Comparison::Less => order == Less,
        Comparison::LessEqual => order != Greater,
        Comparison::More => order == Greater,
        Comparison::MoreEqual => order != Less,
    }))
}

fn contains(pair: Option<(&Value, &Value)>, known: &Known<'_>) -> Result<Option<bool>, EvalError> {
    Ok(match pair {
        Some((Value::List(have), Value::Text(wanted))) => {
            let mut found = false;
            for one in have {
                known.step()?;
                found |= one == wanted;
            }
            Some(found)
        }
        Some((Value::Text(have), Value::Text(wanted))) => Some(have.contains(wanted.as_str())),
        _ => None,
    })
}

fn empty(parts: &[Explained]) -> Option<bool> {
    match value_at(parts, 0)? {
        Value::Text(text) => Some(text.trim().is_empty()),
        Value::List(items) => Some(items.is_empty()),
        _ => None,
    }
}

fn call(function: Function, arguments: &[Explained], today: Date) -> Option<Value> {
    match (function, value_at(arguments, 0)?, value_at(arguments, 1)) {
        (Function::Age, Value::Date(birth), _) => {
            if *birth > today {
                return None;
            }
            let had_birthday = (today.month(), today.day()) >= (birth.month(), birth.day());
            let years = i64::from(today.year()) - i64::from(birth.year()) - i64::from(!had_birthday);
            Value::whole(years)
        }
        (Function::BirthDate, Value::Text(number), _) => {
            let digits = citizen_number(number)?;
            let part = |from, to| digits.get(from..to)?.parse::<i16>().ok();
            let (month, day) = (i8::try_from(part(10, 12)?).ok()?, i8::try_from(part(12, 14)?).ok()?);
            Date::new(part(6, 10)?, month, day).ok().map(Value::Date)
        }
        (Function::Sex, Value::Text(number), _) => {
            let odd = citizen_number(number)?.get(16..17)?.parse::<u8>().ok()? % 2 == 1;
            Some(Value::Text(if odd { "male" } else { "female" }.to_owned()))
        }
        (Function::DaysBetween, Value::Date(from), Some(Value::Date(to))) => {
            let days = from.until(*to).ok()?.get_days();
            Value::whole(i64::from(days))
        }
        (Function::Count, Value::List(items), _) => {
            Decimal::whole(i64::try_from(items.len()).ok()?).map(Value::Number)
        }
        (Function::StartsWith, Value::Text(text), Some(Value::Text(start))) => {
            Some(Value::Boolean(text.starts_with(start.as_str())))
        }
        _ => None,
    }
}

/// Eighteen characters of a citizen number by their form; its check digit is the form's business.
fn citizen_number(text: &str) -> Option<&str> {
    let body = text.get(..17)?;
    (text.len() == 18 && body.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}
