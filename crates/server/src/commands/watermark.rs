//! `yiwang watermark read FILE`: from which export does this file come?

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::Context;
use lake::loading::{Addresses, Opened, Source, each_text};
use sharing::uses::ledger;
use sharing::uses::record::Record;
use sharing::watermark::{Found, Reader, hashes};
use store::Faults;

use super::Place;
use crate::node;

/// Says whose export it is; false if no mark was found.
pub(super) async fn read(place: &Place, file: &Path, english: bool) -> anyhow::Result<bool> {
    let config = place.config(None)?;
    let mut reader = Reader::default();
    look(file, &mut reader).await.with_context(|| format!("`{}` cannot be read", file.display()))?;
    let store = node::open_existing(&config, node::real_env(Faults::default())).await?;
    let found = reader.found(|id| hashes(store.cipher(), id));
    let mut out = std::io::stdout();
    for one in &found {
        let kept = ledger::find(&store.read(), one.use_id).await?;
        tell(&mut out, one, kept.as_ref().map(|kept| &kept.record), english)?;
    }
    if found.is_empty() {
        let nothing = match (reader.pieces(), english) {
            (0, true) => "no mark",
            (0, false) => "没有水印",
            (_, true) => "only parts of a mark, or a mark of another node",
            (_, false) => "水印不全，或者不是本节点的",
        };
        writeln!(out, "{nothing}")?;
    }
    Ok(!found.is_empty())
}

/// A text of whatever kind is read as it is: marks outlive what makes a table of it. Other files are read as tables.
async fn look(file: &Path, reader: &mut Reader) -> anyhow::Result<()> {
    let mut lines = BufReader::new(std::fs::File::open(file)?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let Ok(text) = std::str::from_utf8(&line) else {
            *reader = Reader::default();
            let opened =
                Opened::open(&Source::File(file.to_owned()), &Addresses::default(), Path::new(".")).await?;
            return Ok(each_text(&opened, &mut |text| reader.look(text)).await?);
        };
        reader.look(text);
        line.clear();
    }
    Ok(())
}

fn tell(out: &mut impl Write, found: &Found, record: Option<&Record>, english: bool) -> std::io::Result<()> {
    let say =
        |chinese: &'static str, english_words: &'static str| if english { english_words } else { chinese };
    writeln!(out, "{}  {}", say("本节点导出的数据，凭据", "exported by this node, receipt"), found.use_id)?;
    let Some(record) = record else {
        return writeln!(out, "  {}", say("使用记录里没有这一次", "it is not among the uses"));
    };
    let resources: Vec<&str> = record.grants.iter().map(|used| used.resource.as_str()).collect();
    writeln!(out, "  {}: {}", say("时间", "when"), record.at.to_china_string())?;
    writeln!(out, "  {}: {} {}", say("谁", "who"), record.actor.kind, record.actor.label)?;
    writeln!(out, "  {}: {} {}", say("用途", "purpose"), record.purpose.as_str(), record.case_no)?;
    writeln!(out, "  {}: {}", say("资源", "resources"), resources.join(", "))?;
    writeln!(out, "  {}: {}", say("带水印的单元格", "cells with the mark"), found.texts)
}
