//! Whether the files of a table are what its log says: a file that is missing, cut or of another size, and an entry of
//! the log that is cut or missing, is named.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::PoisonError;

use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use serde_json::Value;

use crate::delta::{DataFile, Snapshot};
use crate::place::unreachable_files;
use crate::{Lake, LakeError, Table, TableId};

/// Under this key each entry that we write says how many lines it has.
pub(crate) const LINES: &str = "yiwangLines";
/// What every Parquet file ends with.
const MAGIC: &[u8] = b"PAR1";

/// How many entries a process remembers to have looked at.
const MOST_CHECKED: usize = 100_000;

/// An entry of a log as it was when it was found whole.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    path: String,
    size: u64,
    at: i64,
}

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
    for source in lake.sources() {
        // The log is read anew, so that it is not behind what the ledger says of it.
        let damage = match source.standing(lake, &table.id).await {
            Ok(Some(standing)) => {
                let had = match Snapshot::load(lake, table).await? {
                    Some(snapshot) => snapshot.seq(&standing.name).await?,
                    None => 0,
                };
                source.check(lake, &table.id, &standing, had).await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match damage {
            Err(LakeError::Damaged(damage)) => found.push(damage),
            other => other?,
        }
    }
    let snapshot = Snapshot::load(lake, table).await?;
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

/// Whether a table has a log; an error if the log is not whole. Each entry is looked at once by a process, and again if
/// it changed.
pub(crate) async fn has_log(lake: &Lake, table: &TableId) -> Result<bool, LakeError> {
    let (entries, damages) = examine(lake, table).await?;
    match damages.into_iter().next() {
        Some(damage) => Err(LakeError::Damaged(damage)),
        None => Ok(entries > 0),
    }
}

/// What is wrong with the log of a table.
async fn log(lake: &Lake, table: &TableId) -> Result<Vec<Damage>, LakeError> {
    Ok(examine(lake, table).await?.1)
}

/// How many entries and checkpoints a log has, and what is wrong with it.
async fn examine(lake: &Lake, table: &TableId) -> Result<(usize, Vec<Damage>), LakeError> {
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
                entries.insert(version, object);
            }
            rest if rest.starts_with("checkpoint") => checkpoint = checkpoint.max(Some(version)),
            _ => {}
        }
    }
    let number = entries.len() + usize::from(checkpoint.is_some());
    let mut found = Vec::new();
    let mut wanted = checkpoint.map_or(0, |version| version + 1);
    for (version, object) in entries {
        if checkpoint.is_some_and(|checkpoint| version <= checkpoint) {
            continue;
        }
        for missing in wanted..version {
            found.push(Damage { what: format!("`{folder}`"), reason: format!("has no entry {missing}") });
        }
        wanted = version + 1;
        let path = object.location;
        let seen =
            Entry { path: path.to_string(), size: object.size, at: object.last_modified.timestamp_micros() };
        if lake.checked().lock().unwrap_or_else(PoisonError::into_inner).contains(&seen) {
            continue;
        }
        let bytes = match async { store.get(&path).await?.bytes().await }.await {
            // It was older than a checkpoint that came meanwhile.
            Err(object_store::Error::NotFound { .. }) => continue,
            bytes => bytes.map_err(|error| unreachable_files(&error))?,
        };
        if let Err(reason) = entry(&bytes) {
            found.push(Damage { what: format!("entry `{path}`"), reason });
            continue;
        }
        let mut checked = lake.checked().lock().unwrap_or_else(PoisonError::into_inner);
        if checked.len() >= MOST_CHECKED {
            checked.clear();
        }
        checked.insert(seen);
    }
    Ok((number, found))
}

/// Whether an entry is whole.
fn entry(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not text".to_owned())?;
    let mut lines = 0_u64;
    let mut said = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        lines += 1;
        let action: Value = serde_json::from_str(line).map_err(|_| format!("is cut in line {lines}"))?;
        if let Some(number) =
            action.get("commitInfo").and_then(|info| info.get(LINES)).and_then(Value::as_u64)
        {
            said = Some(number);
        }
    }
    match said {
        Some(said) if said != lines => Err(format!("has {lines} lines instead of {said}")),
        _ if lines == 0 => Err("is empty".to_owned()),
        _ => Ok(()),
    }
}
