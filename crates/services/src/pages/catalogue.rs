//! Home, search, guide and eligibility: everything before one signs in.

use axum::extract::{Path, Query};
use axum::response::Response;
use packs::model::{Audience, ThemeKind};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use web::forms::Posted;
use web::i18n::{Lang, key};
use web::{Ctx, Problem};

use crate::catalogue::{Catalogue, Hit, Why, guide, held_materials};
use crate::eligibility;

/// `GET /`
pub(crate) async fn home(ctx: Ctx) -> Result<Response, Problem> {
    let catalogue = Catalogue::of(&ctx.app.pack);
    let held = match ctx.actor().acting_for() {
        Some(subject) => crate::outside::held_types(&ctx.read(), subject).await?,
        None => Vec::new(),
    };
    let context = || {
        let events = catalogue.themes(ThemeKind::LifeEvent);
        let life_events: Vec<Json> = events
            .iter()
            .map(|(theme, items)| {
                let names: Vec<&packs::model::Words> = items.iter().map(|item| &item.name).collect();
                json!({ "id": theme.id, "name": theme.name, "items": names, "count": items.len() })
            })
            .collect();
        let subjects: Vec<Json> = catalogue
            .themes(ThemeKind::Subject)
            .iter()
            .map(|(theme, items)| json!({ "id": theme.id, "name": theme.name, "count": items.len() }))
            .collect();
        let mut often: Vec<&str> = Vec::new();
        for item in catalogue.items() {
            often.extend(item.keywords.iter().filter(|word| !word.is_ascii()).take(1).map(String::as_str));
        }
        Ok(json!({
            "life_events": life_events,
            "subjects": subjects,
            "often": often,
            "with_held": with_held(&ctx, &catalogue, &held),
            "items": catalogue.items().map(|item| card(&ctx, item)).collect::<Vec<_>>(),
            "phone": ctx.app.pack.node().phone,
            "place": ctx.app.pack.node().place,
        }))
    };
    ctx.public_page("services/home", "services/home.html", context)
}

/// For each type of licence: what can be done with it without bringing its paper.
fn with_held(ctx: &Ctx, catalogue: &Catalogue, held: &[String]) -> Vec<Json> {
    let signed_in = !matches!(ctx.actor(), kernel::actor::Actor::Anonymous);
    let types = ctx.app.pack.licence_types().filter(|one| !signed_in || held.iter().any(|id| *id == one.id));
    types
        .filter_map(|one| {
            let items: Vec<Json> = catalogue
                .items()
                .filter(|item| held_materials(item, &one.id).next().is_some())
                .map(|item| json!({ "id": item.id, "name": item.name }))
                .collect();
            (!items.is_empty()).then(|| json!({ "licence": one.name, "items": items }))
        })
        .collect()
}

/// What a search asks.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SearchQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    who: String,
}

/// `GET /search?q=`
pub(crate) async fn search_page(ctx: Ctx, Query(query): Query<SearchQuery>) -> Result<Response, Problem> {
    let catalogue = Catalogue::of(&ctx.app.pack);
    let theme = ctx.app.pack.node().themes.iter().find(|theme| theme.id == query.theme);
    let who = match query.who.as_str() {
        "person" => Some(Audience::NaturalPerson),
        "business" => Some(Audience::Enterprise),
        _ => None,
    };
    let hits = catalogue.search(&query.q, theme.map(|theme| theme.id.as_str()), who);
    let results: Vec<Json> = hits.iter().map(|hit| found(&ctx, hit)).collect::<Result<_, _>>()?;
    let themes: Vec<Json> = [ThemeKind::LifeEvent, ThemeKind::Subject]
        .into_iter()
        .flat_map(|kind| catalogue.themes(kind))
        .map(|(theme, items)| json!({ "id": theme.id, "name": theme.name, "count": items.len() }))
        .collect();
    ctx.page(
        "services/search.html",
        json!({
            "q": query.q.chars().take(100).collect::<String>(),
            "theme": theme.map(|theme| json!({ "id": theme.id, "name": theme.name })),
            "who": query.who,
            "results": results,
            "count": results.len(),
            "themes": themes,
            "others": catalogue.items().map(|item| card(&ctx, item)).collect::<Vec<_>>(),
            "phone": ctx.app.pack.node().phone,
        }),
    )
}

/// `GET /items`: everything, as a search without a question.
pub(crate) async fn items_page(ctx: Ctx) -> Result<Response, Problem> {
    Ok(ctx.redirect("/search", None))
}

fn found(ctx: &Ctx, hit: &Hit) -> Result<Json, Problem> {
    let mut card = card(ctx, &hit.item);
    let why = match &hit.why {
        Why::Name | Why::Text => None,
        Why::Keyword(word) => {
            Some(ctx.text(key("services-found-keyword"), &[("word", word.as_str().into())])?)
        }
        Why::Alike(word) => Some(ctx.text(key("services-found-alike"), &[("word", word.as_str().into())])?),
        Why::Sound(word) => Some(ctx.text(key("services-found-sound"), &[("word", word.as_str().into())])?),
    };
    if let (Json::Object(object), Some(why)) = (&mut card, why) {
        object.insert("why".to_owned(), Json::from(why));
    }
    Ok(card)
}

/// An item as a card shows it.
pub(crate) fn card(ctx: &Ctx, item: &packs::Item) -> Json {
    let authority = ctx.app.pack.org(&item.authority).map(|org| &org.name);
    json!({
        "id": item.id, "name": item.name, "summary": item.summary, "authority": authority,
        "promised": item.limits.promised.words(), "visits": item.visits, "free": item.fee.amount == 0,
    })
}

/// `GET /items/{id}`: the guide.
pub(crate) async fn guide_page(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let item = ctx.app.pack.item(&id).ok_or_else(Problem::not_found)?.clone();
    // The rules of the law are dated, so the page of another day may be another.
    let key = format!("services/guide/{id}/{}/{}", item.hash(), ctx.now().china_date());
    let lang = ctx.lang();
    ctx.public_page(&key, "services/guide.html", || Ok(json!({ "guide": guide(&ctx.app, &item, lang)? })))
}

/// `GET /items/{id}/check`: the questions before applying, on one short page.
pub(crate) async fn check_page(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let item = ctx.app.pack.item(&id).ok_or_else(Problem::not_found)?.clone();
    if item.eligibility.is_none() {
        return Ok(ctx.redirect(&format!("/apply/{id}"), None));
    }
    ctx.page("services/check.html", check_context(&item, ctx.lang()))
}

/// `POST /items/{id}/check`: the verdict. Nothing is stored.
pub(crate) async fn check_post(
    ctx: Ctx,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let item = ctx.app.pack.item(&id).ok_or_else(Problem::not_found)?.clone();
    let (values, errors) = eligibility::read(&item, &posted, ctx.now().china_date(), ctx.lang());
    let mut context = check_context(&item, ctx.lang());
    if !errors.is_empty() {
        if let Json::Object(object) = &mut context {
            object.insert("values".to_owned(), crate::model::input::echo(&posted));
        }
        return ctx.form_again("services/check.html", context, &errors);
    }
    let verdict = eligibility::verdict(&ctx.app, &item, &values, ctx.lang())?;
    let others = Catalogue::of(&ctx.app.pack);
    let others: Vec<Json> = others
        .items()
        .filter(|other| other.id != item.id && other.themes.iter().any(|theme| item.themes.contains(theme)))
        .map(|other| card(&ctx, other))
        .collect();
    ctx.page(
        "services/verdict.html",
        json!({
            "item": { "id": item.id, "name": item.name, "books": item.appointment.is_some() },
            "verdict": verdict, "others": others, "phone": ctx.app.pack.node().phone,
        }),
    )
}

fn check_context(item: &packs::Item, lang: Lang) -> Json {
    json!({
        "item": { "id": item.id, "name": item.name },
        "questions": item.eligibility.iter().flat_map(|all| &all.questions).map(|one| crate::model::input::question_view(one, lang)).collect::<Vec<_>>(),
    })
}
