//! `yiwang import divisions`: villages, which are too many to ship; `yiwang import table`: into the lake.

mod table;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::Context;
use kernel::division::Divisions;
use store::{Faults, Reads, params};

pub(super) use self::table::{TableArgs, table};
use crate::config::Config;
use crate::node;

/// Rows written in one transaction.
const BATCH: usize = 2_000;

/// Reads a CSV of villages; every line that is no village of a known township is named and left out.
pub(super) async fn divisions(config: &Config, file: &Path) -> anyhow::Result<bool> {
    let store = node::open_store(config, node::real_env(Faults::default())).await?;
    let known = Divisions::embedded();
    let reader = BufReader::new(
        std::fs::File::open(file).with_context(|| format!("`{}` cannot be read", file.display()))?,
    );
    let mut out = std::io::stdout();
    let (mut rows, mut refused) = (Vec::new(), 0_u64);
    for (number, line) in reader.lines().enumerate() {
        let line = line?;
        let mut cells = line.split(',').map(|cell| cell.trim().trim_matches('"'));
        let (Some(code), Some(name)) = (cells.next(), cells.next()) else { continue };
        if number == 0 && code == "code" {
            continue;
        }
        match township_of(code, known) {
            Some(township) if !name.is_empty() && name.chars().count() <= 60 => {
                rows.push((code.to_owned(), township, name.to_owned()));
            }
            _ => {
                refused += 1;
                if refused <= 20 {
                    writeln!(out, "line {}: `{code}` is no village of a known township", number + 1)?;
                }
            }
        }
    }
    let total = rows.len();
    for (number, batch) in rows.chunks(BATCH).enumerate() {
        let tx = store.begin().await?;
        for (code, township, name) in batch {
            tx.execute(
                "INSERT INTO identity_village (code, township, name)
                 VALUES ($1, $2, $3)
                 ON CONFLICT (code) DO UPDATE SET township = excluded.township, name = excluded.name",
                params![code, township, name],
            )
            .await?;
        }
        tx.commit().await?;
        write!(out, "\r{} of {total}", (number * BATCH + batch.len()).min(total))?;
        out.flush()?;
    }
    let held = store.read().count("SELECT COUNT(*) AS n FROM identity_village", vec![]).await?;
    writeln!(out, "\n{total} villages read, {refused} lines refused, {held} villages held")?;
    Ok(refused == 0)
}

/// The township of a 12-digit village code, if it is known.
fn township_of(code: &str, known: &Divisions) -> Option<String> {
    if code.len() != 12 || !code.bytes().all(|byte| byte.is_ascii_digit()) || code.ends_with("000") {
        return None;
    }
    let township = code.get(..9)?;
    known.get(township.parse().ok()?)?;
    Some(township.to_owned())
}
