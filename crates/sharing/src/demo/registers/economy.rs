//! Firms, permits, penalties and the credit of firms. No person is scored.

use jiff::civil::Date;
use lake::Kind;

use super::super::AS_OF;
use super::super::draw::{Draw, Stream};
use super::super::firms::{self, Firm};
use super::super::model::{Cell, DemoColumn, Grade, Row, UpdateCycle, decimal};
use super::super::people::{ago, day, day_number};
use super::{DemoResource, said};

pub(super) fn firms() -> DemoResource {
    let (open, personal) = (DemoColumn::open, DemoColumn::personal);
    DemoResource {
        id: "firms",
        title: said("经营主体登记信息", "Firms"),
        what: said(
            "企业、个体工商户和农民专业合作社的登记、行业、规模和法定代表人",
            "Firms, sole traders and cooperatives: registration, industry, size and who represents them",
        ),
        provider: "dali-prefecture-market",
        columns: vec![
            open("uscc", Kind::Text, "统一社会信用代码", "Credit code"),
            open("name", Kind::Text, "名称", "Name"),
            open("kind", Kind::Text, "主体类型", "Kind"),
            open("industry_section", Kind::Text, "行业门类", "Section of industry"),
            open("industry", Kind::Text, "行业大类", "Division of industry"),
            open("size", Kind::Text, "规模", "Size"),
            personal("representative", Kind::Text, "法定代表人", "Legal representative"),
            personal("representative_id", Kind::Text, "法定代表人公民身份号码", "Their citizen number"),
            open("capital", Kind::Decimal(2), "注册资本（元）", "Registered capital in yuan"),
            open("employees", Kind::Integer, "参保人数", "Insured employees"),
            open("founded_on", Kind::Date, "成立日期", "Founded on"),
            open("status", Kind::Text, "登记状态", "Status"),
            open("division", Kind::Text, "区划代码", "Division code"),
            // A sole trader's place of business is often a home.
            personal("address", Kind::Text, "住所", "Address"),
        ],
        key: &["uscc"],
        grade: Grade::General(2),
        entity: Some("uscc"),
        cycle: UpdateCycle::Daily,
        rows: 192,
        make: |round| {
            let mut rows = Vec::new();
            for firm in &round.firms {
                let Some(person) = round.people.people.get(firm.representative) else { continue };
                rows.push(vec![
                    firm.uscc.clone().into(),
                    firm.name.clone().into(),
                    firm.kind.into(),
                    firm.industry.section.into(),
                    firm.industry.division.into(),
                    firm.size.word().into(),
                    person.name.clone().into(),
                    person.id.clone().into(),
                    decimal(firm.capital * 100),
                    firm.employees.into(),
                    firm.founded.into(),
                    firm.state.into(),
                    firm.town.code.clone().into(),
                    firm.address.clone().into(),
                ]);
            }
            rows
        },
    }
}

/// A permit of a firm.
struct Permit {
    number: String,
    kind: &'static str,
    area: i64,
    issued: Date,
    expires: Date,
}

fn permits_of(firm: &Firm) -> Vec<Permit> {
    if !firm.active() {
        return Vec::new();
    }
    let mut draw = Draw::of(Stream::Permits, firm.number);
    let food = ["13", "51", "52", "62"].contains(&firm.industry.division);
    let mut kinds = Vec::new();
    if food && draw.chance(850) {
        kinds.push("食品经营许可证");
    }
    if firm.industry.division == "61" {
        kinds.extend(["特种行业许可证", "公共场所卫生许可证"]);
    }
    if firm.industry.division == "54" && draw.chance(800) {
        kinds.push("道路运输经营许可证");
    }
    if firm.industry.section == "E" && draw.chance(700) {
        kinds.push("安全生产许可证");
    }
    if firm.industry.division == "52" && draw.chance(400) {
        kinds.push("烟草专卖零售许可证");
    }
    let open = day_number(AS_OF) - day_number(firm.founded);
    let permit = |kind: &'static str| {
        let issued = ago(draw.between(1, open.min(1_700)));
        let term = if kind == "安全生产许可证" { 3 } else { 5 };
        Permit {
            number: permit_no(kind, firm, issued),
            kind,
            area: (draw.log_normal(70.0, 0.7) * 100.0) as i64,
            issued,
            expires: day(day_number(issued) + term * 365),
        }
    };
    kinds.into_iter().map(permit).collect()
}

/// A permit for food has 14 digits after JY, the last of them a check digit (GB/T 17710, MOD 11,10); the others are
/// numbered by county and year.
fn permit_no(kind: &str, firm: &Firm, issued: Date) -> String {
    let county = firm.county.code;
    match kind {
        "食品经营许可证" => {
            let form = if firm.industry.division == "62" { 2 } else { 1 };
            let body = format!("{form}{county}{:06}", firm.number % 1_000_000);
            format!("JY{body}{}", check_digit(&body))
        }
        _ => {
            let first = kind.chars().next().unwrap_or('许');
            format!("{}{first}许字〔{}〕第{:06}号", firm.county.name, issued.year(), firm.number % 1_000_000)
        }
    }
}

/// MOD 11,10 of GB/T 17710.
fn check_digit(body: &str) -> u32 {
    let mut product = 10;
    for digit in body.chars().filter_map(|c| c.to_digit(10)) {
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        product = sum * 2 % 11;
    }
    (11 - product) % 10
}

pub(super) fn permits() -> DemoResource {
    let open = DemoColumn::open;
    DemoResource {
        id: "permits",
        title: said("行政许可信息", "Permits"),
        what: said(
            "经营主体持有的行政许可：证号、许可类别、经营面积和有效期",
            "Permits of firms: number, kind, area of the premises and term",
        ),
        provider: "dali-prefecture-service-bureau",
        columns: vec![
            open("permit_no", Kind::Text, "许可证编号", "Permit number"),
            open("kind", Kind::Text, "许可类别", "Kind"),
            open("uscc", Kind::Text, "统一社会信用代码", "Credit code"),
            open("firm", Kind::Text, "持证主体", "Holder"),
            open("area", Kind::Decimal(2), "经营面积（平方米）", "Area in square metres"),
            open("issued_on", Kind::Date, "发证日期", "Issued on"),
            open("expires_on", Kind::Date, "有效期至", "Expires on"),
            open("division", Kind::Text, "区划代码", "Division code"),
        ],
        key: &["permit_no"],
        grade: Grade::General(1),
        entity: Some("uscc"),
        cycle: UpdateCycle::Daily,
        rows: 123,
        make: |round| {
            let row = |(firm, permit): (&Firm, Permit)| -> Row {
                vec![
                    permit.number.into(),
                    permit.kind.into(),
                    firm.uscc.clone().into(),
                    firm.name.clone().into(),
                    decimal(permit.area),
                    permit.issued.into(),
                    permit.expires.into(),
                    firm.town.code.clone().into(),
                ]
            };
            let permits = |firm| permits_of(firm).into_iter().map(move |permit| (firm, permit));
            round.firms.iter().flat_map(permits).map(row).collect()
        },
    }
}

/// A penalty of a firm.
struct Penalty {
    number: String,
    reason: &'static str,
    kind: &'static str,
    /// In fen; none for a warning.
    amount: Option<i64>,
    decided: Date,
}

fn penalties_of(firm: &Firm) -> Vec<Penalty> {
    let mut draw = Draw::of(Stream::Penalties, firm.number);
    let number = if firm.apart { 0 } else { draw.weighted(&[(0_u64, 76), (1, 16), (2, 6), (3, 2)]) };
    let open = day_number(AS_OF) - day_number(firm.founded);
    let penalty = |place: u64| {
        let reason = draw.weighted(&[
            ("经营超过保质期的食品", 24),
            ("未按规定明码标价", 22),
            ("未公示年度报告", 18),
            ("超出登记的经营范围经营", 10),
            ("未取得许可擅自经营", 8),
            ("发布虚假广告", 6),
            ("侵犯注册商标专用权", 7),
            ("使用未经检定的计量器具", 5),
        ]);
        let kind = draw.weighted(&[("罚款", 66), ("警告", 26), ("没收违法所得并罚款", 8)]);
        let decided = ago(draw.between(1, open.min(1_400)));
        let amount = ((draw.log_normal(2_800.0, 1.1) / 50.0) as i64).max(1) * 5_000;
        Penalty {
            number: format!(
                "{}市监罚〔{}〕{:06}-{}号",
                firm.county.name.chars().next().unwrap_or('大'),
                decided.year(),
                firm.number % 1_000_000,
                place + 1
            ),
            reason,
            kind,
            amount: (kind != "警告").then_some(amount),
            decided,
        }
    };
    (0..number).map(penalty).collect()
}

pub(super) fn penalties() -> DemoResource {
    let open = DemoColumn::open;
    DemoResource {
        id: "penalties",
        title: said("行政处罚信息", "Penalties"),
        what: said(
            "对经营主体的行政处罚：事由、种类、罚款金额和决定日期",
            "Penalties of firms: reason, kind, amount and day of the decision",
        ),
        provider: "dali-prefecture-market",
        columns: vec![
            open("decision_no", Kind::Text, "决定书文号", "Decision number"),
            open("uscc", Kind::Text, "统一社会信用代码", "Credit code"),
            open("firm", Kind::Text, "当事人", "Firm"),
            open("reason", Kind::Text, "违法事由", "Reason"),
            open("kind", Kind::Text, "处罚种类", "Kind"),
            open("amount", Kind::Decimal(2), "罚款金额（元）", "Amount in yuan"),
            open("decided_on", Kind::Date, "决定日期", "Decided on"),
            open("division", Kind::Text, "区划代码", "Division code"),
        ],
        key: &["decision_no"],
        grade: Grade::General(1),
        entity: Some("uscc"),
        cycle: UpdateCycle::Daily,
        rows: 59,
        make: |round| {
            let row = |(firm, penalty): (&Firm, Penalty)| -> Row {
                vec![
                    penalty.number.into(),
                    firm.uscc.clone().into(),
                    firm.name.clone().into(),
                    penalty.reason.into(),
                    penalty.kind.into(),
                    penalty.amount.map_or(Cell::Empty, decimal),
                    penalty.decided.into(),
                    firm.town.code.clone().into(),
                ]
            };
            let penalties = |firm| penalties_of(firm).into_iter().map(move |penalty| (firm, penalty));
            round.firms.iter().flat_map(penalties).map(row).collect()
        },
    }
}

pub(super) fn credit() -> DemoResource {
    let open = DemoColumn::open;
    DemoResource {
        id: "credit",
        title: said("企业公共信用综合评价", "Credit of firms"),
        what: said(
            "存续经营主体的公共信用评分、等级，以及计入评分的许可数和处罚数；不对个人评分",
            "Score and grade of firms in operation, with the permits and penalties counted; no person is scored",
        ),
        provider: "dali-prefecture-development-reform",
        columns: vec![
            open("uscc", Kind::Text, "统一社会信用代码", "Credit code"),
            open("name", Kind::Text, "名称", "Name"),
            open("permits", Kind::Integer, "行政许可数", "Permits"),
            open("penalties", Kind::Integer, "行政处罚数", "Penalties"),
            open("score", Kind::Integer, "信用评分", "Score"),
            open("grade", Kind::Text, "信用等级", "Grade"),
            open(
                "seriously_dishonest",
                Kind::Boolean,
                "是否严重失信主体",
                "On the list of the seriously dishonest",
            ),
            open("rated_on", Kind::Date, "评价日期", "Rated on"),
        ],
        key: &["uscc"],
        grade: Grade::General(2),
        entity: Some("uscc"),
        cycle: UpdateCycle::Quarterly,
        rows: 168,
        make: |round| {
            let mut rows = Vec::new();
            for firm in round.firms.iter().filter(|firm| firm.active()) {
                let mut draw = Draw::of(Stream::Credit, firm.number);
                let permits = i64::try_from(permits_of(firm).len()).unwrap_or(0);
                let penalties = i64::try_from(penalties_of(firm).len()).unwrap_or(0);
                let own = 780 + firms::age(firm).min(15) * 6 + permits * 8 + (draw.normal() * 45.0) as i64;
                let score = (own - penalties * 110).clamp(300, 1_000);
                rows.push(vec![
                    firm.uscc.clone().into(),
                    firm.name.clone().into(),
                    permits.into(),
                    penalties.into(),
                    score.into(),
                    grade(score).into(),
                    (score < 500 && penalties > 1).into(),
                    day(day_number(AS_OF) - 31).into(),
                ]);
            }
            rows
        },
    }
}

fn grade(score: i64) -> &'static str {
    match score {
        850.. => "A",
        700.. => "B",
        550.. => "C",
        _ => "D",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_of_a_permit_is_that_of_the_standard() {
        // ISO 7064 gives 0794 with its check character 5 for MOD 11,10.
        assert_eq!(check_digit("0794"), 5);
    }
}
