//! Who comes in: the first message, the exchange of SCRAM, the welcome.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures_util::{SinkExt, StreamExt};
use pgwire::api::{ClientInfo, PgWireConnectionState};
use pgwire::messages::response::{ReadyForQuery, TransactionStatus};
use pgwire::messages::startup::{
    Authentication, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, SecretKey, Startup,
};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage, ProtocolVersion};

use super::connection::Socket;
use super::error::Failure;
use super::places::UserPlace;
use super::settings::{Settings, options};
use super::{GateSession, Peer, Shared, scram};

/// The longest name of a user.
const MAX_USER: usize = 100;

/// Somebody who was let in.
pub(super) struct Entered {
    pub(super) user: String,
    pub(super) gate: Box<dyn GateSession>,
    pub(super) settings: Settings,
    pub(super) place: UserPlace,
}

/// Reads who comes, and lets them in if the secret is right; none where the client wanted only to cancel.
pub(super) async fn sign_in(
    socket: &mut Socket,
    shared: &Shared,
    peer: Peer,
) -> Result<Option<Entered>, Failure> {
    let startup = match next(socket).await? {
        PgWireFrontendMessage::CancelRequest(request) => {
            shared.cancels.cancel(request.pid, &request.secret_key);
            return Ok(None);
        }
        PgWireFrontendMessage::Startup(startup) => startup,
        _ => return Err(refused_protocol()),
    };
    // Before anything secret is asked for.
    if !peer.secure && !peer.address.ip().is_loopback() {
        return Err(Failure::fatal("28000", "wire.tls_required", "connect with TLS (sslmode=verify-full)"));
    }
    negotiate(socket, &startup).await?;
    let user = startup.parameters.get("user").cloned().unwrap_or_default();
    if user.is_empty() || user.len() > MAX_USER {
        return Err(wrong());
    }
    let mut settings = Settings::default();
    read_settings(&startup, &mut settings).map_err(|failure| Failure { fatal: true, ..failure })?;
    settings.fix("session_authorization", &user);

    // Counted by address too, so that nobody shuts out another by trying.
    let tried = format!("{user}@{}", peer.address.ip());
    if let Err(wait) = shared.tries.take(&shared.env.clock, &tried, None) {
        let text = format!("too many tries; wait {} seconds", wait.seconds);
        return Err(Failure::fatal("28000", "wire.too_many_tries", text));
    }
    prove(socket, shared, peer, &user).await?;
    shared.tries.succeeded(&tried);

    let Some(place) = shared.places.take_of(&user) else {
        return Err(Failure::fatal(
            "53300",
            "wire.too_many_connections",
            "too many connections of this user",
        ));
    };
    let gate = shared.gate.open(&user, &peer).await;
    let gate = gate.map_err(|turned| Failure::fatal("28000", turned.code, turned.message))?;
    Ok(Some(Entered { user, gate, settings, place }))
}

/// The exchange of SCRAM.
async fn prove(socket: &mut Socket, shared: &Shared, peer: Peer, user: &str) -> Result<(), Failure> {
    let binding = shared.tls.as_ref().and_then(|tls| tls.binding.clone()).filter(|_| peer.secure);
    let mut mechanisms = vec![scram::PLAIN.to_owned()];
    if binding.is_some() {
        mechanisms.insert(0, scram::PLUS.to_owned());
    }
    send(socket, Authentication::SASL(mechanisms)).await?;
    socket.set_state(PgWireConnectionState::AuthenticationInProgress);

    let first = match next(socket).await? {
        PgWireFrontendMessage::PasswordMessageFamily(message) => {
            message.into_sasl_initial_response().map_err(|_| refused_protocol())?
        }
        _ => return Err(refused_protocol()),
    };
    let verifier = shared.gate.verifier(user).await;
    let mut random = [0_u8; 18];
    shared.env.entropy.fill(&mut random);
    let (begun, answer) = scram::begin(
        &first.auth_method,
        first.data.as_deref().unwrap_or_default(),
        binding.as_deref(),
        verifier,
        scram::made_up(&shared.made_up, user),
        &STANDARD_NO_PAD.encode(random),
    )
    .map_err(|failed| why(failed, user))?;
    send(socket, Authentication::SASLContinue(answer.into())).await?;

    let last = match next(socket).await? {
        PgWireFrontendMessage::PasswordMessageFamily(message) => {
            message.into_sasl_response().map_err(|_| refused_protocol())?
        }
        _ => return Err(refused_protocol()),
    };
    let answer = begun.end(&last.data).map_err(|failed| why(failed, user))?;
    send(socket, Authentication::SASLFinal(answer.into())).await
}

/// Which version of the protocol is spoken.
async fn negotiate(socket: &mut Socket, startup: &Startup) -> Result<(), Failure> {
    let (major, minor) = (startup.protocol_number_major, startup.protocol_number_minor);
    if major != 3 {
        return Err(refused_protocol());
    }
    let version = if minor >= 2 { ProtocolVersion::PROTOCOL3_2 } else { ProtocolVersion::PROTOCOL3_0 };
    socket.set_protocol_version(version);
    let unknown: Vec<String> =
        startup.parameters.keys().filter(|name| name.starts_with("_pq_.")).cloned().collect();
    if version.version_number() != (major, minor) || !unknown.is_empty() {
        let answer = NegotiateProtocolVersion::new(version.into(), unknown);
        let message = PgWireBackendMessage::NegotiateProtocolVersion(answer);
        socket.send(message).await.map_err(|_| refused_protocol())?;
    }
    Ok(())
}

/// The settings that a client gives when it connects.
fn read_settings(startup: &Startup, settings: &mut Settings) -> Result<(), Failure> {
    for (name, value) in &startup.parameters {
        match name.as_str() {
            "user" | "database" => {}
            "replication" if matches!(value.as_str(), "false" | "off" | "0" | "no") => {}
            "replication" => {
                return Err(Failure::new("0A000", "wire.replication", "there is nothing to replicate"));
            }
            "options" => {
                for (name, value) in options(value) {
                    settings.begin(&name, &value)?;
                }
            }
            name if name.starts_with("_pq_.") => {}
            name => settings.begin(name, value)?,
        }
    }
    Ok(())
}

/// Tells a client that it was let in, and what it may want to know.
pub(super) async fn welcome(
    socket: &mut Socket,
    told: Vec<(&'static str, String)>,
    pid: i32,
    key: SecretKey,
) -> io::Result<()> {
    socket.feed(PgWireBackendMessage::Authentication(Authentication::Ok)).await?;
    for (name, value) in told {
        let status = ParameterStatus::new(name.to_owned(), value);
        socket.feed(PgWireBackendMessage::ParameterStatus(status)).await?;
    }
    socket.feed(PgWireBackendMessage::BackendKeyData(BackendKeyData::new(pid, key))).await?;
    socket.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(TransactionStatus::Idle))).await
}

async fn next(socket: &mut Socket) -> Result<PgWireFrontendMessage, Failure> {
    match socket.next().await {
        Some(Ok(message)) => Ok(message),
        _ => Err(refused_protocol()),
    }
}

async fn send(socket: &mut Socket, message: Authentication) -> Result<(), Failure> {
    socket.send(PgWireBackendMessage::Authentication(message)).await.map_err(|_| refused_protocol())
}

fn refused_protocol() -> Failure {
    Failure::fatal("08P01", "wire.protocol", "this is not how to sign in here")
}

/// The same for an unknown user and for a wrong secret.
fn wrong() -> Failure {
    Failure::fatal("28P01", "wire.sign_in", "the key or its secret is wrong, or it counts no longer")
}

fn why(failed: scram::Failed, user: &str) -> Failure {
    tracing::info!(key.id = user, ?failed, "a sign-in at the PostgreSQL door failed");
    match failed {
        scram::Failed::Malformed => refused_protocol(),
        scram::Failed::Channel => {
            Failure::fatal("28000", "wire.channel", "the channel is not bound to this door's certificate")
        }
        scram::Failed::Secret => wrong(),
    }
}
