//! The console: SQL in the browser over what the grants for one purpose show.

mod export;

use axum::extract::Query;
use axum::response::Response;
use grants::Admitted;
use grants::model::terms::{PURPOSES, needs_case};
use kernel::error::Coded;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use store::Purpose;
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use self::export::FileKind;
use super::{coded, purpose_text, said};
use crate::api::parse_purpose;
use crate::records::name;
use crate::uses::{self, Asker, Desk, Door, UseError, Whole};

/// Rows that a page shows; a file has more.
const ROWS: usize = 200;

/// Where one comes from.
#[derive(Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    table: String,
    #[serde(default)]
    purpose: String,
}

/// The empty console, with a first question about the table that one comes from.
pub(crate) async fn show(ctx: Ctx, Query(from): Query<From>) -> Result<Response, Problem> {
    let all = uses::everything(&ctx.app, ctx.actor()).await?;
    let known = all.iter().find(|one| one.resource.id.as_str() == from.table);
    let sql = known.map_or_else(String::new, |one| first_question(one));
    let purpose = parse_purpose(&from.purpose)
        .or_else(|| known.map(|one| one.grant.terms.purpose))
        .or_else(|| all.first().map(|one| one.grant.terms.purpose))
        .unwrap_or(Purpose::Statistics);
    let values = json!({ "sql": sql, "purpose": purpose.as_str(), "case_no": "" });
    ctx.page("sharing/console.html", context(&ctx, &all, values)?)
}

/// Runs the statement.
pub(crate) async fn run(ctx: Ctx, posted: Posted) -> Result<Response, Problem> {
    let all = uses::everything(&ctx.app, ctx.actor()).await?;
    let (sql, case_no) = (posted.get("sql"), posted.get("case_no"));
    let values = json!({ "sql": sql, "purpose": posted.get("purpose"), "case_no": case_no });
    let mut page = context(&ctx, &all, values)?;
    let Some(purpose) = parse_purpose(posted.get("purpose")) else {
        let errors = [FieldError::new("purpose", key("sharing-field-purpose"))];
        return ctx.form_again("sharing/console.html", page, &errors);
    };
    if sql.is_empty() {
        let errors = [FieldError::new("sql", key("sharing-field-sql"))];
        return ctx.form_again("sharing/console.html", page, &errors);
    }
    let file = FileKind::parse(posted.get("file"));
    let asker = Asker {
        actor: ctx.actor().clone(),
        purpose,
        case_no: (!case_no.is_empty()).then(|| case_no.to_owned()),
        door: if file.is_some() { Door::Export } else { Door::Console },
    };
    let synthetic =
        all.iter().any(|one| one.resource.description.synthetic && sql.contains(one.resource.id.as_str()));
    let answered = match file {
        Some(kind) => export::export(&ctx, asker, sql, kind, synthetic).await?,
        None => match answer(&ctx, asker, sql).await {
            Ok(whole) => {
                page_of(&ctx, &mut page, &whole, synthetic)?;
                Ok(ctx.page("sharing/console.html", page.clone())?)
            }
            Err(error) => Err(error),
        },
    };
    match answered {
        Ok(response) => Ok(response),
        Err(error) => {
            let errors = [refused(error)?];
            ctx.form_again("sharing/console.html", page, &errors)
        }
    }
}

async fn answer(ctx: &Ctx, asker: Asker, sql: &str) -> Result<Whole, UseError> {
    Desk::open(&ctx.app, asker).await?.run(sql).await?.whole(ROWS).await
}

/// What was wrong with the statement, at its field. What is our own fault stays one.
fn refused(error: UseError) -> Result<FieldError, Problem> {
    let code = error.code();
    let field = match &error {
        UseError::Case => return Ok(FieldError::new("case_no", key("sharing-field-case"))),
        UseError::Refused(_) => "purpose",
        _ => "sql",
    };
    let problem = Problem::from(error);
    if problem.status.is_server_error() && code != "lake.limit_time" {
        return Err(problem);
    }
    Ok(FieldError { field: field.to_owned(), key: problem.key(), args: problem.args })
}

/// `SELECT` of the first columns: something to begin with.
fn first_question(one: &Admitted) -> String {
    let columns: Vec<String> =
        one.policy.columns.iter().take(6).map(|shown| plain_name(&shown.column)).collect();
    let table = plain_name(one.resource.id.as_str());
    match one.grant.terms.environment {
        grants::Environment::Rows {} => format!("SELECT {}\n  FROM {table}\n LIMIT 20", columns.join(", ")),
        grants::Environment::Aggregates { .. } => {
            let group = columns.first().cloned().unwrap_or_default();
            format!("SELECT {group}, COUNT(*)\n  FROM {table}\n GROUP BY {group}")
        }
    }
}

/// A name as one would type it; in quotes only where it needs them.
fn plain_name(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain { text.to_owned() } else { name(text) }
}

fn page_of(ctx: &Ctx, page: &mut Json, whole: &Whole, synthetic: bool) -> Result<(), Problem> {
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for part in &whole.rows {
        rows.extend(part.texts().map_err(UseError::from)?);
    }
    let columns: Vec<Json> = whole
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "numeric": column.numeric, "kind": column.kind }))
        .collect();
    let count = rows.len();
    let result = json!({
        "columns": columns,
        "rows": rows,
        "count": count,
        "more": whole.more,
        "most": ROWS,
        "use_id": whole.use_id.to_string(),
        "href": format!("/work/data/uses/{}", whole.use_id),
        "synthetic": synthetic,
        "caption": ctx.text(key("sharing-result-caption"), &[("count", u32::try_from(count).unwrap_or(u32::MAX).into())])?,
    });
    if let Json::Object(page) = page {
        page.insert("result".to_owned(), result);
    }
    Ok(())
}

fn context(ctx: &Ctx, all: &[Admitted], values: Json) -> Result<Json, Problem> {
    let mut tables = Vec::new();
    let mut schema = Map::new();
    for one in all {
        let id = one.resource.id.to_string();
        let mut columns = Vec::new();
        for shown in &one.policy.columns {
            let kind = one.policy.shown_kind(&one.table.schema, &shown.column);
            let kind = match kind {
                Some(kind) => coded(ctx, key("sharing-kind-"), super::resource::kind_word(kind))?,
                None => String::new(),
            };
            columns.push(json!({
                "name": shown.column,
                "title": said(ctx, &one.resource.title_of(&shown.column)),
                "kind": kind,
                "masked": shown.mask.is_some(),
                "matched": shown.matched,
            }));
        }
        let completions = columns.iter().map(|column| {
            json!({
                "label": column.get("name"),
                "detail": format!(
                    "{} · {}",
                    column.get("title").and_then(Json::as_str).unwrap_or_default(),
                    column.get("kind").and_then(Json::as_str).unwrap_or_default()
                ),
            })
        });
        schema.insert(id.clone(), completions.collect());
        tables.push(json!({
            "id": id,
            "title": said(ctx, &one.resource.description.title),
            "purpose": purpose_text(ctx, one.grant.terms.purpose)?,
            "aggregates": matches!(one.grant.terms.environment, grants::Environment::Aggregates { .. }),
            "synthetic": one.resource.description.synthetic,
            "columns": columns,
        }));
    }
    let mut purposes = Vec::new();
    for purpose in PURPOSES {
        if all.iter().any(|one| one.grant.terms.purpose == purpose) {
            let hint =
                if needs_case(purpose) { Some(ctx.text(key("sharing-needs-case"), &[])?) } else { None };
            let text = purpose_text(ctx, purpose)?;
            let text = hint.map_or_else(|| text.clone(), |hint| format!("{text}（{hint}）"));
            purposes.push(json!({ "value": purpose.as_str(), "text": text }));
        }
    }
    Ok(json!({
        "tables": tables,
        // In a script element nothing may look like its end.
        "schema": serde_json::to_string(&schema)?.replace('<', "\\u003c"),
        "purposes": purposes,
        "values": values,
    }))
}
