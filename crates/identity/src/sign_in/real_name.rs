//! The real-name provider outside: who has proved there who they are need not prove it here.
//!
//! [`RealNameProvider`] is what this crate asks of one; [`Oidc`] speaks OpenID Connect (code flow with PKCE)
//! to a real one. The administrator names it on a page; without one the button is not shown, and people sign
//! in with a password or a passkey.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::citizen_id::CitizenIdError;
use kernel::entropy::Entropy;
use kernel::ids::{AccountId, SubjectId};
use kernel::time::Timestamp;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse,
    SubjectIdentifier, TokenResponse, UserInfoClaims, reqwest,
};
use packs::model::Words;
use serde::{Deserialize, Serialize};
use store::{Reads, StoreError, Tx, params};
use web::{App, Boxed};

use super::{Visitor, open, own_act};
use crate::accounts::{self, AccountKind, NewAccount};
use crate::challenges::{self, ChallengeKind};
use crate::people::{self, PersonError, PersonRecord};
use crate::seal;
use crate::sessions::{Method, NewSession};

/// The path that a provider sends people back to.
pub const RETURN_PATH: &str = "/sign-in/real-name/back";

/// A person as the provider vouches for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Who vouches.
    pub issuer: String,
    /// Their name for this person, never to be given to anybody else.
    pub external_id: String,
    /// 姓名.
    pub name: String,
    /// 公民身份号码.
    pub citizen_id: String,
    /// Real-name phone number, if it was told.
    pub phone: Option<String>,
}

/// Where to send somebody, and what to remember until they are back.
#[derive(Clone, Debug)]
pub struct Journey {
    /// The address of the provider.
    pub address: String,
    /// What must come back with them.
    pub memory: Memory,
}

/// What is remembered while somebody is at the provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    state: String,
    nonce: String,
    verifier: String,
    /// The page to go to afterwards.
    pub next: String,
}

/// Why the provider did not vouch.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The provider does not answer, or not as one does.
    #[error("the real-name provider does not answer: {0}")]
    Down(String),
    /// The answer is not for this question.
    #[error("the answer belongs to another question")]
    NotOurs,
    /// The provider's token is not sound.
    #[error("the provider's token is refused: {0}")]
    Token(String),
    /// The provider tells neither name nor number.
    #[error("the provider does not tell `{0}`")]
    Missing(&'static str),
}

/// What is asked of a real-name provider.
pub trait RealNameProvider: Send + Sync {
    /// Where to send somebody who is to come back to `back`.
    fn begin<'a>(
        &'a self,
        back: &'a str,
        next: &'a str,
        entropy: &'a dyn Entropy,
    ) -> Boxed<'a, Result<Journey, ProviderError>>;

    /// Who came back, from the query that they brought.
    fn finish<'a>(
        &'a self,
        back: &'a str,
        memory: &'a Memory,
        state: &'a str,
        code: &'a str,
        now: Timestamp,
    ) -> Boxed<'a, Result<Vouched, ProviderError>>;
}

/// How to reach the provider, as the administrator entered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its issuer address.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: String,
    /// The certificate of a private authority (PEM), where the provider has one.
    pub authority: Option<String>,
    /// What the button calls it.
    pub name: Words,
}

/// The claim with the citizen number, beside the standard ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Extra {
    #[serde(skip_serializing_if = "Option::is_none", alias = "id_number", alias = "idcard")]
    citizen_id: Option<String>,
}

impl AdditionalClaims for Extra {}

/// What a provider tells of a person, in its token or when it is asked.
struct Told {
    name: Option<String>,
    citizen_id: Option<String>,
    phone: Option<String>,
}

impl Told {
    /// Each from here, or else from there.
    fn or(self, other: Self) -> Self {
        Self {
            name: self.name.or(other.name),
            citizen_id: self.citizen_id.or(other.citizen_id),
            phone: self.phone.or(other.phone),
        }
    }
}

type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Client = openidconnect::Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider that speaks OpenID Connect.
pub struct Oidc {
    settings: Settings,
    http: reqwest::Client,
}

impl Oidc {
    /// A client of the provider. Redirects are not followed: an address of ours must not be fetched for it.
    pub fn new(settings: Settings) -> Result<Self, ProviderError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(std::time::Duration::from_secs(5))
            .timeout(std::time::Duration::from_secs(10));
        if let Some(pem) = &settings.authority {
            let authority = reqwest::Certificate::from_pem(pem.as_bytes())
                .map_err(|error| ProviderError::Down(error.to_string()))?;
            builder = builder.add_root_certificate(authority);
        }
        let http = builder.build().map_err(|error| ProviderError::Down(error.to_string()))?;
        Ok(Self { settings, http })
    }

    /// Asks the provider how it works: also the test of settings that were just entered.
    pub async fn discover(&self) -> Result<(), ProviderError> {
        self.client().await.map(drop)
    }

    async fn client(&self) -> Result<Client, ProviderError> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone())
            .map_err(|error| ProviderError::Down(error.to_string()))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http)
            .await
            .map_err(|error| ProviderError::Down(chain(&error)))?;
        Ok(Client::from_provider_metadata(
            metadata,
            ClientId::new(self.settings.client_id.clone()),
            Some(ClientSecret::new(self.settings.client_secret.clone())),
        ))
    }

    async fn journey(&self, back: &str, next: &str, entropy: &dyn Entropy) -> Result<Journey, ProviderError> {
        let memory = Memory {
            state: random_text(entropy),
            nonce: random_text(entropy),
            verifier: random_text(entropy),
            next: next.to_owned(),
        };
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(memory.verifier.clone()));
        let client = self.client().await?.set_redirect_uri(redirect(back)?);
        let (state, nonce) = (CsrfToken::new(memory.state.clone()), Nonce::new(memory.nonce.clone()));
        let (address, ..) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scope(Scope::new("profile".to_owned()))
            .add_scope(Scope::new("phone".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Journey { address: address.to_string(), memory })
    }

    async fn vouched(
        &self,
        back: &str,
        memory: &Memory,
        state: &str,
        code: &str,
        now: Timestamp,
    ) -> Result<Vouched, ProviderError> {
        let same: bool = subtle::ConstantTimeEq::ct_eq(state.as_bytes(), memory.state.as_bytes()).into();
        if !same {
            return Err(ProviderError::NotOurs);
        }
        let client = self.client().await?.set_redirect_uri(redirect(back)?);
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| ProviderError::Down(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(memory.verifier.clone()))
            .request_async(&self.http)
            .await
            .map_err(|error| ProviderError::Token(chain(&error)))?;
        let token = answer.id_token().ok_or(ProviderError::Missing("id_token"))?;
        // The node's clock decides, as everywhere.
        let since = std::time::Duration::from_micros(u64::try_from(now.micros()).unwrap_or(0));
        let verifier = client.id_token_verifier().set_time_fn(move || (std::time::UNIX_EPOCH + since).into());
        let claims = token
            .claims(&verifier, &Nonce::new(memory.nonce.clone()))
            .map_err(|error| ProviderError::Token(chain(&error)))?;
        let mut told = Told {
            name: claims.name().and_then(|names| names.get(None)).map(|name| name.to_string()),
            citizen_id: claims.additional_claims().citizen_id.clone(),
            phone: claims.phone_number().map(|phone| phone.to_string()),
        };
        if told.name.is_none() || told.citizen_id.is_none() {
            // With the code flow a provider tells them at its UserInfo endpoint (OpenID Connect Core, 5.4).
            told = self.asked_for(&client, &answer, claims.subject()).await?.or(told);
        }
        Ok(Vouched {
            issuer: claims.issuer().to_string(),
            external_id: claims.subject().to_string(),
            name: told.name.filter(|name| !name.trim().is_empty()).ok_or(ProviderError::Missing("name"))?,
            citizen_id: told.citizen_id.ok_or(ProviderError::Missing("citizen_id"))?,
            phone: told.phone,
        })
    }

    /// What the provider tells of `subject` at its UserInfo endpoint.
    async fn asked_for(
        &self,
        client: &Client,
        answer: &StandardTokenResponse<Fields, CoreTokenType>,
        subject: &SubjectIdentifier,
    ) -> Result<Told, ProviderError> {
        let claims: UserInfoClaims<Extra, CoreGenderClaim> = client
            .user_info(answer.access_token().clone(), Some(subject.clone()))
            .map_err(|error| ProviderError::Down(error.to_string()))?
            .request_async(&self.http)
            .await
            .map_err(|error| ProviderError::Token(chain(&error)))?;
        Ok(Told {
            name: claims.name().and_then(|names| names.get(None)).map(|name| name.to_string()),
            citizen_id: claims.additional_claims().citizen_id.clone(),
            phone: claims.phone_number().map(|phone| phone.to_string()),
        })
    }
}

impl RealNameProvider for Oidc {
    fn begin<'a>(
        &'a self,
        back: &'a str,
        next: &'a str,
        entropy: &'a dyn Entropy,
    ) -> Boxed<'a, Result<Journey, ProviderError>> {
        Box::pin(self.journey(back, next, entropy))
    }

    fn finish<'a>(
        &'a self,
        back: &'a str,
        memory: &'a Memory,
        state: &'a str,
        code: &'a str,
        now: Timestamp,
    ) -> Boxed<'a, Result<Vouched, ProviderError>> {
        Box::pin(self.vouched(back, memory, state, code, now))
    }
}

store::row! {
    struct ProviderRow {
        issuer: String, client_id: String, client_secret: Vec<u8>, authority: Option<Vec<u8>>, name_zh: String,
        name_en: String,
    }
}

/// The settings, if a provider was named.
pub async fn settings(db: &impl Reads) -> Result<Option<Settings>, StoreError> {
    let row: Option<ProviderRow> = db
        .optional(
            "SELECT issuer, client_id, client_secret, authority, name_zh, name_en
               FROM identity_provider
              WHERE provider_id = 'real-name'",
            vec![],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let text = |column: &str, sealed: &[u8]| {
        let plain = seal::open(db.store(), "identity_provider", column, "real-name", sealed)?;
        String::from_utf8(plain).map_err(|_| StoreError::Sealed("not a text".to_owned()))
    };
    Ok(Some(Settings {
        client_secret: text("client_secret", &row.client_secret)?,
        authority: row.authority.as_deref().map(|sealed| text("authority", sealed)).transpose()?,
        issuer: row.issuer,
        client_id: row.client_id,
        name: Words { zh: row.name_zh, en: row.name_en },
    }))
}

/// Keeps the settings; none removes the provider.
pub async fn set(tx: &Tx, settings: Option<&Settings>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM identity_provider WHERE provider_id = 'real-name'", vec![]).await?;
    let Some(settings) = settings else { return Ok(()) };
    let store = tx.store();
    let sealed = |column: &str, text: &str| {
        seal::seal(store, "identity_provider", column, "real-name", text.as_bytes())
    };
    tx.execute(
        "INSERT INTO identity_provider
                (provider_id, issuer, client_id, client_secret, authority, name_zh, name_en, changed_at)
         VALUES ('real-name', $1, $2, $3, $4, $5, $6, $7)",
        params![
            &settings.issuer,
            &settings.client_id,
            sealed("client_secret", &settings.client_secret),
            settings.authority.as_deref().map(|pem| sealed("authority", pem)),
            settings.name.zh.as_str(),
            settings.name.en.as_str(),
            store.env().now()
        ],
    )
    .await?;
    Ok(())
}

/// The provider that the settings name.
pub async fn provider(app: &App) -> Result<Option<Arc<dyn RealNameProvider>>, RealNameError> {
    match settings(&app.store.read()).await? {
        None => Ok(None),
        Some(settings) => Ok(Some(Arc::new(Oidc::new(settings)?))),
    }
}

/// Why somebody who came back was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum RealNameError {
    /// No provider is named.
    #[error("no real-name provider is named")]
    NoProvider,
    /// They were gone too long, or came with an answer that was used already.
    #[error("the journey ran out")]
    RanOut,
    /// The provider.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The number is not valid.
    #[error("the provider's citizen number is not valid")]
    CitizenId(#[source] CitizenIdError),
    /// The number is known here under another name.
    #[error("the number is known here under another name")]
    OtherName,
    /// The account is locked.
    #[error("the account is locked")]
    Locked,
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends somebody on their way: the provider's address and the token of the next step.
pub async fn depart(
    app: &App,
    provider: &dyn RealNameProvider,
    next: &str,
) -> Result<(String, String), RealNameError> {
    let journey = provider.begin(&back(app), next, &*app.store.env().entropy).await?;
    let tx = app.store.begin().await?;
    let token = challenges::keep(&tx, ChallengeKind::RealName, &journey.memory).await?;
    tx.commit().await?;
    Ok((journey.address, token))
}

/// Signs in whom the provider vouches for, making their person and account on first sight. Gives the page to
/// go to as well.
pub async fn arrive(
    app: &App,
    provider: &dyn RealNameProvider,
    token: &str,
    state: &str,
    code: &str,
    from: &Visitor,
) -> Result<(NewSession, String), RealNameError> {
    let tx = app.store.begin().await?;
    let memory: Option<Memory> = challenges::take(&tx, ChallengeKind::RealName, token).await?;
    tx.commit().await?;
    let memory = memory.ok_or(RealNameError::RanOut)?;
    let vouched = provider.finish(&back(app), &memory, state, code, app.now()).await?;
    let tx = app.store.begin().await?;
    let account = account_for(&tx, &vouched).await?;
    let account = accounts::get(&tx, account).await?.ok_or(RealNameError::RanOut)?;
    if account.locked {
        return Err(RealNameError::Locked);
    }
    let session = open(&tx, &account, Method::RealName, &from.device).await?;
    tx.commit().await?;
    Ok((session, memory.next))
}

/// The account of a vouched-for person: known by the provider's name for them, or else by their number.
async fn account_for(tx: &Tx, vouched: &Vouched) -> Result<AccountId, RealNameError> {
    let index = external_index(tx, vouched);
    let known = tx
        .rows(
            "SELECT account_id FROM identity_link WHERE issuer = $1 AND external_index = $2",
            params![&vouched.issuer, index],
        )
        .await?;
    if let Some(row) = known.first() {
        return Ok(row.get("account_id")?);
    }
    let subject = person_for(tx, vouched).await?;
    let citizen = accounts::of_subject(tx, subject)
        .await?
        .into_iter()
        .find(|account| account.kind == AccountKind::Citizen);
    let account = match citizen {
        Some(account) => account.id,
        None => {
            let new = NewAccount {
                subject,
                login: format!("real-name-{}", hex::encode(index.get(..8).unwrap_or_default())),
                kind: AccountKind::Citizen,
                password_hash: None,
                totp: None,
            };
            accounts::create(tx, new).await?
        }
    };
    tx.execute(
        "INSERT INTO identity_link (subject_id, issuer, external_index, account_id, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![subject, &vouched.issuer, index, account, tx.store().env().now()],
    )
    .await?;
    if let Some(linked) = accounts::get(tx, account).await? {
        tx.audit(own_act(&linked, "identity.link_real_name"));
    }
    Ok(account)
}

async fn person_for(tx: &Tx, vouched: &Vouched) -> Result<SubjectId, RealNameError> {
    if let Some(subject) = people::find_by_citizen_id(tx, &vouched.citizen_id).await? {
        let known = people::display_name(tx, subject).await?;
        return if known == vouched.name { Ok(subject) } else { Err(RealNameError::OtherName) };
    }
    let record = PersonRecord {
        phone: vouched.phone.clone().unwrap_or_default(),
        as_of: vec![("person".to_owned(), tx.store().env().now())],
        ..PersonRecord::known_by_number(&vouched.name, &vouched.citizen_id)
    };
    people::create(tx, record, false).await.map_err(|error| match error {
        PersonError::CitizenId(error) => RealNameError::CitizenId(error),
        PersonError::Store(error) => RealNameError::Store(error),
    })
}

/// The provider's name for somebody is personal data as well: only its index is kept.
fn external_index(tx: &Tx, vouched: &Vouched) -> [u8; 16] {
    let text = format!("{}\n{}", vouched.issuer, vouched.external_id);
    tx.store().cipher().blind_index("identity_link.external", &text)
}

fn back(app: &App) -> String {
    format!("{}{RETURN_PATH}", app.node.base_url)
}

fn redirect(back: &str) -> Result<RedirectUrl, ProviderError> {
    RedirectUrl::new(back.to_owned()).map_err(|error| ProviderError::Down(error.to_string()))
}

fn random_text(entropy: &dyn Entropy) -> String {
    let mut random = [0_u8; 32];
    entropy.fill(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
