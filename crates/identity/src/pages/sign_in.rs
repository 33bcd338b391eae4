//! Signing in and out. Each step is a plain form; the state between two steps is a short-lived cookie.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::{Ctx, Problem};

use crate::accounts;
use crate::challenges;
use crate::sessions::{self, NewSession};
use crate::sign_in::{self, Answer, Attempt, Limits, SignInError, Visitor};

/// The first page: login and password; in a demonstration also who there is.
pub(super) async fn page(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let next = next_of(uri.query().unwrap_or(""));
    if let Some(account) = sign_in::account_of(&ctx.read(), ctx.actor()).await? {
        return Ok(ctx.redirect(&landing(&account, &next), None));
    }
    ctx.page("identity/sign_in.html", first_page(&ctx, &next, ""))
}

fn first_page(ctx: &Ctx, next: &str, login: &str) -> Json {
    let personas: Vec<Json> = if ctx.app.node.demo {
        crate::demo::personas()
            .iter()
            .map(|one| {
                json!({
                    "login": one.login, "password": one.password, "name": one.name, "totp": one.totp,
                    "hint": { "zh": one.what_to_try.zh, "en": one.what_to_try.en },
                })
            })
            .collect()
    } else {
        Vec::new()
    };
    json!({ "next": next, "values": { "login": login }, "personas": personas })
}

/// Login and password were sent.
pub(super) async fn with_password(
    ctx: Ctx,
    headers: HeaderMap,
    form: Posted,
    limits: Limits,
) -> Result<Response, Problem> {
    let next = safe(form.get("next"));
    let (login, password) = (form.get("login").to_owned(), form.get("password").to_owned());
    let mut missing = Vec::new();
    if login.is_empty() {
        missing.push(FieldError::new("login", "identity-login-missing"));
    }
    if password.is_empty() {
        missing.push(FieldError::new("password", "identity-password-missing"));
    }
    if !missing.is_empty() {
        return ctx.form_again("identity/sign_in.html", first_page(&ctx, &next, &login), &missing);
    }
    let attempt = Attempt { login: login.clone(), password, code: None, from: visitor(&headers) };
    match sign_in::with_password(&ctx.app, &limits, attempt).await {
        Ok(Answer::Signed(session)) => Ok(signed(&ctx, &session, &next)),
        Ok(Answer::CodeNeeded(token)) => Ok(step(&ctx, "/sign-in/code", &token, &next)),
        Ok(Answer::EnrolmentNeeded(token)) => Ok(step(&ctx, "/sign-in/enrol", &token, &next)),
        Err(error) => {
            let error = field_error("password", error)?;
            ctx.form_again("identity/sign_in.html", first_page(&ctx, &next, &login), &[error])
        }
    }
}

/// The second step: the code of the second factor.
pub(super) async fn code_page(ctx: Ctx, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let next = next_of(uri.query().unwrap_or(""));
    let context = code_context(&ctx, &headers, &next).await?;
    ctx.page("identity/code.html", context)
}

async fn code_context(ctx: &Ctx, headers: &HeaderMap, next: &str) -> Result<Json, Problem> {
    let mut hint = None;
    if ctx.app.node.demo
        && let Some(token) = web::cookie(headers, challenges::COOKIE)
        && let Some((login, last_step)) = sign_in::awaiting_code(&ctx.app, &token).await?
    {
        hint = crate::demo::code_now(&login, ctx.now(), last_step);
    }
    Ok(json!({ "next": next, "demo_code": hint }))
}

/// The code was sent.
pub(super) async fn with_code(
    ctx: Ctx,
    headers: HeaderMap,
    form: Posted,
    limits: Limits,
) -> Result<Response, Problem> {
    let next = safe(form.get("next"));
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    match sign_in::with_code(&ctx.app, &limits, &token, form.get("code"), &visitor(&headers)).await {
        Ok(session) => Ok(signed(&ctx, &session, &next)),
        Err(SignInError::RanOut) => Ok(ctx.redirect("/sign-in", Some("flash-sign-in-ran-out"))),
        Err(error) => {
            let error = field_error("code", error)?;
            let context = code_context(&ctx, &headers, &next).await?;
            ctx.form_again("identity/code.html", context, &[error])
        }
    }
}

/// A second factor has to be set up before the first sign-in.
pub(super) async fn enrol_page(ctx: Ctx, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let next = next_of(uri.query().unwrap_or(""));
    match enrol_context(&ctx, &headers, &next).await? {
        Some(context) => ctx.page("identity/enrol.html", context),
        None => Ok(ctx.redirect("/sign-in", Some("flash-sign-in-ran-out"))),
    }
}

async fn enrol_context(ctx: &Ctx, headers: &HeaderMap, next: &str) -> Result<Option<Json>, Problem> {
    let token = web::cookie(headers, challenges::COOKIE).unwrap_or_default();
    match sign_in::enrolment(&ctx.app, &token).await {
        Ok((secret, login)) => Ok(Some(json!({
            "next": next,
            "secret": secret.for_typing(),
            "address": secret.address(&ctx.app.node.name_zh, &login),
        }))),
        Err(SignInError::RanOut) => Ok(None),
        Err(error) => Err(Problem::internal(error)),
    }
}

/// The first code of the new second factor was sent.
pub(super) async fn with_enrolment(
    ctx: Ctx,
    headers: HeaderMap,
    form: Posted,
    limits: Limits,
) -> Result<Response, Problem> {
    let next = safe(form.get("next"));
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    match sign_in::with_enrolment(&ctx.app, &limits, &token, form.get("code"), &visitor(&headers)).await {
        Ok(session) => Ok(signed(&ctx, &session, &next)),
        Err(error) => match enrol_context(&ctx, &headers, &next).await? {
            Some(context) => {
                let error = field_error("code", error)?;
                ctx.form_again("identity/enrol.html", context, &[error])
            }
            None => Ok(ctx.redirect("/sign-in", Some("flash-sign-in-ran-out"))),
        },
    }
}

/// Ends the session.
pub(super) async fn sign_out(ctx: Ctx, headers: HeaderMap, _form: Posted) -> Result<Response, Problem> {
    if let Some(token) = sessions::token_of(&headers) {
        sign_in::sign_out(&ctx.app, ctx.actor(), &token).await?;
    }
    let mut response = ctx.redirect("/", Some("flash-signed-out"));
    ctx.set_cookie(response.headers_mut(), sessions::COOKIE, "", Some(0));
    Ok(response)
}

fn signed(ctx: &Ctx, session: &NewSession, next: &str) -> Response {
    let mut response = ctx.redirect(&landing(&session.account, next), None);
    let headers = response.headers_mut();
    ctx.set_cookie(headers, sessions::COOKIE, &session.token, Some(sessions::ABSOLUTE_SECONDS));
    ctx.set_cookie(headers, challenges::COOKIE, "", Some(0));
    response
}

fn step(ctx: &Ctx, path: &str, token: &str, next: &str) -> Response {
    let mut response = ctx.redirect(&format!("{path}?next={}", encode(next)), None);
    ctx.set_cookie(response.headers_mut(), challenges::COOKIE, token, Some(challenges::LIFE_SECONDS));
    response
}

/// Where somebody lands: where they wanted to go, or the first page of their work.
fn landing(account: &accounts::Account, next: &str) -> String {
    if !next.is_empty() {
        return next.to_owned();
    }
    match account.kind {
        accounts::AccountKind::Citizen => "/my",
        accounts::AccountKind::Officer => "/work",
        accounts::AccountKind::Auditor => "/audit",
        accounts::AccountKind::Administrator => "/admin/orgs",
    }
    .to_owned()
}

pub(crate) fn visitor(headers: &HeaderMap) -> Visitor {
    Visitor { address: None, device: sessions::device(headers) }
}

/// The message beside the field. What is no fault of the person is a problem of ours.
fn field_error(field: &str, error: SignInError) -> Result<FieldError, Problem> {
    Ok(match error {
        SignInError::Wrong => FieldError::new(field, "identity-wrong"),
        SignInError::WrongCode => FieldError::new(field, "identity-wrong-code"),
        SignInError::UsedCode => FieldError::new(field, "identity-used-code"),
        SignInError::Locked => FieldError::new(field, "identity-locked"),
        SignInError::RanOut => FieldError::new(field, "identity-ran-out"),
        SignInError::TooMany(many) => FieldError::new(field, "identity-too-many")
            .with("minutes", i64::try_from(many.seconds.div_ceil(60)).unwrap_or(60)),
        SignInError::Store(error) => return Err(error.into()),
        SignInError::Password(error) => return Err(Problem::internal(error)),
    })
}

/// The page to go on to, if it is one of ours: a path, never another site.
fn safe(next: &str) -> String {
    let ours = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    if ours { next.to_owned() } else { String::new() }
}

fn next_of(query: &str) -> String {
    let raw = query.split('&').find_map(|pair| pair.strip_prefix("next=")).unwrap_or("");
    let decoded = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
    safe(&decoded)
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The JSON of a refused sign-in, for the API.
pub(crate) fn problem(error: SignInError) -> Problem {
    match error {
        SignInError::Wrong => Problem::new(StatusCode::UNAUTHORIZED, "identity.wrong"),
        SignInError::WrongCode => Problem::new(StatusCode::UNAUTHORIZED, "identity.wrong_code"),
        SignInError::UsedCode => Problem::new(StatusCode::UNAUTHORIZED, "identity.used_code"),
        SignInError::Locked => Problem::forbidden("identity.locked"),
        SignInError::RanOut => Problem::conflict("identity.ran_out"),
        SignInError::TooMany(many) => Problem::new(StatusCode::TOO_MANY_REQUESTS, "identity.too_many")
            .with("minutes", i64::try_from(many.seconds.div_ceil(60)).unwrap_or(60)),
        SignInError::Store(error) => error.into(),
        SignInError::Password(error) => Problem::internal(error),
    }
}

/// An answer without a body.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_on_never_leads_to_another_site() {
        assert_eq!(next_of("next=%2Fmy%2Fcases"), "/my/cases");
        for hostile in ["next=https%3A%2F%2Fevil.example", "next=%2F%2Fevil.example", "next=%2F%5Cevil", ""] {
            assert_eq!(next_of(hostile), "", "{hostile}");
        }
    }
}
