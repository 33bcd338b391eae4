//! The door with its lake and its one user.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use crypto::scram::{ITERATIONS, Verifier};
use lake::session::Granted;
use lake::{Lake, Policy};
use sharing::wire::{Ask, Door, Gate, GateSession, Limits, Outcome, Peer, Tls, Turned};

use crate::world;

/// The one user, and their secret.
pub(crate) const USER: &str = "analyst";
pub(crate) const SECRET: &str = "a-secret-of-the-test";

/// What the gate was told of one statement.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) sql: String,
    pub(crate) purpose: Option<String>,
    pub(crate) outcome: Option<Outcome>,
}

/// A gate with one user, whose grant can be taken back.
pub(crate) struct OneUser {
    lake: Lake,
    granted: Mutex<Vec<Granted>>,
    pub(crate) receipts: Mutex<Vec<Receipt>>,
    /// How long it takes to note the end of a statement.
    ending: Mutex<Duration>,
}

impl OneUser {
    /// From now on the end of a statement is noted slowly.
    pub(crate) fn ends_slowly(&self, ending: Duration) {
        *self.ending.lock().unwrap() = ending;
    }

    /// Takes back everything.
    pub(crate) fn revoke(&self) {
        self.granted.lock().unwrap().clear();
    }

    /// Grants everything again that [`TestDoor::open`] granted.
    pub(crate) fn grant(&self, granted: Vec<Granted>) {
        *self.granted.lock().unwrap() = granted;
    }
}

#[async_trait]
impl Gate for OneUserGate {
    async fn verifier(&self, user: &str) -> Option<Verifier> {
        (user == USER).then(|| Verifier::new(SECRET, [3; 16], ITERATIONS))
    }

    async fn open(&self, _user: &str, _peer: &Peer) -> Result<Box<dyn GateSession>, Turned> {
        Ok(Box::new(OneUserSession(self.0.clone())))
    }
}

/// [`OneUser`] as the door takes it.
pub(crate) struct OneUserGate(Arc<OneUser>);

struct OneUserSession(Arc<OneUser>);

#[async_trait]
impl GateSession for OneUserSession {
    async fn session(&self, _ask: &Ask<'_>) -> Result<(lake::Session, u64), Turned> {
        let granted = self.0.granted.lock().unwrap().clone();
        if granted.is_empty() {
            return Err(Turned { code: "sharing.no_grant", message: "nothing is granted".to_owned() });
        }
        Ok((self.0.lake.session(&granted).await.unwrap(), 0))
    }

    async fn uses(&self, _receipt: &str, _session: u64, _tables: &[String]) -> Result<(), Turned> {
        Ok(())
    }

    async fn began(&self, ask: &Ask<'_>) -> Result<String, Turned> {
        let mut receipts = self.0.receipts.lock().unwrap();
        let purpose = ask.purpose.map(str::to_owned);
        receipts.push(Receipt { sql: ask.sql.to_owned(), purpose, outcome: None });
        Ok(format!("r{}", receipts.len() - 1))
    }

    async fn ended(&self, receipt: &str, outcome: Outcome) {
        let place: usize = receipt[1..].parse().unwrap();
        let ending = *self.0.ending.lock().unwrap();
        tokio::time::sleep(ending).await;
        self.0.receipts.lock().unwrap()[place].outcome = Some(outcome);
    }
}

/// An open door, and what is behind it.
pub(crate) struct TestDoor {
    pub(crate) door: Door,
    pub(crate) gate: Arc<OneUser>,
    pub(crate) granted: Vec<Granted>,
    folder: PathBuf,
    _test: store::test::TestStore,
}

impl TestDoor {
    /// Before the world of the attack corpus.
    pub(crate) async fn open(hidden: &world::Hidden, limits: Limits) -> Self {
        let (test, lake, _session) = world::world(hidden).await;
        let vehicles = Lake::table(&lake.store().read(), &world::id("vehicles")).await.unwrap();
        let granted = vec![
            world::granted("persons", world::policy()),
            world::granted("vehicles", Policy::everything(&vehicles.schema)),
        ];
        Self::over(test, lake, granted, limits).await
    }

    /// Before this lake.
    pub(crate) async fn over(
        test: store::test::TestStore,
        lake: Lake,
        granted: Vec<Granted>,
        limits: Limits,
    ) -> Self {
        let gate = Arc::new(OneUser {
            lake,
            granted: Mutex::new(granted.clone()),
            receipts: Mutex::default(),
            ending: Mutex::default(),
        });
        let folder = test.store.data_dir().to_owned();
        let tls = Tls::of_loopback(&folder).unwrap();
        let env = test.store.env().clone();
        let address = "127.0.0.1:0".parse().unwrap();
        let as_gate = Arc::new(OneUserGate(gate.clone()));
        let door = Door::open(as_gate, address, Some(tls), limits, env).await.unwrap();
        Self { door, gate, granted, folder, _test: test }
    }

    /// What the door asks, for another door.
    pub(crate) fn as_gate(&self) -> Arc<dyn Gate> {
        Arc::new(OneUserGate(self.gate.clone()))
    }

    /// The door's certificate, for another door.
    pub(crate) fn tls(&self) -> Tls {
        Tls::of_loopback(&self.folder).unwrap()
    }

    /// The certificate that clients check the door's against.
    pub(crate) fn certificate(&self) -> PathBuf {
        Tls::certificate_of_loopback(&self.folder)
    }

    /// A client with what it needs to connect in its environment, as libpq reads it.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("PGHOST", "localhost")
            .env("PGHOSTADDR", "127.0.0.1")
            .env("PGPORT", self.door.address().port().to_string())
            .env("PGUSER", USER)
            .env("PGPASSWORD", SECRET)
            .env("PGDATABASE", "yiwang")
            .env("PGSSLMODE", "verify-full")
            .env("PGCHANNELBINDING", "require")
            .env("PGSSLROOTCERT", self.certificate())
            .env("PSQLRC", "/dev/null")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    /// What psql answers to `input`.
    pub(crate) async fn psql(&self, input: &str) -> Output {
        let mut command = self.client("psql");
        command.args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--command", input]);
        run(command).await
    }

    /// Runs a program of `tests/clients` with the Python of the set-up, and gives what it wrote.
    pub(crate) async fn python(&self, script: &str, input: Option<PathBuf>) -> String {
        let python = root().join(".venv/clients/bin/python");
        assert!(python.exists(), "{} is missing: run `make setup`", python.display());
        let mut command = self.client(python.to_str().unwrap());
        command.arg(root().join("crates/sharing/tests/clients").join(script)).args(input);
        let output = run(command).await;
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{script} failed:\n{out}\n{err}");
        out
    }

    /// Runs a program of `tests/clients` with the Java of the set-up and PostgreSQL's JDBC driver, and gives what it
    /// wrote.
    pub(crate) async fn java(&self, program: &str) -> String {
        let driver = Path::new("/usr/share/java/postgresql.jar");
        assert!(driver.exists(), "{} is missing: run `make setup`", driver.display());
        let mut command = self.client("java");
        command.args([Path::new("-cp"), driver]);
        command.arg(root().join("crates/sharing/tests/clients").join(program));
        let output = run(command).await;
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{program} failed:\n{out}\n{err}");
        out
    }
}

/// Runs a command to its end, while the door goes on.
pub(crate) async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || {
        command
            .output()
            .unwrap_or_else(|error| panic!("{command:?} does not start (run `make setup`): {error}"))
    })
    .await
    .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
