//! People, organisations, posts, sign-in, sessions, delegations and authorisation.

pub mod authorize;
pub mod delegations;
pub mod firms;
mod migrations;
pub mod orgs;
pub mod people;
pub mod subjects;

pub use migrations::MIGRATIONS;
