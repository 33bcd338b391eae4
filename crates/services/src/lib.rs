//! One-stop services (一网通办): what is offered, whether one may apply, and the way from a form to a case.

pub mod catalogue;
mod eligibility;
mod migrations;
pub mod model;
mod pages;

use rust_embed::RustEmbed;
use web::{Access, Routes};

pub use catalogue::publish;
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
    Routes::new()
        .get("/", Access::Public, pages::home)
        .get("/search", Access::Public, pages::search_page)
        .get("/items", Access::Public, pages::items_page)
        .get("/items/{id}", Access::Public, pages::guide_page)
        .get("/items/{id}/check", Access::Public, pages::check_page)
        .post("/items/{id}/check", Access::Public, pages::check_post)
}
