//! Decision tables: the first row that fits decides, and says why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::expr::{EvalError, Explained, Expr, FactType, Known, RuleUse, Scope, Value};
use crate::model::{LegalBasis, Row, Table, Words};
use crate::problem::Problems;
use crate::version::{canonical, content_hash};

/// A table whose expressions are compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionTable {
    rows: Vec<CompiledRow>,
    default: CompiledRow,
    hash: String,
}

#[derive(Clone, Debug, PartialEq)]
struct CompiledRow {
    when: Option<Expr>,
    then: String,
    because: Words,
    article: Option<LegalBasis>,
    values: BTreeMap<String, Expr>,
}

/// What a table says about one set of facts, with everything needed to explain it later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The outcome; none while the facts do not suffice.
    pub outcome: Option<String>,
    /// The row that fits, from 1; 0 is the default row.
    pub row: Option<u32>,
    /// Why, in the table's words.
    pub because: Words,
    /// The clause that the row applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<LegalBasis>,
    /// One sentence for each row that was looked at, the deciding one last.
    pub reasons: Vec<Words>,
    /// The same as trees with every value used.
    pub tried: Vec<Explained>,
    /// The values that the row fixes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Value>,
    /// The facts that are missing where there is no outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The dated rules that were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleUse>,
    /// The hash of the table.
    pub table: String,
}

/// The outcome that examples expect where the facts do not suffice.
pub const NOT_ENOUGH_DATA: &str = "not_enough_data";

impl Decision {
    /// The outcome, or `not_enough_data`.
    pub fn outcome_or_not_enough_data(&self) -> &str {
        self.outcome.as_deref().unwrap_or(NOT_ENOUGH_DATA)
    }
}

impl DecisionTable {
    /// Compiles a table and rewrites its expressions into their canonical form.
    pub(crate) fn compile(
        table: &mut Table,
        pointer: &str,
        scope: &Scope,
        bases: &[LegalBasis],
        problems: &mut Problems,
    ) -> Self {
        let mut rows = Vec::with_capacity(table.rows.len());
        for (i, row) in table.rows.iter_mut().enumerate() {
            rows.push(compile_row(row, &format!("{pointer}/rows/{i}"), scope, bases, problems));
        }
        let default = compile_row(&mut table.default, &format!("{pointer}/default"), scope, bases, problems);
        let json = serde_json::to_value(&*table).unwrap_or_default();
        Self { rows, default, hash: content_hash(&canonical(&json)) }
    }

    /// The hash of the table.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Every outcome that the table may have.
    pub fn outcomes(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().chain(std::iter::once(&self.default)).map(|row| row.then.as_str())
    }

    /// The type of a value that rows fix, where some row fixes it.
    pub fn value_kind(&self, name: &str) -> Option<FactType> {
        let rows = self.rows.iter().chain(std::iter::once(&self.default));
        rows.filter_map(|row| row.values.get(name)).map(Expr::kind).next()
    }

    /// The dated rules that the table names.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for row in self.rows.iter().chain(std::iter::once(&self.default)) {
            found.extend(row.when.iter().chain(row.values.values()).flat_map(Expr::rules));
        }
        found
    }

    /// The first row that fits. A row that cannot be answered stops the table: it might have
    /// fitted, so no later row may decide.
    pub fn evaluate(&self, known: &Known<'_>) -> Result<Decision, EvalError> {
        let mut tried = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            let Some(when) = &row.when else { continue };
            let explained = when.eval(known)?;
            let truth = explained.truth();
            tried.push(explained);
            match truth {
                Some(false) => {}
                Some(true) => {
                    let number = u32::try_from(i + 1).unwrap_or(u32::MAX);
                    return self.decided(row, number, tried, known);
                }
                None => return Ok(self.undecided(tried)),
            }
        }
        self.decided(&self.default, 0, tried, known)
    }

    fn decided(
        &self,
        row: &CompiledRow,
        number: u32,
        tried: Vec<Explained>,
        known: &Known<'_>,
    ) -> Result<Decision, EvalError> {
        let mut rules = rules_of(&tried);
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, expr) in &row.values {
            let explained = expr.eval(known)?;
            add_rules(&mut rules, &explained);
            missing.extend(explained.missing().into_iter().map(str::to_owned));
            if let Some(value) = explained.value {
                values.insert(name.clone(), value);
            }
        }
        let reasons = tried.iter().map(Explained::sentence).collect();
        let decision = Decision {
            outcome: Some(row.then.clone()),
            row: Some(number),
            because: row.because.clone(),
            article: row.article.clone(),
            reasons,
            tried,
            values,
            missing,
            rules,
            table: self.hash.clone(),
        };
        // A row that fits but whose values cannot be told has not enough data either.
        if decision.values.len() < row.values.len() {
            return Ok(Decision { outcome: None, row: None, article: None, because: lacking(), ..decision });
        }
        Ok(decision)
    }

    fn undecided(&self, tried: Vec<Explained>) -> Decision {
        let missing = tried.last().map(|last| last.missing().into_iter().map(str::to_owned).collect());
        Decision {
            outcome: None,
            row: None,
            because: lacking(),
            article: None,
            reasons: tried.iter().map(Explained::sentence).collect(),
            rules: rules_of(&tried),
            tried,
            values: BTreeMap::new(),
            missing: missing.unwrap_or_default(),
            table: self.hash.clone(),
        }
    }
}

fn lacking() -> Words {
    Words::new("现有资料尚不足以判断", "what is known so far does not suffice to decide")
}

fn rules_of(tried: &[Explained]) -> Vec<RuleUse> {
    let mut rules = Vec::new();
    for explained in tried {
        add_rules(&mut rules, explained);
    }
    rules
}

fn add_rules(rules: &mut Vec<RuleUse>, explained: &Explained) {
    for used in explained.rules() {
        if !rules.contains(used) {
            rules.push(used.clone());
        }
    }
}

fn compile_row(
    row: &mut Row,
    pointer: &str,
    scope: &Scope,
    bases: &[LegalBasis],
    problems: &mut Problems,
) -> CompiledRow {
    let when = row.when.as_mut().and_then(|text| problems.condition(text, &format!("{pointer}/when"), scope));
    let mut values = BTreeMap::new();
    for (name, text) in &mut row.values {
        if let Some(expr) = problems.expr(text, &format!("{pointer}/values/{name}"), scope) {
            values.insert(name.clone(), expr);
        }
    }
    let article = row.article.as_deref().and_then(|id| {
        let found = bases.iter().find(|basis| basis.id == id).cloned();
        if found.is_none() {
            problems.unknown_basis(&format!("{pointer}/article"), id);
        }
        found
    });
    CompiledRow { when, then: row.then.clone(), because: row.because.clone(), article, values }
}
