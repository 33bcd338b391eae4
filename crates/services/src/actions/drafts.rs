//! Drafts: beginning one with what the registers know, going on with it page by page, giving it up.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::actor::Actor;
use kernel::ids::{DraftId, SubjectId};
use kernel::time::Date;
use packs::Item;
use packs::expr::{Env, Value};
use packs::model::{Field, FieldKind};
use serde_json::{Map, Value as Json};
use store::{AuditEntry, Purpose};
use web::App;
use web::forms::{FieldError, Posted};
use web::i18n::{Lang, key};

use crate::catalogue::item_version;
use crate::error::ServiceError;
use crate::model::input::Answer;
use crate::model::{Answers, Asked, FieldState, NameError, Own, Prefilled, Run, TradeName};
use crate::outside::{self, Registered};
use crate::store::drafts::{self as ledger, Draft, DraftState};
use crate::store::names;

/// The check of the share catalogue that asks the register of business names.
pub(crate) const NAME_CHECK: &str = "business_name_available";

/// A draft with the version of the item that it stays on.
#[derive(Clone, Debug)]
pub struct Work {
    /// The draft.
    pub draft: Draft,
    /// Its item.
    pub item: Arc<Item>,
}

impl Work {
    /// The draft of that id, if it is this person's.
    pub async fn load(app: &App, subject: SubjectId, id: DraftId) -> Result<Self, ServiceError> {
        let db = app.store.read();
        let draft = ledger::find(&db, subject, id).await?.ok_or(ServiceError::NotFound)?;
        let item = item_version(&db, &app.pack, &draft.item_id, &draft.item_hash).await?;
        Ok(Self { draft, item })
    }

    /// The form as it stands.
    pub fn run(&self, app: &App) -> Result<Run<'_>, ServiceError> {
        Ok(Run::compute(&self.item, &self.draft.answers, env(app))?)
    }

    /// Refuses what only an open draft allows.
    pub fn must_be_open(&self) -> Result<(), ServiceError> {
        match self.draft.state {
            DraftState::Open => Ok(()),
            DraftState::Waiting => Err(ServiceError::WaitsForOther),
            DraftState::Submitted => Err(ServiceError::AlreadySubmitted),
        }
    }

    /// Marks what a page's fields held when it was shown, so that a change elsewhere is noticed.
    pub fn mark(&self, fields: &[FieldState<'_>]) -> String {
        let held: BTreeMap<&str, Option<&Value>> = fields
            .iter()
            .map(|state| (state.field.id.as_str(), self.draft.answers.value(&state.field.id)))
            .collect();
        let text = serde_json::to_vec(&held).unwrap_or_default();
        hex::encode(crypto::hash::sm3(&text)).chars().take(16).collect()
    }
}

/// What expressions of an item may look at, beside its facts.
pub(crate) fn env(app: &App) -> Env<'_> {
    Env { today: app.now().china_date(), rules: app.pack.rules() }
}

/// Begins a draft: the registers fill in what they know.
pub async fn begin(
    app: &App,
    actor: &Actor,
    subject: SubjectId,
    item_id: &str,
) -> Result<Work, ServiceError> {
    let item = app.pack.item(item_id).ok_or(ServiceError::NotFound)?.clone();
    let person = outside::person(&app.store.read(), &item, subject).await?.ok_or(ServiceError::NotAPerson)?;
    let answers = Answers {
        own: Own { name: person.name.clone(), citizen_id: person.citizen_id.clone() },
        prefilled: prefill(&item, &person),
        ..Answers::default()
    };
    let env = app.store.env();
    let now = env.now();
    let draft = Draft {
        subject,
        id: DraftId::generate(&*env.clock, &*env.entropy),
        item_id: item.id.clone(),
        item_hash: item.hash().to_owned(),
        state: DraftState::Open,
        version: 1,
        answers,
        created_at: now,
        changed_at: now,
        expires_at: ledger::expiry(now),
    };
    let sealed = ledger::seal(&app.store, subject, &draft.answers)?;
    let tx = app.store.begin().await?;
    ledger::insert(&tx, &draft, sealed).await?;
    tx.audit(prefill_entry(actor, subject));
    tx.commit().await?;
    Ok(Work { draft, item })
}

/// The note that the registers were asked about somebody in order to fill a form.
pub(crate) fn prefill_entry(actor: &Actor, subject: SubjectId) -> AuditEntry {
    AuditEntry::new(actor, "services.prefill", Purpose::Prefill).about(subject).object("identity.person")
}

/// What the registers know, by field.
pub(crate) fn prefill(item: &Item, person: &Registered) -> BTreeMap<String, Prefilled> {
    let mut prefilled = BTreeMap::new();
    for (_, field) in item.form.fields() {
        let Some(path) = &field.source else { continue };
        let Some((value, as_of)) = person.value(path) else { continue };
        let source = path.split('.').next().unwrap_or_default().to_owned();
        prefilled.insert(field.id.clone(), Prefilled { value: value.clone(), source, as_of });
    }
    prefilled
}

/// A page as it was sent.
pub struct SentPage<'a> {
    /// The page.
    pub page: &'a str,
    /// Its fields.
    pub posted: &'a Posted,
    /// The mark that the page carried.
    pub mark: &'a str,
    /// The language of messages.
    pub lang: Lang,
}

/// Saves a page of the form. The draft is given back as it stands afterwards.
pub async fn save_page(app: &App, work: Work, sent: SentPage<'_>) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    let run = work.run(app)?;
    let state = run.page(sent.page).filter(|_| run.can_visit(sent.page)).ok_or(ServiceError::NotFound)?;
    let today = app.now().china_date();
    let (mut values, mut errors) = (BTreeMap::new(), Vec::new());
    for field in state.fields.iter().filter(|field| is_typed(field)).map(|state| state.field) {
        let answer = match held_value(field, &work.draft.answers) {
            Some(value) => Ok(Some(value)),
            None => read_field(field, sent.posted, today, sent.lang),
        };
        match answer {
            Ok(answer) => {
                errors.extend(check_field(app, &work, field, answer.as_ref()).await?);
                values.insert(field.id.clone(), answer);
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(ServiceError::Invalid(errors));
    }
    let unchanged = values.iter().all(|(id, answer)| work.draft.answers.values.get(id) == Some(answer));
    if !unchanged && sent.mark != work.mark(&state.fields) {
        return Err(ServiceError::ChangedElsewhere);
    }
    if unchanged {
        return Ok(work);
    }
    write(app, work, |answers| answers.values.extend(values)).await
}

/// Sets answers from a program, whichever pages they stand on. `version` is the version that it saw.
pub async fn set_answers(
    app: &App,
    work: Work,
    sent: &Map<String, Json>,
    version: Option<i64>,
    lang: Lang,
) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    if version.is_some_and(|seen| seen != work.draft.version) {
        return Err(ServiceError::ChangedElsewhere);
    }
    let today = app.now().china_date();
    let (mut values, mut errors) = (BTreeMap::new(), Vec::new());
    for (id, json) in sent {
        let Some(field) = work.item.form.field(id) else {
            errors.push(FieldError::new(id.clone(), key("services-error-unknown-field")));
            continue;
        };
        if matches!(field.kind, FieldKind::File | FieldKind::Slot) {
            errors.push(FieldError::new(id.clone(), key("services-error-own-way")));
            continue;
        }
        let foreign = field.party.is_some() && field.party.as_deref() != party_after(&work, &values, sent);
        if field.kind == FieldKind::PersonConfirm && foreign {
            errors.push(FieldError::new(id.clone(), key("services-error-other-confirms")));
            continue;
        }
        match Asked::from(field).from_json(json, today, lang) {
            Ok(answer) => {
                if held_value(field, &work.draft.answers).is_some_and(|held| answer.as_ref() != Some(&held)) {
                    errors.push(FieldError::new(id.clone(), key("services-error-read-only")));
                    continue;
                }
                errors.extend(check_field(app, &work, field, answer.as_ref()).await?);
                values.insert(field.id.clone(), answer);
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(ServiceError::Invalid(errors));
    }
    write(app, work, |answers| {
        answers.values.extend(values);
    })
    .await
}

/// The applicant's party, counting what is being sent.
fn party_after<'a>(
    work: &'a Work,
    values: &BTreeMap<String, Answer>,
    sent: &Map<String, Json>,
) -> Option<&'a str> {
    let own = work.draft.answers.own.citizen_id.as_str();
    let number = |field: &str| match (sent.get(field).and_then(Json::as_str), values.get(field)) {
        (Some(number), _) => number.trim().eq_ignore_ascii_case(own),
        (None, Some(Some(Value::Text(number)))) => number == own,
        _ => matches!(work.draft.answers.value(field), Some(Value::Text(number)) if number == own),
    };
    work.item.parties.iter().find(|party| number(&party.citizen_id_field)).map(|party| party.id.as_str())
}

/// Fills a party's page with the applicant's own name and number.
pub async fn fill_own(app: &App, work: Work, page: &str) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    let run = work.run(app)?;
    let state = run.page(page).filter(|_| run.can_visit(page)).ok_or(ServiceError::NotFound)?;
    let number =
        state.fields.iter().map(|state| state.field).find(|field| is_party_number(&work.item, field));
    let number = number.ok_or(ServiceError::NotFound)?;
    let name = name_beside(number).and_then(|id| state.fields.iter().find(|state| state.field.id == id));
    let (number, name) = (number.id.clone(), name.map(|state| state.field.id.clone()));
    let own = work.draft.answers.own.clone();
    write(app, work, |answers| {
        answers.values.insert(number, Some(Value::Text(own.citizen_id)));
        if let Some(name) = name {
            answers.values.insert(name, Some(Value::Text(own.name)));
        }
    })
    .await
}

/// Whether a field holds the citizen number of one of the parties.
pub(crate) fn is_party_number(item: &Item, field: &Field) -> bool {
    item.parties.iter().any(|party| party.citizen_id_field == field.id)
}

/// The field of the name that belongs to a citizen number: `groom.name` of `groom.citizen_id`.
fn name_beside(number: &Field) -> Option<String> {
    number.id.rsplit_once('.').map(|(party, _)| format!("{party}.name"))
}

/// The name that was given for a party.
pub(crate) fn party_name<'a>(item: &Item, answers: &'a Answers, number_field: &str) -> Option<&'a str> {
    let field = item.form.field(number_field)?;
    match answers.value(&name_beside(field)?) {
        Some(Value::Text(name)) => Some(name),
        _ => None,
    }
}

/// Changes the answers of a draft that nobody else has changed meanwhile.
pub(crate) async fn write(
    app: &App,
    mut work: Work,
    change: impl FnOnce(&mut Answers),
) -> Result<Work, ServiceError> {
    change(&mut work.draft.answers);
    let sealed = ledger::seal(&app.store, work.draft.subject, &work.draft.answers)?;
    let tx = app.store.begin().await?;
    if !ledger::update(&tx, &work.draft, sealed).await? {
        return Err(ServiceError::ChangedElsewhere);
    }
    tx.commit().await?;
    work.draft.version += 1;
    work.draft.changed_at = app.now();
    work.draft.expires_at = ledger::expiry(work.draft.changed_at);
    Ok(work)
}

/// Gives a draft up: its answers and files are gone at once.
pub async fn discard(app: &App, actor: &Actor, work: &Work) -> Result<(), ServiceError> {
    work.must_be_open()?;
    let tx = app.store.begin().await?;
    super::appointments::release_hold(&tx, work.draft.subject, work.draft.id).await?;
    for file in work.draft.answers.files.values() {
        store::blobs::remove(&tx, work.draft.subject, file.blob).await?;
    }
    if !ledger::delete(&tx, work.draft.subject, work.draft.id).await? {
        return Err(ServiceError::ChangedElsewhere);
    }
    tx.audit(
        AuditEntry::new(actor, "services.discard_draft", Purpose::OwnUse)
            .about(work.draft.subject)
            .object("services.draft"),
    );
    tx.commit().await?;
    Ok(())
}

/// Whether a field is answered on its page by typing or choosing.
pub(crate) fn is_typed(state: &FieldState<'_>) -> bool {
    !state.for_other && !matches!(state.field.kind, FieldKind::File | FieldKind::Slot)
}

/// What a field holds that the applicant cannot change here.
pub(crate) fn held_value(field: &Field, answers: &Answers) -> Option<Value> {
    answers.prefilled.get(&field.id).filter(|_| field.read_only).map(|prefilled| prefilled.value.clone())
}

fn read_field(field: &Field, posted: &Posted, today: Date, lang: Lang) -> Result<Answer, FieldError> {
    let answer = Asked::from(field).from_form(posted, today, lang);
    // A box that is not ticked is sent as nothing.
    match (field.kind, &answer) {
        (FieldKind::PersonConfirm, Ok(None | Some(Value::Boolean(false))) | Err(_)) => {
            Err(FieldError::new(field.id.clone(), key("services-error-confirm")))
        }
        _ => answer,
    }
}

/// What the server finds wrong with an answer that looks right.
async fn check_field(
    app: &App,
    work: &Work,
    field: &Field,
    answer: Option<&Value>,
) -> Result<Option<FieldError>, ServiceError> {
    let (Some(NAME_CHECK), Some(Value::Text(text))) = (field.check.as_deref(), answer) else {
        return Ok(None);
    };
    let error = match name_state(app, &work.item, text).await? {
        NameState::Free(_) => return Ok(None),
        NameState::Taken(name) => FieldError::new(field.id.clone(), key("services-name-taken"))
            .with("others", name.alternatives().join("、")),
        NameState::Wrong(error) => FieldError::new(field.id.clone(), error.key()).with("part", error.part()),
    };
    Ok(Some(error))
}

/// What the register says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameState {
    /// It can be had.
    Free(TradeName),
    /// Somebody has it.
    Taken(TradeName),
    /// It may not be used by anybody.
    Wrong(NameError),
}

/// Asks whether a name is free in the place of an item's authority.
pub async fn name_state(app: &App, item: &Item, text: &str) -> Result<NameState, ServiceError> {
    let name = match TradeName::parse(text) {
        Ok(name) => name,
        Err(error) => return Ok(NameState::Wrong(error)),
    };
    let free = names::is_free(&app.store.read(), &place_of(app, item), name.distinctive()).await?;
    Ok(if free { NameState::Free(name) } else { NameState::Taken(name) })
}

/// The division in which an item is decided: its authority's.
pub(crate) fn place_of(app: &App, item: &Item) -> String {
    app.pack.org(&item.authority).map_or_else(|| app.node.division.clone(), |org| org.division.clone())
}

/// Leaves a field empty that need not be answered.
pub async fn leave_empty(app: &App, work: Work, field: &str) -> Result<Work, ServiceError> {
    work.must_be_open()?;
    let field = field.to_owned();
    write(app, work, |answers| {
        answers.values.insert(field, None);
    })
    .await
}
