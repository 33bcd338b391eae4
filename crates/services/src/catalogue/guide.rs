//! What the guide of an item says, made ready for its page.

use packs::model::{Audience, Channel, Material, Otherwise, Words};
use packs::{Item, Pack};
use serde_json::{Value as Json, json};
use web::i18n::{Arg, Lang, key};
use web::{App, Problem};

/// The limit that the law sets for the whole procedure, which an item without one of its own goes by, and the
/// clause: a case counts the same one ([`cases::model::Terms::clock_rules`]).
fn limit_of_procedure(
    app: &App,
    item: &Item,
    lang: Lang,
) -> Result<(Option<String>, Option<String>), Problem> {
    let procedure = app.pack.procedure(&item.procedure).ok_or_else(Problem::not_found)?;
    let Some(rule) = &procedure.clocks.decision_limit else { return Ok((None, None)) };
    let (rules, today) = (app.pack.rules(), app.now().china_date());
    let term = rules.days(rule, today).map_err(Problem::internal)?;
    let source = &rules.at(rule, today).map_err(Problem::internal)?.source;
    Ok((Some(term.words().get(lang.as_str()).to_owned()), Some(source.cite(lang.as_str()))))
}

/// The guide of `item` in `lang`: data in the reader's language, headings are the template's.
pub fn guide(app: &App, item: &Item, lang: Lang) -> Result<Json, Problem> {
    let pack = &app.pack;
    let code = lang.as_str();
    let text = |key: &str, args: &[(&str, Arg)]| app.renderer.text(lang, key, args);
    let say = |words: &Words| words.get(code).to_owned();
    let cite = |id: Option<&str>| {
        id.and_then(|id| item.legal_basis.iter().find(|b| b.id == id)).map(|b| b.cite(code))
    };

    let authority = pack.org(&item.authority).map(|org| say(&org.name)).unwrap_or_default();
    let promised = say(&item.limits.promised.words());
    let (statutory, statutory_article) = match item.limits.statutory {
        Some(term) => (Some(say(&term.words())), cite(item.limits.article.as_deref())),
        None => limit_of_procedure(app, item, lang)?,
    };
    let fee = match item.fee.amount {
        0 => text(key("services-fee-none"), &[])?,
        fen => text(key("services-fee-amount"), &[("yuan", yuan(fen).into())])?,
    };
    let audience: Vec<String> =
        item.audience.iter().map(|one| text(&audience_key(*one), &[])).collect::<Result<_, _>>()?;
    let channels: Vec<String> =
        item.channels.iter().map(|one| text(&channel_key(*one), &[])).collect::<Result<_, _>>()?;
    let visits = match item.visits {
        0 => text(key("services-visits-none"), &[])?,
        count => text(key("services-visits-count"), &[("count", count.into())])?,
    };
    let at_a_glance = {
        let mut facts =
            vec![json!({ "label": text(key("services-limit-promised"), &[])?, "value": promised })];
        if let Some(statutory) = &statutory {
            facts.push(json!({ "label": text(key("services-limit-statutory"), &[])?, "value": statutory }));
        }
        facts.push(json!({ "label": text(key("services-fee"), &[])?, "value": fee }));
        facts.push(json!({ "label": text(key("services-visits"), &[])?, "value": visits }));
        facts
    };
    let materials: Vec<Json> =
        item.materials.iter().map(|one| material(app, pack, one, lang)).collect::<Result<_, _>>()?;
    let venue_phone =
        item.venues.first().map_or_else(|| pack.node().phone.clone(), |venue| venue.phone.clone());
    let faq = questions(app, item, lang, &promised, &venue_phone)?;
    Ok(json!({
        "id": item.id,
        "hash": item.hash(),
        "name": say(&item.name),
        "summary": say(&item.summary),
        "authority": authority,
        "audience": audience,
        "at_a_glance": at_a_glance,
        "conditions": item.conditions.iter().map(|one| json!({
            "text": say(&one.text), "article": cite(one.article.as_deref()),
        })).collect::<Vec<_>>(),
        "materials": materials,
        "all_held": item.materials.iter().all(|one| {
            one.obtained_from.licence.is_some() || one.obtained_from.source.is_some() || one.required_when.is_some()
        }),
        "promised": promised,
        "statutory": statutory,
        "statutory_article": statutory_article,
        "starts_at": text(match item.limits.start {
            packs::model::Start::Received => key("services-start-received"),
            packs::model::Start::Accepted => key("services-start-accepted"),
        }, &[])?,
        "at_once": item.limits.at_once,
        "steps": item.steps.iter().map(|one| json!({ "title": say(&one.name), "text": say(&one.text) })).collect::<Vec<_>>(),
        "fee": fee,
        "fee_note": item.fee.note.as_ref().map(say),
        "basis": item.legal_basis.iter().map(|one| json!({
            "cite": one.cite(code), "says": one.says.as_ref().map(say),
        })).collect::<Vec<_>>(),
        "channels": channels,
        "venues": item.venues.iter().map(|one| json!({
            "name": say(&one.name), "address": say(&one.address), "hours": say(&one.hours), "phone": one.phone,
        })).collect::<Vec<_>>(),
        "result": item.result.licence.as_deref().and_then(|id| pack.licence_type(id)).map(|one| say(&one.name)),
        "faq": faq,
        "phone": venue_phone,
        "hotline": pack.node().phone,
        "codes": {
            "catalog": item.catalog_code, "task": item.task_code,
            "type": text(&type_key(item), &[])?,
        },
        "asks": item.eligibility.is_some(),
        "books": item.appointment.is_some(),
        "parties": item.parties.iter().map(|one| say(&one.name)).collect::<Vec<_>>(),
    }))
}

/// Which materials of an item a type of licence answers, for "what you can do with what you hold".
pub fn held_materials<'a>(item: &'a Item, licence: &'a str) -> impl Iterator<Item = &'a Material> {
    item.materials.iter().filter(move |one| one.obtained_from.licence.as_deref() == Some(licence))
}

/// A material with why it need not be brought, or what to do about it.
fn material(app: &App, pack: &Pack, one: &Material, lang: Lang) -> Result<Json, Problem> {
    let text = |key: &str, args: &[(&str, Arg)]| app.renderer.text(lang, key, args);
    let code = lang.as_str();
    let from = &one.obtained_from;
    let licence =
        from.licence.as_deref().and_then(|id| pack.licence_type(id)).map(|l| l.name.get(code).to_owned());
    let source =
        from.source.as_deref().and_then(|id| pack.sharing().source(id)).map(|s| s.name.get(code).to_owned());
    let held = licence.is_some() || source.is_some() || from.applicant == Some(Otherwise::FilledIn);
    let otherwise = match from.applicant {
        Some(Otherwise::Upload) if held => Some(text(key("services-material-else-upload"), &[])?),
        Some(Otherwise::Upload) => Some(text(key("services-material-upload"), &[])?),
        Some(Otherwise::FilledIn) => Some(text(key("services-material-filled-in"), &[])?),
        Some(Otherwise::Promise) => Some(text(key("services-material-promise"), &[])?),
        Some(Otherwise::Show) => Some(text(key("services-material-show"), &[])?),
        None => None,
    };
    let taken_from = match (&licence, &source) {
        (Some(licence), _) => {
            Some(text(key("services-material-from-licence"), &[("licence", licence.clone().into())])?)
        }
        (None, Some(source)) => {
            Some(text(key("services-material-from-source"), &[("source", source.clone().into())])?)
        }
        (None, None) => None,
    };
    let tolerant = if one.tolerant { Some(text(key("services-material-tolerant"), &[])?) } else { None };
    let why: Vec<String> = one
        .why_not_needed
        .as_ref()
        .map(|why| why.get(code).to_owned())
        .into_iter()
        .chain(taken_from)
        .collect();
    let hint: Vec<String> = otherwise.into_iter().chain(tolerant).collect();
    let space = if code.starts_with("en") { " " } else { "" };
    Ok(json!({
        "name": one.name.get(code),
        "need": if held { "held" } else if one.required_when.is_some() { "optional" } else { "bring" },
        "why": why.join(space),
        "hint": hint.join(space),
    }))
}

/// What people ask about every service, answered from its own file.
fn questions(app: &App, item: &Item, lang: Lang, promised: &str, phone: &str) -> Result<Vec<Json>, Problem> {
    let text = |key: &str, args: &[(&str, Arg)]| app.renderer.text(lang, key, args);
    let mut list = Vec::new();
    let mut ask =
        |question: String, answer: String| list.push(json!({ "question": question, "answer": answer }));
    let visit = match item.visits {
        0 => text(key("services-faq-visit-none"), &[])?,
        count => text(key("services-faq-visit-count"), &[("count", count.into())])?,
    };
    ask(text(key("services-faq-visit"), &[])?, visit);
    ask(text(key("services-faq-later"), &[])?, text(key("services-faq-later-answer"), &[])?);
    ask(
        text(key("services-faq-long"), &[])?,
        text(key("services-faq-long-answer"), &[("promised", promised.into())])?,
    );
    ask(text(key("services-faq-data"), &[])?, text(key("services-faq-data-answer"), &[])?);
    ask(
        text(key("services-faq-help"), &[])?,
        text(key("services-faq-help-answer"), &[("phone", phone.into())])?,
    );
    Ok(list)
}

/// The key of an audience's name.
fn audience_key(audience: Audience) -> String {
    let word = match audience {
        Audience::NaturalPerson => "natural-person",
        Audience::Enterprise => "enterprise",
        Audience::PublicInstitution => "public-institution",
        Audience::SocialOrganisation => "social-organisation",
        Audience::UnincorporatedBusiness => "unincorporated-business",
        Audience::GovernmentOrgan => "government-organ",
        Audience::OtherOrganisation => "other-organisation",
    };
    format!("{}{word}", key("services-audience-"))
}

fn channel_key(channel: Channel) -> String {
    let word = match channel {
        Channel::Online => "online",
        Channel::Counter => "counter",
        Channel::Post => "post",
        Channel::Telephone => "telephone",
        Channel::Kiosk => "kiosk",
        Channel::HomeVisit => "home-visit",
    };
    format!("{}{word}", key("services-channel-"))
}

fn type_key(item: &Item) -> String {
    format!("{}{}", key("services-type-"), item.item_type.code())
}

/// Fen as yuan.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}
