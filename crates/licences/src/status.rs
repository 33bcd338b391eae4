//! Status lists: which licences are revoked or suspended, for everybody and offline.
//!
//! A licence has a place in a list, drawn at random when it is issued; two bits there say how it stands
//! (Token Status List: 0 valid, 1 invalid, 2 suspended). A list names nobody, and a place is never derived from
//! a signature, which a holder might change without breaking it. The lists are compressed with zlib and
//! published in two forms:
//!
//! - `/.well-known/yiwang-status.json`: all lists in one document, signed in the GM suite; what
//!   `yiwang verify` reads;
//! - `/.well-known/status/{list}`: one list as a Status List Token (`statuslist+jwt`), signed in the INTL suite.
//!
//! A list says until when it is fresh. A verifier that holds an older one says so; it never takes an old list
//! for a new one.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use ::store::{Reads, Store, StoreError, Tx, params};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::cose::{self, CoseError, Expected};
use crypto::hash::sm3;
use crypto::keys::{KeyRingError, Purpose, TrustList};
use crypto::suite::Suite;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use jiff::SignedDuration;
use kernel::ids::LicenceId;
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use thiserror::Error;
use web::App;

use crate::actions::LicenceError;
use crate::model::canonical::{self, CanonicalError};
use crate::model::record::StatusRef;
use crate::store as sql;

/// Entries of one list: 32 KiB before compression.
pub const LIST_SIZE: u32 = 1 << 17;

/// How long a list is fresh after it was made, in hours.
pub const FRESH_HOURS: i64 = 24;

/// Draws of a place before a list counts as full: eight taken ones in a row mean that it is at least half full.
const DRAWS: usize = 8;

/// The `format` of the document.
const FORMAT: &str = "yiwang-status/1";

/// What two bits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing against it.
    Valid,
    /// Revoked, or replaced by a later version.
    Revoked,
    /// Does not hold for the time being.
    Suspended,
}

impl Entry {
    /// The two bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Revoked => 1,
            Self::Suspended => 2,
        }
    }

    fn of(bits: u8) -> Self {
        match bits {
            0 => Self::Valid,
            2 => Self::Suspended,
            // 3 is left to applications and we give it no meaning: not knowing is no reason to trust.
            _ => Self::Revoked,
        }
    }
}

/// The published document with all lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusList {
    /// What is said.
    pub record: StatusRecord,
    /// COSE_Sign1 in the GM suite over the record's hash.
    pub gm: String,
}

/// What the lists say, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusRecord {
    /// `yiwang-status/1`.
    pub format: String,
    /// Whose licences.
    pub issuer: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it may be relied on.
    pub fresh_until: Timestamp,
    /// The lists by number: two bits an entry, the first in the lowest bits, zlib, base64url.
    pub lists: BTreeMap<String, String>,
}

/// A document whose signature was checked.
#[derive(Clone, Debug)]
pub struct CheckedStatus<'a> {
    record: &'a StatusRecord,
}

/// Why a status list is not made or not believed.
#[derive(Debug, Error)]
pub enum StatusError {
    /// It was changed or was never a status list.
    #[error("not a status list")]
    Malformed,
    /// The signature is not accepted.
    #[error("the signature of the status list is not accepted")]
    Signature(#[from] CoseError),
    /// It speaks of another issuer's licences.
    #[error("the status list is of another issuer")]
    WrongIssuer,
    /// No key could sign.
    #[error("the status list was not signed")]
    KeyRing(#[from] KeyRingError),
    /// The record has no canonical form.
    #[error("the status list has no canonical form")]
    Canonical(#[from] CanonicalError),
    /// It could not be written as JSON.
    #[error("the status list could not be written")]
    Json(#[from] serde_json::Error),
    /// The ledger refused.
    #[error("the ledger refused")]
    Store(#[from] StoreError),
    /// Compression failed.
    #[error("a status list could not be packed")]
    Pack(#[from] std::io::Error),
}

impl StatusList {
    /// Checks the signature and the issuer.
    pub fn check(&self, trust: &TrustList) -> Result<CheckedStatus<'_>, StatusError> {
        let gm = URL_SAFE_NO_PAD.decode(&self.gm).map_err(|_| StatusError::Malformed)?;
        let expected =
            Expected { signed_at: Some(self.record.made_at), ..Expected::purpose(Purpose::StatusList) };
        let verified = cose::verify1_for(trust, &expected, &gm)?;
        if verified.payload != signed_part(&self.record)? {
            return Err(StatusError::Malformed);
        }
        if self.record.issuer != trust.issuer() {
            return Err(StatusError::WrongIssuer);
        }
        Ok(CheckedStatus { record: &self.record })
    }
}

impl CheckedStatus<'_> {
    /// What the list says of a place; `None` where it does not reach that far.
    pub fn entry(&self, place: StatusRef) -> Option<Entry> {
        let packed = self.record.lists.get(&place.list.to_string())?;
        let zlib = URL_SAFE_NO_PAD.decode(packed).ok()?;
        let mut bytes = Vec::new();
        let limit = u64::from(LIST_SIZE / 4);
        ZlibDecoder::new(zlib.as_slice()).take(limit + 1).read_to_end(&mut bytes).ok()?;
        let byte = *bytes.get(usize::try_from(place.index / 4).ok()?)?;
        Some(Entry::of(byte >> (2 * (place.index % 4)) & 3))
    }

    /// When the list was made.
    pub fn made_at(&self) -> Timestamp {
        self.record.made_at
    }

    /// Whether it was made after this signature, whose time is in whole seconds.
    pub fn speaks_of(&self, signed_at: Timestamp) -> bool {
        self.record.made_at.plus(SignedDuration::from_secs(1)) >= signed_at
    }

    /// Whether it may still be relied on.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.record.fresh_until
    }
}

/// What is signed: the hash of the record, because lists outgrow what a signed message may hold.
fn signed_part(record: &StatusRecord) -> Result<Vec<u8>, StatusError> {
    let text = canonical::to_text(&serde_json::to_value(record)?)?;
    let part = json!({ "format": FORMAT, "content_hash": hex::encode(sm3(text.as_bytes())) });
    Ok(canonical::to_cbor(&part)?)
}

/// Draws a free place for a licence.
pub(crate) async fn take_place(tx: &Tx, id: LicenceId, version: u16) -> Result<StatusRef, LicenceError> {
    let newest = tx.count("SELECT COALESCE(MAX(list), 0) AS n FROM licences_status_slot", vec![]).await?;
    let newest = u32::try_from(newest).map_err(|_| LicenceError::NoSlot)?;
    let entropy = tx.store().env().entropy.clone();
    for list in [newest, newest + 1] {
        for _ in 0..DRAWS {
            let index = u32::try_from(entropy.below(u64::from(LIST_SIZE))).unwrap_or(0);
            let place = StatusRef { list, index };
            if sql::take_slot(tx, place, id, version).await? {
                return Ok(place);
            }
        }
    }
    Err(LicenceError::NoSlot)
}

/// The claim `status` of an SD-JWT (Token Status List, section 6.1).
pub(crate) fn claim(base_url: &str, place: StatusRef) -> Json {
    let uri = format!("{base_url}{LIST_PATH}{}", place.list);
    json!({ "status_list": { "idx": place.index, "uri": uri } })
}

/// The place that such a claim names.
pub(crate) fn place_of_claim(claim: &Json) -> Option<StatusRef> {
    let list = claim.get("status_list")?;
    let (_, number) = list.get("uri")?.as_str()?.rsplit_once(LIST_PATH)?;
    let index = u32::try_from(list.get("idx")?.as_u64()?).ok()?;
    Some(StatusRef { list: number.parse().ok()?, index })
}

/// Where the single lists are.
pub(crate) const LIST_PATH: &str = "/.well-known/status/";

::store::row! {
    struct SlotRow { list: u32, slot: u32, status: u8 }
}

/// The lists as they stand: two bits an entry.
async fn lists(db: &impl Reads) -> Result<BTreeMap<u32, Vec<u8>>, StoreError> {
    let newest = db.count("SELECT COALESCE(MAX(list), 0) AS n FROM licences_status_slot", vec![]).await?;
    let blank = vec![0_u8; (LIST_SIZE / 4) as usize];
    let mut lists: BTreeMap<u32, Vec<u8>> =
        (0..=u32::try_from(newest).unwrap_or(0)).map(|list| (list, blank.clone())).collect();
    let rows: Vec<SlotRow> =
        db.query("SELECT list, slot, status FROM licences_status_slot WHERE status <> 0", vec![]).await?;
    for row in rows {
        let byte = lists
            .get_mut(&row.list)
            .and_then(|list| list.get_mut(usize::try_from(row.slot / 4).unwrap_or(usize::MAX)));
        if let Some(byte) = byte {
            *byte |= (row.status & 3) << (2 * (row.slot % 4));
        }
    }
    Ok(lists)
}

fn packed(list: &[u8]) -> Result<String, std::io::Error> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(list)?;
    Ok(URL_SAFE_NO_PAD.encode(encoder.finish()?))
}

/// Makes and signs the document as of now.
pub async fn make(store: &Store) -> Result<StatusList, StatusError> {
    let now = store.env().now();
    let mut lists_packed = BTreeMap::new();
    for (number, list) in lists(&store.read()).await? {
        lists_packed.insert(number.to_string(), packed(&list)?);
    }
    let keys = store.keys();
    let record = StatusRecord {
        format: FORMAT.to_owned(),
        issuer: keys.issuer().to_owned(),
        made_at: now,
        fresh_until: now.plus(SignedDuration::from_hours(FRESH_HOURS)),
        lists: lists_packed,
    };
    let gm = cose::sign1(&keys, Purpose::StatusList, Suite::Gm, &signed_part(&record)?, &[])?;
    Ok(StatusList { record, gm: URL_SAFE_NO_PAD.encode(gm) })
}

/// One list as a Status List Token, signed in the INTL suite; `None` where there is no such list.
pub async fn token(store: &Store, base_url: &str, list: u32) -> Result<Option<String>, StatusError> {
    let Some(entries) = lists(&store.read()).await?.remove(&list) else { return Ok(None) };
    let now = store.env().now().micros().div_euclid(1_000_000);
    let keys = store.keys();
    let key = keys.signer(Purpose::StatusList, Suite::Intl)?;
    let header = json!({ "alg": key.algorithm.jose_name(), "typ": "statuslist+jwt", "kid": key.kid });
    let claims = json!({
        "iss": keys.issuer(),
        "sub": format!("{base_url}{LIST_PATH}{list}"),
        "iat": now,
        "exp": now + FRESH_HOURS * 3600,
        "ttl": REMAKE_SECONDS,
        "status_list": { "bits": 2, "lst": packed(&entries)? },
    });
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = keys.sign_with(&key.kid, signed.as_bytes())?;
    Ok(Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.bytes))))
}

/// A published document older than this is made anew when somebody asks for it.
const REMAKE_SECONDS: i64 = 60;

/// The name of the publication in its table.
const PUBLICATION: &str = "status";

::store::row! {
    struct PublicationRow { made_at: Timestamp, body: Vec<u8> }
}

/// The published document, made anew where it is older than a minute or than the last change.
pub async fn document(app: &App) -> Result<Vec<u8>, StatusError> {
    published(&app.store).await
}

/// As [`document`], from the ledger alone.
pub async fn published(store: &Store) -> Result<Vec<u8>, StatusError> {
    let db = store.read();
    let row: Option<PublicationRow> = db
        .optional(
            "SELECT made_at, body FROM licences_status_publication WHERE name = $1",
            params![PUBLICATION],
        )
        .await?;
    if let Some(row) = row {
        let age = store.env().now().since(row.made_at);
        let changed = db
            .count(
                "SELECT COUNT(*) AS n FROM licences_status_slot WHERE changed_at >= $1",
                params![row.made_at],
            )
            .await?;
        if age < SignedDuration::from_secs(REMAKE_SECONDS) && changed == 0 {
            return Ok(row.body);
        }
    }
    let made = make(store).await?;
    let body = serde_json::to_vec(&made)?;
    let tx = store.begin().await?;
    publish(&tx, &made, &body).await?;
    tx.commit().await?;
    Ok(body)
}

/// Keeps a document for whoever asks.
pub(crate) async fn publish(tx: &Tx, made: &StatusList, body: &[u8]) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO licences_status_publication (name, made_at, body)
         VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET made_at = excluded.made_at, body = excluded.body",
        params![PUBLICATION, made.record.made_at, body],
    )
    .await?;
    Ok(())
}
