//! Correction, acceptance, non-acceptance.

use kernel::actor::Actor;
use kernel::ids::BlobId;
use store::Reads;
use store::Tx;

use super::{At, applicant, calendar, load, record};
use crate::error::ActionError;
use crate::model::{Case, CaseEventKind, EventActor, Point, Reason};

/// Sends the one correction notice (一次性补正告知).
pub async fn ask_correction(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    points: &[Point],
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.ask_correction(points, calendar(), tx.store().env().now())?;
    record(tx, &mut loaded, by, actor, "cases.ask_correction", kinds).await?;
    Ok(loaded.case)
}

/// The applicant answers it.
pub async fn answer_correction(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    text: &str,
    file: Option<BlobId>,
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = applicant(actor, &loaded)?;
    let kinds = loaded.case.answer_correction(text, file)?;
    record(tx, &mut loaded, by, actor, "cases.answer_correction", kinds).await?;
    Ok(loaded.case)
}

/// Accepts (受理). Where silence has done so already, that is recorded, from the day of receipt.
pub async fn accept(tx: &Tx, actor: &Actor, at: impl Into<At>) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.accept(calendar(), tx.store().env().now())?;
    let silent = kinds.iter().any(|kind| matches!(kind, CaseEventKind::DeemedAccepted { .. }));
    let by = if silent { EventActor::node() } else { by };
    record(tx, &mut loaded, by, actor, "cases.accept", kinds).await?;
    Ok(loaded.case)
}

/// Does not accept (不予受理), with reasons.
pub async fn reject_application(
    tx: &Tx,
    actor: &Actor,
    at: impl Into<At>,
    reasons: &[Reason],
) -> Result<Case, ActionError> {
    let mut loaded = load(tx, at.into()).await?;
    let by = loaded.case.in_hand_of(actor)?;
    let kinds = loaded.case.reject_application(reasons, calendar(), tx.store().env().now())?;
    record(tx, &mut loaded, by, actor, "cases.reject_application", kinds).await?;
    Ok(loaded.case)
}
