//! What is held of a person, and who looked at it.

use axum::response::Response;
use http::Uri;
use serde_json::{Value as Json, json};
use store::{AuditEntry, Purpose};
use web::i18n::{Lang, key};
use web::{Ctx, Problem, download};

use super::{number, query};
use crate::footprint::{self, Whose};
use crate::{firms, people, subjects};

/// What the registers hold, with source and time.
pub(super) async fn profile(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let Some(person) = people::get(&ctx.read(), subject).await? else {
        let firm = firms::get(&ctx.read(), subject).await?.ok_or_else(Problem::not_found)?;
        let owner = people::display_name(&ctx.read(), firm.owner).await?;
        return ctx.page("identity/profile.html", json!({ "firm": firm.record, "owner": owner }));
    };
    let tx = ctx.begin().await?;
    tx.audit(
        AuditEntry::new(ctx.actor(), "identity.view_own", Purpose::OwnUse)
            .about(subject)
            .object("identity.person"),
    );
    tx.commit().await?;
    let source = |id: &str| {
        let name = ctx.app.pack.sharing().source(id).map(|source| said(&ctx, &source.name));
        json!({ "name": name, "at": person.as_of(id) })
    };
    let record = &person.record;
    ctx.page(
        "identity/profile.html",
        json!({
            "person": {
                "name": record.name,
                "citizen_id": subjects::masked_code(&record.citizen_id, 6, 4),
                "birth": person.birth,
                "phone": subjects::masked_code(&record.phone, 3, 4),
                "address": record.address,
                "household_address": record.household_address,
                "bank_account": record.bank_account.as_deref().map(|account| subjects::masked_code(account, 4, 4)),
                "marital": record.marital_status,
                "synthetic": person.synthetic,
            },
            "sources": {
                "person": source("person"), "address": source("address"), "household": source("household"),
                "marriage": source("marriage"), "bank_account": source("bank_account"),
            },
        }),
    )
}

fn said(ctx: &Ctx, words: &packs::model::Words) -> String {
    if ctx.lang() == Lang::EN { words.en.clone() } else { words.zh.clone() }
}

/// 我的数据足迹: every access, newest first.
pub(super) async fn footprint(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let query = query(&uri);
    let whose = whose(&query);
    let before = number(&query, "before");
    let found = footprint::lines(&ctx, subject, whose, before, footprint::PAGE).await?;
    let lines: Vec<Json> = found
        .lines
        .iter()
        .map(|line| {
            json!({
                "at": line.at, "who": line.who, "own": line.own, "what": line.what, "purpose": line.purpose,
                "case_no": line.case_no,
            })
        })
        .collect();
    let others = whose == Whose::Others;
    ctx.page(
        "identity/footprint.html",
        json!({
            "lines": lines, "next": found.next, "first": before.is_none(), "others": others,
            "filter": if others { "who=others&" } else { "" },
        }),
    )
}

fn whose(query: &std::collections::BTreeMap<String, String>) -> Whose {
    match query.get("who").map(String::as_str) {
        Some("others") => Whose::Others,
        _ => Whose::All,
    }
}

/// The footprint as a table to keep.
pub(super) async fn footprint_csv(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let whose = whose(&query(&uri));
    let found = footprint::lines(&ctx, subject, whose, None, footprint::FILE_LINES).await?;
    let header = [
        ctx.text(key("identity-footprint-when"), &[])?,
        ctx.text(key("identity-footprint-who"), &[])?,
        ctx.text(key("identity-footprint-what"), &[])?,
        ctx.text(key("identity-footprint-why"), &[])?,
        ctx.text(key("identity-footprint-case-no"), &[])?,
    ];
    let bytes = footprint::csv(header.each_ref().map(String::as_str), &found.lines);
    let tx = ctx.begin().await?;
    tx.audit(AuditEntry::new(ctx.actor(), "identity.export_footprint", Purpose::OwnUse).about(subject));
    tx.commit().await?;
    let name = format!("{}.csv", ctx.text(key("identity-footprint-title"), &[])?);
    Ok(download(&name, "text/csv; charset=utf-8", bytes))
}
