//! Names: of columns as the source has them, and as the lake can have them.

use std::collections::BTreeSet;

use pinyin::ToPinyin;

use super::record::{Cell, Cells};

/// Words that mean something in SQL, so that no client has to quote a column.
const RESERVED: [&str; 48] = [
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "between",
    "both",
    "by",
    "case",
    "cast",
    "check",
    "column",
    "create",
    "cross",
    "current",
    "default",
    "desc",
    "distinct",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "from",
    "group",
    "having",
    "in",
    "intersect",
    "into",
    "is",
    "join",
    "like",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "select",
    "table",
    "true",
    "union",
    "user",
    "when",
    "where",
];
/// The longest name.
const LONGEST: usize = 63;

/// The cells of a header as names that differ.
pub(crate) fn distinct(header: &Cells) -> Vec<String> {
    let names: Vec<String> = header
        .iter()
        .zip(1..)
        .map(|(cell, number)| match cell {
            Cell::Text(text) | Cell::Fault(_, text) if !text.trim().is_empty() => text.trim().to_owned(),
            _ => format!("column {number}"),
        })
        .collect();
    distinct_names(names.iter().map(String::as_str))
}

/// Names that differ: the second of two gets a number.
pub(crate) fn distinct_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names
        .map(|name| {
            let mut made = name.to_owned();
            let mut number = 2;
            while !seen.insert(made.clone()) {
                made = format!("{name} ({number})");
                number += 1;
            }
            made
        })
        .collect()
}

/// What a spreadsheet calls a column: `A` for the first, `AA` for the 27th.
pub(crate) fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// A name of the lake for each name of the source: Chinese as its pinyin, all else as letters, digits and
/// underscores; no two alike.
pub(crate) fn lake_names(columns: &[String]) -> Vec<String> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    columns
        .iter()
        .zip(1..)
        .map(|(column, number)| {
            let base = lake_name(column).unwrap_or_else(|| format!("column_{number}"));
            let mut made = base.clone();
            let mut again = 2;
            while !seen.insert(made.clone()) {
                let suffix = format!("_{again}");
                made = format!("{}{suffix}", cut(&base, LONGEST - suffix.len()));
                again += 1;
            }
            made
        })
        .collect()
}

fn lake_name(column: &str) -> Option<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before_lower = false;
    for one in column.chars() {
        // The wide forms of Latin letters and digits.
        let one = match u32::from(one) {
            wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(one),
            _ => one,
        };
        if let Some(pinyin) = one.to_pinyin() {
            words.push(pinyin.plain().replace('ü', "v"));
            words.push(String::new());
        } else if one.is_ascii_alphanumeric() {
            if one.is_ascii_uppercase() && before_lower {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(one.to_ascii_lowercase());
            }
        } else {
            words.push(String::new());
        }
        before_lower = one.is_ascii_lowercase() || one.is_ascii_digit();
    }
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let name = words.join("_");
    let name =
        if name.starts_with(|first: char| first.is_ascii_digit()) { format!("c_{name}") } else { name };
    let name = cut(&name, LONGEST - 6).trim_end_matches('_').to_owned();
    if name.is_empty() {
        return None;
    }
    Some(if RESERVED.contains(&name.as_str()) { format!("{name}_col") } else { name })
}

fn cut(name: &str, bytes: usize) -> &str {
    super::record::cut(name, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &[&str]) -> Vec<String> {
        lake_names(&columns.iter().map(|&one| one.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn chinese_names_become_pinyin_and_none_stands_twice() {
        assert_eq!(
            names(&[
                "姓名",
                "身份证号",
                "女性",
                "ＩＤ号",
                "citizenId",
                "Order",
                "order",
                "2024年",
                "",
                "名 称",
                "名称"
            ]),
            [
                "xing_ming",
                "shen_fen_zheng_hao",
                "nv_xing",
                "id_hao",
                "citizen_id",
                "order_col",
                "order_col_2",
                "c_2024_nian",
                "column_9",
                "ming_cheng",
                "ming_cheng_2"
            ]
        );
        for name in names(&[&"很长的名字".repeat(40), &"x".repeat(500), "🙂", "-", "ΑΒΓ"]) {
            crate::schema::check_name(&name).unwrap();
        }
    }

    #[test]
    fn columns_are_lettered_as_spreadsheets_do() {
        assert_eq!([0, 25, 26, 701, 702, 16_383].map(column_letters), ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
