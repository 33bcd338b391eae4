//! Submitting: everything is looked at again, the receipt is signed, and one write makes it a case.
//!
//! # Invariants
//!
//! - One draft becomes at most one case: whoever submits twice, replays a request or uses two devices gets
//!   the receipt that the first one got.
//! - Everything slow (registers, rules, clocks, encryption, both signatures) happens before the write begins.
//! - Nothing is receipted that is not on disk, and nothing is on disk without its receipt.

use std::collections::BTreeMap;

use kernel::actor::Actor;
use kernel::case_no::CaseNo;
use kernel::division::DivisionCode;
use kernel::ids::{CaseId, OrgCode, SubjectId};
use kernel::time::Timestamp;
use packs::expr::{Facts, Value};
use packs::model::{LegalBasis, Words};
use packs::table::Decision;
use packs::{Item, Versioned};
use store::{AuditEntry, Purpose, Tx};
use web::App;
use web::forms::FieldError;
use web::i18n::{Lang, key};

use super::appointments;
use super::drafts::{NAME_CHECK, Work, env, place_of, prefill, prefill_entry, write};
use crate::error::ServiceError;
use crate::model::input::words;
use crate::model::{Asked, MaterialState, Met, Run, Supplied, TradeName, materials_of};
use crate::outside::{self, Registered};
use crate::store::drafts::{self as drafts, DraftState};
use crate::store::receipts::{self as receipts, Receipt};
use crate::store::{bookings, names};

/// What came of a submission.
#[derive(Clone, Debug)]
pub enum Submission {
    /// A case with its receipt.
    Case(Receipt),
    /// The seat is held until the other person has confirmed.
    AwaitsOther {
        /// Until when.
        until: Timestamp,
    },
}

/// Everything that the review page shows and a submission rests on.
pub struct Review<'a> {
    /// The form as it stands.
    pub run: Run<'a>,
    /// What is needed, and how it is met.
    pub materials: Vec<MaterialState<'a>>,
    /// What the item's table says now.
    pub decision: Decision,
    /// Every fact that is known.
    pub facts: Facts,
    /// What is still wrong or missing: field and why.
    pub missing: Vec<FieldError>,
}

/// Looks at a draft as a submission would.
pub(crate) async fn review<'a>(
    app: &App,
    work: &'a Work,
    person: &Registered,
    confirmed: &[&str],
    lang: Lang,
) -> Result<Review<'a>, ServiceError> {
    let env = env(app);
    let run = work.run(app)?;
    let answers = &work.draft.answers;
    let supplied = supplied(app, work, person).await?;
    let materials = materials_of(&work.item, answers, &run, &supplied, env)?;
    let mut missing = open_fields(&run, lang);
    for state in run.fields().filter(|state| !state.for_other) {
        let asked = Asked::from(state.field);
        let answer = answers.values.get(&state.field.id).cloned().flatten();
        let wrong = asked.optional().check(answer, env.today, lang);
        missing.extend(wrong.err());
    }
    for state in materials.iter().filter(|state| state.met.is_none()) {
        missing.push(
            FieldError::new(format!("material-{}", state.material.id), key("services-error-attach"))
                .with("label", state.material.name.get(lang.as_str())),
        );
    }
    let mut facts = run.facts.clone();
    for (_, field) in work.item.form.fields().filter(|(_, field)| field.party.is_some()) {
        if field.kind == packs::model::FieldKind::PersonConfirm
            && field.party.as_deref().is_some_and(|party| confirmed.contains(&party))
        {
            facts.set(field.id.clone(), Value::Boolean(true));
        }
    }
    add_checks(app, work, person, &materials, &mut facts).await?;
    let decision = work.item.decide(&facts, env)?;
    Ok(Review { run, materials, decision, facts, missing })
}

/// Fields that are asked and not answered, of the first page that is not complete.
fn open_fields(run: &Run<'_>, lang: Lang) -> Vec<FieldError> {
    let open = run.pages.iter().flat_map(|page| &page.fields).filter(|state| !state.answered);
    open.map(|state| {
        FieldError::new(state.field.id.clone(), key("services-error-fill"))
            .with("label", state.field.label.get(lang.as_str()))
    })
    .collect()
}

/// What wallets and registers answer for the item's materials.
async fn supplied(app: &App, work: &Work, person: &Registered) -> Result<Supplied, ServiceError> {
    let wanted: Vec<&str> =
        work.item.materials.iter().filter_map(|one| one.obtained_from.licence.as_deref()).collect();
    let held = outside::held(&app.store.read(), person.subject, &wanted).await?;
    Ok(Supplied {
        licences: held.into_iter().map(|one| (one.kind, one.id, one.number)).collect(),
        sources: person.sources(),
    })
}

/// The facts that the server finds out itself. What cannot be found out stays unknown: the table then leaves
/// the case to an officer.
async fn add_checks(
    app: &App,
    work: &Work,
    person: &Registered,
    materials: &[MaterialState<'_>],
    facts: &mut Facts,
) -> Result<(), ServiceError> {
    for fact in &work.item.facts {
        let found = match (fact.check.as_deref(), fact.source.as_deref()) {
            (Some(NAME_CHECK), _) => name_fact(app, work, facts).await?,
            (Some("materials_complete"), _) => {
                Some(Value::Boolean(materials.iter().all(|one| one.met.is_some())))
            }
            (Some("person_alive"), _) => Some(Value::Boolean(person.alive)),
            (Some("benefit_already_paid"), _) => {
                let db = app.store.read();
                Some(Value::Boolean(receipts::was_granted(&db, person.subject, &work.item.id).await?))
            }
            (None, Some(path)) => person.value(path).map(|(value, _)| value.clone()),
            _ => None,
        };
        if let Some(value) = found {
            facts.set(fact.id.clone(), value);
        }
    }
    Ok(())
}

async fn name_fact(app: &App, work: &Work, facts: &Facts) -> Result<Option<Value>, ServiceError> {
    let Some(name) = trade_name(&work.item, facts) else { return Ok(None) };
    let free = names::is_free(&app.store.read(), &place_of(app, &work.item), name.distinctive()).await?;
    Ok(Some(Value::Boolean(free)))
}

/// The name that the application asks for.
fn trade_name(item: &Item, facts: &Facts) -> Option<TradeName> {
    let field = item
        .form
        .fields()
        .map(|(_, field)| field)
        .find(|field| field.check.as_deref() == Some(NAME_CHECK))?;
    match facts.get(&field.id) {
        Some(Value::Text(text)) => TradeName::parse(text).ok(),
        _ => None,
    }
}

/// Submits a draft. `submit_key` is the caller's `Idempotency-Key`.
pub async fn submit(
    app: &App,
    actor: &Actor,
    subject: SubjectId,
    draft: kernel::ids::DraftId,
    submit_key: Option<&str>,
    lang: Lang,
) -> Result<Submission, ServiceError> {
    let db = app.store.read();
    if let Some(receipt) = receipts::of_draft(&db, subject, draft).await? {
        return Ok(Submission::Case(receipt));
    }
    if let Some(submit_key) = submit_key
        && receipts::by_key(&db, subject, submit_key).await?.is_some()
    {
        // The same draft may have been submitted between the two looks.
        return match receipts::of_draft(&db, subject, draft).await? {
            Some(receipt) => Ok(Submission::Case(receipt)),
            None => Err(ServiceError::KeyReused),
        };
    }
    let work = Work::load(app, subject, draft).await?;
    if work.draft.state == DraftState::Submitted {
        // Committed between the first look at the receipts and this one at the draft.
        return submitted_meanwhile(app, &work).await;
    }
    if work.draft.state == DraftState::Waiting {
        let booking = bookings::of_draft(&db, subject, draft).await?.ok_or(ServiceError::HoldOver)?;
        return Ok(Submission::AwaitsOther { until: booking.held_until });
    }
    let person = outside::person(&db, &work.item, subject).await?.ok_or(ServiceError::NotAPerson)?;
    let work = with_fresh_registers(app, work, &person).await?;
    let own_party = work.draft.answers.own_party(&work.item);
    if !work.item.parties.is_empty() && own_party.is_none() {
        return Err(ServiceError::NotAParty);
    }
    let confirmed: Vec<&str> = own_party.into_iter().collect();
    let review = review(app, &work, &person, &confirmed, lang).await?;
    if !review.missing.is_empty() {
        return Err(ServiceError::Incomplete(review.missing));
    }
    if work.item.appointment.is_some() {
        appointments::must_not_be_refused(&review.decision, lang)?;
        let booking = appointments::must_be_held(app, &work).await?;
        if work.item.parties.len() > 1 {
            let until = appointments::invite(app, actor, &work, booking).await?;
            return Ok(Submission::AwaitsOther { until });
        }
        let of = Application { work: &work, review, person: &person, booking: Some(booking), partner: None };
        return open_case(app, actor, of, submit_key).await;
    }
    let of = Application { work: &work, review, person: &person, booking: None, partner: None };
    open_case(app, actor, of, submit_key).await
}

/// The registers are asked again; if one says something else than the applicant has seen, they see it first.
async fn with_fresh_registers(app: &App, work: Work, person: &Registered) -> Result<Work, ServiceError> {
    let fresh = prefill(&work.item, person);
    let known = &work.draft.answers.prefilled;
    let same = fresh.len() == known.len()
        && fresh.iter().all(|(id, one)| known.get(id).is_some_and(|other| other.value == one.value));
    if same {
        return Ok(work);
    }
    write(app, work, |answers| {
        for (field, prefilled) in &fresh {
            if answers.prefilled.get(field).is_none_or(|before| before.value != prefilled.value) {
                // Its page is asked again.
                answers.values.remove(field);
            }
        }
        answers.prefilled = fresh;
    })
    .await?;
    Err(ServiceError::RegisterChanged)
}

/// An application that is complete.
pub(crate) struct Application<'a> {
    pub(crate) work: &'a Work,
    pub(crate) review: Review<'a>,
    pub(crate) person: &'a Registered,
    pub(crate) booking: Option<bookings::Booking>,
    /// The other person, who has confirmed, and what the register said of both: rows for the case.
    pub(crate) partner: Option<Partner>,
}

/// The other person of an application.
pub(crate) struct Partner {
    pub(crate) subject: SubjectId,
    pub(crate) rows: Vec<cases::model::Row>,
    /// Whether what the register says must be looked at by an officer.
    pub(crate) doubtful: bool,
}

/// Opens the case: signs first, then writes once.
pub(crate) async fn open_case(
    app: &App,
    actor: &Actor,
    application: Application<'_>,
    submit_key: Option<&str>,
) -> Result<Submission, ServiceError> {
    let Application { work, review, person, booking, partner } = application;
    if work.draft.state == DraftState::Submitted {
        return submitted_meanwhile(app, work).await;
    }
    let now = app.now();
    let env = app.store.env();
    let case_id = CaseId::generate(&*env.clock, &*env.entropy);
    let mut at_once = automatic(app, &work.item, &review.decision);
    if partner.as_ref().is_some_and(|partner| partner.doubtful) {
        at_once = None;
    }
    let new = new_case(app, work, &review, person, partner.as_ref(), case_id, now, at_once)?;
    let content = format!("sm3:{}", hex::encode(crypto::hash::sm3(&serde_json::to_vec(&new.payload)?)));
    let case_no = new.case_no.clone();
    let prepared = cases::actions::prepare(&app.store, actor, new)?;
    let document = {
        let opened = prepared.opened();
        let record = licences::receipt::ReceiptRecord {
            case_no: case_no.clone(),
            item: work.item.name.clone(),
            issuer: issuer(app, &work.item)?,
            applicant: masked(&person.name),
            received_at: now,
            content_hash: content,
            statutory_due: opened.statutory.as_ref().and_then(cases::model::ClockReading::due),
            promised_due: opened.promised.due(),
        };
        licences::receipt::sign(&app.store.keys(), &record)?.to_file_json()?
    };
    let sealed = receipts::seal(&app.store, work.draft.subject, &document);
    let receipt = Receipt {
        subject: work.draft.subject,
        draft: work.draft.id,
        case_id,
        case_no: case_no.clone(),
        item_id: work.item.id.clone(),
        item_hash: work.draft.item_hash.clone(),
        document,
        received_at: now,
    };
    let name = trade_name(&work.item, &review.facts);

    env.faults.reached("submit.before_begin").await;
    let tx = app.store.begin().await?;
    if !drafts::pass_on(&tx, &work.draft, work.draft.state, DraftState::Submitted).await? {
        // Committing nothing waits for the write of the other request, which may share this group.
        tx.commit().await?;
        return submitted_meanwhile(app, work).await;
    }
    cases::actions::open(&tx, actor, prepared).await?;
    env.faults.reached("submit.case_written").await;
    receipts::insert(&tx, &receipt, sealed, submit_key).await?;
    env.faults.reached("submit.receipt_written").await;
    if let Some(name) = name
        && !names::hold(&tx, &place_of(app, &work.item), &name, work.draft.subject, case_id).await?
    {
        // The whole write is undone: the draft stays open and its owner chooses another name.
        return Err(ServiceError::NameTaken);
    }
    if let Some(booking) = booking {
        let booked = bookings::Booking { case_id: Some(case_id), case_no: Some(case_no.clone()), ..booking };
        if !bookings::change(&tx, &booked, &["held", "waiting"], "booked", booked.held_until).await? {
            return Err(ServiceError::HoldOver);
        }
        if let Some(partner) = &partner
            && !bookings::answer(&tx, partner.subject, booked.booking_id, "confirmed").await?
        {
            return Err(ServiceError::InvitationOver);
        }
        bookings::stop_waiting(&tx, work.draft.subject, work.draft.id).await?;
    }
    note(&tx, actor, work, case_id, &case_no, partner.as_ref());
    env.faults.reached("submit.before_commit").await;
    tx.commit().await?;
    env.faults.reached("submit.after_commit").await;
    Ok(Submission::Case(receipt))
}

fn note(tx: &Tx, actor: &Actor, work: &Work, case: CaseId, case_no: &str, partner: Option<&Partner>) {
    tx.audit(prefill_entry(actor, work.draft.subject).in_case(case, case_no));
    if let Some(partner) = partner {
        tx.audit(
            AuditEntry::new(actor, "services.confirm_booking", Purpose::OwnUse)
                .about(partner.subject)
                .in_case(case, case_no)
                .object("services.booking"),
        );
    }
}

/// Another request was faster: its receipt is the answer.
async fn submitted_meanwhile(app: &App, work: &Work) -> Result<Submission, ServiceError> {
    let db = app.store.read();
    match receipts::of_draft(&db, work.draft.subject, work.draft.id).await? {
        Some(receipt) => Ok(Submission::Case(receipt)),
        None => Err(ServiceError::ChangedElsewhere),
    }
}

#[expect(clippy::too_many_arguments, reason = "they are the parts of one case, named once")]
fn new_case(
    app: &App,
    work: &Work,
    review: &Review<'_>,
    person: &Registered,
    partner: Option<&Partner>,
    case_id: CaseId,
    now: Timestamp,
    at_once: Option<cases::actions::AutomaticDecision>,
) -> Result<cases::actions::NewCase, ServiceError> {
    let item = &work.item;
    let procedure: Versioned<packs::model::Procedure> =
        app.pack.procedure(&item.procedure).ok_or(ServiceError::NotFound)?.clone();
    let today = now.china_date();
    let (statutory, promised) = cases::model::Terms::clock_rules(item, &procedure, app.pack.rules(), today)?;
    let place = place_of(app, item);
    let division = DivisionCode::parse(&place).map_err(|error| ServiceError::Outside(Box::new(error)))?;
    Ok(cases::actions::NewCase {
        subject: work.draft.subject,
        case_id,
        case_no: CaseNo::generate(division, today, &*app.store.env().entropy).as_str().to_owned(),
        item_id: item.id.clone(),
        item_hash: work.draft.item_hash.clone(),
        item_name: item.name.clone(),
        org: OrgCode::new(item.authority.clone()).map_err(|error| ServiceError::Outside(Box::new(error)))?,
        division: place,
        applicant: person.name.clone(),
        payload: payload(app, work, review, partner)?,
        received_at: now,
        statutory,
        promised,
        terms: cases::model::Terms::resolve(&procedure, app.pack.rules(), today)?,
        procedure,
        parent: None,
        at_once,
    })
}

/// What an officer reads and rules read.
fn payload(
    app: &App,
    work: &Work,
    review: &Review<'_>,
    partner: Option<&Partner>,
) -> Result<cases::model::Payload, ServiceError> {
    let answers = &work.draft.answers;
    let mut sections = Vec::new();
    for page in &review.run.pages {
        let mut rows = Vec::new();
        for state in page.fields.iter().filter(|state| !state.for_other) {
            let Some(value) = answers.value(&state.field.id) else { continue };
            let source =
                answers.prefilled.get(&state.field.id).filter(|prefilled| prefilled.value == *value).map(
                    |prefilled| cases::model::Source {
                        name: source_name(app, &prefilled.source),
                        as_of: prefilled.as_of,
                    },
                );
            rows.push(cases::model::Row {
                field: state.field.id.clone(),
                label: state.field.label.clone(),
                value: words(&Asked::from(state.field), value).into(),
                source,
            });
        }
        if !rows.is_empty() {
            sections.push(cases::model::Section { title: page.page.title.clone(), rows });
        }
    }
    if let Some(partner) = partner.filter(|partner| !partner.rows.is_empty()) {
        let title = Words::new("核验结果", "What was checked");
        sections.push(cases::model::Section { title, rows: partner.rows.clone() });
    }
    let materials = review
        .materials
        .iter()
        .filter_map(|state| Some((state, state.met.as_ref()?)))
        .map(|(state, met)| cases::model::Material {
            name: state.material.name.clone(),
            met_by: met_by(app, met),
        })
        .collect();
    let facts = work.item.known_facts(&review.facts, env(app))?.to_json();
    Ok(cases::model::Payload { sections, facts: serde_json::Value::Object(facts), materials })
}

fn met_by(app: &App, met: &Met) -> cases::model::MetBy {
    use cases::model::MetBy;
    match met {
        Met::Licence(id, label) => MetBy::Licence { id: *id, label: label.clone() },
        Met::Shared(source, as_of) => MetBy::Shared { source: source_name(app, source), as_of: *as_of },
        Met::File(file) => MetBy::Blob { id: file.blob, name: file.name.clone(), sm3: file.sm3.clone() },
        Met::FilledIn => MetBy::FilledIn,
        Met::Promised => MetBy::Promise,
        Met::Later => MetBy::Later,
    }
}

/// The name of a source of the share catalogue.
pub(crate) fn source_name(app: &App, id: &str) -> Words {
    app.pack.sharing().source(id).map_or_else(|| Words::new(id, id), |source| source.name.clone())
}

/// The decision that needs no officer, where the item's procedure and its table allow one.
fn automatic(app: &App, item: &Item, decision: &Decision) -> Option<cases::actions::AutomaticDecision> {
    let procedure = app.pack.procedure(&item.procedure).filter(|procedure| procedure.auto_decision)?;
    let wanted = match decision.outcome.as_deref()? {
        "auto_approve" => true,
        "auto_refuse" => false,
        _ => return None,
    };
    let result = procedure.results.iter().find(|result| result.favourable == wanted)?;
    let cite = |basis: &LegalBasis| Words::new(basis.cite("zh"), basis.cite("en"));
    let mut reasons = vec![cases::model::Reason {
        text: decision.because.clone(),
        article: decision.article.as_ref().map(cite),
    }];
    // The sentence of the row that fitted; the default row fits because no other did.
    let own = decision.reasons.last().filter(|_| decision.row.is_some_and(|row| row > 0));
    reasons.extend(own.map(|text| cases::model::Reason { text: text.clone(), article: None }));
    let values: BTreeMap<String, serde_json::Value> =
        decision.values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
    Some(cases::actions::AutomaticDecision {
        outcome: result.id.clone(),
        reasons,
        values,
        row: decision.row.unwrap_or_default(),
    })
}

fn issuer(app: &App, item: &Item) -> Result<licences::model::record::IssuerRef, ServiceError> {
    let org = app.pack.org(&item.authority).ok_or(ServiceError::NotFound)?;
    Ok(licences::model::record::IssuerRef {
        code: OrgCode::new(org.code.clone()).map_err(|error| ServiceError::Outside(Box::new(error)))?,
        name: org.name.clone(),
        uscc: org.uscc.clone(),
    })
}

/// 段**: the first character, and a star for each other.
pub(crate) fn masked(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(String::from).unwrap_or_default();
    first + &"*".repeat(letters.count().max(1))
}
