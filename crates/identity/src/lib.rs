//! People, organisations, posts, sign-in, sessions, delegations and authorisation.

pub mod accounts;
pub mod authorize;
mod challenges;
pub mod delegations;
pub mod firms;
mod migrations;
pub mod orgs;
pub mod people;
mod seal;
pub mod sessions;
pub mod sign_in;
pub mod subjects;
pub mod tokens;
pub mod totp;

pub use migrations::MIGRATIONS;
