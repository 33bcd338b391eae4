//! 装载: what the stewards of an office hand in, confirm, and watch while it arrives.

mod confirm;
mod hand_in;
mod progress;

use axum::extract::{Path, Query};
use axum::response::Response;
use grants::actions::STEWARD;
use kernel::ids::OrgCode;
use lake::loading::{self, Load, State};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use web::i18n::key;
use web::{Ctx, Problem};

pub(crate) use self::confirm::act;
pub(crate) use self::hand_in::{MOST_BYTES, form, hand_in};
pub(crate) use self::progress::rejected_file;
use super::coded;
use crate::loads::{self, Loading, LoadingError, LoadingId, Stage};
use crate::problem::loading as problem;

/// Loadings of a page.
const PAGE: u32 = 20;

/// Which page.
#[derive(Deserialize)]
pub(crate) struct Page {
    before: Option<String>,
}

/// What the office loads and has loaded.
pub(crate) async fn list(ctx: Ctx, Query(page): Query<Page>) -> Result<Response, Problem> {
    let before = page.before.and_then(|cursor| cursor.parse::<LoadingId>().ok());
    let mut loadings = Vec::new();
    for org in stewarded(&ctx)? {
        loadings.extend(loads::list(&ctx.read(), &org, before, PAGE).await.map_err(problem)?);
    }
    loadings.sort_by_key(|loading| std::cmp::Reverse(loading.id));
    loadings.truncate(PAGE as usize);
    let full = loadings.len() == PAGE as usize;
    let next = loadings.last().filter(|_| full).map(|last| last.id.to_string());
    let mut rows = Vec::new();
    for loading in &loadings {
        rows.push(row(&ctx, loading).await?);
    }
    ctx.page(
        "sharing/loads.html",
        json!({
            "loads": rows,
            "next": next.map(|cursor| format!("/work/data/loads?before={cursor}")),
            "first": before.map(|_| "/work/data/loads"),
        }),
    )
}

/// The organisations whose steward the reader is; whoever is none has no business here.
fn stewarded(ctx: &Ctx) -> Result<Vec<OrgCode>, Problem> {
    let posts = ctx.actor().posts().iter().filter(|held| held.role == STEWARD);
    let orgs: Vec<OrgCode> = posts.map(|held| held.org.clone()).collect();
    if orgs.is_empty() { Err(Problem::forbidden("grants.not_your_post")) } else { Ok(orgs) }
}

/// One loading: the form of a draft, else where it stands.
pub(crate) async fn show(
    ctx: Ctx,
    Path(id): Path<String>,
    Query(page): Query<progress::Page>,
) -> Result<Response, Problem> {
    let loading = own(&ctx, &id).await?;
    match loading.stage {
        Stage::Draft => {
            let context = confirm::context(&ctx, &loading, None).await?;
            ctx.page("sharing/load_confirm.html", context)
        }
        Stage::Running | Stage::Ended => progress::show(&ctx, &loading, &page).await,
    }
}

/// The loading, if the reader is a steward of its provider. Of others not even that it is there is told.
async fn own(ctx: &Ctx, id: &str) -> Result<Loading, Problem> {
    let orgs = stewarded(ctx)?;
    let id = id.parse::<LoadingId>().map_err(|_| Problem::not_found())?;
    let loading = loads::find(&ctx.read(), id).await.map_err(problem)?;
    loading.filter(|loading| orgs.contains(&loading.provider)).ok_or_else(Problem::not_found)
}

async fn load_of(ctx: &Ctx, loading: &Loading) -> Result<Option<Load>, Problem> {
    match loading.load {
        Some(id) => {
            loading::find_load(&ctx.read(), id).await.map_err(|error| problem(LoadingError::from(error)))
        }
        None => Ok(None),
    }
}

async fn row(ctx: &Ctx, loading: &Loading) -> Result<Json, Problem> {
    let load = load_of(ctx, loading).await?;
    let (text, tone) = standing(ctx, loading, load.as_ref())?;
    let progress = load.map(|load| load.progress).unwrap_or_default();
    Ok(json!({ "cells": [
        {
            "text": loading.content.proposal.source,
            "href": format!("/work/data/loads/{}", loading.id),
            "hint": loading.created_at.to_china_string(),
        },
        { "text": loading.resource.to_string() },
        { "text": text, "pill": { "text": text, "tone": tone } },
        { "text": progress.arrived },
        { "text": progress.rejected },
    ]}))
}

/// Where a loading stands, in words, and the tone of its pill.
fn standing(ctx: &Ctx, loading: &Loading, load: Option<&Load>) -> Result<(String, &'static str), Problem> {
    let (word, tone) = match (loading.stage, load.map(|load| load.state)) {
        (Stage::Draft, _) => ("draft", "info"),
        (Stage::Running, None) => ("waiting", "plain"),
        (Stage::Running, Some(State::Arriving)) => ("arriving", "info"),
        (Stage::Running, Some(_)) => ("checking", "info"),
        (Stage::Ended, Some(State::Done)) => ("done", "good"),
        (Stage::Ended, Some(State::Repeated)) => ("repeated", "good"),
        (Stage::Ended, Some(State::Refused)) => ("refused", "warn"),
        (Stage::Ended, Some(State::Cancelled)) => ("cancelled", "warn"),
        (Stage::Ended, _) => ("failed", "bad"),
    };
    Ok((coded(ctx, key("sharing-load-state-"), word)?, tone))
}
