//! One's own uses and their receipts.

use axum::Json;
use axum::extract::{Path, Query};
use axum::response::Response;
use kernel::actor::Actor;
use kernel::ids::UseId;
use serde::Deserialize;
use web::{Ctx, Problem, ProblemBody};

use super::wire;
use crate::receipt;
use crate::uses::record::UsedBy;
use crate::uses::{ledger, lineage};

/// Uses of a page.
const PAGE: u32 = 50;

/// Which page.
#[derive(Deserialize)]
pub(crate) struct Page {
    cursor: Option<String>,
}

/// One's own uses, newest first.
#[utoipa::path(
    get, path = "/api/v1/data/uses", operation_id = "list_data_uses", tag = "data",
    params(("cursor" = Option<String>, Query)),
    responses((status = 200, body = wire::UseList), (status = 403, body = ProblemBody))
)]
pub(crate) async fn list_data_uses(
    ctx: Ctx,
    Query(page): Query<Page>,
) -> Result<Json<wire::UseList>, Problem> {
    let before = page.cursor.map(|cursor| cursor.parse::<UseId>()).transpose();
    let before = before.map_err(|_| Problem::bad_request("http.unreadable"))?;
    let own = UsedBy::of(ctx.actor());
    let uses = ledger::of_actor(&ctx.read(), &own.id, before, PAGE).await?;
    let next_cursor = (uses.len() == PAGE as usize)
        .then(|| uses.last().map(|last| last.record.use_id.to_string()))
        .flatten();
    let uses = uses.into_iter().map(|kept| wire::Use::new(&kept.record, kept.statement)).collect();
    Ok(Json(wire::UseList { uses, next_cursor }))
}

/// The receipt of a use as a file that `yiwang verify` checks offline: for whoever asked, for the provider of a
/// resource that it named, and for the auditor.
#[utoipa::path(
    get, path = "/api/v1/data/uses/{id}/receipt", operation_id = "get_data_receipt", tag = "data",
    params(("id" = String, Path)),
    responses((status = 200, content_type = "application/json"), (status = 404, body = ProblemBody))
)]
pub(crate) async fn get_data_receipt(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let id: UseId = id.parse().map_err(|_| Problem::not_found())?;
    let kept = ledger::find(&ctx.read(), id).await?.ok_or_else(Problem::not_found)?;
    if !may_read(&ctx, &kept.record).await? {
        return Err(Problem::not_found());
    }
    let file = receipt::make(&ctx.app, &kept.record).await?;
    Ok(web::download(&format!("receipt-{id}.json"), "application/json", serde_json::to_vec_pretty(&file)?))
}

/// From which columns each column of a use's answer came, as an OpenLineage run event (2-0-2): for whoever may read
/// the receipt.
#[utoipa::path(
    get, path = "/api/v1/data/uses/{id}/lineage", operation_id = "get_data_lineage", tag = "data",
    params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = ProblemBody))
)]
pub(crate) async fn get_data_lineage(
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    let id: UseId = id.parse().map_err(|_| Problem::not_found())?;
    let kept = ledger::find(&ctx.read(), id).await?.ok_or_else(Problem::not_found)?;
    if !may_read(&ctx, &kept.record).await? {
        return Err(Problem::not_found());
    }
    let found = lineage::find(&ctx.read(), id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(lineage::event(&ctx.app, &kept.record, &found)))
}

/// Whether the reader has a part in the use.
pub(crate) async fn may_read(ctx: &Ctx, record: &crate::uses::record::Record) -> Result<bool, Problem> {
    let own = UsedBy::of(ctx.actor());
    if matches!(ctx.actor(), Actor::Auditor { .. }) || !own.id.is_empty() && own.id == record.actor.id {
        return Ok(true);
    }
    for used in &record.grants {
        let resource =
            grants::resources::find(&ctx.read(), &used.resource).await.map_err(crate::problem::grant)?;
        if resource.is_some_and(|found| grants::actions::keeps(ctx.actor(), &ctx.app.pack, &found.provider)) {
            return Ok(true);
        }
    }
    Ok(false)
}
