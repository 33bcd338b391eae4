//! Files that people attach: encrypted in the data folder, found by the hash of their plain bytes.
//!
//! The file is written and synced before the row that names it commits. A crash between the two leaves a
//! file without a row, which [`sweep`] removes; never a row without its file.

use std::io::Write;
use std::path::{Path, PathBuf};

use crypto::field::FieldContext;
use kernel::ids::{BlobId, SubjectId};
use kernel::time::Timestamp;

use crate::{Reads, Store, StoreError, Tx, params};

pub(crate) const TABLE: &str = "CREATE TABLE store_blob (
    subject_id TEXT NOT NULL,
    blob_id TEXT NOT NULL,
    sm3 TEXT NOT NULL,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    name {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (subject_id, blob_id)
)";

/// A file that is on disk but not yet in the ledger.
#[derive(Debug)]
pub struct Written {
    id: BlobId,
    subject: SubjectId,
    sm3: String,
    size: u64,
}

crate::row! {
    struct BlobRow {
        subject_id: SubjectId, blob_id: BlobId, sm3: String, size: i64, media_type: String,
        name: Vec<u8>, created_at: Timestamp,
    }
}

/// What the ledger knows of a file.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its id.
    pub id: BlobId,
    /// Whose it is.
    pub subject: SubjectId,
    /// SM3 of the plain bytes, hex.
    pub sm3: String,
    /// Plain size in bytes.
    pub size: u64,
    /// The media type that its bytes were found to be.
    pub media_type: String,
    /// The name it was given, for display only.
    pub name: String,
    /// When it came.
    pub created_at: Timestamp,
}

/// Encrypts `bytes` for `subject` and writes them to disk. Do this before beginning the write.
pub async fn write(store: &Store, subject: SubjectId, bytes: Vec<u8>) -> Result<Written, StoreError> {
    let env = store.env();
    let id = BlobId::generate(&*env.clock, &*env.entropy);
    let sm3 = hex::encode(crypto::hash::sm3(&bytes));
    let size = bytes.len() as u64;
    let path = path_of(store.data_dir(), id);
    let owner = subject.to_string();
    let sealed = store.cipher().encrypt(&context(&owner), &bytes, &*env.entropy);
    tokio::task::spawn_blocking(move || write_synced(&path, &sealed))
        .await
        .map_err(|error| StoreError::Commit(error.to_string()))??;
    Ok(Written { id, subject, sm3, size })
}

/// Names a written file in the ledger.
pub async fn attach(tx: &Tx, written: Written, media_type: &str, name: &str) -> Result<Blob, StoreError> {
    let store = tx.store();
    let env = store.env();
    let owner = written.subject.to_string();
    let sealed_name = store.cipher().encrypt(&name_context(&owner), name.as_bytes(), &*env.entropy);
    let now = env.now();
    tx.execute(
        "INSERT INTO store_blob (subject_id, blob_id, sm3, size, media_type, name, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            written.subject,
            written.id,
            &written.sm3,
            i64::try_from(written.size).unwrap_or(i64::MAX),
            media_type,
            sealed_name,
            now
        ],
    )
    .await?;
    Ok(Blob {
        id: written.id,
        subject: written.subject,
        sm3: written.sm3,
        size: written.size,
        media_type: media_type.to_owned(),
        name: name.to_owned(),
        created_at: now,
    })
}

/// What the ledger knows of `id`, if it belongs to `subject`.
pub async fn find(db: &impl Reads, subject: SubjectId, id: BlobId) -> Result<Option<Blob>, StoreError> {
    let row: Option<BlobRow> = db
        .optional(
            "SELECT subject_id, blob_id, sm3, size, media_type, name, created_at
               FROM store_blob
              WHERE subject_id = $1 AND blob_id = $2",
            params![subject, id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let owner = row.subject_id.to_string();
    let name = db
        .store()
        .cipher()
        .decrypt(&name_context(&owner), &row.name)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    Ok(Some(Blob {
        id: row.blob_id,
        subject: row.subject_id,
        sm3: row.sm3,
        size: u64::try_from(row.size).unwrap_or(0),
        media_type: row.media_type,
        name: String::from_utf8_lossy(&name).into_owned(),
        created_at: row.created_at,
    }))
}

/// The plain bytes, checked against the hash in the ledger.
pub async fn read(store: &Store, blob: &Blob) -> Result<Vec<u8>, StoreError> {
    let path = path_of(store.data_dir(), blob.id);
    let sealed = tokio::fs::read(&path).await.map_err(|error| StoreError::file(&path, error))?;
    let owner = blob.subject.to_string();
    let bytes = store
        .cipher()
        .decrypt(&context(&owner), &sealed)
        .map_err(|error| StoreError::Sealed(error.to_string()))?;
    if hex::encode(crypto::hash::sm3(&bytes)) != blob.sm3 {
        return Err(StoreError::Sealed("a file is not the one that was attached".to_owned()));
    }
    Ok(bytes)
}

/// Forgets a file: the row first; the bytes go with the next [`sweep`].
pub async fn remove(tx: &Tx, subject: SubjectId, id: BlobId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM store_blob WHERE subject_id = $1 AND blob_id = $2", params![subject, id]).await?;
    Ok(())
}

/// Removes files that no row names and that are older than an hour; says how many.
pub async fn sweep(store: &Store) -> Result<usize, StoreError> {
    let named: std::collections::HashSet<String> = store
        .read()
        .rows("SELECT blob_id FROM store_blob", vec![])
        .await?
        .iter()
        .map(|row| row.get("blob_id"))
        .collect::<Result<_, _>>()?;
    let now = store.env().now().micros();
    let mut removed = 0;
    for path in files(&folder(store.data_dir()))? {
        let Some(stem) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let written_at = std::fs::metadata(&path)
            .and_then(|meta| meta.modified())
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .map_or(0, |age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
        let old = now.saturating_sub(written_at) > 3_600_000_000;
        if !named.contains(stem) && old {
            std::fs::remove_file(&path).map_err(|error| StoreError::file(&path, error))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The folder of files, below the data folder.
pub(crate) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("blobs")
}

/// Every file below `folder`.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(StoreError::file(folder, error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| StoreError::file(folder, error))?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn path_of(data_dir: &Path, id: BlobId) -> PathBuf {
    let name = id.to_string();
    // The last characters are random; the first are the time and would fill one folder at a time.
    let shelf: String = name.chars().rev().take(2).collect();
    folder(data_dir).join(shelf).join(name)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let wrap = |error| StoreError::file(path, error);
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(wrap)?;
    let draft = path.with_extension("part");
    let mut file = std::fs::File::create(&draft).map_err(wrap)?;
    file.write_all(bytes).map_err(wrap)?;
    file.sync_all().map_err(wrap)?;
    std::fs::rename(&draft, path).map_err(wrap)?;
    std::fs::File::open(parent).and_then(|folder| folder.sync_all()).map_err(wrap)
}

fn context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "store_blob", column: "content", subject: owner }
}

fn name_context(owner: &str) -> FieldContext<'_> {
    FieldContext { table: "store_blob", column: "name", subject: owner }
}
