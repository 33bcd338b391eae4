//! The holder's wallet: cards, one licence, its files, presenting it, copies, who looked.

use axum::extract::Path;
use axum::response::Response;
use jiff::ToSpan;
use kernel::ids::LicenceId;
use serde_json::{Value as Json, json};
use store::{AuditEntry, Purpose};
use web::forms::Posted;
use web::i18n::key;
use web::{Ctx, Problem, download};

use super::{Own, card, rows, said, state_text, state_word, timeline, tone, who};
use crate::actions::present::{PLAIN_SCENE, scene_name};
use crate::actions::{self, NewCopy};
use crate::document::SignError;
use crate::model::licence::{Licence, Registry, Standing};
use crate::paperwork::sealed_pdf;
use crate::pdf::{definition, file_name};
use crate::problem;
use crate::verify::file_document;
use crate::{qr, store as ledger};

/// How many looks a page lists.
const LOOKS: u32 = 200;

/// The wallet.
pub(crate) async fn list(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let today = ctx.now().china_date();
    let wallet = ledger::wallet_of(&ctx.read(), subject).await?;
    let (mut held, mut past) = (Vec::new(), Vec::new());
    for licence in &wallet {
        let standing = licence.standing(today);
        let shown = shown_card(&ctx, licence, standing, &path(licence, ""));
        match standing {
            Standing::Revoked | Standing::Expired => past.push(shown),
            _ => held.push(shown),
        }
    }
    note(&ctx, "licences.wallet", subject, "licences.licence").await?;
    ctx.page("licences/wallet.html", json!({ "held": held, "past": past }))
}

/// One licence.
pub(crate) async fn show(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let read = ctx.read();
    let standing = licence.standing(ctx.now().china_date());
    let history = ledger::history(&read, licence.holder, licence.id).await?;
    let uses = actions::uses_of(&read, licence.holder, licence.id, LOOKS).await?;
    let copies = actions::copies_of(&read, licence.holder, licence.id).await?;
    let copies: Vec<Json> = copies
        .iter()
        .map(|copy| {
            json!({
                "href": path(&licence, &format!("/copies/{}", copy.copy_no)),
                "purpose": copy.purpose, "recipient": copy.recipient, "valid_to": copy.valid_to,
            })
        })
        .collect();
    note(&ctx, "licences.view", licence.holder, &format!("licences.licence:{}", licence.type_id)).await?;
    let context = json!({
        "card": shown_card(&ctx, &licence, standing, ""),
        "name": licence.record.kind.name,
        "rows": rows(&ctx, &licence, Own::Shown)?,
        "identifier": licence.identifier().to_string(),
        "version": licence.state.version,
        "issuer": licence.record.issuer.name,
        "valid_from": licence.record.valid_from,
        "valid_to": licence.record.valid_to,
        "standing": { "word": state_word(standing), "text": state_text(&ctx, standing)?, "tone": tone(standing) },
        "case_no": licence.case.as_ref().map(|(_, number)| number),
        "in_force": standing == Standing::Valid,
        "links": {
            "present": path(&licence, "/present"), "pdf": path(&licence, "/pdf"),
            "file": path(&licence, "/file"), "copy": path(&licence, "/copy"), "uses": path(&licence, "/uses"),
        },
        "history": timeline(&ctx, &history)?,
        "use_count": uses.len(),
        "last_use": uses.first().map(|last| last.at),
        "copies": copies,
    });
    ctx.page("licences/licence.html", context)
}

/// The sealed PDF.
pub(crate) async fn pdf(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let bytes = sealed_pdf(&ctx.app, &licence, None).await?;
    note(&ctx, "licences.download", licence.holder, &format!("licences.licence:{}", licence.type_id)).await?;
    Ok(download(&file_name(&licence, None, "pdf"), "application/pdf", bytes))
}

/// The signed document.
pub(crate) async fn file(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let bytes = file_document(&licence)
        .and_then(|document| document.to_file_json())
        .map_err(|error: SignError| Problem::internal(error))?;
    note(&ctx, "licences.download", licence.holder, &format!("licences.licence:{}", licence.type_id)).await?;
    Ok(download(&file_name(&licence, None, "json"), "application/json", bytes))
}

/// On which occasion?
pub(crate) async fn present_form(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let context = scenes(&ctx, &licence)?;
    ctx.page("licences/present.html", context)
}

/// A one-time code for the occasion.
pub(crate) async fn present(ctx: Ctx, Path(id): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let registry = Registry::of(&ctx.app);
    let scene = match posted.get("scene") {
        "" => PLAIN_SCENE,
        named => named,
    };
    let tx = ctx.begin().await?;
    let made = actions::present(&tx, &registry, ctx.actor(), &licence, scene).await?;
    tx.commit().await?;
    let address = format!("{}/verify/{}", ctx.app.node.base_url, made.code);
    let kind = definition(&licence)?;
    let claims: Vec<&str> = made
        .claims
        .iter()
        .filter_map(|claim| kind.field(claim).map(|field| said(&ctx, &field.label)))
        .collect();
    let context = json!({
        "name": licence.record.kind.name,
        "scene": scene_name(&registry, &licence.type_id, scene),
        "code": made.code,
        "address": address,
        "picture": qr::data_url(&address),
        "expires": made.expires_at,
        "claims": claims,
        "back": path(&licence, ""),
        "again": path(&licence, "/present"),
    });
    ctx.page("licences/code.html", context)
}

/// For whom and what for?
pub(crate) async fn copy_form(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    ctx.page("licences/copy.html", copy_context(&licence, "", "", "30"))
}

/// Makes the annotated copy.
pub(crate) async fn copy(ctx: Ctx, Path(id): Path<String>, posted: Posted) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let days: i64 = posted.get("days").parse().unwrap_or(0);
    let today = ctx.now().china_date();
    let new = NewCopy {
        purpose: posted.get("purpose").to_owned(),
        recipient: posted.get("recipient").to_owned(),
        // A number that is no number of days gives a date that is refused with the field's name.
        valid_to: today.saturating_add(days.clamp(0, 10_000).saturating_sub(1).days()),
    };
    let tx = ctx.begin().await?;
    match actions::annotated_copy(&tx, ctx.actor(), &licence, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(ctx.redirect(&format!("{}#copies", path(&licence, "")), Some(key("flash-licences-copied"))))
        }
        Err(error) => {
            drop(tx);
            let errors = problem::fields(&error);
            if errors.is_empty() {
                return Err(error.into());
            }
            let context =
                copy_context(&licence, posted.get("purpose"), posted.get("recipient"), posted.get("days"));
            ctx.form_again("licences/copy.html", context, &errors)
        }
    }
}

fn copy_context(licence: &Licence, purpose: &str, recipient: &str, days: &str) -> Json {
    json!({
        "name": licence.record.kind.name,
        "action": path(licence, "/copy"),
        "back": path(licence, ""),
        "values": { "purpose": purpose, "recipient": recipient, "days": days },
    })
}

/// The PDF of an annotated copy.
pub(crate) async fn copy_pdf(
    ctx: Ctx,
    Path((id, copy_no)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let copies = actions::copies_of(&ctx.read(), licence.holder, licence.id).await?;
    let copy = copies.iter().find(|copy| copy.copy_no == copy_no).ok_or_else(Problem::not_found)?;
    let bytes = sealed_pdf(&ctx.app, &licence, Some(copy)).await?;
    Ok(download(&file_name(&licence, Some(copy), "pdf"), "application/pdf", bytes))
}

/// Who looked, when, what for.
pub(crate) async fn uses(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let licence = own(&ctx, &id).await?;
    let registry = Registry::of(&ctx.app);
    let mut items = Vec::new();
    for look in actions::uses_of(&ctx.read(), licence.holder, licence.id, LOOKS).await? {
        let scene = scene_name(&registry, &licence.type_id, &look.scene);
        let name = match look.verifier.name.as_str() {
            "" => who(&ctx, &look.by)?,
            name => ctx.text(key("licences-use-said"), &[("name", name.into())])?,
        };
        items.push(json!({
            "title": ctx.text(&format!("{}{}", key("licences-use-"), look.channel), &[])?,
            "by": name,
            "at": look.at,
            "text": match (look.verifier.purpose.as_str(), &scene) {
                ("", None) => None,
                ("", Some(scene)) => Some(said(&ctx, scene).to_owned()),
                (purpose, _) => Some(purpose.to_owned()),
            },
            "tone": (look.found != "valid").then_some("warn"),
        }));
    }
    let context = json!({ "name": licence.record.kind.name, "items": items, "back": path(&licence, "") });
    ctx.page("licences/uses.html", context)
}

/// The holder's licence; of anybody else's they do not learn that it exists.
pub(crate) async fn own(ctx: &Ctx, id: &str) -> Result<Licence, Problem> {
    let (_, subject) = ctx.citizen()?;
    let id: LicenceId = id.parse().map_err(|_| Problem::not_found())?;
    ledger::find(&ctx.read(), subject, id).await?.ok_or_else(Problem::not_found)
}

fn scenes(ctx: &Ctx, licence: &Licence) -> Result<Json, Problem> {
    let kind = ctx.app.pack.licence_type(&licence.type_id).ok_or_else(Problem::not_found)?;
    let mut options = Vec::new();
    for scene in &kind.scenes {
        let shows: Vec<&str> = scene
            .claims
            .iter()
            .filter_map(|claim| kind.field(claim).map(|field| said(ctx, &field.label)))
            .collect();
        let hint = ctx.text(
            key("licences-scene-hint"),
            &[("claims", shows.join("、").into()), ("minutes", scene.minutes.into())],
        )?;
        options.push(json!({ "value": scene.id, "text": said(ctx, &scene.name), "hint": hint }));
    }
    let first = options.first().and_then(|option| option.get("value")).cloned();
    Ok(json!({
        "name": licence.record.kind.name,
        "scenes": options,
        "values": { "scene": first },
        "action": path(licence, "/present"),
        "back": path(licence, ""),
        "in_force": licence.standing(ctx.now().china_date()) == Standing::Valid,
    }))
}

fn shown_card(ctx: &Ctx, licence: &Licence, standing: Standing, href: &str) -> Json {
    let record = &licence.record;
    card(licence, standing, href, said(ctx, &record.issuer.name), said(ctx, &record.kind.name))
}

fn path(licence: &Licence, rest: &str) -> String {
    format!("/my/licences/{}{rest}", licence.id)
}

async fn note(
    ctx: &Ctx,
    action: &'static str,
    subject: kernel::ids::SubjectId,
    object: &str,
) -> Result<(), Problem> {
    let tx = ctx.begin().await?;
    tx.audit(AuditEntry::new(ctx.actor(), action, Purpose::OwnUse).about(subject).object(object));
    tx.commit().await?;
    Ok(())
}
