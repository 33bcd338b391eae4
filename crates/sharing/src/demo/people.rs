//! Households and the people in them.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use kernel::citizen_id::{CitizenId, Sex};
use kernel::division::{DivisionCode, Divisions};

use super::draw::{Draw, Stream};
use super::places::{self, BLOCKS, County, ROADS, Town};
use super::{AS_OF, DemoError, names};

/// Households of a block.
const HOUSEHOLDS: u64 = 9;
/// The births of one block fall on every 61st day, each block of a county on other days. So no two blocks give the
/// same citizen number, and none has to know of the others.
const DAYS: i64 = 61;
/// The sequence numbers that a block may give on one day; a place in the 250 that there are.
const SEQUENCES: i64 = 4;

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) sex: Sex,
    pub(super) birth: Date,
    pub(super) group: &'static str,
    pub(super) relation: &'static str,
    pub(super) marital: &'static str,
    pub(super) phone: String,
    pub(super) died: Option<Date>,
    /// The place of the household in the round.
    pub(super) household: usize,
    /// Of the people who sign in to the demonstration.
    pub(super) signs_in: bool,
    /// In no register but that of the population: the number is to be spoilt there.
    pub(super) apart: bool,
    /// The place of the employer in the round, and the wage of a month in fen.
    pub(super) work: Option<(usize, i64)>,
}

impl Person {
    /// Completed years at the day of the data.
    pub(super) fn age(&self) -> i64 {
        years(self.birth, AS_OF)
    }

    pub(super) fn alive(&self) -> bool {
        self.died.is_none()
    }

    /// Whether the other registers may know this person as a living one.
    pub(super) fn registered(&self) -> bool {
        self.alive() && !self.apart
    }
}

/// Those who live together.
#[derive(Clone, Debug)]
pub(super) struct Household {
    pub(super) no: String,
    /// The number within the county: what else is numbered here builds on it.
    pub(super) serial: u64,
    pub(super) county: &'static County,
    pub(super) town: Town,
    pub(super) address: String,
    pub(super) members: Range<usize>,
    pub(super) since: Date,
}

/// Completed years from one day to another.
pub(super) fn years(from: Date, to: Date) -> i64 {
    let before = (to.month(), to.day()) < (from.month(), from.day());
    i64::from(to.year()) - i64::from(from.year()) - i64::from(before)
}

/// A day by its number, counted from 1900.
pub(super) fn day(number: i64) -> Date {
    const FIRST: Date = date(1900, 1, 1);
    FIRST.checked_add(number.days()).unwrap_or(FIRST)
}

/// The number of a day.
pub(super) fn day_number(day: Date) -> i64 {
    day.duration_since(date(1900, 1, 1)).as_hours() / 24
}

/// So many days before the day of the data.
pub(super) fn ago(days: i64) -> Date {
    day(day_number(AS_OF) - days)
}

/// Everybody of a round, household by household.
pub(super) struct People {
    pub(super) households: Vec<Household>,
    pub(super) people: Vec<Person>,
    /// The households of each block.
    pub(super) blocks: Vec<Range<usize>>,
}

impl People {
    /// The people of one round; those who sign in are among the first block of the first.
    pub(super) fn of(round: u64) -> Result<Self, DemoError> {
        let known = identity::demo::registered(AS_OF)?;
        let taken: BTreeSet<&str> = known.iter().map(|one| one.citizen_id.as_str()).collect();
        let mut all = Self { households: Vec::new(), people: Vec::new(), blocks: Vec::new() };
        for block in 0..BLOCKS {
            let Some((county, before)) = places::county_of(block) else { break };
            let first = all.households.len();
            let mut making = Making {
                draw: Draw::of(Stream::Households, round * BLOCKS + block),
                county,
                towns: places::towns(county),
                ordinal: round * county.blocks + before,
                taken: &taken,
                given: BTreeSet::new(),
            };
            if round == 0 && block == 0 {
                all.signing_in(&mut making, &known)?;
            }
            for place in 0..HOUSEHOLDS {
                all.household(&mut making, place)?;
            }
            all.blocks.push(first..all.households.len());
        }
        Ok(all)
    }

    /// The household of a person.
    pub(super) fn home(&self, person: &Person) -> Option<&Household> {
        self.households.get(person.household)
    }

    fn household(&mut self, making: &mut Making<'_>, place: u64) -> Result<(), DemoError> {
        let serial = making.ordinal * HOUSEHOLDS + place;
        let town = making.town();
        let road = making.draw.pick(&ROADS);
        let number = making.draw.between(1, 260);
        let address = format!("云南省大理白族自治州{}{}{road}{number}号", making.county.name, town.name);
        let first = self.people.len();
        let members = members(&mut making.draw);
        let head_group = making.draw.weighted(making.county.groups);
        let spouse_group = match making.draw.chance(780) {
            true => head_group,
            false => making.draw.weighted(making.county.groups),
        };
        let heads = names::surname(&mut making.draw, head_group);
        let spouses = names::surname(&mut making.draw, spouse_group);
        let mother = names::surname(&mut making.draw, head_group);
        let head_is_man = members.first().is_some_and(|head| head.sex == Sex::Male);
        let has_spouse = members.iter().any(|member| member.relation == "配偶");
        for member in &members {
            let (surname, group) = match member.relation {
                "配偶" => (spouses, spouse_group),
                "子" | "女" if has_spouse && !head_is_man => (spouses, spouse_group),
                "母" => (mother, head_group),
                _ => (heads, head_group),
            };
            let person = making.person(member, surname, group, self.households.len())?;
            self.people.push(person);
        }
        self.part(first, &mut making.draw);
        self.households.push(Household {
            no: format!("{}{serial:06}", making.county.code),
            serial,
            county: making.county,
            town,
            address,
            members: first..self.people.len(),
            since: ago(making.draw.between(200, 12_000)),
        });
        Ok(())
    }

    /// Some of the members who are not the head have died, and leave a widow or widower.
    fn part(&mut self, first: usize, draw: &mut Draw) {
        let mut widowed = false;
        for person in self.people.iter_mut().skip(first + 1) {
            let in_a_thousand = match person.age() {
                ..40 => 1,
                40..60 => 8,
                60..75 => 25,
                _ => 90,
            };
            if person.age() >= 1 && draw.chance(in_a_thousand) {
                let days = draw.between(20, (person.age() * 365).min(1_500));
                person.died = Some(ago(days));
                widowed |= person.relation == "配偶";
            }
        }
        if let Some(head) = self.people.get_mut(first).filter(|_| widowed) {
            head.marital = "丧偶";
        }
    }

    /// Those who sign in, each in a household of their own, but for the child and a husband whom no account needs.
    fn signing_in(
        &mut self,
        making: &mut Making<'_>,
        known: &[identity::demo::Registered],
    ) -> Result<(), DemoError> {
        for (place, one) in known.iter().filter(|one| one.lives_with.is_none()).enumerate() {
            let serial = 900_000 + u64::try_from(place).unwrap_or(0);
            let first = self.people.len();
            self.people.push(self.known(one, "户主"));
            if one.marital_status == identity::people::MaritalStatus::Married {
                let age = years(one.citizen_id.birth(), AS_OF);
                let sex = opposite(one.citizen_id.sex());
                let spouse = Member { relation: "配偶", sex, age: age + 2, marital: "已婚" };
                let surname = names::surname(&mut making.draw, "白族");
                let spouse = making.person(&spouse, surname, "白族", self.households.len())?;
                self.people.push(spouse);
            }
            for child in known.iter().filter(|child| child.lives_with.as_ref() == Some(&one.citizen_id)) {
                let relation = match child.citizen_id.sex() {
                    Sex::Male => "子",
                    Sex::Female => "女",
                };
                self.people.push(self.known(child, relation));
            }
            let town = making.towns.iter().find(|town| one.address.contains(&town.name)).cloned();
            self.households.push(Household {
                no: format!("{}{serial:06}", making.county.code),
                serial,
                county: making.county,
                town: town.unwrap_or_else(|| making.town()),
                address: one.address.clone(),
                members: first..self.people.len(),
                since: date(2019, 6, 3),
            });
        }
        Ok(())
    }

    fn known(&self, one: &identity::demo::Registered, relation: &'static str) -> Person {
        use identity::people::MaritalStatus;
        Person {
            id: one.citizen_id.as_str().to_owned(),
            name: one.name.clone(),
            sex: one.citizen_id.sex(),
            birth: one.citizen_id.birth(),
            group: "白族",
            relation,
            marital: match one.marital_status {
                MaritalStatus::Single => "未婚",
                MaritalStatus::Married => "已婚",
                MaritalStatus::Divorced => "离婚",
                MaritalStatus::Widowed => "丧偶",
            },
            phone: one.phone.clone(),
            died: None,
            household: self.households.len(),
            signs_in: true,
            apart: false,
            work: None,
        }
    }
}

/// A member of a household before they have a name.
#[derive(Clone, Copy)]
struct Member {
    relation: &'static str,
    sex: Sex,
    age: i64,
    marital: &'static str,
}

/// One block while it is made.
struct Making<'a> {
    draw: Draw,
    county: &'static County,
    towns: Vec<Town>,
    /// Counts the blocks of the county over all rounds.
    ordinal: u64,
    /// Numbers of those who sign in.
    taken: &'a BTreeSet<&'a str>,
    given: BTreeSet<String>,
}

impl Making<'_> {
    fn town(&mut self) -> Town {
        let place = self.draw.below(u64::try_from(self.towns.len()).unwrap_or(0));
        let town = usize::try_from(place).ok().and_then(|place| self.towns.get(place)).cloned();
        town.unwrap_or_else(|| Town { code: format!("{}000000", self.county.code), name: String::new() })
    }

    fn person(
        &mut self,
        member: &Member,
        surname: &str,
        group: &'static str,
        household: usize,
    ) -> Result<Person, DemoError> {
        let wish = ago(member.age * 36_525 / 100 + self.draw.between(1, 300));
        let number = self.number(wish, member.sex)?;
        let birth = number.birth();
        // No network has numbers that begin with 154: nobody is called.
        let phone = format!("154{:08}", self.draw.below(100_000_000));
        Ok(Person {
            id: number.as_str().to_owned(),
            name: format!("{surname}{}", names::given(&mut self.draw, member.sex, birth.year())),
            sex: member.sex,
            birth,
            group,
            relation: member.relation,
            marital: member.marital,
            phone: if member.age < 12 { String::new() } else { phone },
            died: None,
            household,
            signs_in: false,
            apart: false,
            work: None,
        })
    }

    /// A number that nobody else has, of somebody born on this day or up to two months before.
    fn number(&mut self, wish: Date, sex: Sex) -> Result<CitizenId, DemoError> {
        let region = DivisionCode::parse(self.county.code)?;
        let ordinal = i64::try_from(self.ordinal).unwrap_or(0);
        let wish = day_number(wish);
        let mut born = wish - (wish - ordinal).rem_euclid(DAYS);
        loop {
            let place = (ordinal / DAYS + born * 7).rem_euclid(1_000 / SEQUENCES);
            for step in [0, 2] {
                let sequence = place * SEQUENCES + step + i64::from(sex == Sex::Male);
                let sequence = u16::try_from(sequence).unwrap_or(999);
                let number = CitizenId::compose(region, day(born), sequence, AS_OF, Divisions::embedded())?;
                if !self.taken.contains(number.as_str()) && self.given.insert(number.as_str().to_owned()) {
                    return Ok(number);
                }
            }
            born -= DAYS;
        }
    }
}

fn opposite(sex: Sex) -> Sex {
    match sex {
        Sex::Male => Sex::Female,
        Sex::Female => Sex::Male,
    }
}

#[derive(Clone, Copy, Default)]
enum Shape {
    #[default]
    Alone,
    OldAlone,
    Couple,
    OldCouple,
    Family,
    LoneParent,
    ThreeGenerations,
}

/// Who lives together: the head first.
fn members(draw: &mut Draw) -> Vec<Member> {
    let shape = draw.weighted(&[
        (Shape::Alone, 140),
        (Shape::OldAlone, 66),
        (Shape::Couple, 105),
        (Shape::OldCouple, 88),
        (Shape::Family, 371),
        (Shape::LoneParent, 60),
        (Shape::ThreeGenerations, 170),
    ]);
    let mut all = Vec::new();
    match shape {
        Shape::Alone => {
            let age = draw.between(19, 59);
            let unmarried = (1_000 - (age - 19) * 25).clamp(100, 1_000);
            let marital =
                if draw.chance(u64::try_from(unmarried).unwrap_or(0)) { "未婚" } else { "离婚" };
            all.push(Member { relation: "户主", sex: some_sex(draw, 680), age, marital });
        }
        Shape::OldAlone => {
            let age = old(draw);
            let marital = draw.weighted(&[("丧偶", 80), ("离婚", 8), ("未婚", 12)]);
            all.push(Member { relation: "户主", sex: some_sex(draw, 450), age, marital });
        }
        Shape::Couple => {
            let age = draw.between(24, 60);
            couple(draw, age, &mut all);
        }
        Shape::OldCouple => {
            let age = old(draw).min(86);
            couple(draw, age, &mut all);
        }
        Shape::Family => {
            let age = draw.between(26, 56);
            couple(draw, age, &mut all);
            let number = draw.weighted(&[(1, 38), (2, 50), (3, 12)]);
            children(draw, age, number, &mut all);
        }
        Shape::LoneParent => {
            let age = draw.between(28, 55);
            let marital = draw.weighted(&[("离婚", 70), ("丧偶", 20), ("未婚", 10)]);
            all.push(Member { relation: "户主", sex: some_sex(draw, 420), age, marital });
            let number = draw.weighted(&[(1, 75), (2, 25)]);
            children(draw, age, number, &mut all);
        }
        Shape::ThreeGenerations => {
            let age = draw.between(27, 55);
            couple(draw, age, &mut all);
            let number = draw.weighted(&[(1, 42), (2, 48), (3, 10)]);
            children(draw, age, number, &mut all);
            let mother = (age + draw.between(20, 30)).min(93);
            let both = draw.chance(560) && mother < 85;
            let marital = if both { "已婚" } else { "丧偶" };
            all.push(Member { relation: "母", sex: Sex::Female, age: mother, marital });
            if both {
                all.push(Member {
                    relation: "父",
                    sex: Sex::Male,
                    age: mother + draw.between(0, 4),
                    marital,
                });
            }
        }
    }
    all
}

fn some_sex(draw: &mut Draw, men_in_a_thousand: u64) -> Sex {
    if draw.chance(men_in_a_thousand) { Sex::Male } else { Sex::Female }
}

/// An age from 60, the older the rarer.
fn old(draw: &mut Draw) -> i64 {
    let one = draw.between(0, 30);
    let other = draw.between(0, 30);
    60 + one.min(other)
}

fn couple(draw: &mut Draw, age: i64, all: &mut Vec<Member>) {
    let sex = some_sex(draw, 800);
    let older = match sex {
        Sex::Male => -draw.between(-1, 5),
        Sex::Female => draw.between(-1, 5),
    };
    all.push(Member { relation: "户主", sex, age, marital: "已婚" });
    all.push(Member {
        relation: "配偶", sex: opposite(sex), age: (age + older).max(22), marital: "已婚"
    });
}

fn children(draw: &mut Draw, parent: i64, number: i64, all: &mut Vec<Member>) {
    let mut age = parent - draw.between(22, 29);
    for _ in 0..number {
        if age < 0 {
            break;
        }
        // Those who are grown leave sooner or later.
        let stays = match age {
            ..19 => 1_000,
            19..25 => 800,
            25..33 => 300,
            _ => 0,
        };
        if draw.chance(stays) {
            let sex = some_sex(draw, 518);
            let relation = if sex == Sex::Male { "子" } else { "女" };
            all.push(Member { relation, sex, age, marital: "未婚" });
        }
        age -= draw.between(2, 6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_numbers() {
        for one in [date(1900, 1, 1), date(1990, 3, 7), date(2024, 2, 29), AS_OF] {
            assert_eq!(day(day_number(one)), one);
        }
        assert_eq!(ago(31), date(2026, 9, 30));
        assert_eq!((years(date(1990, 11, 1), AS_OF), years(date(1990, 10, 31), AS_OF)), (35, 36));
    }

    #[test]
    fn rounds_far_apart_give_each_number_and_household_once() {
        let (mut numbers, mut homes) = (BTreeSet::new(), BTreeSet::new());
        let mut people = 0;
        // 61 rounds on, and 61 times 250 blocks on, the days and sequences of a county would come again.
        for round in [0, 1, 4, 60, 61, 62, 122, 500, 938, 999] {
            let made = People::of(round).unwrap();
            people += made.people.len();
            numbers.extend(made.people.into_iter().map(|person| person.id));
            homes.extend(made.households.into_iter().map(|home| home.no));
        }
        assert_eq!(numbers.len(), people);
        let of_a_round = usize::try_from(BLOCKS * HOUSEHOLDS).unwrap();
        assert_eq!(homes.len(), 10 * of_a_round + 16, "those who sign in have homes of their own");
        let largest = places::COUNTIES.iter().map(|county| county.blocks).max().unwrap();
        let blocks = i64::try_from(largest).unwrap() * i64::from(super::super::MOST);
        assert!(blocks < DAYS * 1_000 / SEQUENCES, "there are sequences for all blocks of the largest scale");
    }

    #[test]
    fn a_block_gives_each_number_once_even_when_all_are_born_on_one_day() {
        let taken = BTreeSet::new();
        let (county, _) = places::county_of(0).unwrap();
        let mut making = Making {
            draw: Draw::of(Stream::Households, 0),
            county,
            towns: Vec::new(),
            ordinal: 14_999,
            taken: &taken,
            given: BTreeSet::new(),
        };
        let numbers: BTreeSet<String> = (0..50)
            .map(|_| making.number(date(1990, 3, 7), Sex::Male).unwrap().as_str().to_owned())
            .collect();
        assert_eq!(numbers.len(), 50);
    }
}
