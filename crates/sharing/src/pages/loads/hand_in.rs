//! Handing in: into which resource, and a file or an address.

use axum::extract::Query;
use axum::response::Response;
use grants::Grade;
use grants::resources::UpdateCycle;
use kernel::ids::OrgCode;
use lake::TableId;
use lake::loading::Reading;
use packs::model::Words;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use web::forms::{FieldError, FileUpload, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::super::{coded, said};
use super::stewarded;
use crate::loads::{self, Fresh, HandedIn, LoadingError};
use crate::problem::{grant, loading as problem};

/// The largest file that a browser hands in, in bytes; larger ones come by address or on the command line.
pub(crate) const MOST_BYTES: usize = 4 << 30;
/// The choice of a resource that is not there yet.
const NEW: &str = "-";

/// Where one comes from.
#[derive(Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    resource: String,
}

/// The form.
pub(crate) async fn form(ctx: Ctx, Query(from): Query<From>) -> Result<Response, Problem> {
    let resource = if from.resource.is_empty() { NEW } else { &from.resource };
    let values = json!({
        "resource": resource, "source": "file", "grade": "general-2", "cycle": "irregular",
    });
    let context = context(&ctx, values).await?;
    ctx.page("sharing/load_new.html", context)
}

/// Takes what is handed in and looks at it.
pub(crate) async fn hand_in(ctx: Ctx, upload: FileUpload) -> Result<Response, Problem> {
    let posted = upload.fields;
    let values: serde_json::Map<String, Json> =
        posted.fields().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let again = async |error: Vec<FieldError>| {
        let context = context(&ctx, Json::Object(values)).await?;
        ctx.form_again("sharing/load_new.html", context, &error)
    };
    let mut errors = Vec::new();
    let to = read_target(&ctx, &posted, &mut errors).await?;
    let handed_in = match (posted.get("source"), upload.file, posted.get("address")) {
        ("address", _, "") => Err(FieldError::new("address", key("sharing-field-load-address"))),
        ("address", _, address) => {
            let table = Some(posted.get("table")).filter(|table| !table.is_empty()).map(str::to_owned);
            Ok(HandedIn::Address(address.to_owned(), table))
        }
        (_, Some(file), _) => Ok(HandedIn::File(file.path, file.name)),
        (_, None, _) => Err(FieldError::new("file", key("sharing-field-load-file"))),
    };
    let (to, handed_in) = match (to, handed_in) {
        (Some(to), Ok(handed_in)) => (to, handed_in),
        (_, handed_in) => {
            errors.extend(handed_in.err());
            return again(errors).await;
        }
    };
    let at = if matches!(handed_in, HandedIn::File(..)) { "file" } else { "address" };
    match loads::hand_in(&ctx.app, ctx.actor(), to, handed_in, &Reading::default()).await {
        Ok(id) => Ok(ctx.redirect(&format!("/work/data/loads/{id}"), None)),
        Err(LoadingError::Taken(_)) => {
            again(vec![FieldError::new("id", key("sharing-field-load-taken"))]).await
        }
        Err(error) => {
            let problem = problem(error);
            if problem.status.is_server_error() || problem.status == http::StatusCode::FORBIDDEN {
                return Err(problem);
            }
            again(vec![FieldError { field: at.to_owned(), key: problem.key(), args: problem.args }]).await
        }
    }
}

/// The resource that is there, or what is said of a new one.
async fn read_target(
    ctx: &Ctx,
    posted: &Posted,
    errors: &mut Vec<FieldError>,
) -> Result<Option<(OrgCode, TableId, Option<Fresh>)>, Problem> {
    let orgs = stewarded(ctx)?;
    if posted.get("resource") != NEW {
        let found = grants::resources::find(&ctx.read(), posted.get("resource")).await.map_err(grant)?;
        let found = found.filter(|resource| orgs.contains(&resource.provider));
        if found.is_none() {
            errors.push(FieldError::new("resource", key("sharing-field-load-resource")));
        }
        return Ok(found.map(|resource| (resource.provider, resource.id, None)));
    }
    let id = posted.get("id").parse::<TableId>();
    if id.is_err() {
        errors.push(FieldError::new("id", key("sharing-field-load-id")));
    }
    let (zh, grade) = (posted.get("title"), posted.get("grade").parse::<Grade>());
    let cycle = UpdateCycle::ALL.into_iter().find(|cycle| cycle.as_str() == posted.get("cycle"));
    if zh.is_empty() || zh.chars().count() > 80 {
        errors.push(FieldError::new("title", key("sharing-field-load-title")));
    }
    let about = posted.get("about");
    if about.is_empty() || about.chars().count() > 500 {
        errors.push(FieldError::new("about", key("sharing-field-load-about")));
    }
    let provider = orgs.iter().find(|org| org.as_str() == posted.get("provider")).or(orgs.first()).cloned();
    let (Ok(id), Ok(grade), Some(cycle), Some(provider), true) =
        (id, grade, cycle, provider, errors.is_empty())
    else {
        return Ok(None);
    };
    let english = Some(posted.get("title_en")).filter(|title| !title.is_empty()).unwrap_or(zh);
    let fresh = Fresh {
        title: Words { zh: zh.to_owned(), en: english.to_owned() },
        about: Words { zh: about.to_owned(), en: about.to_owned() },
        grade,
        cycle,
    };
    Ok(Some((provider, id, Some(fresh))))
}

async fn context(ctx: &Ctx, values: Json) -> Result<Json, Problem> {
    let orgs = stewarded(ctx)?;
    let mut resources =
        vec![json!({ "value": NEW, "text": ctx.text(key("sharing-load-new-resource"), &[])? })];
    for resource in grants::resources::list(&ctx.read()).await.map_err(grant)? {
        if orgs.contains(&resource.provider) {
            let title = format!("{}（{}）", said(ctx, &resource.description.title), resource.id);
            resources.push(json!({ "value": resource.id.to_string(), "text": title }));
        }
    }
    let mut providers = Vec::new();
    for org in &orgs {
        let name = identity::orgs::org_name(&ctx.read(), org).await?;
        providers.push(json!({ "value": org.to_string(), "text": said(ctx, &name) }));
    }
    let mut grades = Vec::new();
    for grade in Grade::ALL {
        let text = coded(ctx, key("sharing-grade-"), &grade.to_string())?;
        grades.push(json!({ "value": grade.to_string(), "text": text }));
    }
    let mut cycles = Vec::new();
    for cycle in UpdateCycle::ALL {
        let text = coded(ctx, key("sharing-cycle-"), cycle.as_str())?;
        cycles.push(json!({ "value": cycle.as_str(), "text": text }));
    }
    Ok(json!({
        "resources": resources,
        "providers": providers,
        "grades": grades,
        "cycles": cycles,
        "values": values,
    }))
}
