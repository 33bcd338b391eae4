//! The binary yiwang: configuration, router, wiring and commands.
//!
//! [`wiring`] lists every reaction of one part of the house to another; [`router`] lists the parts that
//! answer requests; [`node`] puts them together; [`commands`] is what an operator types.

pub mod commands;
pub mod config;
pub mod node;
pub mod router;
pub mod wiring;
pub mod worker;
