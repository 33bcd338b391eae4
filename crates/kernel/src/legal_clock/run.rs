//! The clock itself: folding events, then counting days.

use jiff::ToSpan;

use super::event::{ClockError, ClockEvent, ClockEventKind, ClockRule, StartEvent, Unit};
use super::state::{ClockState, Light, PauseCause, Step};
use crate::calendar::{BeyondCalendar, WorkCalendar};
use crate::time::{Date, Timestamp};

/// The state of the clock of `rule` on the day `today`, after `events` in the order of their time.
///
/// Where the last event is later than `today`, its day is taken instead.
///
/// # Errors
/// When an event cannot follow those before it, or the calendar ends before the due date.
pub fn compute(
    rule: &ClockRule,
    events: &[ClockEvent],
    calendar: &WorkCalendar,
    today: Date,
) -> Result<ClockState, ClockError> {
    let mut run = ClockRun::new(rule.clone());
    for event in events {
        run.push(event)?;
    }
    run.state(calendar, today)
}

/// A clock that takes events one by one. After the same events it says what [`compute`] says.
///
/// ```
/// use jiff::civil::date;
/// use kernel::calendar::WorkCalendar;
/// use kernel::legal_clock::{ClockEvent, ClockEventKind, ClockRule, ClockRun, Light};
/// use kernel::time::Timestamp;
///
/// let mut run = ClockRun::new(ClockRule::working_days(20, "行政许可法 42"));
/// let at = Timestamp::from_china(date(2026, 9, 28).at(9, 0, 0, 0));
/// run.push(&ClockEvent { at, kind: ClockEventKind::Received })?;
/// run.push(&ClockEvent { at, kind: ClockEventKind::Accepted })?;
/// let state = run.state(WorkCalendar::embedded(), date(2026, 9, 30))?;
/// // The holiday of the first week of October is not counted, the make-up Saturday after it is.
/// assert_eq!(state.due, Some(date(2026, 10, 30)));
/// assert_eq!((state.remaining, state.light), (Some(18), Light::Green));
/// # Ok::<(), kernel::legal_clock::ClockError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockRun {
    rule: ClockRule,
    seen: usize,
    last_at: Option<Timestamp>,
    received: Option<Date>,
    accepted: Option<Date>,
    corrected: bool,
    // INVARIANT: in order of time and apart from each other; only the last one may be open.
    pauses: Vec<Pause>,
    extensions: Vec<Extension>,
    decided: Option<Date>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pause {
    cause: PauseCause,
    article: String,
    /// The day on which it was ordered, which still counts.
    ordered: Date,
    /// The day on which the case went on, the last one that does not count.
    ended: Option<Date>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Extension {
    days: u32,
    date: Date,
    approver: String,
    article: String,
}

impl ClockRun {
    /// A clock that has seen nothing.
    #[must_use]
    pub fn new(rule: ClockRule) -> Self {
        Self {
            rule,
            seen: 0,
            last_at: None,
            received: None,
            accepted: None,
            corrected: false,
            pauses: Vec::new(),
            extensions: Vec::new(),
            decided: None,
        }
    }

    /// The rule that the clock runs under.
    #[must_use]
    pub fn rule(&self) -> &ClockRule {
        &self.rule
    }

    /// Takes the next event. After an error the clock is as it was.
    ///
    /// # Errors
    /// When the event cannot follow those before it.
    pub fn push(&mut self, event: &ClockEvent) -> Result<(), ClockError> {
        let index = self.seen;
        if self.last_at.is_some_and(|last| event.at < last) {
            return Err(ClockError::OutOfOrder { index });
        }
        if self.decided.is_some() {
            return Err(ClockError::AfterDecision { index });
        }
        self.take(&event.kind, event.at.china_date(), index)?;
        self.seen += 1;
        self.last_at = Some(event.at);
        Ok(())
    }

    /// The state on the day `today`, or on the day of the last event if that is later.
    ///
    /// # Errors
    /// When the calendar ends before the due date.
    pub fn state(&self, calendar: &WorkCalendar, today: Date) -> Result<ClockState, ClockError> {
        let today = self.last_at.map_or(today, |last| today.max(last.china_date()));
        let as_of = self.decided.unwrap_or(today);
        let Some(started) = self.started() else { return Ok(self.state_before_start()) };

        let (limit, mut derivation) = self.limit(started, as_of, calendar)?;
        let walk = self.walk(started, limit, as_of, calendar)?;
        let due = walk.due;
        let remaining = match due {
            Some(due) => self.days_from(as_of, due, calendar),
            None => i32::try_from(limit.saturating_sub(walk.counted)).ok(),
        };
        let overdue = due.is_some_and(|due| as_of > due);
        let paused = self.decided.is_none() && self.open_pause().is_some();
        let light = match (self.decided, overdue, paused) {
            (Some(_), _, _) => Light::Done,
            (None, true, _) => Light::Red,
            (None, false, true) => Light::Paused,
            (None, false, false) => {
                Light::for_remaining(remaining.map_or(0, |days| u32::try_from(days).unwrap_or(0)), limit)
            }
        };
        derivation.extend(walk.steps);
        derivation.extend(self.decided.map(|date| Step::Finished { date }));
        let started = Some(started);
        Ok(ClockState { started, due, remaining, paused, overdue, light, derivation, finished: self.decided })
    }
}

/// The walk from the start to the due date.
struct Walk {
    /// Stretches of counted and of paused days in order of time, then the due date.
    steps: Vec<Step>,
    /// How many days counted.
    counted: u32,
    due: Option<Date>,
}

// Folding events.
impl ClockRun {
    fn take(&mut self, kind: &ClockEventKind, date: Date, index: usize) -> Result<(), ClockError> {
        match kind {
            ClockEventKind::Received => once(&mut self.received, date, index),
            ClockEventKind::Accepted => once(&mut self.accepted, date, index),
            ClockEventKind::DeemedAccepted => {
                let received = self.received.ok_or(ClockError::NotReceived { index })?;
                once(&mut self.accepted, received, index)
            }
            ClockEventKind::CorrectionAsked { .. } => {
                if self.corrected {
                    return Err(ClockError::SecondCorrection { index });
                }
                self.pause(PauseCause::Correction, CORRECTION_ARTICLE, date, index)?;
                self.corrected = true;
                Ok(())
            }
            ClockEventKind::CorrectionAnswered => self.resume(true, date, index),
            ClockEventKind::Paused { ground, article, .. } => {
                self.pause(PauseCause::Ground(*ground), article, date, index)
            }
            ClockEventKind::Resumed => self.resume(false, date, index),
            ClockEventKind::Extended { days, approver, article } => {
                let (approver, article) = (approver.clone(), article.clone());
                self.extensions.push(Extension { days: *days, date, approver, article });
                Ok(())
            }
            ClockEventKind::Decided => once(&mut self.decided, date, index),
        }
    }

    fn pause(
        &mut self,
        cause: PauseCause,
        article: &str,
        date: Date,
        index: usize,
    ) -> Result<(), ClockError> {
        if self.open_pause().is_some() {
            return Err(ClockError::AlreadyPaused { index });
        }
        self.pauses.push(Pause { cause, article: article.to_owned(), ordered: date, ended: None });
        Ok(())
    }

    fn resume(&mut self, correction: bool, date: Date, index: usize) -> Result<(), ClockError> {
        match self.pauses.last_mut() {
            Some(pause) if pause.ended.is_none() && (pause.cause == PauseCause::Correction) == correction => {
                pause.ended = Some(date);
                Ok(())
            }
            _ => Err(ClockError::NotPaused { index }),
        }
    }
}

/// The one correction notice and the time until its answer.
const CORRECTION_ARTICLE: &str = "行政许可法 32";

fn once(slot: &mut Option<Date>, date: Date, index: usize) -> Result<(), ClockError> {
    if slot.is_some() {
        return Err(ClockError::Repeated { index });
    }
    *slot = Some(date);
    Ok(())
}

// Counting days.
impl ClockRun {
    fn started(&self) -> Option<Date> {
        match self.rule.start {
            StartEvent::Received => self.received,
            StartEvent::Accepted => self.accepted,
        }
    }

    fn open_pause(&self) -> Option<&Pause> {
        self.pauses.last().filter(|pause| pause.ended.is_none())
    }

    fn state_before_start(&self) -> ClockState {
        let paused = self.decided.is_none() && self.open_pause().is_some();
        let light = match (self.decided, paused) {
            (Some(_), _) => Light::Done,
            (None, true) => Light::Paused,
            (None, false) => Light::Green,
        };
        let (started, due, remaining, overdue) = (None, None, None, false);
        let derivation = self.decided.map(|date| Step::Finished { date }).into_iter().collect();
        ClockState { started, due, remaining, paused, overdue, light, derivation, finished: self.decided }
    }

    /// The limit with those extensions that came in time, and the first steps of the derivation.
    fn limit(
        &self,
        started: Date,
        as_of: Date,
        calendar: &WorkCalendar,
    ) -> Result<(u32, Vec<Step>), BeyondCalendar> {
        let mut limit = self.rule.limit.days;
        let mut steps = vec![Step::Started { event: self.rule.start, date: started }];
        for Extension { days, date, approver, article } in &self.extensions {
            let (days, date, article) = (*days, *date, article.clone());
            let due = self.walk(started, limit, as_of, calendar)?.due;
            if due.is_none_or(|due| date <= due) {
                limit = limit.saturating_add(days);
                steps.push(Step::Extended { days, date, approver: approver.clone(), article });
            } else {
                steps.push(Step::ExtendedTooLate { days, date, article });
            }
        }
        Ok((limit, steps))
    }

    fn walk(
        &self,
        started: Date,
        limit: u32,
        as_of: Date,
        calendar: &WorkCalendar,
    ) -> Result<Walk, BeyondCalendar> {
        let mut walk = Walk { steps: Vec::new(), counted: 0, due: None };
        let mut day = started;
        while walk.counted < limit {
            day = next(day, calendar)?;
            if let Some(pause) = self.pause_on(day) {
                walk.steps.push(self.paused_step(pause, day, as_of, calendar)?);
                match pause.ended {
                    Some(ended) => day = ended,
                    None => return Ok(walk),
                }
            } else if self.counts(day, calendar)? {
                walk.count_day(day);
            }
        }
        let last = day;
        if self.rule.limit.unit == Unit::NaturalDays && limit > 0 {
            while self.pause_on(day).is_some() || !calendar.is_workday(day)? {
                if self.pause_on(day).is_some_and(|pause| pause.ended.is_none()) {
                    return Ok(walk);
                }
                day = next(day, calendar)?;
            }
        }
        if day != last {
            walk.steps.push(Step::RolledOver { from: last, to: day });
        }
        walk.steps.push(Step::Due { date: day });
        walk.due = Some(day);
        Ok(walk)
    }

    fn counts(&self, day: Date, calendar: &WorkCalendar) -> Result<bool, BeyondCalendar> {
        match self.rule.limit.unit {
            Unit::WorkingDays => calendar.is_workday(day),
            Unit::NaturalDays => Ok(true),
        }
    }

    fn pause_on(&self, day: Date) -> Option<&Pause> {
        self.pauses.iter().find(|pause| day > pause.ordered && pause.ended.is_none_or(|ended| day <= ended))
    }

    /// The step for a pause that is met on `from`, which is later than its first day if the clock started in it.
    fn paused_step(
        &self,
        pause: &Pause,
        from: Date,
        as_of: Date,
        calendar: &WorkCalendar,
    ) -> Result<Step, BeyondCalendar> {
        let calendar_end = Date::new(calendar.last_year(), 12, 31).unwrap_or(Date::MAX);
        let through = pause.ended.unwrap_or_else(|| as_of.min(calendar_end));
        let before = from.yesterday().unwrap_or(from);
        let days = match self.rule.limit.unit {
            _ if through < from => 0,
            Unit::WorkingDays => calendar.workdays_between(before, through)?,
            Unit::NaturalDays => u32::try_from(natural_days(before, through)).unwrap_or(0),
        };
        let article = pause.article.clone();
        Ok(Step::PausedBetween { cause: pause.cause, article, from, to: pause.ended, days })
    }

    /// Days in the unit of the limit from `today` to `due`, negative when it has passed; none when the calendar
    /// does not reach so far.
    fn days_from(&self, today: Date, due: Date, calendar: &WorkCalendar) -> Option<i32> {
        if self.rule.limit.unit == Unit::NaturalDays {
            return Some(natural_days(today, due));
        }
        let days = calendar.workdays_between(today.min(due), today.max(due)).ok()?;
        let days = i32::try_from(days).ok()?;
        Some(if today > due { -days } else { days })
    }
}

impl Walk {
    /// Counts a day: it lengthens the present stretch, or begins one after a pause.
    fn count_day(&mut self, day: Date) {
        self.counted += 1;
        match self.steps.last_mut() {
            Some(Step::Counted { days, from, to, skipped }) => {
                *days += 1;
                *to = day;
                *skipped = u32::try_from(natural_days(*from, day) + 1).unwrap_or(*days).saturating_sub(*days);
            }
            _ => self.steps.push(Step::Counted { days: 1, from: day, to: day, skipped: 0 }),
        }
    }
}

fn next(day: Date, calendar: &WorkCalendar) -> Result<Date, BeyondCalendar> {
    day.checked_add(1.day()).map_err(|_| BeyondCalendar {
        date: day,
        first_year: calendar.first_year(),
        last_year: calendar.last_year(),
    })
}

fn natural_days(from: Date, to: Date) -> i32 {
    // Dates lie within twenty thousand years, so the number of days always fits.
    i32::try_from(to.duration_since(from).as_hours() / 24).unwrap_or(i32::MAX)
}
