//! Real processes that are really killed, in every phase; two that write at once; a disk that is full.
//!
//! A test starts this program again with the name of a place. The child works until it stands still there, and is
//! killed with SIGKILL; then the lake is opened by the test and must have every row once.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jiff::SignedDuration;
use kernel::entropy::OsEntropy;
use kernel::time::{ManualClock, SystemClock, Timestamp};
use lake::compaction::compact;
use lake::destruction::{Order, destroy};
use lake::keeping::{merge, retire, vacuum};
use lake::{Keeping, Lake, LakeError, Limits, Place, Retention, Storage, Table};
use store::test::On;
use store::{Config, Env, Faults, Store};

use crate::common::{id, make};
use crate::numbers::{all_below, batch, lake_at, schema, seen, sum};
use crate::servers::{nats, s3, stream_at};

/// What a child is told, in its environment.
const TOLD: &str = "YIWANG_LAKE_CHILD";

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Told {
    work: Work,
    url: Option<String>,
    data_dir: std::path::PathBuf,
    now: i64,
    place: String,
    stream: Option<u16>,
    bucket: Option<(String, String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Work {
    Arrive,
    Compact,
    Merge,
    Vacuum,
    Retire,
    Destroy,
    /// Arrives and compacts beside another process, with the numbers of this hundred.
    Beside(i64),
    /// Works until the disk is full, and on when there is room again.
    FullDisk,
}

/// The child's part. Without being told it has nothing to do, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_does_what_it_is_told() {
    let Ok(told) = std::env::var(TOLD) else {
        assert!(std::env::var_os(TOLD).is_none(), "it was told something that is not text");
        return;
    };
    let told: Told = serde_json::from_str(&told).unwrap();
    let env = Env {
        clock: Arc::new(ManualClock::new(Timestamp::from_micros(told.now))),
        entropy: Arc::new(OsEntropy),
        faults: Faults::at(&told.place),
    };
    let lake = told.lake(env).await;
    let keeping = Keeping { merge_files: 2, ..Keeping::default() };
    if told.work == Work::FullDisk {
        return full_disk(&lake, &told.data_dir).await;
    }
    let table = Lake::table(&lake.store().read(), &id("t")).await.unwrap();
    match told.work {
        Work::Arrive => drop(lake.arrive(&table, "late", &batch(100..110)).await.unwrap()),
        Work::Compact => drop(compact(&lake, &table).await.unwrap()),
        Work::Merge => drop(merge(&lake, &table, &keeping).await.unwrap()),
        Work::Vacuum => drop(vacuum(&lake, &table, SignedDuration::ZERO).await.unwrap()),
        Work::Retire => drop(retire(&lake, &table, &retention()).await.unwrap()),
        Work::Destroy => drop(destroy(&lake, &table.id, &order()).await.unwrap()),
        Work::Beside(hundred) => beside(&lake, &table, hundred).await,
        Work::FullDisk => {}
    }
}

impl Told {
    async fn lake(&self, env: Env) -> Lake {
        let config = Config {
            url: self.url.clone(),
            data_dir: self.data_dir.clone(),
            issuer: Some("urn:yiwang:node:test".to_owned()),
        };
        let store = Store::open(&config, env, store::test::root_key(), lake::MIGRATIONS).await.unwrap();
        Lake::open_with(store, Limits::default(), &self.storage()).await.unwrap()
    }

    fn storage(&self) -> Storage {
        let place = match &self.bucket {
            None => Place::Folder,
            Some((endpoint, access_key, secret_key)) => Place::Bucket(lake::Bucket {
                endpoint: endpoint.clone(),
                name: "lake".to_owned(),
                prefix: "crash".to_owned(),
                region: "us-east-1".to_owned(),
                access_key: access_key.clone(),
                secret_key: secret_key.clone(),
            }),
        };
        Storage { place, stream: self.stream.map(stream_at), ..Storage::default() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        self.tell(&mut command);
        command.args(Self::ARGUMENTS);
        command
    }

    const ARGUMENTS: [&str; 3] = ["--exact", "crash::a_process_does_what_it_is_told", "--nocapture"];

    fn tell(&self, command: &mut Command) {
        command.env(TOLD, serde_json::to_string(self).unwrap());
    }

    /// Starts the child, waits until it stands still and kills it.
    fn kill(&self) {
        let mut child = self.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = format!("standing still at {}", self.place);
        let mut all = String::new();
        let stands = BufReader::new(child.stderr.take().unwrap()).lines().any(|line| {
            let line = line.unwrap();
            all.push_str(&line);
            all.push('\n');
            line.contains(&said)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(stands, "it never came to {}:\n{all}", self.place);
    }
}

fn retention() -> Retention {
    Retention::Column { name: "day".to_owned(), days: 314 }
}

fn order() -> Order {
    Order { by: "the data office".to_owned(), reason: "a test".to_owned() }
}

/// The numbers below 100 that the retention leaves.
fn stays() -> (i64, i64) {
    let wanted: Vec<i64> = (0..100).filter(|n| n % 10 == 0 || n % 28 >= 13).collect();
    (i64::try_from(wanted.len()).unwrap(), wanted.iter().sum())
}

/// A lake with the numbers below 100: in five files, and in five batches that wait.
async fn world(storage: &Storage) -> (store::test::TestStore, Lake, Table) {
    let test = store::test::open(On::Sqlite, lake::MIGRATIONS).await;
    let lake = lake_at(&test, storage).await;
    let table = make(&lake, "t", &schema()).await;
    for part in 0..10 {
        lake.arrive(&table, &part.to_string(), &batch(part * 10..part * 10 + 10)).await.unwrap();
        if part < 5 {
            compact(&lake, &table).await.unwrap();
        }
    }
    (test, lake, table)
}

async fn killed_and_opened_again(
    place: &str,
    work: Work,
    stream: Option<u16>,
    bucket: Option<&lake::Bucket>,
) {
    let mut told = Told {
        work,
        url: None,
        data_dir: "/".into(),
        now: 0,
        place: place.to_owned(),
        stream,
        bucket: bucket.map(|b| (b.endpoint.clone(), b.access_key.clone(), b.secret_key.clone())),
    };
    let (test, lake, mut table) = world(&told.storage()).await;
    let keeping = Keeping { merge_files: 2, ..Keeping::default() };
    if work == Work::Vacuum {
        merge(&lake, &table, &keeping).await.unwrap();
        test.clock.advance(SignedDuration::from_hours(48));
    }
    lake.store().close().await.unwrap();
    told.data_dir = test.config.data_dir.clone();
    told.now = kernel::time::Clock::now(&*test.clock).micros();
    told.kill();

    let env = Env { clock: test.clock.clone(), entropy: Arc::new(OsEntropy), faults: Faults::default() };
    let lake = told.lake(env).await;
    let whole = if work == Work::Arrive && place == "lake.arrived" { all_below(110) } else { all_below(100) };
    match work {
        Work::Arrive => {
            assert_eq!(sum(&lake, &table).await, whole, "{place}");
            // The sender heard nothing and sends again.
            let again = lake.arrive(&table, "late", &batch(100..110)).await.unwrap();
            assert_eq!(again.repeated, place == "lake.arrived", "{place}");
            assert_eq!(sum(&lake, &table).await, all_below(110), "{place}");
        }
        Work::Retire => {
            let found = sum(&lake, &table).await;
            assert!(found == whole || found == stays(), "{place}: {found:?}");
            retire(&lake, &table, &retention()).await.unwrap();
            assert_eq!(sum(&lake, &table).await, stays(), "{place}");
        }
        Work::Destroy => {
            // Begun, it is over for everybody.
            assert!(matches!(seen(&lake, &table).await, Err(LakeError::NoTable(_))), "{place}");
            let record = destroy(&lake, &table.id, &order()).await.unwrap();
            assert_eq!(record.rows, 100, "{place}");
            assert_eq!(record.files.len(), 5 + 6 + 5, "{place}: {record:?}");
            table = make(&lake, "t", &schema()).await;
            assert_eq!(sum(&lake, &table).await, (0, 0), "{place}");
        }
        _ => {
            assert_eq!(sum(&lake, &table).await, whole, "{place}");
            merge(&lake, &table, &keeping).await.unwrap();
            vacuum(&lake, &table, SignedDuration::ZERO).await.unwrap();
            assert_eq!(sum(&lake, &table).await, whole, "{place}");
        }
    }
    // From here on it works as if nothing had been.
    let before = sum(&lake, &table).await;
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, before, "{place}");
    assert_eq!(lake::checking::check(&lake, &table).await.unwrap(), [], "{place}");
    lake.arrive(&table, "last", &batch(1000..1010)).await.unwrap();
    compact(&lake, &table).await.unwrap();
    assert_eq!(sum(&lake, &table).await, (before.0 + 10, before.1 + 10_045), "{place}");
}

/// Every place at which a process can be killed, and what it was doing.
const PLACES: [(&str, Work); 15] = [
    ("lake.arriving", Work::Arrive),
    ("lake.arrived", Work::Arrive),
    ("lake.before_write", Work::Compact),
    ("lake.before_commit", Work::Compact),
    ("lake.committed", Work::Compact),
    ("lake.cleared", Work::Compact),
    ("lake.merge_written", Work::Merge),
    ("lake.merged", Work::Merge),
    ("lake.vacuuming", Work::Vacuum),
    ("lake.vacuumed", Work::Vacuum),
    ("lake.retire_written", Work::Retire),
    ("lake.retired", Work::Retire),
    ("lake.ended", Work::Destroy),
    ("lake.destroy_recorded", Work::Destroy),
    ("lake.destroying", Work::Destroy),
];

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_any_phase_nothing_is_lost_and_nothing_doubled() {
    for (place, work) in PLACES {
        killed_and_opened_again(place, work, None, None).await;
    }
    killed_and_opened_again("lake.files_destroyed", Work::Destroy, None, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_any_phase_of_a_stream_nothing_is_lost_and_nothing_doubled() {
    let phases = PLACES.iter().filter(|(_, work)| matches!(work, Work::Arrive | Work::Compact));
    let noted = ("lake.noted", Work::Compact);
    for (place, work) in phases.chain([&noted]) {
        let folder = tempfile::tempdir().unwrap();
        let (_server, port) = nats(folder.path(), None);
        killed_and_opened_again(place, *work, Some(port), None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_any_phase_over_a_bucket_nothing_is_lost_and_nothing_doubled() {
    for (place, work) in PLACES.iter().filter(|(_, work)| matches!(work, Work::Compact | Work::Merge)) {
        let (_server, bucket) = s3("crash");
        killed_and_opened_again(place, *work, None, Some(&bucket)).await;
    }
}

/// Sends ten batches of ten numbers and compacts after each.
async fn beside(lake: &Lake, table: &Table, hundred: i64) {
    for part in 0..10 {
        let from = hundred * 100 + part * 10;
        lake.arrive(table, &format!("{hundred}-{part}"), &batch(from..from + 10)).await.unwrap();
        // What both send counts once.
        lake.arrive(table, &format!("both-{part}"), &batch(1000 + part * 10..1010 + part * 10))
            .await
            .unwrap();
        compact(lake, table).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_write_at_once_none_loses_or_doubles_a_row() {
    for on in store::test::BOTH {
        let test = store::test::open(on, lake::MIGRATIONS).await;
        let lake = lake_at(&test, &Storage::default()).await;
        let table = make(&lake, "t", &schema()).await;
        let children = [0, 1].map(|hundred| {
            let told = Told {
                work: Work::Beside(hundred),
                url: test.config.url.clone(),
                data_dir: test.config.data_dir.clone(),
                now: kernel::time::Clock::now(&*test.clock).micros(),
                place: "nowhere".to_owned(),
                stream: None,
                bucket: None,
            };
            told.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        });
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{on:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let wanted: i64 = (0..200).sum::<i64>() + (1000..1100).sum::<i64>();
        assert_eq!(sum(&lake, &table).await, (300, wanted), "{on:?}");
        while compact(&lake, &table).await.unwrap().batches > 0 {}
        assert_eq!(sum(&lake, &table).await, (300, wanted), "{on:?}");
        assert_eq!(lake::checking::check(&lake, &table).await.unwrap(), [], "{on:?}");
    }
}

/// Texts that no compression makes small.
fn noise(from: i64) -> lake::Batch {
    let mut state = u64::try_from(from).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = || {
        let mut text = String::new();
        for _ in 0..16 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(&format!("{state:016x}"));
        }
        Some(text)
    };
    let columns = vec![
        lake::batch::Values::Integer((from..from + 1000).map(Some).collect()),
        lake::batch::Values::Text((0..1000).map(|_| text()).collect()),
        lake::batch::Values::Date(vec![None; 1000]),
    ];
    lake::Batch::new(&schema(), columns).unwrap()
}

/// Runs on a small file system: first arrival finds it full, then compaction.
async fn full_disk(lake: &Lake, data_dir: &Path) {
    let table = make(lake, "t", &schema()).await;
    let mut sent = 0;
    let refused = loop {
        match lake.arrive(&table, &sent.to_string(), &noise(sent * 1000)).await {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 1000, "the disk takes everything");
    };
    assert!(matches!(refused, LakeError::Store(_)), "{refused:?}");
    assert!(sent > 5, "only {sent} batches found room");
    let ballast = data_dir.join("ballast");
    assert_eq!(sum(lake, &table).await, all_below(sent * 1000), "what was answered is there");
    // As full as it can be: compaction finds no room for its file.
    fill(&ballast);
    let refused = compact(lake, &table).await;
    assert!(refused.is_err(), "a full disk holds another copy of everything");
    assert_eq!(sum(lake, &table).await, all_below(sent * 1000), "and after compaction failed");
    std::fs::remove_file(&ballast).unwrap();
    std::fs::remove_file(data_dir.join("room")).unwrap();
    while compact(lake, &table).await.unwrap().batches > 0 {}
    assert_eq!(sum(lake, &table).await, all_below(sent * 1000), "with room again");
    let last = lake.arrive(&table, &sent.to_string(), &noise(sent * 1000)).await.unwrap();
    assert!(!last.repeated, "the one that was refused");
    assert_eq!(sum(lake, &table).await, all_below(sent * 1000 + 1000));
    assert_eq!(lake::checking::check(lake, &table).await.unwrap(), []);
    println!("full at {sent} batches");
}

fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    let mut block = vec![b'x'; 1 << 20];
    while block.len() > 256 {
        if file.write_all(&block).is_err() {
            block.truncate(block.len() / 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("disk");
    std::fs::create_dir(&data_dir).unwrap();
    let told = Told {
        work: Work::FullDisk,
        url: None,
        data_dir: data_dir.clone(),
        now: kernel::time::Clock::now(&SystemClock).micros(),
        place: "nowhere".to_owned(),
        stream: None,
        bucket: None,
    };
    // A file system of 64 MiB that nobody but the child sees, with 48 MiB kept for later: for the ledger beside its
    // journal, and for the table.
    let script = format!(
        "mount -t tmpfs -o size=64m tmpfs '{0}' && head -c 50331648 /dev/zero > '{0}/room' && exec \"$@\"",
        data_dir.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
    command.arg(std::env::current_exe().unwrap()).args(Told::ARGUMENTS);
    told.tell(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("full at "), "{said}{errors}");
}
