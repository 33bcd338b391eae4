//! One-stop services (一网通办): what is offered, whether one may apply, and the way from a form to a case.

pub mod actions;
mod api;
pub mod catalogue;
pub mod demo;
mod eligibility;
mod error;
pub mod jobs;
mod migrations;
pub mod model;
mod outside;
mod pages;
mod store;

use rust_embed::RustEmbed;
use web::Routes;

pub use catalogue::publish;
pub use error::ServiceError;
pub use migrations::MIGRATIONS;

/// The pages of this crate.
#[derive(RustEmbed)]
#[folder = "templates"]
pub struct Templates;

/// The texts of this crate.
#[derive(RustEmbed)]
#[folder = "locales"]
pub struct Locales;

/// Every route of this crate.
pub fn routes() -> Routes {
    pages::routes().merge(api::routes())
}

/// The description of this crate's API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    <api::Description as utoipa::OpenApi>::openapi()
}
