//! The content that ships loads without a mistake and says what it should.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{content, edited};
use packs::expr::{Env, Facts, Value};
use packs::{Item, Pack, Versioned, content_hash};
use serde_json::{Map, Value as Json, json};

fn shipped() -> Pack {
    Pack::load(&content()).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

#[test]
fn every_shipped_file_loads_and_every_example_holds() {
    let pack = shipped();
    let ids: Vec<&str> = pack.items().map(|item| item.id.as_str()).collect();
    assert_eq!(
        ids,
        ["elderly-allowance", "individual-business-registration", "marriage-registration-appointment"]
    );
    for item in pack.items() {
        assert!(item.failing_examples(pack.rules()).is_empty());
        assert!(item.examples.len() >= 8, "{}", item.id);
    }
    assert_eq!(pack.node().division, "532900");
    assert_eq!(pack.procedures().count(), 5);
    assert_eq!(pack.licence_types().count(), 6);
    assert_eq!(pack.versions().count(), 14);
    let (org, post) = pack.post("dali-market-approver").unwrap();
    assert_eq!((org.code.as_str(), post.name.zh.as_str()), ("dali-city-market", "核准岗"));
}

#[test]
fn a_local_item_takes_over_what_it_does_not_say() {
    let pack = shipped();
    let item = pack.item("individual-business-registration").unwrap();
    assert_eq!(item.catalog_code, "000131128000");
    assert_eq!(item.procedure, "registration-confirmation");
    assert_eq!(item.conditions.len(), 2);
    assert!(item.legal_basis.iter().any(|b| b.id == "civil-18"));
    assert_eq!(item.limits.statutory.unwrap().words().en, "3 working days");
    assert_eq!(item.limits.promised.words().zh, "当场");
}

#[test]
fn citizen_numbers_in_examples_are_well_formed() {
    let divisions = kernel::division::Divisions::embedded();
    let mut seen = 0;
    for item in shipped().items() {
        for example in &item.examples {
            for (id, value) in example.given.iter().filter(|(id, _)| id.ends_with("citizen_id")) {
                let number = value.as_str().unwrap();
                let parsed = kernel::citizen_id::CitizenId::parse(number, example.today, divisions);
                assert!(parsed.is_ok(), "{} {id} {number}", item.id);
                seen += 1;
            }
        }
    }
    assert!(seen > 5);
}

#[test]
fn everyday_words_lead_to_the_item() {
    let pack = shipped();
    for (word, id) in [
        ("开个小店", "individual-business-registration"),
        ("领证", "marriage-registration-appointment"),
        ("老人补贴", "elderly-allowance"),
    ] {
        assert!(pack.item(id).unwrap().search_terms().contains(&word), "{word}");
    }
}

#[test]
fn a_stored_version_compiles_to_the_same_item_without_the_files() {
    let pack = shipped();
    for item in pack.items() {
        let stored = item.version().canonical_json.clone();
        let again = Item::from_canonical(&stored).unwrap();
        assert_eq!(again.hash(), item.hash());
        assert_eq!(content_hash(&stored), item.hash());
        assert_eq!(again.decision_table(), item.decision_table());
        assert!(again.failing_examples(pack.rules()).is_empty());
    }
    for procedure in pack.procedures() {
        let again: Versioned<packs::model::Procedure> =
            Versioned::from_canonical(&procedure.version().canonical_json).unwrap();
        assert_eq!(&again, procedure);
    }
    assert!(Item::from_canonical("{}").is_err());
    let stored = &pack.items().next().unwrap().version().canonical_json;
    let broken = stored.replace("rule(\\\"elderly.min_age\\\")", "rule(\\\"elderly.no_such_rule\\\")");
    assert_ne!(stored, &broken);
    assert!(Item::from_canonical(&broken).unwrap_err().to_string().contains("/decision/rows/0/when"));
}

#[test]
fn a_decision_carries_its_reasons_articles_rules_and_table() {
    let pack = shipped();
    let item = pack.item("elderly-allowance").unwrap();
    let mut facts = Facts::new();
    facts
        .set("elder.citizen_id", Value::Text("532901193611240017".into()))
        .set("elder.household_division", Value::Text("532901003".into()))
        .set("elder.alive", Value::Boolean(true))
        .set("elder.already_paid", Value::Boolean(false));
    let env = Env { today: "2026-11-24".parse().unwrap(), rules: pack.rules() };
    let decision = item.decide(&facts, env).unwrap();
    assert_eq!(decision.outcome.as_deref(), Some("auto_approve"));
    assert_eq!(decision.row, Some(6));
    assert_eq!(decision.values["monthly_amount"], Value::Money(10_000));
    assert_eq!(decision.article.as_ref().unwrap().id, "dali-rules-4");
    assert_eq!(decision.table, item.decision_table().hash());
    let used: Vec<(&str, bool)> = decision.rules.iter().map(|r| (r.id.as_str(), r.verified)).collect();
    assert!(used.contains(&("elderly.amount.second_band", false)), "{used:?}");
    assert_eq!(decision.reasons[0].zh, "老人年龄（90）小于高龄津贴起领年龄（80 周岁）：否");
    assert_eq!(
        decision.reasons[0].en,
        "Age (90) is less than Age from which the allowance is paid (80 years of age): no"
    );
    let kept: packs::table::Decision =
        serde_json::from_str(&serde_json::to_string(&decision).unwrap()).unwrap();
    assert_eq!(kept, decision);
}

#[test]
fn an_applicant_cannot_set_a_derived_fact() {
    let pack = shipped();
    let item = pack.item("elderly-allowance").unwrap();
    let mut facts = Facts::new();
    facts
        .set("elder.citizen_id", Value::Text("532901199611240014".into()))
        .set("elder.age", Value::whole(120).unwrap());
    let env = Env { today: "2026-11-24".parse().unwrap(), rules: pack.rules() };
    assert_eq!(item.decide(&facts, env).unwrap().outcome.as_deref(), Some("auto_refuse"));
    // Not even where the derivation has no answer.
    facts.set("elder.citizen_id", Value::Text("not a number".into()));
    let decision = item.decide(&facts, env).unwrap();
    assert_eq!((decision.outcome, decision.missing), (None, vec!["elder.citizen_id".to_owned()]));
}

#[test]
fn outside_its_term_a_rule_gives_an_error_and_not_a_guess() {
    let pack = shipped();
    let item = pack.item("marriage-registration-appointment").unwrap();
    let env = Env { today: "1999-01-01".parse().unwrap(), rules: pack.rules() };
    let mut facts = Facts::new();
    facts
        .set("groom.citizen_id", Value::Text("532901199805200010".into()))
        .set("bride.citizen_id", Value::Text("532901200003080024".into()));
    let error = item.decide(&facts, env).unwrap_err();
    assert_eq!(error.to_string(), "the rule `marriage.min_age.male` is not in force on 1999-01-01");
}

#[test]
fn pages_and_materials_follow_their_conditions() {
    let pack = shipped();
    let item = pack.item("individual-business-registration").unwrap();
    let env = Env { today: "2026-11-24".parse().unwrap(), rules: pack.rules() };
    let mut facts = Facts::new();
    assert_eq!(item.page_shown("who", &facts, env), Ok(Some(true)));
    assert_eq!(item.page_shown("premises-proof", &facts, env), Ok(None));
    facts.set("shop.place_kind", Value::Text("online".into()));
    assert_eq!(item.page_shown("premises-proof", &facts, env), Ok(Some(false)));
    assert_eq!(item.material_required("premises-proof", &facts, env), Ok(Some(false)));
    facts.set("shop.place_kind", Value::Text("own".into()));
    // On own premises the certificate proves it; a paper is asked for once the address is another.
    assert_eq!(item.material_required("premises-proof", &facts, env), Ok(Some(true)));
    assert_eq!(item.page_shown("premises-proof", &facts, env), Ok(None));
    facts.set("shop.address.changed", Value::Boolean(true));
    assert_eq!(item.page_shown("premises-proof", &facts, env), Ok(Some(true)));
    assert_eq!(item.material_required("identity", &facts, env), Ok(Some(true)));
}

#[test]
fn facts_from_json_are_declared_and_typed() {
    let pack = shipped();
    let scope = pack.item("individual-business-registration").unwrap().scope().clone();
    let object = |json: Json| json.as_object().unwrap().clone();
    let facts = Facts::from_json(
        &scope,
        &object(json!({"shop.name": "苍洱小馆", "经营范围": ["retail"], "operator.declares": true, "shop.address": null})),
    )
    .unwrap();
    assert_eq!(facts.get("shop.scope"), Some(&Value::List(vec!["retail".into()])));
    assert_eq!(facts.get("shop.address"), None);
    assert_eq!(Facts::from_json(&scope, &facts.to_json()).unwrap(), facts);
    assert!(Facts::from_json(&scope, &object(json!({"shop.colour": "red"}))).is_err());
    assert!(Facts::from_json(&scope, &object(json!({"shop.name": 3}))).is_err());
}

#[test]
fn chinese_and_english_keys_give_the_same_versions() {
    let hashes = |pack: &Pack| -> BTreeMap<String, String> {
        pack.versions().map(|v| (format!("{}/{}", v.kind, v.id), v.hash.clone())).collect()
    };
    let wanted = hashes(&shipped());
    for column in [0, 1] {
        let translated = edited(|name, text| {
            if !name.ends_with(".yaml") {
                return text;
            }
            // JSON is YAML, so the translated tree needs no other writer.
            let tree: Json = serde_saphyr::from_str(&text).unwrap();
            serde_json::to_string_pretty(&translate(&tree, column)).unwrap()
        })
        .unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert_eq!(hashes(&translated), wanted);
    }
}

/// Every key in the language of the column, but for mappings whose keys are ids.
fn translate(tree: &Json, column: usize) -> Json {
    match tree {
        Json::Object(object) => {
            let mut translated = Map::new();
            for (key, value) in object {
                let pair = packs::KEYS.iter().find(|(en, zh)| en == key || zh == key);
                let name = pair.map_or(key.as_str(), |(en, zh)| [*en, *zh][column]);
                let en = pair.map_or(key.as_str(), |(en, _)| *en);
                let free = matches!(en, "given" | "values") || en == "fields" && value.is_object();
                let value = if free { value.clone() } else { translate(value, column) };
                translated.insert(name.to_owned(), value);
            }
            Json::Object(translated)
        }
        Json::Array(items) => items.iter().map(|item| translate(item, column)).collect(),
        scalar => scalar.clone(),
    }
}

#[test]
fn the_schemas_for_editors_are_current_and_accept_what_ships() {
    for (name, text) in packs::schema::files() {
        let kept = fs::read_to_string(content().join("schema").join(&name)).unwrap_or_default();
        assert_eq!(kept, text, "run `cargo run -p packs --example schema`");
    }
    for (folder, schema) in [
        ("items", "item"),
        ("base", "base"),
        ("procedures", "procedure"),
        ("licences", "licence"),
        ("sharing", "sharing"),
        ("orgs", "orgs"),
        ("rules", "rules"),
        ("refused", "item"),
    ] {
        let validator = validator(schema);
        for entry in fs::read_dir(content().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let tree: Json = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            for column in [0, 1] {
                let errors: Vec<String> =
                    validator.iter_errors(&translate(&tree, column)).map(|e| e.to_string()).collect();
                assert!(errors.is_empty(), "{}: {errors:.500?}", path.display());
            }
        }
    }
    let node: Json =
        serde_saphyr::from_str(&fs::read_to_string(content().join("node.yaml")).unwrap()).unwrap();
    assert!(validator("node").is_valid(&node));
    assert!(!validator("node").is_valid(&json!({"id": "x"})));
    assert!(!validator("item").is_valid(&json!({"id": "x", "colour": "red"})));
}

fn validator(schema: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(content().join("schema").join(format!("{schema}.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).expect("the schema is a schema")
}
