//! What pages say about a case: data made ready for templates.

use kernel::ids::CaseId;
use kernel::legal_clock::{ClockState, Light, PauseCause, Step};
use kernel::time::Date;
use packs::model::Words;
use serde_json::{Value as Json, json};
use web::i18n::{Arg, Lang, key};
use web::{Ctx, Problem};

use crate::actions::calendar;
use crate::document::org_name;
use crate::export::Audience;
use crate::model::{
    Case, CaseEvent, CaseEventKind, ClockReading, EventActor, MetBy, Moment, Reason, Stage, Status, Text,
};
use crate::queue::Listed;
use crate::store::Loaded;

/// The word of a light.
pub fn light_word(light: Light) -> &'static str {
    match light {
        Light::Green => "green",
        Light::Yellow => "yellow",
        Light::Red => "red",
        Light::Paused => "paused",
        Light::Done => "done",
    }
}

/// The light of that word.
pub(crate) fn light_of(word: &str) -> Option<Light> {
    [Light::Green, Light::Yellow, Light::Red, Light::Paused]
        .into_iter()
        .find(|light| light_word(*light) == word)
}

/// Words in the reader's language.
pub(crate) fn say(lang: Lang, words: &Words) -> String {
    words.get(lang.as_str()).to_owned()
}

/// A day as the reader's language writes it.
pub(crate) fn day_text(ctx: &Ctx, day: Date) -> Result<String, Problem> {
    let args = [
        ("year", Arg::from(day.year().to_string())),
        ("month", Arg::from(i32::from(day.month()))),
        ("day", Arg::from(day.day().to_string())),
    ];
    ctx.text(key("web-date"), &args)
}

/// Between a title and its text.
fn colon(lang: Lang) -> &'static str {
    if lang == Lang::ZH { "：" } else { ": " }
}

/// Between the parts of a list.
fn semicolon(lang: Lang) -> &'static str {
    if lang == Lang::ZH { "；" } else { "; " }
}

/// Something in brackets.
fn bracketed(lang: Lang, text: &str) -> String {
    if lang == Lang::ZH { format!("（{text}）") } else { format!(" ({text})") }
}

/// A stage as a pill.
pub fn stage_pill(ctx: &Ctx, stage: Stage) -> Result<Json, Problem> {
    let tone = match stage {
        Stage::Received => "info",
        Stage::Correction => "warn",
        Stage::Accepted | Stage::Review | Stage::Decision => "brand",
        Stage::Production | Stage::Delivery | Stage::Rating | Stage::Archived => "good",
        Stage::NotAccepted | Stage::Terminated => "bad",
        Stage::Withdrawn => "plain",
    };
    Ok(json!({ "text": stage_text(ctx, stage)?, "tone": tone }))
}

/// The name of a stage.
pub(crate) fn stage_text(ctx: &Ctx, stage: Stage) -> Result<String, Problem> {
    let prefix = key("cases-stage-");
    ctx.text(&format!("{prefix}{}", stage.as_str().replace('_', "-")), &[])
}

/// How many working days are left, in words.
pub(crate) fn remaining_text(ctx: &Ctx, state: &ClockState) -> Result<String, Problem> {
    Ok(match (state.light, state.remaining) {
        (Light::Done, _) => ctx.text(key("cases-left-done"), &[])?,
        (Light::Paused, _) => ctx.text(key("cases-left-paused"), &[])?,
        (_, None) => ctx.text(key("cases-left-not-started"), &[])?,
        // Whatever unit the limit has: what is left is told in working days, as everywhere.
        (light, Some(_)) => due_text(ctx, state.due, light)?,
    })
}

/// Working days from today to a date that has to be kept, in words.
pub fn due_text(ctx: &Ctx, due: Option<Date>, light: Light) -> Result<String, Problem> {
    let today = ctx.now().china_date();
    let left = due.and_then(|due| {
        let days = calendar().workdays_between(today.min(due), today.max(due)).ok()?;
        let days = i32::try_from(days).ok()?;
        Some(if today > due { -days } else { days })
    });
    match (light, left) {
        (Light::Paused, _) => ctx.text(key("cases-left-paused"), &[]),
        (_, None) => ctx.text(key("cases-left-none"), &[]),
        // Overdue since a day off counts as a day.
        (Light::Red, Some(days)) => {
            ctx.text(key("cases-left-over"), &[("days", Arg::from(days.saturating_neg().max(1)))])
        }
        (_, Some(0)) => ctx.text(key("cases-left-today"), &[]),
        (_, Some(days)) => ctx.text(key("cases-left-days"), &[("days", Arg::from(days))]),
    }
}

/// One clock with its derivation, for the macro `derivation`.
pub fn clock(
    ctx: &Ctx,
    loaded: &Loaded,
    label: &'static str,
    reading: &ClockReading,
) -> Result<Json, Problem> {
    let label = ctx.text(label, &[])?;
    let Some(state) = reading.state() else {
        let ClockReading::BeyondCalendar { last_year } = reading else { return Ok(Json::Null) };
        let year = ("year", Arg::from(last_year.saturating_add(1).to_string()));
        let text = ctx.text(key("cases-clock-beyond"), &[year])?;
        return Ok(
            json!({ "label": label, "due": null, "steps": [{ "text": text }], "light": null, "left": null }),
        );
    };
    let mut steps = Vec::new();
    for step in &state.derivation {
        steps.push(derivation_step(ctx, loaded, step)?);
    }
    if steps.is_empty() {
        steps.push(json!({ "text": ctx.text(key("cases-clock-waits"), &[])? }));
    }
    Ok(json!({
        "label": label,
        "due": state.due,
        "steps": steps,
        "light": light_word(state.light),
        "left": remaining_text(ctx, state)?,
    }))
}

fn derivation_step(ctx: &Ctx, loaded: &Loaded, step: &Step) -> Result<Json, Problem> {
    let number = |days: u32| Arg::from(days);
    let day = |date: Date| day_text(ctx, date).map(Arg::from);
    Ok(match step {
        Step::Started { event, date } => {
            let text = match event {
                kernel::legal_clock::StartEvent::Received => {
                    ctx.text(key("cases-clock-started-received"), &[])?
                }
                kernel::legal_clock::StartEvent::Accepted => {
                    ctx.text(key("cases-clock-started-accepted"), &[])?
                }
            };
            json!({ "date": date, "text": text })
        }
        Step::Counted { days, from, to, skipped } => {
            let args = [
                ("days", number(*days)),
                ("from", day(*from)?),
                ("to", day(*to)?),
                ("skipped", number(*skipped)),
            ];
            json!({ "date": from, "text": ctx.text(key("cases-clock-counted"), &args)? })
        }
        Step::PausedBetween { cause, article, from, to, days } => {
            let (why, article) = match cause {
                PauseCause::Correction => (ctx.text(key("cases-clock-correction"), &[])?, article.clone()),
                PauseCause::Ground(_) => pause_words(ctx, loaded, *from, article),
            };
            let args = [("why", Arg::from(why)), ("days", number(*days))];
            let text = match to {
                Some(_) => ctx.text(key("cases-clock-paused"), &args)?,
                None => ctx.text(key("cases-clock-paused-open"), &args)?,
            };
            json!({ "date": from, "text": text, "article": article })
        }
        Step::Extended { days, date, article, .. } => {
            let text = ctx.text(key("cases-clock-extended"), &[("days", number(*days))])?;
            json!({ "date": date, "text": text, "article": article })
        }
        Step::ExtendedTooLate { days, date, article } => {
            let text = ctx.text(key("cases-clock-extended-late"), &[("days", number(*days))])?;
            json!({ "date": date, "text": text, "article": article })
        }
        Step::RolledOver { from, to } => {
            json!({ "date": to, "text": ctx.text(key("cases-clock-rolled"), &[("from", day(*from)?)])? })
        }
        Step::Due { date } => json!({ "date": date, "text": ctx.text(key("cases-clock-due"), &[])? }),
        Step::Finished { date } => {
            json!({ "date": date, "text": ctx.text(key("cases-clock-finished"), &[])? })
        }
    })
}

/// What the procedure calls the pause that was ordered last before `from`, and its clause.
fn pause_words(ctx: &Ctx, loaded: &Loaded, from: Date, article: &str) -> (String, String) {
    let ordered = loaded.events.iter().rev().find_map(|event| match &event.kind {
        CaseEventKind::Paused { name, article, .. } if event.at.china_date() < from => Some((name, article)),
        _ => None,
    });
    match ordered {
        Some((name, article)) => (say(ctx.lang(), name), say(ctx.lang(), article)),
        None => (String::new(), article.to_owned()),
    }
}

/// Both clocks.
pub(crate) fn clocks(ctx: &Ctx, loaded: &Loaded) -> Result<Json, Problem> {
    let (statutory, promised) = loaded.case.readings(calendar(), ctx.now().china_date());
    let mut clocks = vec![clock(ctx, loaded, key("cases-clock-promised"), &promised)?];
    if let Some(statutory) = statutory {
        clocks.push(clock(ctx, loaded, key("cases-clock-statutory"), &statutory)?);
    }
    Ok(Json::Array(clocks))
}

/// What was submitted, for the macro `summary`, section by section, in the reader's language.
pub(crate) fn sections(lang: Lang, case: &Case) -> Json {
    let sections = case.opened.payload.sections.iter().map(|section| {
        let rows = section.rows.iter().map(|row| {
            let source = row
                .source
                .as_ref()
                .map(|source| json!({ "name": say(lang, &source.name), "at": source.as_of }));
            let value = match &row.value {
                Text::Plain(text) => text.clone(),
                Text::Words(words) => say(lang, words),
            };
            json!({ "key": say(lang, &row.label), "value": value, "source": source })
        });
        json!({ "title": say(lang, &section.title), "rows": rows.collect::<Vec<_>>() })
    });
    Json::Array(sections.collect())
}

/// Materials and how each was met, for the macro `summary`; `base` is the address of the case on which files
/// hang.
pub(crate) fn materials(ctx: &Ctx, case: &Case, base: &str) -> Result<Json, Problem> {
    let lang = ctx.lang();
    let mut rows = Vec::new();
    for material in &case.opened.payload.materials {
        let name = say(lang, &material.name);
        rows.push(match &material.met_by {
            MetBy::Licence { label, .. } => {
                json!({ "key": name, "value": label, "hint": ctx.text(key("cases-material-licence"), &[])? })
            }
            MetBy::Blob { id, name: file, .. } => json!({
                "key": name, "value": file, "href": format!("{base}/files/{id}"),
                "hint": ctx.text(key("cases-material-file"), &[])?,
            }),
            MetBy::Shared { source, as_of } => json!({
                "key": name, "value": ctx.text(key("cases-material-shared"), &[])?,
                "source": { "name": say(lang, source), "at": as_of },
            }),
            MetBy::FilledIn => {
                json!({ "key": name, "value": ctx.text(key("cases-material-filled-in"), &[])? })
            }
            MetBy::Promise => json!({ "key": name, "value": ctx.text(key("cases-material-promise"), &[])? }),
            MetBy::Later => json!({ "key": name, "value": ctx.text(key("cases-material-later"), &[])? }),
        });
    }
    Ok(Json::Array(rows))
}

/// Who acted, in words: a post, the applicant, the platform; never a name.
pub(crate) fn actor_words(ctx: &Ctx, case: &Case, actor: &EventActor) -> Result<String, Problem> {
    Ok(match actor.kind.as_str() {
        "citizen" => ctx.text(key("cases-by-applicant"), &[])?,
        "officer" => match ctx.app.pack.post(&actor.label) {
            Some((org, post)) => {
                format!("{} · {}", say(ctx.lang(), &org.name), say(ctx.lang(), &post.name))
            }
            None => say(ctx.lang(), &org_name(&ctx.app.pack, case.opened.org.as_str())),
        },
        "system" => actor.label.clone(),
        _ => ctx.text(key("cases-by-node"), &[])?,
    })
}

/// The history, newest first, for the macro `timeline`.
pub(crate) fn history(ctx: &Ctx, loaded: &Loaded, audience: Audience, base: &str) -> Result<Json, Problem> {
    let prefix = key("cases-event-");
    let mut items = Vec::new();
    for event in loaded.events.iter().rev().filter(|event| audience.may_see(&event.kind)) {
        let title = format!("{prefix}{}", event.kind.name().replace('_', "-"));
        items.push(json!({
            "title": ctx.text(&title, &[])?,
            "by": actor_words(ctx, &loaded.case, &event.actor)?,
            "at": event.at,
            "text": event_text(ctx, &loaded.case, event, audience)?,
            "tone": event_tone(&event.kind),
            "href": event_link(&event.kind, base),
        }));
    }
    Ok(Json::Array(items))
}

fn event_text(ctx: &Ctx, case: &Case, event: &CaseEvent, audience: Audience) -> Result<String, Problem> {
    let lang = ctx.lang();
    let result = |id: &str| {
        let named = case.procedure.results.iter().find(|result| result.id == id);
        named.map_or_else(|| id.to_owned(), |result| say(lang, &result.name))
    };
    Ok(match &event.kind {
        CaseEventKind::CorrectionAsked { points, .. } => {
            points.iter().map(|point| point.text.as_str()).collect::<Vec<_>>().join(semicolon(lang))
        }
        CaseEventKind::CorrectionAnswered { text, .. } => text.clone(),
        CaseEventKind::DeemedAccepted { received, deadline } => {
            let args = [
                ("received", Arg::from(day_text(ctx, *received)?)),
                ("deadline", Arg::from(day_text(ctx, *deadline)?)),
            ];
            ctx.text(key("cases-deemed-text"), &args)?
        }
        CaseEventKind::NotAccepted { reasons } | CaseEventKind::Terminated { reasons } => {
            reason_text(lang, reasons)
        }
        // An opinion on the way is for colleagues; the applicant is told the decision and its reasons.
        CaseEventKind::Examined { opinion, proposal, .. } if audience == Audience::Officer => {
            match proposal {
                Some(proposal) => format!("{opinion} → {}", result(proposal)),
                None => opinion.clone(),
            }
        }
        CaseEventKind::Decided { outcome, reasons, .. } => {
            format!("{}{}{}", result(outcome), colon(lang), reason_text(lang, reasons))
        }
        CaseEventKind::Paused { name, article, notice, .. } => {
            format!("{}{}{}{notice}", say(lang, name), bracketed(lang, &say(lang, article)), colon(lang))
        }
        CaseEventKind::Extended { days, reason, .. } => {
            let args = [("days", Arg::from(*days)), ("reason", Arg::from(reason.as_str()))];
            ctx.text(key("cases-extended-text"), &args)?
        }
        CaseEventKind::Withdrawn { reason } | CaseEventKind::Reassigned { reason, .. } => reason.clone(),
        CaseEventKind::NoteAdded { text } => text.clone(),
        CaseEventKind::Rated { grade, comment, .. } => {
            let grade = ctx.text(&format!("{}{}", key("cases-grade-"), grade.number()), &[])?;
            if comment.is_empty() { grade } else { format!("{grade}{}{comment}", colon(lang)) }
        }
        CaseEventKind::ChildOpened { case_no, .. } => case_no.clone(),
        CaseEventKind::Reviewed { new_outcome, reasons, .. } => {
            let outcome = match new_outcome {
                Some(outcome) => result(outcome),
                None => ctx.text(key("cases-review-upheld"), &[])?,
            };
            format!("{outcome}{}{}", colon(lang), reason_text(lang, reasons))
        }
        CaseEventKind::CardShown { light, due, .. } => {
            let args = [("due", Arg::from(day_text(ctx, *due)?))];
            match light {
                Light::Red => ctx.text(key("cases-card-red-text"), &args)?,
                _ => ctx.text(key("cases-card-yellow-text"), &args)?,
            }
        }
        CaseEventKind::Opened(_)
        | CaseEventKind::Accepted
        | CaseEventKind::Claimed
        | CaseEventKind::Released
        | CaseEventKind::Examined { .. }
        | CaseEventKind::Resumed
        | CaseEventKind::Delivered { .. }
        | CaseEventKind::Archived => String::new(),
    })
}

/// Reasons in one line.
pub(crate) fn reason_text(lang: Lang, reasons: &[Reason]) -> String {
    let mut parts = Vec::new();
    for reason in reasons {
        let text = say(lang, &reason.text);
        parts.push(match &reason.article {
            Some(article) => format!("{text}{}", bracketed(lang, &say(lang, article))),
            None => text,
        });
    }
    parts.join(semicolon(lang))
}

fn event_tone(kind: &CaseEventKind) -> Option<&'static str> {
    match kind {
        CaseEventKind::Decided { favourable: true, .. } | CaseEventKind::Delivered { .. } => Some("good"),
        CaseEventKind::Decided { .. }
        | CaseEventKind::NotAccepted { .. }
        | CaseEventKind::Terminated { .. }
        | CaseEventKind::CardShown { light: Light::Red, .. } => Some("bad"),
        CaseEventKind::CorrectionAsked { .. }
        | CaseEventKind::DeemedAccepted { .. }
        | CaseEventKind::Paused { .. }
        | CaseEventKind::CardShown { .. } => Some("warn"),
        _ => None,
    }
}

fn event_link(kind: &CaseEventKind, base: &str) -> Option<String> {
    match kind {
        CaseEventKind::CorrectionAnswered { file: Some(file), .. } => Some(format!("{base}/files/{file}")),
        CaseEventKind::Decided { .. }
        | CaseEventKind::NotAccepted { .. }
        | CaseEventKind::Terminated { .. } => Some(format!("{base}/decision")),
        CaseEventKind::ChildOpened { case_no, .. } => Some(sibling(base, case_no)),
        CaseEventKind::Reviewed { case_no, .. } => Some(sibling(base, case_no)),
        _ => None,
    }
}

/// The address of another case beside this one.
fn sibling(base: &str, case_no: &str) -> String {
    let parent = base.rsplit_once('/').map_or(base, |(parent, _)| parent);
    format!("{parent}/{case_no}")
}

/// The way of a case for its applicant, for the macro `stepper`.
pub(crate) fn way(ctx: &Ctx, case: &Case) -> Result<Json, Problem> {
    let stage = case.stage();
    if matches!(stage, Stage::NotAccepted | Stage::Withdrawn | Stage::Terminated)
        || (stage == Stage::Archived && case.decision.is_none())
    {
        return Ok(json!([]));
    }
    let agenda = case.agenda(calendar());
    let has = |wanted| case.procedure.stages.contains(&wanted);
    let mut steps = vec![(key("cases-way-received"), rank(Stage::Received))];
    if has(packs::model::Stage::Accepted) {
        steps.push((key("cases-way-accepted"), rank(Stage::Accepted)));
    }
    steps.push((key("cases-way-decided"), rank(Stage::Decision)));
    if has(packs::model::Stage::Production) || has(packs::model::Stage::Delivery) {
        steps.push((key("cases-way-delivered"), rank(Stage::Delivery)));
    }
    let here = match case.status() {
        // What stands on the list is what is being waited for.
        Status::Received | Status::Correction => rank(Stage::Accepted),
        Status::Accepted { .. } | Status::Working { .. } => rank(Stage::Decision),
        Status::Production | Status::Delivery => rank(Stage::Delivery),
        _ => u8::MAX,
    };
    let mut shown = Vec::new();
    let mut current = false;
    for (title, place) in steps {
        let state = if place < here {
            "done"
        } else if current {
            "todo"
        } else {
            current = true;
            "current"
        };
        let when = match (state, agenda.due) {
            ("current", Some(due)) if stage != Stage::Correction => {
                Some(ctx.text(key("cases-way-until"), &[("date", Arg::from(day_text(ctx, due)?))])?)
            }
            _ => None,
        };
        shown.push(json!({ "title": ctx.text(title, &[])?, "state": state, "when": when }));
    }
    Ok(Json::Array(shown))
}

fn rank(stage: Stage) -> u8 {
    match stage {
        Stage::Received | Stage::Correction => 1,
        Stage::Accepted => 2,
        Stage::Review | Stage::Decision => 3,
        _ => 4,
    }
}

/// A case in a list.
pub(crate) fn listed(ctx: &Ctx, case: &Listed, base: &str) -> Result<Json, Problem> {
    let mine = case.assignee.is_some() && case.assignee == ctx.actor().account();
    let taken = match (mine, case.assignee) {
        (true, _) => Some(ctx.text(key("cases-taken-by-me"), &[])?),
        (false, Some(_)) => Some(ctx.text(key("cases-taken"), &[])?),
        (false, None) => None,
    };
    Ok(json!({
        "case_no": case.case_no,
        "href": format!("{base}/{}", case.case_no),
        "item": case.item_name,
        "applicant": case.applicant,
        "stage": stage_pill(ctx, case.stage)?,
        "light": light_word(case.light),
        "due": case.due,
        "left": due_text(ctx, case.due, case.light)?,
        "received": case.received_at,
        "taken": taken,
        "org": org_name(&ctx.app.pack, case.org.as_str()),
        "outcome": case.outcome,
    }))
}

/// The name of a moment that can be rated.
pub(crate) fn moment_text(ctx: &Ctx, moment: Moment) -> Result<String, Problem> {
    ctx.text(&format!("{}{}", key("cases-moment-"), moment.as_str()), &[])
}

/// Who can be asked about a case: the office, where it is, its telephone.
pub(crate) fn contact(ctx: &Ctx, case: &Case) -> Json {
    let pack = &ctx.app.pack;
    let venue = pack.item(&case.opened.item_id).and_then(|item| item.venues.first());
    json!({
        "org": org_name(pack, case.opened.org.as_str()),
        "place": venue.map(|venue| json!(venue.name)),
        "address": venue.map(|venue| json!(venue.address)),
        "hours": venue.map(|venue| json!(venue.hours)),
        "phone": venue.map_or_else(|| pack.node().phone.clone(), |venue| venue.phone.clone()),
    })
}

/// The number of the case that this one grew out of, for a link.
pub(crate) fn parent(case: &Case) -> Option<(CaseId, String)> {
    case.opened.parent.as_ref().map(|parent| (parent.case_id, parent.case_no.clone()))
}
