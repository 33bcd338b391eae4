//! Social insurance, education and medical insurance.

use jiff::civil::date;
use lake::Kind;

use super::super::draw::{Draw, Stream};
use super::super::model::{DemoColumn, Grade, UpdateCycle, decimal};
use super::super::people::{Household, Person, years};
use super::{DemoResource, said};

/// The least and the greatest base of contributions in fen. Made up, as are the shares below: the statutory ones are
/// rules of their year and do not belong in code.
pub(super) const BASES: (i64, i64) = (440_000, 2_200_000);

pub(super) fn social_insurance() -> DemoResource {
    let personal = DemoColumn::personal;
    DemoResource {
        id: "social_insurance",
        title: said("职工养老保险参保信息", "Social insurance"),
        what: said(
            "在职人员当月的参保单位、申报工资、缴费基数和缴费额（比例为演示值）",
            "The employed: employer, wage, base and contributions of the month (made-up shares)",
        ),
        provider: "dali-prefecture-human-resources",
        columns: vec![
            personal("citizen_id", Kind::Text, "公民身份号码", "Citizen number"),
            personal("name", Kind::Text, "姓名", "Name"),
            personal("employer_uscc", Kind::Text, "单位统一社会信用代码", "Credit code of the employer"),
            personal("employer", Kind::Text, "单位名称", "Employer"),
            DemoColumn::open("division", Kind::Text, "参保地区划代码", "Division of insurance"),
            DemoColumn::open("month", Kind::Text, "费款所属期", "Month"),
            personal("wage", Kind::Decimal(2), "申报工资（元）", "Wage in yuan"),
            personal("base", Kind::Decimal(2), "缴费基数（元）", "Base in yuan"),
            personal("paid_by_employer", Kind::Decimal(2), "单位缴费（元）", "Paid by the employer"),
            personal("paid_by_person", Kind::Decimal(2), "个人缴费（元）", "Paid by the person"),
        ],
        key: &["citizen_id", "month"],
        grade: Grade::General(4),
        entity: Some("citizen_id"),
        cycle: UpdateCycle::Monthly,
        rows: 451,
        make: |round| {
            let mut rows = Vec::new();
            for (person, _) in round.everybody() {
                let Some((place, wage)) = person.work else { continue };
                let Some(firm) = round.firms.get(place) else { continue };
                let base = wage.clamp(BASES.0, BASES.1);
                rows.push(vec![
                    person.id.clone().into(),
                    person.name.clone().into(),
                    firm.uscc.clone().into(),
                    firm.name.clone().into(),
                    format!("{}000000", firm.county.code).into(),
                    "2026-10".into(),
                    decimal(wage),
                    decimal(base),
                    decimal((base * 16 + 50) / 100),
                    decimal((base * 8 + 50) / 100),
                ]);
            }
            rows
        },
    }
}

pub(super) fn education() -> DemoResource {
    let personal = DemoColumn::personal;
    DemoResource {
        id: "education",
        title: said("在校学生学籍信息", "Education"),
        what: said(
            "2026年秋季学期在校（园）学生的学校、学段和年级",
            "Pupils and students of autumn 2026: school, stage and year",
        ),
        provider: "dali-prefecture-education",
        columns: vec![
            personal("citizen_id", Kind::Text, "公民身份号码", "Citizen number"),
            personal("name", Kind::Text, "姓名", "Name"),
            DemoColumn::open("school_code", Kind::Text, "学校代码", "School code"),
            DemoColumn::open("school", Kind::Text, "学校名称", "School"),
            DemoColumn::open("stage", Kind::Text, "学段", "Stage"),
            personal("grade", Kind::Integer, "年级", "Year"),
            DemoColumn::open("division", Kind::Text, "区划代码", "Division code"),
            DemoColumn::open("enrolled_on", Kind::Date, "入学日期", "Enrolled on"),
            personal("boards", Kind::Boolean, "是否寄宿", "Boards"),
        ],
        key: &["citizen_id"],
        grade: Grade::General(3),
        entity: Some("citizen_id"),
        cycle: UpdateCycle::Yearly,
        rows: 276,
        make: |round| {
            let mut rows = Vec::new();
            for (place, (person, home)) in round.everybody().enumerate() {
                let mut draw = Draw::of(Stream::Education, round.serial(place, 3_000));
                let Some((stage, grade)) = attends(person, &mut draw) else { continue };
                let (code, school) = school(home, stage, &mut draw);
                let first = 2026 - i16::try_from(grade).unwrap_or(1) + 1;
                rows.push(vec![
                    person.id.clone().into(),
                    person.name.clone().into(),
                    code.into(),
                    school.into(),
                    stage.into(),
                    grade.into(),
                    home.town.code.clone().into(),
                    date(first, 9, 1).into(),
                    draw.chance(boards(stage, grade)).into(),
                ]);
            }
            rows
        },
    }
}

/// The stage and the year in which somebody of this age is, as they were at the end of August.
fn attends(person: &Person, draw: &mut Draw) -> Option<(&'static str, i64)> {
    if !person.registered() || person.work.is_some() {
        return None;
    }
    let age = years(person.birth, date(2026, 8, 31));
    let (stage, first, in_a_thousand) = match age {
        3..6 => ("幼儿园", 3, 880),
        6..12 => ("小学", 6, 998),
        12..15 => ("初中", 12, 992),
        15..18 => (draw.weighted(&[("高中", 62), ("中等职业", 38)]), 15, 910),
        18..22 => ("大学", 18, 430),
        _ => return None,
    };
    draw.chance(in_a_thousand).then_some((stage, age - first + 1))
}

/// How many of a thousand board: the older, the more.
fn boards(stage: &str, grade: i64) -> u64 {
    match (stage, grade) {
        ("幼儿园", _) => 0,
        ("小学", ..4) => 60,
        ("小学", _) => 300,
        ("大学", _) => 950,
        _ => 600,
    }
}

fn school(home: &Household, stage: &str, draw: &mut Draw) -> (String, String) {
    let town = home.town.code.get(6..9).unwrap_or("000");
    let (county, town_name) = (home.county.name, &home.town.name);
    match stage {
        "幼儿园" => (format!("{}1{town}", home.county.code), format!("{county}{town_name}演示幼儿园")),
        "小学" => (format!("{}2{town}", home.county.code), format!("{county}{town_name}演示小学")),
        "初中" => (format!("{}3{town}", home.county.code), format!("{county}{town_name}演示中学")),
        "高中" => {
            let number = draw.between(1, 2);
            (format!("{}40{number:02}", home.county.code), format!("{county}演示高级中学第{number}校区"))
        }
        "中等职业" => ("5329005001".to_owned(), "大理州演示职业技术学校".to_owned()),
        _ => ("5329006001".to_owned(), "大理演示学院".to_owned()),
    }
}

pub(super) fn medical_insurance() -> DemoResource {
    let personal = DemoColumn::personal;
    DemoResource {
        id: "medical_insurance",
        title: said("基本医疗保险参保信息", "Medical insurance"),
        what: said(
            "职工和城乡居民基本医疗保险的参保状态和本年报销情况",
            "Basic medical insurance of employees and residents: state and what was paid out this year",
        ),
        provider: "dali-prefecture-medical-security",
        columns: vec![
            personal("citizen_id", Kind::Text, "公民身份号码", "Citizen number"),
            personal("name", Kind::Text, "姓名", "Name"),
            personal("scheme", Kind::Text, "险种", "Scheme"),
            DemoColumn::open("division", Kind::Text, "参保地区划代码", "Division of insurance"),
            DemoColumn::open("year", Kind::Integer, "参保年度", "Year"),
            personal("visits", Kind::Integer, "本年就诊次数", "Visits this year"),
            personal("paid_out", Kind::Decimal(2), "本年报销金额（元）", "Paid out this year, in yuan"),
        ],
        key: &["citizen_id", "scheme"],
        grade: Grade::General(4),
        entity: Some("citizen_id"),
        cycle: UpdateCycle::Daily,
        rows: 1_548,
        make: |round| {
            let mut rows = Vec::new();
            for (place, (person, home)) in round.everybody().enumerate() {
                let mut draw = Draw::of(Stream::Medical, round.serial(place, 3_000));
                let Some(scheme) = scheme(person, &mut draw) else { continue };
                let visits = draw.log_normal(0.8 + person.age() as f64 / 18.0, 0.8) as i64;
                let paid = match visits {
                    0 => 0,
                    _ => (draw.log_normal(160.0, 1.1) * visits as f64 * 100.0) as i64,
                };
                rows.push(vec![
                    person.id.clone().into(),
                    person.name.clone().into(),
                    scheme.into(),
                    format!("{}000000", home.county.code).into(),
                    2026.into(),
                    visits.into(),
                    decimal(paid),
                ]);
            }
            rows
        },
    }
}

fn scheme(person: &Person, draw: &mut Draw) -> Option<&'static str> {
    if !person.registered() {
        return None;
    }
    if person.work.is_some() || (person.age() >= 60 && draw.chance(170)) {
        return Some("职工基本医疗保险");
    }
    draw.chance(962).then_some("城乡居民基本医疗保险")
}
