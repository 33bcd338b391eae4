//! Filters for what pages show again and again: dates, money, masked numbers, bilingual data.

use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, State};

use super::{invalid, lang_of};
use crate::i18n::{Arg, Languages, key};

/// All of China keeps one clock, eight hours ahead of UTC, all year.
const CHINA: Offset = Offset::constant(8);

pub(super) fn add(env: &mut Environment<'static>, languages: &Arc<Languages>) {
    let texts = Arc::clone(languages);
    env.add_filter("date", move |state: &mut State, value: Value| {
        written(state, &texts, key("web-date"), &value)
    });
    let texts = Arc::clone(languages);
    env.add_filter("datetime", move |state: &mut State, value: Value| {
        written(state, &texts, key("web-datetime"), &value)
    });
    env.add_filter("masked", |value: &str| masked(value));
    env.add_filter("yuan", yuan);
    env.add_filter("tr", translated);
}

/// A date (`2026-11-24`) or an instant (`2026-11-24T00:30:00Z`) as the page's language writes it.
fn written(state: &State<'_, '_>, texts: &Languages, key: &str, value: &Value) -> Result<String, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(String::new());
    }
    let text = value.as_str().unwrap_or_default();
    let at =
        china_time(text).ok_or_else(|| invalid(format!("`{value}` is neither a date nor an instant")))?;
    let two = |number: i8| Arg::Text(format!("{number:02}"));
    let args = [
        ("year", Arg::Text(at.year().to_string())),
        ("month", Arg::Number(f64::from(at.month()))),
        ("day", Arg::Text(at.day().to_string())),
        ("hour", two(at.hour())),
        ("minute", two(at.minute())),
    ];
    texts.text(lang_of(state), key, &args).map_err(|error| invalid(error.to_string()))
}

fn china_time(text: &str) -> Option<DateTime> {
    if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
    {
        return Some(date.at(0, 0, 0, 0));
    }
    text.parse::<jiff::Timestamp>().ok().map(|instant| CHINA.to_datetime(instant))
}

/// Hides the middle: `532901********1234`, `138****5678`, `段**`.
fn masked(value: &str) -> String {
    let chars: Vec<char> = value.chars().collect();
    let (head, tail) = match chars.len() {
        0 => return String::new(),
        15.. => (6, 4),
        8.. => (3, 4),
        _ => (1, 0),
    };
    let hidden = chars.len().saturating_sub(head + tail).max(1);
    chars
        .iter()
        .take(head)
        .copied()
        .chain(std::iter::repeat_n('*', hidden))
        .chain(chars.iter().skip(chars.len().saturating_sub(tail)).copied())
        .collect()
}

/// Fen (hundredths of a yuan) as yuan: `1250` is `12.50`.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Picks from bilingual data `{zh, en}` what the page's language wants, else Chinese; other values stay.
fn translated(state: &mut State, value: Value) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return Ok(value);
    }
    let lang = lang_of(state);
    for name in [lang.as_str(), lang.short(), "zh-CN", "zh"] {
        let found = value.get_attr(name)?;
        if found.as_str().is_some_and(|text| !text.is_empty()) {
            return Ok(found);
        }
    }
    Err(invalid("bilingual data without Chinese".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_keep_only_their_ends() {
        assert_eq!(masked("532901199003071234"), "532901********1234");
        assert_eq!(masked("13800001234"), "138****1234");
        assert_eq!(masked("段誉和"), "段**");
        assert_eq!(masked("段"), "段*");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn an_instant_is_shown_in_chinese_time() {
        assert_eq!(
            china_time("2026-11-23T16:30:00.123456Z").unwrap().to_string(),
            "2026-11-24T00:30:00.123456"
        );
        assert_eq!(china_time("2026-11-24").unwrap().to_string(), "2026-11-24T00:00:00");
        assert!(china_time("24/11/2026").is_none());
    }

    #[test]
    fn fen_become_yuan() {
        assert_eq!(yuan(1250), "12.50");
        assert_eq!(yuan(-5), "-0.05");
        assert_eq!(yuan(i64::MIN), "-92233720368547758.08");
    }
}
