//! Legal clocks: a pure function of a case's events, a rule and the calendar of the place.
//!
//! The day after the starting event is day 1 (民法典, article 201; 行政许可法, article 82 for working days).
//! Each day after it counts when it is a working day, or any day for a limit in natural days, unless the clock
//! is paused: a pause begins on the day after it is ordered and ends with the day on which the case goes on,
//! so a day is never both lost and counted. The due date is the day on which the last day of the limit is
//! used up. A limit of zero days is due on the spot, the day of the start. A limit in natural days that would
//! end on a day off ends on the next working day (民法典, article 203).
//!
//! The statutory clock and the promised one are two [`ClockRule`]s over the same events.

mod event;
mod intake;
mod run;
mod state;

pub use event::{ClockError, ClockEvent, ClockEventKind, ClockRule, Limit, PauseGround, StartEvent, Unit};
pub use intake::{DeemedAcceptance, correction_deadline, deemed_acceptance};
pub use run::{ClockRun, compute};
pub use state::{ClockState, Light, PauseCause, Step, WARNING_PERCENT};
