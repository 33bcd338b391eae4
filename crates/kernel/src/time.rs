//! Points in time, the clock as a parameter, and civil dates of China.
//!
//! The ledger stores instants as UTC microseconds and nothing else. A legal day is a civil day at UTC+8, the
//! one zone of the country; it has no daylight saving since 1991.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Coded;

/// A civil date without a zone.
pub type Date = jiff::civil::Date;

/// The offset of Beijing time.
const CHINA: Offset = Offset::constant(8);

/// 0001-01-01T00:00:00Z.
const FIRST_MICROS: i64 = -62_135_596_800_000_000;
/// 9999-12-30T21:59:59.999999Z, the last microsecond of which every offset still has a civil date.
const LAST_MICROS: i64 = 253_402_207_199_999_999;

/// An instant in UTC with the precision of one microsecond.
///
/// Written as RFC 3339 with six digits of a second and `Z`, so that texts sort as instants do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
// INVARIANT: from FIRST_MICROS to LAST_MICROS, so that `jiff` can hold it.
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time like 2026-11-24T08:30:00+08:00")]
pub struct TimestampError {
    text: String,
}

impl Coded for TimestampError {
    fn code(&self) -> &'static str {
        "time.malformed"
    }
}

impl Timestamp {
    /// The instant so many microseconds after 1970-01-01T00:00:00Z, held within the years 1 to 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(FIRST_MICROS, LAST_MICROS))
    }

    /// Microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 instant with any offset; digits past the microsecond are cut.
    ///
    /// # Errors
    /// When the text is no instant, for example because the offset is missing.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp =
            text.parse().map_err(|_| TimestampError { text: text.chars().take(40).collect() })?;
        Ok(Self::from_micros(parsed.as_microsecond()))
    }

    /// Midnight at the start of a civil day in China.
    #[must_use]
    pub fn start_of_china_day(date: Date) -> Self {
        Self::from_china(date.at(0, 0, 0, 0))
    }

    /// The instant at which clocks in China show this date and time.
    #[must_use]
    pub fn from_china(datetime: DateTime) -> Self {
        // A date at the very ends of the calendar has no instant; it is held at the end.
        let end = if datetime.year() > 0 { LAST_MICROS } else { FIRST_MICROS };
        CHINA.to_timestamp(datetime).map_or(Self(end), |instant| Self::from_micros(instant.as_microsecond()))
    }

    /// The civil day in China.
    #[must_use]
    pub fn china_date(self) -> Date {
        self.china_datetime().date()
    }

    /// Date and time as clocks in China show them.
    #[must_use]
    pub fn china_datetime(self) -> DateTime {
        CHINA.to_datetime(self.as_jiff())
    }

    /// Date and minute as clocks in China show them: `2026-11-24 08:30`.
    #[must_use]
    pub fn to_china_string(self) -> String {
        let shown = self.china_datetime();
        format!("{} {:02}:{:02}", shown.date(), shown.hour(), shown.minute())
    }

    /// This instant moved by a duration, held at the ends of the range.
    #[must_use]
    pub fn plus(self, duration: SignedDuration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(if duration.is_negative() {
            i64::MIN
        } else {
            i64::MAX
        });
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// The time from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> SignedDuration {
        SignedDuration::from_micros(self.0 - earlier.0)
    }

    fn as_jiff(self) -> jiff::Timestamp {
        // The invariant of the type makes the other arm unreachable.
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.as_jiff())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where the present comes from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// The present civil day in China.
    fn today(&self) -> Date {
        self.now().china_date()
    }
}

/// The clock of the operating system; only the binary makes one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the present enters")]
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

/// A clock that stands still until it is moved: for tests and for demo data.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.micros()))
    }

    /// Shows `instant` from now on, be it earlier or later.
    pub fn set(&self, instant: Timestamp) {
        self.0.store(instant.micros(), Ordering::SeqCst);
    }

    /// Moves the clock by a duration.
    pub fn advance(&self, duration: SignedDuration) {
        self.set(self.now().plus(duration));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_china_day_begins_at_sixteen_hours_utc() {
        let before = Timestamp::parse("2026-11-23T15:59:59.999999Z").unwrap();
        let after = before.plus(SignedDuration::from_micros(1));
        assert_eq!(before.china_date(), date(2026, 11, 23));
        assert_eq!(after.china_date(), date(2026, 11, 24));
        assert_eq!(after, Timestamp::start_of_china_day(date(2026, 11, 24)));
        assert_eq!(after.to_china_string(), "2026-11-24 00:00");
    }

    #[test]
    fn text_keeps_six_digits_and_sorts_as_the_instants_do() {
        let whole = Timestamp::parse("2026-11-24T08:30:00+08:00").unwrap();
        let later = Timestamp::from_micros(whole.micros() + 5);
        assert_eq!(whole.to_string(), "2026-11-24T00:30:00.000000Z");
        assert!(whole.to_string() < later.to_string());
        assert_eq!(Timestamp::parse(&later.to_string()), Ok(later));
        assert_eq!(serde_json::to_string(&whole).unwrap(), "\"2026-11-24T00:30:00.000000Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>("\"2026-11-24T00:30:00Z\"").unwrap(), whole);
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        let error = Timestamp::parse("2026-11-24 08:30").unwrap_err();
        assert_eq!(error.code(), "time.malformed");
        assert_eq!(error.to_string(), "`2026-11-24 08:30` is not a time like 2026-11-24T08:30:00+08:00");
    }

    #[test]
    fn instants_past_the_range_are_held_at_its_ends() {
        assert_eq!(Timestamp::from_micros(i64::MAX).china_date().year(), 9999);
        assert_eq!(Timestamp::from_micros(i64::MIN).china_date(), date(1, 1, 1));
        assert_eq!(Timestamp::from_china(jiff::civil::DateTime::MIN), Timestamp::from_micros(i64::MIN));
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.to_string(), "9999-12-30T21:59:59.999999Z");
        assert_eq!(end.plus(SignedDuration::MAX), end);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(Timestamp::start_of_china_day(date(2026, 1, 1)));
        assert_eq!(clock.now(), clock.now());
        clock.advance(SignedDuration::from_hours(25));
        assert_eq!(clock.today(), date(2026, 1, 2));
        clock.set(Timestamp::start_of_china_day(date(2025, 1, 1)));
        assert_eq!(clock.today(), date(2025, 1, 1));
    }
}
