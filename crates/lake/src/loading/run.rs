//! A load from its first row to its last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crypto::hash::Hash;
use kernel::error::Coded;
use tokio::time::Instant;

use super::error::LoadError;
use super::ledger::{self, Begin, Book, LoadId, Progress, State};
use super::mapping::Mapping;
use super::record::{Cell, Record};
use super::rows::Rows;
use super::source::{Feed, Opened};
use crate::{Batch, Lake, LakeError, Table};

/// The most rows of a batch.
const BATCH_ROWS: usize = 65_536;
/// The most cells of a batch.
const BATCH_CELLS: usize = 2_000_000;
/// The bytes of text after which a batch is full.
const BATCH_BYTES: usize = 8 << 20;
/// Rejected rows that are written at once.
const KEPT_AT_ONCE: usize = 500;
/// How often the ledger hears of progress, and whoever watches.
const NOTED: Duration = Duration::from_secs(1);
const SHOWN: Duration = Duration::from_millis(200);
/// How often a full inbox is tried again.
const MOST_WAITS: u32 = 600;

/// How a load is done.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its id, where somebody has to know it before it begins.
    pub id: Option<LoadId>,
    /// Why content that is there already is to come again, such as a date.
    pub occasion: Option<String>,
    /// With more rejected rows than so many, nothing arrives.
    pub max_rejected: Option<u64>,
    /// How many rejected rows are kept.
    pub keep: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { id: None, occasion: None, max_rejected: None, keep: 10_000 }
    }
}

/// A hand on a load that stops it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops the load at the next rows.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a load did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its id, by which rejected rows are found.
    pub id: LoadId,
    /// How it ended: done, repeated, refused or cancelled.
    pub state: State,
    /// Rows of the source that arrived, now or in an earlier attempt.
    pub rows: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// How many of them were kept.
    pub kept: u64,
    /// Batches that arrived now.
    pub batches: u64,
    /// Batches that had arrived in an earlier attempt.
    pub known_batches: u64,
    /// The load that brought this content before.
    pub earlier: Option<LoadId>,
}

/// Loads a source into a table.
///
/// `progress` is called some times a second. An error has been noted in the ledger when it is returned.
pub async fn load(
    lake: &Lake,
    table: &Table,
    opened: &Opened,
    mapping: &Mapping,
    settings: &Settings,
    progress: &mut (dyn FnMut(&Progress) + Send),
    cancel: &Cancel,
) -> Result<Loaded, LoadError> {
    mapping.check(table)?;
    let store = lake.store();
    let id = settings.id.unwrap_or_else(|| LoadId::generate(&*store.env().clock, &*store.env().entropy));
    let written = serde_json::to_string(mapping).map_err(store::StoreError::from)?;
    let occasion = settings.occasion.as_deref();
    let begin = Begin { id, table: &table.id, source: opened.shown(), occasion, mapping: &written };
    let book = Book::begin(store, &begin).await?;
    let watch = Watch {
        progress: Progress::default(),
        show: progress,
        cancel,
        asked: false,
        noted: Instant::now(),
        shown: Instant::now(),
    };
    let mut run = Run { lake, table, mapping, settings, id, book, watch };
    match run.go(opened).await {
        Ok(loaded) => {
            run.book.end(loaded.state, &run.watch.progress, None).await?;
            Ok(loaded)
        }
        Err(error) => {
            let text = format!("{}: {error}", error.code());
            if let Err(second) = run.book.end(State::Failed, &run.watch.progress, Some(&text)).await {
                tracing::error!(error = %second, load.id = %id, "the end of a load could not be noted");
            }
            Err(error)
        }
    }
}

struct Watch<'a> {
    progress: Progress,
    show: &'a mut (dyn FnMut(&Progress) + Send),
    cancel: &'a Cancel,
    asked: bool,
    noted: Instant,
    shown: Instant,
}

struct Run<'a> {
    lake: &'a Lake,
    table: &'a Table,
    mapping: &'a Mapping,
    settings: &'a Settings,
    id: LoadId,
    book: Book<'a>,
    watch: Watch<'a>,
}

/// What the first pass found.
struct Checked {
    /// The digest of the source up to the end of each batch.
    marks: Vec<[u8; 32]>,
    content: String,
}

impl Run<'_> {
    async fn go(&mut self, opened: &Opened) -> Result<Loaded, LoadError> {
        let mut reader = opened.reader().await?;
        let feed = reader.feed(&self.mapping.reading, Some(self.mapping.sources())).await?;
        let Some(checked) = self.check(feed).await? else { return Ok(self.ended(State::Cancelled)) };
        if self.settings.max_rejected.is_some_and(|most| self.watch.progress.rejected > most) {
            return Ok(self.ended(State::Refused));
        }
        let earlier = ledger::earlier(&self.lake.store().read(), &self.table.id, &checked.content).await?;
        if let Some(done) = earlier.iter().find(|load| load.state == State::Done) {
            return Ok(Loaded { earlier: Some(done.id), ..self.ended(State::Repeated) });
        }
        if let Some(begun) = earlier.iter().find(|load| load.mapping != *self.mapping) {
            return Err(LoadError::Mapping(format!(
                "load `{}` began to bring this content with another; go on with that one",
                begun.id
            )));
        }
        self.book.arriving(&checked.content, checked.marks.len() as u64).await?;
        self.book.note(&self.watch.progress).await?;
        self.lake.store().env().faults.reached("lake.load_checked").await;
        let feed = reader.feed(&self.mapping.reading, Some(self.mapping.sources())).await?;
        let (state, batches, known_batches) = self.arrive(feed, &checked).await?;
        Ok(Loaded { batches, known_batches, ..self.ended(state) })
    }

    fn ended(&self, state: State) -> Loaded {
        Loaded {
            id: self.id,
            state,
            rows: self.watch.progress.arrived,
            rejected: self.watch.progress.rejected,
            kept: self.book.kept(),
            batches: 0,
            known_batches: 0,
            earlier: None,
        }
    }

    /// Reads everything and keeps nothing but what is wrong. None if it was cancelled.
    async fn check(&mut self, mut feed: Feed) -> Result<Option<Checked>, LoadError> {
        self.check_columns(&feed)?;
        let (table, mapping) = (self.table, self.mapping);
        let mut rows = Rows::new(table, mapping, self.lake.store().env().now().china_date());
        let mut digest = Digest::new(self.mapping.columns.len());
        let (mut marks, mut rejected) = (Vec::new(), Vec::new());
        while let Some(records) = self.next(&mut feed).await? {
            if self.watch.asked {
                return Ok(None);
            }
            for record in records {
                digest.take(&record);
                if let Err(faults) = rows.take(&record) {
                    self.watch.progress.rejected += 1;
                    if self.book.kept() + (rejected.len() as u64) < self.settings.keep {
                        rejected.push((record.line, faults, record.to_csv()));
                    }
                }
                self.watch.progress.rows += 1;
                if digest.is_full() {
                    marks.push(digest.cut());
                    rows.clear();
                }
            }
            if rejected.len() >= KEPT_AT_ONCE {
                self.book.keep(std::mem::take(&mut rejected)).await?;
            }
        }
        self.book.keep(rejected).await?;
        if self.watch.asked {
            return Ok(None);
        }
        marks.push(digest.cut());
        let progress = &mut self.watch.progress;
        progress.rows_total = Some(progress.rows);
        (progress.rows, progress.bytes) = (0, 0);
        let last = marks.last().copied().unwrap_or_default();
        let occasion = self.settings.occasion.as_deref().unwrap_or_default();
        let parts = [&b"yiwang/load/1"[..], self.table.id.as_str().as_bytes(), occasion.as_bytes()];
        let mut bytes: Vec<u8> = parts.iter().flat_map(|part| [*part, &b"\0"[..]].concat()).collect();
        bytes.extend(last);
        // As fast as the processor has it, and no signature rests on it.
        let content = hex::encode(Hash::Sha256.digest(&bytes));
        Ok(Some(Checked { marks, content }))
    }

    /// Reads everything again, and lets it arrive.
    async fn arrive(&mut self, mut feed: Feed, checked: &Checked) -> Result<(State, u64, u64), LoadError> {
        self.check_columns(&feed)?;
        let (table, mapping) = (self.table, self.mapping);
        let mut rows = Rows::new(table, mapping, self.lake.store().env().now().china_date());
        let mut digest = Digest::new(self.mapping.columns.len());
        let mut marks = checked.marks.iter().zip(1_u64..);
        let mut arrived = Arrived::default();
        let mut ended = false;
        while !ended {
            let records = match self.next(&mut feed).await? {
                Some(records) => records,
                None => {
                    ended = true;
                    Vec::new()
                }
            };
            if self.watch.asked {
                return Ok((State::Cancelled, arrived.now, arrived.before));
            }
            let mut records = records.into_iter();
            loop {
                let record = records.next();
                if let Some(record) = &record {
                    digest.take(record);
                    // What does not fit was kept when it was checked.
                    drop(rows.take(record));
                    self.watch.progress.rows += 1;
                }
                if digest.is_full() || (ended && record.is_none()) {
                    let (mark, number) = marks.next().ok_or(LoadError::Changed)?;
                    if digest.cut() != *mark {
                        return Err(LoadError::Changed);
                    }
                    let many = rows.len();
                    if many > 0 {
                        let batch = rows.batch()?;
                        arrived.add(deliver(self.lake, table, &checked.content, number, &batch).await?);
                        self.lake.store().env().faults.reached("lake.load_batch_arrived").await;
                    }
                    self.watch.progress.arrived += many as u64;
                    self.tick(&feed).await?;
                }
                if record.is_none() {
                    break;
                }
            }
        }
        if marks.next().is_some() {
            return Err(LoadError::Changed);
        }
        Ok((State::Done, arrived.now, arrived.before))
    }

    fn check_columns(&self, feed: &Feed) -> Result<(), LoadError> {
        let wanted = self.mapping.sources();
        let found = &feed.head.columns;
        if *found == wanted {
            return Ok(());
        }
        let missing: Vec<&str> =
            wanted.iter().filter(|name| !found.contains(name)).map(String::as_str).collect();
        let more: Vec<&str> =
            found.iter().filter(|name| !wanted.contains(name)).map(String::as_str).collect();
        Err(LoadError::Columns(format!(
            "`{}` are missing, `{}` are new",
            missing.join("`, `"),
            more.join("`, `")
        )))
    }

    /// The next rows. While none come, whoever watches is told so, and whoever cancels is heard.
    async fn next(&mut self, feed: &mut Feed) -> Result<Option<Vec<Record>>, LoadError> {
        loop {
            self.tick(feed).await?;
            if self.watch.asked {
                return Ok(None);
            }
            match tokio::time::timeout(SHOWN, feed.next()).await {
                Ok(records) => return records,
                Err(_) => continue,
            }
        }
    }

    async fn tick(&mut self, feed: &Feed) -> Result<(), LoadError> {
        let watch = &mut self.watch;
        watch.progress.bytes = feed.bytes();
        watch.progress.bytes_total = feed.bytes_total;
        if watch.shown.elapsed() >= SHOWN {
            watch.shown = Instant::now();
            (watch.show)(&watch.progress);
        }
        if watch.noted.elapsed() >= NOTED {
            watch.noted = Instant::now();
            watch.asked |= self.book.note(&watch.progress).await?;
        }
        watch.asked |= watch.cancel.is_asked();
        Ok(())
    }
}

#[derive(Default)]
struct Arrived {
    now: u64,
    before: u64,
}

impl Arrived {
    fn add(&mut self, repeated: bool) {
        if repeated {
            self.before += 1;
        } else {
            self.now += 1;
        }
    }
}

/// The digest of a source so far, and where its batches end: after the same row each time.
struct Digest {
    chain: [u8; 32],
    bytes: Vec<u8>,
    rows: usize,
    most_rows: usize,
}

impl Digest {
    fn new(columns: usize) -> Self {
        let most_rows = (BATCH_CELLS / columns.max(1)).clamp(1, BATCH_ROWS);
        Self { chain: [0; 32], bytes: Vec::new(), rows: 0, most_rows }
    }

    fn take(&mut self, record: &Record) {
        self.rows += 1;
        let mark = if record.fault.is_some() { 1 } else { 0 };
        self.bytes.push(mark);
        for cell in record.cells.iter() {
            let (mark, text) = match cell {
                Cell::Empty => (2, ""),
                Cell::Text(text) => (3, text),
                Cell::Fault(_, text) => (4, text),
            };
            self.bytes.push(mark);
            self.bytes.extend((text.len() as u64).to_le_bytes());
            self.bytes.extend(text.as_bytes());
        }
    }

    fn is_full(&self) -> bool {
        self.rows >= self.most_rows || self.bytes.len() >= BATCH_BYTES
    }

    /// The digest up to here; the next row begins a new batch.
    fn cut(&mut self) -> [u8; 32] {
        self.chain = Hash::Sha256.digest_parts(&[&self.chain, &self.bytes]);
        self.bytes.clear();
        self.rows = 0;
        self.chain
    }
}

/// Lets a batch arrive under its name. True if all of it had arrived before.
async fn deliver(
    lake: &Lake,
    table: &Table,
    content: &str,
    number: u64,
    batch: &Batch,
) -> Result<bool, LoadError> {
    // Rows of a wide table of which the source fills little are larger than their text.
    let cells = batch.rows() * table.schema.columns().len();
    let rows = batch.rows() / (cells / BATCH_CELLS + 1) + 1;
    let mut all_known = true;
    let parts = (0..batch.rows()).step_by(rows).zip(0_u64..);
    for (from, part) in parts {
        let name = match part {
            0 => format!("load:{content}:{number}"),
            _ => format!("load:{content}:{number}.{part}"),
        };
        let slice = batch.slice(from, rows.min(batch.rows() - from));
        all_known &= arrive(lake, table, &name, &slice).await?;
    }
    Ok(all_known)
}

/// The one place at which loads meet the inbox. True if the batch had arrived before.
async fn arrive(lake: &Lake, table: &Table, name: &str, batch: &Batch) -> Result<bool, LoadError> {
    let (mut tries, mut waits) = (0, 0);
    loop {
        match lake.arrive(table, name, batch).await {
            Ok(arrival) => return Ok(arrival.repeated),
            // Of two that run at once with the same batch, the second is refused by the ledger; it then knows it.
            Err(LakeError::Store(error)) if tries == 0 => {
                tries += 1;
                tracing::debug!(%error, "a batch is tried again");
            }
            // Somebody else makes room, and a load has time.
            Err(LakeError::Full) if waits < MOST_WAITS => {
                waits += 1;
                tokio::time::sleep(NOTED).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
