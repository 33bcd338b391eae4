//! One function a use case. Each loads the case, asks it whether the step may be done, and appends what
//! happened: events, cached columns, what others are told and the audit entry, in one transaction.

mod end;
mod intake;
mod open;
mod perform;
mod rate;
mod review;
mod work;

use kernel::actor::Actor;
use kernel::calendar::WorkCalendar;
use store::{AuditEntry, Purpose, Reads, Tx};

pub use end::{deliver, hand_over, terminate, withdraw};
pub use intake::{accept, answer_correction, ask_correction, reject_application};
pub use open::{AutomaticDecision, NewCase, OpenedCase, Prepared, open, prepare};
pub use perform::{WorkAction, WorkInput, perform};
pub use rate::{NewRating, rate};
pub use review::request_review;
pub use work::{
    Colleague, DecisionInput, add_note, claim, decide, decide_automatically, examine, extend, pause,
    reassign, release, resume,
};

use crate::error::ActionError;
use crate::events;
use crate::model::{CaseError, CaseEventKind, EventActor};
use crate::store::{self as ledger, CaseKey, Loaded};

/// Which case, and how many events it had when the actor last saw it.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The case.
    pub key: CaseKey,
    /// Its events as the actor saw them; nothing where it does not matter.
    pub seen: Option<u32>,
}

impl From<CaseKey> for At {
    fn from(key: CaseKey) -> Self {
        Self { key, seen: None }
    }
}

/// The working days that cases count by.
pub(crate) fn calendar() -> &'static WorkCalendar {
    WorkCalendar::embedded()
}

/// Loads the case, and refuses if somebody acted since the actor saw it.
async fn load(tx: &Tx, at: At) -> Result<Loaded, ActionError> {
    let loaded = ledger::find(tx, at.key).await?.ok_or(ActionError::NotFound)?;
    match at.seen {
        Some(seen) if seen != loaded.case.seq() => Err(CaseError::ChangedMeanwhile.into()),
        _ => Ok(loaded),
    }
}

/// Appends what happened, tells the house and notes the act.
async fn record(
    tx: &Tx,
    loaded: &mut Loaded,
    by: EventActor,
    actor: &Actor,
    action: &'static str,
    kinds: Vec<CaseEventKind>,
) -> Result<(), ActionError> {
    append(tx, loaded, by, kinds).await?;
    let purpose = match actor {
        Actor::Citizen { .. } => Purpose::OwnUse,
        Actor::Officer { .. } | Actor::System { .. } => Purpose::CaseHandling,
        _ => Purpose::Operation,
    };
    tx.audit(
        AuditEntry::new(actor, action, purpose)
            .about(loaded.case.subject)
            .in_case(loaded.case.id, loaded.case.case_no())
            .object("cases.case"),
    );
    Ok(())
}

/// Appends what happened and tells the house.
pub(crate) async fn append(
    tx: &Tx,
    loaded: &mut Loaded,
    by: EventActor,
    kinds: Vec<CaseEventKind>,
) -> Result<(), ActionError> {
    let now = tx.store().env().now();
    let mut ahead = loaded.case.clone();
    let mut happened = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let event = ahead.next_event(kind, by.clone(), now);
        ahead.apply(&event)?;
        happened.push(event);
    }
    ledger::append(tx, loaded, happened.clone(), calendar()).await?;
    for event in &happened {
        events::tell(tx, &loaded.case, event)?;
    }
    Ok(())
}

/// The applicant, who alone may do this: the person themself, or whoever acts for them.
fn applicant(actor: &Actor, loaded: &Loaded) -> Result<EventActor, ActionError> {
    // Whoever it does not concern does not learn that the case exists.
    if actor.acting_for() == Some(loaded.case.subject) {
        Ok(EventActor::new(actor, None))
    } else {
        Err(ActionError::NotFound)
    }
}
