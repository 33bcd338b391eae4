//! The inbox as a stream of a real NATS server.

use std::path::Path;
use std::time::Duration;

use lake::compaction::compact;
use lake::{LakeError, Storage, StreamServer};
use store::test::{BOTH, On, open};

use crate::common::make;
use crate::numbers::{all_below, batch, lake_at, schema, seen, sum};
use crate::servers::{nats, stream_at};

fn on(server: StreamServer) -> Storage {
    Storage { stream: Some(server), ..Storage::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_a_stream_is_read_at_once_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = nats(folder.path(), None);
    for database in BOTH {
        let test = open(database, lake::MIGRATIONS).await;
        let server = StreamServer { prefix: format!("at_{database:?}"), ..stream_at(port) };
        let lake = lake_at(&test, &on(server)).await;
        let table = make(&lake, "t", &schema()).await;
        assert_eq!(sum(&lake, &table).await, (0, 0));
        assert!(!lake.arrive(&table, "one", &batch(0..10)).await.unwrap().repeated);
        assert_eq!(sum(&lake, &table).await, all_below(10));
        assert!(lake.arrive(&table, "one", &batch(0..10)).await.unwrap().repeated, "sent again");
        lake.arrive(&table, "two", &batch(10..20)).await.unwrap();
        assert_eq!(sum(&lake, &table).await, all_below(20));
        let done = compact(&lake, &table).await.unwrap();
        assert_eq!((done.batches, done.seq), (2, 2));
        assert_eq!(sum(&lake, &table).await, all_below(20), "compacted");
        assert!(lake.arrive(&table, "one", &batch(0..10)).await.unwrap().repeated, "sent again later");
        lake.arrive(&table, "three", &batch(20..30)).await.unwrap();
        assert_eq!(sum(&lake, &table).await, all_below(30), "in the log and in the stream");
        let counts = lake::inbox::counts(&lake.store().read(), &table.id).await.unwrap();
        assert_eq!((counts.batches, counts.rows), (2, 20));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_sent_again_when_the_server_has_forgotten_it_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = nats(folder.path(), None);
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let server = StreamServer { known_for: Duration::from_millis(100), ..stream_at(port) };
    let lake = lake_at(&test, &on(server)).await;
    let table = make(&lake, "t", &schema()).await;
    lake.arrive(&table, "one", &batch(0..10)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let again = lake.arrive(&table, "one", &batch(0..10)).await.unwrap();
    assert_eq!((again.seq, again.repeated), (2, false), "the server does not know it");
    assert_eq!(sum(&lake, &table).await, all_below(10), "twice in the stream");
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(10), "once in the table");
    assert!(lake.arrive(&table, "one", &batch(0..10)).await.unwrap().repeated, "the ledger knows it");
    lake.arrive(&table, "two", &batch(10..20)).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_acknowledged_is_there_after_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = nats(folder.path(), None);
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = lake_at(&test, &on(stream_at(port))).await;
    let table = make(&lake, "t", &schema()).await;
    for number in 0..20 {
        lake.arrive(&table, &number.to_string(), &batch(number * 10..number * 10 + 10)).await.unwrap();
    }
    server.kill();
    let (_server, _) = nats(folder.path(), Some(port));
    let lake = lake_at(&test, &on(stream_at(port))).await;
    assert_eq!(sum(&lake, &table).await, all_below(200));
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_tells_the_sender_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = nats(folder.path(), None);
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = lake_at(&test, &on(StreamServer { max_bytes: 50_000, ..stream_at(port) })).await;
    let table = make(&lake, "t", &schema()).await;
    let mut sent = 0;
    let refused = loop {
        match lake.arrive(&table, &sent.to_string(), &batch(sent * 100..sent * 100 + 100)).await {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 100, "the stream takes everything");
    };
    assert!(matches!(refused, LakeError::Full), "{refused:?}");
    assert!(sent > 2);
    assert_eq!(sum(&lake, &table).await, all_below(sent * 100), "what was taken is there");
    compact(&lake, &table).await.unwrap();
    lake.arrive(&table, &sent.to_string(), &batch(sent * 100..sent * 100 + 100)).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(sent * 100 + 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_the_stream_cannot_carry_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = nats(folder.path(), None);
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = lake_at(&test, &on(stream_at(port))).await;
    let table = make(&lake, "t", &schema()).await;
    let refused = lake.arrive(&table, "large", &batch(0..400_000)).await;
    assert!(matches!(&refused, Err(LakeError::Data(_))), "{refused:?}");
    assert_eq!(sum(&lake, &table).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_lost_begins_anew_and_nothing_that_comes_then_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = nats(folder.path(), None);
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = lake_at(&test, &on(stream_at(port))).await;
    let table = make(&lake, "t", &schema()).await;
    for number in 0..3 {
        lake.arrive(&table, &number.to_string(), &batch(number * 10..number * 10 + 10)).await.unwrap();
    }
    compact(&lake, &table).await.unwrap();
    server.kill();
    std::fs::remove_dir_all(folder.path().join("streams")).unwrap();
    let (_server, _) = nats(folder.path(), Some(port));
    let lake = lake_at(&test, &on(stream_at(port))).await;
    let arrival = lake.arrive(&table, "3", &batch(30..40)).await.unwrap();
    assert_eq!(arrival.seq, 1, "it counts from one again");
    assert_eq!(sum(&lake, &table).await, all_below(40));
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_put_back_to_an_older_state_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = nats(folder.path(), None);
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = lake_at(&test, &on(stream_at(port))).await;
    let table = make(&lake, "t", &schema()).await;
    lake.arrive(&table, "0", &batch(0..10)).await.unwrap();
    server.kill();
    copy(&folder.path().join("streams"), &folder.path().join("old"));
    let (server, _) = nats(folder.path(), Some(port));
    let lake = lake_at(&test, &on(stream_at(port))).await;
    for number in 1..5 {
        lake.arrive(&table, &number.to_string(), &batch(number * 10..number * 10 + 10)).await.unwrap();
    }
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, all_below(50));
    server.kill();
    std::fs::remove_dir_all(folder.path().join("streams")).unwrap();
    copy(&folder.path().join("old"), &folder.path().join("streams"));
    let (_server, _) = nats(folder.path(), Some(port));
    let lake = lake_at(&test, &on(stream_at(port))).await;
    // Its number is one that the log has, so it would be taken for a batch that is in the table.
    let refused = lake.arrive(&table, "5", &batch(50..60)).await;
    assert!(matches!(&refused, Err(LakeError::Damaged(_))), "{refused:?}");
    assert!(matches!(seen(&lake, &table).await, Err(LakeError::Damaged(_))));
    assert!(matches!(compact(&lake, &table).await, Err(LakeError::Damaged(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_changes_to_a_stream_keeps_what_waits_in_its_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = nats(folder.path(), None);
    let test = open(On::Sqlite, lake::MIGRATIONS).await;
    let before = lake_at(&test, &Storage::default()).await;
    let table = make(&before, "t", &schema()).await;
    before.arrive(&table, "0", &batch(0..10)).await.unwrap();
    let after = lake_at(&test, &on(stream_at(port))).await;
    after.arrive(&table, "1", &batch(10..20)).await.unwrap();
    assert!(after.arrive(&table, "0", &batch(0..10)).await.unwrap().repeated);
    assert_eq!(sum(&after, &table).await, all_below(20));
    compact(&after, &table).await.unwrap();
    assert_eq!(sum(&after, &table).await, all_below(20));
    assert_eq!(sum(&before, &table).await, all_below(20), "the stream is empty by now");
    assert!(before.arrive(&table, "1", &batch(10..20)).await.unwrap().repeated);
}

fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}
