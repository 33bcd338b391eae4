//! Slots of a bookable resource, as its opening hours make them.

use jiff::ToSpan;
use jiff::civil::{DateTime, Time};
use kernel::calendar::WorkCalendar;
use kernel::time::{Date, Timestamp};
use packs::model::{AppointmentSpec, Weekday};

/// A slot that opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotPlan {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// How many bookings it takes.
    pub capacity: u32,
}

/// The slots between the earliest and the latest day that may be booked today, on working days only. Days
/// beyond the calendar open once its next year is known.
pub fn slot_plan(spec: &AppointmentSpec, today: Date, calendar: &WorkCalendar) -> Vec<SlotPlan> {
    let mut plan = Vec::new();
    for ahead in spec.min_days_ahead..=spec.max_days_ahead {
        let Ok(day) = today.checked_add(i64::from(ahead).days()) else { break };
        if !calendar.is_workday(day).unwrap_or(false) {
            continue;
        }
        for hours in spec.hours.iter().filter(|hours| hours.weekdays.iter().any(|one| is_on(*one, day))) {
            let (Some(from), Some(to)) = (time(&hours.from), time(&hours.to)) else { continue };
            let (mut start, last) = (day.to_datetime(from), day.to_datetime(to));
            while let Some(end) = end_of(start, spec.minutes).filter(|end| *end <= last) {
                plan.push(SlotPlan {
                    start: Timestamp::from_china(start),
                    end: Timestamp::from_china(end),
                    capacity: spec.capacity,
                });
                start = end;
            }
        }
    }
    plan
}

fn end_of(start: DateTime, minutes: u32) -> Option<DateTime> {
    if minutes == 0 {
        return None;
    }
    start.checked_add(i64::from(minutes).minutes()).ok()
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn is_on(weekday: Weekday, day: Date) -> bool {
    use jiff::civil::Weekday as On;
    let on = match weekday {
        Weekday::Monday => On::Monday,
        Weekday::Tuesday => On::Tuesday,
        Weekday::Wednesday => On::Wednesday,
        Weekday::Thursday => On::Thursday,
        Weekday::Friday => On::Friday,
        Weekday::Saturday => On::Saturday,
        Weekday::Sunday => On::Sunday,
    };
    day.weekday() == on
}

#[cfg(test)]
mod tests {
    use packs::model::{OpeningHours, Words};
    use proptest::prelude::*;

    use super::*;

    fn spec(minutes: u32, from: &str, to: &str) -> AppointmentSpec {
        AppointmentSpec {
            resource: "r".to_owned(),
            name: Words::new("窗口", "Window"),
            minutes,
            capacity: 2,
            min_days_ahead: 1,
            max_days_ahead: 10,
            hold_minutes: 10,
            no_show_limit: 3,
            no_show_pause_days: 30,
            hours: vec![OpeningHours {
                weekdays: vec![Weekday::Monday, Weekday::Wednesday],
                from: from.to_owned(),
                to: to.to_owned(),
            }],
        }
    }

    #[test]
    fn only_whole_slots_on_working_days_open() {
        let today = Date::constant(2026, 11, 24);
        let plan = slot_plan(&spec(30, "09:00", "10:15"), today, WorkCalendar::embedded());
        let starts: Vec<String> = plan.iter().map(|slot| slot.start.to_china_string()).collect();
        assert_eq!(
            starts,
            [
                "2026-11-25 09:00",
                "2026-11-25 09:30",
                "2026-11-30 09:00",
                "2026-11-30 09:30",
                "2026-12-02 09:00",
                "2026-12-02 09:30",
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn slots_follow_each_other_within_the_hours(minutes in 1_u32..180, day in 0_i64..30) {
            let today = Date::constant(2026, 11, 1).checked_add(day.days()).unwrap();
            let plan = slot_plan(&spec(minutes, "09:00", "12:00"), today, WorkCalendar::embedded());
            for pair in plan.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
            for slot in &plan {
                prop_assert!(slot.start < slot.end);
                prop_assert!(slot.start.china_date() > today);
                let end = slot.end.china_datetime();
                prop_assert!(end.time() <= Time::constant(12, 0, 0, 0));
            }
        }
    }
}
