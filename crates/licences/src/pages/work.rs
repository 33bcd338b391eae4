//! The officer's desk: find a licence of one's own organisation, suspend, restore or revoke it with reasons.

use axum::extract::{Path, Query};
use axum::response::Response;
use kernel::ids::LicenceId;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use store::{AuditEntry, Purpose};
use web::forms::Posted;
use web::i18n::key;
use web::{Ctx, Problem};

use super::{Own, rows, said, state_text, timeline, tone};
use crate::actions;
use crate::model::licence::{Licence, Standing};
use crate::model::state::{Grounds, LicenceEvent};
use crate::problem;
use crate::store as ledger;

/// How many licences a search lists.
const FOUND: u32 = 50;

/// What is searched for.
#[derive(Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
}

/// The search and its result.
pub(crate) async fn search(ctx: Ctx, Query(query): Query<Search>) -> Result<Response, Problem> {
    let found = find(&ctx, &query.q).await?;
    let mut list = Vec::new();
    for licence in &found {
        let standing = licence.standing(ctx.now().china_date());
        list.push(json!({ "cells": [
            { "text": said(&ctx, &licence.record.kind.name), "href": format!("/work/licences/{}", licence.id) },
            { "text": licence.record.title() },
            { "text": licence.record.number() },
            { "text": state_text(&ctx, standing)?, "pill": { "text": state_text(&ctx, standing)?, "tone": tone(standing) } },
        ]}));
    }
    ctx.page("licences/work_search.html", json!({ "q": query.q.trim(), "found": list }))
}

/// Licences with this number, identifier or name that the officer's posts keep. Each is noted for its holder.
pub(crate) async fn find(ctx: &Ctx, term: &str) -> Result<Vec<Licence>, Problem> {
    let term: String = term.trim().chars().take(120).collect();
    if term.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = ledger::find_by_term(&ctx.read(), &term, FOUND).await?;
    found.retain(|licence| keeps(ctx, licence));
    if !found.is_empty() {
        let tx = ctx.begin().await?;
        for licence in &found {
            tx.audit(view(ctx, licence, "licences.find"));
        }
        tx.commit().await?;
    }
    Ok(found)
}

/// One licence and its history.
pub(crate) async fn show(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = kept(&ctx, &id).await?;
    let tx = ctx.begin().await?;
    tx.audit(view(&ctx, &licence, "licences.view"));
    tx.commit().await?;
    let standing = licence.standing(ctx.now().china_date());
    let history = ledger::history(&ctx.read(), licence.holder, licence.id).await?;
    let context = json!({
        "name": licence.record.kind.name,
        "title": licence.record.title(),
        "identifier": licence.identifier().to_string(),
        "issuer": licence.record.issuer.name,
        "version": licence.state.version,
        "valid_from": licence.record.valid_from,
        "valid_to": licence.record.valid_to,
        "case_no": licence.case.as_ref().map(|(_, number)| number),
        "standing": { "text": state_text(&ctx, standing)?, "tone": tone(standing) },
        "rows": rows(&ctx, &licence, Own::Hidden)?,
        "history": timeline(&ctx, &history)?,
        "actions": actions_of(&licence),
    });
    ctx.page("licences/work_licence.html", context)
}

/// What may be done next, as the path and the key of each button.
fn actions_of(licence: &Licence) -> Vec<Json> {
    [Change::Suspend, Change::Restore, Change::Revoke]
        .into_iter()
        .filter(|change| licence.state.after(&change.event(Grounds::blank())).is_ok())
        .map(|change| json!({ "word": change.word(), "href": format!("/work/licences/{}/{}", licence.id, change.word()) }))
        .collect()
}

/// Why?
pub(crate) async fn form(ctx: Ctx, Path((id, action)): Path<(String, String)>) -> Result<Response, Problem> {
    let change = Change::parse(&action)?;
    let licence = kept(&ctx, &id).await?;
    ctx.page("licences/work_change.html", form_context(&ctx, &licence, change, &Grounds::blank()))
}

/// Does it.
pub(crate) async fn act(
    ctx: Ctx,
    Path((id, action)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let change = Change::parse(&action)?;
    let licence = kept(&ctx, &id).await?;
    let grounds = Grounds {
        reason: posted.get("reason").to_owned(),
        legal_basis: posted.get("legal_basis").to_owned(),
    };
    let again = form_context(&ctx, &licence, change, &grounds);
    match change_licence(&ctx, licence, change, grounds).await {
        Ok(licence) => {
            let flash = match change {
                Change::Suspend => key("flash-licences-suspended"),
                Change::Restore => key("flash-licences-restored"),
                Change::Revoke => key("flash-licences-revoked"),
            };
            Ok(ctx.redirect(&format!("/work/licences/{}", licence.id), Some(flash)))
        }
        Err(error) => {
            let errors = problem::fields(&error);
            if errors.is_empty() {
                Err(error.into())
            } else {
                ctx.form_again("licences/work_change.html", again, &errors)
            }
        }
    }
}

/// What an officer may do to a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Not for the time being.
    Suspend,
    /// Again.
    Restore,
    /// Never again.
    Revoke,
}

impl Change {
    pub(crate) fn parse(word: &str) -> Result<Self, Problem> {
        [Self::Suspend, Self::Restore, Self::Revoke]
            .into_iter()
            .find(|change| change.word() == word)
            .ok_or_else(Problem::not_found)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Restore => "restore",
            Self::Revoke => "revoke",
        }
    }

    fn event(self, grounds: Grounds) -> LicenceEvent {
        match self {
            Self::Suspend => LicenceEvent::Suspended { grounds },
            Self::Restore => LicenceEvent::Restored { grounds },
            Self::Revoke => LicenceEvent::Revoked { grounds },
        }
    }
}

/// Changes a licence and publishes nothing by itself: the status list notices.
pub(crate) async fn change_licence(
    ctx: &Ctx,
    licence: Licence,
    change: Change,
    grounds: Grounds,
) -> Result<Licence, actions::LicenceError> {
    let tx = ctx.app.store.begin().await?;
    let licence = match change {
        Change::Suspend => actions::suspend(&tx, ctx.actor(), licence, grounds).await?,
        Change::Restore => actions::restore(&tx, ctx.actor(), licence, grounds).await?,
        Change::Revoke => actions::revoke(&tx, ctx.actor(), licence, grounds).await?,
    };
    tx.commit().await?;
    Ok(licence)
}

/// The licence, if one of the officer's posts keeps licences of its type for the organisation that issued it.
pub(crate) async fn kept(ctx: &Ctx, id: &str) -> Result<Licence, Problem> {
    let id: LicenceId = id.parse().map_err(|_| Problem::not_found())?;
    let licence = ledger::find_by_id(&ctx.read(), id).await?.ok_or_else(Problem::not_found)?;
    if keeps(ctx, &licence) { Ok(licence) } else { Err(Problem::forbidden("licence.not_your_post")) }
}

fn keeps(ctx: &Ctx, licence: &Licence) -> bool {
    let kind = ctx.app.pack.licence_type(&licence.type_id);
    kind.is_some_and(|kind| kind.kept_by.iter().any(|role| ctx.actor().has_role(&licence.org, role)))
}

fn view(ctx: &Ctx, licence: &Licence, action: &'static str) -> AuditEntry {
    let entry = AuditEntry::new(ctx.actor(), action, Purpose::Supervision)
        .about(licence.holder)
        .object(format!("licences.licence:{}", licence.type_id));
    match &licence.case {
        Some((case, number)) => entry.in_case(*case, number),
        None => entry,
    }
}

fn form_context(ctx: &Ctx, licence: &Licence, change: Change, grounds: &Grounds) -> Json {
    let in_force = licence.standing(ctx.now().china_date()) == Standing::Valid;
    json!({
        "word": change.word(),
        "name": licence.record.kind.name,
        "title": licence.record.title(),
        "number": licence.record.number(),
        "in_force": in_force,
        "action": format!("/work/licences/{}/{}", licence.id, change.word()),
        "back": format!("/work/licences/{}", licence.id),
        "values": { "reason": grounds.reason, "legal_basis": grounds.legal_basis },
    })
}
