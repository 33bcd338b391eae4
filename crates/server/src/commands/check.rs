//! `yiwang check`: are the content files sound?

use std::io::Write;
use std::path::Path;

use packs::Pack;

/// Reads everything and prints every mistake; false when there was one.
pub(super) fn check(folder: &Path) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match Pack::load(folder) {
        Ok(pack) => {
            let items = pack.items().count();
            writeln!(out, "{}: {items} items, everything is sound", folder.display())?;
            Ok(true)
        }
        Err(errors) => {
            for error in &errors {
                writeln!(out, "{error}")?;
            }
            writeln!(out, "{} mistakes", errors.len())?;
            Ok(false)
        }
    }
}
