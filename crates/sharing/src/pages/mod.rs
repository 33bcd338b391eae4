//! Pages: what one may use, what one's office provides, grants, loads, one's own uses, and the uses of one's own data.

mod bulk;
mod console;
mod grant_form;
mod grants;
mod keys;
mod lineage;
mod loads;
mod overview;
mod resource;
mod uses;

use jiff::SignedDuration;
use kernel::time::Timestamp;
use packs::model::Words;
use store::Purpose;
use web::i18n::key;
use web::{Access, Ctx, Problem, Routes};

use crate::uses::record::Record;

/// Every page.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/work/data", Access::Officer, overview::show)
        .get("/work/data/console", Access::Officer, console::show)
        .post("/work/data/console", Access::Officer, console::run)
        .get("/work/data/resources/{id}", Access::Officer, resource::show)
        .get("/work/data/resources/{id}/grant", Access::Officer, grant_form::form)
        .post("/work/data/resources/{id}/grant", Access::Officer, grant_form::issue)
        .get("/work/data/grants/{id}", Access::Officer, grants::show)
        .get("/work/data/grants/{id}/{action}", Access::Officer, grants::form)
        .post("/work/data/grants/{id}/{action}", Access::Officer, grants::act)
        .get("/work/data/loads", Access::Officer, loads::list)
        .get("/work/data/loads/new", Access::Officer, loads::form)
        .upload_up_to("/work/data/loads/new", Access::Officer, loads::MOST_BYTES, loads::hand_in)
        .get("/work/data/loads/{id}", Access::Officer, loads::show)
        .get("/work/data/loads/{id}/rejected.csv", Access::Officer, loads::rejected_file)
        .post("/work/data/loads/{id}/{action}", Access::Officer, loads::act)
        .get("/work/data/keys", Access::Officer, keys::list)
        .post("/work/data/keys", Access::Officer, keys::create)
        .post("/work/data/keys/{id}/revoke", Access::Officer, keys::revoke)
        .get("/my/data-uses", Access::Citizen, bulk::show)
        .get("/work/data/uses", Access::Officer, uses::list)
        .get("/work/data/uses/{id}", Access::SignedIn, uses::show)
}

/// The words of the reader's language.
pub(crate) fn said<'a>(ctx: &Ctx, words: &'a Words) -> &'a str {
    if ctx.lang().short() == "zh" { &words.zh } else { &words.en }
}

/// The last day of a term, whose end is the first instant that is no more in it.
pub(crate) fn last_day(end: Timestamp) -> Timestamp {
    end.plus(SignedDuration::from_micros(-1))
}

/// A purpose in words.
pub(crate) fn purpose_text(ctx: &Ctx, purpose: Purpose) -> Result<String, Problem> {
    ctx.text(&format!("{}{}", key("identity-purpose-"), purpose.as_str().replace('_', "-")), &[])
}

/// A code of ours in words: dots and underscores are hyphens in the names of texts.
pub(crate) fn coded(ctx: &Ctx, prefix: &str, code: &str) -> Result<String, Problem> {
    ctx.text(&format!("{prefix}{}", code.replace(['.', '_'], "-")), &[])
}

/// How a use ended, in words, and the tone of its pill.
pub(crate) fn outcome_text(ctx: &Ctx, record: &Record) -> Result<(String, &'static str), Problem> {
    Ok(match record.outcome.code.as_str() {
        "ok" => (ctx.text(key("sharing-outcome-ok"), &[])?, "good"),
        "open" => (ctx.text(key("sharing-outcome-open"), &[])?, "info"),
        "broken_off" => (ctx.text(key("sharing-outcome-broken-off"), &[])?, "warn"),
        code => (ctx.text(key("sharing-outcome-refused"), &[("code", code.into())])?, "bad"),
    })
}
