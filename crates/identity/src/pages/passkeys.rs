//! Passkeys: what the scripts of two pages ask and answer, as JSON; and their removal, which is a form.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use web::forms::{JsonBody, Posted};
use web::i18n::key;
use web::{Ctx, Problem};
use webauthn_rs::prelude::{PublicKeyCredential, RegisterPublicKeyCredential};

use super::{own_account, safe_next, sign_in};
use crate::challenges;
use crate::people;
use crate::sign_in::Visitor;
use crate::sign_in::passkeys;

/// The most letters of a label.
const LABEL: usize = 40;

/// What the browser is asked, for signing in.
pub(super) async fn start_sign_in(ctx: Ctx) -> Result<Response, Problem> {
    let (question, token) = passkeys::begin_sign_in(&ctx.app).await?;
    Ok(asked(&ctx, &token, Json(question).into_response()))
}

/// What the browser answered, and where to go on to.
#[derive(Debug, Deserialize)]
pub(super) struct SignInAnswer {
    credential: PublicKeyCredential,
    #[serde(default)]
    next: String,
}

/// Signs in, and says where to go.
pub(super) async fn finish_sign_in(
    ctx: Ctx,
    headers: HeaderMap,
    from: Visitor,
    JsonBody(answer): JsonBody<SignInAnswer>,
) -> Result<Response, Problem> {
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    let session = passkeys::finish_sign_in(&ctx.app, &token, &answer.credential, &from).await?;
    let next = sign_in::landing(&session.account, &safe_next(&answer.next));
    let mut response = Json(json!({ "next": next })).into_response();
    sign_in::leave_cookies(&ctx, &headers, &session, response.headers_mut()).await?;
    Ok(response)
}

/// What the browser is asked, for a new passkey.
pub(super) async fn start_registration(
    ctx: Ctx,
    JsonBody(_): JsonBody<serde_json::Value>,
) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let name = people::display_name(&ctx.read(), account.subject).await?;
    let (question, token) = passkeys::begin_registration(&ctx.app, &account, &name).await?;
    Ok(asked(&ctx, &token, Json(question).into_response()))
}

/// A passkey that the browser made, and what its owner calls it.
#[derive(Debug, Deserialize)]
pub(super) struct RegistrationAnswer {
    credential: RegisterPublicKeyCredential,
    #[serde(default)]
    label: String,
}

/// Registers it.
pub(super) async fn finish_registration(
    ctx: Ctx,
    headers: HeaderMap,
    from: Visitor,
    JsonBody(answer): JsonBody<RegistrationAnswer>,
) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    let label: String =
        answer.label.trim().chars().filter(|letter| !letter.is_control()).take(LABEL).collect();
    let label = if label.is_empty() { from.device } else { label };
    passkeys::finish_registration(&ctx.app, &account, &token, &answer.credential, &label).await?;
    let mut response = Json(json!({ "next": "/account/security" })).into_response();
    ctx.set_cookie(response.headers_mut(), challenges::COOKIE, "", Some(0));
    ctx.set_cookie(response.headers_mut(), "yw_flash", key("flash-identity-passkey-added"), Some(120));
    Ok(response)
}

/// Removes one.
pub(super) async fn remove(ctx: Ctx, Path(id): Path<String>, _form: Posted) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    if !passkeys::remove(&tx, &account, id).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(ctx.redirect("/account/security", Some(key("flash-identity-passkey-removed"))))
}

fn asked(ctx: &Ctx, token: &str, mut response: Response) -> Response {
    ctx.set_cookie(response.headers_mut(), challenges::COOKIE, token, Some(challenges::LIFE_SECONDS));
    response
}
