//! Tokens of the API for other systems: a name, scopes, a term. Shown once, kept as a hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::hash::sm3;
use kernel::actor::Actor;
use kernel::ids::{AccountId, TokenId};
use kernel::time::Timestamp;
use store::{Reads, StoreError, Tx, params};
use web::Resolved;

/// Copies the signed heads of the audit log to a place of its own, so that a fork or a cut shows.
pub const SCOPE_WITNESS: &str = "audit:witness";
/// Asks whether somebody may act for somebody else.
pub const SCOPE_DELEGATIONS: &str = "delegations:check";
/// Uses data on the grants that it holds.
pub const SCOPE_DATA: &str = "data:use";
/// Every scope that a token may be given. An unknown one is refused, never dropped.
pub const SCOPES: &[&str] = &[SCOPE_WITNESS, SCOPE_DELEGATIONS, SCOPE_DATA];

/// What the tokens of systems begin with.
const PREFIX: &str = "ywt_";

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The system's name, which the audit log and the data footprint show.
    pub name: String,
    /// What it may do: words of [`SCOPES`].
    pub scopes: Vec<String>,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A token as it is listed.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// The system's name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: AccountId,
    /// When.
    pub created_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// Since when it counts no longer.
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// Whether it counts at `now`.
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

store::row! {
    struct TokenRow {
        token_id: TokenId, name: String, scopes: String, created_by: AccountId, created_at: Timestamp,
        expires_at: Timestamp, revoked_at: Option<Timestamp>,
    }
}

const COLUMNS: &str = "token_id, name, scopes, created_by, created_at, expires_at, revoked_at";

/// Makes a token. The text is the only copy that there will ever be.
pub async fn create(tx: &Tx, by: AccountId, new: &NewToken) -> Result<(TokenId, String), StoreError> {
    let env = tx.store().env();
    let id = TokenId::generate(&*env.clock, &*env.entropy);
    let mut random = [0_u8; 32];
    env.entropy.fill(&mut random);
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    tx.execute(
        "INSERT INTO identity_token
                (token_hash, token_id, name, scopes, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![sm3(text.as_bytes()), id, &new.name, new.scopes.join(","), by, env.now(), new.expires_at],
    )
    .await?;
    Ok((id, text))
}

/// Ends a token for good.
pub async fn revoke(tx: &Tx, id: TokenId) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE identity_token SET revoked_at = $2 WHERE token_id = $1 AND revoked_at IS NULL",
            params![id, tx.store().env().now()],
        )
        .await?;
    Ok(changed > 0)
}

/// Every token, newest first.
pub async fn list(db: &impl Reads) -> Result<Vec<Token>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM identity_token ORDER BY created_at DESC, token_id");
    let rows: Vec<TokenRow> = db.query(&sql, vec![]).await?;
    Ok(rows.into_iter().map(read).collect())
}

/// The system that shows this token, if it counts.
pub(crate) async fn resolve(db: &impl Reads, text: &str) -> Result<Option<Resolved>, StoreError> {
    if !text.starts_with(PREFIX) {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM identity_token WHERE token_hash = $1");
    let row: Option<TokenRow> = db.optional(&sql, params![sm3(text.as_bytes())]).await?;
    let now = db.store().env().now();
    Ok(row.map(read).filter(|token| token.counts_at(now)).map(|token| Resolved {
        name: Some(token.name.clone()),
        actor: Actor::System { token: token.id, name: token.name, scopes: token.scopes },
        csrf: None,
        can_switch: false,
    }))
}

fn read(row: TokenRow) -> Token {
    Token {
        id: row.token_id,
        name: row.name,
        scopes: row.scopes.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        created_by: row.created_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
    }
}
