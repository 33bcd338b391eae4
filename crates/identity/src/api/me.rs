//! Who asks, their footprint, their rights.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use kernel::ids::SubjectId;
use store::Reads;
use web::forms::JsonBody;
use web::{Ctx, Problem, ProblemBody};

use super::sessions::ctx_csrf;
use super::wire;
use crate::delegations::{self, Delegation, Mandate};
use crate::footprint::{self, Whose};
use crate::pages::{end_right, note_right, number, query};
use crate::subjects;

/// Who the token or cookie of this call belongs to.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "get_me", tag = "identity",
    responses((status = 200, body = wire::Me), (status = 401, body = ProblemBody))
)]
pub(crate) async fn get_me(ctx: Ctx) -> Json<wire::Me> {
    Json(wire::Me::of(&ctx))
}

/// Who looked at the data of the person who asks, or for whom they act.
#[utoipa::path(
    get, path = "/api/v1/me/footprint", operation_id = "list_footprint", tag = "identity",
    params(
        ("before" = Option<i64>, Query, description = "Entries before this place"),
        ("who" = Option<String>, Query, description = "`others` leaves out what the person did")
    ),
    responses((status = 200, body = wire::Footprint), (status = 401, body = ProblemBody))
)]
pub(crate) async fn list_footprint(ctx: Ctx, uri: Uri) -> Result<Json<wire::Footprint>, Problem> {
    let (_, subject) = ctx.citizen()?;
    let query = query(&uri);
    let whose = match query.get("who").map(String::as_str) {
        Some("others") => Whose::Others,
        _ => Whose::All,
    };
    let found = footprint::lines(&ctx, subject, whose, number(&query, "before"), footprint::PAGE).await?;
    let entries = found.lines.iter().map(Into::into).collect();
    Ok(Json(wire::Footprint { entries, next: found.next }))
}

/// For whom the person may act, and who may act for them.
#[utoipa::path(
    get, path = "/api/v1/me/delegations", operation_id = "list_delegations", tag = "identity",
    responses((status = 200, body = wire::RightList), (status = 401, body = ProblemBody))
)]
pub(crate) async fn list_delegations(ctx: Ctx) -> Result<Json<wire::RightList>, Problem> {
    let (_, acting_for) = ctx.citizen()?;
    let own = ctx.actor().subject().ok_or_else(Problem::not_signed_in)?;
    let db = ctx.read();
    let mut held = Vec::new();
    for right in delegations::of_delegate(&db, own, ctx.now()).await? {
        held.push(right_of(&db, &right, right.subject).await?);
    }
    let mut given = Vec::new();
    for right in delegations::of_subject(&db, acting_for, ctx.now()).await? {
        given.push(right_of(&db, &right, right.delegate).await?);
    }
    Ok(Json(wire::RightList { held, given }))
}

async fn right_of(db: &impl Reads, right: &Delegation, other: SubjectId) -> Result<wire::Right, Problem> {
    let name = subjects::display(db, other).await?.map(|shown| shown.name).unwrap_or_default();
    Ok(wire::Right::new(right, name))
}

/// Gives a right: a person to a proxy, a firm's owner to an agent.
#[utoipa::path(
    post, path = "/api/v1/me/delegations", operation_id = "create_delegation", tag = "identity",
    request_body = wire::NewRight,
    responses(
        (status = 201, body = wire::Right), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn create_delegation(
    ctx: Ctx,
    JsonBody(new): JsonBody<wire::NewRight>,
) -> Result<Response, Problem> {
    let mandate =
        Mandate { name: new.name, citizen_id: new.citizen_id, scope: new.scope, last_day: new.last_day };
    let tx = ctx.begin().await?;
    let right = delegations::give(&tx, &ctx.app.pack, ctx.actor(), &mandate).await?;
    note_right(&tx, ctx.actor(), "identity.give_right", &right);
    let shown = right_of(&tx, &right, right.delegate).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// Ends a given right, from either side.
#[utoipa::path(
    delete, path = "/api/v1/me/delegations/{subject}/{id}", operation_id = "delete_delegation",
    tag = "identity", params(("subject" = String, Path), ("id" = String, Path)),
    responses(
        (status = 204), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)
    )
)]
pub(crate) async fn delete_delegation(
    ctx: Ctx,
    headers: HeaderMap,
    Path((subject, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    ctx_csrf(&ctx, &headers)?;
    let subject = subject.parse().map_err(|_| Problem::not_found())?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    end_right(&ctx, subject, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
