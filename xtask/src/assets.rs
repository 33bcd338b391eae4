//! Builds the style sheets and scripts of the pages from the pinned npm packages.

/// Builds everything under `crates/web/assets/dist`.
pub(crate) fn build() -> anyhow::Result<()> {
    Ok(())
}
