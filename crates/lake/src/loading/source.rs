//! Where data come from, and a feed of their rows, whatever they come from.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use url::Url;

use super::error::LoadError;
use super::infer::Note;
use super::read::database::{self, Address};
use super::read::lines::Encoding;
use super::read::{file, http};
use super::record::Record;
use crate::Kind;

/// The most rows on their way at once.
const CHUNK_ROWS: usize = 1_024;
/// The most bytes of text in a chunk, beside its last row.
const CHUNK_BYTES: usize = 1 << 20;
/// How many chunks may wait: what a load holds in memory of its source.
const CHUNKS: usize = 4;

/// Where data come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file on this machine.
    File(PathBuf),
    /// A file that a web server gives.
    Http(Url),
    /// A table of another database, PostgreSQL or MySQL.
    Database {
        /// `postgres://user:password@host/database` or `mysql://…`, with no parameter but `sslmode`.
        url: Url,
        /// The table, with its schema if it is not the usual one: `schema.table`.
        table: String,
    },
}

impl Source {
    /// A path or an address as one types it; of a database, `table` names the table.
    pub fn parse(text: &str, table: Option<&str>) -> Result<Self, LoadError> {
        let url = Url::parse(text).ok().filter(|url| url.has_host());
        match (url, table) {
            (Some(url), _) if matches!(url.scheme(), "http" | "https") => Ok(Self::Http(url)),
            (Some(url), Some(table))
                if matches!(url.scheme(), "postgres" | "postgresql" | "mysql" | "mariadb") =>
            {
                Ok(Self::Database { url, table: table.to_owned() })
            }
            (Some(url), None) if matches!(url.scheme(), "postgres" | "postgresql" | "mysql" | "mariadb") => {
                Err(LoadError::Reading("a database is read table by table: which one?".to_owned()))
            }
            (Some(url), _) => {
                Err(LoadError::Reading(format!("addresses of `{}` are not read", url.scheme())))
            }
            (None, _) => Ok(Self::File(PathBuf::from(text))),
        }
    }

    /// As it may be shown and kept: without user and password.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Http(url) => bare(url),
            Self::Database { url, table } => format!("{}#{table}", bare(url)),
        }
    }
}

fn bare(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Whose addresses may be read. Deny by default: without a host in it, files alone are read.
///
/// A node sits inside a government's network, so an address that anybody could choose would be a way to servers
/// that they cannot reach themselves. The operator names the hosts; a redirect to another host is not followed.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    hosts: Vec<(String, Option<u16>)>,
    /// Whether a server may be read without TLS.
    plain: bool,
    limits: Limits,
}

/// What is read from a web server at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a file.
    pub bytes: u64,
    /// Time for all of it.
    pub time: std::time::Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 30, time: std::time::Duration::from_secs(3_600) }
    }
}

impl Addresses {
    /// These hosts, each with a port (`data.example.cn:8443`) or with any.
    pub fn allow<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let hosts = hosts.into_iter().map(|host| match host.rsplit_once(':') {
            Some((name, port)) if !name.ends_with(':') => match port.parse() {
                Ok(port) => (name.to_ascii_lowercase(), Some(port)),
                Err(_) => (host.to_ascii_lowercase(), None),
            },
            _ => (host.to_ascii_lowercase(), None),
        });
        Self { hosts: hosts.collect(), plain: false, limits: Limits::default() }
    }

    /// Web servers without TLS too.
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        self.plain = true;
        self
    }

    /// With these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn check(&self, url: &Url) -> Result<(), LoadError> {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let port = url.port_or_known_default();
        let known =
            self.hosts.iter().any(|(name, only)| *name == host && only.is_none_or(|only| Some(only) == port));
        if !known {
            return Err(LoadError::NotAllowed(host));
        }
        if url.scheme() == "http" && !self.plain {
            return Err(LoadError::NotAllowed(format!("{host} without TLS")));
        }
        Ok(())
    }
}

/// How a file is written. What is left out is found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// The form of the file.
    pub form: Option<Form>,
    /// The encoding of text.
    pub encoding: Option<Encoding>,
    /// What stands between two cells of text.
    pub delimiter: Option<char>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The line or row with the names of the columns, from 1; 0 where there is none.
    pub header_row: Option<u32>,
}

/// The form of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Text with delimiters.
    Delimited,
    /// A workbook of Excel since 2007.
    Xlsx,
    /// A workbook of Excel before.
    Xls,
    /// A workbook of OpenDocument.
    Ods,
    /// Parquet.
    Parquet,
    /// JSON, one object a line.
    JsonLines,
    /// A table of a database.
    Table,
}

/// A source that can be read, more than once. Dropped, it forgets what it downloaded.
#[derive(Debug)]
pub struct Opened {
    pub(crate) place: Place,
    shown: String,
}

#[derive(Debug)]
pub(crate) enum Place {
    File(PathBuf),
    Download(http::Download),
    Database(Address),
}

impl Opened {
    /// Opens a source. What a web server gives is downloaded into `folder` first, so that what was shown and
    /// confirmed is what is loaded.
    pub async fn open(source: &Source, addresses: &Addresses, folder: &Path) -> Result<Self, LoadError> {
        let place = match source {
            Source::File(path) => {
                let found = std::fs::metadata(path)
                    .map_err(|error| LoadError::Unreadable(format!("`{}`: {error}", path.display())))?;
                if !found.is_file() {
                    return Err(LoadError::Unreadable(format!("`{}` is no file", path.display())));
                }
                Place::File(path.clone())
            }
            Source::Http(url) => Place::Download(http::download(url, addresses, folder).await?),
            Source::Database { url, table } => Place::Database(Address::new(url, table, addresses)?),
        };
        Ok(Self { place, shown: source.shown() })
    }

    /// Shown and kept under another name, such as the one that a file had before it was handed in.
    #[must_use]
    pub fn shown_as(mut self, name: &str) -> Self {
        name.clone_into(&mut self.shown);
        self
    }

    /// The source as it may be shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Gets ready to read it, all times as it is now where that can be had.
    pub(crate) async fn reader(&self) -> Result<Reader<'_>, LoadError> {
        Ok(match &self.place {
            Place::File(path) => Reader::File(path),
            Place::Download(download) => Reader::File(download.path()),
            Place::Database(address) => Reader::Database(database::Snapshot::open(address).await?),
        })
    }
}

/// Reads a source, again and again from its beginning.
pub(crate) enum Reader<'a> {
    File(&'a Path),
    Database(database::Snapshot),
}

impl Reader<'_> {
    /// The rows from the beginning. `columns` are those of the mapping, where there is one already.
    pub(crate) async fn feed(
        &mut self,
        reading: &Reading,
        columns: Option<Vec<String>>,
    ) -> Result<Feed, LoadError> {
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let bytes = Arc::new(AtomicU64::new(0));
        let mut bytes_total = None;
        match self {
            Self::File(path) => {
                bytes_total = Some(std::fs::metadata(&path)?.len());
                let (path, reading, bytes) = (path.to_owned(), reading.clone(), bytes.clone());
                let sink = Sink::new(sender);
                tokio::task::spawn_blocking(move || {
                    let mut sink = sink;
                    match file::read(&path, &reading, columns, bytes, &mut sink) {
                        Ok(ControlFlow::Continue(())) => sink.end(),
                        Ok(ControlFlow::Break(())) => {}
                        Err(error) => sink.fail(error),
                    }
                });
            }
            Self::Database(snapshot) => snapshot.read(sender, bytes.clone()).await?,
        }
        Feed::begin(receiver, bytes, bytes_total).await
    }
}

/// What is known of a source before its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) columns: Vec<String>,
    /// What the source says of its columns.
    pub(crate) kinds: Vec<Option<Kind>>,
    /// How it is read, with what was found out.
    pub(crate) reading: Reading,
    pub(crate) sheets: Vec<String>,
    pub(crate) notes: Vec<Note>,
}

pub(crate) enum Message {
    Head(Box<Head>),
    Rows(Vec<Record>),
    /// All was read. A feed that stops without it broke off.
    End,
}

pub(crate) type Sender = mpsc::Sender<Result<Message, LoadError>>;

/// The rows of a source as they come.
pub(crate) struct Feed {
    pub(crate) head: Head,
    receiver: mpsc::Receiver<Result<Message, LoadError>>,
    bytes: Arc<AtomicU64>,
    pub(crate) bytes_total: Option<u64>,
}

impl Feed {
    async fn begin(
        mut receiver: mpsc::Receiver<Result<Message, LoadError>>,
        bytes: Arc<AtomicU64>,
        bytes_total: Option<u64>,
    ) -> Result<Self, LoadError> {
        match receiver.recv().await {
            Some(Ok(Message::Head(head))) => Ok(Self { head: *head, receiver, bytes, bytes_total }),
            Some(Err(error)) => Err(error),
            _ => Err(broke_off()),
        }
    }

    /// The next rows; none when all were read.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Record>>, LoadError> {
        match self.receiver.recv().await {
            Some(Ok(Message::Rows(rows))) => Ok(Some(rows)),
            Some(Ok(Message::End)) => Ok(None),
            Some(Err(error)) => Err(error),
            Some(Ok(Message::Head(_))) | None => Err(broke_off()),
        }
    }

    /// Bytes that were read of the source.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

fn broke_off() -> LoadError {
    LoadError::Unreadable("reading broke off".to_owned())
}

/// Where a thread that reads leaves its rows.
pub(crate) struct Sink {
    sender: Sender,
    rows: Vec<Record>,
    bytes: usize,
}

impl Sink {
    fn new(sender: Sender) -> Self {
        Self { sender, rows: Vec::new(), bytes: 0 }
    }

    /// Breaks when nobody reads any more.
    pub(crate) fn head(&mut self, head: Head) -> ControlFlow<()> {
        self.send(Message::Head(Box::new(head)))
    }

    pub(crate) fn push(&mut self, record: Record) -> ControlFlow<()> {
        self.bytes += record.cells.bytes();
        self.rows.push(record);
        if self.rows.len() < CHUNK_ROWS && self.bytes < CHUNK_BYTES {
            return ControlFlow::Continue(());
        }
        self.flush()
    }

    fn flush(&mut self) -> ControlFlow<()> {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() { ControlFlow::Continue(()) } else { self.send(Message::Rows(rows)) }
    }

    fn send(&mut self, message: Message) -> ControlFlow<()> {
        match self.sender.blocking_send(Ok(message)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn end(mut self) {
        if self.flush().is_continue() {
            // Whoever has gone does not miss it.
            drop(self.sender.blocking_send(Ok(Message::End)));
        }
    }

    fn fail(mut self, error: LoadError) {
        if self.flush().is_continue() {
            drop(self.sender.blocking_send(Err(error)));
        }
    }
}
