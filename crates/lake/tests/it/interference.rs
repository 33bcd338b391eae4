//! Non-interference: hidden rows and hidden cells change at random, and no asker can tell.

use jiff::civil::date;
use lake::batch::Values;
use lake::cluster::Cluster;
use lake::policy::Shown;
use lake::{Batch, Column, Comparison, Kind, Lake, Mask, Policy, RowRule, Scalar, Schema};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::test::On;

use crate::common::{arrive, empty, granted, make, rows, times};
use crate::members::Members;

/// One row of a small world.
#[derive(Clone, Debug)]
struct Person {
    town: Option<u8>,
    name: u8,
    amount: Option<i64>,
    born: u8,
}

fn person() -> impl Strategy<Value = Person> {
    (proptest::option::weighted(0.9, 0..4_u8), 0..6_u8, proptest::option::weighted(0.9, -3..4_i64), 0..40_u8)
        .prop_map(|(town, name, amount, born)| Person { town, name, amount, born })
}

/// A rule over the columns `town` and `amount`.
fn rule() -> impl Strategy<Value = RowRule> {
    let town = || (0..4_u8).prop_map(|town| Scalar::Text(town_name(town)));
    let comparison = prop_oneof![
        Just(Comparison::Equal),
        Just(Comparison::NotEqual),
        Just(Comparison::Less),
        Just(Comparison::AtLeast)
    ];
    let leaf = prop_oneof![
        town().prop_map(|value| RowRule::equal("town", value)),
        proptest::collection::vec(town(), 1..3)
            .prop_map(|values| RowRule::In { column: "town".to_owned(), values }),
        (comparison, -3..4_i64).prop_map(|(is, value)| RowRule::Compare {
            column: "amount".to_owned(),
            is,
            value: Scalar::Integer(value)
        }),
        Just(RowRule::Empty { column: "amount".to_owned() }),
        Just(RowRule::StartsWith { column: "town".to_owned(), prefix: "5329".to_owned() }),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(RowRule::All),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(RowRule::Any),
            inner.prop_map(|inner| RowRule::Not(Box::new(inner))),
        ]
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let town = prop_oneof![
        Just(Shown::plain("town")),
        Just(Shown::masked("town", Mask::Prefix { letters: 4 })),
        Just(Shown::masked("town", Mask::Stars { first: 1, last: 0 }).with_match()),
    ];
    let name = prop_oneof![
        Just(Some(Shown::masked("name", Mask::Stars { first: 1, last: 1 }))),
        Just(Some(Shown::masked("name", Mask::Empty {}))),
        Just(None),
    ];
    let amount =
        prop_oneof![Just(Shown::plain("amount")), Just(Shown::masked("amount", Mask::Floor { step: 2 }))];
    let born = prop_oneof![Just(Shown::plain("born")), Just(Shown::masked("born", Mask::Year {}))];
    (town, name, amount, born, rule()).prop_map(|(town, name, amount, born, rule)| Policy {
        columns: [Some(town), name, Some(amount), Some(born)].into_iter().flatten().collect(),
        rows: Some(rule),
    })
}

/// Conditions that an asker may write: those that pass the barrier, and those that may fail.
const CONDITIONS: [&str; 16] = [
    "true",
    "town = '532901'",
    "town IN ('532901', '532903')",
    "amount > 0",
    "amount BETWEEN -1 AND 2 AND town IS NOT NULL",
    "NOT (amount = 1)",
    "1 / amount > 0",
    "CAST(town AS INT) > 532901",
    "CASE WHEN town = '532902' THEN 10 / (amount - 1) ELSE 1 END >= 0",
    "amount * 4000000000000000000 > 0",
    "town LIKE '53290%'",
    "born > DATE '1960-01-01'",
    "town > '532901' OR 3 / amount = 1",
    "substr(town, 6, 1) = '1'",
    "CAST(born AS TEXT) < town",
    "amount = (SELECT max(amount) FROM persons)",
];
const QUESTIONS: [&str; 8] = [
    "SELECT * FROM persons WHERE {}",
    "SELECT count(*), sum(amount), min(born), max(town) FROM persons WHERE {}",
    "SELECT town, count(*) FROM persons WHERE {} GROUP BY town",
    "SELECT amount, born, town FROM persons WHERE {} ORDER BY amount, born, town LIMIT 3",
    "SELECT DISTINCT amount FROM persons WHERE {}",
    "SELECT sum(12 / amount) FROM persons WHERE {}",
    "SELECT count(*) FROM persons a JOIN persons b ON a.amount = b.amount WHERE a.{}",
    "SELECT row_number() OVER (ORDER BY amount, born, town) AS n, amount FROM persons WHERE {}",
];

fn schema() -> Schema {
    Schema::new(vec![
        Column::new("town", Kind::Text),
        Column::personal("name", Kind::Text),
        Column::new("amount", Kind::Integer),
        Column::personal("born", Kind::Date),
    ])
    .unwrap()
}

fn town_name(town: u8) -> String {
    format!("53290{town}")
}

fn name_text(name: u8, secret: u8) -> String {
    // The letters between the first and the last are hidden by every mask; their number is not.
    format!("N{}{}Z", char::from(b'a' + secret % 26), char::from(b'a' + (name + secret) % 26))
}

fn batch(people: &[Person], secret: u8) -> Batch {
    let columns = vec![
        Values::Text(people.iter().map(|one| one.town.map(town_name)).collect()),
        Values::Text(people.iter().map(|one| Some(name_text(one.name, secret))).collect()),
        Values::Integer(people.iter().map(|one| one.amount).collect()),
        Values::Date(people.iter().map(|one| Some(date(1940 + i16::from(one.born), 5, 6))).collect()),
    ];
    Batch::new(&schema(), columns).unwrap()
}

/// What the rule says of a person, reckoned without the engine: three values, as SQL has them.
fn holds(rule: &RowRule, person: &Person) -> Option<bool> {
    let compare = |is: &Comparison, ordering: std::cmp::Ordering| match is {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::AtMost => ordering.is_le(),
        Comparison::More => ordering.is_gt(),
        Comparison::AtLeast => ordering.is_ge(),
    };
    match rule {
        RowRule::All(rules) => {
            let values: Vec<Option<bool>> = rules.iter().map(|rule| holds(rule, person)).collect();
            if values.contains(&Some(false)) {
                return Some(false);
            }
            (!values.contains(&None)).then_some(true)
        }
        RowRule::Any(rules) => {
            let values: Vec<Option<bool>> = rules.iter().map(|rule| holds(rule, person)).collect();
            if values.contains(&Some(true)) {
                return Some(true);
            }
            (!values.contains(&None)).then_some(false)
        }
        RowRule::Not(rule) => holds(rule, person).map(|holds| !holds),
        RowRule::Compare { is, value: Scalar::Integer(value), .. } => {
            person.amount.map(|amount| compare(is, amount.cmp(value)))
        }
        RowRule::Compare { is, value: Scalar::Text(value), .. } => {
            person.town.map(|town| compare(is, town_name(town).cmp(value)))
        }
        RowRule::In { values, .. } => person.town.map(|town| values.contains(&Scalar::Text(town_name(town)))),
        RowRule::StartsWith { prefix, .. } => person.town.map(|town| town_name(town).starts_with(prefix)),
        RowRule::Empty { .. } => Some(person.amount.is_none()),
        other => panic!("the test does not make {other:?}"),
    }
}

#[derive(Clone, Debug)]
struct World {
    people: Vec<Person>,
    secret: u8,
    /// After how many people the first part ends, which is compacted.
    cut: usize,
}

async fn seen(world: &World, policy: &Policy, sql: &[String], cluster: Option<&Cluster>) -> Vec<String> {
    use kernel::error::Coded;
    let (_test, lake): (_, Lake) = empty(On::Sqlite).await;
    let table = make(&lake, "persons", &schema()).await;
    let (first, second) = world.people.split_at(world.cut.min(world.people.len()));
    if !first.is_empty() {
        arrive(&lake, &table, "first", &batch(first, world.secret)).await;
        lake::compaction::compact(&lake, &table).await.unwrap();
    }
    if !second.is_empty() {
        arrive(&lake, &table, "second", &batch(second, world.secret)).await;
    }
    let lake = match cluster {
        Some(cluster) => lake.with_cluster(cluster.clone()),
        None => lake,
    };
    let session = lake.session(&[granted("persons", policy.clone())]).await.unwrap();
    let mut outcomes = Vec::new();
    for sql in sql {
        outcomes.push(match rows(&session, sql).await {
            Ok(mut rows) => {
                rows.sort();
                format!("{rows:?}")
            }
            Err(error) => format!("{} {:?}", error.code(), error.for_asker()),
        });
    }
    outcomes
}

/// Worlds with the same visible people, in the same order, among other hidden ones.
fn worlds() -> impl Strategy<Value = (Policy, World, World)> {
    let people = || proptest::collection::vec(person(), 0..40);
    (policy(), people(), people(), people(), any::<u64>(), 0..40_usize, 0..40_usize).prop_map(
        |(policy, all, here, there, mix, cut_here, cut_there)| {
            let rule = policy.rows.clone().unwrap();
            let is_visible = |one: &Person| holds(&rule, one) == Some(true);
            let visible: Vec<Person> = all.into_iter().filter(is_visible).collect();
            let among = |hidden: Vec<Person>, mix: u64| {
                let mut people = visible.clone();
                for (turn, one) in hidden.into_iter().filter(|one| !is_visible(one)).enumerate() {
                    let place =
                        (mix.rotate_left(u32::try_from(turn).unwrap() * 7) as usize) % (people.len() + 1);
                    people.insert(place, one);
                }
                people
            };
            let one = World { people: among(here, mix), secret: 1, cut: cut_here };
            let other = World { people: among(there, !mix), secret: 2, cut: cut_there };
            (policy, one, other)
        },
    )
}

#[test]
fn hidden_rows_and_cells_change_nothing_that_an_asker_notices() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let cases = 8 * times();
    let sql: Vec<String> = QUESTIONS
        .iter()
        .flat_map(|question| CONDITIONS.iter().map(|condition| question.replace("{}", condition)))
        .collect();
    tried(&runtime, cases, &sql, None);
}

/// One world in one process, the other on a cluster: each question with two of the conditions.
#[test]
fn hidden_rows_and_cells_change_nothing_over_a_cluster() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let members = runtime.block_on(Members::start(&std::env::temp_dir()));
    let cluster = runtime.block_on(members.connect());
    let sql: Vec<String> = QUESTIONS
        .iter()
        .zip(CONDITIONS.chunks(2))
        .flat_map(|(question, two)| two.iter().map(|condition| question.replace("{}", condition)))
        .collect();
    let cases = 4;
    tried(&runtime, cases, &sql, Some(&cluster));
    assert!(cluster.answered() >= 8 * u64::from(cases), "{} were answered there", cluster.answered());
}

fn tried(runtime: &tokio::runtime::Runtime, cases: u32, sql: &[String], cluster: Option<&Cluster>) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&worlds(), |(policy, one, other)| {
        let here = runtime.block_on(seen(&one, &policy, sql, None));
        let there = runtime.block_on(seen(&other, &policy, sql, cluster));
        for ((sql, here), there) in sql.iter().zip(here).zip(there) {
            prop_assert_eq!(here, there, "{}", sql);
        }
        Ok(())
    });
    result.unwrap();
}
