//! Aggregates only: what is answered, and that all of it together tells of nobody.

use kernel::error::Coded;
use lake::aggregates::{AggregateQuery, AggregateSession, Item, Output, Terms};
use lake::batch::Values;
use lake::policy::Shown;
use lake::{Batch, Column, Comparison, Kind, Lake, LakeError, Mask, Policy, RowRule, Scalar, Schema};
use store::test::{BOTH, On, TestStore};

use crate::common::{arrive, empty, granted, make, times};

fn schema() -> Schema {
    Schema::new(vec![
        Column::personal("citizen_id", Kind::Text),
        Column::new("town", Kind::Text),
        Column::new("age", Kind::Integer),
        Column::personal("sick", Kind::Boolean),
        Column::personal("income", Kind::Decimal(2)),
        Column::new("county", Kind::Text),
    ])
    .unwrap()
}

/// One row.
#[derive(Clone, Debug)]
struct Person {
    id: usize,
    town: &'static str,
    age: i64,
    sick: bool,
    income: Option<i128>,
}

fn batch(people: &[Person]) -> Batch {
    let columns = vec![
        Values::Text(people.iter().map(|one| Some(format!("532901{:06}", one.id))).collect()),
        Values::Text(people.iter().map(|one| Some(one.town.to_owned())).collect()),
        Values::Integer(people.iter().map(|one| Some(one.age)).collect()),
        Values::Boolean(people.iter().map(|one| Some(one.sick)).collect()),
        Values::Decimal(people.iter().map(|one| one.income).collect()),
        Values::Text(people.iter().map(|_| Some("532901".to_owned())).collect()),
    ];
    Batch::new(&schema(), columns).unwrap()
}

/// Nobody sees the column of the entities, and they are counted all the same.
fn policy() -> Policy {
    Policy {
        columns: ["town", "age", "sick", "income"].map(Shown::plain).into(),
        rows: Some(RowRule::equal("county", Scalar::Text("532901".to_owned()))),
    }
}

fn terms(k: u32) -> Terms {
    Terms { entity: "citizen_id".to_owned(), one_row: true, k }
}

async fn open(lake: &Lake, terms: &Terms) -> AggregateSession {
    lake.aggregates(&granted("people", policy()), terms, "org-a").await.unwrap()
}

async fn world(people: &[Person]) -> (TestStore, Lake) {
    let (test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "people", &schema()).await;
    arrive(&lake, &table, "first", &batch(people)).await;
    (test, lake)
}

/// Fifty in each of two towns and four in a third; one is 99.
fn people() -> Vec<Person> {
    (0..104)
        .map(|id| Person {
            id,
            town: match id {
                0..50 => "T-1",
                50..100 => "T-2",
                _ => "T-3",
            },
            age: if id == 7 { 99 } else { 20 + i64::try_from(id % 5).unwrap() },
            sick: id % 4 == 0,
            income: (id % 10 != 3).then(|| 100 + i128::try_from(id).unwrap()),
        })
        .collect()
}

async fn rows(session: &AggregateSession, sql: &str) -> Result<Vec<Vec<Option<String>>>, LakeError> {
    let mut answer = session.query(sql).await?;
    let mut rows = Vec::new();
    for part in answer.all().await? {
        rows.extend(part.texts()?);
    }
    Ok(rows)
}

async fn told(session: &AggregateSession, sql: &str) -> Vec<String> {
    let rows = rows(session, sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let cell = |cell: Option<String>| cell.unwrap_or_else(|| "NULL".to_owned());
    rows.into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join(" ")).collect()
}

async fn refused(session: &AggregateSession, sql: &str) -> &'static str {
    match rows(session, sql).await {
        Ok(rows) => panic!("{sql} is answered: {rows:?}"),
        Err(error) => error.code(),
    }
}

#[tokio::test]
async fn groups_of_enough_people_are_answered_and_the_others_are_one() {
    for on in BOTH {
        let (_test, lake) = empty(on).await;
        let table = make(&lake, "people", &schema()).await;
        arrive(&lake, &table, "first", &batch(&people())).await;
        let session = open(&lake, &terms(5)).await;
        let sql = "SELECT town, count(*), count(DISTINCT citizen_id) AS people, sum(income)
                     FROM people GROUP BY town ORDER BY 2 DESC, town";
        // Town three has four people, so the next smallest joins it.
        let answer = told(&session, sql).await;
        assert_eq!(answer, ["NULL 54 54 84.63 true", "T-1 50 50 56.10 false"]);
        assert_eq!(told(&session, sql).await, answer, "asked again");
        let limited = "SELECT town, count(*), count(DISTINCT citizen_id) AS people, sum(income)
                         FROM people GROUP BY town ORDER BY people LIMIT 1";
        assert_eq!(told(&session, limited).await, ["T-1 50 50 56.10 false"]);
        assert_eq!(told(&session, "SELECT avg(income) FROM people").await, ["1.51322581"]);
    }
}

#[tokio::test]
async fn too_few_and_nobody_look_the_same() {
    let (_test, lake) = world(&people()).await;
    let session = open(&lake, &terms(5)).await;
    for condition in ["age = 99", "age = 98", "town = 'T-3'", "town = 'T-4'"] {
        let sql = format!("SELECT count(*) FROM people WHERE {condition}");
        assert_eq!(told(&session, &sql).await, Vec::<String>::new(), "{condition}");
    }
}

#[tokio::test]
async fn two_questions_that_differ_by_one_person_are_not_both_answered() {
    let (_test, lake) = world(&people()).await;
    let session = open(&lake, &terms(5)).await;
    assert_eq!(told(&session, "SELECT sum(income) FROM people WHERE town = 'T-1'").await, ["56.10"]);
    let without = "SELECT sum(income) FROM people WHERE town = 'T-1' AND age < 99";
    assert_eq!(refused(&session, without).await, "lake.too_close");
    let session = open(&lake, &terms(5)).await;
    assert_eq!(refused(&session, without).await, "lake.too_close", "in another session");
    let other = lake.aggregates(&granted("people", policy()), &terms(5), "org-b").await.unwrap();
    assert_eq!(told(&other, without).await, ["55.03"], "another organisation has a history of its own");
}

#[tokio::test]
async fn a_refusal_does_not_tell_whether_the_one_person_is_in_it() {
    let mut outcomes = Vec::new();
    for sick in [true, false] {
        let mut people = people();
        people[7].sick = sick;
        let (_test, lake) = world(&people).await;
        let session = open(&lake, &terms(5)).await;
        told(&session, "SELECT count(*) FROM people WHERE town = 'T-1'").await;
        let mut seen = Vec::new();
        for condition in [
            "town = 'T-1' AND NOT (age = 99 AND sick)",
            "age = 99 AND sick",
            "town = 'T-1' OR (age = 99 AND sick)",
        ] {
            let sql = format!("SELECT count(*) FROM people WHERE {condition}");
            seen.push(format!("{:?}", rows(&session, &sql).await.map_err(|error| error.code())));
        }
        outcomes.push(seen);
    }
    assert_eq!(outcomes[0], outcomes[1]);
}

#[tokio::test]
async fn what_is_written_counts_as_answered_though_it_never_left() {
    let (test, lake) = world(&people()).await;
    let env = store::Env { faults: store::Faults::at("lake.history_written"), ..lake.store().env().clone() };
    let stopped =
        store::Store::open(&test.config, env, store::test::root_key(), lake::MIGRATIONS).await.unwrap();
    let stopped = Lake::open(stopped, lake::Limits::default()).unwrap();
    let session = open(&stopped, &terms(5)).await;
    let asked = session.query("SELECT count(*) FROM people WHERE town = 'T-1'");
    assert!(tokio::time::timeout(std::time::Duration::from_secs(5), asked).await.is_err());
    drop(session);
    drop(stopped);
    let store = store::test::open_again(&test.config, test.clock.clone(), lake::MIGRATIONS).await;
    let again = Lake::open(store, lake::Limits::default()).unwrap();
    let session = open(&again, &terms(5)).await;
    let without = "SELECT count(*) FROM people WHERE town = 'T-1' AND age < 99";
    assert_eq!(refused(&session, without).await, "lake.too_close");
    assert_eq!(told(&session, "SELECT count(*) FROM people WHERE town = 'T-1'").await, ["50"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_questions_at_once_that_tell_together_one_is_answered() {
    for on in BOTH {
        let (test, lake) = empty(on).await;
        let table = make(&lake, "people", &schema()).await;
        arrive(&lake, &table, "first", &batch(&people())).await;
        // As two processes: what one has in memory, the other has not.
        let store = store::test::open_again(&test.config, test.clock.clone(), lake::MIGRATIONS).await;
        let twin = Lake::open(store, lake::Limits::default()).unwrap();
        let ask = |lake: Lake, condition: &'static str| {
            tokio::spawn(async move {
                let session = open(&lake, &terms(5)).await;
                rows(&session, &format!("SELECT count(*) FROM people WHERE {condition}")).await
            })
        };
        let one = ask(lake.clone(), "town = 'T-1'");
        let other = ask(twin, "town = 'T-1' AND age < 99");
        let answered = [one.await.unwrap(), other.await.unwrap()];
        let codes: Vec<_> = answered.iter().map(|one| one.as_ref().map_err(|error| error.code())).collect();
        assert_eq!(answered.iter().filter(|one| one.is_ok()).count(), 1, "{codes:?}");
        assert!(codes.contains(&Err("lake.too_close")), "{codes:?}");
    }
}

#[tokio::test]
async fn new_rows_are_counted_once_they_are_enough() {
    let (_test, lake) = world(&people()).await;
    let table = Lake::table(&lake.store().read(), &crate::common::id("people")).await.unwrap();
    let sql = "SELECT count(*) FROM people";
    assert_eq!(told(&open(&lake, &terms(5)).await, sql).await, ["104"]);
    let more = |from: usize, many: usize| -> Vec<Person> {
        (from..from + many).map(|id| Person { id, ..people()[0].clone() }).collect()
    };
    arrive(&lake, &table, "second", &batch(&more(200, 4))).await;
    let answer = open(&lake, &terms(5)).await.query(sql).await.unwrap();
    assert!(answer.as_of().is_some(), "four more would be told apart");
    assert_eq!(told(&open(&lake, &terms(5)).await, sql).await, ["104"]);
    assert_eq!(
        refused(&open(&lake, &terms(5)).await, "SELECT sum(income) FROM people").await,
        "lake.too_close"
    );
    arrive(&lake, &table, "third", &batch(&more(300, 1))).await;
    lake::compaction::compact(&lake, &table).await.unwrap();
    assert_eq!(told(&open(&lake, &terms(5)).await, sql).await, ["109"]);
}

#[tokio::test]
async fn a_sum_that_one_makes_up_is_not_answered() {
    let mut people = people();
    people[0].income = Some(1_000_000);
    let (_test, lake) = world(&people).await;
    let session = open(&lake, &terms(5)).await;
    assert_eq!(
        refused(&session, "SELECT sum(income) FROM people WHERE town = 'T-1'").await,
        "lake.dominated"
    );
    assert_eq!(told(&session, "SELECT count(*) FROM people WHERE town = 'T-1'").await, ["50"]);
}

#[tokio::test]
async fn whatever_is_not_a_question_for_aggregates_is_refused() {
    let (_test, lake) = world(&people()).await;
    let session = open(&lake, &terms(5)).await;
    for sql in [
        "SELECT * FROM people",
        "SELECT citizen_id FROM people",
        "SELECT town FROM people",
        "SELECT max(income) FROM people",
        "SELECT min(age) FROM people",
        "SELECT count(DISTINCT income) FROM people",
        "SELECT sum(income * 2) FROM people",
        "SELECT sum(CASE WHEN age = 99 THEN income ELSE 0 END) FROM people",
        "SELECT sum(income) FILTER (WHERE age = 99) FROM people",
        "SELECT sum(DISTINCT income) FROM people",
        "SELECT sum(income) OVER () FROM people",
        "SELECT count(*) + 1 FROM people",
        "SELECT count(*) FROM people HAVING count(*) > 50",
        "SELECT count(*) FROM people WHERE age + 0 = 99",
        "SELECT count(*) FROM people WHERE town LIKE 'T-%'",
        "SELECT count(*) FROM people WHERE citizen_id = '532901000007'",
        "SELECT citizen_id, count(*) FROM people GROUP BY citizen_id",
        "SELECT count(*) FROM people WHERE age = (SELECT max(age) FROM people)",
        "SELECT count(*) FROM people, people AS other",
        "SELECT count(*) FROM people JOIN people AS o ON o.town = people.town",
        "SELECT count(*) FROM (SELECT * FROM people) AS p",
        "WITH p AS (SELECT * FROM people) SELECT count(*) FROM p",
        "SELECT count(*) FROM people UNION ALL SELECT count(*) FROM people WHERE age < 99",
        "SELECT town, count(*) FROM people GROUP BY ROLLUP (town)",
        "SELECT town, count(*) FROM people GROUP BY CUBE (town, age)",
        "SELECT town, count(*) FROM people GROUP BY GROUPING SETS ((town), ())",
        "SELECT DISTINCT count(*) FROM people",
        "SELECT count(*) FROM people ORDER BY (SELECT 1)",
        "SELECT count(*) FROM people LIMIT 1 OFFSET 1",
        "SELECT upper(town), count(*) FROM people GROUP BY upper(town)",
        "SELECT count(*), avg(income) FROM people",
        "SELECT count(*), count(income) FROM people",
        "SELECT count(*) FROM people TABLESAMPLE BERNOULLI (50)",
        "SELECT count(*) FROM lake_history",
        "SELECT count(*) FROM people WHERE income > 1.5",
    ] {
        let code = refused(&session, sql).await;
        assert!(["lake.not_aggregate", "lake.plan"].contains(&code), "{sql}: {code}");
    }
    for sql in ["EXPLAIN SELECT count(*) FROM people", "DELETE FROM people", "SELECT 1; SELECT 2"] {
        assert_ne!(refused(&session, sql).await, "lake.not_aggregate", "{sql}");
    }
    // Of one of these, something else would have been answered than was asked.
    assert_eq!(told(&session, "SELECT count(*) FROM people").await, ["104"]);
}

#[tokio::test]
async fn a_masked_column_is_grouped_by_its_mask_and_one_to_look_up_is_not_compared() {
    let (_test, lake) = world(&people()).await;
    let policy = Policy {
        columns: vec![
            Shown::masked("age", Mask::Floor { step: 50 }),
            Shown::masked("town", Mask::Prefix { letters: 2 }).with_match(),
        ],
        rows: None,
    };
    let session = lake.aggregates(&granted("people", policy), &terms(5), "org-a").await.unwrap();
    let by_age = told(&session, "SELECT age, count(*) FROM people GROUP BY age").await;
    assert_eq!(by_age, ["NULL 104 true"], "one of 99 and 103 of twenty odd");
    assert_eq!(
        refused(&session, "SELECT count(*) FROM people WHERE town = 'T-1'").await,
        "lake.not_aggregate"
    );
}

#[tokio::test]
async fn the_ledger_holds_no_id_and_no_answer_in_clear() {
    let (test, lake) = world(&people()).await;
    let session = open(&lake, &terms(5)).await;
    told(&session, "SELECT town, count(*) FROM people WHERE age < 98 GROUP BY town").await;
    let reader = lake.store().read();
    use store::Reads;
    for sql in ["SELECT body FROM lake_history", "SELECT body FROM lake_history_roster"] {
        let rows = reader.rows(sql, vec![]).await.unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let body: Vec<u8> = row.get("body").unwrap();
            for clear in ["532901", "T-1", "town"] {
                assert!(!body.windows(clear.len()).any(|part| part == clear.as_bytes()), "{sql}: {clear}");
            }
        }
    }
    drop(test);
}

#[tokio::test]
async fn terms_that_do_not_fit_open_nothing() {
    let (_test, lake) = world(&people()).await;
    for terms in [
        Terms { k: 1, ..terms(5) },
        Terms { entity: "nobody".to_owned(), ..terms(5) },
        Terms { entity: "income".to_owned(), ..terms(5) },
    ] {
        assert!(lake.aggregates(&granted("people", policy()), &terms, "org-a").await.is_err(), "{terms:?}");
    }
    assert!(lake.aggregates(&granted("people", policy()), &terms(5), "").await.is_err());
    // Two rows of one entity, where each is said to have one.
    let mut twice = people();
    twice[1].id = 0;
    let (_test, lake) = world(&twice).await;
    let session = open(&lake, &terms(5)).await;
    assert_eq!(refused(&session, "SELECT count(*) FROM people").await, "lake.policy");
}

/// What a rule says of a person, reckoned without the engine. No cell that it compares is empty.
fn holds(rule: &RowRule, one: &Person) -> bool {
    match rule {
        RowRule::All(rules) => rules.iter().all(|rule| holds(rule, one)),
        RowRule::Any(rules) => rules.iter().any(|rule| holds(rule, one)),
        RowRule::Not(rule) => !holds(rule, one),
        RowRule::Compare { value: Scalar::Text(town), .. } => one.town == town,
        RowRule::Compare { value: Scalar::Boolean(sick), .. } => one.sick == *sick,
        RowRule::Compare { is, value: Scalar::Integer(age), .. } => match is {
            Comparison::AtMost => one.age <= *age,
            Comparison::Equal => one.age == *age,
            other => panic!("the test does not make {other:?}"),
        },
        other => panic!("the test does not make {other:?}"),
    }
}

fn questions() -> Vec<AggregateQuery> {
    let town = |name: &str| RowRule::equal("town", Scalar::Text(name.to_owned()));
    let leaves = vec![
        town("T-1"),
        town("T-2"),
        RowRule::equal("sick", Scalar::Boolean(true)),
        RowRule::Compare { column: "age".to_owned(), is: Comparison::AtMost, value: Scalar::Integer(1) },
        RowRule::equal("age", Scalar::Integer(2)),
    ];
    let mut filters: Vec<Option<RowRule>> = vec![None];
    for (place, leaf) in leaves.iter().enumerate() {
        filters.push(Some(leaf.clone()));
        filters.push(Some(RowRule::Not(Box::new(leaf.clone()))));
        for other in leaves.iter().skip(place + 1) {
            let pair = || vec![leaf.clone(), other.clone()];
            filters.push(Some(RowRule::All(pair())));
            filters.push(Some(RowRule::Any(pair())));
            filters.push(Some(RowRule::All(vec![leaf.clone(), RowRule::Not(Box::new(other.clone()))])));
        }
    }
    let mut all = Vec::new();
    for filter in filters {
        for groups in 0..8_u8 {
            let columns =
                ["town", "sick", "age"].iter().zip(0..3).filter(|(_, bit)| groups & (1 << bit) != 0);
            let groups: Vec<String> = columns.map(|(column, _)| (*column).to_owned()).collect();
            let output = |name: &str, item: Item| Output { name: name.to_owned(), item };
            let mut columns: Vec<Output> =
                groups.iter().map(|column| output(column, Item::Group(column.clone()))).collect();
            columns.push(output("count", Item::Rows));
            columns.push(output("people", Item::Entities));
            all.push(AggregateQuery {
                table: crate::common::id("people"),
                columns,
                filter: filter.clone(),
                groups: groups.into_iter().collect(),
                order: vec![],
                limit: None,
            });
        }
    }
    all
}

/// The rank of integer vectors over the rationals, by elimination without fractions.
fn rank(mut lines: Vec<Vec<i128>>) -> usize {
    let mut done = 0;
    let width = lines.first().map_or(0, Vec::len);
    for column in 0..width {
        let Some(pivot) = (done..lines.len()).find(|line| lines[*line][column] != 0) else { continue };
        lines.swap(done, pivot);
        for line in done + 1..lines.len() {
            let (a, b) = (lines[done][column], lines[line][column]);
            if b == 0 {
                continue;
            }
            let mut common = 0;
            for cell in 0..width {
                lines[line][cell] = lines[line][cell] * a - lines[done][cell] * b;
                let (mut x, mut y) = (common, lines[line][cell].abs());
                while y != 0 {
                    (x, y) = (y, x % y);
                }
                common = x;
            }
            if common > 1 {
                lines[line].iter_mut().for_each(|cell| *cell /= common);
            }
        }
        done += 1;
    }
    done
}

/// Whether some combination of the sums over these sets is of fewer than `k` entities. `whose` has the entity of
/// each unit.
fn isolates(sets: &[Vec<bool>], whose: &[usize], k: usize) -> Option<Vec<usize>> {
    let lines = |without: &[usize]| -> Vec<Vec<i128>> {
        let line = |set: &Vec<bool>| {
            let cells = set.iter().zip(whose).filter(|(_, entity)| !without.contains(entity));
            cells.map(|(inside, _)| i128::from(*inside)).collect()
        };
        sets.iter().map(line).collect()
    };
    let all = rank(lines(&[]));
    let mut entities: Vec<usize> = whose.to_vec();
    entities.sort_unstable();
    entities.dedup();
    let mut few: Vec<Vec<usize>> = vec![vec![]];
    for size in 1..k {
        let grown: Vec<Vec<usize>> = few
            .iter()
            .filter(|few| few.len() == size - 1)
            .flat_map(|few| {
                let last = few.last().map_or(0, |last| last + 1);
                entities.iter().filter(move |one| **one >= last).map(|one| [few.as_slice(), &[*one]].concat())
            })
            .collect();
        few.extend(grown);
    }
    few.into_iter().find(|few| !few.is_empty() && rank(lines(few)) < all)
}

/// Asks everything in some order and holds the answers together.
async fn brute_force(people: &[Person], terms: &Terms, mut seed: u64) -> (usize, usize) {
    let (_test, lake) = world(people).await;
    let session = open(&lake, terms).await;
    let mut questions = questions();
    for place in (1..questions.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        questions.swap(place, usize::try_from(seed >> 33).unwrap() % (place + 1));
    }
    let whose: Vec<usize> = people.iter().map(|one| one.id).collect();
    let mut persons = whose.clone();
    persons.sort_unstable();
    persons.dedup();
    let (mut sets, mut entity_sets): (Vec<Vec<bool>>, Vec<Vec<bool>>) = (vec![], vec![]);
    let (mut answered, mut refused) = (0, 0);
    for question in &questions {
        let mut answer = match session.ask(question).await {
            Ok(answer) => answer,
            Err(error) => {
                assert!(["lake.too_close", "lake.history_full"].contains(&error.code()), "{error:?}");
                refused += 1;
                continue;
            }
        };
        let mut rows = Vec::new();
        for part in answer.all().await.unwrap() {
            rows.extend(part.texts().unwrap());
        }
        answered += usize::from(!rows.is_empty());
        let mut rest: Vec<bool> = people
            .iter()
            .map(|one| question.filter.as_ref().is_none_or(|filter| holds(filter, one)))
            .collect();
        let width = question.groups.len();
        rows.sort_by_key(|row| row.get(width + 2).cloned().flatten() == Some("true".to_owned()));
        for row in rows {
            let is_remainder = row.get(width + 2).is_some_and(|mark| mark.as_deref() == Some("true"));
            let set: Vec<bool> = people
                .iter()
                .zip(&rest)
                .map(|(one, in_rest)| {
                    let cell = |column: &str| match column {
                        "town" => one.town.to_owned(),
                        "sick" => one.sick.to_string(),
                        _ => one.age.to_string(),
                    };
                    let named = question.groups.iter().zip(&row);
                    let mut named = named.map(|(_, value)| value.clone());
                    let columns: Vec<&str> = question
                        .columns
                        .iter()
                        .take(width)
                        .filter_map(|output| output.item.column())
                        .collect();
                    *in_rest
                        && (is_remainder
                            || columns.iter().all(|column| named.next().unwrap() == Some(cell(column))))
                })
                .collect();
            rest.iter_mut().zip(&set).for_each(|(rest, inside)| *rest &= !inside);
            assert_eq!(row[width], Some(set.iter().filter(|inside| **inside).count().to_string()));
            let entities: Vec<bool> = persons
                .iter()
                .map(|person| set.iter().zip(&whose).any(|(inside, one)| *inside && one == person))
                .collect();
            let covered = entities.iter().filter(|inside| **inside).count();
            assert_eq!(row[width + 1], Some(covered.to_string()));
            assert!(covered >= terms.k as usize, "{question:?}");
            sets.push(set);
            entity_sets.push(entities);
        }
    }
    let k = terms.k as usize;
    assert_eq!(isolates(&sets, &whose, k), None, "a sum of too few");
    assert_eq!(isolates(&entity_sets, &persons, k), None, "a count of too few");
    (answered, refused)
}

/// Small worlds in which every question of a kind is asked, in several orders.
#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_answered_in_a_small_world_tells_of_no_fewer_than_k() {
    let (mut answered, mut refused) = (0, 0);
    for seed in 0..u64::from(times()) {
        for (k, one_row) in [(2, true), (3, true), (2, false), (3, false)] {
            let mut draw = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut next = |below: u64| {
                draw ^= draw << 13;
                draw ^= draw >> 7;
                draw ^= draw << 17;
                draw % below
            };
            let people: Vec<Person> = (0..14)
                .map(|row| Person {
                    id: if one_row { row } else { row * 2 / 3 },
                    town: ["T-1", "T-2", "T-3"][usize::try_from(next(3)).unwrap()],
                    age: i64::try_from(next(4)).unwrap(),
                    sick: next(2) == 0,
                    income: None,
                })
                .collect();
            let terms = Terms { one_row, ..terms(k) };
            let (yes, no) = brute_force(&people, &terms, seed).await;
            assert!(yes > 0 && no > 0, "{yes} answered, {no} refused");
            (answered, refused) = (answered + yes, refused + no);
        }
    }
    println!("{answered} questions answered, {refused} refused");
}

/// The oracle itself finds what it is for.
#[test]
fn the_oracle_finds_a_combination_of_few() {
    let set = |units: &[usize]| (0..6).map(|unit| units.contains(&unit)).collect::<Vec<bool>>();
    let whose = [0, 1, 2, 3, 4, 5];
    let sets = [set(&[0, 1, 2]), set(&[2, 3, 4]), set(&[0, 1, 2, 3, 4])];
    assert_eq!(isolates(&sets, &whose, 2), Some(vec![2]));
    assert_eq!(isolates(&sets[..2], &whose, 2), None);
}

/// How long questions take over many people: `YIWANG_ROWS` says how many.
#[tokio::test(flavor = "multi_thread")]
async fn questions_over_many_people_are_answered() {
    let many = std::env::var("YIWANG_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(20_000_usize);
    let (_test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "people", &schema()).await;
    for part in 0..many.div_ceil(250_000) {
        let people: Vec<Person> = (part * 250_000..((part + 1) * 250_000).min(many))
            .map(|id| Person {
                id,
                town: ["T-1", "T-2", "T-3", "T-4"][id % 4],
                age: i64::try_from(id / 4 % 100).unwrap(),
                sick: id % 10 == 0,
                income: Some(100 + i128::try_from(id % 1000).unwrap()),
            })
            .collect();
        arrive(&lake, &table, &part.to_string(), &batch(&people)).await;
        lake::compaction::compact(&lake, &table).await.unwrap();
    }
    let limits = lake::Limits { time: std::time::Duration::from_secs(600), ..lake::Limits::default() };
    let lake = Lake::open(lake.store().clone(), limits).unwrap();
    for sql in [
        "SELECT count(*), sum(income) FROM people",
        "SELECT town, count(*), sum(income) FROM people GROUP BY town",
        "SELECT age, count(*), sum(income) FROM people GROUP BY age",
        "SELECT town, count(*) FROM people WHERE sick GROUP BY town",
        "SELECT town, count(*) FROM people GROUP BY town",
    ] {
        let started = std::time::Instant::now();
        let session = open(&lake, &terms(10)).await;
        let rows = rows(&session, sql).await.unwrap();
        assert!(!rows.is_empty());
        println!("{many} people, {} groups, {:?}: {sql}", rows.len(), started.elapsed());
    }
}
