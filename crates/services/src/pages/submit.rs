//! Looking it over, submitting, and the receipt.

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value as Json, json};
use web::forms::Posted;
use web::i18n::{Arg, key};
use web::{Ctx, Problem, download};

use super::apply::{load, material_view, person};
use crate::actions::drafts::Work;
use crate::actions::submit::{self, Submission, source_name};
use crate::eligibility::explain;
use crate::error::ServiceError;
use crate::model::Asked;
use crate::model::input::words;
use crate::store::drafts::DraftState;
use crate::store::{bookings, receipts};

/// `GET /apply/drafts/{draft}/review`
pub(crate) async fn review_page(ctx: Ctx, Path(draft): Path<String>) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    if work.draft.state != DraftState::Open {
        return Ok(ctx.redirect(&format!("/apply/drafts/{draft}/done"), None));
    }
    if let Some(open) = work.run(&ctx.app)?.next_open() {
        return Ok(ctx.redirect(&format!("/apply/drafts/{draft}/{}", open.page.id), None));
    }
    ctx.page("services/review.html", review_context(&ctx, &work).await?)
}

async fn review_context(ctx: &Ctx, work: &Work) -> Result<Json, Problem> {
    let lang = ctx.lang();
    let code = lang.as_str();
    let person = person(ctx, work).await?;
    let own = work.draft.answers.own_party(&work.item);
    let confirmed: Vec<&str> = own.into_iter().collect();
    let review = submit::review(&ctx.app, work, &person, &confirmed, lang).await?;
    let answers = &work.draft.answers;
    let mut sections = Vec::new();
    for page in &review.run.pages {
        let mut rows = Vec::new();
        for field in page.fields.iter().filter(|state| !state.for_other).map(|state| state.field) {
            let asked = Asked::from(field);
            let file = field.material.as_ref().and_then(|id| answers.files.get(id));
            let value = match (file, answers.value(&field.id)) {
                (Some(file), _) => file.name.clone(),
                (None, Some(value)) => words(&asked, value).get(code).to_owned(),
                (None, None) => ctx.text(key("services-review-empty"), &[])?,
            };
            let source = answers
                .prefilled
                .get(&field.id)
                .filter(|prefilled| answers.value(&field.id) == Some(&prefilled.value))
                .map(|prefilled| {
                    json!({ "name": source_name(&ctx.app, &prefilled.source).get(code), "at": prefilled.as_of })
                });
            let change = format!("/apply/drafts/{}/{}?from=review", work.draft.id, page.page.id);
            let fixed = crate::actions::drafts::held_value(field, answers).is_some();
            rows.push(json!({
                "key": field.label.get(code), "value": value, "source": source,
                "action": (!fixed).then(|| json!({ "href": change })),
            }));
        }
        sections.push(json!({ "title": page.page.title.get(code), "rows": rows }));
    }
    let materials: Vec<Json> = review.materials.iter().map(|state| material_view(ctx, state)).collect();
    let parties: Vec<&str> = work
        .item
        .parties
        .iter()
        .filter(|party| Some(party.id.as_str()) != own)
        .map(|party| party.name.get(code))
        .collect();
    let booking = bookings::of_draft(&ctx.read(), work.draft.subject, work.draft.id).await?;
    let refused = work.item.appointment.is_some()
        && matches!(review.decision.outcome.as_deref(), Some("refuse" | "auto_refuse"));
    Ok(json!({
        "item": { "id": work.item.id, "name": work.item.name, "books": work.item.appointment.is_some() },
        "draft": work.draft.id,
        "sections": sections,
        "materials": materials,
        "missing": ctx.errors_json(&review.missing)?,
        "is_missing": !review.missing.is_empty(),
        "decision": explain(&work.item, &review.decision, lang),
        "refused": refused,
        "other_parties": if work.item.parties.len() > 1 { parties } else { Vec::new() },
        "not_a_party": !work.item.parties.is_empty() && own.is_none(),
        "booking": booking.map(|booking| json!({ "starts_at": booking.starts_at, "held_until": booking.held_until })),
        "back": review.run.pages.last().map(|page| format!("/apply/drafts/{}/{}", work.draft.id, page.page.id)),
    }))
}

/// `POST /apply/drafts/{draft}/submit`
pub(crate) async fn submit(ctx: Ctx, Path(draft): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let id = draft.parse().map_err(|_| Problem::not_found())?;
    let done = format!("/apply/drafts/{draft}/done");
    if posted.get("declares") != "true" {
        let work = load(&ctx, &draft).await?;
        if work.draft.state != DraftState::Open {
            return Ok(ctx.redirect(&done, None));
        }
        let error = web::forms::FieldError::new("declares", key("services-error-declare"));
        return ctx.form_again("services/review.html", review_context(&ctx, &work).await?, &[error]);
    }
    match submit::submit(&ctx.app, ctx.actor(), subject, id, None, ctx.lang()).await {
        Ok(Submission::Case(_) | Submission::AwaitsOther { .. }) => Ok(ctx.redirect(&done, None)),
        Err(error) => refused(&ctx, &draft, error).await,
    }
}

/// The review again, with what stands in the way of the submission.
async fn refused(ctx: &Ctx, draft: &str, error: ServiceError) -> Result<Response, Problem> {
    use web::forms::FieldError;
    let at = |field: &str, text: &str| vec![FieldError::new(field, text)];
    let errors = match error {
        ServiceError::Incomplete(errors) | ServiceError::Invalid(errors) => errors,
        ServiceError::NameTaken => at("submit", key("services-submit-name-taken")),
        ServiceError::HoldOver => at("submit", key("services-submit-hold-over")),
        ServiceError::BookedAlready => at("submit", key("services-submit-booked-already")),
        ServiceError::NotAParty => at("submit", key("services-submit-not-a-party")),
        ServiceError::PartnerUnknown => at("submit", key("services-submit-partner-unknown")),
        ServiceError::RegisterChanged => {
            return Ok(
                ctx.redirect(&format!("/apply/drafts/{draft}"), Some(key("flash-services-register-changed")))
            );
        }
        ServiceError::NotEligible(because) => {
            vec![FieldError::new("submit", key("services-submit-not-eligible")).with("because", because)]
        }
        other => return Err(other.into()),
    };
    let work = load(ctx, draft).await?;
    ctx.form_again("services/review.html", review_context(ctx, &work).await?, &errors)
}

/// `GET /apply/drafts/{draft}/done`: the case number, both due dates, what happens next.
pub(crate) async fn done_page(ctx: Ctx, Path(draft): Path<String>) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let subject = work.draft.subject;
    match work.draft.state {
        DraftState::Open => return Ok(ctx.redirect(&format!("/apply/drafts/{draft}"), None)),
        DraftState::Waiting => {
            let booking = bookings::of_draft(&ctx.read(), subject, work.draft.id).await?;
            let booking = booking.ok_or_else(Problem::not_found)?;
            return ctx.page(
                "services/waiting.html",
                json!({
                    "item": { "id": work.item.id, "name": work.item.name },
                    "booking": { "id": booking.booking_id, "starts_at": booking.starts_at, "until": booking.held_until },
                }),
            );
        }
        DraftState::Submitted => {}
    }
    let receipt =
        receipts::of_draft(&ctx.read(), subject, work.draft.id).await?.ok_or_else(Problem::not_found)?;
    let key_of = cases::CaseKey { subject, id: receipt.case_id };
    let loaded = cases::find(&ctx.read(), key_of).await?.ok_or_else(Problem::not_found)?;
    let today = ctx.now().china_date();
    let (statutory, promised) = loaded.case.readings(kernel::calendar::WorkCalendar::embedded(), today);
    let mut clocks = Vec::new();
    if let Some(statutory) = &statutory {
        clocks.push(cases::clock(&ctx, &loaded, key("services-limit-statutory"), statutory)?);
    }
    clocks.push(cases::clock(&ctx, &loaded, key("services-limit-promised"), &promised)?);
    let lang = ctx.lang();
    let decision = loaded.case.decision.as_ref().map(|decision| {
        let reasons: Vec<Json> = decision
            .reasons
            .iter()
            .map(|reason| {
                json!({
                    "text": reason.text.get(lang.as_str()),
                    "article": reason.article.as_ref().map(|article| article.get(lang.as_str()).to_owned()),
                })
            })
            .collect();
        json!({ "favourable": decision.favourable, "automatic": decision.automatic.is_some(), "reasons": reasons })
    });
    let booking = bookings::of_draft(&ctx.read(), subject, work.draft.id).await?;
    let authority = ctx.app.pack.org(&work.item.authority).map(|org| &org.name);
    let phone = work
        .item
        .venues
        .first()
        .map_or_else(|| ctx.app.pack.node().phone.clone(), |venue| venue.phone.clone());
    ctx.page(
        "services/done.html",
        json!({
            "item": { "id": work.item.id, "name": work.item.name },
            "case_no": receipt.case_no,
            "received_at": receipt.received_at,
            "clocks": clocks,
            "decision": decision,
            "booking": booking.map(|booking| json!({ "id": booking.booking_id, "starts_at": booking.starts_at })),
            "authority": authority,
            "phone": phone,
            "result": work.item.result.licence.as_deref().and_then(|id| ctx.app.pack.licence_type(id)).map(|one| &one.name),
            "review_right": decision_can_be_reviewed(&ctx, &work),
        }),
    )
}

/// Whether a person looks at the decision on request.
fn decision_can_be_reviewed(ctx: &Ctx, work: &Work) -> bool {
    let procedure = ctx.app.pack.procedure(&work.item.procedure);
    procedure.is_some_and(|procedure| procedure.review_on_request.is_some())
}

/// `GET /my/cases/{case_no}/receipt`: the signed file, which `yiwang verify` checks offline.
pub(crate) async fn receipt_file(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let receipt =
        receipts::of_case_no(&ctx.read(), subject, &case_no).await?.ok_or_else(Problem::not_found)?;
    let name = ctx.text(key("services-receipt-file"), &[("case_no", Arg::from(receipt.case_no.as_str()))])?;
    Ok(download(&name, "application/json", receipt.document))
}
