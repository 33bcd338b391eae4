//! People, organisations, posts, sign-in, sessions, delegations and authorisation.
//!
//! Who somebody is ([`people`], [`firms`], [`subjects`]), as what they sign in ([`accounts`], [`sign_in`],
//! [`sessions`], [`tokens`]), what post they hold ([`orgs`]), for whom they may act ([`delegations`]), and the
//! questions that other crates ask of all that ([`authorize`]).
//!
//! # Invariants
//!
//! - Names, numbers, addresses and the secrets of second factors are encrypted; equality goes through a
//!   blind index. Of passwords, sessions and tokens only hashes are kept.
//! - An unknown login costs the same work and gets the same answer as a wrong password.
//! - A code of a second factor opens once, and so does each step of a sign-in.
//! - Whoever sees the data of others shows two factors: officers, auditors, administrators.
//! - A right to act for somebody is looked up at every request, so that taking it back works at once.
//! - Every sign-in, every failed one, every change of a right or an account is in the audit log, and in the
//!   data footprint of whom it concerns.
//!
//! # Tables
//!
//! By `subject_id`: `identity_person`, `identity_firm`, `identity_account`, `identity_passkey`,
//! `identity_link`, `identity_session`, `identity_holding`, `identity_delegation`. Small or short-lived:
//! `identity_challenge`, `identity_provider`, `identity_token`, `identity_org`, `identity_post`,
//! `identity_village`.
//!
//! # Events
//!
//! None in, none out: others ask by direct calls.
//!
//! # Jobs
//!
//! `identity.expire_sessions`: forgets sessions and half-done sign-ins that are over.

pub mod accounts;
pub mod api;
pub mod authorize;
mod challenges;
pub mod delegations;
pub mod demo;
pub mod firms;
pub mod footprint;
pub mod jobs;
mod migrations;
pub mod orgs;
mod pages;
pub mod people;
pub mod problem;
mod seal;
pub mod sessions;
pub mod sign_in;
pub mod staff;
pub mod subjects;
pub mod tokens;
pub mod totp;

pub use migrations::MIGRATIONS;

/// Pages of this crate.
#[derive(rust_embed::RustEmbed)]
#[folder = "templates"]
pub struct Templates;

/// Texts of this crate.
#[derive(rust_embed::RustEmbed)]
#[folder = "locales"]
pub struct Locales;

/// Every route of this crate, pages and API; both count tries to sign in together.
pub fn routes() -> web::Routes {
    let limits = sign_in::Limits::default();
    pages::routes(&limits).merge(api::routes(&limits))
}

/// The description of this crate's API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    <api::Description as utoipa::OpenApi>::openapi()
}
