//! Accounts of those who work here: made, locked and reset by the administrator.
//!
//! The administrator never chooses a password: the node makes one, shows it once, and asks for a second
//! factor at the first sign-in.

use kernel::actor::Actor;
use kernel::citizen_id::CitizenIdError;
use kernel::entropy::Entropy;
use kernel::ids::AccountId;
use store::{AuditEntry, Purpose, StoreError};
use web::App;

use crate::accounts::{self, Account, AccountKind, NewAccount, fold_login};
use crate::people::{self, PersonError, PersonRecord};
use crate::sessions;
use crate::sign_in::{self, SignInError};

/// What those who work here sign in as.
pub const KINDS: &[AccountKind] = &[AccountKind::Officer, AccountKind::Auditor, AccountKind::Administrator];

/// Letters of a made password: 20 of 32 letters, 100 bits.
const PASSWORD_LETTERS: usize = 20;

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewStaff {
    /// The login.
    pub login: String,
    /// 姓名.
    pub name: String,
    /// 公民身份号码.
    pub citizen_id: String,
    /// As what.
    pub kind: AccountKind,
}

/// Why no account was made.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// The login has odd characters or a bad length.
    #[error("the login has odd characters or a bad length")]
    Login,
    /// Somebody has the login.
    #[error("somebody has this login already")]
    LoginTaken,
    /// The number is wrong.
    #[error("the citizen number is not valid")]
    CitizenId(#[source] CitizenIdError),
    /// The number is known here under another name.
    #[error("the number is known here under another name")]
    OtherName,
    /// The password could not be hashed.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an account, and the person where there is none yet. Gives the first password, which is shown once.
pub async fn create(app: &App, by: &Actor, new: &NewStaff) -> Result<(AccountId, String), StaffError> {
    let login = fold_login(&new.login).ok_or(StaffError::Login)?;
    let password = made_password(&*app.store.env().entropy);
    let hash = sign_in::hash(app, password.clone()).await?;
    let tx = app.store.begin().await?;
    if accounts::find_by_login(&tx, &login).await?.is_some() {
        return Err(StaffError::LoginTaken);
    }
    let subject = match people::find_by_citizen_id(&tx, &new.citizen_id).await? {
        Some(subject) => {
            if people::display_name(&tx, subject).await? != new.name.trim() {
                return Err(StaffError::OtherName);
            }
            subject
        }
        None => {
            let record = PersonRecord::known_by_number(new.name.trim(), &new.citizen_id);
            people::create(&tx, record, app.node.demo).await.map_err(|error| match error {
                PersonError::CitizenId(error) => StaffError::CitizenId(error),
                PersonError::Store(error) => StaffError::Store(error),
            })?
        }
    };
    let account = NewAccount { subject, login, kind: new.kind, password_hash: Some(hash), totp: None };
    let id = accounts::create(&tx, account).await?;
    tx.audit(AuditEntry::new(by, "identity.create_account", Purpose::Operation).about(subject));
    tx.commit().await?;
    Ok((id, password))
}

/// Locks an account and ends its sessions.
pub async fn lock(app: &App, by: &Actor, account: &Account) -> Result<(), StoreError> {
    let tx = app.store.begin().await?;
    accounts::lock(&tx, account).await?;
    sessions::end_others(&tx, account.subject, account.id, None).await?;
    tx.audit(AuditEntry::new(by, "identity.lock_account", Purpose::Operation).about(account.subject));
    tx.commit().await
}

/// Unlocks an account.
pub async fn unlock(app: &App, by: &Actor, account: &Account) -> Result<(), StoreError> {
    let tx = app.store.begin().await?;
    accounts::unlock(&tx, account).await?;
    tx.audit(AuditEntry::new(by, "identity.unlock_account", Purpose::Operation).about(account.subject));
    tx.commit().await
}

/// Gives a new first password to who lost theirs: second factor and sessions are gone, both are set up anew.
pub async fn reset(app: &App, by: &Actor, account: &Account) -> Result<String, SignInError> {
    let password = made_password(&*app.store.env().entropy);
    let hash = sign_in::hash(app, password.clone()).await?;
    let tx = app.store.begin().await?;
    accounts::set_password(&tx, account, &hash).await?;
    accounts::set_totp(&tx, account, None, -1).await?;
    sessions::end_others(&tx, account.subject, account.id, None).await?;
    tx.audit(AuditEntry::new(by, "identity.reset_account", Purpose::Operation).about(account.subject));
    tx.commit().await?;
    Ok(password)
}

/// Groups of letters that nobody takes for others: no i, l, o, u.
fn made_password(entropy: &dyn Entropy) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut password = String::new();
    for place in 0..PASSWORD_LETTERS {
        if place > 0 && place % 5 == 0 {
            password.push('-');
        }
        let drawn = usize::try_from(entropy.below(32)).unwrap_or_default();
        password.extend(LETTERS.get(drawn).map(|letter| char::from(*letter)));
    }
    password
}

#[cfg(test)]
mod tests {
    use kernel::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn a_made_password_has_four_groups_and_is_never_the_same() {
        let entropy = SeededEntropy::new(1);
        let (first, second) = (made_password(&entropy), made_password(&entropy));
        assert_ne!(first, second);
        assert_eq!(first.split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
    }
}
