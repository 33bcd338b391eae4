//! What is refused, with the line and the reason.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::{content, edited};
use packs::{Pack, PackError};

const SHOP: &str = "items/individual-business-registration.yaml";
const ALLOWANCE: &str = "items/elderly-allowance.yaml";
const MARRIAGE: &str = "items/marriage-registration-appointment.yaml";

/// The mistakes after one replacement in one file; the text replaced must be there once.
fn mistakes_after(file: &str, from: &str, to: &str) -> Vec<PackError> {
    let result = edited(|name, text| {
        if name != file {
            return text;
        }
        assert_eq!(text.matches(from).count(), 1, "`{from}` must stand once in {file}");
        text.replacen(from, to, 1)
    });
    result.err().unwrap_or_default()
}

/// The line of a file in which a text stands first.
fn line_of(file: &Path, text: &str) -> u32 {
    let content = fs::read_to_string(file).unwrap();
    let line = content.lines().position(|line| line.contains(text)).unwrap();
    u32::try_from(line + 1).unwrap()
}

fn refused_file(name: &str) -> Vec<PackError> {
    Pack::load_with(&content(), &[content().join("refused").join(name)]).unwrap_err()
}

/// One replacement must bring exactly one mistake, of that code, on the line of `marker`.
#[track_caller]
fn check(file: &str, from: &str, to: &str, code: &str, marker: &str) {
    let mistakes = mistakes_after(file, from, to);
    let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let text = fs::read_to_string(content().join(file)).unwrap().replacen(from, to, 1);
    let line = text.lines().position(|line| line.contains(marker)).unwrap() + 1;
    assert_eq!(mistakes.len(), 1, "{shown:#?}");
    assert_eq!((mistakes[0].code, mistakes[0].line as usize), (code, line), "{shown:#?}");
    assert_eq!(mistakes[0].file, file);
    assert!(!mistakes[0].message_zh.is_ascii() && !mistakes[0].message_en.is_empty());
}

#[test]
fn an_item_is_refused_while_one_of_its_worked_examples_fails() {
    let mistakes = refused_file("failing-example.yaml");
    let line = line_of(&content().join("refused/failing-example.yaml"), "    expect: manual");
    assert_eq!(mistakes.len(), 1);
    assert_eq!((mistakes[0].code, mistakes[0].line, mistakes[0].column), ("pack.example_failed", line, 5));
    assert!(mistakes[0].message_zh.contains("七十九岁"));
    assert!(mistakes[0].message_en.contains("it says manual, it gives refuse (row 1)"));
}

#[test]
fn a_paper_that_the_government_holds_is_never_asked_for() {
    let file = content().join("refused/asks-for-held-paper.yaml");
    let mistakes = refused_file("asks-for-held-paper.yaml");
    let found: Vec<(&str, u32)> = mistakes.iter().map(|m| (m.code, m.line)).collect();
    assert_eq!(
        found,
        [
            ("pack.material_already_held", line_of(&file, "id: household-register")),
            ("pack.material_already_held", line_of(&file, "id: licence-copy")),
        ]
    );
    assert!(mistakes[0].message_en.contains("the shared source `household`"));
    assert!(mistakes[1].message_en.contains("the licence `business-licence`"));
    assert!(mistakes.iter().all(|m| m.message_zh.contains("国务院令716")));
}

#[test]
fn every_mistake_of_every_file_is_named_at_once() {
    let mistakes = edited(|name, text| match name {
        SHOP => text.replace("到现场次数: 0", "到现场次数: 很多\n不认识的键: 1"),
        "rules/marriage.yaml" => text.replacen("值: 22", "值: 二十二", 1),
        "node.yaml" => text.replacen("区划: \"532900\"", "区划: \"5329\"", 1),
        _ => text,
    })
    .unwrap_err();
    for (file, code) in [
        (SHOP, "pack.bad_value"),
        (SHOP, "pack.unknown_key"),
        ("rules/marriage.yaml", "pack.bad_value"),
        ("node.yaml", "pack.bad_value"),
    ] {
        assert!(mistakes.iter().any(|m| m.file == file && m.code == code), "{file} {code}");
    }
}

#[test]
fn a_promise_never_exceeds_the_statutory_limit() {
    check(
        "base/000131128000.yaml",
        "承诺: 3 个工作日",
        "承诺: 4 个工作日",
        "pack.promise_beyond_statute",
        "承诺: 4 个工作日",
    );
}

#[test]
fn an_instant_case_is_promised_within_a_day_and_one_visit() {
    check(ALLOWANCE, "承诺: 当场", "承诺: 2 个工作日", "pack.instant_case_too_slow", "承诺: 2 ");
    check(ALLOWANCE, "到现场次数: 0", "到现场次数: 2", "pack.instant_case_too_many_visits", "到现场次数: 2");
}

#[test]
fn every_decision_table_has_a_default_row() {
    let from = "其余:\n    则: 自动通过\n    因: {中文: 年满八十周岁且";
    let to = "无其余:\n    则: 自动通过\n    因: {中文: 年满八十周岁且";
    let mistakes = mistakes_after(ALLOWANCE, from, to);
    let codes: Vec<&str> = mistakes.iter().map(|m| m.code).collect();
    assert_eq!(codes, ["pack.missing_key", "pack.unknown_key"]);
}

#[test]
fn what_a_file_refers_to_must_exist() {
    for (file, from, to, code) in [
        (SHOP, "实施机关: dali-city-market", "实施机关: nowhere", "pack.unknown_reference"),
        (SHOP, "主题: [business, start-a-shop]", "主题: [business, nothing]", "pack.unknown_reference"),
        (SHOP, "  证照: business-licence", "  证照: nothing", "pack.unknown_reference"),
        (SHOP, "来源: person.phone", "来源: person.shoe_size", "pack.unknown_reference"),
        (ALLOWANCE, "核验: person_alive", "核验: person_happy", "pack.unknown_reference"),
        (ALLOWANCE, "程序: benefit", "程序: nothing", "pack.unknown_reference"),
        (
            MARRIAGE,
            "type: person_confirm, party: bride",
            "type: person_confirm, party: nobody",
            "pack.unknown_reference",
        ),
        (
            MARRIAGE,
            "    article: civil-1046\n  - id: age",
            "    article: civil-9\n  - id: age",
            "pack.unknown_basis",
        ),
        ("procedures/benefit.yaml", "role: benefit-approver", "role: wizard", "pack.unknown_reference"),
        (
            "procedures/benefit.yaml",
            "correction: general.correction_notice",
            "correction: general.nothing",
            "pack.unknown_reference",
        ),
        (
            "procedures/bad-review.yaml",
            "not_same_as: verify",
            "not_same_as: call-back",
            "pack.unknown_reference",
        ),
        (
            "licences/receipt.yaml",
            "claims: [case_no, item, received_on]",
            "claims: [case_no, colour]",
            "pack.unknown_reference",
        ),
        ("orgs/dali.yaml", "各角色: [auditor]", "各角色: [spy]", "pack.unknown_reference"),
        ("node.yaml", "审计机构: dali-prefecture-audit", "审计机构: nobody", "pack.unknown_reference"),
    ] {
        let mistakes = mistakes_after(file, from, to);
        assert!(mistakes.iter().any(|m| m.file == file && m.code == code), "{from} -> {to}: {mistakes:?}");
    }
}

#[test]
fn a_step_without_a_post_is_refused() {
    let mistakes = mistakes_after("orgs/dali.yaml", "各角色: [approver, registrar]", "各角色: [registrar]");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!((mistakes[0].code, mistakes[0].file.as_str()), ("pack.no_post_for_step", SHOP));
}

#[test]
fn a_local_file_never_loosens_its_national_base() {
    check(
        SHOP,
        "办件类型: 即办件\n时限:\n  法定: 3 个工作日\n  依据条款: registration-19\n  承诺: 当场",
        "办件类型: 承诺件\n时限:\n  法定: 4 个工作日\n  依据条款: registration-19\n  承诺: 当场",
        "pack.loosens_base",
        "法定: 4 个工作日",
    );
    check(SHOP, "渠道: [网上, 窗口, 自助终端]", "渠道: [网上]", "pack.loosens_base", "渠道: [网上]");
    check(SHOP, "  金额: 无", "  金额: 10元", "pack.loosens_base", "收费:");
    check(
        SHOP,
        "  - 编号: premises-proof\n    名称: {中文: 经营场所使用证明",
        "  - {编号: photo, 名称: {中文: 门面照片, 英文: Photo of the shop front}, 取自: {申请人: 上传}, 形式: [上传]}\n  - 编号: premises-proof\n    名称: {中文: 经营场所使用证明",
        "pack.loosens_base",
        "编号: photo",
    );
    check(
        SHOP,
        "    取自: {证照: real-estate-certificate, 申请人: 上传}",
        "    取自: {申请人: 上传}",
        "pack.loosens_base",
        "    取自: {申请人: 上传}",
    );
}

#[test]
fn a_local_file_may_drop_a_condition_or_add_a_channel() {
    let mistakes = mistakes_after(SHOP, "渠道: [网上, 窗口, 自助终端]", "渠道: [网上, 窗口, 快递, 电话]");
    assert!(mistakes.is_empty(), "{mistakes:?}");
}

#[test]
fn codes_keep_their_standards() {
    check("orgs/dali.yaml", "11532901MB0Y000608", "11532901MB0Y000609", "pack.bad_value", "MB0Y000609");
    check(
        "orgs/dali.yaml",
        "MB0Y001083\n    区划: \"532901102203\"",
        "MB0Y001083\n    区划: \"532901999203\"",
        "pack.unknown_reference",
        "532901999203",
    );
    check(
        "licences/receipt.yaml",
        "type_code: 11532900MB0Y00028E900",
        "type_code: 11532900MB0Y00028F900",
        "pack.bad_value",
        "type_code",
    );
    check(
        ALLOWANCE,
        "基本编码: \"530500033000\"",
        "基本编码: \"530100033000\"",
        "pack.code_mismatch",
        "530100033000",
    );
}

#[test]
fn dated_rules_never_overlap() {
    let again = "  - 编号: marriage.min_age.male\n    名称: {中文: 男方, 英文: Man}\n    值: 23\n    单位: 周岁\n    施行日: 2026-01-01\n    来源: {标题: {中文: 某, 英文: x}, 文号: {中文: 某, 英文: x}, 条款: {中文: 某, 英文: x}}\n    已核对: 否\n  - 编号: marriage.min_age.female";
    check(
        "rules/marriage.yaml",
        "  - 编号: marriage.min_age.female",
        again,
        "pack.rule_overlap",
        "施行日: 2026-01-01",
    );
}

#[test]
fn an_expression_names_only_what_is_declared_and_compares_like_with_like() {
    let row = "    - 当: 老人.年龄 < 规则(\"elderly.min_age\")";
    for (expression, code) in [
        ("老人.身高 < 2", "pack.expr_unknown_name"),
        ("老人.年龄 < 规则(\"elderly.max_age\")", "pack.expr_unknown_name"),
        ("执行(老人.年龄) < 2", "pack.expr_unknown_name"),
        ("老人.年龄 < \"八十\"", "pack.expr_type"),
        ("老人.姓名 < 80", "pack.expr_type"),
        ("老人.年龄", "pack.expr_type"),
        ("老人.年龄 < ", "pack.expr_syntax"),
        ("老人.年龄 < 80; 1", "pack.expr_syntax"),
    ] {
        let to = format!("    - 当: '{expression}'");
        check(ALLOWANCE, row, &to, code, &to);
    }
}

#[test]
fn hostile_expressions_are_refused_before_they_run() {
    let row = "    - 当: 老人.年龄 < 规则(\"elderly.min_age\")";
    let deep = format!("{}老人.健在{}", "（".repeat(400), "）".repeat(400));
    let wide = vec!["老人.健在"; 150].join(" 且 ");
    let nots = format!("{}老人.健在", "非 ".repeat(300));
    let list = format!("老人.姓名 属于 [{}]", vec!["\"甲\""; 100].join("，"));
    for hostile in [deep, wide, nots, list] {
        let to = format!("    - 当: '{hostile}'");
        check(ALLOWANCE, row, &to, "pack.expr_too_large", &to);
    }
}

#[test]
fn hostile_files_are_refused() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh"] {
        let (before, after) = pair.split_at(1);
        writeln!(bomb, "{after}: &{after} [{}]", vec![format!("*{before}"); 9].join(",")).unwrap();
    }
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep_block: String = (0..500).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    let huge = format!("编号: x\n名称: {}\n", "长".repeat(400_000));
    let many = format!("x: [{}]", vec!["1"; 100_000].join(","));
    for (name, text, code) in [
        ("bomb", bomb.as_str(), "pack.yaml_budget"),
        ("deep", deep.as_str(), "pack.yaml_budget"),
        ("deep-block", deep_block.as_str(), "pack.yaml_budget"),
        ("huge", huge.as_str(), "pack.too_large"),
        ("many", many.as_str(), "pack.yaml_budget"),
        ("tag", "编号: !!python/object x\n", "pack.yaml_tag"),
        ("merge", "编号: x\n<<: {名称: x}\n", "pack.yaml_merge_key"),
        ("binary", "编号: \"\u{1}\"\n", "pack.yaml_syntax"),
        ("empty", "", "pack.wrong_type"),
        ("scalar", "42", "pack.wrong_type"),
        ("two", "编号: x\n---\n编号: y\n", "pack.yaml_budget"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{name}.yaml"));
        fs::write(&path, text).unwrap();
        let mistakes = Pack::load_with(&content(), &[path]).unwrap_err();
        let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert!(mistakes.iter().any(|m| m.code == code), "{name}: {shown:.300?}");
    }
}

#[test]
fn authors_write_no_markup_and_no_hidden_characters() {
    for text in ["<script>alert(1)</script>", "a<b onclick=x>", "</p>", "abc\u{202e}def", "zero\u{200b}width"]
    {
        let mistakes =
            mistakes_after(ALLOWANCE, "名称: {中文: 高龄津贴申领,", &format!("名称: {{中文: \"{text}\","));
        assert_eq!(mistakes.len(), 1, "{text}: {mistakes:?}");
        assert_eq!(mistakes[0].code, "pack.bad_text");
    }
}

#[test]
fn a_key_stands_once_whichever_language_it_is_in() {
    check(ALLOWANCE, "到现场次数: 0", "到现场次数: 0\nvisits: 0", "pack.duplicate_key", "visits: 0");
}

#[test]
fn a_folder_without_content_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mistakes = Pack::load(folder.path()).unwrap_err();
    assert_eq!(mistakes[0].code, "pack.no_node");
    let mistakes = Pack::load(&folder.path().join("nowhere")).unwrap_err();
    assert_eq!(mistakes[0].code, "pack.unreadable");
    fs::create_dir(folder.path().join("itmes")).unwrap();
    let mistakes = Pack::load(folder.path()).unwrap_err();
    assert!(mistakes.iter().any(|m| m.code == "pack.unknown_kind"));
}
