//! What officers do to licences that their posts keep.

use axum::Json;
use axum::extract::{Path, Query};
use serde::Deserialize;
use store::{AuditEntry, Purpose};
use web::forms::JsonBody;
use web::{Ctx, Problem, ProblemBody};

use super::wire;
use crate::model::state::Grounds;
use crate::pages::{Change, change_licence as change, find, kept};
use crate::store as ledger;

/// What is searched for.
#[derive(Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
}

/// Licences with this number, identifier or name.
#[utoipa::path(
    get, path = "/api/v1/work/licences", operation_id = "find_licences", tag = "licences",
    params(("q" = String, Query)),
    responses((status = 200, body = wire::LicenceList), (status = 403, body = ProblemBody))
)]
pub(crate) async fn find_licences(
    ctx: Ctx,
    Query(search): Query<Search>,
) -> Result<Json<wire::LicenceList>, Problem> {
    let today = ctx.now().china_date();
    let found = find(&ctx, &search.q).await?;
    let licences = found.iter().map(|licence| wire::Licence::new(licence, today, &[])).collect();
    Ok(Json(wire::LicenceList { licences }))
}

/// One licence with its history.
#[utoipa::path(
    get, path = "/api/v1/work/licences/{id}", operation_id = "get_work_licence", tag = "licences",
    params(("id" = String, Path)),
    responses((status = 200, body = wire::Licence), (status = 403, body = ProblemBody))
)]
pub(crate) async fn get_work_licence(
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<wire::Licence>, Problem> {
    let licence = kept(&ctx, &id).await?;
    let tx = ctx.begin().await?;
    tx.audit(
        AuditEntry::new(ctx.actor(), "licences.view", Purpose::Supervision)
            .about(licence.holder)
            .object(format!("licences.licence:{}", licence.type_id)),
    );
    tx.commit().await?;
    let history = ledger::history(&ctx.read(), licence.holder, licence.id).await?;
    Ok(Json(wire::Licence::new(&licence, ctx.now().china_date(), &history)))
}

/// Suspends, restores or revokes a licence: `suspend`, `restore` or `revoke`.
#[utoipa::path(
    post, path = "/api/v1/work/licences/{id}/actions/{action}", operation_id = "change_licence",
    tag = "licences", params(("id" = String, Path), ("action" = String, Path)), request_body = wire::Grounds,
    responses(
        (status = 200, body = wire::Licence), (status = 403, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn change_licence(
    ctx: Ctx,
    Path((id, action)): Path<(String, String)>,
    JsonBody(grounds): JsonBody<wire::Grounds>,
) -> Result<Json<wire::Licence>, Problem> {
    let wish = Change::parse(&action)?;
    let licence = kept(&ctx, &id).await?;
    let grounds = Grounds { reason: grounds.reason, legal_basis: grounds.legal_basis };
    let licence = change(&ctx, licence, wish, grounds).await?;
    let history = ledger::history(&ctx.read(), licence.holder, licence.id).await?;
    Ok(Json(wire::Licence::new(&licence, ctx.now().china_date(), &history)))
}
