//! Licences in a ledger: their life, their renderings, their verification, their pages.
//!
//! One program, because each would be linked with all of typst.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod common;
mod life;
mod pages;
mod renderings;
mod texts;
mod verification;
