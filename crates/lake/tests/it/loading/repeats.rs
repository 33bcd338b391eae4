//! Run again, stopped, killed or changed: nothing is doubled and nothing is mixed.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use lake::loading::{self, Cancel, LoadError, Mapping, Opened, Progress, Settings, Source, State};
use lake::{Lake, Limits, Storage, Table};
use store::test::{BOTH, On};
use store::{Env, Faults, Store};

use super::World;
use crate::common::{empty, make, number, whole};

/// More rows than fit into one batch.
const ROWS: i64 = 150_000;

fn csv(rows: i64) -> String {
    std::iter::once("n,name\n".to_owned()).chain((0..rows).map(|n| format!("{n},NAME-{n}\n"))).collect()
}

async fn sums(lake: &Lake, table: &Table) -> (i64, i64) {
    let session = whole(lake, table).await;
    let name = table.id.as_str();
    (
        number(&session, &format!("SELECT count(*) FROM {name}")).await,
        number(&session, &format!("SELECT coalesce(sum(n), 0) FROM {name}")).await,
    )
}

const ALL: (i64, i64) = (ROWS, ROWS * (ROWS - 1) / 2);

#[tokio::test]
async fn a_load_that_is_run_again_adds_nothing_unless_its_occasion_is_another() {
    for on in BOTH {
        let world = World::on(on).await;
        let opened = world.file(&world.write("n.csv", csv(1_000).as_bytes())).await;
        let first = world.whole("n", &opened).await;
        assert_eq!((first.loaded.state, first.loaded.rows, first.loaded.batches), (State::Done, 1_000, 1));
        let mapping = first.proposal.mapping();
        // Under another name, it is the same content.
        let again = world.file(&world.write("other.csv", csv(1_000).as_bytes())).await;
        let second = world.load(&first.table, &again, &mapping, &Settings::default()).await.unwrap();
        assert_eq!((second.state, second.rows, second.earlier), (State::Repeated, 0, Some(first.loaded.id)));
        assert_eq!(sums(&world.lake, &first.table).await.0, 1_000);
        let settings = Settings { occasion: Some("2026-11".to_owned()), ..Settings::default() };
        let third = world.load(&first.table, &again, &mapping, &settings).await.unwrap();
        assert_eq!((third.state, third.rows), (State::Done, 1_000));
        assert_eq!(sums(&world.lake, &first.table).await.0, 2_000);
        // A file with more rows is another load.
        let more = world.file(&world.write("more.csv", csv(1_001).as_bytes())).await;
        let fourth = world.load(&first.table, &more, &mapping, &Settings::default()).await.unwrap();
        assert_eq!((fourth.state, fourth.rows), (State::Done, 1_001));
        let loads = loading::list_loads(&world.lake.store().read(), Some(&first.table.id), 10).await.unwrap();
        let mut states: Vec<State> = loads.iter().map(|load| load.state).collect();
        states.sort_by_key(|state| state.as_str());
        assert_eq!(states, [State::Done, State::Done, State::Done, State::Repeated]);
    }
}

#[tokio::test]
async fn rows_that_stand_twice_in_a_source_come_twice() {
    let world = World::new().await;
    let opened = world.file(&world.write("twice.csv", "n\n1\n1\n1\n".as_bytes())).await;
    let outcome = world.whole("twice", &opened).await;
    assert_eq!(sums(&world.lake, &outcome.table).await, (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_larger_than_the_inbox_makes_room_as_it_goes() {
    let mut world = World::new().await;
    // Less than two batches.
    let storage = Storage { max_waiting: 1_000_000, ..Storage::default() };
    let store = world.lake.store().clone();
    world.lake = Lake::open_with(store, Limits::default(), &storage).await.unwrap();
    let opened = world.file(&world.write("n.csv", csv(ROWS).as_bytes())).await;
    let outcome = world.whole("n", &opened).await;
    assert_eq!((outcome.loaded.state, outcome.loaded.rows), (State::Done, 150_000));
    let counts = lake::inbox::counts(&world.lake.store().read(), &outcome.table.id).await.unwrap();
    assert!(counts.batches == 3 && counts.waiting < 3, "{counts:?}");
    assert_eq!(sums(&world.lake, &outcome.table).await, ALL);
}

#[tokio::test]
async fn two_that_run_at_once_add_each_row_once() {
    for on in BOTH {
        let world = World::on(on).await;
        let opened = world.file(&world.write("n.csv", csv(ROWS).as_bytes())).await;
        let mapping = world.inspect(&opened).await.unwrap().mapping();
        let table = make(&world.lake, "n", &mapping.schema().unwrap()).await;
        let settings = Settings::default();
        let (first, second) = tokio::join!(
            world.load(&table, &opened, &mapping, &settings),
            world.load(&table, &opened, &mapping, &settings)
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(first.state == State::Done || second.state == State::Done);
        assert_eq!(sums(&world.lake, &table).await, ALL);
    }
}

#[tokio::test]
async fn a_load_that_is_cancelled_goes_on_from_where_it_was() {
    let world = World::new().await;
    let opened = world.file(&world.write("n.csv", csv(ROWS).as_bytes())).await;
    let mapping = world.inspect(&opened).await.unwrap().mapping();
    let table = make(&world.lake, "n", &mapping.schema().unwrap()).await;
    let cancel = Cancel::default();
    cancel.cancel();
    let settings = Settings::default();
    let at_once =
        loading::load(&world.lake, &table, &opened, &mapping, &settings, &mut |_| {}, &cancel).await.unwrap();
    assert_eq!((at_once.state, at_once.rows), (State::Cancelled, 0));
    let cancel = Cancel::default();
    let hand = cancel.clone();
    let mut seen: Vec<Progress> = Vec::new();
    let mut stop_when_some_arrived = |now: &Progress| {
        seen.push(*now);
        if now.arrived > 0 {
            hand.cancel();
        }
    };
    let stopped = loading::load(
        &world.lake,
        &table,
        &opened,
        &mapping,
        &settings,
        &mut stop_when_some_arrived,
        &cancel,
    )
    .await
    .unwrap();
    assert!(!seen.is_empty());
    if stopped.state == State::Cancelled {
        assert!(stopped.rows > 0 && stopped.rows < 150_000, "{}", stopped.rows);
        assert_eq!(
            sums(&world.lake, &table).await.0,
            i64::try_from(stopped.rows).unwrap(),
            "it says what is there"
        );
        // With another mapping, the rest would not fit what is there.
        let mut other = mapping.clone();
        other.columns[1].trim = true;
        let refused = world.load(&table, &opened, &other, &settings).await;
        assert!(matches!(refused, Err(LoadError::Mapping(_))));
    }
    let rest = world.load(&table, &opened, &mapping, &settings).await.unwrap();
    assert!(rest.state == State::Done || stopped.state == State::Done);
    assert_eq!(sums(&world.lake, &table).await, ALL);
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_stops_the_load_before_the_change_arrives() {
    let world = World::new().await;
    let path = world.write("n.csv", csv(ROWS).as_bytes());
    let opened = world.file(&path).await;
    let mapping = world.inspect(&opened).await.unwrap().mapping();
    let table = make(&world.lake, "n", &mapping.schema().unwrap()).await;
    let changed = csv(ROWS).replace("\n140000,", "\n7,");
    let mut change = Some(changed);
    let mut progress = |now: &Progress| {
        if now.rows_total.is_none() && now.rows > 0 {
            // Written beside it and put in its place: the first pass goes on with the old file.
            if let Some(text) = change.take() {
                let draft = path.with_extension("new");
                std::fs::write(&draft, text).unwrap();
                std::fs::rename(&draft, &path).unwrap();
            }
        }
    };
    let cancel = Cancel::default();
    let settings = Settings::default();
    let outcome =
        loading::load(&world.lake, &table, &opened, &mapping, &settings, &mut progress, &cancel).await;
    assert!(matches!(outcome, Err(LoadError::Changed)), "{outcome:?}");
    let (rows, sum) = sums(&world.lake, &table).await;
    assert_eq!(sum, rows * (rows - 1) / 2, "only what was checked has arrived");
    assert!(rows > 0 && rows < 140_000, "{rows}");
    let loads = loading::list_loads(&world.lake.store().read(), None, 1).await.unwrap();
    assert_eq!(loads[0].state, State::Failed);
    assert!(loads[0].error.as_deref().unwrap().starts_with("load.changed"));
}

#[tokio::test]
async fn a_source_with_other_columns_is_refused() {
    let world = World::new().await;
    let opened = world.file(&world.write("n.csv", b"n,name\n1,a\n")).await;
    let outcome = world.whole("n", &opened).await;
    let mapping = outcome.proposal.mapping();
    for bytes in [&b"n,title\n1,a\n"[..], b"n\n1\n", b"name,n\na,1\n"] {
        let other = world.file(&world.write("other.csv", bytes)).await;
        let refused = world.load(&outcome.table, &other, &mapping, &Settings::default()).await;
        assert!(matches!(refused, Err(LoadError::Columns(_))));
    }
    let mut wrong: Mapping = mapping.clone();
    wrong.columns[0].column.as_mut().unwrap().kind = lake::Kind::Text;
    assert!(matches!(
        world.load(&outcome.table, &opened, &wrong, &Settings::default()).await,
        Err(LoadError::Mapping(_))
    ));
    let mut wrong = mapping.clone();
    wrong.columns[1].column.as_mut().unwrap().name = "absent".to_owned();
    assert!(matches!(
        world.load(&outcome.table, &opened, &wrong, &Settings::default()).await,
        Err(LoadError::Mapping(_))
    ));
    let written = serde_json::to_string(&mapping).unwrap();
    assert_eq!(serde_json::from_str::<Mapping>(&written).unwrap(), mapping, "it is kept as it was");
}

const CHILD: &str = "YIWANG_TEST_LOAD_CHILD";
const PLACES: [(&str, i64); 2] = [("lake.load_checked", 0), ("lake.load_batch_arrived", 65_536)];

/// Loads in a process of its own until it stands still at a place.
async fn child(folder: &std::path::Path, place: &str) {
    let config = store::Config { url: None, data_dir: folder.to_owned(), issuer: None };
    let env = Env {
        clock: std::sync::Arc::new(kernel::time::SystemClock),
        entropy: std::sync::Arc::new(kernel::entropy::OsEntropy),
        faults: Faults::at(place),
    };
    let store = Store::open(&config, env, store::test::root_key(), lake::MIGRATIONS).await.unwrap();
    let lake = Lake::open(store, Limits::default()).unwrap();
    let (opened, mapping, table) = prepared(&lake, folder).await;
    loading::load(&lake, &table, &opened, &mapping, &Settings::default(), &mut |_| {}, &Cancel::default())
        .await
        .unwrap();
}

async fn prepared(lake: &Lake, folder: &std::path::Path) -> (Opened, Mapping, Table) {
    let source = Source::File(folder.join("n.csv"));
    let opened = Opened::open(&source, &loading::Addresses::default(), folder).await.unwrap();
    let mapping = loading::inspect(lake, &opened, &loading::Reading::default()).await.unwrap().mapping();
    let table = Lake::table(&lake.store().read(), &"n".parse().unwrap()).await.unwrap();
    (opened, mapping, table)
}

#[tokio::test]
async fn a_load_whose_process_is_killed_doubles_nothing_and_loses_nothing() {
    if let Ok(told) = std::env::var(CHILD) {
        let (folder, place) = told.split_once('|').unwrap();
        return child(std::path::Path::new(folder), place).await;
    }
    for (place, arrived) in PLACES {
        let (test, lake) = empty(On::Sqlite).await;
        let folder = test.config.data_dir.clone();
        std::fs::write(folder.join("n.csv"), csv(ROWS)).unwrap();
        let schema = lake::Schema::new(vec![
            lake::Column::new("n", lake::Kind::Integer),
            lake::Column::personal("name", lake::Kind::Text),
        ])
        .unwrap();
        let table = make(&lake, "n", &schema).await;
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "loading::repeats::a_load_whose_process_is_killed_doubles_nothing_and_loses_nothing",
            ])
            .env(CHILD, format!("{}|{place}", folder.display()))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // It has come so far when its state, or its rows, are in the ledger.
        let read = lake.store().read();
        let mut waited = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            waited += 1;
            assert!(waited < 600 && process.try_wait().unwrap().is_none(), "{place} is never reached");
            let counts = lake::inbox::counts(&read, &table.id).await.unwrap();
            let loads = loading::list_loads(&read, None, 1).await.unwrap();
            let checked = loads.first().is_some_and(|load| load.progress.rows_total.is_some());
            if checked && counts.rows == arrived {
                break;
            }
        }
        process.kill().unwrap();
        assert_eq!(process.wait().unwrap().signal(), Some(9));
        assert_eq!(sums(&lake, &table).await.0, arrived, "what had arrived stays");
        let (opened, mapping, table) = prepared(&lake, &folder).await;
        let settings = Settings::default();
        let again =
            loading::load(&lake, &table, &opened, &mapping, &settings, &mut |_| {}, &Cancel::default())
                .await
                .unwrap();
        assert_eq!((again.state, again.rows), (State::Done, 150_000));
        assert_eq!(again.known_batches, u64::from(arrived > 0));
        assert_eq!(sums(&lake, &table).await, ALL);
        lake::compaction::compact(&lake, &table).await.unwrap();
        assert_eq!(sums(&lake, &table).await, ALL, "compacted");
    }
}
