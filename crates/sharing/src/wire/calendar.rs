//! Days and times of day as text and back, over all days that the lake can hold.

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// `2026-03-05`; `0044-03-15 BC` for the years before the first, which `ad` then says.
fn date_of(days: i64) -> (String, bool) {
    // Days are counted from March of year 0, so that the day that is added in a leap year is a year's last.
    let from_march = days + 719_468;
    let era = from_march.div_euclid(146_097);
    let of_era = from_march.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    match year > 0 {
        true => (format!("{year:04}-{month:02}-{day:02}"), true),
        false => (format!("{:04}-{month:02}-{day:02}", 1 - year), false),
    }
}

/// Days since 1970 as text.
pub(super) fn date(days: i32) -> String {
    let (text, ad) = date_of(days.into());
    if ad { text } else { text + " BC" }
}

/// Microseconds since midnight as text.
pub(super) fn time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = micros % 1_000_000;
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text
}

/// Microseconds since 1970 as text, with `zone` behind.
pub(super) fn instant(micros: i64, zone: &str) -> String {
    let (date, ad) = date_of(micros.div_euclid(DAY));
    let time = time(micros.rem_euclid(DAY));
    format!("{date} {time}{zone}{}", if ad { "" } else { " BC" })
}

/// Months, days and microseconds as PostgreSQL's own style writes them.
pub(super) fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut parts = Vec::new();
    let mut part = |count: i32, one: &str, many: &str| {
        if count != 0 {
            parts.push(format!("{count} {}", if count.abs() == 1 { one } else { many }));
        }
    };
    part(months / 12, "year", "years");
    part(months % 12, "mon", "mons");
    part(days, "day", "days");
    if micros != 0 || parts.is_empty() {
        let sign = if micros < 0 { "-" } else { "" };
        parts.push(format!("{sign}{}", time(micros.saturating_abs())));
    }
    parts.join(" ")
}

/// The days since 1970 of a text `2026-03-05`.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    let date: jiff::civil::Date = text.trim().parse().ok()?;
    let first = jiff::civil::date(1970, 1, 1);
    first.until(date).ok().map(|span| span.get_days())
}

/// The microseconds since midnight of a text `12:30:01.5`.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let time: jiff::civil::Time = text.trim().parse().ok()?;
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    Some(seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1_000)
}

/// The microseconds since 1970 of a text `2026-03-05 12:30:01.5`, and of its zone, which is UTC if it says none.
pub(super) fn parse_instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(zoned) = text.parse::<jiff::Timestamp>() {
        return Some(zoned.as_microsecond());
    }
    // `+08` is short for `+08:00`.
    if text.len() > 11
        && let Some(sign) = text.rfind(['+', '-']).filter(|place| *place > 10)
        && let Ok(zoned) = format!("{text}:00").parse::<jiff::Timestamp>()
        && text.len() - sign == 3
    {
        return Some(zoned.as_microsecond());
    }
    parse_timestamp(text)
}

/// The microseconds since 1970 of a text of no zone.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    let at: jiff::civil::DateTime = text.trim().parse().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(at).ok().map(|instant| instant.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_every_age_are_written() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (20_517, "2026-03-05"),
            (-719_162, "0001-01-01"),
            (-719_163, "0001-12-31 BC"),
            (-719_528, "0001-01-01 BC"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(date(days), text);
            if !text.ends_with("BC") {
                assert_eq!(parse_date(text), Some(days), "{text}");
            }
        }
    }

    #[test]
    fn times_are_written_and_read() {
        assert_eq!(time(0), "00:00:00");
        assert_eq!(time(45_296_500_000), "12:34:56.5");
        assert_eq!(parse_time("12:34:56.5"), Some(45_296_500_000));
        assert_eq!(instant(-1, "+00"), "1969-12-31 23:59:59.999999+00");
        for text in [
            "2026-03-05 04:00:00+00",
            "2026-03-05 12:00:00+08",
            "2026-03-05T12:00:00+08:00",
            "2026-03-05 04:00:00",
        ] {
            assert_eq!(parse_instant(text), Some(1_772_683_200_000_000), "{text}");
        }
        assert_eq!(parse_timestamp("yesterday"), None);
        assert_eq!(interval(14, -3, 1_500_000), "1 year 2 mons -3 days 00:00:01.5");
        assert_eq!(interval(0, 0, 0), "00:00:00");
        assert_eq!(interval(0, 0, -1_000_000), "-00:00:01");
    }
}
