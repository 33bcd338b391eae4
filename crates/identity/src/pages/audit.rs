//! The auditor's log and the administrator's organisations.

use axum::response::Response;
use http::Uri;
use serde_json::{Value as Json, json};
use store::audit;
use store::{AuditEntry, Purpose};
use web::forms::Posted;
use web::{Ctx, Problem};

use super::mine::row;
use crate::{orgs, people};

/// Entries on a page.
const PAGE: u32 = 50;
/// Findings that are shown; the command line shows all.
const FINDINGS: usize = 50;

/// The log, newest first.
pub(super) async fn log(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let before = uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("before=")))
        .and_then(|text| text.parse::<i64>().ok());
    let tx = ctx.begin().await?;
    tx.audit(AuditEntry::new(ctx.actor(), "audit.view", Purpose::Supervision).object("store.audit"));
    tx.commit().await?;
    page(&ctx, before, None).await
}

async fn page(ctx: &Ctx, before: Option<i64>, report: Option<Json>) -> Result<Response, Problem> {
    let mut entries = audit::recent(&ctx.read(), before, PAGE + 1).await?;
    let more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let next = if more { entries.last().map(|entry| entry.seq) } else { None };
    let rows: Vec<Json> = entries.iter().map(|entry| row(ctx, entry)).collect::<Result<_, Problem>>()?;
    ctx.page("identity/audit.html", json!({ "entries": rows, "next": next, "report": report }))
}

/// Checks the whole log now.
pub(super) async fn verify(ctx: Ctx, _form: Posted) -> Result<Response, Problem> {
    let report = store::verify::verify(&ctx.app.store).await?;
    let findings: Vec<String> = report.findings.iter().take(FINDINGS).map(ToString::to_string).collect();
    let shown = json!({
        "leaves": report.leaves, "heads": report.heads, "count": report.findings.len(), "findings": findings,
    });
    page(&ctx, None, Some(shown)).await
}

/// Organisations, posts and who holds them.
pub(super) async fn orgs(ctx: Ctx) -> Result<Response, Problem> {
    let db = ctx.read();
    let holders = orgs::holders(&db, ctx.now()).await?;
    let mut rows = Vec::new();
    for org in orgs::all(&db).await? {
        let mut posts = Vec::new();
        for post in &org.posts {
            let mut names = Vec::new();
            for (_, subject) in holders.iter().filter(|(code, _)| *code == post.code) {
                names.push(people::display_name(&db, *subject).await?);
            }
            posts.push(json!({
                "code": post.code.as_str(), "name": { "zh": post.name.zh, "en": post.name.en },
                "roles": post.roles, "holders": names,
            }));
        }
        rows.push(json!({
            "code": org.code.as_str(), "name": { "zh": org.name.zh, "en": org.name.en },
            "level": org.level, "division": org.division, "posts": posts,
        }));
    }
    ctx.page("identity/orgs.html", json!({ "orgs": rows }))
}
