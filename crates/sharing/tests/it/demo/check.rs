//! Looks for errors in the data without knowing where any are, and compares with the list of those that are planted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use kernel::citizen_id::{CitizenId, CitizenIdError, Sex};
use kernel::division::{DivisionCode, Divisions};
use kernel::uscc::{Uscc, UsccError};
use sharing::demo::{AS_OF, Cell, ErrorKind, Scale, planted};

use super::{Rows, Seen, world};

type Found = BTreeSet<(String, String, ErrorKind)>;
type World = BTreeMap<&'static str, Rows>;

struct Checker<'a> {
    world: &'a World,
    found: Vec<(String, String, ErrorKind)>,
    /// By citizen number: birth, and whether they live.
    people: BTreeMap<&'a str, (Date, bool)>,
    /// By credit code: the day of foundation.
    firms: BTreeMap<&'a str, Date>,
}

/// Every error in the world.
fn errors(world: &World) -> Vec<(String, String, ErrorKind)> {
    let mut people = BTreeMap::new();
    for row in world["population"].iter() {
        people
            .insert(row.text("citizen_id"), (row.date("birth_date").unwrap(), row.text("status") == "正常"));
    }
    let firms =
        world["firms"].iter().map(|row| (row.text("uscc"), row.date("founded_on").unwrap())).collect();
    let mut checker = Checker { world, found: Vec::new(), people, firms };
    checker.population();
    checker.households();
    checker.firms();
    checker.social_insurance();
    checker.property_and_vehicles();
    checker.education_and_medical_insurance();
    checker.permits_and_penalties();
    checker.credit();
    checker.water();
    checker.found
}

impl<'a> Checker<'a> {
    fn rows(&self, resource: &str) -> impl Iterator<Item = Seen<'a>> + use<'a> {
        self.world[resource].iter()
    }

    fn say(&mut self, row: Seen<'_>, kind: ErrorKind) {
        self.found.push((row.resource.id.to_owned(), row.key(), kind));
    }

    fn population(&mut self) {
        let mut seen = BTreeSet::new();
        for row in self.rows("population") {
            let id = row.text("citizen_id");
            match CitizenId::parse(id, AS_OF, Divisions::embedded()) {
                Err(CitizenIdError::Check) => self.say(row, ErrorKind::CitizenIdCheck),
                Err(other) => panic!("{id}: {other}"),
                Ok(id) => {
                    assert!(id.region().starts_with("5329"), "{id:?}");
                    if row.date("birth_date") != Some(id.birth()) {
                        self.say(row, ErrorKind::BirthMismatch);
                    }
                    if (row.text("sex") == "男") != (id.sex() == Sex::Male) {
                        self.say(row, ErrorKind::SexMismatch);
                    }
                    if row.date("death_date").is_some_and(|died| died < id.birth()) {
                        self.say(row, ErrorKind::DeathBeforeBirth);
                    }
                }
            }
            if !seen.insert(id) {
                self.say(row, ErrorKind::DuplicatePerson);
            }
            assert_eq!(row.text("status") == "死亡", row.date("death_date").is_some(), "{id}");
            assert!(row.date("death_date").is_none_or(|died| died <= AS_OF), "{id}");
            assert!(row.date("updated_on").unwrap() <= AS_OF, "{id}");
            self.lies_in_dali(row);
        }
    }

    /// Whether the division is a present township or county of the prefecture.
    fn lies_in_dali(&self, row: Seen<'_>) {
        let code = DivisionCode::parse(row.text("division")).unwrap();
        assert!(code.six().starts_with("5329"), "{code:?}");
        assert!(Divisions::embedded().present(code).is_some(), "{code:?}");
    }

    fn households(&mut self) {
        let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut heads: BTreeMap<&str, &str> = BTreeMap::new();
        for row in self.rows("population").filter(|row| row.text("status") == "正常") {
            members.entry(row.text("household_no")).or_default().insert(row.text("citizen_id"));
            if row.text("relation") == "户主" {
                heads.insert(row.text("household_no"), row.text("citizen_id"));
            }
        }
        let counties: Vec<&str> = {
            let prefecture = DivisionCode::parse("532900").unwrap();
            Divisions::embedded().named_children(prefecture).iter().map(|one| one.name).collect()
        };
        let mut seen = BTreeSet::new();
        for row in self.rows("households") {
            let no = row.text("household_no");
            assert!(seen.insert(no), "{no} stands twice");
            self.lies_in_dali(row);
            match heads.get(no) {
                None => self.say(row, ErrorKind::NoHead),
                Some(head) => assert_eq!(row.text("head_id"), *head, "{no}"),
            }
            if usize::try_from(row.integer("members")).unwrap() != members.get(no).map_or(0, BTreeSet::len) {
                self.say(row, ErrorKind::MemberCount);
            }
            if !counties.contains(&row.text("county")) {
                self.say(row, ErrorKind::MisspeltDivision);
            }
        }
        for row in self.rows("population") {
            assert!(seen.contains(row.text("household_no")), "{} lives nowhere", row.key());
        }
    }

    fn firms(&mut self) {
        let insured = self.insured();
        let mut seen = BTreeSet::new();
        for row in self.rows("firms") {
            let code = row.text("uscc");
            match Uscc::parse(code) {
                _ if code.is_empty() => {
                    let name = row.text("name").to_owned();
                    self.found.push(("firms".to_owned(), name, ErrorKind::NoCreditCode));
                }
                Err(UsccError::Check) => self.say(row, ErrorKind::CreditCodeCheck),
                Err(other) => panic!("{code}: {other}"),
                Ok(code) => {
                    assert_eq!(code.organisation_code_warning(), None, "{code}");
                    assert!(code.organisation_code().starts_with("YW"), "{code} may be somebody's");
                    let registration = match row.text("kind") {
                        "个体工商户" => "92",
                        "农民专业合作社" => "93",
                        _ => "91",
                    };
                    assert_eq!(code.registration(), registration, "{code}");
                }
            }
            assert!(seen.insert(code), "{code} stands twice");
            self.lies_in_dali(row);
            let founded = row.date("founded_on").unwrap();
            assert!(founded <= AS_OF, "{code}");
            let (birth, alive) = self.people[row.text("representative_id")];
            assert!(alive, "{code}");
            if years(birth, AS_OF) < 18 {
                self.say(row, ErrorKind::MinorRepresentative);
            }
            let here = insured.get(code).copied().unwrap_or(0);
            assert_eq!(row.integer("employees"), here, "{code}");
            assert!(row.decimal("capital").unwrap() > 0, "{code}");
        }
    }

    /// How many of those who live in the prefecture each firm insures.
    fn insured(&self) -> BTreeMap<&'a str, i64> {
        let mut count = BTreeMap::new();
        for row in self.rows("social_insurance") {
            if self.people.get(row.text("citizen_id")).is_some_and(|(_, alive)| *alive) {
                *count.entry(row.text("employer_uscc")).or_default() += 1;
            }
        }
        count
    }

    fn social_insurance(&mut self) {
        let mut seen = BTreeSet::new();
        for row in self.rows("social_insurance") {
            let id = row.text("citizen_id");
            CitizenId::parse(id, AS_OF, Divisions::embedded()).unwrap();
            assert!(seen.insert(id), "{id} stands twice");
            match self.people.get(id) {
                None => self.say(row, ErrorKind::UnknownPerson),
                Some((_, false)) => self.say(row, ErrorKind::DeadWithIncome),
                Some((birth, true)) => assert!((18..60).contains(&years(*birth, AS_OF)), "{id}"),
            }
            assert!(self.firms.contains_key(row.text("employer_uscc")), "{id} works nowhere");
            self.lies_in_dali(row);
            let (wage, base) = (row.decimal("wage").unwrap(), row.decimal("base").unwrap());
            // More than 200,000 yuan a month.
            match wage > 20_000_000 {
                true => self.say(row, ErrorKind::WrongUnit),
                false => assert_eq!(base, wage.clamp(440_000, 2_200_000), "{id}"),
            }
            let share = |percent: i128| (base * percent + 50) / 100;
            if row.decimal("paid_by_employer") != Some(share(16))
                || row.decimal("paid_by_person") != Some(share(8))
            {
                self.say(row, ErrorKind::WrongContribution);
            }
        }
    }

    /// Whoever is named lives.
    fn names_somebody(&self, row: Seen<'_>, column: &str) {
        let id = row.text(column);
        assert!(self.people.get(id).is_some_and(|(_, alive)| *alive), "{} {id}", row.resource.id);
    }

    fn property_and_vehicles(&mut self) {
        let mut seen = BTreeSet::new();
        for row in self.rows("property") {
            assert!(seen.insert(row.key()), "{} stands twice", row.key());
            assert_eq!(row.text("unit_no").chars().count(), 28, "{}", row.key());
            assert!(row.text("unit_no").starts_with(&row.text("division")[..6]), "{}", row.key());
            self.names_somebody(row, "owner_id");
            self.lies_in_dali(row);
            if row.decimal("area").unwrap() <= 0 {
                self.say(row, ErrorKind::NegativeArea);
            }
            assert!(row.date("registered_on").unwrap() <= AS_OF, "{}", row.key());
        }
        let mut seen = BTreeSet::new();
        for row in self.rows("vehicles") {
            let plate = row.text("plate");
            if !seen.insert(plate) {
                self.say(row, ErrorKind::DuplicatePlate);
            }
            let green = !matches!(row.text("fuel"), "汽油" | "柴油");
            assert!(
                plate.starts_with("云L") && plate.chars().count() == if green { 8 } else { 7 },
                "{plate}"
            );
            self.names_somebody(row, "owner_id");
            self.lies_in_dali(row);
            if row.date("registered_on").unwrap() > AS_OF {
                self.say(row, ErrorKind::FutureDate);
            }
        }
    }

    fn education_and_medical_insurance(&mut self) {
        let mut seen = BTreeSet::new();
        for row in self.rows("education") {
            assert!(seen.insert(row.key()), "{} stands twice", row.key());
            self.names_somebody(row, "citizen_id");
            self.lies_in_dali(row);
            let ages = match row.text("stage") {
                "幼儿园" => 3..7,
                "小学" => 6..14,
                "初中" => 12..17,
                "高中" | "中等职业" => 15..20,
                "大学" => 18..24,
                other => panic!("{other}"),
            };
            if !ages.contains(&years(self.people[row.text("citizen_id")].0, AS_OF)) {
                self.say(row, ErrorKind::AgeForStage);
            }
        }
        let mut seen = BTreeSet::new();
        for row in self.rows("medical_insurance") {
            self.names_somebody(row, "citizen_id");
            self.lies_in_dali(row);
            if !seen.insert(row.text("citizen_id")) {
                self.say(row, ErrorKind::InsuredTwice);
            }
            assert_eq!(row.integer("visits") == 0, row.decimal("paid_out") == Some(0), "{}", row.key());
        }
    }

    fn permits_and_penalties(&mut self) {
        let mut seen = BTreeSet::new();
        for row in self.rows("permits") {
            let number = row.text("permit_no");
            assert!(seen.insert(number), "{number} stands twice");
            if let Some(digits) = number.strip_prefix("JY") {
                assert!(digits.len() == 14 && passes_mod_11_10(digits), "{number}");
            }
            self.of_a_firm(row);
            self.lies_in_dali(row);
            if row.date("expires_on") < row.date("issued_on") {
                self.say(row, ErrorKind::EndsBeforeItBegins);
            }
            assert!(row.date("issued_on").unwrap() <= AS_OF, "{number}");
        }
        let mut seen = BTreeSet::new();
        for row in self.rows("penalties") {
            let number = row.text("decision_no");
            assert!(seen.insert(number), "{number} stands twice");
            self.of_a_firm(row);
            self.lies_in_dali(row);
            if row.text("kind").contains("罚款") && *row.cell("amount") == Cell::Empty {
                self.say(row, ErrorKind::NoAmount);
            }
            assert!(row.decimal("amount").is_none_or(|fen| fen > 0), "{number}");
            if self
                .firms
                .get(row.text("uscc"))
                .is_some_and(|founded| row.date("decided_on").unwrap() < *founded)
            {
                self.say(row, ErrorKind::BeforeFoundation);
            }
            assert!(row.date("decided_on").unwrap() <= AS_OF, "{number}");
        }
    }

    fn of_a_firm(&mut self, row: Seen<'_>) {
        Uscc::parse(row.text("uscc")).unwrap();
        if !self.firms.contains_key(row.text("uscc")) {
            self.say(row, ErrorKind::UnknownFirm);
        }
    }

    fn credit(&mut self) {
        let count = |resource: &str| {
            let mut count: BTreeMap<&str, i64> = BTreeMap::new();
            for row in self.rows(resource) {
                *count.entry(row.text("uscc")).or_default() += 1;
            }
            count
        };
        let (permits, penalties) = (count("permits"), count("penalties"));
        let mut seen = BTreeSet::new();
        for row in self.rows("credit") {
            let code = row.text("uscc");
            assert!(seen.insert(code), "{code} stands twice");
            self.of_a_firm(row);
            assert_eq!(row.integer("permits"), permits.get(code).copied().unwrap_or(0), "{code}");
            assert_eq!(row.integer("penalties"), penalties.get(code).copied().unwrap_or(0), "{code}");
            let score = row.integer("score");
            if !(300..=1_000).contains(&score) {
                self.say(row, ErrorKind::ScoreOutOfRange);
            }
            let grade = if score >= 850 {
                "A"
            } else if score >= 700 {
                "B"
            } else if score >= 550 {
                "C"
            } else {
                "D"
            };
            if row.text("grade") != grade {
                self.say(row, ErrorKind::GradeMismatch);
            }
        }
    }

    fn water(&mut self) {
        let mut seen = BTreeSet::new();
        for row in self.rows("water_quality") {
            if !seen.insert(row.key()) {
                self.say(row, ErrorKind::DuplicateSample);
            }
            let value = |column: &str| row.decimal(column).unwrap() as f64;
            let ph = value("ph") / 100.0;
            if !(0.0..=14.0).contains(&ph) {
                self.say(row, ErrorKind::ImpossibleValue);
            } else if row.text("class") != class(&row) {
                self.say(row, ErrorKind::ClassMismatch);
            }
            assert!((20.0..300.0).contains(&value("temperature")), "{}", row.key());
            assert_eq!(*row.cell("chlorophyll_a") == Cell::Empty, row.text("body_kind") == "河流");
        }
    }
}

/// GB 3838-2002, table 1, in mg/L: the class is that of the worst index.
fn class(row: &Seen<'_>) -> &'static str {
    let lake = row.text("body_kind") == "湖泊";
    let value = |column: &str, scale: f64| row.decimal(column).unwrap() as f64 / scale;
    let rising: [(f64, [f64; 5]); 3] = [
        (value("permanganate_index", 100.0), [2.0, 4.0, 6.0, 10.0, 15.0]),
        (value("ammonia_nitrogen", 1000.0), [0.15, 0.5, 1.0, 1.5, 2.0]),
        (
            value("total_phosphorus", 1000.0),
            if lake { [0.01, 0.025, 0.05, 0.1, 0.2] } else { [0.02, 0.1, 0.2, 0.3, 0.4] },
        ),
    ];
    let mut worst = 0;
    for (value, limits) in rising {
        worst = worst.max(limits.iter().position(|limit| value <= *limit).unwrap_or(5));
    }
    let oxygen = value("dissolved_oxygen", 100.0);
    worst = worst.max([7.5, 6.0, 5.0, 3.0, 2.0].iter().position(|limit| oxygen >= *limit).unwrap_or(5));
    let ph = value("ph", 100.0);
    if !(6.0..=9.0).contains(&ph) {
        worst = 5;
    }
    ["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ"][worst]
}

/// The pure system of ISO 7064, computed over all digits: the rest is 1.
fn passes_mod_11_10(digits: &str) -> bool {
    let mut rest = 10;
    let digits: Vec<u32> = digits.chars().map(|c| c.to_digit(10).unwrap()).collect();
    let (check, body) = digits.split_last().unwrap();
    for digit in body {
        rest = (rest + digit) % 10;
        rest = if rest == 0 { 10 } else { rest } * 2 % 11;
    }
    (rest + check) % 10 == 1
}

fn years(from: Date, to: Date) -> i64 {
    i64::from(from.until((jiff::Unit::Year, to)).unwrap().get_years())
}

#[test]
fn every_planted_error_is_found_and_nothing_else_is_wrong() {
    for megabytes in [1, 3] {
        let list = planted(Scale::megabytes(megabytes).unwrap()).unwrap();
        let listed: Found =
            list.iter().map(|one| (one.resource.to_owned(), one.key.clone(), one.kind)).collect();
        assert_eq!(listed.len(), list.len());
        let all = errors(&world(megabytes));
        let found: Found = all.iter().cloned().collect();
        assert_eq!(found.len(), all.len(), "an error is found once");
        let missed: Vec<_> = listed.difference(&found).collect();
        let surplus: Vec<_> = found.difference(&listed).collect();
        assert!(missed.is_empty() && surplus.is_empty(), "not found: {missed:?}, not planted: {surplus:?}");
        let kinds: BTreeSet<ErrorKind> = list.iter().map(|one| one.kind).collect();
        assert_eq!((list.len(), kinds.len()), (29, 29), "one of each kind");
    }
}

#[test]
fn every_resource_has_an_error_and_every_error_a_column() {
    let list = planted(Scale::default()).unwrap();
    for resource in sharing::demo::resources() {
        let here: Vec<_> = list.iter().filter(|one| one.resource == resource.id).collect();
        assert!(!here.is_empty(), "{}", resource.id);
        for one in here {
            assert!(resource.place(one.column).is_some(), "{one:?}");
            assert!(!one.words().zh.is_empty() && !one.words().en.is_empty());
            let dimensions = ["规范性", "完整性", "准确性", "一致性", "时效性", "可访问性"];
            assert!(dimensions.contains(&one.kind.dimension().zh), "{one:?}");
        }
    }
}
