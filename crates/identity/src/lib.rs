//! People, organisations, posts, sign-in, sessions, delegations and authorisation.

pub mod accounts;
mod api;
pub mod authorize;
mod challenges;
pub mod delegations;
pub mod demo;
pub mod firms;
pub mod jobs;
mod migrations;
pub mod orgs;
mod pages;
pub mod people;
mod seal;
pub mod sessions;
pub mod sign_in;
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
