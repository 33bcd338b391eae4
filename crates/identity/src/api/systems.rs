//! Organisations for everybody; tokens for the administrator; checks of rights for other systems; the people of
//! a demonstration.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use kernel::ids::SubjectId;
use store::{AuditEntry, Purpose, Reads};
use web::forms::{FieldError, JsonBody};
use web::i18n::key;
use web::{Ctx, Problem, ProblemBody};

use super::sessions::ctx_csrf;
use super::wire;
use crate::tokens::{self, SCOPES};
use crate::{delegations, demo, firms, orgs, people};

/// Every organisation with its posts; who holds them is not said.
#[utoipa::path(
    get, path = "/api/v1/orgs", operation_id = "list_orgs", tag = "identity",
    responses((status = 200, body = wire::OrgList))
)]
pub(crate) async fn list_orgs(ctx: Ctx) -> Result<Json<wire::OrgList>, Problem> {
    let orgs = orgs::all(&ctx.read())
        .await?
        .into_iter()
        .map(|org| wire::Org {
            code: org.code.to_string(),
            parent: org.parent.map(|parent| parent.to_string()),
            level: org.level,
            division: org.division,
            uscc: org.uscc,
            name: (&org.name).into(),
            posts: org
                .posts
                .into_iter()
                .map(|post| wire::OrgPost {
                    code: post.code.to_string(),
                    name: (&post.name).into(),
                    roles: post.roles,
                })
                .collect(),
        })
        .collect();
    Ok(Json(wire::OrgList { orgs }))
}

/// Whether somebody may act for somebody else, at this moment. An unknown number is answered as a no.
#[utoipa::path(
    post, path = "/api/v1/delegations/checks", operation_id = "check_delegation", tag = "identity",
    request_body = wire::RightCheck,
    responses((status = 200, body = wire::RightAnswer), (status = 403, body = ProblemBody))
)]
pub(crate) async fn check_delegation(
    ctx: Ctx,
    JsonBody(check): JsonBody<wire::RightCheck>,
) -> Result<Json<wire::RightAnswer>, Problem> {
    let no = wire::RightAnswer { may: false, kind: None, valid_to: None };
    let db = ctx.read();
    let delegate = people::find_by_citizen_id(&db, &check.delegate).await?;
    let (Some(delegate), Some(subject)) = (delegate, find(&db, &check.subject).await?) else {
        return Ok(Json(no));
    };
    let held = delegations::between(&db, delegate, subject, ctx.now()).await?;
    let tx = ctx.begin().await?;
    for side in [subject, delegate] {
        tx.audit(
            AuditEntry::new(ctx.actor(), "identity.check_right", Purpose::Verification)
                .about(side)
                .object("identity.delegation"),
        );
    }
    tx.commit().await?;
    Ok(Json(match held.iter().find(|right| right.covers(&check.item)) {
        None => no,
        Some(right) => wire::RightAnswer {
            may: true,
            kind: Some(right.kind.as_str().to_owned()),
            valid_to: (!right.is_open_ended()).then(|| right.valid_to.to_string()),
        },
    }))
}

async fn find(db: &impl Reads, number: &str) -> Result<Option<SubjectId>, Problem> {
    match people::find_by_citizen_id(db, number).await? {
        Some(person) => Ok(Some(person)),
        None => Ok(firms::find_by_uscc(db, number).await?),
    }
}

/// Every token, without its text.
#[utoipa::path(
    get, path = "/api/v1/admin/tokens", operation_id = "list_tokens", tag = "identity",
    responses((status = 200, body = wire::TokenList), (status = 403, body = ProblemBody))
)]
pub(crate) async fn list_tokens(ctx: Ctx) -> Result<Json<wire::TokenList>, Problem> {
    let tokens = tokens::list(&ctx.read()).await?;
    Ok(Json(wire::TokenList { tokens: tokens.iter().map(Into::into).collect() }))
}

/// Makes a token.
#[utoipa::path(
    post, path = "/api/v1/admin/tokens", operation_id = "create_token", tag = "identity",
    request_body = wire::NewToken,
    responses((status = 201, body = wire::MadeToken), (status = 422, body = ProblemBody))
)]
pub(crate) async fn create_token(
    ctx: Ctx,
    JsonBody(new): JsonBody<wire::NewToken>,
) -> Result<Response, Problem> {
    let mut errors = Vec::new();
    let name = new.name.trim();
    if name.is_empty() {
        errors.push(FieldError::new("name", key("identity-error-system-missing")));
    } else if name.chars().count() > 60 || name.contains(',') {
        errors.push(FieldError::new("name", key("identity-error-system-name")));
    }
    if new.scopes.is_empty() || new.scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        errors.push(FieldError::new("scopes", key("identity-error-scope")));
    }
    if !(1..=366).contains(&new.days) {
        errors.push(FieldError::new("days", key("identity-error-token-term")));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let by = ctx.actor().account().ok_or_else(Problem::not_signed_in)?;
    let expires_at = ctx.now().plus(SignedDuration::from_hours(24 * new.days));
    let token = tokens::NewToken { name: name.to_owned(), scopes: new.scopes, expires_at };
    let tx = ctx.begin().await?;
    let (id, text) = tokens::create(&tx, by, &token).await?;
    tx.audit(
        AuditEntry::new(ctx.actor(), "identity.create_token", Purpose::Operation)
            .object(format!("identity.token:{id}")),
    );
    tx.commit().await?;
    let made = wire::MadeToken { id: id.to_string(), token: text, expires_at: token.expires_at.to_string() };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Ends a token for good.
#[utoipa::path(
    delete, path = "/api/v1/admin/tokens/{id}", operation_id = "delete_token", tag = "identity",
    params(("id" = String, Path)), responses((status = 204), (status = 404, body = ProblemBody))
)]
pub(crate) async fn delete_token(
    ctx: Ctx,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    ctx_csrf(&ctx, &headers)?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    if !tokens::revoke(&tx, id).await? {
        return Err(Problem::not_found());
    }
    tx.audit(
        AuditEntry::new(ctx.actor(), "identity.revoke_token", Purpose::Operation)
            .object(format!("identity.token:{id}")),
    );
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everybody to sign in as, where this node is a demonstration; elsewhere there is no such thing.
#[utoipa::path(
    get, path = "/api/v1/demo/personas", operation_id = "list_personas", tag = "identity",
    responses((status = 200, body = wire::PersonaList), (status = 404, body = ProblemBody))
)]
pub(crate) async fn list_personas(ctx: Ctx) -> Result<Json<wire::PersonaList>, Problem> {
    if !ctx.app.node.demo {
        return Err(Problem::not_found());
    }
    let personas = demo::personas_with_codes(&ctx.app)
        .await?
        .into_iter()
        .map(|(one, code)| wire::Persona {
            login: one.login,
            password: one.password,
            totp: code,
            needs_totp: one.totp,
            name: one.name,
            kind: one.kind.as_str().to_owned(),
            role: (&one.role).into(),
            what_to_try: (&one.what_to_try).into(),
        })
        .collect();
    Ok(Json(wire::PersonaList { personas }))
}
