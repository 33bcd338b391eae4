//! Ledgers for tests: a fresh SQLite file, and a fresh database on the private PostgreSQL that `make test`
//! starts. A test of storage runs on both and fails where PostgreSQL is missing.

#![expect(clippy::expect_used, reason = "a test cannot go on without its ledger")]

use std::sync::Arc;

use crypto::root::RootKey;
use kernel::entropy::SeededEntropy;
use kernel::time::{ManualClock, Timestamp};
use sea_orm::{ConnectionTrait, Database};

use crate::{Config, Env, Faults, Migration, Store};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// A file of its own.
    Sqlite,
    /// A database of its own.
    Postgres,
}

/// Both, for a loop.
pub const BOTH: [On; 2] = [On::Sqlite, On::Postgres];

/// A ledger with a clock in the test's hands.
pub struct TestStore {
    /// The ledger.
    pub store: Store,
    /// Its clock, at 2026-11-24 09:00 in China at first.
    pub clock: Arc<ManualClock>,
    /// Its configuration, to open it again.
    pub config: Config,
    _folder: tempfile::TempDir,
}

/// The time at which tests begin: Tuesday 2026-11-24 09:00 in China.
pub fn start_of_tests() -> Timestamp {
    Timestamp::from_micros(1_795_482_000_000_000)
}

/// The root key of tests.
pub fn root_key() -> RootKey {
    RootKey::from_bytes([7; 32])
}

/// Opens an empty ledger.
pub async fn open(on: On, migrations: &[Migration]) -> TestStore {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let url = match on {
        On::Sqlite => None,
        On::Postgres => Some(postgres_database().await),
    };
    let config =
        Config { url, data_dir: folder.path().to_owned(), issuer: Some("urn:yiwang:node:test".to_owned()) };
    let clock = Arc::new(ManualClock::new(start_of_tests()));
    let store = open_again(&config, clock.clone(), migrations).await;
    TestStore { store, clock, config, _folder: folder }
}

/// Opens a ledger that exists already.
pub async fn open_again(config: &Config, clock: Arc<ManualClock>, migrations: &[Migration]) -> Store {
    // FNV-1a: two folders never get the same keys, as a sum of their letters could.
    let seed =
        config.data_dir.display().to_string().bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let env = Env { clock, entropy: Arc::new(SeededEntropy::new(seed)), faults: Faults::default() };
    Store::open(config, env, root_key(), migrations).await.expect("the ledger opens")
}

/// Makes a database on the private server and gives its address.
async fn postgres_database() -> String {
    let server = std::env::var("YIWANG_TEST_POSTGRES")
        .expect("YIWANG_TEST_POSTGRES names no server: run the tests with `make test`");
    let admin = Database::connect(format!("{server}/postgres")).await.expect("the test server answers");
    let name = format!("t{}", uuid_like());
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
        .await
        .expect("a database for the test");
    admin.close().await.expect("the connection closes");
    format!("{server}/{name}")
}

/// Unique over processes and threads without asking the clock.
fn uuid_like() -> String {
    let mut bytes = [0_u8; 12];
    kernel::entropy::Entropy::fill(&kernel::entropy::OsEntropy, &mut bytes);
    hex::encode(bytes)
}
