//! Bounded expressions: comparisons over declared facts that always end and explain their answer.
//!
//! There are no loops, no definitions and no side effects; length, depth, size and steps are
//! limited. A fact that is not known makes an answer unknown (Kleene's three values), never wrong.
//! Chinese and ASCII spellings mean the same and print to one canonical ASCII form.

mod ast;
mod check;
mod eval;
mod explain;
mod lex;
mod parse;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use indexmap::IndexMap;

use crate::model::{RuleUnit, Words};

pub use eval::{Env, EvalError, Known};
pub use explain::{Explained, How, RuleUse};
pub use value::{Decimal, FactType, Facts, FactsError, Value};

use ast::Ast;

/// The longest expression, in characters.
pub const MAX_CHARS: usize = 1_000;
/// The most parts that an expression may have.
pub const MAX_PARTS: usize = 200;
/// How deep an expression may nest.
pub const MAX_DEPTH: usize = 16;
/// The longest list in an expression.
pub const MAX_LIST: usize = 64;
/// The most steps that one evaluation may take.
pub const MAX_STEPS: u32 = 100_000;

/// An expression that has been parsed and type-checked against the facts of its item.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    ast: Ast,
    kind: FactType,
}

impl Expr {
    /// Parses and checks an expression; every name must be declared in the scope.
    pub fn parse(text: &str, scope: &Scope) -> Result<Self, ExprError> {
        let ast = parse::parse(text)?;
        let (ast, kind) = check::check(ast, scope)?;
        Ok(Self { ast, kind })
    }

    /// Parses and checks an expression that must answer yes or no.
    pub fn condition(text: &str, scope: &Scope) -> Result<Self, ExprError> {
        let expr = Self::parse(text, scope)?;
        if expr.kind == FactType::Boolean {
            return Ok(expr);
        }
        Err(ExprError::new(
            0,
            ExprErrorKind::Type,
            "条件的结果须为“是”或“否”",
            "a condition must answer yes or no",
        ))
    }

    /// The type of its answer.
    pub fn kind(&self) -> FactType {
        self.kind
    }

    /// The ids of the facts it names.
    pub fn facts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.ast.walk(&mut |node| {
            if let Ast::Fact { id, .. } = node
                && !found.contains(&id.as_str())
            {
                found.push(id.as_str());
            }
        });
        found
    }

    /// The ids of the dated rules it names.
    pub fn rules(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.ast.walk(&mut |node| {
            if let Ast::Rule(id) = node
                && !found.contains(&id.as_str())
            {
                found.push(id.as_str());
            }
        });
        found
    }

    /// The answer with the values it rests on. Total: it ends with a value, with "not known", or
    /// with an error about the rules or the budget, never otherwise.
    pub fn eval(&self, known: &Known<'_>) -> Result<Explained, EvalError> {
        eval::eval(&self.ast, known)
    }
}

impl fmt::Display for Expr {
    /// The canonical ASCII form, which parses to the same expression again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ast.fmt(f)
    }
}

/// What an expression may name.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    facts: IndexMap<String, FactInfo>,
    aliases: HashMap<String, String>,
    rules: BTreeMap<String, RuleUnit>,
}

/// A declared fact.
#[derive(Clone, Debug, PartialEq)]
pub struct FactInfo {
    /// Its type.
    pub kind: FactType,
    /// What it is called in explanations.
    pub label: Words,
    /// The only texts it can have, with their labels; empty where any text goes.
    pub options: Vec<(String, Words)>,
}

impl Scope {
    /// An empty scope that knows the given rules.
    pub fn new(rules: BTreeMap<String, RuleUnit>) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Declares a fact under its id and, where it has one, its Chinese alias.
    pub fn declare(&mut self, id: &str, alias: Option<&str>, info: FactInfo) -> Result<(), ExprError> {
        for name in std::iter::once(id).chain(alias) {
            let plain = matches!(lex::lex(name).as_deref(), Ok([lex::Token { kind: lex::TokenKind::Word(w), .. }]) if w == name);
            if !plain || lex::is_reserved(name) || name.starts_with("rule.") || name.starts_with("规则.") {
                return Err(ExprError::new(
                    0,
                    ExprErrorKind::Name,
                    format!("`{name}` 不能用作事实名"),
                    format!("`{name}` cannot name a fact"),
                ));
            }
            if self.resolve(name).is_some() {
                return Err(ExprError::new(
                    0,
                    ExprErrorKind::Name,
                    format!("事实 `{name}` 重复声明"),
                    format!("the fact `{name}` is declared twice"),
                ));
            }
        }
        self.facts.insert(id.to_owned(), info);
        if let Some(alias) = alias {
            self.aliases.insert(alias.to_owned(), id.to_owned());
        }
        Ok(())
    }

    /// The id and declaration behind an id or an alias.
    pub fn resolve(&self, name: &str) -> Option<(&str, &FactInfo)> {
        let id = self.aliases.get(name).map_or(name, String::as_str);
        self.facts.get_key_value(id).map(|(id, info)| (id.as_str(), info))
    }

    /// The unit of a rule.
    pub fn rule(&self, id: &str) -> Option<RuleUnit> {
        self.rules.get(id).copied()
    }

    /// Every declared fact in the order of declaration.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &FactInfo)> {
        self.facts.iter().map(|(id, info)| (id.as_str(), info))
    }
}

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// The character offset in the expression.
    pub at: usize,
    /// The sort of mistake.
    pub kind: ExprErrorKind,
    /// The mistake in Chinese.
    pub zh: String,
    /// The mistake in English.
    pub en: String,
}

/// Sorts of mistake in expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExprErrorKind {
    /// It does not parse.
    Syntax,
    /// It is larger or deeper than allowed.
    TooLarge,
    /// It names what is not declared.
    Name,
    /// It compares what cannot be compared.
    Type,
}

impl ExprErrorKind {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Syntax => "pack.expr_syntax",
            Self::TooLarge => "pack.expr_too_large",
            Self::Name => "pack.expr_unknown_name",
            Self::Type => "pack.expr_type",
        }
    }
}

impl ExprError {
    pub(crate) fn new(at: usize, kind: ExprErrorKind, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { at, kind, zh: zh.into(), en: en.into() }
    }
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.en, self.at + 1)
    }
}

impl std::error::Error for ExprError {}
