//! Taking, handing over, examining, deciding, pausing, extending, noting.

use std::collections::BTreeMap;

use kernel::actor::{Actor, PostHolding};
use kernel::ids::{AccountId, SubjectId};
use store::{Reads, Tx};

use super::open::AutomaticDecision;
use super::{At, calendar, load, record, review};
use crate::error::ActionError;
use crate::model::{Automatic, Case, CaseError, EventActor, Reason};

/// An officer takes the case from the queue.
pub async fn claim(tx: &Tx, actor: &Actor, at: impl Into<At>) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.post_for(actor)?;
    let kinds = loaded.case.claim()?;
    record(tx, &mut loaded, by, actor, "cases.claim", kinds).await?;
    Ok(loaded.case)
}

/// The officer gives it back.
pub async fn release(tx: &Tx, actor: &Actor, at: impl Into<At>) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.post_for(actor)?;
    let account = actor.account().ok_or(CaseError::NotClaimed)?;
    let kinds = loaded.case.release(account)?;
    record(tx, &mut loaded, by, actor, "cases.release", kinds).await?;
    Ok(loaded.case)
}

/// Who shall take over, with the posts they hold today.
#[derive(Clone, Debug)]
pub struct Colleague {
    /// The account.
    pub account: AccountId,
    /// The person.
    pub subject: SubjectId,
    /// Their posts.
    pub posts: Vec<PostHolding>,
}

/// Hands the case to a colleague: whoever has it in hand may, and whoever may extend its limit, who heads the
/// work.
pub async fn reassign(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    to: &Colleague,
    reason: &str,
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let case = &loaded.case;
    let by = match (case.in_hand_of(actor), &case.opened.terms.extension) {
        (Ok(by), _) => by,
        (Err(_), Some(extension)) => case.in_role(actor, &extension.role)?,
        (Err(error), None) => return Err(error.into()),
    };
    let role = case.due_role().ok_or(CaseError::WrongStage { stage: case.stage() })?;
    if !to.posts.iter().any(|held| held.org == case.opened.org && held.role == role) {
        return Err(CaseError::CannotTakeOver.into());
    }
    let kinds = case.reassign(to.account, to.subject, reason)?;
    record(tx, &mut loaded, by, actor, "cases.reassign", kinds).await?;
    Ok(loaded.case)
}

/// Does a step before the deciding one.
pub async fn examine(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    opinion: &str,
    proposal: Option<&str>,
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.examine(opinion, proposal)?;
    record(tx, &mut loaded, by, actor, "cases.examine", kinds).await?;
    Ok(loaded.case)
}

/// What an officer decides.
#[derive(Clone, Debug, Default)]
pub struct DecisionInput {
    /// A result of the procedure.
    pub outcome: String,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Values that the decision fixes.
    pub values: BTreeMap<String, serde_json::Value>,
}

/// Decides (决定). Whoever examined is refused. A decision on review also changes the case that it looks at.
pub async fn decide(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    decision: DecisionInput,
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.decide(&decision.outcome, &decision.reasons, decision.values)?;
    record(tx, &mut loaded, by, actor, "cases.decide", kinds).await?;
    review::tell_parent(tx, &loaded.case, actor).await?;
    Ok(loaded.case)
}

/// Decides by the item's decision table, after the case was opened: for example when the last party has
/// confirmed. The node records it.
pub async fn decide_automatically(
    tx: &Tx,
    at: impl Into<At>,
    decision: AutomaticDecision,
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = Automatic { item_hash: loaded.case.opened.item_hash.clone(), row: decision.row };
    let kinds =
        loaded.case.decide_automatically(&decision.outcome, &decision.reasons, decision.values, by)?;
    record(tx, &mut loaded, EventActor::node(), &Actor::Node, "cases.decide_automatically", kinds).await?;
    Ok(loaded.case)
}

/// Stops the clocks on a ground that the procedure names (特别程序).
pub async fn pause(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    ground: &str,
    notice: &str,
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.pause(ground, notice)?;
    record(tx, &mut loaded, by, actor, "cases.pause", kinds).await?;
    Ok(loaded.case)
}

/// Lets the clocks run again.
pub async fn resume(tx: &Tx, actor: &Actor, at: impl Into<At>) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.resume()?;
    record(tx, &mut loaded, by, actor, "cases.resume", kinds).await?;
    Ok(loaded.case)
}

/// Extends the limit: only the post that the procedure names.
pub async fn extend(tx: &Tx, actor: &Actor, at: impl Into<At>, reason: &str) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let Some(extension) = &loaded.case.opened.terms.extension else {
        return Err(CaseError::NoExtension.into());
    };
    let by = loaded.case.in_role(actor, &extension.role)?;
    let kinds = loaded.case.extend(reason, calendar(), tx.store().env().now())?;
    record(tx, &mut loaded, by, actor, "cases.extend", kinds).await?;
    Ok(loaded.case)
}

/// Notes something for colleagues of the organisation.
pub async fn add_note(tx: &Tx, actor: &Actor, at: impl Into<At>, text: &str) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.seen_by(actor)?;
    let kinds = loaded.case.add_note(text)?;
    record(tx, &mut loaded, by, actor, "cases.add_note", kinds).await?;
    Ok(loaded.case)
}
