//! What anybody may ask: is it genuine, whose signatures count, what was revoked.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use web::forms::{FieldError, JsonBody};
use web::i18n::key;
use web::{Ctx, Problem, ProblemBody};

use super::wire;
use crate::actions::{self, Verifier};
use crate::check_online;
use crate::model::licence::Registry;
use crate::status;

/// Verifies a one-time code or a text; the holder learns of it.
#[utoipa::path(
    post, path = "/api/v1/verifications", operation_id = "verify", tag = "licences",
    request_body = wire::NewVerification,
    responses(
        (status = 200, body = wire::Verification), (status = 410, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
pub(crate) async fn verify(
    ctx: Ctx,
    JsonBody(wish): JsonBody<wire::NewVerification>,
) -> Result<Json<wire::Verification>, Problem> {
    let verifier = Verifier { name: wish.verifier, purpose: wish.purpose };
    match (wish.code, wish.text) {
        (Some(code), None) => {
            let tx = ctx.begin().await?;
            let registry = Registry::of(&ctx.app);
            let presented = actions::use_code(&tx, &registry, ctx.actor(), &code, &verifier).await?;
            tx.commit().await?;
            Ok(Json(wire::Verification::of_code(&presented, ctx.now())))
        }
        (None, Some(text)) => {
            let verdict = check_online::check(&ctx.app, ctx.actor(), text.as_bytes(), &verifier).await?;
            Ok(Json((&verdict).into()))
        }
        _ => Err(Problem::invalid(vec![FieldError::new("text", key("licences-field-nothing"))])),
    }
}

/// Whose signatures count: the public keys of this node.
#[utoipa::path(
    get, path = "/.well-known/yiwang-trust.json", operation_id = "get_trust_list", tag = "licences",
    responses((status = 200, body = Object, content_type = "application/json"))
)]
pub(crate) async fn trust_list(ctx: Ctx) -> Result<Response, Problem> {
    let body = serde_json::to_vec_pretty(&ctx.app.store.keys().trust_list())?;
    Ok(published("application/json", body))
}

/// What was revoked or suspended: all lists in one signed document.
#[utoipa::path(
    get, path = "/.well-known/yiwang-status.json", operation_id = "get_status_list", tag = "licences",
    responses((status = 200, body = Object, content_type = "application/json"))
)]
pub(crate) async fn status_list(ctx: Ctx) -> Result<Response, Problem> {
    Ok(published("application/json", status::document(&ctx.app).await?))
}

/// One list as a Status List Token.
#[utoipa::path(
    get, path = "/.well-known/status/{list}", operation_id = "get_status_token", tag = "licences",
    params(("list" = u32, Path)),
    responses(
        (status = 200, body = String, content_type = "application/statuslist+jwt"),
        (status = 404, body = ProblemBody)
    )
)]
pub(crate) async fn status_token(ctx: Ctx, Path(list): Path<String>) -> Result<Response, Problem> {
    let list: u32 = list.parse().map_err(|_| Problem::not_found())?;
    let token = status::token(&ctx.app.store, &ctx.app.node.base_url, list).await?;
    let token = token.ok_or_else(Problem::not_found)?;
    Ok(published("application/statuslist+jwt", token.into_bytes()))
}

fn published(media_type: &'static str, body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "public, max-age=60")], body).into_response()
}
