//! A compiled service item: its document, its facts and its decision tables.

use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;

use serde_json::Value as Json;

use crate::expr::{Env, EvalError, Expr, FactInfo, FactType, Facts, Known, Scope, Value};
use crate::model::{Example, FieldKind, FieldOption, ItemDoc, RuleUnit};
use crate::problem::Problems;
use crate::rules::Rules;
use crate::table::{Decision, DecisionTable};
use crate::version::{CompileError, Version, canonical};

/// One version of one item, ready to run. Read its document through it: `item.name`.
#[derive(Clone, Debug)]
pub struct Item {
    version: Version,
    doc: ItemDoc,
    compiled: Compiled,
}

#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    scope: Scope,
    derived: Vec<(String, Expr)>,
    decision: DecisionTable,
    eligibility: Option<(Scope, DecisionTable)>,
    /// Conditions of pages, fields and materials.
    conditions: HashMap<(Conditional, String), Expr>,
}

/// What may stand under a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Conditional {
    Page,
    Field,
    Material,
}

impl Item {
    /// The version that an application was started on, whatever the files say today.
    pub fn from_canonical(canonical_json: &str) -> Result<Self, CompileError> {
        let mut doc: ItemDoc = serde_json::from_str(canonical_json).map_err(CompileError::Unreadable)?;
        let units = doc.rule_units.clone();
        let mut problems = Problems::default();
        let compiled = compile(&mut doc, &units, Spelling::Canonical, &mut problems);
        if let Some(first) = problems.0.into_iter().next() {
            return Err(CompileError::Refused { pointer: first.pointer, message: first.en });
        }
        let version = Version::of("item", &doc.id, canonical_json.to_owned());
        Ok(Self { version, doc, compiled })
    }

    /// Compiles what an author wrote. Mistakes are noted; the item is for use only without any.
    pub(crate) fn from_author(
        mut doc: ItemDoc,
        units: &BTreeMap<String, RuleUnit>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let before = problems.0.len();
        let compiled = compile(&mut doc, units, Spelling::Author, problems);
        if problems.0.len() > before {
            return None;
        }
        let used = compiled.rules();
        doc.rule_units = units
            .iter()
            .filter(|(id, _)| used.contains(&id.as_str()))
            .map(|(id, u)| (id.clone(), *u))
            .collect();
        let json = serde_json::to_value(&doc).ok()?;
        let version = Version::of("item", &doc.id, canonical(&json));
        Some(Self { version, doc, compiled })
    }

    /// The version: store its canonical JSON and hash with an application.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The version's hash.
    pub fn hash(&self) -> &str {
        &self.version.hash
    }

    /// The facts that the form, the sources and the checks supply, with their types.
    pub fn scope(&self) -> &Scope {
        &self.compiled.scope
    }

    /// The facts of the eligibility questions.
    pub fn eligibility_scope(&self) -> Option<&Scope> {
        self.compiled.eligibility.as_ref().map(|(scope, _)| scope)
    }

    /// Everything that a person may search this item by: names, keywords, summary.
    pub fn search_terms(&self) -> Vec<&str> {
        let mut terms = vec![self.doc.name.zh.as_str(), self.doc.name.en.as_str()];
        terms.extend(self.doc.keywords.iter().map(String::as_str));
        terms.extend([self.doc.summary.zh.as_str(), self.doc.summary.en.as_str()]);
        terms
    }

    /// What the answers to the eligibility questions mean; none where the item asks none.
    pub fn check_eligibility(&self, answers: &Facts, env: Env<'_>) -> Result<Option<Decision>, EvalError> {
        let Some((_, table)) = &self.compiled.eligibility else { return Ok(None) };
        table.evaluate(&Known::new(answers, env)).map(Some)
    }

    /// What the review table says about an application. Derived facts are always derived here:
    /// what `facts` holds under their ids is not looked at.
    pub fn decide(&self, facts: &Facts, env: Env<'_>) -> Result<Decision, EvalError> {
        self.compiled.decision.evaluate(&self.known(facts, env, Derived::Always)?)
    }

    /// The value of every declared fact, given or derived, that is known.
    pub fn known_facts(&self, facts: &Facts, env: Env<'_>) -> Result<Facts, EvalError> {
        let known = self.known(facts, env, Derived::Always)?;
        let declared = self.compiled.scope.facts();
        Ok(declared.filter_map(|(id, _)| Some((id.to_owned(), known.get(id)?.clone()))).collect())
    }

    /// Whether a page is asked; `None` while that is not known.
    pub fn page_shown(&self, page: &str, facts: &Facts, env: Env<'_>) -> Result<Option<bool>, EvalError> {
        self.holds(Conditional::Page, page, facts, env)
    }

    /// Whether a field is asked; `None` while that is not known.
    pub fn field_shown(&self, field: &str, facts: &Facts, env: Env<'_>) -> Result<Option<bool>, EvalError> {
        self.holds(Conditional::Field, field, facts, env)
    }

    /// Whether a material is required; `None` while that is not known.
    pub fn material_required(
        &self,
        material: &str,
        facts: &Facts,
        env: Env<'_>,
    ) -> Result<Option<bool>, EvalError> {
        self.holds(Conditional::Material, material, facts, env)
    }

    /// The review table.
    pub fn decision_table(&self) -> &DecisionTable {
        &self.compiled.decision
    }

    /// The eligibility table.
    pub fn eligibility_table(&self) -> Option<&DecisionTable> {
        self.compiled.eligibility.as_ref().map(|(_, table)| table)
    }

    /// Works the examples of the file against the rules; what is returned failed.
    pub fn failing_examples(&self, rules: &Rules) -> Vec<FailedExample> {
        let examples = self.doc.examples.iter().enumerate();
        examples.filter_map(|(i, example)| self.work(i, example, rules)).collect()
    }

    fn work(&self, index: usize, example: &Example, rules: &Rules) -> Option<FailedExample> {
        let failed = |key: &'static str, got: String, wanted: String| {
            Some(FailedExample { index, key, name: example.name.clone(), got, wanted })
        };
        let env = Env { today: example.today, rules };
        if let Some(wanted) = &example.eligibility {
            let facts = given(example, self.eligibility_scope().unwrap_or(&self.compiled.scope));
            match self.check_eligibility(&facts, env) {
                Ok(Some(decision)) if decision.outcome_or_not_enough_data() == wanted => {}
                Ok(Some(decision)) => return failed("eligibility", tell(&decision), wanted.clone()),
                Ok(None) => return failed("eligibility", "no eligibility table".to_owned(), wanted.clone()),
                Err(error) => return failed("eligibility", error.to_string(), wanted.clone()),
            }
        }
        let wanted = example.expect.as_ref()?;
        let facts = given(example, &self.compiled.scope);
        let decided = self
            .known(&facts, env, Derived::UnlessGiven)
            .and_then(|known| self.compiled.decision.evaluate(&known));
        let decision = match decided {
            Ok(decision) => decision,
            Err(error) => return failed("expect", error.to_string(), wanted.clone()),
        };
        if decision.outcome_or_not_enough_data() != wanted {
            return failed("expect", tell(&decision), wanted.clone());
        }
        if let Some(row) = example.row
            && decision.row != Some(row)
        {
            return failed("row", tell(&decision), row.to_string());
        }
        for (name, json) in &example.values {
            let got = decision.values.get(name).map(Value::to_json);
            if got.as_ref() != Some(json) {
                let got = got.map_or_else(|| "nothing".to_owned(), |v| v.to_string());
                return failed("values", format!("{name} = {got}"), format!("{name} = {json}"));
            }
        }
        None
    }

    fn holds(
        &self,
        what: Conditional,
        id: &str,
        facts: &Facts,
        env: Env<'_>,
    ) -> Result<Option<bool>, EvalError> {
        let Some(expr) = self.compiled.conditions.get(&(what, id.to_owned())) else { return Ok(Some(true)) };
        Ok(expr.eval(&self.known(facts, env, Derived::Always)?)?.truth())
    }

    fn known<'a>(&self, facts: &'a Facts, env: Env<'a>, derived: Derived) -> Result<Known<'a>, EvalError> {
        let mut known = Known::new(facts, env);
        for (id, expr) in &self.compiled.derived {
            if derived == Derived::Always || facts.get(id).is_none() {
                known.derive(id, expr)?;
            }
        }
        Ok(known)
    }
}

impl Deref for Item {
    type Target = ItemDoc;

    fn deref(&self) -> &ItemDoc {
        &self.doc
    }
}

/// A worked example that does not come out as its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedExample {
    /// Its place among the examples, from 0.
    pub index: usize,
    /// The key that failed: `expect`, `row`, `eligibility` or `values`.
    pub key: &'static str,
    /// Its name.
    pub name: crate::model::Words,
    /// What came out.
    pub got: String,
    /// What the file says.
    pub wanted: String,
}

/// Examples may give a derived fact outright; applications never do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Derived {
    Always,
    UnlessGiven,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Author,
    Canonical,
}

impl Compiled {
    fn rules(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self.derived.iter().flat_map(|(_, expr)| expr.rules()).collect();
        found.extend(self.conditions.values().flat_map(Expr::rules));
        found.extend(self.decision.rules());
        found.extend(self.eligibility.iter().flat_map(|(_, table)| table.rules()));
        found
    }
}

fn tell(decision: &Decision) -> String {
    let row = decision.row.map_or_else(|| "no row".to_owned(), |n| format!("row {n}"));
    let mut said = format!("{} ({row})", decision.outcome_or_not_enough_data());
    if !decision.missing.is_empty() {
        said.push_str(&format!(", missing {}", decision.missing.join(", ")));
    }
    said
}

fn given(example: &Example, scope: &Scope) -> Facts {
    let typed = example.given.iter().filter_map(|(id, json)| {
        let (id, info) = scope.resolve(id)?;
        Some((id.to_owned(), Value::from_json(info.kind, json)?))
    });
    typed.collect()
}

fn compile(
    doc: &mut ItemDoc,
    units: &BTreeMap<String, RuleUnit>,
    spelling: Spelling,
    problems: &mut Problems,
) -> Compiled {
    let (scope, derived) = declare_facts(doc, units, problems);
    let mut conditions = HashMap::new();
    compile_conditions(doc, &scope, &mut conditions, problems);
    let decision = DecisionTable::compile(&mut doc.decision, "/decision", &scope, &doc.legal_basis, problems);
    let bases = &doc.legal_basis;
    let eligibility = doc.eligibility.as_mut().map(|eligibility| {
        let mut asked = Scope::new(units.clone());
        for (i, question) in eligibility.questions.iter().enumerate() {
            let pointer = format!("/eligibility/questions/{i}");
            let info = info(question.kind, &question.label, &question.options);
            declare(&mut asked, &question.id, question.alias.as_deref(), info, &pointer, problems);
        }
        let table =
            DecisionTable::compile(&mut eligibility.table, "/eligibility/table", &asked, bases, problems);
        (asked, table)
    });
    name_result_facts(doc, &scope, problems);
    let compiled = Compiled { scope, derived, decision, eligibility, conditions };
    if spelling == Spelling::Author {
        type_examples(doc, &compiled, problems);
    }
    compiled
}

fn declare_facts(
    doc: &mut ItemDoc,
    units: &BTreeMap<String, RuleUnit>,
    problems: &mut Problems,
) -> (Scope, Vec<(String, Expr)>) {
    let mut scope = Scope::new(units.clone());
    for (p, page) in doc.form.pages.iter().enumerate() {
        for (f, field) in page.fields.iter().enumerate() {
            let pointer = format!("/form/pages/{p}/fields/{f}");
            let info = info(field.kind, &field.label, &field.options);
            declare(&mut scope, &field.id, field.alias.as_deref(), info, &pointer, problems);
            if field.changed_needs.is_some() {
                declare_changed(&mut scope, field, &pointer, problems);
            }
        }
    }
    let mut derived = Vec::new();
    for (i, fact) in doc.facts.iter_mut().enumerate() {
        let pointer = format!("/facts/{i}");
        if let Some(text) = &mut fact.value
            && let Some(expr) = problems.expr(text, &format!("{pointer}/value"), &scope)
        {
            if expr.kind() != fact.kind {
                problems.add(
                    format!("{pointer}/value"),
                    "pack.expr_type",
                    format!("得出的是{}，与声明的类型不符", expr.kind().words().zh),
                    format!("it yields {}, not the declared type", expr.kind().words().en),
                );
            }
            derived.push((fact.id.clone(), expr));
        }
        let info = FactInfo { kind: fact.kind, label: fact.label.clone(), options: labels(&fact.options) };
        declare(&mut scope, &fact.id, fact.alias.as_deref(), info, &pointer, problems);
    }
    (scope, derived)
}

/// A pre-filled field that asks for a material once it is changed has a second fact,
/// `<id>.changed` (Chinese `<alias>.已改`): whether the applicant changed what was filled in.
fn declare_changed(scope: &mut Scope, field: &crate::model::Field, pointer: &str, problems: &mut Problems) {
    let label = crate::model::Words::new(
        format!("{}已改动", field.label.zh),
        format!("{} was changed", field.label.en),
    );
    let info = FactInfo { kind: FactType::Boolean, label, options: Vec::new() };
    let alias = field.alias.as_ref().map(|alias| format!("{alias}.已改"));
    declare(scope, &format!("{}.changed", field.id), alias.as_deref(), info, pointer, problems);
}

fn declare(
    scope: &mut Scope,
    id: &str,
    alias: Option<&str>,
    info: FactInfo,
    pointer: &str,
    problems: &mut Problems,
) {
    if let Err(error) = scope.declare(id, alias, info) {
        problems.add(format!("{pointer}/id"), "pack.bad_fact_name", error.zh, error.en);
    }
}

fn info(kind: FieldKind, label: &crate::model::Words, options: &[FieldOption]) -> FactInfo {
    FactInfo { kind: fact_type(kind), label: label.clone(), options: labels(options) }
}

fn labels(options: &[FieldOption]) -> Vec<(String, crate::model::Words)> {
    options.iter().map(|o| (o.value.clone(), o.label.clone())).collect()
}

/// The type of the fact that a field's answer becomes.
pub fn fact_type(kind: FieldKind) -> FactType {
    match kind {
        FieldKind::Date => FactType::Date,
        FieldKind::Number => FactType::Number,
        FieldKind::Checkboxes => FactType::List,
        FieldKind::YesNo | FieldKind::PersonConfirm => FactType::Boolean,
        FieldKind::Text
        | FieldKind::Textarea
        | FieldKind::Radios
        | FieldKind::Select
        | FieldKind::Phone
        | FieldKind::CitizenId
        | FieldKind::Address
        | FieldKind::File
        | FieldKind::Slot => FactType::Text,
    }
}

fn compile_conditions(
    doc: &mut ItemDoc,
    scope: &Scope,
    conditions: &mut HashMap<(Conditional, String), Expr>,
    problems: &mut Problems,
) {
    for (p, page) in doc.form.pages.iter_mut().enumerate() {
        let pointer = format!("/form/pages/{p}");
        if let Some(text) = &mut page.show_when
            && let Some(expr) = problems.condition(text, &format!("{pointer}/show_when"), scope)
        {
            conditions.insert((Conditional::Page, page.id.clone()), expr);
        }
        for (f, field) in page.fields.iter_mut().enumerate() {
            if let Some(text) = &mut field.show_when
                && let Some(expr) =
                    problems.condition(text, &format!("{pointer}/fields/{f}/show_when"), scope)
            {
                conditions.insert((Conditional::Field, field.id.clone()), expr);
            }
        }
    }
    for (i, material) in doc.materials.iter_mut().enumerate() {
        if let Some(text) = &mut material.required_when
            && let Some(expr) = problems.condition(text, &format!("/materials/{i}/required_when"), scope)
        {
            conditions.insert((Conditional::Material, material.id.clone()), expr);
        }
    }
}

/// Facts that the result and the parties name, by their ids from here on.
fn name_result_facts(doc: &mut ItemDoc, scope: &Scope, problems: &mut Problems) {
    let values: Vec<String> = {
        let rows = doc.decision.rows.iter().chain(std::iter::once(&doc.decision.default));
        rows.flat_map(|row| row.values.keys().cloned()).collect()
    };
    for (field, fact) in &mut doc.result.fields {
        match scope.resolve(fact) {
            Some((id, _)) => *fact = id.to_owned(),
            None if values.contains(fact) => {}
            None => unknown_fact(&format!("/result/fields/{field}"), fact, problems),
        }
    }
    for (i, party) in doc.parties.iter_mut().enumerate() {
        match scope.resolve(&party.citizen_id_field) {
            Some((id, _)) => party.citizen_id_field = id.to_owned(),
            None => {
                unknown_fact(&format!("/parties/{i}/citizen_id_field"), &party.citizen_id_field, problems);
            }
        }
    }
}

fn unknown_fact(pointer: &str, name: &str, problems: &mut Problems) {
    problems.add(
        pointer,
        "pack.unknown_fact",
        format!("没有声明事实 `{name}`"),
        format!("the fact `{name}` is not declared"),
    );
}

/// Gives what examples say the types of the facts it is about.
fn type_examples(doc: &mut ItemDoc, compiled: &Compiled, problems: &mut Problems) {
    for (i, example) in doc.examples.iter_mut().enumerate() {
        let mut typed = BTreeMap::new();
        for (name, written) in &example.given {
            let pointer = format!("/examples/{i}/given/{name}");
            let asked = compiled.eligibility.as_ref().and_then(|(scope, _)| scope.resolve(name));
            let Some((id, info)) = compiled.scope.resolve(name).or(asked) else {
                unknown_fact(&pointer, name, problems);
                continue;
            };
            match author_value(info.kind, written) {
                Some(value) => {
                    typed.insert(id.to_owned(), value.to_json());
                }
                None => wrong_example_value(&pointer, info.kind, problems),
            }
        }
        example.given = typed;
        for (name, written) in &mut example.values {
            let pointer = format!("/examples/{i}/values/{name}");
            match compiled.decision.value_kind(name) {
                None => unknown_fact(&pointer, name, problems),
                Some(kind) => match author_value(kind, written) {
                    Some(value) => *written = value.to_json(),
                    None => wrong_example_value(&pointer, kind, problems),
                },
            }
        }
        if example.expect.is_none() && example.eligibility.is_none() {
            problems.add(
                format!("/examples/{i}"),
                "pack.example_expects_nothing",
                "试办须写明 `得` 或 `资格`",
                "the example must say `expect` or `eligibility`",
            );
        }
    }
}

fn author_value(kind: FactType, written: &Json) -> Option<Value> {
    match written {
        Json::String(text) => Value::from_author(kind, text),
        Json::Array(_) => Value::from_json(kind, written),
        _ => None,
    }
}

fn wrong_example_value(pointer: &str, kind: FactType, problems: &mut Problems) {
    problems.add(
        pointer,
        "pack.bad_value",
        format!("此处须为{}", kind.words().zh),
        format!("this must be {}", kind.words().en),
    );
}
