//! Ids, codes, working days, legal clocks, time and actors: pure, no I/O.
//!
//! Everything above this crate speaks in these types. They hold three promises:
//!
//! - **Time and randomness are parameters.** [`time::Clock`] and [`entropy::Entropy`] come from the caller;
//!   a rule that read the wall clock could be neither tested nor replayed.
//! - **A value that exists is valid.** A [`citizen_id::CitizenId`] or a [`uscc::Uscc`] can only be made by
//!   its checks, so no later code checks it again.
//! - **The kernel does not guess.** A date beyond the calendar, a region that never was, a number with a
//!   wrong check digit are errors with a stable public code ([`error::Coded`]).
//!
//! The tables of divisions and working days are built by `cargo xtask data` and embedded; `data/PROVENANCE.md`
//! says where they come from.

pub mod actor;
pub mod calendar;
pub mod case_no;
pub mod check;
pub mod citizen_id;
pub mod division;
pub mod entropy;
pub mod error;
pub mod ids;
pub mod item_code;
pub mod legal_clock;
pub mod licence_id;
pub mod money;
pub mod time;
pub mod uscc;
