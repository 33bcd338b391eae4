//! Access keys (访问密钥): by which a program asks at the doors, in the place of its owner's password.
//!
//! The key's id is the name of the user, its secret the password. The secret is random, shown once, and kept only as
//! what recognises it. A key counts for as long as it is neither over nor taken back, and as long as its owner may
//! sign in; who the owner is and which posts they hold is asked anew each time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::field::FieldContext;
use crypto::hash::sm3;
use crypto::scram::{ITERATIONS, Verifier};
use jiff::SignedDuration;
use kernel::actor::Actor;
use kernel::entropy::Entropy;
use kernel::error::Coded;
use kernel::ids::{AccountId, TokenId};
use kernel::time::Timestamp;
use store::{AuditEntry, Purpose, Reads, Store, StoreError, Tx, params};

/// The longest name.
const MAX_NAME: usize = 100;
/// The longest term.
pub const MAX_TERM: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The time of the last use is written down at most this often.
const TOUCH: SignedDuration = SignedDuration::from_mins(1);

kernel::uuid_ids! {
    /// An access key.
    KeyId,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Of an account: it may what its holder may.
    Account(AccountId),
    /// Of another system, by the name under which grants know it.
    System(String),
}

impl Owner {
    fn columns(&self) -> (&'static str, String) {
        match self {
            Self::Account(account) => ("account", account.to_string()),
            Self::System(name) => ("system", name.clone()),
        }
    }
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose.
    pub owner: Owner,
    /// What its owner calls it.
    pub name: String,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// A key, without what recognises its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id: the name of the user.
    pub id: KeyId,
    /// Whose.
    pub owner: Owner,
    /// What its owner calls it.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it counts no longer.
    pub revoked_at: Option<Timestamp>,
}

impl Key {
    /// Whether it counts at `now`.
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// The name is empty or too long.
    #[error("the name is empty or longer than {MAX_NAME} letters")]
    Name,
    /// The term is over already, or too long.
    #[error("the term is over already, or longer than a year")]
    Term,
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for CreateKeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Name => "sharing.key_name",
            Self::Term => "sharing.key_term",
            Self::Store(_) => "store.unavailable",
        }
    }
}

store::row! {
    struct KeyRow {
        key_id: String, owner_kind: String, owner_id: String, name: String, created_at: Timestamp,
        expires_at: Timestamp, last_used_at: Option<Timestamp>, revoked_at: Option<Timestamp>,
    }
}

const COLUMNS: &str = "key_id, owner_kind, owner_id, name, created_at, expires_at, last_used_at, revoked_at";

/// Makes a key. The secret is the only copy that there will ever be.
pub async fn create(tx: &Tx, by: &Actor, new: &NewKey) -> Result<(KeyId, String), CreateKeyError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
        return Err(CreateKeyError::Name);
    }
    let env = tx.store().env();
    let now = env.now();
    if new.expires_at <= now || new.expires_at > now.plus(MAX_TERM) {
        return Err(CreateKeyError::Term);
    }
    let id = KeyId::generate(&*env.clock, &*env.entropy);
    let (secret, verifier) = draw(&*env.entropy);
    let (kind, owner) = new.owner.columns();
    tx.execute(
        "INSERT INTO sharing_key
                (key_id, owner_kind, owner_id, name, verifier, secret_hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            id.to_string(),
            kind,
            owner,
            name,
            seal(tx.store(), id, &verifier),
            sm3(secret.as_bytes()),
            now,
            new.expires_at
        ],
    )
    .await?;
    tx.audit(AuditEntry::new(by, "sharing.create_key", Purpose::Operation).object(object(id)));
    Ok((id, secret))
}

/// Ends a key of this owner for good. False if there is none that counts.
pub async fn revoke(tx: &Tx, by: &Actor, owner: &Owner, id: KeyId) -> Result<bool, StoreError> {
    let (kind, owner) = owner.columns();
    let changed = tx
        .execute(
            "UPDATE sharing_key SET revoked_at = $4
              WHERE key_id = $1 AND owner_kind = $2 AND owner_id = $3 AND revoked_at IS NULL",
            params![id.to_string(), kind, owner, tx.store().env().now()],
        )
        .await?;
    if changed > 0 {
        tx.audit(AuditEntry::new(by, "sharing.revoke_key", Purpose::Operation).object(object(id)));
    }
    Ok(changed > 0)
}

/// The keys of an owner, newest first.
pub async fn list(db: &impl Reads, owner: &Owner) -> Result<Vec<Key>, StoreError> {
    let (kind, owner) = owner.columns();
    let sql = format!(
        "SELECT {COLUMNS} FROM sharing_key WHERE owner_kind = $1 AND owner_id = $2
          ORDER BY created_at DESC, key_id"
    );
    let rows: Vec<KeyRow> = db.query(&sql, params![kind, owner]).await?;
    rows.into_iter().map(read).collect()
}

/// The key that `user` names, if it counts.
pub async fn find(db: &impl Reads, user: &str) -> Result<Option<Key>, StoreError> {
    let Ok(id) = user.parse::<KeyId>() else { return Ok(None) };
    let sql = format!("SELECT {COLUMNS} FROM sharing_key WHERE key_id = $1");
    let row: Option<KeyRow> = db.optional(&sql, params![id.to_string()]).await?;
    counting(db, row)
}

/// The key whose secret is shown whole, if it counts: for doors that know no better.
pub async fn find_by_secret(db: &impl Reads, secret: &str) -> Result<Option<Key>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM sharing_key WHERE secret_hash = $1");
    let row: Option<KeyRow> = db.optional(&sql, params![sm3(secret.as_bytes())]).await?;
    counting(db, row)
}

/// What recognises the secret of the key that `user` names, if it counts.
pub async fn verifier(db: &impl Reads, user: &str) -> Result<Option<Verifier>, StoreError> {
    let Some(key) = find(db, user).await? else { return Ok(None) };
    let row =
        db.rows("SELECT verifier FROM sharing_key WHERE key_id = $1", params![key.id.to_string()]).await?;
    let Some(row) = row.first() else { return Ok(None) };
    let sealed: Vec<u8> = row.get("verifier")?;
    let id = key.id.to_string();
    let bytes = db
        .store()
        .cipher()
        .decrypt(&place(&id), &sealed)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(Verifier::from_bytes(&bytes))
}

/// As whom a key acts now: its owner in the posts that they hold today. None if they may not sign in any more.
pub async fn actor(db: &impl Reads, key: &Key) -> Result<Option<Actor>, StoreError> {
    match &key.owner {
        Owner::Account(account) => identity::accounts::actor(db, *account, db.store().env().now()).await,
        Owner::System(name) => Ok(Some(Actor::System {
            token: TokenId::from_uuid(key.id.as_uuid()),
            name: name.clone(),
            scopes: Vec::new(),
        })),
    }
}

/// Notes that a key was used by `actor` at the door `door`, and when, to the minute.
pub async fn note_use(tx: &Tx, actor: &Actor, key: &Key, door: &str) -> Result<(), StoreError> {
    let now = tx.store().env().now();
    tx.execute(
        "UPDATE sharing_key SET last_used_at = $2
          WHERE key_id = $1 AND (last_used_at IS NULL OR last_used_at < $3)",
        params![key.id.to_string(), now, now.plus(-TOUCH)],
    )
    .await?;
    let object = format!("{} {door}", object(key.id));
    tx.audit(AuditEntry::new(actor, "sharing.use_key", Purpose::SignIn).object(object));
    Ok(())
}

fn draw(entropy: &dyn Entropy) -> (String, Verifier) {
    let (mut random, mut salt) = ([0_u8; 32], [0_u8; 16]);
    entropy.fill(&mut random);
    entropy.fill(&mut salt);
    let secret = URL_SAFE_NO_PAD.encode(random);
    let verifier = Verifier::new(&secret, salt, ITERATIONS);
    (secret, verifier)
}

fn place(id: &str) -> FieldContext<'_> {
    FieldContext { table: "sharing_key", column: "verifier", subject: id }
}

fn seal(store: &Store, id: KeyId, verifier: &Verifier) -> Vec<u8> {
    let id = id.to_string();
    store.cipher().encrypt(&place(&id), &verifier.to_bytes(), &*store.env().entropy)
}

fn object(id: KeyId) -> String {
    format!("sharing.key {id}")
}

fn counting(db: &impl Reads, row: Option<KeyRow>) -> Result<Option<Key>, StoreError> {
    let now = db.store().env().now();
    Ok(row.map(read).transpose()?.filter(|key| key.counts_at(now)))
}

fn read(row: KeyRow) -> Result<Key, StoreError> {
    let wrong = |column: &str, text: &str| StoreError::Column {
        column: column.to_owned(),
        reason: format!("`{text}` is not what stands there"),
    };
    let owner = match row.owner_kind.as_str() {
        "account" => Owner::Account(row.owner_id.parse().map_err(|_| wrong("owner_id", &row.owner_id))?),
        _ => Owner::System(row.owner_id),
    };
    Ok(Key {
        id: row.key_id.parse().map_err(|_| wrong("key_id", &row.key_id))?,
        owner,
        name: row.name,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
    })
}
