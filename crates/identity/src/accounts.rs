//! Accounts: how a person signs in, and as what.
//!
//! One person may have several, for instance one as a citizen and one as an officer. Passwords are kept as
//! argon2id hashes, secrets of second factors sealed. Hash before a write begins: it takes long.

use kernel::actor::{Actor, PostHolding};
use kernel::ids::{AccountId, OrgCode, SubjectId};
use kernel::time::Timestamp;
use store::{Reads, StoreError, Tx, params};

use crate::totp::TotpSecret;
use crate::{orgs, people, seal};

/// The least letters of a password (NIST SP 800-63B, 5.1.1.2).
pub const MIN_PASSWORD: usize = 10;
/// The most letters of a login.
pub const MAX_LOGIN: usize = 64;

/// As what somebody signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// For their own affairs, or those of somebody who gave them authority.
    Citizen,
    /// In the posts that they hold.
    Officer,
    /// Reads the audit log.
    Auditor,
    /// Runs the node.
    Administrator,
}

impl AccountKind {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "citizen" => Some(Self::Citizen),
            "officer" => Some(Self::Officer),
            "auditor" => Some(Self::Auditor),
            "administrator" => Some(Self::Administrator),
            _ => None,
        }
    }

    /// Whether a password alone never suffices: whoever sees other people's data shows two things.
    pub fn needs_second_factor(self) -> bool {
        !matches!(self, Self::Citizen)
    }
}

/// An account without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// Whose.
    pub subject: SubjectId,
    /// The name that is typed at sign-in.
    pub login: String,
    /// As what.
    pub kind: AccountKind,
    /// Whether it may be used.
    pub locked: bool,
    /// Whether it has a password.
    pub has_password: bool,
    /// Whether it has a second factor by time.
    pub has_totp: bool,
    /// Since when.
    pub created_at: Timestamp,
}

/// What sign-in compares with.
pub(crate) struct Credentials {
    pub(crate) account: Account,
    pub(crate) password_hash: Option<String>,
    pub(crate) totp: Option<TotpSecret>,
    pub(crate) totp_last_step: i64,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Whose.
    pub subject: SubjectId,
    /// The name that is typed at sign-in; see [`fold_login`].
    pub login: String,
    /// As what.
    pub kind: AccountKind,
    /// Made by `crypto::password::hash` before the write began; none for who comes from outside.
    pub password_hash: Option<String>,
    /// A second factor, if it is known already.
    pub totp: Option<TotpSecret>,
}

store::row! {
    struct AccountRow {
        subject_id: SubjectId, account_id: AccountId, login: String, kind: String,
        password_hash: Option<String>, totp_secret: Option<Vec<u8>>, totp_last_step: i64, state: String,
        created_at: Timestamp,
    }
}

const COLUMNS: &str = "subject_id, account_id, login, kind, password_hash, totp_secret, totp_last_step, state, \
                       created_at";

/// A login as it is kept: without spaces around it, in lower case. None when it is empty, too long, or has
/// other characters than ASCII letters, digits, `.`, `-`, `_` and `@`.
pub fn fold_login(text: &str) -> Option<String> {
    let folded = text.trim().to_lowercase();
    let fits = folded.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_@".contains(letter));
    (fits && (2..=MAX_LOGIN).contains(&folded.chars().count())).then_some(folded)
}

/// Makes an account. A login that somebody has already is `StoreError::Taken`.
pub async fn create(tx: &Tx, new: NewAccount) -> Result<AccountId, StoreError> {
    let store = tx.store();
    let env = store.env();
    let id = AccountId::generate(&*env.clock, &*env.entropy);
    let totp = new.totp.map(|secret| seal_totp(store, id, &secret));
    tx.execute(
        "INSERT INTO identity_account
                (subject_id, account_id, login, kind, password_hash, totp_secret, totp_last_step, state,
                 created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, -1, 'active', $7, $7)",
        params![new.subject, id, new.login, new.kind.as_str(), new.password_hash, totp, env.now()],
    )
    .await?;
    Ok(id)
}

/// The account of this id.
pub async fn get(db: &impl Reads, id: AccountId) -> Result<Option<Account>, StoreError> {
    Ok(credentials(db, "account_id", id.to_string()).await?.map(|found| found.account))
}

/// The account with this login, in whatever case it is written.
pub async fn find_by_login(db: &impl Reads, login: &str) -> Result<Option<Account>, StoreError> {
    Ok(credentials_by_login(db, login).await?.map(|found| found.account))
}

/// Every account of a person.
pub async fn of_subject(db: &impl Reads, subject: SubjectId) -> Result<Vec<Account>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_account WHERE subject_id = $1 ORDER BY created_at, account_id"
    );
    let rows: Vec<AccountRow> = db.query(&sql, params![subject]).await?;
    rows.iter().map(account).collect()
}

/// Accounts of one kind after `after` by login, for the administrator.
pub async fn list(
    db: &impl Reads,
    kinds: &[AccountKind],
    after: &str,
    limit: u32,
) -> Result<Vec<Account>, StoreError> {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let sql = format!(
        "SELECT {COLUMNS}
           FROM identity_account
          WHERE $1 LIKE '%,' || kind || ',%' AND login > $2
          ORDER BY login
          LIMIT $3"
    );
    let rows: Vec<AccountRow> =
        db.query(&sql, params![format!(",{},", words.join(",")), after, limit]).await?;
    rows.iter().map(account).collect()
}

pub(crate) async fn credentials_by_login(
    db: &impl Reads,
    login: &str,
) -> Result<Option<Credentials>, StoreError> {
    match fold_login(login) {
        Some(login) => credentials(db, "login", login).await,
        None => Ok(None),
    }
}

pub(crate) async fn credentials_of(
    db: &impl Reads,
    id: AccountId,
) -> Result<Option<Credentials>, StoreError> {
    credentials(db, "account_id", id.to_string()).await
}

/// `column` is one of two words written above, never what somebody sent.
async fn credentials(
    db: &impl Reads,
    column: &str,
    value: String,
) -> Result<Option<Credentials>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM identity_account WHERE {column} = $1");
    let row: Option<AccountRow> = db.optional(&sql, params![value]).await?;
    let Some(row) = row else { return Ok(None) };
    let totp = match &row.totp_secret {
        None => None,
        Some(sealed) => {
            let id = row.account_id.to_string();
            let plain = seal::open(db.store(), "identity_account", "totp_secret", &id, sealed)?;
            TotpSecret::from_bytes(plain)
        }
    };
    Ok(Some(Credentials {
        account: account(&row)?,
        totp,
        totp_last_step: row.totp_last_step,
        password_hash: row.password_hash,
    }))
}

/// Replaces the password.
pub async fn set_password(tx: &Tx, account: &Account, hash: &str) -> Result<(), StoreError> {
    change(tx, account, "password_hash", hash.into()).await
}

/// Sets or removes the second factor by time. The step whose code proved it counts as used.
pub(crate) async fn set_totp(
    tx: &Tx,
    account: &Account,
    secret: Option<&TotpSecret>,
    used_step: i64,
) -> Result<(), StoreError> {
    let sealed = secret.map(|secret| seal_totp(tx.store(), account.id, secret));
    change(tx, account, "totp_secret", store::IntoValue::into_value(sealed)).await?;
    change(tx, account, "totp_last_step", used_step.into()).await
}

/// Uses up a step of the second factor; false when it, or a later one, was used already.
pub(crate) async fn use_step(tx: &Tx, account: &Account, step: i64) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE identity_account
                SET totp_last_step = $3
              WHERE subject_id = $1 AND account_id = $2 AND totp_last_step < $3",
            params![account.subject, account.id, step],
        )
        .await?;
    Ok(changed == 1)
}

/// Locks an account: its sessions count no longer, and it opens none.
pub async fn lock(tx: &Tx, account: &Account) -> Result<(), StoreError> {
    change(tx, account, "state", "locked".into()).await
}

/// Unlocks an account.
pub async fn unlock(tx: &Tx, account: &Account) -> Result<(), StoreError> {
    change(tx, account, "state", "active".into()).await
}

/// `column` is a word of this file.
async fn change(tx: &Tx, account: &Account, column: &str, value: store::Value) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE identity_account SET {column} = $3, changed_at = $4 WHERE subject_id = $1 AND account_id = $2"
    );
    let mut values = params![account.subject, account.id];
    values.push(value);
    values.extend(params![tx.store().env().now()]);
    tx.execute(&sql, values).await?;
    Ok(())
}

/// An officer as colleagues and supervisors see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officer {
    /// Their account.
    pub account: AccountId,
    /// Who they are.
    pub subject: SubjectId,
    /// 姓名.
    pub name: String,
    /// The posts that they hold.
    pub posts: Vec<PostHolding>,
}

/// The officers who hold a post with this role in this organisation at `now` and may sign in.
pub async fn officers_with(
    db: &impl Reads,
    org: &OrgCode,
    role: &str,
    now: Timestamp,
) -> Result<Vec<Officer>, StoreError> {
    let mut officers = Vec::new();
    for subject in orgs::holders_of(db, org, role, now).await? {
        for account in of_subject(db, subject).await? {
            if account.kind == AccountKind::Officer && !account.locked {
                officers.push(officer_of(db, &account, now).await?);
            }
        }
    }
    Ok(officers)
}

/// The officer with this account; none when it is no officer's or is locked.
pub async fn officer(
    db: &impl Reads,
    account: AccountId,
    now: Timestamp,
) -> Result<Option<Officer>, StoreError> {
    match get(db, account).await? {
        Some(account) if account.kind == AccountKind::Officer && !account.locked => {
            Ok(Some(officer_of(db, &account, now).await?))
        }
        _ => Ok(None),
    }
}

/// As whom the holder of this account acts today; none if there is no such account, or it is locked.
pub async fn actor(db: &impl Reads, id: AccountId, now: Timestamp) -> Result<Option<Actor>, StoreError> {
    let Some(found) = get(db, id).await?.filter(|found| !found.locked) else { return Ok(None) };
    let (account, subject) = (found.id, found.subject);
    Ok(Some(match found.kind {
        AccountKind::Citizen => Actor::Citizen { account, subject, on_behalf_of: None },
        AccountKind::Officer => {
            Actor::Officer { account, subject, posts: orgs::holdings(db, subject, now).await? }
        }
        AccountKind::Auditor => Actor::Auditor { account, subject },
        AccountKind::Administrator => Actor::Administrator { account, subject },
    }))
}

async fn officer_of(db: &impl Reads, account: &Account, now: Timestamp) -> Result<Officer, StoreError> {
    Ok(Officer {
        account: account.id,
        subject: account.subject,
        name: people::display_name(db, account.subject).await?,
        posts: orgs::holdings(db, account.subject, now).await?,
    })
}

fn account(row: &AccountRow) -> Result<Account, StoreError> {
    let kind = AccountKind::parse(&row.kind).ok_or_else(|| StoreError::Column {
        column: "kind".to_owned(),
        reason: format!("`{}` is no kind of account", row.kind),
    })?;
    Ok(Account {
        id: row.account_id,
        subject: row.subject_id,
        login: row.login.clone(),
        kind,
        locked: row.state != "active",
        has_password: row.password_hash.is_some(),
        has_totp: row.totp_secret.is_some(),
        created_at: row.created_at,
    })
}

fn seal_totp(store: &store::Store, id: AccountId, secret: &TotpSecret) -> Vec<u8> {
    seal::seal(store, "identity_account", "totp_secret", &id.to_string(), secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_folded_and_odd_ones_are_refused() {
        assert_eq!(fold_login(" Zhang.Li@dali ").as_deref(), Some("zhang.li@dali"));
        // Letters of other scripts look like ours: nobody is to sign in as somebody's double.
        for odd in ["段小慧", "аdmin", "", "a", "a b", "a\nb", "a'--", &"x".repeat(65)] {
            assert_eq!(fold_login(odd), None, "{odd}");
        }
    }

    #[test]
    fn whoever_sees_the_data_of_others_needs_a_second_factor() {
        assert!(!AccountKind::Citizen.needs_second_factor());
        for kind in [AccountKind::Officer, AccountKind::Auditor, AccountKind::Administrator] {
            assert!(kind.needs_second_factor());
            assert_eq!(AccountKind::parse(kind.as_str()), Some(kind));
        }
    }
}
