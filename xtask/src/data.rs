//! Makes the data tables of `crates/kernel` from the pinned npm packages.

/// Builds everything under `crates/kernel/data`.
pub(crate) fn build() -> anyhow::Result<()> {
    Ok(())
}
