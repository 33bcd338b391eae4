//! What measurements and the tests beside them share.

pub mod tpch;
