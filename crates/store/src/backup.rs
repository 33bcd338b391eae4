//! Backup and restore in one format for both databases.
//!
//! A backup is a gzipped tar: `manifest.json`, one JSON-lines file a table, the encrypted files, and the
//! heads of the audit log. It is read in one snapshot, so it is consistent while the node runs, and a
//! backup of a SQLite node can be restored into PostgreSQL. It does not hold the root key: keep that
//! elsewhere, without it nobody reads the personal fields.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::audit::CHECKPOINT_FILE;
use crate::{Reads, Row, Store, StoreError, Value, blobs, db};

const FORMAT: &str = "yiwang-backup/1";

/// Rows read or written at a time.
const PAGE: usize = 500;

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    format: String,
    /// When it was made.
    pub at: kernel::time::Timestamp,
    /// Rows by table.
    pub tables: BTreeMap<String, u64>,
    /// How many files of people it holds.
    pub files: u64,
}

struct Table {
    name: String,
    columns: Vec<(String, Kind)>,
    key: Vec<String>,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bigint,
    Bytes,
}

/// Writes a backup of the whole ledger to `path`.
pub async fn backup(store: &Store, path: &Path) -> Result<Manifest, StoreError> {
    let wrap = |error| StoreError::file(path, error);
    let draft = path.with_extension("part");
    let file = std::fs::File::create(&draft).map_err(wrap)?;
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::default()));
    // Before the snapshot, so that it knows every head of the file.
    let heads_path = store.data_dir().join(CHECKPOINT_FILE);
    let heads = match std::fs::read(&heads_path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(StoreError::file(&heads_path, error)),
    };
    let snapshot = store.snapshot().await?;
    let mut manifest =
        Manifest { format: FORMAT.to_owned(), at: store.env().now(), tables: BTreeMap::new(), files: 0 };
    for table in tables(store).await? {
        let mut lines = Vec::new();
        let mut count = 0_u64;
        loop {
            let rows = snapshot.rows(&table.select(count), vec![]).await?;
            for row in &rows {
                serde_json::to_writer(&mut lines, &table.to_json(row)?)?;
                lines.push(b'\n');
            }
            count += rows.len() as u64;
            if rows.len() < PAGE {
                break;
            }
        }
        add(&mut archive, &format!("tables/{}.jsonl", table.name), &lines).map_err(wrap)?;
        manifest.tables.insert(table.name, count);
    }
    drop(snapshot);
    let folder = blobs::folder(store.data_dir());
    for blob in blobs::files(&folder)? {
        let bytes = std::fs::read(&blob).map_err(|error| StoreError::file(&blob, error))?;
        let name = blob.strip_prefix(&folder).unwrap_or(&blob);
        add(&mut archive, &format!("blobs/{}", name.display()), &bytes).map_err(wrap)?;
        manifest.files += 1;
    }
    if let Some(heads) = heads {
        add(&mut archive, CHECKPOINT_FILE, &heads).map_err(wrap)?;
    }
    add(&mut archive, "manifest.json", &serde_json::to_vec_pretty(&manifest)?).map_err(wrap)?;
    let mut file = archive.into_inner().and_then(flate2::write::GzEncoder::finish).map_err(wrap)?;
    file.flush().and_then(|()| file.sync_all()).map_err(wrap)?;
    std::fs::rename(&draft, path).map_err(wrap)?;
    Ok(manifest)
}

/// Fills a freshly opened, empty ledger from a backup. The caller closes and opens it again afterwards, so
/// that the restored key ring is loaded.
pub async fn restore(store: &Store, path: &Path) -> Result<Manifest, StoreError> {
    let wrap = |error| StoreError::file(path, error);
    let known: BTreeMap<String, Table> =
        tables(store).await?.into_iter().map(|table| (table.name.clone(), table)).collect();
    let tx = store.begin().await?;
    for table in known.values() {
        // What a freshly opened ledger made for itself gives way: its migrations and its key ring.
        tx.execute(&format!("DELETE FROM {}", table.name), vec![]).await?;
    }
    let file = std::fs::File::open(path).map_err(wrap)?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(BufReader::new(file)));
    let mut manifest = None;
    let mut counted = BTreeMap::new();
    for entry in archive.entries().map_err(wrap)? {
        let mut entry = entry.map_err(wrap)?;
        let name = entry.path().map_err(wrap)?.display().to_string();
        if name.split('/').any(|part| part == "..") || name.starts_with('/') {
            return Err(StoreError::Config(format!("the backup holds a path that leads outside: `{name}`")));
        }
        if let Some(table) = name.strip_prefix("tables/").and_then(|name| name.strip_suffix(".jsonl")) {
            let table = known.get(table).ok_or_else(|| {
                StoreError::Config(format!("the backup is of a newer version: it holds a table `{table}`"))
            })?;
            let mut count = 0_u64;
            for line in BufReader::new(&mut entry).lines() {
                let object: Map<String, Json> = serde_json::from_str(&line.map_err(wrap)?)?;
                let (sql, values) = table.insert(&object)?;
                tx.execute(&sql, values).await?;
                count += 1;
            }
            counted.insert(table.name.clone(), count);
        } else if name == "manifest.json" {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(wrap)?;
            manifest = Some(serde_json::from_str::<Manifest>(&text)?);
        } else {
            let target = store.data_dir().join(&name);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent).map_err(|error| StoreError::file(parent, error))?;
            }
            entry.unpack(&target).map_err(|error| StoreError::file(&target, error))?;
        }
    }
    let manifest = manifest
        .filter(|manifest| manifest.format == FORMAT)
        .ok_or_else(|| StoreError::Config("this is no backup of a node, or it was cut short".to_owned()))?;
    if manifest.tables != counted {
        return Err(StoreError::Config("the backup does not hold the rows that it promises".to_owned()));
    }
    tx.commit().await?;
    Ok(manifest)
}

async fn tables(store: &Store) -> Result<Vec<Table>, StoreError> {
    let inner = store.inner();
    let rows = db::rows(&inner.readers, inner.dialect, inner.dialect.columns_sql(), vec![]).await?;
    let mut tables: Vec<Table> = Vec::new();
    let mut keys: BTreeMap<(String, i64), String> = BTreeMap::new();
    for row in rows {
        let table: String = row.get("table_name")?;
        let column: String = row.get("column_name")?;
        let kind = match row.get::<String>("kind")?.as_str() {
            "text" => Kind::Text,
            "bytes" => Kind::Bytes,
            _ => Kind::Bigint,
        };
        let position: i64 = row.get("key_position")?;
        if position > 0 {
            keys.insert((table.clone(), position), column.clone());
        }
        match tables.last_mut() {
            Some(last) if last.name == table => last.columns.push((column, kind)),
            _ => tables.push(Table { name: table, columns: vec![(column, kind)], key: Vec::new() }),
        }
    }
    for table in &mut tables {
        table.key = keys
            .iter()
            .filter(|((name, _), _)| *name == table.name)
            .map(|(_, column)| column.clone())
            .collect();
    }
    Ok(tables)
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn select(&self, offset: u64) -> String {
        let order = if self.key.is_empty() { self.names() } else { self.key.join(", ") };
        format!("SELECT {} FROM {} ORDER BY {order} LIMIT {PAGE} OFFSET {offset}", self.names(), self.name)
    }

    fn to_json(&self, row: &Row) -> Result<Json, StoreError> {
        let mut object = Map::new();
        for (name, kind) in &self.columns {
            let value = match kind {
                Kind::Text => row.get::<Option<String>>(name)?.map(Json::from),
                Kind::Bigint => row.get::<Option<i64>>(name)?.map(Json::from),
                Kind::Bytes => row.get::<Option<Vec<u8>>>(name)?.map(|bytes| Json::from(hex::encode(bytes))),
            };
            object.insert(name.clone(), value.unwrap_or(Json::Null));
        }
        Ok(Json::Object(object))
    }

    fn insert(&self, object: &Map<String, Json>) -> Result<(String, Vec<Value>), StoreError> {
        let mut values = Vec::new();
        for (name, kind) in &self.columns {
            let bad = || StoreError::Column { column: name.clone(), reason: "not readable".to_owned() };
            let value = object.get(name).unwrap_or(&Json::Null);
            values.push(match kind {
                Kind::Text => Value::from(value.as_str().map(str::to_owned)),
                Kind::Bigint => Value::from(value.as_i64()),
                Kind::Bytes => Value::from(value.as_str().map(hex::decode).transpose().map_err(|_| bad())?),
            });
        }
        let marks: Vec<String> = (1..=values.len()).map(|number| format!("${number}")).collect();
        Ok((format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.names(), marks.join(", ")), values))
    }
}

fn add<W: Write>(archive: &mut tar::Builder<W>, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    header.set_cksum();
    archive.append_data(&mut header, name, bytes)
}
