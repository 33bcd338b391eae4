//! A person looks at a decision again (人工复核), because the applicant asks for it.

use kernel::actor::Actor;
use packs::Pack;
use packs::model::Words;
use store::{Reads, Tx};

use super::rate::{Child, open_child};
use super::{At, append, applicant, calendar, load, record};
use crate::error::ActionError;
use crate::model::{Case, CaseEventKind, ChildReason, EventActor, Payload, Row, Section, Text};

/// Asks for a review and gives the number of the case that was opened for it (个人信息保护法, article 24).
pub async fn request_review(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    pack: &Pack,
    why: &str,
) -> Result<String, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = applicant(actor, &loaded)?;
    let why = crate::model::required_text("reason", why)?;
    let today = tx.store().env().now().china_date();
    let procedure = loaded.case.review_procedure(calendar(), today)?.to_owned();
    let child = Child {
        procedure: &procedure,
        reason: ChildReason::Review,
        moment: None,
        item_name: Words::new(
            format!("人工复核：{}", loaded.case.opened.item_name.zh),
            format!("Review: {}", loaded.case.opened.item_name.en),
        ),
        payload: payload(&loaded.case, &why),
    };
    let (id, number) = open_child(tx, actor, &loaded.case, pack, child).await?;
    let kinds = vec![loaded.case.child_opened(id, &number, ChildReason::Review)];
    record(tx, &mut loaded, by, actor, "cases.request_review", kinds).await?;
    Ok(number)
}

/// What the reviewer reads: why, the decision and its reasons, then the application as it was.
fn payload(case: &Case, why: &str) -> Payload {
    let row =
        |field: &str, label: Words, value: Text| Row { field: field.to_owned(), label, value, source: None };
    let mut rows = vec![
        row("why", Words::new("申请复核的理由", "Why a review is asked for"), why.into()),
        row("case_no", Words::new("原办件", "The case"), case.case_no().into()),
    ];
    if let Some(decision) = &case.decision {
        let name = case.outcome_name().cloned().map_or_else(|| decision.outcome.clone().into(), Text::Words);
        rows.push(row("outcome", Words::new("原决定", "The decision"), name));
        let because = decision.reasons.iter().map(|reason| &reason.text);
        rows.extend(
            because.map(|text| row("reason", Words::new("原理由", "Its reason"), text.clone().into())),
        );
    }
    let mut payload = case.opened.payload.clone();
    payload.sections.insert(0, Section { title: Words::new("复核申请", "The request"), rows });
    payload
}

/// After the decision of a review: what it means for the case that it looked at.
pub(super) async fn tell_parent(tx: &Tx, child: &Case, actor: &Actor) -> Result<(), ActionError> {
    let Some(parent) = child.opened.parent.as_ref().filter(|parent| parent.reason == ChildReason::Review)
    else {
        return Ok(());
    };
    let Some(decision) = &child.decision else { return Ok(()) };
    let key = crate::CaseKey { subject: child.subject, id: parent.case_id };
    let mut reviewed = load(tx, key.into()).await?;
    // A change is always to the applicant's good: to what they asked for.
    let new_outcome = match decision.favourable {
        true => reviewed
            .case
            .procedure
            .results
            .iter()
            .find(|result| result.favourable)
            .map(|result| result.id.clone()),
        false => None,
    };
    let kind = CaseEventKind::Reviewed {
        case_no: child.case_no().to_owned(),
        outcome: decision.outcome.clone(),
        new_outcome,
        favourable: decision.favourable,
        reasons: decision.reasons.clone(),
    };
    append(tx, &mut reviewed, EventActor::new(actor, Some(&decision.by.label)), vec![kind]).await
}
