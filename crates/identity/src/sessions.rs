//! Sessions: from sign-in to sign-out, and [`Sessions`], which finds out who asks.
//!
//! The browser or program holds a random token; the ledger holds its SM3 hash. The token begins with the
//! subject's id, so that a session is found within that subject's rows. The token of forms is derived from
//! the session's token and stored nowhere. A session ends after [`IDLE`] without a request, [`ABSOLUTE`]
//! after sign-in at the latest, at once when it is signed out or its account is locked.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::hash::{Hash, sm3};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::SignedDuration;
use kernel::actor::Actor;
use kernel::ids::{AccountId, SessionId, SubjectId, Uuid};
use kernel::time::Timestamp;
use store::{Reads, StoreError, Tx, params};
use web::{App, Authenticate, Boxed, Problem, Resolved};

use crate::accounts::{Account, AccountKind};
use crate::{delegations, orgs, people, tokens};

/// The cookie.
pub const COOKIE: &str = "yw_session";
/// A session without a request for so long is over.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// So long after sign-in a session is over in any case.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);
/// Seconds of [`ABSOLUTE`], for the cookie.
pub(crate) const ABSOLUTE_SECONDS: i64 = 12 * 3600;
/// The time of the last request is written down at most this often.
const TOUCH: SignedDuration = SignedDuration::from_secs(60);
/// What the tokens of sessions begin with.
const PREFIX: &str = "yws_";

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With a password alone.
    Password,
    /// With a password and a code.
    Totp,
    /// With a passkey.
    Passkey,
    /// At the real-name provider.
    RealName,
}

impl Method {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RealName => "real_name",
        }
    }
}

/// Whether a session still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does; `touch` says that the time of its last request should be written down.
    Open {
        /// Whether the last note is old enough for a new one.
        touch: bool,
    },
    /// Nobody used it for too long.
    Idle,
    /// It is too old.
    Expired,
}

/// Whether a session that began at `created_at` and was last noted at `seen_at` counts at `now`.
pub fn standing(created_at: Timestamp, seen_at: Timestamp, now: Timestamp) -> Standing {
    if now >= created_at.plus(ABSOLUTE) {
        Standing::Expired
    } else if now >= seen_at.plus(IDLE) {
        Standing::Idle
    } else {
        Standing::Open { touch: now >= seen_at.plus(TOUCH) }
    }
}

/// A session that has just begun; the only time at which its token is known.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// What the browser or program shows from now on.
    pub token: String,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Whose.
    pub account: Account,
}

/// A session as its owner sees it in a list.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// Its id.
    pub id: SessionId,
    /// Of which account.
    pub account: AccountId,
    /// Browser and system, in a few words.
    pub device: String,
    /// How it began: the word of [`Method`].
    pub method: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Begins a session.
pub async fn begin(
    tx: &Tx,
    account: &Account,
    method: Method,
    device: &str,
) -> Result<NewSession, StoreError> {
    let env = tx.store().env();
    let id = SessionId::generate(&*env.clock, &*env.entropy);
    let token = new_token(account.subject, &*env.entropy);
    let now = env.now();
    tx.execute(
        "INSERT INTO identity_session
                (subject_id, token_hash, session_id, account_id, method, device, created_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        params![account.subject, sm3(token.as_bytes()), id, account.id, method.as_str(), device, now],
    )
    .await?;
    Ok(NewSession { id, token, expires_at: now.plus(ABSOLUTE), account: account.clone() })
}

/// Ends the session of a token.
pub async fn end(tx: &Tx, token: &str) -> Result<bool, StoreError> {
    let Some(subject) = subject_of(token) else { return Ok(false) };
    let ended = tx
        .execute(
            "DELETE FROM identity_session WHERE subject_id = $1 AND token_hash = $2",
            params![subject, sm3(token.as_bytes())],
        )
        .await?;
    Ok(ended > 0)
}

/// Ends one session of an account by its id.
pub async fn end_one(
    tx: &Tx,
    subject: SubjectId,
    account: AccountId,
    session: SessionId,
) -> Result<bool, StoreError> {
    let ended = tx
        .execute(
            "DELETE FROM identity_session WHERE subject_id = $1 AND account_id = $2 AND session_id = $3",
            params![subject, account, session],
        )
        .await?;
    Ok(ended > 0)
}

/// Ends every session of an account but the one of `keep`, if any.
pub async fn end_others(
    tx: &Tx,
    subject: SubjectId,
    account: AccountId,
    keep: Option<&str>,
) -> Result<u64, StoreError> {
    let kept = keep.map(|token| sm3(token.as_bytes())).unwrap_or_default();
    tx.execute(
        "DELETE FROM identity_session WHERE subject_id = $1 AND account_id = $2 AND token_hash <> $3",
        params![subject, account, kept],
    )
    .await
}

/// The open sessions of an account, newest first; `token` marks the one that asks.
pub async fn list(
    db: &impl Reads,
    subject: SubjectId,
    account: AccountId,
    token: Option<&str>,
) -> Result<Vec<OpenSession>, StoreError> {
    let now = db.store().env().now();
    let own = token.map(|token| sm3(token.as_bytes()).to_vec());
    let rows: Vec<ListRow> = db
        .query(
            "SELECT token_hash, session_id, account_id, method, device, created_at, seen_at
               FROM identity_session
              WHERE subject_id = $1 AND account_id = $2
              ORDER BY created_at DESC, session_id",
            params![subject, account],
        )
        .await?;
    Ok(rows
        .into_iter()
        .filter(|row| matches!(standing(row.created_at, row.seen_at, now), Standing::Open { .. }))
        .map(|row| OpenSession {
            current: own.as_ref() == Some(&row.token_hash),
            id: row.session_id,
            account: row.account_id,
            device: row.device,
            method: row.method,
            created_at: row.created_at,
            seen_at: row.seen_at,
        })
        .collect())
}

store::row! {
    struct ListRow {
        token_hash: Vec<u8>, session_id: SessionId, account_id: AccountId, method: String, device: String,
        created_at: Timestamp, seen_at: Timestamp,
    }
}

/// Chooses for whom the session acts from now on; none for its owner. The right was checked before, and is
/// checked again at every request.
pub async fn act_for(tx: &Tx, token: &str, whom: Option<SubjectId>) -> Result<bool, StoreError> {
    let Some(subject) = subject_of(token) else { return Ok(false) };
    let changed = tx
        .execute(
            "UPDATE identity_session SET on_behalf_of = $3 WHERE subject_id = $1 AND token_hash = $2",
            params![subject, sm3(token.as_bytes()), whom],
        )
        .await?;
    Ok(changed > 0)
}

/// Removes sessions that are over.
pub(crate) async fn forget_over(tx: &Tx, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(
        "DELETE FROM identity_session WHERE seen_at <= $1 OR created_at <= $2",
        params![now.plus(-IDLE), now.plus(-ABSOLUTE)],
    )
    .await
}

/// The token of a request's session: from the bearer header, or else from the cookie.
pub fn token_of(headers: &HeaderMap) -> Option<String> {
    bearer(headers).map(str::to_owned).or_else(|| web::cookie(headers, COOKIE))
}

/// The token that the forms of a session carry: who knows it knows the session.
pub fn csrf_of(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Hash::Sm3.digest_parts(&[b"yiwang form token\n", token.as_bytes()]))
}

/// A device in a few words from what the browser says of itself. Nothing finer is kept.
pub fn device(headers: &HeaderMap) -> String {
    let said = headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| said.contains(mark)).map(|(_, name)| *name)
    };
    let browser = first(&[
        ("MicroMessenger", "WeChat"),
        ("Edg", "Edge"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("HarmonyOS", "HarmonyOS"),
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "API".to_owned(),
    }
}

/// Finds out who asks: the session of the cookie or bearer token, or the system of an API token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sessions;

impl Authenticate for Sessions {
    fn resolve<'a>(&'a self, app: &'a App, headers: &'a HeaderMap) -> Boxed<'a, Result<Resolved, Problem>> {
        Box::pin(async move {
            if let Some(shown) = bearer(headers) {
                // Whoever shows a token means it: one that does not count is refused, not passed over.
                let found = if shown.starts_with(PREFIX) {
                    by_session(app, shown).await?.map(|found| Resolved { csrf: None, ..found })
                } else {
                    tokens::resolve(&app.store.read(), shown).await?
                };
                return found.ok_or_else(Problem::not_signed_in);
            }
            match web::cookie(headers, COOKIE) {
                Some(token) => Ok(by_session(app, &token).await?.unwrap_or_else(Resolved::anonymous)),
                None => Ok(Resolved::anonymous()),
            }
        })
    }
}

store::row! {
    struct SessionRow {
        subject_id: SubjectId, account_id: AccountId, on_behalf_of: Option<SubjectId>, created_at: Timestamp,
        seen_at: Timestamp, kind: String, state: String, record: Option<Vec<u8>>, rights: i64,
    }
}

/// Everything about a session in one read: it is asked at every request.
async fn by_session(app: &App, token: &str) -> Result<Option<Resolved>, StoreError> {
    let Some(subject) = subject_of(token) else { return Ok(None) };
    let db = app.store.read();
    let now = app.now();
    let hash = sm3(token.as_bytes());
    let row: Option<SessionRow> = db
        .optional(
            "SELECT s.subject_id, s.account_id, s.on_behalf_of, s.created_at, s.seen_at, a.kind, a.state,
                    p.record,
                    (SELECT COUNT(*)
                       FROM identity_delegation d
                      WHERE d.delegate_id = s.subject_id AND d.revoked_at IS NULL AND d.valid_from <= $3
                        AND d.valid_to > $3) AS rights
               FROM identity_session s
               JOIN identity_account a ON a.subject_id = s.subject_id AND a.account_id = s.account_id
               LEFT JOIN identity_person p ON p.subject_id = s.subject_id
              WHERE s.subject_id = $1 AND s.token_hash = $2",
            params![subject, hash, now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let Standing::Open { touch } = standing(row.created_at, row.seen_at, now) else { return Ok(None) };
    let (Some(kind), "active") = (AccountKind::parse(&row.kind), row.state.as_str()) else { return Ok(None) };
    if touch {
        note_use(app, subject, hash, now).await?;
    }
    let name = match &row.record {
        Some(sealed) => people::unseal(app.store.cipher(), subject, sealed)?.name,
        None => String::new(),
    };
    let account = row.account_id;
    let (actor, name) = match kind {
        AccountKind::Citizen => {
            let (whom, name) = for_whom(&db, subject, row.on_behalf_of, now, name).await?;
            (Actor::Citizen { account, subject, on_behalf_of: whom }, name)
        }
        AccountKind::Officer => {
            (Actor::Officer { account, subject, posts: orgs::holdings(&db, subject, now).await? }, name)
        }
        AccountKind::Auditor => (Actor::Auditor { account, subject }, name),
        AccountKind::Administrator => (Actor::Administrator { account, subject }, name),
    };
    let can_switch = kind == AccountKind::Citizen && row.rights > 0;
    Ok(Some(Resolved { actor, name: Some(name), csrf: Some(csrf_of(token)), can_switch }))
}

/// For whom the session acts, if the right still stands, and how the strip of the page says so.
async fn for_whom(
    db: &impl Reads,
    subject: SubjectId,
    chosen: Option<SubjectId>,
    now: Timestamp,
    own: String,
) -> Result<(Option<SubjectId>, String), StoreError> {
    let Some(whom) = chosen else { return Ok((None, own)) };
    if !delegations::may_act(db, subject, whom, now).await? {
        return Ok((None, own));
    }
    let other = crate::subjects::display(db, whom).await?.map(|shown| shown.name).unwrap_or_default();
    Ok((Some(whom), format!("{own} → {other}")))
}

async fn note_use(app: &App, subject: SubjectId, hash: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
    let tx = app.store.begin().await?;
    tx.execute(
        "UPDATE identity_session SET seen_at = $3 WHERE subject_id = $1 AND token_hash = $2 AND seen_at < $3",
        params![subject, hash, now],
    )
    .await?;
    tx.commit().await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn new_token(subject: SubjectId, entropy: &dyn kernel::entropy::Entropy) -> String {
    let mut bytes = [0_u8; 48];
    let (id, random) = bytes.split_at_mut(16);
    id.copy_from_slice(subject.as_uuid().as_bytes());
    entropy.fill(random);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Whose session the token claims to be of; the hash decides whether it is.
fn subject_of(token: &str) -> Option<SubjectId> {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let (id, random) = bytes.split_at_checked(16)?;
    (random.len() == 32).then(|| Uuid::from_slice(id).ok().map(SubjectId::from_uuid)).flatten()
}

#[cfg(test)]
mod tests {
    use kernel::entropy::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_795_482_000_000_000 + micros)
    }

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn a_session_ends_at_the_very_microsecond_of_its_limits() {
        let start = at(0);
        assert_eq!(standing(start, start, at(30 * MINUTE - 1)), Standing::Open { touch: true });
        assert_eq!(standing(start, start, at(30 * MINUTE)), Standing::Idle);
        let busy = at(12 * 60 * MINUTE - 1);
        assert_eq!(standing(start, busy, busy), Standing::Open { touch: false });
        assert_eq!(standing(start, busy, at(12 * 60 * MINUTE)), Standing::Expired);
        assert_eq!(standing(start, start, at(MINUTE - 1)), Standing::Open { touch: false });
        assert_eq!(standing(start, start, at(MINUTE)), Standing::Open { touch: true });
    }

    #[test]
    fn a_token_says_whose_it_is_and_nothing_else_does() {
        let subject = SubjectId::from_uuid(Uuid::from_u128(77));
        let token = new_token(subject, &SeededEntropy::new(1));
        assert_eq!(subject_of(&token), Some(subject));
        for wrong in ["", "yws_", "yws_AAAA", &token[1..], &token[..token.len() - 2], "ywt_x"] {
            assert_eq!(subject_of(wrong), None, "{wrong}");
        }
        assert_ne!(csrf_of(&token), csrf_of("yws_other"));
        assert!(!token.contains(&csrf_of(&token)));
    }

    #[test]
    fn a_device_is_named_coarsely() {
        let mut headers = HeaderMap::new();
        assert_eq!(device(&headers), "API");
        let said = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36";
        headers.insert(http::header::USER_AGENT, said.parse().unwrap());
        assert_eq!(device(&headers), "Chrome · Android");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_session_that_is_over_stays_over(age in 0_i64..50_000_000_000, quiet in 0_i64..50_000_000_000, more in 0_i64..50_000_000_000) {
            let (created, seen) = (at(-age.max(quiet)), at(-quiet));
            let open = |now| matches!(standing(created, seen, now), Standing::Open { .. });
            prop_assert!(open(at(0)) || !open(at(more)));
        }

        #[test]
        fn an_open_session_is_within_both_limits(age in 0_i64..50_000_000_000, quiet in 0_i64..3_000_000_000) {
            let (created, seen) = (at(-age.max(quiet)), at(-quiet));
            let open = matches!(standing(created, seen, at(0)), Standing::Open { .. });
            prop_assert_eq!(open, quiet < 30 * MINUTE && age.max(quiet) < 12 * 60 * MINUTE);
        }
    }
}
