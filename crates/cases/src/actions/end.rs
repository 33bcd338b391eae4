//! Withdrawing, terminating, handing over.

use kernel::actor::Actor;
use kernel::ids::LicenceId;
use store::{Reads, Tx};

use super::rate::rate_again;
use super::{At, append, applicant, load, record};
use crate::error::ActionError;
use crate::model::{Case, CaseError, EventActor, Grade, Reason};

/// The applicant withdraws (撤回).
pub async fn withdraw(tx: &Tx, actor: &Actor, at: impl Into<At>, reason: &str) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = applicant(actor, &loaded)?;
    let kinds = loaded.case.withdraw(reason)?;
    record(tx, &mut loaded, by, actor, "cases.withdraw", kinds).await?;
    Ok(loaded.case)
}

/// Ends the case without a decision (终止), with reasons.
pub async fn terminate(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    reasons: &[Reason],
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.terminate(reasons, tx.store().env().now().china_date())?;
    record(tx, &mut loaded, by, actor, "cases.terminate", kinds).await?;
    Ok(loaded.case)
}

/// The result was made and handed over by the node (制证, 送达), with the licence if there is one. Doing it
/// again changes nothing, so that a reaction may run twice.
pub async fn deliver(tx: &Tx, at: impl Into<At>, licence: Option<LicenceId>) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    if loaded.case.delivered.is_some_and(|delivered| delivered.licence == licence) {
        return Ok(loaded.case);
    }
    let kinds = loaded.case.deliver(licence)?;
    record(tx, &mut loaded, EventActor::node(), &Actor::Node, "cases.deliver", kinds).await?;
    Ok(loaded.case)
}

/// An officer hands over: at the counter, or by calling back whoever complained. For a complaint the new grade
/// that the caller was given is recorded in the case that was rated (整改后追评).
pub async fn hand_over(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    note: &str,
    grade: Option<Grade>,
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let mut kinds = loaded.case.add_note(note)?;
    kinds.extend(loaded.case.deliver(None)?);
    record(tx, &mut loaded, by.clone(), actor, "cases.hand_over", kinds).await?;
    if let Some(grade) = grade {
        let parent = loaded.case.opened.parent.clone().filter(|_| loaded.case.is_complaint());
        let moment = parent.as_ref().and_then(|parent| parent.moment);
        let (Some(parent), Some(moment)) = (parent, moment) else {
            return Err(CaseError::WrongStage { stage: loaded.case.stage() }.into());
        };
        let key = crate::CaseKey { subject: loaded.case.subject, id: parent.case_id };
        let mut rated = load(tx, key.into()).await?;
        let kinds = rate_again(&rated.case, moment, grade)?;
        append(tx, &mut rated, by, kinds).await?;
    }
    Ok(loaded.case)
}
