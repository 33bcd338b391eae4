//! Rules of the model, the ledger on both databases, pages and API over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

#[macro_use]
mod common;
mod ledger;
mod pages;
mod rules;
