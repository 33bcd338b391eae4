//! Keeping house: merging, retention, vacuum, forgetting, damage, and the end of a table.

use std::path::PathBuf;

use jiff::SignedDuration;
use lake::batch::Values;
use lake::compaction::compact;
use lake::destruction::{Order, destroy};
use lake::keeping::{merge, retire, vacuum};
use lake::{Batch, Column, Keeping, Kind, Lake, LakeError, Retention, Storage, Table, housekeeping};
use store::test::{BOTH, On, TestStore};

use crate::common::{empty, make, number, rows};
use crate::numbers::{all_below, batch, lake_at, schema, seen, session, sum};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Ten batches of ten numbers, each compacted by itself.
async fn in_ten_files(lake: &Lake, table: &Table) {
    for part in 0..10 {
        lake.arrive(table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
        compact(lake, table).await.unwrap();
    }
}

fn folder(test: &TestStore) -> PathBuf {
    test.config.data_dir.join("lake/t")
}

/// The Parquet files of the table that lie in its folder.
fn files(test: &TestStore) -> Vec<PathBuf> {
    let parquet = |path: &PathBuf| path.extension().is_some_and(|end| end == "parquet");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder(test)).unwrap().map(|entry| entry.unwrap().path()).filter(parquet).collect();
    files.sort();
    files
}

/// The entries of the log, the oldest first.
fn entries(test: &TestStore) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder(test).join("_delta_log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    entries.sort();
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_become_one_and_an_old_reader_still_finishes() {
    let (test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    in_ten_files(&lake, &table).await;
    assert_eq!(files(&test).len(), 10);
    let before = session(&lake, &table).await;
    assert_eq!(merge(&lake, &table, &Keeping::default()).await.unwrap(), 10);
    assert_eq!(merge(&lake, &table, &Keeping::default()).await.unwrap(), 0, "one file is not merged");
    assert_eq!(sum(&lake, &table).await, all_below(100));
    assert_eq!(files(&test).len(), 11, "the old ones are there for whoever reads them");
    assert_eq!(number(&before, "SELECT sum(n) FROM t").await, 4950, "a reader of before");
    // Too soon: nothing leaves the disk within the hour, whatever is asked.
    assert_eq!(vacuum(&lake, &table, SignedDuration::ZERO).await.unwrap(), 0);
    test.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(vacuum(&lake, &table, SignedDuration::ZERO).await.unwrap(), 10);
    assert_eq!(files(&test).len(), 1);
    assert_eq!(sum(&lake, &table).await, all_below(100));
    // A reader that holds on for longer fails; it does not answer with less.
    let failed = rows(&before, "SELECT count(name) FROM t").await;
    assert!(matches!(failed, Err(LakeError::Run(_))), "{failed:?}");
    let log: String = entries(&test).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(log.contains("OPTIMIZE") && log.contains("maxValues"), "{log}");
    assert!(!log.contains("NAME-"), "the log of a merge speaks of a personal column");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_different_days_are_not_merged() {
    let (test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    for part in 0..6 {
        lake.arrive(&table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
        compact(&lake, &table).await.unwrap();
        if part % 2 == 1 {
            test.clock.advance(DAY);
        }
    }
    let pairs = Keeping { merge_files: 2, ..Keeping::default() };
    assert_eq!(merge(&lake, &table, &Keeping { merge_files: 3, ..pairs.clone() }).await.unwrap(), 0);
    assert_eq!(merge(&lake, &table, &pairs).await.unwrap(), 6);
    assert_eq!(sum(&lake, &table).await, all_below(60));
    // What arrived on the first day leaves as a whole, though a merge has written it later.
    test.clock.advance(DAY * 7);
    let retention = Retention::Arrived { days: 9 };
    assert_eq!(retire(&lake, &table, &retention).await.unwrap(), 20);
    assert_eq!(sum(&lake, &table).await, (40, (20..60).sum()));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_leave_when_their_day_is_too_long_ago_and_those_without_a_day_stay() {
    for on in BOTH {
        let (_test, lake) = empty(on).await;
        let table = make(&lake, "t", &schema()).await;
        in_ten_files(&lake, &table).await;
        lake.arrive(&table, "waiting", &batch(100..200)).await.unwrap();
        // Today is 2026-11-24; 314 days before it, 2026-01-14 is the first day that stays.
        let retention = Retention::Column { name: "day".to_owned(), days: 314 };
        let stays = |n: &i64| n % 10 == 0 || n % 28 >= 13;
        let gone = (0..200).filter(|n| !stays(n)).count();
        assert_eq!(retire(&lake, &table, &retention).await.unwrap(), gone);
        let wanted: Vec<i64> = (0..200).filter(stays).collect();
        let count = i64::try_from(wanted.len()).unwrap();
        assert_eq!(sum(&lake, &table).await, (count, wanted.iter().sum()));
        assert_eq!(retire(&lake, &table, &retention).await.unwrap(), 0, "nothing more");
        let session = session(&lake, &table).await;
        assert_eq!(number(&session, "SELECT count(*) FROM t WHERE day < DATE '2026-01-14'").await, 0);
        assert_eq!(number(&session, "SELECT count(*) FROM t WHERE day IS NULL").await, 20);
        let text = Retention::Column { name: "name".to_owned(), days: 1 };
        assert!(matches!(retire(&lake, &table, &text).await, Err(LakeError::Schema { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_comes_later_is_empty_in_old_files_before_and_after_they_are_merged_and_cut() {
    let (_test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    for part in 0..4 {
        lake.arrive(&table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
        compact(&lake, &table).await.unwrap();
    }
    lake.arrive(&table, "old-in-inbox", &batch(40..50)).await.unwrap();
    let tx = lake.store().begin().await.unwrap();
    let more = vec![Column::new("grade", Kind::Integer), Column::personal("phone", Kind::Text)];
    let table = Lake::add_columns(&tx, &table, more).await.unwrap();
    tx.commit().await.unwrap();
    let numbers: Vec<i64> = (50..60).collect();
    let new = Batch::new(
        &table.schema,
        vec![
            Values::Integer(numbers.iter().copied().map(Some).collect()),
            Values::Text(vec![None; 10]),
            Values::Date(vec![None; 10]),
            Values::Integer(vec![Some(7); 10]),
            Values::Text(vec![Some("PHONE".to_owned()); 10]),
        ],
    );
    lake.arrive(&table, "new", &new.unwrap()).await.unwrap();
    let check = async |state: &str| {
        assert_eq!(sum(&lake, &table).await, all_below(60), "{state}");
        let session = session(&lake, &table).await;
        assert_eq!(number(&session, "SELECT count(grade) FROM t").await, 10, "{state}");
        assert_eq!(number(&session, "SELECT count(*) FROM t WHERE grade IS NULL").await, 50, "{state}");
        assert_eq!(number(&session, "SELECT sum(n) FROM t WHERE grade = 7").await, 545, "{state}");
        assert_eq!(number(&session, "SELECT count(phone) FROM t WHERE n >= 0").await, 10, "{state}");
    };
    check("in the inbox").await;
    compact(&lake, &table).await.unwrap();
    check("compacted").await;
    let keeping = Keeping { merge_files: 2, ..Keeping::default() };
    assert_eq!(merge(&lake, &table, &keeping).await.unwrap(), 5);
    check("merged").await;
    let log = test_log(&lake);
    assert!(!log.contains("PHONE"), "the log speaks of a personal column that came later");
    let none = Retention::Column { name: "day".to_owned(), days: 100_000 };
    assert_eq!(retire(&lake, &table, &none).await.unwrap(), 0);
    check("cut").await;
}

fn test_log(lake: &Lake) -> String {
    let folder = lake.store().data_dir().join("lake/t/_delta_log");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = entries.filter(|path| path.extension().is_some_and(|end| end == "json"));
    json.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_does_whatever_is_due() {
    for on in BOTH {
        let (test, lake) = empty(on).await;
        let table = make(&lake, "t", &schema()).await;
        let keeping = Keeping { merge_files: 3, known_for: DAY * 30, ..Keeping::default() };
        lake.arrive(&table, "0", &batch(0..10)).await.unwrap();
        let done = housekeeping(&lake, &table, &keeping).await.unwrap();
        assert_eq!(done, lake::keeping::Kempt::default(), "it has not waited long enough");
        let mut merged = 0;
        for part in 1..4 {
            test.clock.advance(SignedDuration::from_mins(10));
            let done = housekeeping(&lake, &table, &keeping).await.unwrap();
            assert_eq!(done.compacted, 1, "{done:?}");
            merged += done.merged;
            lake.arrive(&table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
        }
        test.clock.advance(SignedDuration::from_mins(10));
        let done = housekeeping(&lake, &table, &keeping).await.unwrap();
        assert_eq!((done.compacted, done.merged, merged), (1, 0, 3), "{done:?}");
        assert_eq!(sum(&lake, &table).await, all_below(40));
        test.clock.advance(DAY * 8);
        let done = housekeeping(&lake, &table, &keeping).await.unwrap();
        assert_eq!((done.vacuumed, done.forgotten), (3, 0), "{done:?}");
        assert!(lake.arrive(&table, "0", &batch(0..10)).await.unwrap().repeated, "known for a month");
        test.clock.advance(DAY * 30);
        assert_eq!(housekeeping(&lake, &table, &keeping).await.unwrap().forgotten, 4);
        assert_eq!(sum(&lake, &table).await, all_below(40));
        let counts = lake::inbox::counts(&lake.store().read(), &table.id).await.unwrap();
        assert_eq!((counts.batches, counts.rows), (4, 40), "what was forgotten is still counted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_that_is_full_is_compacted_by_whoever_finds_it_so() {
    let test = store::test::open(On::Sqlite, lake::MIGRATIONS).await;
    let storage = Storage { max_waiting: 20_000, ..Storage::default() };
    let lake = lake_at(&test, &storage).await;
    let table = make(&lake, "t", &schema()).await;
    let mut most = 0;
    for part in 0..40 {
        lake.arrive(&table, &part.to_string(), &batch(part * 100..part * 100 + 100)).await.unwrap();
        let counts = lake::inbox::counts(&lake.store().read(), &table.id).await.unwrap();
        most = most.max(counts.waiting);
    }
    assert!(most > 1 && most < 10, "{most} batches waited");
    assert_eq!(sum(&lake, &table).await, all_below(4000));
    // One that finds it full while another makes room is told to come again, and does.
    let senders = (40..80).map(|part| {
        let (lake, table) = (lake.clone(), table.clone());
        tokio::spawn(async move {
            let rows = batch(part * 100..part * 100 + 100);
            let mut tries = 0;
            while let Err(error) = lake.arrive(&table, &part.to_string(), &rows).await {
                assert!(matches!(error, LakeError::Full), "{error:?}");
                tries += 1;
                assert!(tries < 1000);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    assert_eq!(sum(&lake, &table).await, all_below(8000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_is_named_and_never_passed_over() {
    let cut = |path: &PathBuf, keep: usize| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..keep.min(bytes.len() - 1)]).unwrap();
    };
    let size = |path: &PathBuf| usize::try_from(std::fs::metadata(path).unwrap().len()).unwrap();
    type Harm<'a> = (&'a str, Box<dyn Fn(&TestStore) + 'a>, &'a str);
    let harms: Vec<Harm<'_>> = vec![
        (
            "a Parquet file cut in its middle",
            Box::new(|t| cut(&files(t)[1], size(&files(t)[1]) / 2)),
            "bytes instead of",
        ),
        (
            "a Parquet file without its last byte",
            Box::new(|t| cut(&files(t)[1], size(&files(t)[1]) - 1)),
            "bytes instead of",
        ),
        (
            "a Parquet file that is empty",
            Box::new(|t| std::fs::write(&files(t)[1], "").unwrap()),
            "has 0 bytes",
        ),
        (
            "a Parquet file that is missing",
            Box::new(|t| std::fs::remove_file(&files(t)[1]).unwrap()),
            "is missing",
        ),
        (
            "a Parquet file that is something else of its length",
            Box::new(|t| std::fs::write(&files(t)[1], vec![b'x'; size(&files(t)[1])]).unwrap()),
            "does not end like a Parquet file",
        ),
        (
            "an entry cut in its middle",
            Box::new(|t| cut(&entries(t)[1], size(&entries(t)[1]) / 2)),
            "is cut in line",
        ),
        (
            "an entry cut behind a line",
            Box::new(|t| {
                let text = std::fs::read_to_string(&entries(t)[2]).unwrap();
                std::fs::write(&entries(t)[2], text.lines().next().unwrap()).unwrap();
            }),
            "lines instead of",
        ),
        ("an entry that is empty", Box::new(|t| std::fs::write(&entries(t)[1], "").unwrap()), "is empty"),
        (
            "an entry that is missing",
            Box::new(|t| std::fs::remove_file(&entries(t)[1]).unwrap()),
            "has no entry 1",
        ),
        (
            "a log without its end",
            Box::new(|t| std::fs::remove_file(&entries(t)[3]).unwrap()),
            "though it had 3",
        ),
        (
            "a log that is gone",
            Box::new(|t| std::fs::remove_dir_all(folder(t).join("_delta_log")).unwrap()),
            "though it had 3",
        ),
    ];
    for (what, harm, said) in &harms {
        let (test, lake) = empty(On::Sqlite).await;
        let table = make(&lake, "t", &schema()).await;
        for part in 0..3 {
            lake.arrive(&table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
            compact(&lake, &table).await.unwrap();
        }
        assert_eq!(entries(&test).len(), 4);
        assert_eq!(lake::checking::check(&lake, &table).await.unwrap(), []);
        harm(&test);
        // A fresh process: nothing of the files is in a cache.
        let lake = Lake::open(lake.store().clone(), lake::Limits::default()).unwrap();
        let found = lake::checking::check(&lake, &table).await.unwrap();
        assert!(found.iter().any(|damage| damage.to_string().contains(said)), "{what}: {found:?}");
        let done = housekeeping(&lake, &table, &Keeping::default()).await.unwrap();
        assert_eq!(done.damages, found, "{what}");
        assert_eq!((done.compacted, done.merged, done.vacuumed), (0, 0, 0), "{what}");
        let policy = lake::Policy::everything(&table.schema);
        let granted =
            lake::session::Granted { name: table.id.clone(), table: table.id.clone(), policy, witness: None };
        let answer = match lake.session(&[granted]).await {
            Ok(session) => rows(&session, "SELECT count(name), sum(n) FROM t").await,
            Err(error) => Err(error),
        };
        // An entry that is cut behind a line lacks the file, and with it the batch: the ledger knows better.
        assert!(answer.is_err(), "{what}: answered with {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_half_written_is_passed_over_and_swept() {
    let (test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    in_ten_files(&lake, &table).await;
    let staged = folder(&test).join("part-00000-x.snappy.parquet#1");
    let orphan = folder(&test).join("part-00000-y.snappy.parquet");
    let entry = folder(&test).join("_delta_log/00000000000000000011.json#1");
    for path in [&staged, &orphan, &entry] {
        std::fs::write(path, "half").unwrap();
    }
    assert_eq!(sum(&lake, &table).await, all_below(100));
    lake.arrive(&table, "more", &batch(100..110)).await.unwrap();
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(110));
    test.clock.advance(DAY * 365);
    assert_eq!(vacuum(&lake, &table, DAY).await.unwrap(), 3);
    for path in [&staged, &orphan, &entry] {
        assert!(!path.exists(), "{}", path.display());
    }
    assert_eq!(sum(&lake, &table).await, all_below(110));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_put_back_is_told_from_a_new_batch_and_can_be_realigned() {
    let (_test, lake) = empty(On::Sqlite).await;
    let table = make(&lake, "t", &schema()).await;
    lake.arrive(&table, "0", &batch(0..10)).await.unwrap();
    compact(&lake, &table).await.unwrap();
    lake.arrive(&table, "1", &batch(10..20)).await.unwrap();
    lake.arrive(&table, "2", &batch(20..30)).await.unwrap();
    compact(&lake, &table).await.unwrap();
    // The ledger as it was when batch 1 had come and waited.
    let tx = lake.store().begin().await.unwrap();
    let body = lake::inbox::encode(&table, &batch(10..20)).unwrap();
    for sql in [
        "DELETE FROM lake_batch WHERE seq >= 2",
        "UPDATE lake_table SET last_seq = 1, compacted_seq = 1, waiting_bytes = 0",
    ] {
        tx.execute(sql, vec![]).await.unwrap();
    }
    lake::inbox::arrive(&tx, &table.id, "1", body).await.unwrap();
    tx.commit().await.unwrap();
    let refused = seen(&lake, &table).await;
    assert!(matches!(refused, Err(LakeError::Damaged(_))), "{refused:?}");
    assert!(matches!(compact(&lake, &table).await, Err(LakeError::Damaged(_))));
    lake::keeping::realign(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(30));
    lake.arrive(&table, "3", &batch(30..40)).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(40));
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_ends_with_a_record_of_all_that_it_was() {
    for on in BOTH {
        let (test, lake) = empty(on).await;
        let table = make(&lake, "t", &schema()).await;
        for part in 0..3 {
            lake.arrive(&table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
            compact(&lake, &table).await.unwrap();
        }
        lake.arrive(&table, "waiting", &batch(30..40)).await.unwrap();
        let open = session(&lake, &table).await;
        let some = std::fs::read(&files(&test)[0]).unwrap();
        let order = Order { by: "the data office".to_owned(), reason: "its purpose is fulfilled".to_owned() };
        let record = destroy(&lake, &table.id, &order).await.unwrap();
        assert_eq!((record.table.as_str(), record.rows, &record.order), ("t", 40, &order));
        assert_eq!(record.files.len(), 3 + 4 + 1, "files, entries of the log, what waited: {record:?}");
        let wanted = hex::encode(crypto_sm3(&some));
        assert!(record.files.iter().any(|file| file.sm3 == wanted && file.bytes == some.len() as u64));
        assert!(!folder(&test).exists());
        assert!(matches!(Lake::table(&lake.store().read(), &table.id).await, Err(LakeError::NoTable(_))));
        assert!(matches!(lake.arrive(&table, "late", &batch(0..1)).await, Err(LakeError::NoTable(_))));
        assert!(matches!(compact(&lake, &table).await, Err(LakeError::NoTable(_))));
        assert!(matches!(destroy(&lake, &table.id, &order).await, Err(LakeError::NoTable(_))));
        let failed = rows(&open, "SELECT count(name) FROM t").await;
        assert!(matches!(failed, Err(LakeError::Run(_))), "a reader of before: {failed:?}");
        // The name is free, and what comes under it is new.
        let table = make(&lake, "t", &schema()).await;
        assert!(!lake.arrive(&table, "0", &batch(0..10)).await.unwrap().repeated);
        compact(&lake, &table).await.unwrap();
        assert_eq!(sum(&lake, &table).await, all_below(10));
    }
}

fn crypto_sm3(bytes: &[u8]) -> [u8; 32] {
    crypto::hash::sm3(bytes)
}
