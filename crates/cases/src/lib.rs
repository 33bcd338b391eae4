//! The closed loop: procedures, stages, legal clocks, queues, supervision and ratings.
//!
//! Whatever must be closed is a case (办件). A case is a chain of events; [`model::Case`] is folded from
//! them, and every transition is a method of it that the law's order of stages and the procedure's file
//! allow or refuse with a stable code.
//!
//! # Invariants
//!
//! - `cases_event` is the only truth. Every column of `cases_case`, `cases_rating` and `cases_card` can be
//!   computed from it, and a test does.
//! - Two who act at once on one case: exactly one wins, by the key `(subject_id, case_id, seq)` and the number
//!   of events that each had seen.
//! - A due date is a pure function of events, rule and calendar. A light depends on dates that are kept, so it
//!   is right without any sweep.
//! - Four eyes, one's own affair and the officers of the case that another looks at are refused in the action,
//!   whatever a page shows.
//! - Events and names are encrypted; every view by an officer leaves an audit entry about the person.
//!
//! # Tables
//!
//! `cases_event`, `cases_case`, `cases_rating`, `cases_card` (all by `subject_id`), `cases_procedure`.
//!
//! # Events
//!
//! Out: `cases.opened`, `cases.accepted`, `cases.correction_asked`, `cases.concluded`, `cases.delivered`,
//! `cases.rated`, each with [`events::CaseTold`]. In: none; [`actions::deliver`] is called when the result of a
//! concluded case was made.
//!
//! # Jobs
//!
//! `cases.sweep`: deemed acceptances, cards, archiving. It looks at dates, so that a day switched off misses
//! nothing.

pub mod actions;
pub mod api;
mod colleagues;
pub mod document;
mod error;
pub mod events;
pub mod export;
mod files;
pub mod jobs;
mod migrations;
pub mod model;
mod pages;
pub mod queue;
mod store;
pub mod supervision;
mod view;

pub use error::ActionError;
pub use migrations::MIGRATIONS;
pub use store::{CaseKey, Loaded, find, keep_procedures, key_of, rebuild};
pub use view::{clock, due_text, light_word, stage_pill};

/// Pages of this crate.
#[derive(rust_embed::RustEmbed)]
#[folder = "templates"]
pub struct Templates;

/// Texts of this crate.
#[derive(rust_embed::RustEmbed)]
#[folder = "locales"]
pub struct Locales;

/// Every route of this crate, pages and API.
pub fn routes() -> web::Routes {
    pages::routes().merge(api::routes())
}

/// The description of this crate's API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    <api::Description as utoipa::OpenApi>::openapi()
}
