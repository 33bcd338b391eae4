//! The values of parameters as PostgreSQL's clients write them, as text and in binary.

use std::borrow::Cow;

use bytes::Buf;
use lake::{Cell, CellKind};

use super::encode::EPOCH_DAYS;
use super::{calendar, types};

/// The most values of a list.
const MAX_LIST: usize = 10_000;

/// A value as text; none if it is none of its kind.
pub(super) fn text(kind: &CellKind, text: &str) -> Option<Cell<'static>> {
    let trimmed = text.trim();
    Some(match kind {
        CellKind::Bool => Cell::Bool(match trimmed.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" | "on" | "yes" | "y" => true,
            "f" | "false" | "0" | "off" | "no" | "n" => false,
            _ => return None,
        }),
        CellKind::Int2 => Cell::Int(trimmed.parse::<i16>().ok()?.into()),
        CellKind::Int4 => Cell::Int(trimmed.parse::<i32>().ok()?.into()),
        CellKind::Int8 => Cell::Int(trimmed.parse().ok()?),
        CellKind::Float4 => Cell::Float4(trimmed.parse().ok()?),
        CellKind::Float8 => Cell::Float8(trimmed.parse().ok()?),
        CellKind::Numeric => Cell::Numeric(decimal(trimmed)?),
        CellKind::Text => Cell::Text(Cow::Owned(text.to_owned())),
        CellKind::Bytes => Cell::Bytes(Cow::Owned(match trimmed.strip_prefix("\\x") {
            Some(digits) => hex::decode(digits).ok()?,
            None => text.as_bytes().to_vec(),
        })),
        CellKind::Date => Cell::Date(calendar::parse_date(trimmed)?),
        CellKind::Time => Cell::Time(calendar::parse_time(trimmed)?),
        CellKind::Timestamp => Cell::Timestamp(calendar::parse_timestamp(trimmed)?),
        CellKind::Instant => Cell::Instant(calendar::parse_instant(trimmed)?),
        CellKind::Interval => return None,
        CellKind::List(item) => Cell::List(list(item, trimmed)?),
    })
}

/// A decimal number of digits and a point alone: no exponent, no `NaN`.
fn decimal(text: &str) -> Option<String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let fits = digits.len() <= 80
        && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
        && digits.chars().filter(|letter| *letter == '.').count() <= 1
        && digits.contains(|letter: char| letter.is_ascii_digit());
    fits.then(|| text.strip_prefix('+').unwrap_or(text).to_owned())
}

/// `{1,NULL,"a b"}`, of one dimension.
fn list(item: &CellKind, written: &str) -> Option<Vec<Cell<'static>>> {
    let inside = written.strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let mut letters = inside.chars().peekable();
    while letters.peek().is_some() {
        let mut word = String::new();
        let mut quoted = false;
        while let Some(letter) = letters.next() {
            match letter {
                '"' => {
                    quoted = true;
                    loop {
                        match letters.next()? {
                            '"' => break,
                            '\\' => word.push(letters.next()?),
                            other => word.push(other),
                        }
                    }
                }
                ',' => break,
                '\\' => word.push(letters.next()?),
                '{' | '}' => return None,
                other => word.push(other),
            }
        }
        items.push(match !quoted && word.trim().eq_ignore_ascii_case("null") {
            true => Cell::Empty,
            false => text(item, &word)?,
        });
        if items.len() > MAX_LIST {
            return None;
        }
    }
    Some(items)
}

/// A value in binary; none if it is none of its kind.
pub(super) fn binary(kind: &CellKind, bytes: &[u8]) -> Option<Cell<'static>> {
    let mut rest = bytes;
    let cell = match kind {
        CellKind::Bool => Cell::Bool(rest.try_get_u8().ok()? != 0),
        CellKind::Int2 => Cell::Int(rest.try_get_i16().ok()?.into()),
        CellKind::Int4 => Cell::Int(rest.try_get_i32().ok()?.into()),
        CellKind::Int8 => Cell::Int(rest.try_get_i64().ok()?),
        CellKind::Float4 => Cell::Float4(rest.try_get_f32().ok()?),
        CellKind::Float8 => Cell::Float8(rest.try_get_f64().ok()?),
        CellKind::Numeric => return numeric(bytes).map(Cell::Numeric),
        CellKind::Text => {
            return String::from_utf8(bytes.to_vec()).ok().map(|text| Cell::Text(Cow::Owned(text)));
        }
        CellKind::Bytes => return Some(Cell::Bytes(Cow::Owned(bytes.to_vec()))),
        CellKind::Date => Cell::Date(rest.try_get_i32().ok()?.checked_add(EPOCH_DAYS)?),
        CellKind::Time => Cell::Time(rest.try_get_i64().ok()?),
        CellKind::Timestamp => Cell::Timestamp(since_1970(&mut rest)?),
        CellKind::Instant => Cell::Instant(since_1970(&mut rest)?),
        CellKind::Interval => {
            let (micros, days, months) =
                (rest.try_get_i64().ok()?, rest.try_get_i32().ok()?, rest.try_get_i32().ok()?);
            Cell::Interval(months, days, micros)
        }
        CellKind::List(_) => return binary_list(bytes),
    };
    rest.is_empty().then_some(cell)
}

fn since_1970(rest: &mut &[u8]) -> Option<i64> {
    rest.try_get_i64().ok()?.checked_add(i64::from(EPOCH_DAYS) * calendar::DAY)
}

fn binary_list(mut rest: &[u8]) -> Option<Cell<'static>> {
    let dimensions = rest.try_get_i32().ok()?;
    let _has_empty = rest.try_get_i32().ok()?;
    let item = types::kind(rest.try_get_u32().ok()?)?;
    if dimensions == 0 {
        return Some(Cell::List(Vec::new()));
    }
    let count = usize::try_from(rest.try_get_i32().ok()?).ok()?;
    let _first = rest.try_get_i32().ok()?;
    if dimensions != 1 || count > MAX_LIST || matches!(item, CellKind::List(_)) {
        return None;
    }
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        let length = rest.try_get_i32().ok()?;
        items.push(match usize::try_from(length) {
            Err(_) => Cell::Empty,
            Ok(length) => {
                let (one, after) = rest.split_at_checked(length)?;
                rest = after;
                binary(&item, one)?
            }
        });
    }
    rest.is_empty().then_some(Cell::List(items))
}

/// A decimal number in groups of four digits, as it is written.
fn numeric(mut rest: &[u8]) -> Option<String> {
    let groups = usize::try_from(rest.try_get_i16().ok()?).ok()?;
    let weight = i32::from(rest.try_get_i16().ok()?);
    let sign = rest.try_get_u16().ok()?;
    let scale = usize::try_from(rest.try_get_i16().ok()?).ok()?;
    if !matches!(sign, 0 | 0x4000) || groups > 40 || scale > 80 || !(-20..=20).contains(&weight) {
        return None;
    }
    let mut digits = Vec::with_capacity(groups);
    for _ in 0..groups {
        digits.push(rest.try_get_i16().ok().filter(|group| (0..10_000).contains(group))?);
    }
    let group = |place: i32| {
        usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or_default()
    };
    let whole: String = (0..=weight).map(|place| format!("{:04}", group(place))).collect();
    let whole = whole.trim_start_matches('0');
    let first = weight + 1;
    let behind = i32::try_from(scale.div_ceil(4)).ok()?;
    let fraction: String = (first..first + behind).map(|place| format!("{:04}", group(place))).collect();
    let sign = if sign == 0 { "" } else { "-" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.get(..scale)?;
    rest.is_empty().then(|| match scale {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_of_its_kind_is_refused() {
        for (kind, value) in [
            (CellKind::Int2, "70000"),
            (CellKind::Int8, "1.5"),
            (CellKind::Int8, ""),
            (CellKind::Bool, "maybe"),
            (CellKind::Numeric, "1e9"),
            (CellKind::Numeric, "NaN"),
            (CellKind::Numeric, "1.2.3"),
            (CellKind::Date, "2026-02-30"),
            (CellKind::Bytes, "\\xzz"),
            (CellKind::List(Box::new(CellKind::Int8)), "{1,{2}}"),
            (CellKind::List(Box::new(CellKind::Int8)), "1,2"),
            (CellKind::List(Box::new(CellKind::Text)), "{\"a}"),
        ] {
            assert_eq!(text(&kind, value), None, "{kind:?} {value}");
        }
        for (kind, bytes) in [
            (CellKind::Int8, &[0; 4][..]),
            (CellKind::Int4, &[0; 8]),
            (CellKind::Numeric, &[0; 7]),
            (CellKind::Numeric, &[0, 1, 0, 0, 0xc0, 0, 0, 0, 0, 1]),
            (CellKind::Text, &[0xff]),
            (
                CellKind::List(Box::new(CellKind::Int8)),
                &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0x7f, 0xff, 0xff, 0xff],
            ),
        ] {
            assert_eq!(binary(&kind, bytes), None, "{kind:?} {bytes:?}");
        }
    }
}
