//! How much there is, that it is always the same, and that it is distributed as it should be.

use std::collections::{BTreeMap, BTreeSet};

use crypto::hash::sm3;
use jiff::civil::date;
use sharing::demo::{AS_OF, Scale, resources, write_csv};

use super::{Rows, world};

/// SM3 over the files of all resources at the default scale, in their order. Whoever changes the data on purpose writes
/// the new one here.
const DIGEST: &str = "bb097da377c1fe4ffae6594b6264e6a8be181fd985c9e92627d94d227fbc5bad";

#[test]
fn the_same_rows_come_on_every_machine() {
    let mut all = Vec::new();
    for resource in resources() {
        write_csv(&resource, Scale::default(), &mut all).unwrap();
    }
    let digest: String = sm3(&all).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, DIGEST);
    assert!((900_000..1_100_000).contains(&all.len()), "{} bytes are not about a megabyte", all.len());
}

#[test]
fn the_scale_is_megabytes() {
    let mut size = 0;
    for resource in resources() {
        let mut file = Vec::new();
        write_csv(&resource, Scale::megabytes(5).unwrap(), &mut file).unwrap();
        size += file.len();
    }
    assert!((4_600_000..5_400_000).contains(&size), "{size}");
    assert_eq!(Scale::megabytes(0), None);
    assert!(Scale::megabytes(1_000).is_some() && Scale::megabytes(1_001).is_none());
}

#[test]
fn each_resource_has_the_rows_that_it_says_and_batches_of_its_schema() {
    for resource in resources() {
        let rows: usize = resource.rows(Scale::default()).map(|rows| rows.unwrap().len()).sum();
        assert_eq!(rows, resource.rows, "{}", resource.id);
        let batches: Vec<_> = resource.batches(Scale::default()).unwrap().collect();
        let batched: usize = batches.iter().map(|batch| batch.as_ref().unwrap().rows()).sum();
        assert_eq!(batched, resource.rows, "{}", resource.id);
        let schema = resource.schema().unwrap();
        for column in resource.key.iter().chain(resource.entity.iter()) {
            assert!(schema.column(column).is_some(), "{} {column}", resource.id);
        }
        let titles: BTreeSet<&str> = resource.columns.iter().map(|column| column.title.zh).collect();
        assert_eq!(titles.len(), resource.columns.len(), "{}", resource.id);
    }
}

#[test]
fn what_tells_of_a_person_is_marked_as_personal() {
    for resource in resources() {
        for column in &resource.columns {
            let name = column.column.name.as_str();
            let of_a_person = name.ends_with("citizen_id")
                || ["owner_id", "head_id", "representative_id", "phone", "wage", "paid_out", "plate"]
                    .contains(&name);
            assert!(!of_a_person || column.column.personal, "{} {name}", resource.id);
        }
    }
}

#[test]
fn a_gigabyte_is_made_part_by_part() {
    let most = Scale::megabytes(1_000).unwrap();
    for resource in resources() {
        let first = resource.batches(most).unwrap().next().unwrap().unwrap();
        // A part is as large as the whole is at the default scale, and no larger.
        assert!(first.rows() <= resource.rows, "{}", resource.id);
        assert!(first.bytes() < 4_000_000, "{}", resource.id);
    }
}

#[test]
fn the_people_who_sign_in_are_in_the_registers() {
    let world = world(1);
    let population: BTreeMap<&str, _> =
        world["population"].iter().map(|row| (row.text("citizen_id"), row)).collect();
    let everybody = identity::demo::registered(AS_OF).unwrap();
    for one in &everybody {
        let row = population[one.citizen_id.as_str()];
        assert_eq!(row.text("name"), one.name);
        assert_eq!(row.text("address"), one.address);
        assert_eq!(row.text("phone"), one.phone);
        assert_eq!(row.date("birth_date"), Some(one.citizen_id.birth()));
        assert_eq!(row.text("status"), "正常");
    }
    let child = everybody.iter().find(|one| one.lives_with.is_some()).unwrap();
    let mother = child.lives_with.as_ref().unwrap().as_str();
    let home = |id: &str| population[id].text("household_no");
    assert_eq!(home(child.citizen_id.as_str()), home(mother));
    assert_eq!(population[mother].text("relation"), "户主");
    assert!(world["education"].iter().any(|row| row.text("citizen_id") == child.citizen_id.as_str()));
    // Nobody else is called by a number that a network has.
    let known: BTreeSet<&str> = everybody.iter().map(|one| one.phone.as_str()).collect();
    for row in world["population"].iter() {
        let phone = row.text("phone");
        assert!(phone.is_empty() || phone.starts_with("154") || known.contains(phone), "{phone}");
    }
}

/// How many of the rows do, from 0 to 1.
fn share(rows: &Rows, does: impl Fn(&super::Seen<'_>) -> bool) -> f64 {
    rows.iter().filter(|row| does(row)).count() as f64 / rows.rows.len() as f64
}

fn near(what: &str, value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{what}: {value:.3} is not {expected} ± {tolerance}");
}

#[test]
fn people_are_distributed_as_in_the_area() {
    let world = world(12);
    let people = &world["population"];
    let age = |row: &super::Seen<'_>| AS_OF.year() - row.date("birth_date").unwrap().year();
    near("children", share(people, |row| age(row) < 15), 0.17, 0.02);
    near("of working age", share(people, |row| (15..60).contains(&age(row))), 0.66, 0.03);
    near("older than 60", share(people, |row| age(row) >= 60), 0.165, 0.02);
    let old: Vec<f64> =
        (60..90).step_by(10).map(|from| share(people, |row| (from..from + 10).contains(&age(row)))).collect();
    assert!(old.is_sorted_by(|younger, older| younger > older), "the older, the fewer: {old:?}");
    near("women", share(people, |row| row.text("sex") == "女"), 0.495, 0.02);
    near("白族", share(people, |row| row.text("ethnic_group") == "白族"), 0.34, 0.02);
    near("汉族", share(people, |row| row.text("ethnic_group") == "汉族"), 0.48, 0.02);
    near("彝族", share(people, |row| row.text("ethnic_group") == "彝族"), 0.135, 0.02);
    let in_jianchuan = |row: &super::Seen<'_>| row.text("division").starts_with("532931");
    let bai = share(people, |row| in_jianchuan(row) && row.text("ethnic_group") == "白族");
    assert!(bai / share(people, in_jianchuan) > 0.8, "most of Jianchuan");
    near("in the city", share(people, |row| row.text("division").starts_with("532901")), 0.235, 0.02);
    for (surname, expected) in [("李", 0.150), ("杨", 0.142), ("张", 0.097), ("段", 0.034)] {
        near(surname, share(people, |row| row.text("name").starts_with(surname)), expected, 0.015);
    }
    let homes = &world["households"];
    for (members, expected) in [(1, 0.22), (2, 0.28), (3, 0.19), (4, 0.18), (5, 0.09)] {
        near("members", share(homes, |row| row.integer("members") == members), expected, 0.025);
    }
    let insured = world["medical_insurance"].rows.len() as f64 / people.rows.len() as f64;
    near("insured", insured, 0.965, 0.015);
}

#[test]
fn firms_and_wages_have_their_heavy_tails() {
    let world = world(12);
    let firms = &world["firms"];
    let mut sizes: Vec<i64> = firms.iter().map(|row| row.integer("employees")).collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    let all: i64 = sizes.iter().sum();
    let largest: i64 = sizes.iter().take(sizes.len() / 100).sum();
    near("the largest hundredth", largest as f64 / all as f64, 0.27, 0.06);
    assert!(sizes[sizes.len() / 2] <= 1 && sizes[0] > 60, "{} and {}", sizes[sizes.len() / 2], sizes[0]);
    let trade = share(firms, |row| row.text("industry_section") == "F");
    near("trade", trade, 0.33, 0.03);
    near("sole traders", share(firms, |row| row.text("kind") == "个体工商户"), 0.56, 0.04);
    // Of a log-normal distribution the logarithms are symmetric, and the values are not.
    let wages: Vec<f64> = world["social_insurance"]
        .iter()
        .filter_map(|row| row.decimal("wage"))
        .filter(|fen| *fen < 20_000_000)
        .map(|fen| fen as f64 / 100.0)
        .collect();
    let logarithms: Vec<f64> = wages.iter().map(|wage| wage.ln()).collect();
    near("the median wage", moments(&logarithms).0.exp(), 5_500.0, 250.0);
    near("the spread of wages", moments(&logarithms).1, 0.45, 0.03);
    near("the skew of their logarithms", moments(&logarithms).2, 0.15, 0.2);
    assert!(moments(&wages).2 > 1.0, "{:?}", moments(&wages));
}

/// Mean, standard deviation and skewness.
fn moments(values: &[f64]) -> (f64, f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let skew = values.iter().map(|value| ((value - mean) / spread).powi(3)).sum::<f64>() / count;
    (mean, spread, skew)
}

#[test]
fn the_lake_follows_its_seasons() {
    let world = world(6);
    let water = &world["water_quality"];
    let mut by_month: BTreeMap<i8, Vec<f64>> = BTreeMap::new();
    let mut stations = BTreeSet::new();
    let mut days = BTreeSet::new();
    for row in water.iter() {
        let sharing::demo::Cell::Timestamp(at) = row.cell("sampled_at") else { panic!("no time") };
        days.insert(at.china_date());
        stations.insert((row.text("station_no"), row.text("body_kind")));
        let phosphorus = row.decimal("total_phosphorus").unwrap() as f64;
        by_month.entry(at.china_date().month()).or_default().push(phosphorus);
    }
    let mean = |month: i8| by_month[&month].iter().sum::<f64>() / by_month[&month].len() as f64;
    assert!(mean(8) > 1.4 * mean(3), "the rains bring phosphorus: {} and {}", mean(8), mean(3));
    assert_eq!(by_month.len(), 12, "a whole year");
    assert!(*days.first().unwrap() >= date(2025, 10, 31) && *days.last().unwrap() <= AS_OF);
    let lakes = stations.iter().filter(|(_, kind)| *kind == "湖泊").count();
    assert_eq!((lakes, stations.len()), (22, 49));
    let good = |row: &super::Seen<'_>| matches!(row.text("class"), "Ⅰ" | "Ⅱ" | "Ⅲ");
    near("class Ⅲ or better", share(water, good), 0.93, 0.04);
    let worse = share(water, |row| row.text("body_kind") == "湖泊" && !good(row));
    assert!(
        worse < share(water, |row| row.text("body_kind") == "河流" && !good(row)),
        "the rivers are worse"
    );
}

#[test]
fn every_resource_is_provided_by_an_organisation_of_the_pack() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    let pack = packs::Pack::load(folder).unwrap();
    for resource in resources() {
        assert!(pack.org(resource.provider).is_some(), "{}", resource.provider);
    }
}
