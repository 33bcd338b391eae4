//! The binary yiwang: configuration, router, wiring and commands.
