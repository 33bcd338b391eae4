//! Working days on the real calendars of 2004 to 2026.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Weekday, date};
use kernel::calendar::{CalendarError, DayKind, WorkCalendar};
use kernel::error::Coded;
use kernel::time::Date;
use proptest::prelude::*;

fn calendar() -> &'static WorkCalendar {
    WorkCalendar::embedded()
}

#[test]
fn the_calendar_holds_the_years_2004_to_2026() {
    assert_eq!((calendar().first_year(), calendar().last_year()), (2004, 2026));
    let days = |kind: fn(&DayKind) -> bool| {
        let all = date(2004, 1, 1).series(1.day()).take_while(|day| day.year() <= 2026);
        all.filter(|day| kind(&calendar().day(*day).unwrap())).count()
    };
    assert_eq!(days(|kind| matches!(kind, DayKind::Holiday(_))), 619 - 151);
    assert_eq!(days(|kind| matches!(kind, DayKind::InLieu(_))), 151);
    assert_eq!(days(|kind| matches!(kind, DayKind::MakeUpWorkday(_))), 150);
}

#[test]
fn make_up_workdays_count() {
    // The spring festival of 2026 is paid for with two Saturdays.
    for day in [date(2026, 2, 14), date(2026, 2, 28)] {
        assert_eq!(day.weekday(), Weekday::Saturday);
        assert_eq!(calendar().is_workday(day), Ok(true));
        assert_eq!(calendar().day(day), Ok(DayKind::MakeUpWorkday(Arc::from("春节"))));
    }
    assert_eq!(calendar().add_workdays(date(2026, 2, 13), 1), Ok(date(2026, 2, 14)));
    assert_eq!(calendar().add_workdays(date(2026, 2, 13), 2), Ok(date(2026, 2, 24)));
    assert_eq!(calendar().workdays_between(date(2026, 2, 13), date(2026, 2, 28)), Ok(6));
}

#[test]
fn holidays_do_not_count() {
    assert_eq!(calendar().day(date(2026, 10, 1)), Ok(DayKind::Holiday(Arc::from("国庆节"))));
    assert_eq!(calendar().is_workday(date(2026, 10, 7)), Ok(false));
    assert_eq!(calendar().add_workdays(date(2026, 9, 30), 1), Ok(date(2026, 10, 8)));
    assert_eq!(calendar().day(date(2026, 11, 28)), Ok(DayKind::Weekend));
    assert_eq!(calendar().day(date(2026, 11, 24)), Ok(DayKind::Workday));
}

#[test]
fn beyond_its_years_the_calendar_says_so() {
    let last = date(2026, 12, 31);
    assert_eq!(calendar().add_workdays(last, 0), Ok(last));
    let error = calendar().add_workdays(last, 1).unwrap_err();
    assert_eq!((error.date, error.last_year, error.code()), (date(2027, 1, 1), 2026, "calendar.beyond"));
    assert_eq!(calendar().is_workday(date(2027, 1, 4)).unwrap_err().date, date(2027, 1, 4));
    assert_eq!(calendar().is_workday(date(2003, 12, 31)).unwrap_err().first_year, 2004);
    assert!(calendar().workdays_between(date(2026, 12, 1), date(2027, 1, 1)).is_err());
    assert!(calendar().add_workdays(date(2004, 1, 1), u32::MAX).is_err());
    assert!(calendar().day(date(2027, 1, 1)).is_err());
}

#[test]
fn a_coming_year_can_be_imported() {
    let coming =
        WorkCalendar::parse("# 2027\nyears 2027 2027\n2027-01-01 rest 元旦\n2027-01-02 work 元旦\n").unwrap();
    let longer = calendar().with_imported(&coming).unwrap();
    assert_eq!((longer.first_year(), longer.last_year()), (2004, 2027));
    assert_eq!(longer.add_workdays(date(2026, 12, 31), 2), Ok(date(2027, 1, 4)));
    assert_eq!(longer.is_workday(date(2026, 2, 14)), Ok(true));
    let replaced = longer.with_imported(&WorkCalendar::parse("years 2027 2027").unwrap()).unwrap();
    assert_eq!(replaced.is_workday(date(2027, 1, 1)), Ok(true));
    let far = WorkCalendar::parse("years 2028 2028").unwrap();
    assert_eq!(calendar().with_imported(&far), Err(CalendarError::Gap { first: 2028, last: 2028 }));
}

#[test]
fn a_calendar_text_is_refused_with_its_line() {
    for (text, code) in [
        ("", "calendar.no_years"),
        ("2027-01-01 rest 元旦", "calendar.no_years"),
        ("years 2027", "calendar.malformed"),
        ("years 2028 2027", "calendar.malformed"),
        ("years 2027 9999", "calendar.malformed"),
        ("years 2027 2027\nyears 2028 2028", "calendar.malformed"),
        ("years 2027 2027\n2027-02-30 rest 元旦", "calendar.malformed"),
        ("years 2027 2027\n2027-01-01 off 元旦", "calendar.malformed"),
        ("years 2027 2027\n2026-01-01 rest 元旦", "calendar.outside_years"),
        ("years 2027 2027\n2027-01-01 rest 元旦\n2027-01-01 work 元旦", "calendar.twice"),
    ] {
        assert_eq!(WorkCalendar::parse(text).unwrap_err().code(), code, "{text}");
    }
    assert_eq!(
        WorkCalendar::parse("years 2027 2027\n\n2027-01-01 off 元旦").unwrap_err().to_string(),
        "line 3 of the calendar is not `years FIRST LAST` or `DATE rest|lieu|work NAME`"
    );
}

fn day_of_the_calendar() -> impl Strategy<Value = Date> {
    (0..8401_i64).prop_map(|days| date(2004, 1, 1).checked_add(days.days()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn adding_counts_what_walking_day_by_day_counts(start in day_of_the_calendar(), days in 0_u32..80) {
        let mut walked = Ok(start);
        let mut left = days;
        while let (Ok(day), true) = (walked, left > 0) {
            let next = day.tomorrow().unwrap();
            match calendar().is_workday(next) {
                Ok(worked) => left -= u32::from(worked),
                Err(error) => { walked = Err(error); continue; }
            }
            walked = Ok(next);
        }
        prop_assert_eq!(calendar().add_workdays(start, days), walked);
    }

    #[test]
    fn between_counts_back_what_was_added(start in day_of_the_calendar(), days in 0_u32..80) {
        if let Ok(end) = calendar().add_workdays(start, days) {
            prop_assert_eq!(calendar().workdays_between(start, end), Ok(days));
            if start < end {
                prop_assert_eq!(calendar().workdays_between(end, start), Ok(0));
            }
        }
    }
}
