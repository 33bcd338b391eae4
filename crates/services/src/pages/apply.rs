//! Filling in: one thing a page, saved as one goes, gone on with on any device.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use kernel::division::{DivisionCode, Divisions};
use kernel::ids::{DraftId, SubjectId};
use packs::model::{Field, FieldKind, Otherwise};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use web::forms::{FieldError, Posted, Upload};
use web::i18n::{Lang, key};
use web::{Ctx, Problem};

use super::booking;
use crate::actions::drafts::{self, SentPage, Work};
use crate::actions::submit::source_name;
use crate::actions::{files, submit};
use crate::error::ServiceError;
use crate::model::input::{echo, put_values, view, words};
use crate::model::{Asked, MaterialState, Met, PageState};
use crate::outside;
use crate::store::drafts as ledger;

/// `GET /apply/{item}`: what is about to begin, and drafts to go on with. Nothing is stored yet.
pub(crate) async fn start_page(ctx: Ctx, Path(id): Path<String>) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let item = ctx.app.pack.item(&id).ok_or_else(Problem::not_found)?.clone();
    let drafts = ledger::list(&ctx.read(), subject).await?;
    let open: Vec<Json> = drafts
        .iter()
        .filter(|draft| draft.item_id == item.id)
        .map(
            |draft| json!({ "id": draft.id, "changed_at": draft.changed_at, "expires_at": draft.expires_at }),
        )
        .collect();
    let lang = ctx.lang();
    ctx.page(
        "services/start.html",
        json!({ "guide": crate::catalogue::guide(&ctx.app, &item, lang)?, "drafts": open }),
    )
}

/// `POST /apply/{item}`: begins a draft.
pub(crate) async fn start(ctx: Ctx, Path(id): Path<String>, _: Posted) -> Result<Response, Problem> {
    let (_, subject) = ctx.citizen()?;
    let work = drafts::begin(&ctx.app, ctx.actor(), subject, &id).await?;
    Ok(ctx.redirect(&next_step(&ctx, &work)?, None))
}

/// The draft in the address, if it is the reader's.
pub(crate) async fn load(ctx: &Ctx, draft: &str) -> Result<Work, Problem> {
    let (_, subject) = ctx.citizen()?;
    load_of(ctx, subject, draft).await
}

async fn load_of(ctx: &Ctx, subject: SubjectId, draft: &str) -> Result<Work, Problem> {
    let id: DraftId = draft.parse().map_err(|_| Problem::not_found())?;
    Ok(Work::load(&ctx.app, subject, id).await?)
}

/// Where a draft goes on: its first page that is not complete, else the materials.
pub(crate) fn next_step(ctx: &Ctx, work: &Work) -> Result<String, Problem> {
    let run = work.run(&ctx.app)?;
    let root = format!("/apply/drafts/{}", work.draft.id);
    Ok(match run.next_open() {
        Some(page) => format!("{root}/{}", page.page.id),
        None => format!("{root}/review"),
    })
}

/// `GET /apply/drafts/{draft}`
pub(crate) async fn go_on(ctx: Ctx, Path(draft): Path<String>) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    if work.draft.state == ledger::DraftState::Open {
        return Ok(ctx.redirect(&next_step(&ctx, &work)?, None));
    }
    Ok(ctx.redirect(&format!("/apply/drafts/{draft}/done"), None))
}

/// Where one came from, so that a changed answer leads back to the review.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    from: String,
}

impl From {
    fn is_review(&self) -> bool {
        self.from == "review"
    }
}

/// `GET /apply/drafts/{draft}/{page}`
pub(crate) async fn form_page(
    ctx: Ctx,
    Path((draft, page)): Path<(String, String)>,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    if work.draft.state != ledger::DraftState::Open {
        return Ok(ctx.redirect(&format!("/apply/drafts/{draft}/done"), None));
    }
    let run = work.run(&ctx.app)?;
    let Some(state) = run.page(&page).filter(|_| run.can_visit(&page)) else {
        return Ok(ctx.redirect(&next_step(&ctx, &work)?, None));
    };
    if state.fields.iter().any(|field| field.field.kind == FieldKind::Slot) {
        return booking::slot_page(&ctx, &work, state, &from.from).await;
    }
    ctx.page("services/page.html", page_context(&ctx, &work, state, from.is_review(), None)?)
}

/// What a page of the form shows: its fields with what is known, and what was typed over it.
fn page_context(
    ctx: &Ctx,
    work: &Work,
    state: &PageState<'_>,
    from_review: bool,
    typed: Option<&Posted>,
) -> Result<Json, Problem> {
    let lang = ctx.lang();
    let answers = &work.draft.answers;
    let run = work.run(&ctx.app)?;
    let mut values = Map::new();
    let mut fields = Vec::new();
    for field in state.fields.iter().filter(|state| !state.for_other).map(|state| state.field) {
        let asked = Asked::from(field);
        put_values(&asked, answers.shown(&field.id), &mut values);
        fields.push(field_view(ctx, work, field)?);
    }
    if let Some(Json::Object(typed)) = typed.map(echo) {
        values.extend(typed);
    }
    let root = format!("/apply/drafts/{}", work.draft.id);
    let back = match run.before(&state.page.id) {
        _ if from_review => format!("{root}/review"),
        Some(before) => format!("{root}/{}", before.page.id),
        None => format!("/apply/{}", work.item.id),
    };
    let takes_file = state.fields.iter().any(|field| field.field.kind == FieldKind::File);
    let names_party = state.fields.iter().any(|field| drafts::is_party_number(&work.item, field.field));
    let is_own = matches!(answers.own_party(&work.item), Some(own) if state.fields.iter().any(|field| {
        work.item.parties.iter().any(|party| party.id == own && party.citizen_id_field == field.field.id)
    }));
    Ok(json!({
        "item": { "id": work.item.id, "name": work.item.name },
        "draft": work.draft.id,
        "form_page": {
            "id": state.page.id, "title": state.page.title.get(lang.as_str()),
            "hint": state.page.hint.as_ref().map(|hint| hint.get(lang.as_str())),
        },
        "fields": fields,
        "values": values,
        "mark": work.mark(&state.fields),
        "back": back,
        "from": if from_review { "review" } else { "" },
        "step": { "number": run.position(&state.page.id).map_or(1, |at| at + 1), "of": run.pages.len() + 1 },
        "takes_file": takes_file,
        "names_party": names_party && !is_own && answers.own_party(&work.item).is_none(),
        "read_only": state.fields.iter().all(|field| drafts::held_value(field.field, answers).is_some()),
        "expires_at": work.draft.expires_at,
    }))
}

/// A field as its page shows it.
fn field_view(ctx: &Ctx, work: &Work, field: &Field) -> Result<Json, Problem> {
    let lang = ctx.lang();
    let answers = &work.draft.answers;
    let asked = Asked::from(field);
    let Json::Object(mut shown) = view(&asked, lang) else { return Ok(Json::Null) };
    let prefilled = answers.prefilled.get(&field.id);
    if let Some(prefilled) = prefilled.filter(|prefilled| answers.shown(&field.id) == Some(&prefilled.value))
    {
        let name = source_name(&ctx.app, &prefilled.source);
        shown.insert("source".into(), json!({ "name": name.get(lang.as_str()), "at": prefilled.as_of }));
    }
    if let Some(value) = drafts::held_value(field, answers) {
        shown.insert("read_only".into(), true.into());
        shown.insert("value_text".into(), words(&asked, &value).get(lang.as_str()).into());
    }
    if field.kind == FieldKind::Address {
        shown.insert("divisions".into(), townships(ctx, work));
    }
    if field.check.as_deref() == Some(drafts::NAME_CHECK) {
        shown.insert("checks_name".into(), true.into());
    }
    if let Some(file) = field.material.as_ref().and_then(|id| answers.files.get(id)) {
        shown.insert(
            "file".into(),
            json!({ "name": file.name, "size": size_text(file.size), "material": field.material }),
        );
    }
    if let (Some(material), Some(_)) = (&field.changed_needs, prefilled) {
        let name = work.item.materials.iter().find(|one| one.id == *material);
        shown.insert("changed_needs".into(), json!(name.map(|one| one.name.get(lang.as_str()))));
    }
    Ok(Json::Object(shown))
}

/// The townships of the place in which the item is decided.
fn townships(ctx: &Ctx, work: &Work) -> Json {
    let place = drafts::place_of(&ctx.app, &work.item);
    let Ok(code) = DivisionCode::parse(&place) else { return Json::Null };
    let list = Divisions::embedded().named_children(code);
    list.iter().map(|one| json!({ "value": one.code.to_string(), "text": one.name })).collect()
}

/// `POST /apply/drafts/{draft}/{page}`
pub(crate) async fn save(
    ctx: Ctx,
    Path((draft, page)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let lang = ctx.lang();
    let sent = SentPage { page: &page, posted: &posted, mark: posted.get("_mark"), lang };
    let from_review = posted.get("_from") == "review";
    match drafts::save_page(&ctx.app, work.clone(), sent).await {
        Ok(saved) => Ok(ctx.redirect(&after(&ctx, &saved, &page, from_review).await?, None)),
        Err(error) => again(&ctx, &draft, &page, &posted, from_review, error).await,
    }
}

/// The step after a page was saved.
async fn after(ctx: &Ctx, work: &Work, page: &str, from_review: bool) -> Result<String, Problem> {
    let run = work.run(&ctx.app)?;
    let root = format!("/apply/drafts/{}", work.draft.id);
    let next = match (run.next_open(), run.after(page)) {
        (Some(open), _) if from_review => Some(open.page.id.clone()),
        (None, _) if from_review => None,
        (_, Some(after)) => Some(after.page.id.clone()),
        (Some(open), None) => Some(open.page.id.clone()),
        (None, None) => None,
    };
    match next {
        Some(page) if from_review => Ok(format!("{root}/{page}?from=review")),
        Some(page) => Ok(format!("{root}/{page}")),
        None if materials_open(ctx, work).await? => Ok(format!("{root}/materials")),
        None => Ok(format!("{root}/review")),
    }
}

/// The page again, with what was typed and what is wrong with it.
async fn again(
    ctx: &Ctx,
    draft: &str,
    page: &str,
    posted: &Posted,
    from_review: bool,
    error: ServiceError,
) -> Result<Response, Problem> {
    let errors = match error {
        ServiceError::Invalid(errors) => errors,
        // Somebody saved this page elsewhere: what was typed here stays in the form, and a second press of
        // the button saves it knowingly.
        ServiceError::ChangedElsewhere => {
            vec![FieldError::new("form", key("services-error-changed-elsewhere"))]
        }
        ServiceError::NotFound => return Ok(ctx.redirect(&format!("/apply/drafts/{draft}"), None)),
        other => return Err(other.into()),
    };
    let work = load(ctx, draft).await?;
    let run = work.run(&ctx.app)?;
    let state = run.page(page).ok_or_else(Problem::not_found)?;
    ctx.form_again("services/page.html", page_context(ctx, &work, state, from_review, Some(posted))?, &errors)
}

/// `POST /apply/drafts/{draft}/{page}/own`: the page's person is the reader.
pub(crate) async fn fill_own(
    ctx: Ctx,
    Path((draft, page)): Path<(String, String)>,
    _: Posted,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    drafts::fill_own(&ctx.app, work, &page).await?;
    Ok(ctx.redirect(&format!("/apply/drafts/{draft}/{page}"), None))
}

/// `POST /apply/drafts/{draft}/{page}/file`: a page that takes a file.
pub(crate) async fn save_file(
    ctx: Ctx,
    Path((draft, page)): Path<(String, String)>,
    upload: Result<Upload, Problem>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let (upload, refused) = taken(upload)?;
    let from_review = upload.fields.get("_from") == "review";
    let field = {
        let run = work.run(&ctx.app)?;
        let state = run.page(&page).filter(|_| run.can_visit(&page)).ok_or_else(Problem::not_found)?;
        let field = state.fields.iter().map(|state| state.field).find(|field| field.kind == FieldKind::File);
        field.ok_or_else(Problem::not_found)?.clone()
    };
    let material = field.material.clone().unwrap_or_default();
    let has_one = work.draft.answers.files.contains_key(&material);
    let saved = match (refused, upload.file) {
        (Some(error), _) => Err(ServiceError::Invalid(vec![error])),
        (None, Some(file)) => files::attach(&ctx.app, work, &material, "file", file).await,
        (None, None) if has_one => Ok(work),
        (None, None) if !field.required => drafts::leave_empty(&ctx.app, work, &field.id).await,
        (None, None) => Err(ServiceError::Invalid(vec![
            FieldError::new("file", key("services-error-attach"))
                .with("label", field.label.get(ctx.lang().as_str())),
        ])),
    };
    match saved {
        Ok(saved) => Ok(ctx.redirect(&after(&ctx, &saved, &page, from_review).await?, None)),
        Err(error) => again(&ctx, &draft, &page, &upload.fields, from_review, error).await,
    }
}

/// An upload, or what was wrong with its size: said on the page from which it came.
fn taken(upload: Result<Upload, Problem>) -> Result<(Upload, Option<FieldError>), Problem> {
    match upload {
        Ok(upload) => Ok((upload, None)),
        Err(problem) if problem.status == http::StatusCode::PAYLOAD_TOO_LARGE => Ok((
            Upload::default(),
            Some(FieldError::new("file", key("services-file-too-large")).with("limit", 20)),
        )),
        Err(problem) => Err(problem),
    }
}

/// Whether a material needs something of the applicant.
async fn materials_open(ctx: &Ctx, work: &Work) -> Result<bool, Problem> {
    let person = person(ctx, work).await?;
    let review = submit::review(&ctx.app, work, &person, &[], ctx.lang()).await?;
    Ok(review.materials.iter().any(|state| state.met.is_none()))
}

/// The applicant as the registers know them.
pub(crate) async fn person(ctx: &Ctx, work: &Work) -> Result<outside::Registered, Problem> {
    let person = outside::person(&ctx.read(), &work.item, work.draft.subject).await?;
    Ok(person.ok_or(ServiceError::NotAPerson)?)
}

/// `GET /apply/drafts/{draft}/materials`
pub(crate) async fn materials_page(ctx: Ctx, Path(draft): Path<String>) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    ctx.page("services/materials.html", materials_context(&ctx, &work).await?)
}

async fn materials_context(ctx: &Ctx, work: &Work) -> Result<Json, Problem> {
    let person = person(ctx, work).await?;
    let review = submit::review(&ctx.app, work, &person, &[], ctx.lang()).await?;
    let materials: Vec<Json> = review.materials.iter().map(|state| material_view(ctx, state)).collect();
    Ok(json!({
        "item": { "id": work.item.id, "name": work.item.name },
        "draft": work.draft.id,
        "materials": materials,
        "missing": review.materials.iter().filter(|state| state.met.is_none()).count(),
        "back": review.run.pages.last().map(|page| format!("/apply/drafts/{}/{}", work.draft.id, page.page.id)),
    }))
}

/// A material as the list shows it.
pub(crate) fn material_view(ctx: &Ctx, state: &MaterialState<'_>) -> Json {
    let code = ctx.lang();
    let code = code.as_str();
    let (by, detail) = match &state.met {
        None => ("missing", None),
        Some(Met::Licence(_, number)) => ("licence", Some(number.clone())),
        Some(Met::Shared(source, _)) => ("shared", Some(source_name(&ctx.app, source).get(code).to_owned())),
        Some(Met::File(file)) => ("file", Some(file.name.clone())),
        Some(Met::FilledIn) => ("filled-in", None),
        Some(Met::Promised) => ("promised", None),
        Some(Met::Later) => ("later", None),
    };
    let as_of = match &state.met {
        Some(Met::Shared(_, as_of)) => Some(*as_of),
        _ => None,
    };
    let otherwise = state.material.obtained_from.applicant;
    json!({
        "id": state.material.id,
        "name": state.material.name.get(code),
        "by": by,
        "detail": detail,
        "as_of": as_of,
        "why": state.material.why_not_needed.as_ref().map(|why| why.get(code)),
        "by_change": state.by_change,
        "takes_file": state.takes_file(),
        "takes_promise": otherwise == Some(Otherwise::Promise) || state.material.tolerant && state.takes_file(),
        "tolerant": state.material.tolerant,
    })
}

/// `POST /apply/drafts/{draft}/materials`: promises.
pub(crate) async fn materials_post(
    ctx: Ctx,
    Path(draft): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let promised: Vec<String> =
        posted.all("promise").into_iter().filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let work = files::promise(&ctx.app, work, promised).await?;
    if materials_open(&ctx, &work).await? {
        let error = FieldError::new("materials", key("services-error-materials"));
        return ctx.form_again("services/materials.html", materials_context(&ctx, &work).await?, &[error]);
    }
    Ok(ctx.redirect(&format!("/apply/drafts/{draft}/review"), None))
}

/// `GET …/materials/{material}`: the page that takes a file for it.
pub(crate) async fn material_page(
    ctx: Ctx,
    Path((draft, material)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    ctx.page("services/material.html", material_context(&work, &material, ctx.lang())?)
}

fn material_context(work: &Work, material: &str, lang: Lang) -> Result<Json, Problem> {
    let one = work.item.materials.iter().find(|one| one.id == material).ok_or_else(Problem::not_found)?;
    let file = work.draft.answers.files.get(material);
    Ok(json!({
        "item": { "id": work.item.id, "name": work.item.name },
        "draft": work.draft.id,
        "material": { "id": one.id, "name": one.name.get(lang.as_str()) },
        "file": file.map(|file| json!({ "name": file.name, "size": size_text(file.size) })),
    }))
}

/// `POST …/materials/{material}`: attaches a file in place of the one before.
pub(crate) async fn material_upload(
    ctx: Ctx,
    Path((draft, material)): Path<(String, String)>,
    upload: Result<Upload, Problem>,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    let (upload, refused) = taken(upload)?;
    let attached = match (refused, upload.file) {
        (Some(error), _) => Err(ServiceError::Invalid(vec![error])),
        (None, Some(file)) => files::attach(&ctx.app, work.clone(), &material, "file", file).await,
        (None, None) => Err(ServiceError::Invalid(vec![FieldError::new("file", key("services-file-none"))])),
    };
    match attached {
        Ok(_) => {
            Ok(ctx
                .redirect(&format!("/apply/drafts/{draft}/materials"), Some(key("flash-services-attached"))))
        }
        Err(ServiceError::Invalid(errors)) => {
            ctx.form_again("services/material.html", material_context(&work, &material, ctx.lang())?, &errors)
        }
        Err(other) => Err(other.into()),
    }
}

/// `GET …/materials/{material}/view`: one's own file, shown as what its bytes are.
pub(crate) async fn material_view_response(
    ctx: &Ctx,
    draft: &str,
    material: &str,
) -> Result<Response, Problem> {
    let work = load(ctx, draft).await?;
    let (file, bytes) = files::read(&ctx.app, &work, material).await?;
    let name = percent_encoding::utf8_percent_encode(&file.name, percent_encoding::NON_ALPHANUMERIC);
    let shown = format!("inline; filename*=UTF-8''{name}");
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    if let (Ok(media), Ok(shown)) = (HeaderValue::from_str(&file.media_type), HeaderValue::from_str(&shown)) {
        headers.insert(CONTENT_TYPE, media);
        headers.insert(CONTENT_DISPOSITION, shown);
    }
    Ok(response)
}

/// `GET …/materials/{material}/view`
pub(crate) async fn material_file(
    ctx: Ctx,
    Path((draft, material)): Path<(String, String)>,
) -> Result<Response, Problem> {
    material_view_response(&ctx, &draft, &material).await
}

/// `POST …/materials/{material}/remove`
pub(crate) async fn material_remove(
    ctx: Ctx,
    Path((draft, material)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    files::remove(&ctx.app, work, &material).await?;
    let page = posted.get("_page");
    let back = if page.is_empty() || page.contains('/') { "materials" } else { page };
    Ok(ctx.redirect(&format!("/apply/drafts/{draft}/{back}"), Some(key("flash-services-removed"))))
}

/// `POST /apply/drafts/{draft}/discard`
pub(crate) async fn discard(ctx: Ctx, Path(draft): Path<String>, _: Posted) -> Result<Response, Problem> {
    let work = load(&ctx, &draft).await?;
    drafts::discard(&ctx.app, ctx.actor(), &work).await?;
    Ok(ctx.redirect("/my/drafts", Some(key("flash-services-discarded"))))
}

/// A size as people read it.
pub(crate) fn size_text(bytes: u64) -> String {
    match bytes {
        0..=1023 => format!("{bytes} B"),
        1024..=1_048_575 => format!("{} kB", bytes / 1024),
        _ => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}
