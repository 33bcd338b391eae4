//! `yiwang audit verify`: reads the whole log and names what was changed, deleted, reordered or cut.

use crypto::hash::Hash;
use crypto::keys::{Signature, TrustList};
use crypto::merkle::{Frontier, leaf_hash};
use crypto::suite::Algorithm;
use kernel::time::Timestamp;

use crate::audit::{self, CHECKPOINT_FILE, Head, StoredEntry};
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
    /// What is wrong.
    pub what: Flaw,
}

/// What can be wrong with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The leaf is missing.
    LeafMissing,
    /// The leaves from here on are missing.
    LeavesMissing,
    /// The leaf's hash does not fit its commitment.
    LeafHash,
    /// The entry is missing.
    EntryMissing,
    /// The entry is not what its leaf commits to.
    EntryChanged,
    /// The entry has no leaf.
    EntryAdded,
    /// The head's size fits no group of leaves.
    HeadSize,
    /// The root does not fit the leaves below it.
    HeadRoot,
    /// The head's signature of the GM suite does not verify.
    HeadGmSignature,
    /// The head's signature of the INTL suite does not verify.
    HeadIntlSignature,
    /// The head covers leaves that are gone.
    HeadWithoutLeaves,
    /// The last leaves have no signed head.
    TailUnsigned,
    /// The state of the tree is missing.
    StateMissing,
    /// The state does not fit the leaves.
    StateChanged,
    /// The file of heads is missing.
    FileMissing,
    /// The line is not readable.
    LineUnreadable,
    /// A signature of the line does not verify.
    LineSignature,
    /// The ledger has another root: a fork.
    Fork,
    /// The ledger lost this head: a cut tail.
    CutTail,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 19] = [
        Self::LeafMissing,
        Self::LeavesMissing,
        Self::LeafHash,
        Self::EntryMissing,
        Self::EntryChanged,
        Self::EntryAdded,
        Self::HeadSize,
        Self::HeadRoot,
        Self::HeadGmSignature,
        Self::HeadIntlSignature,
        Self::HeadWithoutLeaves,
        Self::TailUnsigned,
        Self::StateMissing,
        Self::StateChanged,
        Self::FileMissing,
        Self::LineUnreadable,
        Self::LineSignature,
        Self::Fork,
        Self::CutTail,
    ];

    /// One word for programs and for texts.
    pub fn code(self) -> &'static str {
        match self {
            Self::LeafMissing => "leaf-missing",
            Self::LeavesMissing => "leaves-missing",
            Self::LeafHash => "leaf-hash",
            Self::EntryMissing => "entry-missing",
            Self::EntryChanged => "entry-changed",
            Self::EntryAdded => "entry-added",
            Self::HeadSize => "head-size",
            Self::HeadRoot => "head-root",
            Self::HeadGmSignature => "head-gm-signature",
            Self::HeadIntlSignature => "head-intl-signature",
            Self::HeadWithoutLeaves => "head-without-leaves",
            Self::TailUnsigned => "tail-unsigned",
            Self::StateMissing => "state-missing",
            Self::StateChanged => "state-changed",
            Self::FileMissing => "file-missing",
            Self::LineUnreadable => "line-unreadable",
            Self::LineSignature => "line-signature",
            Self::Fork => "fork",
            Self::CutTail => "cut-tail",
        }
    }
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::LeafMissing => "the leaf is missing",
            Self::LeavesMissing => "the leaves from here on are missing",
            Self::LeafHash => "the leaf's hash does not fit its commitment",
            Self::EntryMissing => "the entry is missing",
            Self::EntryChanged => "the entry is not what its leaf commits to",
            Self::EntryAdded => "the entry has no leaf",
            Self::HeadSize => "the head's size fits no group of leaves",
            Self::HeadRoot => "the root does not fit the leaves below it",
            Self::HeadGmSignature => "the head's signature of the GM suite does not verify",
            Self::HeadIntlSignature => "the head's signature of the INTL suite does not verify",
            Self::HeadWithoutLeaves => "the head covers leaves that are gone",
            Self::TailUnsigned => "the last leaves have no signed head",
            Self::StateMissing => "the state of the tree is missing",
            Self::StateChanged => "the state does not fit the leaves",
            Self::FileMissing => "the file of heads is missing",
            Self::LineUnreadable => "the line is not readable",
            Self::LineSignature => "a signature of the line does not verify",
            Self::Fork => "the ledger has another root: a fork",
            Self::CutTail => "the ledger lost this head: a cut tail",
        })
    }
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

/// Heads among which one that is being written is looked for.
const NEWEST: u32 = 64;

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
                report.find("store_audit_leaf", expected, Flaw::LeafMissing);
                expected += 1;
            }
            while let Some(stray) = entries.next_if(|entry| entry.seq < leaf.seq) {
                report.find("store_audit_entry", stray.seq, Flaw::EntryAdded);
            }
            match entries.next_if(|entry| entry.seq == leaf.seq) {
                Some(entry) if entry.commitment() == *leaf.commitment => {}
                Some(_) => report.find("store_audit_entry", leaf.seq, Flaw::EntryChanged),
                None => report.find("store_audit_entry", leaf.seq, Flaw::EntryMissing),
            }
            let hash = leaf_hash(Hash::Sm3, &leaf.commitment);
            if hash.as_slice() != leaf.leaf_hash {
                report.find("store_audit_leaf", leaf.seq, Flaw::LeafHash);
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
            report.find("store_audit_entry", stray.seq, Flaw::EntryAdded);
        }
        let more =
            db.count("SELECT COUNT(*) AS n FROM store_audit_leaf WHERE seq >= $1", params![expected]).await?;
        if more == 0 {
            break;
        }
        if leaves.is_empty() {
            // A hole longer than a page: say where it begins and go on behind it.
            report.find("store_audit_leaf", page_start, Flaw::LeavesMissing);
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
        report.find("store_audit_entry", stray.seq, Flaw::EntryAdded);
    }
    for head in heads {
        report.find("store_audit_head", head.tree_size, Flaw::HeadWithoutLeaves);
        roots.insert(head.tree_size, hex::encode(&head.root));
    }
    report.check_state(&db, expected, &tree).await?;
    let newest = audit::heads(&db, None, NEWEST).await?;
    report.check_file(file.as_deref(), &trust, &roots, &newest)?;
    if expected > 0 && !roots.contains_key(&expected) {
        report.find("store_audit_head", expected, Flaw::TailUnsigned);
    }
    Ok(report)
}

/// What the file of heads says; nothing when there is none.
fn heads_file(store: &Store) -> Result<Option<Vec<u8>>, StoreError> {
    let path = store.data_dir().join(CHECKPOINT_FILE);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::file(&path, error)),
    }
}

crate::row! { struct StrayEntry { seq: i64 } }
crate::row! { struct StateRow { id: i64, tree_size: i64, frontier: Vec<u8> } }

impl Report {
    fn find(&mut self, place: &'static str, seq: i64, what: Flaw) {
        self.findings.push(Finding { place, seq, what });
    }

    fn check_head(&mut self, head: &HeadRow, tree: &Frontier, size: i64, trust: &TrustList) {
        self.heads += 1;
        if head.tree_size != size {
            self.find("store_audit_head", head.tree_size, Flaw::HeadSize);
            return;
        }
        if head.root != tree.root() {
            self.find("store_audit_head", head.tree_size, Flaw::HeadRoot);
        }
        let text = Head::signed_text(head.tree_size, &hex::encode(&head.root), head.at);
        let signatures = [
            (Flaw::HeadGmSignature, &head.gm_kid, Algorithm::Sm2Sm3, &head.gm_signature),
            (Flaw::HeadIntlSignature, &head.intl_kid, Algorithm::Ed25519, &head.intl_signature),
        ];
        for (flaw, kid, algorithm, bytes) in signatures {
            let signature = Signature { kid: kid.clone(), algorithm, bytes: bytes.clone() };
            if trust.verify(&signature, &text).is_err() {
                self.find("store_audit_head", head.tree_size, flaw);
            }
        }
    }

    async fn check_state(&mut self, db: &impl Reads, size: i64, tree: &Frontier) -> Result<(), StoreError> {
        let states: Vec<StateRow> =
            db.query("SELECT id, tree_size, frontier FROM store_audit_state", vec![]).await?;
        match states.first() {
            None if size == 0 => {}
            None => self.find("store_audit_state", 1, Flaw::StateMissing),
            Some(state) => {
                if state.id != 1 || state.tree_size != size || state.frontier != tree.to_bytes() {
                    self.find("store_audit_state", state.tree_size, Flaw::StateChanged);
                }
            }
        }
        Ok(())
    }

    /// The file of heads must be a part of the ledger's: a head that only the file knows was cut off.
    fn check_file(
        &mut self,
        bytes: Option<&[u8]>,
        trust: &TrustList,
        roots: &std::collections::BTreeMap<i64, String>,
        newest: &[Head],
    ) -> Result<(), StoreError> {
        let Some(bytes) = bytes else {
            if !roots.is_empty() {
                self.find(CHECKPOINT_FILE, 0, Flaw::FileMissing);
            }
            return Ok(());
        };
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (whole, torn) = bytes.split_at(end);
        // A byte that is no text makes its line unreadable, and that is a finding.
        let whole = String::from_utf8_lossy(whole);
        if !torn.is_empty() {
            // A last line without its end was being written when the power went, or is being written now: then
            // it is the beginning of a head that the ledger has.
            let lines = newest.iter().map(Head::line).collect::<Result<Vec<_>, _>>()?;
            if !lines.iter().any(|line| line.starts_with(torn)) {
                let number = i64::try_from(whole.lines().count()).unwrap_or(i64::MAX).saturating_add(1);
                self.find(CHECKPOINT_FILE, number, Flaw::LineUnreadable);
            }
        }
        for (number, line) in whole.lines().enumerate() {
            let line_number = i64::try_from(number).unwrap_or(i64::MAX).saturating_add(1);
            let Ok(head) = serde_json::from_str::<Head>(line) else {
                self.find(CHECKPOINT_FILE, line_number, Flaw::LineUnreadable);
                continue;
            };
            let signed = Head::signed_text(head.tree_size, &head.root, head.at);
            if trust.verify(&head.gm, &signed).is_err() || trust.verify(&head.intl, &signed).is_err() {
                self.find(CHECKPOINT_FILE, line_number, Flaw::LineSignature);
                continue;
            }
            match roots.get(&head.tree_size) {
                Some(root) if *root == head.root => {}
                Some(_) => self.find(CHECKPOINT_FILE, line_number, Flaw::Fork),
                None => self.find(CHECKPOINT_FILE, line_number, Flaw::CutTail),
            }
        }
        Ok(())
    }
}
