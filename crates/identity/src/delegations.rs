//! Acting for somebody else: a guardian for a child, an owner or an agent for a firm.

use kernel::ids::SubjectId;
use kernel::time::Timestamp;
use store::{Reads, StoreError, Tx, params};

kernel::uuid_ids! {
    /// A right to act for somebody.
    DelegationId,
}

/// On what ground somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelegationKind {
    /// 监护人, for a child.
    Guardian,
    /// The owner of an individual business.
    Owner,
    /// 经办人, named by the firm.
    Agent,
}

impl DelegationKind {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guardian => "guardian",
            Self::Owner => "owner",
            Self::Agent => "agent",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        match word {
            "guardian" => Ok(Self::Guardian),
            "owner" => Ok(Self::Owner),
            "agent" => Ok(Self::Agent),
            other => Err(StoreError::Column {
                column: "kind".to_owned(),
                reason: format!("`{other}` is no kind of delegation"),
            }),
        }
    }
}

/// A right to act for `subject`.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// Its id.
    pub id: DelegationId,
    /// For whom.
    pub subject: SubjectId,
    /// Who acts.
    pub delegate: SubjectId,
    /// On what ground.
    pub kind: DelegationKind,
    /// Items that it covers; empty for all.
    pub scope: Vec<String>,
    /// Until when.
    pub valid_to: Timestamp,
}

store::row! {
    struct DelegationRow {
        subject_id: SubjectId, delegation_id: String, delegate_id: SubjectId, kind: String, scope: String,
        valid_to: Timestamp,
    }
}

/// What is granted.
#[derive(Clone, Debug)]
pub struct NewDelegation {
    /// For whom.
    pub subject: SubjectId,
    /// Who will act.
    pub delegate: SubjectId,
    /// On what ground.
    pub kind: DelegationKind,
    /// Items that it covers; empty for all.
    pub scope: Vec<String>,
    /// Until when.
    pub valid_to: Timestamp,
}

/// Grants the right.
pub async fn grant(tx: &Tx, new: &NewDelegation) -> Result<DelegationId, StoreError> {
    let env = tx.store().env();
    let id = DelegationId::generate(&*env.clock, &*env.entropy);
    tx.execute(
        "INSERT INTO identity_delegation
                (subject_id, delegation_id, delegate_id, kind, scope, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            new.subject,
            id.to_string(),
            new.delegate,
            new.kind.as_str(),
            new.scope.join(","),
            env.now(),
            new.valid_to
        ],
    )
    .await?;
    Ok(id)
}

/// The owner of a new firm may act for it without end.
pub(crate) async fn grant_owner(tx: &Tx, firm: SubjectId, owner: SubjectId) -> Result<(), StoreError> {
    let new = NewDelegation {
        subject: firm,
        delegate: owner,
        kind: DelegationKind::Owner,
        scope: Vec::new(),
        valid_to: crate::orgs::open_end(),
    };
    grant(tx, &new).await.map(drop)
}

/// Takes an agent's right back; owners and guardians are not the firm's to dismiss.
pub async fn revoke(tx: &Tx, subject: SubjectId, id: DelegationId) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE identity_delegation
                SET revoked_at = $3
              WHERE subject_id = $1 AND delegation_id = $2 AND kind = 'agent' AND revoked_at IS NULL",
            params![subject, id.to_string(), tx.store().env().now()],
        )
        .await?;
    Ok(changed > 0)
}

/// For whom `delegate` may act at `now`.
pub async fn of_delegate(
    db: &impl Reads,
    delegate: SubjectId,
    now: Timestamp,
) -> Result<Vec<Delegation>, StoreError> {
    let rows: Vec<DelegationRow> = db
        .query(
            "SELECT subject_id, delegation_id, delegate_id, kind, scope, valid_to
               FROM identity_delegation
              WHERE delegate_id = $1 AND revoked_at IS NULL AND valid_from <= $2 AND valid_to > $2
              ORDER BY subject_id, delegation_id",
            params![delegate, now],
        )
        .await?;
    rows.into_iter().map(read).collect()
}

/// Who may act for `subject` at `now`.
pub async fn of_subject(
    db: &impl Reads,
    subject: SubjectId,
    now: Timestamp,
) -> Result<Vec<Delegation>, StoreError> {
    let rows: Vec<DelegationRow> = db
        .query(
            "SELECT subject_id, delegation_id, delegate_id, kind, scope, valid_to
               FROM identity_delegation
              WHERE subject_id = $1 AND revoked_at IS NULL AND valid_from <= $2 AND valid_to > $2
              ORDER BY delegation_id",
            params![subject, now],
        )
        .await?;
    rows.into_iter().map(read).collect()
}

/// Whether `delegate` may act for `subject` at `now`.
pub async fn may_act(
    db: &impl Reads,
    delegate: SubjectId,
    subject: SubjectId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(of_delegate(db, delegate, now).await?.iter().any(|held| held.subject == subject))
}

fn read(row: DelegationRow) -> Result<Delegation, StoreError> {
    Ok(Delegation {
        id: row.delegation_id.parse().map_err(|_| StoreError::Column {
            column: "delegation_id".to_owned(),
            reason: "not an id".to_owned(),
        })?,
        subject: row.subject_id,
        delegate: row.delegate_id,
        kind: DelegationKind::parse(&row.kind)?,
        scope: row.scope.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        valid_to: row.valid_to,
    })
}
