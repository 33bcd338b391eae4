//! The 15 national states of a case (办件状态), as the construction-approval data standard numbers them and as
//! they are reported upwards.

use packs::model::Procedure;

use super::{Case, CaseEvent, CaseEventKind, Stage};

/// What brings a national state: the words that a procedure file uses, and the number where it says nothing.
const MOMENTS: [(&str, u8); 13] = [
    ("received", 1),
    ("withdrawn_before_acceptance", 2),
    ("accepted", 3),
    ("not_accepted", 5),
    ("correction_asked", 6),
    ("correction_answered", 7),
    ("review_started", 8),
    ("paused", 9),
    ("resumed", 10),
    ("favourable", 11),
    ("unfavourable", 13),
    ("withdrawn", 14),
    ("revoked", 15),
];

/// The national state that `event` brings to `case`, which stands as it was before the event; none where the
/// event changes nothing that the nation counts.
pub fn state_after(case: &Case, event: &CaseEvent) -> Option<u8> {
    let procedure = &case.procedure;
    let moment = match &event.kind {
        CaseEventKind::Opened(_) => "received",
        CaseEventKind::CorrectionAsked { .. } => "correction_asked",
        CaseEventKind::CorrectionAnswered { .. } => "correction_answered",
        CaseEventKind::Accepted | CaseEventKind::DeemedAccepted { .. } => "accepted",
        CaseEventKind::NotAccepted { .. } => "not_accepted",
        CaseEventKind::Claimed if case.stage() == Stage::Accepted => "review_started",
        CaseEventKind::Examined { .. } if case.stage() == Stage::Accepted => "review_started",
        CaseEventKind::Paused { .. } => "paused",
        CaseEventKind::Resumed => "resumed",
        CaseEventKind::Withdrawn { .. } if case.accepted_at.is_none() => "withdrawn_before_acceptance",
        CaseEventKind::Withdrawn { .. } => "withdrawn",
        CaseEventKind::Terminated { .. } => "revoked",
        CaseEventKind::Decided { outcome, favourable, .. } => {
            return Some(of_result(procedure, outcome, *favourable));
        }
        CaseEventKind::Reviewed { new_outcome: Some(outcome), favourable, .. } => {
            return Some(of_result(procedure, outcome, *favourable));
        }
        _ => return None,
    };
    of_moment(procedure, moment)
}

/// Every national state that the events of a case brought, in order, with the place of its event.
pub fn states(case: &Case, events: &[CaseEvent]) -> Vec<(u32, u8)> {
    let mut states = Vec::new();
    let Some((first, rest)) = events.split_first() else { return states };
    let Ok(mut so_far) = Case::begin(case.subject, case.id, case.procedure.clone(), first) else {
        return states;
    };
    states.extend(state_after(&so_far, first).map(|state| (first.seq, state)));
    for event in rest {
        states.extend(state_after(&so_far, event).map(|state| (event.seq, state)));
        if so_far.apply(event).is_err() {
            break;
        }
    }
    states
}

fn of_moment(procedure: &Procedure, moment: &str) -> Option<u8> {
    procedure
        .national_state(moment)
        .or_else(|| MOMENTS.iter().find(|(name, _)| *name == moment).map(|(_, state)| *state))
}

fn of_result(procedure: &Procedure, outcome: &str, favourable: bool) -> u8 {
    procedure.national_state(outcome).unwrap_or(if favourable { 11 } else { 13 })
}
