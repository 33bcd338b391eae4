//! Whether two engines answer the same: exactly, and where either has a floating point number, to one part in a thousand
//! million.

use std::cmp::Ordering;

/// Rows of an answer as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Of each column, whether it holds floating point numbers.
    pub floats: Vec<bool>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// How far two floating point numbers may lie apart, of the larger one.
const TOLERANCE: f64 = 1e-9;

/// Where two answers differ first; nothing if they do not. The order of their rows does not count.
#[must_use]
pub fn difference(one: &Answered, other: &Answered) -> Option<String> {
    if one.floats.len() != other.floats.len() {
        return Some(format!("{} columns and {}", one.floats.len(), other.floats.len()));
    }
    if one.rows.len() != other.rows.len() {
        return Some(format!("{} rows and {}", one.rows.len(), other.rows.len()));
    }
    let floats: Vec<bool> = one.floats.iter().zip(&other.floats).map(|(one, other)| *one || *other).collect();
    let (one, other) = (sorted(&one.rows, &floats), sorted(&other.rows, &floats));
    one.iter().zip(&other).find(|(one, other)| !same(one, other, &floats)).map(|pair| format!("{pair:?}"))
}

/// Rows in an order that both engines agree on: by what is exact first, then by the floating point numbers.
fn sorted(rows: &[Vec<Option<String>>], floats: &[bool]) -> Vec<Vec<Option<String>>> {
    let mut rows: Vec<Vec<Option<String>>> =
        rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().map(normal)).collect()).collect();
    rows.sort_by(|one, other| {
        let exact = |row: &[Option<String>]| -> Vec<Option<String>> {
            row.iter().zip(floats).filter(|(_, float)| !**float).map(|(cell, _)| cell.clone()).collect()
        };
        let inexact = |row: &[Option<String>]| -> Vec<f64> {
            row.iter().zip(floats).filter(|(_, float)| **float).map(|(cell, _)| number(cell)).collect()
        };
        exact(one).cmp(&exact(other)).then_with(|| {
            let pairs = inexact(one).into_iter().zip(inexact(other));
            pairs
                .map(|(one, other)| one.total_cmp(&other))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        })
    });
    rows
}

fn same(one: &[Option<String>], other: &[Option<String>], floats: &[bool]) -> bool {
    one.iter().zip(other).zip(floats).all(|((one, other), float)| match (one, other) {
        (Some(_), Some(_)) if *float => {
            let (one, other) = (number(one), number(other));
            (one - other).abs() <= TOLERANCE * one.abs().max(other.abs())
        }
        _ => one == other,
    })
}

fn number(cell: &Option<String>) -> f64 {
    cell.as_ref().and_then(|cell| cell.parse().ok()).unwrap_or(f64::NAN)
}

/// A decimal without the zeros at its end, which depend on the engine's idea of its scale.
fn normal(cell: &str) -> String {
    let is_decimal =
        cell.contains('.') && cell.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    match is_decimal {
        true => cell.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(floats: &[bool], rows: &[&[&str]]) -> Answered {
        let cell = |text: &&str| (!text.is_empty()).then(|| (*text).to_owned());
        Answered {
            floats: floats.to_vec(),
            rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        }
    }

    #[test]
    fn the_order_and_the_zeros_of_a_decimal_do_not_count() {
        let one = answered(&[false, false], &[&["b", "1.50"], &["a", "2.000"]]);
        let other = answered(&[false, false], &[&["a", "2"], &["b", "1.5"]]);
        assert_eq!(difference(&one, &other), None);
    }

    #[test]
    fn a_decimal_is_exact_and_a_float_nearly() {
        let decimal = |text| answered(&[false], &[&[text]]);
        assert!(difference(&decimal("1.0000000001"), &decimal("1.0000000002")).is_some());
        let float = |text| answered(&[true], &[&[text]]);
        assert_eq!(difference(&float("1.0000000001"), &float("1.0000000002")), None);
        assert!(difference(&float("1.00000001"), &float("1.00000002")).is_some());
        assert_eq!(difference(&float("100.0"), &decimal("100.00000001")), None);
    }

    #[test]
    fn a_missing_row_a_missing_cell_and_another_text_are_differences() {
        let one = answered(&[false], &[&["a"], &["b"]]);
        assert!(difference(&one, &answered(&[false], &[&["a"]])).is_some());
        assert!(difference(&one, &answered(&[false], &[&["a"], &["c"]])).is_some());
        assert!(difference(&one, &answered(&[false], &[&["a"], &[""]])).is_some());
        assert!(difference(&one, &answered(&[false, false], &[])).is_some());
    }
}
