//! Nothing is lost and nothing is doubled between the inbox and the log.

use lake::batch::Values;
use lake::compaction::compact;
use lake::{Batch, Column, Kind, Lake, Schema};
use store::test::{BOTH, On, open_again};

use crate::common::{arrive, empty, make, number, whole};

fn schema() -> Schema {
    Schema::new(vec![Column::new("n", Kind::Integer), Column::personal("name", Kind::Text)]).unwrap()
}

fn batch(numbers: std::ops::Range<i64>) -> Batch {
    let names = numbers.clone().map(|n| Some(format!("NAME-{n}"))).collect();
    Batch::new(&schema(), vec![Values::Integer(numbers.map(Some).collect()), Values::Text(names)]).unwrap()
}

async fn sum(lake: &Lake, table: &lake::Table) -> (i64, i64) {
    let session = whole(lake, table).await;
    (number(&session, "SELECT count(*) FROM t").await, number(&session, "SELECT sum(n) FROM t").await)
}

#[tokio::test]
async fn a_batch_is_read_at_once_and_once() {
    for on in BOTH {
        let (_test, lake) = empty(on).await;
        let table = make(&lake, "t", &schema()).await;
        assert!(!arrive(&lake, &table, "one", &batch(0..10)).await.repeated);
        assert_eq!(sum(&lake, &table).await, (10, 45));
        assert!(arrive(&lake, &table, "one", &batch(0..10)).await.repeated, "sent again");
        arrive(&lake, &table, "two", &batch(10..20)).await;
        assert_eq!(sum(&lake, &table).await, (20, 190));
        let done = compact(&lake, &table).await.unwrap();
        assert_eq!((done.batches, done.seq), (2, 2));
        assert_eq!(sum(&lake, &table).await, (20, 190), "compacted");
        assert!(arrive(&lake, &table, "one", &batch(0..10)).await.repeated, "sent again after compaction");
        arrive(&lake, &table, "three", &batch(20..30)).await;
        assert_eq!(sum(&lake, &table).await, (30, 435), "in the log and in the inbox");
        compact(&lake, &table).await.unwrap();
        assert_eq!(compact(&lake, &table).await.unwrap().batches, 0, "nothing to do");
        assert_eq!(sum(&lake, &table).await, (30, 435));
    }
}

#[tokio::test]
async fn stopped_at_any_step_a_compaction_is_finished_by_the_next() {
    for place in ["lake.before_commit", "lake.committed", "lake.cleared"] {
        let (test, lake) = empty(On::Sqlite).await;
        let table = make(&lake, "t", &schema()).await;
        arrive(&lake, &table, "one", &batch(0..1000)).await;
        // The process stands still there, as one that is killed does for good.
        let env = store::Env { faults: store::Faults::at(place), ..lake.store().env().clone() };
        let config = test.config.clone();
        let stopped =
            store::Store::open(&config, env, store::test::root_key(), lake::MIGRATIONS).await.unwrap();
        let stopped = Lake::open(stopped, lake::Limits::default()).unwrap();
        let short = std::time::Duration::from_secs(5);
        let ended = tokio::time::timeout(short, compact(&stopped, &table)).await;
        assert!(ended.is_err(), "{place} is never reached");
        drop(stopped);
        let store = open_again(&config, test.clock.clone(), lake::MIGRATIONS).await;
        let again = Lake::open(store, lake::Limits::default()).unwrap();
        assert_eq!(sum(&again, &table).await, (1000, 499_500), "read after a stop at {place}");
        compact(&again, &table).await.unwrap();
        assert_eq!(sum(&again, &table).await, (1000, 499_500), "finished after a stop at {place}");
    }
}

#[tokio::test]
async fn of_two_that_compact_at_once_each_row_is_written_by_one() {
    for on in BOTH {
        let (_test, lake) = empty(on).await;
        let table = make(&lake, "t", &schema()).await;
        for number in 0..8 {
            arrive(&lake, &table, &number.to_string(), &batch(number * 10..number * 10 + 10)).await;
        }
        let runs = (0..4).map(|_| {
            let (lake, table) = (lake.clone(), table.clone());
            tokio::spawn(async move { compact(&lake, &table).await })
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap().unwrap();
        }
        assert_eq!(sum(&lake, &table).await, (80, 3160));
    }
}

#[tokio::test]
async fn whoever_reads_while_it_is_compacted_sees_each_row_once() {
    let (_test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    arrive(&lake, &table, "0", &batch(0..10)).await;
    let writer = {
        let (lake, table) = (lake.clone(), table.clone());
        tokio::spawn(async move {
            for number in 1..30_i64 {
                arrive(&lake, &table, &number.to_string(), &batch(number * 10..number * 10 + 10)).await;
                compact(&lake, &table).await.unwrap();
            }
        })
    };
    let mut last = 0;
    while !writer.is_finished() {
        let (count, sum) = sum(&lake, &table).await;
        assert_eq!(count % 10, 0);
        assert_eq!(sum, count * (count - 1) / 2, "some row is missing or doubled at {count}");
        assert!(count >= last, "what was seen stays");
        last = count;
    }
    writer.await.unwrap();
    assert_eq!(sum(&lake, &table).await, (300, 44_850));
}

#[tokio::test]
async fn a_column_that_comes_later_is_empty_in_what_was_there() {
    let (_test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    arrive(&lake, &table, "old-file", &batch(0..10)).await;
    compact(&lake, &table).await.unwrap();
    arrive(&lake, &table, "old-inbox", &batch(10..20)).await;
    let tx = lake.store().begin().await.unwrap();
    let table = Lake::add_columns(&tx, &table, vec![Column::new("grade", Kind::Integer)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(table.version, 2);
    let new = |numbers: std::ops::Range<i64>| {
        let names = numbers.clone().map(|_| None).collect();
        let grades = numbers.clone().map(|_| Some(5)).collect();
        let columns =
            vec![Values::Integer(numbers.map(Some).collect()), Values::Text(names), Values::Integer(grades)];
        Batch::new(&table.schema, columns).unwrap()
    };
    arrive(&lake, &table, "new", &new(20..30)).await;
    let check = async || {
        let session = whole(&lake, &table).await;
        assert_eq!(number(&session, "SELECT count(*) FROM t").await, 30);
        assert_eq!(number(&session, "SELECT count(grade) FROM t").await, 10);
        assert_eq!(number(&session, "SELECT count(*) FROM t WHERE grade = 5 AND n >= 0").await, 10);
        assert_eq!(number(&session, "SELECT count(*) FROM t WHERE grade IS NULL").await, 20);
    };
    check().await;
    compact(&lake, &table).await.unwrap();
    check().await;
}

#[tokio::test]
async fn the_log_of_a_table_holds_nothing_of_a_personal_column() {
    let (test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    arrive(&lake, &table, "one", &batch(0..10)).await;
    compact(&lake, &table).await.unwrap();
    let log = test.config.data_dir.join("lake/t/_delta_log");
    let mut seen = String::new();
    for entry in std::fs::read_dir(log).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            seen.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    assert!(seen.contains("numRecords") && seen.contains("\\\"maxValues\\\":{\\\"n\\\":9"), "{seen}");
    assert!(!seen.contains("NAME-"), "{seen}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (_test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    let other = Schema::new(vec![Column::new("n", Kind::Integer)]).unwrap();
    let wrong = Batch::new(&other, vec![Values::Integer(vec![Some(1)])]).unwrap();
    assert!(lake::inbox::encode(&table, &wrong).is_err());
    assert!(Batch::new(&schema(), vec![Values::Integer(vec![Some(1)])]).is_err());
    assert!(Batch::new(&other, vec![Values::Text(vec![None])]).is_err());
    let tx = lake.store().begin().await.unwrap();
    assert!(!Lake::create_table(&tx, &table.id, &other).await.unwrap(), "there is one already");
    let fits = lake::inbox::encode(&table, &batch(0..1)).unwrap();
    let nowhere = "nowhere".parse().unwrap();
    assert!(matches!(
        lake::inbox::arrive(&tx, &nowhere, "one", fits).await,
        Err(lake::LakeError::NoTable(_))
    ));
}
