//! Where a loading stands: how far it is, and every row that was rejected with its line and reason.

use axum::extract::Path;
use axum::response::Response;
use http::HeaderValue;
use kernel::error::Coded;
use lake::loading::{self, Load, Rejected, State};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use web::i18n::key;
use web::{Ctx, Problem, download};

use super::super::coded;
use super::{load_of, own, standing};
use crate::loads::{Kept, Loading, LoadingError, Stage, noted};
use crate::problem::loading as problem;

/// Rejected rows of a page.
const PAGE: u32 = 50;
/// Rejected rows that are read at once for a file.
const CHUNK: u32 = 500;

/// Which page of the rejected rows.
#[derive(Deserialize)]
pub(crate) struct Page {
    after: Option<u64>,
    /// Whether a page that watches a load asks.
    watch: Option<u8>,
}

/// The page.
pub(super) async fn show(ctx: &Ctx, loading: &Loading, page: &Page) -> Result<Response, Problem> {
    let load = load_of(ctx, loading).await?;
    let (text, tone) = standing(ctx, loading, load.as_ref())?;
    let after = page.after.unwrap_or(0);
    let rejected = rejected(ctx, loading, load.as_ref(), after).await?;
    let next = (rejected.len() == PAGE as usize).then(|| rejected.last().map(|row| row.place)).flatten();
    let mut rows = Vec::new();
    for row in &rejected {
        rows.push(rejected_row(ctx, row)?);
    }
    let here = format!("/work/data/loads/{}", loading.id);
    let state = load.as_ref().map(|load| load.state);
    let again = matches!(state, None | Some(State::Cancelled | State::Failed | State::Refused));
    let fault = loading.fault.as_ref().filter(|_| loading.stage == Stage::Ended);
    let mut answer = ctx.page(
        "sharing/load.html",
        json!({
            "id": loading.id.to_string(),
            "source": loading.content.proposal.source,
            "resource": loading.resource.to_string(),
            "running": loading.stage == Stage::Running,
            "state": text,
            "tone": tone,
            "fault": fault.map(|code| coded(ctx, key("problem-"), code)).transpose()?,
            "detail": load.as_ref().and_then(|load| load.error.clone()),
            "progress": progress(load.as_ref()),
            "kept": load.as_ref().map_or(0, |load| load.kept),
            "rejected": rows,
            "next": next.map(|place| format!("{here}?after={place}")),
            "first": (after > 0).then(|| here.clone()),
            "again": loading.stage == Stage::Ended && again && is_there(ctx, loading),
        }),
    )?;
    if page.watch.is_some() && loading.stage == Stage::Ended {
        // Rejected rows and other acts than stopping are now on the page: it is loaded anew.
        answer.headers_mut().insert("hx-refresh", HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// Whether what was handed in can be read once more.
fn is_there(ctx: &Ctx, loading: &Loading) -> bool {
    match &loading.content.source {
        Kept::File { file, .. } => crate::loads::file_of(&ctx.app, file).is_file(),
        Kept::Address { .. } => true,
    }
}

/// Rejected rows may hold personal data, so that whoever looks at them is on the record.
async fn rejected(
    ctx: &Ctx,
    loading: &Loading,
    load: Option<&Load>,
    after: u64,
) -> Result<Vec<Rejected>, Problem> {
    let Some(load) = load.filter(|load| load.kept > 0 && loading.stage == Stage::Ended) else {
        return Ok(Vec::new());
    };
    let rows = loading::list_rejected(&ctx.read(), load.id, after, PAGE).await;
    let rows = rows.map_err(|error| problem(LoadingError::from(error)))?;
    note_look(ctx, loading).await?;
    Ok(rows)
}

async fn note_look(ctx: &Ctx, loading: &Loading) -> Result<(), Problem> {
    let tx = ctx.begin().await?;
    tx.audit(noted(ctx.actor(), "sharing.loading_see_rejected", loading));
    tx.commit().await?;
    Ok(())
}

fn rejected_row(ctx: &Ctx, row: &Rejected) -> Result<Json, Problem> {
    let mut faults = Vec::new();
    for fault in &row.faults {
        let reason = coded(ctx, key("sharing-reason-"), fault.reason.code())?;
        faults.push(json!({ "column": fault.column, "reason": reason, "code": fault.reason.code() }));
    }
    Ok(json!({ "line": row.line, "faults": faults, "raw": row.raw }))
}

fn progress(load: Option<&Load>) -> Json {
    let Some(load) = load else { return Json::Null };
    let now = load.progress;
    // Reading once is a tenth of the way: rows are understood faster than they arrive.
    let part = |done: u64, total: Option<u64>| match total {
        Some(total) if total > 0 => (done.min(total) * 100) / total,
        _ => 0,
    };
    let percent = match load.state {
        State::Checking => part(now.bytes, now.bytes_total) / 3,
        State::Arriving => 33 + part(now.rows, now.rows_total) * 2 / 3,
        _ => 100,
    };
    json!({
        "percent": percent,
        "rows": now.rows,
        "rows_total": now.rows_total,
        "arrived": now.arrived,
        "rejected": now.rejected,
        "started_at": load.started_at,
        "ended_at": load.ended_at,
    })
}

/// The rejected rows that were kept, as a file to be put right.
pub(crate) async fn rejected_file(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let loading = own(&ctx, &id).await?;
    let load = load_of(&ctx, &loading).await?.filter(|load| load.kept > 0 && load.state.has_ended());
    let load = load.ok_or_else(Problem::not_found)?;
    note_look(&ctx, &loading).await?;
    let read = ctx.read();
    // So that spreadsheets know the encoding.
    let mut text = format!("\u{feff}{}\r\n", loading::rejected_header(&load.mapping));
    let mut after = 0;
    loop {
        let rows = loading::list_rejected(&read, load.id, after, CHUNK).await;
        let rows = rows.map_err(|error| problem(LoadingError::from(error)))?;
        let Some(last) = rows.last() else { break };
        after = last.place;
        for row in &rows {
            text.push_str(&loading::rejected_line(row));
            text.push_str("\r\n");
        }
    }
    let name = format!("{}-rejected.csv", loading.resource);
    Ok(download(&name, "text/csv; charset=utf-8", text.into_bytes()))
}
