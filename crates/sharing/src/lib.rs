//! Data sharing: resources, loading, and the doors through which a grant is used.

pub mod demo;
