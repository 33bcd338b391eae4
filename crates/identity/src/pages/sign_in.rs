//! Signing in and out. Each step is a plain form; the state between two steps is a short-lived cookie.

use axum::response::Response;
use http::{HeaderMap, Uri};
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::{encode, missing, query, safe_next};
use crate::accounts::{Account, AccountKind};
use crate::sessions::{self, NewSession};
use crate::sign_in::{self, Answer, Attempt, Limits, SignInError, Visitor, passkeys, real_name};
use crate::{challenges, demo};

/// The first page: login and password, the other ways, and in a demonstration who there is.
pub(super) async fn page(ctx: Ctx, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let query = query(&uri);
    let next = safe_next(query.get("next").map_or("", String::as_str));
    if let Some(account) = sign_in::account_of(&ctx.read(), ctx.actor()).await? {
        return Ok(ctx.redirect(&landing(&account, &next), None));
    }
    let mut context = first_page(&ctx, &next, "").await?;
    // A cookie that no longer counts: the session ended while they were away.
    if let Json::Object(object) = &mut context {
        let over = web::cookie(&headers, sessions::COOKIE).is_some_and(|token| !token.is_empty());
        object.insert("over".to_owned(), over.into());
    }
    ctx.page("identity/sign_in.html", context)
}

async fn first_page(ctx: &Ctx, next: &str, login: &str) -> Result<Json, Problem> {
    let mut citizens = Vec::new();
    let mut staff = Vec::new();
    if ctx.app.node.demo {
        for (one, code) in demo::personas_with_codes(&ctx.app).await? {
            let shown = json!({
                "login": one.login, "password": one.password, "name": one.name, "totp": one.totp,
                "code": code, "role": one.role, "hint": one.what_to_try,
            });
            if one.kind == AccountKind::Citizen { citizens.push(shown) } else { staff.push(shown) }
        }
    }
    let provider = real_name::settings(&ctx.read()).await?.map(|settings| settings.name);
    Ok(json!({
        "next": next,
        "values": { "login": login },
        "citizens": citizens,
        "staff": staff,
        "provider": provider,
        "passkeys": passkeys::are_possible(&ctx.app),
    }))
}

/// Login and password were sent, with the code where a program or the demonstration knows it already.
pub(super) async fn with_password(
    ctx: Ctx,
    headers: HeaderMap,
    from: Visitor,
    form: Posted,
    limits: Limits,
) -> Result<Response, Problem> {
    let next = safe_next(form.get("next"));
    let login = form.get("login").to_owned();
    // Not `get`: a password may begin or end with a space.
    let password =
        form.fields().find(|(name, _)| *name == "password").map_or("", |(_, value)| value).to_owned();
    let mut errors = missing(&form, &[("login", key("identity-error-login-missing"))]);
    if password.is_empty() {
        errors.push(FieldError::new("password", key("identity-error-password-missing")));
    }
    if !errors.is_empty() {
        let context = first_page(&ctx, &next, &login).await?;
        return ctx.form_again("identity/sign_in.html", context, &errors);
    }
    let code = Some(form.get("code").to_owned()).filter(|code| !code.is_empty());
    let attempt = Attempt { login: login.clone(), password, code, from };
    match sign_in::with_password(&ctx.app, &limits, attempt).await {
        Ok(Answer::Signed(session)) => signed(&ctx, &headers, &session, &next).await,
        Ok(Answer::CodeNeeded(token)) => Ok(step(&ctx, "/sign-in/code", &token, &next)),
        Ok(Answer::EnrolmentNeeded(token)) => Ok(step(&ctx, "/sign-in/enrol", &token, &next)),
        Err(error) => {
            let error = field_error("password", error)?;
            let context = first_page(&ctx, &next, &login).await?;
            ctx.form_again("identity/sign_in.html", context, &[error])
        }
    }
}

/// The second step: the code of the second factor.
pub(super) async fn code_page(ctx: Ctx, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let next = safe_next(query(&uri).get("next").map_or("", String::as_str));
    match code_context(&ctx, &headers, &next).await {
        Ok(context) => ctx.page("identity/code.html", context),
        Err(error) => ran_out(&ctx, error),
    }
}

async fn code_context(ctx: &Ctx, headers: &HeaderMap, next: &str) -> Result<Json, SignInError> {
    let token = web::cookie(headers, challenges::COOKIE).unwrap_or_default();
    let login = sign_in::awaiting_code(&ctx.app, &token).await?;
    let code = if ctx.app.node.demo { demo::code_of(&ctx.app, &login).await? } else { None };
    Ok(json!({ "next": next, "login": login, "demo_code": code }))
}

/// The code was sent.
pub(super) async fn with_code(
    ctx: Ctx,
    headers: HeaderMap,
    from: Visitor,
    form: Posted,
    limits: Limits,
) -> Result<Response, Problem> {
    let next = safe_next(form.get("next"));
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    match sign_in::with_code(&ctx.app, &limits, &token, form.get("code"), &from).await {
        Ok(session) => signed(&ctx, &headers, &session, &next).await,
        Err(error) => {
            let context = code_context(&ctx, &headers, &next).await;
            ask_again(&ctx, "identity/code.html", context, error)
        }
    }
}

/// A second factor has to be set up before the first sign-in.
pub(super) async fn enrol_page(ctx: Ctx, headers: HeaderMap, uri: Uri) -> Result<Response, Problem> {
    let next = safe_next(query(&uri).get("next").map_or("", String::as_str));
    match enrol_context(&ctx, &headers, &next).await {
        Ok(context) => ctx.page("identity/enrol.html", context),
        Err(error) => ran_out(&ctx, error),
    }
}

async fn enrol_context(ctx: &Ctx, headers: &HeaderMap, next: &str) -> Result<Json, SignInError> {
    let token = web::cookie(headers, challenges::COOKIE).unwrap_or_default();
    let (secret, login) = sign_in::enrolment(&ctx.app, &token).await?;
    Ok(json!({
        "next": next,
        "secret": secret.for_typing(),
        "address": secret.address(&ctx.app.node.name_zh, &login),
    }))
}

/// The first code of the new second factor was sent.
pub(super) async fn with_enrolment(
    ctx: Ctx,
    headers: HeaderMap,
    from: Visitor,
    form: Posted,
    limits: Limits,
) -> Result<Response, Problem> {
    let next = safe_next(form.get("next"));
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    match sign_in::with_enrolment(&ctx.app, &limits, &token, form.get("code"), &from).await {
        Ok(session) => signed(&ctx, &headers, &session, &next).await,
        Err(error) => {
            let context = enrol_context(&ctx, &headers, &next).await;
            ask_again(&ctx, "identity/enrol.html", context, error)
        }
    }
}

/// The page of a code once more with what was wrong, or the first page where the step is over.
fn ask_again(
    ctx: &Ctx,
    template: &str,
    context: Result<Json, SignInError>,
    error: SignInError,
) -> Result<Response, Problem> {
    if matches!(error, SignInError::RanOut | SignInError::Locked) {
        return ran_out(ctx, error);
    }
    let error = field_error("code", error)?;
    match context {
        Ok(context) => ctx.form_again(template, context, &[error]),
        Err(error) => ran_out(ctx, error),
    }
}

/// Ends the session.
pub(super) async fn sign_out(ctx: Ctx, headers: HeaderMap, _form: Posted) -> Result<Response, Problem> {
    if let Some(token) = sessions::token_of(&headers) {
        sign_in::sign_out(&ctx.app, ctx.actor(), &token).await?;
    }
    let mut response = ctx.redirect("/", Some(key("flash-identity-signed-out")));
    ctx.set_cookie(response.headers_mut(), sessions::COOKIE, "", Some(0));
    Ok(response)
}

/// The way on after sign-in. A session that this browser had before ends.
pub(super) async fn signed(
    ctx: &Ctx,
    headers: &HeaderMap,
    session: &NewSession,
    next: &str,
) -> Result<Response, Problem> {
    let mut response = ctx.redirect(&landing(&session.account, next), None);
    leave_cookies(ctx, headers, session, response.headers_mut()).await?;
    Ok(response)
}

/// Sets the cookie of the session and clears what the steps before it left.
pub(super) async fn leave_cookies(
    ctx: &Ctx,
    headers: &HeaderMap,
    session: &NewSession,
    answer: &mut HeaderMap,
) -> Result<(), Problem> {
    if let Some(old) = web::cookie(headers, sessions::COOKIE).filter(|old| !old.is_empty()) {
        let tx = ctx.begin().await?;
        sessions::end(&tx, &old).await?;
        tx.commit().await?;
    }
    ctx.set_cookie(answer, sessions::COOKIE, &session.token, Some(sessions::ABSOLUTE_SECONDS));
    ctx.set_cookie(answer, challenges::COOKIE, "", Some(0));
    Ok(())
}

fn step(ctx: &Ctx, path: &str, token: &str, next: &str) -> Response {
    let mut response = ctx.redirect(&format!("{path}?next={}", encode(next)), None);
    ctx.set_cookie(response.headers_mut(), challenges::COOKIE, token, Some(challenges::LIFE_SECONDS));
    response
}

fn ran_out(ctx: &Ctx, error: SignInError) -> Result<Response, Problem> {
    match error {
        SignInError::RanOut => Ok(ctx.redirect("/sign-in", Some(key("flash-identity-ran-out")))),
        other => Err(other.into()),
    }
}

/// Where somebody lands: where they wanted to go, or the first page of their work.
pub(super) fn landing(account: &Account, next: &str) -> String {
    if !next.is_empty() {
        return next.to_owned();
    }
    match account.kind {
        AccountKind::Citizen => "/my",
        AccountKind::Officer => "/work",
        AccountKind::Auditor => "/audit",
        AccountKind::Administrator => "/admin/orgs",
    }
    .to_owned()
}

/// The message beside the field. What is no fault of the person is a problem of ours.
pub(super) fn field_error(field: &str, error: SignInError) -> Result<FieldError, Problem> {
    Ok(match error {
        SignInError::Wrong => FieldError::new(field, key("problem-identity-wrong-login")),
        SignInError::WrongCode => FieldError::new(field, key("problem-identity-wrong-code")),
        SignInError::UsedCode => FieldError::new(field, key("problem-identity-used-code")),
        SignInError::Locked => FieldError::new(field, key("problem-identity-locked")),
        SignInError::RanOut => FieldError::new(field, key("problem-identity-ran-out")),
        SignInError::TooMany(too_many) => {
            FieldError::new(field, key("problem-identity-too-many")).with("seconds", too_many.seconds)
        }
        SignInError::Store(_) | SignInError::Password(_) => return Err(error.into()),
    })
}
