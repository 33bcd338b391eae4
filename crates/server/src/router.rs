//! The parts that answer requests, and the few answers that belong to none of them.

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use kernel::actor::Actor;
use packs::Pack;
use rust_embed::RustEmbed;
use serde::Serialize;
use serde_json::json;
use store::Reads;
use utoipa::OpenApi;
use web::i18n::key;
use web::{Access, App, Ctx, NavItem, Problem, Routes};

/// Pages of the house itself: accessibility, privacy, contact.
#[derive(RustEmbed)]
#[folder = "templates"]
pub struct Templates;

/// Their texts.
#[derive(RustEmbed)]
#[folder = "locales"]
pub struct Locales;

/// Every route of the node.
pub fn routes() -> Routes {
    Routes::new()
        .get("/healthz", Access::Public, healthz)
        .get("/readyz", Access::Public, readyz)
        .get("/api/openapi.json", Access::Public, openapi_json)
        .get("/about/accessibility", Access::Public, accessibility)
        .get("/about/privacy", Access::Public, privacy)
        .get("/about/contact", Access::Public, contact)
        .merge(services::routes())
        .merge(identity::routes())
        .merge(cases::routes())
        .merge(licences::routes())
        .merge(sharing::routes())
}

/// The main navigation, in order.
pub fn nav() -> Vec<NavItem> {
    let item = |href, key, access| NavItem { href, key, access, only: None };
    let supervisor = |actor: &Actor, pack: &Pack| cases::supervision::require_supervisor(actor, pack).is_ok();
    vec![
        item("/", key("server-nav-home"), Access::Public),
        item("/search", key("server-nav-services"), Access::Public),
        item("/my", key("server-nav-my"), Access::Citizen),
        item("/my/licences", key("server-nav-licences"), Access::Citizen),
        item("/work", key("server-nav-work"), Access::Officer),
        item("/work/licences", key("server-nav-work-licences"), Access::Officer),
        item("/work/data", key("server-nav-data"), Access::Officer),
        NavItem {
            only: Some(supervisor),
            ..item("/supervision", key("server-nav-supervision"), Access::Officer)
        },
        item("/audit", key("server-nav-audit"), Access::Auditor),
        item("/admin/orgs", key("server-nav-admin"), Access::Administrator),
        item("/verify", key("server-nav-verify"), Access::Public),
    ]
}

/// The finished service, with assets outside the shell: they are the same for everybody.
pub fn service(app: App) -> anyhow::Result<Router> {
    let assets = std::sync::Arc::new(web::assets::Assets::embedded()?);
    let files: Router = web::assets::router(assets);
    Ok(files.merge(web::serve(app, routes())))
}

/// The description of the API: every crate's part and the few answers above.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Own::openapi();
    document.info.title = "Yiwang".to_owned();
    document.info.version = "1".to_owned();
    for part in [services::openapi(), identity::openapi(), cases::openapi(), licences::openapi(), sharing::openapi()] {
        document.merge(part);
    }
    document
}

#[derive(OpenApi)]
#[openapi(
    paths(healthz, readyz),
    components(schemas(Health, web::ProblemBody)),
    info(
        description = "One-stop services, cases, e-licences and the audit log of one node. Errors are application/problem+json with a stable code; lists page by cursor; a submission takes an Idempotency-Key."
    )
)]
struct Own;

/// How the node is.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// `ok`, or `degraded` when something needs an operator.
    status: &'static str,
    /// Jobs that wait for their time or a worker.
    jobs_waiting: i64,
    /// Jobs that failed too often and lie still.
    jobs_dead: i64,
    /// `sqlite` or `postgresql`.
    ledger: &'static str,
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/healthz", operation_id = "get_health", responses((status = 200, body = Health)))]
async fn healthz(ctx: Ctx) -> Result<Response, Problem> {
    let (jobs_waiting, jobs_dead) = store::jobs::counts(&ctx.app.store).await?;
    let status = if jobs_dead > 0 { "degraded" } else { "ok" };
    let health = Health { status, jobs_waiting, jobs_dead, ledger: ctx.app.store.database_name() };
    Ok(axum::Json(health).into_response())
}

/// Whether the node can serve: the ledger answers.
#[utoipa::path(get, path = "/readyz", operation_id = "get_readiness", responses((status = 200), (status = 503)))]
async fn readyz(ctx: Ctx) -> Response {
    match ctx.read().count("SELECT 1 AS n", vec![]).await {
        Ok(_) => (StatusCode::OK, "ready\n").into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the ledger does not answer\n").into_response(),
    }
}

async fn openapi_json() -> Result<Response, Problem> {
    let text = openapi().to_json()?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

async fn accessibility(ctx: Ctx) -> Result<Response, Problem> {
    ctx.public_page("accessibility", "server/accessibility.html", || Ok(json!({})))
}

async fn privacy(ctx: Ctx) -> Result<Response, Problem> {
    ctx.public_page("privacy", "server/privacy.html", || Ok(json!({})))
}

async fn contact(ctx: Ctx) -> Result<Response, Problem> {
    ctx.public_page("contact", "server/contact.html", || Ok(json!({})))
}
