//! Firms, and who works where.

use jiff::civil::Date;
use kernel::division::DivisionCode;
use kernel::uscc::Uscc;

use super::draw::{Draw, Stream};
use super::people::{self, People, ago};
use super::places::{County, Town};
use super::{AS_OF, DemoError};

/// Firms of a block.
const FIRMS: u64 = 3;
/// The alphabet of credit codes.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The size of a firm (大型, 中型, 小型, 微型).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Large,
    Medium,
    Small,
    Micro,
}

impl Size {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Large => "大型",
            Self::Medium => "中型",
            Self::Small => "小型",
            Self::Micro => "微型",
        }
    }

    /// How many of the employed it draws, beside the others.
    fn pull(self) -> u32 {
        match self {
            Self::Large => 120,
            Self::Medium => 30,
            Self::Small => 8,
            Self::Micro => 1,
        }
    }

    /// A typical capital in yuan, and a typical wage of a month.
    fn money(self) -> (f64, f64) {
        match self {
            Self::Large => (80_000_000.0, 7_200.0),
            Self::Medium => (12_000_000.0, 6_100.0),
            Self::Small => (1_500_000.0, 5_200.0),
            Self::Micro => (120_000.0, 4_500.0),
        }
    }
}

/// An industry: section and division of GB/T 4754, and what a firm of it calls itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Industry {
    pub(super) section: &'static str,
    pub(super) division: &'static str,
    word: &'static str,
}

const fn industry(
    section: &'static str,
    division: &'static str,
    word: &'static str,
    weight: u32,
) -> (Industry, u32) {
    (Industry { section, division, word }, weight)
}

const INDUSTRIES: [(Industry, u32); 28] = [
    industry("A", "01", "种植", 35),
    industry("A", "03", "养殖", 30),
    industry("A", "05", "农业服务", 8),
    industry("B", "10", "石材", 4),
    industry("C", "13", "食品加工", 25),
    industry("C", "15", "茶业", 12),
    industry("C", "17", "扎染", 14),
    industry("C", "20", "木雕", 14),
    industry("C", "33", "金属制品", 10),
    industry("D", "44", "能源", 4),
    industry("E", "47", "建筑", 22),
    industry("E", "50", "装饰", 20),
    industry("F", "51", "商贸", 90),
    industry("F", "52", "百货", 240),
    industry("G", "54", "运输", 35),
    industry("G", "60", "快递", 10),
    industry("H", "61", "客栈", 95),
    industry("H", "62", "餐饮", 115),
    industry("I", "65", "信息技术", 18),
    industry("J", "66", "金融服务", 2),
    industry("K", "70", "物业", 14),
    industry("L", "72", "商务", 55),
    industry("M", "75", "科技", 20),
    industry("N", "77", "环保", 8),
    industry("O", "80", "生活服务", 70),
    industry("P", "83", "培训", 10),
    industry("Q", "84", "诊所", 8),
    industry("R", "89", "文化传播", 26),
];

const BRANDS: [&str; 20] = [
    "苍洱", "云岭", "古榕", "风花", "雪月", "三塔", "玉带", "金梭", "喜云", "茶马", "银苍", "洱滨", "石宝",
    "鹤阳", "沙溪", "凤羽", "蝶泉", "上关", "南诏", "点苍",
];
const MORE: [&str; 16] =
    ["源", "盛", "和", "丰", "泰", "顺", "达", "祥", "瑞", "鑫", "恒", "汇", "安", "兴", "宏", "润"];

/// A firm, a sole trader or a cooperative.
#[derive(Clone, Debug)]
pub(super) struct Firm {
    pub(super) uscc: String,
    /// Counts the firms over all rounds.
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) industry: Industry,
    pub(super) size: Size,
    /// The place of the legal representative among the people.
    pub(super) representative: usize,
    /// In yuan.
    pub(super) capital: i64,
    pub(super) founded: Date,
    pub(super) state: &'static str,
    pub(super) county: &'static County,
    pub(super) town: Town,
    pub(super) address: String,
    /// In no register but that of the firms: its code is to be spoilt there.
    pub(super) apart: bool,
    /// How many people are insured by it.
    pub(super) employees: i64,
}

impl Firm {
    /// Whether it may employ, hold permits and be rated.
    pub(super) fn active(&self) -> bool {
        self.state == "存续" && !self.apart
    }
}

/// The firms of a round, block by block. Each is at home in its block and led by somebody there.
pub(super) fn of(round: u64, people: &People) -> Result<Vec<Firm>, DemoError> {
    let mut all = Vec::new();
    let in_round = u64::try_from(people.blocks.len()).unwrap_or(0) * FIRMS;
    for (block, households) in people.blocks.iter().enumerate() {
        let adults = adults(people, households);
        for place in 0..FIRMS {
            let here = u64::try_from(block).unwrap_or(0) * FIRMS + place;
            let number = round * in_round + here;
            let mut draw = Draw::of(Stream::Firms, number);
            // From the end: those who sign in live at the beginning.
            let home = households.clone().rev().nth(usize::try_from(place).unwrap_or(0) * 2 + 1);
            let Some(home) = home else { continue };
            let Some(home) = people.households.get(home) else { continue };
            let representative = draw.pick(&adults);
            let Some(person) = people.people.get(representative) else { continue };
            // A fixed share of each size in each round, at other places in each.
            let size = match (here * 67 + round * 31) % in_round {
                0 => Size::Large,
                1..=4 => Size::Medium,
                5..=33 => Size::Small,
                _ => Size::Micro,
            };
            let kind = match size {
                Size::Micro => {
                    draw.weighted(&[("个体工商户", 68), ("有限责任公司", 25), ("农民专业合作社", 7)])
                }
                Size::Small => draw.weighted(&[("有限责任公司", 88), ("农民专业合作社", 12)]),
                Size::Medium => "有限责任公司",
                Size::Large => "股份有限公司",
            };
            let industry = draw.weighted(&INDUSTRIES);
            let (capital, _) = size.money();
            // Whole ten thousands, as they are subscribed.
            let capital = (draw.log_normal(capital, 0.7) / 10_000.0) as i64;
            let oldest = ((person.age() - 18) * 365).clamp(60, 9_000);
            all.push(Firm {
                uscc: code(kind, home.county, number)?,
                number,
                name: name(&mut draw, home.county, industry, kind),
                kind,
                industry,
                size,
                representative,
                capital: capital.max(1) * 10_000,
                founded: ago(draw.between(40, oldest)),
                state: match size {
                    Size::Micro | Size::Small => draw.weighted(&[("存续", 86), ("注销", 11), ("吊销", 3)]),
                    Size::Medium | Size::Large => "存续",
                },
                county: home.county,
                town: home.town.clone(),
                address: home.address.clone(),
                apart: false,
                employees: 0,
            });
        }
    }
    Ok(all)
}

/// Who may lead a firm: grown, living, and nobody who signs in.
fn adults(people: &People, households: &std::ops::Range<usize>) -> Vec<usize> {
    let homes = people.households.get(households.clone()).unwrap_or_default();
    let members = homes.iter().flat_map(|home| home.members.clone());
    let fits = |place: &usize| {
        people
            .people
            .get(*place)
            .is_some_and(|one| one.alive() && !one.signs_in && (20..70).contains(&one.age()))
    };
    members.filter(fits).collect()
}

fn code(kind: &str, county: &County, number: u64) -> Result<String, DemoError> {
    let registration = match kind {
        "个体工商户" => "92",
        "农民专业合作社" => "93",
        _ => "91",
    };
    // Organisation codes that begin with YW are issued by nobody. The multiplier has no factor in common with 31.
    let mut left = (number * 123_457_891 + 700_001) % 31_u64.pow(6);
    let mut organisation = String::from("YW");
    for _ in 0..6 {
        let digit = usize::try_from(left % 31).ok().and_then(|digit| ALPHABET.get(digit));
        organisation.extend(digit.map(|byte| char::from(*byte)));
        left /= 31;
    }
    Ok(Uscc::compose(registration, DivisionCode::parse(county.code)?, &organisation)?.as_str().to_owned())
}

fn name(draw: &mut Draw, county: &County, industry: Industry, kind: &str) -> String {
    let brand = format!("{}{}", draw.pick(&BRANDS), draw.pick(&MORE));
    let place = county.name;
    match kind {
        "个体工商户" => format!("{place}{brand}{}店", industry.word),
        "农民专业合作社" => format!("{place}{brand}{}农民专业合作社", industry.word),
        "股份有限公司" => format!("大理{brand}{}股份有限公司", industry.word),
        _ => format!("{place}{brand}{}有限公司", industry.word),
    }
}

/// Gives work to those who are of age: rather at a large firm than at a small one, rather in their county.
pub(super) fn employ(round: u64, people: &mut People, firms: &mut [Firm]) {
    for block in 0..people.blocks.len() {
        let Some(households) = people.blocks.get(block).cloned() else { continue };
        let Some(county) = people.households.get(households.start).map(|home| home.county) else { continue };
        let pulls: Vec<(usize, u32)> = firms
            .iter()
            .enumerate()
            .filter(|(_, firm)| firm.active())
            .map(|(place, firm)| {
                (place, firm.size.pull() * if firm.county.code == county.code { 6 } else { 1 })
            })
            .collect();
        let number =
            round * u64::try_from(people.blocks.len()).unwrap_or(0) + u64::try_from(block).unwrap_or(0);
        let mut draw = Draw::of(Stream::Work, number);
        let homes = people.households.get(households).unwrap_or_default();
        let members =
            homes.first().zip(homes.last()).map(|(one, other)| one.members.start..other.members.end);
        let members = members.and_then(|members| people.people.get_mut(members)).unwrap_or_default();
        let in_a_thousand = if county.code == "532901" { 560 } else { 400 };
        for person in members {
            let of_age = (18..60).contains(&person.age());
            if !of_age || !person.registered() || person.signs_in || !draw.chance(in_a_thousand) {
                continue;
            }
            let place = draw.weighted(&pulls);
            let Some(firm) = firms.get_mut(place) else { continue };
            firm.employees += 1;
            let (_, wage) = firm.size.money();
            let fen = (draw.log_normal(wage, 0.42) * 100.0) as i64;
            person.work = Some((place, fen.max(190_000)));
        }
    }
}

/// Completed years of a firm.
pub(super) fn age(firm: &Firm) -> i64 {
    people::years(firm.founded, AS_OF)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::places;
    use super::*;

    #[test]
    fn no_two_firms_have_one_code() {
        let (county, _) = places::county_of(0).unwrap();
        let codes: BTreeSet<String> = (0..50_000).map(|n| code("个体工商户", county, n).unwrap()).collect();
        assert_eq!(codes.len(), 50_000);
    }

    #[test]
    fn industries_are_divisions_of_their_sections() {
        // GB/T 4754-2017: the first division of each section, from A on.
        const FIRST: [(&str, u8); 20] = [
            ("A", 1),
            ("B", 6),
            ("C", 13),
            ("D", 44),
            ("E", 47),
            ("F", 51),
            ("G", 53),
            ("H", 61),
            ("I", 63),
            ("J", 66),
            ("K", 70),
            ("L", 71),
            ("M", 73),
            ("N", 76),
            ("O", 80),
            ("P", 83),
            ("Q", 84),
            ("R", 86),
            ("S", 91),
            ("T", 97),
        ];
        for (industry, _) in &INDUSTRIES {
            let division: u8 = industry.division.parse().unwrap();
            let section = FIRST.iter().rev().find(|(_, first)| *first <= division).unwrap().0;
            assert_eq!(industry.section, section, "{}", industry.division);
        }
    }
}
