//! Expressions are total, three-valued, printable and the same in both languages.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::BTreeMap;

use packs::Rules;
use packs::expr::{Env, Expr, ExprErrorKind, FactInfo, FactType, Facts, Known, Scope, Value};
use packs::model::{RuleRow, RuleSource, RuleUnit, Words};
use proptest::prelude::*;

fn scope() -> Scope {
    let units =
        BTreeMap::from([("age.least".to_owned(), RuleUnit::YearsOfAge), ("pay".to_owned(), RuleUnit::Fen)]);
    let mut scope = Scope::new(units);
    let options =
        vec![("red".to_owned(), Words::new("红", "red")), ("blue".to_owned(), Words::new("蓝", "blue"))];
    for (id, alias, kind) in [
        ("a", "甲", FactType::Boolean),
        ("b", "乙", FactType::Boolean),
        ("c", "丙", FactType::Boolean),
        ("n", "数", FactType::Number),
        ("m", "钱", FactType::Money),
        ("d", "日子", FactType::Date),
        ("t", "文字", FactType::Text),
        ("l", "单子", FactType::List),
        ("who.id", "本人.身份证号", FactType::Text),
    ] {
        let info = FactInfo { kind, label: Words::new(alias, id), options: Vec::new() };
        scope.declare(id, Some(alias), info).unwrap();
    }
    let colour = FactInfo { kind: FactType::Text, label: Words::new("颜色", "colour"), options };
    scope.declare("colour", Some("颜色"), colour).unwrap();
    scope
}

fn rules() -> Rules {
    let words = |s: &str| Words::new(s, s);
    let source = RuleSource { title: words("t"), number: words("n"), clause: words("c") };
    let row = |id: &str, value, unit, from: &str, to: Option<&str>| RuleRow {
        id: id.to_owned(),
        name: words(id),
        value,
        unit,
        effective_from: from.parse().unwrap(),
        effective_to: to.map(|day| day.parse().unwrap()),
        source: source.clone(),
        verified: false,
        note: None,
    };
    Rules::new([
        row("age.least", 16, RuleUnit::YearsOfAge, "2020-01-01", Some("2025-12-31")),
        row("age.least", 18, RuleUnit::YearsOfAge, "2026-01-01", None),
        row("pay", 8_000, RuleUnit::Fen, "2020-01-01", None),
    ])
}

fn answer(text: &str, facts: &Facts, today: &str) -> Option<Value> {
    let rules = rules();
    let env = Env { today: today.parse().unwrap(), rules: &rules };
    Expr::parse(text, &scope()).unwrap().eval(&Known::new(facts, env)).unwrap().value
}

fn truth(text: &str, facts: &Facts) -> Option<bool> {
    match answer(text, facts, "2026-11-24") {
        Some(Value::Boolean(b)) => Some(b),
        _ => None,
    }
}

/// Kleene's tables, written down on their own.
fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    and(a.map(|x| !x), b.map(|x| !x)).map(|x| !x)
}

#[test]
fn three_valued_logic_holds_for_every_combination() {
    let values = [Some(true), Some(false), None];
    for a in values {
        for b in values {
            for c in values {
                let mut facts = Facts::new();
                for (id, value) in [("a", a), ("b", b), ("c", c)] {
                    if let Some(value) = value {
                        facts.set(id, Value::Boolean(value));
                    }
                }
                let not = |x: Option<bool>| x.map(|x| !x);
                for (text, wanted) in [
                    ("a and b and c", and(and(a, b), c)),
                    ("a or b or c", or(or(a, b), c)),
                    ("a or b and c", or(a, and(b, c))),
                    ("(a or b) and c", and(or(a, b), c)),
                    ("not a and b", and(not(a), b)),
                    ("not (a and b) or not c", or(not(and(a, b)), not(c))),
                    ("a = b", a.zip(b).map(|(a, b)| a == b)),
                ] {
                    assert_eq!(truth(text, &facts), wanted, "{text} with {a:?} {b:?} {c:?}");
                }
            }
        }
    }
}

#[test]
fn chinese_and_ascii_spellings_print_the_same() {
    let scope = scope();
    for (zh, en) in [
        ("数 ≥ 16 且 非 甲", "n >= 16 and not a"),
        ("数 不小于 16 且 （乙 或 丙）", "n >= 16 and (b or c)"),
        ("数 不超过 3.5", "n <= 3.50"),
        ("钱 大于 80元", "m > 80.00yuan"),
        ("钱 = 规则(“pay”)", "m = rule.pay"),
        ("日子 不等于 2026-03-01", "d != 2026-03-01"),
        ("文字 含 “海”", "t contains '海'"),
        ("单子 含任一 【“x”，“y”】", "l contains_any [x, y]"),
        ("文字 属于 [“x”、“y”]", "t in [\"x\", 'y']"),
        ("文字 含 “a'b”", "t contains \"a'b\""),
        ("文字 为空 或 单子 不为空", "t is empty or l is not empty"),
        (
            "年龄(出生日期(本人.身份证号)) < 规则(“age.least”)",
            "age(birth_date(who.id)) < rule(\"age.least\")",
        ),
        ("相隔天数(日子，今天) > 30", "days_between(d, today()) > 30"),
        ("计数(单子) = 0", "count(l) == 0"),
        ("开头为(文字, “5329”)", "starts_with(t, \"5329\")"),
        ("甲 等于 是", "a = true"),
        ("颜色 = red", "colour = \"red\""),
        ("颜色 属于 [red, blue]", "colour in [\"red\", \"blue\"]"),
    ] {
        let (zh_expr, en_expr) = (Expr::parse(zh, &scope).unwrap(), Expr::parse(en, &scope).unwrap());
        assert_eq!(zh_expr.to_string(), en_expr.to_string());
        assert_eq!(Expr::parse(&zh_expr.to_string(), &scope).unwrap(), zh_expr, "{zh}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_sort() {
    use ExprErrorKind::{Name, Syntax, TooLarge, Type};
    let long = "甲 或 ".repeat(400) + "甲";
    for (text, kind) in [
        ("x", Name),
        ("rule.nothing > 1", Name),
        ("system(t)", Name),
        ("n < t", Type),
        ("m > 80", Type),
        ("a < b", Type),
        ("l = l", Type),
        ("n is empty", Type),
        ("not n", Type),
        ("age(t)", Type),
        ("count(l, l)", Type),
        ("n in [1, \"2\"]", Type),
        ("colour = \"green\"", Type),
        ("colour in [green]", Type),
        ("t in []", Type),
        ("", Syntax),
        ("a and", Syntax),
        ("(a", Syntax),
        ("a b", Syntax),
        ("n < 1 < 2", Syntax),
        ("t = \"x", Syntax),
        ("t = “a\"b'c”", Syntax),
        ("n > 1.23456", Syntax),
        ("d > 2026-13-01", Syntax),
        ("n + 1 > 2", Syntax),
        ("a; b", Syntax),
        ("n > 80岁", Syntax),
        ("rule(n) > 1", Syntax),
        ("a..b", Syntax),
        (long.as_str(), TooLarge),
    ] {
        assert_eq!(Expr::parse(text, &scope()).map_err(|e| e.kind), Err(kind), "{text}");
    }
}

#[test]
fn a_fact_is_declared_once_and_never_with_a_reserved_name() {
    let mut scope = scope();
    let info = || FactInfo { kind: FactType::Text, label: Words::new("某", "x"), options: Vec::new() };
    for (id, alias) in [
        ("a", None),
        ("x", Some("甲")),
        ("and", None),
        ("x", Some("且")),
        ("age", None),
        ("rule.x", None),
        ("a b", None),
        ("1x", None),
        ("x-y", None),
        ("", None),
    ] {
        assert!(scope.declare(id, alias, info()).is_err(), "{id} {alias:?}");
    }
}

#[test]
fn functions_have_an_answer_or_none() {
    let mut facts = Facts::new();
    facts
        .set("who.id", Value::Text("532901200402290022".into()))
        .set("d", Value::Date("2004-02-29".parse().unwrap()))
        .set("l", Value::List(vec!["x".into(), "y".into()]))
        .set("t", Value::Text("532901".into()));
    for (text, today, wanted) in [
        ("age(d)", "2026-02-28", Value::whole(21)),
        ("age(d)", "2026-03-01", Value::whole(22)),
        ("age(d)", "2004-02-28", None),
        ("age(birth_date(who.id))", "2026-11-24", Value::whole(22)),
        ("sex(who.id)", "2026-11-24", Some(Value::Text("female".into()))),
        ("birth_date(t)", "2026-11-24", None),
        ("days_between(d, today)", "2004-03-01", Value::whole(1)),
        ("count(l)", "2026-11-24", Value::whole(2)),
        ("starts_with(t, \"5329\")", "2026-11-24", Some(Value::Boolean(true))),
        ("rule.age.least", "2025-12-31", Value::whole(16)),
        ("rule.age.least", "2026-01-01", Value::whole(18)),
        ("rule.pay", "2026-01-01", Some(Value::Money(8_000))),
        ("m", "2026-01-01", None),
    ] {
        assert_eq!(answer(text, &facts, today), wanted, "{text} on {today}");
    }
}

#[test]
fn an_endless_list_ends_in_an_error() {
    let mut facts = Facts::new();
    facts.set("l", Value::List(vec!["z".to_owned(); 200_000]));
    let rules = rules();
    let env = Env { today: "2026-11-24".parse().unwrap(), rules: &rules };
    let expr = Expr::parse("l contains_any [x, y]", &scope()).unwrap();
    assert_eq!(expr.eval(&Known::new(&facts, env)), Err(packs::expr::EvalError::TooManySteps));
}

#[test]
fn an_answer_explains_itself_in_both_languages() {
    let mut facts = Facts::new();
    facts.set("n", Value::whole(15).unwrap()).set("colour", Value::Text("blue".into()));
    let rules = rules();
    let env = Env { today: "2026-11-24".parse().unwrap(), rules: &rules };
    let scope = scope();
    let known = Known::new(&facts, env);
    let said = |text: &str| Expr::parse(text, &scope).unwrap().eval(&known).unwrap();
    let sentence = said("n < rule.age.least and not colour = red").sentence();
    assert_eq!(sentence.zh, "数（15）小于age.least（18 周岁），且并非（颜色（蓝）是红）：是");
    assert_eq!(
        sentence.en,
        "n (15) is less than age.least (18 years of age) and not (colour (blue) is red): yes"
    );
    let unknown = said("n < 16 and (a or t is empty)");
    assert_eq!((unknown.truth(), unknown.missing()), (None, vec!["a", "t"]));
    assert!(unknown.sentence().zh.ends_with("尚不清楚"));
    assert_eq!(said("n < 16 or a").missing(), Vec::<&str>::new());
}

/// Condition texts of every form, over facts that may be known or not.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("乙".to_owned()),
        (-200_i64..200).prop_map(|n| format!("n >= {n}")),
        (0_i64..10_000).prop_map(|n| format!("m < {}.{:02}yuan", n / 100, n % 100)),
        Just("age(d) < rule.age.least".to_owned()),
        Just("age(birth_date(who.id)) 不小于 18".to_owned()),
        Just("t contains \"海\"".to_owned()),
        Just("l contains_any [x, y]".to_owned()),
        Just("l 为空".to_owned()),
        Just("colour in [red]".to_owned()),
        Just("days_between(d, today) > 30".to_owned()),
        Just("sex(who.id) = \"male\"".to_owned()),
        Just("count(l) = 2".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("({x} and {y})")),
            (inner.clone(), inner.clone()).prop_map(|(x, y)| format!("（{x} 或 {y}）")),
            inner.prop_map(|x| format!("not ({x})")),
        ]
    })
}

/// Any fact may be missing, and may even have a value of another type than declared.
fn any_facts() -> impl Strategy<Value = Facts> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::Boolean),
        (-1_000_i64..1_000).prop_map(|n| Value::whole(n).unwrap()),
        any::<i64>().prop_map(Value::Money),
        (1_i16..9999, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| Value::Date(jiff::civil::date(y, m, d))),
        "\\PC{0,20}".prop_map(Value::Text),
        "[0-9]{17}[0-9X]".prop_map(Value::Text),
        proptest::collection::vec("[xyz]", 0..5).prop_map(Value::List),
    ];
    let id = proptest::sample::select(vec!["a", "b", "n", "m", "d", "t", "l", "who.id", "colour"]);
    proptest::collection::btree_map(id.prop_map(str::to_owned), value, 0..9)
        .prop_map(|facts| facts.into_iter().collect())
}

/// Facts of the declared types only.
fn typed_facts() -> impl Strategy<Value = Facts> {
    any_facts().prop_map(|facts| {
        let scope = scope();
        let typed = facts.iter().filter(|(id, v)| scope.resolve(id).is_some_and(|(_, i)| i.kind == v.kind()));
        typed.map(|(id, v)| (id.to_owned(), v.clone())).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn every_evaluation_ends_with_an_answer_or_with_what_is_missing(text in condition(), facts in any_facts()) {
        let rules = rules();
        let env = Env { today: "2026-11-24".parse().unwrap(), rules: &rules };
        let explained = Expr::condition(&text, &scope()).unwrap().eval(&Known::new(&facts, env)).unwrap();
        prop_assert_eq!(explained.value.is_none(), !explained.missing().is_empty());
        let said = explained.sentence();
        prop_assert!(!said.zh.is_empty() && !said.en.is_empty());
    }

    #[test]
    fn printing_and_parsing_again_changes_nothing(text in condition()) {
        let scope = scope();
        let expr = Expr::parse(&text, &scope).unwrap();
        let again = Expr::parse(&expr.to_string(), &scope).unwrap();
        prop_assert_eq!(again.to_string(), expr.to_string());
        prop_assert_eq!(again, expr);
    }

    #[test]
    fn learning_more_never_turns_an_answer_round(text in condition(), facts in typed_facts(), more in typed_facts()) {
        let rules = rules();
        let env = Env { today: "2026-11-24".parse().unwrap(), rules: &rules };
        let expr = Expr::condition(&text, &scope()).unwrap();
        let before = expr.eval(&Known::new(&facts, env)).unwrap().truth();
        let merged: Facts = more.iter().chain(facts.iter()).map(|(id, v)| (id.to_owned(), v.clone())).collect();
        let after = expr.eval(&Known::new(&merged, env)).unwrap().truth();
        prop_assert!(before.is_none() || before == after);
    }

    #[test]
    fn no_text_makes_the_parser_fall_over(text in "\\PC{0,60}|[a-z甲乙且或非()\\[\\]<>=\"., 0-9元]{0,60}") {
        if let Ok(expr) = Expr::parse(&text, &scope()) {
            prop_assert!(Expr::parse(&expr.to_string(), &scope()).is_ok());
        }
    }

    #[test]
    fn a_value_survives_its_json(facts in typed_facts()) {
        prop_assert_eq!(Facts::from_json(&scope(), &facts.to_json()).unwrap(), facts);
    }
}
