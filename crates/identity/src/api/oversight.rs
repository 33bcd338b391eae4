//! The audit log for auditors, and its heads for witnesses.

use axum::Json;
use http::Uri;
use store::audit::{self, Search};
use store::{AuditEntry, Purpose};
use web::forms::JsonBody;
use web::{Ctx, Problem, ProblemBody};

use super::wire;
use crate::pages::{number, query};

/// Entries or heads on a page.
const PAGE: u32 = 100;

/// Entries of the log that fit, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit/entries", operation_id = "list_audit_entries", tag = "audit",
    params(
        ("before" = Option<i64>, Query), ("kind" = Option<String>, Query), ("actor" = Option<String>, Query),
        ("action" = Option<String>, Query), ("case" = Option<String>, Query),
        ("subject" = Option<String>, Query)
    ),
    responses((status = 200, body = wire::AuditPage), (status = 403, body = ProblemBody))
)]
pub(crate) async fn list_audit_entries(ctx: Ctx, uri: Uri) -> Result<Json<wire::AuditPage>, Problem> {
    let query = query(&uri);
    let field = |name: &str| query.get(name).cloned().unwrap_or_default();
    let subject = match query.get("subject") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Problem::not_found())?),
    };
    let wanted = Search {
        actor_kind: field("kind"),
        actor_id: field("actor"),
        action: field("action"),
        case_no: field("case"),
        subject,
    };
    let entry = AuditEntry::new(ctx.actor(), "audit.view", Purpose::Supervision).object("store.audit");
    note(
        &ctx,
        match subject {
            Some(subject) => entry.about(subject),
            None => entry,
        },
    )
    .await?;
    let mut entries = audit::search(&ctx.read(), &wanted, number(&query, "before"), PAGE + 1).await?;
    let next = cut(&mut entries, |entry| entry.seq);
    Ok(Json(wire::AuditPage { entries: entries.iter().map(Into::into).collect(), next }))
}

/// Signed heads, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit/heads", operation_id = "list_audit_heads", tag = "audit",
    params(("before" = Option<i64>, Query)),
    responses((status = 200, body = wire::HeadPage), (status = 403, body = ProblemBody))
)]
pub(crate) async fn list_audit_heads(ctx: Ctx, uri: Uri) -> Result<Json<wire::HeadPage>, Problem> {
    heads(&ctx, &uri).await
}

/// Signed heads for a system that keeps copies elsewhere, so that a fork or a cut tail shows.
#[utoipa::path(
    get, path = "/api/v1/witness/heads", operation_id = "list_witness_heads", tag = "audit",
    params(("before" = Option<i64>, Query)),
    responses((status = 200, body = wire::HeadPage), (status = 403, body = ProblemBody))
)]
pub(crate) async fn list_witness_heads(ctx: Ctx, uri: Uri) -> Result<Json<wire::HeadPage>, Problem> {
    heads(&ctx, &uri).await
}

async fn heads(ctx: &Ctx, uri: &Uri) -> Result<Json<wire::HeadPage>, Problem> {
    let mut heads = audit::heads(&ctx.read(), number(&query(uri), "before"), PAGE + 1).await?;
    let next = cut(&mut heads, |head| head.tree_size);
    Ok(Json(wire::HeadPage { heads: heads.iter().map(Into::into).collect(), next }))
}

/// Checks the whole log now.
#[utoipa::path(
    post, path = "/api/v1/audit/verifications", operation_id = "verify_audit", tag = "audit",
    request_body = Object,
    responses((status = 200, body = wire::AuditVerification), (status = 403, body = ProblemBody))
)]
pub(crate) async fn verify_audit(
    ctx: Ctx,
    body: JsonBody<serde_json::Value>,
) -> Result<Json<wire::AuditVerification>, Problem> {
    // The body says nothing; reading it compares the token of the session.
    drop(body);
    let entry = AuditEntry::new(ctx.actor(), "audit.verify", Purpose::Supervision).object("store.audit");
    note(&ctx, entry).await?;
    let report = store::verify::verify(&ctx.app.store).await?;
    let findings: Vec<wire::Finding> = report
        .findings
        .iter()
        .map(|one| wire::Finding { place: one.place.to_owned(), seq: one.seq, what: one.what.to_string() })
        .collect();
    Ok(Json(wire::AuditVerification {
        intact: findings.is_empty(),
        leaves: report.leaves,
        heads: report.heads,
        findings,
    }))
}

async fn note(ctx: &Ctx, entry: AuditEntry) -> Result<(), Problem> {
    let tx = ctx.begin().await?;
    tx.audit(entry);
    tx.commit().await?;
    Ok(())
}

/// Cuts the one too many and gives the cursor of the next page.
fn cut<T>(list: &mut Vec<T>, cursor: impl Fn(&T) -> i64) -> Option<i64> {
    if list.len() <= PAGE as usize {
        return None;
    }
    list.truncate(PAGE as usize);
    list.last().map(cursor)
}
