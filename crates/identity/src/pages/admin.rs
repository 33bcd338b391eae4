//! The administrator's pages: organisations, posts and their holders, accounts.

use axum::extract::Path;
use axum::response::Response;
use http::Uri;
use kernel::ids::{OrgCode, PostCode, SubjectId};
use kernel::time::{Date, Timestamp};
use serde_json::{Value as Json, json};
use store::{AuditEntry, Purpose, Reads};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::{missing, query};
use crate::accounts::{self, Account, AccountKind};
use crate::orgs::{self, Org};
use crate::people;
use crate::staff::{self, NewStaff, StaffError};

/// Accounts on a page.
const PAGE: u32 = 50;

/// Every organisation, level under level.
pub(super) async fn orgs(ctx: Ctx) -> Result<Response, Problem> {
    let db = ctx.read();
    let all = orgs::all(&db).await?;
    let holders = orgs::holders(&db, ctx.now()).await?;
    let mut rows = Vec::new();
    add_below(&all, &holders, None, 0, &mut rows);
    ctx.page("identity/orgs.html", json!({ "orgs": rows }))
}

/// An organisation, then those below it.
fn add_below(
    all: &[Org],
    holders: &[(PostCode, SubjectId)],
    parent: Option<&OrgCode>,
    depth: usize,
    rows: &mut Vec<Json>,
) {
    // Six levels and a reserve: a circle in the content must not go round for ever.
    if depth > 8 {
        return;
    }
    for org in all.iter().filter(|org| org.parent.as_ref() == parent) {
        let filled = |post: &&orgs::Post| holders.iter().any(|(held, _)| *held == post.code);
        let vacant = org.posts.len() - org.posts.iter().filter(filled).count();
        rows.push(json!({
            "code": org.code, "name": org.name, "level": org.level, "division": org.division, "depth": depth,
            "posts": org.posts.len(), "vacant": vacant,
        }));
        add_below(all, holders, Some(&org.code), depth + 1, rows);
    }
}

/// One organisation: its posts, who holds them, and the form that appoints.
pub(super) async fn org(ctx: Ctx, Path(code): Path<String>) -> Result<Response, Problem> {
    let context = org_context(&ctx, &code, &Posted::default()).await?;
    ctx.page("identity/org.html", context)
}

async fn org_context(ctx: &Ctx, code: &str, form: &Posted) -> Result<Json, Problem> {
    let db = ctx.read();
    let org = orgs::all(&db).await?.into_iter().find(|org| org.code.as_str() == code);
    let org = org.ok_or_else(Problem::not_found)?;
    let holders = orgs::holders(&db, ctx.now()).await?;
    let mut posts = Vec::new();
    for post in &org.posts {
        let mut people_of = Vec::new();
        for (_, subject) in holders.iter().filter(|(held, _)| *held == post.code) {
            people_of.push(json!({
                "subject": subject,
                "name": people::display_name(&db, *subject).await?,
                "logins": logins(&db, *subject).await?,
            }));
        }
        let roles: Vec<Json> = post
            .roles
            .iter()
            .map(|role| {
                let known = ctx.app.pack.orgs().roles.iter().find(|known| known.id == *role);
                known.map_or_else(|| json!(role), |known| json!(known.name))
            })
            .collect();
        posts.push(json!({
            "code": post.code, "name": post.name, "roles": roles, "holders": people_of,
        }));
    }
    let mut values = serde_json::Map::new();
    for field in ["login", "post", "last_day-year", "last_day-month", "last_day-day"] {
        values.insert(field.to_owned(), form.get(field).into());
    }
    let name = |words: &packs::model::Words| {
        if ctx.lang() == web::i18n::Lang::EN { words.en.clone() } else { words.zh.clone() }
    };
    let options: Vec<Json> =
        org.posts.iter().map(|post| json!({ "value": post.code, "text": name(&post.name) })).collect();
    Ok(json!({
        "org": {
            "code": org.code, "name": org.name, "level": org.level, "division": org.division, "uscc": org.uscc,
        },
        "posts": posts, "options": options, "values": values,
    }))
}

async fn logins(db: &impl Reads, subject: SubjectId) -> Result<Vec<String>, Problem> {
    let accounts = accounts::of_subject(db, subject).await?;
    Ok(accounts.into_iter().filter(|one| one.kind == AccountKind::Officer).map(|one| one.login).collect())
}

/// Gives a post to whoever has an officer's login, until a last day or without an end. The address names any
/// post of the organisation; the form says which.
pub(super) async fn appoint(ctx: Ctx, Path(code): Path<String>, form: Posted) -> Result<Response, Problem> {
    let org = org_of_post(&ctx, &code).await?;
    let post = PostCode::new(if form.has("post") { form.get("post") } else { &code })
        .map_err(|_| Problem::not_found())?;
    if !org.posts.iter().any(|known| known.code == post) {
        return Err(Problem::not_found());
    }
    let mut errors = missing(&form, &[("login", key("identity-error-login-missing"))]);
    let account = accounts::find_by_login(&ctx.read(), form.get("login")).await?;
    let officer = account.filter(|account| account.kind == AccountKind::Officer);
    if errors.is_empty() && officer.is_none() {
        errors.push(FieldError::new("login", key("identity-error-no-officer")));
    }
    let until = term_end(&form, ctx.now());
    if until.is_none() {
        errors.push(FieldError::new("last_day", key("identity-error-last-day")));
    }
    let (Some(officer), Some(until), true) = (officer, until, errors.is_empty()) else {
        let context = org_context(&ctx, org.code.as_str(), &form).await?;
        return ctx.form_again("identity/org.html", context, &errors);
    };
    let tx = ctx.begin().await?;
    orgs::appoint(&tx, officer.subject, &post, ctx.now(), until).await?;
    tx.audit(act(&ctx, "identity.appoint", officer.subject).object(format!("identity.post:{post}")));
    tx.commit().await?;
    Ok(ctx.redirect(&format!("/admin/orgs/{}", org.code), Some(key("flash-identity-appointed"))))
}

/// The end of the last day; without a day, no end; none when the day is wrong or over.
fn term_end(form: &Posted, now: Timestamp) -> Option<Timestamp> {
    let part = |name: &str| form.get(&format!("last_day-{name}")).to_owned();
    let (year, month, day) = (part("year"), part("month"), part("day"));
    if year.is_empty() && month.is_empty() && day.is_empty() {
        return Some(orgs::open_end());
    }
    let last = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    (last >= now.china_date()).then(|| last.tomorrow().ok().map(Timestamp::start_of_china_day)).flatten()
}

/// Ends somebody's holding of a post.
pub(super) async fn dismiss(ctx: Ctx, Path(code): Path<String>, form: Posted) -> Result<Response, Problem> {
    let org = org_of_post(&ctx, &code).await?;
    let post = PostCode::new(code).map_err(|_| Problem::not_found())?;
    let subject: SubjectId = form.get("subject").parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    if orgs::dismiss(&tx, subject, &post, ctx.now()).await? == 0 {
        return Err(Problem::not_found());
    }
    tx.audit(act(&ctx, "identity.dismiss", subject).object(format!("identity.post:{post}")));
    tx.commit().await?;
    Ok(ctx.redirect(&format!("/admin/orgs/{}", org.code), Some(key("flash-identity-dismissed"))))
}

async fn org_of_post(ctx: &Ctx, post: &str) -> Result<Org, Problem> {
    orgs::all(&ctx.read())
        .await?
        .into_iter()
        .find(|org| org.posts.iter().any(|known| known.code.as_str() == post))
        .ok_or_else(Problem::not_found)
}

/// Who works here: officers, auditors, administrators.
pub(super) async fn accounts_page(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let query = query(&uri);
    let after = query.get("after").map_or("", String::as_str);
    let db = ctx.read();
    let mut found = accounts::list(&db, staff::KINDS, after, PAGE + 1).await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = if more { found.last().map(|account| super::encode(&account.login)) } else { None };
    let mut rows = Vec::new();
    for account in &found {
        rows.push(row(&ctx, &db, account).await?);
    }
    ctx.page("identity/accounts.html", json!({ "rows": rows, "next": next }))
}

async fn row(ctx: &Ctx, db: &impl Reads, account: &Account) -> Result<Json, Problem> {
    let posts = orgs::holdings(db, account.subject, ctx.now()).await?;
    let mut codes: Vec<String> = posts.iter().map(|held| held.post.to_string()).collect();
    codes.dedup();
    Ok(json!({
        "id": account.id, "login": account.login, "kind": account.kind.as_str(), "locked": account.locked,
        "name": people::display_name(db, account.subject).await?, "posts": codes,
        "second": account.has_totp, "own": ctx.actor().account() == Some(account.id),
    }))
}

/// The form for a new account.
pub(super) async fn new_account_form(ctx: Ctx) -> Result<Response, Problem> {
    ctx.page("identity/account_new.html", account_form(&ctx, &Posted::default())?)
}

fn account_form(ctx: &Ctx, form: &Posted) -> Result<Json, Problem> {
    let mut kinds = Vec::new();
    for kind in staff::KINDS {
        let text = ctx.text(&format!("{}{}", key("identity-actor-"), kind.as_str()), &[])?;
        kinds.push(json!({ "value": kind.as_str(), "text": text }));
    }
    let values = json!({
        "login": form.get("login"), "name": form.get("name"), "citizen_id": form.get("citizen_id"),
        "kind": if form.has("kind") { form.get("kind") } else { "officer" },
    });
    Ok(json!({ "kinds": kinds, "values": values }))
}

/// Makes an account and shows its first password, once.
pub(super) async fn create_account(ctx: Ctx, form: Posted) -> Result<Response, Problem> {
    let mut errors = missing(
        &form,
        &[
            ("login", key("identity-error-login-missing")),
            ("name", key("identity-error-name-missing")),
            ("citizen_id", key("identity-error-citizen-id-missing")),
        ],
    );
    let kind = AccountKind::parse(form.get("kind")).filter(|kind| staff::KINDS.contains(kind));
    if kind.is_none() {
        errors.push(FieldError::new("kind", key("identity-error-kind")));
    }
    let (Some(kind), true) = (kind, errors.is_empty()) else {
        return ctx.form_again("identity/account_new.html", account_form(&ctx, &form)?, &errors);
    };
    let new = NewStaff {
        login: form.get("login").to_owned(),
        name: form.get("name").to_owned(),
        citizen_id: form.get("citizen_id").to_owned(),
        kind,
    };
    match staff::create(&ctx.app, ctx.actor(), &new).await {
        Ok((_, password)) => show_password(&ctx, &new.login, &password),
        Err(error) => {
            let error = match error {
                StaffError::Login => FieldError::new("login", key("identity-error-login-odd")),
                StaffError::LoginTaken => FieldError::new("login", key("identity-error-login-taken")),
                StaffError::CitizenId(_) => FieldError::new("citizen_id", key("identity-error-citizen-id")),
                StaffError::OtherName => FieldError::new("name", key("identity-error-other-name")),
                StaffError::SignIn(error) => return Err(error.into()),
                StaffError::Store(error) => return Err(error.into()),
            };
            ctx.form_again("identity/account_new.html", account_form(&ctx, &form)?, &[error])
        }
    }
}

fn show_password(ctx: &Ctx, login: &str, password: &str) -> Result<Response, Problem> {
    ctx.page("identity/account_password.html", json!({ "login": login, "password": password }))
}

/// Locks, unlocks, or gives a new first password.
pub(super) async fn change_account(
    ctx: Ctx,
    Path((id, act)): Path<(String, String)>,
    _form: Posted,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let account = accounts::get(&ctx.read(), id).await?;
    let account = account.filter(|one| staff::KINDS.contains(&one.kind)).ok_or_else(Problem::not_found)?;
    if ctx.actor().account() == Some(account.id) {
        // Nobody locks themselves out; their own password they change on their own page.
        return Err(Problem::conflict("identity.own_account"));
    }
    match act.as_str() {
        "lock" => {
            staff::lock(&ctx.app, ctx.actor(), &account).await?;
            Ok(ctx.redirect("/admin/accounts", Some(key("flash-identity-locked"))))
        }
        "unlock" => {
            staff::unlock(&ctx.app, ctx.actor(), &account).await?;
            Ok(ctx.redirect("/admin/accounts", Some(key("flash-identity-unlocked"))))
        }
        "reset" => {
            let password = staff::reset(&ctx.app, ctx.actor(), &account).await?;
            show_password(&ctx, &account.login, &password)
        }
        _ => Err(Problem::not_found()),
    }
}

fn act(ctx: &Ctx, action: &'static str, about: SubjectId) -> AuditEntry {
    AuditEntry::new(ctx.actor(), action, Purpose::Operation).about(about)
}
