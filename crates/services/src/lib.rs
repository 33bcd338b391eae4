//! One-stop services (一网通办): what is offered, whether one may apply, and the way from a form to a case.
//!
//! # Invariants
//!
//! - An application stays on the version of its item that it began with; versions are never changed.
//! - One draft becomes at most one case, and a seat is never given twice, however many ask at once.
//! - What another person answers, nobody answers for them.
//! - What a register answers says where it comes from and as of when; nothing that the government holds is
//!   asked for.
//!
//! # Tables
//!
//! By `subject_id`: `services_draft`, `services_receipt`, `services_booking`, `services_invitation`,
//! `services_waiting`. For all: `services_item_version`, `services_slot`, `services_business_name`.
//!
//! # Events and jobs
//!
//! Out: none. In: `cases.concluded`, as the job `services.issue_result`. On time: `services.expire_holds`.

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
