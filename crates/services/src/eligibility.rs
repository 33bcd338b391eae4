//! Whether one may apply: the questions before applying, and what an item's table says of the answers.
//!
//! Nothing is stored: the questions are for orientation, and nobody has to answer them to apply.

use kernel::time::Date;
use packs::Item;
use packs::expr::{Env, Facts};
use packs::table::Decision;
use serde_json::{Map, Value as Json, json};
use web::forms::{FieldError, Posted};
use web::i18n::{Lang, key};
use web::{App, Problem};

use crate::model::Asked;

/// Reads the answers of a form. What is wrong comes beside what is right.
pub(crate) fn read(item: &Item, posted: &Posted, today: Date, lang: Lang) -> (Facts, Vec<FieldError>) {
    collect(item, |asked| asked.from_form(posted, today, lang))
}

/// Reads the answers of a program: an object of question ids. A question left out is not known.
pub(crate) fn read_json(
    item: &Item,
    answers: &Map<String, Json>,
    today: Date,
    lang: Lang,
) -> (Facts, Vec<FieldError>) {
    let (facts, mut errors) = collect(item, |asked| match answers.get(asked.id) {
        Some(json) => asked.optional().from_json(json, today, lang),
        None => Ok(None),
    });
    let asked = item.eligibility.iter().flat_map(|all| &all.questions);
    let known: Vec<&str> = asked.map(|question| question.id.as_str()).collect();
    for name in answers.keys().filter(|name| !known.contains(&name.as_str())) {
        errors.push(FieldError::new(name.clone(), key("services-error-unknown-field")));
    }
    (facts, errors)
}

fn collect(
    item: &Item,
    read: impl Fn(&Asked<'_>) -> Result<crate::model::input::Answer, FieldError>,
) -> (Facts, Vec<FieldError>) {
    let (mut facts, mut errors) = (Facts::new(), Vec::new());
    for question in item.eligibility.iter().flat_map(|all| &all.questions) {
        match read(&Asked::from(question)) {
            Ok(Some(value)) => {
                facts.set(question.id.clone(), value);
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    (facts, errors)
}

/// What the table says, with its reasons and articles in the reader's language.
pub(crate) fn verdict(app: &App, item: &Item, facts: &Facts, lang: Lang) -> Result<Json, Problem> {
    let env = Env { today: app.now().china_date(), rules: app.pack.rules() };
    let decision = item.check_eligibility(facts, env).map_err(Problem::internal)?;
    let decision = decision.ok_or_else(Problem::not_found)?;
    Ok(explain(item, &decision, lang))
}

/// A decision of a table as a page or a program shows it.
pub(crate) fn explain(item: &Item, decision: &Decision, lang: Lang) -> Json {
    let code = lang.as_str();
    let label = |id: &String| {
        let questions = item.eligibility.iter().flat_map(|all| &all.questions);
        let found = questions.into_iter().find(|one| one.id == *id).map(|one| one.label.get(code).to_owned());
        found
            .or_else(|| item.scope().resolve(id).map(|(_, info)| info.label.get(code).to_owned()))
            .unwrap_or(id.clone())
    };
    json!({
        "outcome": decision.outcome_or_not_enough_data(),
        "because": decision.because.get(code),
        "article": decision.article.as_ref().map(|article| json!({
            "cite": article.cite(code), "says": article.says.as_ref().map(|says| says.get(code)),
        })),
        "reasons": decision.reasons.iter().map(|reason| reason.get(code)).collect::<Vec<_>>(),
        "rules": decision.rules.iter().map(|rule| json!({
            "id": rule.id, "name": rule.name.get(code), "value": rule.value, "unit": rule.unit,
            "effective_from": rule.effective_from.to_string(), "verified": rule.verified,
        })).collect::<Vec<_>>(),
        "missing": decision.missing.iter().map(label).collect::<Vec<_>>(),
        "row": decision.row,
        "table": decision.table,
    })
}
