//! The search finds what people look for in the words that they use.

use services::catalogue::{Catalogue, Why};

const SHOP: &str = "individual-business-registration";
const MARRIAGE: &str = "marriage-registration-appointment";
const ALLOWANCE: &str = "elderly-allowance";

fn first(question: &str) -> Option<String> {
    let catalogue = Catalogue::of(&crate::common::pack());
    catalogue.search(question, None, None).first().map(|hit| hit.item.id.clone())
}

fn check(question: &str, wanted: &str) {
    let catalogue = Catalogue::of(&crate::common::pack());
    let hits = catalogue.search(question, None, None);
    let found: Vec<_> = hits.iter().map(|hit| (hit.item.id.as_str(), hit.score, &hit.why)).collect();
    assert_eq!(hits.first().map(|hit| hit.item.id.as_str()), Some(wanted), "`{question}`: {found:?}");
}

#[test]
fn everyday_words_find_the_service() {
    for question in [
        "开个小店",
        "我想开个小店",
        "摆摊",
        "在夜市摆个地摊要办什么",
        "开小卖部",
        "个体户",
        "营业执照怎么办",
        "做点小生意",
        "网店",
        "民宿",
        "个体工商户设立登记",
        "工商注册",
    ] {
        check(question, SHOP);
    }
    for question in ["领结婚证", "结婚", "我要结婚", "民政局预约", "扯证", "婚", "结婚登记怎么约时间"]
    {
        check(question, MARRIAGE);
    }
    for question in ["老人补贴", "80岁老人有什么补助", "奶奶九十岁了能领钱吗", "高龄津贴", "敬老", "长寿"]
    {
        check(question, ALLOWANCE);
    }
}

#[test]
fn english_finds_it_too() {
    check("open a shop", SHOP);
    check("How do I start a small business?", SHOP);
    check("business licence", SHOP);
    check("get married", MARRIAGE);
    check("marriage certificates", MARRIAGE);
    check("elderly allowance", ALLOWANCE);
    check("old people benefits", ALLOWANCE);
}

#[test]
fn a_wrong_character_a_wrong_letter_and_pinyin_still_find_it() {
    check("结昏登记", MARRIAGE);
    check("个体工伤户", SHOP);
    check("高玲津贴", ALLOWANCE);
    check("mariage", MARRIAGE);
    check("alowance", ALLOWANCE);
    check("jiehun", MARRIAGE);
    check("gaolingjintie", ALLOWANCE);
    check("gtgsh", SHOP);
}

#[test]
fn what_has_nothing_to_do_with_any_service_finds_nothing() {
    for question in ["量子物理", "xyzzy", "！！！", " ", "zzzzzzzzzzzzzzzzzz"] {
        assert_eq!(first(question).filter(|_| !question.trim().is_empty()), None, "{question}");
    }
}

#[test]
fn a_short_list_that_fits_beats_a_long_one() {
    let catalogue = Catalogue::of(&crate::common::pack());
    let hits = catalogue.search("开个小店", None, None);
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert!(
        matches!(hits.first().map(|hit| &hit.why), Some(Why::Keyword(word)) if word.contains("小店")),
        "{hits:?}"
    );
}

#[test]
fn a_hostile_question_costs_no_more_than_another() {
    let catalogue = Catalogue::of(&crate::common::pack());
    let long = "店".repeat(100_000);
    catalogue.search(&long, None, None);
    catalogue.search("\u{0}\u{202e}%';--<script>", None, None);
    assert!(catalogue.suggest(&long).is_empty());
}

#[test]
fn suggestions_begin_like_what_was_typed() {
    let catalogue = Catalogue::of(&crate::common::pack());
    let suggested = catalogue.suggest("开");
    assert!(suggested.iter().any(|word| word == "开个小店"), "{suggested:?}");
    assert!(suggested.iter().all(|word| word.starts_with('开')), "{suggested:?}");
    assert!(catalogue.suggest("jieh").iter().any(|word| word == "结婚"));
    assert!(catalogue.suggest("").is_empty());
}

#[test]
fn a_theme_and_an_audience_narrow_the_list() {
    let catalogue = Catalogue::of(&crate::common::pack());
    let of = |theme| {
        catalogue.search("", Some(theme), None).iter().map(|hit| hit.item.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("get-married"), [MARRIAGE]);
    assert_eq!(of("start-a-shop"), [SHOP]);
    let for_firms = catalogue.search("", None, Some(packs::model::Audience::Enterprise));
    assert!(for_firms.is_empty(), "{for_firms:?}");
}
