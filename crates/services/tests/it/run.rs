//! The run of a form is a function of its definition and its answers, whatever was answered in which order.

use std::sync::Arc;

use kernel::time::Date;
use packs::expr::{Decimal, Env, FactType, Value};
use packs::model::FieldKind;
use packs::{Item, Pack, fact_type};
use proptest::prelude::*;
use services::model::{Answers, Run};

const TODAY: Date = Date::constant(2026, 11, 24);

fn env(pack: &Pack) -> Env<'_> {
    Env { today: TODAY, rules: pack.rules() }
}

/// An answer to a field, right or not: the run must hold for both.
fn answer(item: &Item, at: usize, pick: u8) -> Option<(String, Option<Value>)> {
    let fields: Vec<_> = item.form.fields().map(|(_, field)| field).collect();
    let field = fields.get(at % fields.len())?;
    let option =
        |n: u8| field.options.get(usize::from(n) % field.options.len().max(1)).map(|o| o.value.clone());
    let value = match (pick, fact_type(field.kind)) {
        (0..=40, _) => None,
        (_, FactType::Boolean) => Some(Value::Boolean(pick.is_multiple_of(2))),
        (_, FactType::Number) => Decimal::whole(i64::from(pick)).map(Value::Number),
        (_, FactType::Money) => Some(Value::Money(i64::from(pick))),
        (_, FactType::Date) => Some(Value::Date(TODAY)),
        (_, FactType::List) => Some(Value::List(option(pick).into_iter().collect())),
        (_, FactType::Text) => {
            let text = match field.kind {
                FieldKind::Radios | FieldKind::Select => option(pick),
                FieldKind::CitizenId if pick.is_multiple_of(2) => Some(crate::common::ADULT.to_owned()),
                FieldKind::CitizenId => Some(crate::common::BRIDE.to_owned()),
                _ => Some(format!("答{pick}")),
            };
            text.map(Value::Text)
        }
    };
    Some((field.id.clone(), value))
}

fn answers(item: &Item, steps: &[(usize, u8)]) -> Answers {
    let mut answers = Answers::default();
    answers.own.citizen_id = crate::common::ADULT.to_owned();
    answers.values.extend(steps.iter().filter_map(|(at, pick)| answer(item, *at, *pick)));
    answers
}

fn items() -> Vec<Arc<Item>> {
    crate::common::pack().items().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_next_open_page_can_be_visited_and_everything_before_it_is_complete(
        steps in prop::collection::vec((0_usize..40, any::<u8>()), 0..40),
    ) {
        let pack = crate::common::pack();
        for item in items() {
            let answers = answers(&item, &steps);
            let run = Run::compute(&item, &answers, env(&pack)).unwrap();
            if let Some(open) = run.next_open() {
                prop_assert!(run.can_visit(&open.page.id));
                prop_assert!(!run.is_complete());
            }
            for page in &run.pages {
                let before = run.pages.iter().take_while(|other| other.page.id != page.page.id);
                let complete = before.into_iter().all(|page| page.complete);
                prop_assert_eq!(run.can_visit(&page.page.id), complete);
                prop_assert_eq!(page.complete, page.fields.iter().all(|field| field.answered));
            }
        }
    }

    #[test]
    fn recomputing_changes_nothing_and_the_order_of_answers_does_not_matter(
        steps in prop::collection::btree_map(0_usize..40, any::<u8>(), 0..40),
    ) {
        let pack = crate::common::pack();
        let forward: Vec<(usize, u8)> = steps.into_iter().collect();
        let backward: Vec<(usize, u8)> = forward.iter().rev().copied().collect();
        for item in items() {
            // Two places of the list may be one field of a short form; the last answer to it counts.
            let fields = item.form.fields().count();
            let distinct = forward.iter().all(|(at, _)| *at < fields);
            let one = answers(&item, &forward);
            let run = Run::compute(&item, &one, env(&pack)).unwrap();
            let again = Run::compute(&item, &one, env(&pack)).unwrap();
            prop_assert_eq!(&run.facts, &again.facts);
            if distinct {
                let other = answers(&item, &backward);
                let other = Run::compute(&item, &other, env(&pack)).unwrap();
                prop_assert_eq!(&run.facts, &other.facts);
            }
        }
    }

    #[test]
    fn what_is_not_asked_is_not_known(steps in prop::collection::vec((0_usize..40, any::<u8>()), 0..40)) {
        let pack = crate::common::pack();
        for item in items() {
            let answers = answers(&item, &steps);
            let run = Run::compute(&item, &answers, env(&pack)).unwrap();
            let asked: Vec<&str> = run.fields().map(|state| state.field.id.as_str()).collect();
            for (fact, _) in run.facts.iter() {
                let field = fact.strip_suffix(".changed").unwrap_or(fact);
                prop_assert!(asked.contains(&field), "`{}` is known but not asked", fact);
            }
        }
    }

    #[test]
    fn an_answer_to_a_later_page_never_opens_or_closes_an_earlier_one(
        steps in prop::collection::vec((0_usize..40, any::<u8>()), 0..30),
        later in any::<u8>(),
    ) {
        let pack = crate::common::pack();
        for item in items() {
            let before = answers(&item, &steps);
            let first = Run::compute(&item, &before, env(&pack)).unwrap();
            let Some(last) = first.pages.last() else { continue };
            let mut after = before.clone();
            let Some(field) = last.fields.last() else { continue };
            // Who one is may be said on any page and decides which confirmations are one's own.
            let names_party = item.parties.iter().any(|party| party.citizen_id_field == field.field.id);
            if names_party { continue }
            let at = item.form.fields().position(|(_, one)| one.id == field.field.id).unwrap();
            after.values.extend(answer(&item, at, later));
            let second = Run::compute(&item, &after, env(&pack)).unwrap();
            let earlier = first.pages.len() - 1;
            for (a, b) in first.pages.iter().zip(&second.pages).take(earlier) {
                prop_assert_eq!(&a.page.id, &b.page.id);
                prop_assert_eq!(a.complete, b.complete);
            }
        }
    }
}
