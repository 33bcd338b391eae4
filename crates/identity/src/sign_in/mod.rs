//! Signing in: password and code, passkey, or the real-name provider; each ends in [`crate::sessions`].
//!
//! Nothing here says whether an account exists: an unknown login costs the same work and gets the same
//! answer as a wrong password.

pub mod limits;
pub mod passkeys;
pub mod real_name;
mod visitor;

use std::net::IpAddr;

use kernel::actor::Actor;
use kernel::ids::AccountId;
use serde::{Deserialize, Serialize};
use store::{AuditEntry, Purpose, Reads, StoreError, Tx};
use web::App;

pub use limits::{Limits, TooMany};

use crate::accounts::{self, Account, Credentials};
use crate::challenges::{self, ChallengeKind};
use crate::sessions::{self, Method, NewSession};
use crate::totp::{CodeRefused, TotpSecret};

/// A try to sign in.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The login, as it was typed.
    pub login: String,
    /// The password.
    pub password: String,
    /// The code, where it was sent along.
    pub code: Option<String>,
    /// Where the try comes from.
    pub from: Visitor,
}

/// Where a try to sign in comes from.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The address, if the server knows it.
    pub address: Option<IpAddr>,
    /// Browser and system, in a few words.
    pub device: String,
}

/// How a right password is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The session has begun.
    Signed(NewSession),
    /// The code is missing; this token leads back here with it.
    CodeNeeded(String),
    /// A second factor must be set up first; this token leads to it.
    EnrolmentNeeded(String),
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The login or the password, whichever, is wrong.
    #[error("the login or the password is wrong")]
    Wrong,
    /// The code is not one of now.
    #[error("the code is wrong")]
    WrongCode,
    /// The code was used already.
    #[error("the code was used already")]
    UsedCode,
    /// The account is locked; said only to whoever knows its password.
    #[error("the account is locked")]
    Locked,
    /// The step before is too long ago.
    #[error("the step before ran out")]
    RanOut,
    /// Too many tries.
    #[error("too many tries")]
    TooMany(TooMany),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error("the password could not be checked")]
    Password(#[source] crypto::password::PasswordError),
}

impl From<TooMany> for SignInError {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

/// What is remembered between the password and the code.
#[derive(Serialize, Deserialize)]
pub(crate) struct Half {
    account: AccountId,
    /// The secret that is being set up, if one is.
    new_secret: Option<Vec<u8>>,
}

/// Signs in with a password, and with a code where the account asks for one.
pub async fn with_password(app: &App, limits: &Limits, attempt: Attempt) -> Result<Answer, SignInError> {
    let env = app.store.env();
    // An odd login is nobody's, and still counts and costs like any other.
    let login = accounts::fold_login(&attempt.login).unwrap_or_default();
    limits.take(&env.clock, &login, attempt.from.address)?;
    let found = accounts::credentials_by_login(&app.store.read(), &login).await?;
    let stored = found.as_ref().and_then(|found| found.password_hash.clone());
    let right = verify(attempt.password.clone(), stored.clone()).await?;
    let Some(found) = found.filter(|_| right) else {
        note_failure(app, &login).await?;
        return Err(SignInError::Wrong);
    };
    if found.account.locked {
        return Err(SignInError::Locked);
    }
    refresh_hash(app, &found.account, &attempt.password, stored).await?;
    match (&found.totp, attempt.code.filter(|code| !code.is_empty())) {
        (Some(secret), Some(code)) => {
            let step = check_code(app, &found, secret, &code).await?;
            let session = finish(app, &found.account, Proof::Code(step), &attempt.from.device).await?;
            limits.succeeded(&login);
            Ok(Answer::Signed(session))
        }
        (Some(_), None) => {
            let half = Half { account: found.account.id, new_secret: None };
            Ok(Answer::CodeNeeded(keep(app, ChallengeKind::Code, &half).await?))
        }
        (None, _) if found.account.kind.needs_second_factor() => {
            let secret = TotpSecret::generate(&*env.entropy);
            let half = Half { account: found.account.id, new_secret: Some(secret.as_bytes().to_vec()) };
            Ok(Answer::EnrolmentNeeded(keep(app, ChallengeKind::Enrol, &half).await?))
        }
        (None, _) => {
            let session = finish(app, &found.account, Proof::PasswordAlone, &attempt.from.device).await?;
            limits.succeeded(&login);
            Ok(Answer::Signed(session))
        }
    }
}

/// Signs in with the code that [`Answer::CodeNeeded`] asked for.
pub async fn with_code(
    app: &App,
    limits: &Limits,
    token: &str,
    code: &str,
    from: &Visitor,
) -> Result<NewSession, SignInError> {
    let found = half(app, ChallengeKind::Code, token).await?.0;
    let login = found.account.login.clone();
    limits.take(&app.store.env().clock, &login, from.address)?;
    let secret = found.totp.as_ref().ok_or(SignInError::RanOut)?;
    let step = check_code(app, &found, secret, code).await?;
    let session = finish(app, &found.account, Proof::HalfAndCode { token, step }, &from.device).await?;
    limits.succeeded(&login);
    Ok(session)
}

/// Whose code is awaited, if the step before still counts.
pub(crate) async fn awaiting_code(app: &App, token: &str) -> Result<String, SignInError> {
    Ok(half(app, ChallengeKind::Code, token).await?.0.account.login)
}

/// The secret that is being set up, and for which login.
pub async fn enrolment(app: &App, token: &str) -> Result<(TotpSecret, String), SignInError> {
    let (found, secret) = half(app, ChallengeKind::Enrol, token).await?;
    let secret = secret.ok_or(SignInError::RanOut)?;
    Ok((secret, found.account.login))
}

/// Sets up the second factor that [`Answer::EnrolmentNeeded`] asked for, and signs in.
pub async fn with_enrolment(
    app: &App,
    limits: &Limits,
    token: &str,
    code: &str,
    from: &Visitor,
) -> Result<NewSession, SignInError> {
    let (found, secret) = half(app, ChallengeKind::Enrol, token).await?;
    let secret = secret.ok_or(SignInError::RanOut)?;
    let account = found.account;
    limits.take(&app.store.env().clock, &account.login, from.address)?;
    let step = secret.check(code, app.now(), -1).map_err(refusal)?;
    let proof = Proof::Enrolment { token, secret: &secret, step };
    let session = finish(app, &account, proof, &from.device).await?;
    limits.succeeded(&account.login);
    Ok(session)
}

/// Whether a password is that of an account: asked again before something that would lock its owner out.
pub async fn knows_password(app: &App, account: AccountId, password: &str) -> Result<bool, SignInError> {
    let found = accounts::credentials_of(&app.store.read(), account).await?;
    verify(password.to_owned(), found.and_then(|found| found.password_hash)).await
}

/// Hashes a password away from the threads that answer requests.
pub async fn hash(app: &App, password: String) -> Result<String, SignInError> {
    let entropy = app.store.env().entropy.clone();
    blocking(move || crypto::password::hash(&password, &*entropy)).await
}

async fn verify(password: String, stored: Option<String>) -> Result<bool, SignInError> {
    // A password that is too long is a wrong one, not a fault of ours.
    if password.len() > crypto::password::MAX_LEN {
        return Ok(false);
    }
    blocking(move || crypto::password::verify_account(&password, stored.as_deref())).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crypto::password::PasswordError> + Send + 'static,
) -> Result<T, SignInError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| SignInError::Store(StoreError::Config(error.to_string())))?
        .map_err(SignInError::Password)
}

/// Hashes anew what was hashed with the cost of earlier years.
async fn refresh_hash(
    app: &App,
    account: &Account,
    password: &str,
    stored: Option<String>,
) -> Result<(), SignInError> {
    if stored.is_some_and(|stored| crypto::password::needs_rehash(&stored)) {
        let fresh = hash(app, password.to_owned()).await?;
        let tx = app.store.begin().await?;
        accounts::set_password(&tx, account, &fresh).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The step of a right code. A wrong one is noted for its owner to see.
async fn check_code(
    app: &App,
    found: &Credentials,
    secret: &TotpSecret,
    code: &str,
) -> Result<i64, SignInError> {
    match secret.check(code, app.now(), found.totp_last_step) {
        Ok(step) => Ok(step),
        Err(refused) => {
            note_failure(app, &found.account.login).await?;
            Err(refusal(refused))
        }
    }
}

fn refusal(refused: CodeRefused) -> SignInError {
    match refused {
        CodeRefused::Wrong => SignInError::WrongCode,
        CodeRefused::Used => SignInError::UsedCode,
    }
}

async fn half(
    app: &App,
    kind: ChallengeKind,
    token: &str,
) -> Result<(Credentials, Option<TotpSecret>), SignInError> {
    let db = app.store.read();
    let half: Half = challenges::peek(&db, kind, token).await?.ok_or(SignInError::RanOut)?;
    let found = accounts::credentials_of(&db, half.account).await?.ok_or(SignInError::RanOut)?;
    if found.account.locked {
        return Err(SignInError::Locked);
    }
    Ok((found, half.new_secret.and_then(TotpSecret::from_bytes)))
}

async fn keep(app: &App, kind: ChallengeKind, half: &Half) -> Result<String, StoreError> {
    let tx = app.store.begin().await?;
    let token = challenges::keep(&tx, kind, half).await?;
    tx.commit().await?;
    Ok(token)
}

/// What was shown, and what using it up means.
enum Proof<'a> {
    /// The password of a citizen without a second factor.
    PasswordAlone,
    /// Password and code at once.
    Code(i64),
    /// The code after the password.
    HalfAndCode { token: &'a str, step: i64 },
    /// The first code of a new second factor.
    Enrolment { token: &'a str, secret: &'a TotpSecret, step: i64 },
}

/// Uses the proof up and begins the session, all or nothing.
async fn finish(
    app: &App,
    account: &Account,
    proof: Proof<'_>,
    device: &str,
) -> Result<NewSession, SignInError> {
    let tx = app.store.begin().await?;
    let method = match proof {
        Proof::PasswordAlone => Method::Password,
        Proof::Code(step) => {
            use_step(&tx, account, step).await?;
            Method::Totp
        }
        Proof::HalfAndCode { token, step } => {
            take(&tx, ChallengeKind::Code, token).await?;
            use_step(&tx, account, step).await?;
            Method::Totp
        }
        Proof::Enrolment { token, secret, step } => {
            take(&tx, ChallengeKind::Enrol, token).await?;
            accounts::set_totp(&tx, account, Some(secret), step).await?;
            tx.audit(own_act(account, "identity.set_totp"));
            Method::Totp
        }
    };
    let session = open(&tx, account, method, device).await?;
    tx.commit().await?;
    Ok(session)
}

async fn use_step(tx: &Tx, account: &Account, step: i64) -> Result<(), SignInError> {
    if accounts::use_step(tx, account, step).await? { Ok(()) } else { Err(SignInError::UsedCode) }
}

async fn take(tx: &Tx, kind: ChallengeKind, token: &str) -> Result<(), SignInError> {
    match challenges::take::<Half>(tx, kind, token).await? {
        Some(_) => Ok(()),
        None => Err(SignInError::RanOut),
    }
}

/// Begins the session and notes it.
pub(crate) async fn open(
    tx: &Tx,
    account: &Account,
    method: Method,
    device: &str,
) -> Result<NewSession, StoreError> {
    tx.audit(own_act(account, "identity.sign_in").object(method.as_str()));
    sessions::begin(tx, account, method, device).await
}

/// Something that the owner of an account did about it, for the audit log and their own footprint.
pub(crate) fn own_act(account: &Account, action: &'static str) -> AuditEntry {
    AuditEntry::of_account(account.id, action).about(account.subject)
}

/// A try that failed: its owner sees it in the data footprint. For a login that is nobody's only the log
/// keeps it, without the login.
async fn note_failure(app: &App, login: &str) -> Result<(), StoreError> {
    let tx = app.store.begin().await?;
    match accounts::find_by_login(&tx, login).await? {
        Some(account) => tx.audit(own_act(&account, "identity.sign_in_failed")),
        None => {
            tx.audit(AuditEntry::new(&Actor::Anonymous, "identity.sign_in_failed", Purpose::SignIn));
        }
    }
    tx.commit().await
}

/// Ends the session of a token and notes it.
pub async fn sign_out(app: &App, actor: &Actor, token: &str) -> Result<(), StoreError> {
    let tx = app.store.begin().await?;
    if sessions::end(&tx, token).await? {
        let entry = AuditEntry::new(actor, "identity.sign_out", Purpose::SignIn);
        tx.audit(match actor.subject() {
            Some(subject) => entry.about(subject),
            None => entry,
        });
    }
    tx.commit().await
}

/// The account of an actor, when it is somebody's.
pub async fn account_of(db: &impl Reads, actor: &Actor) -> Result<Option<Account>, StoreError> {
    match actor.account() {
        Some(account) => accounts::get(db, account).await,
        None => Ok(None),
    }
}
