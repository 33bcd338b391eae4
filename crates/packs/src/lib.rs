//! Content files: items, procedures, decision tables and their worked examples.
//!
//! What a civil servant owns is a YAML file with Chinese or English keys. [`Pack::load`] reads a
//! folder of them, names every mistake with file, line and column, and yields typed, compiled
//! content; each item, procedure and licence type is an immutable [`Version`] with a hash, from
//! which it can be compiled again when the files have long changed.
//!
//! Invariants: authors are not trusted (no markup, no scripts, no loops; sizes, depths and steps
//! are bounded); a statutory number is a dated rule row, never a literal in code; an item is
//! refused while one of its worked examples fails. No I/O but reading files.

mod error;
pub mod expr;
mod item;
mod lint;
pub mod model;
mod pack;
mod problem;
mod read;
mod rules;
pub mod schema;
mod shape;
pub mod table;
mod version;
mod words;
mod yaml;

pub use error::PackError;
pub use item::{FailedExample, Item, fact_type};
pub use pack::Pack;
pub use rules::{RuleError, Rules};
pub use version::{CompileError, Content, Version, Versioned, content_hash};
pub use words::KEYS;
