//! Grants (授权): whoever may see data sees it through one.
//!
//! A grant says who, on whose authority, which resource in which versions, which columns and rows, what for, how
//! often, until when, in which environment, and with which duties. Approvals, contracts and agreements end in one;
//! every door of [`lake`] enforces it. What is not granted is refused, and so is what cannot be understood: an
//! unknown term, another version of the resource, a decision that cannot be reached.
//!
//! # Invariants
//!
//! - A grant never changes. Another scope is another grant; what happens to it is its history
//!   ([`model::state`]), and nothing follows a revocation or a refusal.
//! - Where the grade of the resource asks for it, whoever proposes a grant is not the one who approves it.
//! - A use counts before anything of the answer leaves, so that no crash makes it free.
//! - What a grant compiles to is a [`lake::Policy`] that fits the resource to its last term, or nothing.
//!
//! # Tables
//!
//! `grants_resource`, `grants_grant`, `grants_event`: small, whatever the number of people.

pub mod actions;
pub mod decide;
pub mod error;
pub mod migrations;
pub mod model;
pub mod resources;
pub mod store;

pub use decide::{Admitted, Ask, Refusal, decide};
pub use error::GrantError;
pub use migrations::MIGRATIONS;
pub use model::grant::Grant;
pub use model::terms::{Environment, Terms};
pub use resources::{Grade, Resource};
