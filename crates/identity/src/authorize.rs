//! Whether an officer may: a post with the right role in the right organisation, or nothing.

use kernel::actor::{Actor, PostHolding};
use kernel::ids::OrgCode;
use web::Problem;

/// The post by which `actor` may act as `role` in `org`, if they hold one.
pub fn holds<'a>(actor: &'a Actor, org: &OrgCode, role: &str) -> Option<&'a PostHolding> {
    actor.posts().iter().find(|held| held.org == *org && held.role == role)
}

/// As [`holds`], or the refusal. Deny is the default: an unknown role is nobody's.
pub fn require<'a>(actor: &'a Actor, org: &OrgCode, role: &str) -> Result<&'a PostHolding, Problem> {
    holds(actor, org, role).ok_or_else(|| Problem::forbidden("access.no_such_post"))
}
