//! Services on both databases: guides, forms, drafts, submissions and bookings, by page and by API.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests stop at the first surprise"
)]

mod apply;
mod bookings;
mod common;
mod guide;
mod pages;
mod run;
mod search;
