//! The receipt of a use: what is hashed into the audit log and can be checked offline.

use crypto::hash::sm3;
use kernel::actor::Actor;
use kernel::ids::{GrantId, UseId};
use kernel::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::Purpose;

/// The form that this version writes.
pub const FORM: u32 = 1;

/// One use. It holds no personal data: the statement is there by its hash alone, persons by their number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`FORM`].
    pub form: u32,
    /// Its id.
    pub use_id: UseId,
    /// When it began.
    pub at: Timestamp,
    /// Through which door.
    pub door: String,
    /// Who.
    pub actor: UsedBy,
    /// What for.
    pub purpose: Purpose,
    /// For which case, or an empty text.
    pub case_no: String,
    /// On which grants: those of the resources that the statement names.
    pub grants: Vec<UsedGrant>,
    /// SM3 of the statement, hex.
    pub statement_hash: String,
    /// SM3 of the plan, hex; empty where there was none.
    pub plan_hash: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// Who used a grant, without a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedBy {
    /// The kind of actor.
    pub kind: String,
    /// The account or token.
    pub id: String,
    /// Their posts, or the name of the system.
    pub label: String,
}

impl UsedBy {
    /// The actor.
    pub fn of(actor: &Actor) -> Self {
        let (id, label) = match actor {
            Actor::System { token, name, .. } => (token.to_string(), name.clone()),
            other => {
                let posts: Vec<&str> = other.posts().iter().map(|held| held.post.as_str()).collect();
                (other.account().map(|account| account.to_string()).unwrap_or_default(), posts.join(","))
            }
        };
        Self { kind: actor.kind().to_owned(), id, label }
    }
}

/// A grant that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedGrant {
    /// The resource.
    pub resource: String,
    /// Its version.
    pub version: u32,
    /// The grant.
    pub grant: GrantId,
    /// SM3 of its terms, hex.
    pub terms_hash: String,
}

/// How a use ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// `ok`, `open` while it runs, `broken_off`, or the code of an error.
    pub code: String,
    /// Rows that left.
    pub rows: u64,
    /// Bytes of those rows, as they are in memory.
    pub bytes: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// How many persons' rows passed the barrier; none where it were more than are counted.
    pub persons: Option<u64>,
}

impl Outcome {
    /// It runs.
    pub fn open() -> Self {
        Self::failed("open")
    }

    /// It was not answered.
    pub fn failed(code: &str) -> Self {
        Self { code: code.to_owned(), rows: 0, bytes: 0, micros: 0, persons: Some(0) }
    }
}

impl Record {
    /// The text that is hashed.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The object of the audit entry that stands for a record of this text.
    pub fn object(use_id: UseId, text: &str) -> String {
        format!("sharing.use:{use_id}:{}", hex::encode(sm3(text.as_bytes())))
    }
}
