//! The embedded table of divisions, its traps, and importing more.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use jiff::civil::date;
use kernel::division::{CitizenRegion, DivisionCode, Divisions, ImportError, Level};
use kernel::error::Coded;
use proptest::prelude::*;

fn code(text: &str) -> DivisionCode {
    text.parse().unwrap()
}

fn names(divisions: &[kernel::division::Division<'_>]) -> Vec<String> {
    divisions.iter().map(|division| format!("{} {}", division.code, division.name)).collect()
}

#[test]
fn the_table_holds_what_the_source_counts() {
    let divisions = Divisions::embedded();
    assert_eq!(divisions.count(Level::Province), 31);
    assert_eq!(divisions.count(Level::City), 342);
    // Of the 2,978 county rows of the source three repeat the code of their city: 441900, 442000 and 460400.
    assert_eq!(divisions.count(Level::County), 2978 - 3);
    // Of the 41,352 township rows one repeats the code of its county: 350527, which has none.
    assert_eq!(divisions.count(Level::Township), 41_352 - 1);
    assert_eq!(divisions.count(Level::Village), 0);
}

#[test]
fn one_place_has_one_code_however_many_zeros_are_written() {
    assert_eq!(code("532901"), code("532901000000"));
    assert_eq!(code("532901000000").to_string(), "532901");
    assert_eq!(code("532901001").twelve(), "532901001000");
    assert_eq!(code("532901001").six(), "532901");
    assert_eq!(code("532901001001").to_string(), "532901001001");
    assert_eq!(code("532901001001007").to_string(), "532901001001007");
}

#[test]
fn the_six_levels_are_told_by_the_digits() {
    let path = ["530000", "532900", "532901", "532901001", "532901001001", "532901001001007"];
    let levels: Vec<Level> = path.iter().map(|text| code(text).level()).collect();
    assert_eq!(levels, Level::ALL);
    for (below, above) in path.iter().skip(1).zip(path) {
        assert_eq!(code(below).parent(), Some(code(above)));
    }
    assert_eq!(code("530000").parent(), None);
}

#[test]
fn what_is_no_code_is_refused() {
    for text in ["", "53", "5329", "53290", "5329010", "032901", "53290a", "５３２９０１", "5329010010010070"]
    {
        let error = DivisionCode::parse(text).unwrap_err();
        assert_eq!(error.code(), "division.malformed", "{text}");
    }
}

#[test]
fn a_township_has_its_full_name() {
    let divisions = Divisions::embedded();
    assert_eq!(divisions.path_name(code("532901")).as_deref(), Some("云南省大理白族自治州大理市"));
    assert_eq!(divisions.path_name(code("532901003")).as_deref(), Some("云南省大理白族自治州大理市下关街道"));
    let ancestors = divisions.ancestors(code("532901003"));
    assert_eq!(names(&ancestors), ["530000 云南省", "532900 大理白族自治州", "532901 大理市"]);
    assert_eq!(divisions.children(code("532900")).len(), 12);
    assert_eq!(divisions.path_name(code("999999")), None);
}

#[test]
fn pseudo_levels_are_marked_and_left_out_of_names() {
    let divisions = Divisions::embedded();
    for pseudo in ["110100", "500200", "419000", "429000", "469000", "659000"] {
        assert!(divisions.get(code(pseudo)).unwrap().pseudo, "{pseudo}");
    }
    assert_eq!(divisions.path_name(code("110101")).as_deref(), Some("北京市东城区"));
    assert_eq!(divisions.path_name(code("429004")).as_deref(), Some("湖北省仙桃市"));
    assert_eq!(names(&divisions.children(code("110000"))), ["110100 市辖区"]);
    assert_eq!(divisions.named_children(code("110000")).len(), 16);
    let hubei = names(&divisions.named_children(code("420000")));
    assert!(hubei.contains(&"429004 仙桃市".to_owned()) && hubei.contains(&"420100 武汉市".to_owned()));
}

#[test]
fn cities_without_counties_have_their_townships_right_below() {
    let divisions = Divisions::embedded();
    for (city, name) in [("441900", "东莞市"), ("442000", "中山市"), ("460400", "儋州市")] {
        assert_eq!(divisions.get(code(city)).unwrap().name, name);
        let children = divisions.children(code(city));
        assert!(children.len() > 10, "{city}");
        assert!(children.iter().all(|child| child.level == Level::Township), "{city}");
    }
    assert_eq!(names(&divisions.ancestors(code("441900003"))), ["440000 广东省", "441900 东莞市"]);
    assert_eq!(divisions.path_name(code("441900003")).as_deref(), Some("广东省东莞市东城街道"));
}

#[test]
fn codes_for_statistics_only_are_marked() {
    let divisions = Divisions::embedded();
    let park = divisions.get(code("130171")).unwrap();
    assert!(park.statistics_only);
    assert!(!divisions.get(code("532901")).unwrap().statistics_only);
    assert!(!names(&divisions.named_children(code("130100"))).iter().any(|name| name.starts_with("130171")));
    let mut marked = 0;
    for province in divisions.provinces() {
        for city in divisions.children(province.code) {
            marked += divisions.children(city.code).iter().filter(|county| county.statistics_only).count();
        }
    }
    // 124 with the last digits 71 to 79, which GB/T 2260 gives to nobody, and nine that are named one by one.
    assert_eq!(marked, 124 + 9);
}

#[test]
fn a_former_county_knows_its_time_and_its_successor() {
    let divisions = Divisions::embedded();
    let chongwen = divisions.get(code("110103")).unwrap();
    assert_eq!((chongwen.name, chongwen.successor), ("崇文区", Some(code("110101"))));
    assert_eq!(chongwen.valid_to, Some(date(2009, 12, 31)));
    assert_eq!(divisions.present(code("110103")), None);
    assert!(!names(&divisions.children(code("110100"))).iter().any(|name| name.ends_with("崇文区")));
    let ninghe = divisions.get(code("120221")).unwrap();
    assert_eq!((ninghe.name, ninghe.successor), ("宁河县", Some(code("120117"))));
    // 汉阳区 stood beside 汉阳县, so it is no successor, however alike the names.
    assert_eq!(divisions.get(code("420121")).unwrap().successor, None);
}

#[test]
fn every_successor_is_a_present_division() {
    let divisions = Divisions::embedded();
    let mut seen = 0;
    for number in 110_000..660_000 {
        let Some(former) = divisions.get(code(&number.to_string())).filter(|found| found.valid_to.is_some())
        else {
            continue;
        };
        seen += 1;
        assert!(former.valid_from.unwrap() < former.valid_to.unwrap(), "{former:?}");
        let successor = former.successor.map(|successor| divisions.present(successor));
        assert!(successor.is_none_or(|present| present.is_some()), "{former:?}");
    }
    assert_eq!(seen, 3731);
}

#[test]
fn a_young_division_knows_since_when_it_is() {
    let divisions = Divisions::embedded();
    assert_eq!(divisions.get(code("110101")).unwrap().valid_from, None);
    assert_eq!(divisions.get(code("310115")).unwrap().valid_from, Some(date(1992, 12, 1)));
}

#[test]
fn a_region_that_never_was_is_no_citizen_region() {
    let divisions = Divisions::embedded();
    for region in ["000000", "990101", "160101", "830001", "5329", "532901001", "53290X", ""] {
        assert_eq!(divisions.citizen_region(region), None, "{region}");
    }
    // A park has no residents' register; its digits pass only as those of an unknown county of a known city.
    assert_eq!(divisions.citizen_region("130171"), Some(CitizenRegion::OfKnownCity));
}

#[test]
fn villages_and_groups_can_be_imported() {
    let divisions = Divisions::embedded();
    let text =
        "code,name,streetCode\n532901003001,\"某某社区居委会\",532901003\n532901003001003,第三小组\n\n";
    let rows = Divisions::read_rows(text).unwrap();
    let larger = divisions.with_imported(rows).unwrap();
    assert_eq!(larger.count(Level::Village), 1);
    assert_eq!(names(&larger.children(code("532901003001"))), ["532901003001003 第三小组"]);
    let full = larger.path_name(code("532901003001")).unwrap();
    assert!(full.starts_with("云南省大理白族自治州大理市") && full.ends_with("某某社区居委会"), "{full}");
    assert_eq!(divisions.count(Level::Village), 0);
}

#[test]
fn an_imported_row_renames_its_division_and_keeps_what_is_known() {
    let larger = Divisions::embedded().with_imported([(code("130171"), "新名开发区")]).unwrap();
    let park = larger.get(code("130171")).unwrap();
    assert_eq!((park.name, park.statistics_only), ("新名开发区", true));
    assert_eq!(larger.count(Level::County), 2975);
}

#[test]
fn a_row_without_a_division_above_it_is_refused() {
    let orphan = Divisions::embedded().with_imported([(code("532999001001"), "无处村")]).unwrap_err();
    assert_eq!(orphan, ImportError::NoParent { code: code("532999001001") });
    assert_eq!(Divisions::read_rows("532901,大理市\nx,y"), Err(ImportError::Malformed { line: 2 }));
    assert_eq!(Divisions::read_rows("532901,").unwrap_err().code(), "division.import_malformed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_lies_within_begins_with_the_same_digits(digits in "[1-9][0-9]{14}") {
        let group = DivisionCode::parse(&digits).unwrap();
        for level in Level::ALL {
            let above = group.at(level);
            prop_assert!(group.is_within(above) && above.level() <= level);
            prop_assert_eq!(DivisionCode::parse(&above.to_string()), Ok(above));
            if let Some(parent) = above.parent() {
                prop_assert!(above.is_within(parent) && !parent.is_within(above));
            }
        }
    }
}
