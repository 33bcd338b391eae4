//! Pages: the officer's queue and case, the applicant's cases, supervision.

mod mine;
mod supervise;
mod work;

pub(crate) use self::work::QueueQuery;
use kernel::actor::Actor;
use store::{AuditEntry, Purpose, Reads};
use web::{Access, Ctx, Problem, Routes};

use crate::error::ActionError;
use crate::store::{self as ledger, Loaded};

/// Every page.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/my/cases", Access::Citizen, mine::list)
        .get("/my/cases/{case_no}", Access::Citizen, mine::show)
        .get("/my/cases/{case_no}/correction", Access::Citizen, mine::correction_form)
        .upload("/my/cases/{case_no}/correction", Access::Citizen, mine::answer_correction)
        .get("/my/cases/{case_no}/rate", Access::Citizen, mine::rating_form)
        .post("/my/cases/{case_no}/rate", Access::Citizen, mine::rate)
        .get("/my/cases/{case_no}/withdraw", Access::Citizen, mine::withdraw_form)
        .post("/my/cases/{case_no}/withdraw", Access::Citizen, mine::withdraw)
        .get("/my/cases/{case_no}/review", Access::Citizen, mine::review_form)
        .post("/my/cases/{case_no}/review", Access::Citizen, mine::request_review)
        .get("/my/cases/{case_no}/decision", Access::Citizen, mine::decision)
        .get("/my/cases/{case_no}/history.json", Access::Citizen, mine::history)
        .get("/my/cases/{case_no}/files/{file}", Access::Citizen, mine::file)
        .get("/work", Access::Officer, work::queue_page)
        .get("/work/cases/{case_no}", Access::Officer, work::show)
        .get("/work/cases/{case_no}/decision", Access::Officer, work::decision)
        .get("/work/cases/{case_no}/history.json", Access::Officer, work::history)
        .get("/work/cases/{case_no}/files/{file}", Access::Officer, work::file)
        .get("/work/cases/{case_no}/{action}", Access::Officer, work::form)
        .post("/work/cases/{case_no}/{action}", Access::Officer, work::act)
        .get("/supervision", Access::Officer, supervise::page)
}

/// The applicant's own case; of anybody else's they do not learn that it exists.
pub(crate) async fn own_case(ctx: &Ctx, case_no: &str) -> Result<Loaded, Problem> {
    let (_, subject) = ctx.citizen()?;
    let read = ctx.read();
    let key = ledger::key_of(&read, case_no).await?.filter(|key| key.subject == subject);
    let key = key.ok_or(ActionError::NotFound)?;
    Ok(ledger::find(&read, key).await?.ok_or(ActionError::NotFound)?)
}

/// A case that the officer may see. That they saw it is noted before they are shown it.
pub(crate) async fn seen_case(ctx: &Ctx, case_no: &str, action: &'static str) -> Result<Loaded, Problem> {
    let read = ctx.read();
    let key = ledger::key_of(&read, case_no).await?.ok_or(ActionError::NotFound)?;
    let loaded = ledger::find(&read, key).await?.ok_or(ActionError::NotFound)?;
    loaded.case.seen_by(ctx.actor()).map_err(ActionError::from)?;
    note_view(ctx, &loaded, action).await?;
    Ok(loaded)
}

async fn note_view(ctx: &Ctx, loaded: &Loaded, action: &'static str) -> Result<(), Problem> {
    let purpose =
        if matches!(ctx.actor(), Actor::Citizen { .. }) { Purpose::OwnUse } else { Purpose::CaseHandling };
    let tx = ctx.begin().await?;
    tx.audit(
        AuditEntry::new(ctx.actor(), action, purpose)
            .about(loaded.case.subject)
            .in_case(loaded.case.id, loaded.case.case_no())
            .object("cases.case"),
    );
    tx.commit().await?;
    Ok(())
}

/// The number of events that the reader's page showed, as its form sends it back.
pub(crate) fn seen(posted: &str) -> Option<u32> {
    posted.parse().ok()
}

/// The key of a loaded case with what the reader saw of it.
pub(crate) fn at(loaded: &Loaded, posted: &str) -> crate::actions::At {
    crate::actions::At { key: loaded.key(), seen: seen(posted) }
}

/// Downloads are written out now.
pub(crate) fn history_file(
    ctx: &Ctx,
    loaded: &Loaded,
    audience: crate::export::Audience,
) -> Result<axum::response::Response, Problem> {
    let history = crate::export::history(loaded, audience, ctx.read().store().env().now())?;
    let name = format!("{}.json", loaded.case.case_no());
    Ok(web::download(&name, "application/json", serde_json::to_vec_pretty(&history)?))
}
