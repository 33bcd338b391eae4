//! The desk: what one may use, and what one's office provides.

use axum::response::Response;
use grants::Admitted;
use grants::model::terms::Environment;
use serde_json::{Value as Json, json};
use web::i18n::key;
use web::{Ctx, Problem};

use super::{coded, last_day, purpose_text, said};
use crate::problem::grant as problem;
use crate::uses;

/// The desk.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Problem> {
    let mut usable = Vec::new();
    for admitted in uses::everything(&ctx.app, ctx.actor()).await? {
        usable.push(card(&ctx, &admitted).await?);
    }
    let mut provided = Vec::new();
    for resource in grants::resources::list(&ctx.read()).await.map_err(problem)? {
        if !grants::actions::keeps(ctx.actor(), &ctx.app.pack, &resource.provider) {
            continue;
        }
        let counts = lake::inbox::counts(&ctx.read(), &resource.id).await.map_err(uses::UseError::from)?;
        let held = grants::store::of_resource(&ctx.read(), resource.id.as_str()).await.map_err(problem)?;
        let now = ctx.now();
        let active = held.iter().filter(|grant| grant.standing(now).as_str() == "active").count();
        let waiting = held.iter().filter(|grant| grant.standing(now).as_str() == "proposed").count();
        provided.push(json!({ "cells": [
            {
                "text": said(&ctx, &resource.description.title),
                "href": format!("/work/data/resources/{}", resource.id),
                "hint": resource.id.to_string(),
            },
            { "text": coded(&ctx, key("sharing-grade-"), &resource.grade.to_string())? },
            { "text": counts.rows, "sort": counts.rows },
            { "text": active },
            { "text": waiting, "pill": (waiting > 0).then(|| json!({ "text": waiting, "tone": "warn" })) },
        ]}));
    }
    let keeps =
        !provided.is_empty() || ctx.actor().posts().iter().any(|held| held.role == grants::actions::STEWARD);
    ctx.page("sharing/overview.html", json!({ "usable": usable, "provided": provided, "keeps": keeps }))
}

/// A resource that may be used, with its grant.
async fn card(ctx: &Ctx, admitted: &Admitted) -> Result<Json, Problem> {
    let Admitted { grant, resource, policy, .. } = admitted;
    let provider = identity::orgs::org_name(&ctx.read(), &resource.provider).await?;
    let masked = policy.columns.iter().filter(|shown| shown.mask.is_some()).count();
    Ok(json!({
        "title": said(ctx, &resource.description.title),
        "id": resource.id.to_string(),
        "about": said(ctx, &resource.description.about),
        "provider": said(ctx, &provider),
        "purpose": purpose_text(ctx, grant.terms.purpose)?,
        "purpose_code": grant.terms.purpose.as_str(),
        "aggregates": matches!(grant.terms.environment, Environment::Aggregates { .. }),
        "columns": policy.columns.len(),
        "masked": masked,
        "some_rows": policy.rows.is_some(),
        "valid_to": last_day(grant.terms.valid_to),
        "uses_left": grant.terms.most_uses.map(|most| most.saturating_sub(grant.uses)),
        "synthetic": resource.description.synthetic,
        "href": format!("/work/data/grants/{}", grant.id),
    }))
}
