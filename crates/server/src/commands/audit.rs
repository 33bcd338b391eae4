//! `yiwang audit verify`: was the log left as it was written?

use std::io::Write;

use store::Faults;

use crate::config::Config;
use crate::node;

/// Reads the whole log; false when a spot was changed.
pub(super) async fn verify(config: &Config) -> anyhow::Result<bool> {
    let store = node::open_existing(config, node::real_env(Faults::default())).await?;
    let report = store::verify::verify(&store).await?;
    let mut out = std::io::stdout().lock();
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }
    let verdict = if report.findings.is_empty() { "intact" } else { "CHANGED" };
    writeln!(
        out,
        "{} entries, {} signed heads, {} findings: the audit log is {verdict}",
        report.leaves,
        report.heads,
        report.findings.len()
    )?;
    Ok(report.findings.is_empty())
}
