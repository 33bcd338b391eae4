//! Signing in and out for programs, and what a person may know of themselves.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::audit;
use utoipa::ToSchema;
use web::forms::JsonBody;
use web::{Access, Ctx, Problem, Routes};

use crate::pages::sign_in::{no_content, problem, visitor};
use crate::sessions;
use crate::sign_in::{self, Answer, Attempt, Limits};

/// The routes of this crate's API.
pub(crate) fn routes(limits: &Limits) -> Routes {
    let tries = limits.clone();
    Routes::new()
        .post("/api/v1/sessions", Access::Public, move |ctx, headers, body| {
            create_session(ctx, headers, body, tries)
        })
        .delete("/api/v1/sessions/current", Access::SignedIn, delete_session)
        .get("/api/v1/me", Access::SignedIn, get_me)
        .get("/api/v1/me/footprint", Access::Citizen, list_footprint)
}

/// The description of this crate's API.
#[derive(utoipa::OpenApi)]
#[openapi(paths(create_session, delete_session, get_me, list_footprint))]
pub(crate) struct Description;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
struct NewSessionBody {
    /// The login.
    login: String,
    /// The password.
    password: String,
    /// The code of the second factor, where the account has one.
    code: Option<String>,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
struct SessionBody {
    /// To be sent as `Authorization: Bearer …`.
    token: String,
    /// When it ends at the latest.
    #[schema(value_type = String)]
    expires_at: Timestamp,
    /// `citizen`, `officer`, `auditor` or `administrator`.
    kind: &'static str,
}

/// Signs in. An account with a second factor needs the code in the same call.
#[utoipa::path(post, path = "/api/v1/sessions", operation_id = "create_session", tag = "identity",
    request_body = NewSessionBody,
    responses((status = 201, body = SessionBody), (status = 401, body = web::ProblemBody),
        (status = 429, body = web::ProblemBody)))]
async fn create_session(
    ctx: Ctx,
    headers: HeaderMap,
    JsonBody(new): JsonBody<NewSessionBody>,
    limits: Limits,
) -> Result<Response, Problem> {
    let attempt =
        Attempt { login: new.login, password: new.password, code: new.code, from: visitor(&headers) };
    match sign_in::with_password(&ctx.app, &limits, attempt).await.map_err(problem)? {
        Answer::Signed(session) => {
            let body = SessionBody {
                token: session.token,
                expires_at: session.expires_at,
                kind: session.account.kind.as_str(),
            };
            Ok((StatusCode::CREATED, axum::Json(body)).into_response())
        }
        Answer::CodeNeeded(_) => Err(Problem::new(StatusCode::UNAUTHORIZED, "identity.code_needed")),
        Answer::EnrolmentNeeded(_) => Err(Problem::forbidden("identity.enrolment_needed")),
    }
}

/// Ends the session of this call.
#[utoipa::path(delete, path = "/api/v1/sessions/current", operation_id = "delete_session", tag = "identity",
    responses((status = 204)))]
async fn delete_session(ctx: Ctx, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = sessions::token_of(&headers) {
        sign_in::sign_out(&ctx.app, ctx.actor(), &token).await?;
    }
    Ok(no_content())
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct Me {
    /// `citizen`, `officer`, `auditor`, `administrator` or `system`.
    kind: &'static str,
    /// How to address them.
    name: Option<String>,
    /// Posts held, for an officer.
    posts: Vec<String>,
}

/// Who the token or cookie of this call belongs to.
#[utoipa::path(get, path = "/api/v1/me", operation_id = "get_me", tag = "identity",
    responses((status = 200, body = Me)))]
async fn get_me(ctx: Ctx) -> Result<Response, Problem> {
    let mut posts: Vec<String> = ctx.actor().posts().iter().map(|held| held.post.to_string()).collect();
    posts.dedup();
    let me = Me { kind: ctx.actor().kind(), name: ctx.resolved.name.clone(), posts };
    Ok(axum::Json(me).into_response())
}

/// An access to a person's data.
#[derive(Serialize, ToSchema)]
struct FootprintEntry {
    /// Its place in the log.
    seq: i64,
    /// When.
    #[schema(value_type = String)]
    at: Timestamp,
    /// The kind of actor.
    actor_kind: String,
    /// The posts of an officer, the name of a system.
    actor: String,
    /// What was done.
    action: String,
    /// What for.
    purpose: String,
    /// In which case, or empty.
    case_no: String,
}

/// A page of the footprint.
#[derive(Serialize, ToSchema)]
struct Footprint {
    /// Newest first.
    entries: Vec<FootprintEntry>,
    /// Where the next page begins, if there is one: `?before=`.
    next: Option<i64>,
}

/// Who looked at the data of the person who asks.
#[utoipa::path(get, path = "/api/v1/me/footprint", operation_id = "list_footprint", tag = "identity",
    params(("before" = Option<i64>, Query, description = "Entries before this place.")),
    responses((status = 200, body = Footprint)))]
async fn list_footprint(ctx: Ctx, uri: http::Uri) -> Result<Response, Problem> {
    const PAGE: u32 = 50;
    let (_, subject) = ctx.citizen()?;
    let before = uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("before=")))
        .and_then(|text| text.parse::<i64>().ok());
    let found = audit::footprint(&ctx.read(), subject, before, PAGE).await?;
    let next = if found.len() == PAGE as usize { found.last().map(|entry| entry.seq) } else { None };
    let entries = found
        .into_iter()
        .map(|entry| FootprintEntry {
            seq: entry.seq,
            at: entry.at,
            actor_kind: entry.actor_kind,
            actor: entry.actor_label,
            action: entry.action,
            purpose: entry.purpose,
            case_no: entry.case_no,
        })
        .collect();
    Ok(axum::Json(Footprint { entries, next }).into_response())
}
