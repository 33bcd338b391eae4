//! The decision: whether somebody may use a resource now, and as what they see it.

use kernel::actor::Actor;
use kernel::error::Coded;
use kernel::ids::{GrantId, OrgCode};
use kernel::time::Timestamp;
use lake::{Policy, Table};
use store::{Purpose, Reads, Store, StoreError, Tx};

use crate::GrantError;
use crate::model::grant::{Grant, Standing};
use crate::model::state::Status;
use crate::model::terms::{Holder, needs_case};
use crate::resources::{self, Resource};
use crate::store as sql;

/// What somebody asks for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// The organisation that runs the node: what the node itself does, it does for this one.
    pub operator: &'a OrgCode,
    /// What for.
    pub purpose: Purpose,
    /// Whether a case is named and was found to be the actor's.
    pub has_case: bool,
}

/// A grant that admits a use.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The grant.
    pub grant: Grant,
    /// The resource.
    pub resource: Resource,
    /// Its table as it is now.
    pub table: Table,
    /// What the lake enforces.
    pub policy: Policy,
}

/// Why a use is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody granted it.
    #[error("there is no grant")]
    NoGrant,
    /// The grant is for something else.
    #[error("the grant is for another purpose")]
    Purpose,
    /// The purpose asks for a case.
    #[error("the purpose asks for a case")]
    Case,
    /// The grant waits for approval.
    #[error("the grant waits for approval")]
    Proposed,
    /// The term has not begun.
    #[error("the term has not begun")]
    NotYet,
    /// The term is over.
    #[error("the term is over")]
    Expired,
    /// The grant is suspended.
    #[error("the grant is suspended")]
    Suspended,
    /// The grant was revoked or refused.
    #[error("the grant was revoked")]
    Revoked,
    /// No use is left.
    #[error("the uses are used up")]
    UsedUp,
    /// The resource is another version than the grant was written for.
    #[error("the resource has changed since the grant")]
    Version,
}

impl Coded for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NoGrant => "grants.refused_none",
            Self::Purpose => "grants.refused_purpose",
            Self::Case => "grants.refused_case",
            Self::Proposed => "grants.refused_proposed",
            Self::NotYet => "grants.refused_not_yet",
            Self::Expired => "grants.refused_expired",
            Self::Suspended => "grants.refused_suspended",
            Self::Revoked => "grants.refused_revoked",
            Self::UsedUp => "grants.refused_used_up",
            Self::Version => "grants.refused_version",
        }
    }
}

/// Whether a grant admits a use at `now` of a table of this version. Pure: an auditor reckons it again.
pub fn admits(grant: &Grant, ask: &Ask<'_>, version: u32, now: Timestamp) -> Result<(), Refusal> {
    let terms = &grant.terms;
    if !Holder::of(ask.actor, ask.operator).contains(&terms.holder) {
        return Err(Refusal::NoGrant);
    }
    match grant.standing(now) {
        Standing::Of(Status::Active) => {}
        Standing::Of(Status::Proposed) => return Err(Refusal::Proposed),
        Standing::Of(Status::Suspended) => return Err(Refusal::Suspended),
        Standing::Of(Status::Revoked | Status::Refused) => return Err(Refusal::Revoked),
        Standing::NotYet => return Err(Refusal::NotYet),
        Standing::Expired => return Err(Refusal::Expired),
        Standing::UsedUp => return Err(Refusal::UsedUp),
    }
    if terms.purpose != ask.purpose {
        return Err(Refusal::Purpose);
    }
    if needs_case(terms.purpose) && !ask.has_case {
        return Err(Refusal::Case);
    }
    if terms.versions.holds(version) { Ok(()) } else { Err(Refusal::Version) }
}

/// What the asker may use: for each resource the newest grant that admits the use. What admits nothing is not
/// there, and nobody is told that it exists.
pub async fn usable(db: &impl Reads, ask: &Ask<'_>) -> Result<Vec<Admitted>, GrantError> {
    let now = db.store().env().now();
    let mut admitted: Vec<Admitted> = Vec::new();
    for grant in sql::active_of(db, &Holder::of(ask.actor, ask.operator)).await? {
        if admitted.iter().any(|one| one.resource.id.as_str() == grant.terms.resource) {
            continue;
        }
        if let Ok(one) = admit(db, ask, grant, now).await? {
            admitted.push(one);
        }
    }
    Ok(admitted)
}

/// The newest grant that admits a use of this resource, or why the newest one does not.
pub async fn decide(
    db: &impl Reads,
    ask: &Ask<'_>,
    resource: &str,
) -> Result<Result<Admitted, Refusal>, GrantError> {
    let now = db.store().env().now();
    let mut first = None;
    for grant in sql::all_of(db, &Holder::of(ask.actor, ask.operator)).await? {
        if grant.terms.resource != resource {
            continue;
        }
        match admit(db, ask, grant, now).await? {
            Ok(admitted) => return Ok(Ok(admitted)),
            Err(refusal) => first = first.or(Some(refusal)),
        }
    }
    Ok(Err(first.unwrap_or(Refusal::NoGrant)))
}

async fn admit(
    db: &impl Reads,
    ask: &Ask<'_>,
    grant: Grant,
    now: Timestamp,
) -> Result<Result<Admitted, Refusal>, GrantError> {
    let Some(resource) = resources::find(db, &grant.terms.resource).await? else {
        return Ok(Err(Refusal::NoGrant));
    };
    let table = resources::table(db, &resource).await?;
    if let Err(refusal) = admits(&grant, ask, table.version, now) {
        return Ok(Err(refusal));
    }
    let policy = grant.terms.policy(|family| token_key(db.store(), family));
    // The policy fitted when the grant was issued; if it does not any more, it shows nothing.
    if policy.check(&table.schema).is_err() {
        return Ok(Err(Refusal::Version));
    }
    Ok(Ok(Admitted { grant, resource, table, policy }))
}

/// Counts uses with their rows inside `tx`, or says that so many are not left. To be committed before anything of
/// the answers leaves.
pub async fn spend(tx: &Tx, grant: GrantId, uses: u64, rows: u64) -> Result<bool, StoreError> {
    sql::spend(tx, grant, uses, rows).await
}

/// Takes back what [`spend`] counted in the same `tx`, because the use does not take place.
pub async fn give_back(tx: &Tx, grant: GrantId, uses: u64, rows: u64) -> Result<(), StoreError> {
    sql::give_back(tx, grant, uses, rows).await
}

/// The key of a family of tokens, derived from the node's root key.
pub(crate) fn token_key(store: &Store, family: &str) -> [u8; 32] {
    *store.root().derive(&format!("grants.token.{family}"))
}

#[cfg(test)]
mod tests {
    use kernel::actor::PostHolding;
    use kernel::ids::{AccountId, PostCode, SubjectId, Uuid};

    use super::*;
    use crate::model::terms::{Versions, tests::terms};

    fn officer(org: &str) -> Actor {
        Actor::Officer {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            subject: SubjectId::from_uuid(Uuid::from_u128(2)),
            posts: vec![PostHolding {
                post: PostCode::new("some-post").unwrap(),
                org: OrgCode::new(org).unwrap(),
                role: "benefit-examiner".to_owned(),
            }],
        }
    }

    fn grant() -> Grant {
        Grant {
            id: GrantId::from_uuid(Uuid::from_u128(9)),
            terms: terms(),
            terms_hash: [0; 32],
            status: Status::Active,
            seq: 1,
            uses: 0,
            rows: 0,
            created_at: Timestamp::parse("2026-11-01T00:00:00Z").unwrap(),
        }
    }

    #[test]
    fn every_term_that_is_not_met_refuses_by_name() {
        let operator = OrgCode::new("operator").unwrap();
        let now = Timestamp::parse("2026-11-24T00:00:00Z").unwrap();
        let holder = officer("dali-city-civil-affairs");
        let ask = |actor, purpose, has_case| Ask { actor, operator: &operator, purpose, has_case };
        let good = ask(&holder, Purpose::CaseHandling, true);
        assert_eq!(admits(&grant(), &good, 1, now), Ok(()));
        let stranger = officer("dali-city-market");
        for (grant, ask, version, now, refusal) in [
            (grant(), ask(&stranger, Purpose::CaseHandling, true), 1, now, Refusal::NoGrant),
            (grant(), ask(&Actor::Anonymous, Purpose::CaseHandling, true), 1, now, Refusal::NoGrant),
            (grant(), ask(&Actor::Node, Purpose::CaseHandling, true), 1, now, Refusal::NoGrant),
            (grant(), ask(&holder, Purpose::Statistics, true), 1, now, Refusal::Purpose),
            (grant(), ask(&holder, Purpose::CaseHandling, false), 1, now, Refusal::Case),
            (grant(), good.clone(), 2, now, Refusal::Version),
            (grant(), good.clone(), 1, grant().terms.valid_to, Refusal::Expired),
            (grant(), good.clone(), 1, Timestamp::parse("2026-01-01T00:00:00Z").unwrap(), Refusal::NotYet),
            (Grant { status: Status::Proposed, ..grant() }, good.clone(), 1, now, Refusal::Proposed),
            (Grant { status: Status::Suspended, ..grant() }, good.clone(), 1, now, Refusal::Suspended),
            (Grant { status: Status::Revoked, ..grant() }, good.clone(), 1, now, Refusal::Revoked),
            (Grant { status: Status::Refused, ..grant() }, good.clone(), 1, now, Refusal::Revoked),
            (Grant { uses: 100, ..grant() }, good.clone(), 1, now, Refusal::UsedUp),
        ] {
            assert_eq!(admits(&grant, &ask, version, now), Err(refusal));
        }
        let wide = Grant {
            terms: crate::Terms { versions: Versions { from: 1, to: Some(3) }, ..terms() },
            ..grant()
        };
        assert_eq!(admits(&wide, &good, 3, now), Ok(()));
    }
}
