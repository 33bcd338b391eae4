//! Acting for somebody else: a guardian for a child, an owner or an agent for a firm, family for a person.
//!
//! A right has a ground, a scope of items and a term, and ends when either side takes it back. Guardians and
//! owners come from the registers; agents and proxies are named by whoever they act for. Nobody passes on a
//! right that was given to them.

use kernel::actor::Actor;
use kernel::ids::SubjectId;
use kernel::time::{Date, Timestamp};
use packs::Pack;
use store::{Reads, StoreError, Tx, params};

use crate::people::{self, Person};

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
    /// 代办人, named by a person, such as an elder's daughter.
    Proxy,
}

impl DelegationKind {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guardian => "guardian",
            Self::Owner => "owner",
            Self::Agent => "agent",
            Self::Proxy => "proxy",
        }
    }

    /// Whether it was given by will and can be taken back; the others follow from the registers.
    pub fn is_given(self) -> bool {
        matches!(self, Self::Agent | Self::Proxy)
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        match word {
            "guardian" => Ok(Self::Guardian),
            "owner" => Ok(Self::Owner),
            "agent" => Ok(Self::Agent),
            "proxy" => Ok(Self::Proxy),
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
    /// Since when.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
}

impl Delegation {
    /// Whether it covers an item.
    pub fn covers(&self, item: &str) -> bool {
        self.scope.is_empty() || self.scope.iter().any(|covered| covered == item)
    }

    /// Whether it has no end.
    pub fn is_open_ended(&self) -> bool {
        self.valid_to >= crate::orgs::open_end()
    }
}

store::row! {
    struct DelegationRow {
        subject_id: SubjectId, delegation_id: String, delegate_id: SubjectId, kind: String, scope: String,
        valid_from: Timestamp, valid_to: Timestamp,
    }
}

const COLUMNS: &str = "subject_id, delegation_id, delegate_id, kind, scope, valid_from, valid_to";

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

/// Takes a given right back, by whoever gave it or by whoever holds it; owners and guardians are not dismissed
/// here.
pub async fn revoke(tx: &Tx, subject: SubjectId, id: DelegationId) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE identity_delegation
                SET revoked_at = $3
              WHERE subject_id = $1 AND delegation_id = $2 AND kind IN ('agent', 'proxy')
                AND revoked_at IS NULL",
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
    standing(db, "delegate_id", delegate, now).await
}

/// Who may act for `subject` at `now`.
pub async fn of_subject(
    db: &impl Reads,
    subject: SubjectId,
    now: Timestamp,
) -> Result<Vec<Delegation>, StoreError> {
    standing(db, "subject_id", subject, now).await
}

/// Every right by which `delegate` may act for `subject` at `now`.
pub async fn between(
    db: &impl Reads,
    delegate: SubjectId,
    subject: SubjectId,
    now: Timestamp,
) -> Result<Vec<Delegation>, StoreError> {
    let mut held = of_delegate(db, delegate, now).await?;
    held.retain(|right| right.subject == subject);
    Ok(held)
}

/// Whether `delegate` may act for `subject` at `now`, be it for one item only.
pub async fn may_act(
    db: &impl Reads,
    delegate: SubjectId,
    subject: SubjectId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(!between(db, delegate, subject, now).await?.is_empty())
}

/// `column` is one of two words written above.
async fn standing(
    db: &impl Reads,
    column: &str,
    who: SubjectId,
    now: Timestamp,
) -> Result<Vec<Delegation>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}
           FROM identity_delegation
          WHERE {column} = $1 AND revoked_at IS NULL AND valid_from <= $2 AND valid_to > $2
          ORDER BY valid_from, delegation_id"
    );
    let rows: Vec<DelegationRow> = db.query(&sql, params![who, now]).await?;
    rows.into_iter().map(read).collect()
}

/// What somebody asks to give.
#[derive(Clone, Debug)]
pub struct Mandate {
    /// 姓名 of who will act, as a check on the number.
    pub name: String,
    /// 公民身份号码 of who will act.
    pub citizen_id: String,
    /// Items that it covers; empty for all.
    pub scope: Vec<String>,
    /// The last day of the term.
    pub last_day: Date,
}

/// The longest term of a right that is given, in days: after a year one thinks about it again.
pub const MAX_TERM_DAYS: i32 = 366;
/// Whoever acts for others is of full age (民法典, art. 18).
pub const MIN_DELEGATE_AGE: u32 = 18;

/// Why a right was not given.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Only owners give a firm's, and only persons their own.
    #[error("this right is not the actor's to give")]
    NotYours,
    /// There is nobody of that name with that number here.
    #[error("there is nobody of that name with that number")]
    NoSuchPerson,
    /// One needs no right to act for oneself.
    #[error("one needs no right to act for oneself")]
    Oneself,
    /// The person is not of full age.
    #[error("the person is not of full age")]
    TooYoung,
    /// The term is over before it begins, or too long.
    #[error("the term must end between tomorrow and a year from now")]
    Term,
    /// An item of the scope does not exist.
    #[error("there is no item `{0}`")]
    UnknownItem(String),
    /// The ledger refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives a right: a firm's owner to an agent, or a person to a proxy.
pub async fn give(tx: &Tx, pack: &Pack, actor: &Actor, mandate: &Mandate) -> Result<Delegation, GrantError> {
    let now = tx.store().env().now();
    let Actor::Citizen { subject: own, on_behalf_of, .. } = actor else { return Err(GrantError::NotYours) };
    let (subject, kind) = match on_behalf_of {
        None => (*own, DelegationKind::Proxy),
        Some(firm) => {
            let held = between(tx, *own, *firm, now).await?;
            if !held.iter().any(|right| right.kind == DelegationKind::Owner) {
                return Err(GrantError::NotYours);
            }
            (*firm, DelegationKind::Agent)
        }
    };
    if let Some(unknown) = mandate.scope.iter().find(|item| pack.item(item).is_none()) {
        return Err(GrantError::UnknownItem(unknown.clone()));
    }
    let valid_to = term(now, mandate.last_day).ok_or(GrantError::Term)?;
    let found = people::find_by_citizen_id(tx, &mandate.citizen_id).await?;
    let Some(delegate) = found else { return Err(GrantError::NoSuchPerson) };
    let person = people::get(tx, delegate).await?.ok_or(GrantError::NoSuchPerson)?;
    if person.name() != mandate.name.trim() || !person.record.alive {
        return Err(GrantError::NoSuchPerson);
    }
    if delegate == *own {
        return Err(GrantError::Oneself);
    }
    if person.age_on(now.china_date()) < MIN_DELEGATE_AGE {
        return Err(GrantError::TooYoung);
    }
    let new = NewDelegation { subject, delegate, kind, scope: mandate.scope.clone(), valid_to };
    let id = grant(tx, &new).await?;
    let scope = mandate.scope.clone();
    Ok(Delegation { id, subject, delegate, kind, scope, valid_from: now, valid_to })
}

/// The end of a term whose last day is `last_day`; none when it is over already or too long.
fn term(now: Timestamp, last_day: Date) -> Option<Timestamp> {
    let today = now.china_date();
    let latest = today.checked_add(jiff::Span::new().days(MAX_TERM_DAYS)).ok()?;
    let next = last_day.tomorrow().ok()?;
    (last_day > today && last_day <= latest).then(|| Timestamp::start_of_china_day(next))
}

/// Notes in the ledger that `guardian` stands for `child`, until the child is of full age.
pub async fn set_guardian(
    tx: &Tx,
    child: &Person,
    guardian: SubjectId,
) -> Result<Option<DelegationId>, StoreError> {
    let of_age = child
        .birth
        .checked_add(jiff::Span::new().years(i64::from(MIN_DELEGATE_AGE)))
        .map(Timestamp::start_of_china_day)
        .unwrap_or_else(|_| crate::orgs::open_end());
    if of_age <= tx.store().env().now() {
        return Ok(None);
    }
    let new = NewDelegation {
        subject: child.subject,
        delegate: guardian,
        kind: DelegationKind::Guardian,
        scope: Vec::new(),
        valid_to: of_age,
    };
    grant(tx, &new).await.map(Some)
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
        valid_from: row.valid_from,
        valid_to: row.valid_to,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_term_ends_after_its_last_day_and_within_a_year() {
        let now = Timestamp::parse("2026-11-24T09:00:00+08:00").unwrap();
        let end = Timestamp::parse("2026-12-02T00:00:00+08:00").unwrap();
        assert_eq!(term(now, date(2026, 12, 1)), Some(end));
        assert_eq!(term(now, date(2026, 11, 24)), None, "today is over soon");
        assert!(term(now, date(2027, 11, 25)).is_some());
        assert_eq!(term(now, date(2027, 11, 26)), None);
    }

    #[test]
    fn an_empty_scope_covers_everything_and_a_scope_only_itself() {
        let mut right = Delegation {
            id: DelegationId::from_uuid(kernel::ids::Uuid::from_u128(1)),
            subject: SubjectId::from_uuid(kernel::ids::Uuid::from_u128(2)),
            delegate: SubjectId::from_uuid(kernel::ids::Uuid::from_u128(3)),
            kind: DelegationKind::Proxy,
            scope: Vec::new(),
            valid_from: Timestamp::from_micros(0),
            valid_to: crate::orgs::open_end(),
        };
        assert!(right.covers("elderly-allowance") && right.is_open_ended());
        right.scope = vec!["elderly-allowance".to_owned()];
        assert!(right.covers("elderly-allowance") && !right.covers("elderly"));
    }
}
