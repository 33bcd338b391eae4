//! The quality of water in the lake Erhai and the rivers that flow into it.

use jiff::SignedDuration;
use jiff::civil::date;
use kernel::time::Timestamp;
use lake::Kind;

use super::super::draw::{Draw, Stream};
use super::super::model::{Cell, DemoColumn, Grade, Row, UpdateCycle, decimal};
use super::super::round::Round;
use super::{DemoResource, said};

/// Samples of a station in one round.
const SAMPLES: u64 = 24;
const YEAR: i64 = 365 * 24 * 60;
/// The shortest time between two samples, in minutes.
const SHORTEST: i64 = 4 * 60;

/// Rivers that flow into the lake.
const RIVERS: [&str; 27] = [
    "弥苴河",
    "永安江",
    "罗时江",
    "波罗江",
    "西闸河",
    "白塔河",
    "玉龙河",
    "金星河",
    "棕树河",
    "霞移溪",
    "万花溪",
    "阳溪",
    "茫涌溪",
    "锦溪",
    "灵泉溪",
    "白石溪",
    "双鸳溪",
    "隐仙溪",
    "梅溪",
    "桃溪",
    "中和溪",
    "白鹤溪",
    "黑龙溪",
    "清碧溪",
    "莫残溪",
    "葶溟溪",
    "阳南溪",
];
/// Verticals in the lake.
const VERTICALS: u64 = 22;

/// Temperature in tenths of a degree by month, near that of a lake at 1,970 m.
const TEMPERATURE: [i64; 12] = [102, 113, 135, 163, 190, 212, 218, 217, 205, 181, 149, 118];
/// How much nutrients rise with the rains from June on, in hundredths.
const RAINS: [i64; 12] = [85, 82, 80, 82, 90, 112, 132, 140, 130, 112, 98, 90];
/// How much algae grow, in hundredths.
const ALGAE: [i64; 12] = [60, 58, 62, 75, 95, 115, 135, 150, 160, 140, 100, 72];

/// What was measured, in the units of the columns without their point.
struct Sample {
    temperature: i64,
    ph: i64,
    oxygen: i64,
    permanganate: i64,
    ammonia: i64,
    phosphorus: i64,
    nitrogen: i64,
    chlorophyll: Option<i64>,
    transparency: Option<i64>,
}

pub(super) fn water_quality() -> DemoResource {
    let open = DemoColumn::open;
    DemoResource {
        id: "water_quality",
        title: said("洱海流域水质监测", "Water quality"),
        what: said(
            "洱海湖体22条垂线和27条入湖河流的水质指标及GB 3838单因子类别（总氮不参评）",
            "Indices of 22 verticals of the lake and 27 rivers, with the class of GB 3838 (total nitrogen apart)",
        ),
        provider: "dali-prefecture-ecology",
        columns: vec![
            open("station_no", Kind::Text, "站点编号", "Station number"),
            open("station", Kind::Text, "站点名称", "Station"),
            open("water_body", Kind::Text, "水体", "Body of water"),
            open("body_kind", Kind::Text, "水体类型", "Kind of body"),
            open("sampled_at", Kind::Timestamp, "采样时间", "Sampled at"),
            open("temperature", Kind::Decimal(1), "水温（℃）", "Temperature in °C"),
            open("ph", Kind::Decimal(2), "pH值", "pH"),
            open("dissolved_oxygen", Kind::Decimal(2), "溶解氧（mg/L）", "Dissolved oxygen, mg/L"),
            open("permanganate_index", Kind::Decimal(2), "高锰酸盐指数（mg/L）", "Permanganate index, mg/L"),
            open("ammonia_nitrogen", Kind::Decimal(3), "氨氮（mg/L）", "Ammonia nitrogen, mg/L"),
            open("total_phosphorus", Kind::Decimal(3), "总磷（mg/L）", "Total phosphorus, mg/L"),
            open("total_nitrogen", Kind::Decimal(2), "总氮（mg/L）", "Total nitrogen, mg/L"),
            open("chlorophyll_a", Kind::Decimal(1), "叶绿素a（mg/m³）", "Chlorophyll a, mg/m³"),
            open("transparency", Kind::Decimal(2), "透明度（m）", "Transparency, m"),
            open("class", Kind::Text, "水质类别", "Class"),
        ],
        key: &["station_no", "sampled_at"],
        grade: Grade::General(1),
        entity: None,
        cycle: UpdateCycle::RealTime,
        rows: 1_177,
        make: |round| {
            let mut rows = Vec::new();
            for sample in 0..SAMPLES {
                for vertical in 1..=VERTICALS {
                    let name = format!("洱海垂线{vertical:02}");
                    rows.push(sampled(round, sample, vertical, &name, "洱海", true));
                }
                for (river, place) in RIVERS.iter().zip(VERTICALS + 1..) {
                    rows.push(sampled(round, sample, place, &format!("{river}入湖口"), river, false));
                }
            }
            rows
        },
    }
}

fn sampled(round: &Round, sample: u64, station: u64, name: &str, body: &str, lake: bool) -> Row {
    let all = round.of * SAMPLES;
    let number = round.number * SAMPLES + sample;
    // A year at first, sampled the more often the more rows there are; then back into the years before.
    let apart = (YEAR / i64::try_from(all).unwrap_or(1)).max(SHORTEST);
    let before = i64::try_from(all - number).unwrap_or(0);
    let end = Timestamp::start_of_china_day(date(2026, 11, 1));
    let at = end.plus(SignedDuration::from_mins(-(before * apart) + i64::try_from(station).unwrap_or(0)));
    let mut draw = Draw::of(Stream::Water, number * 64 + station);
    let month = at.china_date().month();
    let found = measure(&mut draw, month, station, lake);
    let class = class_of(lake, found.ph, found.oxygen, found.permanganate, found.ammonia, found.phosphorus);
    vec![
        format!("EH{}{station:02}", if lake { "L" } else { "R" }).into(),
        name.into(),
        body.into(),
        if lake { "湖泊" } else { "河流" }.into(),
        at.into(),
        decimal(found.temperature),
        decimal(found.ph),
        decimal(found.oxygen),
        decimal(found.permanganate),
        decimal(found.ammonia),
        decimal(found.phosphorus),
        decimal(found.nitrogen),
        found.chlorophyll.map_or(Cell::Empty, decimal),
        found.transparency.map_or(Cell::Empty, decimal),
        class.into(),
    ]
}

fn measure(draw: &mut Draw, month: i8, station: u64, lake: bool) -> Sample {
    let of_month = |table: &[i64; 12]| {
        usize::try_from(month - 1).ok().and_then(|month| table.get(month)).copied().unwrap_or(100)
    };
    let rains = of_month(&RAINS) as f64 / 100.0;
    let algae = of_month(&ALGAE) as f64 / 100.0;
    // Each station is a little better or worse than the others, always in the same way.
    let own = 0.85 + 0.05 * (station * 7 % 7) as f64 + if lake { 0.0 } else { 0.06 * (station % 9) as f64 };
    let temperature = of_month(&TEMPERATURE) + if lake { 0 } else { -14 } + (draw.normal() * 9.0) as i64;
    let saturated = 1_190 - 3 * (temperature - 100);
    let mut around = |median: f64, spread: f64| draw.log_normal(median, spread).max(1.0) as i64;
    if lake {
        Sample {
            temperature,
            ph: around(848.0 + 18.0 * (algae - 1.0), 0.018).clamp(700, 899),
            oxygen: around(saturated as f64 * 0.66, 0.09).clamp(380, 1_300),
            permanganate: around(325.0 * own * (0.7 + 0.3 * algae), 0.12),
            ammonia: around(90.0 * own * rains, 0.35),
            phosphorus: around(22.0 * own * (0.5 + 0.5 * rains), 0.22),
            nitrogen: around(54.0 * own * (0.5 + 0.5 * rains), 0.14),
            chlorophyll: Some(around(95.0 * own * algae, 0.32)),
            transparency: Some(around(205.0 / (0.6 + 0.4 * algae) / own, 0.15).clamp(40, 500)),
        }
    } else {
        Sample {
            temperature,
            ph: around(788.0, 0.03).clamp(660, 890),
            oxygen: around(saturated as f64 * 0.68, 0.11).clamp(210, 1_250),
            permanganate: around(295.0 * own * rains, 0.3),
            ammonia: around(210.0 * own * rains, 0.55),
            phosphorus: around(72.0 * own * rains, 0.42),
            nitrogen: around(135.0 * own * rains, 0.38),
            chlorophyll: None,
            transparency: None,
        }
    }
}

/// The class of GB 3838-2002 by the worst of the indices measured. Total nitrogen and temperature do not count;
/// phosphorus has limits of its own in a lake.
fn class_of(
    lake: bool,
    ph: i64,
    oxygen: i64,
    permanganate: i64,
    ammonia: i64,
    phosphorus: i64,
) -> &'static str {
    let at_most = |value: i64, limits: [i64; 5]| limits.iter().filter(|limit| value > **limit).count();
    let phosphorus_limits = if lake { [10, 25, 50, 100, 200] } else { [20, 100, 200, 300, 400] };
    let worst = [
        if (600..=900).contains(&ph) { 0 } else { 5 },
        [750, 600, 500, 300, 200].iter().filter(|limit| oxygen < **limit).count(),
        at_most(permanganate, [200, 400, 600, 1_000, 1_500]),
        at_most(ammonia, [150, 500, 1_000, 1_500, 2_000]),
        at_most(phosphorus, phosphorus_limits),
    ];
    match worst.into_iter().max() {
        Some(0) => "Ⅰ",
        Some(1) => "Ⅱ",
        Some(2) => "Ⅲ",
        Some(3) => "Ⅳ",
        Some(4) => "Ⅴ",
        _ => "劣Ⅴ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lake_table_decides_for_a_lake_alone() {
        // pH 8.6, oxygen 7.2, CODMn 3.4, ammonia 0.12, phosphorus 0.024.
        assert_eq!(class_of(true, 860, 720, 340, 120, 24), "Ⅱ");
        assert_eq!(class_of(true, 860, 760, 190, 120, 26), "Ⅲ");
        assert_eq!(class_of(false, 860, 760, 190, 120, 26), "Ⅱ");
        assert_eq!(class_of(false, 905, 760, 190, 120, 20), "劣Ⅴ");
        assert_eq!(class_of(false, 900, 199, 190, 120, 20), "劣Ⅴ");
    }
}
