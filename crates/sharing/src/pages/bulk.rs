//! 批量使用: the bulk uses of data that a citizen's own row is part of.

use axum::response::Response;
use serde_json::json;
use web::{Ctx, Problem};

use super::{purpose_text, said, uses};
use crate::uses::bulk;

/// Uses of a resource that are listed.
const MOST: u32 = 50;

/// The page.
pub(crate) async fn show(ctx: Ctx) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let mut resources = Vec::new();
    for found in bulk::of_person(&ctx.app, subject, MOST).await? {
        let provider = identity::orgs::org_name(&ctx.read(), &found.resource.provider).await?;
        let mut rows = Vec::new();
        for record in &found.uses {
            rows.push(json!({ "cells": [
                { "text": record.at.to_china_string() },
                { "text": uses::who(&ctx, record).await? },
                { "text": purpose_text(&ctx, record.purpose)?, "hint": record.case_no },
                { "text": record.outcome.rows },
            ]}));
        }
        resources.push(json!({
            "title": said(&ctx, &found.resource.description.title),
            "about": said(&ctx, &found.resource.description.about),
            "provider": said(&ctx, &provider),
            "synthetic": found.resource.description.synthetic,
            "uses": rows,
            "more": found.more,
        }));
    }
    ctx.page("sharing/bulk.html", json!({ "resources": resources, "most": MOST }))
}
