//! `yiwang audit verify`: reads the whole log and names what was changed, deleted, reordered or cut.

use crypto::hash::Hash;
use crypto::keys::{Signature, TrustList};
use crypto::merkle::{Frontier, leaf_hash};
use crypto::suite::Algorithm;
use kernel::time::Timestamp;

use crate::audit::{CHECKPOINT_FILE, Head, StoredEntry};
use crate::{Reads, Store, StoreError, params};

/// What a check of the log found.
#[derive(Debug, Default)]
pub struct Report {
    /// Leaves that were read.
    pub leaves: i64,
    /// Heads whose root and both signatures were checked.
    pub heads: i64,
    /// Everything that is wrong, in the order of the log.
    pub findings: Vec<Finding>,
}

/// A spot of the log that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table or file.
    pub place: &'static str,
    /// The leaf or tree size that it concerns.
    pub seq: i64,
    /// What is wrong, in a few words.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.place, self.seq, self.what)
    }
}

crate::row! {
    struct LeafRow { seq: i64, commitment: Vec<u8>, leaf_hash: Vec<u8> }
}
crate::row! {
    struct HeadRow {
        tree_size: i64, root: Vec<u8>, at: Timestamp,
        gm_kid: String, gm_signature: Vec<u8>, intl_kid: String, intl_signature: Vec<u8>,
    }
}

/// Leaves read at a time: bounded memory for a log of any length.
const PAGE: i64 = 5_000;

/// Checks everything and reports every finding; an error means that the log could not be read at all.
pub async fn verify(store: &Store) -> Result<Report, StoreError> {
    let trust = store.keys().trust_list();
    // The file first: it is written after the commit, so the snapshot knows every head that the file has.
    let file = heads_file(store)?;
    let db = store.snapshot().await?;
    let mut report = Report::default();
    let heads: Vec<HeadRow> = db
        .query(
            "SELECT tree_size, root, at, gm_kid, gm_signature, intl_kid, intl_signature
               FROM store_audit_head
              ORDER BY tree_size",
            vec![],
        )
        .await?;
    let mut heads = heads.into_iter().peekable();
    let mut roots = std::collections::BTreeMap::new();
    let mut tree = Frontier::new(Hash::Sm3);
    let mut expected = 0_i64;
    loop {
        let leaves: Vec<LeafRow> = db
            .query(
                "SELECT seq, commitment, leaf_hash
                   FROM store_audit_leaf
                  WHERE seq >= $1 AND seq < $2
                  ORDER BY seq",
                params![expected, expected.saturating_add(PAGE)],
            )
            .await?;
        let entries: Vec<StoredEntry> = db
            .query(
                "SELECT subject_id, seq, at, actor_kind, actor_id, actor_label, action, case_id, case_no,
                        purpose, object, salt
                   FROM store_audit_entry
                  WHERE seq >= $1 AND seq < $2
                  ORDER BY seq",
                params![expected, expected.saturating_add(PAGE)],
            )
            .await?;
        let page_start = expected;
        let mut entries = entries.into_iter().peekable();
        for leaf in &leaves {
            while expected < leaf.seq {
                report.find("store_audit_leaf", expected, "the leaf is missing");
                expected += 1;
            }
            while let Some(stray) = entries.next_if(|entry| entry.seq < leaf.seq) {
                report.find("store_audit_entry", stray.seq, "the entry has no leaf");
            }
            match entries.next_if(|entry| entry.seq == leaf.seq) {
                Some(entry) if entry.commitment() == *leaf.commitment => {}
                Some(entry) => {
                    let what = format!("the entry `{}` is not what its leaf commits to", entry.action);
                    report.find("store_audit_entry", leaf.seq, &what);
                }
                None => report.find("store_audit_entry", leaf.seq, "the entry is missing"),
            }
            let hash = leaf_hash(Hash::Sm3, &leaf.commitment);
            if hash.as_slice() != leaf.leaf_hash {
                report.find("store_audit_leaf", leaf.seq, "the leaf's hash does not fit its commitment");
            }
            tree.append(hash);
            report.leaves += 1;
            expected = leaf.seq + 1;
            while let Some(head) = heads.next_if(|head| head.tree_size <= expected) {
                report.check_head(&head, &tree, expected, &trust);
                roots.insert(head.tree_size, hex::encode(&head.root));
            }
        }
        for stray in entries {
            report.find("store_audit_entry", stray.seq, "the entry has no leaf");
        }
        let more =
            db.count("SELECT COUNT(*) AS n FROM store_audit_leaf WHERE seq >= $1", params![expected]).await?;
        if more == 0 {
            break;
        }
        if leaves.is_empty() {
            // A hole longer than a page: say where it begins and go on behind it.
            report.find("store_audit_leaf", page_start, "the leaves from here on are missing");
            expected = db
                .count("SELECT MIN(seq) AS n FROM store_audit_leaf WHERE seq >= $1", params![expected])
                .await?;
        }
    }
    for stray in db
        .query::<StrayEntry>(
            "SELECT seq FROM store_audit_entry WHERE seq >= $1 OR seq < 0",
            params![expected],
        )
        .await?
    {
        report.find("store_audit_entry", stray.seq, "the entry has no leaf");
    }
    for head in heads {
        report.find("store_audit_head", head.tree_size, "the head covers leaves that are gone");
        roots.insert(head.tree_size, hex::encode(&head.root));
    }
    report.check_state(&db, expected, &tree).await?;
    report.check_file(file.as_deref(), &trust, &roots);
    if expected > 0 && !roots.contains_key(&expected) {
        report.find("store_audit_head", expected, "the last leaves have no signed head");
    }
    Ok(report)
}

/// What the file of heads says; nothing when there is none.
fn heads_file(store: &Store) -> Result<Option<String>, StoreError> {
    let path = store.data_dir().join(CHECKPOINT_FILE);
    match std::fs::read(&path) {
        // A byte that is no text makes its line unreadable, and that is a finding.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::file(&path, error)),
    }
}

crate::row! { struct StrayEntry { seq: i64 } }
crate::row! { struct StateRow { id: i64, tree_size: i64, frontier: Vec<u8> } }

impl Report {
    fn find(&mut self, place: &'static str, seq: i64, what: &str) {
        self.findings.push(Finding { place, seq, what: what.to_owned() });
    }

    fn check_head(&mut self, head: &HeadRow, tree: &Frontier, size: i64, trust: &TrustList) {
        self.heads += 1;
        if head.tree_size != size {
            self.find("store_audit_head", head.tree_size, "the head's size fits no group of leaves");
            return;
        }
        if head.root != tree.root() {
            self.find("store_audit_head", head.tree_size, "the root does not fit the leaves below it");
        }
        let text = Head::signed_text(head.tree_size, &hex::encode(&head.root), head.at);
        let signatures = [
            ("gm", &head.gm_kid, Algorithm::Sm2Sm3, &head.gm_signature),
            ("intl", &head.intl_kid, Algorithm::Ed25519, &head.intl_signature),
        ];
        for (name, kid, algorithm, bytes) in signatures {
            let signature = Signature { kid: kid.clone(), algorithm, bytes: bytes.clone() };
            if let Err(error) = trust.verify(&signature, &text) {
                let what = format!("the {name} signature does not verify: {error}");
                self.find("store_audit_head", head.tree_size, &what);
            }
        }
    }

    async fn check_state(&mut self, db: &impl Reads, size: i64, tree: &Frontier) -> Result<(), StoreError> {
        let states: Vec<StateRow> =
            db.query("SELECT id, tree_size, frontier FROM store_audit_state", vec![]).await?;
        match states.first() {
            None if size == 0 => {}
            None => self.find("store_audit_state", 1, "the state of the tree is missing"),
            Some(state) => {
                if state.id != 1 || state.tree_size != size || state.frontier != tree.to_bytes() {
                    self.find("store_audit_state", state.tree_size, "the state does not fit the leaves");
                }
            }
        }
        Ok(())
    }

    /// The file of heads must be a part of the ledger's: a head that only the file knows was cut off.
    fn check_file(
        &mut self,
        text: Option<&str>,
        trust: &TrustList,
        roots: &std::collections::BTreeMap<i64, String>,
    ) {
        let Some(text) = text else {
            if !roots.is_empty() {
                self.find(CHECKPOINT_FILE, 0, "the file of heads is missing");
            }
            return;
        };
        // A last line without its end was being written when the power went, or is being written now.
        let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or_default());
        for (number, line) in whole.lines().enumerate() {
            let line_number = i64::try_from(number).unwrap_or(i64::MAX).saturating_add(1);
            let Ok(head) = serde_json::from_str::<Head>(line) else {
                self.find(CHECKPOINT_FILE, line_number, "the line is not readable");
                continue;
            };
            let signed = Head::signed_text(head.tree_size, &head.root, head.at);
            if trust.verify(&head.gm, &signed).is_err() || trust.verify(&head.intl, &signed).is_err() {
                self.find(CHECKPOINT_FILE, line_number, "a signature of the line does not verify");
                continue;
            }
            match roots.get(&head.tree_size) {
                Some(root) if *root == head.root => {}
                Some(_) => self.find(CHECKPOINT_FILE, line_number, "the ledger has another root: a fork"),
                None => self.find(CHECKPOINT_FILE, line_number, "the ledger lost this head: a cut tail"),
            }
        }
    }
}
