//! The administrator's pages on access from outside: tokens of systems, the real-name provider.

use axum::extract::Path;
use axum::response::Response;
use jiff::SignedDuration;
use packs::model::Words;
use serde_json::{Value as Json, json};
use store::{AuditEntry, Purpose};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::missing;
use crate::sign_in::real_name::{self, Oidc, Settings};
use crate::tokens::{self, NewToken, SCOPES};

/// Terms to choose from, in days.
const TERMS: [u32; 3] = [30, 90, 365];
/// The most letters of a system's name.
const NAME: usize = 60;

/// Every token and the form for a new one.
pub(super) async fn tokens_page(ctx: Ctx) -> Result<Response, Problem> {
    let context = tokens_context(&ctx, &Posted::default(), None).await?;
    ctx.page("identity/tokens.html", context)
}

async fn tokens_context(ctx: &Ctx, form: &Posted, made: Option<&str>) -> Result<Json, Problem> {
    let now = ctx.now();
    let rows: Vec<Json> = tokens::list(&ctx.read())
        .await?
        .iter()
        .map(|token| {
            let state = match token.revoked_at {
                Some(_) => "revoked",
                None if now >= token.expires_at => "expired",
                None => "open",
            };
            json!({
                "id": token.id, "name": token.name, "scopes": token.scopes, "since": token.created_at,
                "until": token.expires_at, "state": state,
            })
        })
        .collect();
    let mut scopes = Vec::new();
    for scope in SCOPES {
        let text_key = format!("{}{}", key("identity-scope-"), scope.replace(':', "-"));
        scopes.push(json!({ "value": scope, "text": scope, "hint": ctx.text(&text_key, &[])? }));
    }
    let mut terms = Vec::new();
    for days in TERMS {
        let text = ctx.text(key("identity-token-days"), &[("days", days.into())])?;
        terms.push(json!({ "value": days.to_string(), "text": text }));
    }
    let term = if form.has("term") { form.get("term") } else { "90" };
    Ok(json!({
        "rows": rows, "scopes": scopes, "terms": terms, "made": made,
        "values": { "name": form.get("name"), "scope": form.all("scope"), "term": term },
    }))
}

/// Makes a token and shows it, this once.
pub(super) async fn create_token(ctx: Ctx, form: Posted) -> Result<Response, Problem> {
    let mut errors = missing(&form, &[("name", key("identity-error-system-missing"))]);
    if form.get("name").chars().count() > NAME || form.get("name").contains(',') {
        errors.push(FieldError::new("name", key("identity-error-system-name")));
    }
    let scopes = form.all("scope");
    if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(scope)) {
        errors.push(FieldError::new("scope", key("identity-error-scope")));
    }
    let term = form.get("term").parse().ok().filter(|days| TERMS.contains(days));
    if term.is_none() {
        errors.push(FieldError::new("term", key("identity-error-token-term")));
    }
    let (Some(days), true) = (term, errors.is_empty()) else {
        return ctx.form_again("identity/tokens.html", tokens_context(&ctx, &form, None).await?, &errors);
    };
    let by = ctx.actor().account().ok_or_else(Problem::not_signed_in)?;
    let new = NewToken {
        name: form.get("name").to_owned(),
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        expires_at: ctx.now().plus(SignedDuration::from_hours(24 * i64::from(days))),
    };
    let tx = ctx.begin().await?;
    let (id, text) = tokens::create(&tx, by, &new).await?;
    tx.audit(note(&ctx, "identity.create_token").object(format!("identity.token:{id}")));
    tx.commit().await?;
    let context = tokens_context(&ctx, &Posted::default(), Some(&text)).await?;
    ctx.page("identity/tokens.html", context)
}

/// Ends a token for good.
pub(super) async fn revoke_token(
    ctx: Ctx,
    Path(id): Path<String>,
    _form: Posted,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    if !tokens::revoke(&tx, id).await? {
        return Err(Problem::not_found());
    }
    tx.audit(note(&ctx, "identity.revoke_token").object(format!("identity.token:{id}")));
    tx.commit().await?;
    Ok(ctx.redirect("/admin/tokens", Some(key("flash-identity-token-revoked"))))
}

/// The provider of real-name identities, if one is named. Its secret is never shown again.
pub(super) async fn provider_form(ctx: Ctx) -> Result<Response, Problem> {
    let settings = real_name::settings(&ctx.read()).await?;
    ctx.page("identity/provider.html", provider_context(&ctx, settings.as_ref(), None))
}

fn provider_context(ctx: &Ctx, settings: Option<&Settings>, form: Option<&Posted>) -> Json {
    let field = |name: &str, kept: Option<&str>| {
        form.map_or_else(|| kept.unwrap_or_default().to_owned(), |form| form.get(name).to_owned())
    };
    json!({
        "connected": settings.is_some(),
        "back": format!("{}{}", ctx.app.node.base_url, real_name::RETURN_PATH),
        "values": {
            "issuer": field("issuer", settings.map(|kept| kept.issuer.as_str())),
            "client_id": field("client_id", settings.map(|kept| kept.client_id.as_str())),
            "authority": field("authority", settings.and_then(|kept| kept.authority.as_deref())),
            "name_zh": field("name_zh", settings.map(|kept| kept.name.zh.as_str())),
            "name_en": field("name_en", settings.map(|kept| kept.name.en.as_str())),
        },
    })
}

/// Keeps the settings after the provider answered to them.
pub(super) async fn set_provider(ctx: Ctx, form: Posted) -> Result<Response, Problem> {
    let kept = real_name::settings(&ctx.read()).await?;
    let mut errors = missing(
        &form,
        &[
            ("issuer", key("identity-error-issuer-missing")),
            ("client_id", key("identity-error-client-id-missing")),
            ("name_zh", key("identity-error-provider-name-missing")),
            ("name_en", key("identity-error-provider-name-missing")),
        ],
    );
    let secret = match (form.get("client_secret"), &kept) {
        ("", Some(kept)) => kept.client_secret.clone(),
        (secret, _) => secret.to_owned(),
    };
    if secret.is_empty() {
        errors.push(FieldError::new("client_secret", key("identity-error-client-secret-missing")));
    }
    if !is_trustworthy(form.get("issuer")) && !form.get("issuer").is_empty() {
        errors.push(FieldError::new("issuer", key("identity-error-issuer")));
    }
    let settings = Settings {
        issuer: form.get("issuer").to_owned(),
        client_id: form.get("client_id").to_owned(),
        client_secret: secret,
        authority: Some(form.get("authority").to_owned()).filter(|pem| !pem.is_empty()),
        name: Words { zh: form.get("name_zh").to_owned(), en: form.get("name_en").to_owned() },
    };
    if errors.is_empty() {
        let answered = match Oidc::new(settings.clone()) {
            Ok(provider) => provider.discover().await,
            Err(error) => Err(error),
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "the entered real-name provider did not answer");
            errors.push(FieldError::new("issuer", key("identity-error-issuer-silent")));
        }
    }
    if !errors.is_empty() {
        let context = provider_context(&ctx, kept.as_ref(), Some(&form));
        return ctx.form_again("identity/provider.html", context, &errors);
    }
    let tx = ctx.begin().await?;
    real_name::set(&tx, Some(&settings)).await?;
    tx.audit(note(&ctx, "identity.set_provider").object("identity.provider"));
    tx.commit().await?;
    Ok(ctx.redirect("/admin/real-name", Some(key("flash-identity-provider-set"))))
}

/// Encrypted, or on this very machine.
fn is_trustworthy(issuer: &str) -> bool {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let on_this_machine = local
        .iter()
        .filter_map(|start| issuer.strip_prefix(start))
        .any(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    issuer.starts_with("https://") || on_this_machine
}

/// Removes the provider: people sign in otherwise.
pub(super) async fn remove_provider(ctx: Ctx, _form: Posted) -> Result<Response, Problem> {
    let tx = ctx.begin().await?;
    real_name::set(&tx, None).await?;
    tx.audit(note(&ctx, "identity.remove_provider").object("identity.provider"));
    tx.commit().await?;
    Ok(ctx.redirect("/admin/real-name", Some(key("flash-identity-provider-removed"))))
}

fn note(ctx: &Ctx, action: &'static str) -> AuditEntry {
    AuditEntry::new(ctx.actor(), action, Purpose::Operation)
}

#[cfg(test)]
mod tests {
    use super::is_trustworthy;

    #[test]
    fn a_provider_is_encrypted_or_on_this_machine() {
        for good in ["https://id.example.gov.cn", "http://127.0.0.1:9000", "http://localhost/realm"] {
            assert!(is_trustworthy(good), "{good}");
        }
        for bad in ["http://id.example.gov.cn", "http://127.0.0.1.evil.example", "ftp://localhost", ""] {
            assert!(!is_trustworthy(bad), "{bad}");
        }
    }
}
