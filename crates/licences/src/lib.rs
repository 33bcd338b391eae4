//! E-licences (电子证照): types, issue, presentation, verification and revocation.
//!
//! Whatever the government vouches for is a signed record of a declared type. A type is a file of the pack; a
//! licence is one canonical record ([`model::record`]) with three renderings that say the same: the PDF
//! ([`pdf`]), the SD-JWT VC of the INTL suite and the COSE message of the GM suite ([`document`]). Receipts
//! ([`receipt`]) are documents of the same make. [`verify`] checks all of them, offline.
//!
//! # Invariants
//!
//! - The history is the truth: the state of a licence is the fold of its events, and no event follows a
//!   revocation or an expiry ([`model::state`]).
//! - A field for the holder alone is in no record, no code and no file; a record holds a commitment to it.
//! - A one-time code is good once. A place in a status list is random and never reused.
//! - A verdict is "valid" only with genuine signatures, within the term, and for a licence with a fresh status
//!   list that speaks of it.
//! - Whoever looks at a licence is in the log that its holder reads.
//!
//! # Tables
//!
//! `licences_licence`, `licences_event`, `licences_term`, `licences_presentation`, `licences_use`,
//! `licences_copy` (keyed by the subject first); `licences_status_slot`, `licences_status_publication` (the status
//! lists are one for all, name nobody and are found by place).
//!
//! # Events and jobs
//!
//! Out: `licences.issued`, `licences.amended`, `licences.suspended`, `licences.restored`, `licences.revoked`,
//! `licences.expired`. In: none. Jobs: `licences.expire`.

pub mod actions;
pub mod api;
mod check_online;
pub mod document;
pub mod events;
pub mod jobs;
pub mod migrations;
pub mod model;
mod pages;
mod paperwork;
pub mod pdf;
mod problem;
pub mod qr;
pub mod receipt;
pub mod status;
pub mod store;
pub mod verify;

pub use migrations::MIGRATIONS;
pub use model::licence::{Licence, NewLicence, Registry, Standing};
pub use store::{find, find_by_id, find_by_identifier, find_valid, history, wallet_of};

/// Every page and every resource of the API.
pub fn routes() -> web::Routes {
    pages::routes().merge(api::routes())
}

/// The description of this crate's part of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    <api::Api as utoipa::OpenApi>::openapi()
}

/// The templates of this crate's pages.
#[derive(rust_embed::RustEmbed)]
#[folder = "templates"]
pub struct Templates;

/// The texts of this crate's pages.
#[derive(rust_embed::RustEmbed)]
#[folder = "locales"]
pub struct Locales;
