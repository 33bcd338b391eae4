//! One's own uses, and one use with its receipt.

use std::collections::BTreeSet;

use axum::extract::{Path, Query};
use axum::response::Response;
use kernel::ids::{OrgCode, UseId};
use serde::Deserialize;
use serde_json::json;
use web::i18n::key;
use web::{Ctx, Problem};

use super::lineage::picture;
use super::{coded, outcome_text, purpose_text, said};
use crate::api::may_read;
use crate::problem::grant as problem;
use crate::uses::record::{Record, UsedBy};
use crate::uses::{ledger, lineage};

/// Uses of a page.
const PAGE: u32 = 30;

/// Which page.
#[derive(Deserialize)]
pub(crate) struct Page {
    before: Option<String>,
}

/// One's own uses.
pub(crate) async fn list(ctx: Ctx, Query(page): Query<Page>) -> Result<Response, Problem> {
    let before = page.before.and_then(|cursor| cursor.parse::<UseId>().ok());
    let own = UsedBy::of(ctx.actor());
    let kept = ledger::of_actor(&ctx.read(), &own.id, before, PAGE).await?;
    let next = (kept.len() == PAGE as usize)
        .then(|| kept.last().map(|last| format!("/work/data/uses?before={}", last.record.use_id)))
        .flatten();
    let mut rows = Vec::new();
    for one in &kept {
        let record = &one.record;
        let (text, tone) = outcome_text(&ctx, record)?;
        rows.push(json!({ "cells": [
            { "text": record.at.to_china_string(), "href": format!("/work/data/uses/{}", record.use_id) },
            { "text": short(&one.statement) },
            { "text": purpose_text(&ctx, record.purpose)?, "hint": record.case_no },
            { "text": coded(&ctx, key("sharing-door-"), &record.door)? },
            { "text": record.outcome.rows },
            { "text": text, "pill": { "text": text, "tone": tone } },
        ]}));
    }
    let first = before.map(|_| "/work/data/uses");
    ctx.page("sharing/uses.html", json!({ "uses": rows, "next": next, "first": first }))
}

/// One use. The statement is shown to whoever asked, and to nobody else.
pub(crate) async fn show(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let id: UseId = id.parse().map_err(|_| Problem::not_found())?;
    let kept = ledger::find(&ctx.read(), id).await?.ok_or_else(Problem::not_found)?;
    if !may_read(&ctx, &kept.record).await? {
        return Err(Problem::not_found());
    }
    let record = &kept.record;
    let own = UsedBy::of(ctx.actor()).id == record.actor.id;
    let (outcome, tone) = outcome_text(&ctx, record)?;
    let mut resources = Vec::new();
    for used in &record.grants {
        let found = grants::resources::find(&ctx.read(), &used.resource).await.map_err(problem)?;
        let title = found.map_or_else(
            || used.resource.clone(),
            |resource| said(&ctx, &resource.description.title).to_owned(),
        );
        resources.push(json!({
            "title": title, "id": used.resource, "version": used.version,
            "grant": used.grant.to_string(), "href": format!("/work/data/grants/{}", used.grant),
        }));
    }
    let lineage = lineage::find(&ctx.read(), id).await?;
    ctx.page(
        "sharing/use.html",
        json!({
            "id": id.to_string(),
            "lineage": lineage.map(|lineage| picture(&ctx, &lineage)).transpose()?,
            "at": record.at,
            "who": who(&ctx, record).await?,
            "purpose": purpose_text(&ctx, record.purpose)?,
            "case_no": record.case_no,
            "door": coded(&ctx, key("sharing-door-"), &record.door)?,
            "resources": resources,
            "rows": record.outcome.rows,
            "bytes": record.outcome.bytes,
            "millis": record.outcome.micros / 1000,
            "persons": record.outcome.persons,
            "outcome": { "text": outcome, "tone": tone },
            "statement": own.then_some(&kept.statement),
            "own": own,
            "plan_hash": record.plan_hash,
            "statement_hash": record.statement_hash,
        }),
    )
}

/// Who used the data: by organisation and post, never by name.
pub(crate) async fn who(ctx: &Ctx, record: &Record) -> Result<String, Problem> {
    match record.actor.kind.as_str() {
        "officer" => {
            let posts = posts(ctx, &record.actor.label, None).await?;
            let number = identity::footprint::staff_number(&record.actor.id);
            Ok(ctx.text(key("identity-who-officer"), &[("posts", posts.into()), ("number", number.into())])?)
        }
        "system" => {
            Ok(ctx.text(key("identity-who-system"), &[("name", record.actor.label.as_str().into())])?)
        }
        "node" => Ok(ctx.text(key("identity-who-node"), &[])?),
        _ => Ok(ctx.text(key("identity-who-nobody"), &[])?),
    }
}

/// Posts in words, of their codes with commas; of many those at one organisation, if there are any.
pub(crate) async fn posts(ctx: &Ctx, codes: &str, at: Option<&OrgCode>) -> Result<String, Problem> {
    let wanted: BTreeSet<&str> = codes.split(',').collect();
    let (mut all, mut there) = (Vec::new(), Vec::new());
    for org in identity::orgs::all(&ctx.read()).await? {
        for post in org.posts.iter().filter(|post| wanted.contains(post.code.as_str())) {
            let name = format!("{} {}", said(ctx, &org.name), said(ctx, &post.name));
            if at == Some(&org.code) {
                there.push(name.clone());
            }
            all.push(name);
        }
    }
    let comma = if ctx.lang().short() == "zh" { "、" } else { ", " };
    Ok(if there.is_empty() { all } else { there }.join(comma))
}

/// The beginning of a statement, on one line.
fn short(statement: &str) -> String {
    const MOST: usize = 90;
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    line.chars().take(MOST).chain(['…']).collect()
}
