//! Drafts, attachments, submission, receipts.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use kernel::ids::DraftId;
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use web::forms::{FieldError, JsonBody, Upload};
use web::i18n::key;
use web::{Ctx, Problem, download};

use crate::actions::drafts::{self, Work};
use crate::actions::files;
use crate::actions::submit::{self, Submission};
use crate::error::ServiceError;
use crate::outside;
use crate::store::{drafts as ledger, receipts};

/// A draft to be begun.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDraft {
    /// The id of the service.
    item: String,
}

/// A draft.
#[derive(Serialize, ToSchema)]
pub(super) struct DraftBody {
    /// Its id.
    id: String,
    /// The service.
    item: String,
    /// The version of the service that it stays on.
    item_hash: String,
    /// `open`, `waiting` or `submitted`.
    state: &'static str,
    /// Grows with each change; send it back with the answers.
    version: i64,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// When it is forgotten.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The pages that are asked now; recomputed from the answers.
    pages: Vec<DraftPage>,
    /// The first page that is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page: Option<String>,
    /// Every material that is needed now, and how it is met.
    materials: Vec<DraftMaterial>,
}

/// A page of a draft.
#[derive(Serialize, ToSchema)]
pub(super) struct DraftPage {
    /// Its id.
    id: String,
    /// Whether everything on it is answered.
    complete: bool,
    /// Its fields.
    fields: Vec<DraftField>,
}

/// A field of a draft.
#[derive(Serialize, ToSchema)]
pub(super) struct DraftField {
    /// The fact that the answer becomes.
    id: String,
    /// What kind of answer it takes.
    kind: String,
    /// Whether an answer must be given.
    required: bool,
    /// Whether it was answered.
    answered: bool,
    /// The answer, or what a register said.
    #[schema(value_type = Object)]
    value: Json,
    /// The register that the value came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// When that register said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
    /// Whether it cannot be changed here.
    read_only: bool,
}

/// A material of a draft.
#[derive(Serialize, ToSchema)]
pub(super) struct DraftMaterial {
    /// Its id.
    id: String,
    /// `missing`, `licence`, `shared`, `file`, `filled-in`, `promised` or `later`.
    met_by: String,
    /// The number of the licence, the name of the file or of the register.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

async fn load(ctx: &Ctx, draft: &str) -> Result<Work, Problem> {
    let (_, subject) = ctx.citizen()?;
    let id: DraftId = draft.parse().map_err(|_| Problem::not_found())?;
    Ok(Work::load(&ctx.app, subject, id).await?)
}

async fn body(ctx: &Ctx, work: &Work) -> Result<DraftBody, Problem> {
    let answers = &work.draft.answers;
    let person = outside::person(&ctx.read(), &work.item, work.draft.subject).await?;
    let person = person.ok_or(ServiceError::NotAPerson)?;
    let review = submit::review(&ctx.app, work, &person, &[], ctx.lang()).await?;
    let pages = review
        .run
        .pages
        .iter()
        .map(|page| DraftPage {
            id: page.page.id.clone(),
            complete: page.complete,
            fields: page
                .fields
                .iter()
                .map(|state| {
                    let value = answers.shown(&state.field.id);
                    let prefilled = answers.prefilled.get(&state.field.id);
                    let prefilled = prefilled.filter(|one| value == Some(&one.value));
                    DraftField {
                        id: state.field.id.clone(),
                        kind: serde_json::to_value(state.field.kind)
                            .ok()
                            .and_then(|kind| kind.as_str().map(str::to_owned))
                            .unwrap_or_default(),
                        required: state.field.required,
                        answered: state.answered,
                        value: value.map_or(Json::Null, packs::expr::Value::to_json),
                        source: prefilled.map(|one| one.source.clone()),
                        as_of: prefilled.map(|one| one.as_of),
                        read_only: drafts::held_value(state.field, answers).is_some(),
                    }
                })
                .collect(),
        })
        .collect();
    let materials = review
        .materials
        .iter()
        .map(|state| {
            let view = crate::pages::material_view(ctx, state);
            let text = |name: &str| view.get(name).and_then(Json::as_str).map(str::to_owned);
            DraftMaterial {
                id: state.material.id.clone(),
                met_by: text("by").unwrap_or_default(),
                detail: text("detail"),
            }
        })
        .collect();
    Ok(DraftBody {
        id: work.draft.id.to_string(),
        item: work.item.id.clone(),
        item_hash: work.draft.item_hash.clone(),
        state: work.draft.state.as_str(),
        version: work.draft.version,
        changed_at: work.draft.changed_at,
        expires_at: work.draft.expires_at,
        next_page: review.run.next_open().map(|page| page.page.id.clone()),
        pages,
        materials,
    })
}

/// A draft in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct DraftSummary {
    /// Its id.
    id: String,
    /// The service.
    item: String,
    /// `open` or `waiting`.
    state: &'static str,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// When it is forgotten.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Drafts that can be gone on with.
#[derive(Serialize, ToSchema)]
pub(super) struct DraftList {
    /// The newest change first; a person has at most 50.
    drafts: Vec<DraftSummary>,
}

/// The reader's drafts.
#[utoipa::path(get, path = "/api/v1/drafts", operation_id = "list_drafts", tag = "services",
    responses((status = 200, body = DraftList)))]
pub(super) async fn list_drafts(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let drafts = ledger::list(&ctx.read(), subject).await?;
    let drafts = drafts
        .into_iter()
        .map(|draft| DraftSummary {
            id: draft.id.to_string(),
            item: draft.item_id,
            state: draft.state.as_str(),
            changed_at: draft.changed_at,
            expires_at: draft.expires_at,
        })
        .collect();
    Ok(axum::Json(DraftList { drafts }).into_response())
}

/// Begins a draft: the registers fill in what they know.
#[utoipa::path(post, path = "/api/v1/drafts", operation_id = "create_draft", tag = "services",
    request_body = NewDraft,
    responses((status = 201, body = DraftBody), (status = 404, body = web::ProblemBody)))]
pub(super) async fn create_draft(ctx: Ctx, JsonBody(new): JsonBody<NewDraft>) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let work = drafts::begin(&ctx.app, ctx.actor(), subject, &new.item).await?;
    Ok((StatusCode::CREATED, axum::Json(body(&ctx, &work).await?)).into_response())
}

/// A draft with its pages as they stand.
#[utoipa::path(get, path = "/api/v1/drafts/{draft}", operation_id = "get_draft", tag = "services",
    params(("draft" = String, Path, description = "The id of the draft.")),
    responses((status = 200, body = DraftBody), (status = 404, body = web::ProblemBody)))]
pub(super) async fn get_draft(ctx: Ctx, Path(draft): Path<String>) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    Ok(axum::Json(body(&ctx, &work).await?).into_response())
}

/// Gives a draft up, with its files.
#[utoipa::path(delete, path = "/api/v1/drafts/{draft}", operation_id = "delete_draft", tag = "services",
    params(("draft" = String, Path, description = "The id of the draft.")),
    responses((status = 204), (status = 404, body = web::ProblemBody), (status = 409, body = web::ProblemBody)))]
pub(super) async fn delete_draft(
    ctx: Ctx,
    Path(draft): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    super::check_token(&ctx, &headers)?;
    let work = load(&ctx, &draft).await?;
    drafts::discard(&ctx.app, ctx.actor(), &work).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Answers to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAnswers {
    /// By field: text, number, yes or no, date, list; null leaves the field empty.
    #[schema(value_type = Object)]
    answers: Map<String, Json>,
    /// The version that the caller saw; a newer one is a conflict.
    version: Option<i64>,
}

/// Sets answers; those that are not named stay.
#[utoipa::path(put, path = "/api/v1/drafts/{draft}/answers", operation_id = "set_answers", tag = "services",
    params(("draft" = String, Path, description = "The id of the draft.")), request_body = NewAnswers,
    responses((status = 200, body = DraftBody), (status = 409, body = web::ProblemBody),
        (status = 422, body = web::ProblemBody)))]
pub(super) async fn set_answers(
    ctx: Ctx,
    Path(draft): Path<String>,
    JsonBody(new): JsonBody<NewAnswers>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let work = drafts::set_answers(&ctx.app, work, &new.answers, new.version, ctx.lang()).await?;
    Ok(axum::Json(body(&ctx, &work).await?).into_response())
}

/// Materials that are promised or follow later.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPromises {
    /// Their ids; those that are not named are no longer promised.
    materials: Vec<String>,
}

/// Promises materials (告知承诺) or to hand them in later (容缺后补).
#[utoipa::path(put, path = "/api/v1/drafts/{draft}/promises", operation_id = "set_promises", tag = "services",
    params(("draft" = String, Path, description = "The id of the draft.")), request_body = NewPromises,
    responses((status = 200, body = DraftBody), (status = 404, body = web::ProblemBody)))]
pub(super) async fn set_promises(
    ctx: Ctx,
    Path(draft): Path<String>,
    JsonBody(new): JsonBody<NewPromises>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let work = files::promise(&ctx.app, work, new.materials).await?;
    Ok(axum::Json(body(&ctx, &work).await?).into_response())
}

/// Attaches a file (multipart, field `file`) in place of the one before: PDF, JPG or PNG, up to 20 MB.
#[utoipa::path(post, path = "/api/v1/drafts/{draft}/attachments/{material}", operation_id = "attach_file",
    tag = "services",
    params(("draft" = String, Path, description = "The id of the draft."),
        ("material" = String, Path, description = "The id of the material.")),
    request_body(content = String, content_type = "multipart/form-data"),
    responses((status = 200, body = DraftBody), (status = 413, body = web::ProblemBody),
        (status = 422, body = web::ProblemBody)))]
pub(super) async fn attach_file(
    ctx: Ctx,
    Path((draft, material)): Path<(String, String)>,
    upload: Upload,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let file = upload
        .file
        .ok_or_else(|| Problem::invalid(vec![FieldError::new("file", key("services-file-none"))]))?;
    let work = files::attach(&ctx.app, work, &material, "file", file).await?;
    Ok(axum::Json(body(&ctx, &work).await?).into_response())
}

/// One's own attached file.
#[utoipa::path(get, path = "/api/v1/drafts/{draft}/attachments/{material}", operation_id = "get_attachment",
    tag = "services",
    params(("draft" = String, Path, description = "The id of the draft."),
        ("material" = String, Path, description = "The id of the material.")),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = web::ProblemBody)))]
pub(super) async fn get_attachment(
    ctx: Ctx,
    Path((draft, material)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let (file, bytes) = files::read(&ctx.app, &work, &material).await?;
    Ok(download(&file.name, "application/octet-stream", bytes))
}

/// Takes a file away again.
#[utoipa::path(delete, path = "/api/v1/drafts/{draft}/attachments/{material}", operation_id = "remove_attachment",
    tag = "services",
    params(("draft" = String, Path, description = "The id of the draft."),
        ("material" = String, Path, description = "The id of the material.")),
    responses((status = 200, body = DraftBody), (status = 404, body = web::ProblemBody)))]
pub(super) async fn remove_attachment(
    ctx: Ctx,
    Path((draft, material)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    super::check_token(&ctx, &headers)?;
    let work = load(&ctx, &draft).await?;
    let work = files::remove(&ctx.app, work, &material).await?;
    Ok(axum::Json(body(&ctx, &work).await?).into_response())
}

/// What came of a submission.
#[derive(Serialize, ToSchema)]
pub(super) struct SubmissionBody {
    /// `submitted`, or `waiting` for the other person's confirmation.
    state: &'static str,
    /// The case's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    case_no: Option<String>,
    /// When it was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
    /// The signed receipt, as `yiwang verify` reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    receipt: Option<Json>,
    /// Until when the other person may confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl SubmissionBody {
    /// The same for somebody who is not the applicant.
    pub(super) fn without_receipt(self) -> Self {
        Self { receipt: None, ..self }
    }

    pub(super) fn of(submission: &Submission) -> Result<Self, Problem> {
        Ok(match submission {
            Submission::Case(receipt) => Self {
                state: "submitted",
                case_no: Some(receipt.case_no.clone()),
                received_at: Some(receipt.received_at),
                receipt: Some(serde_json::from_slice(&receipt.document)?),
                until: None,
            },
            Submission::AwaitsOther { until } => Self {
                state: "waiting",
                case_no: None,
                received_at: None,
                receipt: None,
                until: Some(*until),
            },
        })
    }
}

/// The longest `Idempotency-Key`.
const LONGEST_KEY: usize = 128;

/// Submits a draft. One draft becomes one case: sent again, with or without a key, the answer is the same
/// receipt.
#[utoipa::path(post, path = "/api/v1/drafts/{draft}/submit", operation_id = "submit_draft", tag = "services",
    params(("draft" = String, Path, description = "The id of the draft."),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this submission; using it for another is a conflict.")),
    responses((status = 200, body = SubmissionBody), (status = 409, body = web::ProblemBody),
        (status = 422, body = web::ProblemBody)))]
pub(super) async fn submit_draft(
    ctx: Ctx,
    Path(draft): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    super::check_token(&ctx, &headers)?;
    let id: DraftId = draft.parse().map_err(|_| Problem::not_found())?;
    let submit_key = match headers.get("idempotency-key").map(|value| value.to_str()) {
        None => None,
        Some(Ok(text)) if !text.is_empty() && text.len() <= LONGEST_KEY => Some(text),
        Some(_) => return Err(Problem::bad_request("http.unreadable")),
    };
    let done = submit::submit(&ctx.app, ctx.actor(), subject, id, submit_key, ctx.lang()).await?;
    Ok(axum::Json(SubmissionBody::of(&done)?).into_response())
}

/// The signed receipt of a case.
#[utoipa::path(get, path = "/api/v1/receipts/{case_no}", operation_id = "get_receipt", tag = "services",
    params(("case_no" = String, Path, description = "The number of the case.")),
    responses((status = 200, body = Object), (status = 404, body = web::ProblemBody)))]
pub(super) async fn get_receipt(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let receipt =
        receipts::of_case_no(&ctx.read(), subject, &case_no).await?.ok_or_else(Problem::not_found)?;
    Ok(([(http::header::CONTENT_TYPE, "application/json")], receipt.document).into_response())
}
