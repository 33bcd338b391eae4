//! Pages: the holder's wallet, verification for everybody, the officer's desk.

mod verify;
mod wallet;
mod work;

pub(crate) use wallet::own;
pub(crate) use work::{Change, change_licence, find, kept};

use packs::model::{LicenceType, Words};
use serde_json::{Value as Json, json};
use web::i18n::key;
use web::{Access, Ctx, Problem, Routes};

use crate::model::licence::{Licence, Standing};
use crate::model::record::FieldValue;
use crate::pdf::definition;

/// Every page.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/my/licences", Access::Citizen, wallet::list)
        .get("/my/licences/{id}", Access::Citizen, wallet::show)
        .get("/my/licences/{id}/pdf", Access::Citizen, wallet::pdf)
        .get("/my/licences/{id}/file", Access::Citizen, wallet::file)
        .get("/my/licences/{id}/present", Access::Citizen, wallet::present_form)
        .post("/my/licences/{id}/present", Access::Citizen, wallet::present)
        .get("/my/licences/{id}/copy", Access::Citizen, wallet::copy_form)
        .post("/my/licences/{id}/copy", Access::Citizen, wallet::copy)
        .get("/my/licences/{id}/copies/{copy_no}", Access::Citizen, wallet::copy_pdf)
        .get("/my/licences/{id}/uses", Access::Citizen, wallet::uses)
        .get("/verify", Access::Public, verify::form)
        .upload("/verify", Access::Public, verify::verify)
        .get("/verify/{code}", Access::Public, verify::code_page)
        .get("/work/licences", Access::Officer, work::search)
        .get("/work/licences/{id}", Access::Officer, work::show)
        .get("/work/licences/{id}/{action}", Access::Officer, work::form)
        .post("/work/licences/{id}/{action}", Access::Officer, work::act)
}

/// A card of the wallet.
pub(crate) fn card(licence: &Licence, standing: Standing, href: &str, issuer: &str, name: &str) -> Json {
    let record = &licence.record;
    json!({
        "name": name,
        "holder": record.title(),
        "number": record.number(),
        "issuer": issuer,
        "issued": record.valid_from,
        "expires": record.valid_to,
        "state": state_word(standing),
        "href": href,
    })
}

/// The word that texts and styles use for a standing.
pub(crate) fn state_word(standing: Standing) -> String {
    standing.as_str().replace('_', "-")
}

/// The tone of a standing's pill.
pub(crate) fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Valid => "good",
        Standing::NotYetValid => "info",
        Standing::Suspended => "warn",
        Standing::Expired => "plain",
        Standing::Revoked => "bad",
    }
}

/// The name of a standing.
pub(crate) fn state_text(ctx: &Ctx, standing: Standing) -> Result<String, Problem> {
    ctx.text(&format!("{}{}", key("web-licence-"), state_word(standing)), &[])
}

/// The words of the reader's language.
pub(crate) fn said<'a>(ctx: &Ctx, words: &'a Words) -> &'a str {
    if ctx.lang().short() == "zh" { &words.zh } else { &words.en }
}

/// Fields as rows of a summary, in the order of the type; the holder's own with a note.
pub(crate) fn rows(ctx: &Ctx, licence: &Licence, with_own: Own) -> Result<Vec<Json>, Problem> {
    let kind = definition(licence)?;
    let mut rows = Vec::new();
    for field in &kind.fields {
        let own = licence.own.get(&field.id).filter(|_| with_own == Own::Shown);
        let open = licence.record.fields.get(&field.id);
        let Some(value) = open.or(own.map(|own| &own.value)) else { continue };
        let hint = match open {
            None => Some(ctx.text(key("licences-own-hint"), &[])?),
            Some(_) => None,
        };
        rows.push(row(ctx, &kind, &field.id, value, hint));
    }
    Ok(rows)
}

/// Whether the fields for the holder alone are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// On the holder's own page.
    Shown,
    /// Everywhere else.
    Hidden,
}

/// One field as a row of a summary.
pub(crate) fn row(ctx: &Ctx, kind: &LicenceType, id: &str, value: &FieldValue, hint: Option<String>) -> Json {
    let field = kind.field(id);
    let label = field.map_or(id, |field| said(ctx, &field.label));
    match value {
        FieldValue::List(items) => json!({ "key": label, "values": items, "hint": hint }),
        other => {
            let shown = other.shown(field.map(|field| field.kind));
            json!({ "key": label, "value": said(ctx, &shown), "hint": hint })
        }
    }
}

/// The history as a timeline, newest first.
pub(crate) fn timeline(ctx: &Ctx, history: &[crate::model::state::Recorded]) -> Result<Vec<Json>, Problem> {
    use crate::model::state::LicenceEvent;
    let mut items = Vec::new();
    for recorded in history.iter().rev() {
        let event = &recorded.event;
        let tone = match event {
            LicenceEvent::Issued { .. } | LicenceEvent::Restored { .. } => Some("good"),
            LicenceEvent::Suspended { .. } => Some("warn"),
            LicenceEvent::Revoked { .. } => Some("bad"),
            LicenceEvent::Amended { .. } | LicenceEvent::Expired { .. } => None,
        };
        let text = match event.grounds() {
            Some(grounds) => Some(ctx.text(
                key("licences-grounds"),
                &[("reason", grounds.reason.as_str().into()), ("basis", grounds.legal_basis.as_str().into())],
            )?),
            None => None,
        };
        items.push(json!({
            "title": ctx.text(&format!("{}{}", key("licences-event-"), event.kind()), &[])?,
            "by": who(ctx, &recorded.by)?,
            "at": recorded.at,
            "text": text,
            "tone": tone,
        }));
    }
    Ok(items)
}

/// Who acted, in words: the names of posts, or the kind of account.
pub(crate) fn who(ctx: &Ctx, by: &str) -> Result<String, Problem> {
    let posts: Vec<String> = by
        .split(',')
        .filter_map(|code| ctx.app.pack.post(code))
        .map(|(org, post)| format!("{} {}", said(ctx, &org.name), said(ctx, &post.name)))
        .collect();
    if !posts.is_empty() {
        return Ok(posts.join("、"));
    }
    let kinds = ["anonymous", "citizen", "officer", "auditor", "administrator", "system", "node"];
    let kind = if kinds.contains(&by) { by } else { "officer" };
    ctx.text(&format!("{}{kind}", key("licences-by-")), &[])
}
