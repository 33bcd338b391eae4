//! The PostgreSQL door: whoever holds an access key asks by any client of PostgreSQL.
//!
//! The library `pgwire` reads and writes the messages. Everything else is here: who is let in, what a statement may
//! be, what it may use, and what is told when it fails. What may be seen is decided behind [`Gate`], anew for every
//! statement, so that a grant that is taken back refuses the next one.
//!
//! # Invariants
//!
//! - Nothing but the lake's own sessions answers a query: this module plans nothing and reads no table.
//! - Off loopback nobody is asked for a secret but under TLS.
//! - An unknown user and a wrong secret are told apart by no message and no work that is done.
//! - A statement that is cancelled, too slow, or whose client has gone is ended where it runs.
//! - Every statement that the lake is asked has a receipt before it runs, and the receipt its outcome after.

mod bounded;
mod calendar;
mod connection;
mod copy;
mod cursors;
mod decode;
mod encode;
mod error;
mod extended;
mod places;
mod run;
mod scram;
mod settings;
mod sign_in;
mod simple;
mod text;
mod tls;
mod types;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crypto::scram::Verifier;
use lake::lineage::Lineage;
use store::Env;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use tls::Tls;

/// As which version of PostgreSQL the door presents itself: clients choose their look-ups by it.
pub(crate) const SERVER_VERSION: &str = "15.0";
/// The same as a number.
pub(crate) const SERVER_VERSION_NUMBER: &str = "150000";

/// From where somebody connects.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address.
    pub address: SocketAddr,
    /// Whether under TLS.
    pub secure: bool,
}

/// One statement, as it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Its text; a parameter's value is not in it.
    pub sql: &'a str,
    /// What the client's program calls itself.
    pub application: &'a str,
    /// Why it is asked, if the asker said so: a word of the grant.
    pub purpose: Option<&'a str>,
    /// For which case, if the asker said so.
    pub case: Option<&'a str>,
}

/// How a statement ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The asker's names of the tables that it read.
    pub tables: Vec<String>,
    /// Rows that were sent.
    pub rows: u64,
    /// Bytes that were sent.
    pub bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// SM3 of its plan, if it came so far.
    pub plan_hash: Option<[u8; 32]>,
    /// Where the answer comes from, where there was a plan.
    pub lineage: Option<Lineage>,
    /// The code of the error that it ended with.
    pub error: Option<&'static str>,
}

/// Somebody is not let in, or may not ask this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Turned {
    /// The stable code, such as `sharing.no_grant`.
    pub code: &'static str,
    /// For the asker.
    pub message: String,
}

/// Who may come in.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// What recognises the secret of a user; none for one who is not there or may not come in.
    async fn verifier(&self, user: &str) -> Option<Verifier>;

    /// Lets in a user whose secret was right.
    async fn open(&self, user: &str, peer: &Peer) -> Result<Box<dyn GateSession>, Turned>;
}

/// Somebody who was let in.
#[async_trait]
pub trait GateSession: Send + Sync {
    /// What they may see now, for this statement, and the number under which it is known here.
    async fn session(&self, ask: &Ask<'_>) -> Result<(lake::Session, u64), Turned>;

    /// Notes that a statement begins, and gives the id of its receipt.
    async fn began(&self, ask: &Ask<'_>) -> Result<String, Turned>;

    /// Counts the use of these tables of a session, before anything of the answer leaves.
    async fn uses(&self, receipt: &str, session: u64, tables: &[String]) -> Result<(), Turned>;

    /// Notes how it ended.
    async fn ended(&self, receipt: &str, outcome: Outcome);
}

/// What connections may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections in all, those that are still signing in among them.
    pub connections: usize,
    /// Connections of one user.
    pub per_user: usize,
    /// The longest message, in bytes.
    pub message: usize,
    /// How long somebody may take to sign in.
    pub sign_in: Duration,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long a client may leave what was sent to it untaken.
    pub stalled: Duration,
    /// Statements and cursors that a connection may keep, of each.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 200,
            per_user: 20,
            message: 4 << 20,
            sign_in: Duration::from_secs(20),
            idle: Duration::from_secs(15 * 60),
            stalled: Duration::from_secs(60),
            kept: 200,
        }
    }
}

/// The door, open.
pub struct Door {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: tokio::task::JoinHandle<()>,
}

/// What all connections share.
pub(crate) struct Shared {
    gate: Arc<dyn Gate>,
    tls: Option<Tls>,
    limits: Limits,
    env: Env,
    tries: identity::sign_in::Limits,
    places: places::Places,
    cancels: connection::Cancels,
    /// By which unknown users are made up.
    made_up: [u8; 32],
}

impl Door {
    /// Opens the door at `address`. Off loopback it takes nobody but under TLS, and so does not open without.
    pub async fn open(
        gate: Arc<dyn Gate>,
        address: SocketAddr,
        tls: Option<Tls>,
        limits: Limits,
        env: Env,
    ) -> io::Result<Self> {
        if tls.is_none() && !address.ip().is_loopback() {
            let text = "the PostgreSQL door needs a certificate where it is reached from outside";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut made_up = [0; 32];
        env.entropy.fill(&mut made_up);
        let shared = Arc::new(Shared {
            gate,
            tls,
            places: places::Places::new(&limits),
            limits,
            env,
            tries: identity::sign_in::Limits::default(),
            cancels: connection::Cancels::default(),
            made_up,
        });
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, shared, stopped));
        Ok(Self { address, stop, accepting })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets nobody in any more, ends idle connections, and waits for the statements that run.
    pub async fn close(self) {
        // Nobody is left to be told if the task ended by itself.
        let _ = self.stop.send(true);
        let _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let Some(place) = shared.places.take() else {
                        tracing::warn!("the PostgreSQL door is full");
                        continue;
                    };
                    connections.spawn(connection::serve(socket, shared.clone(), place, stopped.clone()));
                }
                // Such as too many open files: others may end and make room.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
