//! The officer's desk: the queue of their posts, and one case with everything that can be done to it.

use axum::extract::{Path, Query};
use axum::response::Response;
use kernel::actor::Actor;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::key;
use web::{Ctx, Problem};

use super::mine::decision_page;
use super::{at, history_file, seen_case};
use crate::actions::{WorkAction, WorkInput, perform};
use crate::document::DecisionDocument;
use crate::error::ActionError;
use crate::export::Audience;
use crate::model::{Case, Grade, Stage};
use crate::queue::{self, Cursor, Filter};
use crate::store::Loaded;
use crate::{colleagues, files, view};

/// The filter as the address holds it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct QueueQuery {
    #[serde(default)]
    pub(crate) stage: String,
    #[serde(default)]
    pub(crate) light: String,
    #[serde(default)]
    pub(crate) item: String,
    #[serde(default)]
    pub(crate) q: String,
    #[serde(default)]
    pub(crate) mine: String,
    #[serde(default)]
    pub(crate) after: String,
}

impl QueueQuery {
    /// What it asks for; words that mean nothing ask for nothing.
    pub(crate) fn filter(&self, actor: &Actor) -> Filter {
        let text = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        Filter {
            stage: Stage::parse(&self.stage),
            light: view::light_of(&self.light),
            item: text(&self.item),
            text: text(&self.q),
            assignee: actor.account().filter(|_| self.mine == "1"),
        }
    }

    /// The address of the queue with one condition set to another value.
    fn address(&self, name: &str, value: &str) -> String {
        let own = [
            ("stage", self.stage.as_str()),
            ("light", self.light.as_str()),
            ("item", self.item.as_str()),
            ("q", self.q.as_str()),
            ("mine", self.mine.as_str()),
        ];
        let mut pairs: Vec<String> = own
            .into_iter()
            .map(|(key, old)| (key, if key == name { value } else { old }))
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}={}", encoded(value)))
            .collect();
        if name == "after" {
            pairs.push(format!("after={}", encoded(value)));
        }
        if pairs.is_empty() { "/work".to_owned() } else { format!("/work?{}", pairs.join("&")) }
    }
}

/// Letters and digits stay, every other byte is written in hexadecimal.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(crate) async fn queue_page(ctx: Ctx, Query(query): Query<QueueQuery>) -> Result<Response, Problem> {
    let (_, posts) = ctx.officer()?;
    let today = ctx.now().china_date();
    let read = ctx.read();
    let filter = query.filter(ctx.actor());
    let after = Cursor::parse(&query.after);
    let page = queue::queue(&read, posts, &filter, after.as_ref(), today).await?;
    let lights = queue::lights(&read, posts, &filter, today).await?;
    let items = queue::items(&read, posts, today).await?;

    let mut rows = Vec::new();
    for case in &page.cases {
        rows.push(view::listed(&ctx, case, "/work/cases")?);
    }
    let mut stages = Vec::new();
    for stage in
        [Stage::Received, Stage::Correction, Stage::Accepted, Stage::Review, Stage::Decision, Stage::Delivery]
    {
        stages.push(json!({ "value": stage.as_str(), "text": view::stage_text(&ctx, stage)? }));
    }
    let choices: Vec<Json> = items.iter().map(|(id, name)| json!({ "value": id, "name": name })).collect();
    let mut selected = Vec::new();
    if let Some(stage) = filter.stage {
        let label = view::stage_text(&ctx, stage)?;
        selected.push(json!({ "label": label, "href": query.address("stage", "") }));
    }
    if let Some(light) = filter.light {
        let prefix = key("cases-light-");
        let label = ctx.text(&format!("{prefix}{}", view::light_word(light)), &[])?;
        selected.push(json!({ "label": label, "href": query.address("light", "") }));
    }
    if let Some(item) = &filter.item {
        let name = items.iter().find(|(id, _)| id == item).map(|(_, name)| view::say(ctx.lang(), name));
        let label = name.unwrap_or_else(|| item.clone());
        selected.push(json!({ "label": label, "href": query.address("item", "") }));
    }
    if let Some(text) = &filter.text {
        selected.push(json!({ "label": text, "href": query.address("q", "") }));
    }
    if filter.assignee.is_some() {
        selected.push(
            json!({ "label": ctx.text(key("cases-filter-mine"), &[])?, "href": query.address("mine", "") }),
        );
    }
    let tabs = json!([
        { "light": "red", "n": lights.red, "href": query.address("light", "red"), "current": query.light == "red" },
        { "light": "yellow", "n": lights.yellow, "href": query.address("light", "yellow"), "current": query.light == "yellow" },
        { "light": "green", "n": lights.green, "href": query.address("light", "green"), "current": query.light == "green" },
        { "light": "paused", "n": lights.paused, "href": query.address("light", "paused"), "current": query.light == "paused" },
    ]);
    ctx.page(
        "cases/queue.html",
        json!({
            "cases": rows,
            "total": lights.all,
            "lights": tabs,
            "all_href": query.address("light", ""),
            "stages": stages,
            "items": choices,
            "selected": selected,
            "values": {
                "stage": query.stage, "light": query.light, "item": query.item, "q": query.q,
                "mine": query.mine,
            },
            "first": after.is_some().then(|| query.address("", "")),
            "next": page.next.map(|next| query.address("after", &next)),
            "posts": post_names(&ctx),
        }),
    )
}

/// The posts of the officer, in words.
fn post_names(ctx: &Ctx) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for held in ctx.actor().posts() {
        if let Some((org, post)) = ctx.app.pack.post(held.post.as_str()) {
            let name =
                format!("{} · {}", view::say(ctx.lang(), &org.name), view::say(ctx.lang(), &post.name));
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

pub(crate) async fn show(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = seen_case(&ctx, &case_no, "cases.view").await?;
    ctx.page("cases/work_case.html", case_context(&ctx, &loaded)?)
}

fn case_context(ctx: &Ctx, loaded: &Loaded) -> Result<Json, Problem> {
    let case = &loaded.case;
    let base = format!("/work/cases/{}", case.case_no());
    let today = ctx.now().china_date();
    let agenda = case.agenda(crate::actions::calendar());
    let light = agenda.light(today);
    let mut actions = Vec::new();
    for action in WorkAction::available(case, ctx.actor(), ctx.now()) {
        let label = ctx.text(&format!("{}{}", key("cases-do-"), action.as_str()), &[])?;
        actions.push(json!({
            "word": action.as_str(), "label": label, "plain": action.is_plain(),
            "href": format!("{base}/{}", action.as_str()), "key": access_key(action),
            "primary": is_primary(action),
        }));
    }
    let step = case.due_step();
    Ok(json!({
        "case_no": case.case_no(),
        "base": base,
        "seen": case.seq(),
        "item": case.opened.item_name,
        "applicant": case.opened.applicant,
        "received": case.received_at(),
        "stage": view::stage_pill(ctx, case.stage())?,
        "step": step.map(|step| step.name),
        "light": view::light_word(light),
        "left": view::due_text(ctx, agenda.due, light)?,
        "due": agenda.due,
        "taken": taken(ctx, case)?,
        "clocks": view::clocks(ctx, loaded)?,
        "sections": view::sections(ctx.lang(), case),
        "materials": view::materials(ctx, case, &base)?,
        "correction": case.correction.as_ref().map(|correction| json!({
            "points": correction.points.iter().map(|point| &point.text).collect::<Vec<_>>(),
            "answer": correction.answered.as_ref().map(|answered| json!({
                "text": answered.text, "at": answered.at,
                "file": answered.file.map(|file| format!("{base}/files/{file}")),
            })),
        })),
        "proposals": case.done.iter().filter(|done| !done.opinion.is_empty()).map(|done| json!({
            "opinion": done.opinion, "at": done.at,
            "proposal": done.proposal.as_ref().and_then(|id| result_name(case, id)),
        })).collect::<Vec<_>>(),
        "history": view::history(ctx, loaded, Audience::Officer, &base)?,
        "parent": view::parent(case).map(|(_, case_no)| case_no),
        "has_decision": DecisionDocument::of(case, &ctx.app.pack).is_some(),
        "national_state": crate::model::national::states(case, &loaded.events).last().map(|(_, state)| *state),
        "actions": actions,
    }))
}

fn result_name(case: &Case, id: &str) -> Option<Json> {
    case.procedure.results.iter().find(|result| result.id == id).map(|result| json!(result.name))
}

fn taken(ctx: &Ctx, case: &Case) -> Result<Option<String>, Problem> {
    Ok(match case.assignee {
        Some(assignee) if Some(assignee.account) == ctx.actor().account() => {
            Some(ctx.text(key("cases-taken-by-me"), &[])?)
        }
        Some(_) => Some(ctx.text(key("cases-taken"), &[])?),
        None => None,
    })
}

/// One letter for each action, so that the desk can be worked without a mouse.
fn access_key(action: WorkAction) -> &'static str {
    match action {
        WorkAction::Claim => "c",
        WorkAction::Accept => "a",
        WorkAction::AskCorrection => "b",
        WorkAction::RejectApplication => "n",
        WorkAction::Examine => "e",
        WorkAction::Decide => "d",
        WorkAction::HandOver => "h",
        WorkAction::Resume => "r",
        WorkAction::Pause => "p",
        WorkAction::Extend => "x",
        WorkAction::Reassign => "g",
        WorkAction::Release => "l",
        WorkAction::Terminate => "t",
        WorkAction::AddNote => "m",
    }
}

fn is_primary(action: WorkAction) -> bool {
    matches!(
        action,
        WorkAction::Claim
            | WorkAction::Accept
            | WorkAction::Examine
            | WorkAction::Decide
            | WorkAction::HandOver
            | WorkAction::Resume
    )
}

pub(crate) async fn form(
    ctx: Ctx,
    Path((case_no, action)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let action =
        WorkAction::parse(&action).filter(|action| !action.is_plain()).ok_or(ActionError::NotFound)?;
    let loaded = seen_case(&ctx, &case_no, "cases.view").await?;
    if !WorkAction::available(&loaded.case, ctx.actor(), ctx.now()).contains(&action) {
        return Ok(ctx.redirect(&format!("/work/cases/{case_no}"), Some(key("flash-cases-not-now"))));
    }
    let context = form_context(&ctx, &loaded, action, json!({})).await?;
    ctx.page("cases/work_action.html", context)
}

async fn form_context(ctx: &Ctx, loaded: &Loaded, action: WorkAction, values: Json) -> Result<Json, Problem> {
    let case = &loaded.case;
    let lang = ctx.lang();
    let results: Vec<Json> = case
        .procedure
        .results
        .iter()
        .map(|result| json!({ "value": result.id, "text": view::say(lang, &result.name) }))
        .collect();
    let grounds: Vec<Json> = case
        .procedure
        .clocks
        .pauses
        .iter()
        .map(|pause| {
            let article = case.procedure.basis(&pause.article).map(|basis| basis.cite(lang.as_str()));
            json!({ "value": pause.id, "text": view::say(lang, &pause.name), "hint": article })
        })
        .collect();
    let mut articles = vec![json!({ "value": "", "text": ctx.text(key("cases-article-none"), &[])? })];
    for basis in &case.procedure.legal_basis {
        articles.push(json!({ "value": basis.id, "text": basis.cite(lang.as_str()) }));
    }
    let colleagues = match action {
        WorkAction::Reassign => colleagues::of_case(ctx, case).await?,
        _ => Vec::new(),
    };
    let label = ctx.text(&format!("{}{}", key("cases-do-"), action.as_str()), &[])?;
    let hint = ctx.text(&format!("{}{}", key("cases-how-"), action.as_str()), &[])?;
    Ok(json!({
        "case_no": case.case_no(),
        "base": format!("/work/cases/{}", case.case_no()),
        "item": case.opened.item_name,
        "action": action.as_str(),
        "label": label,
        "hint": hint,
        "seen": case.seq(),
        "results": results,
        "grounds": grounds,
        "articles": articles,
        "colleagues": colleagues,
        "complaint": case.is_complaint(),
        "days": case.opened.terms.extension.as_ref().map(|extension| extension.days),
        "proposal": case.done.last().and_then(|done| done.proposal.as_ref()),
        "opinion": case.done.last().map(|done| &done.opinion),
        "values": values,
    }))
}

pub(crate) async fn act(
    ctx: Ctx,
    Path((case_no, word)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let action = WorkAction::parse(&word).ok_or(ActionError::NotFound)?;
    let loaded = seen_case(&ctx, &case_no, "cases.view").await?;
    let colleague = match action {
        WorkAction::Reassign => colleagues::find(&ctx, &loaded.case, posted.get("colleague")).await?,
        _ => None,
    };
    if action == WorkAction::Reassign && colleague.is_none() {
        let errors = [FieldError::new("colleague", key("cases-field-choice"))];
        let context = form_context(&ctx, &loaded, action, posted_values(&posted)).await?;
        return ctx.form_again("cases/work_action.html", context, &errors);
    }
    let input = WorkInput {
        points: posted.get("points").lines().map(str::to_owned).collect(),
        text: posted.get(text_field(action)).to_owned(),
        text_en: posted.get("reason_en").to_owned(),
        article: posted.get("article").to_owned(),
        outcome: posted.get("outcome").to_owned(),
        ground: posted.get("ground").to_owned(),
        values: std::collections::BTreeMap::new(),
        grade: posted.get("grade").parse().ok().and_then(Grade::new),
        colleague,
    };
    let tx = ctx.begin().await?;
    let at = at(&loaded, posted.get("seen"));
    let problem: Problem = match perform(&tx, ctx.actor(), at, action, input).await {
        Ok(_) => {
            tx.commit().await?;
            let flash = format!("{}{}", key("flash-cases-did-"), action.as_str());
            return Ok(ctx.redirect(&format!("/work/cases/{case_no}"), Some(&flash)));
        }
        Err(error) => error.into(),
    };
    drop(tx);
    if problem.fields.is_empty() || action.is_plain() {
        return Err(problem);
    }
    let context = form_context(&ctx, &loaded, action, posted_values(&posted)).await?;
    ctx.form_again("cases/work_action.html", context, &problem.fields)
}

/// What was filled in, so that nothing is lost.
fn posted_values(posted: &Posted) -> Json {
    posted
        .fields()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The field of the form that holds the words of an action; the errors of the model name it too.
fn text_field(action: WorkAction) -> &'static str {
    match action {
        WorkAction::Examine => "opinion",
        WorkAction::Pause => "notice",
        WorkAction::AddNote | WorkAction::HandOver => "text",
        _ => "reason",
    }
}

pub(crate) async fn decision(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = seen_case(&ctx, &case_no, "cases.view_decision").await?;
    decision_page(&ctx, &loaded, &format!("/work/cases/{case_no}"), "cases/decision.html")
}

pub(crate) async fn history(ctx: Ctx, Path(case_no): Path<String>) -> Result<Response, Problem> {
    let loaded = seen_case(&ctx, &case_no, "cases.export").await?;
    history_file(&ctx, &loaded, Audience::Officer)
}

pub(crate) async fn file(
    ctx: Ctx,
    Path((case_no, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let loaded = seen_case(&ctx, &case_no, "cases.read_file").await?;
    let blob = files::of_case(&ctx.read(), &loaded.case, &file).await?;
    files::send(&ctx.app.store, &blob).await
}
