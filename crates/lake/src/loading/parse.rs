//! Text as values. What is not surely of the kind is refused; nothing is rounded and nothing guessed.

use std::borrow::Cow;

use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use kernel::time::Timestamp;

use super::error::Reason;
use crate::Kind;

/// The value of a cell that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Decimal(i128),
    Float(f64),
    Boolean(bool),
    Date(Date),
    Timestamp(Timestamp),
}

/// Reads a text as a value of this kind.
pub(crate) fn parse(kind: Kind, text: &str) -> Result<Value, Reason> {
    if kind == Kind::Text {
        return Ok(Value::Text(text.to_owned()));
    }
    let text = narrow(text.trim());
    match kind {
        Kind::Text => Ok(Value::Text(text.into_owned())),
        Kind::Integer => integer(&text).map(Value::Integer),
        Kind::Decimal(scale) => decimal(&text, scale).map(Value::Decimal),
        Kind::Float => float(&text).map(Value::Float),
        Kind::Boolean => boolean(&text).ok_or(Reason::WrongKind).map(Value::Boolean),
        Kind::Date => date(&text).map(Value::Date),
        Kind::Timestamp => timestamp(&text).map(Value::Timestamp),
    }
}

/// The wide forms of digits and signs as the narrow ones.
fn narrow(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let narrowed = text.chars().map(|one| match u32::from(one) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(one),
        0x3000 => ' ',
        0x2212 => '-',
        _ => one,
    });
    Cow::Owned(narrowed.collect())
}

/// A number taken apart, its thousands no longer set off.
struct Number<'a> {
    negative: bool,
    whole: Cow<'a, str>,
    fraction: &'a str,
}

fn number(text: &str) -> Option<Number<'_>> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(fraction) {
        return None;
    }
    let whole = if whole.contains(',') {
        let mut groups = whole.split(',');
        let first = groups.next()?;
        if first.is_empty() || first.len() > 3 || groups.any(|group| group.len() != 3) {
            return None;
        }
        Cow::Owned(whole.replace(',', ""))
    } else {
        Cow::Borrowed(whole)
    };
    digits(&whole).then_some(Number { negative, whole, fraction })
}

fn integer(text: &str) -> Result<i64, Reason> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let number = number(text).ok_or(Reason::WrongKind)?;
    if number.fraction.bytes().any(|digit| digit != b'0')
        || (number.fraction.is_empty() && text.ends_with('.'))
    {
        return Err(Reason::WrongKind);
    }
    let digits = if number.negative { format!("-{}", number.whole) } else { number.whole.into_owned() };
    digits.parse().map_err(|_| Reason::OutOfRange)
}

fn decimal(text: &str, scale: u8) -> Result<i128, Reason> {
    let number = number(text).ok_or(Reason::WrongKind)?;
    let fraction = number.fraction.trim_end_matches('0');
    let padding = usize::from(scale).checked_sub(fraction.len()).ok_or(Reason::OutOfRange)?;
    let digits = format!("{}{fraction}{}", number.whole.trim_start_matches('0'), "0".repeat(padding));
    if digits.len() > usize::from(crate::schema::PRECISION) {
        return Err(Reason::OutOfRange);
    }
    let value: i128 = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| Reason::OutOfRange)? };
    Ok(if number.negative { -value } else { value })
}

fn float(text: &str) -> Result<f64, Reason> {
    // Infinities and what is no number are words for this parser too.
    if text.bytes().any(|byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E')) {
        return Err(Reason::WrongKind);
    }
    let value: f64 = match text.parse() {
        Ok(value) => value,
        Err(_) => {
            let number = number(text).ok_or(Reason::WrongKind)?;
            let sign = if number.negative { "-" } else { "" };
            format!("{sign}{}.{}0", number.whole, number.fraction).parse().map_err(|_| Reason::WrongKind)?
        }
    };
    if value.is_finite() { Ok(value) } else { Err(Reason::OutOfRange) }
}

/// Yes or no, in the words that are written for them.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "是" | "真" | "有" => Some(true),
        "false" | "f" | "no" | "n" | "0" | "否" | "假" | "无" => Some(false),
        _ => None,
    }
}

fn date(text: &str) -> Result<Date, Reason> {
    let (date, rest) = date_prefix(text)?;
    match rest.trim() {
        "" => Ok(date),
        time => match clock(time.trim_start_matches('T'))? {
            (time, None) if time == Time::midnight() => Ok(date),
            _ => Err(Reason::WrongKind),
        },
    }
}

fn timestamp(text: &str) -> Result<Timestamp, Reason> {
    let (date, rest) = date_prefix(text)?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('T').unwrap_or(rest).trim();
    if rest.is_empty() {
        return Ok(Timestamp::start_of_china_day(date));
    }
    let (time, offset) = clock(rest)?;
    // Without a zone, as clocks in China show it.
    let at = Timestamp::from_china(date.to_datetime(time));
    Ok(match offset {
        None => at,
        Some(offset) => at.plus(SignedDuration::from_hours(8) - offset),
    })
}

/// Digits at the beginning, from so many to so many, and what follows.
fn digits(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let many = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if many < least {
        return None;
    }
    let (number, rest) = text.split_at_checked(many)?;
    Some((number.parse().ok()?, rest))
}

/// A date as it is written in China: `2024年1月2日`, `2024-01-02`, `2024/1/2`, `2024.1.2`, `20240102`.
fn date_prefix(text: &str) -> Result<(Date, &str), Reason> {
    let apart = || {
        let (year, rest) = digits(text, 4, 4)?;
        if let Some((month, after)) = digits(rest, 2, 2) {
            let (day, after) = digits(after, 2, 2)?;
            return Some((year, month, day, after));
        }
        let separator = rest.chars().next().filter(|one| matches!(one, '-' | '/' | '.' | '年'))?;
        let (month, rest) = digits(rest.strip_prefix(separator)?, 1, 2)?;
        let rest = rest.strip_prefix(if separator == '年' { '月' } else { separator })?;
        let (day, rest) = digits(rest, 1, 2)?;
        let rest = if separator == '年' { rest.strip_prefix(['日', '号'])? } else { rest };
        Some((year, month, day, rest))
    };
    let (year, month, day, rest) = apart().ok_or(Reason::WrongKind)?;
    let part = |number: i32| i8::try_from(number).map_err(|_| Reason::OutOfRange);
    if year == 0 {
        return Err(Reason::OutOfRange);
    }
    let year = i16::try_from(year).map_err(|_| Reason::OutOfRange)?;
    let date = Date::new(year, part(month)?, part(day)?).map_err(|_| Reason::OutOfRange)?;
    Ok((date, rest))
}

/// A time of day, with its offset from UTC where one is written.
fn clock(text: &str) -> Result<(Time, Option<SignedDuration>), Reason> {
    let apart = || {
        let (hour, rest) = digits(text, 1, 2)?;
        if let Some((minute, rest)) = digits(rest, 2, 2) {
            let (second, rest) = digits(rest, 2, 2)?;
            return Some((hour, minute, second, 0, rest));
        }
        let chinese = rest.starts_with(['时', '点']);
        let rest = rest.strip_prefix([':', '时', '点'])?;
        let (minute, rest) = digits(rest, 1, 2)?;
        let rest = if chinese { rest.strip_prefix('分')? } else { rest };
        let seconds =
            if chinese { Some(rest).filter(|rest| !rest.is_empty()) } else { rest.strip_prefix(':') };
        let Some(rest) = seconds else { return Some((hour, minute, 0, 0, rest)) };
        let (second, rest) = digits(rest, 1, 2)?;
        let rest = if chinese { rest.strip_prefix('秒')? } else { rest };
        let Some(fraction) = rest.strip_prefix(['.', ',']) else {
            return Some((hour, minute, second, 0, rest));
        };
        let many = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let (part, rest) = fraction.split_at_checked(many)?;
        let nanos: i32 = format!("{part:0<9}").get(..9)?.parse().ok()?;
        (many > 0).then_some((hour, minute, second, nanos, rest))
    };
    let (hour, minute, second, nanos, rest) = apart().ok_or(Reason::WrongKind)?;
    let part = |number: i32| i8::try_from(number).map_err(|_| Reason::OutOfRange);
    let time = Time::new(part(hour)?, part(minute)?, part(second)?, nanos).map_err(|_| Reason::OutOfRange)?;
    Ok((time, offset(rest.trim()).ok_or(Reason::WrongKind)?))
}

fn offset(text: &str) -> Option<Option<SignedDuration>> {
    if text.is_empty() {
        return Some(None);
    }
    if matches!(text, "Z" | "z" | "UTC") {
        return Some(Some(SignedDuration::ZERO));
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, rest) = digits(rest, 2, 2)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { digits(rest, 2, 2)? };
    (rest.is_empty() && hours <= 18 && minutes < 60)
        .then(|| Some(SignedDuration::from_mins(i64::from(sign * (hours * 60 + minutes)))))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_never_rounded() {
        for (text, value) in
            [("12", 12), (" -7 ", -7), ("+3", 3), ("1,234,567", 1_234_567), ("１２", 12), ("12.00", 12)]
        {
            assert_eq!(parse(Kind::Integer, text), Ok(Value::Integer(value)), "{text}");
        }
        for text in ["", "1.5", "12,34", "1e3", "0x1", "abc", "1.", "--1", "1,2345"] {
            assert_eq!(parse(Kind::Integer, text), Err(Reason::WrongKind), "{text}");
        }
        assert_eq!(parse(Kind::Integer, "9223372036854775808"), Err(Reason::OutOfRange));
        for (text, value) in [("1.5", 150), ("-0.05", -5), (".5", 50), ("1,000", 100_000), ("2.500", 250)] {
            assert_eq!(parse(Kind::Decimal(2), text), Ok(Value::Decimal(value)), "{text}");
        }
        assert_eq!(parse(Kind::Decimal(2), "1.005"), Err(Reason::OutOfRange));
        assert_eq!(parse(Kind::Decimal(2), &"9".repeat(37)), Err(Reason::OutOfRange));
        assert_eq!(parse(Kind::Decimal(2), "1.2.3"), Err(Reason::WrongKind));
        assert_eq!(parse(Kind::Float, "1.5e3"), Ok(Value::Float(1500.0)));
        assert_eq!(parse(Kind::Float, "1,500.5"), Ok(Value::Float(1500.5)));
        assert_eq!(parse(Kind::Float, "1e999"), Err(Reason::OutOfRange));
        for text in ["inf", "NaN", "infinity", "e", ""] {
            assert_eq!(parse(Kind::Float, text), Err(Reason::WrongKind), "{text}");
        }
    }

    #[test]
    fn days_and_times_are_read_as_china_writes_them() {
        for text in [
            "2024-01-02",
            "2024/1/2",
            "2024.1.2",
            "20240102",
            "2024年1月2日",
            "2024年01月02号",
            "2024-01-02 00:00:00",
        ] {
            assert_eq!(parse(Kind::Date, text), Ok(Value::Date(day(2024, 1, 2))), "{text}");
        }
        for text in ["2024-02-30", "2024-13-01", "20240230", "0000-00-00", "2024年2月30日"] {
            assert_eq!(parse(Kind::Date, text), Err(Reason::OutOfRange), "{text}");
        }
        for text in [
            "2024",
            "2024-1",
            "2024年1月",
            "1/2/2024",
            "2024-01-02 08:00",
            "2024-01/02",
            "24-1-2",
            "202401021",
        ] {
            assert_eq!(parse(Kind::Date, text), Err(Reason::WrongKind), "{text}");
        }
        let noon = Value::Timestamp(Timestamp::parse("2024-01-02T04:05:06Z").unwrap());
        for text in [
            "2024-01-02 12:05:06",
            "2024-01-02T12:05:06+08:00",
            "2024-01-02 04:05:06+00",
            "2024-01-02T04:05:06Z",
            "2024年1月2日 12时5分6秒",
            "20240102120506",
            "2024/1/2 12:05:06.000",
            "2024-01-01 23:05:06-0500",
        ] {
            assert_eq!(parse(Kind::Timestamp, text), Ok(noon.clone()), "{text}");
        }
        assert_eq!(parse(Kind::Timestamp, "2024-01-02 25:00:00"), Err(Reason::OutOfRange));
        assert_eq!(parse(Kind::Timestamp, "2024-01-02 noon"), Err(Reason::WrongKind));
    }

    proptest! {
        #[test]
        fn no_text_stops_the_parser(text: String, scale in 0_u8..38) {
            for kind in [Kind::Integer, Kind::Decimal(scale), Kind::Float, Kind::Boolean, Kind::Date, Kind::Timestamp] {
                let _ = parse(kind, &text);
            }
        }

        #[test]
        fn every_value_is_read_as_it_is_shown(whole: i64, float in -1e300_f64..1e300, days in 0_i32..80_000, micros in 0_i64..4_000_000_000_000_000) {
            prop_assert_eq!(parse(Kind::Integer, &whole.to_string()), Ok(Value::Integer(whole)));
            prop_assert_eq!(parse(Kind::Decimal(0), &whole.to_string()), Ok(Value::Decimal(whole.into())));
            prop_assert_eq!(parse(Kind::Float, &float.to_string()), Ok(Value::Float(float)));
            let date = day(1900, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            prop_assert_eq!(parse(Kind::Date, &date.to_string()), Ok(Value::Date(date)));
            let at = Timestamp::from_micros(micros);
            prop_assert_eq!(parse(Kind::Timestamp, &at.to_string()), Ok(Value::Timestamp(at)));
        }
    }
}
