//! Where the tables lie: the data folder, or a bucket of an S3-compatible store. Reading and writing go through one
//! object store.
//!
//! A commit of a Delta log is a put that must not replace what is there, so of two writers one is refused. On a disk
//! that is a hard link of a file that was synced before; in a bucket it is `If-None-Match`, and a bucket that does not
//! honour it is not opened.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use futures_util::stream::BoxStream;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, UploadPart,
};
use url::Url;

use crate::{LakeError, TableId};

/// Where the tables lie.
#[derive(Clone, Debug, Default)]
pub enum Place {
    /// In the folder `lake` of the data folder.
    #[default]
    Folder,
    /// In a bucket.
    Bucket(Bucket),
}

/// A bucket of an S3-compatible store. Its text for debugging is without the secret.
#[derive(Clone)]
pub struct Bucket {
    /// The address of the store, such as `https://s3.example.org`. Without TLS only on this machine.
    pub endpoint: String,
    /// The bucket.
    pub name: String,
    /// What the names of all objects begin with; may be empty.
    pub prefix: String,
    /// The region that requests are signed for, such as `us-east-1`.
    pub region: String,
    /// The key's id.
    pub access_key: String,
    /// The key's secret.
    pub secret_key: String,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("endpoint", &self.endpoint)
            .field("name", &self.name)
            .field("prefix", &self.prefix)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The files of the lake.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    store: Arc<dyn ObjectStore>,
    /// Where the names of the store begin.
    root: Url,
    /// Where the lake begins in it.
    prefix: Path,
    /// The folder, if it is one.
    folder: Option<PathBuf>,
}

impl Files {
    /// A folder of this machine, made if it is not there.
    pub(crate) fn folder(folder: &FilePath) -> Result<Self, LakeError> {
        let reach = |error: std::io::Error| LakeError::Files(format!("`{}`: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(reach)?;
        let folder = folder.canonicalize().map_err(reach)?;
        let prefix = Path::from_absolute_path(&folder)
            .map_err(|error| LakeError::Files(format!("`{}`: {error}", folder.display())))?;
        let disk = Arc::new(LocalFileSystem::new());
        let store = Arc::new(Backing { inner: disk.clone(), disk: Some(disk), name: "folder".to_owned() });
        Ok(Self { store, root: parse("file:///")?, prefix, folder: Some(folder) })
    }

    /// A bucket, if it refuses to replace what is there when it is asked to.
    pub(crate) async fn bucket(bucket: &Bucket) -> Result<Self, LakeError> {
        let endpoint = parse(&bucket.endpoint)?;
        let plain = endpoint.scheme() == "http";
        if plain && !is_loopback(&endpoint) {
            return Err(LakeError::Files(format!("`{endpoint}` is not reached over TLS")));
        }
        let inner = AmazonS3Builder::new()
            .with_endpoint(bucket.endpoint.trim_end_matches('/'))
            .with_allow_http(plain)
            .with_bucket_name(&bucket.name)
            .with_region(&bucket.region)
            .with_access_key_id(&bucket.access_key)
            .with_secret_access_key(&bucket.secret_key)
            .with_virtual_hosted_style_request(false)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .build()
            .map_err(|error| unreachable_files(&error))?;
        let name = format!("bucket {}", bucket.name);
        let store: Arc<dyn ObjectStore> = Arc::new(Backing { inner: Arc::new(inner), disk: None, name });
        let prefix = Path::parse(&bucket.prefix)
            .map_err(|error| LakeError::Files(format!("`{}`: {error}", bucket.prefix)))?;
        let files = Self { store, root: parse(&format!("s3://{}/", bucket.name))?, prefix, folder: None };
        files.check_conditional_put().await?;
        Ok(files)
    }

    /// Puts one object twice: the second put has to be refused.
    async fn check_conditional_put(&self) -> Result<(), LakeError> {
        let probe = self.prefix.clone().join("yiwang-probe");
        let create = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        for _ in 0..2 {
            match self.store.put_opts(&probe, PutPayload::from_static(b"probe"), create()).await {
                Err(object_store::Error::AlreadyExists { .. }) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(unreachable_files(&error)),
            }
        }
        Err(LakeError::Files("the bucket replaces objects though it is asked not to".to_owned()))
    }

    /// Lets queries of this engine read here.
    pub(crate) fn register(&self, runtime: &RuntimeEnv) {
        runtime.register_object_store(&self.root, self.store.clone());
    }

    pub(crate) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The folder of the lake on this machine, if it lies there.
    pub(crate) fn local(&self) -> Option<&FilePath> {
        self.folder.as_deref()
    }

    /// What a scan names this store by.
    pub(crate) fn store_url(&self) -> Result<ObjectStoreUrl, LakeError> {
        ObjectStoreUrl::parse(&self.root[..url::Position::BeforePath])
            .map_err(|error| LakeError::Files(error.to_string()))
    }

    /// Where the files of a table begin, in the store.
    pub(crate) fn path_of(&self, table: &TableId) -> Path {
        self.prefix.clone().join(table.as_str())
    }

    /// The log of a table, whether there is one or not.
    pub(crate) fn log_of(&self, table: &TableId) -> Result<LogStoreRef, LakeError> {
        let path = self.path_of(table);
        let url = self
            .root
            .join(&format!("{path}/"))
            .map_err(|error| LakeError::Files(format!("`{path}`: {error}")))?;
        let below = Arc::new(PrefixStore::new(self.store.clone(), path));
        Ok(default_logstore(below, self.store.clone(), &url, &StorageConfig::default()))
    }
}

fn parse(text: &str) -> Result<Url, LakeError> {
    Url::parse(text).map_err(|error| LakeError::Files(format!("`{text}`: {error}")))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

pub(crate) fn unreachable_files(error: &object_store::Error) -> LakeError {
    LakeError::Files(error.to_string())
}

/// The store below, which says nothing of its keys, and which has the disk hold what was put when it answers.
struct Backing {
    inner: Arc<dyn ObjectStore>,
    disk: Option<Arc<LocalFileSystem>>,
    name: String,
}

impl fmt::Debug for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[async_trait]
impl ObjectStore for Backing {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let create = match (&self.disk, &options.mode) {
            (Some(_), PutMode::Create) => true,
            (Some(_), PutMode::Overwrite) => false,
            _ => return self.inner.put_opts(location, payload, options).await,
        };
        let path = self.path(location)?;
        on_disk(move || put(&path, &payload, create)).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let inner = self.inner.put_multipart_opts(location, options).await?;
        if self.disk.is_none() {
            return Ok(inner);
        }
        Ok(Box::new(SyncedUpload { inner, path: self.path(location)? }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> object_store::Result<Vec<bytes::Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> object_store::Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

impl Backing {
    fn path(&self, location: &Path) -> object_store::Result<PathBuf> {
        match &self.disk {
            Some(disk) => disk.path_to_filesystem(location),
            None => Err(object_store::Error::NotImplemented {
                operation: "a path".to_owned(),
                implementer: self.name.clone(),
            }),
        }
    }
}

/// A file that comes in parts.
#[derive(Debug)]
struct SyncedUpload {
    inner: Box<dyn MultipartUpload>,
    path: PathBuf,
}

#[async_trait]
impl MultipartUpload for SyncedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let result = self.inner.complete().await?;
        let path = self.path.clone();
        on_disk(move || {
            File::open(&path).and_then(|file| file.sync_all()).map_err(|error| failed(&path, error))?;
            sync_folder(&path)
        })
        .await?;
        Ok(result)
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.inner.abort().await
    }
}

async fn on_disk(
    work: impl FnOnce() -> object_store::Result<()> + Send + 'static,
) -> object_store::Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(|source| object_store::Error::JoinError { source })?
}

/// Writes a file whole: nobody ever sees a part of it, even when the power fails.
fn put(path: &FilePath, payload: &PutPayload, create: bool) -> object_store::Result<()> {
    let (mut file, staged) = stage(path)?;
    let written = payload.iter().try_for_each(|part| file.write_all(part)).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| {
        if create { std::fs::hard_link(&staged, path) } else { std::fs::rename(&staged, path) }
    });
    if create || placed.is_err() {
        // What cannot be removed is found by the sweep.
        drop(std::fs::remove_file(&staged));
    }
    placed.map_err(|error| failed(path, error))?;
    sync_folder(path)
}

/// A file beside the one that is to be written. Its name ends like those of the library's own staged files, which
/// listings leave out.
fn stage(path: &FilePath) -> object_store::Result<(File, PathBuf)> {
    let mut number = 1_u32;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("#{number}"));
        let staged = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&staged) {
            Ok(file) => return Ok((file, staged)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let parent = path.parent().ok_or_else(|| failed(path, error))?;
                std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
                // The new folder is an entry of the one above, and that one may be new as well.
                sync_folder(parent)?;
                if let Some(above) = parent.parent() {
                    sync_folder(above)?;
                }
            }
            Err(error) => return Err(failed(path, error)),
        }
    }
}

fn sync_folder(path: &FilePath) -> object_store::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, error))
}

fn failed(path: &FilePath, error: std::io::Error) -> object_store::Error {
    let path = path.display().to_string();
    match error.kind() {
        ErrorKind::AlreadyExists => object_store::Error::AlreadyExists { path, source: Box::new(error) },
        _ => object_store::Error::Generic { store: "folder", source: format!("`{path}`: {error}").into() },
    }
}
