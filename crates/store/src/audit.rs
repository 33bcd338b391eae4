//! The audit log: every act a leaf in an append-only Merkle tree (RFC 6962 shape, SM3).
//!
//! The tree holds salted commitments, never personal data: what was done stands in `store_audit_entry`,
//! keyed by the person concerned; so an entry could be erased while its leaf still proves that nothing else was
//! changed. Nothing erases entries yet, and a missing one is a finding. Each group of writes ends with a head that is
//! signed in both suites. The heads are also appended to a file outside the ledger, so that a cut tail shows.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crypto::hash::Hash;
use crypto::keys::{KeyRing, Purpose as KeyPurpose, Signature};
use crypto::merkle::{Frontier, leaf_hash};
use crypto::suite::{Algorithm, Suite};
use kernel::actor::Actor;
use kernel::ids::{AccountId, CaseId, SubjectId};
use kernel::time::Timestamp;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use crate::db::{self, Env};
use crate::dialect::Dialect;
use crate::tx::Left;
use crate::{Reads, StoreError, Value, params};

pub(crate) const LEAF_TABLE: &str = "CREATE TABLE store_audit_leaf (
    seq BIGINT NOT NULL PRIMARY KEY,
    commitment {bytes} NOT NULL,
    leaf_hash {bytes} NOT NULL
)";

pub(crate) const ENTRY_TABLE: &str = "CREATE TABLE store_audit_entry (
    subject_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_label TEXT NOT NULL,
    action TEXT NOT NULL,
    case_id TEXT NOT NULL,
    case_no TEXT NOT NULL,
    purpose TEXT NOT NULL,
    object TEXT NOT NULL,
    salt {bytes} NOT NULL,
    PRIMARY KEY (subject_id, seq)
)";

pub(crate) const HEAD_TABLE: &str = "CREATE TABLE store_audit_head (
    tree_size BIGINT NOT NULL PRIMARY KEY,
    root {bytes} NOT NULL,
    at BIGINT NOT NULL,
    gm_kid TEXT NOT NULL,
    gm_signature {bytes} NOT NULL,
    intl_kid TEXT NOT NULL,
    intl_signature {bytes} NOT NULL
)";

pub(crate) const STATE_TABLE: &str = "CREATE TABLE store_audit_state (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    tree_size BIGINT NOT NULL,
    frontier {bytes} NOT NULL
)";

/// Stands for "nobody in particular" in the key of an entry.
pub(crate) const NO_SUBJECT: &str = "-";

/// Why somebody looked at or changed something: a word of a closed list, shown to the person concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The person themself.
    OwnUse,
    /// To handle a case.
    CaseHandling,
    /// To fill a form from what is held already.
    Prefill,
    /// To check a licence that was presented.
    Verification,
    /// To supervise deadlines and conduct.
    Supervision,
    /// To sign in or out.
    SignIn,
    /// To count and to plan, never to decide on a single person.
    Statistics,
    /// To avert danger in an emergency.
    Emergency,
    /// To run the node.
    Operation,
}

impl Purpose {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnUse => "own_use",
            Self::CaseHandling => "case_handling",
            Self::Prefill => "prefill",
            Self::Verification => "verification",
            Self::Supervision => "supervision",
            Self::SignIn => "sign_in",
            Self::Statistics => "statistics",
            Self::Emergency => "emergency",
            Self::Operation => "operation",
        }
    }
}

/// One act, as it is noted.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Who acted: the kind of actor, an id, and a label without a name, such as a post.
    actor: (String, String, String),
    /// What was done, such as `cases.decide`.
    pub action: &'static str,
    subject: Option<SubjectId>,
    case: Option<(CaseId, String)>,
    purpose: Purpose,
    object: String,
}

impl AuditEntry {
    /// An act of `actor`.
    pub fn new(actor: &Actor, action: &'static str, purpose: Purpose) -> Self {
        Self {
            actor: (actor.kind().to_owned(), id_of(actor), label_of(actor)),
            action,
            subject: None,
            case: None,
            purpose,
            object: String::new(),
        }
    }

    /// An act of the account that signs in, before there is a session.
    pub fn of_account(account: AccountId, action: &'static str) -> Self {
        Self {
            actor: ("account".to_owned(), account.to_string(), String::new()),
            action,
            subject: None,
            case: None,
            purpose: Purpose::SignIn,
            object: String::new(),
        }
    }

    /// Whose data it concerns: they will see the entry in their data footprint.
    #[must_use]
    pub fn about(mut self, subject: SubjectId) -> Self {
        self.subject = Some(subject);
        self
    }

    /// In which case.
    #[must_use]
    pub fn in_case(mut self, case: CaseId, case_no: &str) -> Self {
        self.case = Some((case, case_no.to_owned()));
        self
    }

    /// What was touched, such as `identity.person`; never the data itself.
    #[must_use]
    pub fn object(mut self, object: impl Into<String>) -> Self {
        self.object = object.into();
        self
    }
}

impl AuditEntry {
    /// The entry as leaf `seq`.
    fn stored(&self, seq: i64, at: Timestamp, salt: Vec<u8>) -> StoredEntry {
        let (case_id, case_no) = match &self.case {
            Some((id, number)) => (id.to_string(), number.clone()),
            None => (String::new(), String::new()),
        };
        let (actor_kind, actor_id, actor_label) = self.actor.clone();
        StoredEntry {
            subject_id: self.subject.map_or_else(|| NO_SUBJECT.to_owned(), |id| id.to_string()),
            seq,
            at,
            actor_kind,
            actor_id,
            actor_label,
            action: self.action.to_owned(),
            case_id,
            case_no,
            purpose: self.purpose.as_str().to_owned(),
            object: self.object.clone(),
            salt,
        }
    }
}

fn id_of(actor: &Actor) -> String {
    match actor {
        Actor::System { token, .. } => token.to_string(),
        other => other.account().map(|account| account.to_string()).unwrap_or_default(),
    }
}

/// The posts of an officer, the name of a system; never a person's name.
fn label_of(actor: &Actor) -> String {
    match actor {
        Actor::System { name, .. } => name.clone(),
        other => other.posts().iter().map(|held| held.post.as_str()).collect::<Vec<_>>().join(","),
    }
}

crate::row! {
    /// An entry as it is stored.
    #[derive(Clone, Debug, Serialize)]
    pub struct StoredEntry {
        /// Whose data, or `-`.
        pub subject_id: String,
        /// Its leaf.
        pub seq: i64,
        /// When.
        pub at: Timestamp,
        /// The kind of actor.
        pub actor_kind: String,
        /// The actor's id.
        pub actor_id: String,
        /// The actor's label, such as a post.
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
        /// Salt of the commitment.
        #[serde(skip)]
        pub salt: Vec<u8>,
    }
}

impl StoredEntry {
    /// In the order of the columns.
    fn into_values(self) -> Vec<Value> {
        params![
            self.subject_id,
            self.seq,
            self.at,
            self.actor_kind,
            self.actor_id,
            self.actor_label,
            self.action,
            self.case_id,
            self.case_no,
            self.purpose,
            self.object,
            self.salt
        ]
    }

    /// What the leaf commits to: SM3 over the salt and every field, each with its length before it, so that
    /// no two entries share a text.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        let mut text = Vec::with_capacity(256);
        let seq = self.seq.to_be_bytes();
        let at = self.at.micros().to_be_bytes();
        let fields: [&[u8]; 12] = [
            &self.salt,
            self.subject_id.as_bytes(),
            &seq,
            &at,
            self.actor_kind.as_bytes(),
            self.actor_id.as_bytes(),
            self.actor_label.as_bytes(),
            self.action.as_bytes(),
            self.case_id.as_bytes(),
            self.case_no.as_bytes(),
            self.purpose.as_bytes(),
            self.object.as_bytes(),
        ];
        for field in fields {
            text.extend_from_slice(&(field.len() as u64).to_be_bytes());
            text.extend_from_slice(field);
        }
        crypto::hash::sm3(&text)
    }
}

/// What a person's footprint shows: entries about `subject`, newest first, below `before`.
pub async fn footprint(
    db: &impl Reads,
    subject: SubjectId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    db.query(
        "SELECT subject_id, seq, at, actor_kind, actor_id, actor_label, action, case_id, case_no, purpose,
                object, salt
           FROM store_audit_entry
          WHERE subject_id = $1 AND seq < $2
          ORDER BY seq DESC
          LIMIT $3",
        params![subject, before.unwrap_or(i64::MAX), limit],
    )
    .await
}

/// The newest entries of the whole log, for the auditor: below `before`.
pub async fn recent(
    db: &impl Reads,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    db.query(
        "SELECT subject_id, seq, at, actor_kind, actor_id, actor_label, action, case_id, case_no, purpose,
                object, salt
           FROM store_audit_entry
          WHERE seq < $1
          ORDER BY seq DESC
          LIMIT $2",
        params![before.unwrap_or(i64::MAX), limit],
    )
    .await
}

/// What an auditor looks for; an empty text or none leaves a column open.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The kind of actor, such as `officer`.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: String,
    /// The action, or its beginning, such as `cases.`.
    pub action: String,
    /// The number of a case.
    pub case_no: String,
    /// Whose data.
    pub subject: Option<SubjectId>,
}

/// Entries that fit, newest first, below `before`.
pub async fn search(
    db: &impl Reads,
    wanted: &Search,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    let subject = wanted.subject.map(|subject| subject.to_string()).unwrap_or_default();
    db.query(
        "SELECT subject_id, seq, at, actor_kind, actor_id, actor_label, action, case_id, case_no, purpose,
                object, salt
           FROM store_audit_entry
          WHERE seq < $1
            AND ($2 = '' OR subject_id = $2)
            AND ($3 = '' OR actor_kind = $3)
            AND ($4 = '' OR actor_id = $4)
            AND ($5 = '' OR substr(action, 1, length($5)) = $5)
            AND ($6 = '' OR case_no = $6)
          ORDER BY seq DESC
          LIMIT $7",
        params![
            before.unwrap_or(i64::MAX),
            subject,
            &wanted.actor_kind,
            &wanted.actor_id,
            &wanted.action,
            &wanted.case_no,
            limit
        ],
    )
    .await
}

crate::row! {
    struct HeadRow {
        tree_size: i64, root: Vec<u8>, at: Timestamp,
        gm_kid: String, gm_signature: Vec<u8>, intl_kid: String, intl_signature: Vec<u8>,
    }
}

/// Signed heads, newest first, below the size `before`.
pub async fn heads(db: &impl Reads, before: Option<i64>, limit: u32) -> Result<Vec<Head>, StoreError> {
    let rows: Vec<HeadRow> = db
        .query(
            "SELECT tree_size, root, at, gm_kid, gm_signature, intl_kid, intl_signature
               FROM store_audit_head
              WHERE tree_size < $1
              ORDER BY tree_size DESC
              LIMIT $2",
            params![before.unwrap_or(i64::MAX), limit],
        )
        .await?;
    Ok(rows.into_iter().map(head).collect())
}

/// The first signed head that covers the leaf `seq`.
pub(crate) async fn first_head_beyond(db: &impl Reads, seq: i64) -> Result<Option<Head>, StoreError> {
    let row: Option<HeadRow> = db
        .optional(
            "SELECT tree_size, root, at, gm_kid, gm_signature, intl_kid, intl_signature
               FROM store_audit_head
              WHERE tree_size > $1
              ORDER BY tree_size
              LIMIT 1",
            params![seq],
        )
        .await?;
    Ok(row.map(head))
}

fn head(row: HeadRow) -> Head {
    let signature = |kid, algorithm, bytes| Signature { kid, algorithm, bytes };
    Head {
        tree_size: row.tree_size,
        root: hex::encode(&row.root),
        at: row.at,
        gm: signature(row.gm_kid, Algorithm::Sm2Sm3, row.gm_signature),
        intl: signature(row.intl_kid, Algorithm::Ed25519, row.intl_signature),
    }
}

/// A signed tree head.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// How many leaves.
    pub tree_size: i64,
    /// The root over them, hex.
    pub root: String,
    /// When it was signed.
    pub at: Timestamp,
    /// SM2 with SM3.
    pub gm: Signature,
    /// Ed25519.
    pub intl: Signature,
}

impl Head {
    /// The bytes that both signatures are over.
    pub fn signed_text(tree_size: i64, root: &str, at: Timestamp) -> Vec<u8> {
        format!("yiwang audit head\n{tree_size}\n{root}\n{}\n", at.micros()).into_bytes()
    }

    /// The head as a line of the file of heads, with its end.
    pub(crate) fn line(&self) -> Result<Vec<u8>, StoreError> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// The tree as it stands inside the open group.
#[derive(Clone)]
pub(crate) struct AuditState {
    frontier: Frontier,
}

impl AuditState {
    pub(crate) async fn load(
        connection: &impl ConnectionTrait,
        dialect: Dialect,
    ) -> Result<Self, StoreError> {
        let sql = format!("SELECT frontier FROM store_audit_state WHERE id = 1{}", dialect.lock_row());
        let found = db::rows(connection, dialect, &sql, vec![]).await?;
        let frontier = match found.first() {
            Some(row) => Frontier::from_bytes(&row.get::<Vec<u8>>("frontier")?)
                .map_err(|error| StoreError::Sealed(error.to_string()))?,
            None => Frontier::new(Hash::Sm3),
        };
        Ok(Self { frontier })
    }

    /// Adds the entries of a group.
    pub(crate) async fn append(
        &mut self,
        connection: &impl ConnectionTrait,
        dialect: Dialect,
        env: &Env,
        left: &[Left],
    ) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        let mut leaves = Vec::new();
        let noted = left.iter().flat_map(|member| member.noted.audit.iter().map(|entry| (member.at, entry)));
        for (at, entry) in noted {
            let mut salt = [0_u8; 16];
            env.entropy.fill(&mut salt);
            let stored = entry.stored(self.size(), at, salt.to_vec());
            let commitment = stored.commitment();
            let leaf = leaf_hash(Hash::Sm3, &commitment);
            leaves.push(params![stored.seq, commitment, leaf]);
            entries.push(stored.into_values());
            self.frontier.append(leaf);
        }
        let sql = "INSERT INTO store_audit_entry
                          (subject_id, seq, at, actor_kind, actor_id, actor_label, action, case_id, case_no,
                           purpose, object, salt)";
        db::insert(connection, dialect, sql, "", entries).await?;
        let sql = "INSERT INTO store_audit_leaf (seq, commitment, leaf_hash)";
        db::insert(connection, dialect, sql, "", leaves).await
    }

    fn size(&self) -> i64 {
        i64::try_from(self.frontier.size()).unwrap_or(i64::MAX)
    }

    pub(crate) fn sign(&self, keys: &KeyRing, now: Timestamp) -> Result<Head, StoreError> {
        let root = hex::encode(self.frontier.root());
        let text = Head::signed_text(self.size(), &root, now);
        let sign = |suite| {
            keys.sign(KeyPurpose::AuditHead, suite, &text)
                .map_err(|error| StoreError::Sealed(error.to_string()))
        };
        Ok(Head { tree_size: self.size(), root, at: now, gm: sign(Suite::Gm)?, intl: sign(Suite::Intl)? })
    }

    pub(crate) async fn write(
        &self,
        connection: &impl ConnectionTrait,
        dialect: Dialect,
        head: &Head,
    ) -> Result<(), StoreError> {
        db::execute(
            connection,
            dialect,
            "INSERT INTO store_audit_head
                    (tree_size, root, at, gm_kid, gm_signature, intl_kid, intl_signature)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            params![
                head.tree_size,
                self.frontier.root(),
                head.at,
                &head.gm.kid,
                head.gm.bytes.clone(),
                &head.intl.kid,
                head.intl.bytes.clone()
            ],
        )
        .await?;
        db::execute(
            connection,
            dialect,
            "INSERT INTO store_audit_state (id, tree_size, frontier)
             VALUES (1, $1, $2)
             ON CONFLICT (id) DO UPDATE SET tree_size = excluded.tree_size, frontier = excluded.frontier",
            params![head.tree_size, self.frontier.to_bytes()],
        )
        .await?;
        Ok(())
    }
}

/// The file of heads beside the ledger: one JSON line a head.
pub(crate) struct Checkpoints {
    /// The file once this process has written to it. Whoever only reads the log leaves the file as it is.
    file: Mutex<Option<File>>,
    path: PathBuf,
}

/// Where the heads are kept, below the data folder.
pub const CHECKPOINT_FILE: &str = "audit-heads.jsonl";

impl Checkpoints {
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self { file: Mutex::new(None), path: data_dir.join(CHECKPOINT_FILE) }
    }

    /// After the commit, so that the file never runs ahead of the ledger.
    pub(crate) fn append(&self, head: &Head) -> Result<(), StoreError> {
        let wrap = |error| StoreError::file(&self.path, error);
        let line = head.line()?;
        let mut slot = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let file = match &mut *slot {
            Some(file) => file,
            none => none.insert(open_whole(&self.path).map_err(wrap)?),
        };
        let written = file.write_all(&line).map_err(wrap);
        if written.is_err() {
            // Part of the line may stand there: the next head opens the file anew and cuts it off.
            *slot = None;
        }
        written
    }
}

/// Opens the file for appending. A line that a power cut left without its end is cut off: its head is in the
/// ledger.
fn open_whole(path: &Path) -> std::io::Result<File> {
    let file = File::options().create(true).read(true).append(true).open(path)?;
    let text = std::fs::read(path)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(whole as u64)?;
    }
    Ok(file)
}
