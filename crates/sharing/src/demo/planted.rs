//! Errors that are planted, and where.
//!
//! They all stand in the first round, so they are the same at any scale. What plants an error also says so, and the
//! tests look for errors without knowing where these are.

use jiff::civil::{Date, date};
use kernel::citizen_id::CitizenId;
use kernel::division::{DivisionCode, Divisions};
use kernel::uscc::Uscc;

use super::model::{Bilingual, Cell, Row, decimal};
use super::people::{Person, day, day_number, years};
use super::registers::DemoResource;
use super::round::Round;
use super::{AS_OF, DemoError};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// One person stands twice.
    DuplicatePerson,
    /// The birth is not the one in the citizen number.
    BirthMismatch,
    /// The sex is not the one in the citizen number.
    SexMismatch,
    /// The check character of the citizen number is wrong.
    CitizenIdCheck,
    /// Died before being born.
    DeathBeforeBirth,
    /// No member is the head.
    NoHead,
    /// The number of members is not that of the population.
    MemberCount,
    /// There is no county of this name.
    MisspeltDivision,
    /// Somebody who is dead is insured as employed.
    DeadWithIncome,
    /// The number is in no population register.
    UnknownPerson,
    /// The amount is in fen where it should be in yuan.
    WrongUnit,
    /// The contribution is not the share of its base.
    WrongContribution,
    /// No credit code.
    NoCreditCode,
    /// The check character of the credit code is wrong.
    CreditCodeCheck,
    /// The legal representative is a minor.
    MinorRepresentative,
    /// An area below zero.
    NegativeArea,
    /// A day that has not come yet.
    FutureDate,
    /// Two vehicles with one plate.
    DuplicatePlate,
    /// Too old or too young for the stage.
    AgeForStage,
    /// Insured in two schemes at once.
    InsuredTwice,
    /// It ends before it begins.
    EndsBeforeItBegins,
    /// The credit code is of no firm.
    UnknownFirm,
    /// A fine without an amount.
    NoAmount,
    /// Decided before the firm was founded.
    BeforeFoundation,
    /// A score outside the scale.
    ScoreOutOfRange,
    /// A grade that does not belong to the score.
    GradeMismatch,
    /// A value that water cannot have.
    ImpossibleValue,
    /// The same sample twice.
    DuplicateSample,
    /// A class that does not belong to the values.
    ClassMismatch,
}

impl ErrorKind {
    /// In words.
    #[must_use]
    pub fn words(self) -> Bilingual {
        let (zh, en) = match self {
            Self::DuplicatePerson => ("同一人重复登记", "one person stands twice"),
            Self::BirthMismatch => {
                ("出生日期与公民身份号码不符", "the birth is not the one in the citizen number")
            }
            Self::SexMismatch => ("性别与公民身份号码不符", "the sex is not the one in the citizen number"),
            Self::CitizenIdCheck => {
                ("公民身份号码校验位错误", "the check character of the citizen number is wrong")
            }
            Self::DeathBeforeBirth => ("死亡日期早于出生日期", "died before being born"),
            Self::NoHead => ("户内无户主", "no member is the head of the household"),
            Self::MemberCount => {
                ("户内人数与人口信息不符", "the number of members is not that of the population")
            }
            Self::MisspeltDivision => ("县市名称错写", "there is no county of this name"),
            Self::DeadWithIncome => ("死亡人员仍在参保缴费", "somebody who is dead is insured as employed"),
            Self::UnknownPerson => ("人口信息中查无此人", "the number is not in the population"),
            Self::WrongUnit => {
                ("金额单位错误（误以分为元）", "the amount is in fen where it should be in yuan")
            }
            Self::WrongContribution => {
                ("缴费额与缴费基数不符", "the contribution is not the share of its base")
            }
            Self::NoCreditCode => ("缺少统一社会信用代码", "no credit code"),
            Self::CreditCodeCheck => {
                ("统一社会信用代码校验位错误", "the check character of the credit code is wrong")
            }
            Self::MinorRepresentative => ("法定代表人为未成年人", "the legal representative is a minor"),
            Self::NegativeArea => ("面积为负", "an area below zero"),
            Self::FutureDate => ("登记日期在未来", "a day that has not come yet"),
            Self::DuplicatePlate => ("号牌重复", "two vehicles with one plate"),
            Self::AgeForStage => ("年龄与学段不符", "too old or too young for the stage"),
            Self::InsuredTwice => ("重复参保", "insured in two schemes at once"),
            Self::EndsBeforeItBegins => ("有效期止早于发证日期", "it ends before it begins"),
            Self::UnknownFirm => ("经营主体登记中查无此代码", "the credit code is of no firm"),
            Self::NoAmount => ("罚款无金额", "a fine without an amount"),
            Self::BeforeFoundation => ("处罚早于成立日期", "decided before the firm was founded"),
            Self::ScoreOutOfRange => ("评分超出范围", "a score outside the scale of 300 to 1000"),
            Self::GradeMismatch => ("等级与评分不符", "a grade that does not belong to the score"),
            Self::ImpossibleValue => ("监测值不可能", "a value that water cannot have"),
            Self::DuplicateSample => ("同一样品重复上报", "the same sample twice"),
            Self::ClassMismatch => ("水质类别与指标不符", "a class that does not belong to the values"),
        };
        Bilingual { zh, en }
    }

    /// The dimension of quality that it harms (GB/T 36344-2018).
    #[must_use]
    pub fn dimension(self) -> Bilingual {
        let (zh, en) = match self {
            Self::CitizenIdCheck | Self::CreditCodeCheck | Self::MisspeltDivision => ("规范性", "conformity"),
            Self::NoHead | Self::NoCreditCode | Self::NoAmount => ("完整性", "completeness"),
            Self::BirthMismatch
            | Self::SexMismatch
            | Self::MemberCount
            | Self::DeadWithIncome
            | Self::UnknownPerson
            | Self::WrongContribution
            | Self::MinorRepresentative
            | Self::AgeForStage
            | Self::InsuredTwice
            | Self::UnknownFirm
            | Self::BeforeFoundation
            | Self::GradeMismatch
            | Self::ClassMismatch => ("一致性", "consistency"),
            _ => ("准确性", "accuracy"),
        };
        Bilingual { zh, en }
    }
}

/// An error that is in the data on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Planted {
    /// The resource in which it stands.
    pub resource: &'static str,
    /// The columns of the row's key as a file has them, with a space between; where the key is missing, the name.
    pub key: String,
    /// The column that is wrong.
    pub column: &'static str,
    /// What is wrong.
    pub kind: ErrorKind,
}

impl Planted {
    /// What is wrong, in words.
    #[must_use]
    pub fn words(&self) -> Bilingual {
        self.kind.words()
    }
}

/// The rows of the first round, to be spoilt.
struct Spoil<'a> {
    resource: &'a DemoResource,
    round: &'a Round,
    rows: &'a mut Vec<Row>,
    /// The rows that have an error, so that none has two.
    used: Vec<usize>,
    done: Vec<Planted>,
}

/// Plants the errors of one resource among its rows of the first round.
pub(super) fn plant(
    resource: &DemoResource,
    round: &Round,
    rows: &mut Vec<Row>,
) -> Result<Vec<Planted>, DemoError> {
    let mut spoil = Spoil { resource, round, rows, used: Vec::new(), done: Vec::new() };
    match resource.id {
        "population" => spoil.population()?,
        "households" => spoil.households()?,
        "firms" => spoil.firms()?,
        "social_insurance" => spoil.social_insurance()?,
        "property" => spoil.property()?,
        "vehicles" => spoil.vehicles()?,
        "education" => spoil.education()?,
        "medical_insurance" => spoil.medical_insurance()?,
        "permits" => spoil.permits()?,
        "penalties" => spoil.penalties()?,
        "credit" => spoil.credit()?,
        "water_quality" => spoil.water_quality()?,
        _ => {}
    }
    Ok(spoil.done)
}

impl Spoil<'_> {
    fn population(&mut self) -> Result<(), DemoError> {
        let grown = |row: &Seen<'_>| {
            (20..60).contains(&age_in(row.text("citizen_id"))) && row.text("status") == "正常"
        };
        let twice = self.find(FIRST, grown)?;
        let copy = self.copy(twice);
        self.set(copy, "phone", "15400000000".into());
        self.note(copy, "citizen_id", ErrorKind::DuplicatePerson);

        let place = self.find(150, grown)?;
        let birth = birth_in(&self.text(place, "citizen_id"));
        let other = birth.map(|birth| day(day_number(birth) + 10));
        self.spoil(place, "birth_date", other.into(), ErrorKind::BirthMismatch);

        let place = self.find(260, grown)?;
        let sex = if self.text(place, "sex") == "男" { "女" } else { "男" };
        self.spoil(place, "sex", sex.into(), ErrorKind::SexMismatch);

        let apart = self.person(|person| person.apart)?.id.clone();
        let place = self.find(0, |row| row.text("citizen_id") == apart)?;
        self.spoil(place, "citizen_id", other_check(&apart).into(), ErrorKind::CitizenIdCheck);

        let place =
            self.find(300, |row| row.text("status") == "死亡" && age_in(row.text("citizen_id")) > 75)?;
        self.spoil(place, "death_date", date(1919, 8, 15).into(), ErrorKind::DeathBeforeBirth);

        // The head of the household that has none is somebody's relative here; the error is that of the household.
        let household = self.leaderless()?;
        let place =
            self.find(0, |row| row.text("household_no") == household && row.text("relation") == "户主")?;
        self.set(place, "relation", "非亲属".into());
        Ok(())
    }

    /// The number of the household that loses its head.
    fn leaderless(&self) -> Result<String, DemoError> {
        let homes = self.round.people.households.iter();
        let fits = |home: &&super::people::Household| home.members.len() > 3;
        let home = homes.skip(200).find(fits).ok_or(DemoError::NowhereToPlant(self.resource.id))?;
        Ok(home.no.clone())
    }

    fn households(&mut self) -> Result<(), DemoError> {
        let household = self.leaderless()?;
        let place = self.find(0, |row| row.text("household_no") == household)?;
        self.set(place, "head_name", Cell::Empty);
        self.spoil(place, "head_id", Cell::Empty, ErrorKind::NoHead);

        let place = self.find(240, |row| *row.cell("members") == Cell::Integer(3))?;
        self.spoil(place, "members", 4.into(), ErrorKind::MemberCount);

        let place = self.find(0, |row| row.text("county") == "剑川县")?;
        self.spoil(place, "county", "剑州县".into(), ErrorKind::MisspeltDivision);
        Ok(())
    }

    fn firms(&mut self) -> Result<(), DemoError> {
        let apart: Vec<String> =
            self.round.firms.iter().filter(|firm| firm.apart).map(|firm| firm.uscc.clone()).collect();
        let place = self.find(0, |row| apart.first().is_some_and(|code| code == row.text("uscc")))?;
        self.spoil(place, "uscc", Cell::Empty, ErrorKind::NoCreditCode);

        let place = self.find(0, |row| apart.last().is_some_and(|code| code == row.text("uscc")))?;
        let code = other_check(&self.text(place, "uscc"));
        self.spoil(place, "uscc", code.into(), ErrorKind::CreditCodeCheck);

        let child = self.person(|person| (9..14).contains(&person.age()) && !person.signs_in)?;
        let (id, name) = (child.id.clone(), child.name.clone());
        let place = self.find(60, |row| row.text("status") == "存续")?;
        self.set(place, "representative", name.into());
        self.spoil(place, "representative_id", id.into(), ErrorKind::MinorRepresentative);
        Ok(())
    }

    fn social_insurance(&mut self) -> Result<(), DemoError> {
        let dead = self.person(|person| !person.alive() && (25..70).contains(&person.age()))?;
        let (id, name) = (dead.id.clone(), dead.name.clone());
        let from = self.find(50, |_| true)?;
        let copy = self.copy(from);
        self.set(copy, "name", name.into());
        self.spoil(copy, "citizen_id", id.into(), ErrorKind::DeadWithIncome);

        // A number of another province.
        let region = DivisionCode::parse("510104")?;
        let stranger = CitizenId::compose(region, date(1987, 5, 20), 998, AS_OF, Divisions::embedded())?;
        let from = self.find(90, |_| true)?;
        let copy = self.copy(from);
        self.set(copy, "name", "程远".into());
        self.spoil(copy, "citizen_id", stranger.as_str().into(), ErrorKind::UnknownPerson);

        let place = self.find(130, |_| true)?;
        let hundredfold = times(&self.cell(place, "wage"), 100);
        self.spoil(place, "wage", hundredfold, ErrorKind::WrongUnit);

        let place = self.find(170, |_| true)?;
        let twice = times(&self.cell(place, "paid_by_person"), 2);
        self.spoil(place, "paid_by_person", twice, ErrorKind::WrongContribution);
        Ok(())
    }

    fn property(&mut self) -> Result<(), DemoError> {
        let place = self.find(70, |_| true)?;
        let below = times(&self.cell(place, "area"), -1);
        self.spoil(place, "area", below, ErrorKind::NegativeArea);
        Ok(())
    }

    fn vehicles(&mut self) -> Result<(), DemoError> {
        let place = self.find(30, |_| true)?;
        self.spoil(place, "registered_on", date(2031, 3, 15).into(), ErrorKind::FutureDate);

        let place = self.find(60, |_| true)?;
        let other = self.find(110, |_| true)?;
        let copy = self.copy(place);
        for column in ["owner_id", "owner_name", "division"] {
            let cell = self.cell(other, column);
            self.set(copy, column, cell);
        }
        self.note(copy, "plate", ErrorKind::DuplicatePlate);
        Ok(())
    }

    fn education(&mut self) -> Result<(), DemoError> {
        let place = self.find(20, |row| row.text("stage") == "高中")?;
        self.set(place, "grade", 2.into());
        self.spoil(place, "stage", "小学".into(), ErrorKind::AgeForStage);
        Ok(())
    }

    fn medical_insurance(&mut self) -> Result<(), DemoError> {
        let place = self.find(80, |row| row.text("scheme") == "职工基本医疗保险")?;
        let copy = self.copy(place);
        self.spoil(copy, "scheme", "城乡居民基本医疗保险".into(), ErrorKind::InsuredTwice);
        Ok(())
    }

    fn permits(&mut self) -> Result<(), DemoError> {
        let place = self.find(15, |_| true)?;
        if let Cell::Date(issued) = self.cell(place, "issued_on") {
            let before = day(day_number(issued) - 400);
            self.spoil(place, "expires_on", before.into(), ErrorKind::EndsBeforeItBegins);
        }
        let nobody = Uscc::compose("91", DivisionCode::parse("532901")?, "YYYYYYYY")?;
        let place = self.find(25, |row| !row.text("permit_no").starts_with("JY"))?;
        let copy = self.copy(place);
        self.set(copy, "permit_no", "大理市特许字〔2025〕第999999号".into());
        self.spoil(copy, "uscc", nobody.as_str().into(), ErrorKind::UnknownFirm);
        Ok(())
    }

    fn penalties(&mut self) -> Result<(), DemoError> {
        let place = self.find(5, |row| row.text("kind") == "罚款")?;
        self.spoil(place, "amount", Cell::Empty, ErrorKind::NoAmount);

        let place = self.find(12, |_| true)?;
        let code = self.text(place, "uscc");
        let founded = self.round.firms.iter().find(|firm| firm.uscc == code).map(|firm| firm.founded);
        let before = founded.map(|founded| day(day_number(founded) - 200));
        self.spoil(place, "decided_on", before.into(), ErrorKind::BeforeFoundation);
        Ok(())
    }

    fn credit(&mut self) -> Result<(), DemoError> {
        let place = self.find(10, |row| row.text("grade") == "A")?;
        self.spoil(place, "score", 1_340.into(), ErrorKind::ScoreOutOfRange);

        let place = self.find(30, |row| row.text("grade") == "C")?;
        self.spoil(place, "grade", "A".into(), ErrorKind::GradeMismatch);
        Ok(())
    }

    fn water_quality(&mut self) -> Result<(), DemoError> {
        let place = self.find(100, |_| true)?;
        self.spoil(place, "ph", decimal(1_720), ErrorKind::ImpossibleValue);

        let place = self.find(200, |_| true)?;
        let copy = self.copy(place);
        self.note(copy, "sampled_at", ErrorKind::DuplicateSample);

        let place = self.find(300, |row| row.text("class") == "Ⅱ")?;
        self.spoil(place, "class", "Ⅳ".into(), ErrorKind::ClassMismatch);
        Ok(())
    }

    fn person(&self, fits: impl Fn(&Person) -> bool) -> Result<&Person, DemoError> {
        let mut people = self.round.people.people.iter();
        people.find(|person| fits(person)).ok_or(DemoError::NowhereToPlant(self.resource.id))
    }

    /// The first row from a place on that fits and has no error yet.
    fn find(&mut self, from: usize, fits: impl Fn(&Seen<'_>) -> bool) -> Result<usize, DemoError> {
        let rows = self.rows.iter().enumerate().skip(from);
        let free = rows.filter(|(place, _)| !self.used.contains(place));
        let mut seen = free.map(|(place, row)| (place, Seen { resource: self.resource, row }));
        let found = seen.find(|(_, row)| fits(row)).map(|(place, _)| place);
        let found = found.ok_or(DemoError::NowhereToPlant(self.resource.id))?;
        self.used.push(found);
        Ok(found)
    }

    fn cell(&self, place: usize, column: &str) -> Cell {
        let row = self.rows.get(place).map(|row| Seen { resource: self.resource, row });
        row.map_or(Cell::Empty, |row| row.cell(column).clone())
    }

    fn text(&self, place: usize, column: &str) -> String {
        self.cell(place, column).text().unwrap_or_default().to_owned()
    }

    fn set(&mut self, place: usize, column: &str, cell: Cell) {
        let at = self.resource.place(column);
        if let Some(old) = at.and_then(|at| self.rows.get_mut(place)?.get_mut(at)) {
            *old = cell;
        }
    }

    /// Adds a copy of a row at the end.
    fn copy(&mut self, place: usize) -> usize {
        let copy = self.rows.get(place).cloned();
        self.rows.extend(copy);
        let last = self.rows.len().saturating_sub(1);
        self.used.push(last);
        last
    }

    fn note(&mut self, place: usize, column: &'static str, kind: ErrorKind) {
        let key = self.rows.get(place).map(|row| self.resource.key_of(row)).unwrap_or_default();
        let key = if key.is_empty() { self.text(place, "name") } else { key };
        self.done.push(Planted { resource: self.resource.id, key, column, kind });
    }

    fn spoil(&mut self, place: usize, column: &'static str, cell: Cell, kind: ErrorKind) {
        self.set(place, column, cell);
        self.note(place, column, kind);
    }
}

/// A row with the names of its cells.
struct Seen<'a> {
    resource: &'a DemoResource,
    row: &'a Row,
}

impl Seen<'_> {
    fn cell(&self, column: &str) -> &Cell {
        self.resource.place(column).and_then(|place| self.row.get(place)).unwrap_or(&Cell::Empty)
    }

    fn text(&self, column: &str) -> &str {
        self.cell(column).text().unwrap_or_default()
    }
}

/// The same code with another last character, so that the check fails.
pub(super) fn other_check(code: &str) -> String {
    let (body, last) = code.split_at_checked(17).unwrap_or((code, ""));
    format!("{body}{}", if last == "1" { "2" } else { "1" })
}

fn times(cell: &Cell, factor: i128) -> Cell {
    match cell {
        Cell::Decimal(digits) => Cell::Decimal(digits * factor),
        other => other.clone(),
    }
}

fn birth_in(id: &str) -> Option<Date> {
    let part = |from, to| id.get(from..to)?.parse::<i16>().ok();
    Date::new(part(6, 10)?, i8::try_from(part(10, 12)?).ok()?, i8::try_from(part(12, 14)?).ok()?).ok()
}

fn age_in(id: &str) -> i64 {
    birth_in(id).map_or(0, |birth| years(birth, AS_OF))
}

/// The people who sign in stand before; none of their rows is spoilt.
const FIRST: usize = 40;
