//! `yiwang migrate`, `backup` and `restore`.

use std::io::Write;
use std::path::Path;

use anyhow::ensure;
use store::{Faults, Reads, backup};

use crate::config::Config;
use crate::node;

/// Opening the ledger brings it up to date.
pub(super) async fn migrate(config: &Config) -> anyhow::Result<bool> {
    let store = node::open_store(config, node::real_env(Faults::default())).await?;
    let applied = store.read().count("SELECT COUNT(*) AS n FROM store_migration", vec![]).await?;
    writeln!(std::io::stdout(), "{}: {applied} migrations are applied", store.database_name())?;
    Ok(true)
}

/// Writes the backup while the node may be running.
pub(super) async fn backup(config: &Config, file: &Path) -> anyhow::Result<bool> {
    let store = node::open_existing(config, node::real_env(Faults::default())).await?;
    let manifest = backup::backup(&store, file).await?;
    let rows: u64 = manifest.tables.values().sum();
    writeln!(
        std::io::stdout(),
        "{}: {} tables, {rows} rows, {} files\nKeep the root key too, apart from the backup: {}",
        file.display(),
        manifest.tables.len(),
        manifest.files,
        config.root_key.display()
    )?;
    Ok(true)
}

/// Fills an empty node; refuses one that holds people already.
pub(super) async fn restore(config: &Config, file: &Path) -> anyhow::Result<bool> {
    let store = node::open_store(config, node::real_env(Faults::default())).await?;
    let people = store.read().count("SELECT COUNT(*) AS n FROM identity_person", vec![]).await?;
    ensure!(people == 0, "this node holds people already; restore into an empty data folder");
    let manifest = backup::restore(&store, file).await?;
    store.close().await?;
    // Opening it again proves that the root key fits the restored key ring.
    let store = node::open_store(config, node::real_env(Faults::default())).await?;
    let report = store::verify::verify(&store).await?;
    let rows: u64 = manifest.tables.values().sum();
    writeln!(
        std::io::stdout(),
        "{rows} rows and {} files are back; the audit log has {} findings",
        manifest.files,
        report.findings.len()
    )?;
    Ok(report.findings.is_empty())
}
