//! Population, households, property and vehicles.

use kernel::citizen_id::Sex;
use lake::Kind;

use super::super::AS_OF;
use super::super::draw::{Draw, Stream};
use super::super::model::{Cell, DemoColumn, Grade, Row, UpdateCycle, decimal};
use super::super::people::{Person, ago, day_number};
use super::{DemoResource, said};

/// Vehicles and homes that a round may have at most: their numbers are dealt out by it.
const VEHICLES: u64 = 480;

pub(super) fn population() -> DemoResource {
    let personal = DemoColumn::personal;
    DemoResource {
        id: "population",
        title: said("人口基础信息", "Population"),
        what: said(
            "在大理州登记的人口：身份、户籍关系、住址和生存状况",
            "People registered in Dali: identity, place in the household, address and whether they live",
        ),
        provider: "dali-prefecture-public-security",
        columns: vec![
            personal("citizen_id", Kind::Text, "公民身份号码", "Citizen number"),
            personal("name", Kind::Text, "姓名", "Name"),
            personal("sex", Kind::Text, "性别", "Sex"),
            personal("birth_date", Kind::Date, "出生日期", "Date of birth"),
            personal("ethnic_group", Kind::Text, "民族", "Ethnic group"),
            personal("household_no", Kind::Text, "户号", "Household number"),
            personal("relation", Kind::Text, "与户主关系", "Relation to the head"),
            personal("marital_status", Kind::Text, "婚姻状况", "Marital status"),
            DemoColumn::open("division", Kind::Text, "户籍地区划代码", "Division of registration"),
            personal("address", Kind::Text, "住址", "Address"),
            personal("phone", Kind::Text, "联系电话", "Telephone"),
            personal("status", Kind::Text, "人员状态", "Status"),
            personal("death_date", Kind::Date, "死亡日期", "Date of death"),
            DemoColumn::open("updated_on", Kind::Date, "更新日期", "Updated on"),
        ],
        key: &["citizen_id"],
        grade: Grade::General(4),
        entity: Some("citizen_id"),
        cycle: UpdateCycle::Daily,
        rows: 1_594,
        make: |round| {
            let row = |(place, (person, home)): (usize, (&Person, &super::super::people::Household))| -> Row {
                let phone = (!person.phone.is_empty()).then(|| person.phone.clone());
                vec![
                    person.id.clone().into(),
                    person.name.clone().into(),
                    sex(person).into(),
                    person.birth.into(),
                    person.group.into(),
                    home.no.clone().into(),
                    person.relation.into(),
                    person.marital.into(),
                    home.town.code.clone().into(),
                    home.address.clone().into(),
                    phone.into(),
                    if person.alive() { "正常" } else { "死亡" }.into(),
                    person.died.into(),
                    updated(home.since, person.died, place).into(),
                ]
            };
            round.everybody().enumerate().map(row).collect()
        },
    }
}

fn sex(person: &Person) -> &'static str {
    match person.sex {
        Sex::Male => "男",
        Sex::Female => "女",
    }
}

/// The last change: after whatever the row tells of, and before the day of the data.
fn updated(since: jiff::civil::Date, died: Option<jiff::civil::Date>, place: usize) -> jiff::civil::Date {
    let from = died.unwrap_or(since).max(since);
    let open = (day_number(AS_OF) - day_number(from)).max(1);
    let place = i64::try_from(place).unwrap_or(0);
    ago((place * 7_919).rem_euclid(open.min(700)))
}

pub(super) fn households() -> DemoResource {
    let personal = DemoColumn::personal;
    DemoResource {
        id: "households",
        title: said("户籍信息", "Households"),
        what: said(
            "家庭户：户号、户主、户内在册人数和地址",
            "Households: number, head, living members and address",
        ),
        provider: "dali-prefecture-public-security",
        columns: vec![
            personal("household_no", Kind::Text, "户号", "Household number"),
            personal("head_id", Kind::Text, "户主公民身份号码", "Citizen number of the head"),
            personal("head_name", Kind::Text, "户主姓名", "Name of the head"),
            personal("members", Kind::Integer, "户内人数", "Members"),
            DemoColumn::open("county", Kind::Text, "县市", "County"),
            DemoColumn::open("division", Kind::Text, "区划代码", "Division code"),
            personal("address", Kind::Text, "户籍地址", "Registered address"),
            DemoColumn::open("registered_on", Kind::Date, "立户日期", "Registered on"),
        ],
        key: &["household_no"],
        grade: Grade::General(3),
        entity: Some("head_id"),
        cycle: UpdateCycle::Daily,
        rows: 592,
        make: |round| {
            let mut rows = Vec::new();
            for home in &round.people.households {
                let head = round.head(home);
                let members = round.people.people.get(home.members.clone()).unwrap_or_default();
                let living = members.iter().filter(|one| one.alive()).count();
                rows.push(vec![
                    home.no.clone().into(),
                    head.map(|head| head.id.clone()).into(),
                    head.map(|head| head.name.clone()).into(),
                    Cell::Integer(i64::try_from(living).unwrap_or(0)),
                    home.county.name.into(),
                    home.town.code.clone().into(),
                    home.address.clone().into(),
                    home.since.into(),
                ]);
            }
            rows
        },
    }
}

pub(super) fn property() -> DemoResource {
    let personal = DemoColumn::personal;
    let open = DemoColumn::open;
    DemoResource {
        id: "property",
        title: said("不动产登记信息", "Real estate"),
        what: said(
            "住宅和商铺的不动产单元、权利人、面积和抵押情况",
            "Homes and shops: unit, owner, area and whether mortgaged",
        ),
        provider: "dali-prefecture-natural-resources",
        columns: vec![
            personal("unit_no", Kind::Text, "不动产单元号", "Unit number"),
            personal("certificate_no", Kind::Text, "不动产权证号", "Certificate number"),
            personal("owner_id", Kind::Text, "权利人公民身份号码", "Citizen number of the owner"),
            personal("owner_name", Kind::Text, "权利人", "Owner"),
            personal("location", Kind::Text, "坐落", "Location"),
            open("division", Kind::Text, "区划代码", "Division code"),
            open("used_for", Kind::Text, "用途", "Use"),
            personal("area", Kind::Decimal(2), "建筑面积（平方米）", "Area in square metres"),
            personal("mortgaged", Kind::Boolean, "是否抵押", "Mortgaged"),
            open("registered_on", Kind::Date, "登记日期", "Registered on"),
        ],
        key: &["unit_no"],
        grade: Grade::General(3),
        entity: Some("owner_id"),
        cycle: UpdateCycle::Daily,
        rows: 516,
        make: |round| {
            let mut rows = Vec::new();
            for (place, home) in round.people.households.iter().enumerate() {
                let Some(head) = round.head(home).filter(|head| head.registered()) else { continue };
                let mut draw = Draw::of(Stream::Property, round.serial(place, 1_000));
                let owned = draw.weighted(&[(0_u64, 24), (1, 62), (2, 12), (3, 2)]);
                for unit in 0..owned {
                    let shop = unit > 0 && draw.chance(250);
                    let (usage, median) = if shop { ("商业", 62.0) } else { ("住宅", 108.0) };
                    let area = (draw.log_normal(median, 0.32) * 100.0) as i64;
                    let grown = (head.age() - 18).clamp(1, 25);
                    let registered = ago(draw.between(10, grown * 365));
                    rows.push(vec![
                        unit_no(home.county.code, home.serial, unit).into(),
                        format!(
                            "云（{}）{}不动产权第{:07}号",
                            registered.year(),
                            home.county.name,
                            home.serial * 4 + unit
                        )
                        .into(),
                        head.id.clone().into(),
                        head.name.clone().into(),
                        format!(
                            "{}{}栋{}单元{}室",
                            home.address,
                            unit + 1,
                            draw.between(1, 4),
                            draw.between(1, 18) * 100 + draw.between(1, 4)
                        )
                        .into(),
                        home.town.code.clone().into(),
                        usage.into(),
                        decimal(area.clamp(1_500, 60_000)),
                        draw.chance(280).into(),
                        registered.into(),
                    ]);
                }
            }
            rows
        },
    }
}

/// 28 characters: county, cadastral zone and sub-zone, parcel, building and unit.
fn unit_no(county: &str, serial: u64, unit: u64) -> String {
    let (zone, parcel) = (serial / 1_000 + 1, serial % 1_000 + 1);
    format!("{county}{zone:03}{:03}GB{parcel:05}F{:04}{:04}", unit + 1, unit + 1, 101)
}

pub(super) fn vehicles() -> DemoResource {
    let personal = DemoColumn::personal;
    let open = DemoColumn::open;
    DemoResource {
        id: "vehicles",
        title: said("机动车登记信息", "Vehicles"),
        what: said(
            "机动车号牌、所有人、燃料种类和检验有效期",
            "Vehicles: plate, owner, fuel and the end of the inspection",
        ),
        provider: "dali-prefecture-public-security",
        columns: vec![
            personal("plate", Kind::Text, "号牌号码", "Plate"),
            open("vehicle_type", Kind::Text, "车辆类型", "Type"),
            open("fuel", Kind::Text, "燃料种类", "Fuel"),
            personal("owner_id", Kind::Text, "所有人公民身份号码", "Citizen number of the owner"),
            personal("owner_name", Kind::Text, "所有人", "Owner"),
            open("division", Kind::Text, "区划代码", "Division code"),
            open("registered_on", Kind::Date, "注册登记日期", "Registered on"),
            open("inspected_until", Kind::Date, "检验有效期止", "Inspected until"),
            open("status", Kind::Text, "状态", "Status"),
        ],
        key: &["plate"],
        grade: Grade::General(3),
        entity: Some("owner_id"),
        cycle: UpdateCycle::Daily,
        rows: 349,
        make: |round| {
            let mut rows: Vec<Row> = Vec::new();
            for (place, (person, home)) in round.everybody().enumerate() {
                let mut draw = Draw::of(Stream::Vehicles, round.serial(place, 3_000));
                let drives = person.registered() && (20..72).contains(&person.age());
                let number = u64::try_from(rows.len()).unwrap_or(VEHICLES);
                if !drives || !draw.chance(310) || number >= VEHICLES {
                    continue;
                }
                let fuel = draw.weighted(&[("汽油", 74), ("柴油", 9), ("纯电动", 11), ("插电式混合动力", 6)]);
                let kind = match fuel {
                    "柴油" => draw.weighted(&[("轻型货车", 75), ("重型货车", 25)]),
                    _ => draw.weighted(&[("小型轿车", 80), ("小型普通客车", 20)]),
                };
                let oldest = if matches!(fuel, "汽油" | "柴油") { 5_000 } else { 1_900 };
                let registered = ago(draw.between(5, oldest.min((person.age() - 18) * 365)));
                let inspected = draw.between(-120, 700);
                rows.push(vec![
                    plate(round.number * VEHICLES + number, fuel).into(),
                    kind.into(),
                    fuel.into(),
                    person.id.clone().into(),
                    person.name.clone().into(),
                    home.town.code.clone().into(),
                    registered.into(),
                    ago(-inspected).into(),
                    if inspected < 0 { "逾期未检验" } else { "正常" }.into(),
                ]);
            }
            rows
        },
    }
}

/// A plate of Dali: five characters after 云L, with a sixth for new energy. Neither I nor O occurs.
fn plate(number: u64, fuel: &str) -> String {
    const LETTERS: [char; 24] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'V',
        'W', 'X', 'Y', 'Z',
    ];
    let letter = |place: u64| usize::try_from(place % 24).ok().and_then(|place| LETTERS.get(place)).copied();
    let green = |kinds: &[char; 5]| {
        // 100,000 numbers for each of five letters.
        let number = number * 7_919 % 500_000;
        let kind = usize::try_from(number / 100_000).ok().and_then(|kind| kinds.get(kind)).copied();
        format!("云L{}{:05}", kind.unwrap_or('D'), number % 100_000)
    };
    match fuel {
        "纯电动" => green(&['D', 'A', 'B', 'C', 'E']),
        "插电式混合动力" => green(&['F', 'G', 'H', 'J', 'K']),
        _ => {
            // Two forms of 240,000 each; 7,919 is a prime and divides neither.
            let number = number * 7_919 % 480_000;
            let (form, number) = (number / 240_000, number % 240_000);
            let first = letter(number / 10_000).unwrap_or('A');
            let digits = format!("{:04}", number % 10_000);
            match (form, digits.split_at_checked(1)) {
                (0, _) | (_, None) => format!("云L{first}{digits}"),
                (_, Some((one, three))) => format!("云L{one}{first}{three}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_vehicles_have_one_plate_at_the_largest_scale() {
        for fuel in ["汽油", "纯电动", "插电式混合动力"] {
            let all: BTreeSet<String> = (0..480_000).map(|number| plate(number, fuel)).collect();
            assert_eq!(all.len(), 480_000, "{fuel}");
            assert!(all.iter().all(|plate| !plate.contains(['I', 'O'])));
        }
    }
}
