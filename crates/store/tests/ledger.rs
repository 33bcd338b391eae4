//! The ledger's promises, each on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use kernel::actor::Actor;
use kernel::ids::SubjectId;
use kernel::time::Timestamp;
use store::jobs::{self, NewJob};
use store::outbox::{self, Reaction};
use store::test::{BOTH, On, TestStore, open, open_again};
use store::{AuditEntry, Event, Migration, Purpose, Reads, Store, StoreError, backup, blobs, params, verify};

const NOTES: Migration = Migration {
    name: "test_0001_note",
    statements: &["CREATE TABLE test_note (
        subject_id TEXT NOT NULL, number BIGINT NOT NULL, body {bytes}, remark TEXT,
        PRIMARY KEY (subject_id, number)
    )"],
};

async fn ledger(on: On) -> TestStore {
    open(on, &[NOTES]).await
}

fn subject(store: &Store) -> SubjectId {
    SubjectId::generate(&*store.env().clock, &*store.env().entropy)
}

async fn note(store: &Store, subject: SubjectId, number: i64) -> Result<(), StoreError> {
    let tx = store.begin().await?;
    tx.execute(
        "INSERT INTO test_note (subject_id, number, body, remark) VALUES ($1, $2, $3, $4)",
        params![subject, number, vec![1_u8, 2, 3], "记录"],
    )
    .await?;
    tx.audit(
        AuditEntry::new(&Actor::Node, "test.note", Purpose::Operation).about(subject).object("test.note"),
    );
    tx.commit().await
}

async fn count(store: &Store) -> i64 {
    store.read().count("SELECT COUNT(*) AS n FROM test_note", vec![]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writes_share_commits_and_only_the_committed_remain() {
    for on in BOTH {
        let test = ledger(on).await;
        let owner = subject(&test.store);
        let mut tasks = Vec::new();
        for number in 0..120_i64 {
            let store = test.store.clone();
            tasks.push(tokio::spawn(async move {
                if number % 3 == 0 {
                    let tx = store.begin().await.unwrap();
                    tx.execute(
                        "INSERT INTO test_note (subject_id, number) VALUES ($1, $2)",
                        params![owner, number],
                    )
                    .await
                    .unwrap();
                    tx.audit(AuditEntry::new(&Actor::Node, "test.dropped", Purpose::Operation));
                    drop(tx);
                } else {
                    note(&store, owner, number).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        // One more write, so that the rollbacks that run in the background are over.
        note(&test.store, owner, 1_000).await.unwrap();
        assert_eq!(count(&test.store).await, 81, "{on:?}");
        let report = verify::verify(&test.store).await.unwrap();
        assert_eq!(report.findings, vec![], "{on:?}");
        assert_eq!(report.leaves, 81, "{on:?}");
        assert!(report.heads <= 81, "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_undoes_its_own_write_and_no_other() {
    for on in BOTH {
        let test = ledger(on).await;
        let owner = subject(&test.store);
        note(&test.store, owner, 1).await.unwrap();
        let (first, second) = tokio::join!(note(&test.store, owner, 1), note(&test.store, owner, 2));
        assert!(first.unwrap_err().is_taken(), "{on:?}");
        second.unwrap();
        assert_eq!(count(&test.store).await, 2, "{on:?}");
        assert_eq!(verify::verify(&test.store).await.unwrap().findings, vec![], "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_while_their_write_begins_undoes_nothing_of_the_others() {
    for on in BOTH {
        let test = ledger(on).await;
        let owner = subject(&test.store);
        for steps in 0..12_i64 {
            let first = test.store.begin().await.unwrap();
            first
                .execute(
                    "INSERT INTO test_note (subject_id, number, body, remark) VALUES ($1, $2, NULL, NULL)",
                    params![owner, steps],
                )
                .await
                .unwrap();
            let mut second = Box::pin(test.store.begin());
            // It stands in the queue, so the first waits for it with its commit.
            assert!(poll(&mut second).is_pending());
            let first = tokio::spawn(first.commit());
            tokio::task::yield_now().await;
            for _ in 0..steps {
                if poll(&mut second).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(second);
            first.await.unwrap().unwrap();
            assert_eq!(count(&test.store).await, steps + 1, "{on:?}, given up after {steps} steps");
        }
        note(&test.store, owner, 100).await.unwrap();
        assert_eq!(count(&test.store).await, 13, "{on:?}");
    }
}

/// One step of a future.
fn poll<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> std::task::Poll<F::Output> {
    future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_survives_opening_the_ledger_again() {
    for on in BOTH {
        let test = ledger(on).await;
        let owner = subject(&test.store);
        note(&test.store, owner, 1).await.unwrap();
        test.store.close().await.unwrap();
        let again = open_again(&test.config, test.clock.clone(), &[NOTES]).await;
        assert_eq!(count(&again).await, 1, "{on:?}");
        note(&again, owner, 2).await.unwrap();
        assert_eq!(verify::verify(&again).await.unwrap().findings, vec![], "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_changed_after_the_fact_is_refused() {
    for on in BOTH {
        let test = ledger(on).await;
        test.store.close().await.unwrap();
        let changed = Migration { name: NOTES.name, statements: &["CREATE TABLE test_other (id TEXT)"] };
        let env = test.store.env().clone();
        let outcome = Store::open(&test.config, env, store::test::root_key(), &[changed]).await;
        let Err(StoreError::Config(text)) = outcome else { panic!("{on:?}: it was accepted") };
        assert!(text.contains("test_0001_note"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_died_is_taken_again_and_its_effects_are_kept_once() {
    for on in BOTH {
        let test = ledger(on).await;
        let store = &test.store;
        let owner = subject(store);
        let tx = store.begin().await.unwrap();
        tx.enqueue(NewJob::new("test.note", &7_i64).unwrap().once("note-7".to_owned()));
        tx.enqueue(NewJob::new("test.note", &7_i64).unwrap().once("note-7".to_owned()));
        tx.commit().await.unwrap();

        let first = jobs::lease(store).await.unwrap().expect("a job is due");
        assert!(jobs::lease(store).await.unwrap().is_none(), "{on:?}: it is leased and there is one only");
        // The first worker dies here; its lease runs out.
        test.clock.advance(jiff::SignedDuration::from_secs(61));
        let second = jobs::lease(store).await.unwrap().expect("the lease ran out");
        assert_eq!(first.id, second.id);

        let tx = store.begin().await.unwrap();
        let number: i64 = second.payload().unwrap();
        tx.execute("INSERT INTO test_note (subject_id, number) VALUES ($1, $2)", params![owner, number])
            .await
            .unwrap();
        jobs::finish(&tx, &second).await.unwrap();
        tx.commit().await.unwrap();
        assert!(jobs::lease(store).await.unwrap().is_none(), "{on:?}");
        assert_eq!(count(store).await, 1, "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_keeps_failing_backs_off_and_at_last_lies_still() {
    for on in BOTH {
        let test = ledger(on).await;
        let store = &test.store;
        let tx = store.begin().await.unwrap();
        tx.enqueue(NewJob::new("test.fails", &()).unwrap());
        tx.commit().await.unwrap();
        let mut tries = 0;
        for _ in 0..40 {
            while let Some(job) = jobs::lease(store).await.unwrap() {
                tries += 1;
                jobs::fail(store, &job, "no").await.unwrap();
                assert!(jobs::lease(store).await.unwrap().is_none(), "{on:?}: it must wait first");
            }
            test.clock.advance(jiff::SignedDuration::from_secs(3_600));
        }
        assert_eq!(tries, 12, "{on:?}");
        assert_eq!(jobs::counts(store).await.unwrap(), (0, 1), "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_becomes_one_job_for_each_reaction() {
    for on in BOTH {
        let test = ledger(on).await;
        let store = &test.store;
        let reactions = [
            Reaction { event: "test.happened", job: "test.first" },
            Reaction { event: "test.happened", job: "test.second" },
            Reaction { event: "test.other", job: "test.third" },
        ];
        let tx = store.begin().await.unwrap();
        tx.emit(Event::new("test.happened", &"你好").unwrap());
        tx.commit().await.unwrap();
        assert_eq!(outbox::dispatch(store, &reactions, 10).await.unwrap(), 1, "{on:?}");
        assert_eq!(outbox::dispatch(store, &reactions, 10).await.unwrap(), 0, "{on:?}");
        let mut kinds = Vec::new();
        while let Some(job) = jobs::lease(store).await.unwrap() {
            assert_eq!(job.payload::<String>().unwrap(), "你好");
            kinds.push(job.kind);
        }
        kinds.sort();
        assert_eq!(kinds, ["test.first", "test.second"], "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_was_and_only_to_its_owner() {
    for on in BOTH {
        let test = ledger(on).await;
        let store = &test.store;
        let (owner, other) = (subject(store), subject(store));
        let bytes = b"%PDF-1.7 proof of premises".to_vec();
        let written = blobs::write(store, owner, bytes.clone()).await.unwrap();
        let tx = store.begin().await.unwrap();
        let blob = blobs::attach(&tx, written, "application/pdf", "场所证明.pdf").await.unwrap();
        tx.commit().await.unwrap();

        let found = blobs::find(&store.read(), owner, blob.id).await.unwrap().unwrap();
        assert_eq!(found.name, "场所证明.pdf");
        assert_eq!(blobs::read(store, &found).await.unwrap(), bytes);
        assert!(blobs::find(&store.read(), other, blob.id).await.unwrap().is_none(), "{on:?}");

        // Nothing of it is in clear on the disk.
        let mut all = Vec::new();
        collect(&test.config.data_dir.join("blobs"), &mut all);
        assert_eq!(all.len(), 1);
        let sealed = std::fs::read(&all[0]).unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"proof"));

        // A changed byte is noticed.
        let mut spoilt = sealed.clone();
        *spoilt.last_mut().unwrap() ^= 1;
        std::fs::write(&all[0], spoilt).unwrap();
        assert!(blobs::read(store, &found).await.is_err(), "{on:?}");
    }
}

fn collect(folder: &std::path::Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, into) } else { into.push(path) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_row_are_swept_and_named_ones_stay() {
    for on in BOTH {
        let test = ledger(on).await;
        let store = &test.store;
        let owner = subject(store);
        blobs::write(store, owner, b"lost".to_vec()).await.unwrap();
        let kept = blobs::write(store, owner, b"kept".to_vec()).await.unwrap();
        let tx = store.begin().await.unwrap();
        blobs::attach(&tx, kept, "application/pdf", "kept.pdf").await.unwrap();
        tx.commit().await.unwrap();
        let mut files = Vec::new();
        collect(&test.config.data_dir.join("blobs"), &mut files);
        let written = std::fs::metadata(&files[0]).unwrap().modified().unwrap();
        let written = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
        test.clock.set(Timestamp::from_micros(written + 60_000_000));
        assert_eq!(blobs::sweep(store).await.unwrap(), 0, "{on:?}: too young");
        test.clock.set(Timestamp::from_micros(written + 2 * 3_600_000_000));
        assert_eq!(blobs::sweep(store).await.unwrap(), 1, "{on:?}");
        assert_eq!(blobs::sweep(store).await.unwrap(), 0, "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_restores_to_the_same_rows_on_either_database() {
    for from in BOTH {
        for to in BOTH {
            let test = ledger(from).await;
            let store = &test.store;
            let owner = subject(store);
            for number in 0..7 {
                note(store, owner, number).await.unwrap();
            }
            let written = blobs::write(store, owner, b"a file".to_vec()).await.unwrap();
            let tx = store.begin().await.unwrap();
            let blob = blobs::attach(&tx, written, "application/pdf", "a.pdf").await.unwrap();
            tx.commit().await.unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("node.tar.gz");
            let manifest = backup::backup(store, &path).await.unwrap();
            assert_eq!(manifest.tables["test_note"], 7);

            let empty = ledger(to).await;
            backup::restore(&empty.store, &path).await.unwrap();
            empty.store.close().await.unwrap();
            let restored = open_again(&empty.config, empty.clock.clone(), &[NOTES]).await;
            let again = folder.path().join("again.tar.gz");
            let second = backup::backup(&restored, &again).await.unwrap();
            assert_eq!(manifest.tables, second.tables, "{from:?} to {to:?}");
            assert_eq!(contents(&path), contents(&again), "{from:?} to {to:?}");
            let found = blobs::find(&restored.read(), owner, blob.id).await.unwrap().unwrap();
            assert_eq!(blobs::read(&restored, &found).await.unwrap(), b"a file");
            assert_eq!(verify::verify(&restored).await.unwrap().findings, vec![], "{from:?} to {to:?}");
        }
    }
}

/// Every file of a backup but its manifest, whose time differs.
fn contents(path: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        if name != "manifest.json" {
            found.push((name, bytes));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_cut_short_changes_nothing() {
    for on in BOTH {
        let test = ledger(on).await;
        note(&test.store, subject(&test.store), 1).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.tar.gz");
        backup::backup(&test.store, &path).await.unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let other = ledger(on).await;
        note(&other.store, subject(&other.store), 5).await.unwrap();
        assert!(backup::restore(&other.store, &path).await.is_err());
        assert_eq!(count(&other.store).await, 1, "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_signed_before_a_rotation_still_verify_after_it() {
    for on in BOTH {
        let test = ledger(on).await;
        let owner = subject(&test.store);
        note(&test.store, owner, 1).await.unwrap();
        for algorithm in [crypto::suite::Algorithm::Sm2Sm3, crypto::suite::Algorithm::Ed25519] {
            store::keys::rotate(&test.store, crypto::keys::Purpose::AuditHead, algorithm).await.unwrap();
        }
        note(&test.store, owner, 2).await.unwrap();
        test.store.close().await.unwrap();
        let again = open_again(&test.config, test.clock.clone(), &[NOTES]).await;
        let report = verify::verify(&again).await.unwrap();
        assert_eq!(report.findings, vec![], "{on:?}");
        assert_eq!(report.heads, 2, "{on:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_must_be_there_is_never_made() {
    for on in BOTH {
        let test = open(on, &[]).await;
        let config = store::Config { issuer: None, ..test.config.clone() };
        let env = test.store.env().clone();
        test.store.close().await.unwrap();
        let again = Store::open(&config, env.clone(), store::test::root_key(), &[]).await;
        again.unwrap_or_else(|error| panic!("{on:?}: {error}")).close().await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let config = store::Config { url: None, data_dir: nowhere.clone(), issuer: None };
    let env = open(On::Sqlite, &[]).await.store.env().clone();
    let Err(StoreError::Config(text)) = Store::open(&config, env, store::test::root_key(), &[]).await else {
        panic!("a ledger was made")
    };
    assert!(text.contains("no ledger") && !nowhere.exists(), "{text}");
}
