//! The holder's own licences.

use axum::Json;
use axum::extract::Path;
use axum::response::Response;
use store::{AuditEntry, Purpose};
use web::forms::JsonBody;
use web::{Ctx, Problem, ProblemBody, download};

use super::wire;
use crate::actions::present::PLAIN_SCENE;
use crate::actions::{self, NewCopy};
use crate::document::SignError;
use crate::model::licence::{Licence, Registry};
use crate::pages::own;
use crate::paperwork::sealed_pdf;
use crate::pdf::file_name;
use crate::store as ledger;
use crate::verify::{file_document, presentation};

/// How many looks are listed.
const LOOKS: u32 = 200;

/// The wallet.
#[utoipa::path(
    get, path = "/api/v1/licences", operation_id = "list_licences", tag = "licences",
    responses((status = 200, body = wire::LicenceList), (status = 401, body = ProblemBody))
)]
pub(crate) async fn list_licences(ctx: Ctx) -> Result<Json<wire::LicenceList>, Problem> {
    let (_, subject) = ctx.citizen()?;
    let today = ctx.now().china_date();
    let wallet = ledger::wallet_of(&ctx.read(), subject).await?;
    let tx = ctx.begin().await?;
    tx.audit(
        AuditEntry::new(ctx.actor(), "licences.wallet", Purpose::OwnUse)
            .about(subject)
            .object("licences.licence"),
    );
    tx.commit().await?;
    let licences = wallet.iter().map(|licence| wire::Licence::new(licence, today, &[])).collect();
    Ok(Json(wire::LicenceList { licences }))
}

/// One licence with its history.
#[utoipa::path(
    get, path = "/api/v1/licences/{id}", operation_id = "get_licence", tag = "licences",
    params(("id" = String, Path)),
    responses((status = 200, body = wire::Licence), (status = 404, body = ProblemBody))
)]
pub(crate) async fn get_licence(ctx: Ctx, Path(id): Path<String>) -> Result<Json<wire::Licence>, Problem> {
    let licence = own(&ctx, &id).await?;
    note(&ctx, &licence, "licences.view").await?;
    let history = ledger::history(&ctx.read(), licence.holder, licence.id).await?;
    Ok(Json(wire::Licence::new(&licence, ctx.now().china_date(), &history)))
}

/// The signed document, to be kept and verified offline.
#[utoipa::path(
    get, path = "/api/v1/licences/{id}/file", operation_id = "get_licence_file", tag = "licences",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = Object, content_type = "application/json"),
        (status = 404, body = ProblemBody)
    )
)]
pub(crate) async fn get_licence_file(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let bytes = file_document(&licence)
        .and_then(|document| document.to_file_json())
        .map_err(|error: SignError| Problem::internal(error))?;
    note(&ctx, &licence, "licences.download").await?;
    Ok(download(&file_name(&licence, None, "json"), "application/json", bytes))
}

/// The sealed PDF.
#[utoipa::path(
    get, path = "/api/v1/licences/{id}/pdf", operation_id = "get_licence_pdf", tag = "licences",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = [u8], content_type = "application/pdf"),
        (status = 404, body = ProblemBody)
    )
)]
pub(crate) async fn get_licence_pdf(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let bytes = sealed_pdf(&ctx.app, &licence, None).await?;
    note(&ctx, &licence, "licences.download").await?;
    Ok(download(&file_name(&licence, None, "pdf"), "application/pdf", bytes))
}

/// Who looked at it.
#[utoipa::path(
    get, path = "/api/v1/licences/{id}/uses", operation_id = "list_licence_uses", tag = "licences",
    params(("id" = String, Path)),
    responses((status = 200, body = wire::LicenceUseList), (status = 404, body = ProblemBody))
)]
pub(crate) async fn list_licence_uses(
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<wire::LicenceUseList>, Problem> {
    let licence = own(&ctx, &id).await?;
    let uses = actions::uses_of(&ctx.read(), licence.holder, licence.id, LOOKS).await?;
    Ok(Json(wire::LicenceUseList { uses: uses.into_iter().map(Into::into).collect() }))
}

/// Makes a one-time code.
#[utoipa::path(
    post, path = "/api/v1/licences/{id}/presentations", operation_id = "present_licence", tag = "licences",
    params(("id" = String, Path)), request_body = wire::NewPresentation,
    responses(
        (status = 200, body = wire::Presentation), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn present_licence(
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(wish): JsonBody<wire::NewPresentation>,
) -> Result<Json<wire::Presentation>, Problem> {
    let licence = own(&ctx, &id).await?;
    let scene = wish.scene.as_deref().unwrap_or(PLAIN_SCENE);
    let tx = ctx.begin().await?;
    let made = actions::present(&tx, &Registry::of(&ctx.app), ctx.actor(), &licence, scene).await?;
    tx.commit().await?;
    Ok(Json(wire::Presentation {
        address: format!("{}/verify/{}", ctx.app.node.base_url, made.code),
        code: made.code,
        expires_at: made.expires_at.to_string(),
        claims: made.claims,
    }))
}

/// Makes a credential that shows no more than these fields.
#[utoipa::path(
    post, path = "/api/v1/licences/{id}/credentials", operation_id = "make_credential", tag = "licences",
    params(("id" = String, Path)), request_body = wire::NewCredential,
    responses((status = 200, body = wire::Credential), (status = 404, body = ProblemBody))
)]
pub(crate) async fn make_credential(
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(wish): JsonBody<wire::NewCredential>,
) -> Result<Json<wire::Credential>, Problem> {
    let licence = own(&ctx, &id).await?;
    let credential = presentation(&licence, &wish.fields).map_err(Problem::internal)?;
    note(&ctx, &licence, "licences.present").await?;
    Ok(Json(wire::Credential { credential }))
}

/// Makes an annotated copy.
#[utoipa::path(
    post, path = "/api/v1/licences/{id}/copies", operation_id = "make_copy", tag = "licences",
    params(("id" = String, Path)), request_body = wire::NewCopy,
    responses(
        (status = 200, body = wire::Copy), (status = 409, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn make_copy(
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(wish): JsonBody<wire::NewCopy>,
) -> Result<Json<wire::Copy>, Problem> {
    let licence = own(&ctx, &id).await?;
    let new = NewCopy { purpose: wish.purpose, recipient: wish.recipient, valid_to: wish.valid_to };
    let tx = ctx.begin().await?;
    let copy = actions::annotated_copy(&tx, ctx.actor(), &licence, new).await?;
    tx.commit().await?;
    Ok(Json(wire::Copy::new(&copy, &licence)))
}

async fn note(ctx: &Ctx, licence: &Licence, action: &'static str) -> Result<(), Problem> {
    let tx = ctx.begin().await?;
    tx.audit(
        AuditEntry::new(ctx.actor(), action, Purpose::OwnUse)
            .about(licence.holder)
            .object(format!("licences.licence:{}", licence.type_id)),
    );
    tx.commit().await?;
    Ok(())
}
