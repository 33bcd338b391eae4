//! The table of divisions.

use std::io::Read;
use std::sync::OnceLock;

use super::code::{DivisionCode, Level};
use crate::error::Coded;
use crate::time::Date;

const CURRENT: &[u8] = include_bytes!("../../data/divisions.txt.deflate");
const FORMER: &str = include_str!("../../data/divisions-former.txt");

/// One division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division<'a> {
    /// Its code.
    pub code: DivisionCode,
    /// Its name, without those of the divisions above.
    pub name: &'a str,
    /// Its level.
    pub level: Level,
    /// A row that stands for no government and no name: 市辖区, 县, 省直辖县级行政区划.
    pub pseudo: bool,
    /// A county code that statistics use and GB/T 2260 does not have, as of a development zone.
    pub statistics_only: bool,
    /// The first day of the month whose revision of GB/T 2260 first had the code; none for codes of 1980 and
    /// before, of townships and below, and where it is not known.
    pub valid_from: Option<Date>,
    /// For a former code the last day of the month whose revision was the last to have it; none for a present
    /// one.
    pub valid_to: Option<Date>,
    /// The present division that took over a former one, where it is known.
    pub successor: Option<DivisionCode>,
}

/// How the region in a citizen number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CitizenRegion {
    /// A present division.
    Present,
    /// A code that GB/T 2260 had at some time since 1980.
    Former,
    /// No revision since 1980 has the county, but its city is or was one: taken for a code of before that. The
    /// yearly revisions also miss what came and went within a year.
    OfKnownCity,
    /// 810000, 820000 or 830000: the number on a residence permit of a resident of 香港, 澳门 or 台湾.
    ResidencePermit,
}

/// Why rows cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A line that is not `CODE,NAME`.
    #[error("line {line} is not a division code, a comma and a name")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// A division above it is neither in the table nor among the rows.
    #[error("no division above {code} is known")]
    NoParent {
        /// The row's code.
        code: DivisionCode,
    },
}

impl Coded for ImportError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "division.import_malformed",
            Self::NoParent { .. } => "division.import_no_parent",
        }
    }
}

/// All divisions that are known.
#[derive(Clone, Debug, Default)]
// INVARIANT: both lists are sorted by code without doubles.
pub struct Divisions {
    present: Rows,
    former: Rows,
}

/// Rows that share one text for their names, because there are hundreds of thousands with villages.
#[derive(Clone, Debug, Default)]
struct Rows {
    rows: Vec<Row>,
    names: String,
}

#[derive(Clone, Debug)]
struct Row {
    code: DivisionCode,
    name_start: u32,
    name_length: u16,
    pseudo: bool,
    statistics_only: bool,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
    successor: Option<DivisionCode>,
}

impl Divisions {
    /// The table that is built in: to the township, as of 2023-06-30, and former counties and cities since 1980.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static TABLE: OnceLock<Divisions> = OnceLock::new();
        TABLE.get_or_init(|| {
            let mut text = String::new();
            // An unreadable table is an empty one, in which nothing is found; the tests read the same bytes.
            if flate2::read::DeflateDecoder::new(CURRENT).read_to_string(&mut text).is_err() {
                return Self::default();
            }
            Self { present: Rows::of_lines(&text, present_row), former: Rows::of_lines(FORMER, former_row) }
        })
    }

    /// This table with more rows, usually villages and groups; a row with a known code renames its division.
    ///
    /// # Errors
    /// When a row has no division above it.
    pub fn with_imported<N: AsRef<str>>(
        &self,
        rows: impl IntoIterator<Item = (DivisionCode, N)>,
    ) -> Result<Self, ImportError> {
        let mut all = self.present.clone();
        for (code, name) in rows {
            let mut row = self.present.find(code).cloned().unwrap_or_else(|| Row::plain(code));
            all.name(&mut row, name.as_ref());
            all.rows.push(row);
        }
        // The sort is stable, so of two rows with one code the later one is the imported one.
        all.rows.sort_by_key(|row| row.code);
        all.rows.reverse();
        all.rows.dedup_by_key(|row| row.code);
        all.rows.reverse();
        let table = Self { present: all, former: self.former.clone() };
        match table.present.rows.iter().find(|row| table.has_no_parent(row.code)) {
            Some(row) => Err(ImportError::NoParent { code: row.code }),
            None => Ok(table),
        }
    }

    /// Reads rows for [`Divisions::with_imported`] from lines that begin `CODE,NAME`, the name perhaps in
    /// quotation marks. A first line without a code is a heading.
    ///
    /// # Errors
    /// When another line has no code or no name.
    pub fn read_rows(text: &str) -> Result<Vec<(DivisionCode, String)>, ImportError> {
        let mut rows = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut columns = line.split(',').map(|column| column.trim().trim_matches('"').trim());
            let code = columns.next().and_then(|code| DivisionCode::parse(code).ok());
            match (code, columns.next().filter(|name| !name.is_empty())) {
                (Some(code), Some(name)) => rows.push((code, name.to_owned())),
                (None, Some(_)) if index == 0 => {}
                _ => return Err(ImportError::Malformed { line: index + 1 }),
            }
        }
        Ok(rows)
    }

    /// The division with this code, present or else former.
    #[must_use]
    pub fn get(&self, code: DivisionCode) -> Option<Division<'_>> {
        self.present.get(code).or_else(|| self.former.get(code))
    }

    /// The present division with this code.
    #[must_use]
    pub fn present(&self, code: DivisionCode) -> Option<Division<'_>> {
        self.present.get(code)
    }

    /// The provinces.
    #[must_use]
    pub fn provinces(&self) -> Vec<Division<'_>> {
        self.present.tops(0, self.present.rows.len())
    }

    /// The present divisions right below this one, pseudo levels among them. Below a city without counties
    /// these are its townships.
    #[must_use]
    pub fn children(&self, code: DivisionCode) -> Vec<Division<'_>> {
        let start = self.present.rows.partition_point(|row| row.code <= code);
        let end = self.present.rows.partition_point(|row| row.code < code.end());
        self.present.tops(start, end)
    }

    /// The present divisions right below this one as people know them: a pseudo level gives way to what lies
    /// below it, and codes for statistics only are left out.
    #[must_use]
    pub fn named_children(&self, code: DivisionCode) -> Vec<Division<'_>> {
        let mut named = Vec::new();
        for child in self.children(code) {
            if child.pseudo {
                named.extend(self.named_children(child.code));
            } else if !child.statistics_only {
                named.push(child);
            }
        }
        named
    }

    /// The divisions above this one that exist, from the province down.
    #[must_use]
    pub fn ancestors(&self, code: DivisionCode) -> Vec<Division<'_>> {
        let mut above: Vec<DivisionCode> = Level::ALL
            .into_iter()
            .filter(|level| *level < code.level())
            .map(|level| code.at(level))
            .collect();
        // Above a township of a city without counties, the county's digits are those of the city.
        above.dedup();
        above.into_iter().filter_map(|code| self.get(code)).collect()
    }

    /// The full name from the province down without pseudo levels: `云南省大理白族自治州大理市`.
    #[must_use]
    pub fn path_name(&self, code: DivisionCode) -> Option<String> {
        let last = self.get(code)?;
        let path = self.ancestors(code).into_iter().chain([last]);
        Some(path.filter(|division| !division.pseudo).map(|division| division.name).collect())
    }

    /// Whether `code` is `ancestor` or lies within it.
    #[must_use]
    pub fn is_within(&self, code: DivisionCode, ancestor: DivisionCode) -> bool {
        code.is_within(ancestor)
    }

    /// How many present divisions there are of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.present.rows.iter().filter(|row| row.code.level() == level).count()
    }

    /// How the six digits of the region in a citizen number stand; none where no citizen number can have them.
    #[must_use]
    pub fn citizen_region(&self, region: &str) -> Option<CitizenRegion> {
        if matches!(region, "810000" | "820000" | "830000") {
            return Some(CitizenRegion::ResidencePermit);
        }
        let code = DivisionCode::parse(region).ok().filter(|_| region.len() == 6)?;
        if self.present.find(code).is_some_and(|row| !row.statistics_only) {
            return Some(CitizenRegion::Present);
        }
        if self.former.find(code).is_some() {
            return Some(CitizenRegion::Former);
        }
        let city = code.at(Level::City);
        let known = city.level() == Level::City && (self.present.reaches(city) || self.former.reaches(city));
        known.then_some(CitizenRegion::OfKnownCity)
    }

    fn has_no_parent(&self, code: DivisionCode) -> bool {
        let above = code.parent();
        // Only a city may miss below its townships; everything else follows level by level.
        let county_missing =
            code.level() == Level::Township && above.is_some_and(|above| above.level() == Level::City);
        let above = if county_missing { Some(code.at(Level::City)) } else { above };
        above.is_some_and(|above| self.present.find(above).is_none())
    }
}

impl Rows {
    /// Reads lines with `read`, leaving out what it does not take. The embedded texts are sorted.
    fn of_lines<'a>(text: &'a str, read: impl Fn(&'a str) -> Option<(Row, &'a str)>) -> Self {
        let mut rows = Self { rows: Vec::new(), names: String::with_capacity(text.len()) };
        for (mut row, name) in text.lines().filter_map(read) {
            rows.name(&mut row, name);
            rows.rows.push(row);
        }
        rows.rows.sort_by_key(|row| row.code);
        rows
    }

    /// Gives a row its name.
    fn name(&mut self, row: &mut Row, name: &str) {
        // The text of all names stays far below 4 GB, a name far below 64 kB; a longer one would be cut off.
        row.name_start = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        row.name_length = u16::try_from(name.len()).unwrap_or(0);
        self.names.push_str(name);
    }

    fn find(&self, code: DivisionCode) -> Option<&Row> {
        let place = self.rows.binary_search_by_key(&code, |row| row.code).ok()?;
        self.rows.get(place)
    }

    fn get(&self, code: DivisionCode) -> Option<Division<'_>> {
        self.find(code).map(|row| self.division(row))
    }

    /// Whether a row is `code` or lies within it.
    fn reaches(&self, code: DivisionCode) -> bool {
        let place = self.rows.partition_point(|row| row.code < code);
        self.rows.get(place).is_some_and(|row| row.code.is_within(code))
    }

    /// The rows between two places that lie within no other row between them.
    fn tops(&self, start: usize, end: usize) -> Vec<Division<'_>> {
        let mut tops = Vec::new();
        let mut place = start;
        while let Some(row) = self.rows.get(place).filter(|_| place < end) {
            tops.push(self.division(row));
            let past = row.code.end();
            place = self.rows.partition_point(|row| row.code < past);
        }
        tops
    }

    fn division(&self, row: &Row) -> Division<'_> {
        let start = row.name_start as usize;
        Division {
            code: row.code,
            name: self.names.get(start..start + usize::from(row.name_length)).unwrap_or_default(),
            level: row.code.level(),
            pseudo: row.pseudo,
            statistics_only: row.statistics_only,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            successor: row.successor,
        }
    }
}

impl Row {
    fn plain(code: DivisionCode) -> Self {
        let (valid_from, valid_to, successor) = (None, None, None);
        let (pseudo, statistics_only) = (false, false);
        Self { code, name_start: 0, name_length: 0, pseudo, statistics_only, valid_from, valid_to, successor }
    }
}

/// `code TAB name TAB flags TAB since`, of which the last two may be missing.
fn present_row(line: &str) -> Option<(Row, &str)> {
    let mut columns = line.split('\t');
    let mut row = Row::plain(DivisionCode::from_prefix(columns.next()?)?);
    let name = columns.next()?;
    let flags = columns.next().unwrap_or_default();
    row.pseudo = flags.contains('p');
    row.statistics_only = flags.contains('s');
    row.valid_from = columns.next().and_then(month);
    Some((row, name))
}

/// `code TAB name TAB first month TAB last month TAB successor`, of which the last may be missing.
fn former_row(line: &str) -> Option<(Row, &str)> {
    let mut columns = line.split('\t');
    let mut row = Row::plain(DivisionCode::from_prefix(columns.next()?)?);
    let name = columns.next()?;
    row.valid_from = columns.next().and_then(month);
    row.valid_to = columns.next().and_then(month).map(Date::last_of_month);
    row.successor = columns.next().and_then(DivisionCode::from_prefix);
    Some((row, name))
}

/// The first day of a month such as `201312`.
fn month(digits: &str) -> Option<Date> {
    let (year, month) = digits.split_at_checked(4)?;
    Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()
}
