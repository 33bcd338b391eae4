//! The two clocks of a case, and the dates that a queue sorts by.

use std::collections::BTreeSet;

use kernel::calendar::WorkCalendar;
use kernel::legal_clock::{
    ClockError, ClockEvent, ClockEventKind, ClockRule, ClockRun, ClockState, Light, Limit, StartEvent, Step,
    Unit, WARNING_PERCENT,
};
use kernel::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Case, CaseEvent, CaseEventKind, ClockName, Status};

/// Both clocks, fed with each event as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Of the law, where a law sets a limit.
    pub statutory: Option<ClockRun>,
    /// Of the promise.
    pub promised: ClockRun,
}

impl Clocks {
    pub(crate) fn new(statutory: Option<ClockRule>, promised: ClockRule) -> Self {
        Self { statutory: statutory.map(ClockRun::new), promised: ClockRun::new(promised) }
    }

    /// Takes an event; after an error both are as they were.
    pub(crate) fn push(&mut self, event: &ClockEvent) -> Result<(), ClockError> {
        let mut promised = self.promised.clone();
        promised.push(event)?;
        if let Some(statutory) = &mut self.statutory {
            statutory.push(event)?;
        }
        self.promised = promised;
        Ok(())
    }
}

/// What a clock says, or that the calendar does not reach far enough to say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reading", rename_all = "snake_case")]
pub enum ClockReading {
    /// The state.
    State(ClockState),
    /// The due date lies past the calendar, whose last year is named. It is known once the State Council has
    /// announced the next year's holidays.
    BeyondCalendar {
        /// The calendar's last year.
        last_year: i16,
    },
}

impl ClockReading {
    /// Reads a clock on a day.
    pub fn of(run: &ClockRun, calendar: &WorkCalendar, today: Date) -> Self {
        match run.state(calendar, today) {
            Ok(state) => Self::State(state),
            // Folding has refused every other error before.
            Err(_) => Self::BeyondCalendar { last_year: calendar.last_year() },
        }
    }

    /// The state, when it is known.
    pub fn state(&self) -> Option<&ClockState> {
        match self {
            Self::State(state) => Some(state),
            Self::BeyondCalendar { .. } => None,
        }
    }

    /// The due date, when there is one and it is known.
    pub fn due(&self) -> Option<Date> {
        self.state()?.due
    }
}

/// What the queue needs to know of a case's time: dates only, so that a light needs no sweep to be right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agenda {
    /// The next date that has to be kept, whatever it is for.
    pub due: Option<Date>,
    /// From this day on the light is yellow.
    pub yellow_from: Option<Date>,
    /// Whether the clock stands still.
    pub paused: bool,
    /// Whether nothing is left to be kept.
    pub done: bool,
    /// The due date of the law.
    pub statutory_due: Option<Date>,
    /// The due date of the promise.
    pub promised_due: Option<Date>,
    /// Whether a date lies past the calendar.
    pub beyond_calendar: bool,
    /// What electronic supervision watches.
    pub watches: Vec<Watch>,
    /// The first day on which the sweeper has something to do with the case.
    pub wake_on: Option<Date>,
}

/// A due date that electronic supervision watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Whose.
    pub clock: ClockName,
    /// The date.
    pub due: Date,
    /// The first day of the yellow card.
    pub yellow_from: Date,
}

impl Watch {
    /// The cards that are due on a day and were not shown yet, yellow before red.
    pub fn cards_due(&self, shown: &BTreeSet<(ClockName, Date, bool)>, today: Date) -> Vec<Light> {
        let is_new = |red| !shown.contains(&(self.clock, self.due, red));
        let mut cards = Vec::new();
        if today >= self.yellow_from && is_new(false) {
            cards.push(Light::Yellow);
        }
        if today > self.due && is_new(true) {
            cards.push(Light::Red);
        }
        cards
    }

    fn wake_on(&self, shown: &BTreeSet<(ClockName, Date, bool)>) -> Option<Date> {
        if !shown.contains(&(self.clock, self.due, false)) {
            Some(self.yellow_from)
        } else if !shown.contains(&(self.clock, self.due, true)) {
            self.due.tomorrow().ok()
        } else {
            None
        }
    }
}

impl Agenda {
    /// The light on a day.
    pub fn light(&self, today: Date) -> Light {
        if self.done {
            Light::Done
        } else if self.due.is_some_and(|due| today > due) {
            Light::Red
        } else if self.paused {
            Light::Paused
        } else if self.yellow_from.is_some_and(|from| today >= from) {
            Light::Yellow
        } else {
            Light::Green
        }
    }

    /// Takes in one more date to be kept: the earliest counts.
    fn keep(&mut self, run: &ClockRun, calendar: &WorkCalendar, as_of: Date) -> Option<(Date, Date)> {
        let reading = ClockReading::of(run, calendar, as_of);
        let Some(state) = reading.state() else {
            self.beyond_calendar = true;
            return None;
        };
        let due = state.due?;
        if self.due.is_none_or(|earlier| due < earlier) {
            self.due = Some(due);
        }
        let yellow = yellow_from(run.rule().limit, state, due, calendar);
        if self.yellow_from.is_none_or(|earlier| yellow < earlier) {
            self.yellow_from = Some(yellow);
        }
        Some((due, yellow))
    }

    fn keep_clock(&mut self, clock: ClockName, run: &ClockRun, calendar: &WorkCalendar, as_of: Date) {
        let Some((due, yellow_from)) = self.keep(run, calendar, as_of) else { return };
        match clock {
            ClockName::Statutory => self.statutory_due = Some(due),
            ClockName::Promised => self.promised_due = Some(due),
        }
        self.watches.push(Watch { clock, due, yellow_from });
    }

    fn wake(&mut self, on: Option<Date>) {
        if let Some(on) = on
            && self.wake_on.is_none_or(|earlier| on < earlier)
        {
            self.wake_on = Some(on);
        }
    }
}

impl Case {
    /// Both clocks on a day: that of the law, where there is one, and that of the promise.
    pub fn readings(&self, calendar: &WorkCalendar, today: Date) -> (Option<ClockReading>, ClockReading) {
        let statutory = self.clocks.statutory.as_ref().map(|run| ClockReading::of(run, calendar, today));
        (statutory, ClockReading::of(&self.clocks.promised, calendar, today))
    }

    /// The dates that the queue needs. They depend on the events and the calendar, never on the present.
    pub fn agenda(&self, calendar: &WorkCalendar) -> Agenda {
        let as_of = self.last_at().china_date();
        let mut agenda = Agenda { paused: self.pause.is_some(), ..Agenda::default() };
        if let Some(statutory) = &self.clocks.statutory {
            agenda.keep_clock(ClockName::Statutory, statutory, calendar, as_of);
        }
        agenda.keep_clock(ClockName::Promised, &self.clocks.promised, calendar, as_of);
        match self.status() {
            Status::Received => {
                let since = self.correction.as_ref().and_then(|correction| correction.answered.as_ref());
                let since = since.map_or(self.received_at(), |answered| answered.at);
                agenda.keep_term(self.opened.terms.correction, since, calendar);
            }
            Status::Correction => agenda.paused = true,
            Status::Accepted { .. } | Status::Working { .. } => {}
            Status::Production | Status::Delivery => {
                (agenda.due, agenda.yellow_from) = (None, None);
                let decided = self.decision.as_ref().map_or(self.last_at(), |decision| decision.at);
                agenda.keep_term(self.opened.terms.delivery, decided, calendar);
            }
            Status::Rating
            | Status::Archived
            | Status::NotAccepted
            | Status::Withdrawn
            | Status::Terminated => {
                (agenda.due, agenda.yellow_from, agenda.done) = (None, None, true);
            }
        }
        if !self.stage().is_open() {
            agenda.watches.clear();
        }
        if agenda.done {
            agenda.beyond_calendar = false;
            agenda.wake(self.archive_on());
        }
        let mut wakes: Vec<Date> =
            agenda.watches.iter().filter_map(|watch| watch.wake_on(&self.cards)).collect();
        wakes.extend(self.silence_ends(calendar).and_then(|last| last.tomorrow().ok()));
        agenda.wake(wakes.into_iter().min());
        agenda
    }
}

impl Agenda {
    fn keep_term(&mut self, limit: Option<Limit>, since: Timestamp, calendar: &WorkCalendar) {
        let Some(limit) = limit else { return };
        let run = run_of(limit, since);
        self.keep(&run, calendar, since.china_date());
    }
}

/// The last day of a plain term, such as that of a correction notice.
pub(crate) fn last_day(limit: Limit, since: Timestamp, calendar: &WorkCalendar) -> Result<Date, ClockError> {
    let state = run_of(limit, since).state(calendar, since.china_date())?;
    Ok(state.due.unwrap_or_else(|| since.china_date()))
}

fn run_of(limit: Limit, since: Timestamp) -> ClockRun {
    let mut run = ClockRun::new(ClockRule { limit, start: StartEvent::Received, source: String::new() });
    // The first event of a clock is never refused.
    drop(run.push(&ClockEvent { at: since, kind: ClockEventKind::Received }));
    run
}

/// The first day on which so little is left that the light is yellow.
fn yellow_from(limit: Limit, state: &ClockState, due: Date, calendar: &WorkCalendar) -> Date {
    let extended: u32 = state
        .derivation
        .iter()
        .map(|step| if let Step::Extended { days, .. } = step { *days } else { 0 })
        .sum();
    let whole = u64::from(limit.days) + u64::from(extended);
    let warning = (whole * u64::from(WARNING_PERCENT)).div_ceil(100).max(1);
    let earliest = state.started.unwrap_or(due);
    let mut left = 0_u64;
    let mut day = due;
    while day > earliest {
        // One day earlier, this day would still be left.
        let counts = limit.unit == Unit::NaturalDays || calendar.is_workday(day).unwrap_or(true);
        left += u64::from(counts);
        if left > warning {
            break;
        }
        match day.yesterday() {
            Ok(before) => day = before,
            Err(_) => break,
        }
    }
    day
}

/// The events of a case as far as a clock cares, in order.
pub fn clock_events(events: &[CaseEvent]) -> Vec<ClockEvent> {
    events.iter().filter_map(clock_event).collect()
}

/// The event as far as a clock cares, if it does.
pub fn clock_event(event: &CaseEvent) -> Option<ClockEvent> {
    let kind = match &event.kind {
        CaseEventKind::Opened(_) => ClockEventKind::Received,
        CaseEventKind::CorrectionAsked { .. } => {
            ClockEventKind::CorrectionAsked { document: format!("{}", event.seq) }
        }
        CaseEventKind::CorrectionAnswered { .. } => ClockEventKind::CorrectionAnswered,
        CaseEventKind::Accepted => ClockEventKind::Accepted,
        CaseEventKind::DeemedAccepted { .. } => ClockEventKind::DeemedAccepted,
        CaseEventKind::Paused { ground, article, .. } => ClockEventKind::Paused {
            ground: *ground,
            article: article.zh.clone(),
            document: format!("{}", event.seq),
        },
        CaseEventKind::Resumed => ClockEventKind::Resumed,
        CaseEventKind::Extended { days, article, .. } => ClockEventKind::Extended {
            days: *days,
            approver: event.actor.label.clone(),
            article: article.zh.clone(),
        },
        CaseEventKind::NotAccepted { .. }
        | CaseEventKind::Decided { .. }
        | CaseEventKind::Withdrawn { .. }
        | CaseEventKind::Terminated { .. } => ClockEventKind::Decided,
        CaseEventKind::Claimed
        | CaseEventKind::Released
        | CaseEventKind::Reassigned { .. }
        | CaseEventKind::Examined { .. }
        | CaseEventKind::NoteAdded { .. }
        | CaseEventKind::Delivered { .. }
        | CaseEventKind::Rated { .. }
        | CaseEventKind::ChildOpened { .. }
        | CaseEventKind::Reviewed { .. }
        | CaseEventKind::CardShown { .. }
        | CaseEventKind::Archived => return None,
    };
    Some(ClockEvent { at: event.at, kind })
}
