//! JSON lines: one object a line; its keys are the columns.

use indexmap::IndexSet;
use serde_json::{Map, Number, Value};

use super::lines::Lines;
use crate::loading::error::{LoadError, Reason};
use crate::loading::record::{Cell, Cells, Record};

/// From here on a number with a floating point does not hold every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads rows.
pub(crate) struct JsonLines {
    lines: Lines,
    columns: IndexSet<String>,
}

impl JsonLines {
    /// The keys are those of `columns`, and in a row no others.
    pub(crate) fn new(lines: Lines, columns: &[String]) -> Self {
        Self { lines, columns: columns.iter().cloned().collect() }
    }

    /// The keys of the first rows, in the order in which they come.
    pub(crate) fn keys(mut lines: Lines, rows: usize) -> Result<Vec<String>, LoadError> {
        let mut keys = IndexSet::new();
        for _ in 0..rows {
            let Some(line) = lines.next()? else { break };
            if let Ok(object) = serde_json::from_str::<Map<String, Value>>(&line.text) {
                keys.extend(object.into_iter().map(|(key, _)| key));
            }
            if keys.len() > crate::schema::MAX_COLUMNS {
                break;
            }
        }
        Ok(keys.into_iter().collect())
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, LoadError> {
        let line = loop {
            match self.lines.next()? {
                None => return Ok(None),
                Some(line) if line.text.trim().is_empty() && line.fault.is_none() => {}
                Some(line) => break line,
            }
        };
        let broken = |reason| Ok(Some(Record::broken(line.number, reason, &line.text)));
        if let Some(reason) = line.fault {
            return broken(reason);
        }
        let Ok(object) = serde_json::from_str::<Map<String, Value>>(&line.text) else {
            return broken(Reason::Broken);
        };
        if object.keys().any(|key| !self.columns.contains(key)) {
            return broken(Reason::TooManyCells);
        }
        let mut cells = Cells::default();
        for column in &self.columns {
            match object.get(column) {
                None | Some(Value::Null) => cells.push(Cell::Empty),
                Some(Value::String(text)) if text.contains('\0') => return broken(Reason::Encoding),
                Some(Value::String(text)) => cells.push(Cell::Text(text)),
                Some(Value::Bool(yes)) => cells.push(Cell::Text(if *yes { "true" } else { "false" })),
                Some(Value::Number(number)) => push_number(&mut cells, number),
                Some(nested) => cells.push(Cell::Text(&nested.to_string())),
            }
        }
        Ok(Some(Record::whole(line.number, cells)))
    }
}

fn push_number(cells: &mut Cells, number: &Number) {
    match number.as_f64().filter(|_| number.is_f64()) {
        None => cells.push(Cell::Text(&number.to_string())),
        Some(float) if float.fract() == 0.0 && float.abs() >= EXACT => {
            cells.push(Cell::Fault(Reason::DigitsLost, &format!("{float}")));
        }
        Some(float) => cells.push(Cell::Text(&format!("{float}"))),
    }
}
