//! Presenting a licence with a one-time code, and the log of who looked.
//!
//! The holder picks a scene (场景); the code stands for the least that the scene needs. It holds for minutes and
//! is good once: of two verifiers at the same moment one wins. The ledger keeps a blind index of the code, so
//! that whoever reads the ledger cannot use it. Each look is kept for the holder: when, how, who said they were.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use kernel::actor::Actor;
use kernel::ids::{LicenceId, SubjectId};
use kernel::time::Timestamp;
use packs::model::{Disclosure, Words};
use serde::{Deserialize, Serialize};
use store::{AuditEntry, Purpose, Reads, StoreError, Tx, params};

use super::LicenceError;
use super::issue::{object, random_word};
use crate::model::licence::{Licence, Registry, Standing};
use crate::model::record::FieldValue;
use crate::store as sql;

/// Characters of a code: 50 random bits that live for minutes.
pub const CODE_LENGTH: usize = 10;

/// How long a code is good where no scene says otherwise, in minutes.
pub const DEFAULT_MINUTES: u32 = 5;

/// The scene that shows the fields which every presentation shows.
pub const PLAIN_SCENE: &str = "plain";

const CODE: &str = "licences_presentation.code";

/// A code that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presentation {
    /// The code, in two groups as people read it out: `7QK3M-9XW2B`.
    pub code: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// The ids of the fields that it shows.
    pub claims: Vec<String>,
}

/// Who looked, as far as they said so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier {
    /// Who they say they are.
    #[serde(default)]
    pub name: String,
    /// What they say it is for.
    #[serde(default)]
    pub purpose: String,
}

/// What a verifier is shown.
#[derive(Clone, Debug)]
pub struct PresentedLicence {
    /// The licence as it stands now.
    pub licence: Licence,
    /// Where it stands today.
    pub standing: Standing,
    /// The scene, or [`PLAIN_SCENE`].
    pub scene: String,
    /// The fields that are shown.
    pub claims: BTreeMap<String, FieldValue>,
}

/// One look at a licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// When.
    pub at: Timestamp,
    /// `code`, `document`, `paper` or `copy`.
    pub channel: String,
    /// Who, as far as they said so.
    pub verifier: Verifier,
    /// The kind of account that looked: `anonymous`, `officer`, `system`, …
    pub by: String,
    /// The scene, where there was one.
    pub scene: String,
    /// What was found: `valid`, `revoked`, …
    pub found: String,
}

/// Makes a code for a scene of the licence's type, or for [`PLAIN_SCENE`].
pub async fn present(
    tx: &Tx,
    registry: &Registry<'_>,
    actor: &Actor,
    licence: &Licence,
    scene: &str,
) -> Result<Presentation, LicenceError> {
    let env = tx.store().env().clone();
    let now = env.now();
    if licence.standing(now.china_date()) != Standing::Valid {
        return Err(LicenceError::NotInForce);
    }
    let (claims, minutes) = shown_in(registry, licence, scene)?;
    let word = random_word(&*env.entropy, CODE_LENGTH);
    let expires_at = now.plus(SignedDuration::from_mins(i64::from(minutes)));
    tx.execute(
        "INSERT INTO licences_presentation (subject_id, licence_id, code, scene, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            licence.holder,
            licence.id,
            tx.store().cipher().blind_index(CODE, &word),
            scene,
            now,
            expires_at
        ],
    )
    .await?;
    tx.audit(
        AuditEntry::new(actor, "licences.present", Purpose::OwnUse)
            .about(licence.holder)
            .object(object(licence)),
    );
    let code = match word.split_at_checked(CODE_LENGTH / 2) {
        Some((first, second)) => format!("{first}-{second}"),
        None => word,
    };
    Ok(Presentation { code, expires_at, claims })
}

/// The fields that a scene shows and how many minutes its code is good.
fn shown_in(
    registry: &Registry<'_>,
    licence: &Licence,
    scene: &str,
) -> Result<(Vec<String>, u32), LicenceError> {
    let kind = registry
        .pack
        .licence_type(&licence.type_id)
        .ok_or_else(|| LicenceError::UnknownType(licence.type_id.clone()))?;
    let (wanted, minutes) = if scene == PLAIN_SCENE {
        (Vec::new(), DEFAULT_MINUTES)
    } else {
        let scene = kind.scene(scene).ok_or_else(|| LicenceError::UnknownScene(scene.to_owned()))?;
        (scene.claims.clone(), scene.minutes)
    };
    let claims = kind
        .fields
        .iter()
        .filter(|field| match field.disclosure {
            Disclosure::Always => true,
            Disclosure::Selective => wanted.contains(&field.id),
            Disclosure::HolderOnly => false,
        })
        .filter(|field| licence.record.fields.contains_key(&field.id))
        .map(|field| field.id.clone())
        .collect();
    Ok((claims, minutes))
}

store::row! {
    struct PresentationRow { subject_id: SubjectId, licence_id: LicenceId, scene: String }
}

/// Uses a code: once, and only while it is good.
pub async fn use_code(
    tx: &Tx,
    registry: &Registry<'_>,
    actor: &Actor,
    code: &str,
    verifier: &Verifier,
) -> Result<PresentedLicence, LicenceError> {
    let now = tx.store().env().now();
    let word = plain_code(code).ok_or(LicenceError::CodeGone)?;
    let mut row: Option<PresentationRow> = None;
    for key in tx.store().cipher().blind_indexes(CODE, &word) {
        // The condition and the change are one statement: of two at once, the second finds nothing.
        row = tx
            .optional(
                "UPDATE licences_presentation
                    SET used_at = $2
                  WHERE code = $1 AND used_at IS NULL AND expires_at > $2
                 RETURNING subject_id, licence_id, scene",
                params![key, now],
            )
            .await?;
        if row.is_some() {
            break;
        }
    }
    let row = row.ok_or(LicenceError::CodeGone)?;
    let licence = sql::find(tx, row.subject_id, row.licence_id).await?.ok_or(LicenceError::CodeGone)?;
    let standing = licence.standing(now.china_date());
    let (shown, _) = shown_in(registry, &licence, &row.scene)?;
    let claims = shown
        .into_iter()
        .filter_map(|id| licence.record.fields.get(&id).map(|value| (id.clone(), value.clone())))
        .collect();
    log_use(tx, actor, &licence, "code", &row.scene, verifier, standing.as_str()).await?;
    Ok(PresentedLicence { licence, standing, scene: row.scene, claims })
}

/// The word of a code as people type it: without hyphens and spaces, letters that look like digits read as
/// digits.
pub(crate) fn plain_code(code: &str) -> Option<String> {
    let word: String = code
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    let sound = word.len() == CODE_LENGTH && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then_some(word)
}

#[derive(Serialize, Deserialize)]
struct UseBody {
    verifier: Verifier,
    by: String,
    scene: String,
    found: String,
}

/// The most characters of what a verifier says.
const MAX_SAID: usize = 80;

/// Keeps a look for the holder, and in the audit log.
pub async fn log_use(
    tx: &Tx,
    actor: &Actor,
    licence: &Licence,
    channel: &str,
    scene: &str,
    verifier: &Verifier,
    found: &str,
) -> Result<(), StoreError> {
    let env = tx.store().env().clone();
    let said =
        |text: &str| text.trim().chars().filter(|c| !c.is_control()).take(MAX_SAID).collect::<String>();
    let body = UseBody {
        verifier: Verifier { name: said(&verifier.name), purpose: said(&verifier.purpose) },
        by: super::issue::by(actor),
        scene: scene.to_owned(),
        found: found.to_owned(),
    };
    // Any id type orders by time; a look has no name of its own.
    let use_id = kernel::ids::uuid_v7(&*env.clock, &*env.entropy).to_string();
    let sealed = sql::encrypt(tx, "licences_use", licence.holder, &body)?;
    tx.execute(
        "INSERT INTO licences_use (subject_id, licence_id, use_id, at, channel, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![licence.holder, licence.id, use_id, env.now(), channel, sealed],
    )
    .await?;
    tx.audit(
        AuditEntry::new(actor, "licences.verify", Purpose::Verification)
            .about(licence.holder)
            .object(object(licence)),
    );
    Ok(())
}

store::row! {
    struct UseRow { at: Timestamp, channel: String, body: Vec<u8> }
}

/// Who looked at a licence, newest first, at most `limit`.
pub async fn uses_of(
    db: &impl Reads,
    holder: SubjectId,
    id: LicenceId,
    limit: u32,
) -> Result<Vec<Use>, StoreError> {
    let rows: Vec<UseRow> = db
        .query(
            "SELECT at, channel, body
               FROM licences_use
              WHERE subject_id = $1 AND licence_id = $2
              ORDER BY use_id DESC
              LIMIT $3",
            params![holder, id, limit],
        )
        .await?;
    let subject = holder.to_string();
    rows.into_iter()
        .map(|row| {
            let body: UseBody = sql::decrypt(db, "licences_use", &subject, &row.body)?;
            Ok(Use {
                at: row.at,
                channel: row.channel,
                verifier: body.verifier,
                by: body.by,
                scene: body.scene,
                found: body.found,
            })
        })
        .collect()
}

/// Removes codes that ran out a day ago.
pub(crate) async fn forget_codes(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM licences_presentation WHERE expires_at < $1", params![before]).await
}

/// The name of a scene; the plain one has none of its own.
pub fn scene_name(registry: &Registry<'_>, type_id: &str, scene: &str) -> Option<Words> {
    Some(registry.pack.licence_type(type_id)?.scene(scene)?.name.clone())
}
