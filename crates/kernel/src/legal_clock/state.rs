//! What comes out of a clock.

use serde::{Deserialize, Serialize};

use super::event::{PauseGround, StartEvent};
use crate::time::Date;

/// The share of a limit, in percent and rounded up to whole days, from which on the light is yellow.
pub const WARNING_PERCENT: u32 = 20;

/// The light of electronic supervision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// There is time.
    Green,
    /// Little is left (黄牌).
    Yellow,
    /// The due date has passed (红牌).
    Red,
    /// The clock is paused in time.
    Paused,
    /// The case is decided.
    Done,
}

impl Light {
    /// The light for so many days left of a limit that has not passed.
    #[must_use]
    pub fn for_remaining(remaining: u32, limit: u32) -> Self {
        let warning = (u64::from(limit) * u64::from(WARNING_PERCENT)).div_ceil(100).max(1);
        if u64::from(remaining) <= warning { Self::Yellow } else { Self::Green }
    }
}

/// Why days were not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseCause {
    /// A named procedure.
    Ground(PauseGround),
    /// The applicant was correcting the application.
    Correction,
}

/// One line of the reasoning from the start to the due date: data, put into words elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// The clock started; the next day is day 1.
    Started {
        /// What started it.
        event: StartEvent,
        /// On which day.
        date: Date,
    },
    /// A stretch of days was counted.
    Counted {
        /// How many days counted.
        days: u32,
        /// The first day that counted.
        from: Date,
        /// The last day that counted.
        to: Date,
        /// How many days off lay between them; always zero for natural days.
        skipped: u32,
    },
    /// A stretch of days was not counted.
    PausedBetween {
        /// Why.
        cause: PauseCause,
        /// The clause.
        article: String,
        /// The first day that did not count.
        from: Date,
        /// The last day that did not count; none while the pause lasts.
        to: Option<Date>,
        /// How many days that would have counted were left out; while the pause lasts, up to today or to the
        /// end of the calendar.
        days: u32,
    },
    /// The limit was extended.
    Extended {
        /// By how many days.
        days: u32,
        /// On which day.
        date: Date,
        /// Who approved it.
        approver: String,
        /// The clause.
        article: String,
    },
    /// An extension that came after the due date had passed changes nothing.
    ExtendedTooLate {
        /// By how many days it would have been extended.
        days: u32,
        /// On which day.
        date: Date,
        /// The clause.
        article: String,
    },
    /// The last natural day was a day off, so the limit ends on the next working day.
    RolledOver {
        /// The last day of the limit.
        from: Date,
        /// The working day that takes its place.
        to: Date,
    },
    /// The due date.
    Due {
        /// The last day on which the decision is in time.
        date: Date,
    },
    /// The decision.
    Finished {
        /// On which day.
        date: Date,
    },
}

/// A clock as it stands on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// The day of the starting event; the next one is day 1.
    pub started: Option<Date>,
    /// The last day in time; none before the start, and none while a pause keeps it open.
    pub due: Option<Date>,
    /// Days of the limit that are left after today, in its unit: zero on the due date, negative by the days
    /// that have passed since. After the decision it stays as it was on that day. None before the start, and for a due date in the past when the calendar
    /// does not reach to today.
    pub remaining: Option<i32>,
    /// Whether a pause is open.
    pub paused: bool,
    /// Whether the due date passed before the decision, or before today while there is none.
    pub overdue: bool,
    /// The light.
    pub light: Light,
    /// The reasoning, from the start to the due date.
    pub derivation: Vec<Step>,
    /// The day of the decision.
    pub finished: Option<Date>,
}
