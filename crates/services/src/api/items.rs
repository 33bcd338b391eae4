//! The catalogue.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use packs::Item;
use packs::model::Audience;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::{IntoParams, ToSchema};
use web::forms::{FieldError, JsonBody};
use web::i18n::{Arg, key};
use web::wire::Words;
use web::{Ctx, Problem};

use crate::actions::drafts::{self, NameState};
use crate::catalogue::{Catalogue, Why, guide};
use crate::eligibility;

/// What to look for.
#[derive(Deserialize, IntoParams)]
pub(super) struct ItemsQuery {
    /// Everyday words; without them everything is listed.
    #[serde(default)]
    q: String,
    /// A theme or life event.
    theme: Option<String>,
    /// Who applies: `natural_person`, `enterprise`, ….
    audience: Option<String>,
    /// How many at most, up to 100.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A service in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ItemSummary {
    /// Its id.
    id: String,
    /// Its version.
    hash: String,
    /// Its name.
    name: Words,
    /// What it is for.
    summary: Words,
    /// 基本编码.
    catalog_code: String,
    /// Who decides.
    authority: String,
    /// The promised time, in words.
    promised: Words,
    /// Visits to the counter.
    visits: u32,
    /// The fee in fen.
    fee: i64,
    /// How it was found: `name`, `keyword`, `alike`, `sound`, `text`.
    found_by: &'static str,
    /// The word by which it was found, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_word: Option<String>,
}

/// A page of services.
#[derive(Serialize, ToSchema)]
pub(super) struct ItemList {
    /// The services, best first.
    items: Vec<ItemSummary>,
    /// How many there are over all pages.
    total: usize,
    /// The cursor of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Finds services by everyday words.
#[utoipa::path(get, path = "/api/v1/items", operation_id = "list_items", tag = "services", params(ItemsQuery),
    responses((status = 200, body = ItemList), (status = 400, body = web::ProblemBody)))]
pub(super) async fn list_items(ctx: Ctx, Query(query): Query<ItemsQuery>) -> Result<Response, Problem> {
    let audience: Option<Audience> = match query.audience {
        None => None,
        Some(word) => Some(serde_json::from_value(Json::from(word)).map_err(|_| unreadable("audience"))?),
    };
    let from: usize = match &query.cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| unreadable("cursor"))?,
    };
    let limit = query.limit.unwrap_or(20).clamp(1, 100);
    let hits = Catalogue::of(&ctx.app.pack).search(&query.q, query.theme.as_deref(), audience);
    let total = hits.len();
    let items: Vec<ItemSummary> =
        hits.into_iter().skip(from).take(limit).map(|hit| summary(&hit.item, &hit.why)).collect();
    let end = from.saturating_add(items.len());
    let next = (end < total && !items.is_empty()).then(|| end.to_string());
    Ok(axum::Json(ItemList { items, total, next }).into_response())
}

fn unreadable(field: &str) -> Problem {
    let error = FieldError::new(field, key("services-error-choice"));
    let mut problem = Problem::invalid(vec![error]);
    problem.status = http::StatusCode::BAD_REQUEST;
    problem
}

fn summary(item: &Item, why: &Why) -> ItemSummary {
    let (found_by, found_word) = match why {
        Why::Name => ("name", None),
        Why::Keyword(word) => ("keyword", Some(word.clone())),
        Why::Alike(word) => ("alike", Some(word.clone())),
        Why::Sound(word) => ("sound", Some(word.clone())),
        Why::Text => ("text", None),
    };
    ItemSummary {
        id: item.id.clone(),
        hash: item.hash().to_owned(),
        name: (&item.name).into(),
        summary: (&item.summary).into(),
        catalog_code: item.catalog_code.clone(),
        authority: item.authority.clone(),
        promised: (&item.limits.promised.words()).into(),
        visits: item.visits,
        fee: item.fee.amount,
        found_by,
        found_word,
    }
}

/// What was typed.
#[derive(Deserialize, IntoParams)]
pub(super) struct SuggestionsQuery {
    /// The beginning of a word, in characters or pinyin.
    #[serde(default)]
    q: String,
}

/// Suggestions.
#[derive(Serialize, ToSchema)]
pub(super) struct Suggestions {
    /// Names and keywords.
    suggestions: Vec<String>,
}

/// Names and keywords that begin like what was typed.
#[utoipa::path(get, path = "/api/v1/suggestions", operation_id = "list_suggestions", tag = "services",
    params(SuggestionsQuery), responses((status = 200, body = Suggestions)))]
pub(super) async fn list_suggestions(ctx: Ctx, Query(query): Query<SuggestionsQuery>) -> Response {
    axum::Json(Suggestions { suggestions: Catalogue::of(&ctx.app.pack).suggest(&query.q) }).into_response()
}

/// The guide of a service and the document of its present version.
#[derive(Serialize, ToSchema)]
pub(super) struct ItemDetail {
    /// Its id.
    id: String,
    /// Its version.
    hash: String,
    /// The guide in the language that was asked for, as its page shows it.
    #[schema(value_type = Object)]
    guide: Json,
    /// The canonical document of the version, whose SM3 is the hash.
    #[schema(value_type = Object)]
    document: Json,
}

/// The guide of a service.
#[utoipa::path(get, path = "/api/v1/items/{id}", operation_id = "get_item", tag = "services",
    params(("id" = String, Path, description = "The id of the service.")),
    responses((status = 200, body = ItemDetail), (status = 404, body = web::ProblemBody)))]
pub(super) async fn get_item(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let item = ctx.app.pack.item(&id).ok_or_else(Problem::not_found)?;
    let detail = ItemDetail {
        id: item.id.clone(),
        hash: item.hash().to_owned(),
        guide: guide(&ctx.app, item, ctx.lang())?,
        document: serde_json::from_str(&item.version().canonical_json)?,
    };
    Ok(axum::Json(detail).into_response())
}

/// Answers to the questions before applying.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EligibilityAnswers {
    /// By question; one left out is not known.
    #[schema(value_type = Object)]
    answers: Map<String, Json>,
}

/// What the rules say of the answers.
#[derive(Serialize, ToSchema)]
pub(super) struct EligibilityVerdict {
    /// `eligible`, `not_eligible`, `unsure` or `not_enough_data`.
    outcome: String,
    /// Reasons, article, rules used and what is missing.
    #[schema(value_type = Object)]
    explanation: Json,
}

/// Whether one may apply. Nothing is stored.
#[utoipa::path(post, path = "/api/v1/items/{id}/eligibility", operation_id = "check_eligibility", tag = "services",
    params(("id" = String, Path, description = "The id of the service.")),
    request_body = EligibilityAnswers,
    responses((status = 200, body = EligibilityVerdict), (status = 404, body = web::ProblemBody),
        (status = 422, body = web::ProblemBody)))]
pub(super) async fn check_eligibility(
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<EligibilityAnswers>,
) -> Result<Response, Problem> {
    let item = ctx.app.pack.item(&id).ok_or_else(Problem::not_found)?;
    let (facts, errors) = eligibility::read_json(item, &body.answers, ctx.now().china_date(), ctx.lang());
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let explanation = eligibility::verdict(&ctx.app, item, &facts, ctx.lang())?;
    let outcome = explanation.get("outcome").and_then(Json::as_str).unwrap_or_default().to_owned();
    Ok(axum::Json(EligibilityVerdict { outcome, explanation }).into_response())
}

/// Which name.
#[derive(Deserialize, IntoParams)]
pub(super) struct NameQuery {
    /// The name.
    #[serde(default)]
    name: String,
    /// The service for which it is wanted; the place of its authority counts.
    item: Option<String>,
}

/// Whether a name can be had.
#[derive(Serialize, ToSchema)]
pub(super) struct NameAvailability {
    /// Whether it can be had now. It is held with a submission, not before.
    available: bool,
    /// `free`, `taken` or `not_allowed`.
    state: &'static str,
    /// The same in words.
    message: String,
    /// Other names to try.
    alternatives: Vec<String>,
}

/// Whether the name of a business is free.
#[utoipa::path(get, path = "/api/v1/names/availability", operation_id = "get_name_availability", tag = "services",
    params(NameQuery), responses((status = 200, body = NameAvailability), (status = 404, body = web::ProblemBody)))]
pub(super) async fn get_name_availability(
    ctx: Ctx,
    Query(query): Query<NameQuery>,
) -> Result<Response, Problem> {
    let asks = |item: &&std::sync::Arc<Item>| {
        item.form.fields().any(|(_, field)| field.check.as_deref() == Some(drafts::NAME_CHECK))
    };
    let item = match &query.item {
        Some(id) => ctx.app.pack.item(id),
        None => ctx.app.pack.items().find(asks),
    };
    let item = item.ok_or_else(Problem::not_found)?.clone();
    let answer = match drafts::name_state(&ctx.app, &item, &query.name).await? {
        NameState::Free(name) => NameAvailability {
            available: true,
            state: "free",
            message: ctx.text(key("services-name-free"), &[("name", Arg::from(name.as_str()))])?,
            alternatives: Vec::new(),
        },
        NameState::Taken(name) => {
            let others = name.alternatives();
            NameAvailability {
                available: false,
                state: "taken",
                message: ctx.text(key("services-name-taken"), &[("others", Arg::from(others.join("、")))])?,
                alternatives: others,
            }
        }
        NameState::Wrong(error) => NameAvailability {
            available: false,
            state: "not_allowed",
            message: ctx.text(error.key(), &[("part", Arg::from(error.part()))])?,
            alternatives: Vec::new(),
        },
    };
    Ok(axum::Json(answer).into_response())
}
