//! The applicant's pages: what happens next, by when, whom to ask.

use std::collections::BTreeMap;

use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use store::blobs;
use web::forms::{FieldError, Posted, Upload};
use web::i18n::key;
use web::{Ctx, Problem};

use super::{at, history_file, own_case};
use crate::actions::{self, NewRating, calendar};
use crate::document::DecisionDocument;
use crate::export::Audience;
use crate::model::{Case, Grade, Moment, Stage};
use crate::store::Loaded;
use crate::{files, queue, view};

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    before: Option<String>,
}

pub(crate) async fn list(ctx: Ctx, Query(query): Query<ListQuery>) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let today = ctx.now().china_date();
    let page = queue::list_of_subject(&ctx.read(), subject, query.before.as_deref(), today).await?;
    let mut rows = Vec::new();
    for case in &page.cases {
        rows.push(view::listed(&ctx, case, "/my/cases")?);
    }
    let next = page.next.map(|next| format!("/my/cases?before={next}"));
    ctx.page("cases/my_cases.html", json!({ "cases": rows, "next": next }))
}

pub(crate) async fn show(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    ctx.page("cases/my_case.html", case_context(&ctx, &loaded)?)
}

fn case_context(ctx: &Ctx, loaded: &Loaded) -> Result<Json, Problem> {
    let case = &loaded.case;
    let base = format!("/my/cases/{}", case.case_no());
    let (headline, text) = headline(case);
    let today = ctx.now().china_date();
    let correction = case.correction.as_ref().map(|correction| {
        json!({
            "points": correction.points.iter().map(|point| &point.text).collect::<Vec<_>>(),
            "answer_by": correction.answer_by,
            "open": case.stage() == Stage::Correction,
        })
    });
    Ok(json!({
        "case_no": case.case_no(),
        "base": base,
        "item": case.opened.item_name,
        "received": case.received_at(),
        "stage": view::stage_pill(ctx, case.stage())?,
        "headline": ctx.text(headline, &[])?,
        "what_next": ctx.text(text, &[])?,
        "outcome": case.outcome_name(),
        "favourable": case.decision.as_ref().map(|decision| decision.favourable),
        "way": view::way(ctx, case)?,
        "clocks": view::clocks(ctx, loaded)?,
        "correction": correction,
        "sections": view::sections(ctx.lang(), case),
        "materials": view::materials(ctx, case, &base)?,
        "history": view::history(ctx, loaded, Audience::Applicant, &base)?,
        "contact": view::contact(ctx, case),
        "parent": view::parent(case).map(|(_, case_no)| case_no),
        "licence": case.delivered.and_then(|delivered| delivered.licence),
        "may": {
            "withdraw": case.stage().is_open(),
            "rate": !case.ratable().is_empty(),
            "rate_now": case.ratable().contains(&Moment::Completion),
            "review": case.review_procedure(calendar(), today).is_ok(),
            "decision": DecisionDocument::of(case, &ctx.app.pack).is_some(),
        },
    }))
}

/// What the case waits for, in a line and in a sentence.
fn headline(case: &Case) -> (&'static str, &'static str) {
    let favourable = case.decision.as_ref().is_some_and(|decision| decision.favourable);
    match case.stage() {
        _ if case.pause.is_some() => (key("cases-next-paused"), key("cases-next-paused-text")),
        Stage::Received => (key("cases-next-received"), key("cases-next-received-text")),
        Stage::Correction => (key("cases-next-correction"), key("cases-next-correction-text")),
        Stage::Accepted | Stage::Review | Stage::Decision => {
            (key("cases-next-work"), key("cases-next-work-text"))
        }
        Stage::Production | Stage::Delivery => (key("cases-next-delivery"), key("cases-next-delivery-text")),
        Stage::Rating | Stage::Archived if favourable => {
            (key("cases-next-done"), key("cases-next-done-text"))
        }
        Stage::Rating => (key("cases-next-refused"), key("cases-next-refused-text")),
        Stage::NotAccepted => (key("cases-next-not-accepted"), key("cases-next-refused-text")),
        Stage::Terminated => (key("cases-next-terminated"), key("cases-next-refused-text")),
        Stage::Withdrawn => (key("cases-next-withdrawn"), key("cases-next-withdrawn-text")),
        Stage::Archived => (key("cases-next-archived"), key("cases-next-archived-text")),
    }
}

fn form_context(loaded: &Loaded, values: Json) -> Json {
    let case = &loaded.case;
    let correction = case.correction.as_ref();
    let points: Vec<&str> =
        correction.iter().flat_map(|notice| &notice.points).map(|point| point.text.as_str()).collect();
    json!({
        "case_no": case.case_no(),
        "base": format!("/my/cases/{}", case.case_no()),
        "item": case.opened.item_name,
        "seen": case.seq(),
        "points": points,
        "answer_by": correction.and_then(|notice| notice.answer_by),
        "values": values,
    })
}

/// The form again with what is wrong, or the page of the problem when no field is to blame.
fn again(ctx: &Ctx, template: &str, context: Json, problem: Problem) -> Result<Response, Problem> {
    if problem.fields.is_empty() { Err(problem) } else { ctx.form_again(template, context, &problem.fields) }
}

pub(crate) async fn correction_form(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    if loaded.case.stage() != Stage::Correction {
        return Ok(ctx.redirect(&format!("/my/cases/{case_no}"), None));
    }
    ctx.page("cases/my_correction.html", form_context(&loaded, json!({})))
}

pub(crate) async fn answer_correction(
    ctx: Ctx,
    Path(case_no): Path<String>,
    upload: Upload,
) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let template = "cases/my_correction.html";
    let text = upload.fields.get("text").to_owned();
    let context = form_context(&loaded, json!({ "text": text }));
    let file = match upload.file {
        Some(file) => match files::kind_of(&file) {
            Ok(kind) => Some((file, kind)),
            Err(error) => return ctx.form_again(template, context, &[error]),
        },
        None => None,
    };
    // The file is on disk before the write begins.
    let written = match file {
        Some((file, kind)) => {
            let written = blobs::write(&ctx.app.store, loaded.case.subject, file.bytes).await?;
            Some((written, kind, file.name))
        }
        None => None,
    };
    let tx = ctx.begin().await?;
    let blob = match written {
        Some((written, kind, name)) => Some(blobs::attach(&tx, written, kind, &name).await?.id),
        None => None,
    };
    let at = at(&loaded, upload.fields.get("seen"));
    match actions::answer_correction(&tx, ctx.actor(), at, &text, blob).await {
        Ok(_) => tx.commit().await?,
        Err(error) => return again(&ctx, template, context, error.into()),
    }
    Ok(ctx.redirect(&format!("/my/cases/{case_no}"), Some(key("flash-cases-corrected"))))
}

pub(crate) async fn rating_form(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    if loaded.case.ratable().is_empty() {
        return Ok(ctx.redirect(&format!("/my/cases/{case_no}"), None));
    }
    ctx.page("cases/my_rating.html", rating_context(&ctx, &loaded, json!({}))?)
}

fn rating_context(ctx: &Ctx, loaded: &Loaded, values: Json) -> Result<Json, Problem> {
    let mut context = form_context(loaded, values);
    let mut moments = Vec::new();
    // The whole case comes first: it is what most people want to rate.
    for moment in loaded.case.ratable().into_iter().rev() {
        moments.push(json!({ "value": moment.as_str(), "text": view::moment_text(ctx, moment)? }));
    }
    let item = ctx.app.pack.item(&loaded.case.opened.item_id);
    let dimensions: Vec<Json> = item
        .iter()
        .flat_map(|item| &item.ratings.dimensions)
        .enumerate()
        .map(|(place, name)| json!({ "field": format!("dimension-{place}"), "name": name }))
        .collect();
    if let Json::Object(object) = &mut context {
        object.insert("moments".to_owned(), Json::Array(moments));
        object.insert("dimensions".to_owned(), Json::Array(dimensions));
    }
    Ok(context)
}

pub(crate) async fn rate(ctx: Ctx, Path(case_no): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let values: serde_json::Map<String, Json> =
        posted.fields().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let context = rating_context(&ctx, &loaded, Json::Object(values))?;
    let template = "cases/my_rating.html";
    let grade = posted.get("grade").parse().ok().and_then(Grade::new);
    let moment = Moment::parse(posted.get("moment"));
    let mut errors = Vec::new();
    if grade.is_none() {
        errors.push(FieldError::new("grade", key("cases-rate-grade-missing")));
    }
    if moment.is_none() {
        errors.push(FieldError::new("moment", key("cases-rate-moment-missing")));
    }
    if posted.get("comment").chars().count() > 500 {
        errors.push(FieldError::new("comment", key("cases-field-text")).with("limit", 500_u32));
    }
    let (Some(grade), Some(moment), true) = (grade, moment, errors.is_empty()) else {
        return ctx.form_again(template, context, &errors);
    };
    let item = ctx.app.pack.item(&loaded.case.opened.item_id);
    let mut dimensions = BTreeMap::new();
    for (place, name) in item.iter().flat_map(|item| &item.ratings.dimensions).enumerate() {
        let given = posted.get(&format!("dimension-{place}")).parse().ok().and_then(Grade::new);
        dimensions.extend(given.map(|grade| (name.zh.clone(), grade)));
    }
    let rating = NewRating { moment, grade, dimensions, comment: posted.get("comment").to_owned() };
    let tx = ctx.begin().await?;
    let child = actions::rate(&tx, ctx.actor(), loaded.key(), &ctx.app.pack, rating).await?;
    tx.commit().await?;
    let flash = if child.is_some() { key("flash-cases-rated-bad") } else { key("flash-cases-rated") };
    Ok(ctx.redirect(&format!("/my/cases/{case_no}"), Some(flash)))
}

pub(crate) async fn withdraw_form(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    if !loaded.case.stage().is_open() {
        return Ok(ctx.redirect(&format!("/my/cases/{case_no}"), None));
    }
    ctx.page("cases/my_withdraw.html", form_context(&loaded, json!({})))
}

pub(crate) async fn withdraw(
    ctx: Ctx,
    Path(case_no): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let context = form_context(&loaded, json!({ "reason": posted.get("reason") }));
    let tx = ctx.begin().await?;
    let at = at(&loaded, posted.get("seen"));
    match actions::withdraw(&tx, ctx.actor(), at, posted.get("reason")).await {
        Ok(_) => tx.commit().await?,
        Err(error) => return again(&ctx, "cases/my_withdraw.html", context, error.into()),
    }
    Ok(ctx.redirect(&format!("/my/cases/{case_no}"), Some(key("flash-cases-withdrawn"))))
}

pub(crate) async fn review_form(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let today = ctx.now().china_date();
    loaded.case.review_procedure(calendar(), today).map_err(crate::ActionError::from)?;
    ctx.page("cases/my_review.html", form_context(&loaded, json!({})))
}

pub(crate) async fn request_review(
    ctx: Ctx,
    Path(case_no): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let context = form_context(&loaded, json!({ "reason": posted.get("reason") }));
    let tx = ctx.begin().await?;
    let asked =
        actions::request_review(&tx, ctx.actor(), loaded.key(), &ctx.app.pack, posted.get("reason")).await;
    let number = match asked {
        Ok(number) => {
            tx.commit().await?;
            number
        }
        Err(error) => return again(&ctx, "cases/my_review.html", context, error.into()),
    };
    Ok(ctx.redirect(&format!("/my/cases/{number}"), Some(key("flash-cases-review-asked"))))
}

pub(crate) async fn decision(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    decision_page(&ctx, &loaded, &format!("/my/cases/{case_no}"), "cases/decision.html")
}

/// The decision as a page in both languages.
pub(crate) fn decision_page(
    ctx: &Ctx,
    loaded: &Loaded,
    back: &str,
    template: &str,
) -> Result<Response, Problem> {
    let document = DecisionDocument::of(&loaded.case, &ctx.app.pack).ok_or(crate::ActionError::NotFound)?;
    ctx.page(template, json!({ "document": document, "back": back }))
}

pub(crate) async fn history(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    history_file(&ctx, &loaded, Audience::Applicant)
}

pub(crate) async fn file(
    ctx: Ctx,
    Path((case_no, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let blob = files::of_case(&ctx.read(), &loaded.case, &file).await?;
    files::send(&ctx.app.store, &blob).await
}
