//! How somebody signs in, and where they are signed in: password, second factor, passkeys, sessions.

use axum::extract::Path;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value as Json, json};
use store::AuditEntry;
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::{missing, own_account, sign_in as steps};
use crate::accounts::{self, Account, MIN_PASSWORD};
use crate::challenges::{self, ChallengeKind};
use crate::sessions;
use crate::sign_in::{self, SignInError, own_act, passkeys};
use crate::totp::TotpSecret;

/// Everything at a glance.
pub(super) async fn page(ctx: Ctx, headers: HeaderMap) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    ctx.page("identity/security.html", overview(&ctx, &headers, &account).await?)
}

async fn overview(ctx: &Ctx, headers: &HeaderMap, account: &Account) -> Result<Json, Problem> {
    let db = ctx.read();
    let token = sessions::token_of(headers);
    let open = sessions::list(&db, account.subject, account.id, token.as_deref()).await?;
    let sessions: Vec<Json> = open
        .iter()
        .map(|one| {
            json!({
                "id": one.id, "device": one.device, "method": one.method.replace('_', "-"),
                "since": one.created_at, "seen": one.seen_at, "current": one.current,
            })
        })
        .collect();
    let keys: Vec<Json> = passkeys::list(&db, account)
        .await?
        .iter()
        .map(|one| {
            json!({
                "id": one.id, "label": one.label, "since": one.created_at, "used": one.used_at,
            })
        })
        .collect();
    Ok(json!({
        "login": account.login,
        "has_password": account.has_password,
        "has_totp": account.has_totp,
        "totp_may_go": may_go_without(account, keys.len()),
        "passkeys": keys,
        "passkeys_possible": passkeys::are_possible(&ctx.app),
        "sessions": sessions,
    }))
}

/// Whether the second factor by time may be removed: a citizen's always, of others only beside a passkey.
fn may_go_without(account: &Account, passkeys: usize) -> bool {
    !account.kind.needs_second_factor() || passkeys > 0
}

/// The form for a new password.
pub(super) async fn password_form(ctx: Ctx) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    ctx.page("identity/password.html", json!({ "has_password": account.has_password, "least": MIN_PASSWORD }))
}

/// Changes the password. Every other session ends: whoever knew the old one is out.
pub(super) async fn change_password(ctx: Ctx, headers: HeaderMap, form: Posted) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let raw = |wanted: &str| {
        form.fields().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value).to_owned()
    };
    let (old, new) = (raw("old"), raw("new"));
    let mut errors = new_password_faults(&new, &raw("again"), &account.login);
    if account.has_password && !sign_in::knows_password(&ctx.app, account.id, &old).await? {
        errors.insert(0, FieldError::new("old", key("identity-error-old-password")));
    }
    if !errors.is_empty() {
        let context = json!({ "has_password": account.has_password, "least": MIN_PASSWORD });
        return ctx.form_again("identity/password.html", context, &errors);
    }
    let hash = sign_in::hash(&ctx.app, new).await?;
    let token = sessions::token_of(&headers);
    let tx = ctx.begin().await?;
    accounts::set_password(&tx, &account, &hash).await?;
    sessions::end_others(&tx, account.subject, account.id, token.as_deref()).await?;
    tx.audit(own_act(&account, "identity.change_password"));
    tx.commit().await?;
    Ok(ctx.redirect("/account/security", Some(key("flash-identity-password-changed"))))
}

/// What is wrong with a new password. Length counts, not a mixture of signs (NIST SP 800-63B, 5.1.1.2).
fn new_password_faults(new: &str, again: &str, login: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let least = u32::try_from(MIN_PASSWORD).unwrap_or(u32::MAX);
    if new.chars().count() < MIN_PASSWORD {
        errors.push(FieldError::new("new", key("identity-error-password-short")).with("least", least));
    } else if new.len() > crypto::password::MAX_LEN {
        errors.push(FieldError::new("new", key("identity-error-password-long")));
    } else if new.to_lowercase().contains(login) || is_monotonous(new) {
        errors.push(FieldError::new("new", key("identity-error-password-weak")));
    }
    if new != again {
        errors.push(FieldError::new("again", key("identity-error-password-differs")));
    }
    errors
}

/// One or two signs over and over, or signs in a row as on a keyboard or in the alphabet.
fn is_monotonous(password: &str) -> bool {
    let letters: Vec<u32> = password.chars().map(u32::from).collect();
    let different: std::collections::BTreeSet<u32> = letters.iter().copied().collect();
    let in_a_row =
        letters.windows(2).filter(|pair| matches!(pair, [left, right] if left.abs_diff(*right) <= 1)).count();
    different.len() < 4 || in_a_row * 4 >= letters.len() * 3
}

/// A new secret to scan, and the form for its first code.
pub(super) async fn totp_form(ctx: Ctx) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let secret = TotpSecret::generate(&*ctx.app.store.env().entropy);
    let tx = ctx.begin().await?;
    let state = (account.id, secret.as_bytes().to_vec());
    let token = challenges::keep(&tx, ChallengeKind::Totp, &state).await?;
    tx.commit().await?;
    let mut response = ctx.page("identity/totp.html", totp_context(&ctx, &account, &secret))?;
    ctx.set_cookie(response.headers_mut(), challenges::COOKIE, &token, Some(challenges::LIFE_SECONDS));
    Ok(response)
}

fn totp_context(ctx: &Ctx, account: &Account, secret: &TotpSecret) -> Json {
    json!({
        "secret": secret.for_typing(),
        "address": secret.address(&ctx.app.node.name_zh, &account.login),
        "replaces": account.has_totp,
    })
}

/// Takes the new secret into use once its first code is right.
pub(super) async fn set_totp(ctx: Ctx, headers: HeaderMap, form: Posted) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let token = web::cookie(&headers, challenges::COOKIE).unwrap_or_default();
    let state: Option<(kernel::ids::AccountId, Vec<u8>)> =
        challenges::peek(&ctx.read(), ChallengeKind::Totp, &token).await?;
    let secret =
        state.filter(|(of, _)| *of == account.id).and_then(|(_, bytes)| TotpSecret::from_bytes(bytes));
    let Some(secret) = secret else {
        return Ok(ctx.redirect("/account/security/totp", Some(key("flash-identity-ran-out"))));
    };
    let step = match secret.check(form.get("code"), ctx.now(), -1) {
        Ok(step) => step,
        Err(_) => {
            let error = steps::field_error("code", SignInError::WrongCode)?;
            return ctx.form_again("identity/totp.html", totp_context(&ctx, &account, &secret), &[error]);
        }
    };
    let tx = ctx.begin().await?;
    let state: Option<Json> = challenges::take(&tx, ChallengeKind::Totp, &token).await?;
    if state.is_none() {
        return Err(SignInError::RanOut.into());
    }
    accounts::set_totp(&tx, &account, Some(&secret), step).await?;
    tx.audit(own_act(&account, "identity.set_totp"));
    tx.commit().await?;
    let mut response = ctx.redirect("/account/security", Some(key("flash-identity-totp-set")));
    ctx.set_cookie(response.headers_mut(), challenges::COOKIE, "", Some(0));
    Ok(response)
}

/// Removes the second factor by time; the password is asked again.
pub(super) async fn remove_totp(ctx: Ctx, headers: HeaderMap, form: Posted) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    if !may_go_without(&account, passkeys::list(&ctx.read(), &account).await?.len()) {
        return Err(Problem::conflict("identity.totp_needed"));
    }
    let mut errors = missing(&form, &[("password", key("identity-error-password-missing"))]);
    if errors.is_empty() && !sign_in::knows_password(&ctx.app, account.id, form.get("password")).await? {
        errors.push(FieldError::new("password", key("identity-error-old-password")));
    }
    if !errors.is_empty() {
        return ctx.form_again("identity/security.html", overview(&ctx, &headers, &account).await?, &errors);
    }
    let tx = ctx.begin().await?;
    accounts::set_totp(&tx, &account, None, -1).await?;
    tx.audit(own_act(&account, "identity.remove_totp"));
    tx.commit().await?;
    Ok(ctx.redirect("/account/security", Some(key("flash-identity-totp-removed"))))
}

/// Ends one session.
pub(super) async fn end_session(
    ctx: Ctx,
    Path(id): Path<String>,
    _form: Posted,
) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    if !sessions::end_one(&tx, account.subject, account.id, id).await? {
        return Err(Problem::not_found());
    }
    tx.audit(ended(&account));
    tx.commit().await?;
    Ok(ctx.redirect("/account/security", Some(key("flash-identity-session-ended"))))
}

/// Ends every session but this one.
pub(super) async fn end_other_sessions(
    ctx: Ctx,
    headers: HeaderMap,
    _form: Posted,
) -> Result<Response, Problem> {
    let account = own_account(&ctx).await?;
    let token = sessions::token_of(&headers);
    let tx = ctx.begin().await?;
    sessions::end_others(&tx, account.subject, account.id, token.as_deref()).await?;
    tx.audit(ended(&account));
    tx.commit().await?;
    Ok(ctx.redirect("/account/security", Some(key("flash-identity-session-ended"))))
}

fn ended(account: &Account) -> AuditEntry {
    own_act(account, "identity.end_session")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(new: &str) -> Vec<String> {
        new_password_faults(new, new, "zhang").into_iter().map(|error| error.key).collect()
    }

    #[test]
    fn a_long_password_is_taken_whatever_its_signs() {
        for good in
            ["洱海月照金银花树下读书", "correct horse battery", "dali-demo-2026", "四月的风吹过苍山洱海边"]
        {
            assert!(faults(good).is_empty(), "{good}");
        }
    }

    #[test]
    fn a_short_an_easy_or_a_mistyped_password_is_refused() {
        assert_eq!(faults("short"), ["identity-error-password-short"]);
        for easy in ["aaaaaaaaaaaa", "1212121212", "1234567890", "abcdefghijkl", "my-zhang-password"] {
            assert_eq!(faults(easy), ["identity-error-password-weak"], "{easy}");
        }
        let differs = new_password_faults("correct horse", "correct house", "zhang");
        assert_eq!(differs.first().map(|error| error.field.as_str()), Some("again"));
    }
}
