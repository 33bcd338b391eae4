//! What a sign-in of several steps must remember between them: sealed, for minutes, for one use.
//!
//! The browser holds a random token in a cookie; the ledger holds its hash and the sealed state. Taking a
//! challenge removes it, so that an answer that was used once opens nothing again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::hash::sm3;
use jiff::SignedDuration;
use kernel::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Reads, StoreError, Tx, params};

use crate::seal;

/// The cookie that holds the token.
pub(crate) const COOKIE: &str = "yw_challenge";
/// How long somebody may take for one step.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_mins(5);
/// Seconds of [`LIFE`], for the cookie.
pub(crate) const LIFE_SECONDS: i64 = 300;

/// Which step the state belongs to; a state of one kind is never read as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChallengeKind {
    /// The password was right, the code is missing.
    Code,
    /// The password was right, and a second factor must be set up first.
    Enrol,
    /// A second factor is being set up on the security page.
    Totp,
    /// A passkey is being registered.
    PasskeyRegistration,
    /// Somebody signs in with a passkey.
    PasskeySignIn,
    /// Somebody went to the real-name provider.
    RealName,
}

impl ChallengeKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Enrol => "enrol",
            Self::Totp => "totp",
            Self::PasskeyRegistration => "passkey_registration",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::RealName => "real_name",
        }
    }
}

store::row! {
    struct ChallengeRow { state: Vec<u8>, expires_at: Timestamp }
}

/// Keeps `state` and gives the token that finds it.
pub(crate) async fn keep(tx: &Tx, kind: ChallengeKind, state: &impl Serialize) -> Result<String, StoreError> {
    let store = tx.store();
    let env = store.env();
    let mut random = [0_u8; 32];
    env.entropy.fill(&mut random);
    let token = URL_SAFE_NO_PAD.encode(random);
    let hash = sm3(token.as_bytes());
    tx.execute(
        "INSERT INTO identity_challenge (token_hash, kind, state, expires_at) VALUES ($1, $2, $3, $4)",
        params![
            hash,
            kind.as_str(),
            seal::seal_json(store, "identity_challenge", "state", &hex::encode(hash), state)?,
            env.now().plus(LIFE)
        ],
    )
    .await?;
    Ok(token)
}

/// Reads the state without using it up: for a page that is shown again.
pub(crate) async fn peek<T: DeserializeOwned>(
    db: &impl Reads,
    kind: ChallengeKind,
    token: &str,
) -> Result<Option<T>, StoreError> {
    let hash = sm3(token.as_bytes());
    let row: Option<ChallengeRow> = db
        .optional(
            "SELECT state, expires_at FROM identity_challenge WHERE token_hash = $1 AND kind = $2",
            params![hash, kind.as_str()],
        )
        .await?;
    match row {
        Some(row) if row.expires_at > db.store().env().now() => {
            let place = hex::encode(hash);
            Ok(Some(seal::open_json(db.store(), "identity_challenge", "state", &place, &row.state)?))
        }
        _ => Ok(None),
    }
}

/// Reads the state and uses it up.
pub(crate) async fn take<T: DeserializeOwned>(
    tx: &Tx,
    kind: ChallengeKind,
    token: &str,
) -> Result<Option<T>, StoreError> {
    let state = peek(tx, kind, token).await?;
    tx.execute("DELETE FROM identity_challenge WHERE token_hash = $1", params![sm3(token.as_bytes())])
        .await?;
    Ok(state)
}

/// Removes what ran out.
pub(crate) async fn forget_expired(tx: &Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM identity_challenge WHERE expires_at <= $1", params![now]).await
}
