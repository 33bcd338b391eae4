//! The twelve counties of the prefecture, with the shares that the made-up people follow.

use kernel::division::{DivisionCode, Divisions};

/// One county, as the demonstration uses it.
#[derive(Debug)]
pub(super) struct County {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    /// How many of the 64 blocks of a round lie here, about its share of the people.
    pub(super) blocks: u64,
    /// Ethnic groups (民族) in thousandths, the rest spread over others: near what the county is known for, and not a
    /// statistic of it.
    pub(super) groups: &'static [(&'static str, u32)],
}

const fn county(
    code: &'static str,
    name: &'static str,
    blocks: u64,
    groups: &'static [(&'static str, u32)],
) -> County {
    County { code, name, blocks, groups }
}

/// All of them; their blocks add up to [`BLOCKS`].
pub(super) const COUNTIES: [County; 12] = [
    county(
        "532901",
        "大理市",
        15,
        &[("白族", 610), ("汉族", 310), ("彝族", 40), ("回族", 25), ("纳西族", 5), ("傣族", 5), ("藏族", 5)],
    ),
    county(
        "532922",
        "漾濞彝族自治县",
        2,
        &[("彝族", 460), ("汉族", 330), ("白族", 140), ("回族", 40), ("傈僳族", 30)],
    ),
    county(
        "532923",
        "祥云县",
        8,
        &[("汉族", 810), ("彝族", 85), ("白族", 80), ("回族", 10), ("苗族", 10), ("傈僳族", 5)],
    ),
    county(
        "532924",
        "宾川县",
        7,
        &[("汉族", 760), ("白族", 110), ("彝族", 80), ("傈僳族", 40), ("回族", 10)],
    ),
    county("532925", "弥渡县", 5, &[("汉族", 880), ("彝族", 85), ("白族", 15), ("回族", 15), ("苗族", 5)]),
    county("532926", "南涧彝族自治县", 4, &[("彝族", 500), ("汉族", 470), ("回族", 20), ("苗族", 10)]),
    county(
        "532927",
        "巍山彝族回族自治县",
        5,
        &[("汉族", 540), ("彝族", 350), ("回族", 80), ("白族", 20), ("苗族", 10)],
    ),
    county(
        "532928",
        "永平县",
        3,
        &[("汉族", 550), ("彝族", 270), ("白族", 80), ("回族", 70), ("苗族", 20), ("傈僳族", 10)],
    ),
    county(
        "532929",
        "云龙县",
        3,
        &[("白族", 670), ("汉族", 150), ("傈僳族", 80), ("彝族", 80), ("阿昌族", 20)],
    ),
    county(
        "532930",
        "洱源县",
        4,
        &[("白族", 640), ("汉族", 290), ("彝族", 40), ("回族", 20), ("傈僳族", 10)],
    ),
    county(
        "532931",
        "剑川县",
        3,
        &[("白族", 900), ("汉族", 50), ("彝族", 30), ("傈僳族", 10), ("回族", 5), ("纳西族", 5)],
    ),
    county(
        "532932",
        "鹤庆县",
        5,
        &[("白族", 580), ("汉族", 310), ("彝族", 60), ("傈僳族", 30), ("苗族", 10), ("纳西族", 10)],
    ),
];

/// Blocks of a round.
pub(super) const BLOCKS: u64 = 64;

/// Roads that a township may have, as far as an address of the demonstration is concerned.
pub(super) const ROADS: [&str; 16] = [
    "文化路",
    "振兴街",
    "人民路",
    "建设路",
    "兴盛路",
    "古榕路",
    "龙泉路",
    "苍山路",
    "幸福巷",
    "永安巷",
    "仁和街",
    "玉洱路",
    "中和巷",
    "团结路",
    "福星巷",
    "东升路",
];

/// A township with its code.
#[derive(Clone, Debug)]
pub(super) struct Town {
    /// Twelve digits.
    pub(super) code: String,
    pub(super) name: String,
}

/// The townships of a county, from the table of divisions.
pub(super) fn towns(county: &County) -> Vec<Town> {
    let Ok(code) = DivisionCode::parse(county.code) else { return Vec::new() };
    let named = Divisions::embedded().named_children(code);
    named.iter().map(|town| Town { code: town.code.twelve(), name: town.name.to_owned() }).collect()
}

/// The county of a block of a round, and how many of its blocks come before this one.
pub(super) fn county_of(block: u64) -> Option<(&'static County, u64)> {
    let mut left = block;
    for county in &COUNTIES {
        match left.checked_sub(county.blocks) {
            Some(less) => left = less,
            None => return Some((county, left)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counties_are_those_of_the_prefecture_and_fill_a_round() {
        let prefecture = DivisionCode::parse("532900").unwrap();
        let named = Divisions::embedded().named_children(prefecture);
        let present: Vec<(String, &str)> = named.iter().map(|one| (one.code.six(), one.name)).collect();
        let here: Vec<(String, &str)> = COUNTIES.iter().map(|one| (one.code.to_owned(), one.name)).collect();
        assert_eq!(here, present);
        assert_eq!(COUNTIES.iter().map(|county| county.blocks).sum::<u64>(), BLOCKS);
        for county in &COUNTIES {
            assert_eq!(county.groups.iter().map(|(_, share)| share).sum::<u32>(), 1000, "{}", county.name);
            assert!(towns(county).len() >= 7, "{}", county.name);
        }
    }

    #[test]
    fn every_block_lies_in_one_county() {
        assert_eq!(county_of(0).map(|(county, before)| (county.code, before)), Some(("532901", 0)));
        assert_eq!(county_of(16).map(|(county, before)| (county.code, before)), Some(("532922", 1)));
        assert_eq!(county_of(63).map(|(county, before)| (county.code, before)), Some(("532932", 4)));
        assert!(county_of(64).is_none());
    }
}
