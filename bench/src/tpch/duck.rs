//! DuckDB, asked through Python.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use lake::Lake;
use serde::{Deserialize, Serialize};

use super::{Answered, grants};

/// The program, with the folder of its packages that `scripts/setup.sh` fills.
pub struct Duck {
    script: PathBuf,
    packages: PathBuf,
}

/// Answers of DuckDB.
pub struct Timed {
    /// Its version.
    pub version: String,
    /// How long the physically filtered copy took, in seconds.
    pub copied: f64,
    /// For each query its answer, and the seconds of each round.
    pub answers: Vec<(Answered, Vec<f64>)>,
}

#[derive(Serialize)]
struct Asked<'a> {
    tables: Vec<CopiedTable>,
    folder: &'a Path,
    queries: &'a [String],
    rounds: usize,
    threads: usize,
}

#[derive(Serialize)]
struct CopiedTable {
    name: &'static str,
    files: Vec<String>,
    copy: &'static str,
}

#[derive(Deserialize)]
struct Said {
    version: String,
    copied: f64,
    answers: Vec<SaidAnswer>,
}

#[derive(Deserialize)]
struct SaidAnswer {
    floats: Vec<bool>,
    rows: Vec<Vec<Option<String>>>,
    seconds: Vec<f64>,
}

impl Duck {
    /// Of this clone.
    #[must_use]
    pub fn here() -> Self {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { script: bench.join("tpch/duck.py"), packages: bench.join("../.venv/duckdb") }
    }

    /// Copies what the grants show into a folder and answers each query on it, so many times.
    pub async fn answer(
        &self,
        lake: &Lake,
        folder: &Path,
        queries: &[String],
        rounds: usize,
    ) -> anyhow::Result<Timed> {
        let mut tables = Vec::new();
        for grant in grants() {
            let files = lake.plain_files(&grant.table.parse()?).await?;
            let files = files.iter().map(|file| match url::Url::parse(file) {
                Ok(url) => {
                    url.to_file_path().map_or_else(|()| file.clone(), |path| path.display().to_string())
                }
                Err(_) => file.clone(),
            });
            tables.push(CopiedTable { name: grant.table, files: files.collect(), copy: grant.copy });
        }
        std::fs::create_dir_all(folder)?;
        let asked = Asked { tables, folder, queries, rounds, threads: lake.limits().partitions };
        let asked = serde_json::to_vec(&asked)?;
        let mut command = Command::new("/usr/bin/python3");
        command.arg(&self.script).env("PYTHONPATH", &self.packages);
        let said = tokio::task::spawn_blocking(move || ask(command, &asked)).await??;
        let said: Said = serde_json::from_slice(&said).context("DuckDB's answer")?;
        ensure!(said.answers.len() == queries.len(), "{} answers", said.answers.len());
        let answers = said.answers.into_iter();
        let answers = answers.map(|one| (Answered { floats: one.floats, rows: one.rows }, one.seconds));
        Ok(Timed { version: said.version, copied: said.copied, answers: answers.collect() })
    }
}

fn ask(mut command: Command, asked: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("python3 does not start")?;
    // The program reads all of it before it prints a byte, so neither waits for the other.
    child.stdin.take().context("no standard input")?.write_all(asked)?;
    let output = child.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "DuckDB failed (is it installed? run scripts/setup.sh):\n{errors}");
    Ok(output.stdout)
}
