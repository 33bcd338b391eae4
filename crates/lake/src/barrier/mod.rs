//! The barrier between an asker's SQL and a table: one provider, below which only the policy acts.
//!
//! Below the fence, in this order: the files, the row rule with those predicates of the asker that cannot fail
//! ([`leakproof`]), the masks and the projection. Above it: the asker's SQL. A view cannot hold this line, and
//! neither can a barrier of the logical plan alone: the physical optimiser puts the asker's predicate in front of
//! the view's.

pub(crate) mod fence;
pub(crate) mod governed;
pub(crate) mod keys;
mod leakproof;
pub(crate) mod masks;
pub(crate) mod rules;

pub(crate) use rules::days;
