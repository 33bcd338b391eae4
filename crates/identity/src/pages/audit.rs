//! The auditor's pages: the log, its signed heads, and the check of the whole.

use axum::response::Response;
use http::Uri;
use serde_json::{Value as Json, json};
use store::audit::{self, Search};
use store::{AuditEntry, Purpose};
use web::forms::Posted;
use web::i18n::key;
use web::{Ctx, Problem};

use super::{encode, number, query};
use crate::footprint::Teller;

/// Entries on a page.
const PAGE: u32 = 50;
/// Findings that are shown; the command line shows all.
const FINDINGS: usize = 100;
/// Kinds of actors to choose from.
const KINDS: [&str; 8] =
    ["citizen", "account", "officer", "auditor", "administrator", "system", "node", "anonymous"];
/// Beginnings of actions to choose from: the parts of the house.
const AREAS: [&str; 5] = ["identity.", "services.", "cases.", "licences.", "audit."];

/// The log, newest first. Looking at it is noted in it.
pub(super) async fn log(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let query = query(&uri);
    let field = |name: &str| query.get(name).cloned().unwrap_or_default();
    let wanted = Search {
        actor_kind: field("kind"),
        actor_id: field("actor"),
        action: field("action"),
        case_no: field("case"),
        subject: field("subject").parse().ok(),
    };
    let tx = ctx.begin().await?;
    let entry = AuditEntry::new(ctx.actor(), "audit.view", Purpose::Supervision).object("store.audit");
    // Who is looked up by name of their id sees that somebody looked.
    tx.audit(match wanted.subject {
        Some(subject) => entry.about(subject),
        None => entry,
    });
    tx.commit().await?;
    let db = ctx.read();
    let mut entries = audit::search(&db, &wanted, number(&query, "before"), PAGE + 1).await?;
    let more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let next = if more { entries.last().map(|entry| entry.seq) } else { None };
    let mut teller = Teller::neutral(&db).await?;
    let mut rows = Vec::new();
    for entry in &entries {
        let line = teller.tell(&ctx, &db, entry).await?;
        rows.push(json!({
            "seq": line.seq, "at": line.at, "who": line.who, "what": line.what, "code": line.action,
            "purpose": line.purpose, "case_no": line.case_no, "object": entry.object,
            "actor_id": entry.actor_id, "subject": (entry.subject_id != "-").then_some(&entry.subject_id),
        }));
    }
    let kept: Vec<String> = ["kind", "actor", "action", "case", "subject"]
        .into_iter()
        .filter_map(|name| Some((name, query.get(name).filter(|value| !value.is_empty())?)))
        .map(|(name, value)| format!("{name}={}&", encode(value)))
        .collect();
    let option = |value: &str, text: String| json!({ "value": value, "text": text });
    let mut kinds = vec![option("", ctx.text(key("identity-audit-any"), &[])?)];
    for kind in KINDS {
        kinds.push(option(kind, ctx.text(&format!("{}{kind}", key("identity-actor-")), &[])?));
    }
    let mut areas = vec![option("", ctx.text(key("identity-audit-any"), &[])?)];
    for area in AREAS {
        let text_key = format!("{}{}", key("identity-area-"), area.trim_end_matches('.'));
        areas.push(option(area, ctx.text(&text_key, &[])?));
    }
    ctx.page(
        "identity/audit.html",
        json!({
            "rows": rows, "next": next, "filter": kept.concat(), "first": !query.contains_key("before"),
            "filtered": !kept.is_empty(), "kinds": kinds, "areas": areas,
            "values": {
                "kind": wanted.actor_kind, "action": wanted.action, "case": wanted.case_no,
                "subject": field("subject"), "actor": wanted.actor_id,
            },
        }),
    )
}

/// The signed heads, newest first.
pub(super) async fn heads(ctx: Ctx, uri: Uri) -> Result<Response, Problem> {
    let query = query(&uri);
    let mut heads = audit::heads(&ctx.read(), number(&query, "before"), PAGE + 1).await?;
    let more = heads.len() > PAGE as usize;
    heads.truncate(PAGE as usize);
    let next = if more { heads.last().map(|head| head.tree_size) } else { None };
    let rows: Vec<Json> = heads
        .iter()
        .map(|head| {
            json!({
                "size": head.tree_size, "root": head.root, "at": head.at, "gm": head.gm.kid, "intl": head.intl.kid,
            })
        })
        .collect();
    let first = !query.contains_key("before");
    ctx.page("identity/audit_heads.html", json!({ "heads": rows, "next": next, "first": first }))
}

/// What the check does, and the button that starts it.
pub(super) async fn verify_page(ctx: Ctx) -> Result<Response, Problem> {
    ctx.page("identity/audit_verify.html", json!({}))
}

/// Checks the whole log now and says what was found.
pub(super) async fn verify(ctx: Ctx, _form: Posted) -> Result<Response, Problem> {
    let tx = ctx.begin().await?;
    tx.audit(AuditEntry::new(ctx.actor(), "audit.verify", Purpose::Supervision).object("store.audit"));
    tx.commit().await?;
    let report = store::verify::verify(&ctx.app.store).await?;
    let findings: Vec<Json> = report
        .findings
        .iter()
        .take(FINDINGS)
        .map(|one| json!({ "place": one.place, "seq": one.seq, "what": one.what.code() }))
        .collect();
    ctx.page(
        "identity/audit_verify.html",
        json!({
            "report": {
                "leaves": report.leaves, "heads": report.heads,
                "count": report.findings.len(), "findings": findings,
            },
            "at": ctx.now(),
        }),
    )
}
