//! Opening a case (收件). Everything that can be made ready before the write is: clocks, folding, encryption.

use std::collections::BTreeMap;

use kernel::actor::Actor;
use kernel::ids::{CaseId, OrgCode, SubjectId};
use kernel::legal_clock::ClockRule;
use kernel::time::Timestamp;
use packs::Versioned;
use packs::model::{Procedure, Words};
use store::{AuditEntry, Purpose, Store, Tx};

use super::calendar;
use crate::error::ActionError;
use crate::events;
use crate::model::{
    Automatic, Case, CaseEvent, CaseEventKind, ClockReading, EventActor, Opened, Parent, Payload, Reason,
    Stage, Terms,
};
use crate::store::{self as ledger, NewRows};

/// A case to be opened.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// Whose: the person or firm whose affair it is.
    pub subject: SubjectId,
    /// Its id, made by the caller, so that what belongs to it can be made before.
    pub case_id: CaseId,
    /// Its number, from `kernel::case_no::CaseNo::generate`.
    pub case_no: String,
    /// The item.
    pub item_id: String,
    /// The item's version.
    pub item_hash: String,
    /// What the item is called.
    pub item_name: Words,
    /// The procedure, in the version that the case runs under.
    pub procedure: Versioned<Procedure>,
    /// The organisation that decides.
    pub org: OrgCode,
    /// The division it happens in.
    pub division: String,
    /// What the applicant is called.
    pub applicant: String,
    /// What was submitted.
    pub payload: Payload,
    /// When it was received.
    pub received_at: Timestamp,
    /// The limit of the law, where a law sets one; see [`Terms::clock_rules`].
    pub statutory: Option<ClockRule>,
    /// The limit of the promise.
    pub promised: ClockRule,
    /// The procedure's numbers; see [`Terms::resolve`].
    pub terms: Terms,
    /// The case that it grows out of.
    pub parent: Option<Parent>,
    /// The decision, where the item's table decides at once.
    pub at_once: Option<AutomaticDecision>,
}

/// A decision that no officer makes: what the item's decision table said, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct AutomaticDecision {
    /// A result of the procedure.
    pub outcome: String,
    /// Why, with the clauses.
    pub reasons: Vec<Reason>,
    /// Values that the row fixes.
    pub values: BTreeMap<String, serde_json::Value>,
    /// The row that fitted, from 1; 0 is the default row.
    pub row: u32,
}

/// A case that is ready to be written.
pub struct Prepared {
    procedure: Versioned<Procedure>,
    case: Case,
    events: Vec<CaseEvent>,
    rows: NewRows,
    opened: OpenedCase,
}

/// What the applicant is told.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedCase {
    /// Its id.
    pub case_id: CaseId,
    /// Its number.
    pub case_no: String,
    /// Where it is already.
    pub stage: Stage,
    /// The outcome, where it was decided at once.
    pub outcome: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// The clock of the law, where a law sets a limit.
    pub statutory: Option<ClockReading>,
    /// The clock of the promise.
    pub promised: ClockReading,
}

impl Prepared {
    /// What the applicant will be told, known before the write: the receipt is signed over it.
    pub fn opened(&self) -> &OpenedCase {
        &self.opened
    }
}

/// Makes a case ready: pure but for randomness. Do it before the write begins.
///
/// Where no officer accepts, the node does, with the receipt; where the item's table decides, that is recorded
/// with its reasons too.
pub fn prepare(store: &Store, actor: &Actor, new: NewCase) -> Result<Prepared, ActionError> {
    let NewCase { subject, case_id, procedure, .. } = &new;
    let opened = CaseEventKind::Opened(Box::new(Opened {
        case_no: new.case_no.clone(),
        item_id: new.item_id.clone(),
        item_hash: new.item_hash.clone(),
        item_name: new.item_name.clone(),
        procedure_id: procedure.id.clone(),
        procedure_hash: procedure.hash().to_owned(),
        org: new.org.clone(),
        division: new.division.clone(),
        applicant: new.applicant.clone(),
        parent: new.parent.clone(),
        statutory: new.statutory.clone(),
        promised: new.promised.clone(),
        terms: new.terms.clone(),
        payload: new.payload.clone(),
    }));
    let first = CaseEvent { seq: 1, at: new.received_at, actor: EventActor::new(actor, None), kind: opened };
    let mut case = Case::begin(*subject, *case_id, std::sync::Arc::new((**procedure).clone()), &first)?;
    let mut events = vec![first];
    let mut kinds = Vec::new();
    if let Some(decision) = &new.at_once {
        let by = Automatic { item_hash: new.item_hash.clone(), row: decision.row };
        kinds =
            case.decide_automatically(&decision.outcome, &decision.reasons, decision.values.clone(), by)?;
    } else if case.accepts_itself() {
        kinds.push(CaseEventKind::Accepted);
    }
    for kind in kinds {
        let event = case.next_event(kind, EventActor::node(), new.received_at);
        case.apply(&event)?;
        events.push(event);
    }
    let rows = ledger::seal_new(store, &case, &events)?;
    let (statutory, promised) = case.readings(calendar(), new.received_at.china_date());
    let opened = OpenedCase {
        case_id: *case_id,
        case_no: new.case_no.clone(),
        stage: case.stage(),
        outcome: case.outcome().map(str::to_owned),
        received_at: new.received_at,
        statutory,
        promised,
    };
    Ok(Prepared { procedure: new.procedure, case, events, rows, opened })
}

/// Writes a case that was made ready.
pub async fn open(tx: &Tx, actor: &Actor, prepared: Prepared) -> Result<OpenedCase, ActionError> {
    let Prepared { procedure, case, events, rows, opened } = prepared;
    ledger::insert(tx, &procedure, &case, rows, calendar()).await?;
    for event in &events {
        events::tell(tx, &case, event)?;
    }
    let purpose =
        if matches!(actor, Actor::Citizen { .. }) { Purpose::OwnUse } else { Purpose::CaseHandling };
    tx.audit(
        AuditEntry::new(actor, "cases.open", purpose)
            .about(case.subject)
            .in_case(case.id, case.case_no())
            .object("cases.case"),
    );
    Ok(opened)
}
