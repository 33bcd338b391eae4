//! Data sharing (一网共享): the doors through which a grant is used, and what each use leaves behind.
//!
//! A door (the console, the REST interface, the PostgreSQL wire, a file) takes who asks, what for and in which case,
//! opens a [`uses::Desk`] with what the grants admit at this moment, and runs statements on it. Whatever door it was,
//! the use is the same: counted on the grant, told to the persons concerned, and kept as a receipt in the audit log.
//!
//! # Invariants
//!
//! - No row leaves before its use is on disk: an answer that is read whole is written down first; one that is sent
//!   piece by piece is written down as begun before its first piece.
//! - A refused statement leaves a receipt as well.
//! - Nobody's data is used for them unseen: whoever's rows passed the barrier finds the use in the data footprint,
//!   one by one, or as a bulk use of a resource that holds their row.
//!
//! # Tables
//!
//! `sharing_key` (access keys), `sharing_lineage`, `sharing_loading` (what stewards load), `sharing_use`, `sharing_use_resource` (by resource; they name nobody whose data it is).

pub mod api;
pub mod demo;
pub mod jobs;
pub mod keys;
pub mod loads;
pub mod migrations;
mod pages;
mod problem;
pub mod receipt;
pub mod records;
pub mod seed;
pub mod uses;
pub mod watermark;
pub mod wire;

pub use migrations::MIGRATIONS;
pub use uses::State;

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
