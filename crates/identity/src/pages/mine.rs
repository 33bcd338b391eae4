//! What is held of a person, who looked at it, and for whom they may act.

use axum::response::Response;
use http::{HeaderMap, Uri};
use serde_json::{Value as Json, json};
use store::audit::{self, StoredEntry};
use store::{AuditEntry, Purpose};
use web::forms::Posted;
use web::{Ctx, Problem, download};

use crate::delegations;
use crate::{people, sessions, subjects};

/// Entries on a page of the footprint.
const PAGE: u32 = 30;
/// Entries in an export.
const EXPORT: u32 = 10_000;

/// What the registers hold, with source and time.
pub(super) async fn profile(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let Some(person) = people::get(&ctx.read(), subject).await? else {
        let shown = subjects::display(&ctx.read(), subject).await?.ok_or_else(Problem::not_found)?;
        return ctx.page("identity/profile.html", json!({ "firm": { "name": shown.name, "code": shown.code } }));
    };
    let tx = ctx.begin().await?;
    tx.audit(
        AuditEntry::new(ctx.actor(), "identity.view_own", Purpose::OwnUse).about(subject).object("identity.person"),
    );
    tx.commit().await?;
    let source = |id: &str| {
        let english = ctx.lang() == web::i18n::Lang::EN;
        let name = ctx
            .app
            .pack
            .sharing()
            .source(id)
            .map(|source| if english { source.name.en.clone() } else { source.name.zh.clone() });
        json!({ "name": name, "at": person.as_of(id) })
    };
    let record = &person.record;
    ctx.page(
        "identity/profile.html",
        json!({
            "person": {
                "name": record.name,
                "citizen_id": subjects::masked_code(&record.citizen_id, 6, 4),
                "birth": person.birth.to_string(),
                "phone": subjects::masked_code(&record.phone, 3, 4),
                "address": record.address,
                "household_address": record.household_address,
                "synthetic": person.synthetic,
            },
            "sources": { "person": source("person"), "address": source("address"), "household": source("household") },
        }),
    )
}

/// 我的数据足迹: every access, newest first.
pub(super) async fn footprint(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let before = uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("before=")))
        .and_then(|text| text.parse::<i64>().ok());
    let mut entries = audit::footprint(&ctx.read(), subject, before, PAGE + 1).await?;
    let more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let next = if more { entries.last().map(|entry| entry.seq) } else { None };
    let rows: Vec<Json> =
        entries.iter().map(|entry| row(&ctx, entry)).collect::<Result<_, Problem>>()?;
    ctx.page("identity/footprint.html", json!({ "entries": rows, "next": next, "first": before.is_none() }))
}

/// The footprint as a table to keep.
pub(super) async fn footprint_csv(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let entries = audit::footprint(&ctx.read(), subject, None, EXPORT).await?;
    let heads = ["when", "who", "what", "why", "case"]
        .map(|name| ctx.text(&format!("identity-footprint-{name}"), &[]));
    // The mark tells spreadsheets that the text is UTF-8.
    let mut csv = String::from("\u{feff}");
    csv.push_str(&heads.into_iter().collect::<Result<Vec<_>, _>>()?.join(","));
    for entry in &entries {
        let row = row(&ctx, entry)?;
        csv.push_str("\r\n");
        let cells = [entry.at.to_china_string(), text(&row, "who"), text(&row, "what"), text(&row, "why"), entry.case_no.clone()];
        csv.push_str(&cells.map(|cell| quoted(&cell)).join(","));
    }
    csv.push_str("\r\n");
    let name = format!("{}.csv", ctx.text("identity-footprint-title", &[])?);
    Ok(download(&name, "text/csv; charset=utf-8", csv.into_bytes()))
}

fn text(row: &Json, key: &str) -> String {
    row.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// A cell that no spreadsheet takes for a formula.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// An entry in plain words.
pub(super) fn row(ctx: &Ctx, entry: &StoredEntry) -> Result<Json, Problem> {
    let who = if entry.actor_label.is_empty() {
        ctx.text(&format!("identity-actor-{}", entry.actor_kind), &[])?
    } else {
        let english = ctx.lang() == web::i18n::Lang::EN;
        entry
            .actor_label
            .split(',')
            .map(|code| match ctx.app.pack.post(code) {
                Some((org, post)) if english => format!("{} ({})", org.name.en, post.name.en),
                Some((org, post)) => format!("{}{}", org.name.zh, post.name.zh),
                None => code.to_owned(),
            })
            .collect::<Vec<_>>()
            .join(if english { ", " } else { "、" })
    };
    let known = format!("identity-action-{}", entry.action.replace(['.', '_'], "-"));
    let what = ctx.text(&known, &[]).or_else(|_| ctx.text("identity-action-other", &[]))?;
    Ok(json!({
        "at": entry.at,
        "who": who,
        "what": what,
        "code": entry.action,
        "why": ctx.text(&format!("identity-purpose-{}", entry.purpose.replace('_', "-")), &[])?,
        "case_no": entry.case_no,
        "seq": entry.seq,
    }))
}

/// For whom this person may act, and the switch.
pub(super) async fn delegations(ctx: Ctx) -> Result<Response, Problem> {
    let subject = ctx.actor().subject().ok_or_else(Problem::not_signed_in)?;
    let (_, acting_for) = ctx.citizen()?;
    let db = ctx.read();
    let mut rows = Vec::new();
    for held in delegations::of_delegate(&db, subject, ctx.now()).await? {
        let Some(shown) = subjects::display(&db, held.subject).await? else { continue };
        rows.push(json!({
            "subject": held.subject, "name": shown.name, "code": shown.masked_code,
            "kind": held.kind.as_str(), "current": held.subject == acting_for,
            "until": (!held.is_open_ended()).then_some(held.valid_to),
        }));
    }
    ctx.page("identity/delegations.html", json!({ "rights": rows, "own": acting_for == subject }))
}

/// Chooses for whom the session acts.
pub(super) async fn act_for(ctx: Ctx, headers: HeaderMap, form: Posted) -> Result<Response, Problem> {
    let own = ctx.actor().subject().ok_or_else(Problem::not_signed_in)?;
    let token = sessions::token_of(&headers).ok_or_else(Problem::not_signed_in)?;
    let whom = match form.get("subject") {
        "" => None,
        text => Some(text.parse().map_err(|_| Problem::not_found())?),
    };
    let tx = ctx.begin().await?;
    if let Some(whom) = whom {
        if !delegations::may_act(&tx, own, whom, ctx.now()).await? {
            return Err(Problem::forbidden("identity.no_mandate"));
        }
        tx.audit(AuditEntry::new(ctx.actor(), "identity.act_for", Purpose::OwnUse).about(whom));
    }
    sessions::act_for(&tx, &token, whom).await?;
    tx.commit().await?;
    Ok(ctx.redirect("/my", Some(if whom.is_some() { "flash-acting-for" } else { "flash-acting-own" })))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
