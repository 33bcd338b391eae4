//! The run of a form, recomputed from its definition and its answers.
//!
//! Nothing about progress is stored: which pages are asked, which are complete, which may be visited and
//! what is known all follow from the item and the answers. A page or field that is not asked contributes no
//! fact, whatever was answered while it was.

use packs::Item;
use packs::expr::{Env, EvalError, Facts, Value};
use packs::model::{Field, FieldKind, FormPage};

use super::Answers;

/// The form as it stands.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// Every page that the applicant is asked, in order.
    pub pages: Vec<PageState<'a>>,
    /// What is known from the pages that are asked.
    pub facts: Facts,
}

/// A page that is asked.
#[derive(Clone, Debug)]
pub struct PageState<'a> {
    /// The page.
    pub page: &'a FormPage,
    /// Its fields that are asked.
    pub fields: Vec<FieldState<'a>>,
    /// Whether every one of them was answered.
    pub complete: bool,
}

/// A field that is asked.
#[derive(Clone, Copy, Debug)]
pub struct FieldState<'a> {
    /// The field.
    pub field: &'a Field,
    /// Whether it was answered, or was seen and may be left empty.
    pub answered: bool,
    /// Whether another person answers it, with an account of their own.
    pub for_other: bool,
}

impl<'a> Run<'a> {
    /// Recomputes the run.
    pub fn compute(item: &'a Item, answers: &Answers, env: Env<'_>) -> Result<Self, EvalError> {
        let own_party = answers.own_party(item);
        let mut run = Self { pages: Vec::new(), facts: Facts::new() };
        for page in &item.form.pages {
            // What is not known yet is asked once its own questions are answered.
            if item.page_shown(&page.id, &run.facts, env)? != Some(true) {
                continue;
            }
            let mut fields = Vec::new();
            for field in &page.fields {
                if item.field_shown(&field.id, &run.facts, env)? != Some(true) {
                    continue;
                }
                let for_other = answered_by_other(field, own_party);
                let answered = for_other || is_answered(field, answers);
                // What another person answers, nobody answers for them.
                if answered && !for_other {
                    add_facts(&mut run.facts, field, answers);
                }
                fields.push(FieldState { field, answered, for_other });
            }
            if fields.iter().all(|state: &FieldState<'_>| state.for_other) {
                continue;
            }
            let complete = fields.iter().all(|field| field.answered);
            run.pages.push(PageState { page, fields, complete });
        }
        Ok(run)
    }

    /// The page of that id, if it is asked.
    pub fn page(&self, id: &str) -> Option<&PageState<'a>> {
        self.pages.iter().find(|state| state.page.id == id)
    }

    /// The first page that is not complete; none when all are.
    pub fn next_open(&self) -> Option<&PageState<'a>> {
        self.pages.iter().find(|state| !state.complete)
    }

    /// Whether every page that is asked is complete.
    pub fn is_complete(&self) -> bool {
        self.next_open().is_none()
    }

    /// Whether a page may be visited: it is asked and everything before it is complete.
    pub fn can_visit(&self, id: &str) -> bool {
        let before = self.pages.iter().take_while(|state| state.page.id != id);
        self.page(id).is_some() && before.into_iter().all(|state| state.complete)
    }

    /// The page before that one.
    pub fn before(&self, id: &str) -> Option<&PageState<'a>> {
        let at = self.position(id)?.checked_sub(1)?;
        self.pages.get(at)
    }

    /// The page after that one.
    pub fn after(&self, id: &str) -> Option<&PageState<'a>> {
        self.pages.get(self.position(id)? + 1)
    }

    /// The place of a page among those that are asked, from 0.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.pages.iter().position(|state| state.page.id == id)
    }

    /// Every field that is asked, in order.
    pub fn fields(&self) -> impl Iterator<Item = &FieldState<'a>> {
        self.pages.iter().flat_map(|state| &state.fields)
    }
}

/// A confirmation is given by the person themself; the applicant cannot give it for the other.
fn answered_by_other(field: &Field, own_party: Option<&str>) -> bool {
    field.kind == FieldKind::PersonConfirm && field.party.as_deref() != own_party
}

fn is_answered(field: &Field, answers: &Answers) -> bool {
    if field.kind == FieldKind::File {
        let attached = field.material.as_ref().is_some_and(|id| answers.files.contains_key(id));
        return attached || (!field.required && answers.has(&field.id));
    }
    match answers.values.get(&field.id) {
        Some(Some(_)) => true,
        Some(None) => !field.required,
        None => false,
    }
}

/// What a field tells: its value and, where a change asks for proof, whether it was changed.
fn add_facts(facts: &mut Facts, field: &Field, answers: &Answers) {
    if let Some(value) = fact_of(field, answers) {
        facts.set(field.id.clone(), value);
    }
    if field.changed_needs.is_some() {
        facts.set(format!("{}.changed", field.id), Value::Boolean(answers.was_changed(&field.id)));
    }
}

fn fact_of(field: &Field, answers: &Answers) -> Option<Value> {
    if field.kind == FieldKind::File {
        let file = field.material.as_ref().and_then(|id| answers.files.get(id))?;
        return Some(Value::Text(file.name.clone()));
    }
    answers.value(&field.id).cloned()
}
