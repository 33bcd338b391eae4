//! Data sharing: resources, loading, and the doors through which a grant is used.

pub mod keys;
mod migrations;
pub mod wire;

pub use migrations::MIGRATIONS;
