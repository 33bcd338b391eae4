//! 访问密钥: one's own keys for the PostgreSQL door.

use axum::extract::Path;
use axum::response::Response;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use crate::keys::{self, CreateKeyError, NewKey, Owner};

/// How long a key may count, in days.
const DAYS: [i64; 3] = [7, 30, 90];

/// One's keys, and the form for another.
pub(crate) async fn list(ctx: Ctx) -> Result<Response, Problem> {
    let context = context(&ctx, json!({ "days": "30" }), None).await?;
    ctx.page("sharing/keys.html", context)
}

/// Makes a key and shows its secret, once.
pub(crate) async fn create(ctx: Ctx, posted: Posted) -> Result<Response, Problem> {
    let (account, _) = ctx.officer()?;
    let values = json!({ "name": posted.get("name"), "days": posted.get("days") });
    let days = posted.get("days").parse::<i64>().ok().filter(|days| DAYS.contains(days));
    let Some(days) = days else {
        let context = context(&ctx, values, None).await?;
        return ctx.form_again("sharing/keys.html", context, &[FieldError::new("days", key("sharing-field-days"))]);
    };
    let new = NewKey {
        owner: Owner::Account(account),
        name: posted.get("name").to_owned(),
        expires_at: ctx.now().plus(SignedDuration::from_hours(24 * days)),
    };
    let tx = ctx.begin().await?;
    match keys::create(&tx, ctx.actor(), &new).await {
        Ok((id, secret)) => {
            tx.commit().await?;
            let made = json!({ "id": id.to_string(), "secret": secret, "name": new.name });
            let context = context(&ctx, json!({ "days": "30" }), Some(made)).await?;
            ctx.page("sharing/keys.html", context)
        }
        Err(CreateKeyError::Store(error)) => Err(error.into()),
        Err(CreateKeyError::Name | CreateKeyError::Term) => {
            let context = context(&ctx, values, None).await?;
            let errors = [FieldError::new("name", key("sharing-field-key-name"))];
            ctx.form_again("sharing/keys.html", context, &errors)
        }
    }
}

/// Ends a key.
pub(crate) async fn revoke(ctx: Ctx, Path(id): Path<String>, _posted: Posted) -> Result<Response, Problem> {
    let (account, _) = ctx.officer()?;
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let tx = ctx.begin().await?;
    if !keys::revoke(&tx, ctx.actor(), &Owner::Account(account), id).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(ctx.redirect("/work/data/keys", Some(key("flash-sharing-key-revoked"))))
}

async fn context(ctx: &Ctx, values: Json, made: Option<Json>) -> Result<Json, Problem> {
    let (account, _) = ctx.officer()?;
    let now = ctx.now();
    let mut rows = Vec::new();
    for one in keys::list(&ctx.read(), &Owner::Account(account)).await? {
        rows.push(json!({
            "id": one.id.to_string(),
            "name": one.name,
            "created_at": one.created_at,
            "expires_at": one.expires_at,
            "last_used_at": one.last_used_at,
            "counts": one.counts_at(now),
        }));
    }
    let mut days = Vec::new();
    for number in DAYS {
        let text = ctx.text(key("sharing-key-days"), &[("days", number.into())])?;
        days.push(json!({ "value": number.to_string(), "text": text }));
    }
    Ok(json!({ "keys": rows, "days": days, "values": values, "made": made, "host": ctx.app.node.base_url }))
}
