//! Working days: the five-day week, holidays, and the make-up workdays that only an official notice knows.
//!
//! A legal period in days is counted in working days without holidays (行政许可法, article 82). Which days those
//! are is announced year by year, so the calendar ends somewhere; past its end it answers
//! [`BeyondCalendar`] and never guesses.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::ToSpan;
use jiff::civil::{Weekday, date};

use crate::error::Coded;
use crate::time::Date;

const EMBEDDED: &str = include_str!("../data/workdays.txt");

/// A date of a year that the calendar does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{date} is beyond the working-day calendar, which holds the years {first_year} to {last_year}")]
pub struct BeyondCalendar {
    /// The date that was asked for or would have been reached.
    pub date: Date,
    /// The first year of the calendar.
    pub first_year: i16,
    /// The last year of the calendar.
    pub last_year: i16,
}

impl Coded for BeyondCalendar {
    fn code(&self) -> &'static str {
        "calendar.beyond"
    }
}

/// A calendar text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A line that is neither a comment, `years FIRST LAST` nor `DATE rest|lieu|work NAME`.
    #[error("line {line} of the calendar is not `years FIRST LAST` or `DATE rest|lieu|work NAME`")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// The first line that counts must name the years.
    #[error("the calendar does not begin with `years FIRST LAST`")]
    NoYears,
    /// A day outside the years that the text names.
    #[error("{date} in line {line} lies outside the years of the calendar")]
    OutsideYears {
        /// Counted from 1.
        line: usize,
        /// The day.
        date: Date,
    },
    /// A day that the text names twice.
    #[error("{date} in line {line} stands in the calendar twice")]
    Twice {
        /// Counted from 1.
        line: usize,
        /// The day.
        date: Date,
    },
    /// Imported years that neither overlap the calendar nor follow it.
    #[error("the years {first} to {last} leave a gap beside the calendar")]
    Gap {
        /// The first imported year.
        first: i16,
        /// The last imported year.
        last: i16,
    },
}

impl Coded for CalendarError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "calendar.malformed",
            Self::NoYears => "calendar.no_years",
            Self::OutsideYears { .. } => "calendar.outside_years",
            Self::Twice { .. } => "calendar.twice",
            Self::Gap { .. } => "calendar.gap",
        }
    }
}

/// What a day is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// Monday to Friday as usual.
    Workday,
    /// A Saturday or Sunday that is worked in exchange for a day of this holiday (调休上班).
    MakeUpWorkday(Arc<str>),
    /// Saturday or Sunday as usual.
    Weekend,
    /// A day of this holiday.
    Holiday(Arc<str>),
    /// A day off beside this holiday, in exchange for a make-up workday (调休放假).
    InLieu(Arc<str>),
}

impl DayKind {
    /// Whether a legal period counts the day.
    #[must_use]
    pub fn is_workday(&self) -> bool {
        matches!(self, Self::Workday | Self::MakeUpWorkday(_))
    }
}

/// The working days of consecutive years.
#[derive(Clone, Debug, PartialEq, Eq)]
// INVARIANT: `bits` holds one bit for each day from 1 January of `first_year` to 31 December of `last_year`,
// set on working days; `before[i]` counts the set bits of the words before word `i`.
pub struct WorkCalendar {
    first_year: i16,
    last_year: i16,
    exceptions: BTreeMap<Date, DayKind>,
    bits: Vec<u64>,
    before: Vec<u32>,
}

impl WorkCalendar {
    /// The calendar that is built in: the years 2004 to 2026.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static CALENDAR: OnceLock<WorkCalendar> = OnceLock::new();
        CALENDAR.get_or_init(|| {
            // An unreadable table would leave no year at all, so that every question fails loudly.
            Self::parse(EMBEDDED).unwrap_or_else(|_| Self::build(1, 0, BTreeMap::new()))
        })
    }

    /// Reads a calendar from lines `years 2027 2027`, then `2027-01-01 rest 元旦`, with `#` for comments.
    ///
    /// # Errors
    /// When a line is malformed, or a day is doubled or lies outside the named years.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let mut years = None;
        let mut exceptions = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let malformed = CalendarError::Malformed { line: number };
            let words: Vec<&str> = line.split_whitespace().collect();
            match (words.as_slice(), years) {
                (["years", first, last], None) => {
                    years = Some(parse_years(first, last).ok_or(malformed)?);
                }
                ([day, kind, name], Some((first, last))) => {
                    let (day, kind) = parse_day(day, kind, name).ok_or(malformed)?;
                    if !(first..=last).contains(&day.year()) {
                        return Err(CalendarError::OutsideYears { line: number, date: day });
                    }
                    if exceptions.insert(day, kind).is_some() {
                        return Err(CalendarError::Twice { line: number, date: day });
                    }
                }
                ([_, _, _], None) => return Err(CalendarError::NoYears),
                _ => return Err(malformed),
            }
        }
        let (first, last) = years.ok_or(CalendarError::NoYears)?;
        Ok(Self::build(first, last, exceptions))
    }

    /// This calendar with the years of another one, which win where both hold a year.
    ///
    /// # Errors
    /// When a year between the two would be missing.
    pub fn with_imported(&self, imported: &Self) -> Result<Self, CalendarError> {
        let (first, last) = (imported.first_year, imported.last_year);
        if i32::from(first) > i32::from(self.last_year) + 1
            || i32::from(last) + 1 < i32::from(self.first_year)
        {
            return Err(CalendarError::Gap { first, last });
        }
        let kept = self.exceptions.iter().filter(|(day, _)| !(first..=last).contains(&day.year()));
        let exceptions = kept.chain(&imported.exceptions).map(|(day, kind)| (*day, kind.clone())).collect();
        Ok(Self::build(self.first_year.min(first), self.last_year.max(last), exceptions))
    }

    /// The first year that the calendar holds.
    #[must_use]
    pub fn first_year(&self) -> i16 {
        self.first_year
    }

    /// The last year that the calendar holds.
    #[must_use]
    pub fn last_year(&self) -> i16 {
        self.last_year
    }

    /// What the day is, with the name of its holiday.
    ///
    /// # Errors
    /// When the calendar does not hold the year.
    pub fn day(&self, day: Date) -> Result<DayKind, BeyondCalendar> {
        self.index(day)?;
        Ok(self.exceptions.get(&day).cloned().unwrap_or_else(|| plain_day(day)))
    }

    /// Whether the day is a working day; make-up workdays are.
    ///
    /// # Errors
    /// When the calendar does not hold the year.
    pub fn is_workday(&self, day: Date) -> Result<bool, BeyondCalendar> {
        let index = self.index(day)?;
        Ok(self.bits.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1))
    }

    /// The working day that comes `days` working days after `start`; `start` itself when `days` is zero.
    ///
    /// The day after `start` is the first that can count (民法典, article 201).
    ///
    /// # Errors
    /// When the calendar does not hold the year of the start or of the end.
    pub fn add_workdays(&self, start: Date, days: u32) -> Result<Date, BeyondCalendar> {
        let index = self.index(start)?;
        if days == 0 {
            return Ok(start);
        }
        let wanted = self.rank(index + 1) + days;
        self.select(wanted).ok_or_else(|| {
            let next_year = i16::try_from(i32::from(self.last_year) + 1).unwrap_or(i16::MAX);
            // The end lies past the calendar; the first day that is missing stands for it.
            self.beyond(Date::new(next_year, 1, 1).unwrap_or(Date::MAX))
        })
    }

    /// How many working days lie after `after` up to and including `through`; zero when `through` is earlier.
    ///
    /// # Errors
    /// When the calendar does not hold the year of either day.
    pub fn workdays_between(&self, after: Date, through: Date) -> Result<u32, BeyondCalendar> {
        let (after, through) = (self.index(after)?, self.index(through)?);
        Ok(self.rank(through + 1).saturating_sub(self.rank(after + 1)))
    }

    fn build(first_year: i16, last_year: i16, exceptions: BTreeMap<Date, DayKind>) -> Self {
        let mut bits = Vec::new();
        let mut index = 0;
        if first_year <= last_year {
            for day in date(first_year, 1, 1).series(1.day()).take_while(|day| day.year() <= last_year) {
                if index % 64 == 0 {
                    bits.push(0);
                }
                let worked =
                    exceptions.get(&day).map_or_else(|| plain_day(day).is_workday(), DayKind::is_workday);
                if let (true, Some(word)) = (worked, bits.last_mut()) {
                    *word |= 1_u64 << (index % 64);
                }
                index += 1;
            }
        }
        let before = bits
            .iter()
            .scan(0, |count, word: &u64| {
                let before = *count;
                *count += word.count_ones();
                Some(before)
            })
            .collect();
        Self { first_year, last_year, exceptions, bits, before }
    }

    /// The number of the day, counted from the first day of the calendar.
    fn index(&self, day: Date) -> Result<usize, BeyondCalendar> {
        if !(self.first_year..=self.last_year).contains(&day.year()) {
            return Err(self.beyond(day));
        }
        let days = day.duration_since(date(self.first_year, 1, 1)).as_hours() / 24;
        usize::try_from(days).map_err(|_| self.beyond(day))
    }

    fn beyond(&self, date: Date) -> BeyondCalendar {
        BeyondCalendar { date, first_year: self.first_year, last_year: self.last_year }
    }

    /// How many working days come before the day with this number.
    fn rank(&self, index: usize) -> u32 {
        let (word, bit) = (index / 64, index % 64);
        match (self.bits.get(word), self.before.get(word)) {
            (Some(bits), Some(before)) => before + (bits & !(u64::MAX << bit)).count_ones(),
            // One past the last day, when that day ends a word.
            _ => self.before.last().unwrap_or(&0) + self.bits.last().map_or(0, |bits| bits.count_ones()),
        }
    }

    /// The working day that is the `count`th of the calendar, counted from 1.
    fn select(&self, count: u32) -> Option<Date> {
        let word = self.before.partition_point(|before| *before < count).checked_sub(1)?;
        let mut bits = *self.bits.get(word)?;
        for _ in 1..count - self.before.get(word)? {
            bits &= bits.checked_sub(1)?;
        }
        if bits == 0 {
            return None;
        }
        let index = word * 64 + bits.trailing_zeros() as usize;
        date(self.first_year, 1, 1).checked_add(i64::try_from(index).ok()?.days()).ok()
    }
}

fn plain_day(day: Date) -> DayKind {
    match day.weekday() {
        Weekday::Saturday | Weekday::Sunday => DayKind::Weekend,
        _ => DayKind::Workday,
    }
}

fn parse_years(first: &str, last: &str) -> Option<(i16, i16)> {
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (1949 <= first && first <= last && last <= 2200).then_some((first, last))
}

fn parse_day(day: &str, kind: &str, name: &str) -> Option<(Date, DayKind)> {
    let name = Arc::from(name);
    let kind = match kind {
        "rest" => DayKind::Holiday(name),
        "lieu" => DayKind::InLieu(name),
        "work" => DayKind::MakeUpWorkday(name),
        _ => return None,
    };
    Some((day.parse().ok()?, kind))
}
