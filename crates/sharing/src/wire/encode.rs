//! Cells as PostgreSQL's clients read them, as text and in binary.

use bytes::{BufMut, BytesMut};
use lake::{Cell, CellKind};
use pgwire::messages::data::{DataRow, FieldDescription};

use super::{calendar, types};

/// Days from 1970 to 2000, from where PostgreSQL counts.
pub(super) const EPOCH_DAYS: i32 = 10_957;

/// The description of columns, in these formats.
pub(super) fn fields(columns: &[(String, CellKind)], formats: &Formats) -> Vec<FieldDescription> {
    columns
        .iter()
        .enumerate()
        .map(|(place, (name, kind))| {
            FieldDescription::new(
                // A name ends at a zero byte on the wire.
                name.replace('\0', ""),
                0,
                0,
                types::oid(kind),
                types::width(kind),
                -1,
                i16::from(formats.is_binary(place)),
            )
        })
        .collect()
}

/// In which format each column is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Formats(Vec<i16>);

impl Formats {
    /// As a client said it: none for text, one for all, or one each.
    pub(super) fn new(codes: &[i16]) -> Self {
        Self(codes.to_vec())
    }

    /// Whether a place is in binary.
    pub(super) fn is_binary(&self, place: usize) -> bool {
        match self.0.as_slice() {
            [all] => *all == 1,
            each => each.get(place) == Some(&1),
        }
    }
}

/// One row.
pub(super) fn row(cells: &lake::cells::Cells, kinds: &[CellKind], row: usize, formats: &Formats) -> DataRow {
    let mut buffer = BytesMut::with_capacity(16 * kinds.len());
    for (column, kind) in kinds.iter().enumerate() {
        put(&mut buffer, &cells.at(row, column), |buffer, cell| match formats.is_binary(column) {
            true => binary(buffer, cell, kind),
            false => buffer.put_slice(text(cell).as_bytes()),
        });
    }
    DataRow::new(buffer, i16::try_from(kinds.len()).unwrap_or(i16::MAX))
}

/// The length of a cell, then the cell.
fn put(buffer: &mut BytesMut, cell: &Cell<'_>, write: impl FnOnce(&mut BytesMut, &Cell<'_>)) {
    if *cell == Cell::Empty {
        buffer.put_i32(-1);
        return;
    }
    let at = buffer.len();
    buffer.put_i32(0);
    write(buffer, cell);
    let length = i32::try_from(buffer.len() - at - 4).unwrap_or(i32::MAX);
    if let Some(mut slot) = buffer.get_mut(at..at + 4) {
        slot.put_i32(length);
    }
}

/// A cell as text; empty for an empty one.
pub(super) fn text(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Bool(value) => if *value { "t" } else { "f" }.to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Float4(value) => float(f64::from(*value), value.to_string()),
        Cell::Float8(value) => float(*value, value.to_string()),
        Cell::Numeric(value) => value.clone(),
        // PostgreSQL's texts hold no zero byte, and clients end there.
        Cell::Text(value) => value.replace('\0', ""),
        Cell::Bytes(value) => format!("\\x{}", hex::encode(value)),
        Cell::Date(days) => calendar::date(*days),
        Cell::Time(micros) => calendar::time(*micros),
        Cell::Timestamp(micros) => calendar::instant(*micros, ""),
        Cell::Instant(micros) => calendar::instant(*micros, "+00"),
        Cell::Interval(months, days, micros) => calendar::interval(*months, *days, *micros),
        Cell::List(items) => {
            let item = |item: &Cell<'_>| match item {
                Cell::Empty => "NULL".to_owned(),
                Cell::Text(_)
                | Cell::Bytes(_)
                | Cell::Timestamp(_)
                | Cell::Instant(_)
                | Cell::Interval(..) => {
                    format!("\"{}\"", text(item).replace('\\', "\\\\").replace('"', "\\\""))
                }
                other => text(other),
            };
            format!("{{{}}}", items.iter().map(item).collect::<Vec<_>>().join(","))
        }
    }
}

fn float(value: f64, text: String) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        text
    }
}

fn binary(buffer: &mut BytesMut, cell: &Cell<'_>, kind: &CellKind) {
    match (cell, kind) {
        (Cell::Bool(value), _) => buffer.put_u8(u8::from(*value)),
        // A cell of a kind fits its width: the lake cast it there.
        (Cell::Int(value), CellKind::Int2) => buffer.put_i16(i16::try_from(*value).unwrap_or_default()),
        (Cell::Int(value), CellKind::Int4) => buffer.put_i32(i32::try_from(*value).unwrap_or_default()),
        (Cell::Int(value), _) => buffer.put_i64(*value),
        (Cell::Float4(value), _) => buffer.put_f32(*value),
        (Cell::Float8(value), _) => buffer.put_f64(*value),
        (Cell::Numeric(value), _) => numeric(buffer, value),
        (Cell::Bytes(value), _) => buffer.put_slice(value),
        (Cell::Date(days), _) => buffer.put_i32(days.saturating_sub(EPOCH_DAYS)),
        (Cell::Time(micros), _) => buffer.put_i64(*micros),
        (Cell::Timestamp(micros) | Cell::Instant(micros), _) => {
            buffer.put_i64(micros.saturating_sub(i64::from(EPOCH_DAYS) * calendar::DAY));
        }
        (Cell::Interval(months, days, micros), _) => {
            buffer.put_i64(*micros);
            buffer.put_i32(*days);
            buffer.put_i32(*months);
        }
        (Cell::List(items), CellKind::List(item)) => {
            buffer.put_i32(i32::from(!items.is_empty()));
            buffer.put_i32(i32::from(items.contains(&Cell::Empty)));
            buffer.put_u32(types::oid(item));
            if !items.is_empty() {
                buffer.put_i32(i32::try_from(items.len()).unwrap_or(i32::MAX));
                buffer.put_i32(1);
            }
            for one in items {
                put(buffer, one, |buffer, one| binary(buffer, one, item));
            }
        }
        (other, _) => buffer.put_slice(text(other).as_bytes()),
    }
}

/// A decimal number in groups of four digits.
fn numeric(buffer: &mut BytesMut, text: &str) {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let padded = format!("{whole:0>width$}", width = whole.len().div_ceil(4) * 4);
    let tail = format!("{fraction:0<width$}", width = fraction.len().div_ceil(4) * 4);
    let groups: Vec<i16> = padded
        .as_bytes()
        .chunks(4)
        .chain(tail.as_bytes().chunks(4))
        .map(|group| group.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit.wrapping_sub(b'0'))))
        .collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let end = groups.iter().rposition(|group| *group != 0).map_or(leading, |last| last + 1);
    let shown = groups.get(leading..end).unwrap_or_default();
    let weight =
        i16::try_from(padded.len() / 4).unwrap_or_default() - 1 - i16::try_from(leading).unwrap_or_default();
    buffer.put_i16(i16::try_from(shown.len()).unwrap_or(i16::MAX));
    buffer.put_i16(if shown.is_empty() { 0 } else { weight });
    buffer.put_u16(if negative && !shown.is_empty() { 0x4000 } else { 0 });
    buffer.put_i16(i16::try_from(fraction.len()).unwrap_or(i16::MAX));
    shown.iter().for_each(|group| buffer.put_i16(*group));
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::wire::decode;

    #[test]
    fn what_is_written_in_either_format_is_read_as_the_same() {
        let text = |text: &'static str| Cell::Text(Cow::Borrowed(text));
        let numeric = |text: &str| Cell::Numeric(text.to_owned());
        let all = [
            (CellKind::Bool, Cell::Bool(true)),
            (CellKind::Int2, Cell::Int(-2)),
            (CellKind::Int4, Cell::Int(70_000)),
            (CellKind::Int8, Cell::Int(i64::MIN)),
            (CellKind::Float4, Cell::Float4(1.5)),
            (CellKind::Float8, Cell::Float8(-0.1)),
            (CellKind::Float8, Cell::Float8(f64::INFINITY)),
            (CellKind::Numeric, numeric("0")),
            (CellKind::Numeric, numeric("-12.50")),
            (CellKind::Numeric, numeric("12345678901234567890.000012")),
            (CellKind::Numeric, numeric("0.0001")),
            (CellKind::Numeric, numeric("10000")),
            (CellKind::Text, text("大理'\"\\")),
            (CellKind::Bytes, Cell::Bytes(Cow::Borrowed(&[0, 255, 7]))),
            (CellKind::Date, Cell::Date(-719_162)),
            (CellKind::Time, Cell::Time(45_296_500_000)),
            (CellKind::Timestamp, Cell::Timestamp(1_772_683_200_000_001)),
            (CellKind::Instant, Cell::Instant(-1)),
            (CellKind::List(Box::new(CellKind::Int8)), Cell::List(vec![Cell::Int(1), Cell::Empty])),
            (
                CellKind::List(Box::new(CellKind::Text)),
                Cell::List(vec![text("a,\"b\\"), text(""), text("NULL")]),
            ),
            (CellKind::List(Box::new(CellKind::Text)), Cell::List(vec![])),
        ];
        for (kind, cell) in all {
            let mut buffer = BytesMut::new();
            binary(&mut buffer, &cell, &kind);
            assert_eq!(decode::binary(&kind, &buffer).as_ref(), Some(&cell), "{kind:?} in binary");
            let written = super::text(&cell);
            assert_eq!(decode::text(&kind, &written).as_ref(), Some(&cell), "{kind:?} as {written}");
        }
    }

    #[test]
    fn texts_are_postgresqls() {
        for (cell, wanted) in [
            (Cell::Bool(false), "f"),
            (Cell::Float8(f64::NAN), "NaN"),
            (Cell::Float8(3.0), "3"),
            (Cell::Bytes(Cow::Borrowed(&[1, 0xab])), "\\x01ab"),
            (Cell::Instant(0), "1970-01-01 00:00:00+00"),
            (Cell::List(vec![Cell::Text("a b".into()), Cell::Empty, Cell::Int(3)]), "{\"a b\",NULL,3}"),
        ] {
            assert_eq!(text(&cell), wanted);
        }
    }
}
