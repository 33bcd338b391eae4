//! Whether the files of a table are what its log says: a file that is missing, cut or of another size, and an entry of
//! the log that is cut or missing, is named.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use serde_json::Value;

use crate::delta::{DataFile, Snapshot};
use crate::place::unreachable_files;
use crate::sources::{self, Source};
use crate::{Lake, LakeError, Table, TableId};

/// Under this key each entry that we write says how many lines it has.
pub(crate) const LINES: &str = "yiwangLines";
/// What every Parquet file ends with.
const MAGIC: &[u8] = b"PAR1";

/// Something that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What it is: a file, the log, an inbox.
    pub what: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.reason)
    }
}

impl std::error::Error for Damage {}

/// Everything that is wrong with a table; empty if it is whole. Looks at the log, and at the size and the end of each
/// file, not at every row.
pub async fn check(lake: &Lake, table: &Table) -> Result<Vec<Damage>, LakeError> {
    let mut found = log(lake, &table.id).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    let snapshot = Snapshot::load(lake, table).await?;
    let compacted = sources::compacted(lake, &table.id).await?;
    let had = match &snapshot {
        Some(snapshot) => snapshot.seq(sources::LEDGER).await?,
        None => 0,
    };
    if had < compacted {
        found.push(Damage {
            what: format!("the log of `{}`", table.id),
            reason: format!("ends at batch {had}, though it had {compacted}"),
        });
    }
    match Source::Ledger.check(lake, &table.id, had).await {
        Err(LakeError::Damaged(damage)) => found.push(damage),
        other => other?,
    }
    if let Some(snapshot) = snapshot {
        for file in snapshot.files()? {
            found.extend(of_file(lake, &file).await?);
        }
    }
    Ok(found)
}

async fn of_file(lake: &Lake, file: &DataFile) -> Result<Option<Damage>, LakeError> {
    let damage = |reason: String| Ok(Some(Damage { what: format!("file `{}`", file.path), reason }));
    let store = lake.files().store();
    let size = match store.head(&file.path).await {
        Ok(found) => found.size,
        Err(object_store::Error::NotFound { .. }) => return damage("is missing".to_owned()),
        Err(error) => return Err(unreachable_files(&error)),
    };
    if size != file.size {
        return damage(format!("has {size} bytes instead of {}", file.size));
    }
    let end = store.get_range(&file.path, size.saturating_sub(4)..size).await;
    if end.map_err(|error| unreachable_files(&error))? != MAGIC {
        return damage("does not end like a Parquet file".to_owned());
    }
    Ok(None)
}

/// What is wrong with the log of a table.
pub(crate) async fn log(lake: &Lake, table: &TableId) -> Result<Vec<Damage>, LakeError> {
    let store = lake.files().store();
    let folder = lake.files().path_of(table).join("_delta_log");
    let listed: Vec<_> =
        store.list(Some(&folder)).try_collect().await.map_err(|error| unreachable_files(&error))?;
    let mut entries = BTreeMap::new();
    let mut checkpoint = None;
    for object in listed {
        let name = object.location.filename().unwrap_or_default();
        let Some((version, rest)) = name.split_once('.') else { continue };
        let Ok(version) = version.parse::<u64>() else { continue };
        match rest {
            "json" => {
                entries.insert(version, object.location.clone());
            }
            rest if rest.starts_with("checkpoint") => checkpoint = checkpoint.max(Some(version)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let mut wanted = checkpoint.map_or(0, |version| version + 1);
    for (version, path) in entries {
        if checkpoint.is_some_and(|checkpoint| version <= checkpoint) {
            continue;
        }
        for missing in wanted..version {
            found.push(Damage { what: format!("`{folder}`"), reason: format!("has no entry {missing}") });
        }
        wanted = version + 1;
        let bytes = async { store.get(&path).await?.bytes().await }.await;
        let bytes = bytes.map_err(|error| unreachable_files(&error))?;
        if let Err(reason) = entry(&bytes) {
            found.push(Damage { what: format!("entry `{path}`"), reason });
        }
    }
    Ok(found)
}

/// Whether an entry is whole.
fn entry(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not text".to_owned())?;
    let mut lines = 0_u64;
    let mut said = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        lines += 1;
        let action: Value = serde_json::from_str(line).map_err(|_| format!("is cut in line {lines}"))?;
        if let Some(number) = action.get("commitInfo").and_then(|info| info.get(LINES)).and_then(Value::as_u64) {
            said = Some(number);
        }
    }
    match said {
        Some(said) if said != lines => Err(format!("has {lines} lines instead of {said}")),
        _ if lines == 0 => Err("is empty".to_owned()),
        _ => Ok(()),
    }
}
