//! What the rest of the house is told. Payloads name ids and words, never personal data.

use kernel::ids::{CaseId, SubjectId};
use serde::{Deserialize, Serialize};
use store::{Event, StoreError, Tx};

use crate::model::{Case, CaseEvent, CaseEventKind};

/// A case was received.
pub const OPENED: &str = "cases.opened";
/// A case was accepted, expressly or by silence.
pub const ACCEPTED: &str = "cases.accepted";
/// The correction notice went out.
pub const CORRECTION_ASKED: &str = "cases.correction_asked";
/// A case has its outcome: decided, not accepted, withdrawn, terminated, or changed on review.
pub const CONCLUDED: &str = "cases.concluded";
/// The result was handed over.
pub const DELIVERED: &str = "cases.delivered";
/// A moment was rated.
pub const RATED: &str = "cases.rated";

/// The payload of every event of this crate, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseTold {
    /// Whose case.
    pub subject: SubjectId,
    /// Which.
    pub case_id: CaseId,
    /// Its number.
    pub case_no: String,
    /// The item.
    pub item_id: String,
    /// The item's version.
    pub item_hash: String,
    /// The outcome, of a concluded case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Whether the applicant gets what they asked for.
    #[serde(default)]
    pub favourable: bool,
}

/// Tells what `event` has brought to `case`, which stands as it is after the event.
pub(crate) fn tell(tx: &Tx, case: &Case, event: &CaseEvent) -> Result<(), StoreError> {
    let kind = match &event.kind {
        CaseEventKind::Opened(_) => OPENED,
        CaseEventKind::Accepted | CaseEventKind::DeemedAccepted { .. } => ACCEPTED,
        CaseEventKind::CorrectionAsked { .. } => CORRECTION_ASKED,
        CaseEventKind::Decided { .. }
        | CaseEventKind::NotAccepted { .. }
        | CaseEventKind::Withdrawn { .. }
        | CaseEventKind::Terminated { .. }
        | CaseEventKind::Reviewed { new_outcome: Some(_), .. } => CONCLUDED,
        CaseEventKind::Delivered { .. } => DELIVERED,
        CaseEventKind::Rated { .. } => RATED,
        _ => return Ok(()),
    };
    let ended = case.ended();
    let told = CaseTold {
        subject: case.subject,
        case_id: case.id,
        case_no: case.opened.case_no.clone(),
        item_id: case.opened.item_id.clone(),
        item_hash: case.opened.item_hash.clone(),
        favourable: ended.as_ref().is_some_and(|outcome| outcome.favourable),
        outcome: ended.map(|outcome| outcome.word),
    };
    tx.emit(Event::new(kind, &told)?);
    Ok(())
}
