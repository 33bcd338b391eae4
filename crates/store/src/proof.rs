//! Proof that an entry is in the audit log, for whoever was not there: the entry with its salt, the path to a signed
//! head, and the head. Checked offline with the node's trust list.

use crypto::hash::Hash;
use crypto::keys::TrustList;
use crypto::merkle::{Digest, inclusion_proof, leaf_hash, verify_inclusion};
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{Head, NO_SUBJECT, StoredEntry, first_head_beyond};
use crate::{Reads, StoreError, params};

/// An entry of the log with everything that shows that it is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Its leaf.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// The kind of actor.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: String,
    /// The actor's posts or the name of a system.
    pub actor_label: String,
    /// What was done.
    pub action: String,
    /// In which case, or empty.
    pub case_id: String,
    /// That case's number, or empty.
    pub case_no: String,
    /// What for.
    pub purpose: String,
    /// What was touched.
    pub object: String,
    /// Salt of the commitment, hex.
    pub salt: String,
    /// Nodes from the leaf to the root, the lowest first, hex.
    pub path: Vec<String>,
    /// The signed head.
    pub head: Head,
}

/// What is wrong with a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFlaw {
    /// A number or text is not of its form.
    #[error("the proof is not readable")]
    Unreadable,
    /// The head's signatures are not those of a key of the trust list.
    #[error("the head is not signed by a key of the trust list")]
    Signature,
    /// The entry is not in the tree of the head.
    #[error("the entry is not in the log of that head")]
    NotIncluded,
}

impl Proof {
    /// Whether the entry is in a log that the holder of the trust list's keys signed.
    pub fn check(&self, trust: &TrustList) -> Result<(), ProofFlaw> {
        let salt = hex::decode(&self.salt).map_err(|_| ProofFlaw::Unreadable)?;
        let root = digest(&self.head.root)?;
        let path = self.path.iter().map(|node| digest(node)).collect::<Result<Vec<_>, _>>()?;
        let number = |number: i64| u64::try_from(number).map_err(|_| ProofFlaw::Unreadable);
        let text = Head::signed_text(self.head.tree_size, &self.head.root, self.head.at);
        for signature in [&self.head.gm, &self.head.intl] {
            trust.verify(signature, &text).map_err(|_| ProofFlaw::Signature)?;
        }
        let leaf = leaf_hash(Hash::Sm3, &self.entry(salt).commitment());
        verify_inclusion(Hash::Sm3, &leaf, number(self.seq)?, number(self.head.tree_size)?, &path, &root)
            .map_err(|_| ProofFlaw::NotIncluded)
    }

    fn entry(&self, salt: Vec<u8>) -> StoredEntry {
        StoredEntry {
            subject_id: NO_SUBJECT.to_owned(),
            seq: self.seq,
            at: self.at,
            actor_kind: self.actor_kind.clone(),
            actor_id: self.actor_id.clone(),
            actor_label: self.actor_label.clone(),
            action: self.action.clone(),
            case_id: self.case_id.clone(),
            case_no: self.case_no.clone(),
            purpose: self.purpose.clone(),
            object: self.object.clone(),
            salt,
        }
    }
}

fn digest(text: &str) -> Result<Digest, ProofFlaw> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).map_err(|_| ProofFlaw::Unreadable)?;
    Ok(digest)
}

crate::row! {
    struct LeafRow { leaf_hash: Vec<u8> }
}

/// The proof of the entry about nobody in particular with this object, if there is one. It reads every leaf below
/// the entry's head.
pub async fn prove(db: &impl Reads, object: &str) -> Result<Option<Proof>, StoreError> {
    let entry: Option<StoredEntry> = db
        .optional(
            "SELECT subject_id, seq, at, actor_kind, actor_id, actor_label, action, case_id, case_no, purpose,
                    object, salt
               FROM store_audit_entry
              WHERE object = $1 AND object LIKE 'sharing.use:%' AND subject_id = '-'",
            params![object],
        )
        .await?;
    let Some(entry) = entry else { return Ok(None) };
    let Some(head) = first_head_beyond(db, entry.seq).await? else { return Ok(None) };
    let rows: Vec<LeafRow> = db
        .query(
            "SELECT leaf_hash FROM store_audit_leaf WHERE seq < $1 ORDER BY seq",
            params![head.tree_size],
        )
        .await?;
    let broken = |reason: String| StoreError::Column { column: "leaf_hash".to_owned(), reason };
    let leaves = rows
        .into_iter()
        .map(|row| Digest::try_from(row.leaf_hash).map_err(|_| broken("no hash".to_owned())))
        .collect::<Result<Vec<_>, _>>()?;
    let index = u64::try_from(entry.seq).unwrap_or(u64::MAX);
    let path = inclusion_proof(Hash::Sm3, &leaves, index).map_err(|error| broken(error.to_string()))?;
    Ok(Some(Proof {
        seq: entry.seq,
        at: entry.at,
        actor_kind: entry.actor_kind,
        actor_id: entry.actor_id,
        actor_label: entry.actor_label,
        action: entry.action,
        case_id: entry.case_id,
        case_no: entry.case_no,
        purpose: entry.purpose,
        object: entry.object,
        salt: hex::encode(entry.salt),
        path: path.iter().map(hex::encode).collect(),
        head,
    }))
}
