//! Whether somebody may: a post with the right role in the right organisation, or a right to act for somebody
//! that covers the item; else nothing.

use kernel::actor::{Actor, PostHolding};
use kernel::ids::OrgCode;
use store::Reads;
use web::Problem;

use crate::delegations;

/// The post by which `actor` may act as `role` in `org`, if they hold one.
pub fn holds<'a>(actor: &'a Actor, org: &OrgCode, role: &str) -> Option<&'a PostHolding> {
    actor.posts().iter().find(|held| held.org == *org && held.role == role)
}

/// As [`holds`], or the refusal. Deny is the default: an unknown role is nobody's.
pub fn require<'a>(actor: &'a Actor, org: &OrgCode, role: &str) -> Result<&'a PostHolding, Problem> {
    holds(actor, org, role).ok_or_else(|| Problem::forbidden("identity.no_such_post"))
}

/// Whether a citizen may handle `item` for whom they act now: always for themselves, for others as far as
/// the right reaches that they hold at this moment.
pub async fn require_item(db: &impl Reads, actor: &Actor, item: &str) -> Result<(), Problem> {
    let Actor::Citizen { subject, on_behalf_of, .. } = actor else {
        return Err(match actor {
            Actor::Anonymous => Problem::not_signed_in(),
            _ => Problem::forbidden("access.forbidden"),
        });
    };
    let Some(whom) = on_behalf_of else { return Ok(()) };
    let held = delegations::between(db, *subject, *whom, db.store().env().now()).await?;
    if held.iter().any(|right| right.covers(item)) {
        Ok(())
    } else {
        Err(Problem::forbidden("identity.outside_mandate"))
    }
}

#[cfg(test)]
mod tests {
    use kernel::ids::{AccountId, PostCode, SubjectId, Uuid};

    use super::*;

    fn officer(role: &str) -> Actor {
        Actor::Officer {
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            subject: SubjectId::from_uuid(Uuid::from_u128(2)),
            posts: vec![PostHolding {
                post: PostCode::new("dali-market-registrar").unwrap(),
                org: OrgCode::new("dali-city-market").unwrap(),
                role: role.to_owned(),
            }],
        }
    }

    #[test]
    fn a_role_counts_in_its_own_organisation_only_and_whole() {
        let market = OrgCode::new("dali-city-market").unwrap();
        let other = OrgCode::new("dali-city").unwrap();
        let actor = officer("registrar");
        assert!(require(&actor, &market, "registrar").is_ok());
        for (org, role) in [(&other, "registrar"), (&market, "regist"), (&market, ""), (&market, "approver")]
        {
            let refused = require(&actor, org, role).unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.code), (403, "identity.no_such_post"));
        }
    }

    #[test]
    fn nobody_but_an_officer_holds_a_post() {
        let market = OrgCode::new("dali-city-market").unwrap();
        let (account, subject) =
            (AccountId::from_uuid(Uuid::from_u128(1)), SubjectId::from_uuid(Uuid::from_u128(2)));
        for actor in [
            Actor::Anonymous,
            Actor::Node,
            Actor::Citizen { account, subject, on_behalf_of: None },
            Actor::Auditor { account, subject },
            Actor::Administrator { account, subject },
        ] {
            assert!(holds(&actor, &market, "registrar").is_none());
        }
    }
}
