//! One connection, from the first byte to the last.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kernel::entropy::Entropy;
use pgwire::api::{ClientInfo, PgWireConnectionState};
use pgwire::error::PgWireError;
use pgwire::messages::response::{CommandComplete, ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::SecretKey;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage, ProtocolVersion};
use pgwire::tokio::server::{MaybeTls, PgWireMessageServerCodec, negotiate_tls};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio_util::codec::{Framed, FramedParts};

use super::bounded::Bounded;
use super::cursors::Portal;
use super::error::Failure;
use super::extended::Stored;
use super::places::{Place, UserPlace};
use super::run::Running;
use super::settings::Settings;
use super::{Ask, GateSession, Peer, Shared, sign_in};

/// The connection to a client, message by message.
pub(super) type Socket = Framed<Bounded<MaybeTls>, PgWireMessageServerCodec<()>>;

/// The longest text of an error: longer ones are no messages of the protocol.
const MAX_ERROR: usize = 4_000;

/// Somebody who was let in.
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) socket: Socket,
    pub(super) gate: Box<dyn GateSession>,
    pub(super) user: String,
    pub(super) settings: Settings,
    pub(super) transaction: TransactionStatus,
    /// What the settings were when the transaction began, and which of them go back at its end whichever it is.
    pub(super) before: Option<(Settings, Vec<(String, Option<String>)>)>,
    pub(super) statements: HashMap<String, Stored>,
    pub(super) portals: HashMap<String, Portal>,
    /// The statement that runs now.
    pub(super) current: Option<Running>,
    /// After an error, everything up to the next Sync is left out.
    pub(super) skipping: bool,
    _user_place: UserPlace,
    _registered: Registered,
    cancel: Arc<Notify>,
}

/// Serves a connection until it ends.
pub(super) async fn serve(tcp: TcpStream, shared: Arc<Shared>, place: Place, stopped: watch::Receiver<bool>) {
    let signing_in = tokio::time::timeout(shared.limits.sign_in, enter(tcp, shared.clone())).await;
    match signing_in {
        Ok(Ok(Some(mut connection))) => {
            let ended = connection.serve(stopped).await;
            connection.leave().await;
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection of the PostgreSQL door ended");
            }
        }
        Ok(Ok(None)) | Err(_) => {}
        Ok(Err(error)) => tracing::debug!(%error, "nobody was let in at the PostgreSQL door"),
    }
    drop(place);
}

/// Negotiates, signs in; none where the client wanted only to cancel, or was turned away.
async fn enter(tcp: TcpStream, shared: Arc<Shared>) -> io::Result<Option<Connection>> {
    let address = tcp.peer_addr()?;
    let acceptor = shared.tls.as_ref().map(|tls| tls.acceptor.clone());
    let Some(negotiated) = negotiate_tls::<()>(tcp, acceptor).await? else { return Ok(None) };
    let secure = negotiated.codec().client_info.is_secure();
    let old = negotiated.into_parts();
    let bounded = Bounded::new(old.io, &old.read_buf)?;
    let mut parts = FramedParts::new::<PgWireBackendMessage>(bounded, old.codec);
    parts.read_buf = old.read_buf;
    parts.write_buf = old.write_buf;
    let mut socket = Socket::from_parts(parts);

    let entered = sign_in::sign_in(&mut socket, &shared, Peer { address, secure }).await;
    let entered = match entered {
        Ok(Some(entered)) => entered,
        Ok(None) => return Ok(None),
        Err(failure) => {
            socket.send(PgWireBackendMessage::ErrorResponse(failure.response())).await?;
            SinkExt::<PgWireBackendMessage>::close(&mut socket).await?;
            return Ok(None);
        }
    };
    socket.get_mut().allow(shared.limits.message);
    let (registered, pid, key) = shared.cancels.register(&*shared.env.entropy, socket.protocol_version());
    let cancel = registered.cancel.clone();
    let mut connection = Connection {
        shared,
        socket,
        gate: entered.gate,
        user: entered.user,
        settings: entered.settings,
        transaction: TransactionStatus::Idle,
        before: None,
        statements: HashMap::new(),
        portals: HashMap::new(),
        current: None,
        skipping: false,
        _user_place: entered.place,
        _registered: registered,
        cancel,
    };
    let told: Vec<_> = connection.settings.told().map(|(name, value)| (name, value.to_owned())).collect();
    sign_in::welcome(&mut connection.socket, told, pid, key).await?;
    connection.socket.set_state(PgWireConnectionState::ReadyForQuery);
    Ok(Some(connection))
}

impl Connection {
    /// Answers one message after another until the client leaves, is silent for too long, or the door closes.
    async fn serve(&mut self, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
        loop {
            let idle = tokio::time::sleep(self.shared.limits.idle);
            let expiry = self.next_expiry();
            let message = tokio::select! {
                biased;
                _ = stopped.changed() => {
                    return self.end(&Failure::fatal("57P01", "wire.stopping", "the node is stopping")).await;
                }
                message = self.socket.next() => message,
                () = tokio::time::sleep_until(expiry.unwrap_or_else(far)), if expiry.is_some() => {
                    self.expire().await;
                    continue;
                }
                () = idle => {
                    return self.end(&Failure::fatal("57P05", "wire.idle", "silent for too long")).await;
                }
            };
            let message = match message {
                None => return Ok(()),
                Some(Ok(message)) => message,
                Some(Err(error)) => return self.end(&unreadable(&error)).await,
            };
            if matches!(message, PgWireFrontendMessage::Terminate(_)) {
                return Ok(());
            }
            if let Err(failure) = self.answer(message).await
                && (failure.fatal || self.fail(&failure).await.is_err())
            {
                return self.end(&failure).await;
            }
        }
    }

    /// Answers one message. While it is answered, a cancel request ends it, if it is one that runs something: a client
    /// waits for what ends the others, and for good if it does not come.
    async fn answer(&mut self, message: PgWireFrontendMessage) -> Result<(), Failure> {
        if self.skipping && !matches!(message, PgWireFrontendMessage::Sync(_)) {
            return Ok(());
        }
        let extended = message.is_extended_query();
        let runs = matches!(
            message,
            PgWireFrontendMessage::Query(_)
                | PgWireFrontendMessage::Parse(_)
                | PgWireFrontendMessage::Execute(_)
        );
        let cancel = self.cancel.clone();
        let answered = tokio::select! {
            biased;
            () = cancel.notified(), if runs => Err(Failure::cancelled()),
            answered = self.dispatch(message) => answered,
        };
        let failed = answered.as_ref().err().map(|failure| failure.code);
        let receipt = self.note_end(failed).await;
        answered.map_err(|mut failure| {
            failure.receipt = failure.receipt.or(receipt);
            self.skipping = extended;
            failure
        })
    }

    async fn dispatch(&mut self, message: PgWireFrontendMessage) -> Result<(), Failure> {
        match message {
            PgWireFrontendMessage::Query(query) => self.simple(&query.query).await,
            PgWireFrontendMessage::Parse(parse) => self.parse(parse).await,
            PgWireFrontendMessage::Bind(bind) => self.bind(bind).await,
            PgWireFrontendMessage::Describe(describe) => self.describe(describe).await,
            PgWireFrontendMessage::Execute(execute) => self.execute(execute).await,
            PgWireFrontendMessage::Close(close) => self.close(close).await,
            PgWireFrontendMessage::Flush(_) => self.flush().await,
            PgWireFrontendMessage::Sync(_) => self.sync().await,
            // What a client sends of a copy that was refused.
            PgWireFrontendMessage::CopyData(_)
            | PgWireFrontendMessage::CopyDone(_)
            | PgWireFrontendMessage::CopyFail(_) => Ok(()),
            _ => Err(Failure::fatal("08P01", "wire.protocol", "a message that has no place here")),
        }
    }

    /// Tells a client what failed. In a transaction, nothing but its end is answered from now on.
    async fn fail(&mut self, failure: &Failure) -> Result<(), Failure> {
        if self.transaction == TransactionStatus::Transaction {
            self.transaction = TransactionStatus::Error;
        }
        let mut shown = failure.clone();
        shown.message = shown.message.chars().take(MAX_ERROR).collect();
        self.send(PgWireBackendMessage::ErrorResponse(shown.response())).await?;
        match self.skipping {
            true => self.flush().await,
            false => self.ready().await,
        }
    }

    /// Says that the next statement may come.
    pub(super) async fn ready(&mut self) -> Result<(), Failure> {
        let status = self.transaction;
        self.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status))).await?;
        self.flush().await
    }

    /// Sends a message, at the next flush at the latest.
    pub(super) async fn send(&mut self, message: PgWireBackendMessage) -> Result<(), Failure> {
        send(&mut self.socket, message, self.shared.limits.stalled).await
    }

    /// Sends the tag of a statement that is done.
    pub(super) async fn done(&mut self, tag: impl Into<String>) -> Result<(), Failure> {
        self.send(PgWireBackendMessage::CommandComplete(CommandComplete::new(tag.into()))).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        let stalled = self.shared.limits.stalled;
        match tokio::time::timeout(stalled, SinkExt::<PgWireBackendMessage>::flush(&mut self.socket)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(untaken()),
        }
    }

    /// What is asked by `sql` now.
    pub(super) fn ask<'a>(&'a self, sql: &'a str) -> Ask<'a> {
        Ask {
            sql,
            application: self.settings.get("application_name").unwrap_or_default(),
            purpose: self.settings.given(super::settings::PURPOSE),
            case: self.settings.given(super::settings::CASE),
        }
    }

    async fn end(&mut self, failure: &Failure) -> io::Result<()> {
        let farewell = async {
            self.socket.send(PgWireBackendMessage::ErrorResponse(failure.response())).await?;
            SinkExt::<PgWireBackendMessage>::close(&mut self.socket).await
        };
        tokio::time::timeout(Duration::from_secs(5), farewell).await.unwrap_or(Ok(()))
    }

    /// Notes the end of everything that was not finished.
    async fn leave(&mut self) {
        self.note_end(Some("wire.left")).await;
        self.close_portals(true).await;
    }
}

/// Sends a message, at the next flush at the latest.
pub(super) async fn send(
    socket: &mut Socket,
    message: PgWireBackendMessage,
    stalled: Duration,
) -> Result<(), Failure> {
    match tokio::time::timeout(stalled, socket.feed(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(gone()),
        Err(_) => Err(untaken()),
    }
}

fn gone() -> Failure {
    Failure::fatal("08006", "wire.gone", "the client has gone")
}

fn untaken() -> Failure {
    Failure::fatal("08006", "wire.untaken", "the client does not take what it is sent")
}

fn unreadable(error: &PgWireError) -> Failure {
    match error {
        PgWireError::IoError(error) if error.kind() == io::ErrorKind::InvalidData => {
            Failure::fatal("54000", "wire.message_too_long", "a message is too long")
        }
        PgWireError::IoError(_) => gone(),
        _ => Failure::fatal("08P01", "wire.protocol", "a message cannot be read"),
    }
}

/// A time that does not come while anybody waits.
fn far() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(86_400)
}

/// Which statement a cancel request ends: that of the connection with its number and key.
#[derive(Clone, Default)]
pub(super) struct Cancels {
    next: Arc<AtomicI32>,
    connections: Arc<Mutex<HashMap<i32, (Bytes, Arc<Notify>)>>>,
}

/// A connection that may be cancelled, for as long as it is there.
pub(super) struct Registered {
    pid: i32,
    cancel: Arc<Notify>,
    all: Cancels,
}

impl Cancels {
    fn register(&self, entropy: &dyn Entropy, version: ProtocolVersion) -> (Registered, i32, SecretKey) {
        let pid = self.next.fetch_add(1, Ordering::Relaxed).rem_euclid(i32::MAX) + 1;
        let mut random = [0_u8; 32];
        entropy.fill(&mut random);
        let [a, b, c, d, ..] = random;
        let key = match version {
            ProtocolVersion::PROTOCOL3_0 => SecretKey::I32(i32::from_be_bytes([a, b, c, d])),
            _ => SecretKey::Bytes(Bytes::copy_from_slice(&random)),
        };
        let cancel = Arc::new(Notify::new());
        self.lock().insert(pid, (bytes_of(&key), cancel.clone()));
        (Registered { pid, cancel, all: self.clone() }, pid, key)
    }

    /// Ends the statement that the connection of this number runs, if the key is its own.
    pub(super) fn cancel(&self, pid: i32, key: &SecretKey) {
        if let Some((own, cancel)) = self.lock().get(&pid)
            && *own == bytes_of(key)
        {
            // Whoever runs nothing now is not told, and so does not lose the next statement.
            cancel.notify_waiters();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i32, (Bytes, Arc<Notify>)>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.all.lock().remove(&self.pid);
    }
}

fn bytes_of(key: &SecretKey) -> Bytes {
    match key {
        SecretKey::I32(key) => Bytes::copy_from_slice(&key.to_be_bytes()),
        SecretKey::Bytes(key) => key.clone(),
    }
}
