//! Signing in and out for programs, and one's own sessions.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use web::forms::JsonBody;
use web::{Ctx, Problem, ProblemBody};

use super::wire;
use crate::pages::{own_account, switch};
use crate::sessions;
use crate::sign_in::{self, Answer, Attempt, Limits, Visitor, own_act};

/// Signs in. An account with a second factor needs its code in the same call.
#[utoipa::path(
    post, path = "/api/v1/sessions", operation_id = "create_session", tag = "identity",
    request_body = wire::NewSession,
    responses(
        (status = 201, body = wire::Session), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 429, body = ProblemBody)
    )
)]
pub(crate) async fn create_session(
    ctx: Ctx,
    from: Visitor,
    JsonBody(new): JsonBody<wire::NewSession>,
    limits: Limits,
) -> Result<Response, Problem> {
    let attempt = Attempt { login: new.login, password: new.password, code: new.totp, from };
    match sign_in::with_password(&ctx.app, &limits, attempt).await? {
        Answer::Signed(session) => {
            let body = wire::Session {
                token: session.token,
                expires_at: session.expires_at.to_string(),
                actor: wire::SessionActor {
                    kind: session.account.kind.as_str().to_owned(),
                    account: session.account.id.to_string(),
                    subject: session.account.subject.to_string(),
                },
            };
            Ok((StatusCode::CREATED, Json(body)).into_response())
        }
        Answer::CodeNeeded(_) => Err(Problem::new(StatusCode::UNAUTHORIZED, "identity.code_needed")),
        Answer::EnrolmentNeeded(_) => Err(Problem::forbidden("identity.enrolment_needed")),
    }
}

/// Ends the session of this call.
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", operation_id = "delete_current_session", tag = "identity",
    responses((status = 204), (status = 401, body = ProblemBody))
)]
pub(crate) async fn delete_current_session(ctx: Ctx, headers: HeaderMap) -> Result<StatusCode, Problem> {
    ctx_csrf(&ctx, &headers)?;
    if let Some(token) = sessions::token_of(&headers) {
        sign_in::sign_out(&ctx.app, ctx.actor(), &token).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Chooses for whom this session acts.
#[utoipa::path(
    put, path = "/api/v1/sessions/current/acting-for", operation_id = "set_acting_for", tag = "identity",
    request_body = wire::ActingFor,
    responses((status = 204), (status = 403, body = ProblemBody))
)]
pub(crate) async fn act_for(
    ctx: Ctx,
    headers: HeaderMap,
    JsonBody(wish): JsonBody<wire::ActingFor>,
) -> Result<StatusCode, Problem> {
    let whom = match wish.subject {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Problem::not_found())?),
    };
    switch(&ctx, &headers, whom).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the account is signed in.
#[utoipa::path(
    get, path = "/api/v1/me/sessions", operation_id = "list_sessions", tag = "identity",
    responses((status = 200, body = wire::SessionList), (status = 401, body = ProblemBody))
)]
pub(crate) async fn list_sessions(ctx: Ctx, headers: HeaderMap) -> Result<Json<wire::SessionList>, Problem> {
    let account = own_account(&ctx).await?;
    let token = sessions::token_of(&headers);
    let open = sessions::list(&ctx.read(), account.subject, account.id, token.as_deref()).await?;
    Ok(Json(wire::SessionList { sessions: open.iter().map(Into::into).collect() }))
}

/// Ends one of the account's sessions.
#[utoipa::path(
    delete, path = "/api/v1/me/sessions/{id}", operation_id = "delete_session", tag = "identity",
    params(("id" = String, Path)), responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(crate) async fn delete_session(
    ctx: Ctx,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    ctx_csrf(&ctx, &headers)?;
    let account = own_account(&ctx).await?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    if !sessions::end_one(&tx, account.subject, account.id, id).await? {
        return Err(Problem::not_found());
    }
    tx.audit(own_act(&account, "identity.end_session"));
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A removal has no body whose reader would compare the token of the cookie's session, so it is compared here.
pub(super) fn ctx_csrf(ctx: &Ctx, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(wanted) = &ctx.resolved.csrf else { return Ok(()) };
    let sent = headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).unwrap_or("");
    let same: bool = subtle::ConstantTimeEq::ct_eq(wanted.as_bytes(), sent.as_bytes()).into();
    if same { Ok(()) } else { Err(Problem::forbidden("access.csrf")) }
}
