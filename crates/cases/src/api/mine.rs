//! A person's own cases.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query};
use serde::Deserialize;
use store::blobs;
use web::forms::{FieldError, JsonBody, Upload};
use web::i18n::key;
use web::{Ctx, Problem, ProblemBody};

use super::wire;
use crate::actions::{self, At, NewRating};
use crate::document::DecisionDocument;
use crate::error::ActionError;
use crate::export::{self, Audience, History};
use crate::model::{Grade, Moment};
use crate::pages::own_case;
use crate::{files, queue};

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    before: Option<String>,
}

/// The cases of whoever is signed in, or of whom they act for; newest first.
#[utoipa::path(
    get, path = "/api/v1/cases", operation_id = "list_cases", tag = "cases",
    params(("before" = Option<String>, Query, description = "The cursor of the page before")),
    responses((status = 200, body = wire::CaseList), (status = 401, body = ProblemBody))
)]
pub(crate) async fn list_cases(
    ctx: Ctx,
    Query(query): Query<ListQuery>,
) -> Result<Json<wire::CaseList>, Problem> {
    let (_, subject) = ctx.citizen()?;
    let today = ctx.now().china_date();
    let page = queue::list_of_subject(&ctx.read(), subject, query.before.as_deref(), today).await?;
    Ok(Json(wire::CaseList::from(&page)))
}

/// One case with both clocks and how each due date came about.
#[utoipa::path(
    get, path = "/api/v1/cases/{case_no}", operation_id = "get_case", tag = "cases",
    params(("case_no" = String, Path)),
    responses((status = 200, body = wire::CaseDetail), (status = 404, body = ProblemBody))
)]
pub(crate) async fn get_case(
    ctx: Ctx,
    Path(case_no): Path<String>,
) -> Result<Json<wire::CaseDetail>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    Ok(Json(wire::CaseDetail::new(&loaded.case, ctx.now().china_date(), Vec::new())))
}

/// Everything that happened to the case, with the chain over it.
#[utoipa::path(
    get, path = "/api/v1/cases/{case_no}/history", operation_id = "get_case_history", tag = "cases",
    params(("case_no" = String, Path)),
    responses((status = 200, body = History), (status = 404, body = ProblemBody))
)]
pub(crate) async fn get_history(ctx: Ctx, Path(case_no): Path<String>) -> Result<Json<History>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    Ok(Json(export::history(&loaded, Audience::Applicant, ctx.now())?))
}

/// The decision with its reasons.
#[utoipa::path(
    get, path = "/api/v1/cases/{case_no}/decision", operation_id = "get_case_decision", tag = "cases",
    params(("case_no" = String, Path)),
    responses((status = 200, body = wire::Document), (status = 404, body = ProblemBody))
)]
pub(crate) async fn get_decision(
    ctx: Ctx,
    Path(case_no): Path<String>,
) -> Result<Json<wire::Document>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let document = DecisionDocument::of(&loaded.case, &ctx.app.pack).ok_or(ActionError::NotFound)?;
    Ok(Json(document.into()))
}

/// Takes a file for the case: PDF, JPEG or PNG, at most 20 MB, as `multipart/form-data` field `file`.
#[utoipa::path(
    post, path = "/api/v1/cases/{case_no}/files", operation_id = "upload_case_file", tag = "cases",
    params(("case_no" = String, Path)),
    responses(
        (status = 200, body = wire::UploadedFile), (status = 413, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn upload_file(
    ctx: Ctx,
    Path(case_no): Path<String>,
    upload: Upload,
) -> Result<Json<wire::UploadedFile>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let missing = || Problem::invalid(vec![FieldError::new("file", key("cases-file-empty"))]);
    let file = upload.file.ok_or_else(missing)?;
    let kind = files::kind_of(&file).map_err(|error| Problem::invalid(vec![error]))?;
    let written = blobs::write(&ctx.app.store, loaded.case.subject, file.bytes).await?;
    let tx = ctx.begin().await?;
    let blob = blobs::attach(&tx, written, kind, &file.name).await?;
    tx.commit().await?;
    Ok(Json(wire::UploadedFile {
        file_id: blob.id.to_string(),
        media_type: blob.media_type,
        size: blob.size,
        sm3: blob.sm3,
    }))
}

/// Answers the correction notice.
#[utoipa::path(
    post, path = "/api/v1/cases/{case_no}/correction-answer", operation_id = "answer_correction", tag = "cases",
    params(("case_no" = String, Path)), request_body = wire::CorrectionAnswer,
    responses((status = 200, body = wire::CaseDetail), (status = 409, body = ProblemBody))
)]
pub(crate) async fn answer_correction(
    ctx: Ctx,
    Path(case_no): Path<String>,
    JsonBody(answer): JsonBody<wire::CorrectionAnswer>,
) -> Result<Json<wire::CaseDetail>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let file = match &answer.file_id {
        Some(id) => Some(files::own(&ctx.read(), loaded.case.subject, id).await?),
        None => None,
    };
    let at = At { key: loaded.key(), seen: answer.seen };
    let tx = ctx.begin().await?;
    let case = actions::answer_correction(&tx, ctx.actor(), at, &answer.text, file).await?;
    tx.commit().await?;
    Ok(Json(wire::CaseDetail::new(&case, ctx.now().china_date(), Vec::new())))
}

/// Withdraws the application, at any time before the decision.
#[utoipa::path(
    post, path = "/api/v1/cases/{case_no}/withdrawal", operation_id = "withdraw_case", tag = "cases",
    params(("case_no" = String, Path)), request_body = wire::Withdrawal,
    responses((status = 200, body = wire::CaseDetail), (status = 409, body = ProblemBody))
)]
pub(crate) async fn withdraw_case(
    ctx: Ctx,
    Path(case_no): Path<String>,
    JsonBody(withdrawal): JsonBody<wire::Withdrawal>,
) -> Result<Json<wire::CaseDetail>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let at = At { key: loaded.key(), seen: withdrawal.seen };
    let tx = ctx.begin().await?;
    let case = actions::withdraw(&tx, ctx.actor(), at, &withdrawal.reason).await?;
    tx.commit().await?;
    Ok(Json(wire::CaseDetail::new(&case, ctx.now().china_date(), Vec::new())))
}

/// Rates a moment of the case, once each.
#[utoipa::path(
    post, path = "/api/v1/cases/{case_no}/ratings", operation_id = "rate_case", tag = "cases",
    params(("case_no" = String, Path)), request_body = wire::Rating,
    responses(
        (status = 200, body = wire::RatingAnswer), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn rate_case(
    ctx: Ctx,
    Path(case_no): Path<String>,
    JsonBody(rating): JsonBody<wire::Rating>,
) -> Result<Json<wire::RatingAnswer>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let wrong = |field: &str, key: &'static str| Problem::invalid(vec![FieldError::new(field, key)]);
    let moment =
        Moment::parse(&rating.moment).ok_or_else(|| wrong("moment", key("cases-rate-moment-missing")))?;
    let grade = Grade::new(rating.grade).ok_or_else(|| wrong("grade", key("cases-rate-grade-missing")))?;
    if rating.comment.chars().count() > 500 {
        let error = FieldError::new("comment", key("cases-field-text")).with("limit", 500_u32);
        return Err(Problem::invalid(vec![error]));
    }
    let mut dimensions = BTreeMap::new();
    for (name, given) in rating.dimensions {
        let grade = Grade::new(given).ok_or_else(|| wrong("dimensions", key("cases-rate-grade-missing")))?;
        dimensions.insert(name, grade);
    }
    let new = NewRating { moment, grade, dimensions, comment: rating.comment };
    let tx = ctx.begin().await?;
    let complaint_case_no = actions::rate(&tx, ctx.actor(), loaded.key(), &ctx.app.pack, new).await?;
    tx.commit().await?;
    Ok(Json(wire::RatingAnswer { complaint_case_no }))
}

/// Asks a person to look at the decision again.
#[utoipa::path(
    post, path = "/api/v1/cases/{case_no}/review-request", operation_id = "request_case_review", tag = "cases",
    params(("case_no" = String, Path)), request_body = wire::ReviewRequest,
    responses((status = 200, body = wire::ReviewAnswer), (status = 409, body = ProblemBody))
)]
pub(crate) async fn request_review(
    ctx: Ctx,
    Path(case_no): Path<String>,
    JsonBody(request): JsonBody<wire::ReviewRequest>,
) -> Result<Json<wire::ReviewAnswer>, Problem> {
    let loaded = own_case(&ctx, &case_no).await?;
    let tx = ctx.begin().await?;
    let case_no =
        actions::request_review(&tx, ctx.actor(), loaded.key(), &ctx.app.pack, &request.reason).await?;
    tx.commit().await?;
    Ok(Json(wire::ReviewAnswer { case_no }))
}
