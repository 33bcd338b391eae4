//! Content files: items, procedures, decision tables and their worked examples.

mod error;
pub mod expr;
pub mod model;
mod rules;
mod yaml;

pub use error::PackError;
pub use rules::{RuleError, Rules};
mod read;
mod shape;
mod words;
