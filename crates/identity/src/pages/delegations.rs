//! For whom somebody may act, who may act for them, and giving and ending such rights.

use axum::extract::Path;
use axum::response::Response;
use http::HeaderMap;
use kernel::actor::Actor;
use kernel::ids::SubjectId;
use kernel::time::{Date, Timestamp};
use serde_json::{Value as Json, json};
use store::{AuditEntry, Purpose, Reads, Tx};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::missing;
use crate::delegations::{self, Delegation, DelegationId, DelegationKind, Mandate};
use crate::{sessions, subjects};

/// Both sides, and the switch.
pub(super) async fn page(ctx: Ctx) -> Result<Response, Problem> {
    let (_, acting_for) = ctx.citizen()?;
    let own = ctx.actor().subject().ok_or_else(Problem::not_signed_in)?;
    let db = ctx.read();
    let mut held = Vec::new();
    for right in delegations::of_delegate(&db, own, ctx.now()).await? {
        let mut shown = shown(&ctx, &db, &right, right.subject).await?;
        if let Json::Object(object) = &mut shown {
            object.insert("current".to_owned(), (right.subject == acting_for).into());
        }
        held.push(shown);
    }
    let mut given = Vec::new();
    for right in delegations::of_subject(&db, acting_for, ctx.now()).await? {
        if right.delegate != own {
            given.push(shown(&ctx, &db, &right, right.delegate).await?);
        }
    }
    let name = subjects::display(&db, acting_for).await?.map(|shown| shown.name);
    ctx.page(
        "identity/delegations.html",
        json!({
            "held": held, "given": given, "own": acting_for == own, "acting_name": name,
            "may_give": may_give(&db, ctx.actor(), ctx.now()).await?,
        }),
    )
}

async fn shown(ctx: &Ctx, db: &impl Reads, right: &Delegation, other: SubjectId) -> Result<Json, Problem> {
    let display = subjects::display(db, other).await?;
    let own_side = ctx.actor().subject() == Some(right.delegate);
    // Whoever acts sees the name in full; of whom acts for one, the name is known as well.
    let (name, code) = display.map(|shown| (shown.name, shown.masked_code)).unwrap_or_default();
    let scope: Vec<Json> = right
        .scope
        .iter()
        .map(|item| ctx.app.pack.item(item).map_or_else(|| json!(item), |item| json!(item.name)))
        .collect();
    Ok(json!({
        "id": right.id, "subject": right.subject, "name": name, "code": code,
        "kind": right.kind.as_str(), "scope": scope, "since": right.valid_from,
        "until": (!right.is_open_ended()).then_some(right.valid_to),
        "may_end": right.kind.is_given(), "mine": own_side,
    }))
}

/// Persons give their own rights, owners their firm's.
async fn may_give(db: &impl Reads, actor: &Actor, now: Timestamp) -> Result<bool, Problem> {
    let Actor::Citizen { subject, on_behalf_of, .. } = actor else { return Ok(false) };
    match on_behalf_of {
        None => Ok(true),
        Some(firm) => Ok(delegations::between(db, *subject, *firm, now)
            .await?
            .iter()
            .any(|right| right.kind == DelegationKind::Owner)),
    }
}

/// The form for a new right.
pub(super) async fn new_form(ctx: Ctx) -> Result<Response, Problem> {
    if !may_give(&ctx.read(), ctx.actor(), ctx.now()).await? {
        return Err(Problem::forbidden("identity.not_yours_to_give"));
    }
    ctx.page("identity/delegation_new.html", form_context(&ctx, &Posted::default()))
}

fn form_context(ctx: &Ctx, form: &Posted) -> Json {
    let items: Vec<Json> = ctx
        .app
        .pack
        .items()
        .map(|item| {
            let text = if ctx.lang() == web::i18n::Lang::EN { &item.name.en } else { &item.name.zh };
            json!({ "value": item.id, "text": text })
        })
        .collect();
    let mut values = serde_json::Map::new();
    for field in ["name", "citizen_id", "last_day-year", "last_day-month", "last_day-day"] {
        values.insert(field.to_owned(), form.get(field).into());
    }
    values.insert("scope".to_owned(), json!(form.all("scope")));
    let firm = ctx.actor().subject() != ctx.actor().acting_for();
    json!({ "items": items, "values": values, "for_firm": firm })
}

/// Gives the right.
pub(super) async fn give(ctx: Ctx, form: Posted) -> Result<Response, Problem> {
    let mut errors = missing(
        &form,
        &[
            ("name", key("identity-error-name-missing")),
            ("citizen_id", key("identity-error-citizen-id-missing")),
        ],
    );
    let last_day = date(&form);
    if last_day.is_none() {
        errors.push(FieldError::new("last_day", key("identity-error-date")));
    }
    let Some(last_day) = last_day.filter(|_| errors.is_empty()) else {
        return ctx.form_again("identity/delegation_new.html", form_context(&ctx, &form), &errors);
    };
    let mandate = Mandate {
        name: form.get("name").to_owned(),
        citizen_id: form.get("citizen_id").to_owned(),
        scope: form.all("scope").into_iter().map(str::to_owned).collect(),
        last_day,
    };
    let tx = ctx.begin().await?;
    match delegations::give(&tx, &ctx.app.pack, ctx.actor(), &mandate).await {
        Ok(right) => {
            note(&tx, ctx.actor(), "identity.give_right", &right);
            tx.commit().await?;
            Ok(ctx.redirect("/my/delegations", Some(key("flash-identity-right-given"))))
        }
        Err(error) => {
            drop(tx);
            let problem = Problem::from(error);
            if problem.fields.is_empty() {
                return Err(problem);
            }
            ctx.form_again("identity/delegation_new.html", form_context(&ctx, &form), &problem.fields)
        }
    }
}

fn date(form: &Posted) -> Option<Date> {
    Date::new(
        form.get("last_day-year").parse().ok()?,
        form.get("last_day-month").parse().ok()?,
        form.get("last_day-day").parse().ok()?,
    )
    .ok()
}

/// Ends a given right, from either side.
pub(super) async fn end(
    ctx: Ctx,
    Path((subject, id)): Path<(String, String)>,
    _form: Posted,
) -> Result<Response, Problem> {
    let subject: SubjectId = subject.parse().map_err(|_| Problem::not_found())?;
    let id: DelegationId = id.parse().map_err(|_| Problem::not_found())?;
    end_right(&ctx, subject, id).await?;
    Ok(ctx.redirect("/my/delegations", Some(key("flash-identity-right-ended"))))
}

/// Ends a given right if the actor is one of its sides.
pub(crate) async fn end_right(ctx: &Ctx, subject: SubjectId, id: DelegationId) -> Result<(), Problem> {
    let tx = ctx.begin().await?;
    let standing = delegations::of_subject(&tx, subject, ctx.now()).await?;
    let right = standing.into_iter().find(|right| right.id == id).ok_or_else(Problem::not_found)?;
    let holds = ctx.actor().subject() == Some(right.delegate);
    let gave = ctx.actor().acting_for() == Some(subject) && may_give(&tx, ctx.actor(), ctx.now()).await?;
    if !holds && !gave {
        // Nobody learns of rights that are not theirs.
        return Err(Problem::not_found());
    }
    if !delegations::revoke(&tx, subject, id).await? {
        return Err(Problem::conflict("identity.right_from_register"));
    }
    note(&tx, ctx.actor(), "identity.end_right", &right);
    tx.commit().await?;
    Ok(())
}

/// Both sides see it in their footprint.
pub(crate) fn note(tx: &Tx, actor: &Actor, action: &'static str, right: &Delegation) {
    for side in [right.subject, right.delegate] {
        tx.audit(AuditEntry::new(actor, action, Purpose::OwnUse).about(side).object("identity.delegation"));
    }
}

/// Chooses for whom the session acts.
pub(super) async fn act_for(ctx: Ctx, headers: HeaderMap, form: Posted) -> Result<Response, Problem> {
    let whom = match form.get("subject") {
        "" => None,
        text => Some(text.parse().map_err(|_| Problem::not_found())?),
    };
    switch(&ctx, &headers, whom).await?;
    let flash = match whom {
        Some(_) => key("flash-identity-acting-for"),
        None => key("flash-identity-acting-own"),
    };
    Ok(ctx.redirect("/my", Some(flash)))
}

/// Switches the session, if the right stands.
pub(crate) async fn switch(ctx: &Ctx, headers: &HeaderMap, whom: Option<SubjectId>) -> Result<(), Problem> {
    let own = ctx.actor().subject().ok_or_else(Problem::not_signed_in)?;
    let token = sessions::token_of(headers).ok_or_else(Problem::not_signed_in)?;
    let whom = whom.filter(|whom| *whom != own);
    let tx = ctx.begin().await?;
    if let Some(whom) = whom {
        if !delegations::may_act(&tx, own, whom, ctx.now()).await? {
            return Err(Problem::forbidden("identity.no_mandate"));
        }
        tx.audit(AuditEntry::new(ctx.actor(), "identity.act_for", Purpose::OwnUse).about(whom));
    }
    sessions::act_for(&tx, &token, whom).await?;
    tx.commit().await?;
    Ok(())
}
