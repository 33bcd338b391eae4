//! The API: what may be used, one page of a resource, a query, and the receipts.

mod uses;
pub(crate) use uses::may_read;
pub mod wire;

use axum::Json;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use identity::tokens::SCOPE_DATA;
use lake::export::IpcWriter;
use store::Purpose;
use utoipa::OpenApi;
use web::forms::{FieldError, JsonBody};
use web::i18n::key;
use web::{Access, Ctx, Problem, ProblemBody, Routes};

use crate::records::Wanted;
use crate::uses::{Asker, Desk, Door, Running, UseError, body};

/// The media type of an Arrow stream.
const ARROW: &str = "application/vnd.apache.arrow.stream";
/// The header that names the use of an answer.
const USE_HEADER: HeaderName = HeaderName::from_static("x-yiwang-use");

/// The most rows of a query in JSON; an Arrow stream has them all.
const MOST_ROWS: usize = 10_000;

/// Every route of the API.
pub(crate) fn routes() -> Routes {
    let access = Access::OfficerOrScope(SCOPE_DATA);
    Routes::new()
        .get("/api/v1/data/resources", access, list_data_resources)
        .get("/api/v1/data/resources/{id}/records", access, list_data_records)
        .post("/api/v1/data/queries", access, run_data_query)
        .get("/api/v1/data/uses", access, uses::list_data_uses)
        .get("/api/v1/data/uses/{id}/receipt", access, uses::get_data_receipt)
        .get("/api/v1/data/uses/{id}/lineage", access, uses::get_data_lineage)
}

/// The description of this crate's part of the API.
#[derive(OpenApi)]
#[openapi(
    paths(
        list_data_resources,
        list_data_records,
        run_data_query,
        uses::list_data_uses,
        uses::get_data_receipt,
        uses::get_data_lineage
    ),
    components(schemas(
        web::wire::Words,
        wire::Resource,
        wire::ResourceColumn,
        wire::ResourceList,
        wire::Records,
        wire::NewQuery,
        wire::Rows,
        wire::Column,
        wire::Use,
        wire::UseList,
        web::ProblemBody,
        web::FieldProblem
    ))
)]
pub(crate) struct Api;

/// What somebody asks for, from the address.
fn asker(ctx: &Ctx, purpose: Option<&str>, case_no: Option<&str>, door: Door) -> Result<Asker, Problem> {
    let purpose = purpose
        .and_then(parse_purpose)
        .ok_or_else(|| Problem::invalid(vec![FieldError::new("purpose", key("sharing-field-purpose"))]))?;
    Ok(Asker { actor: ctx.actor().clone(), purpose, case_no: case_no.map(str::to_owned), door })
}

/// A purpose for which data is given out.
pub(crate) fn parse_purpose(word: &str) -> Option<Purpose> {
    grants::model::terms::PURPOSES.into_iter().find(|purpose| purpose.as_str() == word)
}

/// The resources that the caller may use, whatever the purpose, each with its grant.
#[utoipa::path(
    get, path = "/api/v1/data/resources", operation_id = "list_data_resources", tag = "data",
    responses((status = 200, body = wire::ResourceList), (status = 403, body = ProblemBody))
)]
async fn list_data_resources(ctx: Ctx) -> Result<Json<wire::ResourceList>, Problem> {
    let mut resources = Vec::new();
    for admitted in crate::uses::everything(&ctx.app, ctx.actor()).await? {
        resources.push(wire::Resource::new(&admitted));
    }
    Ok(Json(wire::ResourceList { resources }))
}

/// Rows of one resource. Filters: `column=value`, `column.in=a,b`, `column.gte=`, `.gt`, `.lte`, `.lt`,
/// `column.empty=true`; `select` names columns.
#[utoipa::path(
    get, path = "/api/v1/data/resources/{id}/records", operation_id = "list_data_records", tag = "data",
    params(
        ("id" = String, Path), ("purpose" = String, Query), ("case_no" = Option<String>, Query),
        ("select" = Option<String>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)
    ),
    responses(
        (status = 200, body = wire::Records), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)
    )
)]
async fn list_data_records(
    ctx: Ctx,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let asker = asker(&ctx, value("purpose"), value("case_no"), Door::Rest)?;
    let wanted = Wanted::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
    let desk = Desk::open_one(&ctx.app, asker, &id).await?;
    let (sql, version, synthetic) = {
        let admitted = desk.resources().next().ok_or_else(Problem::not_found)?;
        (wanted.statement(admitted)?, admitted.table.version, admitted.resource.description.synthetic)
    };
    let whole = desk.run(&sql).await?.whole(wanted.limit).await?;
    let rows = wire::objects(&whole.columns, &whole.rows).map_err(UseError::from)?;
    let next_cursor = if rows.len() == wanted.limit { wanted.next() } else { None };
    let use_id = whole.use_id.to_string();
    let body = wire::Records { use_id: use_id.clone(), resource: id, version, synthetic, rows, next_cursor };
    Ok(with_use(Json(body).into_response(), &use_id))
}

/// Runs a query over what the caller's grants for this purpose show. With `Accept:
/// application/vnd.apache.arrow.stream` the rows come as an Arrow stream, as many as there are.
#[utoipa::path(
    post, path = "/api/v1/data/queries", operation_id = "run_data_query", tag = "data",
    request_body = wire::NewQuery,
    responses(
        (status = 200, body = wire::Rows), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody), (status = 429, body = ProblemBody), (status = 504, body = ProblemBody)
    )
)]
async fn run_data_query(
    ctx: Ctx,
    headers: HeaderMap,
    JsonBody(query): JsonBody<wire::NewQuery>,
) -> Result<Response, Problem> {
    let asker = asker(&ctx, Some(&query.purpose), query.case_no.as_deref(), Door::Rest)?;
    let most = query.max_rows.unwrap_or(crate::records::MOST);
    if !(1..=MOST_ROWS).contains(&most) {
        return Err(Problem::invalid(vec![FieldError::new("max_rows", key("sharing-field-filter"))]));
    }
    let running = Desk::open(&ctx.app, asker).await?.run(&query.sql).await?;
    let wants_arrow = headers.get(ACCEPT).is_some_and(|value| value.as_bytes() == ARROW.as_bytes());
    if wants_arrow {
        return arrow(running).await;
    }
    let whole = running.whole(most).await?;
    let use_id = whole.use_id.to_string();
    let body = wire::Rows {
        use_id: use_id.clone(),
        columns: whole.columns.iter().map(wire::Column::from).collect(),
        rows: wire::arrays(&whole.columns, &whole.rows).map_err(UseError::from)?,
        more: whole.more,
    };
    Ok(with_use(Json(body).into_response(), &use_id))
}

/// The rows as an Arrow stream.
async fn arrow(running: Running) -> Result<Response, Problem> {
    let use_id = running.use_id().to_string();
    let writer = IpcWriter::new(running.answer()).map_err(UseError::from)?;
    let mut response = body(running, Box::new(writer)).await?.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(ARROW));
    Ok(with_use(response, &use_id))
}

fn with_use(mut response: Response, use_id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(use_id) {
        response.headers_mut().insert(USE_HEADER, value);
    }
    response
}
