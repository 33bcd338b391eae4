//! Passkeys (WebAuthn): register one on the security page, sign in with it without a login or a password.
//!
//! Keys are asked to be discoverable, so the browser knows whose they are and the page need not say which
//! accounts exist. A passkey proves possession and the unlocking of the device, so it counts as two factors.

use crypto::hash::sm3;
use kernel::ids::{AccountId, SubjectId};
use kernel::time::Timestamp;
use serde_json::Value as Json;
use store::{Reads, StoreError, Tx, params};
use web::App;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, RequestChallengeResponse, Url, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::{Visitor, open, own_act};
use crate::accounts::{self, Account};
use crate::challenges::{self, ChallengeKind};
use crate::seal;
use crate::sessions::{Method, NewSession};

kernel::uuid_ids! {
    /// A passkey of an account.
    PasskeyId,
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its id.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub label: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

/// Why a passkey was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The node has no name that browsers bind passkeys to.
    #[error("the address of the node is a number, and passkeys need a name")]
    NoName,
    /// The step before is too long ago.
    #[error("the step before ran out")]
    RanOut,
    /// The answer of the browser does not fit.
    #[error("the passkey was refused")]
    Refused(#[source] WebauthnError),
    /// The passkey belongs to no account here.
    #[error("the passkey belongs to no account here")]
    Unknown,
    /// The passkey is registered already.
    #[error("the passkey is registered already")]
    Twice,
    /// The account is locked.
    #[error("the account is locked")]
    Locked,
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

store::row! {
    struct PasskeyRow {
        subject_id: SubjectId, passkey_id: String, account_id: AccountId, label: String, credential: Vec<u8>,
        created_at: Timestamp, used_at: Option<Timestamp>,
    }
}

const COLUMNS: &str = "subject_id, passkey_id, account_id, label, credential, created_at, used_at";

/// Begins to register a passkey: what the browser is asked, and the token of the next step.
pub async fn begin_registration(
    app: &App,
    account: &Account,
    display_name: &str,
) -> Result<(Json, String), PasskeyError> {
    let webauthn = relying_party(app)?;
    let known = rows_of(&app.store.read(), account).await?;
    let mut exclude = Vec::new();
    for row in &known {
        exclude.push(credential(app, row)?.cred_id().clone());
    }
    let (question, state) = webauthn
        .start_passkey_registration(account.id.as_uuid(), &account.login, display_name, Some(exclude))
        .map_err(PasskeyError::Refused)?;
    let mut question = serde_json::to_value(question).map_err(StoreError::from)?;
    if let Some(choice) =
        question.pointer_mut("/publicKey/authenticatorSelection").and_then(Json::as_object_mut)
    {
        choice.insert("residentKey".to_owned(), "required".into());
        choice.insert("requireResidentKey".to_owned(), true.into());
    }
    let tx = app.store.begin().await?;
    let token = challenges::keep(&tx, ChallengeKind::PasskeyRegistration, &(account.id, state)).await?;
    tx.commit().await?;
    Ok((question, token))
}

/// Registers the passkey that the browser made.
pub async fn finish_registration(
    app: &App,
    account: &Account,
    token: &str,
    answer: &RegisterPublicKeyCredential,
    label: &str,
) -> Result<PasskeyId, PasskeyError> {
    let webauthn = relying_party(app)?;
    let tx = app.store.begin().await?;
    let state: Option<(AccountId, PasskeyRegistration)> =
        challenges::take(&tx, ChallengeKind::PasskeyRegistration, token).await?;
    let Some((_, state)) = state.filter(|(of, _)| *of == account.id) else {
        return Err(PasskeyError::RanOut);
    };
    let passkey = webauthn.finish_passkey_registration(answer, &state).map_err(PasskeyError::Refused)?;
    let env = app.store.env();
    let id = PasskeyId::generate(&*env.clock, &*env.entropy);
    let inserted = tx
        .execute(
            "INSERT INTO identity_passkey
                    (subject_id, passkey_id, account_id, credential_index, label, credential, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            params![
                account.subject,
                id.to_string(),
                account.id,
                sm3(passkey.cred_id().as_ref()),
                label,
                sealed(app, id, &passkey)?,
                env.now()
            ],
        )
        .await;
    match inserted {
        Err(error) if error.is_taken() => return Err(PasskeyError::Twice),
        other => other?,
    };
    tx.audit(own_act(account, "identity.add_passkey"));
    tx.commit().await?;
    Ok(id)
}

/// Begins to sign in: what the browser is asked, and the token of the next step.
pub async fn begin_sign_in(app: &App) -> Result<(RequestChallengeResponse, String), PasskeyError> {
    let (mut question, state) =
        relying_party(app)?.start_discoverable_authentication().map_err(PasskeyError::Refused)?;
    // A button asks for it, not the autofill of a field.
    question.mediation = None;
    let tx = app.store.begin().await?;
    let token = challenges::keep(&tx, ChallengeKind::PasskeySignIn, &state).await?;
    tx.commit().await?;
    Ok((question, token))
}

/// Signs in with the passkey that the browser showed.
pub async fn finish_sign_in(
    app: &App,
    token: &str,
    answer: &PublicKeyCredential,
    from: &Visitor,
) -> Result<NewSession, PasskeyError> {
    let webauthn = relying_party(app)?;
    let tx = app.store.begin().await?;
    let state: Option<DiscoverableAuthentication> =
        challenges::take(&tx, ChallengeKind::PasskeySignIn, token).await?;
    let state = state.ok_or(PasskeyError::RanOut)?;
    let (account, shown) =
        webauthn.identify_discoverable_authentication(answer).map_err(PasskeyError::Refused)?;
    let sql =
        format!("SELECT {COLUMNS} FROM identity_passkey WHERE account_id = $1 AND credential_index = $2");
    let row: Option<PasskeyRow> =
        tx.optional(&sql, params![AccountId::from_uuid(account), sm3(shown)]).await?;
    let row = row.ok_or(PasskeyError::Unknown)?;
    let mut passkey = credential(app, &row)?;
    let result = webauthn
        .finish_discoverable_authentication_v2(answer, state, DiscoverableKey::from(&passkey))
        .map_err(PasskeyError::Refused)?;
    let account = accounts::get(&tx, row.account_id).await?.ok_or(PasskeyError::Unknown)?;
    if account.locked {
        return Err(PasskeyError::Locked);
    }
    // Keeps the counter, by which a copied key is noticed.
    passkey.update_credential(&result);
    let id: PasskeyId = id_of(&row)?;
    tx.execute(
        "UPDATE identity_passkey
            SET credential = $3, used_at = $4
          WHERE subject_id = $1 AND passkey_id = $2",
        params![row.subject_id, id.to_string(), sealed(app, id, &passkey)?, app.now()],
    )
    .await?;
    let session = open(&tx, &account, Method::Passkey, &from.device).await?;
    tx.commit().await?;
    Ok(session)
}

/// The passkeys of an account, oldest first.
pub async fn list(db: &impl Reads, account: &Account) -> Result<Vec<Registered>, StoreError> {
    rows_of(db, account)
        .await?
        .iter()
        .map(|row| {
            Ok(Registered {
                id: id_of(row)?,
                label: row.label.clone(),
                created_at: row.created_at,
                used_at: row.used_at,
            })
        })
        .collect()
}

/// Removes a passkey of an account.
pub async fn remove(tx: &Tx, account: &Account, id: PasskeyId) -> Result<bool, StoreError> {
    let removed = tx
        .execute(
            "DELETE FROM identity_passkey WHERE subject_id = $1 AND passkey_id = $2 AND account_id = $3",
            params![account.subject, id.to_string(), account.id],
        )
        .await?;
    if removed > 0 {
        tx.audit(own_act(account, "identity.remove_passkey"));
    }
    Ok(removed > 0)
}

/// Whether browsers can bind passkeys to this node's address.
pub fn are_possible(app: &App) -> bool {
    relying_party(app).is_ok()
}

/// Browsers bind passkeys to a name, never to a number. A node on loopback is reached as `localhost` too.
fn relying_party(app: &App) -> Result<Webauthn, PasskeyError> {
    let mut origin = Url::parse(&app.node.base_url).map_err(|_| PasskeyError::NoName)?;
    let host = origin.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = match host.parse::<std::net::IpAddr>() {
        Err(_) => host,
        Ok(address) if address.is_loopback() => {
            origin.set_host(Some("localhost")).map_err(|_| PasskeyError::NoName)?;
            "localhost".to_owned()
        }
        Ok(_) => return Err(PasskeyError::NoName),
    };
    WebauthnBuilder::new(&name, &origin)
        .and_then(|builder| builder.rp_name(&app.node.name_zh).build())
        .map_err(PasskeyError::Refused)
}

async fn rows_of(db: &impl Reads, account: &Account) -> Result<Vec<PasskeyRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}
           FROM identity_passkey
          WHERE subject_id = $1 AND account_id = $2
          ORDER BY created_at, passkey_id"
    );
    db.query(&sql, params![account.subject, account.id]).await
}

fn id_of(row: &PasskeyRow) -> Result<PasskeyId, StoreError> {
    row.passkey_id
        .parse()
        .map_err(|_| StoreError::Column { column: "passkey_id".to_owned(), reason: "not an id".to_owned() })
}

fn credential(app: &App, row: &PasskeyRow) -> Result<Passkey, StoreError> {
    seal::open_json(&app.store, "identity_passkey", "credential", &row.passkey_id, &row.credential)
}

fn sealed(app: &App, id: PasskeyId, passkey: &Passkey) -> Result<Vec<u8>, StoreError> {
    seal::seal_json(&app.store, "identity_passkey", "credential", &id.to_string(), passkey)
}
