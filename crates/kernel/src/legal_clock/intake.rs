//! The five days of the office after the receipt of an application (行政许可法, article 32).

use super::event::{ClockEvent, ClockEventKind};
use crate::calendar::{BeyondCalendar, WorkCalendar};
use crate::time::Date;

/// Within so many working days the office must say, once, all that has to be corrected (行政许可法, articles 32
/// item 4 and 82).
const CORRECTION_DAYS: u32 = 5;

/// The last day for the one correction notice after a receipt on this day.
///
/// # Errors
/// When the calendar does not reach so far.
pub fn correction_deadline(received: Date, calendar: &WorkCalendar) -> Result<Date, BeyondCalendar> {
    calendar.add_workdays(received, CORRECTION_DAYS)
}

/// An application that counts as accepted because the office was silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeemedAcceptance {
    /// The day from which the application counts as accepted: that of its receipt.
    pub accepted: Date,
    /// The last day on which the office could have answered.
    pub deadline: Date,
}

/// Whether the application counts as accepted by silence on the day `today`: it was received, and up to the
/// deadline it was neither accepted, nor returned for correction, nor decided. What the office does after the
/// deadline does not undo it.
///
/// # Errors
/// When the calendar does not reach the deadline.
pub fn deemed_acceptance(
    events: &[ClockEvent],
    calendar: &WorkCalendar,
    today: Date,
) -> Result<Option<DeemedAcceptance>, BeyondCalendar> {
    let receipt = events.iter().find(|event| event.kind == ClockEventKind::Received);
    let Some(accepted) = receipt.map(|event| event.at.china_date()) else { return Ok(None) };
    let deadline = correction_deadline(accepted, calendar)?;
    let answered = events.iter().any(|event| is_answer(&event.kind) && event.at.china_date() <= deadline);
    Ok((today > deadline && !answered).then_some(DeemedAcceptance { accepted, deadline }))
}

fn is_answer(kind: &ClockEventKind) -> bool {
    matches!(
        kind,
        ClockEventKind::CorrectionAsked { .. } | ClockEventKind::Accepted | ClockEventKind::Decided
    )
}
