//! One resource, for whoever keeps it: columns, grants, and who used it for what.

use axum::extract::{Path, Query};
use axum::response::Response;
use grants::Resource;
use grants::model::grant::Grant;
use kernel::ids::UseId;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use web::i18n::key;
use web::{Ctx, Problem};

use super::grants::{holder_text, standing_pill};
use super::{coded, last_day, outcome_text, purpose_text, said};
use crate::problem::grant as problem;
use crate::uses::record::Record;
use crate::uses::{UseError, ledger};

/// Uses of a page.
const PAGE: u32 = 20;

/// Which page of the uses.
#[derive(Deserialize)]
pub(crate) struct Page {
    before: Option<String>,
}

/// The resource.
pub(crate) async fn show(
    ctx: Ctx,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let resource = kept(&ctx, &id).await?;
    let table = grants::resources::table(&ctx.read(), &resource).await.map_err(problem)?;
    let counts = lake::inbox::counts(&ctx.read(), &resource.id).await.map_err(UseError::from)?;
    let columns: Vec<Json> = table
        .schema
        .columns()
        .iter()
        .map(|column| {
            let kind = coded(&ctx, key("sharing-kind-"), kind_word(column.kind))?;
            let personal = ctx.text(key("sharing-personal"), &[])?;
            Ok(json!({ "cells": [
                { "text": said(&ctx, &resource.title_of(&column.name)), "hint": column.name },
                { "text": kind },
                match column.personal {
                    true => json!({ "text": personal, "pill": { "text": personal, "tone": "warn" } }),
                    false => json!({ "text": "" }),
                },
            ]}))
        })
        .collect::<Result<_, Problem>>()?;
    let mut granted = Vec::new();
    for grant in grants::store::of_resource(&ctx.read(), resource.id.as_str()).await.map_err(problem)? {
        granted.push(grant_row(&ctx, &grant).await?);
    }
    let before = page.before.and_then(|cursor| cursor.parse::<UseId>().ok());
    let records = ledger::of_resource(&ctx.read(), resource.id.as_str(), before, PAGE).await?;
    let next = (records.len() == PAGE as usize)
        .then(|| records.last().map(|last| last.use_id.to_string()))
        .flatten();
    let mut used = Vec::new();
    for record in &records {
        used.push(use_row(&ctx, record).await?);
    }
    let provider = identity::orgs::org_name(&ctx.read(), &resource.provider).await?;
    let description = &resource.description;
    let entity = description.entity.as_ref().map(|column| resource.title_of(column));
    let steward = ctx.actor().has_role(&resource.provider, grants::actions::STEWARD);
    ctx.page(
        "sharing/resource.html",
        json!({
            "id": resource.id.to_string(),
            "title": said(&ctx, &description.title),
            "about": said(&ctx, &description.about),
            "provider": said(&ctx, &provider),
            "grade": coded(&ctx, key("sharing-grade-"), &resource.grade.to_string())?,
            "cycle": coded(&ctx, key("sharing-cycle-"), description.update_cycle.as_str())?,
            "entity": entity.map(|title| said(&ctx, &title).to_owned()),
            "synthetic": description.synthetic,
            "version": table.version,
            "rows": counts.rows,
            "last_at": counts.last_at,
            "columns": columns,
            "grants": granted,
            "uses": used,
            "next": next.map(|cursor| format!("/work/data/resources/{}?before={cursor}", resource.id)),
            "first": before.map(|_| format!("/work/data/resources/{}", resource.id)),
            "steward": steward,
        }),
    )
}

/// The resource, if the reader keeps it.
pub(crate) async fn kept(ctx: &Ctx, id: &str) -> Result<Resource, Problem> {
    let resource = grants::resources::find(&ctx.read(), id).await.map_err(problem)?;
    let resource = resource.ok_or_else(Problem::not_found)?;
    if grants::actions::keeps(ctx.actor(), &ctx.app.pack, &resource.provider) {
        Ok(resource)
    } else {
        Err(Problem::forbidden("grants.not_your_post"))
    }
}

/// The first word of a kind: `decimal(2)` is told as a decimal.
pub(crate) fn kind_word(kind: lake::Kind) -> &'static str {
    match kind {
        lake::Kind::Text => "text",
        lake::Kind::Integer => "integer",
        lake::Kind::Decimal(_) => "decimal",
        lake::Kind::Float => "float",
        lake::Kind::Boolean => "boolean",
        lake::Kind::Date => "date",
        lake::Kind::Timestamp => "timestamp",
    }
}

async fn grant_row(ctx: &Ctx, grant: &Grant) -> Result<Json, Problem> {
    let (text, tone) = standing_pill(ctx, grant)?;
    Ok(json!({ "cells": [
        {
            "text": holder_text(ctx, &grant.terms.holder).await?,
            "href": format!("/work/data/grants/{}", grant.id),
        },
        { "text": purpose_text(ctx, grant.terms.purpose)? },
        { "text": text, "pill": { "text": text, "tone": tone } },
        { "text": grant.uses },
        { "text": last_day(grant.terms.valid_to).china_date().to_string() },
    ]}))
}

/// One use as a row.
pub(crate) async fn use_row(ctx: &Ctx, record: &Record) -> Result<Json, Problem> {
    let (text, tone) = outcome_text(ctx, record)?;
    Ok(json!({ "cells": [
        { "text": record.at.to_china_string(), "href": format!("/work/data/uses/{}", record.use_id) },
        { "text": super::uses::who(ctx, record).await? },
        { "text": purpose_text(ctx, record.purpose)?, "hint": record.case_no },
        { "text": coded(ctx, key("sharing-door-"), &record.door)? },
        { "text": record.outcome.rows },
        { "text": text, "pill": { "text": text, "tone": tone } },
    ]}))
}
