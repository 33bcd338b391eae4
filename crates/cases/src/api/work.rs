//! An officer's work.

use axum::Json;
use axum::extract::{Path, Query};
use web::forms::{FieldError, JsonBody};
use web::i18n::key;
use web::{Ctx, Problem, ProblemBody};

use super::wire;
use crate::actions::{At, WorkAction, WorkInput, perform};
use crate::error::ActionError;
use crate::export::{self, Audience, History};
use crate::model::Grade;
use crate::pages::{QueueQuery, seen_case};
use crate::queue::{self, Cursor};
use crate::{colleagues, supervision};

/// The cases that wait for one of the officer's posts, nearest due date first.
#[utoipa::path(
    get, path = "/api/v1/work/cases", operation_id = "list_work_cases", tag = "work",
    params(
        ("stage" = Option<String>, Query), ("light" = Option<String>, Query), ("item" = Option<String>, Query),
        ("q" = Option<String>, Query, description = "Part of a case number"),
        ("mine" = Option<String>, Query, description = "1 for those that the officer has claimed"),
        ("after" = Option<String>, Query, description = "The cursor of the page before")
    ),
    responses((status = 200, body = wire::CaseList), (status = 403, body = ProblemBody))
)]
pub(crate) async fn list_work_cases(
    ctx: Ctx,
    Query(query): Query<QueueQuery>,
) -> Result<Json<wire::CaseList>, Problem> {
    let (_, posts) = ctx.officer()?;
    let today = ctx.now().china_date();
    let after = Cursor::parse(&query.after);
    let page = queue::queue(&ctx.read(), posts, &query.filter(ctx.actor()), after.as_ref(), today).await?;
    Ok(Json(wire::CaseList::from(&page)))
}

/// One case, with what the officer can do now. The person concerned sees that it was read.
#[utoipa::path(
    get, path = "/api/v1/work/cases/{case_no}", operation_id = "get_work_case", tag = "work",
    params(("case_no" = String, Path)),
    responses(
        (status = 200, body = wire::CaseDetail), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)
    )
)]
pub(crate) async fn get_work_case(
    ctx: Ctx,
    Path(case_no): Path<String>,
) -> Result<Json<wire::CaseDetail>, Problem> {
    let loaded = seen_case(&ctx, &case_no, "cases.view").await?;
    let actions = WorkAction::available(&loaded.case, ctx.actor(), ctx.now());
    Ok(Json(wire::CaseDetail {
        ratable: Vec::new(),
        ..wire::CaseDetail::new(&loaded.case, ctx.now().china_date(), actions)
    }))
}

/// What happened to the case, without its ratings.
#[utoipa::path(
    get, path = "/api/v1/work/cases/{case_no}/history", operation_id = "get_work_case_history", tag = "work",
    params(("case_no" = String, Path)),
    responses((status = 200, body = History), (status = 403, body = ProblemBody))
)]
pub(crate) async fn get_work_history(
    ctx: Ctx,
    Path(case_no): Path<String>,
) -> Result<Json<History>, Problem> {
    let loaded = seen_case(&ctx, &case_no, "cases.export").await?;
    Ok(Json(export::history(&loaded, Audience::Officer, ctx.now())?))
}

/// Does something with the case: `claim`, `release`, `reassign`, `accept`, `ask-correction`, `reject`, `examine`,
/// `decide`, `hand-over`, `pause`, `resume`, `extend`, `terminate` or `note`. Four eyes, the officer's post and
/// the state of the case are checked by the action itself.
#[utoipa::path(
    post, path = "/api/v1/work/cases/{case_no}/actions/{action}", operation_id = "perform_work_action", tag = "work",
    params(("case_no" = String, Path), ("action" = String, Path)), request_body = wire::Action,
    responses(
        (status = 200, body = wire::CaseDetail), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn perform_action(
    ctx: Ctx,
    Path((case_no, action)): Path<(String, String)>,
    JsonBody(body): JsonBody<wire::Action>,
) -> Result<Json<wire::CaseDetail>, Problem> {
    let action = WorkAction::parse(&action).ok_or(ActionError::NotFound)?;
    let loaded = seen_case(&ctx, &case_no, "cases.view").await?;
    let colleague = match action {
        WorkAction::Reassign => colleagues::find(&ctx, &loaded.case, &body.colleague).await?,
        _ => None,
    };
    let grade = match body.grade {
        Some(given) => Some(Grade::new(given).ok_or_else(|| {
            Problem::invalid(vec![FieldError::new("grade", key("cases-rate-grade-missing"))])
        })?),
        None => None,
    };
    let input = WorkInput {
        points: body.points,
        text: body.text,
        text_en: body.text_en,
        article: body.article,
        outcome: body.outcome,
        ground: body.ground,
        values: body.values,
        grade,
        colleague,
    };
    let at = At { key: loaded.key(), seen: body.seen };
    let tx = ctx.begin().await?;
    let case = perform(&tx, ctx.actor(), at, action, input).await?;
    tx.commit().await?;
    let actions = WorkAction::available(&case, ctx.actor(), ctx.now());
    Ok(Json(wire::CaseDetail {
        ratable: Vec::new(),
        ..wire::CaseDetail::new(&case, ctx.now().china_date(), actions)
    }))
}

/// Cards and ratings by item, for the rating office.
#[utoipa::path(
    get, path = "/api/v1/supervision", operation_id = "get_supervision", tag = "work",
    responses((status = 200, body = wire::Supervision), (status = 403, body = ProblemBody))
)]
pub(crate) async fn get_supervision(ctx: Ctx) -> Result<Json<wire::Supervision>, Problem> {
    supervision::require_supervisor(ctx.actor(), &ctx.app.pack)?;
    let overview = supervision::overview(&ctx.read()).await?;
    let cards = overview.cards.into_iter().map(|card| wire::Card {
        case_no: card.case_no,
        org: card.org.to_string(),
        clock: card.clock,
        due_on: card.due_on.to_string(),
        light: card.light,
        at: card.at.to_string(),
    });
    let items = overview.items.into_iter().map(|item| wire::ItemFigures {
        org: item.org.to_string(),
        item_id: item.item_id,
        cases: item.cases,
        done: item.done,
        ratings: item.ratings,
        mean_hundredths: item.mean_hundredths,
        bad: item.bad,
        rated_again: item.rated_again,
        yellow: item.yellow,
        red: item.red,
    });
    Ok(Json(wire::Supervision { cards: cards.collect(), items: items.collect() }))
}
