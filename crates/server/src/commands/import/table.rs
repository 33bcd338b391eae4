//! `yiwang import table`: a file, a web server's file or another database's table into the lake.

mod words;

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use lake::loading::{
    self, Addresses, Cancel, Encoding, Loaded, Mapping, Opened, Reading, Settings, Source, State,
};
use lake::{Lake, Limits, Table, TableId};
use store::Faults;

use self::words::Words;
use super::super::Place;
use crate::node;

/// The folder in the data folder for what is downloaded.
const DOWNLOADS: &str = "loading";
/// Rejected rows that are printed.
const PRINTED: u32 = 20;

/// What is loaded, and how it is read; what is left out is found out.
#[derive(Args, Clone, Debug)]
pub(in crate::commands) struct TableArgs {
    #[command(flatten)]
    pub(in crate::commands) place: Place,
    /// The table; it is made if there is none
    #[arg(value_name = "NAME")]
    table: TableId,
    /// A file, http(s)://…, postgres://… or mysql://…; @FILE reads it from a file, so that a password is not seen
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The table of the other database, as TABLE or SCHEMA.TABLE
    #[arg(long, value_name = "TABLE")]
    from: Option<String>,
    /// The sheet of a workbook, by name or number
    #[arg(long, value_name = "SHEET")]
    sheet: Option<String>,
    /// What stands between two cells: a character, or `tab`
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<char>,
    /// utf-8, gbk, gb18030, utf-16le or utf-16be
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<Encoding>,
    /// The line with the names of the columns, from 1; 0 if there is none
    #[arg(long, value_name = "N")]
    header_row: Option<u32>,
    /// Take this mapping instead of what is proposed
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Write what is proposed as a mapping to be changed, and stop
    #[arg(long, value_name = "FILE", conflicts_with = "schema")]
    save_schema: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Why content that is there already comes again, such as a date
    #[arg(long, value_name = "TEXT")]
    occasion: Option<String>,
    /// Let nothing arrive if more rows than so many are rejected
    #[arg(long, value_name = "N")]
    max_rejects: Option<u64>,
    /// Write every rejected row that is kept into this file
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Allow a web server without TLS
    #[arg(long)]
    without_tls: bool,
    /// Speak English
    #[arg(long)]
    english: bool,
}

fn delimiter(text: &str) -> Result<char, String> {
    let mut all = text.chars();
    match (text, all.next(), all.next()) {
        ("tab" | "\\t", _, _) => Ok('\t'),
        (_, Some(one), None) => Ok(one),
        _ => Err("one character, or `tab`".to_owned()),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    Encoding::parse(text).ok_or_else(|| "utf-8, gbk, gb18030, utf-16le or utf-16be".to_owned())
}

/// Loads a table. False if rows were rejected or it did not come to its end.
pub(in crate::commands) async fn table(args: &TableArgs) -> anyhow::Result<bool> {
    let words = Words::new(args.english);
    let source = source(args)?;
    let config = args.place.config(None)?;
    let store = node::open_store(&config, node::real_env(Faults::default())).await?;
    let lake = Lake::open(store, Limits::default())?;
    let opened = open(args, &source, &lake).await?;
    let given = args.schema.as_deref().map(read_mapping).transpose()?;
    let reading = given.as_ref().map_or_else(|| reading(args), |mapping| mapping.reading.clone());
    let mut proposal = loading::inspect(&lake, &opened, &reading).await?;
    let there = find(&lake, &args.table).await?;
    if let Some(mapping) = given {
        proposal.put(mapping);
    } else if let Some(table) = &there {
        proposal.fit(table);
    }
    let mut out = std::io::stdout();
    words.proposal(&mut out, &args.table, &proposal, there.is_some())?;
    let mapping = proposal.mapping();
    if let Some(file) = &args.save_schema {
        std::fs::write(file, serde_json::to_string_pretty(&mapping)?)
            .with_context(|| format!("`{}` cannot be written", file.display()))?;
        writeln!(out, "{}", words.saved(&file.display()))?;
        return Ok(true);
    }
    if !args.yes && !confirmed(&words)? {
        writeln!(out, "{}", words.nothing_done())?;
        return Ok(false);
    }
    let table = match there {
        Some(table) => table,
        None => make(&lake, &args.table, &mapping).await?,
    };
    let settings =
        Settings { occasion: args.occasion.clone(), max_rejected: args.max_rejects, ..Settings::default() };
    let loaded = run(&lake, &table, &opened, &mapping, &settings, &words).await?;
    writeln!(out, "{}", words.outcome(&loaded))?;
    report(args, &lake, &mapping, &loaded, &words).await?;
    let went_well = matches!(loaded.state, State::Done | State::Repeated);
    Ok(went_well && loaded.rejected == 0)
}

fn source(args: &TableArgs) -> anyhow::Result<Source> {
    let text = match args.source.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("`{file}` cannot be read"))?,
        None => args.source.clone(),
    };
    Ok(Source::parse(text.trim(), args.from.as_deref())?)
}

/// Whoever types a command on the node is its operator, and allows the host by naming it.
async fn open(args: &TableArgs, source: &Source, lake: &Lake) -> anyhow::Result<Opened> {
    let host = match source {
        Source::File(_) => None,
        Source::Http(url) | Source::Database { url, .. } => url.host_str().map(|host| match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }),
    };
    let mut addresses = Addresses::allow(host.as_deref());
    if args.without_tls {
        addresses = addresses.without_tls();
    }
    let folder = lake.store().data_dir().join(DOWNLOADS);
    Ok(Opened::open(source, &addresses, &folder).await?)
}

fn reading(args: &TableArgs) -> Reading {
    Reading {
        form: None,
        encoding: args.encoding,
        delimiter: args.delimiter,
        sheet: args.sheet.clone(),
        header_row: args.header_row,
    }
}

fn read_mapping(file: &Path) -> anyhow::Result<Mapping> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}` is no mapping", file.display()))
}

async fn find(lake: &Lake, id: &TableId) -> anyhow::Result<Option<Table>> {
    match Lake::table(&lake.store().read(), id).await {
        Ok(table) => Ok(Some(table)),
        Err(lake::LakeError::NoTable(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn make(lake: &Lake, id: &TableId, mapping: &Mapping) -> anyhow::Result<Table> {
    let tx = lake.store().begin().await?;
    Lake::create_table(&tx, id, &mapping.schema()?).await?;
    tx.commit().await?;
    Ok(Lake::table(&lake.store().read(), id).await?)
}

fn confirmed(words: &Words) -> anyhow::Result<bool> {
    let mut out = std::io::stdout();
    write!(out, "{} ", words.question())?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "是"))
}

/// Loads, with a line that is written over on a terminal and plain lines elsewhere. Ctrl-C cancels.
async fn run(
    lake: &Lake,
    table: &Table,
    opened: &Opened,
    mapping: &Mapping,
    settings: &Settings,
    words: &Words,
) -> anyhow::Result<Loaded> {
    let cancel = Cancel::default();
    let hand = cancel.clone();
    let interrupted = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            hand.cancel();
        }
    });
    let terminal = std::io::stderr().is_terminal();
    let mut meter = words::Meter::new(terminal);
    let mut progress = |now: &loading::Progress| {
        if let Some(line) = meter.line(now, words) {
            let mut out = std::io::stderr().lock();
            // Progress that cannot be shown stops no load.
            drop(if terminal { write!(out, "\r\x1b[K{line}") } else { writeln!(out, "{line}") });
        }
    };
    let loaded = loading::load(lake, table, opened, mapping, settings, &mut progress, &cancel).await;
    interrupted.abort();
    if terminal {
        write!(std::io::stderr(), "\r\x1b[K")?;
    }
    Ok(loaded?)
}

/// Prints the first rejected rows, and writes all that were kept where they are wanted.
async fn report(
    args: &TableArgs,
    lake: &Lake,
    mapping: &Mapping,
    loaded: &Loaded,
    words: &Words,
) -> anyhow::Result<()> {
    if loaded.rejected == 0 {
        return Ok(());
    }
    let read = lake.store().read();
    let mut out = std::io::stdout();
    for row in loading::list_rejected(&read, loaded.id, 0, PRINTED).await? {
        writeln!(out, "{}", words.rejected(&row))?;
    }
    if loaded.rejected > u64::from(PRINTED) {
        writeln!(out, "{}", words.more(loaded))?;
    }
    let Some(file) = &args.rejects else { return Ok(()) };
    let mut written = private(file).with_context(|| format!("`{}` cannot be written", file.display()))?;
    writeln!(written, "{}", loading::rejected_header(mapping))?;
    let mut after = 0;
    loop {
        let rows = loading::list_rejected(&read, loaded.id, after, 500).await?;
        let Some(last) = rows.last() else { break };
        after = last.place;
        for row in &rows {
            writeln!(written, "{}", loading::rejected_line(row))?;
        }
    }
    written.flush()?;
    writeln!(out, "{}", words.rejects_written(&file.display()))?;
    Ok(())
}

/// The rows may hold personal data: a file for its owner alone.
fn private(path: &Path) -> std::io::Result<std::io::BufWriter<std::fs::File>> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(std::io::BufWriter::new(file))
}
