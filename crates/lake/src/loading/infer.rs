//! What a source seems to hold, from its first rows. A proposal, which somebody confirms or corrects.

use kernel::time::Date;
use serde::{Deserialize, Serialize};

use super::error::{LoadError, Reason};
use super::mapping::{Check, MappedColumn, Mapping};
use super::names::lake_names;
use super::parse::{self, parse};
use super::record::{Cell, Record};
use super::source::{Feed, Head, Opened, Reading};
use crate::{Column, Kind, Lake, Table};

/// Rows that are looked at.
const SAMPLED: usize = 1_000;
/// Rows that are shown.
const SHOWN: usize = 20;
/// The longest text of a cell that is shown.
const SHOWN_BYTES: usize = 200;
/// Words that stand for nothing.
const EMPTY_WORDS: [&str; 12] =
    ["NULL", "null", "Null", "N/A", "n/a", "NA", "\\N", "-", "--", "—", "/", "空"];
/// Names of columns that hold codes: digits that nobody adds up.
const CODES: [&str; 21] = [
    "编码",
    "代码",
    "编号",
    "号码",
    "证号",
    "区划",
    "电话",
    "手机",
    "邮编",
    "邮政",
    "账号",
    "卡号",
    "学号",
    "工号",
    "文号",
    "序列号",
    "code",
    "phone",
    "mobile",
    "postcode",
    "zip",
];
/// Names of columns that hold days.
const DAYS: [&str; 8] = ["日期", "时间", "生日", "出生", "年月日", "date", "day", "birth"];
/// Names of columns that tell something of a person.
const PERSONAL: [&str; 37] = [
    "姓名",
    "身份证",
    "公民身份",
    "证件号",
    "手机",
    "电话",
    "住址",
    "地址",
    "出生",
    "生日",
    "户主",
    "联系人",
    "联系方式",
    "邮箱",
    "微信",
    "银行卡",
    "账号",
    "民族",
    "婚姻",
    "病",
    "诊断",
    "籍贯",
    "学号",
    "法定代表人",
    "监护",
    "配偶",
    "性别",
    "citizen",
    "person",
    "phone",
    "mobile",
    "address",
    "birth",
    "email",
    "gender",
    "surname",
    "first_name",
];

/// What was found in a source, for somebody to confirm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The source as it may be shown.
    pub source: String,
    /// How it is read, with everything that was found out.
    pub reading: Reading,
    /// The sheets that there are to choose from.
    pub sheets: Vec<String>,
    /// The columns, in the order of the source.
    pub columns: Vec<ProposedColumn>,
    /// The first rows, cell by cell.
    pub sample: Vec<Vec<Option<String>>>,
    /// How many rows were looked at.
    pub sampled: usize,
    /// The first rows that cannot be taken apart at all, with their lines.
    pub unreadable: Vec<(u64, Reason)>,
    /// What was unsure about the whole.
    pub notes: Vec<Note>,
}

/// What is proposed for a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedColumn {
    /// What would become of it.
    pub mapped: MappedColumn,
    /// What was unsure, or is worth knowing.
    pub notes: Vec<ColumnNote>,
}

/// What was unsure about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The encoding is a guess.
    EncodingUnsure,
    /// The delimiter is a guess; there may be one column only.
    DelimiterUnsure,
    /// The header was found in this row; what stands above it is left out.
    HeaderRow(u32),
    /// There are merged cells; what stands in one is taken for each row and column that it covers.
    Merged,
}

/// What was unsure about a column, or is worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnNote {
    /// All cells of the sample are empty.
    Empty,
    /// So many cells of the sample do not fit, and their rows would be rejected.
    Unfit(usize),
    /// It looks like a number and is kept as text, for it begins with zeros, is a code or is too long.
    Code,
    /// The spreadsheet lost digits of so many cells of the sample; their rows would be rejected.
    DigitsLost(usize),
    /// Formulas of so many cells of the sample have an error instead of a value.
    Formula(usize),
    /// Spaces at the ends of cells would be taken away.
    Trimmed,
    /// The name says that it tells something of a person.
    PersonalByName,
    /// What it holds says so.
    PersonalByContent,
    /// Days are written without separators, so they might be numbers.
    CompactDays,
}

impl Proposal {
    /// The mapping that is proposed.
    pub fn mapping(&self) -> Mapping {
        Mapping {
            reading: self.reading.clone(),
            columns: self.columns.iter().map(|column| column.mapped.clone()).collect(),
        }
    }

    /// Takes a mapping in place of what was proposed. What was found in the source stays beside it.
    pub fn put(&mut self, mapping: Mapping) {
        for mapped in mapping.columns {
            match self.columns.iter_mut().find(|one| one.mapped.source == mapped.source) {
                Some(column) => column.mapped = mapped,
                None => self.columns.push(ProposedColumn { mapped, notes: Vec::new() }),
            }
        }
    }

    /// Proposes for a table that is there what it has, and leaves out what it does not have.
    pub fn fit(&mut self, table: &Table) {
        for column in &mut self.columns {
            let mapped = &mut column.mapped;
            mapped.column = mapped.column.as_ref().and_then(|one| table.schema.column(&one.name)).cloned();
            if mapped.column.as_ref().is_none_or(|one| one.kind != Kind::Text) {
                mapped.check = None;
            }
        }
    }
}

/// Looks at the first rows of a source.
pub async fn inspect(lake: &Lake, opened: &Opened, reading: &Reading) -> Result<Proposal, LoadError> {
    let mut feed = opened.reader().await?.feed(reading, None).await?;
    let records = sample(&mut feed).await?;
    let today = lake.store().env().now().china_date();
    Ok(propose(opened.shown(), feed.head.clone(), &records, today))
}

async fn sample(feed: &mut Feed) -> Result<Vec<Record>, LoadError> {
    let mut records = Vec::new();
    while records.len() < SAMPLED {
        let Some(rows) = feed.next().await? else { break };
        records.extend(rows);
    }
    records.truncate(SAMPLED);
    Ok(records)
}

pub(crate) fn propose(source: &str, head: Head, records: &[Record], today: Date) -> Proposal {
    let names = lake_names(&head.columns);
    let whole: Vec<&Record> = records.iter().filter(|record| record.fault.is_none()).collect();
    let mut cells: Vec<Vec<Cell<'_>>> =
        head.columns.iter().map(|_| Vec::with_capacity(whole.len())).collect();
    for record in &whole {
        for (column, cell) in cells.iter_mut().zip(record.cells.iter()) {
            column.push(cell);
        }
    }
    let columns = head
        .columns
        .iter()
        .zip(names)
        .zip(head.kinds.iter().copied().chain(std::iter::repeat(None)))
        .zip(&cells)
        .map(|(((source, name), kind), cells)| column(source, name, kind, cells, today))
        .collect();
    let shown = |cell: Cell<'_>| match cell {
        Cell::Empty => None,
        Cell::Text(text) | Cell::Fault(_, text) => Some(super::record::cut(text, SHOWN_BYTES).to_owned()),
    };
    Proposal {
        source: source.to_owned(),
        reading: head.reading,
        sheets: head.sheets,
        columns,
        sample: whole.iter().take(SHOWN).map(|record| record.cells.iter().map(shown).collect()).collect(),
        sampled: records.len(),
        unreadable: records
            .iter()
            .filter_map(|record| Some((record.line, record.fault?)))
            .take(SHOWN)
            .collect(),
        notes: head.notes,
    }
}

fn column(
    source: &str,
    name: String,
    declared: Option<Kind>,
    cells: &[Cell<'_>],
    today: Date,
) -> ProposedColumn {
    let mut notes = Vec::new();
    let faults = |wanted| {
        cells.iter().filter(|cell| matches!(cell, Cell::Fault(reason, _) if *reason == wanted)).count()
    };
    for (count, note) in [
        (faults(Reason::DigitsLost), ColumnNote::DigitsLost as fn(usize) -> ColumnNote),
        (faults(Reason::Formula), ColumnNote::Formula),
    ] {
        if count > 0 {
            notes.push(note(count));
        }
    }
    let raw: Vec<&str> = cells
        .iter()
        .filter_map(|cell| match cell {
            Cell::Text(text) => Some(*text),
            _ => None,
        })
        .collect();
    let trim = raw.iter().any(|text| text.trim().len() != text.len());
    let texts: Vec<&str> = raw.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let values: Vec<&str> = texts.iter().copied().filter(|text| !EMPTY_WORDS.contains(text)).collect();
    let header = source.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| header.contains(word));
    let most = |fits: &dyn Fn(&str) -> bool| {
        let many = values.iter().filter(|text| fits(text)).count();
        many > 0 && many * 10 >= values.len() * 9
    };
    let is_citizen = |text: &str| Check::CitizenId.run(text, today).is_ok();
    let is_mobile = |text: &str| {
        text.len() == 11
            && digits(text)
            && text.starts_with('1')
            && !text.starts_with("10")
            && !text.starts_with("11")
    };
    let check = if most(&is_citizen) {
        Some(Check::CitizenId)
    } else if most(&|text| Check::Uscc.run(text, today).is_ok()) {
        Some(Check::Uscc)
    } else if says(&["区划", "division"]) && most(&|text| Check::Division.run(text, today).is_ok()) {
        Some(Check::Division)
    } else {
        None
    };
    let check = check.filter(|_| declared.is_none());
    let kind = match declared {
        Some(kind) => kind,
        None if values.is_empty() => {
            notes.push(ColumnNote::Empty);
            Kind::Text
        }
        None if check.is_some() => Kind::Text,
        None if most(&is_mobile) => Kind::Text,
        None => infer(&values, &says, &mut notes),
    };
    let unfit = values
        .iter()
        .filter(|text| {
            parse(kind, text).is_err() || check.is_some_and(|check| check.run(text, today).is_err())
        })
        .count();
    if unfit > 0 {
        notes.push(ColumnNote::Unfit(unfit));
    }
    if trim && kind == Kind::Text {
        notes.push(ColumnNote::Trimmed);
    }
    let of_a_firm = says(&["企业", "单位", "公司", "机构", "company", "organisation"]);
    let by_content = check == Some(Check::CitizenId)
        || most(&is_mobile)
        || values.iter().any(|text| text.len() >= 15 && is_citizen(text));
    let by_name = says(&PERSONAL) || header == "name" || header == "名字";
    let personal = by_content || (by_name && !of_a_firm);
    if by_content {
        notes.push(ColumnNote::PersonalByContent);
    } else if personal {
        notes.push(ColumnNote::PersonalByName);
    }
    // Only where a kind refuses them: as text, each may be meant.
    let mut empty: Vec<String> = Vec::new();
    if kind != Kind::Text || check.is_some() {
        for text in texts.iter().filter(|text| EMPTY_WORDS.contains(text)) {
            if !empty.iter().any(|known| known == text) {
                empty.push((*text).to_owned());
            }
        }
    }
    let mapped = MappedColumn {
        source: source.to_owned(),
        column: Some(Column { name, kind, personal }),
        required: false,
        trim: trim && kind == Kind::Text,
        empty,
        check,
    };
    ProposedColumn { mapped, notes }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn infer(values: &[&str], says: &dyn Fn(&[&str]) -> bool, notes: &mut Vec<ColumnNote>) -> Kind {
    let count = |fits: &dyn Fn(&str) -> bool| values.iter().filter(|text| fits(text)).count();
    let enough = |many: usize| many > 0 && many * 10 >= values.len() * 9;
    let leading_zero = |text: &str| text.len() > 1 && digits(text) && text.starts_with('0');
    let in_digits = count(&digits);
    if enough(in_digits)
        && (values.iter().any(|text| leading_zero(text))
            || values.iter().any(|text| digits(text) && text.len() > 15)
            || says(&CODES))
    {
        notes.push(ColumnNote::Code);
        return Kind::Text;
    }
    let is = |kind| move |text: &str| parse(kind, text).is_ok();
    // Eight digits are a day only if all of them are and either the name says so or it cannot be chance.
    let compact = |text: &str| digits(text) && (text.len() == 8 || text.len() == 14);
    let all_compact = count(&compact) * 10 >= values.len() * 9;
    let (days, times) = (count(&is(Kind::Date)), count(&is(Kind::Timestamp)));
    let credible = !all_compact || says(&DAYS) || (values.len() >= 5 && count(&credible_day) == values.len());
    if credible && enough(days.max(times)) {
        if all_compact && !says(&DAYS) {
            notes.push(ColumnNote::CompactDays);
        }
        return if times > days { Kind::Timestamp } else { Kind::Date };
    }
    let integers = count(&is(Kind::Integer));
    let spelled = |text: &str| parse::boolean(text).is_some() && !digits(text);
    if enough(count(&spelled)) {
        return Kind::Boolean;
    }
    let scale = values
        .iter()
        .filter(|text| parse(Kind::Decimal(30), text).is_ok())
        .filter_map(|text| Some(text.split_once('.')?.1.len()))
        .max()
        .unwrap_or(0);
    let scale = if scale > 0 && says(&["元", "金额", "amount", "price"]) { scale.max(2) } else { scale };
    let decimal = u8::try_from(scale).ok().filter(|scale| *scale <= 6).map(Kind::Decimal);
    let decimals = decimal.map_or(0, |kind| count(&is(kind)));
    let floats = count(&is(Kind::Float));
    if enough(integers) && integers >= decimals && integers >= floats {
        return Kind::Integer;
    }
    match decimal {
        Some(kind) if enough(decimals) && decimals >= floats => kind,
        _ if enough(floats) => Kind::Float,
        _ => Kind::Text,
    }
}

/// A day that somebody would write down: neither long before nor long after now.
fn credible_day(text: &str) -> bool {
    text.get(..4).and_then(|year| year.parse().ok()).is_some_and(|year: u16| (1900..2100).contains(&year))
        && parse(Kind::Timestamp, text).is_ok()
}
