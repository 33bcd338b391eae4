//! The table of holidays and make-up workdays.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

/// The text of `workdays.txt` and what it counts, as lines of Markdown.
pub(super) fn table(package: &Path) -> Result<(String, String)> {
    let source = fs::read_to_string(package.join("dist/chinese-days.json"))?;
    let source: Value = serde_json::from_str(&source)?;
    let (holidays, workdays, in_lieu) =
        (section(&source, "holidays")?, section(&source, "workdays")?, section(&source, "inLieuDays")?);

    let mut days = BTreeMap::new();
    for (date, value) in holidays {
        let kind = if in_lieu.contains_key(date) { "lieu" } else { "rest" };
        days.insert(date.as_str(), (kind, name(value)?));
    }
    for (date, value) in workdays {
        let earlier = days.insert(date.as_str(), ("work", name(value)?));
        ensure!(earlier.is_none(), "{date} is both a holiday and a workday");
    }
    for date in in_lieu.keys() {
        ensure!(holidays.contains_key(date), "{date} is a day in lieu but no holiday");
    }

    let years: BTreeSet<i32> = days.keys().map(|date| year(date)).collect::<Result<_>>()?;
    let (first, last) = (years.first().context("no years")?, years.last().context("no years")?);
    ensure!(years.iter().copied().eq(*first..=*last), "a year is missing between {first} and {last}");

    let mut text = String::from(
        "# Days that differ from the plain week: rest (holiday), lieu (rest in exchange), work (make-up workday).\n",
    );
    writeln!(text, "years {first} {last}")?;
    for (date, (kind, name)) in &days {
        writeln!(text, "{date} {kind} {name}")?;
    }
    let counts = format!(
        "{first} to {last}: {} days of rest, {} of them in exchange, and {} make-up workdays.\n",
        holidays.len(),
        in_lieu.len(),
        workdays.len()
    );
    Ok((text, counts))
}

fn section<'a>(source: &'a Value, key: &str) -> Result<&'a Map<String, Value>> {
    source.get(key).and_then(Value::as_object).with_context(|| format!("chinese-days has no `{key}`"))
}

/// The Chinese name out of `New Year's Day,元旦,1`.
fn name(value: &Value) -> Result<&str> {
    let text = value.as_str().context("a day without a text")?;
    text.split(',').nth(1).with_context(|| format!("`{text}` has no Chinese name"))
}

fn year(date: &str) -> Result<i32> {
    let (year, _) = date.split_once('-').with_context(|| format!("`{date}` is no date"))?;
    Ok(year.parse()?)
}
